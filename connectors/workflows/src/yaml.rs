//! YAML (and JSON, which is YAML) as a tree with line numbers, within limits.
//!
//! Aliases share their node, so an alias bomb costs no memory; whoever walks a tree has a
//! budget of visits, so it costs no time either. A mapping keeps every entry, also those whose
//! key stands twice. Merge keys (`<<`) are looked through.

use std::{cell::Cell, collections::BTreeMap};

use granit_parser::{Event, Parser, ScalarStyle};

/// Nodes of one file.
const MAX_NODES: usize = 2_000_000;
/// Nesting, aliases included. Walks recurse this deep.
const MAX_DEPTH: u16 = 200;
/// Nodes that are looked at in one file, each alias counted anew: so many …
const MIN_VISITS: u64 = 200_000;
/// … and so many more for each node, because a file is walked more than once.
const VISITS_PER_NODE: u64 = 8;

/// Why a file is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum YamlError {
    /// It is malformed: the line, and what is wrong.
    Malformed(u32, String),
    /// It is larger or deeper than is read.
    Limit(&'static str),
}

/// A file's documents.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    roots: Vec<u32>,
    /// Keys that stand twice in one mapping, with the line of the second.
    pub(crate) doubled: Vec<(String, u32)>,
    visits: Cell<u64>,
}

#[derive(Debug)]
struct Node {
    line: u32,
    end: u32,
    height: u16,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Scalar { text: String, plain: bool },
    List(Vec<u32>),
    Map(Vec<(u32, u32)>),
}

/// A node of a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Yaml<'t> {
    tree: &'t Tree,
    at: u32,
}

/// A collection that is still open.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<u32>,
}

/// Reads all documents of a text.
///
/// # Errors
/// When the text is malformed, or beyond the limits.
pub(crate) fn parse(text: &str) -> Result<Tree, YamlError> {
    let mut build = Build {
        tree: Tree {
            nodes: Vec::new(),
            roots: Vec::new(),
            doubled: Vec::new(),
            visits: Cell::new(0),
        },
        open: Vec::new(),
        anchors: BTreeMap::new(),
    };
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| {
            let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
            YamlError::Malformed(line, error.info())
        })?;
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        let mut end = u32::try_from(span.end.line()).unwrap_or(u32::MAX);
        if span.end.col() == 0 && end > line {
            end -= 1;
        }
        build.take(event, line, end.max(line))?;
    }
    let tree = build.tree;
    let nodes = tree.nodes.len() as u64;
    tree.visits.set(MIN_VISITS + nodes * VISITS_PER_NODE);
    Ok(tree)
}

struct Build {
    tree: Tree,
    open: Vec<Open>,
    anchors: BTreeMap<usize, u32>,
}

impl Build {
    fn take(&mut self, event: Event<'_>, line: u32, end: u32) -> Result<(), YamlError> {
        let node = |kind| Node {
            line,
            end,
            height: 1,
            kind,
        };
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let kind = Kind::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
                self.close(node(kind), anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(node(Kind::List(Vec::new())), anchor),
            Event::MappingStart(_, anchor, _) => self.begin(node(Kind::Map(Vec::new())), anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open.node, open.anchor),
                None => Ok(()),
            },
            // An alias inside of what it names is none: that node is not closed yet.
            Event::Alias(id) => match self.anchors.get(&id).copied() {
                Some(at) => self.hang(at),
                None => Err(YamlError::Malformed(
                    line,
                    "an alias stands inside of what it names".to_owned(),
                )),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if self.open.len() >= usize::from(MAX_DEPTH) {
            return Err(YamlError::Limit("it is nested more than 200 deep"));
        }
        self.open.push(Open {
            node,
            anchor,
            key: None,
        });
        Ok(())
    }

    fn close(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if self.tree.nodes.len() >= MAX_NODES {
            return Err(YamlError::Limit("it has more than 2,000,000 values"));
        }
        let at = self.tree.nodes.len() as u32;
        self.tree.nodes.push(node);
        if anchor != 0 {
            self.anchors.insert(anchor, at);
        }
        self.hang(at)
    }

    fn hang(&mut self, at: u32) -> Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else {
            self.tree.roots.push(at);
            return Ok(());
        };
        let child = &self.tree.nodes[at as usize];
        // An alias ends where it was written, not where it was defined.
        if child.line >= open.node.line {
            open.node.end = open.node.end.max(child.end);
        }
        open.node.height = open.node.height.max(child.height.saturating_add(1));
        if open.node.height > MAX_DEPTH {
            return Err(YamlError::Limit("it is nested more than 200 deep"));
        }
        match &mut open.node.kind {
            Kind::List(items) => items.push(at),
            Kind::Map(entries) => match open.key.take() {
                None => open.key = Some(at),
                Some(key) => entries.push((key, at)),
            },
            Kind::Scalar { .. } => {}
        }
        Ok(())
    }
}

impl Tree {
    /// The documents.
    pub(crate) fn documents(&self) -> impl Iterator<Item = Yaml<'_>> {
        self.roots.iter().map(|&at| Yaml { tree: self, at })
    }

    /// The first document.
    pub(crate) fn first(&self) -> Option<Yaml<'_>> {
        self.documents().next()
    }

    /// Whether a walk ended because it had seen enough.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.visits.get() == 0
    }

    /// Notes the keys that stand twice.
    pub(crate) fn find_doubled(&mut self) {
        let mut doubled = Vec::new();
        for node in &self.nodes {
            let Kind::Map(entries) = &node.kind else {
                continue;
            };
            let mut known = BTreeMap::new();
            for (key, _) in entries {
                let key = &self.nodes[*key as usize];
                if let Kind::Scalar { text, .. } = &key.kind
                    && text != "<<"
                    && known.insert(text.as_str(), ()).is_some()
                {
                    doubled.push((text.clone(), key.line));
                }
            }
        }
        doubled.sort_by_key(|(_, line)| *line);
        self.doubled = doubled;
    }
}

impl<'t> Yaml<'t> {
    fn node(self) -> &'t Node {
        &self.tree.nodes[self.at as usize]
    }

    fn other(self, at: u32) -> Yaml<'t> {
        Yaml {
            tree: self.tree,
            at,
        }
    }

    /// Its line, from 1.
    pub(crate) fn line(self) -> u32 {
        self.node().line
    }

    /// Its last line.
    pub(crate) fn end(self) -> u32 {
        self.node().end
    }

    /// The text of a scalar; null is an empty text.
    pub(crate) fn text(self) -> Option<&'t str> {
        match &self.node().kind {
            Kind::Scalar { text, plain } => Some(match text.as_str() {
                "~" | "null" if *plain => "",
                text => text,
            }),
            _ => None,
        }
    }

    /// Whether it is a mapping.
    pub(crate) fn is_map(self) -> bool {
        matches!(self.node().kind, Kind::Map(_))
    }

    /// The entries of a mapping, in order, with those it merges in (`<<`) behind its own.
    pub(crate) fn entries(self) -> Vec<(Yaml<'t>, Yaml<'t>)> {
        let mut own = Vec::new();
        self.collect_entries(&mut own, 0);
        own
    }

    fn collect_entries(self, out: &mut Vec<(Yaml<'t>, Yaml<'t>)>, depth: u8) {
        let Kind::Map(entries) = &self.node().kind else {
            return;
        };
        let mut merged = Vec::new();
        for &(key, value) in entries {
            let (key, value) = (self.other(key), self.other(value));
            match key.text() {
                Some("<<") if value.text().is_none() => merged.push(value),
                _ => out.push((key, value)),
            }
        }
        for value in merged {
            for from in value.items_or_self() {
                if depth < 8 && out.len() < 100_000 && self.spend() {
                    from.collect_entries(out, depth + 1);
                }
            }
        }
    }

    /// What a key of a mapping stands for: the last of its entries, then what is merged in.
    pub(crate) fn get(self, name: &str) -> Option<Yaml<'t>> {
        let Kind::Map(own) = &self.node().kind else {
            return None;
        };
        let is = |at: u32| self.other(at).text() == Some(name);
        let found = own.iter().rev().find(|(key, _)| is(*key));
        if let Some((_, value)) = found {
            return Some(self.other(*value));
        }
        let all = self.entries();
        let found = all.iter().find(|(key, _)| key.text() == Some(name));
        found.map(|(_, value)| *value)
    }

    /// The text that a key stands for.
    pub(crate) fn get_text(self, name: &str) -> Option<&'t str> {
        self.get(name)?.text()
    }

    /// The items of a list; nothing for anything else.
    pub(crate) fn items(self) -> impl Iterator<Item = Yaml<'t>> {
        let items: &[u32] = match &self.node().kind {
            Kind::List(items) => items,
            _ => &[],
        };
        items.iter().map(move |&at| self.other(at))
    }

    /// The items of a list, or the node itself.
    pub(crate) fn items_or_self(self) -> Vec<Yaml<'t>> {
        match &self.node().kind {
            Kind::List(_) => self.items().collect(),
            _ => vec![self],
        }
    }

    /// The texts of a list, or the one text.
    pub(crate) fn texts(self) -> Vec<&'t str> {
        let all = self.items_or_self();
        all.into_iter().filter_map(Yaml::text).collect()
    }

    /// Every scalar below, with the key or the nearest key above it. Ends early where the
    /// budget of the file is spent.
    pub(crate) fn walk(self, visit: &mut dyn FnMut(&'t str, Yaml<'t>)) {
        self.walk_under("", visit);
    }

    pub(crate) fn walk_under(self, key: &'t str, visit: &mut dyn FnMut(&'t str, Yaml<'t>)) {
        if !self.spend() {
            return;
        }
        match &self.node().kind {
            Kind::Scalar { .. } => visit(key, self),
            Kind::List(items) => {
                for &at in items {
                    self.other(at).walk_under(key, visit);
                }
            }
            Kind::Map(entries) => {
                for &(name, value) in entries {
                    let name = self.other(name);
                    let under = name.text().unwrap_or(key);
                    name.walk_under(key, visit);
                    self.other(value).walk_under(under, visit);
                }
            }
        }
    }

    /// Every mapping below, itself included.
    pub(crate) fn maps(self, visit: &mut dyn FnMut(Yaml<'t>)) {
        if !self.spend() {
            return;
        }
        match &self.node().kind {
            Kind::Scalar { .. } => {}
            Kind::List(items) => items.iter().for_each(|&at| self.other(at).maps(visit)),
            Kind::Map(entries) => {
                visit(self);
                entries
                    .iter()
                    .for_each(|&(_, value)| self.other(value).maps(visit));
            }
        }
    }

    fn spend(self) -> bool {
        let left = self.tree.visits.get();
        self.tree.visits.set(left.saturating_sub(1));
        left > 1
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::{YamlError, parse};

    #[test]
    fn anchors_merges_and_lines() {
        let tree = parse("a: &x\n  k: 1\n  l: 2\nb:\n  <<: *x\n  k: 3\nc: *x\n").expect("yaml");
        let root = tree.first().expect("document");
        let b = root.get("b").expect("b");
        assert_eq!((b.get_text("k"), b.get_text("l")), (Some("3"), Some("2")));
        assert_eq!(root.get("c").and_then(|c| c.get_text("k")), Some("1"));
        assert_eq!((b.line(), b.end()), (5, 6));
    }

    #[test]
    fn an_alias_bomb_costs_nothing_and_is_told() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..30 {
            let below = vec![format!("*a{}", n - 1); 10].join(", ");
            writeln!(text, "a{n}: &a{n} [{below}]").expect("text");
        }
        let tree = parse(&text).expect("yaml");
        let mut seen = 0u64;
        tree.first().expect("document").walk(&mut |_, _| seen += 1);
        assert!(tree.is_exhausted());
        assert!(seen < 300_000);
    }

    #[test]
    fn what_is_too_deep_or_tabbed_is_an_error() {
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).is_err());
        let mut chain = "a0: &a0 [x]\n".to_owned();
        for n in 1..5000 {
            writeln!(chain, "a{n}: &a{n} [*a{}]", n - 1).expect("text");
        }
        assert!(matches!(parse(&chain), Err(YamlError::Limit(_))));
        let tabbed = parse("jobs:\n\tbuild:\n\t\tsteps: []\n");
        assert!(
            matches!(&tabbed, Err(YamlError::Malformed(2, _))),
            "{tabbed:?}"
        );
        assert!(matches!(
            parse("a: &a [*a]\n"),
            Err(YamlError::Malformed(..))
        ));
    }

    #[test]
    fn a_key_that_stands_twice_is_told_and_both_are_kept() {
        let mut tree = parse("a: 1\nb: 2\na: 3\n").expect("yaml");
        tree.find_doubled();
        assert_eq!(tree.doubled, [("a".to_owned(), 3)]);
        let root = tree.first().expect("document");
        assert_eq!(root.get_text("a"), Some("3"));
        assert_eq!(root.entries().len(), 3);
    }
}
