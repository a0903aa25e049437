//! Policies and what they are tied to, trust policies, control policies of the organisation.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Attachment, AttachmentKind, GapKind, Key, Membership, Policy, Source, Trust};
use serde_json::value::RawValue;

use super::{Book, account_in_path, account_key, arn, document, principals::Principals};
use crate::wire::{AttachedPolicy, Boundary, InlinePolicy, PolicyDetail};

/// What AWS documents for the one managed policy that exports most often lack.
const ADMINISTRATOR: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// Everything that grants or denies.
#[derive(Default)]
pub(super) struct Policies {
    pub(super) policies: BTreeMap<Key, Policy>,
    pub(super) trusts: BTreeMap<Key, Trust>,
    /// Accounts in levels of the organisation.
    pub(super) memberships: BTreeMap<(Key, Key), Membership>,
    /// Policies by account: how many are referred to or listed, and how many have a document.
    pub(super) counts: BTreeMap<String, (u64, u64)>,
}

/// A managed policy before its ties are known.
struct Managed {
    name: String,
    version: u32,
    document: Option<String>,
    source: Source,
}

/// Reads all policies.
pub(super) fn collect(book: &mut Book<'_>, _principals: &Principals) -> Policies {
    let mut all = Policies::default();
    let mut managed = managed(book);
    let mut ties = Ties::default();
    let parts = book.parts;
    for user in &parts.users {
        let source = book.source(user);
        add_inline(
            book,
            &mut all,
            &user.value.arn,
            &user.value.user_policy_list,
            &source,
        );
        ties.add(
            &user.value.arn,
            &user.value.attached_managed_policies,
            user.value.permissions_boundary.as_ref(),
            &source,
        );
    }
    for group in &parts.groups {
        let source = book.source(group);
        add_inline(
            book,
            &mut all,
            &group.value.arn,
            &group.value.group_policy_list,
            &source,
        );
        ties.add(
            &group.value.arn,
            &group.value.attached_managed_policies,
            None,
            &source,
        );
    }
    for role in parts.roles.iter().chain(&parts.listed_roles) {
        let source = book.source(role);
        add_inline(
            book,
            &mut all,
            &role.value.arn,
            &role.value.role_policy_list,
            &source,
        );
        ties.add(
            &role.value.arn,
            &role.value.attached_managed_policies,
            role.value.permissions_boundary.as_ref(),
            &source,
        );
        if let Some(raw) = &role.value.assume_role_policy_document {
            add_trust(book, &mut all, &role.value.arn, raw, source);
        }
    }
    for (key, (attached, source, name)) in ties.0 {
        let entry = managed.remove(&key);
        let known = entry.is_some();
        let entry = entry.unwrap_or_else(|| Managed {
            name: name.unwrap_or_else(|| arn::name(&key.0).to_owned()),
            version: 0,
            document: None,
            source,
        });
        let is_administrator =
            arn::is_aws_managed(&key.0) && key.0.ends_with(":policy/AdministratorAccess");
        let document = entry
            .document
            .or_else(|| is_administrator.then(|| ADMINISTRATOR.to_owned()));
        let accounts: BTreeSet<String> = attached
            .iter()
            .filter_map(|tie| arn::account(&tie.to.0))
            .map(str::to_owned)
            .collect();
        for account in accounts {
            let count = all.counts.entry(account).or_default();
            count.0 += 1;
            count.1 += u64::from(document.is_some());
        }
        match document {
            Some(document) => {
                let attached = attached.into_iter().collect();
                let policy = Policy {
                    key: key.clone(),
                    name: entry.name,
                    document,
                    attached,
                    source: entry.source,
                };
                all.policies.insert(key, policy);
            }
            // A document that is there and unreadable was told already.
            None if known => {}
            None => {
                let holders: BTreeSet<String> = attached.into_iter().map(|tie| tie.to.0).collect();
                let reason = format!(
                    "its document is not in the export, so the rights of {} are not fully seen; export all pages, without a filter",
                    super::some_of(&holders)
                );
                book.gap(GapKind::Missing, key.0, reason, entry.source);
            }
        }
    }
    for (key, entry) in managed {
        // Unattached policies of AWS are a catalogue, not part of the estate.
        if arn::is_aws_managed(&key.0) {
            continue;
        }
        if let Some(account) = arn::account(&key.0) {
            let count = all.counts.entry(account.to_owned()).or_default();
            count.0 += 1;
            count.1 += u64::from(entry.document.is_some());
        }
        if let Some(document) = entry.document {
            let policy = Policy {
                key: key.clone(),
                name: entry.name,
                document,
                attached: Vec::new(),
                source: entry.source,
            };
            all.policies.insert(key, policy);
        }
    }
    add_versions(book, &mut all);
    add_controls(book, &mut all, _principals);
    all
}

/// Versions that are not in force, tied to nobody: who may put one in force has its rights.
fn add_versions(book: &mut Book<'_>, all: &mut Policies) {
    let parts = book.parts;
    for policy in &parts.policies {
        let value = &policy.value;
        if arn::is_aws_managed(&value.arn) || value.policy_version_list.len() < 2 {
            continue;
        }
        let in_force = default_version(value).map(|version| version.version_id.as_str());
        for version in &value.policy_version_list {
            if Some(version.version_id.as_str()) == in_force {
                continue;
            }
            let Some(document) = version.document.as_deref().and_then(document::text) else {
                continue;
            };
            let key = Key(format!("{}/version/{}", value.arn, version.version_id));
            all.policies.entry(key.clone()).or_insert(Policy {
                key,
                name: version.version_id.clone(),
                document,
                attached: Vec::new(),
                source: book.source(policy),
            });
        }
    }
}

/// Who holds which managed policy: ties, where the first was read, the policy's name.
#[derive(Default)]
struct Ties(BTreeMap<Key, (BTreeSet<Attachment>, Source, Option<String>)>);

impl Ties {
    fn add(
        &mut self,
        to: &str,
        policies: &[AttachedPolicy],
        boundary: Option<&Boundary>,
        source: &Source,
    ) {
        let attached = policies.iter().map(|policy| {
            (
                policy.policy_arn.as_str(),
                AttachmentKind::Attached,
                policy.policy_name.clone(),
            )
        });
        let boundary = boundary.map(|boundary| {
            (
                boundary.permissions_boundary_arn.as_str(),
                AttachmentKind::Boundary,
                None,
            )
        });
        for (policy, kind, name) in attached.chain(boundary) {
            let entry = self
                .0
                .entry(Key::from(policy))
                .or_insert_with(|| (BTreeSet::new(), source.clone(), None));
            entry.0.insert(Attachment {
                to: Key::from(to),
                kind,
            });
            entry.2 = entry.2.take().or(name);
        }
    }
}

fn read_document(
    book: &mut Book<'_>,
    subject: &str,
    raw: &RawValue,
    source: &Source,
) -> Option<String> {
    let text = document::text(raw);
    if text.is_none() {
        let reason = "its document is neither a JSON object nor one that is percent-encoded; export it again".to_owned();
        book.gap(GapKind::Corrupt, subject, reason, source.clone());
    }
    text
}

/// Managed policies by key: of several versions of one the newest, from whichever file.
fn managed(book: &mut Book<'_>) -> BTreeMap<Key, Managed> {
    let mut all: BTreeMap<Key, Managed> = BTreeMap::new();
    let parts = book.parts;
    for policy in &parts.policies {
        let source = book.source(policy);
        let value = &policy.value;
        let version = default_version(value);
        let number = version
            .map(|version| {
                version
                    .version_id
                    .trim_start_matches('v')
                    .parse()
                    .unwrap_or(0)
            })
            .unwrap_or(0);
        let raw = version.and_then(|version| version.document.as_deref());
        let document = match raw {
            Some(raw) => read_document(book, &value.arn, raw, &source),
            None => {
                let reason = "no document of its default version is in the export; export authorization details".to_owned();
                book.gap(GapKind::Missing, value.arn.as_str(), reason, source.clone());
                None
            }
        };
        let new = Managed {
            name: value
                .policy_name
                .clone()
                .unwrap_or_else(|| arn::name(&value.arn).to_owned()),
            version: number,
            document,
            source: source.clone(),
        };
        match all.get_mut(&Key(value.arn.clone())) {
            None => {
                all.insert(Key(value.arn.clone()), new);
            }
            Some(known) if known.document == new.document => {}
            Some(known) if known.document.is_none() || new.version > known.version => *known = new,
            Some(known) if new.document.is_none() || new.version < known.version => {}
            Some(_) => {
                let reason = "given twice with different documents of one version; the first is kept, export it again".to_owned();
                book.gap(GapKind::Corrupt, value.arn.as_str(), reason, source);
            }
        }
    }
    all
}

fn default_version(policy: &PolicyDetail) -> Option<&crate::wire::PolicyVersion> {
    let list = &policy.policy_version_list;
    list.iter()
        .find(|version| version.is_default_version)
        .or_else(|| {
            let wanted = policy.default_version_id.as_deref()?;
            list.iter().find(|version| version.version_id == wanted)
        })
        .or_else(|| list.first().filter(|_| list.len() == 1))
}

fn add_inline(
    book: &mut Book<'_>,
    all: &mut Policies,
    owner: &str,
    policies: &[InlinePolicy],
    source: &Source,
) {
    for policy in policies {
        let key = Key(format!("{owner}/inline/{}", policy.policy_name));
        let Some(document) = read_document(book, &key.0, &policy.policy_document, source) else {
            continue;
        };
        if let Some(known) = all.policies.get(&key) {
            if known.document != document {
                let reason =
                    "given twice with different documents; the first is kept, export it again"
                        .to_owned();
                book.gap(GapKind::Corrupt, key.0, reason, source.clone());
            }
            continue;
        }
        let policy = Policy {
            key: key.clone(),
            name: policy.policy_name.clone(),
            document,
            attached: vec![Attachment {
                to: Key::from(owner),
                kind: AttachmentKind::Inline,
            }],
            source: source.clone(),
        };
        all.policies.insert(key, policy);
    }
}

fn add_trust(book: &mut Book<'_>, all: &mut Policies, role: &str, raw: &RawValue, source: Source) {
    let Some(document) = read_document(book, &format!("{role} (trust)"), raw, &source) else {
        return;
    };
    let key = Key::from(role);
    match all.trusts.get(&key) {
        None => {
            all.trusts.insert(
                key.clone(),
                Trust {
                    identity: key,
                    document,
                    source,
                },
            );
        }
        Some(known) if known.document == document => {}
        Some(_) => {
            let reason =
                "its trust policy is given twice and differs; the first is kept, export it again"
                    .to_owned();
            book.gap(GapKind::Corrupt, role, reason, source);
        }
    }
}

/// Ties control policies to accounts: to the one that the file's path names, to the configured
/// one, or to every account of the exports.
///
/// A level of the organisation is a group that the account belongs to, because each level has
/// to allow for itself.
fn add_controls(book: &mut Book<'_>, all: &mut Policies, principals: &Principals) {
    let parts = book.parts;
    for control in &parts.controls {
        let source = book.source(control);
        let value = &control.value;
        let Some(document) = RawValue::from_string(value.document.clone())
            .ok()
            .and_then(|raw| read_document(book, &value.name, &raw, &source))
        else {
            continue;
        };
        let accounts: Vec<String> = match account_in_path(book.file(control.file))
            .or(book.default_account.map(str::to_owned))
        {
            Some(account) => vec![account],
            None => principals.accounts.keys().cloned().collect(),
        };
        for account in accounts {
            // Control policies do not bind the management account, nor its resources.
            if parts.management.contains(&account) {
                continue;
            }
            let to = match value.level {
                None => account_key(&account),
                Some(level) => {
                    let group = Key(format!("aws:organization-level:{account}/{level}"));
                    let membership = Membership {
                        member: account_key(&account),
                        group: group.clone(),
                        source: source.clone(),
                    };
                    all.memberships
                        .entry((account_key(&account), group.clone()))
                        .or_insert(membership);
                    group
                }
            };
            let kind = if value.resource {
                AttachmentKind::Resource
            } else {
                AttachmentKind::Account
            };
            let word = if value.resource { "rcp" } else { "scp" };
            let key = Key(value
                .id
                .clone()
                .unwrap_or_else(|| format!("aws:{word}:{account}/{}", value.name)));
            let policy = all.policies.entry(key.clone()).or_insert_with(|| Policy {
                key,
                name: value.name.clone(),
                document: document.clone(),
                attached: Vec::new(),
                source: source.clone(),
            });
            let tie = Attachment { to, kind };
            if policy.document != document {
                let reason =
                    "given twice with different documents; the first is kept, export it again"
                        .to_owned();
                book.gap(
                    GapKind::Corrupt,
                    value.name.as_str(),
                    reason,
                    source.clone(),
                );
            } else if !policy.attached.contains(&tie) {
                policy.attached.push(tie);
            }
        }
    }
}
