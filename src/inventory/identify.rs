//! Identifiers by their shape, wherever they stand in a row.

use super::Identifier;

/// The part of a text that a scheme's shape recognises, as an identifier.
fn identifier(scheme: &str, value: &str) -> Identifier {
    Identifier {
        scheme: scheme.to_owned(),
        value: value.to_owned(),
    }
}

/// The identifier that the whole of a word is, by shape alone.
pub(crate) fn shape(word: &str) -> Option<&'static str> {
    let upper = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    let bytes = word.as_bytes();
    if bytes.len() == 20 {
        let folded = word.to_ascii_uppercase();
        let one_case = word == folded || word == word.to_ascii_lowercase();
        let prefixed = folded.starts_with("AKIA") || folded.starts_with("ASIA");
        if one_case && prefixed && folded.bytes().all(upper) {
            return Some("access_key_id");
        }
    }
    if word
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("arn:"))
    {
        return (word.bytes().filter(|&b| b == b':').count() >= 5).then_some("arn");
    }
    if is_guid(word) {
        return Some("guid");
    }
    if let Some((local, domain)) = word.split_once('@') {
        let account = domain.to_ascii_lowercase().ends_with("gserviceaccount.com");
        return (account && !local.is_empty()).then_some("client_email");
    }
    if let Some(hash) = word.strip_prefix("SHA256:") {
        let hash = hash.trim_end_matches('=');
        let base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
        return (hash.len() == 43 && hash.bytes().all(base64)).then_some("ssh_fingerprint");
    }
    if let Some(hash) = word.strip_prefix("MD5:") {
        let hex = |b: u8| b.is_ascii_hexdigit() || b == b':';
        return (hash.len() == 47 && hash.bytes().all(hex)).then_some("ssh_fingerprint");
    }
    for prefix in ["github:", "gitlab:", "bitbucket:", "jenkins:"] {
        let locator = word.strip_prefix(prefix);
        if locator.is_some_and(|rest| rest.contains('/') && rest.contains(':')) {
            return Some("ci_variable");
        }
    }
    None
}

/// `8-4-4-4-12` hexadecimal digits, with or without braces.
pub(crate) fn is_guid(word: &str) -> bool {
    let word = word.trim_start_matches('{').trim_end_matches('}');
    let lengths = [8, 4, 4, 4, 12];
    word.len() == 36
        && word.split('-').map(str::len).eq(lengths)
        && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// The ends of a masked identifier that are still there: `AKIA************ABCD` leaves `AKIA`
/// and `ABCD`, `…ABCD` only the end. At least four characters must be left at the end, or
/// eight at the start.
pub(crate) fn mask(word: &str) -> Option<(&str, &str)> {
    let masks = |c: char| matches!(c, '*' | '•' | '…' | '.' | '●' | '█');
    let public = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let from = word.find(masks)?;
    let until = word
        .char_indices()
        .rev()
        .find(|&(_, c)| masks(c))
        .map(|(i, c)| i + c.len_utf8())?;
    let (head, middle, tail) = (&word[..from], &word[from..until], &word[until..]);
    let hidden = middle.contains('…') || middle.chars().count() >= 3;
    let enough = tail.len() >= 4 || (tail.is_empty() && head.len() >= 8);
    (middle.chars().all(masks) && hidden && enough && public(head) && public(tail))
        .then_some((head, tail))
}

/// The words of a cell that may be identifiers: between white space, commas, semicolons,
/// bars, quotes and brackets.
fn pieces(cell: &str) -> impl Iterator<Item = &str> {
    let between = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                ',' | ';' | '|' | '"' | '\'' | '<' | '>' | '(' | ')' | '[' | ']' | '`'
            )
    };
    cell.split(between).filter(|piece| !piece.is_empty())
}

/// Every identifier that a cell shows by shape, and whether the cell is nothing but that.
pub(crate) fn sniff(cell: &str) -> (Vec<Identifier>, bool) {
    let mut found = Vec::new();
    let mut whole = true;
    for piece in pieces(cell) {
        let bare = piece.trim_end_matches(['.', ':', '!']);
        match shape(bare) {
            Some(scheme) => found.push(identifier(scheme, bare)),
            None if known_mask(piece) => found.push(identifier("masked", piece)),
            None => whole = false,
        }
    }
    (found, whole)
}

/// A mask that cannot be anything else, in a cell of any column.
fn known_mask(piece: &str) -> bool {
    mask(piece).is_some_and(|(head, tail)| {
        (head == "AKIA" || head == "ASIA")
            && tail
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    })
}

/// The identifiers of a cell whose column says that it holds some.
pub(crate) fn declared(scheme: &'static str, cell: &str) -> Vec<Identifier> {
    // Names of issuers, paths and users hold blanks and commas themselves.
    let whole_lines = matches!(
        scheme,
        "vault_path" | "serial_issuer" | "repo_path" | "k8s_secret" | "ci_variable" | "principal"
    );
    let parts: Vec<&str> = if whole_lines {
        cell.split([';', '\n']).map(super::text::trimmed).collect()
    } else {
        pieces(cell).collect()
    };
    // Beside an id, words are words: `key AKIA… (rotated yearly)`.
    let is_id = |part: &&str| {
        shape(part).is_some() || mask(part).is_some() || part.bytes().any(|b| b.is_ascii_digit())
    };
    let some_id = !whole_lines && parts.len() > 1 && parts.iter().any(&is_id);
    let parts = parts
        .into_iter()
        .filter(|part| !super::words::is_placeholder(part) && (!some_id || is_id(part)));
    parts
        .map(|part| {
            let scheme = match (scheme, shape(part)) {
                // A column knows better than a shape which of a provider's GUIDs it holds.
                (column, Some("guid")) if column != "identifier" => column,
                ("email" | "repo_path" | "vault_path", Some("client_email")) => "client_email",
                (_, Some(shape)) => shape,
                (_, None) if !whole_lines && mask(part).is_some() => "masked",
                ("fingerprint_hmac" | "identifier", None) if is_hex(part, 64) => "spki_sha256",
                (column, None) => column,
            };
            identifier(scheme, part)
        })
        .collect()
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::{declared, mask, shape, sniff};

    fn key_id() -> String {
        format!("AKIA{}", "EXAMPLE7EXAMPLE2")
    }

    #[test]
    fn shapes_name_their_scheme() {
        let id = key_id();
        let hash = format!("SHA256:{}", "a".repeat(43));
        let table = [
            (id.as_str(), Some("access_key_id")),
            (&id.to_lowercase(), Some("access_key_id")),
            ("arn:aws:iam::123456789012:user/deploy", Some("arn")),
            ("ARN:aws:iam::123456789012:user/deploy", Some("arn")),
            ("arn:aws", None),
            ("0f8fad5b-d9cb-469f-a165-70867728950e", Some("guid")),
            ("{0F8FAD5B-D9CB-469F-A165-70867728950E}", Some("guid")),
            ("ci@acme.iam.gserviceaccount.com", Some("client_email")),
            ("jane@example.com", None),
            (&hash, Some("ssh_fingerprint")),
            ("github:acme/api:actions:TOKEN", Some("ci_variable")),
            ("word", None),
        ];
        for (word, expected) in table {
            assert_eq!(shape(word), expected, "{word}");
        }
    }

    #[test]
    fn masks_leave_their_ends() {
        let table = [
            ("AKIA************ABCD", Some(("AKIA", "ABCD"))),
            ("…ABCD", Some(("", "ABCD"))),
            ("...ABCD", Some(("", "ABCD"))),
            ("AKIA…WXYZ", Some(("AKIA", "WXYZ"))),
            ("AKIAABCD********", Some(("AKIAABCD", ""))),
            ("****", None),
            ("**AB", None),
            ("a.b.c", None),
            ("example.com", None),
        ];
        for (word, expected) in table {
            assert_eq!(mask(word), expected, "{word}");
        }
    }

    #[test]
    fn cells_are_sniffed_word_by_word() {
        let id = key_id();
        let (found, whole) = sniff(&format!("{id}; AKIA****ABCD"));
        assert!(whole);
        assert_eq!(found[0].scheme, "access_key_id");
        assert_eq!(found[1].scheme, "masked");
        let (found, whole) = sniff(&format!("replaces {id}."));
        assert!(!whole);
        assert_eq!(found[0].value, id);
        assert!(sniff("and so on...Done").0.is_empty());
    }

    #[test]
    fn columns_name_what_shapes_leave_open() {
        let schemes = |scheme, cell: &str| {
            let found = declared(scheme, cell).into_iter();
            found.map(|i| (i.scheme, i.value)).collect::<Vec<_>>()
        };
        let guid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        assert_eq!(
            schemes("client_id", guid),
            [("client_id".into(), guid.into())]
        );
        assert_eq!(schemes("identifier", guid), [("guid".into(), guid.into())]);
        assert_eq!(
            schemes("key_id", &key_id()),
            [("access_key_id".into(), key_id())]
        );
        assert_eq!(
            schemes("token_id", "tok_1, n/a"),
            [("token_id".into(), "tok_1".into())]
        );
        assert_eq!(
            schemes("key_id", "…ABCD"),
            [("masked".into(), "…ABCD".into())]
        );
        assert_eq!(
            schemes("vault_path", "secret/data/pay ments; kv/x"),
            [
                ("vault_path".into(), "secret/data/pay ments".into()),
                ("vault_path".into(), "kv/x".into())
            ]
        );
    }
}
