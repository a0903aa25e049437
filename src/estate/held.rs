//! Slots that hold a credential are credentials: most systems never show what a slot holds, so
//! the slot is all that anybody can register, own, rotate and revoke.

use keymuster_api::{Credential, Slot, Status, store};

/// Words in the names of variables that hold a credential, where a store does not tell
/// variables from secrets.
const WORDS: &[&str] = &[
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PRIVATE_KEY",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "CREDENTIAL",
    "_PAT",
    "DEPLOY_KEY",
    "SSH_KEY",
    "KUBECONFIG",
];

/// Stores by the kind of what they hold, and whether all they hold is secret.
const KINDS: &[(&str, &str, bool)] = &[
    (store::ACTIONS_SECRET, "github.actions-secret", true),
    (store::DEPENDABOT_SECRET, "github.dependabot-secret", true),
    (store::CODESPACES_SECRET, "github.codespaces-secret", true),
    (store::AGENTS_SECRET, "github.agents-secret", true),
    (store::ACTIONS_VARIABLE, "github.actions-variable", false),
    (store::AGENTS_VARIABLE, "github.actions-variable", false),
    (store::GITLAB_VARIABLE, "gitlab.ci-variable", false),
    (store::GITLAB_SECURE_FILE, "gitlab.secure-file", true),
    (store::JENKINS_CREDENTIAL, "jenkins.credential", true),
    (store::CIRCLECI_VARIABLE, "circleci.variable", true),
    (store::AZURE_VARIABLE, "azure.pipelines-variable", false),
    (store::AZURE_CONNECTION, "azure.service-connection", true),
    (
        store::BITBUCKET_VARIABLE,
        "bitbucket.pipelines-variable",
        false,
    ),
    (store::BUILDKITE_SECRET, "buildkite.secret", true),
    (store::KUBERNETES_SECRET, "kubernetes.secret", true),
];

/// Whether a slot stands in a text that makes it, as opposed to: a system lists it.
pub(super) fn is_declared(slot: &Slot) -> bool {
    slot.property("declared-in").next().is_some()
}

/// The credential that a slot holds; `None` for what is configuration only, and for slots that
/// only a text declares.
pub(super) fn credential(slot: &Slot) -> Option<Credential> {
    let (_, kind, all) = KINDS.iter().find(|(store, _, _)| *store == slot.store)?;
    if is_declared(slot) {
        return None;
    }
    let says = |name: &str| slot.property(name).any(|value| value == "true");
    let upper = slot.name.to_ascii_uppercase();
    // The names of GitHub's variables say that they are none: a value must.
    let by_name = slot.store != store::ACTIONS_VARIABLE
        && slot.store != store::AGENTS_VARIABLE
        && WORDS.iter().any(|word| upper.contains(word));
    // A value that was sealed tells equal ones, not that it is secret.
    if !all && !says("masked") && !says("hidden") && !says("secret") && !by_name {
        return None;
    }
    let (provider, _) = kind.split_once('.').unwrap_or((kind, ""));
    let path = slot
        .scope
        .split_once(':')
        .map_or(&*slot.scope, |(_, path)| path);
    let account = path.split(['/', '@']).next().filter(|one| !one.is_empty());
    Some(Credential {
        key: slot.key.clone(),
        kind: (*kind).to_owned(),
        handle: None,
        secret: slot.secret,
        identity: None,
        provider: provider.to_owned(),
        account: account.map(str::to_owned),
        name: Some(slot.name.clone()),
        status: Status::Active,
        created: slot.created,
        rotated: slot.updated,
        last_used: keymuster_api::Known::Unsupported,
        last_used_for: None,
        expires: keymuster_api::Known::Unsupported,
        source: slot.source.clone(),
    })
}
