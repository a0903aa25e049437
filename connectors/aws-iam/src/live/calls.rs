//! Every call that a live read makes, with the permission it needs. There are no others: what is
//! not in this table cannot be asked for, so the connector reads only, by construction.

/// One call, as the AWS command line names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// `iam`, `sts`.
    pub(crate) service: &'static str,
    /// `list-access-keys`.
    pub(crate) verb: &'static str,
    /// The action of a policy that allows it.
    pub(crate) permission: &'static str,
    /// What is not seen without it; empty where nothing is seen at all.
    pub(crate) unseen: &'static str,
}

macro_rules! calls {
    ($($name:ident: $service:literal $verb:literal $permission:literal, $unseen:literal;)*) => {
        $(pub(crate) const $name: Call = Call {
            service: $service,
            verb: $verb,
            permission: $permission,
            unseen: $unseen,
        };)*
        /// All of them.
        pub(crate) const CALLS: &[&Call] = &[$(&$name),*];
    };
}

calls! {
    IDENTITY: "sts" "get-caller-identity" "sts:GetCallerIdentity", "";
    ASSUME: "sts" "assume-role" "sts:AssumeRole", "the account of the role";
    DETAILS: "iam" "get-account-authorization-details" "iam:GetAccountAuthorizationDetails", "principals and what they may do";
    MAKE_REPORT: "iam" "generate-credential-report" "iam:GenerateCredentialReport", "passwords, the age and use of access keys";
    REPORT: "iam" "get-credential-report" "iam:GetCredentialReport", "passwords, the age and use of access keys";
    KEYS: "iam" "list-access-keys" "iam:ListAccessKeys", "ids of access keys";
    SERVICE_CREDENTIALS: "iam" "list-service-specific-credentials" "iam:ListServiceSpecificCredentials", "keys of Bedrock, CloudWatch, CodeCommit and Keyspaces";
    SIGNING: "iam" "list-signing-certificates" "iam:ListSigningCertificates", "ids of signing certificates";
    SERVER_CERTIFICATES: "iam" "list-server-certificates" "iam:ListServerCertificates", "server certificates and when they end";
    SAML: "iam" "list-saml-providers" "iam:ListSAMLProviders", "SAML providers and when their certificates end";
    SUBJECTS: "rolesanywhere" "list-subjects" "rolesanywhere:ListSubjects", "certificates that machines outside of AWS use";
}

/// The smallest policy under which nothing stays unseen. Only a caller that reads other accounts
/// assumes roles there.
pub(crate) fn policy(roles: &[String]) -> String {
    let mut actions: Vec<&str> = CALLS
        .iter()
        .filter(|call| **call != &ASSUME)
        .map(|call| call.permission)
        .collect();
    actions.sort_unstable();
    let mut statements = vec![serde_json::json!({
        "Effect": "Allow", "Action": actions, "Resource": "*",
    })];
    if !roles.is_empty() {
        statements.push(serde_json::json!({
            "Effect": "Allow", "Action": ASSUME.permission, "Resource": roles,
        }));
    }
    serde_json::json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

#[cfg(test)]
mod tests {
    use super::{ASSUME, CALLS};

    #[test]
    fn every_call_reads() {
        for call in CALLS.iter().filter(|call| **call != &ASSUME) {
            let name = call.permission.split(':').nth(1).expect("an action");
            assert!(
                ["Get", "List", "Generate"]
                    .iter()
                    .any(|verb| name.starts_with(verb)),
                "{name}"
            );
            let verb: String = call.verb.split('-').collect();
            assert_eq!(verb, name.to_ascii_lowercase(), "{}", call.verb);
            assert!(call.permission.starts_with(&format!("{}:", call.service)));
        }
    }
}
