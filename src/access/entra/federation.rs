//! Federated credentials: whose tokens log in as an application. A subject is compared as a whole, so
//! only an expression, or a subject that many share, lets in more than one.
//! (learn.microsoft.com/entra/workload-id/workload-identity-federation)

use keymuster_api::Trust;
use serde::Deserialize;

use crate::access::{TrustFact, TrustKind};

#[derive(Debug, Deserialize)]
struct Text {
    name: String,
    issuer: String,
    subject: Option<String>,
    expression: Option<String>,
}

/// What is odd about a federated credential.
pub(super) fn judge(trust: &Trust) -> Result<Option<TrustFact>, serde_json::Error> {
    let text: Text = serde_json::from_str(&trust.document)?;
    let host = text.issuer.strip_prefix("https://").unwrap_or(&text.issuer);
    let why = match (&text.subject, &text.expression) {
        (_, Some(expression)) => open_expression(expression).then(|| {
            format!("the expression {expression} takes in subjects of other owners or of all repositories")
        }),
        (Some(subject), None) if subject.contains('*') => {
            Some(format!("the subject {subject} has a wildcard; Entra compares it as it is, so nobody gets in by it, and it was meant to let many in"))
        }
        (Some(subject), None) if subject.ends_with(":pull_request") && host.contains("github") => {
            Some(format!("the subject {subject} is that of every pull request, whoever made it"))
        }
        (Some(_), None) => None,
        (None, None) => Some("it names no subject".to_owned()),
    };
    Ok(why.map(|why| TrustFact {
        role: trust.identity.clone(),
        kind: TrustKind::BroadOidc,
        who: format!("{} ({})", host.trim_end_matches('/'), text.name),
        why,
        statement: 0,
    }))
}

/// Whether an expression leaves open whose repository or project it is: a wildcard at or before its
/// name.
fn open_expression(expression: &str) -> bool {
    let literals: Vec<&str> = expression.split('\'').skip(1).step_by(2).collect();
    let patterns: Vec<&&str> = literals
        .iter()
        .filter(|one| one.contains(['*', '?']))
        .collect();
    patterns.iter().any(|pattern| {
        let fixed = pattern.split(['*', '?']).next().unwrap_or_default();
        let path = fixed.split_once(':').map_or(fixed, |(_, path)| path);
        // `repo:acme/app:…` names owner and repository before the wildcard.
        let named = path.split_once('/').is_some_and(|(owner, rest)| {
            !owner.is_empty()
                && rest
                    .split_once(':')
                    .is_some_and(|(name, _)| !name.is_empty())
        });
        !named
    })
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Key, Source, SystemId, Trust};
    use serde_json::{Value, json};

    use super::judge;

    fn is_odd(subject: Value, expression: Value) -> bool {
        let document = json!({ "name": "ci", "issuer": "https://token.actions.githubusercontent.com",
            "subject": subject, "audiences": [], "expression": expression });
        let trust = Trust {
            identity: Key::from("entra:app:x"),
            document: document.to_string(),
            source: Source {
                system: SystemId(0),
                locator: String::new(),
            },
        };
        judge(&trust).expect("a credential").is_some()
    }

    #[test]
    fn subjects_and_expressions() {
        for fine in [
            "repo:acme/app:ref:refs/heads/main",
            "repo:acme/app:environment:prod",
            "system:serviceaccount:pay:deploy",
        ] {
            assert!(!is_odd(json!(fine), Value::Null), "{fine}");
        }
        for open in ["repo:acme/*", "repo:acme/app:pull_request"] {
            assert!(is_odd(json!(open), Value::Null), "{open}");
        }
        assert!(is_odd(Value::Null, Value::Null));
        for fine in [
            "claims['sub'] matches 'repo:acme/app:ref:refs/heads/*'",
            "claims['sub'] eq 'repo:acme/app:environment:prod'",
        ] {
            assert!(!is_odd(Value::Null, json!(fine)), "{fine}");
        }
        for open in [
            "claims['sub'] matches 'repo:acme/*'",
            "claims['sub'] matches '*'",
            "claims['sub'] matches 'repo:*/app:ref:refs/heads/main'",
        ] {
            assert!(is_odd(Value::Null, json!(open)), "{open}");
        }
    }
}
