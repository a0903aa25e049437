//! Which permission is missing, and what stays unseen without it: each endpoint is asked once.

use futures_util::{StreamExt as _, stream};
use keymuster_api::{ConnectorError, Preflight};
use keymuster_http::{Answer, Endpoint, Items, Listed, Rest, Unseen, Wire, Without};
use serde::{Deserialize, Serialize};

#[allow(
    clippy::wildcard_imports,
    reason = "nearly every endpoint is named here"
)]
use crate::{
    connector::Wish,
    endpoints::*,
    names::Names,
    wire::{Me, Organization, Repository},
};

/// Anything: only whether there is an answer counts.
#[derive(Debug, Deserialize, Serialize)]
struct Anything {}

impl Wire for Anything {}

/// Of the organisation.
const OF_ORGANIZATION: &[&Endpoint] = &[
    &ORG_REPOS,
    &ORG_ACTIONS_SECRETS,
    &ORG_ACTIONS_VARIABLES,
    &ORG_DEPENDABOT_SECRETS,
    &ORG_CODESPACES_SECRETS,
    &ORG_AGENTS_SECRETS,
    &ORG_AGENTS_VARIABLES,
    &ORG_ACTIONS_PERMISSIONS,
    &ORG_WORKFLOW_PERMISSIONS,
    &ORG_OIDC,
    &ORG_PATS,
    &ORG_PAT_REQUESTS,
    &ORG_AUTHORIZATIONS,
    &ORG_INSTALLATIONS,
    &ORG_HOOKS,
    &ORG_AUDIT_LOG,
    &ORG_PROPERTIES,
];

/// Of a repository: asked of one, as the permission holds for all or none.
const OF_REPOSITORY: &[&Endpoint] = &[
    &REPO_ACTIONS_SECRETS,
    &REPO_ACTIONS_VARIABLES,
    &REPO_DEPENDABOT_SECRETS,
    &REPO_CODESPACES_SECRETS,
    &REPO_AGENTS_SECRETS,
    &REPO_AGENTS_VARIABLES,
    &REPO_ENVIRONMENTS,
    &REPO_KEYS,
    &REPO_HOOKS,
    &REPO_ACTIONS_PERMISSIONS,
    &REPO_WORKFLOW_PERMISSIONS,
    &REPO_OIDC,
    &REPO_TEAMS,
];

/// Looks.
pub(crate) async fn look(
    rest: &Rest<'_>,
    wish: &Wish,
    names: &Names,
) -> Result<Preflight, ConnectorError> {
    let organization = names.organization.as_str();
    let me = who(rest).await;
    let answer: Answer<Organization> = rest.one(&ORG, &[("org", organization)], &[]).await;
    if let Err(unseen) = answer {
        return Err(ConnectorError::new(format!(
            "the organisation {organization} is not seen: {}",
            reason(&unseen)
        )));
    }
    let mut missing: Vec<String> = Vec::new();
    ask(
        rest,
        wish,
        OF_ORGANIZATION,
        &[("org", organization)],
        &mut missing,
    )
    .await;
    let listed: Answer<Listed<Repository>> = rest
        .list(&ORG_REPOS, &[("org", organization)], &[("per_page", "100")])
        .await;
    let repositories = listed.map(|listed| listed.items).unwrap_or_default();
    let sample = repositories.iter().find(|repository| !repository.archived);
    if let Some((owner, name)) = sample.and_then(|repository| repository.full_name.split_once('/'))
    {
        ask(
            rest,
            wish,
            OF_REPOSITORY,
            &[("owner", owner), ("repo", name)],
            &mut missing,
        )
        .await;
    }
    missing.sort();
    missing.dedup();
    Ok(Preflight {
        summary: format!(
            "{me} sees {organization} with {} repositories",
            repositories.len()
        ),
        missing,
    })
}

async fn who(rest: &Rest<'_>) -> String {
    let user: Answer<Me> = rest.one(&USER, &[], &[]).await;
    if let Ok(Me {
        login: Some(login), ..
    }) = &user
    {
        return format!("the token of {login}");
    }
    let app: Answer<Listed<Anything>> = rest
        .list(&INSTALLATION_REPOS, &[], &[("per_page", "1")])
        .await;
    match app {
        Ok(_) => "the app".to_owned(),
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
                rest.one::<Anything>(endpoint, parameters, &[])
                    .await
                    .map(|_| ())
            } else {
                // One entry is enough, and no second page.
                let first = Endpoint {
                    paging: keymuster_http::Paging::None,
                    ..**endpoint
                };
                rest.list::<Anything>(&first, parameters, &[("per_page", "1")])
                    .await
                    .map(|_| ())
            };
            (*endpoint, answer)
        });
    let answers: Vec<(&Endpoint, Answer<()>)> = stream::iter(asked).buffered(8).collect().await;
    for (endpoint, answer) in answers {
        match answer {
            Ok(()) => {}
            Err(Unseen::Unsupported(_)) if endpoint.without == Without::Nothing => {}
            Err(unseen) => missing.push(format!(
                "{}: GET {} is {} ({}); unseen stay {}",
                endpoint.needs,
                endpoint.path,
                unseen.word(),
                reason(&unseen),
                endpoint.unseen
            )),
        }
    }
}

fn reason(unseen: &Unseen) -> String {
    match unseen {
        Unseen::Denied(reason) | Unseen::Unsupported(reason) | Unseen::Failed(_, reason) => {
            reason.clone()
        }
        Unseen::Absent => "it is not there".to_owned(),
    }
}
