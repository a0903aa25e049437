//! What is asked of each project, many at once; facts come in the order of their paths.

use futures_util::{StreamExt as _, stream};
use keymuster_api::{GapKind, Item, Key, Lead, Progress, Source};
use keymuster_http::{Endpoint, Listed, Owner, Unseen};

#[allow(
    clippy::wildcard_imports,
    reason = "nearly every endpoint of projects is named here"
)]
use crate::{
    Book,
    asking::{Asked, Asking, count, counted},
    connector::Wish,
    endpoints::*,
    facts::{self, Belongs, Shelf},
    groups::Told,
    instance::ACTIVE,
    variables::{How, Place},
    wire::{
        DeployKey, DeployToken, Environment, Hook, JobTokenScope, Member, Project, ProtectedBranch,
        ProtectedEnvironment, Schedule, SecureFile, Token, Trigger, Variable,
    },
};

/// Projects that are asked at once; the gate bounds calls.
const AT_ONCE: usize = 24;
/// Schedules of one project that are asked for their variables.
const SCHEDULES: usize = 200;

/// Everything that one project answered.
struct Answers {
    variables: Asked<Listed<Variable>>,
    tokens: Asked<Listed<Token>>,
    deploy_tokens: Asked<Listed<DeployToken>>,
    deploy_keys: Asked<Listed<DeployKey>>,
    triggers: Asked<Listed<Trigger>>,
    hooks: Asked<Listed<Hook>>,
    job_token: Asked<JobTokenScope>,
    schedules: Asked<Listed<Schedule>>,
    of_schedules: Vec<Asked<Schedule>>,
    secure_files: Asked<Listed<SecureFile>>,
    branches: Asked<Listed<ProtectedBranch>>,
    environments: Asked<Listed<Environment>>,
    protected: Asked<Listed<ProtectedEnvironment>>,
    members: Asked<Listed<Member>>,
}

async fn ask(asking: Asking<'_>, how: How, of: &Project) -> Answers {
    let project = [("project", of.id.as_str())];
    let place = Place::Project(&of.path_with_namespace, &of.id);
    let mut answers = Answers {
        variables: match asking.wish.leaves_out(&PROJECT_VARIABLES) {
            true => None,
            false => Some(place.read(asking.rest, how).await),
        },
        tokens: asking.list(&PROJECT_TOKENS, &project, &[ACTIVE]).await,
        deploy_tokens: asking.list(&PROJECT_DEPLOY_TOKENS, &project, &[]).await,
        deploy_keys: asking.list(&PROJECT_DEPLOY_KEYS, &project, &[]).await,
        triggers: asking.list(&PROJECT_TRIGGERS, &project, &[]).await,
        hooks: asking.list(&PROJECT_HOOKS, &project, &[]).await,
        job_token: asking.one(&PROJECT_JOB_TOKEN, &project, &[]).await,
        schedules: asking.list(&PROJECT_SCHEDULES, &project, &[]).await,
        of_schedules: Vec::new(),
        secure_files: asking.list(&PROJECT_SECURE_FILES, &project, &[]).await,
        branches: asking.list(&PROJECT_BRANCHES, &project, &[]).await,
        environments: asking.list(&PROJECT_ENVIRONMENTS, &project, &[]).await,
        protected: asking.list(&PROTECTED_ENVIRONMENTS, &project, &[]).await,
        members: asking.list(&PROJECT_MEMBERS, &project, &[]).await,
    };
    if let Some(Ok(schedules)) = &answers.schedules {
        for schedule in schedules.items.iter().take(SCHEDULES) {
            let one = [project[0], ("schedule", schedule.id.as_str())];
            let asked = asking.one(&PROJECT_SCHEDULE, &one, &[]).await;
            answers.of_schedules.push(asked);
        }
    }
    answers
}

impl Answers {
    /// Whether the host knows no such project any more: it says so for every list.
    fn is_gone(&self) -> bool {
        fn says<T>(asked: &Asked<T>) -> Option<bool> {
            Some(matches!(asked.as_ref()?, Err(Unseen::Absent)))
        }
        let all = [
            says(&self.variables),
            says(&self.deploy_tokens),
            says(&self.deploy_keys),
            says(&self.hooks),
            says(&self.branches),
            says(&self.members),
        ];
        let mut asked = all.into_iter().flatten().peekable();
        asked.peek().is_some() && asked.all(|is_absent| is_absent)
    }
}

/// Names and values of a question.
type Pairs<'p> = Vec<(&'static str, &'p str)>;

/// The endpoint that lists projects, its parameters, and further words of the question.
fn where_listed<'p>(group: &'p str, wish: &Wish) -> (&'static Endpoint, Pairs<'p>, Pairs<'static>) {
    // By id and page by page behind the last one, where the host can; else by numbers of pages.
    let keyset = [
        ("pagination", "keyset"),
        ("order_by", "id"),
        ("sort", "asc"),
    ];
    let mut query = keyset.to_vec();
    if group.is_empty() {
        // Else the public ones of a whole host are listed to everybody.
        query.extend((!wish.instance).then_some(("membership", "true")));
        return (&ALL_PROJECTS, Vec::new(), query);
    }
    query.extend([("include_subgroups", "true"), ("with_shared", "false")]);
    (&GROUP_PROJECTS, vec![("group", group)], query)
}

/// All projects: leads, settings, slots, tokens, keys, hooks, owners.
pub(crate) async fn sweep(
    asking: &Asking<'_>,
    book: &mut Book<'_>,
    how: How,
    told: &mut Told,
    progress: &dyn Progress,
) {
    let group = book.names.group.clone();
    let whole = book.names.whole();
    let (endpoint, parameters, query) = where_listed(&group, asking.wish);
    let source = book.source(endpoint, &parameters);
    let asked = asking.list::<Project>(endpoint, &parameters, &query).await;
    count(book, &whole, endpoint, asked.as_ref());
    let listed = asked.into_iter().flatten().flat_map(|listed| listed.items);
    let mut projects: Vec<Project> = listed.collect();
    projects.sort_by(|a, b| a.path_with_namespace.cmp(&b.path_with_namespace));
    projects.dedup_by(|a, b| a.id == b.id);
    projects.retain(|project| is_askable(book, endpoint, project));
    progress.expect(0, projects.len() as u64);
    if asking.wish.clones {
        for project in &projects {
            lead(book, &asking.wish.git, project, &source);
        }
    }
    let asked = projects.iter().map(|project| async move {
        let answers = ask(*asking, how, project).await;
        (project, answers)
    });
    let mut answers = stream::iter(asked).buffered(AT_ONCE);
    while let Some((project, answers)) = answers.next().await {
        write(book, told, project, &answers, &source);
        progress.advance(0, 1);
    }
}

/// A path that no project can have would lead clones elsewhere.
fn is_askable(book: &mut Book<'_>, endpoint: &Endpoint, project: &Project) -> bool {
    let path = project.path_with_namespace.as_str();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(is_plain)
            && part.bytes().any(|byte| byte != b'.')
            && !part.starts_with('-')
    };
    let is_number = project.id.bytes().all(|byte| byte.is_ascii_digit());
    let is_askable = is_number && path.contains('/') && path.split('/').all(is_part);
    if !is_askable {
        let scope = book.names.scope(path);
        let reason = "its path is none that a project can have, so it is not asked for".to_owned();
        book.tally.gap(&scope, endpoint, GapKind::Corrupt, reason);
    }
    is_askable
}

fn lead(book: &mut Book<'_>, git: &str, project: &Project, source: &Source) {
    let is_off = project.repository_access_level.as_deref() == Some("disabled");
    if is_off || project.empty_repo {
        return;
    }
    // The address is ours, not the host's.
    book.emit(Item::Lead(Lead {
        connector: "git",
        address: format!("{git}/{}.git", project.path_with_namespace),
        name: project.path_with_namespace.clone(),
        source: source.clone(),
    }));
}

fn write(
    book: &mut Book<'_>,
    told: &mut Told,
    project: &Project,
    answers: &Answers,
    listed: &Source,
) {
    let path = project.path_with_namespace.as_str();
    let scope = book.names.scope(path);
    if answers.is_gone() {
        return book
            .tally
            .unseen(&scope, &PROJECT_VARIABLES, &Unseen::Absent);
    }
    facts::project(book, project, listed);
    let owners = owners(book, told, project, answers);
    slots(book, project, &owners, answers);
    tokens(book, told, project, &owners, answers);
    let parameters = [("project", project.id.as_str())];
    let from = book.source(&PROJECT_DEPLOY_KEYS, &parameters);
    let asked = answers.deploy_keys.as_ref();
    for one in count(book, &scope, &PROJECT_DEPLOY_KEYS, asked) {
        facts::deploy_key(book, path, &owners, one, &from);
    }
    let from = book.source(&PROJECT_HOOKS, &parameters);
    for one in count(book, &scope, &PROJECT_HOOKS, answers.hooks.as_ref()) {
        facts::hook(book, path, &owners, one, &from);
    }
    let from = book.source(&PROJECT_JOB_TOKEN, &parameters);
    let asked = answers.job_token.as_ref();
    if let Some(one) = counted(book, &scope, &PROJECT_JOB_TOKEN, asked) {
        facts::job_token(book, path, one, &from);
    }
    protection(book, project, answers);
}

/// Who answers for a project: its own maintainers, else those of the groups above.
fn owners(
    book: &mut Book<'_>,
    told: &mut Told,
    project: &Project,
    answers: &Answers,
) -> Vec<Owner> {
    let path = project.path_with_namespace.as_str();
    let scope = book.names.scope(path);
    let from = book.source(&PROJECT_MEMBERS, &[("project", &project.id)]);
    let members = count(book, &scope, &PROJECT_MEMBERS, answers.members.as_ref());
    told.people.learn(members);
    let mut owners = facts::owners(members, &from);
    if owners.is_empty() {
        owners = told.owners_above(path).to_vec();
    }
    book.claims(&Key(scope), &owners);
    owners
}

fn slots(book: &mut Book<'_>, project: &Project, owners: &[Owner], answers: &Answers) {
    let path = project.path_with_namespace.as_str();
    let scope = book.names.scope(path);
    let parameters = [("project", project.id.as_str())];
    let from = book.source(&PROJECT_VARIABLES, &parameters);
    let shelf = Shelf {
        path,
        owners,
        source: &from,
    };
    for one in count(book, &scope, &PROJECT_VARIABLES, answers.variables.as_ref()) {
        facts::variable(book, &shelf, one);
    }
    let from = book.source(&PROJECT_SECURE_FILES, &parameters);
    let shelf = Shelf {
        source: &from,
        ..shelf
    };
    let asked = answers.secure_files.as_ref();
    for one in count(book, &scope, &PROJECT_SECURE_FILES, asked) {
        facts::secure_file(book, &shelf, one);
    }
    let asked = answers.schedules.as_ref();
    let schedules = count(book, &scope, &PROJECT_SCHEDULES, asked);
    if schedules.len() > SCHEDULES {
        let reason = format!(
            "only the first {SCHEDULES} of its {} schedules were asked for their variables",
            schedules.len()
        );
        let kind = GapKind::Limit;
        book.tally.gap(&scope, &PROJECT_SCHEDULE, kind, reason);
    }
    for (schedule, asked) in schedules.iter().zip(&answers.of_schedules) {
        let one = [parameters[0], ("schedule", schedule.id.as_str())];
        let from = book.source(&PROJECT_SCHEDULE, &one);
        let shelf = Shelf {
            path,
            owners,
            source: &from,
        };
        // What the list tells stands where the one could not be asked.
        let whole = counted(book, &scope, &PROJECT_SCHEDULE, asked.as_ref());
        facts::schedule(book, &shelf, whole.unwrap_or(schedule));
    }
}

fn tokens(
    book: &mut Book<'_>,
    told: &mut Told,
    project: &Project,
    owners: &[Owner],
    answers: &Answers,
) {
    let path = project.path_with_namespace.as_str();
    let scope = book.names.scope(path);
    let parameters = [("project", project.id.as_str())];
    let from = book.source(&PROJECT_TOKENS, &parameters);
    for one in count(book, &scope, &PROJECT_TOKENS, answers.tokens.as_ref()) {
        told.tokens.insert(one.id.clone());
        let whose = Belongs::Project(path);
        facts::token(book, whose, &told.people, owners, one, &from);
    }
    let from = book.source(&PROJECT_DEPLOY_TOKENS, &parameters);
    let asked = answers.deploy_tokens.as_ref();
    for one in count(book, &scope, &PROJECT_DEPLOY_TOKENS, asked) {
        facts::deploy_token(book, path, owners, one, &from);
    }
    let from = book.source(&PROJECT_TRIGGERS, &parameters);
    for one in count(book, &scope, &PROJECT_TRIGGERS, answers.triggers.as_ref()) {
        facts::trigger(book, path, owners, one, &from);
    }
}

/// Branches and environments.
fn protection(book: &mut Book<'_>, project: &Project, answers: &Answers) {
    let path = project.path_with_namespace.as_str();
    let scope = book.names.scope(path);
    let parameters = [("project", project.id.as_str())];
    let from = book.source(&PROJECT_BRANCHES, &parameters);
    let asked = answers.branches.as_ref();
    let branches = count(book, &scope, &PROJECT_BRANCHES, asked);
    if matches!(asked, Some(Ok(_))) && !project.empty_repo {
        let default = project.default_branch.as_deref();
        facts::branches(book, path, default, branches, &from);
    }
    let from = book.source(&PROJECT_ENVIRONMENTS, &parameters);
    let asked = answers.environments.as_ref();
    let environments = count(book, &scope, &PROJECT_ENVIRONMENTS, asked);
    let asked = answers.protected.as_ref();
    let protected = count(book, &scope, &PROTECTED_ENVIRONMENTS, asked);
    let protected = matches!(asked, Some(Ok(_))).then_some(protected);
    facts::environments(book, path, environments, protected, &from);
}
