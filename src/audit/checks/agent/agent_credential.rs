//! AGT-01: an agent's tool uses a credential that nobody governs.
//!
//! # Why
//! What an agent may do is decided by what its tools hold; a person's token gives it all that the
//! person may do, for as long as the person has it.
//!
//! # How it is decided
//! For secrets that stand in the settings of agents and their tools (MCP servers, coding agents),
//! and for credentials whose record says that an agent's tool holds them: a record of their own; a
//! kind that does not act as a person; an approved scope, an end, a way to revoke them, and a
//! place where their calls are logged, which is what a check at run time leaves behind; not shared
//! by two agents. High; critical for administrators. Not evaluated without a register.
//!
//! # Remedy
//! A scoped identity for each agent and tool.

use std::collections::BTreeSet;

use keymuster_api::{Severity, Status};

use crate::{
    audit::{
        Check, CheckAbout, CheckCx, Findings, Input, Modifier, Subject,
        checks::places::is_agent_config,
        recorded::{Recorded, Said},
        words,
    },
    estate::Credential,
    inventory::Record,
};

/// The check.
pub(in crate::audit::checks) struct AgentCredential;

static ABOUT: CheckAbout = CheckAbout {
    id: "AGT-01",
    slug: "agent-credential",
    title: "Agent tool credential ungoverned",
    why: "What an agent may do is decided by what its tools hold.",
    decided: "a credential of an agent's tool has no record of its own, acts as a person, or lacks scope, end, revocation or log",
    remedy: "a scoped identity for each agent and tool",
    needs: &[Input::Inventory, Input::Locations],
};

impl Check for AgentCredential {
    fn about(&self) -> &'static CheckAbout {
        &ABOUT
    }

    fn run(&self, cx: &CheckCx<'_>, out: &mut Findings<'_>) {
        let recorded = Recorded::of(cx.inventory);
        for (ix, credential) in cx.credentials() {
            if !cx.is_live(credential) || credential.status == Status::Disabled {
                continue;
            }
            let configs: BTreeSet<String> = cx
                .leaks(credential)
                .filter(|sighting| is_agent_config(&sighting.path))
                .map(|sighting| cx.place(sighting))
                .collect();
            let record = cx.record_of(ix);
            let said = record.is_some_and(|record| {
                record.credential_type.as_deref() == Some("agent_tool_credential")
            });
            if configs.is_empty() && !said {
                continue;
            }
            let subject = Subject::Credential(ix);
            if cx.inventory.is_none() {
                out.not_evaluated(&subject, Input::Inventory);
                continue;
            }
            let wrong = faults(cx, &recorded, credential, record, configs.len());
            if wrong.is_empty() {
                out.pass(&subject);
                continue;
            }
            let admin = cx.is_admin(credential);
            let severity = if admin {
                Severity::Critical
            } else {
                Severity::High
            };
            out.fail(subject, severity, |draft| {
                draft.ignore(Modifier::Privilege);
                for place in &configs {
                    draft.evidence("agent's settings", place.as_str(), "content");
                }
                let row = record.map_or_else(|| "the register".to_owned(), |r| r.source.to_string());
                for (what, says) in &wrong {
                    draft.evidence(what, says.as_str(), row.as_str());
                }
                draft.remedy(format!(
                    "issue a scoped identity for this agent and tool, register it with scope, end, revocation and log; then {}",
                    words::revoke(cx, ix)
                ));
            });
        }
    }
}

fn faults(
    cx: &CheckCx<'_>,
    recorded: &Recorded<'_>,
    credential: &Credential,
    record: Option<&Record>,
    configs: usize,
) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    if let Some(kind) = cx.advice(credential).filter(|kind| kind.class == "person") {
        wrong.push((
            "borrowed from a person",
            format!("acts as one: {}", kind.title),
        ));
    }
    if configs > 1 {
        wrong.push(("shared", format!("by {configs} settings")));
    }
    let Some(record) = record else {
        wrong.push(("record", "none".to_owned()));
        return wrong;
    };
    if record.credential_type.as_deref() != Some("agent_tool_credential") {
        let says = record
            .credential_type
            .clone()
            .unwrap_or_else(|| "nothing".to_owned());
        wrong.push(("record of its own", format!("recorded as {says}")));
    }
    let enforced = credential.expires.value().is_some();
    for (what, is_missing) in [
        ("approved scope", record.scope.is_empty()),
        ("end", record.expires_at.is_none() && !enforced),
        ("revocation path", record.revocation_path.is_none()),
        (
            "log source",
            recorded.text(record, Said::LogSource).is_none(),
        ),
    ] {
        if is_missing {
            wrong.push((what, "none".to_owned()));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Severity, Status};

    use crate::audit::{KindAdvice, checks::testing::World};

    /// A governed credential of an agent's tool.
    fn governed() -> World {
        let mut world = World::new();
        let key = world.key("agent");
        world.seen(key, "web", ".mcp.json");
        let record = world.registered(key);
        record.credential_type = Some("agent_tool_credential".to_owned());
        world.said(0, "Log source", "cloudtrail");
        world
    }

    #[test]
    fn true_each_thing_that_is_missing() {
        for number in 0..6 {
            let mut world = governed();
            let record = &mut world.inventory.as_mut().expect("given").records[0];
            let label = match number {
                0 => {
                    record.scope.clear();
                    "approved scope"
                }
                1 => {
                    record.expires_at = None;
                    "end"
                }
                2 => {
                    record.revocation_path = None;
                    "revocation path"
                }
                3 => {
                    record.extra.clear();
                    "log source"
                }
                4 => {
                    record.credential_type = Some("access_key".to_owned());
                    "record of its own"
                }
                _ => {
                    world.seen(0, "api", ".cursor/mcp.json");
                    "shared"
                }
            };
            let finding = world.finding("AGT-01");
            assert_eq!(finding.severity, Severity::High);
            assert!(finding.evidence.iter().any(|e| e.label == label), "{label}");
        }
    }

    #[test]
    fn true_a_persons_token_and_administrators() {
        let mut world = World::new();
        let secret = world.secret("github.pat");
        world.seen(secret, "web", ".claude/settings.json");
        let advice = KindAdvice {
            class: "person".to_owned(),
            ..KindAdvice::default()
        };
        world.kinds.insert("github.pat".to_owned(), advice);
        let finding = world.finding("AGT-01");
        assert!(
            finding
                .evidence
                .iter()
                .any(|e| e.label == "borrowed from a person")
        );
        let mut world = governed();
        world.inventory.as_mut().expect("given").records[0]
            .scope
            .clear();
        world.admin(0);
        assert_eq!(world.finding("AGT-01").severity, Severity::Critical);
    }

    #[test]
    fn near_miss_governed_or_no_agent() {
        let mut world = governed();
        world.assert_passes("AGT-01");
        world.credential(0).status = Status::Disabled;
        world.assert_ignores("AGT-01");
        let mut world = World::new();
        let key = world.key("deploy");
        world.seen(key, "web", "settings.json");
        world.assert_ignores("AGT-01");
    }

    #[test]
    fn missing_inventory() {
        let mut world = governed();
        world.inventory = None;
        world.assert_lacks("AGT-01", "inventory");
    }
}
