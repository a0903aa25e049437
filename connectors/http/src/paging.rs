//! Where the next page is, and whether one may go there.

use serde_json::Value;
use url::Url;

use crate::{Paging, Response};

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// It ends here.
    End,
    /// At this address.
    At(String),
    /// At an address of another origin, or none at all: nobody goes there.
    Astray,
}

/// The next page after this one.
pub(crate) fn next(paging: Paging, base: &Url, url: &str, answer: &Response, body: &Value) -> Next {
    let text = |member: &str| {
        body.get(member)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    match paging {
        Paging::None => Next::End,
        Paging::Link => match answer.header("link").and_then(link_next) {
            Some(link) => at(base, url, link),
            None => Next::End,
        },
        Paging::BodyLink(member) => text(member).map_or(Next::End, |link| at(base, url, link)),
        Paging::Header(header, parameter) => match answer.header(header).map(str::trim) {
            Some(value) if !value.is_empty() => with(base, url, parameter, value),
            _ => Next::End,
        },
        Paging::BodyToken(member, parameter) => {
            text(member).map_or(Next::End, |value| with(base, url, parameter, value))
        }
    }
}

/// The target of `rel="next"` in a `Link` header (RFC 8288).
fn link_next(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some(start) = rest.find('<') {
        let (target, after) = rest[start + 1..].split_once('>')?;
        let end = after
            .find(", <")
            .or_else(|| after.find(",<"))
            .unwrap_or(after.len());
        let is_next = after[..end].split(';').any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else {
                return false;
            };
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .trim()
                    .trim_matches('"')
                    .split(' ')
                    .any(|word| word.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target);
        }
        rest = &after[end..];
    }
    None
}

/// An address that an answer names, if it is of the same origin.
pub(crate) fn at(base: &Url, url: &str, link: &str) -> Next {
    let joined = Url::parse(url).and_then(|url| url.join(link));
    match joined {
        Ok(target) if is_same_origin(base, &target) => Next::At(target.into()),
        _ => Next::Astray,
    }
}

fn is_same_origin(base: &Url, target: &Url) -> bool {
    base.origin() == target.origin() && target.username().is_empty() && target.password().is_none()
}

fn with(base: &Url, url: &str, parameter: &str, value: &str) -> Next {
    let Ok(mut target) = Url::parse(url) else {
        return Next::Astray;
    };
    let others: Vec<(String, String)> = target
        .query_pairs()
        .filter(|(name, _)| name != parameter)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    target
        .query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair(parameter, value);
    at(base, url, target.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::{Next, next};
    use crate::{Paging, Response};

    fn base() -> Url {
        "https://ghe.test/api/v3".parse().expect("an address")
    }

    fn of(paging: Paging, header: (&str, &str), body: &serde_json::Value) -> Next {
        let answer = Response {
            headers: vec![(header.0.to_owned(), header.1.to_owned())],
            ..Response::default()
        };
        next(
            paging,
            &base(),
            "https://ghe.test/api/v3/x?per_page=2",
            &answer,
            body,
        )
    }

    #[test]
    fn every_style_leads_on_and_ends() {
        let at = |text: &str| Next::At(text.to_owned());
        let none = json!({});
        let page2 = at("https://ghe.test/api/v3/x?per_page=2&page=2");
        for link in [
            "<https://ghe.test/api/v3/x?per_page=2&page=2>; rel=\"next\"",
            "<https://ghe.test/x?page=1>; rel=\"first\", <https://ghe.test/api/v3/x?per_page=2&page=2>; rel=next",
            "</api/v3/x?per_page=2&page=2>; title=\"a\"; REL=\"last next\"",
        ] {
            assert_eq!(of(Paging::Link, ("link", link), &none), page2, "{link}");
        }
        for link in [
            "",
            "<https://ghe.test/x?page=1>; rel=\"prev\"",
            "<<<",
            "<x",
            "rel=next",
        ] {
            assert_eq!(of(Paging::Link, ("link", link), &none), Next::End, "{link}");
        }
        let paging = Paging::Header("x-next-page", "page");
        assert_eq!(of(paging, ("x-next-page", "2"), &none), page2);
        assert_eq!(of(paging, ("x-next-page", ""), &none), Next::End);
        let body = json!({"next": "https://ghe.test/api/v3/x?per_page=2&page=2", "token": "2"});
        assert_eq!(of(Paging::BodyLink("next"), ("", ""), &body), page2);
        assert_eq!(
            of(Paging::BodyToken("token", "page"), ("", ""), &body),
            page2
        );
        assert_eq!(
            of(Paging::BodyToken("none", "page"), ("", ""), &body),
            Next::End
        );
    }

    #[test]
    fn no_link_leads_to_another_origin() {
        for target in [
            "https://evil.test/x",
            "http://ghe.test/api/v3/x",
            "https://ghe.test:8443/x",
            "//evil.test/x",
            "https://ghe.test@evil.test/x",
            "https://user:word@ghe.test/x",
            "javascript:alert(1)",
            "file:///etc/passwd",
        ] {
            let link = format!("<{target}>; rel=\"next\"");
            assert_eq!(
                of(Paging::Link, ("link", &link), &json!({})),
                Next::Astray,
                "{target}"
            );
            let body = json!({ "next": target });
            assert_eq!(
                of(Paging::BodyLink("next"), ("", ""), &body),
                Next::Astray,
                "{target}"
            );
        }
    }
}
