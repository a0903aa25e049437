//! The entries of a tree object.

/// One entry of a tree.
pub(crate) struct TreeEntry<'a> {
    /// Its mode, in octal digits.
    pub(crate) mode: &'a [u8],
    /// Its name.
    pub(crate) name: &'a [u8],
    /// The raw id of its object.
    pub(crate) id: &'a [u8],
    /// Its length in bytes.
    pub(crate) len: usize,
}

impl<'a> TreeEntry<'a> {
    /// The entry at the beginning of these bytes.
    pub(crate) fn parse(bytes: &'a [u8], hash_len: usize) -> Option<TreeEntry<'a>> {
        let space = bytes.iter().take(8).position(|&byte| byte == b' ')?;
        let end = space + 1 + memchr::memchr(0, bytes.get(space + 1..)?)?;
        let id = bytes.get(end + 1..end + 1 + hash_len)?;
        let (mode, name) = (&bytes[..space], &bytes[space + 1..end]);
        Some(TreeEntry {
            mode,
            name,
            id,
            len: end + 1 + hash_len,
        })
    }

    /// Whether it is a folder.
    pub(crate) fn is_tree(&self) -> bool {
        matches!(self.mode, b"40000" | b"040000")
    }

    /// Whether it is a commit of another repository.
    pub(crate) fn is_submodule(&self) -> bool {
        self.mode == b"160000"
    }
}
