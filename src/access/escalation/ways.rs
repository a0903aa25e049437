//! Which ways one principal has. Every question is put by effect: the actions on what they must
//! hit, after every Deny and limit.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use keymuster_api::{IdentityKind, Key};

use super::{
    ask::{Granted, Lens, Weight, somewhere},
    catalogue::{Catalogue, Gain, Path, Target, catalogue},
    world::{Class, Hit, Hits, Principal, World, is_customers, is_immutable},
};
use crate::access::{
    condition::{Context, Layers, Tri},
    evaluate::Decision,
    glob::Glob,
    holdings::{Bundle, Signature},
    privileges,
    trust::{self, Named},
};

/// Actions and what each was asked on.
type Asked = Vec<(u16, Arc<str>)>;

/// A way that a principal has.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Its number in the catalogue.
    pub(super) path: u16,
    pub(super) tri: Tri,
    pub(super) conditions: Vec<String>,
    /// What it hits, where that is known.
    pub(super) hits: Hits,
    /// Whether it ends in every right by itself.
    pub(super) everything: Tri,
    /// Actions and what they were asked on: the evidence can be asked for again.
    pub(super) asked: Asked,
}

/// What principals with the same policies have in common.
#[derive(Default)]
struct Shared {
    hits: BTreeMap<(u16, Class), Hits>,
    somewhere: BTreeMap<Vec<(u16, String)>, (Weight, Asked)>,
    passed: BTreeMap<u16, Hits>,
    leaves: Option<Decision>,
}

pub(super) struct Finder<'w, 'a> {
    world: &'w World<'a>,
    catalogue: &'static Catalogue,
    shared: RefCell<BTreeMap<Signature, Arc<RefCell<Shared>>>>,
    group_admin: RefCell<BTreeMap<u32, Decision>>,
    assume: u16,
    pass: u16,
}

/// One principal, with what was already looked up for it.
struct Asker<'f, 'w, 'a> {
    finder: &'f Finder<'w, 'a>,
    number: u32,
    principal: &'w Principal<'a>,
    lenses: RefCell<BTreeMap<u16, Arc<Lens<'w>>>>,
    shared: Arc<RefCell<Shared>>,
    assumable: RefCell<Option<Hits>>,
    administrator: String,
}

impl<'w, 'a> Finder<'w, 'a> {
    pub(super) fn new(world: &'w World<'a>) -> Finder<'w, 'a> {
        let catalogue = catalogue();
        Finder {
            world,
            catalogue,
            shared: RefCell::default(),
            group_admin: RefCell::default(),
            assume: catalogue.action("sts:AssumeRole").unwrap_or_default(),
            pass: catalogue.action("iam:PassRole").unwrap_or_default(),
        }
    }

    /// The ways of one principal.
    pub(super) fn ways(&self, number: u32) -> Vec<Found> {
        let principal = self.world.principal(number);
        let bundle = principal.bundle;
        let allowed = self
            .world
            .sets
            .allowed(self.world.documents, &bundle.identity);
        let named = self.world.naming(principal.key);
        if allowed.is_empty() && named.is_empty() {
            return Vec::new();
        }
        let shared = if bundle.depends_on_context {
            Arc::default()
        } else {
            self.shared
                .borrow_mut()
                .entry(bundle.signature())
                .or_default()
                .clone()
        };
        let asker = Asker {
            finder: self,
            number,
            principal,
            lenses: RefCell::default(),
            shared,
            assumable: RefCell::default(),
            administrator: format!(
                "arn:{}:iam::aws:policy/AdministratorAccess",
                bundle.partition
            ),
        };
        let mut found = Vec::new();
        for (ix, path) in (0..).zip(&self.catalogue.paths) {
            let may = path
                .actions
                .iter()
                .all(|&action| allowed.contains(action) || action == self.assume);
            let who = match path.who.as_deref() {
                Some("user") => bundle.kind == IdentityKind::User,
                Some("role") => bundle.kind == IdentityKind::Role,
                _ => true,
            };
            if may && who {
                found.extend(asker.way(ix, path));
            }
        }
        found
    }
}

impl<'w> Asker<'_, 'w, '_> {
    fn bundle(&self) -> &'w Bundle {
        self.principal.bundle
    }

    fn lens(&self, action: u16) -> Arc<Lens<'w>> {
        self.lenses
            .borrow_mut()
            .entry(action)
            .or_insert_with(|| {
                let world = self.finder.world;
                Arc::new(Lens::new(
                    &world.sets,
                    world.documents,
                    self.bundle(),
                    action,
                ))
            })
            .clone()
    }

    /// What is known of a request for this way, apart from the principal.
    fn request(&self, path: Option<&Path>, service: Option<&str>, target: Option<u32>) -> Context {
        let mut context = Context::new();
        if let Some(service) = service {
            context = context.with("iam:PassedToService", &[service]);
        }
        if let Some(path) = path {
            let attaches = path.actions.iter().any(|&action| {
                self.finder.catalogue.actions[usize::from(action)]
                    .name
                    .starts_with("iam:Attach")
            });
            if attaches {
                context = context.with("iam:PolicyARN", &[&self.administrator]);
            }
            if path.target == Target::NewRole {
                context = context.without("iam:PermissionsBoundary");
            }
        }
        if let Some(target) = target {
            let target = self.finder.world.principal(target);
            context = context
                .with("aws:ResourceAccount", &[&target.bundle.account])
                .without("aws:ResourceTag/")
                .without("iam:ResourceTag/");
            for (name, value) in target.tags {
                context = context
                    .with(&format!("aws:ResourceTag/{name}"), &[value])
                    .with(&format!("iam:ResourceTag/{name}"), &[value]);
            }
        }
        context
    }

    fn weigh(
        &self,
        granted: Granted,
        action: u16,
        path: Option<&Path>,
        service: Option<&str>,
        resource: &str,
        target: Option<u32>,
    ) -> Weight {
        let lens = self.lens(action);
        if lens.blanket && granted == Granted::ByIdentity {
            return Weight::yes();
        }
        if !self.bundle().depends_on_context {
            return lens.weigh(granted, resource, &Context::new());
        }
        let request = self.request(path, service, target);
        lens.weigh(granted, resource, &Layers(&request, &self.bundle().context))
    }

    /// Those of a class on which an action is allowed.
    fn hits(&self, action: u16, class: &Class, path: Option<&Path>) -> Hits {
        let key = (action, class.clone());
        let plain = !self.bundle().depends_on_context;
        if plain && let Some(hits) = self.shared.borrow().hits.get(&key) {
            return hits.clone();
        }
        let world = self.finder.world;
        let all = world.class(&self.bundle().account, class);
        let lens = self.lens(action);
        let hits = if lens.blanket {
            all
        } else {
            let service = match class {
                Class::ForService(service, _) => Some(service.as_str()),
                _ => None,
            };
            let ask = |hit: &Hit| {
                let key = &world.principal(hit.ix).key.0;
                let weight = self.weigh(
                    Granted::ByIdentity,
                    action,
                    path,
                    service,
                    key,
                    Some(hit.ix),
                );
                let weight = weight.and(&Weight {
                    tri: hit.tri,
                    conditions: hit.conditions.clone(),
                });
                (weight.tri != Tri::No).then_some(Hit {
                    ix: hit.ix,
                    tri: weight.tri,
                    conditions: weight.conditions,
                })
            };
            let some: Vec<Hit> = match lens.named() {
                Some(names) => {
                    let numbers: BTreeSet<u32> =
                        names.iter().filter_map(|name| world.number(name)).collect();
                    numbers
                        .into_iter()
                        .filter_map(|ix| {
                            let at = all.binary_search_by_key(&ix, |hit| hit.ix).ok()?;
                            ask(&all[at])
                        })
                        .collect()
                }
                None => all.iter().filter_map(ask).collect(),
            };
            Arc::new(some)
        };
        if plain {
            self.shared.borrow_mut().hits.insert(key, hits.clone());
        }
        hits
    }

    /// Whether all of these actions are allowed on things of their kinds; the same thing, where
    /// the kind is the same.
    fn somewhere(&self, path: &Path, actions: &[u16]) -> (Weight, Asked) {
        let bundle = self.bundle();
        let mut groups: BTreeMap<String, Vec<u16>> = BTreeMap::new();
        for &action in actions {
            let template = self.finder.catalogue.actions[usize::from(action)]
                .resource
                .as_deref()
                .unwrap_or("*");
            let template = template
                .replacen("arn:P:", &format!("arn:{}:", bundle.partition), 1)
                .replacen(":A:", &format!(":{}:", bundle.account), 1);
            groups.entry(template).or_default().push(action);
        }
        let key: Vec<(u16, String)> = groups
            .iter()
            .flat_map(|(template, actions)| actions.iter().map(|&a| (a, template.clone())))
            .collect();
        let plain = !bundle.depends_on_context;
        if plain && let Some(known) = self.shared.borrow().somewhere.get(&key) {
            return known.clone();
        }
        let request = self.request(Some(path), None, None);
        let context = Layers(&request, &bundle.context);
        let mut sum = Weight::yes();
        let mut asked = Vec::new();
        for (template, actions) in &groups {
            let lenses: Vec<Arc<Lens<'_>>> = actions.iter().map(|&a| self.lens(a)).collect();
            let (weight, resource) = somewhere(&lenses, template, &context);
            sum = sum.and(&weight);
            if sum.tri == Tri::No {
                break;
            }
            let resource: Arc<str> = resource.into();
            asked.extend(actions.iter().map(|&action| (action, resource.clone())));
        }
        let answer = (sum, asked);
        if plain {
            self.shared
                .borrow_mut()
                .somewhere
                .insert(key, answer.clone());
        }
        answer
    }

    /// Roles that it may become.
    fn assumable(&self) -> Hits {
        if let Some(hits) = self.assumable.borrow().as_ref() {
            return hits.clone();
        }
        let world = self.finder.world;
        let assume = self.finder.assume;
        let mut found: BTreeMap<u32, Hit> = BTreeMap::new();
        let mut candidates: BTreeMap<u32, Option<Weight>> = world
            .naming(self.principal.key)
            .into_iter()
            .map(|ix| (ix, None))
            .collect();
        for hit in self.hits(assume, &Class::Delegating, None).iter() {
            let weight = Weight {
                tri: hit.tri,
                conditions: hit.conditions.clone(),
            };
            candidates.insert(hit.ix, Some(weight));
        }
        for (ix, delegated) in candidates {
            if ix == self.number {
                continue;
            }
            let role = world.principal(ix);
            let Some(document) = role.trust.map(|at| &world.documents[at as usize]) else {
                continue;
            };
            let verdict = trust::admits(
                document,
                "sts:AssumeRole",
                &self.principal.key.0,
                &self.bundle().account,
                &self.principal.context,
            );
            let foreign = role.bundle.account != self.bundle().account;
            let own = match (verdict.named, foreign) {
                (Named::No, _) => continue,
                (Named::Itself, false) => self.weigh(
                    Granted::ByResource,
                    assume,
                    None,
                    None,
                    &role.key.0,
                    Some(ix),
                ),
                // Another account's principal also needs the right from its own.
                _ => delegated.unwrap_or_else(|| {
                    self.weigh(
                        Granted::ByIdentity,
                        assume,
                        None,
                        None,
                        &role.key.0,
                        Some(ix),
                    )
                }),
            };
            let weight = own.and(&Weight {
                tri: verdict.tri,
                conditions: verdict.conditions,
            });
            if weight.tri != Tri::No {
                found.insert(
                    ix,
                    Hit {
                        ix,
                        tri: weight.tri,
                        conditions: weight.conditions,
                    },
                );
            }
        }
        let hits: Hits = Arc::new(found.into_values().collect());
        *self.assumable.borrow_mut() = Some(hits.clone());
        hits
    }

    fn others(&self, path: &Path, special: &[u16]) -> Vec<u16> {
        let others = path.actions.iter().copied();
        others.filter(|action| !special.contains(action)).collect()
    }

    fn way(&self, ix: u16, path: &Path) -> Option<Found> {
        let mut found = match path.target {
            Target::PassedRole => self.passed_role(ix, path),
            Target::Resource => self.resource(ix, path),
            Target::Own => self.own(ix, path),
            Target::OwnGroup => self.own_group(ix, path),
            Target::OwnPolicy => self.own_policy(ix, path),
            Target::User | Target::Role => self.other(ix, path),
            Target::RolePolicy => self.role_policy(ix, path),
            Target::Group => self.group(ix, path),
            Target::NewRole => self.new_role(ix, path),
            Target::Anything => {
                let (weight, asked) = self.somewhere(path, &path.actions);
                self.plain(ix, weight, asked, Tri::Yes)
            }
        }?;
        found.conditions.sort();
        found.conditions.dedup();
        Some(found)
    }

    fn plain(&self, path: u16, weight: Weight, asked: Asked, everything: Tri) -> Option<Found> {
        (weight.tri != Tri::No).then(|| Found {
            path,
            tri: weight.tri,
            conditions: weight.conditions,
            hits: Arc::default(),
            everything,
            asked,
        })
    }

    /// A way that is as sure as the surest of what it hits.
    fn through(&self, path: u16, base: &Weight, hits: Hits, asked: Asked) -> Option<Found> {
        let others = || hits.iter().filter(|hit| hit.ix != self.number);
        let best = others().max_by(|a, b| a.tri.cmp(&b.tri).then(b.ix.cmp(&a.ix)))?;
        let weight = base.clone().and(&Weight {
            tri: best.tri,
            conditions: best.conditions.clone(),
        });
        let key: Arc<str> = self.finder.world.principal(best.ix).key.0.as_str().into();
        let mut asked = asked;
        for (_, resource) in &mut asked {
            if resource.is_empty() {
                *resource = key.clone();
            }
        }
        (weight.tri != Tri::No).then(|| Found {
            path,
            tri: weight.tri,
            conditions: weight.conditions,
            hits: hits.clone(),
            everything: Tri::No,
            asked,
        })
    }

    fn passed_role(&self, ix: u16, path: &Path) -> Option<Found> {
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

    fn resource(&self, ix: u16, path: &Path) -> Option<Found> {
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

    fn own(&self, ix: u16, path: &Path) -> Option<Found> {
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

    fn own_group(&self, ix: u16, path: &Path) -> Option<Found> {
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

    fn own_policy(&self, ix: u16, path: &Path) -> Option<Found> {
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
    fn other(&self, ix: u16, path: &Path) -> Option<Found> {
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

    fn role_policy(&self, ix: u16, path: &Path) -> Option<Found> {
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

    fn group(&self, ix: u16, path: &Path) -> Option<Found> {
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

    fn new_role(&self, ix: u16, path: &Path) -> Option<Found> {
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

fn tri(decision: Decision) -> Tri {
    match decision {
        Decision::Allowed => Tri::Yes,
        Decision::Conditional => Tri::Unknown,
        Decision::NotAllowed => Tri::No,
    }
}

/// What two lists have in common.
fn both(one: &Hits, other: &Hits) -> Hits {
    let mut all = Vec::new();
    let mut rest = other.iter().peekable();
    for hit in one.iter() {
        while rest.next_if(|next| next.ix < hit.ix).is_some() {}
        if let Some(next) = rest.peek()
            && next.ix == hit.ix
        {
            let weight = Weight {
                tri: hit.tri,
                conditions: hit.conditions.clone(),
            }
            .and(&Weight {
                tri: next.tri,
                conditions: next.conditions.clone(),
            });
            all.push(Hit {
                ix: hit.ix,
                tri: weight.tri,
                conditions: weight.conditions,
            });
        }
    }
    Arc::new(all)
}
