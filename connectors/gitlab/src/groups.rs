//! What is asked of each group, many at once; facts come in the order of their paths.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use keymuster_api::Key;
use keymuster_http::{Answer, Listed, Owner};

#[allow(
    clippy::wildcard_imports,
    reason = "nearly every endpoint of groups is named here"
)]
use crate::{
    Book,
    asking::{Asked, Asking, count, counted},
    endpoints::*,
    facts::{self, Belongs, People, Shelf},
    instance::ACTIVE,
    variables::{How, Place},
    wire::{DeployToken, Group, Hook, Member, ServiceAccount, SshKey, Token, Variable},
};

/// Groups that are asked at once; the gate bounds calls.
const AT_ONCE: usize = 16;

/// What all groups told that is needed for projects.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) people: People,
    /// Who answers for a group, by its path.
    pub(crate) owners: BTreeMap<String, Vec<Owner>>,
    /// Tokens that were told, by their ids.
    pub(crate) tokens: BTreeSet<String>,
    /// Users that are service accounts.
    pub(crate) accounts: BTreeSet<String>,
}

impl Told {
    /// Who answers for a path: the owners of the nearest group that has some.
    pub(crate) fn owners_above(&self, path: &str) -> &[Owner] {
        let mut rest = path;
        while let Some((above, _)) = rest.rsplit_once('/') {
            if let Some(owners) = self.owners.get(above).filter(|owners| !owners.is_empty()) {
                return owners;
            }
            rest = above;
        }
        &[]
    }
}

/// Everything that one group answered.
struct Answers {
    variables: Asked<Listed<Variable>>,
    tokens: Asked<Listed<Token>>,
    deploy_tokens: Asked<Listed<DeployToken>>,
    hooks: Asked<Listed<Hook>>,
    members: Asked<Listed<Member>>,
    accounts: Asked<Listed<ServiceAccount>>,
    of_accounts: Vec<(ServiceAccount, Asked<Listed<Token>>)>,
    managed_tokens: Asked<Listed<Token>>,
    managed_keys: Asked<Listed<SshKey>>,
}

/// The groups that are to be read, sorted by path: one with all below it, or all.
pub(crate) async fn list(asking: &Asking<'_>, book: &mut Book<'_>) -> Vec<Group> {
    let whole = book.names.whole();
    let mut groups: Vec<Group> = Vec::new();
    if book.names.group.is_empty() {
        // Else the public ones of a whole host are listed to everybody.
        let all = if asking.wish.instance {
            "true"
        } else {
            "false"
        };
        let query = [("all_available", all)];
        let asked = asking.list::<Group>(&ALL_GROUPS, &[], &query).await;
        count(book, &whole, &ALL_GROUPS, asked.as_ref());
        groups.extend(asked.into_iter().flatten().flat_map(|listed| listed.items));
    } else {
        let path = book.names.group.clone();
        let parameters = [("group", path.as_str())];
        // Without that, the answer has all its projects in it.
        let query = [("with_projects", "false")];
        let asked = asking.one::<Group>(&GROUP, &parameters, &query).await;
        let top = counted(book, &whole, &GROUP, asked.as_ref());
        groups.extend(top.cloned());
        let asked = asking.list::<Group>(&SUBGROUPS, &parameters, &[]).await;
        count(book, &whole, &SUBGROUPS, asked.as_ref());
        groups.extend(asked.into_iter().flatten().flat_map(|listed| listed.items));
    }
    groups.sort_by(|a, b| a.full_path.cmp(&b.full_path));
    groups.dedup_by(|a, b| a.id == b.id);
    groups
}

async fn ask(asking: Asking<'_>, how: How, of: &Group) -> Answers {
    let group = [("group", of.id.as_str())];
    let place = Place::Group(&of.full_path, &of.id);
    let is_top = of.parent_id.is_none();
    let mut answers = Answers {
        variables: match asking.wish.leaves_out(&GROUP_VARIABLES) {
            true => None,
            false => Some(place.read(asking.rest, how).await),
        },
        tokens: asking.list(&GROUP_TOKENS, &group, &[ACTIVE]).await,
        deploy_tokens: asking.list(&GROUP_DEPLOY_TOKENS, &group, &[]).await,
        hooks: asking.list(&GROUP_HOOKS, &group, &[]).await,
        members: asking.list(&GROUP_MEMBERS, &group, &[]).await,
        accounts: None,
        of_accounts: Vec::new(),
        managed_tokens: None,
        managed_keys: None,
    };
    if is_top {
        let accounts: Asked<Listed<ServiceAccount>> =
            asking.list(&GROUP_SERVICE_ACCOUNTS, &group, &[]).await;
        for account in accounts.iter().flatten().flat_map(|listed| &listed.items) {
            let of_account = [("group", of.id.as_str()), ("user", account.id.as_str())];
            let tokens = asking
                .list(&SERVICE_ACCOUNT_TOKENS, &of_account, &[ACTIVE])
                .await;
            answers.of_accounts.push((account.clone(), tokens));
        }
        answers.accounts = accounts;
        answers.managed_tokens = asking.list(&MANAGED_TOKENS, &group, &[ACTIVE]).await;
        answers.managed_keys = asking.list(&MANAGED_KEYS, &group, &[]).await;
    }
    answers
}

/// All groups.
pub(crate) async fn sweep(
    asking: &Asking<'_>,
    book: &mut Book<'_>,
    how: How,
    groups: &[Group],
) -> Told {
    let mut told = Told::default();
    let asked = groups.iter().map(|group| async move {
        let answers = ask(*asking, how, group).await;
        (group, answers)
    });
    // Who users are is told by members of any group: so all of it is heard before it is written.
    let all: Vec<(&Group, Answers)> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    for (_, answers) in &all {
        let members = answers.members.iter().flatten();
        members.for_each(|listed| told.people.learn(&listed.items));
        for (account, _) in &answers.of_accounts {
            told.people.name(&account.id, &account.username);
            told.accounts.insert(account.id.clone());
        }
    }
    for (group, answers) in &all {
        write(book, &mut told, group, answers);
    }
    told
}

fn write(book: &mut Book<'_>, told: &mut Told, group: &Group, answers: &Answers) {
    let path = group.full_path.as_str();
    let scope = book.names.scope(path);
    let parameters = [("group", group.id.as_str())];
    let from = book.source(&GROUP, &parameters);
    facts::group(book, group, &from);
    let from = book.source(&GROUP_MEMBERS, &parameters);
    let members = count(book, &scope, &GROUP_MEMBERS, answers.members.as_ref());
    let owners = facts::owners(members, &from);
    book.claims(&Key(scope.clone()), &owners);
    let from = book.source(&GROUP_VARIABLES, &parameters);
    let shelf = Shelf {
        path,
        owners: &owners,
        source: &from,
    };
    for one in count(book, &scope, &GROUP_VARIABLES, answers.variables.as_ref()) {
        facts::variable(book, &shelf, one);
    }
    let from = book.source(&GROUP_TOKENS, &parameters);
    for one in count(book, &scope, &GROUP_TOKENS, answers.tokens.as_ref()) {
        told.tokens.insert(one.id.clone());
        let whose = Belongs::Group(path);
        facts::token(book, whose, &told.people, &owners, one, &from);
    }
    let from = book.source(&GROUP_DEPLOY_TOKENS, &parameters);
    let asked = answers.deploy_tokens.as_ref();
    for one in count(book, &scope, &GROUP_DEPLOY_TOKENS, asked) {
        facts::deploy_token(book, path, &owners, one, &from);
    }
    let from = book.source(&GROUP_HOOKS, &parameters);
    for one in count(book, &scope, &GROUP_HOOKS, answers.hooks.as_ref()) {
        facts::hook(book, path, &owners, one, &from);
    }
    if group.parent_id.is_none() {
        top(book, told, group, &owners, answers);
    }
    told.owners.insert(path.to_owned(), owners);
}

/// What only top-level groups have: service accounts, and users that belong to them.
fn top(book: &mut Book<'_>, told: &mut Told, group: &Group, owners: &[Owner], answers: &Answers) {
    let path = group.full_path.as_str();
    let scope = book.names.scope(path);
    let parameters = [("group", group.id.as_str())];
    let from = book.source(&GROUP_SERVICE_ACCOUNTS, &parameters);
    let asked = answers.accounts.as_ref();
    for account in count(book, &scope, &GROUP_SERVICE_ACCOUNTS, asked) {
        facts::service_account(book, path, account, &from);
        book.claims(&book.names.user(&account.id), owners);
    }
    for (account, tokens) in &answers.of_accounts {
        let of_account = [("group", group.id.as_str()), ("user", account.id.as_str())];
        let from = book.source(&SERVICE_ACCOUNT_TOKENS, &of_account);
        for one in count(book, &scope, &SERVICE_ACCOUNT_TOKENS, tokens.as_ref()) {
            told.tokens.insert(one.id.clone());
            let whose = Belongs::ServiceAccount(path, &account.username);
            facts::token(book, whose, &told.people, owners, one, &from);
        }
    }
    let from = book.source(&MANAGED_TOKENS, &parameters);
    let asked: Option<&Answer<Listed<Token>>> = answers.managed_tokens.as_ref();
    for one in count(book, &scope, &MANAGED_TOKENS, asked) {
        if told.tokens.insert(one.id.clone()) {
            facts::token(book, Belongs::Person(path), &told.people, &[], one, &from);
        }
    }
    let from = book.source(&MANAGED_KEYS, &parameters);
    for one in count(book, &scope, &MANAGED_KEYS, answers.managed_keys.as_ref()) {
        facts::ssh_key(book, path, &told.people, one, &from);
    }
}
