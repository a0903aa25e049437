//! Findings of earlier runs that no check made this time: mended, or not looked at?
//!
//! Absence is proof only where the scope was seen completely and the check was asked. An
//! exposed secret is mended when it is proven dead, never because it left the newest version.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CheckCx, Judged, Subject, Verdict,
    facet::record_key,
    scope::{PLACE, Scopes, proven_dead, system_scope},
};

/// What is remembered of a finding of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The check's id.
    pub check: String,
    /// The canonical subject.
    pub subject_key: String,
    /// Whether a system listed it then.
    pub listed: bool,
    /// The scopes that would show it.
    pub scopes: Vec<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it is proven to be mended; else it was not looked at.
    pub fixed: bool,
    /// Why.
    pub reason: String,
    /// The subject, where it still exists.
    pub subject: Option<Subject>,
}

/// Says of each earlier finding, none of which was made this time, what became of it.
pub fn follow(cx: &CheckCx<'_>, judged: &Judged, earlier: &[Earlier]) -> Vec<Outcome> {
    let wanted: BTreeSet<&str> = earlier.iter().map(|one| one.subject_key.as_str()).collect();
    let present = present(cx, &wanted);
    let scopes = Scopes::of(cx);
    earlier
        .iter()
        .map(|one| {
            let subject = present.get(one.subject_key.as_str()).cloned();
            let (fixed, reason) = outcome(cx, judged, &scopes, one, subject.as_ref());
            Outcome {
                fixed,
                reason,
                subject,
            }
        })
        .collect()
}

fn outcome(
    cx: &CheckCx<'_>,
    judged: &Judged,
    scopes: &Scopes<'_>,
    one: &Earlier,
    subject: Option<&Subject>,
) -> (bool, String) {
    let fixed = |reason: &str| (true, reason.to_owned());
    let open = |reason: &str| (false, reason.to_owned());
    let mut known = one
        .scopes
        .iter()
        .filter(|scope| !scope.starts_with(PLACE))
        .peekable();
    let seen = known.peek().is_some() && known.all(|scope| scopes.is_complete(scope));
    // A check may pass only because a place was not looked at this time.
    let placed = one
        .scopes
        .iter()
        .filter_map(|scope| scope.strip_prefix(PLACE));
    let unlooked = placed
        .filter(|scope| !scopes.is_complete(scope))
        .any(|scope| scopes.all.contains_key(scope) || !cx.estate.gathered.gaps.is_empty());
    let exposure = one.check.starts_with("EXP-");
    let verdict = subject.and_then(|subject| judged.verdicts.of(&one.check, subject));
    let credential = match subject {
        Some(Subject::Credential(ix)) => Some(cx.credential(*ix)),
        _ => None,
    };
    if let Some(credential) = credential {
        let gone = one.listed && !credential.listed && seen;
        // EXP-01 speaks of the place, too: it is not gone because nobody looked.
        if proven_dead(credential) && !(one.check == "EXP-01" && unlooked) {
            return fixed("the system says that it is disabled or revoked");
        }
        if gone {
            return fixed("its system was listed completely and does not have it any more");
        }
        return match verdict {
            Some(Verdict::Passed) if !exposure && unlooked => {
                open("not all places where it was seen were looked at")
            }
            Some(Verdict::Passed) if !exposure => fixed("the check passes"),
            // EXP-03 passes only what is proven dead or new, and what is spent.
            Some(Verdict::Passed) if cx.is_spent(credential) => fixed("it has expired"),
            _ if exposure => open("not seen any more; its revocation is not proven"),
            Some(_) => open("an input of the check is missing"),
            None => open("it is outside what the check looks at now"),
        };
    }
    match subject {
        Some(_) => match verdict {
            Some(Verdict::Passed) => fixed("the check passes"),
            Some(_) => open("an input of the check is missing"),
            // A principal without active credentials, a record that was retired, a connector
            // that has counted its scopes and left nothing out.
            None if seen || !matches!(subject, Some(Subject::Identity(_))) => {
                fixed("it is outside what the check looks at now")
            }
            None => open("its scope was not seen completely"),
        },
        None if one.subject_key.starts_with("record:") => match cx.inventory {
            Some(_) => fixed("the record is gone from the register"),
            None => open("no inventory was given"),
        },
        None if Subject::entry_of(&one.subject_key).is_some() => entry(cx, judged, one),
        None if one.subject_key.starts_with("scope:") => open("the scope was not looked at"),
        None if exposure && !one.listed => open("not seen any more; its revocation is not proven"),
        None if seen => fixed("its scope was seen completely and does not have it any more"),
        None => open("its scope was not seen completely"),
    }
}

/// What became of a finding about an entry of a file.
fn entry(cx: &CheckCx<'_>, judged: &Judged, one: &Earlier) -> (bool, String) {
    let subject = Subject::entry_of(&one.subject_key);
    let verdict = subject
        .as_ref()
        .and_then(|subject| judged.verdicts.of(&one.check, subject));
    let (fixed, reason) = match (verdict, &subject) {
        (Some(Verdict::Passed), _) => (true, "the check passes"),
        (Some(_), _) => (false, "an input of the check is missing"),
        (None, Some(Subject::Entry(kind, _))) if cx.is_told(*kind) => {
            (true, "it is gone from the file that named it")
        }
        (None, _) => (false, "the file that named it was not given"),
    };
    (fixed, reason.to_owned())
}

/// Where the wanted subjects are today: by their subject, or by an alias.
fn present<'w>(cx: &CheckCx<'_>, wanted: &BTreeSet<&'w str>) -> BTreeMap<&'w str, Subject> {
    let mut found = BTreeMap::new();
    let mut take = |text: &str, subject: Subject| {
        if let Some(&key) = wanted.get(text) {
            found.entry(key).or_insert(subject);
        }
    };
    for (ix, credential) in cx.credentials() {
        take(cx.text(credential.subject), Subject::Credential(ix));
    }
    for (ix, credential) in cx.credentials() {
        for &alias in &credential.aliases {
            take(cx.text(alias), Subject::Credential(ix));
        }
    }
    for (ix, identity) in (0..).zip(&cx.estate.identities) {
        take(cx.text(identity.key), Subject::Identity(ix));
    }
    let records = cx.inventory.map_or(&[][..], |inventory| &inventory.records);
    for (ix, record) in (0..).zip(records) {
        take(&record_key(record), Subject::Record(ix));
    }
    for coverage in &cx.estate.gathered.coverage {
        take(
            &format!("scope:{}", coverage.scope),
            Subject::Scope(coverage.scope.clone()),
        );
    }
    let heard = |system: u32| {
        cx.estate
            .gathered
            .coverage
            .iter()
            .any(|c| c.source.system.0 == system)
    };
    for (ix, about) in (0..).zip(&cx.estate.gathered.systems) {
        if heard(ix) {
            let name = system_scope(about);
            take(&format!("scope:{name}"), Subject::Scope(name));
        }
    }
    found
}
