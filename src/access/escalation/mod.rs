//! Ways to more rights, and where they lead: which of the known ways each principal has, and
//! whether some chain of them ends at an administrator.
//!
//! Modules in reading order: `catalogue` holds the known ways, `world` everybody they can hit,
//! `ask` puts questions cheaply with resources that `witness` makes, `ways` tries each way for
//! one principal, `closure` follows them.

mod ask;
mod catalogue;
mod closure;
#[cfg(test)]
mod tests;
mod ways;
mod witness;
mod world;

use std::{collections::BTreeMap, sync::Arc};

use keymuster_api::{IdentityKind, Key};

use super::{
    AccessFacts,
    condition::{Context, Tri},
    holdings::Bundle,
    policy::Document,
    privileges::Privilege,
};
use ask::Sets;
use catalogue::catalogue;
use ways::{Finder, Found};
pub(super) use world::version_of;
use world::{Hit, World};

/// So many targets of a way are named; the rest is counted.
const NAMED_TARGETS: usize = 3;

/// A way that a principal has to more rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Its id in the catalogue: `lambda-001`.
    pub id: &'static str,
    /// What it is, in words.
    pub title: &'static str,
    /// Whether it is open without a condition that is not known.
    pub certain: bool,
    /// What it depends on, if not certain; sorted.
    pub conditions: Vec<String>,
    /// Some of what it leads to, surest first; empty where nothing known is hit.
    pub targets: Vec<Key>,
    /// How many it leads to.
    pub target_count: u32,
    service: Option<&'static str>,
    asked: Vec<(u16, Arc<str>)>,
}

impl Way {
    /// The requests that must be allowed: action, resource, what is known besides.
    pub(super) fn questions(&self, principal: &Key) -> Vec<(&'static str, String, Context)> {
        let partition = principal.0.split(':').nth(1).unwrap_or("aws");
        self.asked
            .iter()
            .map(|(action, resource)| {
                let name = catalogue().actions[usize::from(*action)].name.as_str();
                let mut context = Context::new();
                if name.starts_with("iam:Attach") {
                    let administrator =
                        format!("arn:{partition}:iam::aws:policy/AdministratorAccess");
                    context = context.with("iam:PolicyARN", &[&administrator]);
                }
                if let (Some(service), "iam:PassRole") = (self.service, name) {
                    context = context.with("iam:PassedToService", &[service]);
                }
                (name, resource.to_string(), context)
            })
            .collect()
    }
}

/// One step on the way to an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Who takes it.
    pub from: Key,
    /// The way's id.
    pub way: &'static str,
    /// Whose rights it gives; `None` where it gives every right by itself.
    pub to: Option<Key>,
}

/// How a principal gets at more rights.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Escalation {
    /// The ways it has itself, by id. Empty for administrators.
    pub ways: Vec<Way>,
    /// The steps to an administrator, if there are certain ones; empty for administrators.
    pub reaches: Option<Vec<Hop>>,
    /// The steps to an administrator where a condition stands before one of them.
    pub reaches_if: Option<Vec<Hop>>,
}

/// What the ways are looked for in.
pub(super) struct Ground<'g, 'a> {
    pub(super) facts: &'g AccessFacts<'a>,
    pub(super) documents: &'g [Document],
    pub(super) policies: &'g [Key],
    pub(super) of_policy: &'g [u32],
    pub(super) bundles: &'g BTreeMap<Key, Bundle>,
    pub(super) trusts: &'g BTreeMap<&'a Key, u32>,
    pub(super) privileges: &'g BTreeMap<Key, Privilege>,
}

/// The ways of all principals.
pub(super) fn of_all(ground: &Ground<'_, '_>) -> BTreeMap<Key, Escalation> {
    let catalogue = catalogue();
    let sets = Sets::new(catalogue, ground.documents);
    let world = World::new(
        ground.facts,
        ground.documents,
        ground.policies,
        ground.of_policy,
        ground.bundles,
        ground.trusts,
        sets,
    );
    let finder = Finder::new(&world);
    let mut found: Vec<Vec<Found>> = Vec::with_capacity(world.principals.len());
    let mut admins: Vec<Tri> = Vec::with_capacity(world.principals.len());
    for (number, principal) in (0..).zip(&world.principals) {
        let privilege = ground.privileges.get(principal.key);
        let admin = match privilege {
            Some(privilege) if privilege.admin.is_some() => Tri::Yes,
            Some(privilege) if privilege.conditional.is_some() => Tri::Unknown,
            _ => Tri::No,
        };
        admins.push(admin);
        found.push(
            if admin == Tri::Yes || principal.bundle.kind == IdentityKind::Group {
                Vec::new()
            } else {
                finder.ways(number)
            },
        );
    }
    let certain = closure::close(&admins, &found, Tri::Yes);
    let possible = closure::close(&admins, &found, Tri::Unknown);
    let chain = |reached: &[Option<closure::Step>], number: u32| {
        let mut hops = Vec::new();
        let mut at = number;
        while let Some(closure::Step::By { path, to }) = &reached[at as usize] {
            hops.push(Hop {
                from: world.principal(at).key.clone(),
                way: &catalogue.paths[usize::from(*path)].id,
                to: to.map(|to| world.principal(to).key.clone()),
            });
            match to {
                Some(to) => at = *to,
                None => break,
            }
        }
        hops
    };
    let mut all = BTreeMap::new();
    for (number, principal) in (0u32..).zip(&world.principals) {
        let ix = number as usize;
        if principal.bundle.kind == IdentityKind::Group {
            continue;
        }
        let mut ways: Vec<Way> = found[ix]
            .iter()
            .map(|one| way(&world, number, one))
            .collect();
        ways.sort_by(|a, b| a.id.cmp(b.id));
        let reaches = certain[ix].is_some().then(|| chain(&certain, number));
        let reaches_if =
            (reaches.is_none() && possible[ix].is_some()).then(|| chain(&possible, number));
        all.insert(
            principal.key.clone(),
            Escalation {
                ways,
                reaches,
                reaches_if,
            },
        );
    }
    all
}

fn way(world: &World<'_>, number: u32, found: &Found) -> Way {
    let path = &catalogue().paths[usize::from(found.path)];
    let mut targets: Vec<Key> = Vec::new();
    for tri in [Tri::Yes, Tri::Unknown] {
        let some = found
            .all()
            .filter(|hit| hit.tri == tri && hit.ix != number)
            .map(|hit| world.principal(hit.ix).key);
        for key in some {
            if targets.len() == NAMED_TARGETS {
                break;
            }
            if !targets.contains(key) {
                targets.push(key.clone());
            }
        }
    }
    let holds = |list: &[Hit], ix: u32| list.binary_search_by_key(&ix, |hit| hit.ix).is_ok();
    let twice = found.more.iter().filter(|hit| holds(&found.hits, hit.ix));
    let itself = holds(&found.hits, number) || holds(&found.more, number);
    let count = found.hits.len() + found.more.len() - twice.count() - usize::from(itself);
    Way {
        id: &path.id,
        title: &path.title,
        certain: found.tri == Tri::Yes,
        conditions: found.conditions.clone(),
        targets,
        target_count: count as u32,
        service: path.services.first().map(String::as_str),
        asked: found.asked.clone(),
    }
}
