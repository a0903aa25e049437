//! `import`: another scanner's report, read as sightings of this estate or as suppressions, so
//! that a team can move over with what it knows.
//!
//! A value that a report holds is sealed at once and never shown. Where a report holds none
//! (SARIF, detect-secrets), the line it names is read again below `--root`. What is not
//! recognised either way is a gap. Not here: the tools' formats (`read`).

mod read;

use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use clap::builder::PossibleValuesParser;
use keymuster_api::{
    CommitFact, Confidence, Content, Details, Fresh, Gap, GapKind, ObjectId, Place, ResourceKind,
    Severity, Source, Spot, SystemId,
};
use zeroize::Zeroizing;

use self::read::{Entry, TOOLS};
use super::{Exit, global::Global, rules, scan};
use crate::{
    engine::Engine,
    estate::{Gathered, Position, Resource, Sighting},
    report::scan::SCAN_FORMATS,
};

/// Reports larger than this are refused.
const MOST_BYTES: u64 = 1 << 30;
/// Files larger than this are not read again.
const MOST_SOURCE: u64 = 64 << 20;

/// Read another scanner's report as sightings, or as suppressions.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The report.
    file: PathBuf,
    /// Which tool wrote it.
    #[arg(long, value_name = "TOOL", value_parser = PossibleValuesParser::new(TOOLS))]
    from: String,
    /// Where the scanned tree lies, for reports without values.
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
    /// Write a suppressions file for `scan --suppressions` instead of the sightings.
    #[arg(long)]
    suppress: bool,
    /// How to write the sightings.
    #[arg(long, value_name = "FORMAT", default_value = "terminal", value_parser = PossibleValuesParser::new(SCAN_FORMATS.iter().map(|format| format.name())))]
    format: String,
    /// Where to write [default: standard output].
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let shown = args.file.display().to_string();
    let size = fs::metadata(&args.file).with_context(|| format!("cannot read {shown}"))?;
    if size.len() > MOST_BYTES {
        bail!("{shown} is larger than 1 GiB; split the report");
    }
    let bytes =
        Zeroizing::new(fs::read(&args.file).with_context(|| format!("cannot read {shown}"))?);
    let text = std::str::from_utf8(&bytes)
        .with_context(|| format!("{shown} is not UTF-8; write the report again"))?;
    let report = read::report(&args.from, text.trim_start_matches('\u{feff}'))
        .with_context(|| shown.clone())?;
    let mut output = scan::Output::open(args.output.as_deref())?;
    let engine = Engine::new(rules::load(&[])?, scan::key(global)?.0);
    let mut import = Import {
        engine: &engine,
        tool: &args.from,
        root: &args.root,
        report: shown,
        gathered: Gathered::default(),
        files: BTreeMap::new(),
    };
    import.gathered.resources.push(Resource {
        system: SystemId(0),
        id: 0,
        kind: ResourceKind::Tree,
        name: scan::name_of(&args.root),
        location: args.root.display().to_string(),
    });
    if report.unread > 0 {
        let reason = format!(
            "{} entries have another shape; is it a report of this tool?",
            report.unread
        );
        import.gap(args.file.display().to_string(), GapKind::Corrupt, reason);
    }
    for entry in &report.entries {
        import.take(entry);
    }
    let mut gathered = import.gathered;
    gathered.gaps.sort();
    gathered.gaps.dedup();
    if args.suppress {
        output.finish(suppressions(&gathered, &args.from).as_bytes())?;
    } else {
        scan::write(
            global,
            false,
            &args.format,
            &gathered,
            &engine,
            &[],
            &mut output,
        )?;
    }
    if args.suppress || args.format != "terminal" || args.output.is_some() {
        scan::tell_gaps(global, &gathered);
    }
    Ok(Exit::of(false, !gathered.gaps.is_empty()))
}

struct Import<'a> {
    engine: &'a Engine,
    tool: &'a str,
    root: &'a Path,
    report: String,
    gathered: Gathered,
    /// Files read again, `None` where that failed.
    files: BTreeMap<String, Option<Zeroizing<Vec<u8>>>>,
}

impl Import<'_> {
    fn gap(&mut self, subject: String, kind: GapKind, reason: String) {
        self.gathered.gaps.push(Gap {
            kind,
            subject,
            reason,
            source: Source {
                system: SystemId(0),
                locator: self.report.clone(),
            },
        });
    }

    fn take(&mut self, entry: &Entry) {
        let texts = [&entry.text, &entry.secret];
        let found = texts
            .into_iter()
            .flatten()
            .find_map(|text| self.recognised(entry, text.as_bytes(), None));
        if let Some(sighting) = found {
            self.gathered.sightings.push(sighting);
            return;
        }
        if let Some(secret) = &entry.secret {
            let sighting = self.unrecognised(entry, secret);
            self.gathered.sightings.push(sighting);
            return;
        }
        match self.line_again(entry) {
            Some(sighting) => self.gathered.sightings.push(sighting),
            None => {
                let subject = match entry.line {
                    Some(line) => format!("{}:{line}", entry.path),
                    None => entry.path.clone(),
                };
                let reason = format!(
                    "the report holds no value of {}, and nothing is recognised at that line below --root; scan the tree, or write the report without redaction",
                    entry.rule
                );
                self.gap(subject, GapKind::Missing, reason);
            }
        }
    }

    /// What our own rules find in a text; on `line`, where one is given.
    fn recognised(&self, entry: &Entry, bytes: &[u8], line: Option<u64>) -> Option<Sighting> {
        let place = Place {
            system: SystemId(0),
            resource: 0,
            spot: Spot::File {
                path: entry.path.as_str().into(),
            },
        };
        let content = Content {
            place: &place,
            bytes,
            origin: Default::default(),
            class: None,
            fresh: Fresh::Everything,
        };
        let trace = self.engine.search(&content);
        let line_of = |at: usize| memchr::memchr_iter(b'\n', &bytes[..at]).count() as u64 + 1;
        let winners = self
            .engine
            .winners(&trace.candidates, Some(entry.path.as_bytes()));
        let here = |span: &std::ops::Range<usize>| {
            line.is_none_or(|line| (line_of(span.start)..=line_of(span.end)).contains(&line))
        };
        // A secret rather than the public id beside it.
        let rule = |number: u32| &self.engine.rules().rules[number as usize];
        let candidate = winners
            .into_iter()
            .filter(|candidate| here(&candidate.span))
            .min_by_key(|candidate| rule(candidate.rule).public)?;
        let rule = rule(candidate.rule);
        let mut sighting = self.blank(entry);
        sighting.rule = Arc::clone(&rule.id);
        sighting.kind = Arc::clone(&rule.kind);
        sighting.confidence = candidate.confidence;
        sighting.severity = rule.severity;
        sighting.public = rule.public;
        sighting.secret = candidate.secret;
        sighting.details = Arc::clone(&candidate.details);
        Some(sighting)
    }

    /// A value that only the other tool knows.
    fn unrecognised(&self, entry: &Entry, secret: &str) -> Sighting {
        let mut sighting = self.blank(entry);
        sighting.secret = self.engine.key().secret(secret.as_bytes());
        sighting.details = Arc::new(Details {
            preview: format!("({} characters)", secret.chars().count()),
            ..Details::default()
        });
        sighting
    }

    fn blank(&self, entry: &Entry) -> Sighting {
        let commit = entry.commit.as_deref().and_then(|id| {
            Some(Arc::new(CommitFact {
                id: ObjectId::from_hex(id.as_bytes())?,
                author: entry.author.clone().unwrap_or_default(),
                at: entry.at.as_deref().and_then(time),
            }))
        });
        Sighting {
            resource: 0,
            rule: format!("{}.{}", self.tool, entry.rule).into(),
            kind: "generic.secret".into(),
            confidence: Confidence::Medium,
            severity: Severity::High,
            public: false,
            secret: self.engine.key().secret(b""),
            details: Arc::default(),
            path: entry.path.clone(),
            position: entry.line.map(|line| Position {
                line,
                column: entry.column.unwrap_or(1),
                end_line: line,
                end_column: entry.column.unwrap_or(1),
            }),
            blob: None,
            commit,
            introduced: None,
            versions: 1,
            at_tip: None,
            in_worktree: entry.commit.is_none(),
            suppressed: entry.dismissed.then(|| crate::estate::Suppressed {
                by: self.report.clone(),
                reason: format!("marked as no secret in the report of {}", self.tool),
                until: None,
            }),
        }
    }

    /// Reads the named line again, if it lies below the root.
    fn line_again(&mut self, entry: &Entry) -> Option<Sighting> {
        let line = entry.line?;
        let root = self.root;
        let read = self
            .files
            .entry(entry.path.clone())
            .or_insert_with(|| below(root, &entry.path).map(Zeroizing::new));
        let bytes = Zeroizing::new(read.as_ref()?.to_vec());
        self.recognised(entry, &bytes, Some(line))
    }
}

/// The file, unless its path leads out of the root, by itself or by a link.
fn below(root: &Path, path: &str) -> Option<Vec<u8>> {
    let inside = |one: Component<'_>| matches!(one, Component::Normal(_) | Component::CurDir);
    if !Path::new(path).components().all(inside) {
        return None;
    }
    let root = fs::canonicalize(root).ok()?;
    let file = fs::canonicalize(root.join(path)).ok()?;
    let metadata = fs::metadata(&file).ok()?;
    let fits = file.starts_with(&root) && metadata.is_file() && metadata.len() <= MOST_SOURCE;
    if fits { fs::read(file).ok() } else { None }
}

/// RFC 3339, or as git and trufflehog write it: `2024-03-01 12:00:00 +0000`.
fn time(text: &str) -> Option<jiff::Timestamp> {
    let strict = || jiff::Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text);
    text.parse().ok().or_else(|| strict().ok())
}

/// One entry for each secret, by its keyed name.
fn suppressions(gathered: &Gathered, tool: &str) -> String {
    let mut by_secret: BTreeMap<String, (&Sighting, usize)> = BTreeMap::new();
    for sighting in &gathered.sightings {
        let entry = by_secret.entry(sighting.secret.to_string());
        entry.or_insert((sighting, 0)).1 += 1;
    }
    let mut out = format!(
        "# Imported from a report of {tool}. Give each a reason of its own and an end, or remove it.\n"
    );
    for (secret, (sighting, places)) in by_secret {
        let reason = format!(
            "imported from {tool}: {} at {}{}",
            sighting.rule,
            sighting.path,
            if places > 1 {
                format!(" and {} more places", places - 1)
            } else {
                String::new()
            }
        );
        out.push_str(&format!(
            "\n[[allow]]\nsecret = \"{secret}\"\nreason = {}\n",
            toml::Value::String(reason)
        ));
    }
    out
}
