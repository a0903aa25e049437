//! A host: what it has is a table of routes, how it speaks a [`Dialect`].

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{
    Asked, Dialect, Reply, Server,
    encode::{base64, http_date},
    query::query,
    serve_git,
};

/// What stands at a path.
#[derive(Debug, Clone)]
pub enum Route {
    /// A list, or one under a member beside `total_count`.
    List(Option<&'static str>, Vec<Value>),
    /// One thing.
    One(Value),
    /// A refusal: status and message.
    Refuse(u16, &'static str),
    /// It moved.
    Moved(String),
    /// Whatever one wants.
    Raw(Reply),
}

/// How calls fail.
#[derive(Debug, Clone, Copy, Default)]
pub struct Failing {
    /// Of a thousand addresses so many fail at first.
    pub per_mille: u64,
    /// Which ones.
    pub seed: u64,
    /// How often one fails before it succeeds.
    pub times: u32,
}

/// What happens while a host is asked.
#[derive(Debug, Clone)]
pub struct Change {
    /// After so many calls.
    pub after: u64,
    /// To all that stands at or below this path.
    pub path: String,
    /// It moves to this path; without one it is gone.
    pub to: Option<String>,
}

/// A host.
#[derive(Default)]
pub struct Host {
    /// How it speaks.
    pub dialect: Dialect,
    /// Before every path of `routes`: `/api/v4`.
    pub prefix: &'static str,
    /// What there is.
    pub routes: BTreeMap<String, Route>,
    /// Repositories of a question about many, by name: what the query tells.
    pub bulk: Vec<Value>,
    /// By the full path of a project or group (empty: the instance) the route of its variables,
    /// for queries.
    pub variables: BTreeMap<String, String>,
    /// Whether queries name fields that this host does not know.
    pub queries_are_old: bool,
    /// What happens in between.
    pub changes: Vec<Change>,
    /// The token that is let in; any if empty.
    pub token: String,
    /// Bare repositories.
    pub git: Option<PathBuf>,
    /// How calls fail.
    pub failing: Failing,
    /// Paths that always fail, each with what is answered.
    pub broken: BTreeMap<String, Reply>,
    /// So many calls are answered before the primary limit is reached; it is reset after a second.
    pub limit: Option<u64>,
    /// How far the host's clock goes wrong, in seconds.
    pub skew: i64,
    /// The app's installation that may ask for a token.
    pub installation: Option<(u64, String)>,
    /// What came so far.
    pub seen: Seen,
}

/// What came to a host.
#[derive(Default)]
pub struct Seen {
    state: Mutex<State>,
    calls: AtomicU64,
}

#[derive(Default)]
struct State {
    failed: BTreeMap<String, u32>,
    asked: Vec<Asked>,
    spent: u64,
    reset: u64,
}

impl Host {
    /// How many calls came, failed ones too.
    pub fn calls(&self) -> u64 {
        self.seen.calls.load(Relaxed)
    }

    /// Everything that was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// The paths that were asked for with a method.
    pub fn paths(&self, method: &str) -> BTreeSet<String> {
        let state = self.state();
        let of = state.asked.iter().filter(|asked| asked.method == method);
        of.map(|asked| asked.path().to_owned()).collect()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.seen
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers.
    pub fn answer(&self, asked: &Asked, address: &str) -> Reply {
        self.seen.calls.fetch_add(1, Relaxed);
        self.state().asked.push(asked.clone());
        if let Some(folder) = &self.git
            && asked.path().contains(".git/")
        {
            return self.git(folder, asked);
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let date = (
            "date".to_owned(),
            http_date(now.saturating_add_signed(self.skew)),
        );
        let mut reply = self.api(asked, address, now);
        if reply.status != 0 {
            reply.headers.push(date);
        }
        reply
    }

    fn git(&self, folder: &std::path::Path, asked: &Asked) -> Reply {
        let is_let_in = self.token.is_empty()
            || asked.header("authorization").is_some_and(|header| {
                header
                    == format!(
                        "Basic {}",
                        base64(format!("{}:{}", self.dialect.git_user(), self.token).as_bytes())
                    )
            });
        if !is_let_in {
            return Reply {
                status: 401,
                ..Reply::default()
            }
            .with("www-authenticate", "Basic realm=\"git\"");
        }
        serve_git(folder, asked).unwrap_or(Reply {
            status: 404,
            ..Reply::default()
        })
    }

    fn api(&self, asked: &Asked, address: &str, now: u64) -> Reply {
        if let Some(reply) = self.limited(now) {
            return reply;
        }
        if let Some(reply) = self.login(asked) {
            return reply;
        }
        if let Some(reply) = self.broken.get(asked.path()) {
            return reply.clone();
        }
        if let Some(reply) = self.fails(asked) {
            return reply;
        }
        if asked.method == "POST" && asked.path().ends_with("/graphql") {
            return query(self, asked);
        }
        if asked.method != "GET" {
            return self.dialect.refusal(405, "only reading is let in");
        }
        let path = asked.path();
        if let Some(reply) = self.changed(path, address) {
            return reply;
        }
        match self
            .routes
            .get(path.strip_prefix(self.prefix).unwrap_or(path))
        {
            None => self.dialect.nowhere(),
            Some(Route::Refuse(status, text)) => self.dialect.refusal(*status, text),
            Some(Route::Moved(to)) => moved(self.dialect, &to.replace("{address}", address)),
            Some(Route::Raw(reply)) => {
                let mut reply = reply.clone();
                for (_, value) in &mut reply.headers {
                    *value = value.replace("{address}", address);
                }
                reply
            }
            Some(Route::One(value)) => tagged(asked, Reply::json(200, value)),
            Some(Route::List(member, items)) => {
                tagged(asked, self.dialect.page(asked, address, *member, items))
            }
        }
    }

    /// The primary limit: so many calls, then none until the reset.
    fn limited(&self, now: u64) -> Option<Reply> {
        let limit = self.limit?;
        let mut state = self.state();
        if now >= state.reset {
            (state.spent, state.reset) = (0, now + 1);
        }
        state.spent += 1;
        if state.spent <= limit {
            return None;
        }
        Some(
            self.dialect
                .limited(state.reset.saturating_add_signed(self.skew)),
        )
    }

    /// What is not where it was when the sweep began.
    fn changed(&self, path: &str, address: &str) -> Option<Reply> {
        let calls = self.calls();
        let change = self.changes.iter().find(|change| {
            let rest = path.strip_prefix(change.path.as_str());
            calls > change.after
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })?;
        Some(match &change.to {
            None => self.dialect.gone(path),
            Some(to) => {
                let rest = path.strip_prefix(change.path.as_str()).unwrap_or_default();
                moved(self.dialect, &format!("{address}{to}{rest}"))
            }
        })
    }

    fn login(&self, asked: &Asked) -> Option<Reply> {
        let bearer = asked
            .header("authorization")
            .and_then(|header| header.strip_prefix("Bearer "));
        if let Some((number, token)) = &self.installation
            && asked.method == "POST"
            && asked.path().ends_with("/access_tokens")
        {
            // Three parts: whoever holds the key has signed.
            let is_signed = bearer.is_some_and(|bearer| bearer.split('.').count() == 3);
            let is_here = asked.path() == format!("/app/installations/{number}/access_tokens");
            return Some(if is_signed && !is_here {
                self.dialect.refusal(404, "Not Found")
            } else if is_signed {
                Reply::json(
                    201,
                    &json!({"token": token, "expires_at": "2099-01-01T00:00:00Z"}),
                )
            } else {
                self.dialect
                    .refusal(401, "A JSON web token could not be decoded")
            });
        }
        let is_let_in = self.token.is_empty() || self.dialect.is_let_in(asked, &self.token);
        (!is_let_in).then(|| self.dialect.refusal(401, "Bad credentials"))
    }

    /// The first calls to some addresses fail, each in its own way.
    fn fails(&self, asked: &Asked) -> Option<Reply> {
        let key = format!("{}{}", asked.target, String::from_utf8_lossy(&asked.body));
        let lot = lot(&key, self.failing.seed);
        if lot % 1000 >= self.failing.per_mille {
            return None;
        }
        let mut state = self.state();
        let failed = state.failed.entry(key).or_default();
        if *failed >= self.failing.times {
            return None;
        }
        *failed += 1;
        Some(match lot / 1000 % 8 {
            0 => self.dialect.hurried(),
            1 => self
                .dialect
                .refusal(429, "Too Many Requests")
                .with("retry-after", "0"),
            2 => self.dialect.refusal(500, "Internal Server Error"),
            3 => Reply {
                status: 502,
                body: b"<html><body>Bad Gateway</body></html>".to_vec(),
                ..Reply::default()
            },
            4 => Reply {
                cut: Some(9),
                ..Reply::json(
                    200,
                    &json!({"total_count": 1, "secrets": [{"name": "CUT"}]}),
                )
            },
            5 => Reply::default(),
            6 => Reply {
                status: 200,
                body: b"<html>Please log in</html>".to_vec(),
                ..Reply::default()
            },
            _ => Reply {
                delay: Duration::from_millis(30),
                ..self.dialect.refusal(503, "Service Unavailable")
            },
        })
    }
}

fn moved(dialect: Dialect, to: &str) -> Reply {
    dialect
        .refusal(301, "Moved Permanently")
        .with("location", to)
}

/// The same answer as before is told in no bytes.
fn tagged(asked: &Asked, reply: Reply) -> Reply {
    let etag = format!(
        "W/\"{:016x}\"",
        lot(&String::from_utf8_lossy(&reply.body), 7)
    );
    if asked.header("if-none-match") == Some(etag.as_str()) {
        return Reply {
            status: 304,
            ..Reply::default()
        }
        .with("etag", etag);
    }
    reply.with("etag", etag)
}

/// A number for a text, well mixed (FNV-1a, then a finaliser).
fn lot(text: &str, seed: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ hash >> 33
}

/// A host that runs.
pub struct Running {
    /// What it has, and what came.
    pub host: Arc<Host>,
    /// Where it is.
    pub server: Server,
}

impl Running {
    /// Lets a host run on a port of this machine.
    pub fn start(host: Host) -> Running {
        let host = Arc::new(host);
        let answerer = Arc::clone(&host);
        let address = Arc::new(Mutex::new(String::new()));
        let known = Arc::clone(&address);
        let server = Server::start(Arc::new(move |asked| {
            let address = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
            answerer.answer(asked, &address)
        }));
        *address.lock().unwrap_or_else(PoisonError::into_inner) = server.address().to_owned();
        Running { host, server }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.server.address()
    }
}
