//! Decisions as tables. The cases follow AWS's own documentation (IAM user guide); each table
//! names the page. Keys, accounts and names are made up.

use keymuster_api::{
    Attachment, AttachmentKind, Identity, IdentityKind, Key, Known, Membership, Policy, Source,
    Status, SystemId, Trust,
};

use super::{Access, AccessFacts, Context, Decision, Request, assess};

mod conditions;
mod documented;
mod elements;
mod joint;
mod laws;
mod malformed;
mod privileges;
mod sources;

const USER: &str = "arn:aws:iam::123456789012:user/ann";
const ROLE: &str = "arn:aws:iam::123456789012:role/app";
const GROUP: &str = "arn:aws:iam::123456789012:group/ops";
const ACCOUNT: &str = "aws:account:123456789012";

fn source() -> Source {
    Source {
        system: SystemId(0),
        locator: String::new(),
    }
}

fn identity(key: &str) -> Identity {
    let kind = match key {
        _ if key.ends_with(":root") => IdentityKind::Root,
        _ if key.contains(":role/") => IdentityKind::Role,
        _ => IdentityKind::User,
    };
    Identity {
        key: key.into(),
        kind,
        name: key.rsplit('/').next().unwrap_or_default().to_owned(),
        provider: "aws".to_owned(),
        account: key.split(':').nth(4).map(str::to_owned),
        status: Status::Active,
        created: Known::Unknown,
        last_used: Known::Unknown,
        interactive: Known::Unknown,
        mfa: Known::Unknown,
        tags: vec![("Team".to_owned(), "blue".to_owned())],
        source: source(),
    }
}

/// An estate with one user in one group, one role and the root; policies are added.
#[derive(Clone)]
struct Estate {
    identities: Vec<Identity>,
    policies: Vec<Policy>,
    trusts: Vec<Trust>,
    memberships: Vec<Membership>,
}

impl Estate {
    fn new() -> Estate {
        Estate {
            identities: vec![
                identity(USER),
                identity(ROLE),
                identity("arn:aws:iam::123456789012:root"),
            ],
            policies: Vec::new(),
            trusts: Vec::new(),
            memberships: vec![Membership {
                member: USER.into(),
                group: GROUP.into(),
                source: source(),
            }],
        }
    }

    fn with(mut self, to: &str, kind: AttachmentKind, document: &str) -> Estate {
        let key = Key(format!("p{}", self.policies.len()));
        self.policies.push(Policy {
            name: key.0.clone(),
            key,
            document: document.to_owned(),
            attached: vec![Attachment {
                to: to.into(),
                kind,
            }],
            source: source(),
        });
        self
    }

    fn user(self, document: &str) -> Estate {
        self.with(USER, AttachmentKind::Inline, document)
    }

    fn in_level(mut self, level: &str) -> Estate {
        self.memberships.push(Membership {
            member: ACCOUNT.into(),
            group: level.into(),
            source: source(),
        });
        self
    }

    fn assess(&self) -> Access {
        assess(&AccessFacts {
            identities: &self.identities,
            policies: &self.policies,
            trusts: &self.trusts,
            memberships: &self.memberships,
            ..AccessFacts::default()
        })
    }

    fn ask(&self, principal: &str, action: &str, resource: &str, context: &Context) -> Decision {
        self.assess()
            .can(&Request {
                principal: &principal.into(),
                action,
                resource,
                context,
            })
            .decision
    }
}

/// A document of these statements, under the version that knows variables.
fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn allow(rest: &str) -> String {
    document(&format!(r#"{{"Effect":"Allow",{rest}}}"#))
}

fn deny(rest: &str) -> String {
    document(&format!(r#"{{"Effect":"Deny",{rest}}}"#))
}

const ALL: &str = r#""Action":"*","Resource":"*""#;
