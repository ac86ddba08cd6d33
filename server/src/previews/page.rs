//! What a page says of itself: Open Graph's words, or Twitter's, or its title.

use std::cell::RefCell;

use confab_core::markdown;
use confab_protocol::LinkPreview;
use lol_html::{HtmlRewriter, MemorySettings, Settings, element, text};

/// Longest texts, in characters.
const TITLE_CHARACTERS: usize = 200;
const DESCRIPTION_CHARACTERS: usize = 300;
const SITE_CHARACTERS: usize = 100;
/// Longest raw text of one of them that is read, in bytes.
const RAW_BYTES: usize = 4_096;
/// What the parser may hold at once.
const MEMORY_BYTES: usize = 2 << 20;

/// Texts as they stand in the page, best first.
#[derive(Default)]
struct Found {
    title: String,
    meta: Vec<(String, String)>,
}

/// What to show of a page. `None`: it says nothing of itself.
pub fn preview(url: String, body: &[u8]) -> Option<LinkPreview> {
    let found = read(body);
    let first = |names: &[&str], most: usize| {
        names.iter().find_map(|name| {
            let (_, content) = found.meta.iter().find(|(it, _)| it == name)?;
            markdown::words_of(content, most)
        })
    };
    let title = first(&["og:title", "twitter:title"], TITLE_CHARACTERS)
        .or_else(|| markdown::words_of(&found.title, TITLE_CHARACTERS));
    let description =
        first(&["og:description", "twitter:description", "description"], DESCRIPTION_CHARACTERS);
    let site_name = first(&["og:site_name", "application-name"], SITE_CHARACTERS);
    (title.is_some() || description.is_some()).then_some(LinkPreview { url, title, description, site_name })
}

/// Reads as far as the page can be read: a damaged end takes nothing from its head.
fn read(body: &[u8]) -> Found {
    let found = RefCell::new(Found::default());
    let meta = element!("meta[content]", |element| {
        let name = element.get_attribute("property").or_else(|| element.get_attribute("name"));
        let mut found = found.borrow_mut();
        if let (Some(name), Some(content)) = (name, element.get_attribute("content"))
            && content.len() <= RAW_BYTES
            && found.meta.len() < 100
        {
            found.meta.push((name.trim().to_ascii_lowercase(), content));
        }
        Ok(())
    });
    let title = text!("title", |part| {
        let mut found = found.borrow_mut();
        if found.title.len() + part.as_str().len() <= RAW_BYTES {
            found.title.push_str(part.as_str());
        }
        Ok(())
    });
    let memory = MemorySettings::new().with_max_allowed_memory_usage(MEMORY_BYTES);
    let settings = Settings::new()
        .append_element_content_handler(meta)
        .append_element_content_handler(title)
        .with_memory_settings(memory)
        .with_strict(false)
        .with_adjust_charset_on_meta_tag(true);
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| ());
    match rewriter.write(body) {
        Ok(()) => drop(rewriter.end()),
        Err(_) => drop(rewriter),
    }
    found.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Option<LinkPreview> {
        preview("https://e.org/".into(), body.as_bytes())
    }

    #[test]
    fn a_page_says_what_it_is() {
        let found = of(
            "<html><head><title>Plain &amp; simple</title><meta property='og:title' content='Tide &quot;tables&quot; &#8212; &lt;b&gt;'>\
            <meta name=description content='  Water,\n moved. '><meta property=og:site_name content='Harbour'></head></html>",
        );
        let found = found.expect("a preview");
        assert_eq!(found.title.as_deref(), Some("Tide \"tables\" — <b>"));
        assert_eq!(found.description.as_deref(), Some("Water, moved."));
        assert_eq!(found.site_name.as_deref(), Some("Harbour"));
        assert_eq!(
            of("<title>Only &amp; this</title>").and_then(|it| it.title).as_deref(),
            Some("Only & this")
        );
        assert_eq!(of("<p>nothing"), None);
        assert_eq!(of(""), None);
        assert_eq!(of("<title> \u{200B}\u{202E} </title>"), None);
    }

    #[test]
    fn hostile_pages_give_short_plain_words() {
        let long =
            of(&format!("<title>{}</title>", "word ".repeat(600))).and_then(|it| it.title).expect("a title");
        assert!(long.chars().count() <= TITLE_CHARACTERS && long.ends_with('…'), "{long}");
        let turned = of("<title>nda\u{202E}gpj.exe\u{0}</title>").and_then(|it| it.title);
        assert_eq!(turned.as_deref(), Some("ndagpj.exe"));
        for body in [
            "<title>",
            "<meta",
            "<meta content>",
            "<svg><title>x",
            &"<div>".repeat(50_000),
            &"<meta content=a name=b>".repeat(20_000),
            "<title>\u{1}</title",
            "<meta property='og:title' content='",
            "<plaintext><title>x</title>",
        ] {
            let _ = of(body);
        }
        assert!(preview("https://e.org/".into(), &[0xff, 0xfe, 0, b'<', 0x80]).is_none());
    }
}
