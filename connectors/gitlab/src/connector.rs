//! The connector: what it is configured with, and the order of a sweep.

use std::{path::PathBuf, sync::Arc};

use keymuster_api::{
    About, Connector, ConnectorError, Cx, Item, Preflight, Redactor, Resource, ResourceKind, Sink,
};
use keymuster_http::{
    Endpoint, Network, Patience, Rest, RestSpec, SealCx, Tally, Tape, Transport, Unseen, Url,
    is_secure,
};
use zeroize::Zeroizing;

use crate::{
    Book,
    asking::{Asking, counted},
    doctor,
    endpoints::{ENDPOINTS, METADATA},
    facts::People,
    groups, instance,
    names::Names,
    projects, variables,
    wire::Metadata,
};

/// What is done with values that GitLab shows (those of variables, and of one's own triggers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Values {
    /// They are not asked for where that is possible, else dropped.
    #[default]
    Never,
    /// Their keyed names are kept, so that equal ones meet.
    Fingerprint,
    /// Beside that, credentials are looked for in them.
    Detect,
}

/// What an instance is configured with.
#[derive(Clone)]
pub struct GitlabSpec {
    /// The group that is read with all below it, by its full path; `None` for all that the token
    /// sees.
    pub group: Option<String>,
    /// The base address of the interface: `https://gitlab.com/api/v4`, or that of a server of
    /// one's own.
    pub base: String,
    /// A personal, project or group access token; `None` only with `replay`.
    pub token: Option<Zeroizing<String>>,
    /// Whether the instance's own variables, tokens and applications are read: an
    /// administrator's token is needed.
    pub instance: bool,
    /// What is done with values.
    pub values: Values,
    /// What is not asked for: words of the counts in coverage.
    pub leave_out: Vec<String>,
    /// Whether projects are told as leads, to be cloned.
    pub clones: bool,
    /// A folder to record into.
    pub record: Option<PathBuf>,
    /// A folder to read instead of the network.
    pub replay: Option<PathBuf>,
    /// How much is borne.
    pub patience: Patience,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) leave_out: Vec<String>,
    pub(crate) instance: bool,
    pub(crate) clones: bool,
    /// Where repositories are: `https://gitlab.com`.
    pub(crate) git: String,
}

impl Wish {
    pub(crate) fn leaves_out(&self, endpoint: &Endpoint) -> bool {
        self.leave_out.iter().any(|word| word == endpoint.what)
    }
}

/// Reads a group of GitLab, or all of an instance.
pub struct GitlabConnector {
    about: About,
    spec: GitlabSpec,
    base: Url,
    names: Names,
    git: String,
}

/// The words that can be left out.
pub fn countable() -> Vec<&'static str> {
    let mut words: Vec<&str> = ENDPOINTS.iter().map(|endpoint| endpoint.what).collect();
    words.sort_unstable();
    words.dedup();
    words
}

impl GitlabConnector {
    /// A connector; nothing is asked yet.
    ///
    /// # Errors
    /// When the configuration cannot be meant: what is wrong, and what to write.
    pub fn new(spec: GitlabSpec) -> Result<GitlabConnector, String> {
        let base: Url = spec.base.parse().map_err(|_| {
            format!(
                "base = \"{}\" is no address; write https://HOST/api/v4",
                spec.base
            )
        })?;
        if !is_secure(&base) {
            return Err(format!(
                "base = \"{}\" would send the token unencrypted; write https://",
                spec.base
            ));
        }
        if !base.username().is_empty() || base.password().is_some() || base.query().is_some() {
            return Err("base holds more than an address; the token belongs into token = { env = \"NAME\" }".to_owned());
        }
        let Some(front) = base.path().trim_end_matches('/').strip_suffix("/api/v4") else {
            return Err(format!(
                "base = \"{}\" is not that of GitLab's REST interface; write https://HOST/api/v4",
                spec.base
            ));
        };
        let git = format!("{}{front}", base.origin().ascii_serialization());
        let group = spec.group.clone().unwrap_or_default();
        let group = group.trim_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        let is_step = |part: &str| part.bytes().all(|byte| byte == b'.');
        let is_path = group.bytes().all(is_plain) && !group.split('/').any(is_step);
        if spec.group.is_some() && (group.is_empty() || !is_path) {
            return Err(format!(
                "group = \"{}\" is no path of a group; write it as in its address: acme/platform",
                spec.group.as_deref().unwrap_or_default()
            ));
        }
        if spec.token.is_none() && spec.replay.is_none() {
            return Err("there is no token; write token = { env = \"GITLAB_TOKEN\" }, or replay = \"FOLDER\"".to_owned());
        }
        if let Some(word) = spec
            .leave_out
            .iter()
            .find(|word| !countable().contains(&word.as_str()))
        {
            return Err(format!(
                "leave-out: '{word}' is none of: {}",
                countable().join(", ")
            ));
        }
        let host = base.host_str().unwrap_or_default().to_owned();
        let whole = if group.is_empty() { &host } else { group };
        Ok(GitlabConnector {
            about: About {
                kind: "gitlab",
                label: format!("gitlab {whole}"),
                network: spec.replay.is_none(),
            },
            names: Names {
                group: group.to_owned(),
                host,
            },
            base,
            git,
            spec,
        })
    }

    /// Where repositories of the host are cloned from.
    pub fn git_base(&self) -> &str {
        &self.git
    }

    /// The token for git; `None` where nobody is logged in.
    pub fn token(&self) -> Option<Zeroizing<String>> {
        self.spec.token.clone()
    }

    /// The host's interface in this run.
    fn rest<'a>(&self, cx: &Cx<'a>, tape: Option<Arc<Tape>>) -> Result<Rest<'a>, ConnectorError> {
        let transport: Option<Arc<dyn Transport>> = match (&self.spec.replay, &self.spec.token) {
            (Some(_), _) | (None, None) => None,
            (None, Some(token)) => {
                let network = Network::new(&[("private-token", token.as_str())])
                    .map_err(|error| ConnectorError::new(error.to_string()))?;
                Some(Arc::new(network))
            }
        };
        let identity = match &self.spec.token {
            Some(token) => cx.redactor.seal(token.as_bytes()).to_string(),
            None => String::new(),
        };
        let mut queries = self.base.clone();
        let beside = self.base.path().trim_end_matches('/');
        let beside = beside.strip_suffix("/v4").unwrap_or(beside).to_owned();
        queries.set_path(&format!("{beside}/graphql"));
        Ok(Rest::new(RestSpec {
            queries: Some(queries),
            base: self.base.clone(),
            transport,
            identity,
            memo: cx.memo.cloned(),
            tape,
            seal: seal(self.spec.values, cx.redactor),
            cancel: cx.cancel,
            patience: self.spec.patience,
            classify,
        }))
    }

    fn tape(&self, cx: &Cx<'_>) -> Result<Option<Arc<Tape>>, ConnectorError> {
        let tape = match (&self.spec.replay, &self.spec.record) {
            (Some(folder), _) => Tape::open(folder, &self.base, cx.now, cx.redactor),
            (None, Some(folder)) => Tape::record(folder, &self.base, cx.now, cx.redactor),
            (None, None) => return Ok(None),
        };
        tape.map(|tape| Some(Arc::new(tape)))
            .map_err(|error| ConnectorError::new(error.to_string()))
    }

    fn wish(&self) -> Wish {
        Wish {
            leave_out: self.spec.leave_out.clone(),
            instance: self.spec.instance,
            clones: self.spec.clones,
            git: self.git.clone(),
        }
    }

    async fn all(
        &self,
        rest: &Rest<'_>,
        book: &mut Book<'_>,
        progress: &dyn keymuster_api::Progress,
    ) {
        let wish = self.wish();
        let mut asking = Asking {
            rest,
            wish: &wish,
            is_enterprise: true,
        };
        let edition = asking.one::<Metadata>(&METADATA, &[], &[]).await;
        let whole = book.names.whole();
        let edition = counted(book, &whole, &METADATA, edition.as_ref());
        // Who does not say is taken for one that has all: what it lacks it says then.
        asking.is_enterprise = edition.is_none_or(|edition| edition.enterprise != Some(false));
        let how = variables::how(rest, self.spec.values != Values::Never).await;
        let groups = groups::list(&asking, book).await;
        let mut told = groups::sweep(&asking, book, how, &groups).await;
        if self.spec.instance {
            let mut people = People::default();
            std::mem::swap(&mut people, &mut told.people);
            let accounts = instance::sweep(&asking, book, how, &mut people).await;
            told.people = people;
            told.accounts.extend(accounts);
        }
        projects::sweep(&asking, book, how, &mut told, progress).await;
        if self.spec.instance {
            let groups::Told {
                people,
                accounts,
                tokens,
                ..
            } = &told;
            instance::tokens(&asking, book, people, accounts, tokens).await;
        }
    }
}

impl Connector for GitlabConnector {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, _cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        let from = match &self.spec.replay {
            Some(folder) => format!("the recording {}", folder.display()),
            None => self.base.to_string(),
        };
        let what = match self.names.group.as_str() {
            "" => "all projects".to_owned(),
            group => format!("the group {group}"),
        };
        Ok(Preflight {
            summary: format!("reads {what} from {from}"),
            missing: Vec::new(),
        })
    }

    fn doctor(&self, cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        let tape = match &self.spec.replay {
            Some(_) => self.tape(cx)?,
            None => None,
        };
        let rest = self.rest(cx, tape)?;
        keymuster_http::run(doctor::look(&rest, &self.wish(), &self.names)).map_err(runtime)?
    }

    fn sweep(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        let tape = self.tape(cx)?;
        let rest = self.rest(cx, tape.clone())?;
        let scope = self.names.whole();
        out.emit(Item::Resource(Resource {
            id: 0,
            kind: ResourceKind::Organization,
            name: match self.names.group.as_str() {
                "" => self.names.host.clone(),
                group => group.to_owned(),
            },
            location: format!("{}/{}", self.git, self.names.group),
        }));
        let mut book = Book {
            names: &self.names,
            system: cx.system,
            now: cx.now,
            tally: Tally::default(),
            out,
        };
        keymuster_http::run(self.all(&rest, &mut book, cx.progress)).map_err(runtime)?;
        let Book { tally, out, .. } = book;
        for item in tally.items(cx.system, &scope) {
            out.emit(item);
        }
        match tape {
            // A run that was stopped has not seen all there is to record.
            Some(tape) if !cx.cancel.is_cancelled() => tape
                .finish()
                .map_err(|error| ConnectorError::new(error.to_string())),
            _ => Ok(()),
        }
    }
}

fn seal(values: Values, redactor: &dyn Redactor) -> SealCx<'_> {
    SealCx {
        redactor,
        fingerprints: values != Values::Never,
        detects: values == Values::Detect,
    }
}

fn runtime(error: std::io::Error) -> ConnectorError {
    ConnectorError::new(format!(
        "the system gives no runtime for the network: {error}"
    ))
}

/// What a refusal of GitLab means beyond its status. A group or project that is named is hidden
/// or gone as a whole; a token of too narrow a scope is told so; all else is the endpoint's.
fn classify(_endpoint: &Endpoint, status: u16, words: &str) -> Option<Unseen> {
    let lower = words.to_lowercase();
    let says = |all: &[&str]| all.iter().any(|text| lower.contains(text));
    match status {
        404 if says(&["project not found", "group not found"]) => Some(Unseen::Absent),
        403 if says(&["higher privileges", "insufficient_scope"]) => Some(Unseen::Denied(format!(
            "the token's scope is too narrow{words}; it needs read_api"
        ))),
        403 | 404
            if says(&[
                "not available",
                "not enabled",
                "is disabled",
                "feature not",
                "requires a license",
            ]) =>
        {
            Some(Unseen::Unsupported(format!("it is off{words}")))
        }
        _ => None,
    }
}
