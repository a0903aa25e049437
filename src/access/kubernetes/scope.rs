//! What belongs to no namespace.

/// Resources without a namespace, with their group: those of Kubernetes itself.
/// (kubectl api-resources --namespaced=false, Kubernetes 1.33; `users`, `groups` and `signers` are
/// virtual: kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation)
const WITHOUT_NAMESPACE: &[(&str, &str)] = &[
    ("componentstatuses", ""),
    ("nodes", ""),
    ("persistentvolumes", ""),
    ("users", ""),
    ("groups", ""),
    ("uids", "authentication.k8s.io"),
    ("userextras", "authentication.k8s.io"),
    (
        "mutatingwebhookconfigurations",
        "admissionregistration.k8s.io",
    ),
    (
        "validatingwebhookconfigurations",
        "admissionregistration.k8s.io",
    ),
    (
        "validatingadmissionpolicies",
        "admissionregistration.k8s.io",
    ),
    (
        "validatingadmissionpolicybindings",
        "admissionregistration.k8s.io",
    ),
    ("mutatingadmissionpolicies", "admissionregistration.k8s.io"),
    (
        "mutatingadmissionpolicybindings",
        "admissionregistration.k8s.io",
    ),
    ("customresourcedefinitions", "apiextensions.k8s.io"),
    ("apiservices", "apiregistration.k8s.io"),
    ("selfsubjectreviews", "authentication.k8s.io"),
    ("tokenreviews", "authentication.k8s.io"),
    ("selfsubjectaccessreviews", "authorization.k8s.io"),
    ("selfsubjectrulesreviews", "authorization.k8s.io"),
    ("subjectaccessreviews", "authorization.k8s.io"),
    ("certificatesigningrequests", "certificates.k8s.io"),
    ("clustertrustbundles", "certificates.k8s.io"),
    ("signers", "certificates.k8s.io"),
    ("flowschemas", "flowcontrol.apiserver.k8s.io"),
    (
        "prioritylevelconfigurations",
        "flowcontrol.apiserver.k8s.io",
    ),
    ("ingressclasses", "networking.k8s.io"),
    ("ipaddresses", "networking.k8s.io"),
    ("servicecidrs", "networking.k8s.io"),
    ("runtimeclasses", "node.k8s.io"),
    ("podsecuritypolicies", "policy"),
    ("clusterrolebindings", "rbac.authorization.k8s.io"),
    ("clusterroles", "rbac.authorization.k8s.io"),
    ("deviceclasses", "resource.k8s.io"),
    ("resourceslices", "resource.k8s.io"),
    ("priorityclasses", "scheduling.k8s.io"),
    ("csidrivers", "storage.k8s.io"),
    ("csinodes", "storage.k8s.io"),
    ("storageclasses", "storage.k8s.io"),
    ("volumeattachments", "storage.k8s.io"),
    ("volumeattributesclasses", "storage.k8s.io"),
    ("nodes", "metrics.k8s.io"),
];

/// Whether a resource is in no namespace. `groups` are those of the rule: `*` stands for all.
pub(super) fn is_without_namespace(resource: &str, groups: &[String]) -> bool {
    WITHOUT_NAMESPACE.iter().any(|(name, group)| {
        *name == resource && groups.iter().any(|own| own == "*" || own == group)
    })
}

/// Verbs that count in a namespace though the resource is in none: which ClusterRole a RoleBinding
/// may give is asked for in the RoleBinding's namespace.
/// (kubernetes.io/docs/reference/access-authn-authz/rbac/#restrictions-on-role-binding-creation-or-update)
pub(super) fn counts_in_a_namespace(resource: &str, verb: &str) -> bool {
    resource == "clusterroles" && matches!(verb, "bind" | "*")
}
