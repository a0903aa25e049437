//! The text behind the bytes: what the configuration says, else a mark, UTF-8, UTF-16 by its
//! zero bytes, else what the bytes look like most, which is told.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use zeroize::Zeroizing;

use super::{super::InventoryError, ReadCx};

/// How many bytes tell the encoding.
const SAMPLE: usize = 1 << 20;

/// Decodes a file.
///
/// # Errors
/// When the configured encoding is not known, or the bytes are binary.
pub(super) fn decode(
    bytes: &[u8],
    cx: &ReadCx<'_>,
    notes: &mut Vec<String>,
) -> Result<Zeroizing<String>, InventoryError> {
    if let Some(name) = cx.encoding {
        let encoding = Encoding::for_label(name.as_bytes()).ok_or_else(|| {
            InventoryError::new(cx.label, format!("`{name}` is no known encoding"))
                .help("write a name of the WHATWG list, like utf-8, windows-1250 or shift_jis")
        })?;
        return Ok(read(encoding, bytes, cx, notes));
    }
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Ok(read(encoding, bytes, cx, notes));
    }
    if bytes.contains(&0) {
        let start = &bytes[..bytes.len().min(1024)];
        let zeros = |parity: usize| {
            let every_other = start.iter().skip(parity).step_by(2);
            every_other.filter(|&&byte| byte == 0).count()
        };
        if zeros(1) * 4 > start.len() && zeros(0) == 0 {
            return Ok(read(UTF_16LE, bytes, cx, notes));
        }
        if zeros(0) * 4 > start.len() && zeros(1) == 0 {
            return Ok(read(UTF_16BE, bytes, cx, notes));
        }
        return Err(InventoryError::new(cx.label, "is binary, not text")
            .help("name a CSV, XLSX, JSON, YAML or JSON Lines file"));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Zeroizing::new(text.to_owned()));
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(SAMPLE)], true);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Deny);
    notes.push(format!(
        "{}: is not UTF-8; read as {}, which its letters suggest; `encoding` decides otherwise",
        cx.label,
        encoding.name()
    ));
    Ok(read(encoding, bytes, cx, notes))
}

fn read(
    encoding: &'static Encoding,
    bytes: &[u8],
    cx: &ReadCx<'_>,
    notes: &mut Vec<String>,
) -> Zeroizing<String> {
    let (text, used, broken) = encoding.decode(bytes);
    if used == UTF_16LE || used == UTF_16BE {
        notes.push(format!("{}: read as UTF-16", cx.label));
    }
    if broken {
        notes.push(format!(
            "{}: holds bytes that are not {}; each is read as `\u{fffd}`",
            cx.label,
            used.name()
        ));
    }
    Zeroizing::new(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::ReadCx;

    fn read(bytes: &[u8], encoding: Option<&str>) -> Result<(String, Vec<String>), String> {
        let cx = ReadCx {
            encoding,
            ..ReadCx::plain("r.csv", &|_| false)
        };
        let mut notes = Vec::new();
        let text = super::decode(bytes, &cx, &mut notes).map_err(|error| error.to_string())?;
        Ok((text.to_string(), notes))
    }

    #[test]
    fn what_is_configured_is_believed() {
        let (text, _) = read(b"\xb3\xf3d\xbc", Some("windows-1250")).unwrap();
        assert_eq!(text, "\u{142}\u{f3}d\u{13d}");
        assert!(
            read(b"x", Some("klingon"))
                .unwrap_err()
                .contains("no known encoding")
        );
    }

    #[test]
    fn what_is_guessed_is_told() {
        let bytes: Vec<u8> = "Eigent\u{fc}mer;Gr\u{f6}\u{df}e;Schl\u{fc}ssel\n"
            .chars()
            .map(|c| c as u8)
            .collect();
        let (text, notes) = read(&bytes, None).unwrap();
        assert!(text.starts_with("Eigent\u{fc}mer"));
        assert!(notes[0].contains("read as windows-1252"), "{notes:?}");
        let (_, notes) = read(b"caf\xe9 \xff\xfe", Some("utf-8")).unwrap();
        assert!(notes[0].contains("not UTF-8"), "{notes:?}");
    }
}
