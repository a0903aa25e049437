//! The estate's side: everything a credential could be recorded under.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use keymuster_api::{SecretId, Slot};

use super::{
    super::{identify, words},
    keys,
};
use crate::estate::{Credential, Estate, Identity};

/// Places of one credential that are looked at; more say nothing new.
const MOST_PLACES: usize = 64;

/// A key and how to show it.
type Shown = (String, String);

/// One credential.
pub(super) struct Subject<'a> {
    /// Own ids (rank 1).
    pub(super) natives: Vec<Shown>,
    /// Own ids as written, lower case, for masks.
    pub(super) ids: Vec<String>,
    /// Whether it has an id that a register could name.
    pub(super) has_own_id: bool,
    /// Rank 2.
    pub(super) fingerprint: Option<String>,
    /// Rank 3.
    pub(super) principals: Vec<Shown>,
    /// Rank 3: user name and account.
    pub(super) user: Option<Shown>,
    /// Rank 3: a user name that only one principal has.
    pub(super) only_user: Option<Shown>,
    /// Rank 4.
    pub(super) locators: Vec<Shown>,
    /// Rank 5, each with its confidence.
    pub(super) hints: Vec<(String, String, f64)>,
    /// Rank 5: the account that the credential itself tells.
    pub(super) decoded_account: Option<String>,
    /// Rank 6 and 7.
    pub(super) names: Vec<&'a str>,
    pub(super) systems: Vec<&'a str>,
    pub(super) environments: Vec<&'static str>,
    /// People and teams that are named for it.
    pub(super) parties: Vec<&'a str>,
    pub(super) account: Option<String>,
    pub(super) provider: &'a str,
    pub(super) kind: &'a str,
    pub(super) created: Option<Timestamp>,
    pub(super) listed: bool,
}

/// All credentials of an estate, in its order.
pub(super) fn subjects(estate: &Estate) -> Vec<Subject<'_>> {
    let mut slots: HashMap<SecretId, Vec<&Slot>> = HashMap::new();
    for slot in &estate.gathered.slots {
        if let Some(secret) = slot.secret {
            slots.entry(secret).or_default().push(slot);
        }
    }
    let mut bearers: HashMap<String, u32> = HashMap::new();
    for identity in &estate.identities {
        *bearers
            .entry(estate.text(identity.name).to_lowercase())
            .or_default() += 1;
    }
    let credentials = estate.credentials.iter();
    credentials
        .map(|credential| {
            let slots = credential.secret.and_then(|secret| slots.get(&secret));
            subject(
                estate,
                credential,
                slots.map_or(&[], Vec::as_slice),
                &bearers,
            )
        })
        .collect()
}

fn subject<'a>(
    estate: &'a Estate,
    credential: &'a Credential,
    slots: &[&'a Slot],
    bearers: &HashMap<String, u32>,
) -> Subject<'a> {
    let identity = estate.identity_of(credential);
    let account = credential
        .account
        .or(identity.and_then(|identity| identity.account));
    let account = account.map(|sym| estate.text(sym));
    let mut subject = Subject {
        natives: Vec::new(),
        ids: Vec::new(),
        has_own_id: false,
        fingerprint: credential.secret.map(|secret| format!("fp:{secret}")),
        principals: Vec::new(),
        user: None,
        only_user: None,
        locators: Vec::new(),
        hints: Vec::new(),
        decoded_account: None,
        names: credential
            .name
            .iter()
            .map(|&sym| estate.text(sym))
            .collect(),
        systems: Vec::new(),
        environments: Vec::new(),
        parties: estate
            .claims(&credential.claims)
            .map(|claim| claim.party.as_str())
            .collect(),
        account: account.map(keys::account),
        provider: estate.text(credential.provider),
        kind: estate.text(credential.kind),
        created: credential.created.value().copied(),
        listed: credential.listed,
    };
    subject.own_ids(estate, credential);
    if let Some(identity) = identity {
        subject.principal(estate, identity, account, bearers);
    }
    subject.places(estate, credential, slots);
    subject.decoded(estate, credential);
    subject.environments.sort_unstable();
    subject.environments.dedup();
    subject.systems.sort_unstable();
    subject.systems.dedup();
    subject
}

impl<'a> Subject<'a> {
    fn own_ids(&mut self, estate: &'a Estate, credential: &'a Credential) {
        if let Some((scheme, value)) = credential.handle {
            let (scheme, value) = (estate.text(scheme), estate.text(value));
            match scheme {
                "arn" | "client-email" => {
                    self.principals
                        .push((keys::principal(value), value.to_owned()));
                }
                "jwt-subject" => self.hint(value),
                _ => {
                    for key in keys::natives_of_handle(scheme, value) {
                        self.natives.push((key, value.to_owned()));
                    }
                    self.ids.push(value.to_lowercase());
                    self.has_own_id = true;
                }
            }
        }
        for sym in credential.aliases.iter().chain([&credential.subject]) {
            let text = estate.text(*sym);
            self.locators.push((keys::locator(text), text.to_owned()));
            let last = text.rsplit([':', '/']).next().unwrap_or(text);
            if let Some(scheme @ ("guid" | "access_key_id")) = identify::shape(last) {
                self.natives
                    .push((keys::native(scheme, last), last.to_owned()));
                self.ids.push(last.to_lowercase());
                self.has_own_id = true;
            }
        }
        self.natives.sort();
        self.natives.dedup();
        self.ids.sort();
        self.ids.dedup();
    }

    fn principal(
        &mut self,
        estate: &'a Estate,
        identity: &'a Identity,
        account: Option<&str>,
        bearers: &HashMap<String, u32>,
    ) {
        let (key, name) = (estate.text(identity.key), estate.text(identity.name));
        self.principals.push((keys::principal(key), key.to_owned()));
        let last = key.rsplit([':', '/']).next().unwrap_or(key);
        if identify::is_guid(last) {
            self.principals
                .push((keys::principal(last), last.to_owned()));
        }
        if let Some(account) = account {
            self.user = Some((keys::user(account, name), name.to_owned()));
        }
        if bearers.get(&name.to_lowercase()) == Some(&1) {
            self.only_user = Some((keys::only_user(name), name.to_owned()));
        }
        self.names.push(name);
        for &(tag, value) in &identity.tags {
            let value = estate.text(value);
            match super::super::text::squeezed(estate.text(tag)).as_str() {
                "application" | "app" | "system" | "service" | "project" | "product"
                | "component" | "workload" => self.systems.push(value),
                "environment" | "env" | "stage" => {
                    self.environments.extend(words::environment(value));
                }
                "owner" | "team" | "contact" | "owneremail" => self.parties.push(value),
                "name" => self.names.push(value),
                _ => {}
            }
        }
    }

    fn places(&mut self, estate: &'a Estate, credential: &'a Credential, slots: &[&'a Slot]) {
        for slot in slots.iter().take(MOST_PLACES) {
            self.locators
                .push((keys::locator(&slot.key.0), slot.key.0.clone()));
            self.names.push(&slot.name);
            self.systems.push(last_part(&slot.scope));
        }
        for sighting in estate.sightings(credential).take(MOST_PLACES) {
            let resource = estate.resource_of(sighting).name.as_str();
            let short = last_part(resource);
            let path = &sighting.path;
            self.systems.extend([resource, short]);
            let mut texts = vec![
                format!("{resource}:{path}"),
                format!("{resource}/{path}"),
                path.clone(),
            ];
            if short != resource {
                texts.extend([format!("{short}:{path}"), format!("{short}/{path}")]);
            }
            if let Some(position) = sighting.position {
                texts.push(format!("{resource}:{path}:{}", position.line));
                texts.push(format!("{short}:{path}:{}", position.line));
            }
            for text in texts {
                self.locators.push((keys::locator(&text), text));
            }
        }
        self.locators.sort();
        self.locators.dedup_by(|a, b| a.0 == b.0);
    }

    fn decoded(&mut self, estate: &'a Estate, credential: &'a Credential) {
        let mut facts: BTreeSet<(&str, &str)> = BTreeSet::new();
        for sighting in estate.sightings(credential).take(MOST_PLACES) {
            let known = sighting.details.facts.iter();
            facts.extend(known.map(|(name, value)| (name.as_str(), value.as_str())));
        }
        for (name, value) in facts {
            match name {
                "client_email" => {
                    self.hints
                        .push((keys::principal(value), value.to_owned(), 0.90));
                }
                "private_key_id" | "key_id" => {
                    for key in keys::natives_of_handle("key_id", value) {
                        self.natives.push((key, value.to_owned()));
                    }
                }
                "subject" | "sub" => self.hint(value),
                "account" => {
                    self.decoded_account = Some(keys::only_account(value));
                    self.account.get_or_insert_with(|| keys::account(value));
                }
                _ => {}
            }
        }
    }

    /// A subject that the credential names: long ones are hardly anybody else's.
    fn hint(&mut self, value: &str) {
        let confidence = if value.len() >= 16 { 0.85 } else { 0.75 };
        self.hints
            .push((keys::principal(value), value.to_owned(), confidence));
    }
}

fn last_part(name: &str) -> &str {
    name.trim_end_matches('/')
        .rsplit(['/', ':'])
        .next()
        .unwrap_or(name)
}

/// Which credentials lie in each place.
pub(super) fn holders<'a>(subjects: &'a [Subject<'_>]) -> BTreeMap<&'a str, Vec<u32>> {
    let mut holders: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (at, subject) in subjects.iter().enumerate() {
        for (key, _) in &subject.locators {
            holders.entry(key).or_default().push(at as u32);
        }
    }
    holders
}

/// Credentials by the ends of their ids.
pub(super) struct Ends<'a> {
    by_tail: HashMap<&'a str, Vec<(&'a str, u32)>>,
    sorted: Vec<(&'a str, u32)>,
}

impl<'a> Ends<'a> {
    pub(super) fn new(subjects: &'a [Subject<'_>]) -> Ends<'a> {
        let mut ends = Ends {
            by_tail: HashMap::new(),
            sorted: Vec::new(),
        };
        for (at, subject) in subjects.iter().enumerate() {
            for id in &subject.ids {
                if let Some(tail) = id.len().checked_sub(4).and_then(|from| id.get(from..)) {
                    ends.by_tail.entry(tail).or_default().push((id, at as u32));
                }
                ends.sorted.push((id, at as u32));
            }
        }
        ends.sorted.sort_unstable();
        ends
    }

    /// The credentials with an id of these ends, sorted.
    pub(super) fn fitting(&self, head: &str, tail: &str) -> Vec<u32> {
        let fits = |id: &str| {
            id.len() > head.len() + tail.len() && id.starts_with(head) && id.ends_with(tail)
        };
        let mut found: Vec<u32> = if tail.len() >= 4 {
            let last = &tail[tail.len() - 4..];
            let here = self.by_tail.get(last).map_or(&[][..], Vec::as_slice);
            here.iter()
                .filter(|(id, _)| fits(id))
                .map(|&(_, at)| at)
                .collect()
        } else {
            let from = self.sorted.partition_point(|(id, _)| *id < head);
            let here = self.sorted[from..]
                .iter()
                .take_while(|(id, _)| id.starts_with(head));
            here.filter(|(id, _)| fits(id)).map(|&(_, at)| at).collect()
        };
        found.sort_unstable();
        found.dedup();
        found
    }
}
