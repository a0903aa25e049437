//! Every format and page over the sample, as files under `snapshots`, and what holds for all of
//! them: no hostile character gets out, and no two builds differ.

use super::{
    Document, FORMATS, FormatCx, answer, explain_check, explain_kind, explain_rule,
    samples::{self, HOSTILE, Scan},
    scan::{SCAN_FORMATS, scan_format},
    text::is_hostile,
    write_file,
};

const PLAIN: FormatCx = FormatCx {
    color: false,
    width: 100,
    verbose: false,
};
const LOUD: FormatCx = FormatCx {
    color: true,
    width: 60,
    verbose: true,
};

fn scanned(name: &str, scan: &Scan, page: FormatCx) -> String {
    let mut out = Vec::new();
    scan_format(name)
        .expect("a scan format")
        .write(&scan.sightings, &scan.cx(page), &mut out)
        .expect("writes to memory");
    String::from_utf8(out).expect("UTF-8")
}

fn audited(name: &str, doc: &Document, page: FormatCx) -> String {
    let mut out = Vec::new();
    super::format(name)
        .expect("a format")
        .write(doc, &page, &mut out)
        .expect("writes to memory");
    String::from_utf8(out).expect("UTF-8")
}

/// Removes what colour adds, and only that.
fn without_colours(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        out.push_str(before);
        let end = after.find('m').expect("a colour ends");
        assert!(
            after[..end]
                .bytes()
                .all(|b| b.is_ascii_digit() || b == b';')
        );
        rest = &after[end + 1..];
    }
    out + rest
}

#[test]
fn golden_scan_formats() {
    let scan = Scan::sample();
    for format in SCAN_FORMATS {
        let name = format.name();
        insta::assert_snapshot!(format!("scan-{name}"), scanned(name, &scan, PLAIN));
    }
}

#[test]
fn golden_formats() {
    let doc = samples::document();
    for format in FORMATS {
        let name = format.name();
        insta::assert_snapshot!(format!("audit-{name}"), audited(name, &doc, PLAIN));
    }
}

#[test]
fn golden_pages() {
    let doc = samples::document();
    let page = |id: &str| {
        let mut out = Vec::new();
        let answer = answer(&doc, id).expect("is in the sample");
        answer.write(&PLAIN, &mut out).expect("writes to memory");
        String::from_utf8(out).expect("UTF-8")
    };
    insta::assert_snapshot!("answer-unregistered", page("AKIAEXAMPLE1"));
    insta::assert_snapshot!("answer-registered", page("REC-2"));
    let mut out = Vec::new();
    explain_check(&samples::DORMANT, &PLAIN, &mut out).expect("writes to memory");
    let kinds = samples::kinds();
    explain_kind("github.pat", &kinds["github.pat"], &PLAIN, &mut out).expect("writes to memory");
    let rules = samples::rules();
    explain_rule("aws.access-key", &rules["aws.access-key"], &PLAIN, &mut out)
        .expect("writes to memory");
    insta::assert_snapshot!("explain", String::from_utf8(out).expect("UTF-8"));
}

#[test]
fn nothing_hostile_gets_out() {
    assert!(HOSTILE.contains(is_hostile));
    let scan = Scan::sample();
    let doc = samples::document();
    for cx in [PLAIN, LOUD] {
        let texts = SCAN_FORMATS
            .iter()
            .map(|format| (format.name(), scanned(format.name(), &scan, cx)))
            .chain(
                FORMATS
                    .iter()
                    .map(|format| (format.name(), audited(format.name(), &doc, cx))),
            );
        for (name, text) in texts {
            let text = without_colours(&text);
            let left = text.find(|c| !matches!(c, '\n' | '\r') && is_hostile(c));
            assert_eq!(left, None, "{name}: {:?}", left.map(|at| &text[at..]));
        }
    }
    assert!(!audited("markdown", &doc, PLAIN).contains("<script>"));
    for (name, text) in [
        ("audit", audited("csv", &doc, PLAIN)),
        ("scan", scanned("csv", &scan, PLAIN)),
    ] {
        let mut cells = 0;
        for row in csv::Reader::from_reader(text.as_bytes()).records() {
            for cell in &row.expect("a row") {
                assert!(!cell.starts_with(['=', '+', '-', '@']), "{name}: {cell}");
                cells += 1;
            }
        }
        assert!(cells > 100, "{name}");
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let scan = Scan::sample();
    let doc = samples::document();
    let loud = FormatCx {
        color: true,
        ..PLAIN
    };
    assert_ne!(
        scanned("terminal", &scan, loud),
        scanned("terminal", &scan, PLAIN)
    );
    assert_eq!(
        without_colours(&scanned("terminal", &scan, loud)),
        scanned("terminal", &scan, PLAIN)
    );
    assert_eq!(
        without_colours(&audited("terminal", &doc, loud)),
        audited("terminal", &doc, PLAIN)
    );
}

#[test]
fn clean_must_not_mean_unseen() {
    let mut scan = Scan::sample();
    scan.sightings.clear();
    let unseen = scanned("terminal", &scan, PLAIN);
    assert!(
        unseen.starts_with("no credentials found in what could be read\n"),
        "{unseen}"
    );
    assert!(unseen.contains("7 things could not be read:"), "{unseen}");
    assert!(unseen.contains("and 2 more, -v shows all"), "{unseen}");
    scan.gaps.clear();
    assert_eq!(
        scanned("terminal", &scan, PLAIN),
        "no credentials found\nsearched 1,204 files, 58,112 blobs, 1.4 GB\n"
    );
    for name in ["jsonl", "json", "csv", "sarif"] {
        let text = scanned(name, &scan, PLAIN);
        match name {
            "jsonl" => assert_eq!(text, ""),
            "json" => assert_eq!(text, "[]\n"),
            "csv" => assert_eq!(text.lines().count(), 1),
            _ => super::sarif::check(text.as_bytes()).expect("SARIF"),
        }
    }
}

#[test]
fn sightings_keep_the_contract() {
    let scan = Scan::sample();
    let lines = scanned("jsonl", &scan, PLAIN);
    let mut count = 0;
    for (line, sighting) in lines.lines().zip(&scan.sightings) {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let members: Vec<&String> = value.as_object().expect("an object").keys().collect();
        assert_eq!(
            members[..20],
            [
                "schema",
                "rule",
                "kind",
                "confidence",
                "severity",
                "path",
                "line",
                "column",
                "end_line",
                "end_column",
                "secret_id",
                "handle",
                "preview",
                "decoded",
                "blob",
                "commit",
                "introduced",
                "versions",
                "at_tip",
                "suppressed",
            ]
        );
        let prefix = &scan.prefixes[sighting.resource as usize];
        assert_eq!(value["path"], format!("{prefix}{}", sighting.path));
        count += 1;
    }
    assert_eq!(count, scan.sightings.len());
    let array: Vec<serde_json::Value> =
        serde_json::from_str(&scanned("json", &scan, PLAIN)).expect("JSON");
    assert_eq!(array.len(), count);
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let mut doc = samples::document();
    let finding = doc.findings[0].clone();
    for n in 0..30 {
        let mut another = finding.clone();
        another.subject = format!("secret:{n:032x}");
        doc.findings.push(another);
    }
    let short = audited("terminal", &doc, PLAIN);
    let long = audited("terminal", &doc, LOUD);
    assert!(short.contains("\nand 13 more, -v shows all\n"), "{short}");
    assert!(!long.contains("-v shows all"), "{long}");
    assert_eq!(short.matches("\nCRITICAL  ").count(), 20);
    assert_eq!(without_colours(&long).matches("\nCRITICAL  ").count(), 31);
}

#[test]
fn files_are_complete_or_not_there() {
    let dir = tempfile::tempdir().expect("a folder");
    let doc = samples::document();
    for format in FORMATS {
        let path = write_file(dir.path(), *format, &doc, &PLAIN).expect("writes");
        assert_eq!(path, dir.path().join(format.file()));
    }
    let files = std::fs::read_dir(dir.path()).expect("the folder").count();
    assert_eq!(files, FORMATS.len(), "no temporary file stays");
    let missing = dir.path().join("not-there");
    let error = write_file(&missing, FORMATS[0], &doc, &PLAIN).expect_err("no such folder");
    assert!(error.to_string().starts_with("cannot write "), "{error}");
}

#[test]
fn checks_notice_what_is_cut_short() {
    let doc = samples::document();
    for name in ["json", "jsonl", "csv", "sarif"] {
        let format = super::format(name).expect("a format");
        let text = audited(name, &doc, PLAIN);
        assert_eq!(format.check(&doc, text.as_bytes()), Ok(()), "{name}");
        let cut = &text[..text.len() - 60];
        assert!(format.check(&doc, cut.as_bytes()).is_err(), "{name}");
    }
}

#[test]
fn documents_follow_their_schema() {
    let schema: serde_json::Value = serde_json::from_str(include_str!(
        "../../fixtures/schemas/findings-1.schema.json"
    ))
    .expect("the schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("the schema is one");
    let errors = |text: &str| -> Vec<String> {
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    };
    let mut doc = samples::document();
    assert_eq!(errors(&audited("json", &doc, PLAIN)), Vec::<String>::new());
    assert_eq!(
        errors(include_str!(
            "../../fixtures/schemas/findings-1.oldest.json"
        )),
        Vec::<String>::new()
    );
    doc.findings[0].state = "asleep".to_owned();
    doc.findings[1].evidence.clear();
    doc.credentials[0].created = "yesterday".to_owned();
    assert_eq!(errors(&audited("json", &doc, PLAIN)).len(), 3);
    // Every member that is written is described.
    let mut value = serde_json::to_value(samples::document()).expect("JSON");
    value["credentials"][0]["places"][0]["surprise"] = 1.into();
    let strict = include_str!("../../fixtures/schemas/findings-1.schema.json").replace(
        "\"additionalProperties\": true",
        "\"additionalProperties\": false",
    );
    let strict = serde_json::from_str(&strict).expect("JSON");
    let strict = jsonschema::draft202012::new(&strict).expect("a schema");
    assert_eq!(strict.iter_errors(&value).count(), 1);
}

#[test]
fn the_oldest_document_is_still_read() {
    let text = include_str!("../../fixtures/schemas/findings-1.oldest.json");
    let doc = Document::read(text.as_bytes()).expect("a document");
    assert_eq!((doc.credentials.len(), doc.findings.len()), (1, 1));
    assert_eq!(doc.findings[0].finding_id, "KM-AAAAAAAAAAAAAAAA");
    for format in FORMATS {
        let mut out = Vec::new();
        format
            .write(&doc, &PLAIN, &mut out)
            .expect("writes to memory");
        assert_eq!(format.check(&doc, &out), Ok(()), "{}", format.name());
    }
    let later = text.replacen("\"schema\": 1", "\"schema\": 2", 1);
    let error = Document::read(later.as_bytes()).expect_err("a later schema");
    assert!(error.to_string().contains("schema 2"), "{error}");
    assert!(Document::read(b"{}").is_err());
    assert!(Document::read(b"[").is_err());
}

#[test]
fn building_twice_gives_the_same() {
    assert_eq!(samples::document(), samples::document());
    let doc = samples::document();
    let severities: Vec<_> = doc.findings.iter().map(|finding| finding.grade()).collect();
    assert!(severities.is_sorted_by(|a, b| a >= b), "{severities:?}");
}

#[test]
fn answers_are_found_under_every_name() {
    let doc = samples::document();
    for (id, complete) in [
        ("KM-GGGGGGGGGGGGGGGG", true),
        ("AKIAEXAMPLE2", true),
        ("akiaexample2", true),
        ("REC-2", true),
        ("aws-access-key-id:AKIAEXAMPLE2", true),
        ("KM-CCCCCCCCCCCCCCCC", false),
        ("01010101010101010101010101010101", false),
        ("0101010101", false),
        ("secret:01010101010101010101010101010101", false),
        ("REC-3", false),
    ] {
        let found = answer(&doc, id).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.complete(), complete, "{id}");
    }
    let error = answer(&doc, "KM-\x1b[2J").expect_err("no such name");
    assert!(error.to_string().contains(r"'KM-\x1b[2J'"), "{error}");
    assert!(answer(&doc, "").is_err());
}
