//! The law: the fast engine, which searches only fresh bytes and inherits the rest, finds what
//! the oracle finds, for every shipped rule and whatever is edited.

use keymuster::engine::{Engine, RuleSet, Seal, shape};
use keymuster_api::{Candidate, Content, Copied, Fresh, Hit, Place, Spot, SystemId, Trace};
use proptest::{
    prelude::{ProptestConfig, any, prop, proptest},
    test_runner::TestCaseError,
};

use crate::world::{World, has_git};

fn engine() -> &'static Engine {
    static ENGINE: std::sync::OnceLock<Engine> = std::sync::OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(RuleSet::embedded().expect("rules"), Seal::new([5; 32])))
}

/// Every shape of every rule.
fn shapes() -> Vec<String> {
    let rules = &engine().rules().rules;
    rules
        .iter()
        .flat_map(|rule| rule.hits.iter())
        .map(|hit| hit.to_string())
        .collect()
}

/// Text between the secrets: what code and configuration look like, and pieces that lanes stop at.
const FILLERS: &[&str] = &[
    "\n",
    " ",
    "=",
    "\"",
    "let value = compute(a, b);\n",
    "# a comment about the token\n",
    "x",
    "password",
    "AKIA",
    "-----BEGIN ",
    "https://",
    "0123456789abcdef0123456789abcdef",
    "_",
    "-",
    "secret: ",
    "\u{0}",
    "é",
    "{\n  \"key\": \"",
    "end\n\n",
    "ghp_",
];

/// A version made from another: pieces of it and new text, with what was copied.
fn edit(base: &[u8], cuts: &[(u16, u16)], insert: &[Vec<u8>]) -> (Vec<u8>, Vec<Copied>) {
    let mut out = Vec::new();
    let mut copied: Vec<Copied> = Vec::new();
    for (index, &(from, len)) in cuts.iter().enumerate() {
        if !base.is_empty() {
            let from = usize::from(from) % base.len();
            let len = usize::from(len).min(base.len() - from);
            if len > 0 {
                let at = out.len();
                out.extend_from_slice(&base[from..from + len]);
                match copied.last_mut() {
                    // What the connector merges too.
                    Some(last) if last.at + last.len == at && last.from + last.len == from => {
                        last.len += len;
                    }
                    _ => copied.push(Copied { at, from, len }),
                }
            }
        }
        if let Some(text) = insert.get(index) {
            out.extend_from_slice(text);
        }
    }
    (out, copied)
}

fn told(trace: &Trace) -> Vec<Candidate> {
    let mut told = trace.candidates.clone();
    for candidate in &mut told {
        // How far a verdict looked may be told more widely by the one that inherits.
        candidate.window = candidate.span.clone();
    }
    told.sort_by_key(|candidate| (candidate.hit, candidate.rule, candidate.span.start));
    told.dedup();
    told
}

fn search(bytes: &[u8], fresh: Fresh<'_>, whole: bool) -> Trace {
    let place = Place {
        system: SystemId(0),
        resource: 0,
        spot: Spot::Object {
            address: String::new(),
        },
    };
    let content = Content {
        place: &place,
        bytes,
        origin: Default::default(),
        class: None,
        fresh,
    };
    if whole {
        engine().search_whole(&content)
    } else {
        engine().search(&content)
    }
}

/// Pieces of a text: fillers and filled shapes.
fn text(picks: &[(bool, u16, u64)], shapes: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    for &(is_filler, pick, seed) in picks {
        let pick = usize::from(pick);
        if is_filler {
            out.extend_from_slice(FILLERS[pick % FILLERS.len()].as_bytes());
        } else {
            let shape = &shapes[pick % shapes.len()];
            out.extend_from_slice(shape::fill(shape, seed % 64).expect("a shape").as_bytes());
        }
    }
    out
}

fn compare(name: &str, fast: &Trace, oracle: &Trace, bytes: &[u8]) -> Result<(), TestCaseError> {
    let (fast, oracle) = (told(fast), told(oracle));
    if fast == oracle {
        return Ok(());
    }
    let rules = &engine().rules().rules;
    let show = |some: &[Candidate], others: &[Candidate]| -> Vec<String> {
        some.iter()
            .filter(|one| !others.contains(one))
            .map(|one| format!("{} at {:?}", rules[one.rule as usize].id, one.span))
            .collect()
    };
    Err(TestCaseError::fail(format!(
        "{name}: only fast {:?}, only the oracle {:?}, in {} bytes",
        show(&fast, &oracle),
        show(&oracle, &fast),
        bytes.len(),
    )))
}

/// Each shape alone, in surroundings of its own: no rule is left out by chance.
#[test]
fn every_rule_is_found_by_its_lane_where_the_oracle_finds_it() {
    for (index, shape) in shapes().iter().enumerate() {
        let seed = index as u64;
        let filled = shape::fill(shape, seed).expect("a shape");
        let before = FILLERS[index % FILLERS.len()];
        let after = FILLERS[(index / 3) % FILLERS.len()];
        let text = format!("{before}{filled}{after}");
        let fast = search(text.as_bytes(), Fresh::Everything, false);
        let oracle = search(text.as_bytes(), Fresh::Everything, true);
        compare(shape, &fast, &oracle, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn versions_inherit_what_the_oracle_finds(
        first in prop::collection::vec((any::<bool>(), any::<u16>(), any::<u64>()), 1..24),
        edits in prop::collection::vec((
            prop::collection::vec((any::<u16>(), 0u16..600), 1..5),
            prop::collection::vec(prop::collection::vec((any::<bool>(), any::<u16>(), any::<u64>()), 0..3), 0..4),
        ), 1..5),
    ) {
        let shapes = shapes();
        let mut base = text(&first, &shapes);
        let mut trace = search(&base, Fresh::Everything, false);
        compare("the first version", &trace, &search(&base, Fresh::Everything, true), &base)?;
        for (cuts, inserts) in edits {
            let inserts: Vec<Vec<u8>> = inserts.iter().map(|picks| text(picks, &shapes)).collect();
            let (version, copied) = edit(&base, &cuts, &inserts);
            if copied.is_empty() {
                continue;
            }
            let fresh = Fresh::Only { copied: &copied, base: &trace };
            let fast = search(&version, fresh, false);
            compare("a later version", &fast, &search(&version, Fresh::Everything, true), &version)?;
            // Hits must be those of a fresh search too, or the next version would inherit less.
            let whole = search(&version, Fresh::Everything, false);
            if fast.hits != whole.hits {
                let only = |some: &[Hit], others: &[Hit]| -> Vec<Hit> {
                    some.iter().filter(|hit| !others.contains(hit)).copied().collect()
                };
                return Err(TestCaseError::fail(format!(
                    "inherited hits differ from those of a fresh search: only inherited {:?}, only fresh {:?}, copied {copied:?}",
                    only(&fast.hits, &whole.hits),
                    only(&whole.hits, &fast.hits),
                )));
            }
            (base, trace) = (version, fast);
        }
    }
}

/// The same through packs that the real git made, with deltas of various depths and windows, and
/// through the whole program: every place in every version.
#[test]
fn packs_of_the_real_git_give_what_the_oracle_finds() {
    if !has_git() {
        return;
    }
    let shapes = shapes();
    let per_repository = 60;
    for (number, chunk) in shapes.chunks(per_repository * 8).enumerate() {
        // A sample of each chunk; its seed moves with the chunk.
        let world = World::new();
        let mut lines: Vec<String> = (0..40)
            .map(|line| format!("line {line} of {number}\n"))
            .collect();
        let planted: Vec<&String> = chunk.iter().step_by(8).collect();
        for version in 0..12usize {
            for (index, shape) in planted.iter().enumerate() {
                if index % 12 == version {
                    let filled = shape::fill(shape, (number + index) as u64).expect("a shape");
                    let at = (index * 7 + version * 3) % lines.len();
                    lines.insert(at, format!("{filled}\n"));
                } else if index % 12 == (version + 5) % 12 && lines.len() > 45 {
                    lines.remove((index * 5) % lines.len());
                }
            }
            world.write("repo/src/settings.txt", lines.concat());
            let date = format!("2024-03-{:02}T12:00:00Z", version + 1);
            world.commit_all("repo", &date, "next");
        }
        for pack in [
            ["-adfq", "--depth=50", "--window=10"],
            ["-adfq", "--depth=3", "--window=50"],
        ] {
            let offsets = if pack[1] == "--depth=3" {
                "false"
            } else {
                "true"
            };
            world.git("repo", &["config", "repack.useDeltaBaseOffset", offsets]);
            let mut repack = vec!["repack"];
            repack.extend(pack);
            world.git("repo", &repack);
            let run = |engine: &str| {
                let args = [
                    "--state",
                    "state",
                    "scan",
                    "repo",
                    "-q",
                    "--format",
                    "jsonl",
                    "--every-version",
                    "--engine",
                    engine,
                ];
                world.run(&args)
            };
            world.run(&["--state", "state", "key", "new"]);
            let (fast, oracle) = (run("fast"), run("whole"));
            assert_eq!(fast.code, 1, "{}", fast.stderr);
            assert!(
                fast.stdout == oracle.stdout,
                "chunk {number}, {pack:?}: {} lines and {} lines",
                fast.stdout.lines().count(),
                oracle.stdout.lines().count()
            );
        }
    }
}

#[test]
fn in_binary_files_a_word_nearby_is_no_evidence() {
    let rules = &engine().rules().rules;
    let rule = rules
        .iter()
        .find(|rule| &*rule.id == "generic.key")
        .expect("a rule of the run lane");
    let hit = &rule.hits[0];
    let text = shape::fill(hit, 1).expect("shape").into_bytes();
    for (bytes, is_told) in [(text.clone(), true), ([&text[..], b"\n\0"].concat(), false)] {
        for whole in [false, true] {
            let told = search(&bytes, Fresh::Everything, whole).candidates;
            assert_eq!(
                told.iter()
                    .any(|found| &*rules[found.rule as usize].id == "generic.key"),
                is_told
            );
        }
    }
}
