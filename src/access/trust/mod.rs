//! Trust policies: who may become a role, and which of them nobody should.
//!
//! Not here: what the caller's own policies say (`escalation`).

use std::collections::BTreeMap;

use keymuster_api::Key;

use super::{
    condition::{Clause, Context, Lookup, Tri, all},
    policy::{Document, Effect, PrincipalElement, Statement},
};

/// What is odd about one entry of a trust policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrustKind {
    /// Everybody, as far as conditions do not say otherwise.
    Public,
    /// Another account.
    CrossAccount,
    /// A principal that was deleted: AWS left its unique id.
    Deleted,
    /// Tokens of an issuer that many share, without a condition that names whose.
    BroadOidc,
    /// Everybody but some.
    AllBut,
}

/// One odd entry of a trust policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustFact {
    /// The role.
    pub role: Key,
    /// What it is.
    pub kind: TrustKind,
    /// Who is trusted, as written.
    pub who: String,
    /// Why it is odd, or what narrows it.
    pub why: String,
    /// The statement's place in the document, from 0.
    pub statement: u32,
}

/// How a trust policy names a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// Not.
    No,
    /// Through its account: the account's own policies decide.
    Account,
    /// Itself.
    Itself,
}

/// How one entry names a principal of an account.
fn names(kind: &str, value: &str, principal: &str, account: &str) -> Named {
    let value = value.trim();
    if value == "*" && matches!(kind, "AWS" | "*") {
        return Named::Itself;
    }
    if kind != "AWS" {
        return Named::No;
    }
    if value == principal {
        return Named::Itself;
    }
    let mut parts = value.splitn(6, ':');
    if value == account {
        return Named::Account;
    }
    let (Some("arn"), _, service, _, of, Some(rest)) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return Named::No;
    };
    match (service, rest) {
        (Some("iam"), "root") if of == Some(account) => Named::Account,
        // A session of a role is the role, as far as anybody can say.
        (Some("sts"), session) if of == Some(account) => {
            let role = session
                .strip_prefix("assumed-role/")
                .and_then(|rest| rest.split('/').next());
            let name = principal
                .contains(":role/")
                .then(|| principal.rsplit('/').next())
                .flatten();
            if role.is_some() && role == name {
                Named::Itself
            } else {
                Named::No
            }
        }
        _ => Named::No,
    }
}

/// How an element names a principal of an account.
pub(super) fn named_by(element: &PrincipalElement, principal: &str, account: &str) -> Named {
    let best = element
        .entries
        .iter()
        .map(|(kind, value)| names(kind, value, principal, account))
        .max()
        .unwrap_or(Named::No);
    match (element.negated, best) {
        (false, best) => best,
        (true, Named::No) => Named::Itself,
        (true, _) => Named::No,
    }
}

pub(super) fn speaks(statement: &Statement, action: &str) -> bool {
    let hit = statement
        .actions
        .iter()
        .any(|pattern| pattern.glob.matches(action));
    hit != statement.not_action
}

/// What a trust policy says to one caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) tri: Tri,
    pub(super) named: Named,
    pub(super) conditions: Vec<String>,
}

/// Whether the caller may become the role, as far as the role is concerned.
pub(super) fn admits(
    document: &Document,
    action: &str,
    principal: &str,
    account: &str,
    context: &dyn Lookup,
) -> Verdict {
    let mut verdict = Verdict {
        tri: Tri::No,
        named: Named::No,
        conditions: Vec::new(),
    };
    let mut denied = Tri::No;
    for statement in &document.statements {
        let Some(element) = &statement.principal else {
            continue;
        };
        if !speaks(statement, action) {
            continue;
        }
        let named = named_by(element, principal, account);
        if named == Named::No {
            continue;
        }
        let mut unknown = Vec::new();
        let holds = all(statement
            .conditions
            .iter()
            .map(|clause| clause.holds(context, &mut unknown)));
        if holds == Tri::No {
            continue;
        }
        match statement.effect {
            Effect::Deny => {
                denied = denied.max(holds);
                verdict.conditions.append(&mut unknown);
            }
            Effect::Allow => {
                if (holds, named) > (verdict.tri, verdict.named) {
                    (verdict.tri, verdict.named) = (holds, named);
                }
                verdict.conditions.append(&mut unknown);
            }
        }
    }
    verdict.tri = verdict.tri.min(!denied);
    if verdict.tri != Tri::Unknown {
        verdict.conditions.clear();
    }
    verdict.conditions.sort();
    verdict.conditions.dedup();
    verdict
}

/// The principals and accounts that a trust policy names, for an index over callers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Callers {
    /// ARNs of users and roles, and names of roles whose sessions are named.
    pub(super) direct: Vec<String>,
    /// Accounts.
    pub(super) accounts: Vec<String>,
    /// Anybody could be meant.
    pub(super) anybody: bool,
}

pub(super) fn callers(document: &Document) -> Callers {
    let mut callers = Callers::default();
    for statement in &document.statements {
        let Some(element) = &statement.principal else {
            continue;
        };
        if statement.effect != Effect::Allow || !speaks(statement, "sts:AssumeRole") {
            continue;
        }
        if element.negated {
            callers.anybody = true;
            continue;
        }
        for (kind, value) in &element.entries {
            let value = value.trim();
            if value == "*" && matches!(kind.as_str(), "AWS" | "*") {
                callers.anybody = true;
            } else if kind == "AWS" {
                match account_of(value) {
                    Some(account) => callers.accounts.push(account.to_owned()),
                    None => callers.direct.push(value.to_owned()),
                }
            }
        }
    }
    callers
}

/// Whether the trust policy says the same to every principal of an account that it names: it
/// neither denies, nor leaves some out, nor has conditions.
pub(super) fn delegates_to_anybody(document: &Document) -> bool {
    let statements = document.statements.iter();
    let mut speaking = statements.filter(|statement| speaks(statement, "sts:AssumeRole"));
    speaking.all(|statement| {
        let negated = statement.principal.as_ref().is_some_and(|one| one.negated);
        statement.effect == Effect::Allow && statement.conditions.is_empty() && !negated
    })
}

/// The account that a value stands for as a whole.
fn account_of(value: &str) -> Option<&str> {
    let digits = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(value) {
        return Some(value);
    }
    let account = value.strip_suffix(":root")?.rsplit(':').next()?;
    digits(account).then_some(account)
}

/// Services that may become the role, each with whether they surely may.
pub(super) fn services(document: &Document, account: &str) -> BTreeMap<String, (Tri, Vec<String>)> {
    // A service acts for the account itself.
    let context = Context::new().with("aws:SourceAccount", &[account]);
    let mut found: BTreeMap<String, (Tri, Vec<String>)> = BTreeMap::new();
    for statement in &document.statements {
        let Some(element) = &statement.principal else {
            continue;
        };
        if statement.effect != Effect::Allow || element.negated {
            continue;
        }
        for (kind, value) in &element.entries {
            let action = match kind.as_str() {
                "Service" => "sts:AssumeRole",
                "Federated" => "sts:AssumeRoleWithWebIdentity",
                _ => continue,
            };
            if !speaks(statement, action) {
                continue;
            }
            let mut unknown = Vec::new();
            // Conditions on a token are what the pool's own users bring.
            let holds = all(statement
                .conditions
                .iter()
                .filter(|clause| kind == "Service" || clause.key().starts_with("aws:"))
                .map(|clause| clause.holds(&context, &mut unknown)));
            if holds == Tri::No {
                continue;
            }
            let entry = found
                .entry(service_name(value))
                .or_insert((Tri::No, Vec::new()));
            if holds > entry.0 {
                *entry = (holds, unknown);
            }
        }
    }
    found
}

/// `states.eu-west-1.amazonaws.com` and `ec2.amazonaws.com.cn` without region and partition.
fn service_name(value: &str) -> String {
    let value = value.trim().to_ascii_lowercase();
    let bare = value.strip_suffix(".cn").unwrap_or(&value);
    let parts: Vec<&str> = bare.split('.').collect();
    match parts.as_slice() {
        [service, region, "amazonaws", "com"]
            if region.bytes().filter(|byte| *byte == b'-').count() >= 2 =>
        {
            format!("{service}.amazonaws.com")
        }
        _ => bare.to_owned(),
    }
}

/// Issuers that serve many customers, and the key of their tokens that tells them apart.
const ISSUERS: [(&str, &str, &str); 7] = [
    (
        "token.actions.githubusercontent.com",
        "sub",
        "GitHub Actions",
    ),
    ("gitlab.com", "sub", "GitLab"),
    ("app.terraform.io", "sub", "Terraform Cloud"),
    ("api.bitbucket.org", "sub", "Bitbucket Pipelines"),
    ("oidc.circleci.com", "sub", "CircleCI"),
    ("oidc.eks.", "sub", "EKS"),
    ("cognito-identity.amazonaws.com", "aud", "Cognito"),
];

/// What is odd about a role's trust policy.
pub(super) fn facts(role: &Key, account: &str, document: &Document) -> Vec<TrustFact> {
    let mut found = Vec::new();
    for statement in &document.statements {
        let Some(element) = &statement.principal else {
            continue;
        };
        if statement.effect != Effect::Allow {
            continue;
        }
        let mut tell = |kind: TrustKind, who: &str, why: String| {
            found.push(TrustFact {
                role: role.clone(),
                kind,
                who: who.to_owned(),
                why,
                statement: statement.index,
            });
        };
        let narrowed = || {
            let keys: Vec<&str> = statement.conditions.iter().map(Clause::key).collect();
            if keys.is_empty() {
                "without a condition".to_owned()
            } else {
                format!("narrowed by {}", keys.join(", "))
            }
        };
        if element.negated {
            let who: Vec<&str> = element
                .entries
                .iter()
                .map(|(_, who)| who.as_str())
                .collect();
            tell(TrustKind::AllBut, &who.join(", "), narrowed());
            continue;
        }
        for (kind, value) in &element.entries {
            let value = value.trim();
            match kind.as_str() {
                "AWS" | "*" if value == "*" => {
                    let closed = statement.conditions.iter().any(closes);
                    if !closed {
                        tell(TrustKind::Public, value, narrowed());
                    }
                }
                "AWS" => {
                    if is_unique_id(value) {
                        tell(
                            TrustKind::Deleted,
                            value,
                            "the principal was deleted; its unique id is left".to_owned(),
                        );
                        continue;
                    }
                    let of = account_of(value).or_else(|| value.split(':').nth(4));
                    if let Some(of) = of.filter(|of| !of.is_empty() && *of != account) {
                        tell(
                            TrustKind::CrossAccount,
                            value,
                            format!("account {of}, {}", narrowed()),
                        );
                    }
                }
                "Federated" => {
                    if let Some(why) = broad_token(value, statement) {
                        tell(TrustKind::BroadOidc, value, why);
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// Whether a condition leaves only one's own principals.
fn closes(clause: &Clause) -> bool {
    let own = matches!(
        clause.key(),
        "aws:principalorgid"
            | "aws:principalorgpaths"
            | "aws:principalaccount"
            | "aws:principalarn"
            | "aws:sourceaccount"
            | "aws:sourcearn"
            | "aws:sourceorgid"
            | "aws:userid"
    );
    own && clause.is_positive() && clause.values().all(|value| !value.starts_with('*'))
}

/// `AIDA…`, `AROA…`: what AWS puts in place of a principal that is gone.
fn is_unique_id(value: &str) -> bool {
    value.len() >= 16
        && ["AIDA", "AROA", "AGPA", "ANPA"]
            .iter()
            .any(|prefix| value.starts_with(prefix))
        && value
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Why tokens of more than one tenant or repository open the role, if they do.
fn broad_token(provider: &str, statement: &Statement) -> Option<String> {
    let host = provider
        .split_once(":oidc-provider/")
        .map_or(provider, |(_, host)| host);
    let (_, claim, name) = ISSUERS
        .iter()
        .find(|(issuer, _, _)| host.starts_with(issuer))?;
    let own: Vec<&Clause> = statement
        .conditions
        .iter()
        .filter(|clause| {
            clause
                .key()
                .strip_prefix(&host.to_ascii_lowercase())
                .is_some_and(|rest| rest.starts_with(':'))
        })
        .collect();
    // Other claims that name the tenant as well as the subject does.
    let telling = |clause: &&&Clause| {
        let key = clause.key().rsplit(':').next().unwrap_or_default();
        key == *claim
            || matches!(
                key,
                "repository"
                    | "repository_id"
                    | "repository_owner"
                    | "repository_owner_id"
                    | "job_workflow_ref"
                    | "project_path"
                    | "namespace_path"
                    | "terraform_organization_name"
                    | "terraform_workspace_id"
                    | "oidc.circleci.com/project-id"
            )
    };
    let telling: Vec<&&Clause> = own.iter().filter(telling).collect();
    if telling.is_empty() {
        return Some(format!(
            "no condition on {host}:{claim}: any token of {name} opens it"
        ));
    }
    let mut why = None;
    for clause in telling {
        if !clause.is_positive() {
            why = Some(format!("{} only says who may not", clause.key()));
            continue;
        }
        if clause.holds_when_missing() || clause.is_if_exists() {
            why = Some(format!(
                "{} also holds where the token lacks it",
                clause.key()
            ));
            continue;
        }
        let wide = clause
            .values()
            .find(|value| clause.is_like() && is_wide(name, clause.key(), value));
        match wide {
            Some(value) => why = Some(format!("{} may be '{value}'", clause.key())),
            None => return None,
        }
    }
    why
}

/// Whether a subject pattern leaves the tenant open.
fn is_wide(name: &str, key: &str, value: &str) -> bool {
    let Some(star) = value.find(['*', '?']) else {
        return false;
    };
    let before = &value[..star];
    if !key.ends_with(":sub") {
        return before.is_empty();
    }
    match name {
        // `repo:owner/name:…`: the owner and the name must be whole.
        "GitHub Actions" => {
            let Some(rest) = before.strip_prefix("repo:") else {
                return true;
            };
            !rest.contains('/') || rest.ends_with('/')
        }
        "GitLab" => before
            .strip_prefix("project_path:")
            .is_none_or(|rest| !rest.contains('/')),
        "Terraform Cloud" => !before.starts_with("organization:") || !before.contains(":project:"),
        "EKS" => before
            .strip_prefix("system:serviceaccount:")
            .is_none_or(|rest| !rest.contains(':')),
        _ => before.is_empty() || before.ends_with(['{', '/']) && before.len() < 6,
    }
}

#[cfg(test)]
mod tests;
