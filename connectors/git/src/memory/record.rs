//! Which objects were searched, as bytes: per pack, so that a pack that is still there is known
//! without looking at its objects.

use keymuster_api::{
    Candidate, ObjectId,
    wire::{Reader, Writer},
};

use super::FORMAT;
use crate::{
    delta::Kind,
    repository::{Repository, Tally},
    store::Store,
    sweep,
};

/// An object that was searched (a loose tree: that was seen to be one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) number: u32,
    pub(super) size: u64,
    pub(super) kind: Kind,
}

impl Record {
    pub(super) fn write(&self, store: &Store, out: &mut Vec<u8>) {
        if let Some(id) = store.id(self.number) {
            out.extend_from_slice(id.as_bytes());
            out.push(self.kind.number());
            out.extend_from_slice(&self.size.to_le_bytes());
        }
    }
}

/// Records, as written: raw id, kind, size.
pub(super) fn parse(
    records: &[u8],
    hash_len: usize,
) -> impl Iterator<Item = (&[u8], Kind, u64)> + '_ {
    records
        .chunks_exact(hash_len + 9)
        .filter_map(move |record| {
            let (id, rest) = record.split_at_checked(hash_len)?;
            let (kind, size) = rest.split_first()?;
            let size = u64::from_le_bytes(*size.first_chunk()?);
            Some((id, Kind::from_number(*kind)?, size))
        })
}

/// A pack all of whose objects were searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// What says that it is the same file.
    pub(super) identity: Vec<u8>,
    /// Objects and bytes by kind; of trees, only how many there are.
    pub(super) totals: [(u64, u64); 5],
    /// The records of its objects.
    pub(super) records: Vec<u8>,
}

impl Section {
    /// Of a pack whose canonical objects have these records.
    pub(super) fn of(repo: &Repository, number: usize, records: &[Record]) -> Option<Section> {
        let pack = &repo.store.packs[number];
        let plan = sweep::plan(repo, number);
        let mut totals = [(0, 0); 5];
        let tree = usize::from(Kind::Tree.number());
        for entry in 0..plan.len() as u32 {
            if plan.kind(entry) == Kind::Tree.number()
                && (number == 0 || repo.store.is_canonical(number, plan.position(entry)))
            {
                totals[tree].0 += 1;
            }
        }
        let mut bytes = Vec::with_capacity(records.len() * (repo.store.hash_len + 9));
        for record in records {
            let total = &mut totals[usize::from(record.kind.number())];
            total.0 += 1;
            total.1 += record.size;
            record.write(&repo.store, &mut bytes);
        }
        Some(Section {
            identity: pack.identity()?,
            totals,
            records: bytes,
        })
    }

    /// Counts its objects as seen; the graph counts the trees.
    pub(super) fn count(&self, tally: &Tally) {
        for kind in [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag] {
            let (count, bytes) = self.totals[usize::from(kind.number())];
            tally.expect(kind, count);
            if kind != Kind::Tree {
                tally.saw(kind, count, bytes);
            }
        }
    }
}

/// All that is known of a store's objects.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Objects {
    /// The state of the repository then.
    pub(super) state: Vec<u8>,
    pub(super) sections: Vec<Section>,
    /// How many sections there were.
    pub(super) section_count: usize,
    /// Records of loose objects; in a checkpoint, of any.
    pub(super) loose: Vec<u8>,
    pub(super) candidates: Vec<(ObjectId, Kind, Vec<Candidate>)>,
}

impl Objects {
    pub(super) fn write(&self, hash_len: usize) -> Vec<u8> {
        let mut out = Writer::default();
        out.short(FORMAT);
        out.bytes.push(hash_len as u8);
        out.blob(&self.state);
        out.number(self.sections.len() as u64);
        for section in &self.sections {
            out.blob(&section.identity);
            for (count, bytes) in section.totals {
                out.number(count);
                out.number(bytes);
            }
            out.blob(&section.records);
        }
        out.blob(&self.loose);
        out.number(self.candidates.len() as u64);
        for (id, kind, held) in &self.candidates {
            out.id(id);
            out.bytes.push(kind.number());
            out.candidates(held);
        }
        out.bytes
    }

    pub(super) fn read(bytes: &[u8], hash_len: usize) -> Option<Objects> {
        let mut from = Reader::new(bytes);
        if from.short()? != FORMAT || usize::from(from.byte()?) != hash_len {
            return None;
        }
        let state = from.blob()?.to_vec();
        let section_count = from.count(96)?;
        let mut sections = Vec::with_capacity(section_count);
        for _ in 0..section_count {
            let identity = from.blob()?.to_vec();
            let mut totals = [(0, 0); 5];
            for total in &mut totals {
                *total = (from.number()?, from.number()?);
            }
            let records = from.blob()?.to_vec();
            sections.push(Section {
                identity,
                totals,
                records,
            });
        }
        let loose = from.blob()?.to_vec();
        let count = from.count(30)?;
        let candidates = (0..count)
            .map(|_| {
                let id = from.id()?;
                let kind = Kind::from_number(from.byte()?)?;
                Some((id, kind, from.candidates()?))
            })
            .collect::<Option<_>>()?;
        from.rest.is_empty().then_some(Objects {
            state,
            sections,
            section_count,
            loose,
            candidates,
        })
    }
}
