//! Steps from one system to the next: a service account of Kubernetes that a cloud lets be somebody.
//!
//! Two sides must agree: the annotation of the account names the identity, and the identity trusts
//! the account's tokens. Where only the first is known, that it does is a condition.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Key, Trust};
use serde::Deserialize;

use super::{
    Access, AccessFacts, Context, Tri,
    condition::all,
    escalation::Hop,
    policy::{Document, Effect},
    reach::{Graph, Node},
    standing::Step,
    trust::speaks,
};

/// The audience of tokens that AWS takes.
const AWS_AUDIENCE: &str = "sts.amazonaws.com";

/// Draws them, and what identities of AWS lead to.
pub(super) fn draw(facts: &AccessFacts<'_>, aws: &Access, graph: &mut Graph) {
    let trusts: BTreeMap<&Key, Vec<&Trust>> =
        facts.trusts.iter().fold(BTreeMap::new(), |mut all, trust| {
            all.entry(&trust.identity)
                .or_insert_with(Vec::new)
                .push(trust);
            all
        });
    let policies: BTreeSet<&Key> = facts.policies.iter().map(|policy| &policy.key).collect();
    let workloads = workloads(facts);
    let mut issuers: BTreeMap<&str, &str> = BTreeMap::new();
    for reference in facts.references {
        if let Some(issuer) = reference.to.0.strip_prefix("issuer:") {
            issuers.insert(&reference.by.0, issuer);
        }
    }
    // The project's clusters share its pool, whichever of them the account is in.
    for identity in facts
        .identities
        .iter()
        .filter(|one| one.provider == "kubernetes")
    {
        let Some((_, space, name)) = account_of(&identity.key) else {
            continue;
        };
        let keys = workloads.get(&(space, name)).into_iter().flatten();
        for key in keys.filter(|key| !key.0.contains(".svc.id.goog[")) {
            graph.step(
                Node::One(identity.key.clone()),
                "gke-workload-identity",
                Node::One((*key).clone()),
                Some("the cluster is of that project"),
            );
        }
    }
    for reference in facts.references {
        let Some((cluster, space, name)) = account_of(&reference.by) else {
            continue;
        };
        let subject = format!("system:serviceaccount:{space}:{name}");
        let issuer = issuers.get(cluster).copied();
        let to = &reference.to;
        let own = trusts.get(to).map_or(&[][..], Vec::as_slice);
        let (way, target, condition) = if to.0.starts_with("arn:") {
            let condition = match own.first() {
                None => Some("the role trusts the cluster's tokens".to_owned()),
                Some(trust) => match admits(&Document::parse(&trust.document), issuer, &subject) {
                    (Tri::No, _) => continue,
                    (Tri::Yes, _) => None,
                    (Tri::Unknown, unknown) => Some(unknown.join(", ")),
                },
            };
            ("eks-irsa", to.clone(), condition)
        } else if to.0.starts_with("entra:app:") {
            let condition = match own {
                [] => Some("the application trusts the cluster's tokens".to_owned()),
                own if own.iter().any(|trust| federates(trust, issuer, &subject)) => None,
                _ => continue,
            };
            ("azure-workload-identity", to.clone(), condition)
        } else if to.0.contains('@') {
            let bound = workloads.get(&(space, name)).into_iter().flatten();
            let bound = bound.copied().find(|key| key.0.contains(".svc.id.goog["));
            let policy = Key(format!("gcp:policy:account/{}", to.0));
            match bound {
                Some(workload) => ("gke-workload-identity", workload.clone(), None),
                None if policies.contains(&policy) => continue,
                None => {
                    let condition = "the service account lets it in".to_owned();
                    ("gke-workload-identity", to.clone(), Some(condition))
                }
            }
        } else {
            continue;
        };
        let from = Node::One(reference.by.clone());
        graph.step(from, way, Node::One(target), condition.as_deref());
        if to.0.starts_with("arn:") {
            end(aws, to, graph);
        }
    }
}

/// What a role of AWS leads to.
fn end(aws: &Access, role: &Key, graph: &mut Graph) {
    let Some(privilege) = aws.privilege(role) else {
        return;
    };
    let steps = |hops: &Vec<Hop>, condition: Option<String>| -> Vec<Step> {
        let steps = hops.iter().map(|hop| Step {
            from: hop.from.clone(),
            way: hop.way.to_owned(),
            to: hop.to.clone(),
            condition: condition.clone(),
        });
        steps.collect()
    };
    if privilege.admin.is_some() || privilege.self_granting.is_some() {
        graph.admin(role, Vec::new());
        return;
    }
    let Some(escalation) = aws.escalation(role) else {
        return;
    };
    if let Some(hops) = &escalation.reaches {
        graph.admin(role, steps(hops, None));
    } else if let Some(hops) = &escalation.reaches_if {
        let conditions: BTreeSet<&str> = escalation
            .ways
            .iter()
            .flat_map(|way| way.conditions.iter().map(String::as_str))
            .collect();
        let conditions: Vec<&str> = conditions.into_iter().collect();
        graph.maybe_admin(role, steps(hops, Some(conditions.join(", "))));
    }
}

/// The cluster's key, the namespace and the name of a service account's key.
fn account_of(key: &Key) -> Option<(&str, &str, &str)> {
    let (cluster, rest) = key.0.split_once("/serviceaccount/")?;
    let (space, name) = rest.split_once('/')?;
    cluster
        .starts_with("kubernetes:")
        .then_some((cluster, space, name))
}

/// Principals of Google that stand for a service account of a cluster, by namespace and name.
fn workloads<'a>(facts: &AccessFacts<'a>) -> BTreeMap<(&'a str, &'a str), Vec<&'a Key>> {
    let mut all: BTreeMap<(&str, &str), Vec<&Key>> = BTreeMap::new();
    for identity in facts.identities.iter().filter(|one| one.provider == "gcp") {
        let text = identity.key.0.as_str();
        let named = match text.split_once(".svc.id.goog[") {
            Some((_, rest)) => rest.strip_suffix(']').and_then(|rest| rest.split_once('/')),
            None => text
                .split_once(".svc.id.goog/subject/ns/")
                .and_then(|(_, rest)| rest.split_once("/sa/")),
        };
        if let Some(named) = named {
            all.entry(named).or_default().push(&identity.key);
        }
    }
    all
}

/// Whether a role's trust policy lets a token of a cluster in, and what that depends on.
fn admits(document: &Document, issuer: Option<&str>, subject: &str) -> (Tri, Vec<String>) {
    let mut best = (Tri::No, Vec::new());
    for statement in &document.statements {
        let Some(principal) = statement.principal.as_ref().filter(|one| !one.negated) else {
            continue;
        };
        if !speaks(statement, "sts:assumerolewithwebidentity") {
            continue;
        }
        for (kind, value) in &principal.entries {
            let host = value.split_once(":oidc-provider/").map(|(_, host)| host);
            let Some(host) = host.filter(|_| kind.as_str() == "Federated") else {
                continue;
            };
            if issuer.is_some_and(|issuer| issuer != host) {
                continue;
            }
            let context = Context::new()
                .with(&format!("{host}:sub"), &[subject])
                .with(&format!("{host}:aud"), &[AWS_AUDIENCE]);
            let mut unknown = Vec::new();
            let holds = statement.conditions.iter();
            let tri = all(holds.map(|clause| clause.holds(&context, &mut unknown)));
            if statement.effect == Effect::Deny {
                if tri == Tri::Yes {
                    return (Tri::No, Vec::new());
                }
            } else if tri > best.0 {
                best = (tri, unknown);
            }
        }
    }
    best
}

/// Whether a federated credential is for an account of a cluster.
fn federates(trust: &Trust, issuer: Option<&str>, subject: &str) -> bool {
    #[derive(Deserialize)]
    struct Text {
        issuer: String,
        subject: Option<String>,
    }
    let Ok(text) = serde_json::from_str::<Text>(&trust.document) else {
        return false;
    };
    let host = text.issuer.strip_prefix("https://").unwrap_or(&text.issuer);
    let host = host.trim_end_matches('/');
    text.subject.as_deref() == Some(subject) && issuer.is_none_or(|issuer| issuer == host)
}

#[cfg(test)]
mod tests {
    use super::{Document, Tri, admits};

    fn tri(condition: &str, issuer: Option<&str>) -> Tri {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/oidc.test/id/A"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{condition}}}]}}"#
        );
        admits(
            &Document::parse(&text),
            issuer,
            "system:serviceaccount:pay:deploy",
        )
        .0
    }

    #[test]
    fn a_role_trusts_the_account_that_it_names() {
        let own = r#"{"StringEquals":{"oidc.test/id/A:sub":"system:serviceaccount:pay:deploy","oidc.test/id/A:aud":"sts.amazonaws.com"}}"#;
        assert_eq!(tri(own, None), Tri::Yes);
        assert_eq!(tri(own, Some("oidc.test/id/A")), Tri::Yes);
        assert_eq!(tri(own, Some("oidc.test/id/B")), Tri::No);
        let other = own.replace("pay:deploy", "pay:other");
        assert_eq!(tri(&other, None), Tri::No);
        let like = r#"{"StringLike":{"oidc.test/id/A:sub":"system:serviceaccount:pay:*"}}"#;
        assert_eq!(tri(like, None), Tri::Yes);
        let more = r#"{"StringEquals":{"oidc.test/id/A:sub":"system:serviceaccount:pay:deploy"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#;
        assert_eq!(tri(more, None), Tri::Unknown);
    }
}
