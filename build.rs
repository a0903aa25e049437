//! Reads `rules/detect/*.toml` and `rules/kinds.toml` while the program is built and writes them
//! as constants, so that starting costs no parsing and adding a rule file needs no line here.
//! A rule that cannot be read fails the build with its file and line.

#![allow(clippy::use_debug)] // the Debug form of text and numbers is Rust source

use std::{
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hasher as _},
    path::{Path, PathBuf},
};

#[path = "src/catalogue/kind_text.rs"]
#[allow(dead_code, unreachable_pub)]
mod kind_text;
#[path = "src/engine/rule_text.rs"]
#[allow(dead_code, unreachable_pub)]
mod rule_text;

use kind_text::{Kind, KindFile};
use rule_text::{ClassWord, RuleFile, RuleText, Texts};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/engine/rule_text.rs");
    println!("cargo::rerun-if-changed=src/catalogue/kind_text.rs");
    println!("cargo::rerun-if-changed=rules/detect");
    println!("cargo::rerun-if-changed=rules/kinds.toml");
    // What is remembered between runs holds for one way of searching only.
    let sources = [
        "src/engine",
        "src/sweep",
        "src/estate",
        "connectors/git/src",
    ];
    let mut hash = DefaultHasher::new();
    for folder in sources {
        println!("cargo::rerun-if-changed={folder}");
        hash_sources(&root.join(folder), &mut hash)?;
    }
    println!("cargo::rustc-env=KEYMUSTER_SOURCES={:016x}", hash.finish());
    fs::write(out.join("rules.rs"), rules(&root)?)?;
    fs::write(out.join("kinds.rs"), kinds(&root)?)?;
    Ok(())
}

/// Hashes a folder's files in order; one that is not there (in a published package) is empty.
fn hash_sources(folder: &Path, hash: &mut DefaultHasher) -> Result<(), std::io::Error> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_sources(&path, hash)?;
        } else {
            hash.write(&fs::read(&path)?);
        }
    }
    Ok(())
}

fn rules(root: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let mut files: Vec<PathBuf> = fs::read_dir(root.join("rules/detect"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|ext| ext == "toml"));
    files.sort();
    let mut code = String::from("pub(super) static RULES: &[Embedded] = &[\n");
    for path in files {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        println!("cargo::rerun-if-changed=rules/detect/{name}");
        let text = fs::read_to_string(&path)?;
        let file: RuleFile = toml::from_str(&text)
            .map_err(|error| fault(&name, &text, error.span(), error.message()))?;
        for rule in file.rule {
            let source = format!("rules/detect/{name}:{}", line(&text, rule.span().start));
            let rule = rule.into_inner();
            let lengths = rule_text::lengths(&rule.pattern)
                .map_err(|why| format!("{source}: rule '{}': pattern: {why}", rule.id))?;
            writeln!(
                code,
                "    Embedded {{ source: {source:?}, lengths: {lengths:?}, text: {} }},",
                rule_code(&rule)
            )?;
        }
    }
    code.push_str("];\n");
    Ok(code)
}

fn rule_code(rule: &RuleText) -> String {
    let text = |text: &str| format!("text({text:?})");
    let maybe = |one: &Option<rule_text::Text>| match one {
        Some(one) => format!("Some({})", text(one)),
        None => "None".to_owned(),
    };
    let texts = |all: &Texts| {
        let all: Vec<String> = all.iter().map(|one| text(one)).collect();
        format!("Cow::Borrowed(&[{}])", all.join(", "))
    };
    let classes = |all: &[ClassWord]| format!("Cow::Borrowed(&{all:?})");
    format!(
        "RuleText {{ id: {}, title: {}, kind: {}, prefix: {}, anchors: {}, words: {}, pattern: {}, \
         before: {}, near: {}, checksum: {}, structure: {}, handle: {}, entropy: {:?}, judge: {}, \
         public: {}, skip: {}, only: {}, names: {}, confidence: ConfidenceWord::{:?}, \
         severity: SeverityWord::{:?}, why: {}, page: {}, hit: {}, miss: {} }}",
        text(&rule.id),
        text(&rule.title),
        text(&rule.kind),
        texts(&rule.prefix),
        texts(&rule.anchors),
        texts(&rule.words),
        text(&rule.pattern),
        maybe(&rule.before),
        maybe(&rule.near),
        maybe(&rule.checksum),
        maybe(&rule.structure),
        maybe(&rule.handle),
        rule.entropy,
        rule.judge
            .map_or("None".to_owned(), |judge| format!("Some(Judge::{judge:?})")),
        rule.public,
        classes(&rule.skip),
        classes(&rule.only),
        texts(&rule.names),
        rule.confidence,
        rule.severity,
        text(&rule.why),
        maybe(&rule.page),
        texts(&rule.hit),
        texts(&rule.miss),
    )
}

fn kinds(root: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let text = fs::read_to_string(root.join("rules/kinds.toml"))?;
    let file: KindFile = toml::from_str(&text)
        .map_err(|error| fault("../kinds.toml", &text, error.span(), error.message()))?;
    let mut kinds = Vec::new();
    for kind in file.kind {
        let at = line(&text, kind.span().start);
        let kind = kind.into_inner();
        if !kind.is_well_named() {
            return Err(format!(
                "rules/kinds.toml:{at}: the kind '{}' must be called '{}.' and a kebab-case word",
                kind.id, kind.provider
            )
            .into());
        }
        kinds.push((kind, at));
    }
    kinds.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
    for pair in kinds.windows(2) {
        if pair[0].0.id == pair[1].0.id {
            return Err(format!(
                "rules/kinds.toml:{}: the kind '{}' is already defined; remove one of the two",
                pair[1].1, pair[1].0.id
            )
            .into());
        }
    }
    let mut code = String::from("pub(super) static KINDS: &[Kind] = &[\n");
    for (kind, _) in kinds {
        writeln!(code, "    {},", kind_code(&kind))?;
    }
    code.push_str("];\n");
    Ok(code)
}

fn kind_code(kind: &Kind) -> String {
    let text = |text: &str| format!("text({text:?})");
    format!(
        "Kind {{ id: {}, title: {}, provider: {}, class: Class::{:?}, secret: {}, handle: {}, \
         lifetime_usual_days: {:?}, lifetime_max_days: {:?}, listed: {}, revoke: {}, rotate: {}, \
         page: {}, sensitivity: Sensitivity::{:?} }}",
        text(&kind.id),
        text(&kind.title),
        text(&kind.provider),
        kind.class,
        kind.secret,
        kind.handle
            .as_ref()
            .map_or("None".to_owned(), |one| format!("Some({})", text(one))),
        kind.lifetime_usual_days,
        kind.lifetime_max_days,
        text(&kind.listed),
        text(&kind.revoke),
        text(&kind.rotate),
        text(&kind.page),
        kind.sensitivity,
    )
}

fn line(text: &str, at: usize) -> usize {
    text[..text.floor_char_boundary(at)]
        .bytes()
        .filter(|&b| b == b'\n')
        .count()
        + 1
}

fn fault(name: &str, text: &str, span: Option<std::ops::Range<usize>>, message: &str) -> String {
    let line = line(text, span.map_or(0, |span| span.start));
    format!("rules/detect/{name}:{line}: {message}")
}
