//! Lists, single things and queries, each of a type of the connector's own.

use std::{collections::BTreeSet, sync::Arc};

use keymuster_api::{Cancel, GapKind, Memo, Redactor};
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    Answer, Endpoint, Gate, Items, Listed, Patience, SealCx, Tape, Transport, Unseen, Wire,
    cache::Cache, endpoint::encode, fetch::Ask, paging::Next, replay::Replay, seal::keep,
};

/// Says what a refusal means where the status alone does not: the endpoint, the status, and the
/// host's words behind a colon.
pub type Classify = fn(&Endpoint, u16, &str) -> Option<Unseen>;

/// How a host is spoken to.
pub struct RestSpec<'a> {
    /// Its address: `https://api.github.com`, `https://ghe.acme.test/api/v3`.
    pub base: Url,
    /// Where queries go, if it takes them.
    pub queries: Option<Url>,
    /// Who carries the calls; `None` to answer from the tape.
    pub transport: Option<Arc<dyn Transport>>,
    /// The keyed name of the token: who shares it shares limits and what was seen before.
    pub identity: String,
    /// What earlier runs saw.
    pub memo: Option<Arc<dyn Memo>>,
    /// What is recorded, or replayed.
    pub tape: Option<Arc<Tape>>,
    /// How values are sealed.
    pub seal: SealCx<'a>,
    /// Set when the run should finish.
    pub cancel: &'a Cancel,
    /// How much is borne.
    pub patience: Patience,
    /// What refusals mean at this host.
    pub classify: Classify,
}

/// A host's interface.
pub struct Rest<'a> {
    pub(crate) base: Url,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) cache: Option<Cache>,
    pub(crate) tape: Option<Arc<Tape>>,
    pub(crate) redactor: &'a dyn Redactor,
    pub(crate) cancel: &'a Cancel,
    pub(crate) patience: Patience,
    pub(crate) classify: Classify,
    queries: Option<Url>,
    seal: SealCx<'a>,
}

/// A query (GraphQL) that reads. There is no way to make one that does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    text: &'static str,
}

impl Query {
    /// From a text of the program. Used in a `const`, a text that is no query does not compile.
    ///
    /// # Panics
    /// When the text does not begin with `query`, or says `mutation` or `subscription` anywhere.
    pub const fn new(text: &'static str) -> Query {
        let bytes = text.as_bytes();
        assert!(has(bytes, b"query", 0), "a query begins with `query`");
        let mut at = 0;
        while at < bytes.len() {
            let changes = has(bytes, b"mutation", at) || has(bytes, b"subscription", at);
            assert!(!changes, "a query only reads");
            at += 1;
        }
        Query { text }
    }

    /// The text.
    pub fn text(&self) -> &'static str {
        self.text
    }
}

const fn has(text: &[u8], word: &[u8], from: usize) -> bool {
    let mut at = 0;
    while at < word.len() {
        if from + at >= text.len() || text[from + at].to_ascii_lowercase() != word[at] {
            return false;
        }
        at += 1;
    }
    true
}

impl<'a> Rest<'a> {
    /// A host, spoken to as the specification says.
    pub fn new(spec: RestSpec<'a>) -> Rest<'a> {
        let host = spec.base.as_str().to_owned();
        let policy = match (spec.seal.detects, spec.seal.fingerprints) {
            (true, _) => "detect",
            (false, true) => "fingerprint",
            (false, false) => "never",
        };
        let (transport, tape): (Arc<dyn Transport>, _) = match (spec.transport, spec.tape) {
            (Some(transport), tape) => (transport, tape),
            (None, Some(tape)) => (Arc::new(Replay { tape }), None),
            (None, None) => (Arc::new(Nobody), None),
        };
        let memo = spec.memo.filter(|_| !transport.is_recording());
        let tape = tape.filter(|_| !transport.is_recording());
        Rest {
            gate: Gate::of(&host, &spec.identity),
            cache: memo.map(|memo| Cache::new(memo, &host, &spec.identity, policy)),
            base: spec.base,
            transport,
            tape,
            redactor: spec.seal.redactor,
            seal: spec.seal,
            cancel: spec.cancel,
            patience: spec.patience,
            classify: spec.classify,
            queries: spec.queries,
        }
    }

    /// The path of an address, relative to the host's.
    pub(crate) fn path(&self, url: &str) -> String {
        let base = self.base.as_str().trim_end_matches('/');
        let path = url.strip_prefix(base);
        let path = path.or_else(|| url.strip_prefix(&self.base.origin().ascii_serialization()));
        path.unwrap_or(url).to_owned()
    }

    fn url(
        &self,
        endpoint: &Endpoint,
        parameters: &[(&str, &str)],
        query: &[(&str, &str)],
    ) -> String {
        let mut url = self.base.as_str().trim_end_matches('/').to_owned();
        url.push_str(&endpoint.fill(parameters));
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            encode(value, &mut url);
        }
        url
    }

    /// A list, page after page. What was read before it broke off is there, with the reason.
    ///
    /// # Errors
    /// When nothing of it was seen, and which of the answers it was.
    pub async fn list<T: Wire>(
        &self,
        endpoint: &Endpoint,
        parameters: &[(&str, &str)],
        query: &[(&str, &str)],
    ) -> Answer<Listed<T>> {
        let mut listed = Listed::default();
        askable(parameters)?;
        let mut url = self.url(endpoint, parameters, query);
        let mut visited = BTreeSet::new();
        let keep = |raw: Value| self.keep_list::<T>(endpoint.items, raw);
        loop {
            let ask = Ask {
                endpoint,
                url: &url,
                body: None,
                page: visited.len() as u32 + 1,
            };
            let page = match self.page(&ask, &keep).await {
                Ok(page) => page,
                Err(unseen) if visited.is_empty() => return Err(unseen),
                Err(unseen) => {
                    listed.stopped = Some(unseen);
                    return Ok(listed);
                }
            };
            take(endpoint.items, page.body, &mut listed);
            visited.insert(std::mem::take(&mut url));
            match page.next {
                Next::End => return Ok(listed),
                Next::Astray => {
                    let reason = "the next page would be at another host, and nobody goes there";
                    listed.stopped = Some(Unseen::Failed(GapKind::Corrupt, reason.to_owned()));
                    return Ok(listed);
                }
                Next::At(next) => {
                    let is_endless = visited.len() >= self.patience.pages as usize;
                    if is_endless || visited.contains(&next) {
                        let reason = "its pages do not end";
                        listed.stopped = Some(Unseen::Failed(GapKind::Limit, reason.to_owned()));
                        return Ok(listed);
                    }
                    url = next;
                }
            }
        }
    }

    /// One thing.
    ///
    /// # Errors
    /// When it was not seen, and which of the answers it was.
    pub async fn one<T: Wire>(
        &self,
        endpoint: &Endpoint,
        parameters: &[(&str, &str)],
        query: &[(&str, &str)],
    ) -> Answer<T> {
        askable(parameters)?;
        let url = self.url(endpoint, parameters, query);
        let ask = Ask {
            endpoint,
            url: &url,
            body: None,
            page: 1,
        };
        let page = self.page(&ask, &|raw| keep::<T>(raw, &self.seal)).await?;
        read(page.body)
    }

    /// The `data` of a query, and what the host says about parts of it that it did not give.
    ///
    /// # Errors
    /// When it was not seen, and which of the answers it was.
    pub async fn query<T: Wire>(
        &self,
        endpoint: &Endpoint,
        query: &Query,
        variables: Value,
    ) -> Answer<(T, Vec<String>)> {
        let url = match &self.queries {
            Some(url) => url.as_str().to_owned(),
            None => self.url(endpoint, &[], &[]),
        };
        let body = json!({"query": query.text, "variables": variables}).to_string();
        let ask = Ask {
            endpoint,
            url: &url,
            body: Some(&body),
            page: 1,
        };
        let page = self.page(&ask, &|raw| self.keep_data::<T>(raw)).await?;
        let errors = page.body.get("errors").and_then(Value::as_array);
        let errors = errors.into_iter().flatten();
        let errors = errors
            .filter_map(|text| Some(text.as_str()?.to_owned()))
            .collect();
        let data = page.body.get("data").cloned().unwrap_or_default();
        Ok((read(data)?, errors))
    }

    fn keep_data<T: Wire>(&self, raw: Value) -> Option<Value> {
        let data = keep::<T>(raw.get("data")?.clone(), &self.seal)?;
        let errors = raw.get("errors").and_then(Value::as_array);
        // Of an error its type is enough; words may say anything.
        let errors: Vec<&str> = errors
            .into_iter()
            .flatten()
            .map(|error| match error {
                Value::String(kept) => kept.as_str(),
                other => other.get("type").and_then(Value::as_str).unwrap_or("ERROR"),
            })
            .collect();
        Some(json!({"data": data, "errors": errors}))
    }

    /// A page with what is kept of each entry; `null` for those of another form.
    fn keep_list<T: Wire>(&self, items: Items, raw: Value) -> Option<Value> {
        let all = |values: Vec<Value>| -> Value {
            let kept = values.into_iter();
            kept.map(|value| keep::<T>(value, &self.seal).unwrap_or_default())
                .collect()
        };
        match (items, raw) {
            (Items::Array | Items::Under(_), Value::Null) => Some(Value::Null),
            (Items::Array, Value::Array(values)) => Some(all(values)),
            (Items::Under(member), Value::Object(mut map)) => {
                let Some(Value::Array(values)) = map.remove(member) else {
                    return None;
                };
                let mut kept = Map::new();
                if let Some(total) = map.remove("total_count").filter(Value::is_u64) {
                    kept.insert("total_count".to_owned(), total);
                }
                kept.insert(member.to_owned(), all(values));
                Some(Value::Object(kept))
            }
            _ => None,
        }
    }
}

/// Whether such a name can be a segment of a path: dots alone are steps, encoded or not
/// (WHATWG URL, double-dot URL path segment), and would lead to another endpoint.
fn askable(parameters: &[(&str, &str)]) -> Answer<()> {
    let is_step = |text: &str| text.bytes().all(|byte| byte == b'.');
    match parameters.iter().find(|(_, value)| is_step(value)) {
        None => Ok(()),
        Some((name, _)) => {
            let reason = format!("its {name} is a name that no address can have");
            Err(Unseen::Failed(GapKind::Corrupt, reason))
        }
    }
}

fn read<T: Wire>(kept: Value) -> Answer<T> {
    serde_json::from_value(kept).map_err(|_| {
        let reason = "the answer is not of the form that is documented";
        Unseen::Failed(GapKind::Corrupt, reason.to_owned())
    })
}

fn take<T: Wire>(items: Items, body: Value, listed: &mut Listed<T>) {
    let values = match (items, body) {
        (Items::Under(member), Value::Object(mut map)) => {
            listed.total = map
                .get("total_count")
                .and_then(Value::as_u64)
                .or(listed.total);
            map.remove(member)
        }
        (_, body) => Some(body),
    };
    let Some(Value::Array(values)) = values else {
        return;
    };
    for value in values {
        match serde_json::from_value(value) {
            Ok(thing) => listed.items.push(thing),
            Err(_) => listed.broken += 1,
        }
    }
}

/// Neither a network nor a recording.
struct Nobody;

impl Transport for Nobody {
    fn get<'a>(&'a self, _url: &'a str, _etag: Option<&'a str>) -> crate::Sent<'a> {
        Box::pin(async { Err(crate::Fault::NotRecorded) })
    }

    fn query<'a>(&'a self, _url: &'a str, _body: &'a str) -> crate::Sent<'a> {
        Box::pin(async { Err(crate::Fault::NotRecorded) })
    }

    fn is_recording(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    #[should_panic(expected = "only reads")]
    fn a_query_that_changes_cannot_be_made() {
        let _ = Query::new("query { x } Mutation { y }");
    }

    #[test]
    #[should_panic(expected = "begins with")]
    fn a_text_that_is_no_query_cannot_be_made() {
        let _ = Query::new("{ viewer { login } }");
    }
}
