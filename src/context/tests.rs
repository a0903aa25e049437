//! Files as organisations write them, and what is refused.

use keymuster_api::{Redaction, Redactor, SecretId};

use super::{AuthMethod, Context, LifeEventKind, SystemKind};

struct Nothing;

impl Redactor for Nothing {
    fn redact(&self, _text: &str) -> Vec<Redaction> {
        Vec::new()
    }

    fn seal(&self, _secret: &[u8]) -> SecretId {
        SecretId([0; 16])
    }
}

fn catalogue(files: &[(&str, &str)]) -> Context {
    let mut context = Context::default();
    for (label, text) in files {
        context
            .read_catalogue(label, text.as_bytes(), &Nothing)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    context.merge();
    context
}

fn refused(label: &str, text: &str) -> String {
    let mut context = Context::default();
    let read = context.read_catalogue(label, text.as_bytes(), &Nothing);
    read.expect_err("refused").to_string()
}

#[test]
fn events_are_read_and_unknown_kinds_are_refused() {
    let mut context = Context::default();
    let text = "Event;Who;When;Ticket\nLeaver;bob@acme.example;2026-03-01;HR-7\nApp retired;mailer;01.02.2026;\n";
    context
        .read_events("events.csv", text.as_bytes(), &Nothing)
        .expect("read");
    let events = context.events.as_ref().expect("events");
    assert_eq!(events[0].kind, LifeEventKind::ApplicationRetired);
    assert_eq!(events[0].at.to_string(), "2026-02-01T00:00:00Z");
    assert_eq!(events[1].reference.as_deref(), Some("HR-7"));
    assert_eq!(events[1].source, "events.csv:2");
    for (text, says) in [
        (
            "event,subject,at\nparty,bob,2026-03-01\n",
            "events.csv:2: is no kind of event",
        ),
        (
            "event,subject,at\nleaver,bob,\n",
            "needs a kind, a subject and a time",
        ),
        (
            "event,subject,at\nleaver,bob,03/04/2026\n",
            "tells day from month",
        ),
        (
            "event,subject\nleaver,bob\n",
            "no column is called at or date",
        ),
    ] {
        let error = context.read_events("events.csv", text.as_bytes(), &Nothing);
        let error = error.expect_err("refused").to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn tickets_of_jira_and_servicenow() {
    let mut context = Context::default();
    let jira = "Issue key,Summary,Status,Created,Resolved,Reporter\nSEC-1,\"a, b\",Done,12/Mar/26 10:04 AM,13/Mar/26 9:00 AM,ada\nSEC-2,x,In Progress,14/Mar/26 10:04 AM,,ada\nSEC-3,x,Won't Do,14/Mar/26 10:04 AM,,ada\n";
    let servicenow = "Number,State,Approval,Opened,Closed,Requested by\nCHG001,New,Approved,2026-03-01 10:00:00,,Bob\nCHG002,Closed,Rejected,2026-03-01 10:00:00,2026-03-02 10:00:00,Bob\n";
    context
        .read_tickets("jira.csv", jira.as_bytes(), &Nothing)
        .expect("read");
    context
        .read_tickets("snow.csv", servicenow.as_bytes(), &Nothing)
        .expect("read");
    let names = context.names();
    let state = |id: &str| {
        let ticket = names.ticket(id).expect("a ticket");
        (ticket.approved, ticket.rejected)
    };
    assert_eq!(state("SEC-1"), (true, false));
    assert_eq!(state("sec-2"), (false, false));
    assert_eq!(state("SEC-3"), (false, true));
    assert_eq!(state("https://acme.example/browse/SEC-1"), (true, false));
    // The approval decides, not that it is closed.
    assert_eq!(state("CHG001"), (true, false));
    assert_eq!(state("CHG002"), (false, true));
    let decided = names.ticket("SEC-1").and_then(|ticket| ticket.decided);
    assert_eq!(
        decided.map(|at| at.to_string()).as_deref(),
        Some("2026-03-13T09:00:00Z")
    );
}

#[test]
fn one_api_told_by_three_files_is_one_entry() {
    let context = catalogue(&[
        (
            "systems.csv",
            "name,kind,owner,tier,revocation\nOrders API,api,payments,T1,runbook 4\nbilling,application,finance,,\n",
        ),
        (
            "catalog-info.yaml",
            "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: orders-api\n  annotations:\n    github.com/project-slug: acme/orders\nspec:\n  owner: group:default/payments\n  lifecycle: production\n---\napiVersion: backstage.io/v1alpha1\nkind: User\nmetadata:\n  name: ada\n",
        ),
        (
            "orders.yaml",
            "openapi: 3.0.0\ninfo: {title: orders api}\ncomponents:\n  securitySchemes:\n    key: {type: apiKey, in: query, name: k}\n    login: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://ID.acme.example/token', scopes: {}}}}\nsecurity:\n  - login: [orders.read]\npaths:\n  /orders:\n    get: {}\n    post: {security: []}\n",
        ),
    ]);
    let names = context.names();
    let [api] = names.systems("orders-API") else {
        panic!("{:?}", context.systems);
    };
    assert_eq!(api.kind, SystemKind::Api);
    assert_eq!(api.owner.as_deref(), Some("payments"));
    assert_eq!(api.revocation.as_deref(), Some("runbook 4"));
    let methods: Vec<AuthMethod> = api.auth.iter().map(|auth| auth.method).collect();
    assert_eq!(methods, [AuthMethod::ApiKeyInUrl, AuthMethod::OAuthClient]);
    assert_eq!(api.issuers, ["https://id.acme.example"]);
    assert_eq!(api.scopes, ["orders.read"]);
    assert_eq!(api.open_operations, ["POST /orders"]);
    assert_eq!(names.systems("acme/orders").len(), 1);
    assert_eq!(names.systems("billing")[0].kind, SystemKind::System);
}

#[test]
fn swagger_and_amazons_export() {
    let context = catalogue(&[(
        "export.json",
        r#"{"swagger":"2.0","info":{"title":"Legacy"},"securityDefinitions":{
            "a":{"type":"basic"},
            "b":{"type":"oauth2","flow":"implicit","authorizationUrl":"https://id.example/x"},
            "c":{"type":"oauth2","flow":"password","tokenUrl":"https://id.example/x"},
            "sigv4":{"type":"apiKey","in":"header","x-amazon-apigateway-authtype":"awsSigv4"}},
            "paths":{"/a":{"get":{"security":[{"sigv4":[]}]},"options":{}}}}"#,
    )]);
    let systems = context.systems.expect("systems");
    let methods: Vec<AuthMethod> = systems[0].auth.iter().map(|auth| auth.method).collect();
    assert_eq!(
        methods,
        [
            AuthMethod::Basic,
            AuthMethod::OAuthImplicit,
            AuthMethod::OAuthPassword,
            AuthMethod::Signed
        ]
    );
    assert!(
        systems[0].open_operations.is_empty(),
        "a preflight request carries no login"
    );
}

const KONG: &str = r#"
_format_version: "3.0"
services:
- name: orders
  tags: [owner:payments, version:4f2a]
  plugins:
  - {name: key-auth, config: {key_in_query: false}}
  - {name: acl, config: {allow: [partners]}}
- name: stock
  plugins:
  - {name: acl, config: {allow: [partners]}}
  - {name: key-auth, config: {key_in_query: false}}
- name: status
- name: old
  plugins:
  - {name: key-auth}
  - {name: basic-auth, enabled: false}
consumers:
- username: shop
  acls: [{group: partners}]
  keyauth_credentials: [{key: not-kept}]
"#;

#[test]
fn a_gateways_policies_are_compared_and_no_key_is_kept() {
    let context = catalogue(&[("kong.yaml", KONG)]);
    assert!(!format!("{context:?}").contains("not-kept"));
    let names = context.names();
    let of = |name: &str| names.systems(name)[0];
    let digest = |name: &str| of(name).policy.clone().expect("a policy").digest;
    assert_eq!(
        digest("orders"),
        digest("stock"),
        "the order of plugins says nothing"
    );
    assert_ne!(digest("orders"), digest("old"));
    assert_eq!(of("orders").callers, ["shop"]);
    assert_eq!(of("orders").owner.as_deref(), Some("payments"));
    assert_eq!(of("status").open_operations, ["every route"]);
    let old: Vec<AuthMethod> = of("old").auth.iter().map(|auth| auth.method).collect();
    assert_eq!(
        old,
        [AuthMethod::ApiKeyInUrl],
        "keys are taken from the query unless told"
    );
}

#[test]
fn lists_of_approvers_scopes_and_vendors() {
    let context = catalogue(&[
        (
            "approvers.toml",
            "version = '2026-04'\n[[approver]]\nwho = 'boss'\ntiers = ['T0', 'T1']\n",
        ),
        (
            "scopes.toml",
            "auth = ['openid-connect']\n[[scope]]\nname = 'orders.read'\n",
        ),
        (
            "vendors.csv",
            "Vendor,Contract,Contract end,Status,Playbook\nTwilio,C-7,2026-12-31,active,RB-1\nOld Co,,,terminated,\n",
        ),
    ]);
    assert_eq!(
        context.approvers.as_ref().expect("approvers").entries.len(),
        1
    );
    assert_eq!(
        context.scopes.as_ref().expect("scopes").auth,
        ["openid-connect"]
    );
    let names = context.names();
    let vendor = names.vendor("twilio").expect("a vendor");
    assert_eq!(
        vendor.contract_end.map(|at| at.to_string()).as_deref(),
        Some("2026-12-31T23:59:59Z")
    );
    assert!(names.vendor("OldCo").is_some_and(|vendor| vendor.ended));
}

#[test]
fn what_is_not_understood_stops_with_its_place() {
    for (label, text, says) in [
        ("a.toml", "x = 1\n", "no catalogue that is known"),
        (
            "approvers.toml",
            "[[approver]]\nwho = 'x'\ntier = ['T0']\n",
            "approvers.toml:3",
        ),
        (
            "approvers.toml",
            "[[approver]]\nwho = 'x'\ntiers = ['T9']\n",
            "T9",
        ),
        (
            "scopes.toml",
            "auth = ['magic']\n[[scope]]\nname = 'x'\n",
            "magic",
        ),
        ("a.yaml", "a: [1\n", "no YAML that can be read"),
        ("a.yaml", "a: 1\n", "no catalogue that is known"),
        ("a.json", "{\"openapi\": \"3\",", "a.json:1"),
        ("a.csv", "a,b\n1,2\n", "no catalogue that is known"),
        ("a.csv", "api,owner,auth\nx,y,magic\n", "a.csv:2"),
    ] {
        let error = refused(label, text);
        assert!(error.contains(says), "{error}");
    }
}
