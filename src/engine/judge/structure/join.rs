//! What joins a name with its value: an operator, a call, an element, a blank, a pair of names.

use super::cursor::Cursor;

/// What joins name and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Assign,
    Colon,
    Compare,
    Call,
    Comma,
    Element,
    /// A blank: flags, SQL, `.netrc`.
    Blank,
    /// The value stands under a name of its own: `name: X, value: Y`.
    Pair,
}

const JOINS: &[(&[u8], Join)] = &[
    (b"===", Join::Compare),
    (b"!==", Join::Compare),
    (b"==", Join::Compare),
    (b"!=", Join::Compare),
    (b"=~", Join::Compare),
    (b":=", Join::Assign),
    (b"=>", Join::Assign),
    (b"->", Join::Assign),
    (b"?=", Join::Assign),
    (b"||=", Join::Assign),
    (b"??=", Join::Assign),
    (b"+=", Join::Assign),
    (b"<-", Join::Assign),
    (b"=", Join::Assign),
    (b":", Join::Colon),
    (b",", Join::Comma),
    (b"(", Join::Call),
];

/// Whether a word and a blank stand at the end, `Path to `: prose before a name.
pub(super) fn ends_in_word(head: &[u8]) -> bool {
    let trimmed = head.trim_ascii_end();
    trimmed.len() < head.len() && trimmed.last().is_some_and(u8::is_ascii_alphabetic)
}

/// Whether a call of a checking or hashing function stands before a name in a list.
pub(super) fn is_check(head: &[u8]) -> bool {
    let lower = head.to_ascii_lowercase();
    [
        &b"hash"[..],
        b"verify",
        b"check",
        b"compare",
        b"match",
        b"assert",
        b"equal",
        b"expect",
    ]
    .iter()
    .any(|word| memchr::memmem::find(&lower, word).is_some())
}

/// Finds what joins name and value; whether it stands right at the name.
pub(super) fn join(
    cursor: &mut Cursor<'_>,
    before: u8,
    blanks: usize,
    is_quoted_name: bool,
    is_flag: bool,
    line_start: usize,
) -> Result<(Join, bool), &'static str> {
    // `<password>`, `<pass encoding="base64">`, `<string name="password">`.
    if before == b'<' || (cursor.peek() == b'>' && !cursor.starts_with(b">=")) {
        if before == b'<' {
            cursor.skip(|byte| !matches!(byte, b'<' | b'>' | b'\n'), 80);
        }
        if cursor.peek() == b'>' && cursor.ahead(1) != b'>' {
            cursor.at += 1;
            return Ok((Join::Element, false));
        }
        return Err("the tag holds no text");
    }
    if cursor.starts_with(b"::") || cursor.starts_with(b"?.") {
        return Err("the name is a part of an expression");
    }
    if pair(cursor, is_quoted_name) {
        return Ok((Join::Pair, false));
    }
    // `password string = `, `password: String = `, `password VARCHAR(20) = `.
    let mark = cursor.at;
    let has_colon = cursor.peek() == b':' && cursor.ahead(1) != b'=';
    if has_colon {
        cursor.at += 1;
    }
    let gap = cursor.blanks();
    if (has_colon || blanks > 0 || gap > 0) && !is_quoted_name {
        let letters = cursor.skip(
            |byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(
                        byte,
                        b'&' | b'*' | b'[' | b']' | b'?' | b'<' | b'>' | b'_' | b'.' | b'\''
                    )
            },
            24,
        );
        cursor.blanks();
        if letters >= 2 && cursor.peek() == b'=' && !matches!(cursor.ahead(1), b'=' | b'>' | b'~') {
            cursor.at += 1;
            return Ok((Join::Assign, false));
        }
    }
    cursor.at = mark;
    for (text, join) in JOINS {
        if cursor.eat(text) {
            return Ok((*join, blanks == 0));
        }
    }
    if cursor.starts_with(b"eq ") || cursor.starts_with(b"ne ") || cursor.starts_with(b"is ") {
        let is_word = cursor.starts_with(b"is ");
        cursor.at += 3;
        return Ok((if is_word { Join::Blank } else { Join::Compare }, false));
    }
    if blanks > 0 && (is_flag || !is_quoted_name) {
        // `--password x`, `password "x"`, `login a password b`, `IDENTIFIED BY 'x'`.
        let quote = matches!(cursor.peek(), b'"' | b'\'');
        let head = &cursor.bytes[line_start..];
        let is_netrc = head.starts_with(b"machine ")
            || head.starts_with(b"login ")
            || head.starts_with(b"password ") && cursor.bytes.len() > line_start;
        if is_flag || quote || is_netrc {
            return Ok((Join::Blank, false));
        }
    }
    Err("no value is joined to the name")
}

/// `name="password" value="…"`, `name: PASSWORD⏎value: …`, `<key>password</key><string>…`.
fn pair(cursor: &mut Cursor<'_>, is_quoted_name: bool) -> bool {
    let mark = cursor.at;
    if cursor.starts_with(b"</") {
        cursor.skip(|byte| byte != b'>', 24);
        cursor.at += 1;
        cursor.skip(|byte| byte.is_ascii_whitespace(), 60);
        if cursor.eat(b"<string>") || cursor.eat(b"<value>") {
            return true;
        }
        cursor.at = mark;
        return false;
    }
    let comma = cursor.skip(|byte| byte == b',' || byte == b';', 1);
    let gap = cursor.skip(|byte| byte.is_ascii_whitespace(), 80);
    let has_break = cursor.bytes[mark..cursor.at].contains(&b'\n');
    if comma + gap == 0 && !is_quoted_name {
        return false;
    }
    cursor.skip(|byte| matches!(byte, b'"' | b'\'' | b'\\'), 2);
    for word in [
        &b"value"[..],
        b"val",
        b"defaultvalue",
        b"default",
        b"content",
        b"text",
    ] {
        let here = cursor.at;
        if cursor.eat(word) {
            cursor.skip(|byte| matches!(byte, b'"' | b'\'' | b'\\'), 2);
            cursor.blanks();
            let joined = cursor.eat(b"=>") || cursor.eat(b"=") || cursor.eat(b":");
            if joined && (has_break || is_quoted_name || comma > 0) {
                return true;
            }
            cursor.at = here;
        }
    }
    cursor.at = mark;
    false
}
