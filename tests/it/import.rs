//! Reports of other scanners become sightings under this estate's names, or suppressions.

use serde_json::json;

use crate::world::{World, secret};

const FOLDER: &str = "app";
const FILE: &str = "src/main.py";

/// A tree with one token on line 3, a key, and the token.
fn world() -> (World, String) {
    let world = World::new();
    let token = secret("{github-token:ghp_}", 60);
    world.write(
        &format!("{FOLDER}/{FILE}"),
        format!("import os\n\nTOKEN = \"{token}\"\n"),
    );
    assert_eq!(world.run(&["key", "new", "--state", "state"]).code, 0);
    (world, token)
}

fn report(tool: &str, value: &str) -> String {
    let one = match tool {
        "gitleaks" | "betterleaks" => json!([{
            "RuleID": "github-pat", "Secret": value, "Match": format!("TOKEN = \"{value}\""),
            "File": FILE, "StartLine": 3, "StartColumn": 11, "Commit": "", "Author": "", "Email": "",
        }]),
        "trufflehog" => json!({
            "SourceMetadata": {"Data": {"Filesystem": {"file": FILE, "line": 3}}},
            "DetectorName": "Github", "Verified": false, "Raw": value, "RawV2": "",
        }),
        "kingfisher" => json!({"findings": [{
            "rule": {"id": "kingfisher.github.1", "name": "GitHub PAT"},
            "finding": {"snippet": value, "path": FILE, "line": 3, "column_start": 9},
        }]}),
        "detect-secrets" => json!({"version": "1.5.0", "results": {FILE: [
            {"type": "GitHub Token", "filename": FILE, "hashed_secret": "00", "line_number": 3},
        ]}}),
        _ => json!({"version": "2.1.0", "runs": [{"results": [{
            "ruleId": "github-pat", "message": {"text": "found"},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": FILE}, "region": {"startLine": 3, "startColumn": 10},
            }}],
        }]}]}),
    };
    one.to_string()
}

const TOOLS: [&str; 6] = [
    "gitleaks",
    "trufflehog",
    "kingfisher",
    "betterleaks",
    "detect-secrets",
    "sarif",
];

#[test]
fn every_tools_report_names_the_secret_as_a_scan_does() {
    let (world, token) = world();
    let scan = |more: &[&str]| {
        let ran = world.run(
            &[
                &["scan", FOLDER, "--format", "jsonl", "--state", "state"],
                more,
            ]
            .concat(),
        );
        (ran.code, ran.lines()[0].clone())
    };
    let (_, scanned) = scan(&[]);
    for tool in TOOLS {
        world.write("report.json", report(tool, &token));
        let import = |more: &[&str]| {
            let base = [
                "import",
                "report.json",
                "--from",
                tool,
                "--root",
                FOLDER,
                "--state",
                "state",
            ];
            world.run(&[&base, more].concat())
        };
        let ran = import(&["--format", "jsonl"]);
        assert_eq!(ran.code, 0, "{tool}: {}", ran.stderr);
        let lines = ran.lines();
        assert_eq!(lines.len(), 1, "{tool}: {}", ran.stdout);
        for member in ["secret_id", "rule", "kind", "path", "line", "preview"] {
            assert_eq!(lines[0][member], scanned[member], "{tool}: {member}");
        }
        let allow = import(&["--suppress", "-o", "allow.toml"]);
        assert_eq!(allow.code, 0, "{tool}: {}", allow.stderr);
        let (code, line) = scan(&["--suppressions", "allow.toml"]);
        assert_eq!(code, 0, "{tool}: {line}");
        assert!(
            line["suppressed"]["reason"]
                .as_str()
                .is_some_and(|why| why.contains(tool))
        );
        let told = format!("{}{}{}", ran.stdout, ran.stderr, world.read("allow.toml"));
        assert!(!told.contains(&token), "{tool}: the secret is told");
    }
}

/// What is redacted, gone, or outside is a gap and not a clean report.
#[test]
fn what_cannot_be_named_is_a_gap() {
    let (world, token) = world();
    world.write("outside.txt", format!("{token}\n"));
    #[cfg(unix)]
    std::os::unix::fs::symlink("../outside.txt", world.path("app/link.txt")).expect("a link");
    let sarif = |path: &str, line: u64| {
        report("sarif", "")
            .replace(FILE, path)
            .replace("\"startLine\":3", &format!("\"startLine\":{line}"))
    };
    let cases = [
        (
            "gitleaks",
            report("gitleaks", "REDACTED").replace("\"StartLine\":3", "\"StartLine\":1"),
        ),
        ("sarif", sarif(FILE, 1)),
        ("sarif", sarif("gone.py", 3)),
        ("sarif", sarif("../outside.txt", 1)),
        ("sarif", sarif("link.txt", 1)),
        ("sarif", sarif("/etc/hostname", 1)),
        ("gitleaks", "[{\"no\": 1}]".to_owned()),
    ];
    for (tool, text) in cases {
        world.write("report.json", &text);
        let ran = world.run(&[
            "import",
            "report.json",
            "--from",
            tool,
            "--root",
            FOLDER,
            "--format",
            "jsonl",
        ]);
        assert_eq!((ran.code, &*ran.stdout), (3, ""), "{text}: {}", ran.stderr);
        assert!(ran.stderr.contains("not seen:"), "{}", ran.stderr);
    }
    world.write("report.json", format!("[{token}"));
    let ran = world.run(&["import", "report.json", "--from", "gitleaks"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("line 1, column") && !ran.stderr.contains(&token),
        "{}",
        ran.stderr
    );
}

/// A value that no rule of ours knows keeps the tool's word for it, and is sealed all the same.
#[test]
fn values_that_only_the_other_tool_knows_are_kept() {
    let (world, _) = world();
    let value = secret("{upper:12}", 61);
    world.write("report.json", report("trufflehog", &value));
    let ran = world.run(&[
        "import",
        "report.json",
        "--from",
        "trufflehog",
        "--format",
        "jsonl",
        "--state",
        "state",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let line = &ran.lines()[0];
    assert_eq!(line["rule"], "trufflehog.Github");
    assert_eq!(line["preview"], "(12 characters)");
    assert!(!ran.stdout.contains(&value));
}
