//! What well-formed exports become.

use keymuster_api::{GapKind, Item};

use super::{facts_of, lines};

fn of(text: &str) -> Vec<String> {
    lines(&facts_of(&[("x.json", text)]))
}

fn without_gaps(text: &str) -> Vec<String> {
    let mut lines = of(text);
    lines.retain(|line| !line.starts_with("gap"));
    lines
}

#[test]
fn accounts_their_tags_and_the_clouds_they_are_bound_to() {
    let text = r#"{"apiVersion":"v1","kind":"List","items":[
      {"apiVersion":"v1","kind":"ServiceAccount","automountServiceAccountToken":false,
       "metadata":{"name":"deploy","namespace":"pay","labels":{"team":"payments"},
       "annotations":{"eks.amazonaws.com/role-arn":"arn:aws:iam::111122223333:role/pay",
        "iam.gke.io/gcp-service-account":"pay@acme.iam.gserviceaccount.com",
        "azure.workload.identity/client-id":"0f0f","note":"use sk-0123",
        "kubectl.kubernetes.io/last-applied-configuration":"{}"}}}]}"#;
    assert_eq!(
        without_gaps(text),
        [
            "ServiceAccount serviceaccount/pay/deploy pay/deploy",
            "runs serviceaccount/pay/deploy as arn:aws:iam::111122223333:role/pay",
            "runs serviceaccount/pay/deploy as pay@acme.iam.gserviceaccount.com",
            "runs serviceaccount/pay/deploy as entra:app:0f0f",
            "claim serviceaccount/pay/deploy payments 60",
            "set serviceaccount/pay/deploy automounts-token=false",
        ]
    );
    let tags = facts_of(&[("x.json", text)])
        .into_iter()
        .find_map(|item| match item {
            Item::Identity(one) => Some(one.tags),
            _ => None,
        })
        .expect("an account");
    assert!(tags.contains(&("note".to_owned(), "use [sealed test.key]".to_owned())));
    assert!(!tags.iter().any(|(name, _)| name.contains("last-applied")));
}

#[test]
fn tokens_in_secrets_tell_their_use_where_the_cluster_notes_it() {
    let token = |name: &str, labels: &str, data: &str| {
        format!(
            r#"{{"kind":"Secret","apiVersion":"v1","type":"kubernetes.io/service-account-token","metadata":{{"name":"{name}","namespace":"pay","creationTimestamp":"2024-01-02T03:04:05Z","labels":{{{labels}}},"annotations":{{"kubernetes.io/service-account.name":"deploy"}}}}{data}}}"#
        )
    };
    let secrets = [
        token("used", r#""kubernetes.io/legacy-token-last-used":"2026-05-01""#, ""),
        token("cleaned", r#""kubernetes.io/legacy-token-invalid-since":"2026-05-01""#, ""),
        token("whole", "", r#","data":{"token":"ZXlKaGJHYw==","ca.crt":"x"}"#),
        r#"{"kind":"Secret","apiVersion":"v1","type":"Opaque","metadata":{"name":"db"},"data":{"token":"ZXlK"}}"#.to_owned(),
    ];
    let list = format!(
        r#"{{"kind":"List","apiVersion":"v1","items":[{}]}}"#,
        secrets.join(",")
    );
    let tokens = |text: &str| {
        let mut lines = without_gaps(text);
        lines.retain(|line| line.starts_with("token"));
        lines
    };
    assert_eq!(
        tokens(&list),
        [
            "token secret/pay/used of serviceaccount/pay/deploy Active used 2026-05-01T00:00:00Z secret false",
            "token secret/pay/cleaned of serviceaccount/pay/deploy Disabled used unknown secret false",
            "token secret/pay/whole of serviceaccount/pay/deploy Active used unknown secret true",
        ]
    );
    // Whoever notes uses would have noted one.
    let tracking = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"kube-apiserver-legacy-service-account-token-tracking","namespace":"kube-system"},"data":{"since":"2024-01-01"}}"#;
    assert!(tokens(&format!("{list}\n{tracking}"))[2].contains("used never"));
}

#[test]
fn roles_and_bindings_keep_where_they_hold() {
    let text = r#"{"kind":"List","apiVersion":"v1","items":[
      {"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"a","namespace":"x"}},
      {"kind":"Role","metadata":{"name":"r","namespace":"x"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]},
      {"kind":"ClusterRole","metadata":{"name":"empty"},"rules":null},
      {"kind":"RoleBinding","metadata":{"name":"b","namespace":"x"},"roleRef":{"kind":"Role","name":"r"},
       "subjects":[{"kind":"ServiceAccount","name":"a"},{"kind":"User","name":"ann"},{"kind":"User","name":"system:serviceaccount:y:z"}]},
      {"kind":"ClusterRoleBinding","metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"Group","name":"ops"}]},
      {"kind":"RoleBinding","metadata":{"name":"none","namespace":"x"},"roleRef":{"kind":"ClusterRole","name":"gone"},"subjects":null}
    ]}"#;
    assert_eq!(
        without_gaps(text),
        [
            "Group group/ops ops",
            "ServiceAccount serviceaccount/x/a x/a",
            "User user/ann ann",
            r#"policy clusterrole/cluster-admin {"rules":[{"apiGroups":["*"],"resources":["*"],"resourceNames":[],"verbs":["*"]},{"apiGroups":[],"resources":[],"resourceNames":[],"nonResourceURLs":["*"],"verbs":["*"]}]} to "#,
            r#"policy clusterrole/empty {"rules":[]} to "#,
            r#"policy clusterrolebinding/b {"role":"kubernetes:c/clusterrole/cluster-admin","namespace":null} to group/ops"#,
            r#"policy role/x/r {"rules":[{"apiGroups":[""],"resources":["pods"],"resourceNames":[],"verbs":["get"]}]} to "#,
            r#"policy rolebinding/x/b {"role":"kubernetes:c/role/x/r","namespace":"x"} to serviceaccount/x/a serviceaccount/y/z user/ann"#,
            r#"policy rolebinding/x/none {"role":"kubernetes:c/clusterrole/gone","namespace":"x"} to "#,
        ]
    );
}

#[test]
fn roles_that_are_put_together_hold_what_their_parts_hold() {
    let text = r#"{"kind":"List","apiVersion":"v1","items":[
      {"kind":"ClusterRole","metadata":{"name":"sum"},"rules":[],"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"to":"sum"}}]}},
      {"kind":"ClusterRole","metadata":{"name":"part","labels":{"to":"sum"}},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}]},
      {"kind":"ClusterRole","metadata":{"name":"other","labels":{"to":"else"}},"rules":[{"apiGroups":[""],"resources":["nodes"],"verbs":["get"]}]},
      {"kind":"ClusterRole","metadata":{"name":"filled"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}],"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"to":"sum"}}]}}
    ]}"#;
    let lines = without_gaps(text);
    let of = |name: &str| {
        lines
            .iter()
            .find(|line| line.starts_with(&format!("policy clusterrole/{name} ")))
            .expect("there")
            .clone()
    };
    assert!(of("sum").contains("secrets") && !of("sum").contains("nodes"));
    // In a cluster the controller has written them in already.
    assert!(of("filled").contains("pods") && !of("filled").contains("secrets"));
}

#[test]
fn what_the_api_server_makes_for_itself_is_marked() {
    let text = |label: &str| {
        format!(
            r#"{{"kind":"List","apiVersion":"v1","items":[
      {{"kind":"ServiceAccount","apiVersion":"v1","metadata":{{"name":"a","namespace":"kube-system"}}}},
      {{"kind":"ClusterRoleBinding","metadata":{{"name":"b"{label}}},"roleRef":{{"kind":"ClusterRole","name":"cluster-admin"}},"subjects":[{{"kind":"ServiceAccount","name":"a","namespace":"kube-system"}}]}}]}}"#
        )
    };
    let is_marked = |text: &str| {
        without_gaps(text)
            .iter()
            .any(|line| line.contains("provider-managed=true"))
    };
    let label = r#","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}"#;
    assert!(is_marked(&text(label)));
    assert!(!is_marked(&text("")));
    // One binding that somebody made is enough to be somebody's.
    let both = format!(
        "{}\n{}",
        text(label),
        text("").replace(r#""name":"b""#, r#""name":"c""#)
    );
    assert!(!is_marked(&both));
}

#[test]
fn pods_say_as_whom_they_run_and_lists_of_the_api_what_they_list() {
    let text = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[
      {"metadata":{"name":"p","namespace":"x"},"spec":{"serviceAccountName":"a"}},
      {"metadata":{"name":"q","namespace":"x"},"spec":{"automountServiceAccountToken":false}}]}"#;
    assert_eq!(
        without_gaps(text),
        [
            "runs pod/x/p as serviceaccount/x/a",
            "runs pod/x/q as serviceaccount/x/default",
            "set pod/x/q automounts-token=false"
        ]
    );
}

#[test]
fn what_else_should_be_exported_is_told_and_counted() {
    let items = facts_of(&[(
        "x.json",
        r#"{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"a"}}"#,
    )]);
    let missing: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            Item::Gap(gap) => Some((gap.kind, gap.reason.contains("kubectl get"))),
            _ => None,
        })
        .collect();
    assert_eq!(missing, [(GapKind::Missing, true); 2]);
    let complete: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            Item::Coverage(one) => Some((one.what.as_str(), one.received, one.complete)),
            _ => None,
        })
        .collect();
    assert_eq!(
        complete,
        [
            ("service accounts", 1, true),
            ("service account tokens", 0, false),
            ("role bindings", 0, false)
        ]
    );
}

#[test]
fn one_file_or_many_are_the_same() {
    let a =
        r#"{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"a","namespace":"x"}}"#;
    let b =
        r#"{"kind":"ServiceAccount","apiVersion":"v1","metadata":{"name":"b","namespace":"x"}}"#;
    let apart = lines(&facts_of(&[("a.json", a), ("b.json", b)]));
    let list = format!(r#"{{"kind":"List","apiVersion":"v1","items":[{b},{a}]}}"#);
    let without = |lines: Vec<String>| -> Vec<String> {
        lines
            .into_iter()
            .filter(|line| !line.starts_with("gap"))
            .collect()
    };
    assert_eq!(without(apart), without(of(&list)));
}
