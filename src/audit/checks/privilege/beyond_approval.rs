//! PRV-01: it may do more than was approved.
//!
//! # Why
//! Whoever approved reading did not approve writing.
//!
//! # How it is decided
//! For credentials with a record in force whose approved scope is written in actions
//! (`s3:GetObject`, `s3:*`): each action that the principal's policies grant, within boundaries and
//! control policies, must be covered by an approved one. Medium where only reading was added, high
//! where writing or administration was. And for APIs whose gateway lets callers in by name: a
//! caller that no record in force names is more than was approved, high. Not evaluated without a
//! register, without policies, and where the scope is not written in actions.
//!
//! # Remedy
//! Trim the policy, or have it approved.

use keymuster_api::{Severity, Status};

use super::is_action;
use crate::{
    access::covers,
    audit::{
        Check, CheckAbout, CheckCx, EntryKind, Findings, Grant, Input, Modifier, Subject,
        checks::owner::in_force,
    },
    context::{System, name_key},
    inventory::RecordStatus,
};

/// The check.
pub(in crate::audit::checks) struct BeyondApproval;

static ABOUT: CheckAbout = CheckAbout {
    id: "PRV-01",
    slug: "beyond-approval",
    title: "Granted more than approved",
    why: "Whoever approved reading did not approve writing.",
    decided: "an action that its policies grant is covered by none of the approved ones, or a gateway lets in a caller that no record names",
    remedy: "trim the policy, or have it approved",
    needs: &[Input::Inventory, Input::Permissions],
};

/// Why a scope in words cannot be held against policies.
const IN_WORDS: &str = "inventory: the approved scope is not written in actions";

impl Check for BeyondApproval {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        for (ix, credential) in cx.credentials() {
            let dead = matches!(credential.status, Status::Disabled | Status::Revoked);
            if !credential.listed || dead || credential.identity.is_none() {
                continue;
            }
            let subject = Subject::Credential(ix);
            if cx.inventory.is_none() {
                out.not_evaluated(&subject, Input::Inventory);
                continue;
            }
            let ended = |status: Option<RecordStatus>| status.is_some_and(RecordStatus::is_ended);
            let Some(record) = cx.record_of(ix).filter(|record| !ended(record.status)) else {
                continue;
            };
            let Some(fact) = cx.privilege_of(credential) else {
                out.not_evaluated(&subject, Input::Permissions);
                continue;
            };
            let approved: Vec<&str> = record
                .scope
                .iter()
                .map(|scope| scope.trim())
                .filter(|scope| is_action(scope))
                .collect();
            if approved.is_empty() || approved.len() < record.scope.len() {
                out.not_evaluated_because(&subject, IN_WORDS);
                continue;
            }
            let added: Vec<&Grant> = fact
                .grants
                .iter()
                .filter(|grant| {
                    !approved
                        .iter()
                        .any(|approved| covers(approved, &grant.action))
                })
                .collect();
            if added.is_empty() {
                out.pass(&subject);
                continue;
            }
            let writes = added.iter().any(|grant| !is_reading(&grant.action));
            let severity = if writes {
                Severity::High
            } else {
                Severity::Medium
            };
            out.fail(subject, severity, |draft| {
                // That an administrator was approved for less is what this says already.
                draft.ignore(Modifier::Privilege);
                let row = record.source.to_string();
                draft.evidence("approved", approved.join(", "), row.as_str());
                for grant in added.iter().take(20) {
                    draft.evidence(
                        "granted beyond it",
                        grant.action.as_str(),
                        grant.policy.as_str(),
                    );
                }
                if added.len() > 20 {
                    let more = format!("{} more", added.len() - 20);
                    draft.evidence("granted beyond it", more, "policies");
                }
                let approval = record.approval_ref.clone().unwrap_or_default();
                draft.evidence("approval", approval, row.as_str());
                draft.remedy(format!(
                    "take {} out of {}, or have the scope of record {} ({row}) approved anew",
                    added[0].action, added[0].policy, record.id
                ));
            });
        }
        for api in cx.context.systems.iter().flatten() {
            if !api.callers.is_empty() {
                callers(cx, api, out);
            }
        }
    }
}

/// Whether an action only looks: `Get`, `List`, `Describe` …
fn is_reading(action: &str) -> bool {
    // Roles of Google Cloud say it at their end, permissions of Graph in their middle.
    if action.contains("roles/") {
        let last = action
            .rsplit(['/', '.'])
            .next()
            .unwrap_or_default()
            .to_lowercase();
        return last.ends_with("viewer") || last.ends_with("reader");
    }
    if action.starts_with("app-role:") || action.starts_with("delegated") {
        return action.contains(".Read.") || action.ends_with(".Read");
    }
    let name = action.split_once(':').map_or("", |(_, name)| name);
    [
        "Get", "List", "Describe", "Head", "BatchGet", "Lookup", "View", "Search", "Query", "Scan",
        "Watch",
    ]
    .iter()
    .any(|verb| {
        name.get(..verb.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(verb))
    })
}

/// Callers that a gateway lets in, against the register.
fn callers(cx: &CheckCx<'_>, api: &System, out: &mut Findings<'_>) {
    let subject = Subject::Entry(EntryKind::Api, api.name.clone());
    if cx.inventory.is_none() {
        out.not_evaluated(&subject, Input::Inventory);
        return;
    }
    let known = |caller: &str| {
        let wanted = name_key(caller);
        in_force(cx).any(|(_, record)| {
            let names = record
                .name
                .as_deref()
                .into_iter()
                .chain([record.id.as_str()]);
            let ids = record.identifiers.iter().map(|one| one.value.as_str());
            names.chain(ids).any(|name| name_key(name) == wanted)
        })
    };
    let unknown: Vec<&str> = api
        .callers
        .iter()
        .map(String::as_str)
        .filter(|caller| !known(caller))
        .collect();
    if unknown.is_empty() {
        out.pass(&subject);
        return;
    }
    out.fail(subject, Severity::High, |draft| {
        draft.title(format!("Callers that nobody approved: {}", api.name));
        draft.evidence("lets in", api.callers.join(", "), api.source.as_str());
        draft.evidence("in no record", unknown.join(", "), "the register");
        draft.remedy(format!(
            "register {} with its approval, or take it out of the rules of {} in {}",
            unknown.join(", "),
            api.name,
            api.source
        ));
    });
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Severity, Status};

    use super::{is_action, is_reading};
    use crate::{
        audit::{Grant, PrivilegeFact, checks::testing::World},
        context::SystemKind,
    };

    fn granted(actions: &[&str], approved: &[&str]) -> World {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key).scope = approved.iter().map(|s| (*s).to_owned()).collect();
        let grants = actions.iter().map(|action| Grant {
            action: (*action).to_owned(),
            policy: "deploy/inline/x".to_owned(),
        });
        world.privileges[0] = Some(PrivilegeFact {
            grants: grants.collect(),
            ..PrivilegeFact::default()
        });
        world
    }

    #[test]
    fn true_writing_is_high_reading_medium() {
        let finding =
            granted(&["s3:GetObject", "s3:PutObject"], &["s3:GetObject"]).finding("PRV-01");
        assert_eq!(finding.severity, Severity::High);
        assert_eq!(finding.evidence[1].value, "s3:PutObject");
        let reads = granted(&["s3:GetObject", "s3:ListBucket"], &["s3:GetObject"]);
        assert_eq!(reads.finding("PRV-01").severity, Severity::Medium);
        // A wildcard is more than what it was approved for.
        let wild = granted(&["s3:Get*"], &["s3:GetObject"]);
        assert_eq!(wild.findings("PRV-01").len(), 1);
    }

    #[test]
    fn true_a_caller_that_nobody_approved() {
        let mut world = World::new();
        world.record("R-1").1.name = Some("shop".to_owned());
        let callers = ["Shop", "stranger"].map(str::to_owned).to_vec();
        world.system(SystemKind::Api, "orders").callers = callers;
        let finding = world.finding("PRV-01");
        assert_eq!(finding.evidence[1].value, "stranger");
        world.context.systems.as_mut().expect("given")[0]
            .callers
            .pop();
        world.assert_passes("PRV-01");
    }

    #[test]
    fn near_miss_covered_whatever_the_case() {
        granted(&["s3:GetObject", "S3:List*"], &["s3:get*", "s3:l*"]).assert_passes("PRV-01");
        let mut off = granted(&["s3:PutObject"], &["s3:GetObject"]);
        off.credential(0).status = Status::Disabled;
        off.assert_ignores("PRV-01");
        assert!(
            is_action("*") && is_action("s3:*") && !is_action("read: all") && !is_action("repo")
        );
        assert!(is_reading("s3:ListBucket") && !is_reading("s3:*") && !is_reading("s3:Put"));
    }

    #[test]
    fn missing_policies_or_actions() {
        let mut world = granted(&["s3:GetObject"], &["read only"]);
        world.assert_lacks(
            "PRV-01",
            "inventory: the approved scope is not written in actions",
        );
        world.privileges[0] = None;
        world.assert_lacks("PRV-01", "permissions");
        world.inventory = None;
        world.assert_lacks("PRV-01", "inventory");
    }
}
