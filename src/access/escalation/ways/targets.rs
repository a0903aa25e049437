//! One question for each kind of thing that a way can hit.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use keymuster_api::Key;

use super::{
    super::{
        ask::{Granted, Lens, Weight, somewhere},
        catalogue::{Gain, Path, Target},
        world::{Class, Hit, Hits, is_customers, is_immutable},
    },
    Asked, Asker, Found, Meant, both, tri,
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
        let hits = self.for_services(ix, path, pass);
        asked.insert(0, (pass, "".into()));
        self.through(ix, &base, [hits, self.finder.empty.clone()], asked)
    }

    /// Roles that an action may be done to for one of the services of a way.
    fn for_services(&self, ix: u16, path: &Path, action: u16) -> Hits {
        let class = |service: &String| Class::ForService(service.clone(), path.profile);
        if let [service] = path.services.as_slice() {
            return self.hits(action, &class(service), None);
        }
        self.once(ix, &[action], || {
            let mut all: BTreeMap<u32, Hit> = BTreeMap::new();
            for service in &path.services {
                for hit in self.hits(action, &class(service), None).iter() {
                    let entry = all.entry(hit.ix).or_insert_with(|| hit.clone());
                    if hit.tri > entry.tri {
                        *entry = hit.clone();
                    }
                }
            }
            all.into_values().collect()
        })
    }

    /// A list that is the same for all principals whose policies say the same about actions.
    fn once(&self, ix: u16, actions: &[u16], make: impl FnOnce() -> Vec<Hit>) -> Hits {
        let keys = self.lens_keys(actions);
        let key = keys.map(|keys| (ix, self.principal.home, keys));
        if let Some(key) = &key
            && let Some(known) = self.finder.of_lenses.borrow().get(key)
        {
            return known.clone();
        }
        let hits = Arc::new(make());
        if let Some(key) = key {
            self.finder.of_lenses.borrow_mut().insert(key, hits.clone());
        }
        hits
    }

    /// What runs as a role in this account and is meant by an action of a way.
    fn meant(&self, ix: u16, path: &Path) -> Meant {
        let mut known = self.finder.meant.borrow_mut();
        let meant = known.entry((ix, self.principal.home)).or_insert_with(|| {
            let templates = self.templates();
            let globs: Vec<(u16, Glob)> = path
                .actions
                .iter()
                .map(|&action| (action, &templates[usize::from(action)]))
                .filter(|(_, template)| &***template != "*")
                .map(|(action, template)| (action, Glob::new(template)))
                .collect();
            let running = self.finder.world.running(&self.bundle().account);
            let meant = running.iter().enumerate().filter_map(|(at, running)| {
                let hit = globs.iter().filter(|(_, glob)| glob.matches(running.by));
                let actions: Vec<u16> = hit.map(|(action, _)| *action).collect();
                (!actions.is_empty()).then_some((at, actions))
            });
            Meant::new(meant.collect())
        });
        meant.clone()
    }

    pub(super) fn resource(&self, ix: u16, path: &Path) -> Option<Found> {
        let (weight, asked) = self.somewhere(path, &path.actions);
        if weight.tri == Tri::No {
            return None;
        }
        let hits = self.once(ix, &path.actions, || self.runs_as(ix, path, &weight));
        let mut found = self.plain(ix, weight, asked, Tri::No)?;
        found.hits = hits;
        Some(found)
    }

    /// Roles as which something runs that a way hits. Where it may also be made to run as another
    /// role, without anybody passing that, all roles that its service is trusted with.
    fn runs_as(&self, ix: u16, path: &Path, weight: &Weight) -> Vec<Hit> {
        let world = self.finder.world;
        let running = world.running(&self.bundle().account);
        let mut hits: BTreeMap<u32, Hit> = BTreeMap::new();
        let mut best = Weight::no();
        let mut add = |hit: Hit| match hits.get_mut(&hit.ix) {
            Some(known) if known.tri >= hit.tri => {}
            _ => {
                hits.insert(hit.ix, hit);
            }
        };
        for (at, actions) in self.meant(ix, path).iter() {
            let running = &running[*at];
            // A request for a single thing is surer than one for any: tags are not known.
            let sum = actions.iter().fold(weight.clone(), |sum, &action| {
                sum.and(&self.weigh(Granted::ByIdentity, action, Some(path), running.by, None))
            });
            if sum.tri == Tri::No {
                continue;
            }
            if sum.tri > best.tri {
                best = sum.clone();
            }
            add(Hit {
                ix: running.role,
                tri: sum.tri,
                conditions: sum.conditions,
            });
        }
        if best.tri > Tri::No {
            for service in &path.services {
                let class = Class::ForService(service.clone(), path.profile);
                for hit in world.class(self.principal.home, &class).iter() {
                    let sum = best.clone().and(&Weight {
                        tri: hit.tri,
                        conditions: hit.conditions.clone(),
                    });
                    add(Hit {
                        ix: hit.ix,
                        tri: sum.tri,
                        conditions: sum.conditions,
                    });
                }
            }
        }
        hits.into_values().collect()
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
        let mut known = self.finder.leaves.borrow_mut();
        let decision = known.entry(number).or_insert_with(|| {
            privileges::leaves_everything(world.documents, world.policies, bundle)
        });
        tri(*decision)
    }

    fn all_on(&self, path: &Path, actions: &[u16], resource: &str, target: Option<u32>) -> Weight {
        actions.iter().fold(Weight::yes(), |sum, &action| {
            sum.and(&self.weigh(Granted::ByIdentity, action, Some(path), resource, target))
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
        let finder = self.finder;
        let mut hits: Option<Hits> = None;
        for &action in &others {
            let next = self.hits(action, &class, Some(path));
            hits = Some(match hits {
                None => next,
                Some(hits) => finder.both(&hits, &next),
            });
        }
        let mut lists = [hits.clone(), None];
        if needs_trust && changes_trust {
            // Who may write the trust policy may write itself into it.
            let next = self.hits(assume, &class, Some(path));
            lists[0] = hits.map(|hits| finder.both(&hits, &next));
        } else if needs_trust {
            let (shared, own) = self.assumable();
            lists = [shared, own].map(|next| {
                Some(match &hits {
                    None => next.clone(),
                    // Its own is never shared, and small.
                    Some(hits) if Arc::ptr_eq(next, own) && !own.is_empty() => both(hits, next),
                    Some(hits) => finder.both(hits, next),
                })
            });
        }
        let mut lists = lists.map(|list| list.unwrap_or_else(|| finder.empty.clone()));
        if path.gain == Gain::Unbound {
            let bound = |hit: &&Hit| !finder.world.principal(hit.ix).bundle.boundaries.is_empty();
            lists = lists.map(|list| Arc::new(list.iter().filter(bound).cloned().collect()));
        }
        let asked = path.actions.iter().map(|&a| (a, "".into())).collect();
        let mut found = self.through(ix, &Weight::yes(), lists, asked)?;
        found.everything = self.best_gain(path, &found);
        Some(found)
    }

    /// The surest of those that end in every right.
    fn best_gain(&self, path: &Path, found: &Found) -> Tri {
        if !matches!(path.gain, Gain::Everything | Gain::Unbound) {
            return Tri::No;
        }
        let mut best = Tri::No;
        // What is asked of a few is nearly always true of the first.
        let others = found.all().filter(|hit| hit.ix != self.number);
        for hit in others.take(1_000) {
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
        let empty = &self.finder.empty;
        let roles = if path.actions.contains(&assume) {
            self.assumable().clone()
        } else {
            let trust = self.finder.catalogue.action("iam:UpdateAssumeRolePolicy")?;
            (self.hits(trust, &Class::Roles, Some(path)), empty.clone())
        };
        let role = |ix: u32| {
            let lists = [&roles.0, &roles.1].into_iter();
            let hits = lists.filter_map(|list| {
                let at = list.binary_search_by_key(&ix, |hit| hit.ix).ok()?;
                Some(&list[at])
            });
            hits.max_by_key(|hit| hit.tri)
        };
        if roles.0.is_empty() && roles.1.is_empty() {
            return None;
        }
        let beginnings = self.lens(version).beginnings();
        let mut hits: BTreeMap<u32, (Hit, &Key)> = BTreeMap::new();
        for (policy, attached) in world.customers_policies(self.bundle(), beginnings.as_deref()) {
            let mut weight = None;
            for &number in attached.iter().filter(|&&number| number != self.number) {
                let Some(hit) = role(number) else {
                    continue;
                };
                let weight: &Weight = weight.get_or_insert_with(|| {
                    self.weigh(Granted::ByIdentity, version, Some(path), &policy.0, None)
                });
                let sum = weight.clone().and(&Weight {
                    tri: hit.tri,
                    conditions: hit.conditions.clone(),
                });
                let known = hits.get(&number);
                if sum.tri != Tri::No && known.is_none_or(|(hit, _)| sum.tri > hit.tri) {
                    let hit = Hit {
                        ix: number,
                        tri: sum.tri,
                        conditions: sum.conditions,
                    };
                    hits.insert(number, (hit, policy));
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
        let mut found = self.through(ix, &Weight::yes(), [hits, empty.clone()], asked)?;
        found.everything = self.best_gain(path, &found);
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
        let lists = [hits, self.finder.empty.clone()];
        let mut found = self.through(ix, &Weight::yes(), lists, asked)?;
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
        let about = self.circumstances(Some(path));
        let context = Layers(&about, &bundle.context);
        let lenses: Vec<Rc<Lens<'_>>> = path.actions.iter().map(|&a| self.lens(a)).collect();
        let (weight, resource) = somewhere(&lenses, &template, &context);
        self.plain(
            ix,
            weight,
            Self::asked_on(&path.actions, &resource),
            Tri::Yes,
        )
    }
}
