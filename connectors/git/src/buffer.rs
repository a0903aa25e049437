//! Buffers for object contents: reused while a load runs, wiped when it ends.
//!
//! Not here: what is in them. Invariant: bytes that were written are overwritten before
//! their memory goes back to the allocator.

use std::hint::black_box;

/// Bytes whose memory is reused, and wiped before it is freed.
#[derive(Default)]
pub(crate) struct Buffer {
    store: Vec<u8>,
    len: usize,
    /// How far anything was ever written, so that wiping costs what writing did.
    high: usize,
}

impl Buffer {
    /// Makes room for exactly `len` bytes; what they hold is unspecified until written.
    pub(crate) fn resize(&mut self, len: usize) -> &mut [u8] {
        if self.store.len() < len {
            // Not `Vec::resize`: growing in place may leave an unwiped copy behind, and the
            // old contents are not needed.
            self.wipe();
            self.store = vec![0; len.saturating_add(len / 8).max(4096)];
        }
        self.len = len;
        self.high = self.high.max(len);
        &mut self.store[..len]
    }

    /// Keeps the first `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.store[..self.len]
    }

    /// Drops the first `count` bytes.
    pub(crate) fn drop_front(&mut self, count: usize) {
        let count = count.min(self.len);
        self.store.copy_within(count..self.len, 0);
        self.len -= count;
    }

    fn wipe(&mut self) {
        self.store[..self.high].fill(0);
        // The compiler must believe that somebody reads the zeros. A plain fill and this hint
        // are several times faster than byte-wise volatile writes, and buffers are large.
        black_box(&mut self.store);
        self.high = 0;
        self.len = 0;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Buffers that are not in use at the moment.
#[derive(Default)]
pub(crate) struct Pool {
    free: Vec<Buffer>,
}

impl Pool {
    /// A buffer with unspecified contents.
    pub(crate) fn take(&mut self) -> Buffer {
        self.free.pop().unwrap_or_default()
    }

    /// Gives a buffer back.
    pub(crate) fn give(&mut self, buffer: Buffer) {
        if self.free.len() < 64 {
            self.free.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn a_shorter_use_does_not_show_the_longer_one_before() {
        let mut buffer = Buffer::default();
        buffer.resize(5).copy_from_slice(b"12345");
        buffer.resize(2).copy_from_slice(b"ab");
        assert_eq!(buffer.bytes(), b"ab");
        buffer.resize(4).copy_from_slice(b"wxyz");
        buffer.drop_front(1);
        assert_eq!(buffer.bytes(), b"xyz");
    }
}
