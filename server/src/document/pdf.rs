//! PDF, page by page: what cannot be read of one does not cost the others.

use pdf_extract::{Document, PlainTextOutput, output_doc_page};

use super::MOST_BYTES;

/// Nobody searches further into a book than this.
const MOST_PAGES: usize = 1_000;

/// The words of a PDF; empty for one that is locked or none.
pub(super) fn text(document: &[u8]) -> String {
    let mut text = String::new();
    let Ok(mut document) = Document::load_mem(document) else { return text };
    if document.is_encrypted() && document.decrypt("").is_err() {
        return text;
    }
    let pages: Vec<u32> = document.get_pages().into_keys().take(MOST_PAGES).collect();
    for page in pages {
        let mut words = String::new();
        // A page that fails half-way still has its first half.
        let _ = output_doc_page(&document, &mut PlainTextOutput::new(&mut words), page);
        text.push_str(&words);
        text.push('\n');
        if text.len() > MOST_BYTES {
            break;
        }
    }
    text
}
