//! Commits, trees, tags and entry headers: what is read, against a slow reading of the formats.
//!
//! Input: what it is (2 bits), whether ids have 32 bytes (1 bit), then its bytes.

use keymuster_api::ObjectId;

use super::{format, stages};

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A commit.
    Commit,
    /// A tree.
    Tree,
    /// An annotated tag.
    Tag,
    /// The header of a pack entry.
    Header,
}

/// Reads one; says what it is and whether it made sense.
///
/// # Panics
/// If it is not what the format says.
pub fn run(input: &[u8]) -> (Kind, bool) {
    let Some((&how, bytes)) = input.split_first() else {
        return (Kind::Header, false);
    };
    let hash_len = if how & 4 == 0 { 20 } else { 32 };
    match how & 3 {
        0 => (Kind::Commit, commit(bytes)),
        1 => (Kind::Tree, tree(bytes, hash_len)),
        2 => (Kind::Tag, tag(bytes)),
        _ => (Kind::Header, header(bytes, hash_len)),
    }
}

/// The lines of the head: up to the first empty one.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|&byte| byte == b'\n')
        .take_while(|line| !line.is_empty())
}

fn commit(bytes: &[u8]) -> bool {
    let read = stages::commit(bytes);
    if let Some(id) = ObjectId::from_bytes(&[7; 20]) {
        let fact = stages::person(id, bytes);
        assert!(
            fact.author.len() <= bytes.len() * 3,
            "a name is a part of it"
        );
    }
    let mut ids = Vec::new();
    let mut has_tree = false;
    let mut makes_sense = true;
    for line in lines(bytes) {
        let hex = match line.strip_prefix(b"tree ") {
            Some(hex) if !has_tree => {
                has_tree = true;
                Some(hex)
            }
            Some(_) => None,
            None => line.strip_prefix(b"parent "),
        };
        if let Some(hex) = hex {
            match ObjectId::from_hex(hex) {
                Some(id) => ids.push(id),
                None => makes_sense = false,
            }
        }
    }
    let expected = (makes_sense && has_tree).then_some(ids);
    assert_eq!(read.as_ref().map(|commit| &commit.ids), expected.as_ref());
    read.is_some()
}

fn tag(bytes: &[u8]) -> bool {
    let expected = lines(bytes)
        .find_map(|line| line.strip_prefix(b"object "))
        .and_then(ObjectId::from_hex);
    let read = stages::tagged(bytes);
    assert_eq!(read, expected);
    read.is_some()
}

fn tree(bytes: &[u8], hash_len: usize) -> bool {
    let mut rest = bytes;
    while let Some((mode, name, id, len)) = stages::tree_entry(rest, hash_len) {
        let written = [mode, b" ", name, b"\0", id].concat();
        assert_eq!(rest.get(..len), Some(&written[..]), "an entry is its parts");
        assert!(!mode.contains(&b' ') && !name.contains(&0) && id.len() == hash_len);
        rest = &rest[len..];
    }
    rest.is_empty() && !bytes.is_empty()
}

fn header(bytes: &[u8], hash_len: usize) -> bool {
    let Some((base, size, data_at)) = stages::header(bytes, hash_len) else {
        return false;
    };
    assert!(data_at <= bytes.len() && data_at >= 1);
    // Written again, in the shortest way, it reads the same.
    let (kind, extra) = match base {
        stages::EntryBase::Whole(kind) => (kind, Vec::new()),
        stages::EntryBase::Earlier(distance) => (6, format::distance(distance)),
        stages::EntryBase::Named(id) => (7, id.to_vec()),
    };
    let written = [format::header(kind, size), extra].concat();
    let again = stages::header(&written, hash_len);
    assert_eq!(again, Some((base, size, written.len())));
    true
}
