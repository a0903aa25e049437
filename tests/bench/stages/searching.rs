//! Stages of the engine, each by a content in which it does nearly all the work.
//!
//! What the engine has inside stays there: the price of a stage is that of its content less that
//! of `lanes`, which every content pays.

use std::sync::LazyLock;

use divan::{Bencher, black_box, counter::BytesCount, counter::ItemsCount};
use keymuster::engine::{Engine, RuleSet, Seal, shape};
use keymuster_api::{Content, Fresh, Place, Spot, SystemId, Trace};

use crate::inputs::{self, Random};

/// All rules of the program, their patterns compiled by a first search.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let engine = Engine::new(RuleSet::embedded().unwrap(), Seal::new([3; 32]));
    search(&engine, &shapes(&engine), Fresh::Everything);
    engine
});

fn search(engine: &Engine, bytes: &[u8], fresh: Fresh<'_>) -> Trace {
    let place = Place {
        system: SystemId(0),
        resource: 0,
        spot: Spot::Object {
            address: String::new(),
        },
    };
    engine.search(&Content {
        place: &place,
        bytes,
        origin: Default::default(),
        class: None,
        fresh,
    })
}

/// One credential for each rule, a line each, 400 bytes of code between them.
fn shapes(engine: &Engine) -> Vec<u8> {
    let mut text = Vec::new();
    for (seed, rule) in (0u64..).zip(&engine.rules().rules) {
        if let Some(hit) = rule.hits.first() {
            text.extend(shape::fill(hit, seed).unwrap().into_bytes());
            text.push(b'\n');
            text.extend(inputs::code(seed, 400));
        }
    }
    text
}

/// The token lane with its masks, the run lane, the anchor lane, layers: code without a hit.
#[divan::bench]
fn lanes(bencher: Bencher<'_, '_>) {
    let code = inputs::code(1, 1 << 20);
    let trace = search(&ENGINE, &code, Fresh::Everything);
    assert!(trace.candidates.is_empty() && trace.hits.len() < 100);
    bencher
        .counter(BytesCount::new(code.len()))
        .bench_local(|| black_box(search(&ENGINE, &code, Fresh::Everything)));
}

/// Patterns tried at hits, proofs, and sealing: a credential of every rule.
#[divan::bench]
fn confirm(bencher: Bencher<'_, '_>) {
    let text = shapes(&ENGINE);
    let found = search(&ENGINE, &text, Fresh::Everything).candidates.len();
    assert!(found > 1000);
    bencher
        .counter(BytesCount::new(text.len()))
        .counter(ItemsCount::new(found))
        .bench_local(|| black_box(search(&ENGINE, &text, Fresh::Everything)));
}

/// Names and values read and judged: assignments whose name alone says what they are.
#[divan::bench]
fn judge(bencher: Bencher<'_, '_>) {
    let mut random = Random(5);
    let names = [
        "db_password",
        "passwordHint",
        "admin_pass",
        "secret_key",
        "token_url",
        "api_secret",
    ];
    let mut text = Vec::new();
    for line in 0..1000u64 {
        let value = match random.below(3) {
            0 => shape::fill("{alnum:20}", line).unwrap(),
            1 => "read_from_environment(name)".to_owned(),
            _ => "changeme".to_owned(),
        };
        let name = names[random.below(names.len())];
        text.extend(format!("{name} = \"{value}\"\n").into_bytes());
        text.extend(inputs::code(line, 100));
    }
    let hits = search(&ENGINE, &text, Fresh::Everything).hits.len();
    assert!(hits >= 1000);
    bencher
        .counter(BytesCount::new(text.len()))
        .counter(ItemsCount::new(hits))
        .bench_local(|| black_box(search(&ENGINE, &text, Fresh::Everything)));
}

/// A version of code with ten edits: what was copied is taken over.
#[divan::bench]
fn inherit(bencher: Bencher<'_, '_>) {
    let base = shapes(&ENGINE);
    let trace = search(&ENGINE, &base, Fresh::Everything);
    let (version, copied) = inputs::edit(&base, 9, 10);
    let fresh = Fresh::Only {
        copied: &copied,
        base: &trace,
    };
    let found = search(&ENGINE, &version, fresh).candidates.len();
    assert_eq!(
        found,
        search(&ENGINE, &version, Fresh::Everything)
            .candidates
            .len()
    );
    bencher
        .counter(BytesCount::new(version.len()))
        .bench_local(|| black_box(search(&ENGINE, &version, fresh)));
}

/// Text that is peeled: base64 of code, in lines of 4,000.
#[divan::bench]
fn layers(bencher: Bencher<'_, '_>) {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let mut text = Vec::new();
    for seed in 0..64 {
        text.extend(
            BASE64_STANDARD
                .encode(inputs::code(seed, 3000))
                .into_bytes(),
        );
        text.push(b'\n');
    }
    assert!(search(&ENGINE, &text, Fresh::Everything).hits.len() >= 64);
    bencher
        .counter(BytesCount::new(text.len()))
        .bench_local(|| black_box(search(&ENGINE, &text, Fresh::Everything)));
}
