//! Which model makes the vectors of texts, if any does.

use std::path::PathBuf;

use super::Secret;

/// Who makes vectors of texts.
#[derive(Clone, Debug)]
pub enum Embeddings {
    /// Nobody: search is by words alone.
    Off,
    /// The model that is part of the program.
    BuiltIn,
    /// One in a folder of this machine.
    Folder(PathBuf),
    /// Somebody else's.
    Endpoint(EmbeddingsEndpoint),
}

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

/// Where an endpoint is when nothing else is said.
const OPENAI: &str = "https://api.openai.com/v1";

pub(super) fn embeddings(text: &impl Fn(&str) -> String, faults: &mut Vec<String>) -> Embeddings {
    let (mut url, model, key) = (text("embeddings_url"), text("embeddings_model"), text("embeddings_key"));
    let folder = text("embeddings_dir");
    match text("embeddings").as_str() {
        // What the address says.
        "" => {}
        wanted @ ("builtin" | "off") => {
            if !url.is_empty() && url != wanted {
                faults.push(format!("embeddings is {wanted}, but embeddings_url names an endpoint"));
            }
            url = if wanted == "off" { "off".to_owned() } else { String::new() };
        }
        "openai" => {
            if url.is_empty() {
                OPENAI.clone_into(&mut url);
            }
        }
        "local" => {
            if folder.is_empty() {
                faults.push("embeddings is local, but embeddings_dir names no folder".into());
            }
        }
        other => faults.push(format!("embeddings must be builtin, local, openai or off, not {other:?}")),
    }
    if !folder.is_empty() {
        if !url.is_empty() || !matches!(text("embeddings").as_str(), "" | "local") {
            faults.push("embeddings_dir names a model, and so do embeddings or embeddings_url".into());
        }
        return Embeddings::Folder(PathBuf::from(folder));
    }
    let is_off = url == "off";
    if url.is_empty() || is_off {
        if !model.is_empty() || !key.is_empty() {
            faults.push("embeddings_model and embeddings_key need the embeddings_url of an endpoint".into());
        }
        return if is_off { Embeddings::Off } else { Embeddings::BuiltIn };
    }
    // A key in the address would be in every log of it.
    if !is_endpoint(&url) {
        faults.push(
            "embeddings_url must be off or http(s)://HOST[:PORT][/PATH], such as https://api.openai.com/v1"
                .into(),
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
    Embeddings::Endpoint(EmbeddingsEndpoint {
        url: url.trim_end_matches('/').to_owned(),
        model,
        key: Secret(key),
        dimensions,
        daily_characters,
    })
}

/// Who reads the best hits again.
pub(super) fn rerank(folder: &str, embeddings: &Embeddings, faults: &mut Vec<String>) -> Option<PathBuf> {
    if folder.is_empty() {
        return None;
    }
    // Off is said to mean that no model reads what people write.
    if matches!(embeddings, Embeddings::Off) {
        faults.push("rerank_dir names a model, but embeddings are off".into());
    }
    Some(PathBuf::from(folder))
}

/// Whether a text is the address of an endpoint: a host and perhaps a path, nothing else.
pub(super) fn is_endpoint(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    !host.is_empty() && !host.starts_with('/') && !host.contains(['@', '?', '#', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Embeddings, Vec<String>> {
        let text = |key: &str| {
            let given = values.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
            given.unwrap_or(if key == "embeddings_daily_characters" { "50000000" } else { "" }).to_owned()
        };
        let mut faults = Vec::new();
        let embeddings = embeddings(&text, &mut faults);
        if faults.is_empty() { Ok(embeddings) } else { Err(faults) }
    }

    #[test]
    fn a_second_model_needs_a_first_one() {
        let read = |folder: &str, embeddings: &Embeddings| {
            let mut faults = Vec::new();
            (rerank(folder, embeddings, &mut faults), faults.len())
        };
        assert_eq!(read("", &Embeddings::Off), (None, 0));
        assert_eq!(read("/models/minilm", &Embeddings::BuiltIn), (Some("/models/minilm".into()), 0));
        assert_eq!(read("/models/minilm", &Embeddings::Off).1, 1);
    }

    #[test]
    fn an_endpoint_is_whole_or_a_fault() {
        assert!(matches!(read(&[]), Ok(Embeddings::BuiltIn)));
        assert!(matches!(read(&[("embeddings_url", "off")]), Ok(Embeddings::Off)));
        assert!(read(&[("embeddings_url", "off"), ("embeddings_key", "sesame")]).is_err());
        assert!(matches!(read(&[("embeddings", "off")]), Ok(Embeddings::Off)));
        assert!(matches!(read(&[("embeddings", "builtin")]), Ok(Embeddings::BuiltIn)));
        assert!(read(&[("embeddings", "off"), ("embeddings_url", "https://models.example.org")]).is_err());
        assert!(read(&[("embeddings", "magic")]).is_err());
        let folder = ("embeddings_dir", "/models/minilm");
        assert!(matches!(read(&[folder]), Ok(Embeddings::Folder(it)) if it.ends_with("minilm")));
        assert!(matches!(read(&[folder, ("embeddings", "local")]), Ok(Embeddings::Folder(_))));
        for other in [("embeddings", "off"), ("embeddings", "builtin"), ("embeddings_url", "off")] {
            assert!(read(&[folder, other]).is_err(), "{other:?}");
        }
        assert!(read(&[("embeddings", "local")]).is_err());
        let asked =
            [("embeddings", "openai"), ("embeddings_model", "small"), ("embeddings_dimensions", "384")];
        assert!(matches!(read(&asked), Ok(Embeddings::Endpoint(it)) if it.url == OPENAI));
        let whole = [
            ("embeddings_url", "https://models.example.org/v1/"),
            ("embeddings_model", "small"),
            ("embeddings_key", "sesame"),
            ("embeddings_dimensions", "384"),
        ];
        let Ok(Embeddings::Endpoint(endpoint)) = read(&whole) else { panic!("an endpoint") };
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
