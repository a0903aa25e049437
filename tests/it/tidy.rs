//! The import table of ARCHITECTURE.md, and other house rules, kept by reading the sources.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Which parts of the root crate each part may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("catalogue", &[]),
    ("engine", &["catalogue"]),
    ("estate", &["catalogue"]),
    ("access", &[]),
    ("inventory", &["estate"]),
    ("context", &["inventory"]),
    (
        "audit",
        &["estate", "access", "inventory", "context", "catalogue"],
    ),
    (
        "judgement",
        &["estate", "access", "inventory", "context", "audit"],
    ),
    ("ledger", &["audit"]),
    (
        "evidence",
        &[
            "estate",
            "inventory",
            "context",
            "audit",
            "judgement",
            "ledger",
            "report",
        ],
    ),
    (
        "report",
        &[
            "audit",
            "estate",
            "access",
            "inventory",
            "context",
            "ledger",
            "catalogue",
        ],
    ),
    ("suppress", &["estate"]),
    ("sweep", &["engine", "estate", "unpack"]),
    ("unpack", &[]),
    (
        "cli",
        &[
            "catalogue",
            "engine",
            "estate",
            "unpack",
            "access",
            "inventory",
            "context",
            "audit",
            "judgement",
            "ledger",
            "evidence",
            "report",
            "suppress",
            "sweep",
        ],
    ),
];

/// Words that must not stand in a part's code: it would do what it must not do.
const NEVER: &[(&str, &[&str])] = &[
    (
        "unpack",
        &[
            "std::fs",
            "std::thread",
            "std::env",
            "std::net",
            "Timestamp::now",
            "SystemTime",
        ],
    ),
    (
        "engine",
        &[
            "std::fs",
            "std::thread",
            "std::env",
            "std::net",
            "Timestamp::now",
            "SystemTime",
        ],
    ),
    (
        "estate",
        &[
            "std::fs",
            "std::thread",
            "std::env",
            "std::net",
            "Timestamp::now",
            "SystemTime",
        ],
    ),
    (
        "access",
        &[
            "std::fs",
            "std::thread",
            "std::env",
            "std::net",
            "Timestamp::now",
            "SystemTime",
        ],
    ),
    (
        "audit",
        &[
            "std::fs",
            "std::thread",
            "std::env",
            "std::net",
            "Timestamp::now",
            "SystemTime",
        ],
    ),
    (
        "context",
        &[
            "std::fs",
            "std::thread",
            "std::env",
            "std::net",
            "Timestamp::now",
            "SystemTime",
        ],
    ),
    (
        "inventory",
        &[
            "std::fs",
            "std::thread",
            "std::env",
            "std::net",
            "Timestamp::now",
            "SystemTime",
        ],
    ),
    (
        "judgement",
        &[
            "std::fs",
            "std::thread",
            "std::env",
            "std::net",
            "Timestamp::now",
            "SystemTime",
        ],
    ),
    (
        "evidence",
        &[
            "std::thread",
            "std::env",
            "std::net",
            "Timestamp::now",
            "SystemTime",
        ],
    ),
    (
        "report",
        &[
            "std::thread",
            "std::env",
            "std::net",
            "Timestamp::now",
            "SystemTime",
        ],
    ),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Whole files of test code, by the names they have here.
fn is_test(path: &Path) -> bool {
    ["tests.rs", "testing.rs", "golden.rs", "samples.rs"]
        .iter()
        .any(|name| path.ends_with(name))
        || path
            .components()
            .any(|part| part.as_os_str() == "samples" || part.as_os_str() == "tests")
}

/// The code of a file without comments, and without its unit tests (which stand last).
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("source");
    let text = text
        .split("\n#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default()
        .to_owned();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The parts that `crate::…` paths of this code name, one level of braces included.
fn parts_used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => word.clear(),
                    c if depth == 0 && (c.is_alphanumeric() || c == '_') => word.push(c),
                    ':' if depth == 0 && !word.is_empty() => {
                        used.insert(std::mem::take(&mut word));
                    }
                    _ => {}
                }
            }
        } else {
            used.insert(
                rest.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect(),
            );
        }
    }
    used
}

#[test]
fn parts_use_only_what_the_import_table_allows() {
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(part, _)| *part).collect();
    for entry in fs::read_dir(root().join("src")).expect("src") {
        let path = entry.expect("entry").path();
        if !path.is_dir() {
            continue;
        }
        let part = path
            .file_name()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(name, _)| *name == part)
            .unwrap_or_else(|| {
                panic!("src/{part} is not in the import table; add it here and in ARCHITECTURE.md")
            });
        for file in sources(&path).into_iter().filter(|file| !is_test(file)) {
            for used in parts_used(&code(&file)) {
                let is_fine = used == part
                    || allowed.contains(&used.as_str())
                    || !known.contains(used.as_str());
                assert!(
                    is_fine,
                    "{} uses crate::{used}, which the import table forbids to {part}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn only_the_registry_of_the_sweep_knows_connectors() {
    for file in sources(&root().join("src")) {
        let text = code(&file);
        let is_home = file.to_string_lossy().contains("/sweep/registry/")
            || file.components().any(|part| part.as_os_str() == "cli");
        for connector in [
            "keymuster_files",
            "keymuster_git",
            "keymuster_aws_iam",
            "keymuster_github",
            "keymuster_gitlab",
            "keymuster_clone",
            "keymuster_entra",
            "keymuster_exports",
            "keymuster_gcp",
            "keymuster_http",
            "keymuster_kubernetes",
        ] {
            assert!(
                is_home || !text.contains(connector),
                "{} names {connector}; only sweep/registry may",
                file.display()
            );
        }
    }
}

#[test]
fn pure_parts_do_not_touch_the_world() {
    for (part, words) in NEVER {
        for file in sources(&root().join("src").join(part)) {
            // The one file of the reports that writes files.
            if file.ends_with("report/file.rs") || is_test(&file) {
                continue;
            }
            let text = code(&file);
            for word in *words {
                assert!(
                    !text.contains(word),
                    "{} uses {word}, which {part} must not",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn connectors_do_not_know_the_root_nor_each_other() {
    for entry in fs::read_dir(root().join("connectors")).expect("connectors") {
        let folder = entry.expect("entry").path();
        let name = folder
            .file_name()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("manifest");
        let own: Vec<&str> = manifest
            .lines()
            .filter(|line| line.starts_with("keymuster"))
            .collect();
        for line in own {
            // The last two are parts of the tests.
            let allowed = [
                "keymuster-api",
                "keymuster-exports",
                "keymuster-http",
                "keymuster-simulator",
                "keymuster-support",
            ];
            let allowed = allowed.iter().any(|known| line.starts_with(known));
            assert!(
                allowed && name != "api",
                "connectors/{name} depends on: {line}"
            );
        }
        for file in sources(&folder.join("src")) {
            let text = code(&file);
            for word in ["println!", "eprintln!", "indicatif", "clap::"] {
                assert!(!text.contains(word), "{} uses {word}", file.display());
            }
        }
    }
}

#[test]
fn every_source_says_what_is_in_it_and_stays_readable() {
    let mut files = sources(&root().join("src"));
    files.extend(sources(&root().join("connectors")));
    for file in files {
        let text = fs::read_to_string(&file).expect("source");
        assert!(text.starts_with("//!"), "{} has no header", file.display());
        let lines = text.lines().count();
        assert!(
            lines <= 700,
            "{} has {lines} lines; look for the second noun in it",
            file.display()
        );
    }
}
