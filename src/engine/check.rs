//! `rules check`: proves of every rule what the engine relies on.

use keymuster_api::{Content, Fresh, Place, Spot, SystemId};

use super::{
    lane_proof,
    rule::{Lane, Rule},
    search::Engine,
    shape,
};

/// Something wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The rule's id.
    pub rule: String,
    /// File and line.
    pub source: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Seeds each shape is filled with.
const SEEDS: u64 = 8;

/// Checks every rule: patterns compile, every hit is found by the lanes (and as the oracle
/// finds it), no miss is, kinds exist.
pub fn check(engine: &Engine, kind_exists: &dyn Fn(&str) -> bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, rule) in (0u32..).zip(&engine.rules().rules) {
        let mut fault = |message: String| {
            faults.push(Fault {
                rule: rule.id.to_string(),
                source: rule.source.to_string(),
                message,
            });
        };
        if let Err(message) = rule.compile() {
            fault(message);
            continue;
        }
        if let Err(message) = lane_proof::prove(rule) {
            fault(message);
        }
        if !kind_exists(&rule.kind) {
            fault(format!("kind '{}' is not in kinds.toml; add it", rule.kind));
        }
        if rule.hits.is_empty() {
            fault("no `hit`: give at least one shape that must match".to_owned());
        }
        for text in rule.hits.iter() {
            for seed in 0..SEEDS {
                match shape::fill(text, seed) {
                    Err(error) => {
                        fault(format!("hit '{text}': {error}"));
                        break;
                    }
                    Ok(filled) => {
                        if let Err(message) = must_match(engine, rule, number, &filled) {
                            fault(format!("hit '{text}' with seed {seed}: {message}"));
                            break;
                        }
                    }
                }
            }
        }
        for text in rule.misses.iter() {
            for seed in 0..SEEDS {
                match shape::fill(text, seed) {
                    Err(error) => {
                        fault(format!("miss '{text}': {error}"));
                        break;
                    }
                    Ok(filled) if found(engine, rule, number, &filled, false) > 0 => {
                        fault(format!(
                            "miss '{text}' with seed {seed} is found; narrow the pattern or drop the miss"
                        ));
                        break;
                    }
                    Ok(_) => {}
                }
            }
        }
    }
    faults
}

/// A content as the rule wants it: named rules see their file name.
fn found(engine: &Engine, rule: &Rule, number: u32, text: &str, whole: bool) -> usize {
    let path = match &rule.lane {
        Lane::Name(names) => names
            .first()
            .map_or_else(String::new, |name| name.replace('*', "x")),
        _ => "src/file".to_owned(),
    };
    let place = Place {
        system: SystemId(0),
        resource: 0,
        spot: Spot::File {
            path: path.as_str().into(),
        },
    };
    let content = Content {
        place: &place,
        bytes: text.as_bytes(),
        origin: Default::default(),
        class: None,
        fresh: Fresh::Everything,
    };
    let trace = if whole {
        engine.search_whole_with(&content, number..number + 1)
    } else {
        engine.search(&content)
    };
    trace
        .candidates
        .iter()
        .filter(|candidate| candidate.rule == number)
        .count()
}

fn must_match(engine: &Engine, rule: &Rule, number: u32, text: &str) -> Result<(), String> {
    let whole = found(engine, rule, number, text, true);
    if whole == 0 {
        return Err("is not found by the pattern; look at pattern, checksum, entropy and judge with `keymuster rules test`".to_owned());
    }
    let fast = found(engine, rule, number, text, false);
    if fast != whole {
        return Err(format!(
            "lanes find {fast} of {whole}; does the match begin with one of the literals?"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Engine, check};
    use crate::engine::{RuleSet, Seal};

    #[test]
    fn every_embedded_rule_holds_what_the_engine_relies_on() {
        let rules = RuleSet::embedded().expect("embedded rules read");
        let engine = Engine::new(rules, Seal::new([1; 32]));
        let kinds = crate::catalogue::Kinds::embedded();
        let faults = check(&engine, &|kind| kinds.get(kind).is_some());
        assert!(faults.is_empty(), "{} faults: {faults:#?}", faults.len());
    }
}
