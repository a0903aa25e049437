//! What exports of Google Cloud become, and what is wrong with them.

use std::{fs, sync::Arc};

use keymuster_api::{
    Cancel, Connector as _, Cx, GapKind, Item, Known, Memo, NoProgress, Redaction, Redactor,
    SecretId, Sink, SystemId,
};

use crate::{GcpConnector, GcpSpec};

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
    let connector = GcpConnector::new(GcpSpec {
        label: String::new(),
        exports: vec![folder.path().to_owned()],
        project: None,
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

const ACCOUNT: &str = r#"{"name":"projects/acme/serviceAccounts/ci@acme.iam.gserviceaccount.com","projectId":"acme","uniqueId":"1","email":"ci@acme.iam.gserviceaccount.com","displayName":"CI"}"#;

#[test]
fn accounts_and_their_keys() {
    let keys = r#"[
      {"name":"projects/acme/serviceAccounts/ci@acme.iam.gserviceaccount.com/keys/k1","keyType":"USER_MANAGED","validAfterTime":"2025-01-02T00:00:00Z","validBeforeTime":"9999-12-31T23:59:59Z"},
      {"name":"projects/acme/serviceAccounts/ci@acme.iam.gserviceaccount.com/keys/k2","keyType":"USER_MANAGED","validAfterTime":"2026-01-02T00:00:00Z","validBeforeTime":"2026-07-01T00:00:00Z","disabled":true},
      {"name":"projects/acme/serviceAccounts/ci@acme.iam.gserviceaccount.com/keys/s","keyType":"SYSTEM_MANAGED"}]"#;
    let use_of = r#"[{"activityType":"serviceAccountKeyLastAuthentication","fullResourceName":"//iam.googleapis.com/projects/acme/serviceAccounts/ci@acme.iam.gserviceaccount.com/keys/k1","activity":{"lastAuthenticatedTime":"2026-05-30T07:00:00Z"}},
      {"activityType":"serviceAccountLastAuthentication","fullResourceName":"//iam.googleapis.com/projects/acme/serviceAccounts/ci@acme.iam.gserviceaccount.com","activity":{}}]"#;
    let project = r#"[{"projectId":"acme","projectNumber":"12","parent":{"type":"folder","id":"3"},"labels":{"owner":"payments"}}]"#;
    assert_eq!(
        of(&[
            ("a.json", &format!("[{ACCOUNT}]")),
            ("k.json", keys),
            ("u.json", use_of),
            ("p.json", project)
        ]),
        [
            "ServiceAccount ci@acme.iam.gserviceaccount.com Active used never",
            "gcp.service-account-key gcp:service-account-key:k1 of ci@acme.iam.gserviceaccount.com Active made 2025-01-02 ends never used 2026-05-30",
            "gcp.service-account-key gcp:service-account-key:k2 of ci@acme.iam.gserviceaccount.com Disabled made 2026-01-02 ends 2026-07-01 used unknown",
            "in gcp:project/acme gcp:folder/3",
            "claim ci@acme.iam.gserviceaccount.com payments 60",
        ]
    );
}

#[test]
fn api_keys_and_keys_of_storage() {
    let text = r#"[
      {"name":"projects/12/locations/global/keys/u1","uid":"u1","displayName":"maps","createTime":"2025-01-02T00:00:00Z","restrictions":{"apiTargets":[{"service":"maps-backend.googleapis.com"}],"browserKeyRestrictions":{"allowedReferrers":["acme.example"]}}},
      {"name":"projects/12/locations/global/keys/u2","uid":"u2","createTime":"2025-01-02T00:00:00Z","keyString":"not a key"},
      {"accessId":"GOOG1","serviceAccountEmail":"ci@acme.iam.gserviceaccount.com","projectId":"acme","state":"INACTIVE","timeCreated":"2025-03-04T00:00:00.000Z","kind":"storage#hmacKeyMetadata"}]"#;
    assert_eq!(
        of(&[("x.json", text)]),
        [
            "gcp.api-key gcp:api-key:u1 of nobody Active made 2025-01-02 ends never used unsupported",
            "gcp.api-key gcp:api-key:u2 of nobody Active made 2025-01-02 ends never used unsupported sealed",
            "gcp.storage-hmac-secret gcp:hmac-key:GOOG1 of ci@acme.iam.gserviceaccount.com Disabled made 2025-03-04 ends never used unsupported",
            "set gcp:api-key:u1 api-target=maps-backend.googleapis.com",
            "set gcp:api-key:u1 application-restriction=browser",
            "set gcp:api-key:u2 api-target=*",
        ]
    );
}

#[test]
fn policies_name_their_place_or_the_file_does() {
    let found = r#"[{"resource":"//cloudresourcemanager.googleapis.com/projects/acme","assetType":"cloudresourcemanager.googleapis.com/Project","project":"projects/12","folders":["folders/3"],"organization":"organizations/9",
      "policy":{"bindings":[{"role":"roles/viewer","members":["serviceAccount:CI@acme.iam.gserviceaccount.com","user:ann@acme.example","deleted:user:x@y?uid=1","serviceAccount:service-12@gcp-sa-x.iam.gserviceaccount.com"],"condition":{"title":"t","expression":"request.time < timestamp(\"2027-01-01T00:00:00Z\")"}}]}}]"#;
    let lines = of(&[("search.json", found)]);
    assert_eq!(
        lines,
        [
            "ServiceAccount ci@acme.iam.gserviceaccount.com Active used unknown",
            "User gcp:user:ann@acme.example Active used unknown",
            "ServiceAccount service-12@gcp-sa-x.iam.gserviceaccount.com Active used unknown",
            r#"policy gcp:policy:project/acme {"place":"project/acme","bindings":[{"role":"roles/viewer","members":["ci@acme.iam.gserviceaccount.com","gcp:user:ann@acme.example","service-12@gcp-sa-x.iam.gserviceaccount.com"],"condition":"request.time < timestamp(\"2027-01-01T00:00:00Z\")"}]}"#,
            "in gcp:project/acme gcp:folder/3",
            "in gcp:project/acme gcp:organization/9",
            "set service-12@gcp-sa-x.iam.gserviceaccount.com provider-managed=true",
        ]
    );
    let bare = r#"{"bindings":[{"role":"roles/owner","members":["user:ann@acme.example"]}],"etag":"x","version":1}"#;
    let named = of(&[("project-acme.json", bare)]);
    assert!(
        named
            .iter()
            .any(|line| line.starts_with("policy gcp:policy:project/acme")),
        "{named:?}"
    );
    // An export of assets writes the same in another way.
    let asset = r#"{"name":"//cloudresourcemanager.googleapis.com/projects/acme","asset_type":"cloudresourcemanager.googleapis.com/Project","iam_policy":{"bindings":[{"role":"roles/owner","members":["user:ann@acme.example"]}]},"ancestors":["projects/12","folders/3","organizations/9"]}"#;
    let told = of(&[("assets.json", asset)]);
    assert!(
        told.iter()
            .any(|line| line.starts_with("policy gcp:policy:project/acme")),
        "{told:?}"
    );
    assert!(
        told.contains(&"in gcp:project/acme gcp:folder/3".to_owned()),
        "{told:?}"
    );
}

#[test]
fn roles_providers_and_machines() {
    let text = r#"[
      {"name":"projects/acme/roles/x","title":"X","includedPermissions":["b","a"]},
      {"name":"roles/viewer","title":"Viewer"},
      {"name":"projects/12/locations/global/workloadIdentityPools/gh","state":"ACTIVE"},
      {"name":"projects/12/locations/global/workloadIdentityPools/gh/providers/p","state":"ACTIVE","attributeCondition":"c","attributeMapping":{"google.subject":"assertion.sub"},"oidc":{"issuerUri":"https://token.actions.githubusercontent.com"}},
      {"kind":"compute#instance","selfLink":"https://x/vm","serviceAccounts":[{"email":"ci@acme.iam.gserviceaccount.com","scopes":[]}]}]"#;
    assert_eq!(
        of(&[("x.json", text)]),
        [
            r#"policy gcp:role:projects/acme/roles/x {"permissions":["a","b"]}"#,
            "runs gcp:instance:https://x/vm as ci@acme.iam.gserviceaccount.com",
            r#"trust gcp:projects/12/locations/global/workloadIdentityPools/gh/providers/p {"pool":"projects/12/locations/global/workloadIdentityPools/gh","active":true,"issuer":"https://token.actions.githubusercontent.com","audiences":[],"aws":null,"condition":"c","mapping":{"google.subject":"assertion.sub"}}"#,
        ]
    );
}

#[test]
fn a_mistake_costs_what_it_is_in() {
    let bare = r#"{"bindings":[],"etag":"x","version":1}"#;
    let cases: &[(&str, String, &str)] = &[
        (
            "x.json",
            format!("[{ACCOUNT},\n{{\"name\":\"pro"),
            "Corrupt x.json:2: the file ends in the middle of a value",
        ),
        (
            "x.json",
            format!("[{ACCOUNT},\n{{\"email\":7,\"uniqueId\":\"1\"}}]"),
            "Corrupt x.json:2: the service account at line 2",
        ),
        (
            "x.json",
            format!("[{ACCOUNT},\n{{\"bindings\":\"all\",\"etag\":\"x\"}}]"),
            "Corrupt x.json:2: the IAM policy at line 2",
        ),
        (
            "x.json",
            ACCOUNT.replace("\"uniqueId\":\"1\"", "\"uniqueId\":\"1\",\"email\":\"x@y\""),
            "Corrupt x.json:1: a key of the service account",
        ),
        (
            "policy.json",
            bare.to_owned(),
            "Unsupported policy.json:1: the policy does not say of what it is",
        ),
        (
            "x.json",
            "{\"UserDetailList\":[]}".to_owned(),
            "Unsupported x.json: not a Google Cloud export",
        ),
        (
            "x.json",
            "bindings:\n".to_owned(),
            "Unsupported x.json: not a Google Cloud export",
        ),
        ("x.json", String::new(), "Corrupt x.json: the file is empty"),
    ];
    for (name, text, gap) in cases {
        let told = gaps(&[(name, text)]);
        assert_eq!(told.len(), 1, "{text}: {told:?}");
        assert!(told[0].starts_with(gap), "{text}: {told:?}");
    }
    let twice = r#"[{"resource":"//cloudresourcemanager.googleapis.com/projects/a","assetType":"x","policy":{"bindings":[]}},{"resource":"//cloudresourcemanager.googleapis.com/projects/a","assetType":"x","policy":{"bindings":[{"role":"r","members":[]}]}}]"#;
    assert!(gaps(&[("x.json", twice)])[0].contains("given twice and differs"));
    let many = format!("[{}]", vec![ACCOUNT; 20_000].join(","));
    assert_eq!(of(&[("x.json", &many)]).len(), 1);
}
