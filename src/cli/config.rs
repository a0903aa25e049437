//! `keymuster.toml`: as written ([`ConfigFile`]), and as resolved ([`Config`]).
//!
//! Found through `--config`, `KEYMUSTER_CONFIG` or the working directory, and nowhere else: a
//! file inside a swept tree must be named, so that no repository switches rules off for its
//! own audit.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use anyhow::{Context as _, Result, anyhow, bail};
use jiff::{Timestamp, civil, tz::Offset};
use serde::Deserialize;

use super::{archives::ArchivesTable, global::Global, state};
use crate::{
    audit::KindAdvice,
    catalogue::{Class, Kinds, Sensitivity},
    engine::Seal,
};

/// The commented file that `init` writes; a test reads it.
pub(super) const TEMPLATE: &str = include_str!("keymuster.template.toml");
/// The name looked for in the working directory.
pub(super) const FILE_NAME: &str = "keymuster.toml";

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    pub(super) estate: String,
    #[serde(default)]
    pub(super) state: StateTable,
    #[serde(default)]
    pub(super) inventory: Vec<InventoryTable>,
    #[serde(default)]
    pub(super) people: Vec<PeopleTable>,
    #[serde(default)]
    pub(super) matches: Option<MatchesTable>,
    #[serde(default)]
    pub(super) owners: OwnersTable,
    #[serde(default)]
    pub(super) reviews: Option<ReviewsTable>,
    #[serde(default)]
    pub(super) events: Vec<EventsTable>,
    #[serde(default)]
    pub(super) tickets: Vec<TicketsTable>,
    #[serde(default)]
    pub(super) catalogue: CatalogueTable,
    #[serde(default)]
    pub(super) policy: PolicyTable,
    #[serde(default)]
    pub(super) exceptions: Option<ExceptionsTable>,
    #[serde(default)]
    pub(super) connector: Vec<ConnectorTable>,
    #[serde(default)]
    pub(super) archives: ArchivesTable,
    #[serde(default)]
    pub(super) report: ReportTable,
    #[serde(default)]
    pub(super) evidence: Option<EvidenceTable>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StateTable {
    pub(super) dir: Option<PathBuf>,
    pub(super) keep_runs: Option<u32>,
    pub(super) seal: Option<SecretText>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct EvidenceTable {
    pub(super) dir: PathBuf,
    pub(super) signing_key: SecretText,
}

/// A secret, never a literal.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum SecretText {
    Env(String),
    File(PathBuf),
    Command(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct InventoryTable {
    pub(super) name: Option<String>,
    pub(super) file: PathBuf,
    pub(super) format: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) delimiter: Option<char>,
    pub(super) sheet: Option<String>,
    #[serde(default = "one")]
    pub(super) precedence: u32,
    pub(super) entity: Option<String>,
    #[serde(default)]
    #[cfg_attr(
        test,
        schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")
    )]
    pub(super) map: toml::Table,
}

fn one() -> u32 {
    1
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct PeopleTable {
    pub(super) file: PathBuf,
}

/// Who looks after what: CODEOWNERS, Backstage entities, tables of services.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct OwnersTable {
    pub(super) files: Vec<String>,
}

/// Where the decisions of reviews are kept.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ReviewsTable {
    pub(super) file: PathBuf,
}

/// What people decided about single pairs of credential and record.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct MatchesTable {
    pub(super) file: PathBuf,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct EventsTable {
    pub(super) file: PathBuf,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct TicketsTable {
    pub(super) file: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogueTable {
    pub(super) files: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PolicyTable {
    pub(super) preset: Option<String>,
    pub(super) file: Option<PathBuf>,
    pub(super) fail_on: Option<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionsTable {
    pub(super) file: PathBuf,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum ConnectorTable {
    Files {
        paths: Vec<String>,
        #[serde(default, rename = "respect-gitignore")]
        respect_gitignore: bool,
    },
    Git {
        paths: Vec<String>,
        history: Option<String>,
        since: Option<String>,
    },
    AwsIam {
        #[serde(default)]
        exports: Vec<String>,
        account: Option<String>,
        profile: Option<String>,
        #[serde(default)]
        roles: Vec<String>,
        #[serde(default)]
        regions: Vec<String>,
        command: Option<String>,
    },
    Kubernetes {
        exports: Vec<String>,
        /// The cluster's name, which no export tells.
        cluster: Option<String>,
        /// The issuer of the cluster's tokens.
        issuer: Option<String>,
    },
    Gcp {
        exports: Vec<String>,
        /// The project of policies that name none.
        project: Option<String>,
    },
    Entra {
        exports: Vec<String>,
        /// The tenant's id.
        tenant: Option<String>,
    },
    Github {
        organization: String,
        base: Option<String>,
        token: Option<SecretText>,
        app: Option<GithubAppTable>,
        #[serde(default = "never")]
        values: String,
        #[serde(default, rename = "leave-out")]
        leave_out: Vec<String>,
        #[serde(default)]
        clone: bool,
        history: Option<String>,
        record: Option<PathBuf>,
        replay: Option<PathBuf>,
    },
    Gitlab {
        /// Its full path; without it all that the token sees.
        group: Option<String>,
        base: Option<String>,
        token: Option<SecretText>,
        /// Whether the instance's own variables, tokens and applications are read.
        #[serde(default)]
        instance: bool,
        #[serde(default = "never")]
        values: String,
        #[serde(default, rename = "leave-out")]
        leave_out: Vec<String>,
        #[serde(default)]
        clone: bool,
        history: Option<String>,
        record: Option<PathBuf>,
        replay: Option<PathBuf>,
    },
    Workflows {
        /// Without it: what the connectors `git` and `files` read.
        #[serde(default)]
        paths: Vec<String>,
        /// Where trees without a remote come from, `github.com/acme`.
        home: Option<String>,
    },
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct GithubAppTable {
    pub(super) id: String,
    pub(super) installation: u64,
    pub(super) key: SecretText,
}

fn never() -> String {
    "never".to_owned()
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ReportTable {
    #[serde(default = "out")]
    pub(super) dir: PathBuf,
    #[serde(default = "formats")]
    pub(super) formats: Vec<String>,
}

impl Default for ReportTable {
    fn default() -> ReportTable {
        ReportTable {
            dir: out(),
            formats: formats(),
        }
    }
}

fn out() -> PathBuf {
    PathBuf::from("out")
}

fn formats() -> Vec<String> {
    vec!["json".to_owned(), "csv".to_owned()]
}

/// A configuration that was read, with the folder its paths are relative to.
pub(super) struct Config {
    pub(super) path: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) file: ConfigFile,
}

impl Config {
    /// The configuration that was asked for, or lies in the working directory.
    pub(super) fn load(global: &Global) -> Result<Config> {
        find(global)?.ok_or_else(|| anyhow!("there is no {FILE_NAME} here; write one with `keymuster init`, or name it with --config FILE"))
    }

    /// Reads one file.
    pub(super) fn read(path: &Path) -> Result<Config> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        let file: ConfigFile =
            toml::from_str(&text).map_err(|error| anyhow!(explain(path, &text, &error)))?;
        if file.estate.is_empty()
            || !file
                .estate
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        {
            bail!(
                "{}: estate = \"{}\" must be a short name of letters, digits, '.', '_' and '-'",
                path.display(),
                file.estate
            );
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        Ok(Config {
            path: path.to_path_buf(),
            folder: folder.to_path_buf(),
            file,
        })
    }

    /// A path of the configuration, relative to its file.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        match self.folder.as_os_str().to_str() {
            Some("." | "") => path.to_path_buf(),
            _ => self.folder.join(path),
        }
    }

    /// The state folder of the estate.
    pub(super) fn state_folder(&self) -> Result<PathBuf> {
        match &self.file.state.dir {
            Some(dir) => Ok(self.path(dir)),
            None => state::default_folder(&self.file.estate)
                .context("there is no home directory; set [state] dir or --state DIR"),
        }
    }

    /// The estate's key, from the state folder or from where `seal` says.
    pub(super) fn key(&self, folder: &Path) -> Result<Option<Seal>> {
        match &self.file.state.seal {
            None => state::read_key(folder),
            Some(secret) => {
                let text = secret.read(&self.folder).context("[state] seal")?;
                state::parse_key(&text).context("[state] seal").map(Some)
            }
        }
    }

    /// The paths behind globs, sorted; a glob that names nothing is told.
    pub(super) fn expand(
        &self,
        globs: &[String],
        nothing: &mut Vec<String>,
    ) -> Result<Vec<PathBuf>> {
        let mut all = Vec::new();
        for text in globs {
            let pattern = self.folder.join(text);
            let pattern = pattern.to_string_lossy();
            let found = glob::glob(&pattern).map_err(|error| {
                anyhow!(
                    "{}: '{text}' is no pattern of paths: {}",
                    self.path.display(),
                    error.msg
                )
            })?;
            let mut found: Vec<PathBuf> = found.filter_map(Result::ok).collect();
            if found.is_empty() {
                nothing.push(text.clone());
            }
            found.sort();
            all.extend(found);
        }
        all.dedup();
        Ok(all)
    }
}

impl SecretText {
    pub(super) fn read(&self, folder: &Path) -> Result<zeroize::Zeroizing<String>> {
        let text = match self {
            SecretText::Env(name) => env::var(name)
                .with_context(|| format!("the environment variable {name} is not set"))?,
            SecretText::File(path) => {
                let path = folder.join(path);
                fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?
            }
            SecretText::Command(words) => {
                let (program, rest) = words
                    .split_first()
                    .context("command = [] names no program")?;
                let output = std::process::Command::new(program)
                    .args(rest)
                    .output()
                    .with_context(|| format!("cannot run {program}"))?;
                if !output.status.success() {
                    bail!("{program} ended with {}", output.status);
                }
                String::from_utf8(output.stdout)
                    .map_err(|_| anyhow!("{program} printed no text"))?
            }
        };
        Ok(zeroize::Zeroizing::new(text))
    }
}

/// The configuration that was asked for, or lies in the working directory, if there is one.
pub(super) fn find(global: &Global) -> Result<Option<Config>> {
    let named = global
        .config
        .clone()
        .or_else(|| env::var_os("KEYMUSTER_CONFIG").map(PathBuf::from));
    match named {
        Some(path) => Config::read(&path).map(Some),
        None if Path::new(FILE_NAME).is_file() => Config::read(Path::new(FILE_NAME)).map(Some),
        None => Ok(None),
    }
}

/// A message that shows the place in the file and the nearest known key.
fn explain(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let span = error.span().unwrap_or(0..0);
    let message = error.message();
    let mut help = None;
    if let Some(unknown) = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next())
    {
        let known = message.split('`').skip(3).step_by(2);
        help = known
            .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
            .min()
            .filter(|(distance, _)| *distance <= 3)
            .map(|(_, known)| format!("did you mean `{known}`?"));
    }
    let name = path.display().to_string();
    let annotation = AnnotationKind::Primary
        .span(span.start..span.end.max(span.start))
        .label(help.clone().unwrap_or_default());
    let group = Level::ERROR
        .primary_title(message)
        .element(Snippet::source(text).path(&name).annotation(annotation));
    let help = help
        .unwrap_or_else(|| "`keymuster init --print` shows every key with its meaning".to_owned());
    let group = group.element(Level::HELP.message(help));
    Renderer::plain().render(&[group])
}

/// A date (its first moment, UTC) or a point in time.
pub(super) fn date(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let day: civil::Date = text
        .parse()
        .map_err(|_| "write 2026-01-31 or 2026-01-31T00:00:00Z".to_owned())?;
    Offset::UTC
        .to_timestamp(day.at(0, 0, 0, 0))
        .map_err(|error| error.to_string())
}

/// What the catalogue says, by kind, in the words reports use.
pub(super) fn advice(kinds: &Kinds) -> BTreeMap<String, KindAdvice> {
    let word = |class: Class| match class {
        Class::Person => "person",
        Class::Service => "service",
        Class::App => "app",
        Class::Machine => "machine",
        Class::None => "none",
    };
    let sensitivity = |sensitivity: Sensitivity| match sensitivity {
        Sensitivity::Public => "public",
        Sensitivity::Internal => "internal",
        Sensitivity::Confidential => "confidential",
        Sensitivity::Regulated => "regulated",
    };
    kinds
        .iter()
        .map(|kind| {
            let advice = KindAdvice {
                title: kind.title.to_string(),
                class: word(kind.class).to_owned(),
                revoke: kind.revoke.to_string(),
                rotate: kind.rotate.to_string(),
                sensitivity: sensitivity(kind.sensitivity).to_owned(),
                lifetime_max_days: kind.lifetime_max_days,
                has_handle: kind.handle.is_some(),
            };
            (kind.id.to_string(), advice)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ConfigFile, TEMPLATE, explain};

    #[test]
    fn the_template_reads_also_with_its_comments_switched_on() {
        let file: ConfigFile = toml::from_str(TEMPLATE).expect("template");
        assert_eq!(file.estate, "acme");
        assert_eq!(file.connector.len(), 1);
    }

    /// Editors complete and check keymuster.toml with the committed schema; write it anew with
    /// `KEYMUSTER_WRITE=1 cargo test --lib the_committed_schema`.
    #[test]
    fn the_committed_schema_is_that_of_the_types_and_the_template_fits_it() {
        let schema = schemars::schema_for!(ConfigFile);
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).expect("JSON"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/schemas/keymuster-toml.schema.json");
        if std::env::var_os("KEYMUSTER_WRITE").is_some() {
            std::fs::write(&path, &text).expect("write");
        }
        let committed = std::fs::read_to_string(&path).expect("the schema is committed");
        assert_eq!(committed, text, "write the schema anew");
        let template: serde_json::Value = toml::from_str(TEMPLATE).expect("template");
        let validator = jsonschema::validator_for(&serde_json::from_str(&committed).expect("JSON"))
            .expect("schema");
        let errors: Vec<String> = validator
            .iter_errors(&template)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
    }

    #[test]
    fn an_unknown_key_is_shown_with_its_place_and_the_nearest_one() {
        let text = "estate = \"acme\"\n[policy]\nfail-onn = \"high\"\n";
        let error = toml::from_str::<ConfigFile>(text).expect_err("unknown key");
        let shown = explain(Path::new("keymuster.toml"), text, &error);
        assert!(shown.contains("keymuster.toml:3:1"), "{shown}");
        assert!(shown.contains("did you mean `fail-on`?"), "{shown}");
    }
}
