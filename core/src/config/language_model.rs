//! Which language model writes the assistant's answers, if any does.

use super::Secret;
use super::embeddings::is_endpoint;

/// A language model behind an endpoint that speaks the OpenAI API.
#[derive(Clone, Debug)]
pub struct LanguageModel {
    /// Where `/chat/completions` is, without that and without a slash at its end.
    pub url: String,
    /// Its name there.
    pub model: String,
    /// Empty where none is asked for.
    pub key: Secret,
    /// Tokens, of prompts and answers together, that one person may use in a day (of UTC).
    pub daily_tokens_of_person: i64,
    /// The same for all of the server.
    pub daily_tokens: i64,
}

pub(super) fn language_model(
    text: &impl Fn(&str) -> String,
    faults: &mut Vec<String>,
) -> Option<LanguageModel> {
    let (url, model, key) = (text("llm_base_url"), text("llm_model"), text("llm_api_key"));
    if url.is_empty() {
        if !model.is_empty() || !key.is_empty() {
            faults.push("llm_model and llm_api_key need llm_base_url".into());
        }
        return None;
    }
    // A key in the address would be in every log of it.
    if !is_endpoint(&url) {
        faults.push(
            "llm_base_url must be http(s)://HOST[:PORT][/PATH], such as https://api.openai.com/v1".into(),
        );
    }
    if model.is_empty() {
        faults.push("llm_base_url needs llm_model".into());
    }
    let mut number = |key: &str| -> i64 {
        match text(key).parse::<i64>() {
            Ok(value) if (0..=1 << 53).contains(&value) => value,
            _ => {
                faults.push(format!("{key} must be a number of tokens from 0 on, not {:?}", text(key)));
                0
            }
        }
    };
    let daily_tokens_of_person = number("llm_daily_tokens_per_person");
    let daily_tokens = number("llm_daily_tokens");
    let url = url.trim_end_matches('/').to_owned();
    Some(LanguageModel { url, model, key: Secret(key), daily_tokens_of_person, daily_tokens })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Option<LanguageModel>, Vec<String>> {
        let text = |key: &str| {
            let given = values.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
            given.unwrap_or(if key.starts_with("llm_daily") { "1000" } else { "" }).to_owned()
        };
        let mut faults = Vec::new();
        let model = language_model(&text, &mut faults);
        if faults.is_empty() { Ok(model) } else { Err(faults) }
    }

    #[test]
    fn a_model_is_whole_or_a_fault() {
        assert!(matches!(read(&[]), Ok(None)));
        let whole = [
            ("llm_base_url", "https://models.example.org/v1/"),
            ("llm_model", "small"),
            ("llm_api_key", "sesame"),
        ];
        let model = read(&whole).expect("settings").expect("a model");
        assert_eq!((model.url.as_str(), model.daily_tokens), ("https://models.example.org/v1", 1_000));
        assert!(!format!("{model:?}").contains("sesame"));
        assert!(read(&whole[1..]).is_err() && read(&whole[..1]).is_err());
        for bad in ["models.example.org", "https://key@host/v1", "https://host/v1?key=a"] {
            assert!(read(&[("llm_base_url", bad), ("llm_model", "small")]).is_err(), "{bad}");
        }
        let numbers = [whole[0], whole[1], ("llm_daily_tokens", "many")];
        assert!(read(&numbers).is_err());
    }
}
