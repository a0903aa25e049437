//! The same findings, derived again from what a bundle holds.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Bundle, EvidenceError,
    bundle::{BEFORE, FACTS, RUN},
    facts::read_facts,
    results::{FINDINGS, results},
};
use crate::{
    audit::{Exceptions, KindAdvice, Policy},
    judgement::{Case, Earlier, Ground, judge},
    ledger::{self, Copied, Kept, Ledger},
    report::{Document, DocumentInput, FindingEntry, RunFacts, Timings},
};

/// What a replay came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The files that came out otherwise, with the first line that differs.
    pub differences: Vec<(String, usize)>,
    /// The root with the derived files in the place of the stored ones.
    pub root: [u8; 32],
    /// How many findings were derived.
    pub findings: usize,
}

/// The estate's key at work: HMAC-SHA-256 of a text.
pub type Sealing<'a> = dyn Fn(&[u8]) -> [u8; 32] + 'a;

/// Derives a bundle's results from its facts. `seal` is the estate's key where it is at hand;
/// without it, findings take the ids that the bundle gives to the same check and subject.
///
/// # Errors
/// When a file cannot be read, or the checks contradict themselves.
pub fn replay(
    bundle: &Bundle,
    kinds: BTreeMap<String, KindAdvice>,
    seal: Option<&Sealing<'_>>,
) -> Result<Replayed, EvidenceError> {
    let record = bundle.record()?;
    let bad = |file: &str, why: String| EvidenceError::Content {
        file: file.to_owned(),
        why,
    };
    let now: Timestamp = record
        .now
        .parse()
        .map_err(|_| bad(RUN, format!("'{}' is no time", record.now)))?;
    let mut facts = read_facts(bundle.file(FACTS)?)?;
    let settings = &record.settings;
    let mut policy = Policy::preset(&settings.preset).map_err(|why| bad(RUN, why.to_string()))?;
    if let Some(file) = &settings.policy {
        policy = Policy::from_toml(&file.text, &policy).map_err(|why| bad(RUN, why.to_string()))?;
    }
    let exceptions = settings.exceptions.as_ref();
    let exceptions = exceptions
        .map(|file| Exceptions::from_toml(&file.text, &file.name))
        .transpose()
        .map_err(|why| bad(RUN, why.to_string()))?;
    let ground = Ground {
        policy,
        exceptions,
        inventory: settings.has_inventory.then_some(facts.inventory),
        people: settings.has_people.then_some(facts.people),
        context: facts.context.pop().unwrap_or_default(),
        catalogue: facts.catalogue.pop().unwrap_or_default(),
        confirmations: facts.confirmations.pop().unwrap_or_default(),
        kinds,
        now,
    };
    let before: Vec<Copied> = rows(bundle, BEFORE)?;
    let mut ledger = Ledger::from_copy(&before)?;
    let earlier = Earlier {
        first_exposed: ledger.first_exposed()?,
        history: ledger.history()?,
    };
    let case = Case::new(facts.gathered, &ground);
    let cx = case.cx(&ground, &earlier);
    let stored = Stored::new(rows(bundle, FINDINGS)?);
    let from_bundle = |message: &[u8]| stored.mac(message);
    let mut judged = judge(&cx, seal.unwrap_or(&from_bundle)).map_err(EvidenceError::Judgement)?;
    let run = ledger::RunFacts {
        id: record.id.clone(),
        at: now,
        now,
        tool: String::new(),
        complete: true,
        key_id: record.key_id.clone(),
    };
    let changes = ledger.settle::<EvidenceError>(
        &run,
        &cx,
        &mut judged,
        ground.exceptions.as_ref(),
        |_, _| Ok(Kept::default()),
    )?;
    let document = Document::build(&DocumentInput {
        run: &RunFacts {
            id: record.id.clone(),
            estate: record.estate.clone(),
            now,
            key_id: Some(record.key_id.clone()),
            ephemeral: false,
            tool_version: record.tool.clone(),
            facts: record.facts.clone(),
        },
        estate: &case.estate,
        inventory: ground.inventory.as_ref(),
        matches: &case.matches,
        findings: &judged.findings,
        populations: &judged.population,
        kinds: &ground.kinds,
        timings: &Timings::default(),
    });
    let mut derived = bundle.clone();
    let mut differences = Vec::new();
    for (name, bytes) in results(&document, &changes.notes) {
        let stored = bundle.file(&name)?;
        if stored != bytes {
            differences.push((name.clone(), first_difference(stored, &bytes)));
        }
        derived.files.insert(name, bytes);
    }
    Ok(Replayed {
        differences,
        root: derived.root(),
        findings: document.findings.len(),
    })
}

/// The number of the first line that differs, from 1.
fn first_difference(stored: &[u8], derived: &[u8]) -> usize {
    let lines = |bytes| <[u8]>::split(bytes, |byte| *byte == b'\n');
    let same = lines(stored)
        .zip(lines(derived))
        .take_while(|(a, b)| a == b);
    same.count() + 1
}

fn rows<T: serde::de::DeserializeOwned>(
    bundle: &Bundle,
    file: &str,
) -> Result<Vec<T>, EvidenceError> {
    let rows = serde_json::Deserializer::from_slice(bundle.file(file)?).into_iter();
    rows.collect::<Result<_, _>>()
        .map_err(|error| EvidenceError::Content {
            file: file.to_owned(),
            why: error.to_string(),
        })
}

/// The ids that a bundle gives, by what they are made from.
struct Stored(BTreeMap<Vec<u8>, [u8; 32]>);

impl Stored {
    fn new(findings: Vec<FindingEntry>) -> Stored {
        let macs = findings.iter().filter_map(|finding| {
            let word = finding.finding_id.strip_prefix("KM-")?;
            let bytes = data_encoding::BASE32_NOPAD.decode(word.as_bytes()).ok()?;
            let mut mac = [0; 32];
            mac.get_mut(..bytes.len())?.copy_from_slice(&bytes);
            let message = [finding.check.as_bytes(), &[0], finding.subject.as_bytes()].concat();
            Some((message, mac))
        });
        Stored(macs.collect())
    }

    /// Of what the bundle does not know: a name that tells so, and nothing else.
    fn mac(&self, message: &[u8]) -> [u8; 32] {
        let unknown = || super::merkle::digest(message);
        self.0.get(message).copied().unwrap_or_else(unknown)
    }
}
