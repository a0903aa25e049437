//! What a version takes over from its base, and what is left to search.
//!
//! A hit is a function of the bytes it looked at and the byte before; a verdict is a function
//! of its rule's window. What lies wholly inside one copied range is the same in both versions
//! and is taken over, shifted; the rest is searched and judged anew.

use std::ops::Range;

use keymuster_api::{Candidate, Copied, Hit, Trace};

use super::{
    layer,
    rule::{RUN_LONGEST, is_token_byte},
};

/// How far verdicts at a slot's hits look, before and after.
#[derive(Clone, Copy, Default)]
pub(super) struct Reach {
    pub(super) before: usize,
    pub(super) after: usize,
}

/// A hit of the new version, and where its verdict stood in the base if that still holds.
pub(super) struct Inherited {
    pub(super) hit: Hit,
    pub(super) from: Option<usize>,
}

/// The hits whose bytes were copied. `len` is the length of the new version.
pub(super) fn hits(copied: &[Copied], base: &Trace, len: usize, reach: &[Reach]) -> Vec<Inherited> {
    let mut out = Vec::with_capacity(base.hits.len());
    let mut first = 0;
    for copy in copied {
        // Nearly always the next range begins behind the one before it.
        let is_before = |at: usize| {
            base.hits
                .get(at)
                .is_some_and(|hit| (hit.at as usize) < copy.from)
        };
        if first > 0 && !is_before(first - 1) {
            first = base.hits[..first].partition_point(|hit| (hit.at as usize) < copy.from);
        }
        while is_before(first) {
            first += 1;
        }
        let starts = copy.from == 0 && copy.at == 0;
        let ends = copy.from + copy.len == base.len && copy.at + copy.len == len;
        for hit in &base.hits[first..] {
            let at = hit.at as usize;
            // Behind the end of both there is nothing, which is the same.
            if at + usize::from(hit.len) > copy.from + copy.len && !ends {
                if at >= copy.from + copy.len {
                    break;
                }
                continue;
            }
            if at == copy.from && !starts {
                continue; // the byte before is not the same
            }
            let is_cut = usize::from(hit.len) < layer::HEAD;
            if is_cut && at + usize::from(hit.len) == base.len && !ends {
                continue; // a layer's is longer where the content goes on: it is found anew
            }
            let reach = reach[usize::from(hit.slot)];
            let before = at >= copy.from + reach.before || starts;
            let after = at + reach.after <= copy.from + copy.len || ends;
            let shifted = Hit {
                at: (at - copy.from + copy.at) as u32,
                ..*hit
            };
            out.push(Inherited {
                hit: shifted,
                from: (before && after).then_some(at),
            });
        }
    }
    out
}

/// Where hits can begin that were not taken over: everything outside copied ranges, and around
/// their borders as far as a lane looks: `lane_reach` bytes for a literal, to its beginning for
/// a run.
pub(super) fn regions(
    copied: &[Copied],
    base_len: usize,
    bytes: &[u8],
    lane_reach: usize,
) -> Vec<Range<usize>> {
    let len = bytes.len();
    let mut regions: Vec<Range<usize>> = Vec::new();
    let mut add = |fresh: Range<usize>| {
        let run = bytes[fresh.start.saturating_sub(RUN_LONGEST + 1)..fresh.start]
            .iter()
            .rev()
            .take_while(|&&byte| is_token_byte(byte))
            .count();
        let region = fresh.start.saturating_sub(lane_reach.max(run))..(fresh.end + 1).min(len);
        match regions.last_mut() {
            Some(last) if region.start <= last.end => last.end = last.end.max(region.end),
            _ => regions.push(region),
        }
    };
    let mut at = 0;
    for copy in copied {
        let is_start = copy.at == 0 && copy.from == 0;
        if !is_start {
            add(at..copy.at); // empty where two copied ranges meet: a seam
        }
        at = copy.at + copy.len;
    }
    let ends = copied
        .last()
        .is_some_and(|copy| copy.from + copy.len == base_len && copy.at + copy.len == len);
    if !ends {
        add(at..len);
    }
    regions.retain(|region| !region.is_empty());
    regions
}

/// The base's verdicts at a hit, moved to where the hit is now.
pub(super) fn candidates<'b>(
    base: &'b Trace,
    from: usize,
    to: usize,
    len: usize,
    reach: Reach,
) -> impl Iterator<Item = Candidate> + 'b {
    // Candidates are sorted by hit first.
    let first = base
        .candidates
        .partition_point(|candidate| candidate.hit < from);
    base.candidates[first..]
        .iter()
        .take_while(move |candidate| candidate.hit == from)
        .map(move |candidate| {
            let moved = |position: usize| position + to - from;
            Candidate {
                span: moved(candidate.span.start)..moved(candidate.span.end),
                window: to.saturating_sub(reach.before)..(to + reach.after).min(len),
                hit: to,
                ..candidate.clone()
            }
        })
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Copied, Hit, Trace};

    use super::{Reach, hits};

    #[test]
    fn a_hit_that_ended_with_its_content_is_found_anew_where_that_goes_on() {
        let hit = |at, len| Hit { at, len, slot: 0 };
        let base = Trace {
            len: 20,
            hits: vec![hit(2, 3), hit(3, 17), hit(17, 3)],
            ..Trace::default()
        };
        let reach = [Reach::default()];
        let inherited = |copied: &[Copied], len| {
            let found = hits(copied, &base, len, &reach);
            found.into_iter().map(|one| one.hit.at).collect::<Vec<_>>()
        };
        let whole = Copied {
            at: 0,
            from: 0,
            len: 20,
        };
        assert_eq!(inherited(&[whole], 20), [2, 3, 17]);
        assert_eq!(inherited(&[whole], 21), [2, 3]);
        assert_eq!(inherited(&[Copied { at: 5, ..whole }], 25), [7, 8, 22]);
    }
}
