//! Layers end to end: tokens made at run time, wrapped in encodings, found through the engine.

use std::io::Write as _;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use keymuster_api::{Candidate, Content, Copied, Fresh, Place, Spot, SystemId, Trace};
use proptest::prelude::{ProptestConfig, Strategy, prop, prop_assert_eq, prop_oneof, proptest};

use super::{sees_encoded, sees_escaped};
use crate::engine::{Engine, RuleSet, Seal, shape};

fn engine() -> &'static Engine {
    static ENGINE: std::sync::OnceLock<Engine> = std::sync::OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(RuleSet::embedded().expect("rules"), Seal::new([1; 32])))
}

fn token(seed: u64) -> String {
    shape::fill("{github-token:ghp_}", seed).expect("shape")
}

fn place() -> Place {
    Place {
        system: SystemId(0),
        resource: 0,
        spot: Spot::Object {
            address: String::new(),
        },
    }
}

fn search(bytes: &[u8], fresh: Fresh<'_>, whole: bool) -> Trace {
    let place = place();
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

/// What is told: rule, layers, and the bytes outside.
fn told(bytes: &[u8]) -> Vec<(String, Vec<String>, Vec<u8>)> {
    told_at(bytes, None)
}

fn told_at(bytes: &[u8], path: Option<&[u8]>) -> Vec<(String, Vec<String>, Vec<u8>)> {
    let trace = search(bytes, Fresh::Everything, false);
    let rules = &engine().rules().rules;
    engine()
        .winners(&trace.candidates, path)
        .into_iter()
        .map(|candidate| {
            (
                rules[candidate.rule as usize].id.to_string(),
                candidate.details.decoded.clone(),
                bytes[candidate.span.clone()].to_vec(),
            )
        })
        .collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn every_byte(text: &str, format: impl Fn(u8) -> String) -> String {
    text.bytes().map(format).collect()
}

/// Text around a token that lets an encoded whole begin with text.
fn around(token: &str) -> String {
    format!("export GITHUB_TOKEN={token}\n")
}

#[test]
fn each_layer_is_peeled_off_and_named() {
    let token = token(1);
    let text = around(&token);
    let wrap = |text: &str, width: usize, feed: &str| {
        let lines: Vec<&str> = (0..text.len())
            .step_by(width)
            .map(|at| &text[at..text.len().min(at + width)])
            .collect();
        lines.join(feed)
    };
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let base64 = BASE64.encode(text.as_bytes());
    for (content, layers) in [
        (format!("value: {base64}"), vec!["base64"]),
        (
            format!("value: {}", BASE64.encode(token.as_bytes())),
            vec!["base64"],
        ),
        (
            format!("u={}", BASE64URL_NOPAD.encode(text.as_bytes())),
            vec!["base64"],
        ),
        (
            wrap(&BASE64.encode(text.as_bytes()), 60, "\n  "),
            vec!["base64"],
        ),
        (format!("\"{}\"", wrap(&base64, 76, "\\n")), vec!["base64"]),
        (
            format!("x'{}'", HEXLOWER.encode(text.as_bytes())),
            vec!["hex"],
        ),
        (HEXUPPER.encode(text.as_bytes()), vec!["hex"]),
        (format!("https://h/?q=token%3D{token}%26b"), vec!["percent"]),
        (every_byte(&token, |b| format!("%{b:02X}")), vec!["percent"]),
        (
            format!("k = \"{}\"", every_byte(&token, |b| format!("\\u{b:04x}"))),
            vec!["unicode"],
        ),
        (
            format!("k = '{}'", every_byte(&token, |b| format!("\\x{b:02x}"))),
            vec!["unicode"],
        ),
        (every_byte(&token, |b| format!("&#{b};")), vec!["html"]),
        (every_byte(&token, |b| format!("&#x{b:X};")), vec!["html"]),
        (
            format!("powershell -enc {}", BASE64.encode(&wide)),
            vec!["base64", "utf-16"],
        ),
        (
            format!("d: {}", BASE64.encode(&gzip(text.as_bytes()))),
            vec!["base64", "gzip"],
        ),
        (
            format!("d: {}", BASE64.encode(base64.as_bytes())),
            vec!["base64", "base64"],
        ),
        (
            format!(
                "d: {}",
                BASE64.encode(BASE64.encode(&gzip(text.as_bytes())).as_bytes())
            ),
            vec!["base64", "base64", "gzip"],
        ),
    ] {
        let found = told(content.as_bytes());
        assert!(
            found
                .iter()
                .any(|(rule, names, _)| rule == "github.pat" && *names == layers),
            "{layers:?}: {found:?}"
        );
        let tokens = found.iter().filter(|(rule, ..)| rule == "github.pat");
        assert_eq!(tokens.count(), 1, "{layers:?}: {found:?}");
    }
}

#[test]
fn whole_contents_in_wide_encodings_are_named() {
    let token = token(2);
    let text = around(&token);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let utf32: Vec<u8> = text
        .chars()
        .flat_map(|c| u32::from(c).to_le_bytes())
        .collect();
    for (bytes, name, unit) in [(utf16, "utf-16", 2), (utf32, "utf-32", 4)] {
        let found = told(&bytes);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!(found[0].1, [name]);
        assert_eq!(found[0].2.len(), token.len() * unit, "{name}");
    }
}

#[test]
fn spans_stand_where_the_encoded_bytes_stand() {
    let token = token(3);
    let text = format!("abc {token} xyz {}", "and so on ".repeat(9));
    let encoded = BASE64.encode(text.as_bytes());
    let content = format!("line one\ndata: {encoded}\n");
    let found = told(content.as_bytes());
    assert_eq!(found.len(), 1, "{found:?}");
    let piece = String::from_utf8(found[0].2.clone()).expect("letters");
    let at = encoded
        .find(&piece)
        .expect("the span lies in the encoded text");
    assert_eq!(at, 5, "begins where the token's first byte is encoded");
    assert!(
        piece.len().abs_diff(token.len() * 4 / 3) <= 3,
        "{}",
        piece.len()
    );
}

#[test]
fn names_and_comments_on_the_line_count_for_what_is_decoded() {
    let password = shape::fill("{password}", 5).expect("shape");
    let value = BASE64.encode(format!("{password}\n").as_bytes());
    let secret = format!("apiVersion: v1\nkind: Secret\ndata:\n  db-password: {value}\n");
    let found = told_at(secret.as_bytes(), Some(b"deploy/secret.yaml"));
    assert!(
        found.iter().any(|(_, layers, _)| *layers == ["base64"]),
        "{found:?}"
    );
    let value = BASE64.encode(token(6).as_bytes());
    let content = format!("t: {value} # keymuster:allow a test\n");
    let trace = search(content.as_bytes(), Fresh::Everything, false);
    let winners = engine().winners(&trace.candidates, None);
    assert!(
        winners
            .iter()
            .any(|winner| winner.details.allowed.is_some())
    );
}

#[test]
fn json_in_json_is_read_as_json() {
    let password = shape::fill("{password}", 8).expect("shape");
    let inner = format!(r#"{{\"user\":\"svc\",\"password\":\"{password}\"}}"#);
    let content = format!(r#"{{"SecretString": "{inner}"}}"#);
    let trace = search(content.as_bytes(), Fresh::Everything, false);
    let found = |name: &str| {
        trace
            .candidates
            .iter()
            .any(|one| one.details.decoded == [name] && content[one.span.clone()] == *password)
    };
    assert!(found("json"), "{:?}", trace.candidates);
    // What can be read where it stands is told as it stands.
    let told = told(content.as_bytes());
    assert!(
        told.iter().all(|(_, layers, _)| layers.is_empty()),
        "{told:?}"
    );
}

#[test]
fn what_only_looks_encoded_is_left_alone() {
    for text in [
        "serverReplicationCron",
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "sha512-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K",
        "/usr/local/share/documentation/index",
        "com.example.application.SomeVeryLongName",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf",
        "MIIEowIBAAKCAQEAwq7vN0c0m1m0s5m0a9mZk2dV",
    ] {
        assert!(!sees_encoded(text.as_bytes(), 0), "{text}");
    }
    for text in [
        "%d items",
        "%20b",
        "100%",
        "\\n",
        "\\\"",
        "\\x00\\xff",
        "&amp;",
        "&&",
        "\\u4e2d",
    ] {
        assert!(!sees_escaped(text.as_bytes(), 0), "{text}");
    }
    // An encoded checksum-broken token is no token.
    let mut token = token(9).into_bytes();
    let last = token.len() - 1;
    token[last] = if token[last] == b'a' { b'b' } else { b'a' };
    assert_eq!(told(BASE64.encode(&token).as_bytes()), []);
}

#[test]
fn hostile_layers_cost_little_and_never_panic() {
    let token = token(10);
    // Deeper than is peeled: silence, and an end.
    let mut text = around(&token);
    for _ in 0..12 {
        text = BASE64.encode(text.as_bytes());
    }
    assert_eq!(told(text.as_bytes()), []);
    // A bomb: its head is searched, the rest is cut.
    let bomb = BASE64.encode(&gzip(
        &[around(&token).into_bytes(), vec![b' '; 8 << 20]].concat(),
    ));
    assert_eq!(told(bomb.as_bytes()).len(), 1);
    // Cut and damaged everywhere.
    let wide: Vec<u8> = around(&token)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for whole in [
        BASE64.encode(&gzip(around(&token).as_bytes())),
        BASE64.encode(&wide),
        format!(
            "%3D{}",
            every_byte(&token, |b| format!("%{b:02x}\\u{b:04x}&#{b};\\x{b:02x}"))
        ),
        HEXLOWER.encode(token.as_bytes()),
    ] {
        for cut in 0..whole.len() {
            search(&whole.as_bytes()[..cut], Fresh::Everything, false);
            search(&whole.as_bytes()[cut..], Fresh::Everything, false);
        }
    }
    for text in [
        "\\u",
        "\\ud800\\u0041",
        "%",
        "%4",
        "&#;",
        "&#x;",
        "&#99999999;",
        "&#x110000;",
    ] {
        search(text.repeat(50).as_bytes(), Fresh::Everything, false);
    }
}

/// Pieces of which contents are made: words, tokens, and both in layers.
fn piece() -> impl Strategy<Value = String> {
    let text = (0u64..6).prop_map(|seed| around(&token(seed)));
    let layered = (text, prop::collection::vec(0u8..7, 0..3)).prop_map(|(text, layers)| {
        layers.into_iter().fold(text, |text, layer| match layer {
            0 => BASE64.encode(text.as_bytes()),
            1 => HEXLOWER.encode(text.as_bytes()),
            2 => every_byte(&text, |b| format!("%{b:02x}")),
            3 => every_byte(&text, |b| format!("\\u{b:04x}")),
            4 => every_byte(&text, |b| format!("&#{b};")),
            5 => BASE64.encode(&gzip(text.as_bytes())),
            _ => text.replace('=', "%3D").replace('"', "\\\":"),
        })
    });
    prop_oneof![
        3 => layered,
        1 => "[ -~\n]{0,40}",
        1 => prop::sample::select(vec!["\n", "\"", " ", "=", "%3D", "\\\":", "&quot;", "\\u0041", "# keymuster:allow x\n"]).prop_map(str::to_owned),
    ]
}

/// What a trace found, without the windows, which are wider in the oracle.
fn found(trace: &Trace) -> Vec<(u32, usize, std::ops::Range<usize>, Vec<String>)> {
    let mut found: Vec<_> = trace
        .candidates
        .iter()
        .map(|one: &Candidate| {
            (
                one.rule,
                one.hit,
                one.span.clone(),
                one.details.decoded.clone(),
            )
        })
        .collect();
    found.sort_by(|a, b| {
        (a.1, a.0, a.2.start, a.2.end, &a.3).cmp(&(b.1, b.0, b.2.start, b.2.end, &b.3))
    });
    found.dedup();
    found
}

proptest! {
    // No file of failures: it would hold what looks like a credential.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]
    #[test]
    fn what_the_lanes_find_the_oracle_finds(pieces in prop::collection::vec(piece(), 1..4)) {
        let text = pieces.concat();
        let fast = search(text.as_bytes(), Fresh::Everything, false);
        let whole = search(text.as_bytes(), Fresh::Everything, true);
        prop_assert_eq!(found(&fast), found(&whole));
    }
}

proptest! {
    // No file of failures: it would hold what looks like a credential.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]
    #[test]
    fn layers_are_inherited_like_everything_else(
        old in prop::collection::vec(piece(), 1..12),
        new in prop::collection::vec(piece(), 0..3),
        cuts in prop::collection::vec(0.0f64..1.0, 4),
    ) {
        let old = old.concat();
        let fresh = new.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (cut * old.len() as f64) as usize).collect();
        cuts.sort();
        // Head, something new, middle, a seam, tail.
        let (a, b, c, d) = (cuts[0], cuts[1], cuts[2], cuts[3]);
        let mut text = Vec::new();
        let mut copied = Vec::new();
        for (from, to, insert) in [(0, a, &*fresh), (b, c, ""), (d, old.len(), "")] {
            if to > from {
                copied.push(Copied { at: text.len(), from, len: to - from });
            }
            text.extend_from_slice(&old.as_bytes()[from..to]);
            text.extend_from_slice(insert.as_bytes());
        }
        let base = search(old.as_bytes(), Fresh::Everything, false);
        let made = search(&text, Fresh::Only { copied: &copied, base: &base }, false);
        let whole = search(&text, Fresh::Everything, false);
        prop_assert_eq!(found(&made), found(&whole));
    }
}
