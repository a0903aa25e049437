//! The operations that make trees, in the parts in which they were read: a second copy of them
//! all would be most of what a large history needs at its peak.
//!
//! Invariant: the operations of one tree lie in one part.

use crate::graph::COPY;

/// Operations of eight bytes, numbered over all parts.
#[derive(Default)]
pub(crate) struct Ops {
    parts: Vec<Vec<[u32; 2]>>,
    /// The number of each part's first operation.
    firsts: Vec<u32>,
    len: u32,
}

impl Ops {
    /// Adds a part behind the others; gives the number of its first operation.
    pub(crate) fn push(&mut self, part: Vec<[u32; 2]>) -> u32 {
        let first = self.len;
        if !part.is_empty() {
            self.len += part.len() as u32;
            self.firsts.push(first);
            self.parts.push(part);
        }
        first
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Those with these numbers, all of one tree.
    pub(crate) fn slice(&self, start: u32, end: u32) -> &[[u32; 2]] {
        if start == end {
            return &[];
        }
        let part = self.firsts.partition_point(|&first| first <= start) - 1;
        let first = self.firsts[part];
        &self.parts[part][(start - first) as usize..(end - first) as usize]
    }

    /// All, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = [u32; 2]> + '_ {
        self.parts.iter().flatten().copied()
    }

    /// Every fresh entry: the child, the name.
    pub(crate) fn fresh(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.iter()
            .filter(|op| op[0] & COPY == 0)
            .map(|[child, name]| (child, name))
    }
}

#[cfg(test)]
mod tests {
    use super::{COPY, Ops};

    #[test]
    fn parts_are_numbered_as_one() {
        let mut ops = Ops::default();
        assert_eq!(ops.push(vec![[1, 2], [3 | COPY, 4]]), 0);
        assert_eq!(ops.push(Vec::new()), 2);
        assert_eq!(ops.push(vec![[5, 6]]), 2);
        assert_eq!(ops.slice(1, 2), [[3 | COPY, 4]]);
        assert_eq!(ops.slice(2, 3), [[5, 6]]);
        assert_eq!(ops.slice(3, 3), [[0; 2]; 0]);
        assert_eq!(ops.fresh().collect::<Vec<_>>(), [(1, 2), (5, 6)]);
        assert_eq!((ops.len(), ops.iter().count()), (3, 3));
    }
}
