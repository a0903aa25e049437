//! Depth-first over delta trees, each entry decoded once, on the bytes of its base.
//!
//! What is done with the contents is a [`Visit`]'s business: searching (`sweep`) or reading
//! trees (`graph`). The walk has its own stack, frees each base before its last delta is
//! followed, and hands large subtrees on.

use std::sync::Arc;

use keymuster_api::Copied;

use crate::{
    buffer::{Buffer, Pool},
    delta::{self, Stored},
    fault::Fault,
    inflate::Inflater,
    pack::Pack,
    plan::{NONE, Plan},
};

/// Chains deeper than git itself ever writes (4095) are hostile.
const MAX_DEPTH: u32 = 10_000;
/// A subtree is handed on in parts if more than this is still to be made from it …
const FORK_FROM: u64 = 64 << 20;
/// … and each part makes at least this much.
const FORK_PART: u64 = 32 << 20;

const DAMAGED: Fault = Fault::Corrupt("its bytes are not those that the index recorded");

/// Sees the entries of a delta tree, a base before its deltas.
pub(crate) trait Visit {
    /// What is kept beside the bytes of a base while deltas on it remain.
    type Note: Send + Sync + 'static;
    /// Whether large subtrees may be handed on.
    const FORKS: bool;

    /// An entry that is stored whole, or whose base this walk does not know.
    fn whole(&mut self, entry: u32, bytes: &[u8]) -> Self::Note;
    /// An entry made from its base.
    fn made(
        &mut self,
        entry: u32,
        bytes: &[u8],
        copied: &[Copied],
        base: &Self::Note,
    ) -> Self::Note;
    /// An entry that cannot be decoded; all that hang on it are lost with it.
    fn lost(&mut self, entry: u32, fault: Fault);
    /// Whether to stop now; what remains is left undone.
    fn stop(&mut self) -> bool;
    /// Whether a base of so many bytes may be kept for parts that wait.
    fn may_fork(&self, _size: u64) -> bool {
        true
    }
    /// Takes parts of this walk, each a run of siblings on one base.
    fn fork(&mut self, parts: Vec<Part<Self::Note>>);
}

/// A base, decoded.
pub(crate) struct Held<N> {
    bytes: Buffer,
    note: N,
}

/// Siblings to be made from a base, on another worker.
pub(crate) struct Part<N> {
    /// The base.
    pub(crate) base: Arc<Held<N>>,
    /// The first of the siblings.
    pub(crate) first: u32,
    /// How many.
    pub(crate) count: u32,
    /// Steps from the root.
    pub(crate) depth: u32,
}

impl<N> Held<N> {
    /// Bytes it keeps alive.
    pub(crate) fn len(&self) -> usize {
        self.bytes.bytes().len()
    }
}

enum Base<N> {
    Own(Held<N>),
    Shared(Arc<Held<N>>),
}

impl<N> Base<N> {
    fn held(&self) -> &Held<N> {
        match self {
            Base::Own(held) => held,
            Base::Shared(held) => held,
        }
    }
}

struct Frame<N> {
    base: Base<N>,
    next: u32,
    left: u32,
    depth: u32,
}

/// A worker's tools for walking.
pub(crate) struct Walker<'a> {
    pack: &'a Pack,
    plan: &'a Plan,
    /// Inflates, and knows the size limit.
    pub(crate) inflater: Inflater,
    pool: Pool,
    delta: Buffer,
    copied: Vec<Copied>,
}

impl<'a> Walker<'a> {
    /// Tools for one pack.
    pub(crate) fn new(pack: &'a Pack, plan: &'a Plan, limit: u64) -> Walker<'a> {
        Walker {
            pack,
            plan,
            inflater: Inflater::new(limit),
            pool: Pool::default(),
            delta: Buffer::default(),
            copied: Vec::new(),
        }
    }

    /// Walks the tree of a root that is stored whole.
    pub(crate) fn root<V: Visit>(&mut self, entry: u32, visit: &mut V) {
        let mut out = self.pool.take();
        let (start, end) = self.plan.span(entry);
        let decoded = match self.pack.entry(start, end) {
            _ if !self.pack.is_intact(self.plan.position(entry), start, end) => Err(DAMAGED),
            Some((header, packed)) if matches!(header.stored, Stored::Whole(_)) => {
                self.inflater.exact(packed, header.size, &mut out)
            }
            _ => Err(Fault::Corrupt("its header makes no sense")),
        };
        self.enter(entry, decoded, out, visit);
    }

    /// Walks the tree of a root that is a delta on an object outside the pack.
    pub(crate) fn thin_root<V: Visit>(&mut self, entry: u32, base: &[u8], visit: &mut V) {
        let mut out = self.pool.take();
        let decoded = self.decode(entry, base, &mut out);
        self.enter(entry, decoded, out, visit);
    }

    /// Walks a part that was handed on.
    pub(crate) fn part<V: Visit>(&mut self, part: Part<V::Note>, visit: &mut V) {
        self.descend(
            Frame {
                base: Base::Shared(part.base),
                next: part.first,
                left: part.count,
                depth: part.depth,
            },
            visit,
        );
    }

    fn enter<V: Visit>(
        &mut self,
        entry: u32,
        decoded: Result<(), Fault>,
        out: Buffer,
        visit: &mut V,
    ) {
        if let Err(fault) = decoded {
            visit.lost(entry, fault);
            self.pool.give(out);
            return;
        }
        let note = visit.whole(entry, out.bytes());
        if let Some(frame) = self.below(entry, Held { bytes: out, note }, 1, visit) {
            self.descend(frame, visit);
        }
    }

    fn descend<V: Visit>(&mut self, top: Frame<V::Note>, visit: &mut V) {
        let mut stack = vec![top];
        while let Some(frame) = stack.last_mut() {
            if frame.left == 0 || frame.next == NONE {
                if let Some(frame) = stack.pop() {
                    self.recycle(frame.base);
                }
                continue;
            }
            let child = frame.next;
            let depth = frame.depth;
            frame.next = self.plan.next_sibling(child);
            frame.left -= 1;
            if self.plan.needed[child as usize] == 0 {
                continue;
            }
            if visit.stop() {
                return;
            }
            let base = frame.base.held();
            let mut out = self.pool.take();
            let decoded = if depth > MAX_DEPTH {
                Err(Fault::Limit("its delta chain is too long"))
            } else {
                self.decode(child, base.bytes.bytes(), &mut out)
            };
            if let Err(fault) = decoded {
                visit.lost(child, fault);
                self.pool.give(out);
                continue;
            }
            let note = visit.made(child, out.bytes(), &self.copied, &base.note);
            let done = frame.left == 0 || frame.next == NONE;
            if done && let Some(frame) = stack.pop() {
                self.recycle(frame.base);
            }
            if let Some(frame) = self.below(child, Held { bytes: out, note }, depth + 1, visit) {
                stack.push(frame);
            }
        }
    }

    /// The frame for the deltas on an entry, if there are any.
    fn below<V: Visit>(
        &mut self,
        entry: u32,
        held: Held<V::Note>,
        depth: u32,
        visit: &mut V,
    ) -> Option<Frame<V::Note>> {
        let first = self.plan.first_child(entry);
        if first == NONE {
            self.pool.give(held.bytes);
            return None;
        }
        let size = held.len() as u64 + 512;
        let here = u64::from(self.plan.needed[entry as usize]);
        if !V::FORKS || here.saturating_mul(size) < FORK_FROM || !visit.may_fork(size) {
            return Some(Frame {
                base: Base::Own(held),
                next: first,
                left: u32::MAX,
                depth,
            });
        }
        let runs = self.runs(first, size);
        let base = Arc::new(held);
        let mut parts = runs.into_iter().map(|(first, count)| Part {
            base: Arc::clone(&base),
            first,
            count,
            depth,
        });
        let mine = parts.next()?;
        visit.fork(parts.collect());
        Some(Frame {
            base: Base::Shared(mine.base),
            next: mine.first,
            left: mine.count,
            depth,
        })
    }

    /// Siblings, grouped so that each group is worth handing on.
    fn runs(&self, first: u32, size: u64) -> Vec<(u32, u32)> {
        let mut runs = Vec::new();
        let (mut start, mut count, mut sum) = (first, 0, 0u64);
        let mut child = first;
        while child != NONE {
            let next = self.plan.next_sibling(child);
            count += 1;
            sum += u64::from(self.plan.needed[child as usize]).saturating_mul(size);
            if sum >= FORK_PART || next == NONE {
                runs.push((start, count));
                (start, count, sum) = (next, 0, 0);
            }
            child = next;
        }
        runs
    }

    fn recycle<N>(&mut self, base: Base<N>) {
        if let Base::Own(held) = base {
            self.pool.give(held.bytes);
        }
    }

    fn decode(&mut self, entry: u32, base: &[u8], out: &mut Buffer) -> Result<(), Fault> {
        let (start, end) = self.plan.span(entry);
        if !self.pack.is_intact(self.plan.position(entry), start, end) {
            return Err(DAMAGED);
        }
        let (header, packed) = self
            .pack
            .entry(start, end)
            .ok_or(Fault::Corrupt("its header makes no sense"))?;
        self.inflater.exact(packed, header.size, &mut self.delta)?;
        let limit = self.inflater.limit;
        delta::apply(base, self.delta.bytes(), limit, out, &mut self.copied)
    }
}
