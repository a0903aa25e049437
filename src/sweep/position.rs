//! From byte spans to lines and columns, for what is reported only.

use std::ops::Range;

use keymuster_api::Origin;

use crate::estate::Position;

/// The position of a span in a slice that begins at `origin` of its object.
pub(super) fn position(bytes: &[u8], origin: &Origin, span: &Range<usize>) -> Position {
    let start = span.start.min(bytes.len());
    let last = span.end.saturating_sub(1).clamp(start, bytes.len());
    let (line, column) = line_column(bytes, origin, start);
    let (end_line, end_column) = line_column(bytes, origin, last);
    Position {
        line,
        column,
        end_line,
        end_column,
    }
}

fn line_column(bytes: &[u8], origin: &Origin, at: usize) -> (u64, u64) {
    let before = &bytes[..at];
    let feeds = memchr::memchr_iter(b'\n', before).count() as u64;
    let column = match memchr::memrchr(b'\n', before) {
        Some(feed) => (at - feed) as u64,
        None => origin.column + at as u64 + 1,
    };
    (origin.lines + feeds + 1, column)
}

#[cfg(test)]
mod tests {
    use keymuster_api::Origin;

    use super::position;

    #[test]
    fn lines_and_columns_count_from_one_and_across_slices() {
        let text = b"one\ntwo three\nfour";
        let at = position(text, &Origin::default(), &(8..13));
        assert_eq!(
            (at.line, at.column, at.end_line, at.end_column),
            (2, 5, 2, 9)
        );
        let slice = Origin {
            offset: 100,
            lines: 7,
            column: 20,
            is_cut: false,
        };
        let at = position(text, &slice, &(1..5));
        assert_eq!(
            (at.line, at.column, at.end_line, at.end_column),
            (8, 22, 9, 1)
        );
    }
}
