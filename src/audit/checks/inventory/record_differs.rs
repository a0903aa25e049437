//! INV-05: the record says one thing, the system another.
//!
//! # Why
//! Whoever decides by the register decides about something that is not there.
//!
//! # How it is decided
//! For listed credentials with a record of their own that has not ended: status, environment
//! (against the principal's tags), kind, end and date of issue are compared where both sides say
//! something; a day of difference is none. A record that promises an end which the system does
//! not enforce is no difference. Actions that were approved and are not granted are told, too.
//! High for the status, medium for the rest, information where only less is granted than
//! approved. Not evaluated without a register, and where nothing can be compared.
//!
//! # Remedy
//! Correct the record, or the grant.

use jiff::Timestamp;
use keymuster_api::{Known, Severity, Status};

use crate::{
    access::covers,
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Subject, checks::status_word,
        subject::days_between,
    },
    inventory::{Record, RecordStatus},
};

/// The check.
pub(in crate::audit::checks) struct RecordDiffers;

static ABOUT: CheckAbout = CheckAbout {
    id: "INV-05",
    slug: "record-differs",
    title: "Record differs from reality",
    why: "Whoever decides by the register decides about something that is not there.",
    decided: "status, environment, kind, end or date of issue differ between record and system",
    remedy: "correct the record, or the grant",
    needs: &[Input::Inventory, Input::Discovered],
};

/// One thing that both sides say.
struct Compared {
    field: &'static str,
    recorded: String,
    observed: String,
    severity: Option<Severity>,
}

impl Check for RecordDiffers {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        for (ix, credential) in cx.credentials().filter(|(_, credential)| credential.listed) {
            let subject = Subject::Credential(ix);
            if cx.inventory.is_none() {
                out.not_evaluated(&subject, Input::Inventory);
                continue;
            }
            let Some(record) = cx.record_of_this_key(ix).filter(|record| !is_ended(record)) else {
                continue;
            };
            let compared = compare(cx, ix, record);
            let worst = compared.iter().filter_map(|one| one.severity).max();
            match worst {
                _ if compared.is_empty() => out.not_evaluated(&subject, Input::Discovered),
                None => out.pass(&subject),
                Some(severity) => out.fail(subject, severity, |draft| {
                    let row = record.source.to_string();
                    let mut names = Vec::new();
                    for one in compared.iter().filter(|one| one.severity.is_some()) {
                        let value = format!("recorded {}, observed {}", one.recorded, one.observed);
                        draft.evidence(one.field, value, row.as_str());
                        names.push(one.field);
                    }
                    draft.evidence("observed in", cx.sources(credential), "the system");
                    draft.remedy(format!(
                        "correct {} of record {} ({row}), or make the system follow it",
                        names.join(", "),
                        record.id
                    ));
                }),
            }
        }
    }
}

/// What has ended is INV-03's matter.
fn is_ended(record: &Record) -> bool {
    record.status.is_some_and(RecordStatus::is_ended)
}

fn compare(cx: &CheckCx<'_>, ix: u32, record: &Record) -> Vec<Compared> {
    let credential = cx.credential(ix);
    let mut all = Vec::new();
    let mut add = |field, recorded: String, observed: String, differs: Option<Severity>| {
        all.push(Compared {
            field,
            recorded,
            observed,
            severity: differs,
        });
    };
    let differs = |differs: bool, severity| differs.then_some(severity);
    if let Some(recorded) = record.status
        && credential.status != Status::Unknown
    {
        let works = credential.status == Status::Active;
        let should = matches!(recorded, RecordStatus::Active | RecordStatus::Exception);
        let wrong = differs(works != should, Severity::High);
        let observed = status_word(credential.status).to_owned();
        add("status", recorded.as_str().to_owned(), observed, wrong);
    }
    let tagged = cx.environment(None, cx.estate.identity_of(credential));
    if let (Some(recorded), Some(observed)) = (
        record.environment.as_deref().and_then(environment),
        environment(tagged),
    ) {
        let wrong = differs(recorded != observed, Severity::Medium);
        add("environment", recorded.to_owned(), tagged.to_owned(), wrong);
    }
    if let (Some(recorded), Some(fitting)) = (
        record.credential_type.as_deref(),
        types_of(cx.text(credential.kind)),
    ) {
        let wrong = differs(!fitting.contains(&recorded), Severity::Medium);
        let observed = cx.text(credential.kind).to_owned();
        add("credential_type", recorded.to_owned(), observed, wrong);
    }
    for (field, recorded, observed) in [
        ("expires_at", record.expires_at, credential.expires),
        ("issued_at", record.issued_at, credential.created),
    ] {
        if let (Some(recorded), Known::Known(observed)) = (recorded, observed) {
            let wrong = differs(is_another_day(recorded, observed), Severity::Medium);
            add(field, recorded.to_string(), observed.to_string(), wrong);
        }
    }
    if let Some(unused) = not_granted(cx, ix, record) {
        let wrong = differs(!unused.is_empty(), Severity::Info);
        add("scope", unused.join(", "), "not granted".to_owned(), wrong);
    }
    all
}

/// Registers know days, systems seconds, and both their own time zones.
fn is_another_day(a: Timestamp, b: Timestamp) -> bool {
    !(-1..=1).contains(&days_between(a, b))
}

/// The one word for an environment; `None` where it is none that a system could contradict.
fn environment(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "prod" | "production" | "live" => Some("prod"),
        "staging" | "stage" | "preprod" | "uat" => Some("staging"),
        "test" | "testing" | "qa" => Some("test"),
        "dev" | "development" | "sandbox" => Some("dev"),
        _ => None,
    }
}

/// What a record may rightly call a credential of this kind; `None` where much is right.
fn types_of(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "aws.access-key" => Some(&["access_key", "api_key", "service_account", "other"]),
        "gcp.service-account-key" => {
            Some(&["service_account_key", "service_account", "api_key", "other"])
        }
        "github.pat" | "github.fine-grained-pat" | "gitlab.pat" => {
            Some(&["personal_access_token", "api_key", "bot_token", "other"])
        }
        _ => None,
    }
}

/// Approved actions that nothing grants; `None` where either side is not told in actions.
fn not_granted(cx: &CheckCx<'_>, ix: u32, record: &Record) -> Option<Vec<String>> {
    let grants = &cx.privilege_of(cx.credential(ix))?.grants;
    let approved: Vec<&String> = record
        .scope
        .iter()
        .filter(|scope| is_action(scope))
        .collect();
    if approved.is_empty() || grants.is_empty() || cx.is_admin(cx.credential(ix)) {
        return None;
    }
    let granted = |action: &str| {
        let mut all = grants.iter();
        all.any(|grant| covers(&grant.action, action) || covers(action, &grant.action))
    };
    let missing = approved.into_iter().filter(|action| !granted(action));
    Some(missing.cloned().collect())
}

/// Whether a scope is written as an action of a cloud: `s3:GetObject`.
fn is_action(scope: &str) -> bool {
    super::super::privilege::is_action(scope)
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Known, Severity, Status};

    use crate::{
        audit::{
            Grant, PrivilegeFact,
            checks::testing::{World, ago},
        },
        inventory::RecordStatus,
    };

    #[test]
    fn true_status_is_high_the_rest_medium() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).status = Some(RecordStatus::Disabled);
        let finding = world.finding("INV-05");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(
            finding.evidence[0].value,
            "recorded disabled, observed active"
        );
        let record = &mut world.inventory.as_mut().expect("given").records[0];
        record.status = Some(RecordStatus::Active);
        record.issued_at = Some(ago(32));
        assert_eq!(world.finding("INV-05").severity, Severity::Medium);
        world.credential(key).status = Status::Disabled;
        let finding = world.finding("INV-05");
        assert!(finding.evidence[0].value.contains("observed disabled"));
    }

    #[test]
    fn true_environment_kind_and_end() {
        let mut world = World::new();
        let key = world.key("deploy");
        let tag = (
            world.estate.texts.intern("Environment"),
            world.estate.texts.intern("Live"),
        );
        world.estate.identities[0].tags.push(tag);
        let record = world.registered(key);
        record.environment = Some("dev".to_owned());
        record.credential_type = Some("certificate".to_owned());
        record.expires_at = Some(ago(-60));
        world.credential(key).expires = Known::Known(ago(-62));
        let finding = world.finding("INV-05");
        let fields: Vec<&str> = finding.evidence.iter().map(|e| e.label.as_str()).collect();
        let expected = [
            "environment",
            "credential_type",
            "expires_at",
            "observed in",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn true_less_is_granted_than_approved() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).scope = vec!["s3:GetObject".to_owned(), "sqs:SendMessage".to_owned()];
        world.privileges[0] = Some(PrivilegeFact {
            grants: vec![Grant {
                action: "s3:Get*".to_owned(),
                policy: "inline".to_owned(),
            }],
            ..PrivilegeFact::default()
        });
        let finding = world.finding("INV-05");
        assert_eq!(finding.severity, Severity::Info);
        assert!(
            finding.evidence[0]
                .value
                .starts_with("recorded sqs:SendMessage,")
        );
    }

    #[test]
    fn near_miss_a_day_of_difference_and_words_for_the_same() {
        let mut world = World::new();
        let key = world.key("deploy");
        let tag = (
            world.estate.texts.intern("env"),
            world.estate.texts.intern("production"),
        );
        world.estate.identities[0].tags.push(tag);
        let record = world.registered(key);
        record.status = Some(RecordStatus::Active);
        record.environment = Some("prod".to_owned());
        record.issued_at = Some(ago(31));
        record.expires_at = Some(ago(-60));
        world.credential(key).expires = Known::Known(ago(-61));
        world.assert_passes("INV-05");
        // What has ended is INV-03's.
        let record = &mut world.inventory.as_mut().expect("given").records[0];
        record.status = Some(RecordStatus::Revoked);
        world.assert_ignores("INV-05");
    }

    #[test]
    fn missing_inventory_or_anything_to_compare() {
        let mut world = World::new();
        let key = world.key("deploy");
        let record = world.registered(key);
        record.credential_type = None;
        record.scope = Vec::new();
        world.assert_lacks("INV-05", "discovered");
        world.inventory = None;
        world.assert_lacks("INV-05", "inventory");
    }
}
