//! From a name to its value: what joins them, and where the value begins and ends.

use std::ops::Range;

use super::{
    REACH,
    cursor::Cursor,
    join::{Join, ends_in_word, is_check, join},
    name::Name,
};

/// Longest value that is read.
const LONGEST: usize = 400;

/// Bytes of a line before a name that are looked at; with the name's own, and one more, they make
/// the 128 of the window.
const LINE_BEFORE: usize = 79;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Form {
    /// Between quotes.
    Quoted,
    /// Bare, to the end of its line: configuration.
    Line,
    /// Bare, in the middle of something: a command line, a URL, an expression.
    Bare,
    /// Between the tags of an element.
    Element,
}

/// A value that belongs to a name.
#[derive(Debug)]
pub(in crate::engine) struct Reading {
    /// Where the value stands; of a value in pieces, the first.
    pub(in crate::engine) span: Range<usize>,
    /// The pieces after the first.
    pub(in crate::engine) more: Vec<Range<usize>>,
    pub(in crate::engine) form: Form,
    /// Whether the name is an environment variable's: `NAME=value` without blanks.
    pub(super) is_variable: bool,
    /// What joins it with its name.
    pub(super) join: Join,
}

impl Reading {
    /// Whether the value is compared with, or given in a call or a list, not assigned.
    pub(super) fn is_loose(&self) -> bool {
        matches!(
            self.join,
            Join::Compare | Join::Call | Join::Comma | Join::Blank
        )
    }

    /// The whole value, where it is in pieces.
    pub(in crate::engine) fn joined(&self, bytes: &[u8]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        if self.more.is_empty() {
            return None;
        }
        let pieces = std::iter::once(&self.span).chain(&self.more);
        let length = pieces.clone().map(Range::len).sum();
        let mut joined = zeroize::Zeroizing::new(Vec::with_capacity(length));
        for piece in pieces {
            joined.extend_from_slice(&bytes[piece.clone()]);
        }
        Some(joined)
    }
}

/// Calls whose argument is not the value but says where it is.
const LOOKUPS: &[&str] = &[
    "env",
    "get",
    "fetch",
    "lookup",
    "prompt",
    "read",
    "load",
    "config",
    "param",
    "query",
    "find",
    "input",
    "translate",
    "gettext",
    "sprintf",
    "format",
    "join",
    "select",
    "header",
    "hash",
    "digest",
    "encrypt",
    "resolve",
    "property",
    "option",
    "argument",
    "t(",
    "_(",
    "i18n",
    "field",
    "contains",
    "error",
    "print",
    "log",
    "expect",
    "raise",
    "assert",
    "require",
    "path",
    "open",
    "file",
    "replace",
    "generate",
    "verify",
    "check",
    "compare",
    "match",
    "hash",
    "message",
    "column",
    "arg",
    "flag",
    "value(",
    "settings",
    "vault",
    "ref",
];

/// Words of calls whose argument is the name of an entry: `containsKey("…")`.
const KEYED: &[&str] = &[
    "contains", "has", "have", "get", "remove", "delete", "find", "lookup", "exists", "exist",
    "fetch", "require", "unset", "pop",
];

/// Whether name and value go together where they are joined like this.
pub(super) fn belongs(
    bytes: &[u8],
    span: &Range<usize>,
    name: &Name,
    reading: &Reading,
) -> Result<(), &'static str> {
    match reading.join {
        Join::Call if name.words.iter().any(|word| KEYED.contains(&word)) => {
            Err("the text names what is looked up")
        }
        Join::Blank if bytes[span.start] != b'-' && name.words.iter().eq(["pass"]) => {
            Err("the name is a word of prose")
        }
        _ => Ok(()),
    }
}

/// The value that belongs to the name at `name`.
pub(super) fn read(
    bytes: &[u8],
    floor: usize,
    name: &Range<usize>,
) -> Result<Reading, &'static str> {
    let mut cursor = Cursor {
        bytes,
        at: name.end,
        end: (name.end + REACH).min(bytes.len()),
    };
    let before = name.start.checked_sub(1).map_or(b'\n', |at| bytes[at]);
    let is_flag = bytes[name.start] == b'-';
    // What closes the name: quotes, brackets.
    let closers = cursor.at;
    cursor.skip(
        |byte| {
            matches!(
                byte,
                b'\\' | b'"' | b'\'' | b'`' | b']' | b')' | b'}' | b'?'
            )
        },
        6,
    );
    let closers = &bytes[closers..cursor.at];
    let is_quoted_name = closers
        .iter()
        .any(|byte| matches!(byte, b'"' | b'\'' | b'`'))
        && matches!(
            before,
            b'"' | b'\'' | b'`' | b'.' | b'/' | b'$' | b':' | b'@'
        );
    if !closers.is_empty() && !is_quoted_name && closers.iter().any(|b| matches!(b, b'"' | b'\'')) {
        return Err("the name ends a text, it is not a name");
    }
    let blanks = cursor.blanks();
    let line_start = line_start(bytes, floor, name.start);
    let (join, is_tight) = join(
        &mut cursor,
        before,
        blanks,
        is_quoted_name,
        is_flag,
        line_start,
    )?;
    let tight = is_tight && !matches!(cursor.peek(), b' ' | b'\t');
    // Of a property list the pair ends in the tag of the value.
    let is_tagged = join == Join::Pair && bytes[cursor.at - 1] == b'>';
    if join == Join::Element || is_tagged {
        return element(&mut cursor);
    }
    let head = &bytes[line_start..name.start];
    if join == Join::Colon && closers.is_empty() && ends_in_word(head) {
        return Err("the name ends a sentence");
    }
    if join == Join::Comma && is_check(head) {
        return Err("the text is hashed or compared");
    }
    cursor.blanks();
    let mut is_next_line = false;
    if join != Join::Blank && matches!(cursor.peek(), b'\r' | b'\n' | b'\\') && !is_flag {
        // A quoted value may stand on the next line.
        let mark = cursor.at;
        if cursor.peek() == b'\\' && matches!(cursor.ahead(1), b'\r' | b'\n') {
            cursor.at += 1;
        }
        if cursor.skip(|byte| matches!(byte, b'\r' | b'\n'), 2) > 0 {
            cursor.blanks();
            is_next_line = true;
        } else {
            cursor.at = mark;
        }
    }
    wrappers(&mut cursor)?;
    // A prefix of a literal in some languages.
    if matches!(
        cursor.peek(),
        b'r' | b'b' | b'u' | b'f' | b'L' | b'N' | b'@' | b'R' | b'B' | b'U' | b'c'
    ) && matches!(cursor.ahead(1), b'"' | b'\'')
    {
        cursor.at += 1;
    } else if (cursor.eat(b"r#") || cursor.eat(b"br#") || cursor.eat(b"rb"))
        && !matches!(cursor.peek(), b'"' | b'\'')
    {
        return Err("the value is an expression");
    }
    let slashes = cursor.skip(|byte| byte == b'\\', 7);
    if matches!(cursor.peek(), b'"' | b'\'' | b'`') {
        return quoted(&mut cursor, slashes, join);
    }
    if slashes > 0 {
        return Err("the value is escaped text");
    }
    if is_next_line || (matches!(join, Join::Call | Join::Comma | Join::Compare)) {
        return Err("what follows is no literal");
    }
    let opens_text = closers.is_empty();
    bare(
        &mut cursor,
        bytes,
        name,
        join,
        line_start,
        tight,
        opens_text,
        is_flag,
    )
}

/// Steps into `Some(`, `new String(`, `[]byte(`, `aws.String(`, `(`.
fn wrappers(cursor: &mut Cursor<'_>) -> Result<(), &'static str> {
    for _ in 0..3 {
        let mark = cursor.at;
        let _ = cursor.eat(b"new ") || cursor.eat(b"await ");
        let start = cursor.at;
        cursor.skip(
            |byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(
                        byte,
                        b'_' | b'.' | b':' | b'[' | b']' | b'&' | b'*' | b'!' | b'$' | b'<' | b'>'
                    )
            },
            40,
        );
        let word = start..cursor.at;
        if cursor.peek() != b'(' {
            cursor.at = mark;
            return Ok(());
        }
        let mut text = cursor.bytes[word].to_ascii_lowercase();
        text.push(b'(');
        if LOOKUPS
            .iter()
            .any(|lookup| memchr::memmem::find(&text, lookup.as_bytes()).is_some())
        {
            return Err("the value is looked up elsewhere");
        }
        cursor.at += 1;
        cursor.skip(|byte| byte.is_ascii_whitespace(), 40);
    }
    Ok(())
}

/// Reads between quotes, and the literals that are joined to the first.
fn quoted(cursor: &mut Cursor<'_>, slashes: usize, join: Join) -> Result<Reading, &'static str> {
    let first = literal(cursor, slashes)?;
    let first = in_object(cursor.bytes, &first).unwrap_or(first);
    let mut more = Vec::new();
    let mut length = first.len();
    loop {
        let mark = cursor.at;
        cursor.blanks();
        let joined = cursor.eat(b"+")
            || cursor.eat(b"..")
            || cursor.eat(b"<>")
            || cursor.eat(b"&")
            || (cursor.peek() == b'.' && matches!(cursor.ahead(1), b' ' | b'\n' | b'\r' | b'\t'))
                && {
                    cursor.at += 1;
                    true
                };
        let continued = cursor.eat(b"\\\n") || cursor.eat(b"\\\r\n");
        if !joined && !continued {
            cursor.at = mark;
            break;
        }
        cursor.skip(|byte| byte.is_ascii_whitespace(), 80);
        let backslashes = cursor.skip(|byte| byte == b'\\', 7);
        if !matches!(cursor.peek(), b'"' | b'\'' | b'`') || backslashes != slashes {
            if continued {
                cursor.at = mark;
                break;
            }
            return Err("the value is put together at run time");
        }
        let next = literal(cursor, slashes)?;
        length += next.len();
        if length > LONGEST || more.len() >= 16 {
            return Err("the value is too long");
        }
        more.push(next);
    }
    cursor.blanks();
    let follows = cursor.peek();
    if matches!(follows, b'%' | b'[') || cursor.starts_with(b".format") || cursor.starts_with(b"?")
    {
        return Err("the value is put together at run time");
    }
    if matches!(join, Join::Comma | Join::Call | Join::Compare)
        && (cursor.starts_with(b"=>")
            || (follows == b':' && join != Join::Compare)
            || follows == b'=')
    {
        return Err("the text is the name of something else");
    }
    Ok(Reading {
        span: first,
        more,
        form: Form::Quoted,
        is_variable: false,
        join,
    })
}

/// The last value of a JSON object that is itself the text: `"{\"id\":\"a\",\"key\":\"…\"}"`. The
/// secret of a pair comes last.
fn in_object(bytes: &[u8], text: &Range<usize>) -> Option<Range<usize>> {
    let object = bytes[text.clone()].strip_prefix(b"{")?.strip_suffix(b"}")?;
    let inner = object.trim_ascii_end();
    let inner = inner.strip_suffix(b"\"")?;
    let inner = inner.strip_suffix(b"\\").unwrap_or(inner);
    let at = memchr::memrchr(b'"', inner)? + 1;
    let before = inner[..at - 1]
        .strip_suffix(b"\\")
        .unwrap_or(&inner[..at - 1]);
    before.trim_ascii_end().ends_with(b":").then(|| {
        let start = text.start + 1 + at;
        start..start + inner.len() - at
    })
}

/// One literal; the cursor stands on its opening quote and ends behind the closing one.
fn literal(cursor: &mut Cursor<'_>, slashes: usize) -> Result<Range<usize>, &'static str> {
    let quote = cursor.peek();
    cursor.at += 1;
    if cursor.peek() == quote && cursor.ahead(1) == quote {
        cursor.at += 2;
    } else if cursor.peek() == quote {
        return Err("the value is empty");
    }
    let start = cursor.at;
    let mut backslashes = 0;
    while !cursor.is_done() && cursor.at - start <= LONGEST {
        match cursor.peek() {
            b'\\' => backslashes += 1,
            b'\r' | b'\n' => return Err("the text goes over several lines"),
            byte if byte == quote && backslashes == slashes => {
                let end = cursor.at - backslashes;
                cursor.at += 1;
                return Ok(start..end);
            }
            byte if byte == quote && backslashes < slashes => {
                return Err("the quotes do not match");
            }
            _ => backslashes = 0,
        }
        cursor.at += 1;
    }
    Err("the text does not end near")
}

/// Reads the text of an element.
fn element(cursor: &mut Cursor<'_>) -> Result<Reading, &'static str> {
    cursor.skip(|byte| byte.is_ascii_whitespace(), 80);
    cursor.eat(b"<![CDATA[");
    let start = cursor.at;
    cursor.skip(|byte| !matches!(byte, b'<' | b'>' | b'\n' | b'\r'), LONGEST);
    let mut end = cursor.at;
    cursor.skip(|byte| byte.is_ascii_whitespace(), 80);
    cursor.eat(b"]]>");
    if !cursor.starts_with(b"</") {
        if cursor.bytes[start..end].ends_with(b"]]") {
            end -= 2;
        } else {
            return Err("the element holds no plain text");
        }
    }
    while end > start && cursor.bytes[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    if start == end {
        return Err("the element is empty");
    }
    Ok(Reading {
        span: start..end,
        more: Vec::new(),
        form: Form::Element,
        is_variable: false,
        join: Join::Element,
    })
}

/// Where the line of `at` begins, as far as a name may stand from it.
fn line_start(bytes: &[u8], floor: usize, at: usize) -> usize {
    let floor = at.saturating_sub(LINE_BEFORE).max(floor);
    memchr::memrchr(b'\n', &bytes[floor..at]).map_or(floor, |found| floor + found + 1)
}

/// What may stand before a name at the beginning of a line.
const LINE_MARKS: &[&[u8]] = &[
    b"#",
    b"//",
    b"-",
    b";",
    b"export ",
    b"set ",
    b"SET ",
    b"ENV ",
    b"ARG ",
    b"env ",
    b"!",
    b"*",
    b"$",
    b"+",
    b"%",
    b"local ",
    b"readonly ",
    b"declare ",
    b"setx ",
    b"'",
    b"\"",
    b"//",
    b"@",
    b"?",
];

/// Whether nothing but indentation, list and comment marks and `export` stands before a name.
fn begins_line(bytes: &[u8], line_start: usize, at: usize) -> bool {
    let mut head = &bytes[line_start..at];
    if line_start > 0 && bytes[line_start - 1] != b'\n' {
        return false;
    }
    loop {
        let trimmed = head.trim_ascii_start();
        let cut = LINE_MARKS.iter().find(|mark| trimmed.starts_with(mark));
        match cut {
            Some(mark) => head = &trimmed[mark.len()..],
            None => return trimmed.is_empty(),
        }
    }
}

/// Reads a value without quotes.
#[expect(clippy::too_many_arguments, reason = "what was seen before the value")]
fn bare(
    cursor: &mut Cursor<'_>,
    bytes: &[u8],
    name: &Range<usize>,
    join: Join,
    line_start: usize,
    is_tight: bool,
    is_bare_name: bool,
    is_flag: bool,
) -> Result<Reading, &'static str> {
    let start = cursor.at;
    if matches!(
        cursor.peek(),
        b'{' | b'[' | b'(' | b'<' | b'$' | b'&' | b'%' | b'|' | b'>'
    ) && join != Join::Assign
    {
        return Err("what follows is no plain value");
    }
    let is_line = begins_line(bytes, line_start, name.start);
    let is_variable = is_tight
        && join == Join::Assign
        && bytes[name.clone()]
            .iter()
            .all(|byte| !byte.is_ascii_lowercase());
    // To the end of the line, without a comment behind.
    if matches!(join, Join::Assign | Join::Colon | Join::Pair) && (is_line || join == Join::Pair) {
        let length = cursor.skip(|byte| !matches!(byte, b'\r' | b'\n'), LONGEST);
        if length < LONGEST {
            let mut text = &bytes[start..start + length];
            let comment = text
                .windows(2)
                .position(|pair| matches!(pair[0], b' ' | b'\t') && matches!(pair[1], b'#' | b';'));
            if let Some(at) = comment {
                text = &text[..at];
            }
            text = text.trim_ascii_end();
            if text.ends_with(b" \\") {
                text = text[..text.len() - 2].trim_ascii_end();
            }
            let is_plain = !text.is_empty()
                && text.iter().all(|&byte| byte.is_ascii_graphic())
                && !matches!(
                    text[text.len() - 1],
                    b',' | b';' | b'{' | b'(' | b'[' | b'\\'
                )
                && !text.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'`'));
            if is_plain {
                return Ok(Reading {
                    span: start..start + text.len(),
                    more: Vec::new(),
                    form: Form::Line,
                    is_variable,
                    join,
                });
            }
        }
        cursor.at = start;
    }
    if !is_bare_name && join == Join::Colon {
        return Err("what follows is no literal");
    }
    cursor.skip(
        |byte| {
            byte.is_ascii_graphic()
                && !matches!(
                    byte,
                    b'"' | b'\''
                        | b'`'
                        | b'<'
                        | b'>'
                        | b'&'
                        | b';'
                        | b','
                        | b')'
                        | b'}'
                        | b']'
                        | b'|'
                        | b'\\'
                )
        },
        LONGEST,
    );
    let end = cursor.at;
    if end == start {
        return Err("no value follows");
    }
    if matches!(cursor.peek(), b'<' | b'>') {
        return Err("what follows is no plain value");
    }
    Ok(Reading {
        span: start..end,
        more: Vec::new(),
        form: Form::Bare,
        is_variable: is_variable || is_flag,
        join,
    })
}
