//! A host that speaks as GitHub does: what it has is a table of routes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{Asked, Reply, serve_git};

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

/// A host.
#[derive(Default)]
pub struct Host {
    /// What there is.
    pub routes: BTreeMap<String, Route>,
    /// Repositories of a question about many, by name: what the query tells.
    pub bulk: Vec<Value>,
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
                        base64(format!("x-access-token:{}", self.token).as_bytes())
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
            return self.query(asked);
        }
        if asked.method != "GET" {
            return message(405, "only reading is let in");
        }
        match self.routes.get(asked.path()) {
            None => message(404, "Not Found"),
            Some(Route::Refuse(status, text)) => message(*status, text),
            Some(Route::Moved(to)) => {
                message(301, "Moved Permanently").with("location", to.replace("{address}", address))
            }
            Some(Route::Raw(reply)) => {
                let mut reply = reply.clone();
                for (_, value) in &mut reply.headers {
                    *value = value.replace("{address}", address);
                }
                reply
            }
            Some(Route::One(value)) => tagged(asked, Reply::json(200, value)),
            Some(Route::List(member, items)) => tagged(asked, page(asked, address, *member, items)),
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
        let reset = state.reset.saturating_add_signed(self.skew);
        Some(
            message(403, "API rate limit exceeded")
                .with("x-ratelimit-remaining", "0")
                .with("x-ratelimit-reset", reset.to_string()),
        )
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
                message(404, "Not Found")
            } else if is_signed {
                Reply::json(
                    201,
                    &json!({"token": token, "expires_at": "2099-01-01T00:00:00Z"}),
                )
            } else {
                message(401, "A JSON web token could not be decoded")
            });
        }
        let is_let_in = self.token.is_empty() || bearer == Some(self.token.as_str());
        (!is_let_in).then(|| message(401, "Bad credentials"))
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
            0 => message(403, "You have exceeded a secondary rate limit").with("retry-after", "0"),
            1 => message(429, "Too Many Requests").with("retry-after", "0"),
            2 => message(500, "Internal Server Error"),
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
                ..message(503, "Service Unavailable")
            },
        })
    }

    fn query(&self, asked: &Asked) -> Reply {
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let text = body["query"].as_str().unwrap_or_default();
        if !text.starts_with("query") {
            return message(400, "only queries are let in");
        }
        let first = body["variables"]["first"].as_u64().unwrap_or(50) as usize;
        let start: usize = body["variables"]["after"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let end = (start + first).min(self.bulk.len());
        let nodes = &self.bulk[start.min(end)..end];
        let next = end < self.bulk.len();
        Reply::json(
            200,
            &json!({"data": {"organization": {"repositories": {
                "pageInfo": {"hasNextPage": next, "endCursor": end.to_string()},
                "nodes": nodes,
            }}}}),
        )
    }
}

fn message(status: u16, text: &str) -> Reply {
    Reply::json(
        status,
        &json!({"message": text, "documentation_url": "https://docs.github.com"}),
    )
}

fn page(asked: &Asked, address: &str, member: Option<&str>, items: &[Value]) -> Reply {
    let number = |name: &str, or: usize| {
        asked
            .parameter(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(or)
    };
    let (size, page) = (
        number("per_page", 30).clamp(1, 100),
        number("page", 1).max(1),
    );
    let start = ((page - 1) * size).min(items.len());
    let end = (start + size).min(items.len());
    let shown = &items[start..end];
    let body = match member {
        None => json!(shown),
        Some(member) => json!({"total_count": items.len(), member: shown}),
    };
    let reply = Reply::json(200, &body);
    if end >= items.len() {
        return reply;
    }
    let others: Vec<&str> = asked
        .target
        .split_once('?')
        .map_or("", |(_, query)| query)
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("page="))
        .collect();
    let mut query = others.join("&");
    if !query.is_empty() {
        query.push('&');
    }
    let last = items.len().div_ceil(size);
    let at = |page: usize| format!("<{address}{}?{query}page={page}>", asked.path());
    reply.with(
        "link",
        format!("{}; rel=\"next\", {}; rel=\"last\"", at(page + 1), at(last)),
    )
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

/// A point in time as HTTP writes it.
fn http_date(at: u64) -> String {
    let days = at / 86_400;
    let (mut year, mut left) = (1970, days);
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + u64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 0;
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    let names = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    format!(
        "{}, {:02} {} {year} {:02}:{:02}:{:02} GMT",
        weekdays[(days % 7) as usize],
        left + 1,
        names[month],
        at / 3600 % 24,
        at / 60 % 60,
        at % 60
    )
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let all = chunk.iter().enumerate().fold(0u32, |all, (at, byte)| {
            all | u32::from(*byte) << (16 - 8 * at)
        });
        for digit in 0..4 {
            if digit <= chunk.len() {
                text.push(char::from(DIGITS[(all >> (18 - 6 * digit) & 63) as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{base64, http_date};

    #[test]
    fn dates_and_base64_are_right() {
        assert_eq!(http_date(1_795_737_600), "Fri, 27 Nov 2026 00:00:00 GMT");
        assert_eq!(http_date(1_709_164_799), "Wed, 28 Feb 2024 23:59:59 GMT");
        assert_eq!(base64(b"x-access-token:abc"), "eC1hY2Nlc3MtdG9rZW46YWJj");
        assert_eq!(base64(b"ab"), "YWI=");
    }
}
