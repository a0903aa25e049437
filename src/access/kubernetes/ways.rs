//! Tries each way for each principal, and draws the steps it gives.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{IdentityKind, Key};

use super::{
    MASTERS,
    catalogue::{Reach, Way, ways},
    cluster::{Cluster, Held, Place, name_of_account, short, space_of},
    plain,
    rule::{Names, Right, Rule, everything},
};
use crate::access::{
    reach::{Graph, Node},
    standing::{Ability, Standings},
};

/// So many identities that a right gives are named.
const NAMED: usize = 3;
/// The way of whoever changes what a node runs.
const PRIVILEGED: &str = "a privileged pod is admitted and takes over its node";
/// A signer whose certificates let users in.
const CLIENT_SIGNER: &str = "kubernetes.io/kube-apiserver-client";

/// A place, for as long as it is needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    Cluster,
    EverySpace,
    Space(String),
}

/// Rights that can be taken without becoming anybody: a role at a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    /// The rights of a role.
    Role(Key, Where),
    /// Every right there.
    Whole(Where),
}

impl Taken {
    /// The node that stands for it.
    fn node(&self, cluster: &str) -> Node {
        let (role, place) = match self {
            Taken::Role(role, place) => (role.0.as_str(), place),
            Taken::Whole(place) => ("every right", place),
        };
        let place = match place {
            Where::Cluster => "the cluster",
            Where::EverySpace => "every namespace",
            Where::Space(space) => space,
        };
        Node::Pool(format!("kubernetes:{cluster}: {role} in {place}"))
    }
}

/// A right as it holds somewhere.
#[derive(Clone)]
struct Here<'a> {
    names: Names<'a>,
    because: String,
}

/// Where a right holds.
#[derive(Default)]
struct Granted<'a> {
    cluster: Option<Here<'a>>,
    every: Option<Here<'a>>,
    spaces: BTreeMap<&'a str, Here<'a>>,
}

impl<'a> Granted<'a> {
    fn of(held: &[Held<'a>], right: &'static Right, verb: &'static str) -> Granted<'a> {
        let mut granted = Granted::default();
        for one in held {
            if one.place != Place::Cluster && right.is_of_the_cluster(verb) {
                continue;
            }
            for rule in one.rules {
                let Some(names) = rule.grants(right, verb) else {
                    continue;
                };
                let here = Here {
                    names,
                    because: one.because(&format!("{}:{verb}", shown(right))),
                };
                match one.place {
                    Place::Cluster => add(&mut granted.cluster, here),
                    Place::EverySpace => add(&mut granted.every, here),
                    Place::Space(space) => {
                        let mut known = granted.spaces.remove(space);
                        add(&mut known, here);
                        granted.spaces.extend(known.map(|known| (space, known)));
                    }
                }
            }
        }
        granted
    }

    fn join(&mut self, other: Granted<'a>) {
        for (known, more) in [
            (&mut self.cluster, other.cluster),
            (&mut self.every, other.every),
        ] {
            if let Some(more) = more {
                add(known, more);
            }
        }
        for (space, here) in other.spaces {
            let mut known = self.spaces.remove(space);
            add(&mut known, here);
            self.spaces.extend(known.map(|known| (space, known)));
        }
    }

    /// What holds in a namespace, from wherever.
    fn within(&self, space: &str) -> Option<&Here<'a>> {
        let wide = self.cluster.as_ref().or(self.every.as_ref());
        let wide_and_free = wide.filter(|here| here.names == Names::All);
        wide_and_free.or(self.spaces.get(space)).or(wide)
    }
}

fn add<'a>(known: &mut Option<Here<'a>>, here: Here<'a>) {
    *known = Some(match known.take() {
        None => here,
        Some(known) => Here {
            names: known.names.join(here.names),
            because: known.because,
        },
    });
}

fn shown(right: &Right) -> String {
    match &right.sub {
        Some(sub) => format!("{}/{sub}", right.resource),
        None => right.resource.clone(),
    }
}

/// One place where a way is open.
struct Open<'a> {
    place: Place<'a>,
    names: Names<'a>,
    because: String,
    right: &'static Right,
    name: String,
}

/// The whole of one cluster.
struct Drawing<'d, 'a> {
    cluster: &'d Cluster<'a>,
    graph: &'d mut Graph,
    open: Vec<Taken>,
    done: BTreeSet<Taken>,
}

/// Standings of every principal of the cluster, and the steps between them.
pub(super) fn draw(cluster: &Cluster<'_>, standings: &mut Standings, graph: &mut Graph) {
    pools(cluster, graph);
    let mut drawing = Drawing {
        cluster,
        graph,
        open: Vec::new(),
        done: BTreeSet::new(),
    };
    for (&key, &kind) in &cluster.principals {
        let groups = cluster.groups_of(key, kind);
        let held = cluster.held(key, &groups);
        let mut standing = plain(cluster, key, kind, &held);
        if standing.admin.is_some() {
            drawing.graph.admin(key, Vec::new());
        } else {
            let from = Node::One(key.clone());
            standing.abilities = drawing.ways(&from, &held);
        }
        standings.insert(key.clone(), standing);
    }
    drawing.taken();
}

/// Who can be meant by all, running, or with a token, in each namespace and in the cluster.
fn pools(cluster: &Cluster<'_>, graph: &mut Graph) {
    let mut add = |what: &str, key: &Key| {
        let Some(space) = space_of(key) else { return };
        graph.member(&pool(cluster, what, Some(space)), Node::One(key.clone()));
        graph.member(&pool(cluster, what, None), Node::One(key.clone()));
    };
    let with_token: BTreeSet<&Key> = cluster.tokens.iter().map(|(account, _)| *account).collect();
    for (&key, &kind) in &cluster.principals {
        if kind != IdentityKind::ServiceAccount {
            continue;
        }
        add("accounts", key);
        if cluster.running.contains(key) {
            add("running", key);
        }
        if with_token.contains(key) {
            add("tokens", key);
        }
    }
}

fn pool(cluster: &Cluster<'_>, what: &str, space: Option<&str>) -> String {
    match space {
        Some(space) => format!("kubernetes:{}/{what}/{space}", cluster.name),
        None => format!("kubernetes:{}/{what}", cluster.name),
    }
}

impl Drawing<'_, '_> {
    /// Draws what roles give that somebody can take, and what those give …
    fn taken(&mut self) {
        let whole = [everything()];
        let nobody = BTreeSet::new();
        while let Some(taken) = self.open.pop() {
            if !self.done.insert(taken.clone()) {
                continue;
            }
            let cluster = self.cluster;
            let every = Key::from("every right");
            let (role, place, rules) = match &taken {
                Taken::Role(role, place) => (role, place, cluster.rules(role)),
                Taken::Whole(place) => (&every, place, Some(&whole[..])),
            };
            let Some(rules) = rules else { continue };
            let held = [Held {
                binding: role,
                binding_name: "",
                role,
                rules,
                place: match place {
                    Where::Cluster => Place::Cluster,
                    Where::EverySpace => Place::EverySpace,
                    Where::Space(space) => Place::Space(space),
                },
                via: None,
                subjects: &nobody,
            }];
            let from = taken.node(cluster.name);
            if *place == Where::Cluster && rules.iter().any(Rule::is_everything) {
                self.graph.step(from, "", Node::Everything, None);
            } else {
                self.edges_only(&from, &held);
            }
        }
    }

    fn edges_only(&mut self, from: &Node, held: &[Held<'_>]) {
        for way in ways() {
            for open in opened(way, held) {
                let targets = self.targets(way, &open, held);
                for (node, condition) in targets {
                    self.graph
                        .step(from.clone(), &way.id, node, condition.as_deref());
                }
            }
        }
    }

    /// The ways of a principal; each is drawn.
    fn ways(&mut self, from: &Node, held: &[Held<'_>]) -> Vec<Ability> {
        let mut abilities: Vec<Ability> = Vec::new();
        for way in ways() {
            for open in opened(way, held) {
                let targets = self.targets(way, &open, held);
                let mut names: Vec<Key> = Vec::new();
                for (node, condition) in &targets {
                    if Some(node) != Some(from) {
                        self.graph
                            .step(from.clone(), &way.id, node.clone(), condition.as_deref());
                    }
                    if names.len() < NAMED {
                        names.extend(self.graph.members(node, NAMED - names.len()));
                    }
                }
                let scope = match open.place {
                    Place::Space(space) => space.to_owned(),
                    Place::Cluster | Place::EverySpace => "cluster".to_owned(),
                };
                let known = abilities
                    .iter()
                    .any(|one| one.right == open.name && one.scope == scope && one.way == way.id);
                if !known {
                    abilities.push(Ability {
                        way: &way.id,
                        right: open.name,
                        scope,
                        title: way.title.clone(),
                        condition: self.condition(way),
                        targets: names,
                        because: open.because,
                    });
                }
            }
        }
        abilities.sort();
        abilities
    }

    fn condition(&self, way: &Way) -> Option<String> {
        // In EKS the map of users is known to be there.
        let settled = way.object.is_some() && self.cluster.is_eks;
        way.condition.clone().filter(|_| !settled)
    }

    /// What a way gives at a place.
    fn targets(
        &mut self,
        way: &Way,
        open: &Open<'_>,
        held: &[Held<'_>],
    ) -> Vec<(Node, Option<String>)> {
        let condition = self.condition(way);
        let space = match open.place {
            Place::Space(space) => Some(space),
            Place::Cluster | Place::EverySpace => None,
        };
        let mut nodes: Vec<(Node, Option<String>)> = Vec::new();
        match way.reach {
            Reach::Nothing => {}
            Reach::Everything => {
                let all = self.everything(open, held);
                nodes.extend(all.into_iter().map(|node| (node, condition.clone())));
            }
            Reach::Accounts => {
                let named = match &open.names {
                    Names::Only(names) if open.right.resource == "serviceaccounts" => Some(names),
                    _ => None,
                };
                match named {
                    None => nodes.push((self.pool("accounts", space), condition)),
                    Some(names) => {
                        let accounts = self.cluster.principals.keys().filter(|key| {
                            let of = space_of(key);
                            of.is_some()
                                && space.is_none_or(|space| of == Some(space))
                                && names.contains(name_of_account(key))
                        });
                        nodes.extend(
                            accounts.map(|&key| (Node::One(key.clone()), condition.clone())),
                        );
                    }
                }
                if open.right.sub.is_none()
                    && open.right.resource != "serviceaccounts"
                    && way.all.is_empty()
                {
                    nodes.push((self.pool("running", None), Some(PRIVILEGED.to_owned())));
                }
            }
            Reach::Running if self.cluster.has_pods => {
                nodes.push((self.pool("running", space), condition));
            }
            Reach::Running => {
                let unseen = condition.unwrap_or_else(|| "a pod runs as it".to_owned());
                nodes.push((self.pool("accounts", space), Some(unseen)));
            }
            Reach::Tokens => match &open.names {
                Names::All => nodes.push((self.pool("tokens", space), condition)),
                Names::Only(names) => {
                    let tokens = self.cluster.tokens.iter().filter(|(account, secret)| {
                        let name = secret.0.rsplit('/').next().unwrap_or_default();
                        names.contains(name)
                            && space.is_none_or(|space| space_of(account) == Some(space))
                    });
                    nodes.extend(
                        tokens.map(|(key, _)| (Node::One((*key).clone()), condition.clone())),
                    );
                }
            },
            Reach::Roles => {
                let roles: Vec<Key> = self
                    .cluster
                    .roles_in(space)
                    .filter(|role| open.names.holds(name_of_account(role)))
                    .cloned()
                    .collect();
                for role in roles {
                    let rest = short(&role.0).strip_prefix("role/").unwrap_or_default();
                    let own = rest.split('/').next().unwrap_or_default().to_owned();
                    let node = self.take(Taken::Role(role, Where::Space(own)));
                    nodes.push((node, condition.clone()));
                }
            }
            Reach::Space => {
                let place = match space {
                    Some(space) => Where::Space(space.to_owned()),
                    None => Where::EverySpace,
                };
                match &open.names {
                    Names::All => nodes.push((self.take(Taken::Whole(place)), condition)),
                    Names::Only(names) => {
                        for name in names {
                            let kind = match open.right.resource.as_str() {
                                "clusterroles" => "clusterrole".to_owned(),
                                _ => format!("role/{}", space.unwrap_or_default()),
                            };
                            let role = self.cluster.key(&kind, name);
                            let taken = Taken::Role(role, place.clone());
                            nodes.push((self.take(taken), condition.clone()));
                        }
                    }
                }
            }
        }
        nodes
    }

    /// What gives every right, as far as its objects are not narrowed.
    fn everything(&mut self, open: &Open<'_>, held: &[Held<'_>]) -> Vec<Node> {
        let Names::Only(names) = &open.names else {
            return vec![Node::Everything];
        };
        let verb = open.right.verbs.first().map(String::as_str);
        match (open.right.resource.as_str(), verb) {
            ("users", _) => {
                let user = |name: &&str| match name
                    .strip_prefix("system:serviceaccount:")
                    .and_then(|rest| rest.split_once(':'))
                {
                    Some((space, name)) => self
                        .cluster
                        .key("serviceaccount", &format!("{space}/{name}")),
                    None => self.cluster.key("user", name),
                };
                names.iter().map(user).map(Node::One).collect()
            }
            ("groups", _) if names.contains(MASTERS) => vec![Node::Everything],
            ("groups", _) => names
                .iter()
                .map(|name| Node::One(self.cluster.key("group", name)))
                .collect(),
            ("clusterroles", Some("bind")) => {
                let roles: Vec<Key> = names
                    .iter()
                    .map(|name| self.cluster.key("clusterrole", name))
                    .collect();
                roles
                    .into_iter()
                    .map(|role| self.take(Taken::Role(role, Where::Cluster)))
                    .collect()
            }
            // Only what it has in the whole cluster itself gives it more.
            ("clusterroles", _) => {
                let own = held.iter().any(|one| {
                    one.place == Place::Cluster && names.contains(name_of_account(one.role))
                });
                own.then_some(Node::Everything).into_iter().collect()
            }
            ("signers", _) => {
                let lets_in = names
                    .iter()
                    .any(|name| matches!(*name, CLIENT_SIGNER | "kubernetes.io/*"));
                lets_in.then_some(Node::Everything).into_iter().collect()
            }
            _ => vec![Node::Everything],
        }
    }

    fn pool(&self, what: &str, space: Option<&str>) -> Node {
        Node::Pool(pool(self.cluster, what, space))
    }

    fn take(&mut self, taken: Taken) -> Node {
        let node = taken.node(self.cluster.name);
        if !self.done.contains(&taken) {
            self.open.push(taken);
        }
        node
    }
}

/// The places where a way is open.
fn opened<'x>(way: &'static Way, held: &[Held<'x>]) -> Vec<Open<'x>> {
    let mut all: Vec<Open<'x>> = Vec::new();
    for right in &way.any {
        for verb in &right.verbs {
            for (place, here) in places(way, &Granted::of(held, right, verb)) {
                let name = match (&way.name, &right.sub) {
                    (Some(name), _) => name.clone(),
                    (None, Some(sub)) => format!("{}.{sub}", right.resource),
                    (None, None) => format!("{}.{verb}", right.resource),
                };
                all.push(Open {
                    place,
                    names: here.names,
                    because: here.because,
                    right,
                    name,
                });
            }
        }
    }
    if !way.all.is_empty() {
        let granted: Vec<Granted<'x>> = way
            .all
            .iter()
            .map(|right| {
                let mut sum = Granted::default();
                for verb in &right.verbs {
                    sum.join(Granted::of(held, right, verb));
                }
                sum
            })
            .collect();
        all.extend(together(way, &granted));
    }
    all
}

/// Where every right of a way holds at once. What narrows the way is what narrows its last right
/// that says of which objects it is.
fn together<'x>(way: &'static Way, granted: &[Granted<'x>]) -> Vec<Open<'x>> {
    let mut spaces: BTreeSet<&str> = BTreeSet::new();
    for one in granted {
        spaces.extend(one.spaces.keys());
    }
    let open = |place: Place<'x>, found: Vec<&Here<'x>>| {
        let narrows = |at: &usize| !way.all[*at].resource.ends_with("bindings");
        let at = (0..found.len()).rev().find(narrows).unwrap_or(0);
        let because: BTreeSet<&str> = found.iter().map(|here| here.because.as_str()).collect();
        Open {
            place,
            names: found[at].names.clone(),
            because: because.into_iter().collect::<Vec<_>>().join("; "),
            right: &way.all[at],
            name: way.name.clone().unwrap_or_default(),
        }
    };
    let wide = |of: fn(&Granted<'x>) -> Option<Here<'x>>| -> Option<Vec<Here<'x>>> {
        granted.iter().map(of).collect()
    };
    let mut all = Vec::new();
    if let Some(found) = wide(|one| one.cluster.clone()) {
        all.push(open(Place::Cluster, found.iter().collect()));
        return all;
    }
    if way.cluster {
        return all;
    }
    if let Some(found) = wide(|one| one.cluster.clone().or_else(|| one.every.clone())) {
        all.push(open(Place::EverySpace, found.iter().collect()));
        return all;
    }
    for space in spaces {
        let found: Option<Vec<&Here<'x>>> = granted.iter().map(|one| one.within(space)).collect();
        if let Some(found) = found {
            all.push(open(Place::Space(space), found));
        }
    }
    all
}

/// Where a single right holds and counts for a way.
fn places<'x>(way: &Way, granted: &Granted<'x>) -> Vec<(Place<'x>, Here<'x>)> {
    let mut all: Vec<(Place<'x>, Here<'x>)> = Vec::new();
    let counts = |here: &Here<'_>| {
        way.object
            .as_deref()
            .is_none_or(|name| here.names.holds(name))
    };
    if let Some(space) = way.space.as_deref() {
        let found = granted.spaces.get_key_value(space);
        let found = found.map(|(space, here)| (Place::Space(space), here.clone()));
        let wide = granted.cluster.clone().map(|here| (Place::Cluster, here));
        let every = granted.every.clone().map(|here| (Place::EverySpace, here));
        let mut here: Vec<_> = [wide, every, found].into_iter().flatten().collect();
        here.retain(|(_, here)| counts(here));
        here.truncate(1);
        for (_, here) in &mut here {
            here.names = Names::All;
        }
        return here;
    }
    let wide = granted.cluster.clone().map(|here| (Place::Cluster, here));
    let free = wide
        .as_ref()
        .is_some_and(|(_, here)| here.names == Names::All);
    all.extend(wide);
    if way.cluster {
        return all;
    }
    all.extend(granted.every.clone().map(|here| (Place::EverySpace, here)));
    if !free {
        let spaces = granted.spaces.iter();
        all.extend(spaces.map(|(space, here)| (Place::Space(space), here.clone())));
    }
    all
}
