//! The connector: what it is configured with, and the order of a sweep.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use keymuster_api::{
    About, Connector, ConnectorError, Cx, Item, Preflight, Redactor, Resource, ResourceKind, Sink,
};
use keymuster_http::{
    Book, Endpoint, Patience, Rest, RestSpec, SealCx, Tally, Tape, Transport, Unseen, Url,
    is_secure,
};
use zeroize::Zeroizing;

use crate::{
    bulk, doctor,
    login::{Login, Octo},
    names::Names,
    organization, repositories,
};

/// What is done with values that GitHub shows (those of variables).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Values {
    /// They are dropped.
    #[default]
    Never,
    /// Their keyed names are kept, so that equal ones meet.
    Fingerprint,
    /// Beside that, credentials are looked for in them.
    Detect,
}

/// What an instance is configured with.
#[derive(Debug, Clone)]
pub struct GithubSpec {
    /// The organisation.
    pub organization: String,
    /// The base address of the interface: `https://api.github.com`, or that of a GitHub
    /// Enterprise Server with `/api/v3`.
    pub base: String,
    /// Who one is; `None` only with `replay`.
    pub login: Option<Login>,
    /// What is done with values.
    pub values: Values,
    /// What is not asked for: words of the counts in coverage.
    pub leave_out: Vec<String>,
    /// Whether repositories are told as leads, to be cloned.
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
    pub(crate) clones: bool,
    /// Where repositories are: `https://github.com`.
    pub(crate) git: String,
}

impl Wish {
    pub(crate) fn leaves_out(&self, endpoint: &Endpoint) -> bool {
        self.leave_out.iter().any(|word| word == endpoint.what)
    }
}

/// Reads an organisation of GitHub.
pub struct GithubConnector {
    about: About,
    spec: GithubSpec,
    base: Url,
    names: Names,
    git: String,
    /// The transport of a run, for those who need its token.
    octo: Mutex<Option<Arc<Octo>>>,
}

/// The words that can be left out.
pub fn countable() -> Vec<&'static str> {
    let mut words: Vec<&str> = crate::endpoints::ENDPOINTS
        .iter()
        .map(|endpoint| endpoint.what)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

impl GithubConnector {
    /// A connector; nothing is asked yet.
    ///
    /// # Errors
    /// When the configuration cannot be meant: what is wrong, and what to write.
    pub fn new(spec: GithubSpec) -> Result<GithubConnector, String> {
        let base: Url = spec.base.parse().map_err(|_| {
            format!(
                "base = \"{}\" is no address; write https://HOST/api/v3",
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
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if spec.organization.is_empty() || !spec.organization.bytes().all(is_name) {
            return Err(format!(
                "organization = \"{}\" is no name of an organisation",
                spec.organization
            ));
        }
        if spec.login.is_none() && spec.replay.is_none() {
            return Err("there is no token; write token = { env = \"GITHUB_TOKEN\" }, or replay = \"FOLDER\"".to_owned());
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
        let (host, git) = places(&base);
        Ok(GithubConnector {
            about: About {
                kind: "github",
                label: format!("github {}", spec.organization),
                network: spec.replay.is_none(),
            },
            names: Names {
                host,
                organization: spec.organization.clone(),
            },
            base,
            git,
            spec,
            octo: Mutex::new(None),
        })
    }

    /// Where repositories of the host are cloned from.
    pub fn git_base(&self) -> &str {
        &self.git
    }

    /// The token for git; `None` where nobody is logged in.
    ///
    /// # Errors
    /// When the host gives none.
    pub fn token(&self) -> Result<Option<Zeroizing<String>>, ConnectorError> {
        let Some(login) = &self.spec.login else {
            return Ok(None);
        };
        if let Login::Token(token) = login {
            return Ok(Some(token.clone()));
        }
        let octo = self.octo(login)?;
        let token = keymuster_http::run(async { octo.token().await }).map_err(runtime)?;
        token.map(Some).map_err(|fault| {
            ConnectorError::new(format!("cannot get the app's token: {}", words(&fault)))
        })
    }

    fn octo(&self, login: &Login) -> Result<Arc<Octo>, ConnectorError> {
        let origin = self.base.origin().ascii_serialization();
        let octo = Octo::new(origin, self.base.as_str().to_owned(), login.clone())
            .map_err(|error| ConnectorError::new(error.to_string()))?;
        Ok(Arc::new(octo))
    }

    /// The host's interface in this run.
    pub(crate) fn rest<'a>(
        &self,
        cx: &Cx<'a>,
        tape: Option<Arc<Tape>>,
    ) -> Result<Rest<'a>, ConnectorError> {
        let transport: Option<Arc<dyn Transport>> = match (&self.spec.replay, &self.spec.login) {
            (Some(_), _) | (None, None) => None,
            (None, Some(login)) => {
                let octo = self.octo(login)?;
                *self.octo.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&octo));
                Some(octo)
            }
        };
        let identity = match &self.spec.login {
            Some(login) => cx.redactor.seal(&login.secret()).to_string(),
            None => String::new(),
        };
        Ok(Rest::new(RestSpec {
            queries: queries(&self.base),
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
            clones: self.spec.clones,
            git: self.git.clone(),
        }
    }
}

impl Connector for GithubConnector {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, _cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        let from = match &self.spec.replay {
            Some(folder) => format!("the recording {}", folder.display()),
            None => self.base.to_string(),
        };
        Ok(Preflight {
            summary: format!(
                "reads the organisation {} from {from}",
                self.spec.organization
            ),
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
        let scope = self.names.organization();
        out.emit(Item::Resource(Resource {
            id: 0,
            kind: ResourceKind::Organization,
            name: scope
                .split_once(':')
                .map_or("", |(_, name)| name)
                .to_owned(),
            location: format!("{}/{}", self.git, self.spec.organization),
        }));
        let wish = self.wish();
        let mut book = Book {
            names: &self.names,
            system: cx.system,
            now: cx.now,
            tally: Tally::default(),
            out,
        };
        keymuster_http::run(async {
            let named = organization::sweep(&rest, &wish, &mut book).await;
            let outlines = bulk::outlines(&rest, &wish, &mut book).await;
            repositories::sweep(&rest, &wish, &mut book, &named, &outlines, cx.progress).await;
        })
        .map_err(runtime)?;
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

pub(crate) fn words(fault: &keymuster_http::Fault) -> String {
    use keymuster_http::Fault;
    match fault {
        Fault::Connect(reason) | Fault::Broken(reason) | Fault::Login(reason) => reason.clone(),
        Fault::TooLarge(limit) => format!("the answer is larger than {limit} bytes"),
        Fault::NotRecorded | Fault::Recorded(_, _) => "it was not recorded".to_owned(),
    }
}

/// The host in addresses of repositories, and where they are cloned from.
fn places(base: &Url) -> (String, String) {
    let host = base.host_str().unwrap_or_default();
    if host == "api.github.com" {
        return ("github.com".to_owned(), "https://github.com".to_owned());
    }
    // GitHub Enterprise Cloud with data residency: api.SUBDOMAIN.ghe.com.
    if let Some(name) = host
        .strip_prefix("api.")
        .filter(|name| name.ends_with(".ghe.com"))
    {
        return (name.to_owned(), format!("https://{name}"));
    }
    (host.to_owned(), base.origin().ascii_serialization())
}

/// Where queries go: beside `/api/v3` on a server of one's own.
fn queries(base: &Url) -> Option<Url> {
    let path = base.path().trim_end_matches('/');
    let beside = path
        .strip_suffix("/api/v3")
        .map(|front| format!("{front}/api/graphql"));
    let mut url = base.clone();
    url.set_path(&beside.unwrap_or_else(|| format!("{path}/graphql")));
    Some(url)
}

/// What a refusal of GitHub means beyond its status.
fn classify(_endpoint: &Endpoint, status: u16, words: &str) -> Option<Unseen> {
    let lower = words.to_lowercase();
    let is_off = [
        "not enabled",
        "is disabled",
        "are disabled",
        "upgrade to",
        "not available for",
        "must be enabled",
        "feature is not",
    ];
    let is_off = is_off.iter().any(|text| lower.contains(text));
    (matches!(status, 403 | 404 | 422) && is_off)
        .then(|| Unseen::Unsupported(format!("it is off{words}")))
}

#[cfg(test)]
mod tests {
    use super::{places, queries};

    #[test]
    fn each_kind_of_host_has_its_places() {
        for (base, host, git, query) in [
            (
                "https://api.github.com",
                "github.com",
                "https://github.com",
                "https://api.github.com/graphql",
            ),
            (
                "https://api.acme.ghe.com/",
                "acme.ghe.com",
                "https://acme.ghe.com",
                "https://api.acme.ghe.com/graphql",
            ),
            (
                "https://ghe.acme.test/api/v3",
                "ghe.acme.test",
                "https://ghe.acme.test",
                "https://ghe.acme.test/api/graphql",
            ),
            (
                "http://127.0.0.1:8080",
                "127.0.0.1",
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080/graphql",
            ),
        ] {
            let base = base.parse().expect("an address");
            assert_eq!(places(&base), (host.to_owned(), git.to_owned()));
            assert_eq!(queries(&base).expect("an address").as_str(), query);
        }
    }
}
