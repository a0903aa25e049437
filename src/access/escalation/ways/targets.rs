//! One question for each kind of thing that a way can hit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use keymuster_api::Key;

use super::{
    super::{
        ask::{Granted, Lens, Weight, somewhere},
        catalogue::{Gain, Path, Target},
        world::{Class, Hit, Hits, is_customers, is_immutable},
    },
    Asked, Asker, Found, both, tri,
};
use crate::access::{
    condition::{Layers, Tri},
    glob::Glob,
    privileges,
};

impl<'w> Asker<'_, 'w, '_> {
    pub(super) fn passed_role(&self, ix: u16, path: &Path) -> Option<Found> {
        let pass = self.finder.pass;
        let (base, mut asked) = self.somewhere(path, &self.others(path, &[pass]));
        if base.tri == Tri::No {
            return None;
        }
        let plain = !self.bundle().depends_on_context;
        let known = plain
            .then(|| self.shared.borrow().passed.get(&ix).cloned())
            .flatten();
        let hits = match known {
            Some(known) => known,
            None => {
                let mut all: BTreeMap<u32, Hit> = BTreeMap::new();
                let mut single = None;
                for service in &path.services {
                    let class = Class::ForService(service.clone(), path.profile);
                    let hits = self.hits(pass, &class, None);
                    if path.services.len() == 1 {
                        single = Some(hits);
                        break;
                    }
                    for hit in hits.iter() {
                        let entry = all.entry(hit.ix).or_insert_with(|| hit.clone());
                        if hit.tri > entry.tri {
                            *entry = hit.clone();
                        }
                    }
                }
                let hits = single.unwrap_or_else(|| Arc::new(all.into_values().collect()));
                if plain {
                    self.shared.borrow_mut().passed.insert(ix, hits.clone());
                }
                hits
            }
        };
        asked.insert(0, (pass, "".into()));
        self.through(ix, &base, hits, asked)
    }

    pub(super) fn resource(&self, ix: u16, path: &Path) -> Option<Found> {
        let (weight, asked) = self.somewhere(path, &path.actions);
        if weight.tri == Tri::No {
            return None;
        }
        let world = self.finder.world;
        let mut hits: BTreeMap<u32, Hit> = BTreeMap::new();
        for running in world.running(&self.bundle().account) {
            let mut meant = false;
            let mut sum = weight.clone();
            for &action in &path.actions {
                let template = self.finder.catalogue.actions[usize::from(action)]
                    .resource
                    .as_deref()
                    .unwrap_or("*");
                let template = template
                    .replacen("arn:P:", &format!("arn:{}:", self.bundle().partition), 1)
                    .replacen(":A:", &format!(":{}:", self.bundle().account), 1);
                if template != "*" && Glob::new(&template).matches(running.by) {
                    meant = true;
                    // A request for a single thing is surer than one for any: tags are not known.
                    sum = sum.and(&self.weigh(
                        Granted::ByIdentity,
                        action,
                        Some(path),
                        None,
                        running.by,
                        None,
                    ));
                }
            }
            if meant && sum.tri != Tri::No && running.role != self.number {
                let hit = Hit {
                    ix: running.role,
                    tri: sum.tri,
                    conditions: sum.conditions,
                };
                let entry = hits.entry(running.role).or_insert_with(|| hit.clone());
                if hit.tri > entry.tri {
                    *entry = hit;
                }
            }
        }
        let mut found = self.plain(ix, weight, asked, Tri::No)?;
        found.hits = Arc::new(hits.into_values().collect());
        Some(found)
    }

    /// Whether the limits of a principal leave it every right.
    fn leaves_everything(&self, number: u32) -> Tri {
        let world = self.finder.world;
        let bundle = world.principal(number).bundle;
        if number == self.number {
            if let Some(known) = self.shared.borrow().leaves {
                return tri(known);
            }
            let decision = privileges::leaves_everything(world.documents, world.policies, bundle);
            self.shared.borrow_mut().leaves = Some(decision);
            return tri(decision);
        }
        tri(privileges::leaves_everything(
            world.documents,
            world.policies,
            bundle,
        ))
    }

    fn all_on(&self, path: &Path, actions: &[u16], resource: &str, target: Option<u32>) -> Weight {
        actions.iter().fold(Weight::yes(), |sum, &action| {
            sum.and(&self.weigh(
                Granted::ByIdentity,
                action,
                Some(path),
                None,
                resource,
                target,
            ))
        })
    }

    fn asked_on(actions: &[u16], resource: &str) -> Asked {
        let resource: Arc<str> = resource.into();
        actions.iter().map(|&a| (a, resource.clone())).collect()
    }

    pub(super) fn own(&self, ix: u16, path: &Path) -> Option<Found> {
        if is_immutable(self.principal.key) {
            return None;
        }
        if path.gain == Gain::Unbound && self.bundle().boundaries.is_empty() {
            return None;
        }
        let key = &self.principal.key.0;
        let weight = self.all_on(path, &path.actions, key, Some(self.number));
        if weight.tri == Tri::No {
            return None;
        }
        let everything = match path.gain {
            Gain::Unbound => self.unbound(self.number),
            _ => self.leaves_everything(self.number),
        };
        self.plain(ix, weight, Self::asked_on(&path.actions, key), everything)
    }

    /// Whether a principal is an administrator but for its boundary.
    fn unbound(&self, number: u32) -> Tri {
        let world = self.finder.world;
        let mut bundle = world.principal(number).bundle.clone();
        bundle.boundaries.clear();
        tri(privileges::administers(
            world.documents,
            world.policies,
            &bundle,
        ))
    }

    pub(super) fn own_group(&self, ix: u16, path: &Path) -> Option<Found> {
        let mut best: Option<Found> = None;
        for group in &self.bundle().groups {
            let target = self.finder.world.number(&group.0);
            let weight = self.all_on(path, &path.actions, &group.0, target);
            if best.as_ref().is_none_or(|best| weight.tri > best.tri) {
                let asked = Self::asked_on(&path.actions, &group.0);
                if let Some(found) = self.plain(ix, weight, asked, Tri::No) {
                    best = Some(found);
                }
            }
        }
        let mut best = best?;
        best.everything = self.leaves_everything(self.number);
        Some(best)
    }

    /// Policies of customers that are attached to it or to its groups.
    fn own_policies(&self) -> impl Iterator<Item = &'w Key> {
        let world = self.finder.world;
        let held = self.bundle().identity.iter();
        held.map(move |held| &world.policies[held.policy as usize])
            .filter(|key| is_customers(key))
    }

    pub(super) fn own_policy(&self, ix: u16, path: &Path) -> Option<Found> {
        let mut best: Option<Found> = None;
        for policy in self.own_policies() {
            let versions = self.finder.world.versions.get(policy.0.as_str());
            if path.gain == Gain::Version && versions.is_none() {
                continue;
            }
            let weight = self.all_on(path, &path.actions, &policy.0, None);
            if weight.tri == Tri::No || best.as_ref().is_some_and(|best| weight.tri <= best.tri) {
                continue;
            }
            let everything = match path.gain {
                Gain::Version => self.with_version(policy, versions.map_or(&[], Vec::as_slice)),
                _ => self.leaves_everything(self.number),
            };
            best = self.plain(
                ix,
                weight,
                Self::asked_on(&path.actions, &policy.0),
                everything,
            );
        }
        best
    }

    /// Whether another version of a policy makes it an administrator.
    fn with_version(&self, policy: &Key, versions: &[u32]) -> Tri {
        let world = self.finder.world;
        let ask = |&version: &u32| {
            let mut bundle = self.bundle().clone();
            for held in &mut bundle.identity {
                if world.policies[held.policy as usize] == *policy {
                    held.document = version;
                }
            }
            tri(privileges::administers(
                world.documents,
                world.policies,
                &bundle,
            ))
        };
        versions.iter().map(ask).max().unwrap_or(Tri::No)
    }

    /// Another user or role that all actions hit.
    pub(super) fn other(&self, ix: u16, path: &Path) -> Option<Found> {
        let assume = self.finder.assume;
        let class = if path.target == Target::User {
            Class::Users(path.only)
        } else {
            Class::Roles
        };
        let others = self.others(path, &[assume]);
        let needs_trust = path.actions.contains(&assume);
        let changes_trust = others.iter().any(|&action| {
            self.finder.catalogue.actions[usize::from(action)].name == "iam:UpdateAssumeRolePolicy"
        });
        let mut hits: Option<Hits> = None;
        for &action in &others {
            let next = self.hits(action, &class, Some(path));
            hits = Some(match hits {
                None => next,
                Some(hits) if Arc::ptr_eq(&hits, &next) => hits,
                Some(hits) => both(&hits, &next),
            });
        }
        if needs_trust {
            // Who may write the trust policy may write itself into it.
            let next = if changes_trust {
                self.hits(assume, &class, Some(path))
            } else {
                self.assumable()
            };
            hits = Some(match hits {
                None => next,
                Some(hits) => both(&hits, &next),
            });
        }
        let hits = hits?;
        let hits = if path.gain == Gain::Unbound {
            let world = self.finder.world;
            Arc::new(
                hits.iter()
                    .filter(|hit| !world.principal(hit.ix).bundle.boundaries.is_empty())
                    .cloned()
                    .collect(),
            )
        } else {
            hits
        };
        let asked = path.actions.iter().map(|&a| (a, "".into())).collect();
        let mut found = self.through(ix, &Weight::yes(), hits, asked)?;
        found.everything = self.best_gain(path, &found.hits);
        Some(found)
    }

    /// The surest of those that end in every right.
    fn best_gain(&self, path: &Path, hits: &Hits) -> Tri {
        if !matches!(path.gain, Gain::Everything | Gain::Unbound) {
            return Tri::No;
        }
        let mut best = Tri::No;
        // What is asked of a few is nearly always true of the first.
        for hit in hits.iter().filter(|hit| hit.ix != self.number).take(1_000) {
            let gain = match path.gain {
                Gain::Unbound => self.unbound(hit.ix),
                _ => self.leaves_everything(hit.ix),
            };
            best = best.max(gain.min(hit.tri));
            if best == Tri::Yes {
                break;
            }
        }
        best
    }

    pub(super) fn role_policy(&self, ix: u16, path: &Path) -> Option<Found> {
        let world = self.finder.world;
        let assume = self.finder.assume;
        let version = self.finder.catalogue.action("iam:CreatePolicyVersion")?;
        let roles = if path.actions.contains(&assume) {
            self.assumable()
        } else {
            let trust = self.finder.catalogue.action("iam:UpdateAssumeRolePolicy")?;
            self.hits(trust, &Class::Roles, Some(path))
        };
        if roles.is_empty() {
            return None;
        }
        let mut hits: BTreeMap<u32, (Hit, &Key)> = BTreeMap::new();
        for (policy, attached) in &world.customer {
            let mut weight = None;
            for role in attached {
                let Ok(at) = roles.binary_search_by_key(role, |hit| hit.ix) else {
                    continue;
                };
                let weight: &Weight = weight.get_or_insert_with(|| {
                    self.weigh(
                        Granted::ByIdentity,
                        version,
                        Some(path),
                        None,
                        &policy.0,
                        None,
                    )
                });
                let sum = weight.clone().and(&Weight {
                    tri: roles[at].tri,
                    conditions: roles[at].conditions.clone(),
                });
                if sum.tri != Tri::No && hits.get(role).is_none_or(|(hit, _)| sum.tri > hit.tri) {
                    let hit = Hit {
                        ix: *role,
                        tri: sum.tri,
                        conditions: sum.conditions,
                    };
                    hits.insert(*role, (hit, policy));
                }
            }
        }
        let (_, policy) = hits.values().max_by_key(|(hit, _)| hit.tri)?;
        let mut asked: Asked = vec![(version, policy.0.as_str().into())];
        asked.extend(
            self.others(path, &[version])
                .into_iter()
                .map(|a| (a, "".into())),
        );
        let hits = Arc::new(hits.into_values().map(|(hit, _)| hit).collect());
        let mut found = self.through(ix, &Weight::yes(), hits, asked)?;
        found.everything = self.best_gain(path, &found.hits);
        Some(found)
    }

    pub(super) fn group(&self, ix: u16, path: &Path) -> Option<Found> {
        let world = self.finder.world;
        let all = self.hits(*path.actions.first()?, &Class::Groups, Some(path));
        let own: BTreeSet<u32> = self
            .bundle()
            .groups
            .iter()
            .filter_map(|group| world.number(&group.0))
            .collect();
        let hits: Hits = if own.is_empty() {
            all
        } else {
            Arc::new(
                all.iter()
                    .filter(|hit| !own.contains(&hit.ix))
                    .cloned()
                    .collect(),
            )
        };
        let asked = path.actions.iter().map(|&a| (a, "".into())).collect();
        let mut found = self.through(ix, &Weight::yes(), hits, asked)?;
        let best = found
            .hits
            .iter()
            .map(|hit| hit.tri.min(self.group_administers(hit.ix)))
            .max()
            .unwrap_or(Tri::No);
        found.everything = best.min(self.leaves_everything(self.number));
        Some(found)
    }

    fn group_administers(&self, number: u32) -> Tri {
        let world = self.finder.world;
        let decision = *self
            .finder
            .group_admin
            .borrow_mut()
            .entry(number)
            .or_insert_with(|| {
                let bundle = world.principal(number).bundle;
                privileges::administers(world.documents, world.policies, bundle)
            });
        tri(decision)
    }

    pub(super) fn new_role(&self, ix: u16, path: &Path) -> Option<Found> {
        let bundle = self.bundle();
        let template = format!("arn:{}:iam::{}:role/?*", bundle.partition, bundle.account);
        let request = self.request(Some(path), None, None);
        let context = Layers(&request, &bundle.context);
        let lenses: Vec<Arc<Lens<'_>>> = path.actions.iter().map(|&a| self.lens(a)).collect();
        let (weight, resource) = somewhere(&lenses, &template, &context);
        self.plain(
            ix,
            weight,
            Self::asked_on(&path.actions, &resource),
            Tri::Yes,
        )
    }
}
