//! Base64 as it stands in texts: armored blocks in files, in JSON strings, in source code.
//! Not here: what the decoded bytes mean.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Longer blocks are not looked at: no key of a kind we know is that large.
const MOST: usize = 32 * 1024;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Decodes base64 with or without padding.
pub(super) fn standard(text: &[u8]) -> Option<Vec<u8>> {
    (text.len() <= MOST).then(|| STANDARD.decode(text).ok())?
}

/// Decodes base64url with or without padding.
pub(super) fn url_safe(text: &[u8]) -> Option<Vec<u8>> {
    (text.len() <= MOST).then(|| URL_SAFE.decode(text).ok())?
}

/// Decodes the base64 of an armored block, whatever holds its lines together: line ends,
/// indentation, escapes (`\\n`), quotes and `+` of string literals, comment signs. `None` where
/// anything else stands between them (an ellipsis, a template).
pub(super) fn body(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > MOST {
        return None;
    }
    let mut digits = Vec::with_capacity(text.len());
    let mut chunk = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'=' => {
                digits.push(byte);
                continue;
            }
            b'\\' => {
                while text.get(at) == Some(&b'\\') {
                    at += 1;
                }
                match text.get(at) {
                    Some(b'n' | b'r' | b't') => at += 1,
                    // `\\/` is how some JSON writers spell a slash.
                    Some(b'/') => continue,
                    _ => {}
                }
            }
            b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'`' | b',' | b';' | b'(' | b')'
            | b'#' | b'*' | b'>' | b'|' => {}
            _ => return None,
        }
        end_chunk(&mut digits, &mut chunk);
    }
    end_chunk(&mut digits, &mut chunk);
    standard(&digits)
}

/// A lone `+` joins string literals and a lone `//` opens a comment: neither is base64.
fn end_chunk(digits: &mut Vec<u8>, chunk: &mut usize) {
    if matches!(&digits[*chunk..], b"+" | b"//") {
        digits.truncate(*chunk);
    }
    *chunk = digits.len();
}

/// The label and the inside of the first `-----BEGIN label-----…-----END` block.
pub(super) fn block(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let begin = find(text, b"-----BEGIN ")? + 11;
    let label = &text[begin..begin + find(&text[begin..], b"-----")?];
    let inside = &text[begin + label.len() + 5..];
    Some((label, &inside[..find(inside, b"-----END")?]))
}

/// Position of the first occurrence.
pub(super) fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

#[cfg(test)]
mod tests {
    use super::{block, body};

    #[test]
    fn a_body_is_read_however_it_is_quoted() {
        for text in [
            "aGVs\nbG8=\n",
            "aGVs\\nbG8=\\n",
            "aGVs\\\\nbG8",
            "\"aGVs\" +\n   \"bG8=\",",
            "\n// aGVs\n// bG8=\n",
        ] {
            assert_eq!(
                body(text.as_bytes()).as_deref(),
                Some(b"hello".as_slice()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_left_out_is_no_body() {
        assert_eq!(body(b"aGVs...bG8="), None);
        assert_eq!(body(b"{{ key }}"), None);
        assert_eq!(body(b"a"), None);
    }

    #[test]
    fn blocks_need_an_end() {
        assert_eq!(
            block(b"-----BEGIN X-----ab-----END X-----"),
            Some((&b"X"[..], &b"ab"[..]))
        );
        assert_eq!(block(b"-----BEGIN X-----ab"), None);
        assert_eq!(block(b"-----BEGIN "), None);
    }
}
