//! Just enough DER to walk a private key: tag, length, content. Not here: any meaning.

/// One element: its tag, its content, and what follows it. `None` if the length runs past the
/// end, is longer than three bytes, or is not in its shortest form.
pub(super) fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let len = digits
                .iter()
                .fold(0, |sum, &digit| sum << 8 | usize::from(digit));
            if len < 0x80 || digits[0] == 0 {
                return None;
            }
            (len, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

/// The element, if it has this tag: its content and what follows.
pub(super) fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    element(bytes)
        .filter(|found| found.0 == tag)
        .map(|(_, content, rest)| (content, rest))
}

#[cfg(test)]
mod tests {
    use super::{element, expect};

    #[test]
    fn lengths_are_believed_only_inside_the_bytes() {
        assert_eq!(element(&[2, 1, 5, 9]), Some((2, &[5][..], &[9][..])));
        assert_eq!(element(&[0x30, 0x82, 1, 0]), None);
        assert_eq!(element(&[0x30, 0x81, 5, 1, 2, 3, 4, 5]), None);
        assert_eq!(element(&[0x30]), None);
        assert_eq!(element(&[0x30, 0x84, 0, 0, 0, 1, 7]), None);
        assert_eq!(expect(&[2, 1, 5], 3), None);
    }
}
