//! A place in a text that moves on.

/// Where the reader stands. Past the end it sees blanks.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) end: usize,
}

impl Cursor<'_> {
    pub(super) fn peek(&self) -> u8 {
        self.ahead(0)
    }

    /// The byte this far on; a blank past the end.
    pub(super) fn ahead(&self, by: usize) -> u8 {
        let at = self.at + by;
        if at < self.end { self.bytes[at] } else { b' ' }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    pub(super) fn skip(&mut self, is_skipped: impl Fn(u8) -> bool, most: usize) -> usize {
        let start = self.at;
        while self.at < self.end && self.at - start < most && is_skipped(self.bytes[self.at]) {
            self.at += 1;
        }
        self.at - start
    }

    pub(super) fn blanks(&mut self) -> usize {
        self.skip(|byte| matches!(byte, b' ' | b'\t'), 60)
    }

    pub(super) fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes[self.at.min(self.end)..self.end]
            .get(..text.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(text))
    }

    pub(super) fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }
}
