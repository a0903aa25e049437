//! Tries each way for each principal, and draws the steps it gives.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Identity, IdentityKind, Key, Policy, Timestamp};

use super::{
    PolicyText, RoleText,
    catalogue::{Gain, Way, catalogue},
    condition::Holds,
    federation::Federation,
    holds,
    places::{Places, kind},
};
use crate::access::{
    AccessFacts, GrantedAction, TrustFact, TrustKind,
    reach::{Graph, Node},
    standing::{Ability, Standing, Standings},
};

/// So many accounts that a right gives are named.
const NAMED: usize = 3;
/// Members that stand for everybody.
const EVERYBODY: &[&str] = &["gcp:allUsers", "gcp:allAuthenticatedUsers"];

/// A role that somebody has at a place.
#[derive(Debug, Clone)]
struct Grant<'a> {
    place: String,
    role: String,
    condition: Option<String>,
    policy: &'a Key,
}

impl Grant<'_> {
    fn because(&self) -> String {
        match &self.condition {
            None => format!("{} on {}", self.role, self.place),
            Some(condition) => format!("{} on {} if {condition}", self.role, self.place),
        }
    }
}

/// Where a permission is had.
#[derive(Debug, Clone)]
struct Have<'g> {
    place: &'g str,
    condition: Option<&'g str>,
    because: String,
}

/// Everything that is judged.
pub(super) struct Ground<'a> {
    places: Places<'a>,
    /// Permissions of roles that exports describe: those that ways need.
    roles: BTreeMap<String, Vec<String>>,
    grants: BTreeMap<String, Vec<Grant<'a>>>,
    identities: Vec<&'a Identity>,
    pub(super) federation: Federation,
    /// Places whose policy is known.
    known: BTreeSet<String>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(facts: &AccessFacts<'a>) -> Ground<'a> {
        let identities = facts.identities.iter();
        Ground {
            places: Places::new(facts),
            roles: BTreeMap::new(),
            grants: BTreeMap::new(),
            identities: identities.filter(|one| one.provider == "gcp").collect(),
            federation: Federation::default(),
            known: BTreeSet::new(),
        }
    }

    pub(super) fn has_policies(&self) -> bool {
        !self.known.is_empty()
    }

    /// Takes a role or a policy.
    pub(super) fn policy(
        &mut self,
        policy: &'a Policy,
        now: Option<Timestamp>,
    ) -> Result<(), serde_json::Error> {
        if let Some(role) = policy.key.0.strip_prefix("gcp:role:") {
            let mut text: RoleText = serde_json::from_str(&policy.document)?;
            text.permissions.retain(|one| catalogue().needs(one));
            self.roles.insert(role.to_owned(), text.permissions);
            return Ok(());
        }
        let text: PolicyText = serde_json::from_str(&policy.document)?;
        self.known.insert(text.place.clone());
        for binding in text.bindings {
            let condition = match holds(binding.condition.as_deref(), now) {
                Holds::Yes => None,
                Holds::No => continue,
                Holds::If(condition) => Some(condition),
            };
            for member in binding.members {
                self.grants.entry(member).or_default().push(Grant {
                    place: text.place.clone(),
                    role: binding.role.clone(),
                    condition: condition.clone(),
                    policy: &policy.key,
                });
            }
        }
        Ok(())
    }

    fn of(&self, key: &Key) -> &[Grant<'a>] {
        self.grants.get(&key.0).map_or(&[], Vec::as_slice)
    }

    /// Permissions that ways need, of a role.
    fn permissions(&self, role: &str) -> Vec<&str> {
        if let Some(known) = self.roles.get(role) {
            return known.iter().map(String::as_str).collect();
        }
        match catalogue().roles.get(role) {
            Some(role) if role.whole.as_deref() == Some("everything") => {
                let needed = catalogue().ways.iter().flat_map(|way| &way.permissions);
                needed.map(String::as_str).collect()
            }
            Some(role) => role.permissions.iter().map(String::as_str).collect(),
            None => Vec::new(),
        }
    }

    /// Who may let itself in as which service account, by the accounts' own policies.
    fn let_in(&self) -> BTreeMap<&str, Vec<(&str, &Grant<'a>)>> {
        let mut found: BTreeMap<&str, Vec<(&str, &Grant<'a>)>> = BTreeMap::new();
        for (member, grants) in &self.grants {
            for grant in grants {
                let Some(mail) = grant.place.strip_prefix("account/") else {
                    continue;
                };
                let gives = self.permissions(&grant.role);
                if gives
                    .iter()
                    .any(|one| one.starts_with("iam.serviceAccount"))
                {
                    found.entry(mail).or_default().push((member, grant));
                }
            }
        }
        found
    }
}

/// Standings of every principal, and the steps between them.
pub(super) fn draw(ground: &Ground<'_>, standings: &mut Standings, graph: &mut Graph) {
    let let_in = ground.let_in();
    for identity in &ground.identities {
        if identity.kind != IdentityKind::ServiceAccount {
            continue;
        }
        if let Some(project) = &identity.account {
            let place = format!("project/{project}");
            for up in ground.places.up(&place) {
                graph.member(&pool(up), Node::One(identity.key.clone()));
                let host = identity.key.0.split_once('@').map_or("", |(_, host)| host);
                graph.member(&builders(up, host), Node::One(identity.key.clone()));
            }
        }
    }
    for identity in &ground.identities {
        let grants = ground.of(&identity.key);
        let mut standing = plain(grants, &identity.key);
        standing
            .trusts
            .extend(ground.federation.judge(&identity.key, &identity.key.0));
        if grants.is_empty() {
            standing.trusts.clear();
        }
        for (member, grant) in let_in.get(identity.key.0.as_str()).into_iter().flatten() {
            standing
                .trusts
                .extend(ground.federation.judge(&identity.key, member));
            if EVERYBODY.contains(member) {
                standing.trusts.push(TrustFact {
                    role: identity.key.clone(),
                    kind: TrustKind::Public,
                    who: member["gcp:".len()..].to_owned(),
                    why: grant.because(),
                    statement: 0,
                });
            }
        }
        standing.trusts.sort();
        standing.trusts.dedup();
        if standing.admin.is_some() {
            graph.admin(&identity.key, Vec::new());
        } else {
            standing.abilities = ways(ground, &identity.key, grants, graph);
        }
        standings.insert(identity.key.clone(), standing);
    }
}

fn pool(place: &str) -> String {
    format!("gcp:accounts of {place}")
}

fn builders(place: &str, host: &str) -> String {
    format!("gcp:{host} of {place}")
}

/// What a principal's roles say by themselves.
fn plain(grants: &[Grant<'_>], key: &Key) -> Standing {
    let mut standing = Standing::default();
    for grant in grants {
        if EVERYBODY.contains(&key.0.as_str()) {
            standing.trusts.push(TrustFact {
                role: key.clone(),
                kind: TrustKind::Public,
                who: key.0["gcp:".len()..].to_owned(),
                why: grant.because(),
                statement: 0,
            });
        }
        standing.grants.push(GrantedAction {
            action: grant.role.clone(),
            policy: grant.policy.clone(),
            via: None,
        });
        if !matches!(kind(&grant.place), "project" | "folder" | "organization") {
            continue;
        }
        let whole = catalogue()
            .roles
            .get(&grant.role)
            .and_then(|role| role.whole.as_deref());
        match (whole, &grant.condition) {
            (Some("everything"), None) => {
                standing.admin.get_or_insert_with(|| grant.because());
            }
            (Some("everything"), Some(_)) => {
                standing.admin_if.get_or_insert_with(|| grant.because());
            }
            (_, Some(_)) => {}
            (Some(_), None) => standing.parts.push((grant.place.clone(), grant.because())),
            (None, None) => {
                let service = grant
                    .role
                    .strip_prefix("roles/")
                    .and_then(|role| role.strip_suffix(".admin"));
                if let Some(service) = service {
                    let part = format!("{service} in {}", grant.place);
                    standing.parts.push((part, grant.because()));
                }
            }
        }
    }
    if standing.admin.is_some() {
        standing.parts.clear();
        standing.admin_if = None;
    }
    standing.parts.sort();
    standing.parts.dedup();
    standing.grants.sort();
    standing.grants.dedup();
    standing
}

/// The ways of a principal; each is drawn.
fn ways(ground: &Ground<'_>, key: &Key, grants: &[Grant<'_>], graph: &mut Graph) -> Vec<Ability> {
    let mut have: BTreeMap<&str, Vec<Have<'_>>> = BTreeMap::new();
    for grant in grants {
        for permission in ground.permissions(&grant.role) {
            have.entry(permission).or_default().push(Have {
                place: &grant.place,
                condition: grant.condition.as_deref(),
                because: grant.because(),
            });
        }
    }
    let mut abilities: Vec<Ability> = Vec::new();
    if have.is_empty() {
        return abilities;
    }
    for way in &catalogue().ways {
        for (place, conditions, because) in open(ground, way, &have) {
            let mut conditions: Vec<&str> = conditions.into_iter().collect();
            conditions.extend(way.condition.as_deref());
            let condition = (!conditions.is_empty()).then(|| conditions.join(", "));
            let nodes: Vec<Node> = match (way.gain, kind(place)) {
                (Gain::Nothing, _) | (_, "resource") => Vec::new(),
                (Gain::Policy, _) => vec![Node::Everything],
                (_, "account") => vec![Node::One(Key::from(&place["account/".len()..]))],
                (Gain::Accounts, _) => vec![Node::Pool(pool(place))],
                (Gain::Builder, _) => {
                    let hosts = way.builders.iter();
                    hosts
                        .map(|host| Node::Pool(builders(place, host)))
                        .collect()
                }
            };
            let mut targets = Vec::new();
            for node in nodes {
                if targets.len() < NAMED {
                    targets.extend(graph.members(&node, NAMED - targets.len()));
                }
                if node != Node::One(key.clone()) {
                    graph.step(Node::One(key.clone()), &way.id, node, condition.as_deref());
                }
            }
            targets.retain(|target| target != key);
            abilities.push(Ability {
                way: &way.id,
                right: way.permissions[0].clone(),
                scope: place.to_owned(),
                title: way.title.clone(),
                condition,
                targets,
                because,
            });
        }
    }
    abilities.sort();
    abilities.dedup_by(|a, b| a.way == b.way && a.scope == b.scope && a.condition == b.condition);
    abilities
}

/// Where a way is open: the place, what it depends on, the grants.
fn open<'g>(
    ground: &'g Ground<'_>,
    way: &Way,
    have: &BTreeMap<&str, Vec<Have<'g>>>,
) -> Vec<(&'g str, BTreeSet<&'g str>, String)> {
    let none = Vec::new();
    let (first, rest) = way.permissions.split_first().expect("tested");
    let mut found: Vec<(&str, BTreeSet<&str>, String)> = Vec::new();
    for one in have.get(first.as_str()).unwrap_or(&none) {
        let counts = way.places.is_empty() || way.places.iter().any(|own| own == kind(one.place));
        if !counts {
            continue;
        }
        let own: BTreeSet<&str> = one.condition.into_iter().collect();
        if rest.is_empty() {
            found.push((one.place, own, one.because.clone()));
            continue;
        }
        // What is deployed lies in a project, and everything that it needs is had there.
        let second = have.get(rest[0].as_str()).unwrap_or(&none);
        for at in second {
            let up = ground.places.up(at.place);
            let place = if up.contains(&one.place) {
                at.place
            } else if below(ground, one.place, at.place) {
                one.place
            } else {
                continue;
            };
            let mut conditions = own.clone();
            conditions.extend(at.condition);
            let mut because: BTreeSet<&str> = [one.because.as_str(), at.because.as_str()].into();
            let all = rest[1..].iter().all(|permission| {
                let others = have.get(permission.as_str()).unwrap_or(&none);
                let here = others.iter().filter(|other| up.contains(&other.place));
                match here.min_by_key(|other| other.condition.is_some()) {
                    None => false,
                    Some(other) => {
                        conditions.extend(other.condition);
                        because.insert(&other.because);
                        true
                    }
                }
            });
            if all {
                let because: Vec<&str> = because.into_iter().collect();
                found.push((place, conditions, because.join("; ")));
            }
        }
    }
    found
}

/// Whether a place lies below another; a service account lies in its project.
fn below(ground: &Ground<'_>, place: &str, above: &str) -> bool {
    let project = place.strip_prefix("account/").and_then(|mail| {
        let found = ground.identities.iter().find(|one| one.key.0 == mail);
        found.and_then(|one| one.account.as_deref())
    });
    match project {
        Some(project) => ground
            .places
            .up(&format!("project/{project}"))
            .contains(&above),
        None => ground.places.up(place).contains(&above),
    }
}
