//! Service accounts, and who answers for their projects: accounts have no labels of their own.

use std::collections::BTreeMap;

use keymuster_api::{
    Claim, Identity, IdentityKind, Item, Key, Known, Reference, Source, Status, Timestamp,
};
use keymuster_exports::owner_word;

use super::Book;
use crate::place::{number_of_mail, project_in, project_of_mail};

/// How much less a label of the project says than one of the account would, in percent.
const FURTHER: u8 = 20;

/// A principal of which nothing but its name is known.
pub(super) fn blank(key: &Key, kind: IdentityKind, name: &str, source: &Source) -> Identity {
    Identity {
        key: key.clone(),
        kind,
        name: name.to_owned(),
        provider: "gcp".to_owned(),
        account: None,
        status: Status::Active,
        created: Known::Unsupported,
        last_used: Known::Unknown,
        interactive: match kind {
            IdentityKind::ServiceAccount | IdentityKind::App => Known::Known(false),
            _ => Known::Unsupported,
        },
        mfa: Known::Unsupported,
        tags: Vec::new(),
        source: source.clone(),
    }
}

/// The key of a service account: its mail.
pub(super) fn key_of(mail: &str) -> Key {
    Key(mail.trim().to_lowercase())
}

/// Whether Google makes and uses an account itself: its service agents.
/// (cloud.google.com/iam/docs/service-agents)
pub(super) fn is_agent(mail: &str) -> bool {
    let Some((name, host)) = mail.split_once('@') else {
        return false;
    };
    let numbered = name.strip_prefix("service-").is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    host.starts_with("gcp-sa-")
        || (numbered && host.ends_with(".gserviceaccount.com"))
        || host == "cloudservices.gserviceaccount.com"
}

/// Accounts, their last use, what runs as them.
pub(super) fn collect(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    let mut used: BTreeMap<Key, Known<Timestamp>> = BTreeMap::new();
    for activity in &parts.activities {
        let name = &activity.value.full_resource_name;
        if let Some((_, mail)) = name.split_once("/serviceAccounts/")
            && !mail.contains('/')
        {
            let at = activity.value.activity.last_authenticated_time;
            used.insert(key_of(mail), at.map_or(Known::Never, Known::Known));
        }
    }
    for account in &parts.accounts {
        let value = &account.value;
        let key = key_of(&value.email);
        let project = value
            .project_id
            .as_deref()
            .or_else(|| project_in(&value.name))
            .or_else(|| project_of_mail(&value.email))
            .or_else(|| number_of_mail(&value.email));
        let project = project.map(|id| book.project(id));
        let mut identity = blank(
            &key,
            IdentityKind::ServiceAccount,
            &value.email,
            &account.source,
        );
        if let Some(project) = &project {
            book.see_project(project, &account.source);
        }
        identity.account = project;
        if value.disabled {
            identity.status = Status::Disabled;
        }
        identity.last_used = used.get(&key).copied().unwrap_or_default();
        for (name, text) in [
            ("display-name", &value.display_name),
            ("description", &value.description),
        ] {
            if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
                identity
                    .tags
                    .push((name.to_owned(), book.reader.clean(text)));
            }
        }
        book.identities.entry(key).or_insert(identity);
    }
    for project in &parts.projects {
        let id = project.value.project_id.clone();
        book.see_project(&id, &project.source);
    }
    for instance in &parts.instances {
        for account in &instance.value.service_accounts {
            book.items.push(Item::Reference(Reference {
                by: Key(format!("gcp:instance:{}", instance.value.self_link)),
                to: key_of(&account.email),
                source: instance.source.clone(),
            }));
        }
    }
}

/// Labels of a project speak for its accounts.
pub(super) fn claims(book: &mut Book<'_, '_>) {
    let parts = book.parts;
    let mut claims = Vec::new();
    for project in &parts.projects {
        let value = &project.value;
        let owners: Vec<_> = value
            .labels
            .iter()
            .filter_map(|(name, party)| Some((owner_word(name)?, book.reader.clean(party))))
            .filter(|(_, party)| !party.trim().is_empty())
            .collect();
        for identity in book.identities.values() {
            let is_here = identity.kind == IdentityKind::ServiceAccount
                && identity.account.as_deref() == Some(value.project_id.as_str());
            if !is_here {
                continue;
            }
            for ((role, confidence), party) in &owners {
                claims.push(Item::Claim(Claim {
                    subject: identity.key.clone(),
                    party: party.trim().to_owned(),
                    role: *role,
                    observed: None,
                    confidence: confidence.saturating_sub(FURTHER),
                    source: project.source.clone(),
                }));
            }
        }
    }
    book.items.append(&mut claims);
}
