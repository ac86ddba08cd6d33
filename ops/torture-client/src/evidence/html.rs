//! What came as HTML beside a text, as far as the checker cares: is it of that text?

use serde::Serialize;

use crate::rooms::own_word;

/// A text's HTML, judged when it came: a run would need twice the memory to keep it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Html {
    /// None came.
    #[default]
    Absent,
    /// It has the word that no other text has.
    OfText,
    /// It has not: it is of a text that was replaced or deleted, or of another message.
    OfAnother,
}

impl Html {
    /// Compares it with the text that it came with.
    pub fn beside(text: &str, html: Option<&str>) -> Self {
        match html {
            None | Some("") => Self::Absent,
            Some(html) if !text.is_empty() && html.contains(own_word(text)) => Self::OfText,
            Some(_) => Self::OfAnother,
        }
    }

    /// Whether it is as it must be: of the text where there is one, and absent where there is none.
    pub fn is_right(self, has_text: bool) -> bool {
        self == if has_text { Self::OfText } else { Self::Absent }
    }
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn html_is_of_its_text_or_of_none() {
        assert_eq!(Html::beside("xbcdf about ropes", Some("<p>xbcdf about ropes</p>")), Html::OfText);
        assert_eq!(Html::beside("xbcdf about ropes", Some("<p>xghjk about ropes</p>")), Html::OfAnother);
        assert_eq!(Html::beside("", Some("<p>xghjk</p>")), Html::OfAnother);
        assert_eq!(Html::beside("xbcdf", None), Html::Absent);
        assert!(Html::OfText.is_right(true) && Html::Absent.is_right(false));
        assert!(!Html::Absent.is_right(true) && !Html::OfAnother.is_right(true));
        assert!(!Html::OfAnother.is_right(false));
    }
}
