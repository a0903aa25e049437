//! Policy documents: objects, or texts that hold one, plain or percent-encoded.
//!
//! JSON is tried first and percent-decoding only if that fails: a document that was never
//! encoded may hold a `%` of its own.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// The document as JSON text without white space between tokens; `None` if there is none.
///
/// White space goes so that one document read from two files is one text, and because a
/// document repeats in hundreds of roles.
pub(super) fn text(raw: &RawValue) -> Option<String> {
    let raw = raw.get().trim();
    if raw.starts_with('{') {
        return Some(compact(raw));
    }
    let inner: String = serde_json::from_str(raw).ok()?;
    parsed(&inner).or_else(|| parsed(&percent_decoded(&inner)?))
}

fn parsed(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('\u{feff}').trim_start();
    let valid = text.starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok();
    valid.then(|| compact(text))
}

/// RFC 3986; a plus sign stands for itself.
fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = (bytes.next()? as char).to_digit(16)?;
            let low = (bytes.next()? as char).to_digit(16)?;
            out.push((high * 16 + low) as u8);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// JSON without white space outside strings.
fn compact(json: &str) -> String {
    let mut out = Vec::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for &byte in json.as_bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
    // Only ASCII bytes were left out, so what is left is as valid as what was given.
    String::from_utf8(out).unwrap_or_else(|_| json.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::text;

    fn of(json: &str) -> Option<String> {
        text(&RawValue::from_string(json.to_owned()).expect("valid JSON"))
    }

    #[test]
    fn documents_come_in_three_shapes() {
        let plain = r#"{"Sid":"a \" b","R":["x"]}"#;
        assert_eq!(
            of("{ \"Sid\" : \"a \\\" b\",\n \"R\": [ \"x\" ] }").as_deref(),
            Some(plain)
        );
        assert_eq!(
            of(&serde_json::to_string(plain).expect("a string")).as_deref(),
            Some(plain)
        );
        assert_eq!(
            of(r#""%7B%22A%22%3A%22b%2Bc%20d%22%7D""#).as_deref(),
            Some(r#"{"A":"b+c d"}"#)
        );
    }

    #[test]
    fn a_plain_document_keeps_its_percent_signs() {
        let json = r#""{\"R\":\"arn:aws:s3:::b/%20x%\"}""#;
        assert_eq!(of(json).as_deref(), Some(r#"{"R":"arn:aws:s3:::b/%20x%"}"#));
    }

    #[test]
    fn what_is_no_document_is_none() {
        for json in [r#""%7B%2""#, r#""hello""#, "3", "null", r#""""#] {
            assert_eq!(of(json), None, "{json}");
        }
    }
}
