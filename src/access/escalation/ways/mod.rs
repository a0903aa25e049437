//! Which ways one principal has; `targets` tries each kind of target. Every question is put by effect: the actions on what they must
//! hit, after every Deny and limit.

mod targets;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use keymuster_api::IdentityKind;

use super::{
    ask::{Granted, Lens, Weight, somewhere},
    catalogue::{Catalogue, Path, Target, catalogue},
    world::{Class, Hit, Hits, Principal, World},
};
use crate::access::{
    condition::{Context, Layers, Tri},
    evaluate::Decision,
    holdings::{Bundle, Signature},
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
