//! What `access` prints: who can do what, one answer, and the way to an administrator as a graph.
//!
//! Not here: any judgement (`access`).

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use keymuster_api::{Identity, IdentityKind, Key};
use serde::Serialize;

use super::{FormatCx, standing, text::harmless};
use crate::access::{
    Access, Answer, Decision, Escalation, Evidence, Hop, Others, Standing, TrustFact, TrustKind,
};

/// Targets and steps that one line of evidence names.
const SHOWN_STEPS: usize = 3;

/// One principal, as a line of JSON.
#[derive(Default, Serialize)]
pub(super) struct Line<'a> {
    pub(super) account: &'a str,
    pub(super) principal: &'a str,
    pub(super) kind: &'static str,
    pub(super) star_admin: bool,
    pub(super) reaches_admin: bool,
    pub(super) paths: Vec<&'a str>,
    pub(super) conditional: Vec<&'a str>,
    pub(super) conditions: BTreeMap<&'a str, String>,
    pub(super) services_admin: Vec<&'a str>,
    /// Whether it is an administrator under a condition, or gets there under one.
    pub(super) conditional_admin: bool,
    pub(super) chain: Vec<HopLine<'a>>,
    pub(super) targets: BTreeMap<&'a str, Vec<&'a str>>,
    pub(super) trust: Vec<TrustLine<'a>>,
    pub(super) evidence: Vec<String>,
    /// Rights that lead further, with where they hold; of systems with roles and places.
    pub(super) effective: BTreeMap<&'a str, String>,
    /// Grants without effect, likewise.
    pub(super) ineffective: Vec<IneffectiveLine<'a>>,
}

#[derive(Serialize)]
pub(super) struct HopLine<'a> {
    pub(super) from: &'a str,
    pub(super) path: &'a str,
    pub(super) to: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct TrustLine<'a> {
    pub(super) kind: &'static str,
    pub(super) who: &'a str,
    pub(super) why: &'a str,
}

#[derive(Serialize)]
pub(super) struct IneffectiveLine<'a> {
    pub(super) binding: &'a str,
    pub(super) resources: &'a [String],
    pub(super) why: &'a str,
}

pub(super) fn kind_word(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::Root => "root",
        IdentityKind::User => "user",
        IdentityKind::Role => "role",
        IdentityKind::Group => "group",
        IdentityKind::ServiceAccount => "service-account",
        IdentityKind::App => "app",
    }
}

pub(super) fn trust_word(kind: TrustKind) -> &'static str {
    match kind {
        TrustKind::Public => "public",
        TrustKind::CrossAccount => "cross-account",
        TrustKind::Deleted => "deleted",
        TrustKind::BroadOidc => "broad-oidc",
        TrustKind::AllBut => "all-but",
    }
}

/// The policy, the statement and the text that matched.
fn steps(evidence: &Evidence) -> String {
    let steps: Vec<String> = evidence
        .steps
        .iter()
        .take(SHOWN_STEPS)
        .map(|step| {
            let statement = match &step.sid {
                Some(sid) => sid.clone(),
                None => format!("statement {}", step.statement + 1),
            };
            let via = match &step.via {
                Some(group) => format!(" through {}", group.0),
                None => String::new(),
            };
            format!("{} in {} {statement}{via}", step.matched, step.policy.0)
        })
        .collect();
    steps.join("; ")
}

/// One principal with all that the evaluator says of it.
struct Row<'a> {
    identity: &'a Identity,
    access: &'a Access,
    escalation: Option<&'a Escalation>,
    trust: Vec<&'a TrustFact>,
    /// Of a principal of a system with roles and places.
    standing: Option<&'a Standing>,
}

fn rows<'a>(access: &'a Access, others: &'a Others, identities: &'a [Identity]) -> Vec<Row<'a>> {
    let mut trust: BTreeMap<&Key, Vec<&TrustFact>> = BTreeMap::new();
    for fact in access.trust_facts() {
        trust.entry(&fact.role).or_default().push(fact);
    }
    let mut rows: BTreeMap<&Key, Row<'_>> = BTreeMap::new();
    for identity in identities {
        let standing = others.standing(&identity.key);
        if standing.is_some() || access.privilege(&identity.key).is_some() {
            rows.entry(&identity.key).or_insert_with(|| Row {
                identity,
                access,
                escalation: access.escalation(&identity.key),
                trust: trust.remove(&identity.key).unwrap_or_default(),
                standing,
            });
        }
    }
    rows.into_values().collect()
}

impl<'a> Row<'a> {
    fn line(&self) -> Line<'a> {
        if let Some(standing) = self.standing {
            return standing::line(self.identity, standing);
        }
        let privilege = self.access.privilege(&self.identity.key);
        let admin = privilege.and_then(|privilege| privilege.admin.as_ref());
        let conditional = privilege.and_then(|privilege| privilege.conditional.as_ref());
        let mut line = Line {
            account: self.identity.account.as_deref().unwrap_or_default(),
            principal: &self.identity.key.0,
            kind: kind_word(self.identity.kind),
            star_admin: admin.is_some(),
            reaches_admin: admin.is_some(),
            conditional_admin: conditional.is_some(),
            trust: self
                .trust
                .iter()
                .map(|fact| TrustLine {
                    kind: trust_word(fact.kind),
                    who: &fact.who,
                    why: &fact.why,
                })
                .collect(),
            ..Line::default()
        };
        line.evidence
            .extend(admin.map(|why| format!("administrator: {}", steps(why))));
        line.evidence.extend(conditional.map(|why| {
            format!(
                "administrator if {}: {}",
                why.conditions.join(" and "),
                steps(why)
            )
        }));
        for (service, why) in privilege
            .iter()
            .flat_map(|privilege| &privilege.wildcard_services)
        {
            line.services_admin.push(service);
            line.evidence.push(format!("{service}:*: {}", steps(why)));
        }
        let Some(escalation) = self.escalation else {
            return line;
        };
        line.reaches_admin |= escalation.reaches.is_some();
        line.conditional_admin |= escalation.reaches_if.is_some();
        let chain = escalation
            .reaches
            .as_ref()
            .or(escalation.reaches_if.as_ref());
        line.chain = chain
            .into_iter()
            .flatten()
            .map(|hop| HopLine {
                from: &hop.from.0,
                path: hop.way,
                to: hop.to.as_ref().map(|to| to.0.as_str()),
            })
            .collect();
        for way in &escalation.ways {
            if way.certain {
                line.paths.push(way.id);
            } else {
                line.conditional.push(way.id);
                line.conditions.insert(way.id, way.conditions.join(", "));
            }
            if !way.targets.is_empty() {
                let targets = way.targets.iter().map(|key| key.0.as_str()).collect();
                line.targets.insert(way.id, targets);
            }
            let mut why: Vec<String> = Vec::new();
            for answer in self.access.evidence(&self.identity.key, way) {
                let text = steps(&answer.evidence);
                if !text.is_empty() && !why.contains(&text) {
                    why.push(text);
                }
            }
            line.evidence
                .push(format!("{}: {}", way.id, why.join("; ")));
        }
        line
    }
}

/// One line of JSON for every principal, by key.
///
/// # Errors
/// When writing fails.
pub fn jsonl(
    access: &Access,
    others: &Others,
    identities: &[Identity],
    out: &mut dyn Write,
) -> io::Result<()> {
    for row in rows(access, others, identities) {
        serde_json::to_writer(&mut *out, &row.line())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// A page for people: first those who can do everything, then those who get there, then the rest
/// in one line.
///
/// # Errors
/// When writing fails.
pub fn terminal(
    access: &Access,
    others: &Others,
    identities: &[Identity],
    page: &FormatCx,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rows = rows(access, others, identities);
    let mut quiet = 0;
    for row in &rows {
        let line = row.line();
        let verdict = match &line {
            line if line.star_admin => "administrator",
            line if line.reaches_admin => "reaches an administrator",
            line if line.conditional_admin => "administrator under a condition",
            line if !line.services_admin.is_empty() => "administers services",
            line if !line.paths.is_empty() || !line.conditional.is_empty() => {
                "has ways to other rights"
            }
            line if !line.trust.is_empty() => "trusted widely",
            line if !line.ineffective.is_empty() => "granted what has no effect",
            _ => "",
        };
        if verdict.is_empty() && !page.verbose {
            quiet += 1;
            continue;
        }
        let verdict = if verdict.is_empty() {
            "nothing of note"
        } else {
            verdict
        };
        writeln!(out, "{}  {verdict}", harmless(line.principal))?;
        if !line.services_admin.is_empty() {
            writeln!(
                out,
                "    services   {}",
                harmless(&line.services_admin.join(", "))
            )?;
        }
        if !line.paths.is_empty() {
            writeln!(out, "    ways       {}", line.paths.join(", "))?;
        }
        for (id, condition) in &line.conditions {
            writeln!(out, "    way        {id}, if {}", harmless(condition))?;
        }
        for hop in &line.chain {
            let to = hop.to.unwrap_or("every right");
            writeln!(
                out,
                "    step       {} by {} to {}",
                harmless(hop.from),
                hop.path,
                harmless(to)
            )?;
        }
        for trust in &line.trust {
            writeln!(
                out,
                "    trusts     {} ({}): {}",
                harmless(trust.who),
                trust.kind,
                harmless(trust.why)
            )?;
        }
        for (right, scope) in &line.effective {
            writeln!(
                out,
                "    right      {} in {}",
                harmless(right),
                harmless(scope)
            )?;
        }
        for nothing in &line.ineffective {
            writeln!(
                out,
                "    no right   {} by {}: {}",
                harmless(&nothing.resources.join(", ")),
                harmless(nothing.binding),
                harmless(nothing.why)
            )?;
        }
        if page.verbose {
            for evidence in &line.evidence {
                writeln!(out, "    because    {}", harmless(evidence))?;
            }
        }
    }
    let total = rows.len();
    writeln!(
        out,
        "{total} principals, {quiet} of them with nothing of note"
    )
}

/// One answer in words or as JSON.
#[derive(Serialize)]
struct Said<'a> {
    principal: &'a str,
    action: &'a str,
    resource: &'a str,
    answer: &'static str,
    reason: String,
    conditions: &'a [String],
    evidence: Vec<StepLine<'a>>,
}

#[derive(Serialize)]
struct StepLine<'a> {
    policy: &'a str,
    statement: u32,
    sid: Option<&'a str>,
    matched: &'a str,
    via: Option<&'a str>,
}

/// The answer to "can it?".
#[derive(Debug)]
pub struct Can<'a> {
    /// Who.
    pub principal: &'a Key,
    /// What for.
    pub action: &'a str,
    /// On what.
    pub resource: &'a str,
    /// The answer.
    pub answer: &'a Answer,
    /// Where nothing spoke: why not.
    pub otherwise: &'a str,
}

impl Can<'_> {
    fn said(&self) -> Said<'_> {
        let evidence = &self.answer.evidence;
        let answer = match self.answer.decision {
            Decision::Allowed => "allowed",
            Decision::Conditional => "conditional",
            Decision::NotAllowed => "denied",
        };
        let reason = match self.answer.decision {
            Decision::Conditional => format!(
                "{}; depends on {}",
                steps(evidence),
                evidence.conditions.join(", ")
            ),
            _ if evidence.steps.is_empty() => self.otherwise.to_owned(),
            _ => steps(evidence),
        };
        Said {
            principal: &self.principal.0,
            action: self.action,
            resource: self.resource,
            answer,
            reason,
            conditions: &evidence.conditions,
            evidence: evidence
                .steps
                .iter()
                .map(|step| StepLine {
                    policy: &step.policy.0,
                    statement: step.statement,
                    sid: step.sid.as_deref(),
                    matched: &step.matched,
                    via: step.via.as_ref().map(|key| key.0.as_str()),
                })
                .collect(),
        }
    }

    /// As one JSON object.
    ///
    /// # Errors
    /// When writing fails.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &self.said())?;
        out.write_all(b"\n")
    }

    /// As text.
    ///
    /// # Errors
    /// When writing fails.
    pub fn terminal(&self, out: &mut dyn Write) -> io::Result<()> {
        let said = self.said();
        writeln!(out, "{}: {}", said.answer, harmless(&said.reason))
    }
}

/// The ways to an administrator as a DOT graph; of one principal, or of all that get there.
///
/// # Errors
/// When writing fails.
pub fn dot(
    access: &Access,
    others: &Others,
    of: Option<&Key>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut edges: BTreeSet<(&str, &str, &str, bool)> = BTreeSet::new();
    let mut admins: BTreeSet<&str> = BTreeSet::new();
    for (key, privilege) in access.privileges() {
        if of.is_some_and(|of| of != key) {
            continue;
        }
        if privilege.admin.is_some() && of.is_some() {
            admins.insert(&key.0);
        }
        let Some(escalation) = access.escalation(key) else {
            continue;
        };
        let certain = escalation.reaches.is_some();
        let chain = escalation
            .reaches
            .as_ref()
            .or(escalation.reaches_if.as_ref());
        for Hop { from, way, to } in chain.into_iter().flatten() {
            let to = to.as_ref().map_or("every right", |to| to.0.as_str());
            edges.insert((&from.0, to, way, certain));
        }
    }
    for (key, standing) in others.standings() {
        if of.is_some_and(|of| of != key) {
            continue;
        }
        if standing.admin.is_some() && of.is_some() {
            admins.insert(&key.0);
        }
        let certain = standing.reaches.is_some();
        let steps = standing.reaches.iter().chain(&standing.reaches_if);
        for step in steps.flatten() {
            let to = step.to.as_ref().map_or("every right", |to| to.0.as_str());
            edges.insert((&step.from.0, to, &step.way, certain));
        }
    }
    writeln!(out, "digraph access {{")?;
    writeln!(out, "  rankdir=LR;")?;
    for admin in admins {
        writeln!(out, "  {} [shape=box];", quoted(admin))?;
    }
    for (from, to, way, certain) in edges {
        let style = if certain { "" } else { ", style=dashed" };
        writeln!(
            out,
            "  {} -> {} [label={}{style}];",
            quoted(from),
            quoted(to),
            quoted(way)
        )?;
    }
    writeln!(out, "}}")
}

/// A name as DOT takes it.
fn quoted(text: &str) -> String {
    let text = harmless(text);
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
