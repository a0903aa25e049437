//! The builder of findings: checks say what is wrong and show evidence; id, severity
//! modifiers, score, owner, route and frameworks are this file's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use keymuster_api::{Confidence, Severity};

use super::{
    CheckAbout, CheckCx, Finding, Input, State, Subject, Verdicts, controls,
    draft::{Draft, Written, modified},
    facet::{Facet, facet, text_of},
    party::{Directory, Party},
    route,
    score::{Exposed, Privilege, Weighed, score},
    subject::only_in_history,
    verdicts::Tally,
    words,
};
use crate::estate::Credential;

/// Takes what checks find.
pub struct Findings<'a> {
    cx: &'a CheckCx<'a>,
    seal: &'a dyn Fn(&[u8]) -> [u8; 32],
    directory: Option<Directory<'a>>,
    check: &'static CheckAbout,
    found: BTreeMap<String, Finding>,
    pub(super) verdicts: Verdicts,
    pub(super) exposures: BTreeMap<String, Timestamp>,
    pub(super) problems: Vec<String>,
}

impl<'a> Findings<'a> {
    /// Nothing found yet; the first check is about to run.
    pub(super) fn new(
        cx: &'a CheckCx<'a>,
        seal: &'a dyn Fn(&[u8]) -> [u8; 32],
        first: &'static CheckAbout,
    ) -> Findings<'a> {
        let mut findings = Findings {
            cx,
            seal,
            directory: cx.people.map(Directory::new),
            check: first,
            found: BTreeMap::new(),
            verdicts: Verdicts::default(),
            exposures: BTreeMap::new(),
            problems: Vec::new(),
        };
        findings.begin(first);
        findings
    }

    /// The next check is about to run.
    pub(super) fn begin(&mut self, check: &'static CheckAbout) {
        self.check = check;
        self.verdicts.0.entry(check.id).or_default();
    }

    /// Everything found, worst first.
    pub(super) fn sorted(&mut self) -> Vec<Finding> {
        let mut found: Vec<Finding> = std::mem::take(&mut self.found).into_values().collect();
        found.sort_by(super::order);
        found
    }

    /// Who a name stands for; `None` where no people directory was given.
    pub fn party(&self, name: &str) -> Option<Party<'a>> {
        Some(self.directory.as_ref()?.party(name))
    }

    /// Judged, and in order.
    pub fn pass(&mut self, subject: &Subject) {
        if self.judge(subject, 1) {
            let tally = self.tally();
            tally.evaluated += 1;
            tally.passed += 1;
        }
    }

    /// Not judged, because an input is missing.
    pub fn not_evaluated(&mut self, subject: &Subject, missing: Input) {
        self.not_evaluated_because(subject, missing.as_str());
    }

    /// Not judged, for a reason from a small fixed set: it names a row of the population.
    pub fn not_evaluated_because(&mut self, subject: &Subject, reason: &str) {
        if self.judge(subject, 3) {
            *self.tally().missing.entry(reason.to_owned()).or_default() += 1;
        }
    }

    /// Remembers when a subject's secret was first exposed.
    pub(super) fn exposed(&mut self, subject: &str, at: Timestamp) {
        let known = self.exposures.entry(subject.to_owned()).or_insert(at);
        *known = at.min(*known);
    }

    /// Judged, and not in order: `severity` before the general modifiers, the rest in the draft.
    pub fn fail(
        &mut self,
        subject: Subject,
        severity: Severity,
        write: impl FnOnce(&mut Draft<'_>),
    ) {
        if !self.judge(&subject, 2) {
            return;
        }
        let tally = self.tally();
        tally.evaluated += 1;
        tally.failed += 1;

        let facet = facet(self.cx, self.directory.as_ref(), &subject);
        let mut draft = Draft::new(facet.credential, &facet.candidates);
        write(&mut draft);
        let written = draft.close();
        if written.evidence.is_empty() {
            debug_assert!(
                !written.evidence.is_empty(),
                "{} without evidence",
                self.check.id
            );
            self.problems.push(format!(
                "{}: finding about {} has no evidence and was dropped",
                self.check.id, facet.key
            ));
            return;
        }
        let finding = self.finding(subject, severity, &facet, written);
        self.file(finding);
    }

    /// Files a finding; two rows of a register that go by one id make one finding.
    fn file(&mut self, mut finding: Finding) {
        if let Some(same) = self.found.get_mut(&finding.id) {
            same.evidence.append(&mut finding.evidence);
            same.locations.append(&mut finding.locations);
            same.locations.sort();
            same.locations.dedup();
            same.severity = same.severity.max(finding.severity);
            same.score = same.score.max(finding.score);
        } else {
            self.found.insert(finding.id.clone(), finding);
        }
    }

    fn tally(&mut self) -> &mut Tally {
        self.verdicts.0.entry(self.check.id).or_default()
    }

    /// Notes a verdict; `false` if the subject was judged before by this check.
    fn judge(&mut self, subject: &Subject, verdict: u8) -> bool {
        let estate = self.cx.estate;
        let records = self
            .cx
            .inventory
            .map_or(0, |inventory| inventory.records.len());
        let tally = self.verdicts.0.entry(self.check.id).or_default();
        let (all, ix, size) = match subject {
            Subject::Credential(ix) => (&mut tally.credentials, *ix, estate.credentials.len()),
            Subject::Record(ix) => (&mut tally.records, *ix, records),
            Subject::Identity(ix) => (&mut tally.identities, *ix, estate.identities.len()),
            Subject::Scope(name) => {
                let fresh = tally.scopes.insert(name.clone(), verdict).is_none();
                return self.first_time(fresh, subject);
            }
            Subject::Entry(kind, name) => {
                let key = Subject::entry_key(*kind, name);
                let fresh = tally.scopes.insert(key, verdict).is_none();
                return self.first_time(fresh, subject);
            }
        };
        if all.is_empty() {
            all.resize(size, 0);
        }
        let fresh = match all.get_mut(ix as usize) {
            Some(known) if *known == 0 => {
                *known = verdict;
                true
            }
            _ => false,
        };
        self.first_time(fresh, subject)
    }

    fn first_time(&mut self, fresh: bool, subject: &Subject) -> bool {
        if !fresh {
            let id = self.check.id;
            debug_assert!(fresh, "{id} judged {subject:?} twice");
            self.problems
                .push(format!("{id}: {subject:?} was judged twice"));
        }
        fresh
    }

    fn id(&self, key: &str) -> String {
        finding_id(self.seal, self.check.id, key)
    }

    fn finding(
        &self,
        subject: Subject,
        base: Severity,
        facet: &Facet<'a>,
        written: Written,
    ) -> Finding {
        let cx = self.cx;
        let credential = facet.credential.map(|ix| cx.credential(ix));
        let all: Vec<&Credential> = written
            .credentials
            .iter()
            .map(|&ix| cx.credential(ix))
            .collect();
        let privilege = facet.privilege(cx, &subject);
        let environment = cx.environment(facet.record, facet.identity);
        let scope = matches!(subject, Subject::Scope(_));
        let entry = match &subject {
            Subject::Entry(kind, name) => Some((*kind, cx.entry(*kind, name))),
            _ => None,
        };
        let told = entry.map(|(_, system)| system.and_then(|system| system.tier));
        let tier = match told {
            Some(tier) => tier,
            None => (!scope).then(|| {
                cx.tier_from(facet.record, privilege == Privilege::Admin, environment)
                    .0
            }),
        };
        let status = match &subject {
            Subject::Identity(_) => facet.identity.map(|identity| identity.status),
            _ => credential.map(|credential| credential.status),
        };
        let spent = credential.is_some_and(|credential| cx.is_spent(credential));
        let recorded = facet
            .record
            .and_then(|record| record.tier)
            .or(told.flatten());
        let severity = modified(
            base,
            &written,
            privilege == Privilege::Admin,
            recorded,
            status,
        );
        let (score, score_terms) = score(&Weighed {
            base: base.max(written.floor.unwrap_or(base)),
            privilege,
            exposure: exposed(cx, &all),
            tier,
            validity: status,
            spent,
            ownerless: !scope && entry.is_none() && facet.owner.is_none(),
            over: written.over,
        });
        let route = if scope {
            route::Route {
                to: route::LAST_RESORT.to_owned(),
                reason: "runs the scans".to_owned(),
            }
        } else {
            route::route(
                self.directory.as_ref(),
                facet.owner.as_ref(),
                &facet.candidates,
            )
        };
        let mut locations = written.locations;
        for credential in &all {
            locations.extend(cx.counted(credential).map(|sighting| cx.place(sighting)));
            locations.extend(
                credential
                    .sources
                    .iter()
                    .map(|source| source.locator.clone()),
            );
        }
        if let (Subject::Identity(_), Some(identity)) = (&subject, facet.identity) {
            locations.extend(identity.sources.iter().map(|source| source.locator.clone()));
        }
        if let (Subject::Record(_), Some(record)) = (&subject, facet.record) {
            locations.push(record.source.to_string());
        }
        locations.sort();
        locations.dedup();
        let label = facet.label(cx, &subject);
        Finding {
            id: self.id(&facet.key),
            check: self.check,
            title: if written.title.is_empty() {
                format!("{}: {label}", self.check.title)
            } else {
                written.title
            },
            severity,
            score,
            score_terms,
            state: if written.suppressed {
                State::Suppressed
            } else {
                State::New
            },
            first_seen: cx.now,
            last_seen: cx.now,
            due: None,
            sla_breached: false,
            subject_key: facet.key.clone(),
            credential_type: facet.credential_type(cx, &subject),
            credential: label,
            provider: facet.provider(cx, &subject),
            account: facet.account(cx, &subject),
            environment: environment.to_owned(),
            locations,
            owner: facet
                .owner
                .as_ref()
                .map_or_else(String::new, |o| o.party.clone()),
            owner_source: facet
                .owner
                .as_ref()
                .map_or_else(String::new, |o| o.source.clone()),
            route_to: route.to,
            route_reason: route.reason,
            approver: text_of(facet.record, |record| record.approver.as_ref()),
            purpose: text_of(facet.record, |record| record.purpose.as_ref()),
            expires: facet.expires(cx),
            revocation_path: match credential {
                Some(credential) => words::revocation(cx, facet.record, credential),
                None => text_of(facet.record, |record| record.revocation_path.as_ref()),
            },
            record_id: facet
                .record
                .map_or_else(String::new, |record| record.id.clone()),
            subject,
            evidence: written.evidence,
            remediation: if written.remediation.is_empty() {
                self.check.remedy.to_owned()
            } else {
                written.remediation
            },
            frameworks: controls::of(self.check.id).to_vec(),
        }
    }
}

/// `KM-` and 16 base32 characters: HMAC(estate key, check id ‖ 0 ‖ canonical subject).
pub fn finding_id(seal: &dyn Fn(&[u8]) -> [u8; 32], check: &str, subject_key: &str) -> String {
    let message = [check.as_bytes(), &[0], subject_key.as_bytes()].concat();
    let mac = seal(&message);
    format!("KM-{}", data_encoding::BASE32_NOPAD.encode(&mac[..10]))
}

fn exposed(cx: &CheckCx<'_>, credentials: &[&Credential]) -> Exposed {
    let mut worst = Exposed::No;
    for sighting in credentials
        .iter()
        .flat_map(|credential| cx.estate.sightings(credential))
        .filter(|sighting| !sighting.public && !cx.is_suppressed(sighting))
    {
        let this = if sighting.confidence == Confidence::Low {
            Exposed::Doubtful
        } else if only_in_history(sighting) {
            Exposed::History
        } else {
            return Exposed::Tip;
        };
        if worst == Exposed::No || this == Exposed::History {
            worst = this;
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use keymuster_api::{IdentityKind, Severity, Status};

    use super::{Findings, finding_id};
    use crate::{
        audit::{
            CHECKS, Modifier, Subject,
            checks::testing::{World, ago, seal},
            find, run,
        },
        inventory::{PersonStatus, Tier},
    };

    /// The severity that a draft of this base comes to.
    fn severity(
        world: &World,
        base: Severity,
        floor: Option<Severity>,
        off: &[Modifier],
    ) -> Severity {
        let cx = world.cx();
        let check = find("LIF-06").expect("a check");
        let mut out = Findings::new(&cx, &seal, check.about());
        out.fail(Subject::Credential(0), base, |draft| {
            draft.evidence("a", "b", "c");
            floor.into_iter().for_each(|floor| draft.at_least(floor));
            off.iter().for_each(|&modifier| draft.ignore(modifier));
        });
        out.sorted().remove(0).severity
    }

    #[test]
    fn ids_are_keyed_and_name_check_and_subject_only() {
        let id = finding_id(&seal, "LIF-06", "aws-access-key-id:x");
        assert_eq!(id.len(), 19);
        let word = id.strip_prefix("KM-").expect("its prefix");
        assert!(
            word.bytes()
                .all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b))
        );
        assert_ne!(id, finding_id(&seal, "LIF-03", "aws-access-key-id:x"));
        assert_ne!(
            id,
            finding_id(&|_| [0; 32], "LIF-06", "aws-access-key-id:x")
        );
        // The boundary between check and subject cannot be moved.
        assert_ne!(
            finding_id(&seal, "LIF-0", "6x"),
            finding_id(&seal, "LIF-06", "x")
        );
    }

    #[test]
    fn modifiers_go_one_step_and_can_be_switched_off() {
        use Severity::{Critical, High, Low, Medium};
        let mut world = World::new();
        let user = world.identity(IdentityKind::User, "deploy");
        let key = world.key_of(user);
        world.registered(key).tier = Some(Tier::T0);
        assert_eq!(severity(&world, Medium, None, &[]), High);
        // T0 and administrator are one step together, not two.
        world.admin(user);
        assert_eq!(severity(&world, Medium, None, &[]), High);
        assert_eq!(severity(&world, Medium, Some(Critical), &[]), Critical);
        world.credential(key).status = Status::Disabled;
        assert_eq!(severity(&world, Medium, None, &[]), Medium);
        assert_eq!(severity(&world, Medium, None, &[Modifier::Status]), High);
        world.inventory.as_mut().expect("given").records[0].tier = Some(Tier::T3);
        assert_eq!(severity(&world, Medium, None, &[Modifier::Privilege]), Low);
        assert_eq!(
            severity(&world, High, Some(Critical), &[Modifier::Privilege]),
            High
        );
    }

    #[test]
    #[should_panic(expected = "without evidence")]
    fn a_finding_without_evidence_is_refused() {
        let mut world = World::new();
        world.key("deploy");
        let cx = world.cx();
        let mut out = Findings::new(&cx, &seal, CHECKS[0].about());
        out.fail(Subject::Credential(0), Severity::High, |draft| {
            draft.evidence("empty", "", "x")
        });
    }

    #[test]
    fn rows_of_one_id_make_one_finding() {
        let mut world = World::new();
        world.record("R-1").1.owner = None;
        world.record("R-1").1.purpose = None;
        let finding = world.finding("INV-06");
        assert_eq!(finding.evidence.len(), 4);
        assert_eq!(finding.locations, ["inventory.csv:2", "inventory.csv:3"]);
        assert_eq!(world.population("INV-06").failed, 2);
    }

    #[test]
    fn routes_name_their_reason() {
        let mut world = World::new();
        let key = world.key("deploy");
        world.registered(key);
        world.credential(key).last_used = keymuster_api::Known::Known(ago(90));
        let routed = |world: &World| {
            let finding = world.finding("LIF-06");
            (finding.route_to, finding.route_reason)
        };
        let (to, reason) = routed(&world);
        assert_eq!(
            (to.as_str(), reason.contains("not in the people directory")),
            ("ada@acme.example", true)
        );
        world.person("ada", PersonStatus::Active);
        assert_eq!(routed(&world).1, "owner says inventory.csv:2");
        world.people.as_mut().expect("given").people[0].status = PersonStatus::Ended;
        assert_eq!(routed(&world).0, "security");
    }

    #[test]
    fn a_whole_run_is_sorted_balanced_and_the_same_twice() {
        let mut world = World::new();
        world.covered("git:web");
        let admin = world.identity(IdentityKind::User, "boss");
        world.admin(admin);
        let key = world.key_of(admin);
        world.seen(key, "web", "a.sh");
        world.seen(key, "api", "b.sh");
        world.key("deploy");
        world.gap("somewhere");
        let cx = world.cx();
        let judged = run(&cx, &seal);
        assert_eq!(judged.problems, [""; 0]);
        assert_eq!(judged.population.len(), CHECKS.len());
        assert!(
            judged
                .findings
                .is_sorted_by(|a, b| crate::audit::order(a, b).is_lt())
        );
        assert!(judged.findings.len() > 6);
        for finding in &judged.findings {
            assert!(!finding.evidence.is_empty() && !finding.frameworks.is_empty());
            assert!(!finding.route_to.is_empty() && !finding.remediation.is_empty());
            let sum: i32 = finding.score_terms.iter().map(|term| term.points).sum();
            assert_eq!(i32::from(finding.score), sum.clamp(0, 100));
        }
        assert_eq!(judged.findings, run(&cx, &seal).findings);
    }
}
