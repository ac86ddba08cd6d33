//! Which model makes the vectors of texts, when it is not the built-in one.

use super::Secret;

/// An endpoint that speaks the OpenAI API.
#[derive(Clone, Debug)]
pub struct EmbeddingsEndpoint {
    /// Where `/embeddings` is, without that and without a slash at its end.
    pub url: String,
    /// The model's name there.
    pub model: String,
    /// Empty where none is asked for.
    pub key: Secret,
    /// How long its vectors are.
    pub dimensions: usize,
    /// Characters that each process may send in a day (of UTC); what is asked costs too.
    pub daily_characters: u64,
}

/// Longer vectors than any model has are a mistake that would fill the disk.
const MOST_DIMENSIONS: usize = 8_192;

/// `None`: the built-in model.
pub(super) fn endpoint(
    text: &impl Fn(&str) -> String,
    faults: &mut Vec<String>,
) -> Option<EmbeddingsEndpoint> {
    let (url, model, key) = (text("embeddings_url"), text("embeddings_model"), text("embeddings_key"));
    if url.is_empty() {
        if !model.is_empty() || !key.is_empty() {
            faults.push("embeddings_model and embeddings_key need an embeddings_url".into());
        }
        return None;
    }
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    // A key in the address would be in every log of it.
    if host.is_empty() || host.starts_with('/') || host.contains(['@', '?', '#', ' ']) {
        faults.push(
            "embeddings_url must be http(s)://HOST[:PORT][/PATH], such as https://api.openai.com/v1".into(),
        );
    }
    if model.is_empty() {
        faults.push("embeddings_url needs embeddings_model".into());
    }
    let mut number = |key: &str, most: u64| -> u64 {
        match text(key).parse::<u64>() {
            Ok(value) if (1..=most).contains(&value) => value,
            _ => {
                faults.push(format!("{key} must be a number from 1 to {most}, not {:?}", text(key)));
                1
            }
        }
    };
    let dimensions = number("embeddings_dimensions", MOST_DIMENSIONS as u64) as usize;
    let daily_characters = number("embeddings_daily_characters", 1 << 53);
    Some(EmbeddingsEndpoint {
        url: url.trim_end_matches('/').to_owned(),
        model,
        key: Secret(key),
        dimensions,
        daily_characters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Option<EmbeddingsEndpoint>, Vec<String>> {
        let text = |key: &str| {
            let given = values.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
            given.unwrap_or(if key == "embeddings_daily_characters" { "50000000" } else { "" }).to_owned()
        };
        let mut faults = Vec::new();
        let endpoint = endpoint(&text, &mut faults);
        if faults.is_empty() { Ok(endpoint) } else { Err(faults) }
    }

    #[test]
    fn an_endpoint_is_whole_or_a_fault() {
        assert!(read(&[]).expect("the built-in model").is_none());
        let whole = [
            ("embeddings_url", "https://models.example.org/v1/"),
            ("embeddings_model", "small"),
            ("embeddings_key", "sesame"),
            ("embeddings_dimensions", "384"),
        ];
        let endpoint = read(&whole).expect("no fault").expect("an endpoint");
        assert_eq!((endpoint.url.as_str(), endpoint.dimensions), ("https://models.example.org/v1", 384));
        assert!(!format!("{endpoint:?}").contains("sesame"));
        assert_eq!(read(&whole[..1]).expect_err("faults").len(), 2, "no model and no length");
        assert!(read(&whole[1..3]).is_err(), "no address");
        for bad in
            ["models.example.org", "https://", "http:///v1", "https://key@host/v1", "https://host/v1?key=a"]
        {
            let mut values = whole;
            values[0].1 = bad;
            assert!(read(&values).is_err(), "{bad}");
        }
    }
}
