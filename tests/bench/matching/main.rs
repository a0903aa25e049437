//! How well credentials are matched with records: a company by lot, of which the truth is known.
//!
//!     matching [SEED] [CREDENTIALS]
//!
//! Prints precision and recall of what is matched by itself, how often the right record is among
//! the three nearest of what is not, by case; and how long reading and matching took.

#![allow(clippy::print_stdout, reason = "a table for people")]

mod cases;
mod dice;
mod estate;
mod register;

use std::{collections::BTreeMap, error::Error, time::Instant};

use cases::{Company, Truth};
use keymuster::{
    estate::{Estate, resolve},
    inventory::{Inventory, InventorySpec, Matches, read, reconcile},
};
use keymuster_api::{Redaction, Redactor, SecretId};

/// No cell of these registers is a secret.
struct Nothing;

impl Redactor for Nothing {
    fn redact(&self, _text: &str) -> Vec<Redaction> {
        Vec::new()
    }

    fn seal(&self, _secret: &[u8]) -> SecretId {
        SecretId([0; 16])
    }
}

/// How one case came out.
#[derive(Default)]
struct Tally {
    credentials: usize,
    right: usize,
    wrong: usize,
    strong: usize,
    strong_right: usize,
    suggested: usize,
    suggested_right: usize,
    silent: usize,
    negatives: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let seed = args.next().map_or(Ok(1), |text| text.parse::<u64>())?;
    let credentials = args
        .next()
        .map_or(Ok(50_000), |text| text.parse::<usize>())?;
    let company = Company::new(seed, credentials);
    let began = Instant::now();
    let mut parts = Vec::new();
    for (precedence, (lines, german)) in (1..).zip(company.registers.iter().zip([false, true])) {
        let spec = InventorySpec {
            name: format!("register {precedence}"),
            file_label: format!("register-{precedence}.csv"),
            precedence,
            ..InventorySpec::default()
        };
        let text = register::csv(lines, german);
        parts.push((precedence, read(&spec, text.as_bytes(), &Nothing)?));
    }
    let inventory = Inventory::merge(parts);
    let reading = began.elapsed();
    let began = Instant::now();
    let estate = resolve(company.world.gathered);
    let resolving = began.elapsed();
    let began = Instant::now();
    let matches = reconcile(&estate, &inventory);
    let matching = began.elapsed();
    let tallies = tally(&estate, &inventory, &matches, &company.truth);
    show(&tallies);
    println!(
        "seed {seed}: {} credentials, {} records; read {} ms, joined {} ms, matched {} ms",
        estate.credentials.len(),
        inventory.records.len(),
        reading.as_millis(),
        resolving.as_millis(),
        matching.as_millis()
    );
    Ok(())
}

fn tally(
    estate: &Estate,
    inventory: &Inventory,
    matches: &Matches,
    truth: &BTreeMap<String, Truth>,
) -> BTreeMap<&'static str, Tally> {
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    for (index, credential) in estate.credentials.iter().enumerate() {
        let subject = estate.text(credential.subject);
        let Some(truth) = truth.get(subject) else {
            println!("no truth about {subject}");
            continue;
        };
        // Registers that were merged keep the id of the first; the others stand beside it.
        let right = |record: u32| {
            let record = &inventory.records[record as usize];
            truth.records.contains(&record.id)
        };
        let tally = tallies.entry(truth.case).or_default();
        tally.credentials += 1;
        tally.strong += usize::from(truth.strong);
        match &matches.accepted[index] {
            Some(accepted) if right(accepted.record) => {
                tally.right += 1;
                tally.strong_right += usize::from(truth.strong);
            }
            Some(accepted) => {
                tally.wrong += 1;
                if tally.wrong <= 2 {
                    let record = &inventory.records[accepted.record as usize];
                    println!(
                        "wrong: {subject} ({}) is {} by {}",
                        truth.case, record.id, accepted.because
                    );
                }
            }
            None if truth.records.is_empty() => tally.silent += 1,
            None => {
                tally.suggested += 1;
                let near = matches.nearest[index].iter().take(3);
                tally.suggested_right +=
                    usize::from(near.into_iter().any(|near| right(near.record)));
            }
        }
        tally.negatives += usize::from(truth.records.is_empty());
    }
    tallies
}

fn show(tallies: &BTreeMap<&'static str, Tally>) {
    let share = |part: usize, whole: usize| match whole {
        0 => "-".to_owned(),
        _ => format!("{:.4}", part as f64 / whole as f64),
    };
    println!(
        "{:<40} {:>7} {:>7} {:>6} {:>9} {:>9}",
        "case", "pairs", "matched", "wrong", "recall", "in three"
    );
    let mut all = Tally::default();
    for (case, one) in tallies {
        println!(
            "{case:<40} {:>7} {:>7} {:>6} {:>9} {:>9}",
            one.credentials,
            one.right,
            one.wrong,
            share(one.strong_right, one.strong),
            share(one.suggested_right, one.suggested)
        );
        all.credentials += one.credentials;
        all.right += one.right;
        all.wrong += one.wrong;
        all.strong += one.strong;
        all.strong_right += one.strong_right;
        all.suggested += one.suggested;
        all.suggested_right += one.suggested_right;
        all.silent += one.silent;
        all.negatives += one.negatives;
    }
    println!(
        "precision {} of {} matched; recall {} of {} with a key of rank 1 to 4; right record among three {} of {}; unmatched and unrecorded {} of {}",
        share(all.right, all.right + all.wrong),
        all.right + all.wrong,
        share(all.strong_right, all.strong),
        all.strong,
        share(all.suggested_right, all.suggested),
        all.suggested,
        all.silent,
        all.negatives
    );
}
