//! Office documents: the text of their XML parts, as people see it.
//!
//! A word that was typed in two goes stands in two elements, so the text is put together before
//! it is searched; paragraphs, rows and cells end lines.

use zeroize::Zeroizing;

/// Parts of documents that hold text: Word, PowerPoint, Excel, OpenDocument.
fn is_text_part(path: &[u8]) -> bool {
    let part = path.rsplit(|&byte| byte == b'!').next().unwrap_or(path);
    part.ends_with(b".xml")
        && ([
            &b"word/"[..],
            b"ppt/slides/",
            b"ppt/notesSlides/",
            b"xl/sharedStrings",
            b"xl/worksheets/",
        ]
        .iter()
        .any(|folder| part.starts_with(folder))
            || part == b"content.xml")
}

/// Ends of elements that end a line, without their prefix.
const LINES: &[&[u8]] = &[
    b"p",
    b"si",
    b"row",
    b"tr",
    b"h",
    b"br",
    b"table-row",
    b"is",
    b"v",
];

/// The text of a member at this path, if it is such a part.
pub(super) fn text(path: &[u8], bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !is_text_part(path) || !bytes.starts_with(b"<") && !bytes.starts_with(b"\xef\xbb\xbf<") {
        return None;
    }
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() / 2));
    let mut rest = bytes;
    while let Some(open) = memchr::memchr(b'<', rest) {
        plain(&rest[..open], &mut text);
        let Some(close) = memchr::memchr(b'>', &rest[open..]) else {
            rest = &[];
            break;
        };
        let tag = &rest[open + 1..open + close];
        let is_end = tag.starts_with(b"/") || tag.ends_with(b"/");
        let name = tag.trim_ascii().trim_ascii_start();
        let name = name.strip_prefix(b"/").unwrap_or(name);
        let name = name
            .split(|&byte| byte == b' ' || byte == b'/')
            .next()
            .unwrap_or_default();
        let name = name.rsplit(|&byte| byte == b':').next().unwrap_or(name);
        if is_end && LINES.contains(&name) {
            text.push(b'\n');
        } else if is_end && (name == b"tab" || name == b"tc" || name == b"table-cell") {
            text.push(b'\t');
        }
        // Formulas, links and settings stand in attributes.
        for quote in tag.split(|&byte| byte == b'"').skip(1).step_by(2) {
            if memchr::memmem::find(quote, b"://").is_some()
                && !quote.starts_with(b"http://schemas.")
            {
                text.push(b' ');
                plain(quote, &mut text);
                text.push(b' ');
            }
        }
        rest = &rest[open + close + 1..];
    }
    plain(rest, &mut text);
    Some(text)
}

/// Text with the five entities of XML replaced.
fn plain(mut rest: &[u8], out: &mut Vec<u8>) {
    const ENTITIES: &[(&[u8], u8)] = &[
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&amp;", b'&'),
    ];
    while let Some(at) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let (length, value) = ENTITIES
            .iter()
            .find(|(text, _)| rest.starts_with(text))
            .map_or((1, b'&'), |&(text, value)| (text.len(), value));
        out.push(value);
        rest = &rest[length..];
    }
    out.extend_from_slice(rest);
}
