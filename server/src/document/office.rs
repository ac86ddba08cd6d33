//! Office documents: XML inside a ZIP. Only the parts that hold text are read, and never more of them than fits: a few
//! kilobytes can say that they are gigabytes.

use std::io::{BufReader, Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;

use super::MOST_BYTES;

/// Of all parts together, unpacked.
const MOST_UNPACKED_BYTES: u64 = 64 << 20;
/// Entries that are looked at.
const MOST_ENTRIES: usize = 10_000;

/// Where text stands in one kind of document.
struct Form {
    /// How the names of its parts begin and end.
    parts: (&'static str, &'static str),
    /// The elements around text; none: every element.
    around: Option<&'static str>,
}

const FORMS: [Form; 6] = [
    Form { parts: ("word/document", ".xml"), around: Some("t") },
    Form { parts: ("word/footnotes", ".xml"), around: Some("t") },
    Form { parts: ("ppt/slides/slide", ".xml"), around: Some("t") },
    Form { parts: ("ppt/notesSlides/notesSlide", ".xml"), around: Some("t") },
    Form { parts: ("xl/sharedStrings", ".xml"), around: Some("t") },
    Form { parts: ("content", ".xml"), around: None },
];
/// After these a new line begins.
const LINES: [&str; 7] = ["p", "h", "si", "br", "tab", "table-cell", "line-break"];

/// The words of a document; empty for a ZIP that is none.
pub(super) fn text(document: &[u8]) -> String {
    let mut text = String::new();
    let Ok(mut archive) = ZipArchive::new(Cursor::new(document)) else { return text };
    let mut wanted: Vec<(String, &Form)> = archive
        .file_names()
        .take(MOST_ENTRIES)
        .filter_map(|name| {
            let name = name.ok()?;
            let form = FORMS.iter().find(|it| name.starts_with(it.parts.0) && name.ends_with(it.parts.1));
            form.map(|form| (name.into_owned(), form))
        })
        .collect();
    // slide2 before slide10.
    wanted.sort_by_key(|(name, _)| (name.len(), name.clone()));
    let mut left = MOST_UNPACKED_BYTES;
    for (name, form) in wanted {
        let Ok(part) = archive.by_name(&name) else { continue };
        let mut part = part.take(left);
        read(&mut part, form, &mut text);
        left = part.limit();
        if left == 0 || text.len() > MOST_BYTES {
            break;
        }
    }
    text
}

fn read(part: &mut impl Read, form: &Form, text: &mut String) {
    let mut reader = Reader::from_reader(BufReader::new(part));
    let mut buffer = Vec::new();
    let mut inside = form.around.is_none();
    while text.len() <= MOST_BYTES {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) if form.around == Some(element.local_name().into_inner()) => {
                inside = true;
            }
            Ok(Event::End(element)) => {
                let name = element.local_name().into_inner();
                inside = form.around.is_none() || (inside && form.around != Some(name));
                end_of(name, text);
            }
            Ok(Event::Empty(element)) => end_of(element.local_name().into_inner(), text),
            Ok(Event::Text(words)) if inside => text.push_str(&words.xml10_content()),
            Ok(Event::GeneralRef(reference)) if inside => text.extend(letter(&reference)),
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
}

fn end_of(element: &str, text: &mut String) {
    if LINES.contains(&element) {
        text.push('\n');
    }
}

/// Only the five that XML itself knows: a document that declares its own may declare a billion of them.
fn letter(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    match &*reference.xml10_content() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            archive.start_file(*name, SimpleFileOptions::default()).expect("an entry");
            archive.write_all(content.as_bytes()).expect("its bytes");
        }
        archive.finish().expect("an archive").into_inner()
    }

    #[test]
    fn text_of_each_kind_is_found() {
        let word = "<w:document><w:body><w:p><w:r><w:t>tide &amp; </w:t></w:r><w:r><w:t>table</w:t></w:r></w:p>\
            <w:p><w:instrText>PAGE</w:instrText><w:t>two</w:t></w:p></w:body></w:document>";
        assert_eq!(text(&packed(&[("word/document.xml", word)])), "tide & table\ntwo\n");
        let slides = [
            ("ppt/slides/slide10.xml", "<a:p><a:t>ten</a:t></a:p>"),
            ("ppt/slides/slide2.xml", "<a:p><a:t>two</a:t></a:p>"),
        ];
        assert_eq!(text(&packed(&slides)), "two\nten\n");
        let sheet = [("xl/sharedStrings.xml", "<sst><si><t>harbour</t></si><si><t>dues</t></si></sst>")];
        assert_eq!(text(&packed(&sheet)), "harbour\ndues\n");
        let open =
            [("content.xml", "<office:text><text:p>moor<text:span>ings</text:span></text:p></office:text>")];
        assert_eq!(text(&packed(&open)), "moorings\n");
        assert_eq!(text(&packed(&[("readme.txt", "hello")])), "");
        assert_eq!(text(b"PK\x03\x04 no"), "");
    }

    #[test]
    fn a_bomb_is_read_no_further_than_it_may() {
        let bomb = format!("<w:t>{}</w:t>", " ".repeat(80 << 20));
        let packed = packed(&[("word/document.xml", &bomb)]);
        assert!(packed.len() < 1 << 20, "{}", packed.len());
        assert!(text(&packed).trim().is_empty());
        let entities = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><w:t>&b;&b;</w:t>";
        assert_eq!(text(&self::packed(&[("word/document.xml", entities)])), "");
    }
}
