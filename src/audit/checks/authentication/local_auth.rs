//! AUT-03: an API decides by rules of its own.
//!
//! # Why
//! A local list of callers, an issuer of one's own, a scope that no other API knows: each is a
//! place where access stays when it was taken away everywhere else.
//!
//! # How it is decided
//! For APIs of the catalogue, against the catalogue of scopes: an issuer, a way of authentication
//! or a scope that is not in it; a list of addresses instead of identities; more than one way of
//! authentication on one API. Medium; high at T0; information where it is only a scope. An API
//! whose entry names a gateway that translates (`policy_owner` and a reviewed policy) is not
//! excused: accept the finding with an exception that ends. Not evaluated without a catalogue of
//! scopes, unless an API's own rules are enough.
//!
//! # Remedy
//! Move to the central policy; translate at the gateway until then.

use keymuster_api::Severity;

use crate::{
    audit::{Check, CheckAbout, CheckCx, EntryKind, Findings, Input, Subject},
    context::{AuthMethod, Scopes, System, SystemKind},
};

/// The check.
pub(in crate::audit::checks) struct LocalAuth;

static ABOUT: CheckAbout = CheckAbout {
    id: "AUT-03",
    slug: "local-auth",
    title: "Local auth exception",
    why: "Each rule of its own is a place where access stays when it was taken away everywhere else.",
    decided: "an issuer, way of authentication, scope or list of callers that the catalogue of scopes does not know",
    remedy: "move to the central policy; translate at the gateway until then",
    needs: &[Input::Catalogue, Input::Scopes],
};

impl Check for LocalAuth {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let apis = cx.context.systems.iter().flatten();
        for api in apis.filter(|api| api.kind == SystemKind::Api && !api.retired) {
            let subject = Subject::Entry(EntryKind::Api, api.name.clone());
            let rules = rules(api, cx.context.scopes.as_ref());
            let worst = rules.iter().map(|(severity, ..)| *severity).max();
            match (worst, &cx.context.scopes) {
                (None, None) => out.not_evaluated(&subject, Input::Scopes),
                (None, Some(_)) => out.pass(&subject),
                (Some(severity), scopes) => out.fail(subject, severity, |draft| {
                    for (_, what, rule) in &rules {
                        draft.evidence(what, rule.as_str(), api.source.as_str());
                    }
                    if let Some(scopes) = scopes {
                        let edition = format!("version {}", scopes.version);
                        draft.evidence("held against", edition, scopes.source.as_str());
                    }
                    let names: Vec<&str> = rules.iter().map(|(_, _, rule)| rule.as_str()).collect();
                    draft.remedy(format!(
                        "move {} of {} to the central policy, or translate at the gateway under an exception with an end",
                        names.join(", "),
                        api.name
                    ));
                }),
            }
        }
    }
}

/// The rules that an API has for itself.
fn rules(api: &System, scopes: Option<&Scopes>) -> Vec<(Severity, &'static str, String)> {
    let mut rules = Vec::new();
    let logins: Vec<AuthMethod> = api
        .auth
        .iter()
        .map(|auth| auth.method)
        .filter(|method| *method != AuthMethod::AllowList)
        .collect();
    if logins.len() > 1 {
        let words: Vec<&str> = logins.iter().map(|method| method.as_str()).collect();
        rules.push((Severity::Medium, "several ways in", words.join(", ")));
    }
    for auth in api
        .auth
        .iter()
        .filter(|auth| auth.method == AuthMethod::AllowList)
    {
        rules.push((Severity::Medium, "allow-list", auth.detail.clone()));
    }
    let Some(scopes) = scopes else {
        return rules;
    };
    if !scopes.auth.is_empty() {
        let agreed = |method: AuthMethod| {
            scopes
                .auth
                .iter()
                .any(|word| AuthMethod::from_word(word) == Some(method))
        };
        for method in logins.into_iter().filter(|method| !agreed(*method)) {
            rules.push((Severity::Medium, "off-standard", method.as_str().to_owned()));
        }
    }
    let same = |a: &str, b: &str| {
        a.trim_end_matches('/')
            .eq_ignore_ascii_case(b.trim_end_matches('/'))
    };
    if !scopes.issuers.is_empty() {
        for issuer in &api.issuers {
            if !scopes.issuers.iter().any(|known| same(known, issuer)) {
                rules.push((Severity::Medium, "foreign issuer", issuer.clone()));
            }
        }
    }
    for scope in &api.scopes {
        if !scopes.scopes.iter().any(|known| known.name == *scope) {
            rules.push((Severity::Info, "scope of its own", scope.clone()));
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::{
        audit::checks::testing::World,
        context::{Auth, AuthMethod, ScopeEntry, Scopes, SystemKind},
    };

    fn world(methods: &[AuthMethod], issuer: &str, scope: &str) -> World {
        let mut world = World::new();
        let api = world.system(SystemKind::Api, "orders");
        api.auth = methods
            .iter()
            .map(|&method| Auth {
                method,
                detail: "plugin ip-restriction".to_owned(),
            })
            .collect();
        api.issuers = vec![issuer.to_owned()];
        api.scopes = vec![scope.to_owned()];
        world.context.scopes = Some(Scopes {
            version: "3".to_owned(),
            source: "scopes.toml".to_owned(),
            scopes: vec![ScopeEntry {
                name: "orders.read".to_owned(),
                about: None,
            }],
            issuers: vec!["https://id.acme.example".to_owned()],
            auth: vec!["oidc".to_owned()],
        });
        world
    }

    const OWN: &str = "https://id.acme.example/";

    #[test]
    fn true_each_rule_of_its_own() {
        let open = AuthMethod::OpenId;
        for (world, what, severity) in [
            (
                world(&[open], "https://other.example", "orders.read"),
                "foreign issuer",
                Severity::Medium,
            ),
            (
                world(&[open], OWN, "orders.special"),
                "scope of its own",
                Severity::Info,
            ),
            (
                world(&[AuthMethod::Bearer], OWN, "orders.read"),
                "off-standard",
                Severity::Medium,
            ),
            (
                world(&[open, AuthMethod::AllowList], OWN, "orders.read"),
                "allow-list",
                Severity::Medium,
            ),
            (
                world(&[open, open], OWN, "orders.read"),
                "several ways in",
                Severity::Medium,
            ),
        ] {
            let finding = world.finding("AUT-03");
            assert_eq!(
                (finding.severity, finding.evidence[0].label.as_str()),
                (severity, what)
            );
        }
    }

    #[test]
    fn near_miss_all_as_agreed() {
        world(&[AuthMethod::OpenId], OWN, "orders.read").assert_passes("AUT-03");
        let mut loose = world(
            &[AuthMethod::Bearer],
            "https://other.example",
            "orders.read",
        );
        let scopes = loose.context.scopes.as_mut().expect("given");
        scopes.auth.clear();
        scopes.issuers.clear();
        loose.assert_passes("AUT-03");
    }

    #[test]
    fn missing_catalogue_of_scopes() {
        let mut world = world(&[AuthMethod::OpenId], OWN, "orders.read");
        world.context.scopes = None;
        world.assert_lacks("AUT-03", "scopes");
        let api = &mut world.context.systems.as_mut().expect("given")[0];
        api.auth.push(Auth {
            method: AuthMethod::AllowList,
            detail: "x".to_owned(),
        });
        assert_eq!(
            world.findings("AUT-03").len(),
            1,
            "its own rules are enough"
        );
    }
}
