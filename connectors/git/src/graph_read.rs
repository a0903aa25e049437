//! Reads the graph with several threads: which delta trees go together, and in which order
//! their results are joined, depends on the packs alone.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::{
    delta::Kind,
    graph::Graph,
    memory::Memory,
    pack::Pack,
    reader::Reader,
    repository::Repository,
    shard::{Shard, ShardVisit},
    sweep,
    walk::{Visit as _, Walker},
};

/// Shards are about this fraction of all compressed trees: enough to keep threads busy, few
/// enough that each name is interned a few dozen times only.
const SHARDS: u64 = 48;

enum Task {
    Pack {
        pack: usize,
        roots: Vec<(u32, bool)>,
        commits: bool,
    },
    Loose {
        from: usize,
        to: usize,
    },
}

/// Decodes every tree and commit of the store.
pub(crate) fn read(repo: &Repository, jobs: usize) -> Graph {
    for pack in &repo.store.packs {
        pack.prepare_find();
    }
    let tasks = tasks(repo);
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Vec<Shard>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, 64).min(tasks.len()) {
            scope.spawn(|| {
                loop {
                    let position = next.fetch_add(1, Relaxed);
                    let Some((_, task)) = tasks.get(position) else {
                        break;
                    };
                    let shards = run(repo, task);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((position, shards));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|&(position, _)| position);
    let shards = done.into_iter().flat_map(|(_, shards)| shards).collect();
    let known = repo.memory.as_ref().and_then(Memory::take_graph);
    if repo.memory.is_none() {
        repo.store.packs.iter().for_each(Pack::forget_plan);
    }
    Graph::join(known.unwrap_or_default(), shards, repo.store.len())
}

fn tasks(repo: &Repository) -> Vec<(u64, Task)> {
    let mut tasks = Vec::new();
    let known = repo.memory.as_ref().map_or(0, Memory::packs_in_graph);
    for pack in known..repo.store.packs.len() {
        let plan = &*sweep::plan(repo, pack);
        for kind in [Kind::Tree, Kind::Commit] {
            let mine = || {
                plan.roots.iter().filter(move |root| {
                    (plan.kind(root.entry) == kind.number() || root.thin)
                        && plan.needed[root.entry as usize] > 0
                })
            };
            let total: u64 = mine().map(|root| root.packed).sum();
            let enough = (total / SHARDS).max(1 << 18);
            let (mut roots, mut packed) = (Vec::new(), 0);
            for root in mine() {
                // A thin root's kind is its base's, which is looked up when it is read; both
                // rounds see it, and the one whose kind it is takes it.
                if root.packed >= enough {
                    let alone = vec![(root.entry, root.thin)];
                    let commits = kind == Kind::Commit;
                    tasks.push((
                        root.packed,
                        Task::Pack {
                            pack,
                            roots: alone,
                            commits,
                        },
                    ));
                    continue;
                }
                roots.push((root.entry, root.thin));
                packed += root.packed;
                if packed >= enough {
                    let roots = std::mem::take(&mut roots);
                    let commits = kind == Kind::Commit;
                    tasks.push((
                        packed,
                        Task::Pack {
                            pack,
                            roots,
                            commits,
                        },
                    ));
                    packed = 0;
                }
            }
            if !roots.is_empty() {
                tasks.push((
                    packed,
                    Task::Pack {
                        pack,
                        roots,
                        commits: kind == Kind::Commit,
                    },
                ));
            }
        }
    }
    let loose = repo.store.loose.len();
    for from in (0..loose).step_by(2000) {
        tasks.push((
            1 << 20,
            Task::Loose {
                from,
                to: (from + 2000).min(loose),
            },
        ));
    }
    tasks.sort_by_key(|&(packed, _)| std::cmp::Reverse(packed)); // stable: ties in pack order
    tasks
}

fn run(repo: &Repository, task: &Task) -> Vec<Shard> {
    match *task {
        Task::Pack {
            pack,
            ref roots,
            commits,
        } => {
            let plan = sweep::plan(repo, pack);
            let limit = repo.spec.object_limit;
            let mut walker = Walker::new(&repo.store.packs[pack], &plan, limit);
            let mut visit = ShardVisit::new(repo, Some(pack), commits);
            for &(root, thin) in roots {
                if !thin {
                    walker.root(root, &mut visit);
                    continue;
                }
                let wanted = if commits { Kind::Commit } else { Kind::Tree };
                match sweep::thin_base(repo, pack, root) {
                    Ok((kind, base)) if kind == wanted => {
                        walker.thin_root(root, base.bytes(), &mut visit);
                    }
                    Ok(_) => {}
                    Err(_) => visit.shard.damaged = true, // the sweep tells of it
                }
            }
            vec![visit.finish()]
        }
        Task::Loose { from, to } => {
            let mut reader = Reader::new(&repo.store);
            let mut trees = ShardVisit::new(repo, None, false);
            let mut commits = ShardVisit::new(repo, None, true);
            for index in from..to {
                let number = repo.store.loose_number(index);
                if repo
                    .memory
                    .as_ref()
                    .is_some_and(|memory| memory.is_settled(number))
                {
                    continue;
                }
                match reader.read(number) {
                    Ok((Kind::Tree, bytes)) => {
                        trees.number = number;
                        trees.whole(0, bytes.bytes());
                    }
                    Ok((Kind::Commit, bytes)) => {
                        commits.number = number;
                        commits.whole(0, bytes.bytes());
                    }
                    Ok(_) => {}
                    Err(_) => trees.shard.damaged = true, // the sweep tells of it
                }
            }
            vec![trees.finish(), commits.finish()]
        }
    }
}
