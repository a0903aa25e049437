//! What decides about each principal: its policies, those of its groups, its boundary, the
//! control policies of its account, and what is known of its requests.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{AttachmentKind, Identity, IdentityKind, Key, Timestamp};

use super::{AccessFacts, Problem, condition::Context, policy::Document};

/// A policy as it reaches a principal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Held {
    pub(super) document: u32,
    pub(super) policy: u32,
    pub(super) via: Option<Key>,
}

/// Everything that decides about one principal.
#[derive(Debug, Clone)]
pub(super) struct Bundle {
    pub(super) key: Key,
    pub(super) kind: IdentityKind,
    pub(super) account: String,
    pub(super) partition: String,
    /// Inline, attached, and those of groups.
    pub(super) identity: Vec<Held>,
    /// Boundaries, each of which must allow.
    pub(super) boundaries: Vec<Held>,
    /// Levels of service control policies, each of which must allow.
    pub(super) levels: Vec<Vec<Held>>,
    /// Resource control policies: only their Denies matter, AWS itself allows everything.
    pub(super) resource: Vec<Held>,
    /// What is known of every request of this principal, where a policy of its own asks.
    pub(super) context: Context,
    /// What that is made from.
    who: Who,
    /// Groups of a user.
    pub(super) groups: Vec<Key>,
    /// Whether answers depend on the principal beyond its policies.
    pub(super) depends_on_context: bool,
}

impl Bundle {
    /// Every policy that can take something away, whatever is asked for.
    pub(super) fn own(&self) -> impl Iterator<Item = &Held> {
        self.identity
            .iter()
            .chain(&self.boundaries)
            .chain(self.levels.iter().flatten())
    }

    /// Those, and resource control policies.
    pub(super) fn every(&self) -> impl Iterator<Item = &Held> {
        self.own().chain(&self.resource)
    }

    /// What must allow besides the principal's own policies: boundaries, and those levels of
    /// control policies that allow anything at all.
    pub(super) fn limits<'a>(
        &'a self,
        documents: &'a [Document],
    ) -> impl Iterator<Item = &'a [Held]> {
        let alone = self.boundaries.iter().map(std::slice::from_ref);
        let levels = self.levels.iter().map(Vec::as_slice).filter(|level| {
            level
                .iter()
                .any(|held| documents[held.document as usize].allows)
        });
        alone.chain(levels)
    }

    /// What two principals share if they can do the same: documents by role, and the account.
    pub(super) fn signature(&self) -> Signature {
        let ids = |held: &[Held]| -> Vec<u32> {
            let set: BTreeSet<u32> = held.iter().map(|held| held.document).collect();
            set.into_iter().collect()
        };
        Signature {
            root: self.kind == IdentityKind::Root,
            account: self.account.clone(),
            identity: ids(&self.identity),
            boundaries: ids(&self.boundaries),
            levels: self.levels.iter().map(|level| ids(level)).collect(),
            resource: ids(&self.resource),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Signature {
    root: bool,
    account: String,
    identity: Vec<u32>,
    boundaries: Vec<u32>,
    levels: Vec<Vec<u32>>,
    resource: Vec<u32>,
}

/// What requests of a principal tell of it beside its key.
#[derive(Debug, Clone)]
struct Who {
    name: Box<str>,
    tags: Box<[(String, String)]>,
    now: Option<Timestamp>,
}

/// Policies by what they are tied to, and groups by member.
pub(super) struct Index<'a> {
    tied: BTreeMap<&'a Key, Vec<(AttachmentKind, u32, u32)>>,
    groups: BTreeMap<&'a Key, Vec<&'a Key>>,
    policies: Vec<&'a Key>,
}

impl<'a> Index<'a> {
    pub(super) fn new(facts: &AccessFacts<'a>, documents: &[u32]) -> Index<'a> {
        let mut tied: BTreeMap<&Key, Vec<(AttachmentKind, u32, u32)>> = BTreeMap::new();
        for (number, (policy, document)) in (0..).zip(facts.policies.iter().zip(documents)) {
            for tie in &policy.attached {
                tied.entry(&tie.to)
                    .or_default()
                    .push((tie.kind, number, *document));
            }
        }
        let mut groups: BTreeMap<&Key, Vec<&Key>> = BTreeMap::new();
        for membership in facts.memberships {
            groups
                .entry(&membership.member)
                .or_default()
                .push(&membership.group);
        }
        Index {
            tied,
            groups,
            policies: facts.policies.iter().map(|policy| &policy.key).collect(),
        }
    }

    fn held(&self, key: &Key, kinds: &[AttachmentKind], via: Option<&Key>) -> Vec<Held> {
        let ties = self.tied.get(key).map_or(&[][..], Vec::as_slice);
        ties.iter()
            .filter(|(kind, _, _)| kinds.contains(kind))
            .map(|(_, policy, document)| Held {
                document: *document,
                policy: *policy,
                via: via.cloned(),
            })
            .collect()
    }

    /// A key and every group above it, nearest first.
    fn above(&self, key: &Key) -> Vec<Key> {
        let mut all = vec![key.clone()];
        let mut at = 0;
        while let Some(next) = all.get(at) {
            let groups = self.groups.get(next).map_or(&[][..], Vec::as_slice);
            let new: Vec<Key> = groups
                .iter()
                .filter(|group| !all.contains(group))
                .map(|&group| group.clone())
                .collect();
            all.extend(new);
            at += 1;
        }
        all
    }

    pub(super) fn bundle(
        &self,
        identity: &Identity,
        documents: &[Document],
        now: Option<Timestamp>,
    ) -> Bundle {
        let own = [AttachmentKind::Inline, AttachmentKind::Attached];
        let key = &identity.key;
        let groups: Vec<Key> = self
            .groups
            .get(key)
            .into_iter()
            .flatten()
            .map(|&group| group.clone())
            .collect();
        let mut held = self.held(key, &own, None);
        for group in &groups {
            held.extend(self.held(group, &own, Some(group)));
        }
        let account = identity.account.clone().unwrap_or_default();
        let mut levels = Vec::new();
        let mut resource = Vec::new();
        for level in self.above(&Key(format!("aws:account:{account}"))) {
            let policies = self.held(&level, &[AttachmentKind::Account], None);
            if !policies.is_empty() && !is_service_linked(key) {
                levels.push(policies);
            }
            resource.extend(self.held(&level, &[AttachmentKind::Resource], None));
        }
        let mut bundle = Bundle {
            key: key.clone(),
            kind: identity.kind,
            partition: key
                .0
                .split(':')
                .nth(1)
                .filter(|part| part.starts_with("aws"))
                .unwrap_or("aws")
                .to_owned(),
            account,
            identity: held,
            boundaries: self.held(key, &[AttachmentKind::Boundary], None),
            levels,
            resource,
            context: Context::new(),
            who: Who {
                name: identity.name.as_str().into(),
                tags: identity.tags.as_slice().into(),
                now,
            },
            groups,
            depends_on_context: false,
        };
        let depends = |held: &Held| documents[held.document as usize].depends_on_context;
        let depends = bundle.every().any(depends);
        if depends {
            bundle.depends_on_context = true;
            bundle.context = context_of(&bundle);
        }
        bundle
    }

    /// Levels on which nothing is allowed: AWS lets no such level be, so an export of one's
    /// own control policies just lacks AWS's `FullAWSAccess`.
    pub(super) fn problems(&self, documents: &[Document]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for ties in self.tied.values() {
            let level: Vec<_> = ties
                .iter()
                .filter(|(kind, _, _)| *kind == AttachmentKind::Account)
                .collect();
            if let Some((_, first, _)) = level.first()
                && !level
                    .iter()
                    .any(|(_, _, document)| documents[*document as usize].allows)
            {
                problems.push(Problem {
                    policy: self.policies[*first as usize].clone(),
                    message: "no control policy of this level allows anything; FullAWSAccess is taken to be attached too".to_owned(),
                    unread: false,
                });
            }
        }
        problems
    }
}

/// Service-linked roles, which control policies do not bind.
fn is_service_linked(key: &Key) -> bool {
    key.0.contains(":role/aws-service-role/")
}

/// What holds for every request that this principal makes itself.
pub(super) fn context_of(bundle: &Bundle) -> Context {
    let kind = match bundle.kind {
        IdentityKind::Root => "Account",
        IdentityKind::User => "User",
        _ => "AssumedRole",
    };
    let mut context = Context::new()
        .with("aws:PrincipalArn", &[&bundle.key.0])
        .with("aws:PrincipalType", &[kind])
        .with("aws:SecureTransport", &["true"])
        .with("aws:ViaAWSService", &["false"])
        .with("aws:PrincipalIsAWSService", &["false"])
        .without("aws:CalledVia")
        .without("aws:CalledViaFirst")
        .without("aws:CalledViaLast")
        .without("aws:PrincipalServiceName")
        .without("aws:PrincipalTag/");
    if !bundle.account.is_empty() {
        context = context.with("aws:PrincipalAccount", &[&bundle.account]);
    }
    context = match bundle.kind {
        IdentityKind::User => context.with("aws:username", &[&bundle.who.name]),
        _ => context.without("aws:username"),
    };
    if let Some(now) = bundle.who.now {
        let text = now.to_string();
        let epoch = now.as_second().to_string();
        context = context
            .with("aws:CurrentTime", &[&text])
            .with("aws:EpochTime", &[&epoch]);
        // Sessions are young: a role's always, and a user can take one when it helps.
        context = context.with("aws:TokenIssueTime", &[&text]);
    }
    for (name, value) in &bundle.who.tags {
        context = context.with(&format!("aws:PrincipalTag/{name}"), &[value]);
    }
    context
}
