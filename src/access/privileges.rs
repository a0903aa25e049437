//! What a principal really is: administrator, administrator of a service, or one step away.
//!
//! Judged by effect. A principal administers a service if it may do an action that nobody has
//! ever heard of there: no list of names can grant that, only a wildcard or a complement. It
//! is an administrator if that holds for each of the services that hold identities, keys, data
//! and machines, for a service that does not exist, and if it may change somebody's rights. A
//! guardrail that denies single actions, or a service at the edge, does not change what it is.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{IdentityKind, Key};

use super::{
    condition::Context,
    evaluate::{Answer, Decision, Evidence, Request, answer, limits},
    holdings::{Bundle, Signature},
    policy::{ActionPattern, Document, Effect},
};

/// What is known of one principal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Privilege {
    /// It can do everything, and why.
    pub admin: Option<Evidence>,
    /// It could do everything under the conditions that the evidence names.
    pub conditional: Option<Evidence>,
    /// Services in which it can do everything without condition, with reasons, by name. Empty
    /// for administrators.
    pub wildcard_services: Vec<(String, Evidence)>,
    /// It can give itself every right in one step, and why: no condition, nothing that stops
    /// the new rights. `None` for administrators.
    pub self_granting: Option<Evidence>,
}

/// An action name that no service has.
const PROBE: &str = "KeymusterProbe";

/// Services that an administrator must administer, with resources of theirs: `P` and `A` stand
/// for partition and account. The last service does not exist.
const CORE: [(&str, &[&str]); 13] = [
    (
        "iam",
        &[
            "arn:P:iam::A:user/keymuster-probe",
            "arn:P:iam::A:role/keymuster-probe",
            "arn:P:iam::A:policy/keymuster-probe",
            "arn:P:iam::A:group/keymuster-probe",
        ],
    ),
    ("sts", &["arn:P:iam::A:role/keymuster-probe"]),
    (
        "s3",
        &[
            "arn:P:s3:::keymuster-probe",
            "arn:P:s3:::keymuster-probe/key",
        ],
    ),
    ("kms", &["arn:P:kms:us-east-1:A:key/keymuster-probe"]),
    (
        "secretsmanager",
        &["arn:P:secretsmanager:us-east-1:A:secret:keymuster-probe"],
    ),
    (
        "ssm",
        &[
            "arn:P:ssm:us-east-1:A:parameter/keymuster-probe",
            "arn:P:ec2:us-east-1:A:instance/keymuster-probe",
        ],
    ),
    ("ec2", &["arn:P:ec2:us-east-1:A:instance/keymuster-probe"]),
    (
        "lambda",
        &["arn:P:lambda:us-east-1:A:function:keymuster-probe"],
    ),
    (
        "dynamodb",
        &["arn:P:dynamodb:us-east-1:A:table/keymuster-probe"],
    ),
    ("rds", &["arn:P:rds:us-east-1:A:db:keymuster-probe"]),
    (
        "cloudformation",
        &["arn:P:cloudformation:us-east-1:A:stack/keymuster-probe/1"],
    ),
    (
        "logs",
        &["arn:P:logs:us-east-1:A:log-group:keymuster-probe"],
    ),
    (
        "keymuster-probe",
        &["arn:P:keymuster-probe:us-east-1:A:thing/keymuster-probe"],
    ),
];

/// More services that are worth a word where a complement (`NotAction`) grants them.
const NOTABLE: [&str; 10] = [
    "cloudtrail",
    "ecr",
    "ecs",
    "eks",
    "organizations",
    "sns",
    "sqs",
    "sagemaker",
    "glue",
    "codebuild",
];

/// Actions that give rights to somebody; an administrator can do at least one.
const GRANTING: [(&str, &str); 6] = [
    ("iam:AttachUserPolicy", "user"),
    ("iam:PutUserPolicy", "user"),
    ("iam:AttachRolePolicy", "role"),
    ("iam:PutRolePolicy", "role"),
    ("iam:AttachGroupPolicy", "group"),
    ("iam:PutGroupPolicy", "group"),
];

/// Actions that an administrator's own policies grant besides.
const ESSENTIAL: [&str; 6] = [
    "iam:CreateAccessKey",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:PassRole",
    "iam:UpdateAssumeRolePolicy",
];

/// The privileges of all principals. Those that hold the same documents are judged once.
pub(super) fn of_all(
    documents: &[Document],
    policies: &[Key],
    bundles: &BTreeMap<Key, Bundle>,
) -> BTreeMap<Key, Privilege> {
    // Signatures that administer nothing: most principals.
    let mut modest: BTreeSet<Signature> = BTreeSet::new();
    let mut all = BTreeMap::new();
    let empty = Context::new();
    for (key, bundle) in bundles {
        if bundle.kind == IdentityKind::Group {
            continue;
        }
        let judge = Judge {
            documents,
            policies,
            bundle,
            context: &empty,
        };
        let shared = (!bundle.depends_on_context).then(|| bundle.signature());
        let privilege = if shared
            .as_ref()
            .is_some_and(|signature| modest.contains(signature))
        {
            judge.modest()
        } else {
            let privilege = judge.privilege();
            let nothing = privilege.admin.is_none()
                && privilege.conditional.is_none()
                && privilege.wildcard_services.is_empty();
            modest.extend(shared.filter(|_| nothing));
            privilege
        };
        all.insert(key.clone(), privilege);
    }
    all
}

/// Whether a principal, or a group's policies, may do everything.
pub(super) fn administers(documents: &[Document], policies: &[Key], bundle: &Bundle) -> Decision {
    let context = Context::new();
    let judge = Judge {
        documents,
        policies,
        bundle,
        context: &context,
    };
    judge.administers_everything(answer).decision
}

/// Whether a principal could do everything if its own policies allowed everything.
pub(super) fn leaves_everything(
    documents: &[Document],
    policies: &[Key],
    bundle: &Bundle,
) -> Decision {
    let context = Context::new();
    let judge = Judge {
        documents,
        policies,
        bundle,
        context: &context,
    };
    judge.administers_everything(limits).decision
}

struct Judge<'a> {
    documents: &'a [Document],
    policies: &'a [Key],
    bundle: &'a Bundle,
    context: &'a Context,
}

type Ask = fn(&[Document], &[Key], &Bundle, &Request<'_>) -> Answer;

impl Judge<'_> {
    fn ask(&self, ask: Ask, action: &str, resource: &str) -> Answer {
        let request = Request {
            principal: &self.bundle.key,
            action,
            resource,
            context: self.context,
        };
        ask(self.documents, self.policies, self.bundle, &request)
    }

    fn fill(&self, template: &str) -> String {
        let account = if self.bundle.account.is_empty() {
            "123456789012"
        } else {
            &self.bundle.account
        };
        template
            .replacen("arn:P:", &format!("arn:{}:", self.bundle.partition), 1)
            .replacen(":A:", &format!(":{account}:"), 1)
    }

    fn privilege(&self) -> Privilege {
        let admin = self.administers_everything(answer);
        if admin.decision == Decision::Allowed {
            return Privilege {
                admin: Some(admin.evidence),
                ..Privilege::default()
            };
        }
        let conditional = (admin.decision == Decision::Conditional).then_some(admin.evidence);
        Privilege {
            conditional,
            wildcard_services: self.wildcard_services(),
            ..self.modest()
        }
    }

    /// The privilege of a principal that is known to administer nothing.
    fn modest(&self) -> Privilege {
        Privilege {
            self_granting: self.self_granting(),
            ..Privilege::default()
        }
    }

    /// All answers together: the weakest decides.
    fn together(answers: impl IntoIterator<Item = Answer>) -> Answer {
        let mut sum = Answer {
            decision: Decision::Allowed,
            evidence: Evidence::default(),
        };
        for answer in answers {
            sum.decision = sum.decision.min(answer.decision);
            if sum.decision == Decision::NotAllowed {
                return Answer {
                    decision: Decision::NotAllowed,
                    evidence: Evidence::default(),
                };
            }
            for step in answer.evidence.steps {
                if !sum.evidence.steps.contains(&step) {
                    sum.evidence.steps.push(step);
                }
            }
            sum.evidence.conditions.extend(answer.evidence.conditions);
        }
        sum.evidence.conditions.sort();
        sum.evidence.conditions.dedup();
        sum
    }

    fn administers_everything(&self, ask: Ask) -> Answer {
        // The cheapest question first: most principals cannot use a service that does not exist.
        let probes = CORE.iter().rev().flat_map(|(service, resources)| {
            let action = format!("{service}:{PROBE}");
            resources
                .iter()
                .map(move |resource| self.ask(ask, &action, &self.fill(resource)))
        });
        let everything = Self::together(probes);
        if everything.decision == Decision::NotAllowed {
            return everything;
        }
        if std::ptr::fn_addr_eq(ask, answer as Ask) && !self.grants_all_of_iam() {
            return Answer::not_allowed();
        }
        let granting = GRANTING
            .iter()
            .map(|(action, kind)| {
                self.ask(
                    ask,
                    action,
                    &self.fill(&format!("arn:P:iam::A:{kind}/keymuster-probe")),
                )
            })
            .max_by_key(|answer| answer.decision)
            .unwrap_or_else(Answer::not_allowed);
        Self::together([everything, granting])
    }

    /// Whether its own policies grant every action that gives rights to somebody. A complement
    /// that leaves some of them out grants much, but makes no administrator by itself; a Deny
    /// that takes one away unmakes none.
    fn grants_all_of_iam(&self) -> bool {
        if self.bundle.kind == IdentityKind::Root {
            return true;
        }
        let granted = |action: &str| {
            let statements = self
                .bundle
                .identity
                .iter()
                .flat_map(|held| &self.documents[held.document as usize].statements);
            statements
                .filter(|statement| statement.effect == Effect::Allow)
                .any(|statement| {
                    let hit = |pattern: &ActionPattern| pattern.glob.matches(action);
                    statement.actions.iter().any(hit) != statement.not_action
                })
        };
        let granting = GRANTING.iter().map(|(action, _)| *action);
        granting.chain(ESSENTIAL).all(granted)
    }

    fn wildcard_services(&self) -> Vec<(String, Evidence)> {
        let mut services: BTreeSet<String> = BTreeSet::new();
        for held in &self.bundle.identity {
            let statements = &self.documents[held.document as usize].statements;
            for statement in statements
                .iter()
                .filter(|statement| statement.effect == Effect::Allow)
            {
                let broad = statement.not_action
                    || statement
                        .actions
                        .iter()
                        .any(|action| action.text.starts_with(['*', '?']));
                if broad {
                    services.extend(
                        CORE.iter()
                            .map(|(service, _)| *service)
                            .filter(|name| *name != "keymuster-probe")
                            .map(str::to_owned),
                    );
                    services.extend(NOTABLE.iter().map(|service| (*service).to_owned()));
                }
                if !statement.not_action {
                    services.extend(statement.actions.iter().filter_map(|action| {
                        let (service, name) = action.text.split_once(':')?;
                        let whole = name.contains('*')
                            && !service.contains(['*', '?'])
                            && !service.is_empty();
                        whole.then(|| service.to_ascii_lowercase())
                    }));
                }
            }
        }
        services
            .into_iter()
            .filter_map(|service| {
                let answer = self.administers(&service);
                (answer.decision == Decision::Allowed).then_some((service, answer.evidence))
            })
            .collect()
    }

    /// Whether it may do everything in one service: on `*`, or on each kind of resource.
    fn administers(&self, service: &str) -> Answer {
        let action = format!("{service}:{PROBE}");
        let whole = self.ask(answer, &action, "*");
        if whole.decision == Decision::Allowed {
            return whole;
        }
        match CORE.iter().find(|(known, _)| *known == service) {
            Some((_, resources)) => Self::together(
                resources
                    .iter()
                    .map(|resource| self.ask(answer, &action, &self.fill(resource))),
            ),
            None => whole,
        }
    }

    /// Whether it may write rights for itself or for a group of its own.
    fn self_granting(&self) -> Option<Evidence> {
        let own = match self.bundle.kind {
            IdentityKind::User => "user",
            IdentityKind::Role => "role",
            _ => return None,
        };
        if self.bundle.identity.is_empty() || is_immutable(&self.bundle.key) {
            return None;
        }
        let administrator = format!(
            "arn:{}:iam::aws:policy/AdministratorAccess",
            self.bundle.partition
        );
        let context = Context::new().with("iam:PolicyARN", &[&administrator]);
        let judge = Judge {
            context: &context,
            ..*self
        };
        let mut targets: Vec<(&str, &Key)> = vec![(own, &self.bundle.key)];
        targets.extend(self.bundle.groups.iter().map(|group| ("group", group)));
        let found = targets.into_iter().find_map(|(kind, target)| {
            GRANTING
                .iter()
                .filter(|(_, of)| *of == kind)
                .find_map(|(action, _)| {
                    let answer = judge.ask(answer, action, &target.0);
                    (answer.decision == Decision::Allowed).then_some(answer.evidence)
                })
        })?;
        // New rights stay within the limits; they make no administrator if the limits do not,
        // nor if a Deny of its own stands against it (which it could remove, in a second step).
        (self.administers_everything(limits).decision == Decision::Allowed).then_some(found)
    }
}

/// Roles that IAM calls cannot change: those of AWS services, and of IAM Identity Center.
fn is_immutable(key: &Key) -> bool {
    key.0.contains(":role/aws-service-role/") || key.0.contains(":role/aws-reserved/")
}
