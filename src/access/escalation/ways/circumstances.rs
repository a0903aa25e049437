//! What is known of a request for a way, apart from who makes it. Nothing is copied, because it is
//! asked for every pair of a caller and a target that a condition looks at.

use std::slice;

use super::super::{
    catalogue::{Catalogue, Path, Target},
    world::Principal,
};
use crate::access::condition::{Lookup, Seen};

/// The circumstances of one request.
#[derive(Clone, Copy, Default)]
pub(super) struct Circumstances<'x> {
    /// The service that the role is passed to.
    pub(super) service: Option<&'x String>,
    /// The ARN of the policy that is attached.
    pub(super) attached: Option<&'x String>,
    /// Whether the request makes a role, without a boundary.
    pub(super) makes_role: bool,
    /// Who is hit.
    pub(super) target: Option<&'x Principal<'x>>,
}

impl<'x> Circumstances<'x> {
    /// Of requests for a way: the strongest policy is attached, and a new role gets no boundary.
    pub(super) fn of(
        path: &Path,
        catalogue: &Catalogue,
        administrator: &'x String,
    ) -> Circumstances<'x> {
        let names = path.actions.iter();
        let mut names = names.map(|&action| &catalogue.actions[usize::from(action)].name);
        Circumstances {
            attached: names
                .any(|name| name.starts_with("iam:Attach"))
                .then_some(administrator),
            makes_role: path.target == Target::NewRole,
            ..Circumstances::default()
        }
    }
}

impl Lookup for Circumstances<'_> {
    fn seen(&self, key: &str) -> Seen<'_> {
        match (key, self.target) {
            ("iam:passedtoservice", _) => known(self.service),
            ("iam:policyarn", _) => known(self.attached),
            ("iam:permissionsboundary", _) if self.makes_role => Seen::Absent,
            ("aws:resourceaccount", Some(target)) => known(Some(&target.bundle.account)),
            (_, Some(target)) => {
                let tag = ["aws:resourcetag/", "iam:resourcetag/"]
                    .iter()
                    .find_map(|family| key.strip_prefix(family));
                let Some(tag) = tag else {
                    return Seen::Unknown;
                };
                let mut tags = target.tags.iter().rev();
                let found = tags.find(|(name, _)| name.eq_ignore_ascii_case(tag));
                found.map_or(Seen::Absent, |(_, value)| known(Some(value)))
            }
            (_, None) => Seen::Unknown,
        }
    }
}

fn known(value: Option<&String>) -> Seen<'_> {
    value.map_or(Seen::Unknown, |value| Seen::Known(slice::from_ref(value)))
}
