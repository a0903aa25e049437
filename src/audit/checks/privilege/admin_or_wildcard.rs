//! PRV-02: a machine may do everything, or everything in a service.
//!
//! # Why
//! Whoever gets hold of it owns the account.
//!
//! # How it is decided
//! For principals that machines use: users and service accounts with an active credential,
//! roles, the root with keys; service accounts of Kubernetes and Google Cloud also without one,
//! because what runs as them is given a token. What the provider makes for its own services, or
//! roles for people who log in, are none. For organisations and repositories of a code host: whether
//! the token that every job gets may write by default (medium; high where it also approves reviews).
//! What they can really do is what the evaluator of policies says: an
//! administrator, one who gets there by a chain of known ways (a role passed to a service, a
//! policy of its own rewritten …), or a service wholly on every resource. High, also where it is approved;
//! medium where a condition stands before it; critical where a credential of it is exposed or
//! has no owner. One finding per principal, with its credentials named. Not evaluated where no
//! policies were seen.
//!
//! # Remedy
//! Grant what is used, and no more.

use keymuster_api::{IdentityKind, Severity, Status};

use crate::{
    access::others::is_of_others,
    audit::{
        Check, CheckAbout, CheckCx, Draft, Findings, Input, Modifier, PrivilegeFact, Subject,
        settings, words,
    },
    estate::Identity,
};

/// The check.
pub(in crate::audit::checks) struct AdminOrWildcard;

static ABOUT: CheckAbout = CheckAbout {
    id: "PRV-02",
    slug: "admin-or-wildcard",
    title: "Admin, wildcard or escalation path",
    why: "Whoever gets hold of it owns the account.",
    decided: "the effective policies make a machine's principal an administrator, lead it to one, or give it a service wholly on every resource",
    remedy: "grant what is used, and no more",
    needs: &[Input::Discovered, Input::Permissions],
};

impl Check for AdminOrWildcard {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        settings::default_tokens(cx, out);
        for (ix, identity) in (0..).zip(&cx.estate.identities) {
            if !is_machine(cx, identity) {
                continue;
            }
            let subject = Subject::Identity(ix);
            let root = identity.kind == IdentityKind::Root;
            let fact = cx.privileges.get(ix as usize).and_then(Option::as_ref);
            let severity = match fact {
                _ if root => Some(Severity::High),
                None => {
                    out.not_evaluated(&subject, Input::Permissions);
                    continue;
                }
                Some(fact)
                    if fact.admin.is_some()
                        || fact.reaches_admin.is_some()
                        || !fact.wildcards.is_empty() =>
                {
                    Some(Severity::High)
                }
                Some(fact)
                    if fact.conditional_admin.is_some() || fact.reaches_admin_if.is_some() =>
                {
                    Some(Severity::Medium)
                }
                Some(_) => None,
            };
            match severity {
                None => out.pass(&subject),
                Some(severity) => out.fail(subject, severity, |draft| {
                    describe(cx, identity, fact, draft);
                }),
            }
        }
    }
}

fn describe(
    cx: &CheckCx<'_>,
    identity: &Identity,
    fact: Option<&PrivilegeFact>,
    draft: &mut Draft<'_>,
) {
    // Being an administrator is what this check is about; it does not count twice.
    draft.ignore(Modifier::Privilege);
    let key = cx.text(identity.key);
    if identity.kind == IdentityKind::Root {
        draft.evidence("administrator", "the account's root", key);
    }
    if let Some(fact) = fact {
        draft.evidence("administrator", fact.admin.clone().unwrap_or_default(), key);
        draft.evidence(
            "administrator under a condition",
            fact.conditional_admin.clone().unwrap_or_default(),
            key,
        );
        draft.evidence(
            "reaches an administrator",
            fact.reaches_admin.clone().unwrap_or_default(),
            key,
        );
        draft.evidence(
            "reaches an administrator under a condition",
            fact.reaches_admin_if.clone().unwrap_or_default(),
            key,
        );
        for (service, why) in &fact.wildcards {
            draft.evidence("wildcard", format!("{service}: {why}"), key);
        }
    }
    for &ix in &identity.credentials {
        let credential = cx.credential(ix);
        if credential.status != Status::Active {
            continue;
        }
        draft.stands_for(ix);
        draft.evidence("credential", cx.label(credential), cx.sources(credential));
        let record = cx.record_of(ix);
        if let Some(sighting) = cx.leaks(credential).next() {
            draft.at_least(Severity::Critical);
            draft.evidence("exposed", cx.label(credential), cx.place(sighting));
        }
        let claims: Vec<u32> = credential
            .claims
            .iter()
            .chain(&identity.claims)
            .copied()
            .collect();
        if cx.inventory.is_some() && !cx.is_unconfirmed(ix) && cx.owner(record, &claims).is_none() {
            draft.at_least(Severity::Critical);
            draft.evidence(
                "no owner",
                cx.label(credential),
                "the register and all claims",
            );
        }
        if let Some(record) = record
            && let Some(scope) = record.scope.iter().find(|scope| approves_admin(scope))
        {
            draft.evidence("approved scope", scope.as_str(), record.source.to_string());
        }
    }
    let name = words::shell_word(cx.text(identity.name));
    draft.remedy(match (cx.text(identity.provider), identity.kind) {
        (_, IdentityKind::Root) => "delete the root's access keys; nothing needs them".to_owned(),
        ("aws", IdentityKind::Role) => format!(
            "see what it uses: aws iam generate-service-last-accessed-details --arn {}; replace the policies named above by those services, and try it behind a permissions boundary: aws iam put-role-permissions-boundary --role-name {name}",
            words::shell_word(key)
        ),
        ("aws", _) => format!(
            "see what it uses: aws iam generate-service-last-accessed-details --arn {}; replace the policies named above by those services, or give the work to a role: aws iam list-attached-user-policies --user-name {name}",
            words::shell_word(key)
        ),
        ("kubernetes", _) => match cx.text(identity.name).split_once('/') {
            Some((space, account)) => format!(
                "see what it may: kubectl auth can-i --list --as {}; bind a role of what it uses in place of the one named above, and turn off its token where nothing uses it (automountServiceAccountToken: false)",
                words::shell_word(&format!("system:serviceaccount:{space}:{account}"))
            ),
            None => "bind a role of what it uses in place of the one named above".to_owned(),
        },
        _ => "see what it uses, and grant that and no more".to_owned(),
    });
}

fn is_machine(cx: &CheckCx<'_>, identity: &Identity) -> bool {
    if matches!(identity.status, Status::Disabled | Status::Revoked) {
        return false;
    }
    let has_key = || {
        let mut credentials = identity.credentials.iter().map(|&ix| cx.credential(ix));
        credentials.any(|credential| credential.listed && credential.status == Status::Active)
    };
    match identity.kind {
        IdentityKind::Role => {
            let key = cx.text(identity.key);
            !key.contains(":role/aws-service-role/") && !key.contains(":role/aws-reserved/")
        }
        IdentityKind::Group => false,
        IdentityKind::ServiceAccount | IdentityKind::App
            if is_of_others(cx.text(identity.provider)) =>
        {
            !cx.is_set(cx.text(identity.key), "provider-managed", "true")
        }
        IdentityKind::Root
        | IdentityKind::User
        | IdentityKind::ServiceAccount
        | IdentityKind::App => has_key(),
    }
}

/// Whether a recorded scope allows everything.
fn approves_admin(scope: &str) -> bool {
    let scope = scope.trim().to_lowercase();
    scope == "*" || scope == "*:*" || scope.contains("admin")
}

#[cfg(test)]
mod tests {
    use keymuster_api::{IdentityKind, Known, Severity, Status};

    use crate::audit::{PrivilegeFact, checks::testing::World};

    #[test]
    fn true_one_finding_for_a_user_with_two_keys() {
        let mut world = World::new();
        let admin = world.identity(IdentityKind::User, "boss");
        world.admin(admin);
        for _ in 0..2 {
            let key = world.key_of(admin);
            world.registered(key).scope = vec!["AdministratorAccess".to_owned()];
        }
        let finding = world.finding("PRV-02");
        assert_eq!(finding.severity, Severity::High);
        let named = finding
            .evidence
            .iter()
            .filter(|e| e.label == "credential")
            .count();
        assert_eq!(named, 2);
        assert!(finding.evidence.iter().any(|e| e.label == "approved scope"));
        assert_eq!(finding.owner, "ada@acme.example");
    }

    #[test]
    fn true_exposed_or_ownerless_is_critical() {
        let mut world = World::new();
        let admin = world.identity(IdentityKind::User, "boss");
        world.admin(admin);
        let key = world.key_of(admin);
        assert_eq!(world.finding("PRV-02").severity, Severity::Critical);
        world.registered(key);
        assert_eq!(world.finding("PRV-02").severity, Severity::High);
        world.seen(key, "payments-api", "src/a.py");
        assert_eq!(world.finding("PRV-02").severity, Severity::Critical);
    }

    #[test]
    fn true_a_wildcard_and_a_condition() {
        let mut world = World::new();
        let role = world.identity(IdentityKind::Role, "batch");
        world.privileges[role as usize] = Some(PrivilegeFact {
            wildcards: vec![("s3".to_owned(), "s3:* on *".to_owned())],
            ..PrivilegeFact::default()
        });
        assert_eq!(world.finding("PRV-02").severity, Severity::High);
        world.privileges[role as usize] = Some(PrivilegeFact {
            conditional_admin: Some("aws:MultiFactorAuthPresent".to_owned()),
            ..PrivilegeFact::default()
        });
        assert_eq!(world.finding("PRV-02").severity, Severity::Medium);
    }

    #[test]
    fn true_a_way_to_an_administrator() {
        let mut world = World::new();
        let role = world.identity(IdentityKind::Role, "deploy");
        world.privileges[role as usize] = Some(PrivilegeFact {
            reaches_admin: Some("lambda-001 to the role boss".to_owned()),
            ..PrivilegeFact::default()
        });
        let finding = world.finding("PRV-02");
        assert_eq!(finding.severity, Severity::High);
        let named = |e: &crate::audit::Evidence| e.label == "reaches an administrator";
        assert!(finding.evidence.iter().any(named));
        world.privileges[role as usize] = Some(PrivilegeFact {
            reaches_admin_if: Some("iam-005; depends on needs MFA".to_owned()),
            ..PrivilegeFact::default()
        });
        assert_eq!(world.finding("PRV-02").severity, Severity::Medium);
    }

    #[test]
    fn near_miss_people_service_roles_and_dead_keys() {
        let mut world = World::new();
        for (kind, name) in [
            (
                IdentityKind::Role,
                "aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport",
            ),
            (
                IdentityKind::Role,
                "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin",
            ),
            (IdentityKind::User, "person-without-keys"),
            (IdentityKind::Group, "admins"),
        ] {
            let identity = world.identity(kind, name);
            world.admin(identity);
            world.estate.identities[identity as usize].interactive = Known::Known(true);
        }
        let user = world.identity(IdentityKind::User, "old");
        world.admin(user);
        let key = world.key_of(user);
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("PRV-02");
        world.identity(IdentityKind::Role, "reader");
        world.assert_passes("PRV-02");
    }

    #[test]
    fn missing_policies() {
        let mut world = World::new();
        let role = world.identity(IdentityKind::Role, "batch");
        world.privileges[role as usize] = None;
        world.assert_lacks("PRV-02", "permissions");
    }
}
