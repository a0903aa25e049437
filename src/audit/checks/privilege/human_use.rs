//! PRV-04: a person and a machine share one identity.
//!
//! # Why
//! Nobody can tell afterwards who did it, and a second factor that only the person has protects
//! half of the identity.
//!
//! # How it is decided
//! For principals with an active credential for machines: a console password, so that a person can
//! log in with them, or an application of Entra that people run as a public client. And for credentials of a kind that acts as a person: they stand where a
//! pipeline reads them (its definition, a secret of its store). Medium; high for administrators.
//! Not evaluated where the system does not say whether there is a password.
//!
//! # Remedy
//! One identity for the person, one for the machine.

use keymuster_api::{IdentityKind, Known, Severity, Status};

use crate::{
    audit::{Check, CheckAbout, CheckCx, Findings, Input, Subject, checks::places, words},
    estate::{Credential, Identity},
};

/// The check.
pub(in crate::audit::checks) struct HumanUse;

static ABOUT: CheckAbout = CheckAbout {
    id: "PRV-04",
    slug: "human-use",
    title: "Human use or interactive login",
    why: "Nobody can tell afterwards who did it.",
    decided: "a principal with active keys has a console password, or a person's credential stands in a pipeline",
    remedy: "one identity for the person, one for the machine",
    needs: &[Input::Discovered, Input::Locations],
};

impl Check for HumanUse {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        for (ix, identity) in (0..).zip(&cx.estate.identities) {
            principal(cx, ix, identity, out);
        }
        let slots = places::Slots::of(cx);
        for (ix, credential) in cx.credentials() {
            let is_person = cx
                .advice(credential)
                .is_some_and(|kind| kind.class == "person");
            if is_person && cx.is_live(credential) && credential.status != Status::Disabled {
                automation(cx, &slots, ix, credential, out);
            }
        }
    }
}

fn principal(cx: &CheckCx<'_>, ix: u32, identity: &Identity, out: &mut Findings<'_>) {
    let is_account = matches!(
        identity.kind,
        IdentityKind::User | IdentityKind::ServiceAccount | IdentityKind::App
    );
    let keys: Vec<&Credential> = identity
        .credentials
        .iter()
        .map(|&ix| cx.credential(ix))
        .filter(|credential| credential.status == Status::Active)
        .collect();
    if !is_account || keys.is_empty() {
        return;
    }
    let subject = Subject::Identity(ix);
    match identity.interactive {
        Known::Known(false) | Known::Never => out.pass(&subject),
        Known::Known(true) => out.fail(subject, Severity::Medium, |draft| {
            let source = identity.sources.first().map_or("", |one| one.locator.as_str());
            let how = match cx.text(identity.provider) {
                "entra" => "client that people run",
                _ => "console password",
            };
            draft.evidence(how, "yes", source);
            for key in &keys {
                draft.evidence("active key", cx.label(key), cx.sources(key));
            }
            let name = words::shell_word(cx.text(identity.name));
            draft.remedy(match cx.text(identity.provider) {
                "aws" => format!(
                    "give the person a login of their own (IAM Identity Center), then take this one's password: aws iam delete-login-profile --user-name {name}"
                ),
                "entra" => format!(
                    "register a client of its own for people, without a secret; then turn public client flows off for {name}: az ad app update --id APP_ID --is-fallback-public-client false"
                ),
                _ => format!("take the interactive login of {name} away, or its keys"),
            });
        }),
        _ => out.not_evaluated(&subject, Input::Discovered),
    }
}

fn automation(
    cx: &CheckCx<'_>,
    slots: &places::Slots<'_>,
    ix: u32,
    credential: &Credential,
    out: &mut Findings<'_>,
) {
    let subject = Subject::Credential(ix);
    let pipelines: Vec<String> = cx
        .leaks(credential)
        .filter(|sighting| places::is_pipeline(&sighting.path))
        .map(|sighting| cx.place(sighting))
        .chain(
            slots
                .of_credential(cx, credential)
                .map(|slot| slot.key.0.clone()),
        )
        .collect();
    if pipelines.is_empty() {
        out.pass(&subject);
        return;
    }
    out.fail(subject, Severity::Medium, |draft| {
        draft.title(format!("A person's credential in automation: {}", cx.label(credential)));
        for place in &pipelines {
            draft.evidence("read by a pipeline", place.as_str(), "the place itself");
        }
        let title = cx.advice(credential).map(|kind| kind.title.clone()).unwrap_or_default();
        draft.evidence("acts as", format!("a person: {title}"), "the catalogue of kinds");
        draft.remedy(format!(
            "give the pipeline an identity of its own (an app, a machine account, federation); then {}",
            words::revoke(cx, ix)
        ));
    });
}

#[cfg(test)]
mod tests {
    use keymuster_api::{IdentityKind, Known, Severity, Status};

    use crate::audit::{KindAdvice, checks::testing::World};

    #[test]
    fn true_a_password_beside_a_key() {
        let mut world = World::new();
        world.key("deploy");
        world.estate.identities[0].interactive = Known::Known(true);
        let finding = world.finding("PRV-04");
        assert_eq!(finding.severity, Severity::Medium);
        assert!(
            finding
                .remediation
                .contains("delete-login-profile --user-name deploy")
        );
        world.admin(0);
        assert_eq!(world.finding("PRV-04").severity, Severity::High);
    }

    fn personal(world: &mut World) -> u32 {
        let secret = world.secret("github.pat");
        let advice = KindAdvice {
            class: "person".to_owned(),
            ..KindAdvice::default()
        };
        world.kinds.insert("github.pat".to_owned(), advice);
        secret
    }

    #[test]
    fn true_a_persons_token_in_a_pipeline() {
        let mut world = World::new();
        let secret = personal(&mut world);
        world.seen(secret, "web", ".github/workflows/ci.yml");
        assert_eq!(
            world.finding("PRV-04").evidence[0].value,
            "web:.github/workflows/ci.yml:3"
        );
        let mut world = World::new();
        let secret = personal(&mut world);
        world.seen(secret, "web", "a.py");
        world.assert_passes("PRV-04");
        world.slot(secret, "github:acme/web", "actions.secret", "TOKEN");
        assert_eq!(world.findings("PRV-04").len(), 1);
    }

    #[test]
    fn near_miss_no_password_or_no_key() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.assert_passes("PRV-04");
        world.estate.identities[0].interactive = Known::Known(true);
        world.credential(key).status = Status::Disabled;
        world.assert_ignores("PRV-04");
        let mut world = World::new();
        let role = world.identity(IdentityKind::Role, "r");
        world.estate.identities[role as usize].interactive = Known::Known(true);
        world.key_of(role);
        world.assert_ignores("PRV-04");
    }

    #[test]
    fn missing_whether_there_is_a_password() {
        let mut world = World::new();
        world.key("deploy");
        world.estate.identities[0].interactive = Known::Unknown;
        world.assert_lacks("PRV-04", "discovered");
    }
}
