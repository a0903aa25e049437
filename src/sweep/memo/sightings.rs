//! The sightings of a resource as bytes, for as long as it stays in one state.

use std::{collections::BTreeMap, sync::Arc};

use keymuster_api::{
    CommitFact, Confidence, SecretId, Severity, Timestamp,
    wire::{Reader, Writer},
};

use crate::estate::{Position, Sighting, Suppressed};

pub(super) fn write(state: &[u8], note: &[u8], sightings: &[Sighting]) -> Vec<u8> {
    let mut out = Writer::default();
    out.blob(state);
    out.blob(note);
    // Many sightings share their commits, and whole lists of them.
    let mut commits: BTreeMap<&CommitFact, u32> = BTreeMap::new();
    let mut lists: BTreeMap<&[Arc<CommitFact>], u32> = BTreeMap::new();
    for sighting in sightings {
        let introduced = sighting.introduced.iter().flatten();
        for fact in sighting.commit.iter().chain(introduced) {
            commits.insert(fact, 0);
        }
        if let Some(list) = &sighting.introduced {
            lists.insert(list, 0);
        }
    }
    out.number(commits.len() as u64);
    for (number, (fact, slot)) in (0u32..).zip(&mut commits) {
        *slot = number;
        out.id(&fact.id);
        out.blob(fact.author.as_bytes());
        out.bytes.push(u8::from(fact.at.is_some()));
        out.number(fact.at.map_or(0, |at| at.as_second()) as u64);
    }
    out.number(lists.len() as u64);
    for (number, (list, slot)) in (0u32..).zip(&mut lists) {
        *slot = number;
        let numbers: Vec<u32> = list
            .iter()
            .filter_map(|fact| commits.get(&**fact).copied())
            .collect();
        out.shorts(&numbers);
    }
    out.number(sightings.len() as u64);
    for sighting in sightings {
        out.blob(sighting.rule.as_bytes());
        out.blob(sighting.kind.as_bytes());
        out.bytes.push(sighting.confidence as u8);
        out.bytes.push(sighting.severity as u8);
        out.bytes.push(u8::from(sighting.public));
        out.bytes.extend_from_slice(&sighting.secret.0);
        out.details(&sighting.details);
        out.blob(sighting.path.as_bytes());
        out.bytes.push(u8::from(sighting.position.is_some()));
        if let Some(position) = &sighting.position {
            let Position {
                line,
                column,
                end_line,
                end_column,
            } = *position;
            [line, column, end_line, end_column]
                .into_iter()
                .for_each(|number| out.number(number));
        }
        out.bytes.push(u8::from(sighting.blob.is_some()));
        sighting.blob.iter().for_each(|id| out.id(id));
        let number = |found: Option<u32>| found.map_or(0, |number| number + 1);
        out.short(number(
            sighting
                .commit
                .as_ref()
                .and_then(|fact| commits.get(&**fact).copied()),
        ));
        out.short(number(
            sighting
                .introduced
                .as_ref()
                .and_then(|list| lists.get(list.as_slice()).copied()),
        ));
        out.short(sighting.versions);
        out.bytes.push(u8::from(sighting.at_tip.is_some()));
        if let Some(refs) = &sighting.at_tip {
            out.number(refs.len() as u64);
            refs.iter().for_each(|name| out.blob(name.as_bytes()));
        }
        out.bytes.push(u8::from(sighting.suppressed.is_some()));
        if let Some(Suppressed { by, reason, until }) = &sighting.suppressed {
            out.blob(by.as_bytes());
            out.blob(reason.as_bytes());
            out.bytes.push(u8::from(until.is_some()));
            until.iter().for_each(|until| out.blob(until.as_bytes()));
        }
    }
    out.bytes
}

/// The note and the sightings, if they were of this state. Their resource is the caller's to set.
pub(super) fn read(bytes: &[u8], state: &[u8]) -> Option<(Vec<u8>, Vec<Sighting>)> {
    let mut from = Reader::new(bytes);
    if from.blob()? != state {
        return None;
    }
    let note = from.blob()?.to_vec();
    let count = from.count(30)?;
    let mut commits = Vec::with_capacity(count);
    for _ in 0..count {
        let id = from.id()?;
        let author = from.text()?;
        let has_time = from.byte()? != 0;
        let seconds = from.number()? as i64;
        let at = match has_time {
            true => Some(Timestamp::from_second(seconds).ok()?),
            false => None,
        };
        commits.push(Arc::new(CommitFact { id, author, at }));
    }
    let count = from.count(8)?;
    let mut lists: Vec<Vec<Arc<CommitFact>>> = Vec::with_capacity(count);
    for _ in 0..count {
        let numbers = from.shorts()?;
        lists.push(
            numbers
                .iter()
                .map(|&at| commits.get(at as usize).cloned())
                .collect::<Option<_>>()?,
        );
    }
    let mut texts: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let mut shared = |text: String| {
        Arc::clone(
            texts
                .entry(text)
                .or_insert_with_key(|text| Arc::from(text.as_str())),
        )
    };
    let count = from.count(60)?;
    let mut sightings = Vec::with_capacity(count);
    for _ in 0..count {
        let rule = shared(from.text()?);
        let kind = shared(from.text()?);
        let confidence = *Confidence::ALL.get(usize::from(from.byte()?))?;
        let severity = *Severity::ALL.get(usize::from(from.byte()?))?;
        let public = from.byte()? != 0;
        let secret = SecretId(*from.take(16)?.first_chunk()?);
        let details = Arc::new(from.details()?);
        let path = from.text()?;
        let position = match from.byte()? {
            0 => None,
            _ => Some(Position {
                line: from.number()?,
                column: from.number()?,
                end_line: from.number()?,
                end_column: from.number()?,
            }),
        };
        let blob = match from.byte()? {
            0 => None,
            _ => Some(from.id()?),
        };
        let commit = match from.short()?.checked_sub(1) {
            None => None,
            Some(at) => Some(commits.get(at as usize)?.clone()),
        };
        let introduced = match from.short()?.checked_sub(1) {
            None => None,
            Some(at) => Some(lists.get(at as usize)?.clone()),
        };
        let versions = from.short()?;
        let at_tip = match from.byte()? {
            0 => None,
            _ => {
                let count = from.count(8)?;
                Some((0..count).map(|_| from.text()).collect::<Option<_>>()?)
            }
        };
        let suppressed = match from.byte()? {
            0 => None,
            _ => Some(Suppressed {
                by: from.text()?,
                reason: from.text()?,
                until: match from.byte()? {
                    0 => None,
                    _ => Some(from.text()?),
                },
            }),
        };
        sightings.push(Sighting {
            resource: 0,
            rule,
            kind,
            confidence,
            severity,
            public,
            secret,
            details,
            path,
            position,
            blob,
            commit,
            introduced,
            versions,
            at_tip,
            in_worktree: false,
            suppressed,
        });
    }
    from.rest.is_empty().then_some((note, sightings))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keymuster_api::{CommitFact, Confidence, Details, ObjectId, SecretId, Severity, Timestamp};

    use super::{read, write};
    use crate::estate::{Position, Sighting, Suppressed};

    #[test]
    fn sightings_are_read_as_written_in_their_state_only_and_never_from_a_part() {
        let fact = Arc::new(CommitFact {
            id: ObjectId::from_bytes(&[3; 20]).expect("20 bytes"),
            author: "A <a@b>".to_owned(),
            at: Timestamp::from_second(-7).ok(),
        });
        let full = Sighting {
            resource: 0,
            rule: Arc::from("r.a"),
            kind: Arc::from("k.a"),
            confidence: Confidence::High,
            severity: Severity::Critical,
            public: true,
            secret: SecretId([5; 16]),
            details: Arc::new(Details::default()),
            path: "a/b".to_owned(),
            position: Some(Position {
                line: 1,
                column: 2,
                end_line: 3,
                end_column: 4,
            }),
            blob: ObjectId::from_bytes(&[4; 20]),
            commit: Some(Arc::clone(&fact)),
            introduced: Some(vec![fact]),
            versions: 9,
            at_tip: Some(vec!["refs/heads/main".to_owned()]),
            in_worktree: false,
            suppressed: Some(Suppressed {
                by: "x".to_owned(),
                reason: "y".to_owned(),
                until: Some("z".to_owned()),
            }),
        };
        let bare = Sighting {
            position: None,
            blob: None,
            commit: None,
            introduced: None,
            at_tip: None,
            suppressed: None,
            ..full.clone()
        };
        let all = vec![full, bare];
        let bytes = write(b"state", b"note", &all);
        assert_eq!(read(&bytes, b"state"), Some((b"note".to_vec(), all)));
        assert_eq!(read(&bytes, b"other"), None);
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end], b"state"), None, "{end}");
        }
    }
}
