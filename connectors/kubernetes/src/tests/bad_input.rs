//! Malformed and hostile exports: each ends in a gap that names file and place.

use keymuster_api::{Connector as _, Item};

use super::{facts_of, gaps, lines};
use crate::{KubernetesConnector, KubernetesSpec};

const ACCOUNT: &str =
    r#"{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"a","namespace":"x"}}"#;

fn of(text: &str) -> (usize, Vec<String>) {
    let items = facts_of(&[("x.json", text)]);
    let identities = items
        .iter()
        .filter(|item| matches!(item, Item::Identity(_)));
    (identities.count(), gaps(&items))
}

#[test]
fn a_mistake_costs_what_it_is_in() {
    let cases: &[(String, usize, &str)] = &[
        (
            format!(
                "{{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[{ACCOUNT},\n{{\"kind\":\"Serv"
            ),
            1,
            "Corrupt x.json:2: the file ends in the middle of a value at line 2",
        ),
        (
            format!(
                "[{ACCOUNT},\n{{\"kind\":\"ServiceAccount\",\"apiVersion\":\"v1\",\"metadata\":[]}}]"
            ),
            1,
            "Corrupt x.json:2: the ServiceAccount at line 2",
        ),
        (
            format!(
                "[{ACCOUNT},\n{{\"kind\":\"ClusterRoleBinding\",\"metadata\":{{\"name\":\"b\"}},\"roleRef\":\"admin\"}}]"
            ),
            1,
            "Corrupt x.json:2: the ClusterRoleBinding at line 2",
        ),
        (
            format!(
                "[{ACCOUNT},\n{{\"kind\":\"ClusterRoleBinding\",\"metadata\":{{\"name\":\"b\"}},\"roleRef\":{{\"kind\":\"Role\",\"name\":\"r\"}}}}]"
            ),
            1,
            "Corrupt x.json:2: it gives a Role, which it cannot",
        ),
        (
            format!(
                "[{ACCOUNT},\n{{\"kind\":\"ClusterRoleBinding\",\"metadata\":{{\"name\":\"b\"}},\"roleRef\":{{\"kind\":\"ClusterRole\",\"name\":\"cluster-admin\"}},\"subjects\":[{{\"kind\":\"Robot\",\"name\":\"r\"}}]}}]"
            ),
            1,
            "Corrupt x.json:2: it names a subject of kind Robot",
        ),
        (
            format!(
                "[{ACCOUNT},{{\"kind\":\"Secret\",\"type\":\"kubernetes.io/service-account-token\",\"metadata\":{{\"name\":\"t\"}}}}]"
            ),
            1,
            "Corrupt x.json:1: it is a token and names no account",
        ),
        (
            ACCOUNT.replace("\"name\":\"a\"", "\"name\":\"b\",\"name\":\"a\""),
            1,
            "Corrupt x.json:1: a key of the ServiceAccount",
        ),
        (
            "kind: ServiceAccount\n".to_owned(),
            0,
            "Unsupported x.json: not a Kubernetes export",
        ),
        (
            "{\"UserDetailList\":[]}".to_owned(),
            0,
            "Unsupported x.json: not a Kubernetes export",
        ),
        (String::new(), 0, "Corrupt x.json: the file is empty"),
    ];
    for (text, identities, gap) in cases {
        let (seen, told) = of(text);
        assert_eq!(seen, *identities, "{text}: {told:?}");
        assert_eq!(told.len(), 1, "{text}: {told:?}");
        assert!(told[0].starts_with(gap), "{text}: {told:?}");
    }
}

#[test]
fn objects_that_say_nothing_of_rights_are_no_mistake() {
    let (seen, told) = of(&format!(
        r#"[{ACCOUNT},{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"d"}}}}]"#
    ));
    assert_eq!((seen, told), (1, vec![]));
}

#[test]
fn a_cluster_given_twice_and_differently_is_told() {
    let role = |verb: &str| {
        format!(
            r#"{{"kind":"ClusterRole","metadata":{{"name":"r"}},"rules":[{{"apiGroups":[""],"resources":["pods"],"verbs":["{verb}"]}}]}}"#
        )
    };
    let (_, told) = of(&format!("[{ACCOUNT},{},{}]", role("get"), role("list")));
    assert!(told[0].contains("given twice and differs"), "{told:?}");
    let (_, told) = of(&format!("[{ACCOUNT},{},{}]", role("get"), role("get")));
    assert_eq!(told, [""; 0]);
}

#[test]
fn what_a_hostile_name_holds_stays_a_name() {
    let text = r#"[{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"../../etc/passwd\u0000\u001b[31m","namespace":"a/b","labels":{"owner":"sk-0123456789"}}}]"#;
    let items = facts_of(&[("x.json", text)]);
    let lines = lines(&items);
    assert!(
        lines
            .iter()
            .any(|line| line.contains("claim") && line.contains("[sealed test.key]"))
    );
    assert!(
        !lines.iter().any(|line| line.contains("0123456789")),
        "{lines:?}"
    );
    let many = format!("[{}]", vec![ACCOUNT; 20_000].join(","));
    assert_eq!(of(&many), (1, vec![]));
}

#[test]
fn a_cluster_needs_a_plain_name_and_some_file() {
    let spec = |cluster: &str| KubernetesSpec {
        label: String::new(),
        exports: vec!["/nowhere/at/all".into()],
        cluster: Some(cluster.to_owned()),
        issuer: Some("https://oidc.test/id/".to_owned()),
    };
    for bad in ["", "a/b", "a b", "ä"] {
        assert!(KubernetesConnector::new(spec(bad)).is_err(), "{bad}");
    }
    let connector = KubernetesConnector::new(spec("prod-1.eu")).expect("a name");
    assert_eq!(connector.about().kind, "kubernetes");
}
