//! The estate's side: everything a credential could be recorded under.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use jiff::Timestamp;
use keymuster_api::{SecretId, Slot};

use rayon::slice::ParallelSliceMut as _;

use super::{
    super::{identify, words},
    keys::{self, Key},
};
use crate::estate::{Credential, Estate, Identity};

/// Places of one credential that are looked at; more say nothing new.
const MOST_PLACES: usize = 64;

/// A key and how to show it.
type Shown<'a> = (Key, Cow<'a, str>);

/// One credential.
pub(super) struct Subject<'a> {
    /// Own ids (rank 1).
    pub(super) natives: Vec<Shown<'a>>,
    /// Own ids as written, for masks.
    pub(super) ids: Vec<&'a str>,
    /// Whether it has an id that a register could name.
    pub(super) has_own_id: bool,
    /// Rank 2.
    pub(super) fingerprint: Option<Key>,
    /// Rank 3.
    pub(super) principals: Vec<Shown<'a>>,
    /// Rank 3: user name and account.
    pub(super) user: Option<Shown<'a>>,
    /// Rank 3: a user name that only one principal has.
    pub(super) only_user: Option<Shown<'a>>,
    /// Rank 4.
    pub(super) locators: Vec<Shown<'a>>,
    /// Rank 5, each with its confidence.
    pub(super) hints: Vec<(Key, &'a str, f64)>,
    /// Rank 5: the account that the credential itself tells.
    pub(super) decoded_account: Option<Key>,
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

/// An estate, with what its credentials are looked up in.
pub(super) struct Subjects<'a> {
    estate: &'a Estate,
    slots: HashMap<SecretId, Vec<&'a Slot>>,
    /// How many principals bear a name.
    bearers: HashMap<String, u32>,
}

impl<'a> Subjects<'a> {
    pub(super) fn new(estate: &'a Estate) -> Subjects<'a> {
        let mut slots: HashMap<SecretId, Vec<&Slot>> = HashMap::new();
        for slot in &estate.gathered.slots {
            if let Some(secret) = slot.secret {
                slots.entry(secret).or_default().push(slot);
            }
        }
        let mut bearers: HashMap<String, u32> = HashMap::new();
        for identity in &estate.identities {
            let name = estate.text(identity.name).to_lowercase();
            *bearers.entry(name).or_default() += 1;
        }
        Subjects {
            estate,
            slots,
            bearers,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.estate.credentials.len()
    }

    /// The provider of a credential.
    pub(super) fn provider(&self, credential: u32) -> &'a str {
        let credential = &self.estate.credentials[credential as usize];
        self.estate.text(credential.provider)
    }

    /// Everything that a credential could be recorded under. Made again whenever it is asked
    /// for: a million of them do not fit.
    pub(super) fn of(&self, credential: usize) -> Subject<'a> {
        let credential = &self.estate.credentials[credential];
        let slots = credential.secret.and_then(|secret| self.slots.get(&secret));
        subject(
            self.estate,
            credential,
            slots.map_or(&[], Vec::as_slice),
            &self.bearers,
        )
    }
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
        fingerprint: credential
            .secret
            .map(|secret| keys::fingerprint(&secret.to_string())),
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
                    self.principals.push((keys::principal(value), value.into()));
                }
                "jwt-subject" => self.hint(value),
                _ => {
                    for key in keys::natives_of_handle(scheme, value) {
                        self.natives.push((key, value.into()));
                    }
                    self.ids.push(value);
                    self.has_own_id = true;
                }
            }
        }
        for sym in credential.aliases.iter().chain([&credential.subject]) {
            let text = estate.text(*sym);
            self.locators.push((keys::locator(text), text.into()));
            let last = text.rsplit([':', '/']).next().unwrap_or(text);
            if let Some(scheme @ ("guid" | "access_key_id")) = identify::shape(last) {
                self.natives.push((keys::native(scheme, last), last.into()));
                self.ids.push(last);
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
        self.principals.push((keys::principal(key), key.into()));
        let last = key.rsplit([':', '/']).next().unwrap_or(key);
        if identify::is_guid(last) {
            self.principals.push((keys::principal(last), last.into()));
        }
        if let Some(account) = account {
            self.user = Some((keys::user(account, name), name.into()));
        }
        if bearers.get(&name.to_lowercase()) == Some(&1) {
            self.only_user = Some((keys::only_user(name), name.into()));
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
            let place = slot.key.0.as_str();
            self.locators.push((keys::locator(place), place.into()));
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
                self.locators.push((keys::locator(&text), text.into()));
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
                    self.hints.push((keys::principal(value), value, 0.90));
                }
                "private_key_id" | "key_id" => {
                    for key in keys::natives_of_handle("key_id", value) {
                        self.natives.push((key, value.into()));
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
    fn hint(&mut self, value: &'a str) {
        let confidence = if value.len() >= 16 { 0.85 } else { 0.75 };
        self.hints.push((keys::principal(value), value, confidence));
    }
}

fn last_part(name: &str) -> &str {
    name.trim_end_matches('/')
        .rsplit(['/', ':'])
        .next()
        .unwrap_or(name)
}

/// Which credentials lie in each place, sorted by place.
pub(super) struct Holders(Vec<(Key, u32)>);

impl Holders {
    pub(super) fn new(mut places: Vec<(Key, u32)>) -> Holders {
        places.par_sort_unstable();
        places.dedup();
        Holders(places)
    }

    pub(super) fn of(&self, place: Key) -> impl Iterator<Item = u32> + Clone {
        let from = self.0.partition_point(|(known, _)| *known < place);
        let here = self.0[from..].iter();
        here.take_while(move |(known, _)| *known == place)
            .map(|&(_, credential)| credential)
    }
}

/// Credentials by the ends of their ids, in lower case.
pub(super) struct Ends {
    by_tail: HashMap<[u8; 4], Vec<u32>>,
    sorted: Vec<(String, u32)>,
}

impl Ends {
    pub(super) fn new(subjects: &Subjects<'_>) -> Ends {
        let mut sorted = Vec::new();
        for at in 0..subjects.len() {
            for id in subjects.of(at).ids {
                sorted.push((id.to_lowercase(), at as u32));
            }
        }
        sorted.par_sort_unstable();
        let mut by_tail: HashMap<[u8; 4], Vec<u32>> = HashMap::new();
        for (at, (id, _)) in (0..).zip(&sorted) {
            if let Some(tail) = tail(id) {
                by_tail.entry(tail).or_default().push(at);
            }
        }
        Ends { by_tail, sorted }
    }

    /// The credentials with an id of these ends, sorted.
    pub(super) fn fitting(&self, head: &str, end: &str) -> Vec<u32> {
        let fits = |id: &str| {
            id.len() > head.len() + end.len() && id.starts_with(head) && id.ends_with(end)
        };
        let mut found: Vec<u32> = match tail(end) {
            Some(tail) => {
                let here = self.by_tail.get(&tail).into_iter().flatten();
                let here = here.map(|&at| &self.sorted[at as usize]);
                here.filter(|(id, _)| fits(id)).map(|&(_, at)| at).collect()
            }
            None => {
                let from = self.sorted.partition_point(|(id, _)| id.as_str() < head);
                let here = self.sorted[from..]
                    .iter()
                    .take_while(|(id, _)| id.starts_with(head));
                here.filter(|(id, _)| fits(id)).map(|&(_, at)| at).collect()
            }
        };
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The last four bytes.
fn tail(text: &str) -> Option<[u8; 4]> {
    text.as_bytes().last_chunk::<4>().copied()
}
