//! Exceptions: findings that the organisation accepts for a while, with a name under it.
//!
//! An exception counts only if it is whole: what it covers, a reason from the list, an
//! approver who is not the owner, a day of approval, an end within the policy's maximum, and a
//! ticket (a compensating control must be named, too). Whatever is not whole, has ended, or
//! covers nothing is reported as a note and covers nothing.

use std::collections::BTreeMap;

use globset::{Glob, GlobMatcher};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    CheckCx, Evidence, Finding, State, Subject,
    party::{Directory, Party},
    policy_file::line_and_column,
    subject::{days_between, read_time},
};
use crate::inventory::Tier;

/// Why an exceptions file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ExceptionsError {
    /// The file.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// The exceptions of a file.
#[derive(Debug, Default)]
pub struct Exceptions {
    entries: Vec<(String, Entry)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    exception: Vec<toml::Spanned<Entry>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Option<String>,
    check: Option<String>,
    subject: Option<String>,
    tier: Option<String>,
    path: Option<String>,
    #[serde(default)]
    broad: bool,
    reason: Option<String>,
    approver: Option<String>,
    approved_at: Option<When>,
    expires_at: Option<When>,
    ticket: Option<String>,
    control: Option<String>,
}

/// A date as a text or as TOML writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum When {
    Text(String),
    Date(toml::value::Datetime),
}

impl When {
    fn read(&self) -> Option<Timestamp> {
        match self {
            When::Text(text) => read_time(text),
            When::Date(date) => read_time(&date.to_string()),
        }
    }
}

/// An entry that is whole and in force.
struct Valid<'e> {
    approver: &'e str,
    state: State,
    approved_at: Timestamp,
    expires_at: Timestamp,
    path: Option<GlobMatcher>,
    tier: Option<Tier>,
    words: String,
}

impl Exceptions {
    /// Reads a file; its name is for messages.
    ///
    /// # Errors
    /// When it is no exceptions file at all. A single entry that does not count is a note of
    /// [`Exceptions::apply`], not an error.
    pub fn from_toml(text: &str, file: &str) -> Result<Exceptions, ExceptionsError> {
        let read: File = toml::from_str(text).map_err(|error| {
            let (line, column) = line_and_column(text, error.span().map_or(0, |span| span.start));
            ExceptionsError {
                file: file.to_owned(),
                line,
                column,
                message: error.message().to_owned(),
            }
        })?;
        let entries = read
            .exception
            .into_iter()
            .map(|entry| {
                let (line, _) = line_and_column(text, entry.span().start);
                (format!("{file}:{line}"), entry.into_inner())
            })
            .collect();
        Ok(Exceptions { entries })
    }

    /// Sets the state of what is excepted, and gives the reason among its evidence. Returns
    /// what should be known: entries that do not count, have ended, or cover nothing.
    ///
    /// Ids are the published ones, so this comes after the ledger has put them.
    pub fn apply(&self, cx: &CheckCx<'_>, findings: &mut [Finding]) -> Vec<String> {
        let directory = cx.people.map(Directory::new);
        let mut notes = Vec::new();
        for (place, entry) in &self.entries {
            let valid = match valid(entry, cx.now) {
                Ok(valid) => valid,
                Err(why) => {
                    notes.push(format!("{place}: exception ignored: {why}"));
                    continue;
                }
            };
            let covered: Vec<usize> = (0..findings.len())
                .filter(|&ix| covers(cx, entry, &valid, &findings[ix]))
                .collect();
            let most = cx.policy.exception_matches as usize;
            if covered.is_empty() {
                notes.push(format!("{place}: exception covers nothing; remove it"));
            } else if entry.id.is_none() && !entry.broad && covered.len() > most {
                notes.push(format!(
                    "{place}: exception ignored: it covers {} findings, more than {most}; narrow it or say broad = true",
                    covered.len()
                ));
            } else {
                for ix in covered {
                    let finding = &mut findings[ix];
                    match refusal(cx, directory.as_ref(), &valid, finding) {
                        Some(why) => {
                            notes.push(format!(
                                "{place}: exception ignored for {}: {why}",
                                finding.id
                            ));
                        }
                        None => accept(finding, &valid, place),
                    }
                }
            }
        }
        notes
    }
}

/// How an entry stands by itself, whatever it covers.
pub(super) struct Standing {
    /// What it covers, as it says: stable while its place moves.
    pub(super) name: String,
    /// `file:line`.
    pub(super) place: String,
    /// What is wrong with it.
    pub(super) wrong: Option<String>,
    /// Whether only the signature is missing.
    pub(super) only_unsigned: bool,
    pub(super) approver: String,
    pub(super) until: String,
    pub(super) control: String,
}

impl Exceptions {
    /// How each entry stands; entries that cover the very same are told apart by a number.
    pub(super) fn standings(&self, now: Timestamp) -> Vec<Standing> {
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let standing = |(place, entry): &(String, Entry)| {
            let parts = [
                ("id", &entry.id),
                ("check", &entry.check),
                ("subject", &entry.subject),
                ("tier", &entry.tier),
                ("path", &entry.path),
            ];
            let told = parts
                .iter()
                .filter_map(|(word, value)| Some(format!("{word} {}", value.as_ref()?)));
            let mut name = told.collect::<Vec<_>>().join(", ");
            if name.is_empty() {
                "nothing".clone_into(&mut name);
            }
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            if *count > 1 {
                name = format!("{name} #{count}");
            }
            let text = |field: &Option<String>| field.clone().unwrap_or_default();
            let signed = Entry {
                approver: Some("somebody".to_owned()),
                ..entry.clone()
            };
            Standing {
                name,
                place: place.clone(),
                wrong: valid(entry, now).err(),
                only_unsigned: entry.approver.is_none() && valid(&signed, now).is_ok(),
                approver: text(&entry.approver),
                until: entry
                    .expires_at
                    .as_ref()
                    .and_then(When::read)
                    .map_or_else(String::new, |at| at.to_string()),
                control: text(&entry.control),
            }
        };
        self.entries.iter().map(standing).collect()
    }
}

fn accept(finding: &mut Finding, valid: &Valid<'_>, place: &str) {
    finding.state = valid.state;
    finding.sla_breached = false;
    finding.evidence.push(Evidence {
        label: "exception".to_owned(),
        value: valid.words.clone(),
        source: place.to_owned(),
    });
}

fn valid(entry: &Entry, now: Timestamp) -> Result<Valid<'_>, String> {
    fn given<'e>(field: &'e Option<String>, name: &str) -> Result<&'e str, String> {
        let text = field
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        text.ok_or_else(|| format!("{name} is missing"))
    }
    fn time(field: &Option<When>, name: &str) -> Result<Timestamp, String> {
        let when = field.as_ref().ok_or_else(|| format!("{name} is missing"))?;
        when.read().ok_or_else(|| format!("{name} is no date"))
    }
    let selectors = [
        &entry.id,
        &entry.check,
        &entry.subject,
        &entry.tier,
        &entry.path,
    ];
    if selectors.iter().all(|selector| selector.is_none()) {
        return Err("it names neither an id nor a check, subject, tier or path".to_owned());
    }
    let reason = given(&entry.reason, "reason")?;
    let state = match reason {
        "false_positive" | "not_ours" => State::Suppressed,
        "accepted_risk" | "compensating_control" | "planned_fix" => State::Accepted,
        _ => {
            return Err(format!(
                "'{reason}' is none of: false_positive, accepted_risk, compensating_control, planned_fix, not_ours"
            ));
        }
    };
    let approver = given(&entry.approver, "approver")?;
    let ticket = given(&entry.ticket, "ticket")?;
    let approved_at = time(&entry.approved_at, "approved_at")?;
    let expires_at = time(&entry.expires_at, "expires_at")?;
    if reason == "compensating_control" {
        given(&entry.control, "control")?;
    }
    // A date is the end of its day; today's approval is no future one.
    if days_between(now, approved_at) >= 1 {
        return Err(format!("it was approved in the future, at {approved_at}"));
    }
    if expires_at < now {
        return Err(format!(
            "it ended at {expires_at}; close it, or renew it with approval"
        ));
    }
    let path = match &entry.path {
        Some(glob) => Some(
            Glob::new(glob)
                .map_err(|error| format!("path is no glob: {}", error.kind()))?
                .compile_matcher(),
        ),
        None => None,
    };
    let tier = match entry.tier.as_deref() {
        None => None,
        Some("T0") => Some(Tier::T0),
        Some("T1") => Some(Tier::T1),
        Some("T2") => Some(Tier::T2),
        Some("T3") => Some(Tier::T3),
        Some(other) => return Err(format!("tier '{other}' is none of: T0, T1, T2, T3")),
    };
    let control = entry
        .control
        .as_deref()
        .map_or_else(String::new, |control| format!(", control {control}"));
    Ok(Valid {
        approver,
        state,
        approved_at,
        expires_at,
        path,
        tier,
        words: format!(
            "{reason}, approved by {approver} at {approved_at}, until {expires_at}, {ticket}{control}"
        ),
    })
}

fn covers(cx: &CheckCx<'_>, entry: &Entry, valid: &Valid<'_>, finding: &Finding) -> bool {
    let check =
        |name: &String| name.eq_ignore_ascii_case(finding.check.id) || name == finding.check.slug;
    entry.id.as_ref().is_none_or(|id| *id == finding.id)
        && entry.check.as_ref().is_none_or(check)
        && entry
            .subject
            .as_ref()
            .is_none_or(|subject| *subject == finding.subject_key || *subject == finding.credential)
        && valid.tier.is_none_or(|tier| tier_of(cx, finding) == tier)
        && valid.path.as_ref().is_none_or(|glob| {
            // Every place must be covered, or a glob for tests would accept the same secret
            // in production code.
            let mut places = finding.locations.iter().peekable();
            places.peek().is_some() && places.all(|place| matches_place(glob, place))
        })
}

/// Whether a glob matches `repo:path:line`, as `repo:path` or as `path`.
fn matches_place(glob: &GlobMatcher, place: &str) -> bool {
    let numbered = place
        .rsplit_once(':')
        .filter(|(_, line)| line.bytes().all(|b| b.is_ascii_digit()));
    let path = numbered.map_or(place, |(path, _)| path);
    glob.is_match(path)
        || path
            .split_once(':')
            .is_some_and(|(_, path)| glob.is_match(path))
}

fn tier_of(cx: &CheckCx<'_>, finding: &Finding) -> Tier {
    match &finding.subject {
        Subject::Credential(ix) => cx.tier(*ix).0,
        Subject::Identity(ix) => {
            let credentials = &cx.estate.identities[*ix as usize].credentials;
            credentials
                .iter()
                .map(|&ix| cx.tier(ix).0)
                .min()
                .unwrap_or(Tier::T2)
        }
        Subject::Record(ix) => {
            let record = cx.record(*ix);
            cx.tier_from(record, false, cx.environment(record, None)).0
        }
        Subject::Entry(kind, name) => {
            let told = cx.entry(*kind, name).and_then(|system| system.tier);
            told.unwrap_or(Tier::T2)
        }
        Subject::Scope(_) => Tier::T2,
    }
}

/// Why an exception does not hold for a finding it covers.
fn refusal(
    cx: &CheckCx<'_>,
    directory: Option<&Directory<'_>>,
    valid: &Valid<'_>,
    finding: &Finding,
) -> Option<String> {
    let same_words = valid.approver.eq_ignore_ascii_case(finding.owner.trim());
    let same_person = directory.is_some_and(|directory| {
        let approver = directory.party(valid.approver);
        approver != Party::Unknown && approver == directory.party(&finding.owner)
    });
    if same_words || same_person {
        return Some(format!("its approver {} is the owner", valid.approver));
    }
    let most = cx.policy.exception_days(tier_of(cx, finding));
    let life = days_between(valid.approved_at, valid.expires_at);
    (life > i64::from(most)).then(|| format!("it lasts {life} days, at most {most} are allowed"))
}

#[cfg(test)]
mod tests {
    use super::Exceptions;
    use crate::audit::{Finding, State, checks::testing::World};

    /// A world with one secret in a test folder of a repository, and its EXP-01.
    fn found() -> (World, Vec<Finding>) {
        let mut world = World::new();
        let secret = world.secret("github.pat");
        world.seen(secret, "web", "deploy/a.sh");
        let findings = world.findings("EXP-01");
        (world, findings)
    }

    const WHOLE: &str = "reason = 'accepted_risk'\napprover = 'boss@acme.example'\napproved_at = 2026-05-01\nexpires_at = '2026-07-01'\nticket = 'SEC-1'\n";

    fn apply(selector: &str, rest: &str) -> (Finding, Vec<String>) {
        let (world, mut findings) = found();
        let text = format!("[[exception]]\n{selector}\n{rest}");
        let exceptions = Exceptions::from_toml(&text, "exceptions.toml").expect("well formed");
        let notes = exceptions.apply(&world.cx(), &mut findings);
        (findings.remove(0), notes)
    }

    #[test]
    fn a_whole_exception_is_shown_with_its_reason() {
        for selector in [
            "check = 'EXP-01'",
            "check = 'secret-in-source'",
            "path = 'deploy/**'",
            "path = 'web:*/a.sh'",
            "tier = 'T2'",
        ] {
            let (finding, notes) = apply(selector, WHOLE);
            assert_eq!(notes, [""; 0], "{selector}");
            assert_eq!(finding.state, State::Accepted, "{selector}");
            let evidence = finding.evidence.last().expect("evidence");
            assert_eq!(evidence.source, "exceptions.toml:1");
            assert!(evidence.value.contains("boss@acme.example"));
        }
        let not_ours = WHOLE.replace("accepted_risk", "not_ours");
        assert_eq!(
            apply("check = 'EXP-01'", &not_ours).0.state,
            State::Suppressed
        );
    }

    #[test]
    fn what_is_not_whole_covers_nothing_and_is_told() {
        let all = "check = 'EXP-01'";
        for (selector, rest, why) in [
            (
                all,
                WHOLE.replace("ticket = 'SEC-1'\n", ""),
                "ticket is missing",
            ),
            (all, WHOLE.replace("accepted_risk", "because"), "is none of"),
            (all, WHOLE.replace("2026-07-01", "2026-05-31"), "it ended"),
            (
                all,
                WHOLE.replace("2026-07-01", "2027-07-01"),
                "at most 180",
            ),
            (
                all,
                WHOLE.replace("2026-05-01", "2026-06-15"),
                "in the future",
            ),
            (
                all,
                WHOLE.replace("accepted_risk", "compensating_control"),
                "control is missing",
            ),
            ("broad = true", WHOLE.to_owned(), "names neither"),
            ("id = 'KM-NOTHING'", WHOLE.to_owned(), "covers nothing"),
            ("path = 'tests/**'", WHOLE.to_owned(), "covers nothing"),
        ] {
            let (finding, notes) = apply(selector, &rest);
            assert_eq!(finding.state, State::New, "{why}");
            assert_eq!(notes.len(), 1);
            assert!(notes[0].contains(why), "{notes:?} lacks {why}");
        }
    }

    #[test]
    fn nobody_excepts_what_they_own() {
        let (world, mut findings) = found();
        findings[0].owner = "Boss@acme.example".to_owned();
        let text = format!("[[exception]]\ncheck = 'EXP-01'\n{WHOLE}");
        let exceptions = Exceptions::from_toml(&text, "x.toml").expect("well formed");
        let notes = exceptions.apply(&world.cx(), &mut findings);
        assert!(notes[0].contains("is the owner"));
        assert_eq!(findings[0].state, State::New);
    }

    #[test]
    fn a_selector_that_covers_too_much_must_say_so() {
        let mut world = World::new();
        for number in 0..26 {
            let secret = world.secret("github.pat");
            world.seen(secret, "web", &format!("{number}.sh"));
        }
        for (broad, accepted) in [("", 0), ("broad = true", 26)] {
            let mut findings = world.findings("EXP-01");
            let text = format!("[[exception]]\ncheck = 'EXP-01'\n{broad}\n{WHOLE}");
            let exceptions = Exceptions::from_toml(&text, "x.toml").expect("well formed");
            exceptions.apply(&world.cx(), &mut findings);
            let count = findings
                .iter()
                .filter(|f| f.state == State::Accepted)
                .count();
            assert_eq!(count, accepted);
        }
    }

    #[test]
    fn a_broken_file_is_an_error_with_its_place() {
        let error =
            Exceptions::from_toml("[[exception]]\nchekc = 'x'\n", "e.toml").expect_err("typo");
        assert!(error.to_string().starts_with("e.toml:2:1: "), "{error}");
    }
}
