//! What exports of a tenant become, and what is wrong with them.

use std::{fs, sync::Arc};

use keymuster_api::{
    Cancel, Connector as _, Cx, GapKind, Item, Known, Memo, NoProgress, Redaction, Redactor,
    SecretId, Sink, SystemId,
};

use crate::{EntraConnector, EntraSpec};

struct Nothing;

impl Redactor for Nothing {
    fn redact(&self, _: &str) -> Vec<Redaction> {
        Vec::new()
    }
    fn seal(&self, _: &[u8]) -> SecretId {
        SecretId([7; 16])
    }
}

#[derive(Default)]
struct Taken(Vec<Item>);

impl Sink for Taken {
    fn emit(&mut self, item: Item) {
        self.0.push(item);
    }
}

/// The facts of these files.
fn facts_of(files: &[(&str, &str)]) -> Vec<Item> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let connector = EntraConnector::new(EntraSpec {
        label: String::new(),
        exports: vec![folder.path().to_owned()],
        tenant: None,
    });
    let cancel = Cancel::default();
    let memo: Option<&Arc<dyn Memo>> = None;
    let cx = Cx {
        system: SystemId(0),
        now: "2026-06-01T00:00:00Z".parse().expect("a time"),
        jobs: 1,
        max_memory: 1 << 30,
        cancel: &cancel,
        progress: &NoProgress,
        redactor: &Nothing,
        memo,
    };
    let mut out = Taken::default();
    connector.sweep(&cx, &mut out).expect("swept");
    out.0
}

fn shown(known: &Known<keymuster_api::Timestamp>) -> String {
    match known {
        Known::Known(at) => at.to_string()[..10].to_owned(),
        other => other.absence().unwrap_or_default().to_owned(),
    }
}

/// One line for each fact but coverage and resources.
fn lines(items: &[Item]) -> Vec<String> {
    let line = |item: &Item| {
        Some(match item {
            Item::Identity(one) => format!(
                "{:?} {} {:?} used {}",
                one.kind,
                one.key.0,
                one.status,
                shown(&one.last_used)
            ),
            Item::Credential(one) => format!(
                "{} {} of {} {:?} made {} ends {} used {}{}",
                one.kind,
                one.key.0,
                one.identity.as_ref().map_or("nobody", |key| key.0.as_str()),
                one.status,
                shown(&one.created),
                shown(&one.expires),
                shown(&one.last_used),
                if one.secret.is_some() { " sealed" } else { "" },
            ),
            Item::Policy(one) => format!("policy {} {}", one.key.0, one.document),
            Item::Trust(one) => format!("trust {} {}", one.identity.0, one.document),
            Item::Membership(one) => format!("in {} {}", one.member.0, one.group.0),
            Item::Reference(one) => format!("runs {} as {}", one.by.0, one.to.0),
            Item::Claim(one) => format!("claim {} {} {}", one.subject.0, one.party, one.confidence),
            Item::Setting(one) => format!("set {} {}={}", one.subject.0, one.name, one.value),
            _ => return None,
        })
    };
    items.iter().filter_map(line).collect()
}

fn of(files: &[(&str, &str)]) -> Vec<String> {
    lines(&facts_of(files))
}

/// Gaps that are not about what else should have been exported.
fn gaps(files: &[(&str, &str)]) -> Vec<String> {
    let items = facts_of(files);
    let gaps = items.iter().filter_map(|item| match item {
        Item::Gap(gap) if gap.kind != GapKind::Missing => Some(format!(
            "{:?} {}: {}",
            gap.kind,
            gap.source.locator.rsplit('/').next().unwrap_or_default(),
            gap.reason
        )),
        _ => None,
    });
    gaps.collect()
}

const OBJECT: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const CLIENT: &str = "bbbbbbbb-0000-4000-8000-000000000001";
const PRINCIPAL: &str = "cccccccc-0000-4000-8000-000000000001";

fn application(more: &str) -> String {
    format!(
        r#"{{"id":"{OBJECT}","appId":"{CLIENT}","displayName":"ci","createdDateTime":"2025-01-01T00:00:00Z"{more}}}"#
    )
}

fn principal(more: &str) -> String {
    format!(
        r#"{{"id":"{PRINCIPAL}","appId":"{CLIENT}","displayName":"ci","servicePrincipalType":"Application","accountEnabled":true{more}}}"#
    )
}

#[test]
fn an_application_and_its_principal_are_one_with_every_secret() {
    let app = application(
        r#","passwordCredentials":[{"keyId":"K1","hint":"abc","displayName":"ci","startDateTime":"2025-02-01T00:00:00Z","endDateTime":"2027-02-01T00:00:00Z"}],"keyCredentials":[{"keyId":"K2","type":"AsymmetricX509Cert","usage":"Verify","endDateTime":"2026-07-01T00:00:00Z"},{"keyId":"K3","usage":"Sign"}]"#,
    );
    let own = principal(
        r#","appOwnerOrganizationId":"t1","passwordCredentials":[{"keyId":"K4","endDateTime":"2026-05-01T00:00:00Z"},{"keyId":"K1"}]"#,
    );
    let used = r#"{"value":[{"keyId":"K1","appId":"x","signInActivity":{"lastSignInDateTime":"2026-05-30T00:00:00Z"}}]}"#;
    let lines = of(&[
        ("a.json", &format!("[{app}]")),
        ("p.json", &format!(r#"{{"value":[{own}]}}"#)),
        ("u.json", used),
    ]);
    assert_eq!(
        lines,
        [
            format!("App entra:app:{CLIENT} Active used unknown"),
            format!(
                "azure.client-secret entra:credential:k1 of entra:app:{CLIENT} Active made 2025-02-01 ends 2027-02-01 used 2026-05-30"
            ),
            format!(
                "azure.client-certificate entra:credential:k2 of entra:app:{CLIENT} Active made unknown ends 2026-07-01 used unknown"
            ),
            format!(
                "azure.client-secret entra:credential:k4 of entra:app:{CLIENT} Active made unknown ends 2026-05-01 used unknown"
            ),
            format!("set entra:app:{CLIENT} service-principal-type=Application"),
        ]
    );
    // The first characters of a secret, which Entra tells, are nowhere.
    assert!(!lines.iter().any(|line| line.contains("abc")));
}

#[test]
fn owners_and_federated_credentials_say_whose_they_are() {
    let app = application(
        r#","owners":[{"id":"u1","userPrincipalName":"ann@acme.example"}],"federatedIdentityCredentials":[{"name":"gh","issuer":"https://token.actions.githubusercontent.com","subject":"repo:acme/app:ref:refs/heads/main","audiences":["api://AzureADTokenExchange"]}]"#,
    );
    let trust = format!(
        r#"trust entra:app:{CLIENT} {{"name":"gh","issuer":"https://token.actions.githubusercontent.com","subject":"repo:acme/app:ref:refs/heads/main","audiences":["api://AzureADTokenExchange"],"expression":null}}"#
    );
    let lines = of(&[("a.json", &app)]);
    for line in [
        "in entra:user:u1 entra:app:".to_owned() + CLIENT,
        format!("claim entra:app:{CLIENT} ann@acme.example 80"),
        trust.clone(),
    ] {
        assert!(lines.contains(&line), "{lines:?}");
    }
    let alone = r#"[{"name":"gh","issuer":"https://token.actions.githubusercontent.com","subject":"repo:acme/app:ref:refs/heads/main","audiences":["api://AzureADTokenExchange"]}]"#;
    let bare = application("");
    let named = of(&[
        ("a.json", &bare),
        (&format!("federated-{CLIENT}.json"), alone),
    ]);
    assert!(named.contains(&trust), "{named:?}");
    let context = format!(
        r#"{{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#applications('{OBJECT}')/federatedIdentityCredentials","value":{alone}}}"#
    );
    let told = of(&[("a.json", &bare), ("f.json", &context)]);
    assert!(told.contains(&trust), "{told:?}");
}

#[test]
fn grants_consents_and_roles() {
    let text = [
        principal(""),
        format!(r#"{{"id":"x","appRoleId":"R1","principalId":"{PRINCIPAL}","resourceId":"g","resourceDisplayName":"Microsoft Graph"}}"#),
        r#"{"id":"g","appId":"00000003-0000-0000-c000-000000000000","servicePrincipalType":"Application","appOwnerOrganizationId":"f8cdef31-a31e-4b4a-93e4-5f571e91255a","appRoles":[{"id":"r1","value":"Mail.Read"}]}"#.to_owned(),
        format!(r#"{{"clientId":"{PRINCIPAL}","consentType":"AllPrincipals","scope":"User.Read Files.Read.All"}}"#),
        format!(r#"{{"id":"y","principalId":"{PRINCIPAL}","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}}"#),
        r#"{"id":"z","principalId":"u9","principalType":"User","principalName":"ann@acme.example","roleDefinitionId":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/C1","roleDefinitionName":"Custom","scope":"/subscriptions/s"}"#.to_owned(),
        r#"{"id":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/c1","roleName":"Custom","roleType":"CustomRole","permissions":[{"actions":["*"],"notActions":["x/y"]}]}"#.to_owned(),
    ];
    let lines = of(&[("x.json", &format!("[{}]", text.join(",")))]);
    let app = format!("entra:app:{CLIENT}");
    for line in [
        format!(
            r#"policy entra:grant:app-role:{app}:r1:Microsoft Graph {{"kind":"app-role","role":"r1","name":"Mail.Read","scope":"Microsoft Graph","everybody":false,"permissions":[],"eligible":false,"condition":null}}"#
        ),
        format!(
            r#"policy entra:grant:delegated:{app}:delegated:everybody {{"kind":"delegated","role":"delegated","name":null,"scope":"everybody","everybody":true,"permissions":["User.Read","Files.Read.All"],"eligible":false,"condition":null}}"#
        ),
        format!(
            r#"policy entra:grant:directory-role:{app}:62e90394-69f5-4237-9190-012177145e10:/ {{"kind":"directory-role","role":"62e90394-69f5-4237-9190-012177145e10","name":null,"scope":"/","everybody":false,"permissions":[],"eligible":false,"condition":null}}"#
        ),
        r#"policy azure:role:c1 {"actions":["*"],"not_actions":["x/y"]}"#.to_owned(),
        format!("set {app} scope=Files.Read.All"),
        "set entra:app:00000003-0000-0000-c000-000000000000 provider-managed=true".to_owned(),
        "User entra:user:u9 Active used unknown".to_owned(),
    ] {
        assert!(lines.contains(&line), "{line}\n{lines:#?}");
    }
}

#[test]
fn azurehound_says_the_same() {
    let hound = format!(
        r#"{{"data":[{{"kind":"AZApp","data":{}}},{{"kind":"AZAppOwner","data":{{"appId":"{CLIENT}","owners":[{{"owner":{{"id":"u1","userPrincipalName":"ann@acme.example"}}}}]}}}},{{"kind":"AZVM","data":{{"id":"vm"}}}}],"meta":{{"type":"azure"}}}}"#,
        application("")
    );
    let lines = of(&[("x.json", &hound)]);
    assert!(
        lines.contains(&format!("claim entra:app:{CLIENT} ann@acme.example 80")),
        "{lines:?}"
    );
    assert_eq!(gaps(&[("x.json", &hound)]), [""; 0]);
}

#[test]
fn a_mistake_costs_what_it_is_in() {
    let app = application("");
    let cases: &[(String, &str)] = &[
        (
            format!("[{app},\n{{\"id\":"),
            "Corrupt x.json:2: the file ends in the middle of a value",
        ),
        (
            format!("[{app},\n{{\"id\":[],\"appId\":7}}]"),
            "Corrupt x.json:2: the application at line 2",
        ),
        (
            app.replace("\"displayName\"", "\"displayName\":\"x\",\"displayName\""),
            "Corrupt x.json:1: a key of the application",
        ),
        (
            "{\"UserDetailList\":[]}".to_owned(),
            "Unsupported x.json: not an Entra or Azure export",
        ),
        (
            "[3]".to_owned(),
            "Unsupported x.json: not an Entra or Azure export",
        ),
        (String::new(), "Corrupt x.json: the file is empty"),
    ];
    for (text, gap) in cases {
        let told = gaps(&[("x.json", text)]);
        assert_eq!(told.len(), 1, "{text}: {told:?}");
        assert!(told[0].starts_with(gap), "{text}: {told:?}");
    }
    let first = format!(
        r#"{{"@odata.context":"c#applications","@odata.nextLink":"https://graph","value":[{app}]}}"#
    );
    let missing = facts_of(&[("x.json", &first)]);
    assert!(
        missing
            .iter()
            .any(|item| matches!(item, Item::Gap(gap) if gap.reason.contains("export all pages")))
    );
    let many = format!("[{}]", vec![app.as_str(); 20_000].join(","));
    assert_eq!(of(&[("x.json", &many)]).len(), 1);
}
