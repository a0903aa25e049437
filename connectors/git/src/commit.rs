//! Reading commits and tags: headers, people, dates.

use keymuster_api::{CommitFact, ObjectId, Timestamp};

/// What the graph needs of a commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommitHead {
    /// Object number.
    pub(crate) number: u32,
    /// Object number of its tree.
    pub(crate) tree: u32,
    /// Object numbers of its parents.
    pub(crate) parents: Vec<u32>,
    /// Seconds.
    pub(crate) authored: i64,
    /// Seconds.
    pub(crate) committed: i64,
}

/// A commit's head, and the ids in it that the store does not have.
pub(crate) struct Parsed {
    pub(crate) head: CommitHead,
    pub(crate) absent: Vec<ObjectId>,
}

/// Header lines of a commit or tag: key and value. Continuation lines are left out.
pub(crate) fn headers(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    bytes
        .split(|&byte| byte == b'\n')
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with(b" "))
        .filter_map(|line| {
            let space = memchr::memchr(b' ', line)?;
            Some((&line[..space], &line[space + 1..]))
        })
}

/// Reads a commit's head; `find` gives the number of an id. Parents that are missing count as
/// absent, and stay in the list.
pub(crate) fn head(
    bytes: &[u8],
    missing: u32,
    find: impl Fn(&[u8]) -> Option<u32>,
) -> Option<Parsed> {
    let mut head = CommitHead {
        tree: missing,
        ..CommitHead::default()
    };
    let mut absent = Vec::new();
    let mut has_tree = false;
    let mut number = |hex: &[u8]| -> Option<u32> {
        let id = ObjectId::from_hex(hex)?;
        Some(find(id.as_bytes()).unwrap_or_else(|| {
            absent.push(id);
            missing
        }))
    };
    for (key, value) in headers(bytes) {
        match key {
            b"tree" if !has_tree => {
                head.tree = number(value)?;
                has_tree = true;
            }
            b"parent" => head.parents.push(number(value)?),
            b"author" => head.authored = seconds(value).unwrap_or(0),
            b"committer" => head.committed = seconds(value).unwrap_or(0),
            _ => {}
        }
    }
    has_tree.then_some(Parsed { head, absent })
}

/// The seconds of `Name <mail> 1700000000 +0100`.
pub(crate) fn seconds(person: &[u8]) -> Option<i64> {
    let mut words = person.rsplit(|&byte| byte == b' ');
    let _zone = words.next()?;
    std::str::from_utf8(words.next()?).ok()?.parse().ok()
}

/// What an audit needs of a commit (its author) or an annotated tag (its tagger).
pub(crate) fn fact(id: ObjectId, bytes: &[u8]) -> CommitFact {
    let person = headers(bytes)
        .find(|(key, _)| matches!(*key, b"author" | b"tagger"))
        .map(|(_, value)| value)
        .unwrap_or_default();
    let name = match memchr::memrchr(b'>', person) {
        Some(end) => &person[..=end],
        None => person,
    };
    CommitFact {
        id,
        author: String::from_utf8_lossy(name).into_owned(),
        at: seconds(person).and_then(|seconds| Timestamp::from_second(seconds).ok()),
    }
}

/// What an annotated tag points at.
pub(crate) fn tagged(bytes: &[u8]) -> Option<ObjectId> {
    headers(bytes)
        .find(|(key, _)| *key == b"object")
        .and_then(|(_, hex)| ObjectId::from_hex(hex))
}

#[cfg(test)]
mod tests {
    use super::{fact, head};
    use keymuster_api::ObjectId;

    const COMMIT: &[u8] = b"tree 1111111111111111111111111111111111111111\n\
        parent 2222222222222222222222222222222222222222\n\
        author A \xff B <a@b> 1700000000 +0100\n\
        committer C <c@d> 1700000001 +0100\n\
        gpgsig -----BEGIN\n parent 3333333333333333333333333333333333333333\n\n\
        parent 4444444444444444444444444444444444444444\n";

    #[test]
    fn only_headers_count_and_absent_parents_are_told() {
        let parsed = head(COMMIT, 99, |id| (id[0] == 0x11).then_some(7)).expect("a commit");
        assert_eq!(parsed.head.tree, 7);
        assert_eq!(
            parsed.head.parents,
            [99],
            "not those in the signature or the message"
        );
        assert_eq!(parsed.absent.len(), 1);
        assert_eq!(
            (parsed.head.authored, parsed.head.committed),
            (1700000000, 1700000001)
        );
    }

    #[test]
    fn authors_are_shown_without_their_dates() {
        let id = ObjectId::from_bytes(&[1; 20]).expect("20 bytes");
        let fact = fact(id, COMMIT);
        assert_eq!(fact.author, "A \u{fffd} B <a@b>");
        assert_eq!(fact.at.map(|at| at.as_second()), Some(1700000000));
    }
}
