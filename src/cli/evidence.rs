//! Evidence as configured: where it goes, who signs it, and what a run leaves there; and the
//! verbs that look at it: `verify` and `replay`.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use super::{
    Exit,
    config::{self, Config},
    global::Global,
    ground::Standing,
    state,
};
use crate::{
    catalogue::Kinds,
    evidence::{
        Before, Bundle, BundleInput, InputFile, Loaded, RunRecord, Signer, folders, hex, load,
        public_key, recover, replay, store, verify,
    },
    ledger::{self, Ledger},
    report::RunFacts,
};

/// Where evidence goes, and who signs it.
pub(super) struct Evidence {
    pub(super) folder: PathBuf,
    signer: Signer,
    before: Option<Before>,
}

impl Evidence {
    /// As configured; first finishes what a run left that was killed.
    pub(super) fn open(config: &Config, ledger: &Ledger) -> Result<Option<Evidence>> {
        let Some(table) = &config.file.evidence else {
            return Ok(None);
        };
        let folder = config.path(&table.dir);
        let place = "[evidence] signing-key";
        let text = table.signing_key.read(&config.folder).with_context(|| {
            format!("{place}; make one with `keymuster key evidence FILE`, and give FILE there")
        })?;
        let signer = Signer::from_pem(&text).with_context(|| place.to_owned())?;
        let runs = ledger.runs()?;
        let settled = |run: &str, root: &str| {
            let mut runs = runs.iter();
            runs.any(|one| one.facts.id == run && one.root.as_deref() == Some(root))
        };
        for run in recover(&folder, &settled)? {
            super::note(&format!(
                "evidence of the run {run}, which was interrupted, is finished now"
            ));
        }
        let before = runs.iter().find_map(|one| {
            let root = one.root.clone()?;
            let run = one.facts.id.clone();
            Some(Before { run, root })
        });
        Ok(Some(Evidence {
            folder,
            signer,
            before,
        }))
    }

    /// This id, or with a number behind it where it left evidence already.
    pub(super) fn free(&self, id: &str) -> String {
        let numbered = (2..).map(|number| format!("{id}-{number}"));
        let mut ids = std::iter::once(id.to_owned()).chain(numbered);
        let free = ids.find(|id| !self.folder.join(id).exists());
        free.unwrap_or_else(|| id.to_owned())
    }

    /// What the run says of itself.
    pub(super) fn record(
        &self,
        global: &Global,
        standing: &Standing,
        told: &RunFacts,
        run: &ledger::RunFacts,
    ) -> RunRecord {
        let program = std::env::current_exe().and_then(fs::read).ok();
        RunRecord {
            schema: 1,
            id: run.id.clone(),
            estate: told.estate.clone(),
            now: run.now.to_string(),
            clock: match global.has_now() {
                true => "--now".to_owned(),
                false => "system clock".to_owned(),
            },
            key_id: run.key_id.clone(),
            tool: told.tool_version.clone(),
            program_sha256: program.map(|bytes| InputFile::new("", &bytes).sha256),
            facts: told.facts.clone(),
            settings: standing.settings.clone(),
            inputs: standing.inputs.clone(),
            before: self.before.clone(),
        }
    }

    /// Signs and stores under a passing name; gives the root.
    pub(super) fn store(&self, input: BundleInput<'_>) -> Result<String> {
        let mut bundle = Bundle::new(input);
        self.signer.sign(&mut bundle)?;
        store(&self.folder, &bundle)?;
        Ok(hex(&bundle.root()))
    }
}

/// Check evidence: hashes, sums, signature, and the chain from run to run.
///
/// Authentic only against a public key, and complete only against a root that was kept elsewhere
/// (`audit` tells it at its end): who holds the folder can drop the newest runs.
#[derive(clap::Args)]
pub(super) struct VerifyArgs {
    /// The folder of evidence, or one run in it.
    dir: PathBuf,
    /// The public key (PEM) that it must be signed with.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The root of a run that must be there: 64 hexadecimal digits.
    #[arg(long, value_name = "HASH", value_parser = root)]
    root: Option<String>,
    /// The root of the run before the oldest one, where older evidence was put away.
    #[arg(long, value_name = "HASH", value_parser = root)]
    since: Option<String>,
}

fn root(text: &str) -> Result<String, String> {
    let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex
        .then(|| text.to_ascii_lowercase())
        .ok_or_else(|| "a root is 64 hexadecimal digits".to_owned())
}

pub(super) fn verify_folder(args: &VerifyArgs) -> Result<Exit> {
    let pem = fs::read_to_string(&args.key)
        .with_context(|| format!("cannot read the key {}", args.key.display()))?;
    let key = public_key(&pem).with_context(|| args.key.display().to_string())?;
    let single = args.dir.join("run.json").exists();
    let bundles: Vec<Loaded> = folders(&args.dir)?.iter().map(|path| read(path)).collect();
    // Of a single run nothing is asked about the runs before it.
    let before = match (single, bundles.first()) {
        (true, Some(Ok(bundle))) => bundle.record().ok().and_then(|record| record.before),
        _ => None,
    };
    let since = args.since.clone().or(before.map(|before| before.root));
    let found = verify(&bundles, Some(&key), args.root.as_deref(), since.as_deref());
    let mut out = anstream::stdout().lock();
    for (run, root) in &found.runs {
        writeln!(out, "holds  {run}  {root}")?;
    }
    for problem in &found.problems {
        writeln!(out, "WRONG  {problem}")?;
    }
    if !found.problems.is_empty() {
        return Ok(Exit::Findings);
    }
    let count = found.runs.len();
    let newest = match args.root {
        Some(_) => "",
        None => "; whether newer ones are missing, only a root kept elsewhere tells (--root)",
    };
    writeln!(
        out,
        "{count} runs, each as it was signed, in one chain{newest}"
    )?;
    Ok(Exit::Clean)
}

fn read(path: &Path) -> Loaded {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    load(path).map_err(|error| (name.into_owned(), error.to_string()))
}

/// Derive the findings of a run again, from the facts in its evidence.
///
/// With the estate's key (state folder or configuration) finding ids are made anew too; without it
/// they are taken from the evidence.
#[derive(clap::Args)]
pub(super) struct ReplayArgs {
    /// The evidence of one run.
    dir: PathBuf,
}

pub(super) fn replay_folder(global: &Global, args: &ReplayArgs) -> Result<Exit> {
    if !args.dir.join("run.json").exists() {
        bail!(
            "{} is no evidence of a run; name a folder with a run.json in it",
            args.dir.display()
        );
    }
    let bundle = load(&fs::canonicalize(&args.dir)?)?;
    let record = bundle.record()?;
    let version = env!("CARGO_PKG_VERSION");
    if record.tool != version {
        super::note(&format!(
            "this is keymuster {version}, the run was made by {}: its checks may differ",
            record.tool
        ));
    }
    let folder = match (&global.state, config::find(global)?) {
        (Some(folder), _) => Some((state::read_key(folder)?, folder.clone())),
        (None, Some(config)) => {
            let folder = config.state_folder()?;
            Some((config.key(&folder)?, folder))
        }
        (None, None) => None,
    };
    let seal = folder
        .and_then(|(seal, _)| seal)
        .filter(|seal| seal.key_id() == record.key_id);
    let named = seal.as_ref().map(|seal| |text: &[u8]| seal.subject(text));
    let named = named
        .as_ref()
        .map(|seal| seal as &dyn Fn(&[u8]) -> [u8; 32]);
    let replayed = replay(&bundle, config::advice(Kinds::embedded()), named)?;
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "derived {} findings of {}",
        replayed.findings, record.id
    )?;
    let ids = match seal {
        Some(_) => "made with the estate's key",
        None => "taken from the evidence, for want of the estate's key",
    };
    writeln!(out, "finding ids: {ids}")?;
    for (file, line) in &replayed.differences {
        writeln!(out, "DIFFERS  {file}:{line}")?;
    }
    writeln!(out, "root stored   {}", hex(&bundle.root()))?;
    writeln!(out, "root derived  {}", hex(&replayed.root))?;
    Ok(match replayed.differences.is_empty() {
        true => Exit::Clean,
        false => Exit::Findings,
    })
}
