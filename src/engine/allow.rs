//! Inline comments that suppress a match on their line, with a reason.

use super::rule::COMMENT;

/// Markers that suppress: ours, and those of other scanners, so that teams can move over.
const MARKERS: &[&str] = &[
    "keymuster:allow",
    "gitleaks:allow",
    "betterleaks:allow",
    "kingfisher:ignore",
    "trufflehog:ignore",
    "pragma: allowlist secret",
    "nosec-secret",
    "noqa: S105",
    "noqa: S106",
    "noqa: S107",
    "nosec",
    "notsecret",
];

/// The marker and the reason behind it, in the rest of the line after `end`: at most
/// [`COMMENT`] bytes. `keymuster:allow` without a reason gives an empty reason.
pub(super) fn comment(bytes: &[u8], end: usize) -> Option<String> {
    let rest = &bytes[end..(end + COMMENT).min(bytes.len())];
    let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
    let line = String::from_utf8_lossy(line);
    let (marker, at) = MARKERS.iter().find_map(|marker| {
        let at = line.find(marker)?;
        let is_whole = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
        (is_whole(line[..at].chars().next_back())
            && is_whole(line[at + marker.len()..].chars().next()))
        .then_some((marker, at))
    })?;
    let reason = line[at + marker.len()..]
        .trim_end_matches(['\r', ' ', '\t'])
        .trim_end_matches("*/")
        .trim_end_matches("-->")
        .trim();
    let reason: String = reason
        .chars()
        .filter(|c| !c.is_control())
        .take(120)
        .collect();
    Some(format!("{marker}\0{reason}"))
}

#[cfg(test)]
mod tests {
    use super::comment;

    #[test]
    fn reasons_are_read_from_the_same_line_only() {
        let text = b"k = 'v' // keymuster:allow rotated in 2024\nnext";
        assert_eq!(
            comment(text, 7).as_deref(),
            Some("keymuster:allow\0rotated in 2024")
        );
        assert_eq!(comment(b"k = 'v'\n# keymuster:allow x", 7), None);
        assert_eq!(
            comment(b"k <!-- gitleaks:allow -->", 1).as_deref(),
            Some("gitleaks:allow\0")
        );
        assert_eq!(comment(b"k # nosec", 1).as_deref(), Some("nosec\0"));
        assert_eq!(comment(b"k # nosection", 1), None);
        assert_eq!(comment(b"k # noqa: E501", 1), None);
        assert_eq!(comment(b"k", 1), None);
    }
}
