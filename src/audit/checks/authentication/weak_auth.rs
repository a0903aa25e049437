//! AUT-02: a way of authentication that is weak, or was given up.
//!
//! # Why
//! A password in every request, a token in an address, a key too short: each can be taken by
//! whoever stands in between, or reads a log.
//!
//! # How it is decided
//! For APIs whose OpenAPI document, gateway or catalogue entry says how one authenticates: HTTP
//! Basic, keys in addresses (query), OAuth's implicit and password flows (both given up by RFC
//! 9700), and operations without any login, unless the entry says that its data is public. For
//! secrets found: RSA keys below 2,048 bits, DSA keys, and logins in addresses
//! (`https://user:…@host`). For webhooks that a code host lists: a secret, an https address
//! without a credential in it, verified certificates. Medium; high where somebody outside holds or calls it. Not evaluated
//! for APIs of which nothing says how one authenticates.
//!
//! # Remedy
//! Upgrade: short-lived signed tokens in headers.

use keymuster_api::{Severity, Status};

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, EntryKind, Findings, Input, Subject,
        checks::life::is_third_party, settings, words,
    },
    context::{AuthMethod, System, SystemKind},
    estate::Credential,
};

/// The check.
pub(in crate::audit::checks) struct WeakAuth;

static ABOUT: CheckAbout = CheckAbout {
    id: "AUT-02",
    slug: "weak-auth",
    title: "Weak or deprecated authentication",
    why: "A password in every request or a token in an address can be taken by whoever reads a log.",
    decided: "an API offers Basic, keys in addresses, implicit or password flow, or nothing; a key is too short; a webhook proves nothing",
    remedy: "upgrade to short-lived signed tokens in headers",
    needs: &[Input::Catalogue, Input::Locations],
};

impl Check for WeakAuth {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let apis = cx.context.systems.iter().flatten();
        for api in apis.filter(|api| api.kind == SystemKind::Api && !api.retired) {
            offered(api, out);
        }
        for (ix, credential) in cx.credentials() {
            let dead = matches!(credential.status, Status::Disabled | Status::Revoked);
            if !dead && !cx.is_spent(credential) && cx.leaks(credential).next().is_some() {
                found(cx, ix, credential, out);
            }
        }
        settings::webhooks(cx, out);
    }
}

fn offered(api: &System, out: &mut Findings<'_>) {
    let subject = Subject::Entry(EntryKind::Api, api.name.clone());
    let public = api
        .data_classes
        .iter()
        .any(|class| class.eq_ignore_ascii_case("public"));
    let open = !api.open_operations.is_empty() && !public;
    if api.auth.is_empty() && !open {
        out.not_evaluated(&subject, Input::Catalogue);
        return;
    }
    let weak: Vec<(&'static str, &str)> = api
        .auth
        .iter()
        .filter_map(|auth| Some((weakness(auth.method)?, auth.detail.as_str())))
        .collect();
    if weak.is_empty() && !open {
        out.pass(&subject);
        return;
    }
    out.fail(subject, Severity::Medium, |draft| {
        let outside = api.teams.iter().any(|team| is_third_party(&team.to_lowercase()));
        if outside {
            draft.at_least(Severity::High);
        }
        for (what, detail) in &weak {
            draft.evidence("offers", format!("{what} ({detail})"), api.source.as_str());
        }
        if open {
            let shown: Vec<&str> = api.open_operations.iter().take(5).map(String::as_str).collect();
            let more = api.open_operations.len().saturating_sub(shown.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let says = format!("{}{more}", shown.join(", "));
            draft.evidence("without a login", says, api.source.as_str());
        }
        draft.remedy(format!(
            "have {} take OAuth 2.0 client credentials or mutual TLS (RFC 8705) instead, and take the old way out of {}",
            api.name, api.source
        ));
    });
}

/// What is weak about a way to authenticate.
fn weakness(method: AuthMethod) -> Option<&'static str> {
    match method {
        AuthMethod::Basic => Some("HTTP Basic, a password in every request"),
        AuthMethod::ApiKeyInUrl => Some("keys in addresses, which logs keep"),
        AuthMethod::OAuthImplicit => Some("OAuth's implicit flow, given up by RFC 9700"),
        AuthMethod::OAuthPassword => Some("OAuth's password flow, given up by RFC 9700"),
        AuthMethod::None => Some("no authentication"),
        _ => None,
    }
}

fn found(cx: &CheckCx<'_>, ix: u32, credential: &Credential, out: &mut Findings<'_>) {
    let subject = Subject::Credential(ix);
    let facts = || {
        cx.leaks(credential)
            .flat_map(|sighting| &sighting.details.facts)
    };
    let fact = |name: &str| {
        facts()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let bits = fact("bits").and_then(|bits| bits.parse::<u32>().ok());
    let algorithm = fact("algorithm").unwrap_or_default().to_lowercase();
    let kind = cx.text(credential.kind);
    let weak = match bits {
        Some(bits) if algorithm.contains("rsa") && bits < 2048 => {
            Some(format!("an RSA key of {bits} bits"))
        }
        _ if algorithm.contains("dsa")
            && !algorithm.contains("ec")
            && !algorithm.contains("ed") =>
        {
            Some("a DSA key".to_owned())
        }
        _ if kind.ends_with("url-login") || kind.ends_with("basic-auth") => {
            Some("a password in an address or a Basic header".to_owned())
        }
        _ => None,
    };
    let Some(weak) = weak else {
        out.pass(&subject);
        return;
    };
    out.fail(subject, Severity::Medium, |draft| {
        let record = cx.record_of(ix);
        if record.is_some_and(|r| r.trust_tier.as_deref().is_some_and(is_third_party)) {
            draft.at_least(Severity::High);
        }
        let place = cx.leaks(credential).next().map(|one| cx.place(one));
        draft.evidence("method", weak.as_str(), place.unwrap_or_default());
        draft.remedy(format!(
            "replace {weak} by a short-lived token; {}",
            words::rotate(cx, ix)
        ));
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keymuster_api::{Details, Severity, Status};

    use crate::{
        audit::checks::testing::World,
        context::{Auth, AuthMethod, SystemKind},
    };

    fn api(method: AuthMethod) -> World {
        let mut world = World::new();
        world.system(SystemKind::Api, "orders").auth = vec![Auth {
            method,
            detail: "key in query".to_owned(),
        }];
        world
    }

    #[test]
    fn true_each_weak_way() {
        for method in [
            AuthMethod::Basic,
            AuthMethod::ApiKeyInUrl,
            AuthMethod::OAuthImplicit,
            AuthMethod::OAuthPassword,
            AuthMethod::None,
        ] {
            let finding = api(method).finding("AUT-02");
            assert_eq!(finding.severity, Severity::Medium);
            assert!(finding.evidence[0].value.ends_with("(key in query)"));
        }
        let mut world = api(AuthMethod::Basic);
        let api = &mut world.context.systems.as_mut().expect("given")[0];
        api.teams = vec!["partner".to_owned()];
        assert_eq!(world.finding("AUT-02").severity, Severity::High);
    }

    #[test]
    fn true_operations_without_a_login() {
        let mut world = api(AuthMethod::OpenId);
        let api = &mut world.context.systems.as_mut().expect("given")[0];
        api.open_operations = (0..7).map(|n| format!("GET /{n}")).collect();
        assert!(
            world.finding("AUT-02").evidence[0]
                .value
                .ends_with("/4 and 2 more")
        );
        let api = &mut world.context.systems.as_mut().expect("given")[0];
        api.data_classes = vec!["Public".to_owned()];
        world.assert_passes("AUT-02");
    }

    fn key(algorithm: &str, bits: &str) -> World {
        let mut world = World::new();
        let secret = world.secret("ssh.private-key");
        let facts = [("algorithm", algorithm), ("bits", bits)];
        world.seen(secret, "web", "id_rsa").details = Arc::new(Details {
            facts: facts.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec(),
            ..Details::default()
        });
        world
    }

    #[test]
    fn true_a_key_too_short() {
        assert_eq!(key("RSA", "1024").findings("AUT-02").len(), 1);
        assert_eq!(key("ssh-dss dsa", "1024").findings("AUT-02").len(), 1);
        key("RSA", "2048").assert_passes("AUT-02");
        key("ECDSA", "256").assert_passes("AUT-02");
        let mut dead = key("RSA", "1024");
        dead.credential(0).status = Status::Revoked;
        dead.assert_ignores("AUT-02");
    }

    #[test]
    fn near_miss_strong_ways_and_retired_apis() {
        for method in [
            AuthMethod::OpenId,
            AuthMethod::OAuthClient,
            AuthMethod::OAuthCode,
            AuthMethod::MutualTls,
            AuthMethod::Signed,
            AuthMethod::Bearer,
            AuthMethod::ApiKey,
        ] {
            api(method).assert_passes("AUT-02");
        }
        let mut world = api(AuthMethod::Basic);
        world.context.systems.as_mut().expect("given")[0].retired = true;
        world.assert_ignores("AUT-02");
    }

    #[test]
    fn missing_how_one_authenticates() {
        let mut world = World::new();
        world.system(SystemKind::Api, "orders");
        world.assert_lacks("AUT-02", "catalogue");
    }
}
