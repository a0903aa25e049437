//! One file on its way: where it lies, and what was found in it.

use keymuster_api::{
    Claim, Consumer, ConsumerKind, GapKind, Key, Slot, SlotUse, Source, SystemId, slot_name,
};

use crate::origin::Origin;

/// A file that is being read.
#[derive(Clone, Copy)]
pub(crate) struct File<'a> {
    /// The connector.
    pub(crate) system: SystemId,
    /// The name of its tree.
    pub(crate) tree: &'a str,
    /// The home of its tree.
    pub(crate) origin: &'a Origin,
    /// Its path in the tree.
    pub(crate) path: &'a str,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) consumers: Vec<Consumer>,
    pub(crate) uses: Vec<SlotUse>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) claims: Vec<Claim>,
    /// What could not be seen: kind, place, why and what to do.
    pub(crate) gaps: Vec<(GapKind, Source, String)>,
}

impl File<'_> {
    /// Its place at a line.
    pub(crate) fn source(&self, line: u32) -> Source {
        Source {
            system: self.system,
            locator: format!("{}:{}:{line}", self.tree, self.path),
        }
    }

    /// Where a slot of this repository may lie, nearest first.
    pub(crate) fn own_scopes(&self, environments: &[&str]) -> Vec<String> {
        let of_environments = environments.iter().map(|one| self.origin.scope(Some(one)));
        let mut scopes: Vec<String> = of_environments.collect();
        scopes.push(self.origin.scope(None));
        scopes.extend(self.origin.above());
        scopes
    }

    /// A consumer in it, by a name that is its own in the file.
    pub(crate) fn consumer(
        &self,
        kind: ConsumerKind,
        platform: &str,
        name: &str,
        lines: (u32, u32),
    ) -> Consumer {
        let scope = self.origin.scope(None);
        Consumer {
            key: Key(format!("{scope}:{}#{name}", self.path)),
            kind,
            name: name.to_owned(),
            platform: platform.to_owned(),
            resource: self.tree.to_owned(),
            path: self.path.to_owned(),
            lines,
            scope,
            environment: None,
            permissions: Vec::new(),
            triggers: Vec::new(),
            logins: Vec::new(),
            via: None,
            properties: Vec::new(),
            source: self.source(lines.0),
        }
    }

    /// A use of a slot of this name, `how` and at which line; nowhere yet, and not certain.
    pub(crate) fn named(&self, by: &Key, store: &str, name: &str, how: (&str, u32)) -> SlotUse {
        SlotUse {
            name: Some(slot_name(store, name)),
            ..self.any(by, store, how)
        }
    }

    /// A use of whatever a store holds.
    pub(crate) fn any(&self, by: &Key, store: &str, (how, line): (&str, u32)) -> SlotUse {
        SlotUse {
            by: by.clone(),
            store: store.to_owned(),
            name: None,
            scopes: Vec::new(),
            how: how.to_owned(),
            certain: false,
            source: self.source(line),
        }
    }
}

/// What more is said of a use.
pub(crate) trait Says {
    /// Where the slot may lie, nearest first.
    fn within(self, scopes: Vec<String>) -> Self;
    /// Nothing but a slot can be meant.
    fn certain(self) -> Self;
}

impl Says for SlotUse {
    fn within(mut self, scopes: Vec<String>) -> SlotUse {
        self.scopes = scopes;
        self
    }

    fn certain(mut self) -> SlotUse {
        self.certain = true;
        self
    }
}
