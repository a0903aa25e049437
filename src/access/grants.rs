//! Which actions the policies of a principal grant, as they write them: for holding against what
//! was approved, and against what is used. Not here: on which resources, and under which
//! conditions; a grant under a condition is a grant.

use keymuster_api::Key;

use super::{
    Access,
    glob::Glob,
    holdings::Held,
    policy::{Document, Effect, Statement},
};

/// One action that a policy grants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrantedAction {
    /// As written: `s3:Get*`; `*` where a statement grants all but some.
    pub action: String,
    /// The policy.
    pub policy: Key,
    /// The group through which it reaches the principal.
    pub via: Option<Key>,
}

impl Access {
    /// What the policies of a principal grant, within its boundaries and control policies, and
    /// without what is denied on everything; sorted by action. `None` for keys that are no
    /// principal.
    pub fn grants(&self, principal: &Key) -> Option<Vec<GrantedAction>> {
        let bundle = self.bundles.get(principal)?;
        let mut all = Vec::new();
        for held in &bundle.identity {
            for text in allowed(&self.documents, held) {
                all.push(GrantedAction {
                    action: text,
                    policy: self.policies[held.policy as usize].clone(),
                    via: held.via.clone(),
                });
            }
        }
        for limit in bundle.limits(&self.documents) {
            let most: Vec<String> = limit
                .iter()
                .flat_map(|held| allowed(&self.documents, held))
                .collect();
            all = all.into_iter().flat_map(|one| within(one, &most)).collect();
        }
        let denied: Vec<&Statement> = bundle
            .own()
            .flat_map(|held| &self.documents[held.document as usize].statements)
            .filter(|statement| is_general_deny(statement))
            .collect();
        all.retain(|one| {
            let action = one.action.to_ascii_lowercase();
            let mut patterns = denied.iter().flat_map(|statement| &statement.actions);
            !patterns.any(|pattern| pattern.glob.matches(&action))
        });
        all.sort();
        all.dedup();
        Some(all)
    }
}

fn allowed(documents: &[Document], held: &Held) -> Vec<String> {
    let statements = documents[held.document as usize].statements.iter();
    statements
        .filter(|statement| statement.effect == Effect::Allow)
        .flat_map(|statement| {
            if statement.not_action {
                vec!["*".to_owned()]
            } else {
                let texts = statement.actions.iter();
                texts.map(|action| action.text.to_string()).collect()
            }
        })
        .collect()
}

/// A grant cut down to a limit: itself where the limit covers it, else what of the limit it
/// covers.
fn within(one: GrantedAction, most: &[String]) -> Vec<GrantedAction> {
    if most.iter().any(|limit| covers(limit, &one.action)) {
        return vec![one];
    }
    let inside = most.iter().filter(|limit| covers(&one.action, limit));
    inside
        .map(|limit| GrantedAction {
            action: limit.clone(),
            ..one.clone()
        })
        .collect()
}

/// Whether an action pattern takes in all that another does.
pub fn covers(wide: &str, narrow: &str) -> bool {
    Glob::folded(wide).matches(&narrow.to_ascii_lowercase())
}

/// Whether a statement denies its actions always and everywhere.
fn is_general_deny(statement: &Statement) -> bool {
    let everywhere = !statement.not_resource
        && statement.resources.as_ref().is_some_and(|resources| {
            let mut resources = resources.iter();
            resources.any(|resource| resource.fixed().is_some_and(Glob::is_any))
        });
    statement.effect == Effect::Deny
        && !statement.not_action
        && statement.conditions.is_empty()
        && everywhere
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Attachment, AttachmentKind, IdentityKind, Key, Known, Policy, Status};

    use super::covers;
    use crate::access::{AccessFacts, assess};

    fn grants(policies: &[(&str, AttachmentKind)]) -> Vec<String> {
        let source = keymuster_api::Source {
            system: keymuster_api::SystemId(0),
            locator: "test".to_owned(),
        };
        let key = Key("arn:aws:iam::111122223333:user/deploy".to_owned());
        let identity = keymuster_api::Identity {
            key: key.clone(),
            kind: IdentityKind::User,
            name: "deploy".to_owned(),
            provider: "aws".to_owned(),
            account: Some("111122223333".to_owned()),
            status: Status::Active,
            created: Known::Unknown,
            last_used: Known::Unknown,
            interactive: Known::Unknown,
            mfa: Known::Unknown,
            tags: Vec::new(),
            source: source.clone(),
        };
        let policies: Vec<Policy> = policies
            .iter()
            .enumerate()
            .map(|(number, (statements, kind))| Policy {
                key: Key(format!("policy/{number}")),
                name: number.to_string(),
                document: format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#),
                attached: vec![Attachment {
                    to: key.clone(),
                    kind: *kind,
                }],
                source: source.clone(),
            })
            .collect();
        let access = assess(&AccessFacts {
            identities: &[identity],
            policies: &policies,
            trusts: &[],
            memberships: &[],
            credentials: &[],
            references: &[],
            now: None,
        });
        let grants = access.grants(&key).expect("a principal");
        grants.into_iter().map(|one| one.action).collect()
    }

    const READ: &str =
        r#"{"Effect":"Allow","Action":["s3:Get*","sqs:SendMessage"],"Resource":"*"}"#;

    #[test]
    fn what_is_written_within_its_limits() {
        assert_eq!(
            grants(&[(READ, AttachmentKind::Inline)]),
            ["s3:Get*", "sqs:SendMessage"]
        );
        let boundary = r#"{"Effect":"Allow","Action":"S3:GetObject","Resource":"*"}"#;
        let cut = [
            (READ, AttachmentKind::Inline),
            (boundary, AttachmentKind::Boundary),
        ];
        assert_eq!(grants(&cut), ["S3:GetObject"]);
        let all = r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#;
        assert_eq!(grants(&[(all, AttachmentKind::Attached)]), ["*"]);
    }

    #[test]
    fn only_a_deny_on_everything_takes_away() {
        for (deny, left) in [
            (r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#, 1),
            (
                r#"{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::x"}"#,
                2,
            ),
            (
                r#"{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}"#,
                2,
            ),
            (
                r#"{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}"#,
                2,
            ),
        ] {
            let both = format!("{READ},{deny}");
            assert_eq!(
                grants(&[(&both, AttachmentKind::Inline)]).len(),
                left,
                "{deny}"
            );
        }
    }

    #[test]
    fn patterns_cover_patterns() {
        assert!(covers("s3:*", "s3:Get*") && covers("S3:get*", "s3:GetObject"));
        assert!(!covers("s3:GetObject", "s3:Get*") && !covers("s3:*", "*"));
    }
}
