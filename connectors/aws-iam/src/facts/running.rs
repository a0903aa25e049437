//! What runs as which role, so that a way through it can be followed to the role.

use std::collections::BTreeMap;

use keymuster_api::{Key, Reference};

use super::Book;

/// References from what runs to its role, in the order of their keys.
pub(super) fn collect(book: &Book<'_>) -> Vec<Reference> {
    let mut all: BTreeMap<(Key, Key), Reference> = BTreeMap::new();
    let mut add = |by: &str, to: &str, source| {
        let (by, to) = (Key::from(by), Key::from(to));
        all.entry((by.clone(), to.clone()))
            .or_insert(Reference { by, to, source });
    };
    for role in &book.parts.roles {
        for profile in &role.value.instance_profile_list {
            add(&profile.arn, &role.value.arn, book.source(role));
        }
    }
    for running in &book.parts.running {
        add(&running.value.by, &running.value.role, book.source(running));
    }
    all.into_values().collect()
}
