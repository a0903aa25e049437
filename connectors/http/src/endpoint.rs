//! What can be asked: a connector's endpoints, declared in one list.

/// An endpoint that a connector reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// Its path under the base address, parameters in braces: `/orgs/{org}/actions/secrets`.
    pub path: &'static str,
    /// Where the things are in an answer.
    pub items: Items,
    /// How one page leads to the next.
    pub paging: Paging,
    /// What is counted, as coverage calls it: `actions.secret`.
    pub what: &'static str,
    /// The permission it needs, as the host calls it.
    pub needs: &'static str,
    /// What stays unseen without it.
    pub unseen: &'static str,
    /// What it means that the host says 404.
    pub missing: Missing,
    /// What it means that the host does not have the feature.
    pub without: Without,
}

/// Where the things are in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Items {
    /// The answer is a list.
    Array,
    /// A list under this member, beside a `total_count`.
    Under(&'static str),
    /// The answer is one thing.
    One,
}

/// How one page leads to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// There is one page.
    None,
    /// A `Link` header with `rel="next"` (RFC 8288).
    Link,
    /// An address in this member of the body: `next`.
    BodyLink(&'static str),
    /// The next value of a parameter, in a header: `x-next-page` to `page`.
    Header(&'static str, &'static str),
    /// The next value of a parameter, in a member of the body: `next_page_token` to `page-token`.
    BodyToken(&'static str, &'static str),
}

/// What it means that a host says 404 for something whose parent exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// There is none.
    Absent,
    /// The host hides what one may not see.
    Denied,
    /// The host does not have the feature.
    Unsupported,
}

/// What it means that a host does not have a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// There is nothing to be seen: no agents, no secrets of agents.
    Nothing,
    /// The things exist and nobody lists them: a gap.
    Unseen,
}

impl Endpoint {
    /// The path with its parameters filled in, each as one segment whatever is in it.
    pub fn fill(&self, parameters: &[(&str, &str)]) -> String {
        let mut filled = String::new();
        for segment in self.path.split('/').skip(1) {
            filled.push('/');
            let name = segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            match name.and_then(|name| parameters.iter().find(|(known, _)| *known == name)) {
                Some((_, value)) => encode(value, &mut filled),
                None => filled.push_str(segment),
            }
        }
        filled
    }
}

/// A name as one segment of a path or one value of a query (RFC 3986, unreserved characters).
pub(crate) fn encode(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Items, Missing, Paging, Without};

    #[test]
    fn hostile_names_stay_inside_their_segment() {
        let endpoint = Endpoint {
            path: "/repos/{owner}/{repo}/environments",
            items: Items::Array,
            paging: Paging::None,
            what: "",
            needs: "",
            unseen: "",
            missing: Missing::Absent,
            without: Without::Nothing,
        };
        let fill = |repo| endpoint.fill(&[("owner", "acme"), ("repo", repo)]);
        assert_eq!(fill("app.js"), "/repos/acme/app.js/environments");
        assert_eq!(
            fill("a/../b?x=1#y"),
            "/repos/acme/a%2F..%2Fb%3Fx%3D1%23y/environments"
        );
        assert_eq!(fill("é\n"), "/repos/acme/%C3%A9%0A/environments");
    }
}
