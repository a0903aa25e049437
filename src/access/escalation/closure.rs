//! Who reaches an administrator by some chain of ways. Lists of targets are shared by
//! principals with the same policies, so the cost is that of the distinct lists.

use std::collections::{HashMap, VecDeque};

use crate::access::condition::Tri;

use super::{ways::Found, world::Hits};

/// How a principal reaches every right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// It has it.
    Is,
    /// By a way, through somebody or by itself.
    By { path: u16, to: Option<u32> },
}

/// A list of targets, and who has it by which path.
type List<'f> = (&'f Hits, Vec<(u32, u16)>);

/// For each principal, the first step of a shortest chain whose steps are all at least as sure
/// as `least`.
pub(super) fn close(admins: &[Tri], found: &[Vec<Found>], least: Tri) -> Vec<Option<Step>> {
    let mut reached: Vec<Option<Step>> = vec![None; admins.len()];
    let mut queue: VecDeque<u32> = VecDeque::new();
    // Lists of targets, each once, with those who have it.
    let mut lists: Vec<List<'_>> = Vec::new();
    let mut known: HashMap<usize, usize> = HashMap::new();
    for (number, ways) in found.iter().enumerate() {
        if admins[number] >= least {
            reached[number] = Some(Step::Is);
            queue.push_back(number as u32);
            continue;
        }
        let by_itself = ways
            .iter()
            .find(|way| way.tri >= least && way.everything >= least);
        if let Some(way) = by_itself {
            reached[number] = Some(Step::By {
                path: way.path,
                to: way.all().map(|hit| hit.ix).find(|ix| *ix != number as u32),
            });
        }
        for way in ways.iter().filter(|way| way.tri >= least) {
            for hits in [&way.hits, &way.more] {
                if hits.is_empty() {
                    continue;
                }
                let address = std::sync::Arc::as_ptr(hits) as usize;
                let list = *known.entry(address).or_insert_with(|| {
                    lists.push((hits, Vec::new()));
                    lists.len() - 1
                });
                lists[list].1.push((number as u32, way.path));
            }
        }
    }
    // A principal with every right through another one's policies ends the chain itself.
    for (number, step) in reached.iter_mut().enumerate() {
        if let Some(Step::By { to, .. }) = step {
            *to = None;
            queue.push_back(number as u32);
        }
    }
    let mut holders: Vec<Vec<u32>> = vec![Vec::new(); admins.len()];
    for (list, (hits, _)) in (0..).zip(&lists) {
        for hit in hits.iter() {
            if hit.tri >= least {
                holders[hit.ix as usize].push(list);
            }
        }
    }
    let mut done = vec![false; lists.len()];
    while let Some(target) = queue.pop_front() {
        for &list in &holders[target as usize] {
            if done[list as usize] {
                continue;
            }
            done[list as usize] = true;
            for &(number, path) in &lists[list as usize].1 {
                if reached[number as usize].is_none() && number != target {
                    reached[number as usize] = Some(Step::By {
                        path,
                        to: Some(target),
                    });
                    queue.push_back(number);
                }
            }
        }
    }
    reached
}
