//! JSON whose strings cannot drive a terminal: the same values, hostile characters as `\uNNNN`.

use std::io::{self, Write};

use serde::Serialize;

use super::text::is_hostile;

/// Writes one value on one line, without line end.
pub(crate) fn compact(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(Escaping(out), value).map_err(io::Error::from)
}

/// Writes one value on several lines, with line end.
pub(crate) fn pretty(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(Escaping(&mut *out), value).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// serde_json escapes what JSON demands; this escapes what it allows and a terminal obeys.
/// Outside strings JSON is plain ASCII, so that every hostile character stands in a string.
struct Escaping<'w>(&'w mut dyn Write);

impl Write for Escaping<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(buf) {
            Ok(text) if text.contains(is_beyond_json) => {
                let mut rest = text;
                while let Some(at) = rest.find(is_beyond_json) {
                    let (before, from) = rest.split_at(at);
                    self.0.write_all(before.as_bytes())?;
                    let mut chars = from.chars();
                    if let Some(c) = chars.next() {
                        for unit in c.encode_utf16(&mut [0; 2]) {
                            write!(self.0, "\\u{unit:04x}")?;
                        }
                    }
                    rest = chars.as_str();
                }
                self.0.write_all(rest.as_bytes())?;
            }
            _ => self.0.write_all(buf)?,
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Below 0x20 serde_json has escaped already; what is left there is white space of its own.
fn is_beyond_json(c: char) -> bool {
    c >= '\u{7f}' && is_hostile(c)
}

#[cfg(test)]
mod tests {
    use super::{compact, pretty};

    #[test]
    fn values_survive_and_nothing_hostile_is_left() {
        let value =
            serde_json::json!({"a": "\x1b[2J \u{9b}31m \u{202e}rtl \u{e0041} <b>\n\u{7f}ü"});
        let mut out = Vec::new();
        compact(&mut out, &value).expect("writes to memory");
        pretty(&mut out, &value).expect("writes to memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(
            !text.contains(|c: char| c != '\n' && super::is_hostile(c)),
            "{text}"
        );
        assert!(text.contains(r"\u202e") && text.contains(r"\udb40\udc41") && text.contains('ü'));
        for read in serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>() {
            assert_eq!(read.expect("still JSON"), value);
        }
    }
}
