//! Who gets to an administrator by steps from one identity to the next, within a system and from
//! one to another.
//!
//! Identities that many can become in one way (all service accounts of a namespace) are a pool, so
//! that a graph has as many edges as there are grants and members, and not one for each pair.

use std::collections::{BTreeMap, VecDeque};

use keymuster_api::Key;

use super::standing::{Standings, Step};

/// Something with rights: an identity, a pool of them, or every right there is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    /// An identity, or a role that can be taken.
    One(Key),
    /// Whoever is meant by a name: `kubernetes:prod/accounts/payments`.
    Pool(String),
    /// Every right of a system.
    Everything,
}

#[derive(Debug)]
struct Edge {
    from: u32,
    to: u32,
    way: String,
    condition: Option<String>,
}

/// Steps between identities.
#[derive(Debug, Default)]
pub(super) struct Graph {
    numbers: BTreeMap<Node, u32>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// Administrators, and how they are ones of other systems: their own steps.
    admins: BTreeMap<u32, Vec<Step>>,
    /// Administrators under a condition.
    maybe: BTreeMap<u32, Vec<Step>>,
    /// The first members of each pool.
    first: BTreeMap<String, Vec<Key>>,
}

/// So many members of a pool are known by name.
const NAMED: usize = 5;

impl Graph {
    fn number(&mut self, node: Node) -> u32 {
        if let Some(&known) = self.numbers.get(&node) {
            return known;
        }
        let number = self.nodes.len() as u32;
        self.nodes.push(node.clone());
        self.numbers.insert(node, number);
        number
    }

    /// A step, by a way.
    pub(super) fn step(&mut self, from: Node, way: &str, to: Node, condition: Option<&str>) {
        let (from, to) = (self.number(from), self.number(to));
        self.edges.push(Edge {
            from,
            to,
            way: way.to_owned(),
            condition: condition.map(str::to_owned),
        });
    }

    /// Who belongs to a pool.
    pub(super) fn member(&mut self, pool: &str, one: Node) {
        if let Node::One(key) = &one {
            let first = self.first.entry(pool.to_owned()).or_default();
            if first.len() < NAMED {
                first.push(key.clone());
            }
        }
        self.step(Node::Pool(pool.to_owned()), "", one, None);
    }

    /// An administrator, with the steps that make it one (none where it is one itself).
    pub(super) fn admin(&mut self, key: &Key, steps: Vec<Step>) {
        let number = self.number(Node::One(key.clone()));
        self.admins.insert(number, steps);
    }

    /// Likewise, under a condition.
    pub(super) fn maybe_admin(&mut self, key: &Key, steps: Vec<Step>) {
        let number = self.number(Node::One(key.clone()));
        self.maybe.insert(number, steps);
    }

    /// The names of whom a node gives, at most so many.
    pub(super) fn members(&self, node: &Node, most: usize) -> Vec<Key> {
        match node {
            Node::One(key) => vec![key.clone()],
            Node::Everything => Vec::new(),
            Node::Pool(pool) => {
                let first = self.first.get(pool).map_or(&[][..], Vec::as_slice);
                first.iter().take(most).cloned().collect()
            }
        }
    }

    /// Writes the steps to an administrator into the standings.
    pub(super) fn close(&mut self, standings: &mut Standings) {
        let everything = self.number(Node::Everything);
        self.admins.insert(everything, Vec::new());
        let certain = self.next(false);
        let possible = self.next(true);
        for (key, standing) in standings.iter_mut() {
            if standing.admin.is_some() {
                continue;
            }
            let Some(&number) = self.numbers.get(&Node::One(key.clone())) else {
                continue;
            };
            standing.reaches = self.chain(number, &certain, false);
            if standing.reaches.is_none() {
                standing.reaches_if = self.chain(number, &possible, true);
            }
        }
    }

    /// For each node the edge that a shortest chain to an administrator begins with.
    fn next(&self, with_conditions: bool) -> Vec<Option<u32>> {
        let mut into: Vec<Vec<u32>> = vec![Vec::new(); self.nodes.len()];
        for (number, edge) in (0u32..).zip(&self.edges) {
            if with_conditions || edge.condition.is_none() {
                into[edge.to as usize].push(number);
            }
        }
        let mut next: Vec<Option<u32>> = vec![None; self.nodes.len()];
        let mut done = vec![false; self.nodes.len()];
        let mut queue: VecDeque<u32> = VecDeque::new();
        let maybe = self.maybe.keys().filter(|_| with_conditions);
        for &start in self.admins.keys().chain(maybe) {
            if !done[start as usize] {
                done[start as usize] = true;
                queue.push_back(start);
            }
        }
        while let Some(at) = queue.pop_front() {
            for &number in &into[at as usize] {
                let from = self.edges[number as usize].from as usize;
                if !done[from] {
                    done[from] = true;
                    next[from] = Some(number);
                    queue.push_back(from as u32);
                }
            }
        }
        next
    }

    /// The steps from a node on; `None` where there are none.
    fn chain(&self, start: u32, next: &[Option<u32>], with_maybe: bool) -> Option<Vec<Step>> {
        let mut steps: Vec<Step> = Vec::new();
        let mut at = start;
        loop {
            let end = self.admins.get(&at);
            let end = end.or_else(|| self.maybe.get(&at).filter(|_| with_maybe));
            if let Some(more) = end {
                steps.extend(more.iter().cloned());
                return (!steps.is_empty()).then_some(steps);
            }
            let edge = &self.edges[next[at as usize]? as usize];
            match (
                &self.nodes[edge.from as usize],
                &self.nodes[edge.to as usize],
            ) {
                (Node::One(from), to) => steps.push(Step {
                    from: from.clone(),
                    way: edge.way.clone(),
                    to: match to {
                        Node::One(key) => Some(key.clone()),
                        _ => None,
                    },
                    condition: edge.condition.clone(),
                }),
                // The step into the pool was told; what goes on from there is told with it.
                (_, to) => {
                    if let Some(last) = steps.last_mut() {
                        if !edge.way.is_empty() {
                            last.way = format!("{}, {}", last.way, edge.way);
                        }
                        last.condition = last.condition.take().or(edge.condition.clone());
                        if let Node::One(key) = to {
                            last.to = Some(key.clone());
                        }
                    }
                }
            }
            at = edge.to;
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::Key;

    use super::{Graph, Node};
    use crate::access::standing::{Standing, Standings, steps_in_words};

    fn one(name: &str) -> Node {
        Node::One(Key::from(name))
    }

    fn close(graph: &mut Graph, names: &[&str]) -> Vec<(Option<String>, Option<String>)> {
        let mut all: Standings = names
            .iter()
            .map(|name| (Key::from(*name), Standing::default()))
            .collect();
        graph.close(&mut all);
        names
            .iter()
            .map(|name| {
                let standing = &all[&Key::from(*name)];
                let words = |steps: &Option<Vec<_>>| steps.as_deref().map(steps_in_words);
                (words(&standing.reaches), words(&standing.reaches_if))
            })
            .collect()
    }

    #[test]
    fn a_chain_goes_through_pools_and_names_who_was_taken() {
        let mut graph = Graph::default();
        graph.member("all", one("b"));
        graph.step(one("a"), "exec", Node::Pool("all".to_owned()), None);
        graph.step(one("b"), "bind", Node::Everything, None);
        graph.step(one("c"), "look", one("d"), None);
        let words = |text: &str| (Some(text.to_owned()), None);
        assert_eq!(
            close(&mut graph, &["a", "b", "c"]),
            [words("exec to b, then bind"), words("bind"), (None, None)]
        );
    }

    #[test]
    fn a_condition_stays_one_and_a_certain_way_is_better() {
        let mut graph = Graph::default();
        graph.admin(&Key::from("root"), Vec::new());
        graph.step(one("a"), "maybe", one("root"), Some("it rains"));
        graph.step(one("b"), "maybe", one("root"), Some("it rains"));
        graph.step(one("b"), "by", one("a"), None);
        graph.step(one("c"), "by", one("a"), None);
        graph.step(one("c"), "sure", one("root"), None);
        assert_eq!(
            close(&mut graph, &["a", "b", "c"]),
            [
                (None, Some("maybe to root (if it rains)".to_owned())),
                (None, Some("maybe to root (if it rains)".to_owned())),
                (Some("sure to root".to_owned()), None),
            ]
        );
    }

    #[test]
    fn circles_end() {
        let mut graph = Graph::default();
        graph.step(one("a"), "x", one("b"), None);
        graph.step(one("b"), "x", one("a"), None);
        assert_eq!(close(&mut graph, &["a", "b"]), [(None, None), (None, None)]);
    }
}
