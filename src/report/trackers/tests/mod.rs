//! A year of nights: renames, moved lines, rewritten histories, outages, a merger of registers,
//! rotations that are true and that are not, exceptions that lapse; and seven importers that do
//! with each night's files what their documentation says.

pub(crate) mod company;
mod importers;
mod registry;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use self::{
    company::{Company, time},
    importers::{DefectDojo, GitHub, GitLab, Issue, Keyed, ServiceNow},
};
use super::{Job, Rights, content, tracker};
use crate::{
    judgement::{Case, Earlier, judge},
    ledger::{self, Act, Exported, Kept, Learned, Ledger, LedgerError, plan},
    report::{Document, DocumentInput, FindingEntry, FormatCx, Run, RunFacts, Timings, format},
};

/// Not an HMAC, but a function of the message.
fn seal(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// One night: sweep, judge, settle.
fn night(ledger: &mut Ledger, company: &Company, day: i64) -> Document {
    let ground = company.ground(day);
    let case = Case::new(company.gathered(), &ground);
    let earlier = Earlier {
        first_exposed: ledger.first_exposed().expect("readable"),
        history: ledger.history().expect("readable"),
    };
    let cx = case.cx(&ground, &earlier);
    let mut judged = judge(&cx, &seal).expect("an audit");
    let run = ledger::RunFacts {
        id: format!("night-{day}"),
        at: time(day),
        now: time(day),
        tool: "test".to_owned(),
        complete: true,
        key_id: "k1".to_owned(),
    };
    let exceptions = ground.exceptions.as_ref();
    ledger
        .settle::<LedgerError>(&run, &cx, &mut judged, exceptions, |_, _| {
            Ok(Kept::default())
        })
        .expect("settles");
    ledger
        .remember(&earlier.history, &crate::audit::to_remember(&cx))
        .expect("settles");
    Document::build(&DocumentInput {
        run: &RunFacts {
            id: run.id.clone(),
            estate: "acme".to_owned(),
            now: run.now,
            key_id: Some("k1".to_owned()),
            ephemeral: false,
            tool_version: "test".to_owned(),
            facts: BTreeMap::new(),
        },
        estate: &case.estate,
        inventory: ground.inventory.as_ref(),
        matches: &case.matches,
        findings: &judged.findings,
        populations: &judged.population,
        kinds: &ground.kinds,
        timings: &Timings::default(),
    })
}

/// The files of a tracker that remembers nothing, as `tickets export` writes them.
fn files(ledger: &mut Ledger, name: &str, day: i64) -> Vec<Vec<u8>> {
    let tracker = tracker(name).expect("a tracker");
    let standing = ledger.standing().expect("readable");
    let tickets = ledger.tickets(name).expect("readable");
    let said = |one: &ledger::Standing| content(&FindingEntry::of(&one.finding));
    let steps = plan(&standing, &tickets, &said, false);
    let doc = Document::of_standing(&standing, Run::default());
    let finding = |id: &str| doc.findings.iter().find(|one| one.finding_id == id);
    let jobs: Vec<Job<'_>> = steps
        .iter()
        .filter(|step| step.act != Act::None)
        .map(|step| Job {
            step,
            finding: finding(&step.finding).expect("a finding"),
        })
        .collect();
    let made = tracker.files(&jobs, Rights::User).into_iter().map(|file| {
        let mut bytes = Vec::new();
        tracker.write(&doc, &file, &mut bytes).expect("memory");
        assert_eq!(tracker.check(&file, &bytes), Ok(()), "{name}");
        bytes
    });
    let made = made.collect();
    let told = jobs.iter().filter(|job| job.step.act != Act::Wait);
    let exported: Vec<Exported> = told
        .map(|job| Exported {
            finding: job.step.finding.clone(),
            content: content(job.finding),
            open: job.step.act != Act::Close,
        })
        .collect();
    ledger
        .exported(name, &exported, time(day))
        .expect("written");
    made
}

/// The tracker's export, read back.
fn learn(ledger: &mut Ledger, name: &str, keyed: &Keyed, day: i64) {
    let export = keyed.export();
    let mut rows = csv::Reader::from_reader(&*export);
    let told: Vec<Learned> = rows
        .records()
        .map(|row| {
            let row = row.expect("a row");
            let label = row[2].rsplit_once("fid-").expect("a label").1;
            Learned {
                finding: label.to_uppercase(),
                key: row[0].to_owned(),
                open: &row[1] != "Done",
            }
        })
        .collect();
    ledger
        .learn(name, &told, false, time(day))
        .expect("written");
}

fn written(name: &str, doc: &Document) -> Vec<Vec<u8>> {
    let format = format(name).expect("a format");
    let parts = match format.split(doc) {
        Some(split) => split.parts.into_iter().map(|(_, part)| part).collect(),
        None => vec![doc.clone()],
    };
    let write = |part: &Document| {
        let mut bytes = Vec::new();
        format
            .write(part, &FormatCx::default(), &mut bytes)
            .expect("memory");
        assert_eq!(format.check(part, &bytes), Ok(()), "{name}");
        bytes
    };
    parts.iter().map(write).collect()
}

/// What is known of findings over the year.
#[derive(Default)]
struct Truth {
    /// Check and thing of each published id.
    about: BTreeMap<String, (String, String)>,
    /// Ids that were merged into another.
    merged: BTreeSet<String>,
    /// By id and night: whether it was so, accepted, or nobody could know.
    so: BTreeMap<(String, i64), bool>,
    accepted: BTreeSet<(String, i64)>,
    closable: BTreeSet<(String, i64)>,
}

impl Truth {
    fn note(&mut self, company: &Company, ledger: &Ledger, doc: &Document, day: i64) {
        for finding in &doc.findings {
            if let Some(thing) = company.thing(&finding.subject) {
                let about = (finding.check.clone(), thing);
                self.about.insert(finding.finding_id.clone(), about);
            }
            if finding.state == "fixed" {
                self.closable.insert((finding.finding_id.clone(), day));
            }
            if finding.state == "accepted" {
                self.accepted.insert((finding.finding_id.clone(), day));
            }
        }
        for one in ledger.standing().expect("readable") {
            if one.merged_into.is_some() {
                self.merged.insert(one.finding.id);
            }
        }
        for (id, (check, thing)) in &self.about {
            if let Some(so) = company.is_so(check, thing, day) {
                self.so.insert((id.clone(), day), so);
            }
        }
    }

    /// Closed by a night's files: only what was not so any more on the night that proved it, what
    /// was accepted, or what was merged.
    fn assert_closed(&self, tracker: &str, issue: &Issue, night: i64) {
        let id = &issue.finding;
        let opened = *issue
            .opened
            .iter()
            .rfind(|at| **at <= night)
            .expect("opened");
        let proven = self
            .closable
            .range((id.clone(), opened)..=(id.clone(), night))
            .last();
        let excepted = self.accepted.contains(&(id.clone(), night));
        assert!(
            proven.is_some() || excepted || self.merged.contains(id),
            "{tracker}: {id} was closed on night {night} without proof: {:?}",
            self.about.get(id)
        );
        if let Some((_, at)) = proven {
            assert_ne!(
                self.so.get(&(id.clone(), *at)),
                Some(&true),
                "{tracker}: {id} {:?} was closed, and was so on night {at}",
                self.about.get(id)
            );
        }
    }

    /// Opened again: only what really is so.
    fn assert_reopened(&self, tracker: &str, issue: &Issue, night: i64) {
        let id = &issue.finding;
        // A file may be imported nights after the finding came back, and must still hold then, or
        // have held on the last night that could see it.
        let seen = self
            .so
            .range((id.clone(), 0)..=(id.clone(), night))
            .next_back();
        let lately = (0..10).any(|back| self.so.get(&(id.clone(), night - back)) == Some(&true));
        assert!(
            seen.is_none() || lately,
            "{tracker}: {id} {:?} was opened again on night {night}, and is not so",
            self.about.get(id)
        );
    }

    fn assert_holds(&self, tracker: &str, issues: &[&Issue]) {
        let mut known: BTreeMap<(String, String), &str> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for issue in issues {
            assert!(
                ids.insert(&issue.finding),
                "{tracker}: two tickets of {}",
                issue.finding
            );
            if self.merged.contains(&issue.finding) {
                continue;
            }
            if let Some(about) = self.about.get(&issue.finding) {
                let other = known.insert(about.clone(), &issue.finding);
                assert_eq!(other, None, "{tracker}: two tickets about {about:?}");
            }
        }
        for issue in issues {
            for &night in &issue.closed {
                self.assert_closed(tracker, issue, night);
            }
            for &night in &issue.opened[1..] {
                self.assert_reopened(tracker, issue, night);
            }
        }
    }
}

#[test]
fn nights_and_importers() {
    // A season by default; KEYMUSTER_NIGHTS=365 is a year, KEYMUSTER_YEARS=10 are ten of them.
    let years = std::env::var("KEYMUSTER_YEARS").ok();
    let years = years.and_then(|years| years.parse().ok()).unwrap_or(1);
    for seed in 0..years {
        year(7 + 1_000 * seed);
    }
}

fn year(seed: u64) {
    let mut company = Company::new(seed);
    let mut ledger = Ledger::ephemeral().expect("opens");
    let mut truth = Truth::default();
    let (mut jira, mut azure) = (Keyed::jira(), Keyed::azure_devops());
    let (mut servicenow, mut dojo) = (ServiceNow::default(), DefectDojo::default());
    let (mut github, mut gitlab) = (GitHub::default(), GitLab::default());
    let mut regressed = 0;
    let nights = std::env::var("KEYMUSTER_NIGHTS").ok();
    let nights = nights.and_then(|nights| nights.parse().ok()).unwrap_or(90);
    for day in 0..nights {
        company.live(day);
        let doc = night(&mut ledger, &company, day);
        regressed += doc
            .findings
            .iter()
            .filter(|one| one.state == "regressed")
            .count();
        truth.note(&company, &ledger, &doc, day);
        // Somebody accepts a risk now and then; some of it lapses while it is still so.
        if company.dice.one_in(12) {
            let open: Vec<&FindingEntry> = doc.open().collect();
            if let Some(one) = open.get(company.dice.below(open.len().max(1))) {
                let until = day + 5 + company.dice.below(20) as i64;
                company.accepted.insert(one.finding_id.clone(), until);
            }
        }
        // Nobody imports every night, and nobody exports after every import.
        for (name, keyed, often) in [("jira", &mut jira, 2), ("azure-devops", &mut azure, 6)] {
            if company.dice.one_in(often) {
                for file in files(&mut ledger, name, day) {
                    keyed.import(&file, day);
                }
                if company.dice.below(3) > 0 {
                    learn(&mut ledger, name, keyed, day);
                }
            }
        }
        if company.dice.one_in(3) {
            for file in files(&mut ledger, "servicenow", day) {
                servicenow.import(&file, day);
            }
        }
        for file in written("defectdojo", &doc) {
            dojo.reimport(&file, day);
        }
        for file in written("sarif-github", &doc) {
            github.upload(&file, day);
        }
        for file in written("gitlab-secret", &doc) {
            gitlab.upload(&file, day);
        }
    }
    assert!(
        regressed > 3 && company.leaks.len() > 8,
        "the year was dull"
    );
    let jira: Vec<&Issue> = jira.issues.values().collect();
    assert!(jira.iter().any(|issue| issue.opened.len() > 1));
    truth.assert_holds("jira", &jira);
    truth.assert_holds("azure-devops", &azure.issues.values().collect::<Vec<_>>());
    truth.assert_holds("servicenow", &servicenow.records.iter().collect::<Vec<_>>());
    let dojo: Vec<&Issue> = dojo.findings.values().collect();
    truth.assert_holds("defectdojo", &dojo);
    assert_paths(&truth, &github, &gitlab);
}

/// GitHub and GitLab take a renamed file for another place: one finding may have an alert for each
/// path and repository it ever had, and no two of them are the same.
fn assert_paths(truth: &Truth, github: &GitHub, gitlab: &GitLab) {
    let mut by_finding: BTreeMap<(&str, &str), Vec<(&str, &Issue)>> = BTreeMap::new();
    for ([category, _, path, _], alert) in &github.alerts {
        let alerts = by_finding.entry((&alert.finding, category)).or_default();
        alerts.push((path, alert));
    }
    for ((id, category), alerts) in by_finding {
        let open = alerts.iter().filter(|(_, alert)| alert.open).count();
        assert!(
            open <= 1,
            "github: {id} has {open} open alerts in {category}"
        );
        for (_, alert) in &alerts {
            for &night in &alert.closed {
                // It moved to another path that night, or it is really settled.
                let moved = alerts
                    .iter()
                    .any(|(_, other)| other.opened.contains(&night));
                if !moved {
                    truth.assert_closed("github", alert, night);
                }
            }
        }
    }
    let mut paths = BTreeSet::new();
    for ([_, value, file], one) in &gitlab.vulnerabilities {
        assert!(paths.insert((value, file)) && one.closed.is_empty());
    }
}
