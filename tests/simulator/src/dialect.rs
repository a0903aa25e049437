//! How hosts differ in what they say: refusals, pages, limits, who one is.

use serde_json::{Value, json};

use crate::{Asked, Reply};

/// How a host speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// docs.github.com/rest
    #[default]
    GitHub,
    /// docs.gitlab.com/api/rest
    GitLab,
}

impl Dialect {
    /// A refusal.
    pub(crate) fn refusal(self, status: u16, text: &str) -> Reply {
        Reply::json(
            status,
            &match self {
                Dialect::GitHub => {
                    json!({"message": text, "documentation_url": "https://docs.github.com"})
                }
                Dialect::GitLab => json!({"message": text}),
            },
        )
    }

    /// Nothing stands at this path at all.
    pub(crate) fn nowhere(self) -> Reply {
        match self {
            Dialect::GitHub => self.refusal(404, "Not Found"),
            Dialect::GitLab => Reply::json(404, &json!({"error": "404 Not Found"})),
        }
    }

    /// What was there is gone, or hidden.
    pub(crate) fn gone(self, path: &str) -> Reply {
        match self {
            Dialect::GitHub => self.nowhere(),
            Dialect::GitLab if path.contains("/groups/") => {
                self.refusal(404, "404 Group Not Found")
            }
            Dialect::GitLab => self.refusal(404, "404 Project Not Found"),
        }
    }

    /// Whether this token is sent along.
    pub(crate) fn is_let_in(self, asked: &Asked, token: &str) -> bool {
        let bearer = asked
            .header("authorization")
            .and_then(|header| header.strip_prefix("Bearer "));
        match self {
            Dialect::GitHub => bearer == Some(token),
            Dialect::GitLab => asked.header("private-token") == Some(token),
        }
    }

    /// Who one is to git.
    pub(crate) fn git_user(self) -> &'static str {
        match self {
            Dialect::GitHub => "x-access-token",
            Dialect::GitLab => "oauth2",
        }
    }

    /// The limit of calls is reached until then, by the host's clock.
    pub(crate) fn limited(self, reset: u64) -> Reply {
        match self {
            Dialect::GitHub => self
                .refusal(403, "API rate limit exceeded")
                .with("x-ratelimit-remaining", "0")
                .with("x-ratelimit-reset", reset.to_string()),
            Dialect::GitLab => Reply {
                status: 429,
                body: b"Retry later\n".to_vec(),
                ..Reply::default()
            }
            .with("ratelimit-remaining", "0")
            .with("ratelimit-reset", reset.to_string())
            .with("retry-after", "1"),
        }
    }

    /// Too much at once, for a moment.
    pub(crate) fn hurried(self) -> Reply {
        match self {
            Dialect::GitHub => self.refusal(403, "You have exceeded a secondary rate limit"),
            Dialect::GitLab => Reply {
                status: 429,
                body: b"Retry later\n".to_vec(),
                ..Reply::default()
            },
        }
        .with("retry-after", "0")
    }

    /// One page of a list.
    pub(crate) fn page(
        self,
        asked: &Asked,
        address: &str,
        member: Option<&str>,
        items: &[Value],
    ) -> Reply {
        if self == Dialect::GitLab && asked.parameter("pagination") == Some("keyset") {
            return keyset(asked, address, items);
        }
        let size = number(
            asked,
            "per_page",
            if self == Dialect::GitLab { 20 } else { 30 },
        );
        let (size, page) = (size.clamp(1, 100), number(asked, "page", 1).max(1));
        let start = ((page - 1) * size).min(items.len());
        let end = (start + size).min(items.len());
        let shown = &items[start..end];
        let mut reply = Reply::json(
            200,
            &match member {
                None => json!(shown),
                Some(member) => json!({"total_count": items.len(), member: shown}),
            },
        );
        let next = (end < items.len()).then_some(page + 1);
        if self == Dialect::GitLab {
            let next = next.map_or(String::new(), |page| page.to_string());
            reply = reply
                .with("x-next-page", next)
                .with("x-page", page.to_string());
            // Beyond that the host does not count.
            if items.len() <= 10_000 {
                reply = reply.with("x-total", items.len().to_string());
            }
        }
        let Some(next) = next else { return reply };
        let last = items.len().div_ceil(size);
        let at = |page: usize| link(asked, address, "page", &page.to_string());
        reply.with(
            "link",
            format!("{}; rel=\"next\", {}; rel=\"last\"", at(next), at(last)),
        )
    }
}

/// A page that begins behind an id. The link stands there as long as anything was listed.
fn keyset(asked: &Asked, address: &str, items: &[Value]) -> Reply {
    if asked.parameter("order_by") != Some("id") || asked.parameter("sort") != Some("asc") {
        return Reply::json(
            405,
            &json!({"error": "Keyset pagination is not yet available for this type of request"}),
        );
    }
    let size = number(asked, "per_page", 20).clamp(1, 100);
    let after = number(asked, "id_after", 0) as u64;
    let id = |item: &Value| item["id"].as_u64().unwrap_or(0);
    // Lists are kept in the order of their ids.
    let start = items.partition_point(|item| id(item) <= after);
    let shown = &items[start..(start + size).min(items.len())];
    let reply = Reply::json(200, &json!(shown));
    match shown.last() {
        None => reply,
        Some(last) => {
            let next = link(asked, address, "id_after", &id(last).to_string());
            reply.with("link", format!("{next}; rel=\"next\""))
        }
    }
}

fn number(asked: &Asked, name: &str, or: usize) -> usize {
    let told = asked.parameter(name).and_then(|text| text.parse().ok());
    told.unwrap_or(or)
}

/// The address that was asked, with another value of a parameter.
fn link(asked: &Asked, address: &str, name: &str, value: &str) -> String {
    let own = format!("{name}=");
    let query = asked.target.split_once('?').map_or("", |(_, query)| query);
    let mut pairs: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with(&own))
        .collect();
    let own = format!("{own}{value}");
    pairs.push(&own);
    format!("<{address}{}?{}>", asked.path(), pairs.join("&"))
}
