//! Rule files: read, checked, and used.
//!
//! Input: the text of a rule file; after a zero byte, what is searched with its rules.

use keymuster::engine::{self, Engine, RuleSet, Seal, shape};
use keymuster_api::{Candidate, Content, Fresh, Place, Spot, SystemId, Trace};

/// What became of a rule file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It cannot be read.
    Refused,
    /// It can, and a check complains.
    Faulty,
    /// Its rules hold what the engine relies on, and so many candidates were found.
    Sound(usize),
}

/// Reads a rule file, checks its rules and searches with them.
///
/// # Panics
/// If an error names no place, or sound rules lose what the oracle finds.
pub fn run(input: &[u8]) -> Outcome {
    let end = input.iter().position(|&byte| byte == 0);
    let (text, content) = input.split_at(end.unwrap_or(input.len()));
    let Ok(text) = std::str::from_utf8(text) else {
        return Outcome::Refused;
    };
    let rules = match RuleSet::read([("rules.toml", text)].into_iter()) {
        Ok(rules) => rules,
        Err(error) => {
            assert!(!error.message.is_empty() && error.file == "rules.toml");
            let line = text.split('\n').nth(error.line - 1);
            assert!(
                line.is_some_and(|line| error.column >= 1 && error.column <= line.len() + 1),
                "{error} is a place in the file"
            );
            return Outcome::Refused;
        }
    };
    let engine = Engine::new(rules, Seal::new([7; 32]));
    let is_sound = engine::check(&engine, &|_| true).is_empty();
    let rules = &engine.rules().rules;
    let hits = rules.iter().flat_map(|rule| rule.hits.iter()).take(8);
    let filled = hits.filter_map(|hit| shape::fill(hit, 3).ok());
    let mut found = 0;
    for text in filled.map(String::into_bytes).chain([content.to_vec()]) {
        let fast = told(search(&engine, &text, false));
        let oracle = told(search(&engine, &text, true));
        found += oracle.len();
        assert!(
            !is_sound || fast == oracle,
            "sound rules find {} by their lanes and {} without: {:?}",
            fast.len(),
            oracle.len(),
            oracle
                .iter()
                .chain(&fast)
                .map(|one| (one.rule, one.span.clone()))
                .collect::<Vec<_>>()
        );
    }
    if is_sound {
        Outcome::Sound(found)
    } else {
        Outcome::Faulty
    }
}

fn search(engine: &Engine, bytes: &[u8], whole: bool) -> Trace {
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
        fresh: Fresh::Everything,
    };
    if whole {
        engine.search_whole(&content)
    } else {
        engine.search(&content)
    }
}

fn told(trace: Trace) -> Vec<Candidate> {
    let mut told = trace.candidates;
    for candidate in &mut told {
        // How far a verdict looked may differ.
        candidate.window = candidate.span.clone();
    }
    told.sort_by_key(|candidate| (candidate.hit, candidate.rule, candidate.span.start));
    told.dedup();
    told
}
