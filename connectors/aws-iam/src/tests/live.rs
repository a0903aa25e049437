//! Accounts as they are now: a caller that answers like the AWS command line, counts, and refuses
//! what the printed policy does not allow.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use keymuster_api::{Cancel, GapKind, Sink as _};

use super::{ACCOUNT, Export, Facts, HEADER, cx, details, id, keys, report, user_arn};
use crate::{
    facts,
    live::{
        self, Caller, Refusal,
        calls::{Call, policy},
    },
    parts::Parts,
};

/// Answers by verb, with what is asked for behind a space.
struct Fake {
    answers: BTreeMap<String, String>,
    refused: BTreeSet<&'static str>,
    calls: RefCell<Vec<String>>,
}

impl Fake {
    fn new(answers: &[(&str, String)]) -> Fake {
        let who = format!(
            r#"{{"Account":"{ACCOUNT}","Arn":"{}"}}"#,
            user_arn("auditor")
        );
        let mut all: BTreeMap<String, String> = BTreeMap::from([
            ("get-caller-identity".to_owned(), who),
            (
                "generate-credential-report".to_owned(),
                r#"{"State":"COMPLETE"}"#.to_owned(),
            ),
        ]);
        // What the command line prints where there is nothing.
        for (call, list) in [
            (
                "list-service-specific-credentials",
                "ServiceSpecificCredentials",
            ),
            ("list-signing-certificates", "Certificates"),
            ("list-server-certificates", "ServerCertificateMetadataList"),
            ("list-saml-providers", "SAMLProviderList"),
            ("list-subjects", "subjects"),
        ] {
            all.insert(call.to_owned(), format!(r#"{{"{list}":[]}}"#));
        }
        all.extend(
            answers
                .iter()
                .map(|(call, text)| ((*call).to_owned(), text.clone())),
        );
        Fake {
            answers: all,
            refused: BTreeSet::new(),
            calls: RefCell::default(),
        }
    }

    fn read(&self) -> Facts {
        let cancel = Cancel::new();
        let cx = cx(&cancel);
        let mut parts = Parts::default();
        live::account(&cx, self, &["eu-west-1".to_owned()], &mut parts).expect("an account");
        let mut facts = Facts::default();
        for item in facts::items(&cx, &parts, None) {
            facts.emit(item);
        }
        facts
    }
}

impl Caller for Fake {
    fn call(&self, call: &Call, args: &[&str]) -> Result<Vec<u8>, Refusal> {
        let allowed: serde_json::Value = serde_json::from_str(&policy(&[])).expect("JSON");
        let actions = allowed["Statement"][0]["Action"]
            .as_array()
            .expect("actions");
        let denied = |permission: &str| {
            let listed = actions.iter().any(|action| action == permission);
            !listed || self.refused.contains(permission)
        };
        if denied(call.permission) {
            return Err(Refusal {
                code: "AccessDenied".to_owned(),
                message: "not authorized".to_owned(),
            });
        }
        self.calls
            .borrow_mut()
            .push(format!("{} {}", call.verb, args.join(" ")));
        let of = args.iter().rev().find(|arg| !arg.starts_with("--"));
        let named = of.and_then(|of| self.answers.get(&format!("{} {of}", call.verb)));
        let answer = named.or_else(|| self.answers.get(call.verb));
        Ok(answer.map_or("{}", String::as_str).as_bytes().to_vec())
    }
}

fn encoded(report: &str) -> String {
    use base64::Engine as _;
    let content = base64::engine::general_purpose::STANDARD.encode(report);
    format!(r#"{{"Content":"{content}","ReportFormat":"text/csv"}}"#)
}

fn lists() -> Vec<(&'static str, String)> {
    vec![
        ("get-account-authorization-details", details()),
        ("get-credential-report", encoded(&report())),
        ("list-access-keys ci", keys()),
        (
            "list-signing-certificates ci",
            r#"{"Certificates":[{"UserName":"ci","CertificateId":"CERT1","CertificateBody":"x",
                "Status":"Active","UploadDate":"2014-02-02T00:00:00Z"}]}"#
                .to_owned(),
        ),
        (
            "list-server-certificates",
            format!(
                r#"{{"ServerCertificateMetadataList":[{{"Path":"/","ServerCertificateName":"shop",
                "ServerCertificateId":"ASCA1","Arn":"arn:aws:iam::{ACCOUNT}:server-certificate/shop",
                "UploadDate":"2025-01-01T00:00:00Z","Expiration":"2026-08-01T00:00:00Z"}}]}}"#
            ),
        ),
        (
            "list-saml-providers",
            format!(
                r#"{{"SAMLProviderList":[{{"Arn":"arn:aws:iam::{ACCOUNT}:saml-provider/idp",
                "ValidUntil":"2027-01-01T00:00:00Z","CreateDate":"2025-01-01T00:00:00Z"}}]}}"#
            ),
        ),
        (
            "list-subjects",
            format!(
                r#"{{"subjects":[{{"subjectArn":"arn:aws:rolesanywhere:eu-west-1:{ACCOUNT}:subject/1",
                "subjectId":"1","enabled":true,"x509Subject":"CN=press-7","createdAt":"2026-01-01T00:00:00Z",
                "lastSeenAt":"2026-06-30T00:00:00Z"}}]}}"#
            ),
        ),
    ]
}

#[test]
fn an_account_as_it_is_now() {
    let facts = Fake::new(&lists()).read();
    assert_eq!(facts.gaps, []);
    assert_eq!(facts.access_keys().len(), 2);
    let end = |key: &str| facts.credential(key).expires;
    assert_eq!(
        end(&format!("arn:aws:iam::{ACCOUNT}:server-certificate/shop")),
        super::time("2026-08-01T00:00:00Z")
    );
    assert_eq!(
        end(&format!("arn:aws:iam::{ACCOUNT}:saml-provider/idp")),
        super::time("2027-01-01T00:00:00Z")
    );
    let machine = facts.credential(&format!(
        "arn:aws:rolesanywhere:eu-west-1:{ACCOUNT}:subject/1"
    ));
    assert_eq!(machine.name.as_deref(), Some("CN=press-7"));
    assert_eq!(machine.last_used, super::time("2026-06-30T00:00:00Z"));
    // The list knows the certificate that the report only counts.
    let signing: Vec<&str> = facts
        .credentials
        .iter()
        .filter(|one| one.kind == "aws.signing-certificate")
        .map(|one| one.key.0.as_str())
        .collect();
    assert_eq!(signing, ["aws:signing-certificate:CERT1"]);
}

/// The same answers as files give the same facts, byte for byte but for the folder's name.
#[test]
fn live_is_what_was_exported() {
    let fake = Fake::new(&lists());
    let live = fake.read();
    let export = lists()
        .into_iter()
        .fold(Export::new(), |export, (call, text)| {
            let name = call
                .replace(' ', "-")
                .replace("list-subjects", "list-subjects-eu-west-1");
            export.with(&format!("aws/{ACCOUNT}/{name}.json"), text)
        });
    let folder = export.0.path().display().to_string();
    let exported = format!("{:#?}", export.read()).replace(&format!("{folder}/"), "");
    let live = format!("{live:#?}");
    let differ = live
        .lines()
        .zip(exported.lines())
        .find(|(one, other)| one != other);
    assert_eq!(differ, None);
    assert_eq!(live.len(), exported.len());
}

/// 5,000 roles and 500 users, 90 of them with an active key.
#[test]
fn a_large_account_takes_few_calls() {
    let users: Vec<String> = (0..500).map(|number| format!("user-{number}")).collect();
    let rows: Vec<String> = users
        .iter()
        .enumerate()
        .map(|(number, name)| {
            let active = if number < 90 { "true,2026-01-01T00:00:00+00:00,N/A,N/A,N/A" } else { "false,N/A,N/A,N/A,N/A" };
            format!(
                "{name},{},2024-03-01T00:00:00+00:00,false,N/A,N/A,N/A,false,{active},false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,x",
                user_arn(name)
            )
        })
        .collect();
    let report = format!("{HEADER}{}\n", rows.join("\n"));
    let roles: Vec<String> = (0..5_000)
        .map(|number| {
            format!(r#"{{"RoleName":"r{number}","Arn":"arn:aws:iam::{ACCOUNT}:role/r{number}"}}"#)
        })
        .collect();
    let listed: Vec<String> = users
        .iter()
        .map(|name| format!(r#"{{"UserName":"{name}","Arn":"{}"}}"#, user_arn(name)))
        .collect();
    let details = format!(
        r#"{{"UserDetailList":[{}],"GroupDetailList":[],"RoleDetailList":[{}],"Policies":[]}}"#,
        listed.join(","),
        roles.join(",")
    );
    let mut answers = vec![
        ("get-account-authorization-details".to_owned(), details),
        ("get-credential-report".to_owned(), encoded(&report)),
    ];
    answers.extend((0..90).map(|number| {
        let key = id(&format!("N{number}"));
        let entry = format!(
            r#"{{"AccessKeyMetadata":[{{"UserName":"user-{number}","AccessKeyId":"{key}","Status":"Active","CreateDate":"2026-01-01T00:00:00+00:00"}}]}}"#
        );
        (format!("list-access-keys user-{number}"), entry)
    }));
    let answers: Vec<(&str, String)> = answers
        .iter()
        .map(|(call, text)| (call.as_str(), text.clone()))
        .collect();
    let fake = Fake::new(&answers);
    let facts = fake.read();
    assert_eq!(facts.gaps, []);
    assert_eq!(facts.access_keys().len(), 90);
    let calls = fake.calls.borrow();
    let of = |verb: &str| calls.iter().filter(|call| call.starts_with(verb)).count();
    assert_eq!(of("list-access-keys"), 90);
    assert_eq!(of("get-account-authorization-details --page-size 1000"), 1);
    // Pages of the details come on top: AWS gives 100 to 1,000 entities in each.
    let pages = (5_000 + 500) / 100;
    assert!(calls.len() - 90 + pages <= 120, "{} calls", calls.len());
    assert_eq!(calls.len() - 90, 8, "{calls:?}");
}

/// What is refused is told with the permission, and the rest goes on.
#[test]
fn a_refused_call_is_a_gap() {
    let mut fake = Fake::new(&lists());
    fake.refused.insert("iam:ListSAMLProviders");
    let facts = fake.read();
    let [gap] = facts.gaps.as_slice() else {
        panic!("{:#?}", facts.gaps);
    };
    assert_eq!(gap.kind, GapKind::Denied);
    assert!(
        gap.reason.contains("grant iam:ListSAMLProviders"),
        "{}",
        gap.reason
    );
    assert_eq!(facts.access_keys().len(), 2);
    let mut fake = Fake::new(&lists());
    fake.refused
        .extend(["iam:GenerateCredentialReport", "iam:GetCredentialReport"]);
    let facts = fake.read();
    facts.gap(GapKind::Denied, "grant iam:GetCredentialReport");
    // Without the report every user is asked.
    assert_eq!(facts.access_keys().len(), 2);
    assert!(!facts.covered("roles").2);
}

#[test]
fn what_the_command_line_says_is_understood() {
    let said = "\nAn error occurred (AccessDenied) when calling the ListRoles operation: no\n";
    let refusal = Refusal::of(said);
    assert_eq!(refusal.code, "AccessDenied");
    assert!(refusal.message.starts_with("An error occurred"));
    let refusal = Refusal::of(
        "Unable to locate credentials. You can configure credentials by running \"aws login\".",
    );
    assert_eq!(refusal.code, "Failed");
    assert_eq!(Refusal::of("").message, "it failed and said nothing");
}
