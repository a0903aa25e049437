//! Runs of token bytes that may be a value: what the run lane looks for, and what the place of
//! a value says about it.
//!
//! Nothing here knows a format; a rule of the run lane is its pattern, its words, and this.

use std::ops::Range;

use super::rule::{RUN_LONGEST, TOKEN_RUN, is_token_byte};

/// Whether a value may begin behind this byte: quotes, operators, brackets, blanks. Not behind
/// `/`, `#`, `@`, `.`, `+`: parts of paths, addresses and digests.
pub(super) fn may_follow(byte: u8) -> bool {
    matches!(
        byte,
        b'"' | b'\''
            | b'`'
            | b'='
            | b':'
            | b' '
            | b'\t'
            | b'\n'
            | b'\r'
            | b'('
            | b'['
            | b'{'
            | b','
            | b'>'
            | b'|'
            | b';'
            | b'\\'
            | 0
    )
}

/// Whether a value may begin at this place.
pub(super) fn may_begin(bytes: &[u8], at: usize) -> bool {
    at == 0 || may_follow(bytes[at - 1])
}

/// The length of a run that begins at `at`, if the run lane sees it: 16 to 512 token bytes with
/// a digit among them, behind a byte that [`may_follow`] allows. Looks at the byte before and
/// the byte after.
pub(super) fn length(bytes: &[u8], at: usize) -> Option<usize> {
    if !may_begin(bytes, at) {
        return None;
    }
    let rest = &bytes[at..(at + RUN_LONGEST + 1).min(bytes.len())];
    let length = rest
        .iter()
        .position(|&byte| !is_token_byte(byte))
        .unwrap_or(rest.len());
    let fits = (TOKEN_RUN..=RUN_LONGEST).contains(&length)
        && rest[..length].iter().any(u8::is_ascii_digit);
    fits.then_some(length)
}

/// Parts of names whose values are digests and versions, not credentials.
const DIGESTS: &[&[u8]] = &[
    b"sha",
    b"md",
    b"hash",
    b"digest",
    b"checksum",
    b"commit",
    b"revision",
    b"integrity",
    b"etag",
    b"fingerprint",
    b"blob",
    b"tree",
    b"nonce",
    b"crc",
    b"rev",
    b"ref",
    b"oid",
    b"guid",
    b"build",
    b"version",
];

/// Parts of names whose values are credentials, whatever else the name says.
const CREDENTIALS: &[&[u8]] = &[
    b"key",
    b"keys",
    b"token",
    b"secret",
    b"password",
    b"passwd",
    b"pass",
    b"pwd",
    b"auth",
    b"apikey",
    b"credential",
    b"credentials",
    b"cred",
];

/// Whether the name right before a value says that it is a digest or a version: one of its parts
/// does, and none says that it is a credential.
pub(super) fn is_digest(bytes: &[u8], value: &Range<usize>, floor: usize) -> bool {
    let name = &bytes[name_before(bytes, value.start, floor)];
    let mut is_digest = false;
    let mut start = 0;
    for end in 1..=name.len() {
        let is_border = end == name.len()
            || !name[end].is_ascii_alphabetic()
            || name[end].is_ascii_uppercase() && name[end - 1].is_ascii_lowercase();
        if !is_border {
            continue;
        }
        let part = name[start..end].trim_ascii_start();
        let part = part
            .iter()
            .position(u8::is_ascii_alphabetic)
            .map_or(&[][..], |at| &part[at..]);
        if CREDENTIALS
            .iter()
            .any(|word| part.eq_ignore_ascii_case(word))
        {
            return false;
        }
        is_digest |= DIGESTS.iter().any(|word| part.eq_ignore_ascii_case(word));
        start = end;
    }
    // `md5` ends in its digit.
    is_digest || name.to_ascii_lowercase().ends_with(b"md5")
}

/// Whether a value looks like the id of a commit or an image (40 or 64 hexadecimal digits) and
/// nothing before it on its line says that it is a credential: most such runs are ids, whatever
/// issuer is named near them.
pub(super) fn is_id(bytes: &[u8], value: &Range<usize>, floor: usize) -> bool {
    let text = &bytes[value.clone()];
    if !matches!(text.len(), 40 | 64) || !text.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let before = &bytes[floor.min(value.start)..value.start];
    let line = memchr::memrchr(b'\n', before).map_or(before, |at| &before[at + 1..]);
    let line = line.to_ascii_lowercase();
    !SAYS_CREDENTIAL
        .iter()
        .any(|word| memchr::memmem::find(&line, word).is_some())
}

/// What a line says before a credential, somewhere in its names.
const SAYS_CREDENTIAL: &[&[u8]] = &[
    b"key", b"token", b"secret", b"pass", b"pwd", b"auth", b"cred", b"api", b"bearer",
];

/// The identifier before the operator before a value.
fn name_before(bytes: &[u8], at: usize, floor: usize) -> Range<usize> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let mut end = at;
    while end > floor && at - end < 16 && !is_name(bytes[end - 1]) {
        end -= 1;
    }
    let mut start = end;
    while start > floor && is_name(bytes[start - 1]) {
        start -= 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::{is_digest, length};

    #[test]
    fn runs_are_values_by_their_place() {
        let run = "0123456789abcdef";
        for before in ["", "x = ", "x='", "x:\"", "(", "\n"] {
            let text = format!("{before}{run}\n");
            assert_eq!(length(text.as_bytes(), before.len()), Some(16), "{before}");
        }
        for before in ["/", "#", "@", ".", "sha512-", "a"] {
            let text = format!("{before}{run}\n");
            assert_eq!(length(text.as_bytes(), before.len()), None, "{before}");
        }
        assert_eq!(length(b"abcdefghijklmnop", 0), None, "no digit");
        assert_eq!(length(b"0123456789abcde", 0), None, "too short");
        assert_eq!(length(&[b'7'; 513], 0), None, "too long");
        assert_eq!(length(&[b'7'; 512], 0), Some(512));
    }

    #[test]
    fn ids_are_told_from_credentials_by_their_line() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        for (before, is_id) in [
            ("reverts redis commit ", true),
            ("redis_key\n", true),
            ("git-subtree-mainline: ", true),
            ("redis_key = ", false),
            ("redis api: '", false),
        ] {
            let text = format!("{before}{id}");
            let value = before.len()..text.len();
            assert_eq!(super::is_id(text.as_bytes(), &value, 0), is_id, "{before}");
        }
    }

    #[test]
    fn names_of_digests_are_known() {
        for text in [
            "commit = 'V",
            "\"git-sha\": \"V",
            "md5: V",
            "rev=V",
            "image_digest V",
        ] {
            let at = text.len() - 1;
            assert!(is_digest(text.as_bytes(), &(at..text.len()), 0), "{text}");
        }
        for text in [
            "api_key = 'V",
            "prefs = V",
            "reverse_token: V",
            "V",
            "shared_key=V",
            "buildkite_token=V",
        ] {
            let at = text.len() - 1;
            assert!(!is_digest(text.as_bytes(), &(at..text.len()), 0), "{text}");
        }
    }
}
