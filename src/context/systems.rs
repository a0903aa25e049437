//! Systems and APIs: what the catalogue says about them, and what their own documents say.

use serde::{Deserialize, Serialize};

use jiff::Timestamp;

use super::sheet::Sheet;
use crate::inventory::{DayIs, InventoryError, Tier, squeezed, tier_of_word};

/// What an entry of the catalogue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SystemKind {
    /// Something that is called.
    Api,
    /// An application, a component, a resource.
    System,
    /// Something many teams share: a gateway, a platform.
    Platform,
}

/// A way to authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words are those of as_str")]
pub enum AuthMethod {
    ApiKey,
    ApiKeyInUrl,
    Basic,
    Bearer,
    OAuthImplicit,
    OAuthPassword,
    OAuthClient,
    OAuthCode,
    OpenId,
    MutualTls,
    Signed,
    AllowList,
    None,
}

impl AuthMethod {
    /// Every one, in the order of `as_str`.
    pub const ALL: [AuthMethod; 13] = [
        AuthMethod::ApiKey,
        AuthMethod::ApiKeyInUrl,
        AuthMethod::Basic,
        AuthMethod::Bearer,
        AuthMethod::OAuthImplicit,
        AuthMethod::OAuthPassword,
        AuthMethod::OAuthClient,
        AuthMethod::OAuthCode,
        AuthMethod::OpenId,
        AuthMethod::MutualTls,
        AuthMethod::Signed,
        AuthMethod::AllowList,
        AuthMethod::None,
    ];

    /// The word used in files and evidence.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthMethod::ApiKey => "api-key",
            AuthMethod::ApiKeyInUrl => "api-key-in-url",
            AuthMethod::Basic => "basic",
            AuthMethod::Bearer => "bearer",
            AuthMethod::OAuthImplicit => "oauth-implicit",
            AuthMethod::OAuthPassword => "oauth-password",
            AuthMethod::OAuthClient => "oauth-client-credentials",
            AuthMethod::OAuthCode => "oauth-code",
            AuthMethod::OpenId => "openid-connect",
            AuthMethod::MutualTls => "mutual-tls",
            AuthMethod::Signed => "signed-request",
            AuthMethod::AllowList => "allow-list",
            AuthMethod::None => "none",
        }
    }

    /// From the word used in files, or another spelling of it.
    pub fn from_word(word: &str) -> Option<AuthMethod> {
        let key = squeezed(word);
        let other = match key.as_str() {
            "staticsecret" | "key" => Some(AuthMethod::ApiKey),
            "signedtoken" | "jwt" | "token" => Some(AuthMethod::Bearer),
            "mtls" => Some(AuthMethod::MutualTls),
            "oauth" | "oauth2" | "clientcredentials" => Some(AuthMethod::OAuthClient),
            "oidc" => Some(AuthMethod::OpenId),
            "hmac" | "sigv4" => Some(AuthMethod::Signed),
            _ => None,
        };
        let mut all = AuthMethod::ALL.into_iter();
        other.or_else(|| all.find(|method| squeezed(method.as_str()) == key))
    }
}

/// A way to authenticate that an API offers, and where that is said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Auth {
    /// Which.
    pub method: AuthMethod,
    /// The name of the scheme or plugin, the place of the key.
    pub detail: String,
}

/// The access policy of an API.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyRef {
    /// What it says, as one word: equal words, equal policies.
    pub digest: String,
    /// Its version or commit.
    pub version: Option<String>,
    /// Who reviewed it last.
    pub reviewer: Option<String>,
    /// When.
    pub reviewed_at: Option<Timestamp>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// What it is.
    pub kind: SystemKind,
    /// Its name.
    pub name: String,
    /// Further names: of its repository, its system.
    pub aliases: Vec<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Teams that build on it, where several do.
    pub teams: Vec<String>,
    /// Who decides on its access policy.
    pub policy_owner: Option<String>,
    /// Whether it is said to be retired.
    pub retired: bool,
    /// How much depends on it.
    pub tier: Option<Tier>,
    /// What it is for.
    pub purpose: Option<String>,
    /// Data it can reach.
    pub data_classes: Vec<String>,
    /// What it calls, and what calls it; `None` where nothing is said.
    pub dependencies: Option<Vec<String>>,
    /// Ways to authenticate.
    pub auth: Vec<Auth>,
    /// Issuers whose tokens it accepts.
    pub issuers: Vec<String>,
    /// Scopes it asks for.
    pub scopes: Vec<String>,
    /// Operations that anybody may call.
    pub open_operations: Vec<String>,
    /// Identities that its own rules let in by name.
    pub callers: Vec<String>,
    /// How access to it is taken away.
    pub revocation: Option<String>,
    /// Its access policy, where a gateway file shows one.
    pub policy: Option<PolicyRef>,
    /// `file:row`, or the file.
    pub source: String,
}

impl System {
    /// An entry of which nothing is said yet.
    pub fn named(kind: SystemKind, name: &str, source: impl Into<String>) -> System {
        System {
            kind,
            name: name.to_owned(),
            aliases: Vec::new(),
            owner: None,
            teams: Vec::new(),
            policy_owner: None,
            retired: false,
            tier: None,
            purpose: None,
            data_classes: Vec::new(),
            dependencies: None,
            auth: Vec::new(),
            issuers: Vec::new(),
            scopes: Vec::new(),
            open_operations: Vec::new(),
            callers: Vec::new(),
            revocation: None,
            policy: None,
            source: source.into(),
        }
    }

    /// Takes over what another entry of the same name says and this one does not.
    pub(super) fn absorb(&mut self, other: System) {
        fn or<T>(into: &mut Option<T>, other: Option<T>) {
            if into.is_none() {
                *into = other;
            }
        }
        or(&mut self.owner, other.owner);
        or(&mut self.policy_owner, other.policy_owner);
        or(&mut self.tier, other.tier);
        or(&mut self.purpose, other.purpose);
        or(&mut self.dependencies, other.dependencies);
        or(&mut self.revocation, other.revocation);
        or(&mut self.policy, other.policy);
        self.retired |= other.retired;
        for (into, more) in [
            (&mut self.aliases, other.aliases),
            (&mut self.teams, other.teams),
            (&mut self.data_classes, other.data_classes),
            (&mut self.issuers, other.issuers),
            (&mut self.scopes, other.scopes),
            (&mut self.open_operations, other.open_operations),
            (&mut self.callers, other.callers),
        ] {
            into.extend(more);
            into.sort();
            into.dedup();
        }
        self.auth.extend(other.auth);
        self.auth.sort();
        self.auth.dedup();
        if self.source != other.source {
            self.source = format!("{}; {}", self.source, other.source);
        }
    }
}

/// Whether a table is one of systems.
pub(super) fn is(sheet: &Sheet) -> bool {
    sheet
        .column("api apiname system systemname application service component name")
        .is_some()
        && sheet
            .column("owner team lifecycle status kind type")
            .is_some()
}

/// Reads a table of systems.
pub(super) fn read(sheet: &Sheet) -> Result<Vec<System>, InventoryError> {
    let name = sheet.needed("name api apiname system systemname application service component")?;
    let is_apis = sheet.column("api apiname") == Some(name);
    let kind = sheet.column("kind type");
    let aliases = sheet.column("aliases alias repository repo");
    let repository = sheet.column("repository repo");
    let owner = sheet.column("owner ownedby accountableowner team");
    let teams = sheet.column("teams usedby consumers");
    let policy_owner = sheet.column("policyowner");
    let status = sheet.column("lifecycle status state");
    let tier = sheet.column("tier risktier criticality");
    let purpose = sheet.column("purpose businesspurpose description");
    let classes = sheet.column("dataclasses dataclassification datasensitivity classification");
    let dependencies = sheet.column("dependencies dependson upstream downstream");
    let auth = sheet.column("auth authmethod authentication authenticationmethod");
    let revocation = sheet.column("revocation revocationpath howtorevoke");
    let scopes = sheet.column("scopes scope");
    let reviewer = sheet.column("policyreviewer");
    let reviewed = sheet.dates(
        sheet.column("policyreviewedat policyreviewed"),
        DayIs::Start,
    )?;
    let version = sheet.column("policyversion policycommit policyref");
    let mut systems = Vec::new();
    for (row, reviewed_at) in reviewed.into_iter().enumerate() {
        let Some(name) = sheet.cell(row, Some(name)) else {
            continue;
        };
        let word = squeezed(sheet.cell(row, kind).unwrap_or_default());
        let kind = match word.as_str() {
            "api" | "apis" => SystemKind::Api,
            "platform" | "gateway" | "shared" => SystemKind::Platform,
            "" if is_apis => SystemKind::Api,
            _ => SystemKind::System,
        };
        let mut system = System::named(kind, name, sheet.place(row));
        system.aliases = sheet.list(row, aliases);
        system.aliases.extend(sheet.list(row, repository));
        system.owner = sheet.text(row, owner);
        system.teams = sheet.list(row, teams);
        system.policy_owner = sheet.text(row, policy_owner);
        let state = squeezed(sheet.cell(row, status).unwrap_or_default());
        system.retired = matches!(
            state.as_str(),
            "retired" | "deprecated" | "decommissioned" | "archived" | "ended" | "offline"
        );
        system.tier = sheet.cell(row, tier).and_then(tier_of_word);
        system.purpose = sheet.text(row, purpose);
        system.data_classes = sheet.list(row, classes);
        system.dependencies = sheet
            .cell(row, dependencies)
            .map(|_| sheet.list(row, dependencies));
        for word in sheet.list(row, auth) {
            let method = AuthMethod::from_word(&word).ok_or_else(|| {
                let known: Vec<&str> = AuthMethod::ALL.iter().map(|m| m.as_str()).collect();
                sheet
                    .error(row, "the column of authentication holds an unknown word")
                    .help(format!("use {}", known.join(", ")))
            })?;
            system.auth.push(Auth {
                method,
                detail: "catalogue".to_owned(),
            });
        }
        system.scopes = sheet.list(row, scopes);
        system.revocation = sheet.text(row, revocation);
        let version = sheet.text(row, version);
        let reviewer = sheet.text(row, reviewer);
        if version.is_some() || reviewer.is_some() || reviewed_at.is_some() {
            system.policy = Some(PolicyRef {
                digest: version.clone().unwrap_or_default(),
                version,
                reviewer,
                reviewed_at,
            });
        }
        systems.push(system);
    }
    Ok(systems)
}
