//! One page: asked for until there is an answer or patience ends, then classified, sealed, kept.

use keymuster_api::{GapKind, PathBytes};
use serde_json::Value;

use crate::{
    Endpoint, Fault, Items, Missing, Response, Unseen,
    cache::CachedPage,
    gate::Closed,
    pace::{Limit, limit},
    paging::{self, Next},
    rest::Rest,
    seal::plain_text,
    tape::{self, Call},
};

/// At most so many redirects, all of them on the host itself.
const REDIRECTS: u32 = 5;
/// At most so many characters of what a host says about a refusal.
const WORDS: usize = 160;

/// A page, sealed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    pub(crate) body: Value,
    pub(crate) next: Next,
}

/// What one attempt gave.
enum Attempt {
    Done(Page),
    /// It is no use to try again.
    Unseen(Unseen),
    /// Try again: how it failed.
    Again(GapKind, String),
    /// Try again after a limit; it does not count as a failure.
    Wait,
}

/// One question.
pub(crate) struct Ask<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) url: &'a str,
    /// The query to be sent, if it is one.
    pub(crate) body: Option<&'a str>,
    /// Which page of a list, from 1.
    pub(crate) page: u32,
}

/// Gives what is kept of a body, from what came.
pub(crate) type Keep<'a> = &'a (dyn Fn(Value) -> Option<Value> + Sync);

impl Rest<'_> {
    /// One page, or why it is not seen; recorded in either case.
    pub(crate) async fn page(&self, ask: &Ask<'_>, keep: Keep<'_>) -> Result<Page, Unseen> {
        let result = self.attempts(ask, keep).await;
        self.record(ask, &result);
        result
    }

    async fn attempts(&self, ask: &Ask<'_>, keep: Keep<'_>) -> Result<Page, Unseen> {
        let cached = match (&self.cache, ask.body) {
            (Some(cache), None) => cache.find(&self.path(ask.url)),
            _ => None,
        };
        let (mut failures, mut pauses) = (0, 0);
        loop {
            match self.attempt(ask, cached.as_ref(), keep).await {
                Attempt::Done(page) => return Ok(page),
                Attempt::Unseen(unseen) => return Err(unseen),
                Attempt::Wait => {
                    pauses += 1;
                    if pauses > self.patience.pauses {
                        let reason =
                            "the host's limit did not end; run again later, or with another token";
                        return Err(Unseen::Failed(GapKind::Limit, reason.to_owned()));
                    }
                }
                Attempt::Again(kind, reason) => {
                    failures += 1;
                    if failures >= self.patience.attempts || self.transport.is_recording() {
                        return Err(Unseen::Failed(kind, reason));
                    }
                    tokio::time::sleep(self.patience.after(failures)).await;
                }
            }
        }
    }

    async fn attempt(&self, ask: &Ask<'_>, cached: Option<&CachedPage>, keep: Keep<'_>) -> Attempt {
        let mut url = ask.url.to_owned();
        let etag = cached.map(|page| page.etag.as_str());
        for _ in 0..=REDIRECTS {
            let place = if self.transport.is_recording() {
                None
            } else {
                match self.gate.enter(ask.endpoint.path, self.cancel).await {
                    Ok(place) => Some(place),
                    Err(closed) => return Attempt::Unseen(shut(closed)),
                }
            };
            let sent = match ask.body {
                None => self.transport.get(&url, etag).await,
                Some(body) => self.transport.query(&url, body).await,
            };
            drop(place);
            let answer = match sent {
                Ok(answer) => {
                    self.gate.connected(true);
                    answer
                }
                Err(fault) => return self.fault(fault),
            };
            if let 301 | 302 | 307 | 308 = answer.status {
                let target = answer
                    .header("location")
                    .map(|to| paging::at(&self.base, &url, to));
                match target {
                    Some(Next::At(to)) if ask.body.is_none() => url = to,
                    _ => {
                        let reason = "the host redirects to another one, and the token is not taken there; correct the base address";
                        return Attempt::Unseen(Unseen::Failed(GapKind::Denied, reason.to_owned()));
                    }
                }
                continue;
            }
            return self.read(ask, cached, &answer, keep);
        }
        Attempt::Unseen(Unseen::Failed(
            GapKind::Corrupt,
            "the host redirects in a circle".to_owned(),
        ))
    }

    fn fault(&self, fault: Fault) -> Attempt {
        match fault {
            Fault::Connect(reason) => {
                self.gate.connected(false);
                Attempt::Again(GapKind::Unreadable, reason)
            }
            Fault::Broken(reason) => Attempt::Again(GapKind::Unreadable, reason),
            Fault::TooLarge(limit) => {
                let reason = format!("the answer is larger than {limit} bytes");
                Attempt::Unseen(Unseen::Failed(GapKind::Limit, reason))
            }
            Fault::Login(reason) => Attempt::Unseen(Unseen::Denied(reason)),
            Fault::NotRecorded => {
                let reason = "the recording has no such call; record it again with this version";
                Attempt::Unseen(Unseen::Failed(GapKind::Missing, reason.to_owned()))
            }
            Fault::Recorded(kind, reason) => Attempt::Unseen(recorded(&kind, reason)),
        }
    }

    fn read(
        &self,
        ask: &Ask<'_>,
        cached: Option<&CachedPage>,
        answer: &Response,
        keep: Keep<'_>,
    ) -> Attempt {
        let words = if answer.status >= 400 {
            self.words(answer)
        } else {
            String::new()
        };
        if !self.transport.is_recording() {
            let lower = words.to_lowercase();
            let is_limit = lower.contains("rate limit") || lower.contains("abuse detection");
            match limit(answer, is_limit) {
                Limit::None => {}
                Limit::Spent(wait) => self.gate.pause(wait.min(self.patience.longest)),
                Limit::Refused(wait) if wait > self.patience.longest => {
                    let reason = format!(
                        "the host's limit lasts {} s; run again later",
                        wait.as_secs()
                    );
                    return Attempt::Unseen(Unseen::Failed(GapKind::Limit, reason));
                }
                Limit::Refused(wait) => {
                    self.gate.pause(wait + self.patience.after(1) / 4);
                    return Attempt::Wait;
                }
            }
        }
        match answer.status {
            200..=299 => self.body(ask, answer, keep),
            304 => match cached {
                Some(page) => Attempt::Done(Page {
                    body: page.body.clone(),
                    next: self.resolve(ask.url, page.next.as_deref()),
                }),
                None => Attempt::Again(GapKind::Corrupt, "the host says 304 unasked".to_owned()),
            },
            status => match (self.classify)(ask.endpoint, status, &words)
                .or_else(|| by_status(ask.endpoint, status, &words))
            {
                Some(unseen) => Attempt::Unseen(unseen),
                None => Attempt::Again(
                    GapKind::Unreadable,
                    format!("the host says {status}{words}"),
                ),
            },
        }
    }

    /// What an answer that is fine holds.
    fn body(&self, ask: &Ask<'_>, answer: &Response, keep: Keep<'_>) -> Attempt {
        let again = |what: &str| Attempt::Again(GapKind::Corrupt, what.to_owned());
        let raw: Value = if answer.status == 204
            || answer.body.trim_ascii().is_empty() && answer.status != 200
        {
            Value::Null
        } else {
            match serde_json::from_slice(&answer.body) {
                Ok(value) => value,
                Err(error) if error.is_eof() => return again("the answer is cut off"),
                Err(_) => return again("the answer is no JSON"),
            }
        };
        let next = match answer.header(tape::NEXT) {
            Some(next) => self.resolve(ask.url, Some(next)),
            None if self.transport.is_recording() => Next::End,
            None => paging::next(ask.endpoint.paging, &self.base, ask.url, answer, &raw),
        };
        let Some(body) = keep(raw) else {
            let form = match ask.endpoint.items {
                Items::Array => "a list",
                Items::Under(_) => "an object with a list in it",
                Items::One => "an object",
            };
            let reason = format!("the answer is not {form} as documented");
            return Attempt::Again(GapKind::Corrupt, reason);
        };
        let page = Page { body, next };
        if let (Some(cache), Some(etag), None) = (&self.cache, answer.header("etag"), ask.body) {
            let kept = CachedPage {
                etag: etag.to_owned(),
                body: page.body.clone(),
                next: self.told(&page.next),
            };
            cache.keep(&self.path(ask.url), &kept);
        }
        Attempt::Done(page)
    }

    /// What the host says about a refusal: no secret, no control characters, not much of it.
    fn words(&self, answer: &Response) -> String {
        let message = serde_json::from_slice::<Value>(&answer.body)
            .ok()
            .and_then(|body| {
                let text = ["message", "error_description", "error"];
                text.iter()
                    .find_map(|name| Some(body.get(name)?.as_str()?.to_owned()))
            })
            .unwrap_or_default();
        let message: String = message.chars().take(WORDS).collect();
        let message = plain_text(self.redactor, &message).unwrap_or(message);
        let message = PathBytes(message.into_bytes()).to_string();
        if message.is_empty() {
            message
        } else {
            format!(": {message}")
        }
    }

    /// A next page as it is recorded: relative, so that it holds at another address too.
    fn told(&self, next: &Next) -> Option<String> {
        match next {
            Next::At(url) => Some(self.path(url)),
            Next::Astray => Some("astray:".to_owned()),
            Next::End => None,
        }
    }

    fn resolve(&self, url: &str, told: Option<&str>) -> Next {
        match told {
            None => Next::End,
            Some(path) if path.starts_with('/') => Next::At(format!(
                "{}{path}",
                self.base.as_str().trim_end_matches('/')
            )),
            Some(other) => paging::at(&self.base, url, other),
        }
    }

    fn record(&self, ask: &Ask<'_>, result: &Result<Page, Unseen>) {
        let Some(tape) = &self.tape else { return };
        if matches!(result, Err(Unseen::Failed(GapKind::Cancelled, _))) {
            return;
        }
        let mut call = Call {
            host: self.base.host_str().unwrap_or_default().to_owned(),
            method: if ask.body.is_some() { "POST" } else { "GET" }.to_owned(),
            path: self.path(ask.url),
            query: ask.body.map(tape::hash),
            status: 200,
            etag: None,
            fetched_at: tape.now().to_string(),
            page: ask.page,
            next: None,
            fault: None,
            body: Value::Null,
        };
        match result {
            Ok(page) => {
                call.body = page.body.clone();
                call.next = self.told(&page.next);
            }
            Err(unseen) => {
                let (status, kind, reason) = match unseen {
                    Unseen::Denied(reason) => (403, "", reason.as_str()),
                    Unseen::Absent => (404, "", ""),
                    Unseen::Unsupported(reason) => (501, "", reason.as_str()),
                    Unseen::Failed(kind, reason) => (0, kind.as_str(), reason.as_str()),
                };
                call.status = status;
                let word = if kind.is_empty() {
                    unseen.word().to_owned()
                } else {
                    format!("failed: {kind}")
                };
                call.fault = Some((word, reason.to_owned()));
            }
        }
        tape.write(&call);
    }
}

fn shut(closed: Closed) -> Unseen {
    match closed {
        Closed::Cancelled => Unseen::Failed(GapKind::Cancelled, "the run was stopped before".to_owned()),
        Closed::Dead => Unseen::Failed(
            GapKind::Unreadable,
            "nobody answers at the host; is the address right, and a proxy set where one is needed?".to_owned(),
        ),
    }
}

/// What was recorded of a call that gave nothing.
fn recorded(kind: &str, reason: String) -> Unseen {
    match kind {
        "denied" => Unseen::Denied(reason),
        "absent" => Unseen::Absent,
        "unsupported" => Unseen::Unsupported(reason),
        other => Unseen::Failed(kind_of(other.trim_start_matches("failed: ")), reason),
    }
}

fn kind_of(word: &str) -> GapKind {
    let kinds = [
        GapKind::Unreadable,
        GapKind::Corrupt,
        GapKind::Denied,
        GapKind::Limit,
        GapKind::Missing,
        GapKind::Cancelled,
        GapKind::Unsupported,
    ];
    let found = kinds.into_iter().find(|kind| kind.as_str() == word);
    found.unwrap_or(GapKind::Failed)
}

fn by_status(endpoint: &Endpoint, status: u16, words: &str) -> Option<Unseen> {
    let needs = endpoint.needs;
    Some(match status {
        401 => Unseen::Denied(format!(
            "the token is refused{words}; is it right, and still valid?"
        )),
        402 | 403 => Unseen::Denied(format!("refused{words}; it needs {needs}")),
        404 => match endpoint.missing {
            Missing::Absent => Unseen::Absent,
            Missing::Denied => Unseen::Denied(format!("hidden from this token; it needs {needs}")),
            Missing::Unsupported => Unseen::Unsupported("the host does not have it".to_owned()),
        },
        405 | 406 | 409 | 410 | 415 | 422 | 451 | 501 => {
            Unseen::Unsupported(format!("the host says {status}{words}"))
        }
        400..=499 => Unseen::Failed(GapKind::Failed, format!("the host says {status}{words}")),
        _ => return None,
    })
}
