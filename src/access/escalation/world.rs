//! Everybody and everything that a way can hit, indexed so that no question looks at all pairs.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use keymuster_api::{IdentityKind, Key, Policy};

use super::{ask::Sets, catalogue::Only};
use crate::access::{
    AccessFacts,
    condition::{Context, Tri},
    holdings::{Bundle, context_of},
    policy::Document,
    trust,
};

/// Something that a way hits, and how sure that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// A principal's number.
    pub(super) ix: u32,
    pub(super) tri: Tri,
    pub(super) conditions: Vec<String>,
}

pub(super) type Hits = Arc<Vec<Hit>>;

/// Which principals of an account are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// Users, or some of them.
    Users(Option<Only>),
    /// Roles that IAM lets people change.
    Roles,
    /// Roles that a service may be given; with an instance profile only.
    ForService(String, bool),
    /// Groups.
    Groups,
    /// Roles, of any account, that leave it to this account who becomes them, whoever asks.
    Delegating,
    /// Roles that leave it to this account under conditions, or but for some.
    DelegatingIf,
}

/// One principal, or group.
pub(super) struct Principal<'a> {
    pub(super) key: &'a Key,
    pub(super) bundle: &'a Bundle,
    /// The number of its account.
    pub(super) home: u32,
    pub(super) tags: &'a [(String, String)],
    pub(super) trust: Option<u32>,
    pub(super) services: BTreeMap<String, (Tri, Vec<String>)>,
}

/// What runs as a role.
pub(super) struct Running<'a> {
    pub(super) by: &'a str,
    pub(super) role: u32,
}

pub(super) struct World<'a> {
    pub(super) documents: &'a [Document],
    pub(super) policies: &'a [Key],
    pub(super) sets: Sets,
    pub(super) principals: Vec<Principal<'a>>,
    numbers: HashMap<&'a str, u32>,
    accounts: BTreeMap<&'a str, u32>,
    /// Principals of each account, by its number.
    members: Vec<(&'a str, Vec<u32>)>,
    /// Roles that name this caller itself.
    direct: BTreeMap<String, Vec<u32>>,
    /// Roles that name this account.
    delegating: BTreeMap<String, Vec<u32>>,
    /// Roles that anybody may become.
    anybody: Vec<u32>,
    profiles: BTreeSet<u32>,
    accounts_with_profiles: BTreeSet<&'a str>,
    keys: BTreeMap<&'a Key, u32>,
    accounts_with_keys: BTreeSet<&'a str>,
    logins: BTreeMap<&'a Key, Option<bool>>,
    running: BTreeMap<&'a str, Vec<Running<'a>>>,
    /// Policies that people wrote, with the principals they are attached to, by key.
    pub(super) customer: Vec<(&'a Key, Vec<u32>)>,
    /// Versions of a policy that are not in force, as documents.
    pub(super) versions: BTreeMap<&'a str, Vec<u32>>,
    classes: RefCell<HashMap<(u32, Class), Hits>>,
}

/// Roles that IAM calls cannot change: those of AWS services, and of IAM Identity Center.
pub(super) fn is_immutable(key: &Key) -> bool {
    key.0.contains(":role/aws-service-role/") || key.0.contains(":role/aws-reserved/")
}

/// The policy of which this is a version that is not in force. Such a version is tied to nobody.
pub(in crate::access) fn version_of(policy: &Policy) -> Option<&str> {
    let (of, version) = policy.key.0.rsplit_once("/version/v")?;
    let numbered = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    (numbered && policy.attached.is_empty()).then_some(of)
}

impl<'a> World<'a> {
    pub(super) fn new(
        facts: &AccessFacts<'a>,
        documents: &'a [Document],
        policies: &'a [Key],
        of_policy: &[u32],
        bundles: &'a BTreeMap<Key, Bundle>,
        trusts: &BTreeMap<&'a Key, u32>,
        sets: Sets,
    ) -> World<'a> {
        let mut world = World {
            documents,
            policies,
            sets,
            principals: Vec::new(),
            numbers: HashMap::new(),
            accounts: BTreeMap::new(),
            members: Vec::new(),
            direct: BTreeMap::new(),
            delegating: BTreeMap::new(),
            anybody: Vec::new(),
            profiles: BTreeSet::new(),
            accounts_with_profiles: BTreeSet::new(),
            keys: BTreeMap::new(),
            accounts_with_keys: BTreeSet::new(),
            logins: BTreeMap::new(),
            running: BTreeMap::new(),
            customer: Vec::new(),
            versions: BTreeMap::new(),
            classes: RefCell::default(),
        };
        let identities: BTreeMap<&Key, _> = facts
            .identities
            .iter()
            .map(|identity| (&identity.key, identity))
            .collect();
        for (key, bundle) in bundles {
            let Some(&identity) = identities.get(key) else {
                continue;
            };
            let number = world.principals.len() as u32;
            let trust = trusts.get(key).copied();
            world.numbers.insert(&key.0, number);
            let account = bundle.account.as_str();
            let next = world.members.len() as u32;
            let home = *world.accounts.entry(account).or_insert(next);
            if home == next {
                world.members.push((account, Vec::new()));
            }
            world.members[home as usize].1.push(number);
            world
                .logins
                .insert(key, identity.interactive.value().copied());
            let document = trust.map(|ix| &documents[ix as usize]);
            world.principals.push(Principal {
                key,
                bundle,
                home,
                tags: &identity.tags,
                trust,
                services: document
                    .map(|document| trust::services(document, &bundle.account))
                    .unwrap_or_default(),
            });
            if let Some(document) = document {
                let callers = trust::callers(document);
                for caller in callers.direct {
                    world.direct.entry(caller).or_default().push(number);
                }
                for account in callers.accounts {
                    world.delegating.entry(account).or_default().push(number);
                }
                if callers.anybody {
                    world.anybody.push(number);
                }
            }
        }
        world.index(facts, of_policy);
        world
    }

    fn index(&mut self, facts: &AccessFacts<'a>, of_policy: &[u32]) {
        for credential in facts.credentials {
            let is_key = credential.key.0.starts_with("aws:access-key");
            if let (true, Some(user)) = (is_key, &credential.identity) {
                *self.keys.entry(user).or_default() += 1;
                if let Some(account) = user.0.split(':').nth(4) {
                    self.accounts_with_keys.insert(account);
                }
            }
        }
        // An instance runs as a profile, a profile as a role.
        let mut profile_roles: BTreeMap<&str, u32> = BTreeMap::new();
        for reference in facts.references {
            if reference.by.0.contains(":instance-profile/")
                && let Some(&role) = self.numbers.get(reference.to.0.as_str())
            {
                profile_roles.insert(&reference.by.0, role);
                self.profiles.insert(role);
                if let Some(account) = reference.by.0.split(':').nth(4) {
                    self.accounts_with_profiles.insert(account);
                }
            }
        }
        for reference in facts.references {
            if reference.by.0.contains(":instance-profile/") {
                continue;
            }
            let to = reference.to.0.as_str();
            let role = self.numbers.get(to).or_else(|| profile_roles.get(to));
            let account = to.split(':').nth(4);
            if let (Some(&role), Some(account)) = (role, account) {
                self.running.entry(account).or_default().push(Running {
                    by: &reference.by.0,
                    role,
                });
            }
        }
        let mut customer: BTreeMap<&Key, Vec<u32>> = BTreeMap::new();
        for (policy, document) in facts.policies.iter().zip(of_policy) {
            if let Some(of) = version_of(policy) {
                self.versions.entry(of).or_default().push(*document);
                continue;
            }
            if !is_customers(&policy.key) {
                continue;
            }
            let principals = policy
                .attached
                .iter()
                .filter(|tie| tie.kind == keymuster_api::AttachmentKind::Attached)
                .filter_map(|tie| self.numbers.get(tie.to.0.as_str()).copied());
            customer.entry(&policy.key).or_default().extend(principals);
        }
        self.customer = customer.into_iter().collect();
    }

    /// What holds for every request of a principal.
    pub(super) fn context(&self, number: u32) -> Context {
        context_of(self.principal(number).bundle)
    }

    pub(super) fn number(&self, key: &str) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    pub(super) fn principal(&self, number: u32) -> &Principal<'a> {
        &self.principals[number as usize]
    }

    pub(super) fn running(&self, account: &str) -> &[Running<'a>] {
        self.running.get(account).map_or(&[], Vec::as_slice)
    }

    /// Roles that may name this caller, whatever its own policies say.
    pub(super) fn naming(&self, key: &Key) -> Vec<u32> {
        let mut roles = self.anybody.clone();
        roles.extend(self.direct.get(&key.0).into_iter().flatten());
        // Sessions are named by the role's name.
        if let Some((of, name)) = key.0.split_once(":role/") {
            let name = name.rsplit('/').next().unwrap_or(name);
            let session = format!("{}:assumed-role/{name}/", of.replacen(":iam:", ":sts:", 1));
            for (_, named) in self
                .direct
                .range(session.clone()..)
                .take_while(|(caller, _)| caller.starts_with(&session))
            {
                roles.extend(named);
            }
        }
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// The members of a class of one account, in the order of their keys.
    pub(super) fn class(&self, home: u32, class: &Class) -> Hits {
        let key = (home, class.clone());
        if let Some(hits) = self.classes.borrow().get(&key) {
            return hits.clone();
        }
        let sure = |ix: u32| Hit {
            ix,
            tri: Tri::Yes,
            conditions: Vec::new(),
        };
        let (account, here) = &self.members[home as usize];
        let hits: Vec<Hit> = match class {
            Class::Delegating | Class::DelegatingIf => {
                let mut roles = self.delegating.get(*account).cloned().unwrap_or_default();
                roles.sort_unstable();
                roles.dedup();
                roles.retain(|&ix| {
                    let document = self.principal(ix).trust;
                    let plainly = document.is_some_and(|at| {
                        trust::delegates_to_anybody(&self.documents[at as usize])
                    });
                    plainly == (*class == Class::Delegating)
                });
                roles.into_iter().map(sure).collect()
            }
            Class::ForService(service, profile) => here
                .iter()
                .filter_map(|&ix| {
                    let principal = self.principal(ix);
                    let (tri, conditions) = principal.services.get(service)?;
                    let without = *profile
                        && self.accounts_with_profiles.contains(account)
                        && !self.profiles.contains(&ix);
                    (!without && !is_immutable(principal.key)).then(|| Hit {
                        ix,
                        tri: *tri,
                        conditions: conditions.clone(),
                    })
                })
                .collect(),
            _ => here
                .iter()
                .copied()
                .filter(|&ix| self.is_in(self.principal(ix), class))
                .map(sure)
                .collect(),
        };
        let hits = Arc::new(hits);
        self.classes.borrow_mut().insert(key, hits.clone());
        hits
    }

    /// Which of a class have keys that begin with one of these texts: principals are numbered in
    /// the order of their keys, so those are a few ranges.
    pub(super) fn beginning_with<'h>(
        &'h self,
        all: &'h [Hit],
        texts: &[&str],
    ) -> impl Iterator<Item = &'h Hit> + 'h {
        let key = |hit: &Hit| self.principal(hit.ix).key.0.as_str();
        let mut ranges: Vec<(usize, usize)> = texts
            .iter()
            .map(|text| {
                let from = all.partition_point(|hit| key(hit) < *text);
                let to = from + all[from..].partition_point(|hit| key(hit).starts_with(text));
                (from, to)
            })
            .collect();
        ranges.sort_unstable();
        let mut end = 0;
        for (from, to) in &mut ranges {
            *from = (*from).max(end);
            *to = (*to).max(*from);
            end = *to;
        }
        ranges.into_iter().flat_map(|(from, to)| &all[from..to])
    }

    /// Policies that people wrote in the account of a principal, those whose keys begin with one
    /// of these texts if there are any.
    pub(super) fn customers_policies(
        &self,
        of: &Bundle,
        texts: Option<&[&str]>,
    ) -> Vec<&(&'a Key, Vec<u32>)> {
        let own = format!("arn:{}:iam::{}:policy/", of.partition, of.account);
        let all = &self.customer;
        let mut found: Vec<&(&Key, Vec<u32>)> = Vec::new();
        for text in texts.unwrap_or(&[""]) {
            let text = if own.starts_with(text) { &own } else { *text };
            let from = all.partition_point(|(key, _)| key.0.as_str() < text);
            let some = all[from..].iter();
            found.extend(some.take_while(|(key, _)| key.0.starts_with(text)));
        }
        found.retain(|(key, _)| key.0.starts_with(&own));
        found.sort_by_key(|(key, _)| *key);
        found.dedup_by_key(|(key, _)| *key);
        found
    }

    fn is_in(&self, principal: &Principal<'_>, class: &Class) -> bool {
        let kind = principal.bundle.kind;
        match class {
            Class::Users(None) => kind == IdentityKind::User,
            Class::Users(Some(only)) => {
                let keys = self
                    .accounts_with_keys
                    .contains(principal.bundle.account.as_str())
                    .then(|| self.keys.get(principal.key).copied().unwrap_or(0));
                let login = self.logins.get(principal.key).copied().flatten();
                kind == IdentityKind::User
                    && match only {
                        Only::FewKeys => keys.is_none_or(|keys| keys < 2),
                        Only::TwoKeys => keys.is_none_or(|keys| keys >= 2),
                        Only::NoLogin => login != Some(true),
                        Only::Login => login != Some(false),
                    }
            }
            Class::Roles => kind == IdentityKind::Role && !is_immutable(principal.key),
            Class::Groups => kind == IdentityKind::Group,
            Class::ForService(..) | Class::Delegating | Class::DelegatingIf => false,
        }
    }
}

/// Whether people wrote this policy and can write new versions of it.
pub(super) fn is_customers(key: &Key) -> bool {
    key.0.contains(":policy/") && !key.0.contains(":iam::aws:") && !key.0.contains("/inline/")
}
