//! Containers of files: their members are searched like contents of their own, and what is
//! found in them is told as `outer!inner`.
//!
//! In pack order the outer path is not known, so what was found inside a blob is a candidate of
//! the blob that says where inside it stands ([`Inside`]). No later version inherits it: it
//! hangs on no hit.

use std::{
    io::{Cursor, Read as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use keymuster_api::{
    Candidate, Content, Fresh, Gap, GapKind, Inside, PathBytes, Place, ReadSeek, Source, Spot,
    Trace,
};

use super::{SweepOptions, position};
use crate::{
    engine::Engine,
    estate::Position,
    unpack::{self, Format, Out},
};

/// What members are searched with.
#[derive(Clone, Copy)]
pub(super) struct Searched<'e> {
    pub(super) engine: &'e Engine,
    pub(super) options: &'e SweepOptions<'e>,
}

/// What a container held.
pub(super) struct Opened {
    format: Format,
    pub(super) candidates: Vec<Candidate>,
    /// Whether a search of the raw bytes would add nothing.
    pub(super) is_seen: bool,
}

impl Opened {
    /// Puts what was found inside behind what was found in the raw bytes.
    pub(super) fn join(&mut self, trace: &mut Trace) {
        if self.format.is_text() {
            // People see the text: its lines say more than those of a part.
            let raw = &trace.candidates;
            self.candidates
                .retain(|inner| raw.iter().all(|outer| outer.secret != inner.secret));
        }
        trace.candidates.append(&mut self.candidates);
    }
}

/// The trace of a content whose own bytes were not searched: nothing is inherited from it.
pub(super) fn trace(len: usize) -> Trace {
    Trace {
        len,
        traits: u32::MAX,
        ..Trace::default()
    }
}

impl Searched<'_> {
    /// Opens a content that was lent whole, if it is a container.
    pub(super) fn content(self, content: &Content<'_>, gap: &mut dyn FnMut(Gap)) -> Option<Opened> {
        let is_whole = content.origin.offset == 0 && !content.origin.is_cut;
        let holds_files = !matches!(content.place.spot, Spot::Message { .. });
        if !is_whole || !holds_files || self.options.unpack.depth == 0 {
            return None;
        }
        unpack::format(content.bytes)?;
        let length = content.bytes.len() as u64;
        self.open(content.place, &mut Cursor::new(content.bytes), length, gap)
    }

    /// Opens a container.
    pub(super) fn open(
        self,
        place: &Place,
        source: &mut dyn ReadSeek,
        length: u64,
        gap: &mut dyn FnMut(Gap),
    ) -> Option<Opened> {
        let mut head = Vec::new();
        (&mut *source).take(512).read_to_end(&mut head).ok()?;
        let format = unpack::format(&head)?;
        source.rewind().ok()?;
        let mut members = Members {
            searched: self,
            place,
            candidates: Vec::new(),
            has_gaps: false,
            gap,
        };
        let limits = self.options.unpack;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            unpack::open(format, source, length, limits, &mut members);
        }));
        if outcome.is_err() {
            members.gap(
                GapKind::Failed,
                b"",
                "it could not be opened because of a fault of keymuster; please report this as a bug"
                    .to_owned(),
            );
        }
        Some(Opened {
            format,
            is_seen: format.is_transparent() && !members.has_gaps,
            candidates: members.candidates,
        })
    }
}

/// Searches members one by one.
struct Members<'m> {
    searched: Searched<'m>,
    place: &'m Place,
    candidates: Vec<Candidate>,
    has_gaps: bool,
    gap: &'m mut dyn FnMut(Gap),
}

impl Out for Members<'_> {
    fn member(&mut self, path: &[u8], layers: &[&'static str], bytes: &[u8]) {
        let Searched { engine, options } = self.searched;
        let outer = match &self.place.spot {
            Spot::File { path } => Some(path.0.as_slice()),
            _ => None,
        };
        let place = Place {
            spot: Spot::File {
                path: PathBytes(seen_as(outer, path).unwrap_or_default()),
            },
            ..self.place.clone()
        };
        let content = Content {
            place: &place,
            bytes,
            origin: Default::default(),
            class: None,
            fresh: Fresh::Everything,
        };
        let found = if options.whole {
            engine.search_whole(&content)
        } else {
            engine.search(&content)
        };
        for mut candidate in found.candidates {
            let at = position::position(bytes, &Default::default(), &candidate.span);
            let details = Arc::make_mut(&mut candidate.details);
            let layers = layers.iter().map(|&layer| layer.to_owned());
            details.decoded.splice(0..0, layers);
            details.inside = Some(Inside {
                path: PathBytes(path.to_vec()),
                line: at.line,
                column: at.column,
                end_line: at.end_line,
                end_column: at.end_column,
            });
            candidate.hit = usize::MAX;
            self.candidates.push(candidate);
        }
    }

    fn gap(&mut self, kind: GapKind, path: &[u8], reason: String) {
        self.has_gaps = true;
        let outer = match &self.place.spot {
            Spot::File { path } => path.clone(),
            Spot::Slot { scope, name } => PathBytes(format!("{scope}/{name}").into_bytes()),
            Spot::Object { address } => PathBytes(address.clone().into_bytes()),
            Spot::Blob { id } | Spot::Message { id } => {
                PathBytes(format!("blob {id}").into_bytes())
            }
        };
        let subject = joined(&outer, path).to_string();
        (self.gap)(Gap {
            kind,
            source: Source {
                system: self.place.system,
                locator: outer.to_string(),
            },
            subject,
            reason,
        });
    }

    fn is_cancelled(&self) -> bool {
        self.searched.options.cancel.is_cancelled()
    }
}

/// The candidates that are told of a content at this path: those of each member by themselves,
/// and of the container's own bytes what no member holds.
pub(super) fn winners<'t>(
    engine: &Engine,
    candidates: &'t [Candidate],
    path: Option<&[u8]>,
) -> Vec<&'t Candidate> {
    let inside = |candidate: &Candidate| candidate.details.inside.as_ref().map(|i| i.path.clone());
    let first = candidates.partition_point(|candidate| candidate.details.inside.is_none());
    let (raw, inner) = candidates.split_at(first);
    let mut told = engine.winners(raw, path);
    told.retain(|outer| inner.iter().all(|inner| inner.secret != outer.secret));
    for member in inner.chunk_by(|a, b| inside(a) == inside(b)) {
        let seen = inside(&member[0]).and_then(|inner| seen_as(path, &inner.0));
        told.extend(engine.winners(member, seen.as_deref()));
    }
    told
}

/// The path a member is judged by: that of its container as a folder, then its own; a
/// compressed file's without the ending that says so.
fn seen_as(outer: Option<&[u8]>, inner: &[u8]) -> Option<Vec<u8>> {
    if inner.is_empty() {
        let outer = outer?;
        let plain = [&b".gz"[..], b".bz2", b".xz", b".zst"]
            .into_iter()
            .find_map(|ending| outer.strip_suffix(ending));
        return Some(plain.unwrap_or(outer).to_vec());
    }
    let mut path = outer.map(<[u8]>::to_vec).unwrap_or_default();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend(inner.iter().map(|&b| if b == b'!' { b'/' } else { b }));
    Some(path)
}

/// How a candidate's place is told, in a file at this path.
pub(super) fn path(outer: &PathBytes, candidate: &Candidate) -> PathBytes {
    match &candidate.details.inside {
        Some(inside) => joined(outer, &inside.path.0),
        None => outer.clone(),
    }
}

fn joined(outer: &PathBytes, inner: &[u8]) -> PathBytes {
    if inner.is_empty() {
        return outer.clone();
    }
    let mut path = Vec::with_capacity(outer.0.len() + inner.len() + 1);
    for &byte in &outer.0 {
        if byte == b'!' {
            path.push(b'!');
        }
        path.push(byte);
    }
    path.push(b'!');
    path.extend_from_slice(inner);
    PathBytes(path)
}

/// Where a candidate stands in its member.
pub(super) fn position(candidate: &Candidate) -> Option<Position> {
    candidate.details.inside.as_ref().map(|inside| Position {
        line: inside.line,
        column: inside.column,
        end_line: inside.end_line,
        end_column: inside.end_column,
    })
}
