//! What is asked of each repository, many at once; facts come in the order of their names.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use keymuster_api::{GapKind, Item, Key, Lead, Source, store};
use keymuster_http::{Answer, Endpoint, Listed, Owner, Rest, Unseen, Wire};

#[allow(
    clippy::wildcard_imports,
    reason = "nearly every endpoint is named here"
)]
use crate::{
    Book,
    bulk::Outline,
    connector::Wish,
    endpoints::*,
    facts::{self, Shelf},
    names::Names,
    organization::PAGE,
    wire::{
        ActionsPermissions, DeployKey, Environment, Hook, OidcSubject, Repository, Secret, Team,
        Variable, WorkflowPermissions,
    },
};

/// Repositories that are asked at once; the gate bounds calls.
const AT_ONCE: usize = 24;
/// Environments of one repository; pull request previews make thousands.
const ENVIRONMENTS: usize = 1000;

/// What was asked; `None` where that was left out.
type Asked<T> = Option<Answer<T>>;

/// An environment's name, its secrets, its variables.
type OfEnvironment = (String, Asked<Listed<Secret>>, Asked<Listed<Variable>>);

/// Everything that one repository answered.
#[derive(Default)]
struct Answers {
    secrets: Vec<(&'static Endpoint, &'static str, Asked<Listed<Secret>>)>,
    variables: Vec<(&'static Endpoint, &'static str, Asked<Listed<Variable>>)>,
    environments: Asked<Listed<Environment>>,
    of_environments: Vec<OfEnvironment>,
    keys: Asked<Listed<DeployKey>>,
    hooks: Asked<Listed<Hook>>,
    teams: Asked<Listed<Team>>,
    actions: Asked<ActionsPermissions>,
    workflows: Asked<WorkflowPermissions>,
    oidc: Asked<OidcSubject>,
    /// It was listed, and is not there any more.
    is_gone: bool,
}

/// The answers of one repository, being collected.
struct One<'a> {
    rest: &'a Rest<'a>,
    wish: &'a Wish,
    owner: &'a str,
    name: &'a str,
}

impl One<'_> {
    async fn list<T: Wire>(&self, endpoint: &Endpoint) -> Asked<Listed<T>> {
        if self.wish.leaves_out(endpoint) {
            return None;
        }
        let parameters = [("owner", self.owner), ("repo", self.name)];
        Some(self.rest.list(endpoint, &parameters, &[PAGE]).await)
    }

    async fn of_environment<T: Wire>(
        &self,
        endpoint: &Endpoint,
        environment: &str,
    ) -> Asked<Listed<T>> {
        if self.wish.leaves_out(endpoint) {
            return None;
        }
        let parameters = [
            ("owner", self.owner),
            ("repo", self.name),
            ("environment_name", environment),
        ];
        Some(self.rest.list(endpoint, &parameters, &[PAGE]).await)
    }

    async fn one<T: Wire>(&self, endpoint: &Endpoint) -> Asked<T> {
        if self.wish.leaves_out(endpoint) {
            return None;
        }
        let parameters = [("owner", self.owner), ("repo", self.name)];
        Some(self.rest.one(endpoint, &parameters, &[]).await)
    }

    async fn all(&self, outline: Option<&Outline>) -> Answers {
        // What a question about many told to be empty is not asked again.
        let is_none = |count: Option<u64>| count == Some(0);
        let mut answers = Answers {
            secrets: vec![
                (
                    &REPO_ACTIONS_SECRETS,
                    store::ACTIONS_SECRET,
                    self.list(&REPO_ACTIONS_SECRETS).await,
                ),
                (
                    &REPO_DEPENDABOT_SECRETS,
                    store::DEPENDABOT_SECRET,
                    self.list(&REPO_DEPENDABOT_SECRETS).await,
                ),
                (
                    &REPO_CODESPACES_SECRETS,
                    store::CODESPACES_SECRET,
                    self.list(&REPO_CODESPACES_SECRETS).await,
                ),
                (
                    &REPO_AGENTS_SECRETS,
                    store::AGENTS_SECRET,
                    self.list(&REPO_AGENTS_SECRETS).await,
                ),
            ],
            variables: vec![
                (
                    &REPO_ACTIONS_VARIABLES,
                    store::ACTIONS_VARIABLE,
                    self.list(&REPO_ACTIONS_VARIABLES).await,
                ),
                (
                    &REPO_AGENTS_VARIABLES,
                    store::AGENTS_VARIABLE,
                    self.list(&REPO_AGENTS_VARIABLES).await,
                ),
            ],
            environments: if is_none(outline.and_then(|outline| outline.environments)) {
                Some(Ok(Listed::default()))
            } else {
                self.list(&REPO_ENVIRONMENTS).await
            },
            keys: if is_none(outline.and_then(|outline| outline.keys)) {
                Some(Ok(Listed::default()))
            } else {
                self.list(&REPO_KEYS).await
            },
            hooks: self.list(&REPO_HOOKS).await,
            teams: self.list(&REPO_TEAMS).await,
            actions: self.one(&REPO_ACTIONS_PERMISSIONS).await,
            workflows: self.one(&REPO_WORKFLOW_PERMISSIONS).await,
            oidc: self.one(&REPO_OIDC).await,
            ..Answers::default()
        };
        if let Some(Ok(environments)) = &answers.environments {
            for environment in environments.items.iter().take(ENVIRONMENTS) {
                let name = environment.name.as_str();
                let secrets = self.of_environment(&ENV_SECRETS, name).await;
                let variables = self.of_environment(&ENV_VARIABLES, name).await;
                answers
                    .of_environments
                    .push((name.to_owned(), secrets, variables));
            }
        }
        if answers.is_blind() {
            let probe: Asked<Repository> = self.one(&REPO).await;
            answers.is_gone = matches!(probe, Some(Err(Unseen::Absent)));
        }
        answers
    }
}

impl Answers {
    /// Whether nothing that always exists was seen: then the repository may be gone.
    fn is_blind(&self) -> bool {
        let of_slots = self
            .secrets
            .iter()
            .all(|(_, _, asked)| !matches!(asked, Some(Ok(_))));
        let is_unseen = |asked: &Asked<Listed<Hook>>| matches!(asked, Some(Err(_)));
        of_slots && is_unseen(&self.hooks) && matches!(self.teams, Some(Err(_)))
    }
}

/// All repositories: leads, settings, slots, keys, webhooks, owners.
pub(crate) async fn sweep(
    rest: &Rest<'_>,
    wish: &Wish,
    book: &mut Book<'_>,
    named: &BTreeMap<String, Vec<Owner>>,
    outlines: &BTreeMap<String, Outline>,
    progress: &dyn keymuster_api::Progress,
) {
    let scope = book.names.organization();
    let organization = book.names.organization.clone();
    let query = [PAGE, ("type", "all"), ("sort", "full_name")];
    let answer: Answer<Listed<Repository>> = rest
        .list(&ORG_REPOS, &[("org", &organization)], &query)
        .await;
    book.tally.list(&scope, &ORG_REPOS, &answer);
    let mut repositories = answer.map(|listed| listed.items).unwrap_or_default();
    repositories.sort_by(|a, b| a.full_name.cmp(&b.full_name));
    repositories.dedup_by(|a, b| a.full_name == b.full_name);
    repositories.retain(|repository| is_askable(book, repository));
    progress.expect(0, repositories.len() as u64);
    let names = book.names.clone();
    let source = book.source(&ORG_REPOS, &[("org", &organization)]);
    if wish.clones {
        for repository in &repositories {
            lead(book, wish, repository, &source);
        }
    }
    let asked = repositories.iter().map(|repository| {
        let outline = outlines.get(&names.repository(&repository.full_name));
        async move {
            let (owner, name) = split(&repository.full_name);
            let one = One {
                rest,
                wish,
                owner,
                name,
            };
            (repository, outline, one.all(outline).await)
        }
    });
    let mut answers = stream::iter(asked).buffered(AT_ONCE);
    while let Some((repository, outline, answers)) = answers.next().await {
        let scope = names.repository(&repository.full_name);
        facts::repository(book, &scope, repository, &source);
        let of_properties = named.get(&scope).map_or(&[][..], Vec::as_slice);
        write(book, &names, repository, outline, of_properties, answers);
        progress.advance(0, 1);
    }
}

fn split(full_name: &str) -> (&str, &str) {
    full_name.split_once('/').unwrap_or(("", full_name))
}

/// A name that no repository can have would lead calls and clones elsewhere.
fn is_askable(book: &mut Book<'_>, repository: &Repository) -> bool {
    let is_plain = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        part.bytes().all(is_plain)
            && part.bytes().any(|byte| byte != b'.')
            && !part.starts_with('-')
    };
    let (owner, name) = split(&repository.full_name);
    let is_askable = is_plain(owner) && is_plain(name);
    if !is_askable {
        let scope = book.names.repository(&repository.full_name);
        let reason =
            "its name is none that a repository can have, so it is not asked for".to_owned();
        book.tally.gap(&scope, &ORG_REPOS, GapKind::Corrupt, reason);
    }
    is_askable
}

fn lead(book: &mut Book<'_>, wish: &Wish, repository: &Repository, source: &Source) {
    if repository.disabled {
        return;
    }
    // The address is ours, not the host's.
    let (owner, name) = split(&repository.full_name);
    book.emit(Item::Lead(Lead {
        connector: "git",
        address: format!("{}/{owner}/{name}.git", wish.git),
        name: repository.full_name.clone(),
        source: source.clone(),
    }));
}

fn write(
    book: &mut Book<'_>,
    names: &Names,
    repository: &Repository,
    outline: Option<&Outline>,
    of_properties: &[Owner],
    answers: Answers,
) {
    let scope = names.repository(&repository.full_name);
    let (owner, name) = split(&repository.full_name);
    let parameters = [("owner", owner), ("repo", name)];
    if answers.is_gone {
        return book.tally.unseen(&scope, &REPO, &Unseen::Absent);
    }
    let owners = owners(
        book,
        &scope,
        &parameters,
        outline,
        of_properties,
        answers.teams.as_ref(),
    );
    for (endpoint, store, asked) in &answers.secrets {
        let source = book.source(endpoint, &parameters);
        let shelf = Shelf {
            scope: &scope,
            store,
            owners: &owners,
            source: &source,
        };
        for secret in count(book, &scope, endpoint, asked.as_ref()) {
            facts::secret(book, &shelf, secret, &[]);
        }
    }
    for (endpoint, store, asked) in &answers.variables {
        let source = book.source(endpoint, &parameters);
        let shelf = Shelf {
            scope: &scope,
            store,
            owners: &owners,
            source: &source,
        };
        for variable in count(book, &scope, endpoint, asked.as_ref()) {
            facts::variable(book, &shelf, variable, &[]);
        }
    }
    environments(book, names, repository, &owners, &answers);
    let source = book.source(&REPO_KEYS, &parameters);
    for key in count(book, &scope, &REPO_KEYS, answers.keys.as_ref()) {
        facts::deploy_key(book, &scope, &owners, key, &source);
    }
    let source = book.source(&REPO_HOOKS, &parameters);
    for hook in count(book, &scope, &REPO_HOOKS, answers.hooks.as_ref()) {
        facts::hook(book, &scope, &owners, hook, &source);
    }
    if let Some(found) = counted(book, &scope, &REPO_ACTIONS_PERMISSIONS, answers.actions) {
        let source = book.source(&REPO_ACTIONS_PERMISSIONS, &parameters);
        facts::actions(book, &scope, &found, &source);
    }
    if let Some(found) = counted(book, &scope, &REPO_WORKFLOW_PERMISSIONS, answers.workflows) {
        let source = book.source(&REPO_WORKFLOW_PERMISSIONS, &parameters);
        facts::workflows(book, &scope, &found, &source);
    }
    if let Some(found) = counted(book, &scope, &REPO_OIDC, answers.oidc) {
        let source = book.source(&REPO_OIDC, &parameters);
        facts::oidc(book, &scope, &found, &source);
    }
}

/// Counts a list, and gives what was read of it.
fn count<'l, T>(
    book: &mut Book<'_>,
    scope: &str,
    endpoint: &Endpoint,
    asked: Option<&'l Answer<Listed<T>>>,
) -> &'l [T] {
    let Some(answer) = asked else {
        return &[];
    };
    book.tally.list(scope, endpoint, answer);
    answer
        .as_ref()
        .map_or(&[], |listed| listed.items.as_slice())
}

fn counted<T>(book: &mut Book<'_>, scope: &str, endpoint: &Endpoint, asked: Asked<T>) -> Option<T> {
    let answer = asked?;
    book.tally.one(scope, endpoint, &answer);
    answer.ok()
}

/// Environments with their secrets and variables.
fn environments(
    book: &mut Book<'_>,
    names: &Names,
    repository: &Repository,
    owners: &[Owner],
    answers: &Answers,
) {
    let (owner, name) = split(&repository.full_name);
    let scope = names.repository(&repository.full_name);
    let source = book.source(&REPO_ENVIRONMENTS, &[("owner", owner), ("repo", name)]);
    let all = count(
        book,
        &scope,
        &REPO_ENVIRONMENTS,
        answers.environments.as_ref(),
    );
    if all.len() > ENVIRONMENTS {
        let reason = format!(
            "only the first {ENVIRONMENTS} of its {} environments were looked into",
            all.len()
        );
        book.tally.gap(&scope, &ENV_SECRETS, GapKind::Limit, reason);
    }
    for environment in all {
        let scope = names.environment(&repository.full_name, &environment.name);
        facts::environment(book, &scope, environment, &source);
        book.setting(
            &Key(scope),
            "repository",
            &names.repository(&repository.full_name),
            &source,
        );
    }
    for (environment, secrets, variables) in &answers.of_environments {
        let scope = names.environment(&repository.full_name, environment);
        let parameters = [
            ("owner", owner),
            ("repo", name),
            ("environment_name", environment.as_str()),
        ];
        let source = book.source(&ENV_SECRETS, &parameters);
        let shelf = Shelf {
            scope: &scope,
            store: store::ACTIONS_SECRET,
            owners,
            source: &source,
        };
        for secret in count(book, &scope, &ENV_SECRETS, secrets.as_ref()) {
            facts::secret(book, &shelf, secret, &[]);
        }
        let source = book.source(&ENV_VARIABLES, &parameters);
        let shelf = Shelf {
            store: store::ACTIONS_VARIABLE,
            source: &source,
            ..shelf
        };
        for variable in count(book, &scope, &ENV_VARIABLES, variables.as_ref()) {
            facts::variable(book, &shelf, variable, &[]);
        }
    }
}

/// Who answers for a repository, each once, told for it and lent to what lies in it.
fn owners(
    book: &mut Book<'_>,
    scope: &str,
    parameters: &[(&str, &str)],
    outline: Option<&Outline>,
    of_properties: &[Owner],
    teams: Option<&Answer<Listed<Team>>>,
) -> Vec<Owner> {
    let mut owners = of_properties.to_vec();
    if let Some((text, path)) = outline.and_then(|outline| outline.codeowners.as_ref()) {
        let source = Source {
            system: book.system,
            locator: format!("{scope}:{path}"),
        };
        owners.extend(facts::codeowner(text, &source));
    }
    let source = book.source(&REPO_TEAMS, parameters);
    let teams = count(book, scope, &REPO_TEAMS, teams);
    owners.extend(facts::teams(&book.names.organization, teams, &source));
    owners.sort_by(|a, b| (&a.party, a.role, &a.source).cmp(&(&b.party, b.role, &b.source)));
    owners.dedup();
    book.claims(&Key(scope.to_owned()), &owners);
    owners
}
