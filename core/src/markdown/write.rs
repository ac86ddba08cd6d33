//! The parsed tree as HTML. Every element is one of ours; every text is escaped.

use std::fmt::Write as _;

use comrak::nodes::{ListType, Node, NodeList, NodeValue, TableAlignment};

use super::words::{Word, pieces};
use super::{Names, Source, characters, sanitise};

/// The tree as HTML. It is at most `DEPTH` deep, so walking it by recursion is bounded.
pub fn html(root: Node<'_>, source: &Source<'_>, names: &Names) -> String {
    let mut writer =
        Writer { out: String::with_capacity(source.content.len() * 2), source, names, in_link: false };
    writer.children(root);
    writer.out
}

struct Writer<'w> {
    out: String,
    source: &'w Source<'w>,
    names: &'w Names,
    in_link: bool,
}

impl Writer<'_> {
    fn children(&mut self, node: Node<'_>) {
        for child in node.children() {
            self.node(child);
        }
    }

    fn within(&mut self, open: &str, node: Node<'_>, close: &str) {
        self.out.push_str(open);
        self.children(node);
        self.out.push_str(close);
    }

    fn node(&mut self, node: Node<'_>) {
        // Cloned: a table's rows look at their parent while this one is held.
        let value = node.data().value.clone();
        match value {
            NodeValue::BlockQuote => self.within("<blockquote dir=\"auto\">", node, "</blockquote>"),
            NodeValue::List(list) => self.list(node, &list),
            NodeValue::Item(_) => self.within("<li dir=\"auto\">", node, "</li>"),
            NodeValue::TaskItem(task) => {
                let checked = if task.symbol.is_some() { " checked=\"\"" } else { "" };
                let open = format!(
                    "<li class=\"task\" dir=\"auto\"><input type=\"checkbox\" disabled=\"\"{checked}> "
                );
                self.within(&open, node, "</li>");
            }
            NodeValue::Paragraph => self.paragraph(node),
            NodeValue::Heading(heading) => {
                let level = heading.level.clamp(1, 6);
                self.within(&format!("<h{level} dir=\"auto\">"), node, &format!("</h{level}>"));
            }
            NodeValue::CodeBlock(block) => self.code_block(&block.info, &block.literal),
            NodeValue::HtmlBlock(block) => self.markup(&block.literal),
            NodeValue::ThematicBreak => self.out.push_str("<hr>"),
            NodeValue::Table(table) => self.table(node, &table.alignments),
            NodeValue::Text(text) => self.text(&text),
            NodeValue::SoftBreak | NodeValue::LineBreak => self.out.push_str("<br>"),
            NodeValue::Code(code) => {
                self.out.push_str("<code>");
                escape(&mut self.out, &code.literal);
                self.out.push_str("</code>");
            }
            NodeValue::HtmlInline(literal) | NodeValue::Raw(literal) => escape(&mut self.out, &literal),
            NodeValue::Emph => self.within("<em>", node, "</em>"),
            NodeValue::Strong => self.within("<strong>", node, "</strong>"),
            NodeValue::Strikethrough => self.within("<del>", node, "</del>"),
            // A picture elsewhere would tell its host who reads: it becomes a link.
            NodeValue::Link(link) | NodeValue::Image(link) => self.link(node, &link.url),
            _ => self.children(node),
        }
    }

    fn list(&mut self, node: Node<'_>, list: &NodeList) {
        match list.list_type {
            ListType::Bullet => self.within("<ul>", node, "</ul>"),
            ListType::Ordered if list.start == 1 => self.within("<ol>", node, "</ol>"),
            ListType::Ordered => self.within(&format!("<ol start=\"{}\">", list.start), node, "</ol>"),
        }
    }

    fn paragraph(&mut self, node: Node<'_>) {
        let list = node.parent().and_then(comrak::arena_tree::Node::parent);
        let is_tight = list.is_some_and(|it| matches!(&it.data().value, NodeValue::List(list) if list.tight));
        if is_tight {
            self.children(node);
        } else {
            self.within("<p dir=\"auto\">", node, "</p>");
        }
    }

    fn code_block(&mut self, info: &str, literal: &str) {
        let language = info.split([' ', ',', '{']).next().unwrap_or_default().to_ascii_lowercase();
        self.out.push_str("<pre dir=\"ltr\">");
        if sanitise::LANGUAGES.contains(&language.as_str()) {
            self.out.push_str("<code class=\"language-");
            self.out.push_str(&language);
            self.out.push_str("\">");
        } else {
            self.out.push_str("<code>");
        }
        escape(&mut self.out, literal);
        self.out.push_str("</code></pre>");
    }

    /// Somebody's HTML, as the text that it is.
    fn markup(&mut self, literal: &str) {
        self.out.push_str("<p dir=\"auto\">");
        for (number, line) in literal.trim_end().lines().enumerate() {
            if number > 0 {
                self.out.push_str("<br>");
            }
            escape(&mut self.out, line);
        }
        self.out.push_str("</p>");
    }

    fn table(&mut self, node: Node<'_>, alignments: &[TableAlignment]) {
        self.out.push_str("<div class=\"table\"><table>");
        let mut in_body = false;
        for row in node.children() {
            let is_head = matches!(row.data().value, NodeValue::TableRow(true));
            if is_head {
                self.out.push_str("<thead>");
            } else if !in_body {
                self.out.push_str("<tbody>");
                in_body = true;
            }
            self.out.push_str("<tr>");
            for (column, cell) in row.children().enumerate() {
                let class = match alignments.get(column) {
                    Some(TableAlignment::Left) => " class=\"left\"",
                    Some(TableAlignment::Center) => " class=\"center\"",
                    Some(TableAlignment::Right) => " class=\"right\"",
                    _ => "",
                };
                let tag = if is_head { "th" } else { "td" };
                self.within(&format!("<{tag}{class} dir=\"auto\">"), cell, &format!("</{tag}>"));
            }
            self.out.push_str(if is_head { "</tr></thead>" } else { "</tr>" });
        }
        self.out.push_str(if in_body { "</tbody></table></div>" } else { "</table></div>" });
    }

    fn link(&mut self, node: Node<'_>, url: &str) {
        let address: String = url.chars().filter(|it| !characters::is_zero_width(*it)).collect();
        let address = address.trim();
        if self.in_link || !sanitise::is_outside(address) {
            return self.children(node);
        }
        self.out.push_str("<a href=\"");
        escape_attribute(&mut self.out, address);
        self.out.push_str("\" target=\"_blank\" dir=\"auto\">");
        let start = self.out.len();
        self.in_link = true;
        self.children(node);
        self.in_link = false;
        if self.out[start..].trim().is_empty() {
            escape(&mut self.out, address);
        }
        let shows =
            host(address).is_some_and(|host| self.out[start..].to_lowercase().contains(&host.to_lowercase()));
        self.out.push_str("</a>");
        if let Some(host) = host(address).filter(|_| self.source.by_bot && !shows) {
            self.out.push_str("<span class=\"host\"> (");
            escape(&mut self.out, host);
            self.out.push_str(")</span>");
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_link {
            return escape(&mut self.out, &characters::of_link(text));
        }
        let names = self.names;
        for word in pieces(text, self.source, names) {
            match word {
                Word::Plain(text) | Word::Emoji(text) => escape(&mut self.out, text),
                Word::Mention(name, user) => {
                    self.out.push_str("<span class=\"mention\"");
                    if let Some(user) = user {
                        let _ = write!(self.out, " data-user-id=\"{user}\"");
                    }
                    self.out.push_str(">@");
                    escape(&mut self.out, name);
                    self.out.push_str("</span>");
                }
                Word::Channel(name, id) => {
                    let open = format!(
                        "<a href=\"/channels/{id}\" class=\"channel-link\" data-channel-id=\"{id}\">#"
                    );
                    self.out.push_str(&open);
                    escape(&mut self.out, name);
                    self.out.push_str("</a>");
                }
                Word::Picture(code, path) => {
                    self.out.push_str("<img class=\"emoji\" src=\"");
                    escape_attribute(&mut self.out, path);
                    let _ = write!(self.out, "\" alt=\":{code}:\" title=\":{code}:\">");
                }
            }
        }
    }
}

/// Where an address leads: what stands between scheme and path, without a user's name, which is where deceivers put
/// another host's.
fn host(address: &str) -> Option<&str> {
    if let Some((scheme, rest)) = address.split_once(':')
        && scheme.eq_ignore_ascii_case("mailto")
    {
        return rest.split(['?', ',']).next()?.rsplit('@').next();
    }
    let rest = address.split_once("://")?.1;
    rest.split(['/', '?', '#']).next()?.rsplit('@').next()
}

/// Text as it stands between tags.
pub fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{A0}' => out.push_str("&nbsp;"),
            other => out.push(other),
        }
    }
}

fn escape_attribute(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
}
