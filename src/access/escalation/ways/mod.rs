//! Which ways one principal has; `targets` tries each kind of target. Every question is put by effect: the actions on what they must
//! hit, after every Deny and limit.

mod circumstances;
mod targets;

use std::{
    cell::{OnceCell, RefCell},
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::Arc,
};

use keymuster_api::IdentityKind;

use super::{
    ask::{Granted, Lens, LensKey, Weight, somewhere},
    catalogue::{Catalogue, Path, Target, catalogue},
    world::{Class, Hit, Hits, Principal, World},
};
use crate::access::{
    condition::{Context, Layers, Tri},
    evaluate::Decision,
    holdings::{Bundle, Signature},
    trust::{self, Named},
};
use circumstances::Circumstances;

/// Actions and what each was asked on.
type Asked = Vec<(u16, Arc<str>)>;

/// A way that a principal has.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Its number in the catalogue.
    pub(super) path: u16,
    pub(super) tri: Tri,
    pub(super) conditions: Vec<String>,
    /// What it hits, where that is known: a list that many share, by number.
    pub(super) hits: Hits,
    /// What it hits besides, of its own; by number.
    pub(super) more: Hits,
    /// Whether it ends in every right by itself.
    pub(super) everything: Tri,
    /// Actions and what they were asked on: the evidence can be asked for again.
    pub(super) asked: Asked,
}

impl Found {
    /// Everything it hits; what stands in both lists comes twice.
    pub(super) fn all(&self) -> impl Iterator<Item = &Hit> {
        self.hits.iter().chain(self.more.iter())
    }
}

/// What principals with the same policies have in common.
#[derive(Default)]
struct Shared {
    leaves: Option<Decision>,
}

/// Of which way, and seen through which lenses, a list is.
type OfLenses = (u16, u32, Vec<Arc<LensKey>>);

/// Of which action, account and class a list is.
type OfClass = (Arc<LensKey>, u32, Class);

/// For which kind of thing and which lenses a resource was looked for.
type OfKind = (Arc<str>, Vec<Arc<LensKey>>);

/// What is known of the things that run as a role, for one way in one account: each with the
/// actions that mean it.
type Meant = Rc<Vec<(usize, Vec<u16>)>>;

/// Answers that do not depend on the request are given once for all principals whose policies
/// say the same about an action, by what their lenses share.
pub(super) struct Finder<'w, 'a> {
    world: &'w World<'a>,
    catalogue: &'static Catalogue,
    shared: RefCell<BTreeMap<Signature, Rc<RefCell<Shared>>>>,
    group_admin: RefCell<BTreeMap<u32, Decision>>,
    leaves: RefCell<BTreeMap<u32, Decision>>,
    hits: RefCell<HashMap<OfClass, Hits>>,
    somewhere: RefCell<HashMap<OfKind, (Weight, Arc<str>)>>,
    of_lenses: RefCell<HashMap<OfLenses, Hits>>,
    both: RefCell<HashMap<(usize, usize), [Hits; 3]>>,
    meant: RefCell<BTreeMap<(u16, u32), Meant>>,
    templates: RefCell<BTreeMap<u32, Rc<Vec<Arc<str>>>>>,
    empty: Hits,
    assume: u16,
    pass: u16,
}

/// One principal, with what was already looked up for it.
struct Asker<'f, 'w, 'a> {
    finder: &'f Finder<'w, 'a>,
    number: u32,
    principal: &'w Principal<'a>,
    lenses: RefCell<BTreeMap<u16, Rc<Lens<'w>>>>,
    shared: Rc<RefCell<Shared>>,
    assumable: OnceCell<(Hits, Hits)>,
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
            leaves: RefCell::default(),
            hits: RefCell::default(),
            somewhere: RefCell::default(),
            of_lenses: RefCell::default(),
            both: RefCell::default(),
            meant: RefCell::default(),
            templates: RefCell::default(),
            empty: Hits::default(),
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
            Rc::default()
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
            assumable: OnceCell::new(),
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

    fn lens(&self, action: u16) -> Rc<Lens<'w>> {
        self.lenses
            .borrow_mut()
            .entry(action)
            .or_insert_with(|| {
                let world = self.finder.world;
                Rc::new(Lens::new(
                    &world.sets,
                    world.documents,
                    self.bundle(),
                    action,
                ))
            })
            .clone()
    }

    fn circumstances(&self, path: Option<&Path>) -> Circumstances<'_> {
        path.map_or_else(Circumstances::default, |path| {
            Circumstances::of(path, self.finder.catalogue, &self.administrator)
        })
    }

    fn weigh(
        &self,
        granted: Granted,
        action: u16,
        path: Option<&Path>,
        resource: &str,
        target: Option<u32>,
    ) -> Weight {
        let lens = self.lens(action);
        if lens.blanket && granted == Granted::ByIdentity {
            return Weight::yes();
        }
        if lens.key.is_some() {
            return lens.weigh(granted, resource, &Context::new());
        }
        let about = Circumstances {
            target: target.map(|target| self.finder.world.principal(target)),
            ..self.circumstances(path)
        };
        lens.weigh(granted, resource, &Layers(&about, &self.bundle().context))
    }

    /// Those of a class on which an action is allowed.
    fn hits(&self, action: u16, class: &Class, path: Option<&Path>) -> Hits {
        let finder = self.finder;
        let world = finder.world;
        let home = self.principal.home;
        let lens = self.lens(action);
        if lens.blanket {
            return world.class(home, class);
        }
        let key = lens.key.clone().map(|key| (key, home, class.clone()));
        if let Some(key) = &key
            && let Some(hits) = finder.hits.borrow().get(key)
        {
            return hits.clone();
        }
        let all = world.class(home, class);
        let about = Circumstances {
            service: match class {
                Class::ForService(service, _) => Some(service),
                _ => None,
            },
            ..self.circumstances(path)
        };
        let nothing = Context::new();
        let ask = |hit: &Hit| {
            let target = world.principal(hit.ix);
            let weight = if key.is_some() {
                lens.weigh(Granted::ByIdentity, &target.key.0, &nothing)
            } else {
                let about = Circumstances {
                    target: Some(target),
                    ..about
                };
                let context = Layers(&about, &self.bundle().context);
                lens.weigh(Granted::ByIdentity, &target.key.0, &context)
            };
            if weight.tri == Tri::No {
                return None;
            }
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
        let hits: Vec<Hit> = match lens.beginnings() {
            Some(texts) => world.beginning_with(&all, &texts).filter_map(ask).collect(),
            None => all.iter().filter_map(ask).collect(),
        };
        let hits = if hits.is_empty() {
            finder.empty.clone()
        } else {
            Arc::new(hits)
        };
        if let Some(key) = key {
            finder.hits.borrow_mut().insert(key, hits.clone());
        }
        hits
    }

    /// What the actions of the catalogue act on in this account.
    fn templates(&self) -> Rc<Vec<Arc<str>>> {
        let bundle = self.bundle();
        let mut known = self.finder.templates.borrow_mut();
        let templates = known.entry(self.principal.home).or_insert_with(|| {
            let actions = self.finder.catalogue.actions.iter();
            let filled = actions.map(|action| {
                let template = action.resource.as_deref().unwrap_or("*");
                let template = template
                    .replacen("arn:P:", &format!("arn:{}:", bundle.partition), 1)
                    .replacen(":A:", &format!(":{}:", bundle.account), 1);
                template.into()
            });
            Rc::new(filled.collect())
        });
        templates.clone()
    }

    /// The keys of lenses, if no answer of any depends on the request.
    fn lens_keys(&self, actions: &[u16]) -> Option<Vec<Arc<LensKey>>> {
        let keys = actions.iter().map(|&action| self.lens(action).key.clone());
        keys.collect()
    }

    /// Whether all of these actions are allowed on things of their kinds; the same thing, where
    /// the kind is the same.
    fn somewhere(&self, path: &Path, actions: &[u16]) -> (Weight, Asked) {
        let templates = self.templates();
        let mut groups: BTreeMap<&Arc<str>, Vec<u16>> = BTreeMap::new();
        for &action in actions {
            let template = &templates[usize::from(action)];
            groups.entry(template).or_default().push(action);
        }
        let about = self.circumstances(Some(path));
        let context = Layers(&about, &self.bundle().context);
        let mut sum = Weight::yes();
        let mut asked = Vec::new();
        for (template, actions) in groups {
            let key = self
                .lens_keys(&actions)
                .map(|keys| (template.clone(), keys));
            let known = key
                .as_ref()
                .and_then(|key| self.finder.somewhere.borrow().get(key).cloned());
            let (weight, resource) = known.unwrap_or_else(|| {
                let lenses: Vec<Rc<Lens<'_>>> = actions.iter().map(|&a| self.lens(a)).collect();
                let (weight, resource) = somewhere(&lenses, template, &context);
                (weight, resource.into())
            });
            if let Some(key) = key {
                let answer = (weight.clone(), resource.clone());
                self.finder.somewhere.borrow_mut().insert(key, answer);
            }
            sum = sum.and(&weight);
            if sum.tri == Tri::No {
                break;
            }
            asked.extend(actions.iter().map(|&action| (action, resource.clone())));
        }
        (sum, asked)
    }

    /// Roles that it may become: those that many may, and those that are its own.
    fn assumable(&self) -> &(Hits, Hits) {
        self.assumable.get_or_init(|| {
            let shared = self.hits(self.finder.assume, &Class::Delegating, None);
            let own = self.named_by_roles(&shared);
            (shared, own)
        })
    }

    /// Roles that name it itself, or leave it to its account under conditions, and are not among
    /// these, or less surely.
    fn named_by_roles(&self, shared: &Hits) -> Hits {
        let world = self.finder.world;
        let assume = self.finder.assume;
        let mut found: BTreeMap<u32, Hit> = BTreeMap::new();
        let mut candidates: BTreeMap<u32, Option<Weight>> = world
            .naming(self.principal.key)
            .into_iter()
            .map(|ix| (ix, None))
            .collect();
        for hit in self.hits(assume, &Class::DelegatingIf, None).iter() {
            let weight = Weight {
                tri: hit.tri,
                conditions: hit.conditions.clone(),
            };
            candidates.insert(hit.ix, Some(weight));
        }
        if candidates.is_empty() {
            return self.finder.empty.clone();
        }
        let context = world.context(self.number);
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
                &context,
            );
            let foreign = role.bundle.account != self.bundle().account;
            let own = match (verdict.named, foreign) {
                (Named::No, _) => continue,
                (Named::Itself, false) => {
                    self.weigh(Granted::ByResource, assume, None, &role.key.0, Some(ix))
                }
                // Another account's principal also needs the right from its own.
                _ => delegated.unwrap_or_else(|| {
                    self.weigh(Granted::ByIdentity, assume, None, &role.key.0, Some(ix))
                }),
            };
            let weight = own.and(&Weight {
                tri: verdict.tri,
                conditions: verdict.conditions,
            });
            let known = shared.binary_search_by_key(&ix, |hit| hit.ix);
            if known.is_ok_and(|at| shared[at].tri >= weight.tri) {
                continue;
            }
            if weight.tri != Tri::No {
                let hit = Hit {
                    ix,
                    tri: weight.tri,
                    conditions: weight.conditions,
                };
                found.insert(ix, hit);
            }
        }
        if found.is_empty() {
            return self.finder.empty.clone();
        }
        Arc::new(found.into_values().collect())
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
            hits: self.finder.empty.clone(),
            more: self.finder.empty.clone(),
            everything,
            asked,
        })
    }

    /// A way that is as sure as the surest of what it hits.
    fn through(&self, path: u16, base: &Weight, hits: [Hits; 2], asked: Asked) -> Option<Found> {
        let best = hits
            .iter()
            .filter_map(|hits| surest(hits, self.number))
            .max_by(|a, b| a.tri.cmp(&b.tri).then(b.ix.cmp(&a.ix)))?;
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
        let [hits, more] = hits;
        (weight.tri != Tri::No).then_some(Found {
            path,
            tri: weight.tri,
            conditions: weight.conditions,
            hits,
            more,
            everything: Tri::No,
            asked,
        })
    }
}

/// The surest of a list but for one, the first of equals.
fn surest(hits: &[Hit], but: u32) -> Option<&Hit> {
    let others = || hits.iter().filter(|hit| hit.ix != but);
    let certain = others().find(|hit| hit.tri == Tri::Yes);
    certain.or_else(|| others().max_by(|a, b| a.tri.cmp(&b.tri).then(b.ix.cmp(&a.ix))))
}

fn tri(decision: Decision) -> Tri {
    match decision {
        Decision::Allowed => Tri::Yes,
        Decision::Conditional => Tri::Unknown,
        Decision::NotAllowed => Tri::No,
    }
}

impl Finder<'_, '_> {
    /// What two lists have in common. Lists that many share are compared once.
    fn both(&self, one: &Hits, other: &Hits) -> Hits {
        if Arc::ptr_eq(one, other) {
            return one.clone();
        }
        if one.is_empty() || other.is_empty() {
            return self.empty.clone();
        }
        let key = (Arc::as_ptr(one) as usize, Arc::as_ptr(other) as usize);
        // The lists are kept with the answer, so that no other comes to lie where they lay.
        let mut known = self.both.borrow_mut();
        let lists = known
            .entry(key)
            .or_insert_with(|| [one.clone(), other.clone(), both(one, other)]);
        lists[2].clone()
    }
}

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
