//! Which role or scope is missing, and what stays unseen without it: each endpoint is asked once.

use futures_util::{StreamExt as _, stream};
use keymuster_api::{ConnectorError, Preflight};
use keymuster_http::{Answer, Endpoint, Items, Listed, Paging, Rest, Unseen, Wire, Without};
use serde::{Deserialize, Serialize};

#[allow(
    clippy::wildcard_imports,
    reason = "nearly every endpoint is named here"
)]
use crate::{
    connector::Wish,
    endpoints::*,
    names::Names,
    wire::{Group, Me, OwnToken, Project},
};

/// Anything: only whether there is an answer counts.
#[derive(Debug, Deserialize, Serialize)]
struct Anything {}

impl Wire for Anything {}

const OF_INSTANCE: &[&Endpoint] = &[
    &INSTANCE_VARIABLES,
    &INSTANCE_TOKENS,
    &INSTANCE_DEPLOY_TOKENS,
    &INSTANCE_APPLICATIONS,
    &INSTANCE_SERVICE_ACCOUNTS,
    &INSTANCE_HOOKS,
];

const OF_GROUP: &[&Endpoint] = &[
    &GROUP_VARIABLES,
    &GROUP_TOKENS,
    &GROUP_DEPLOY_TOKENS,
    &GROUP_HOOKS,
    &GROUP_MEMBERS,
    &GROUP_SERVICE_ACCOUNTS,
    &MANAGED_TOKENS,
    &MANAGED_KEYS,
];

/// So many of them all groups have; the rest only those at the top.
const OF_ANY_GROUP: usize = 5;

/// Of a project: asked of one; another may give other roles.
const OF_PROJECT: &[&Endpoint] = &[
    &PROJECT_VARIABLES,
    &PROJECT_TOKENS,
    &PROJECT_DEPLOY_TOKENS,
    &PROJECT_DEPLOY_KEYS,
    &PROJECT_TRIGGERS,
    &PROJECT_HOOKS,
    &PROJECT_JOB_TOKEN,
    &PROJECT_SCHEDULES,
    &PROJECT_SECURE_FILES,
    &PROJECT_BRANCHES,
    &PROJECT_ENVIRONMENTS,
    &PROTECTED_ENVIRONMENTS,
    &PROJECT_MEMBERS,
];

/// Looks.
pub(crate) async fn look(
    rest: &Rest<'_>,
    wish: &Wish,
    names: &Names,
) -> Result<Preflight, ConnectorError> {
    let mut missing: Vec<String> = Vec::new();
    let me = who(rest, wish, &mut missing).await;
    if wish.instance {
        ask(rest, wish, OF_INSTANCE, &[], &mut missing).await;
    }
    let (endpoint, parameters) = if names.group.is_empty() {
        (&ALL_PROJECTS, Vec::new())
    } else {
        let group = names.group.as_str();
        let parameters = vec![("group", group)];
        let answer: Answer<Group> = rest
            .one(&GROUP, &parameters, &[("with_projects", "false")])
            .await;
        let found = answer.map_err(|unseen| {
            let why = reason(&unseen);
            ConnectorError::new(format!("the group {group} is not seen: {why}"))
        })?;
        // What only top-level groups have is not missed elsewhere.
        let of = match found.parent_id {
            None => OF_GROUP,
            Some(_) => &OF_GROUP[..OF_ANY_GROUP],
        };
        ask(rest, wish, &[&SUBGROUPS], &parameters, &mut missing).await;
        let by_id = [("group", found.id.as_str())];
        ask(rest, wish, of, &by_id, &mut missing).await;
        (&GROUP_PROJECTS, parameters)
    };
    let first = Endpoint {
        paging: Paging::None,
        ..*endpoint
    };
    let own = if wish.instance || !names.group.is_empty() {
        "false"
    } else {
        "true"
    };
    let query = [
        ("membership", own),
        ("per_page", "100"),
        ("include_subgroups", "true"),
        ("archived", "false"),
    ];
    let listed: Answer<Listed<Project>> = rest.list(&first, &parameters, &query).await;
    let projects = match listed {
        Ok(listed) => listed.items,
        Err(unseen) => {
            missing.push(words(endpoint, &unseen));
            Vec::new()
        }
    };
    if let Some(project) = projects.first() {
        let parameters = [("project", project.id.as_str())];
        ask(rest, wish, OF_PROJECT, &parameters, &mut missing).await;
    }
    missing.sort();
    missing.dedup();
    let whole = match names.group.as_str() {
        "" => format!("all of {}", names.host),
        group => group.to_owned(),
    };
    let more = if projects.len() == 100 {
        "at least "
    } else {
        ""
    };
    Ok(Preflight {
        summary: format!("{me} sees {whole} with {more}{} projects", projects.len()),
        missing,
    })
}

/// Who the token is, and whether it has the scopes that are needed.
async fn who(rest: &Rest<'_>, wish: &Wish, missing: &mut Vec<String>) -> String {
    let own: Answer<OwnToken> = rest.one(&OWN_TOKEN, &[], &[]).await;
    if let Ok(own) = own {
        let has = |scope: &str| own.scopes.iter().any(|one| one == scope || one == "api");
        if !has("read_api") {
            missing
                .push("read_api: the token lacks this scope; unseen stays everything".to_owned());
        }
        if wish.clones && !has("read_repository") {
            missing.push(
                "read_repository: the token lacks this scope; unseen stays what is in the repositories"
                    .to_owned(),
            );
        }
        // A token that may write is more than is needed.
        let more: Vec<&str> = own
            .scopes
            .iter()
            .map(String::as_str)
            .filter(|scope| !scope.starts_with("read_") && *scope != "admin_mode")
            .collect();
        if !more.is_empty() {
            missing.push(format!(
                "nothing, but the token may do more than it needs ({}); read_api and read_repository are enough",
                more.join(", ")
            ));
        }
    }
    let user: Answer<Me> = rest.one(&USER, &[], &[]).await;
    match user {
        Ok(me) if me.is_admin => format!("the token of the administrator {}", me.username),
        Ok(me) => format!("the token of {}", me.username),
        Err(_) => "the token".to_owned(),
    }
}

async fn ask(
    rest: &Rest<'_>,
    wish: &Wish,
    endpoints: &[&Endpoint],
    parameters: &[(&str, &str)],
    missing: &mut Vec<String>,
) {
    let asked = endpoints
        .iter()
        .filter(|endpoint| !wish.leaves_out(endpoint))
        .map(|endpoint| async move {
            let answer = if endpoint.items == Items::One {
                let one = rest.one::<Anything>(endpoint, parameters, &[]).await;
                one.map(|_| ())
            } else {
                // One entry is enough, and no second page.
                let first = Endpoint {
                    paging: Paging::None,
                    ..**endpoint
                };
                let page = [("per_page", "1")];
                let list = rest.list::<Anything>(&first, parameters, &page).await;
                list.map(|_| ())
            };
            (*endpoint, answer)
        });
    let answers: Vec<(&Endpoint, Answer<()>)> = stream::iter(asked).buffered(8).collect().await;
    for (endpoint, answer) in answers {
        match answer {
            Ok(()) => {}
            Err(Unseen::Unsupported(_)) if endpoint.without == Without::Nothing => {}
            Err(unseen) => missing.push(words(endpoint, &unseen)),
        }
    }
}

fn words(endpoint: &Endpoint, unseen: &Unseen) -> String {
    format!(
        "{}: GET {} is {} ({}); unseen stay {}",
        endpoint.needs,
        endpoint.path,
        unseen.word(),
        reason(unseen),
        endpoint.unseen
    )
}

fn reason(unseen: &Unseen) -> String {
    match unseen {
        Unseen::Denied(reason) | Unseen::Unsupported(reason) | Unseen::Failed(_, reason) => {
            reason.clone()
        }
        Unseen::Absent => "it is not there, or hidden from the token".to_owned(),
    }
}
