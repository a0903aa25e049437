//! Rules of roles, and whether they grant a right.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::scope::{counts_in_a_namespace, is_without_namespace};

/// One rule, as the API writes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rule {
    api_groups: Vec<String>,
    resources: Vec<String>,
    resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs")]
    non_resource_urls: Vec<String>,
    verbs: Vec<String>,
}

/// A right: what, and one of these verbs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Right {
    pub(super) resource: String,
    pub(super) group: String,
    pub(super) sub: Option<String>,
    pub(super) verbs: Vec<String>,
}

impl Right {
    /// From `<resource>[.<group>][/<subresource>]:<verb>[|<verb>]`.
    pub(super) fn parse(text: &str) -> Option<Right> {
        let (what, verbs) = text.rsplit_once(':')?;
        let (what, sub) = match what.split_once('/') {
            Some((what, sub)) => (what, Some(sub.to_owned())),
            None => (what, None),
        };
        let (resource, group) = what.split_once('.').unwrap_or((what, ""));
        Some(Right {
            resource: resource.to_owned(),
            group: group.to_owned(),
            sub,
            verbs: verbs.split('|').map(str::to_owned).collect(),
        })
    }

    /// Whether nothing of it can be in a namespace.
    pub(super) fn is_of_the_cluster(&self, verb: &str) -> bool {
        is_without_namespace(&self.resource, std::slice::from_ref(&self.group))
            && !counts_in_a_namespace(&self.resource, verb)
    }
}

/// Objects of a right: all, or those of these names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Names<'a> {
    All,
    Only(BTreeSet<&'a str>),
}

impl<'a> Names<'a> {
    pub(super) fn join(self, other: Names<'a>) -> Names<'a> {
        match (self, other) {
            (Names::Only(mut one), Names::Only(other)) => {
                one.extend(other);
                Names::Only(one)
            }
            _ => Names::All,
        }
    }

    pub(super) fn holds(&self, name: &str) -> bool {
        match self {
            Names::All => true,
            Names::Only(names) => names.contains(name),
        }
    }
}

fn any_or(list: &[String], word: &str) -> bool {
    list.iter().any(|own| own == "*" || own == word)
}

impl Rule {
    /// Every verb on every resource.
    pub(super) fn is_everything(&self) -> bool {
        let star = |list: &[String]| list.iter().any(|own| own == "*");
        star(&self.api_groups)
            && star(&self.resources)
            && star(&self.verbs)
            && self.resource_names.is_empty()
    }

    /// Whether this rule grants a right with this verb, and on which objects.
    pub(super) fn grants<'r>(&'r self, right: &Right, verb: &str) -> Option<Names<'r>> {
        if !any_or(&self.api_groups, &right.group) || !self.names_resource(right) {
            return None;
        }
        if self.resource_names.is_empty() {
            return any_or(&self.verbs, verb).then_some(Names::All);
        }
        // What is made has no name yet, and a list without a name is refused.
        let nameless = match verb {
            "create" => right.sub.is_none(),
            "list" | "watch" | "deletecollection" => true,
            _ => false,
        };
        // Somebody who may list or watch an object of a name reads it all the same.
        let reads = verb == "get" && self.verbs.iter().any(|own| own == "list" || own == "watch");
        let granted = !nameless && (any_or(&self.verbs, verb) || reads);
        granted.then(|| Names::Only(self.resource_names.iter().map(String::as_str).collect()))
    }

    fn names_resource(&self, right: &Right) -> bool {
        let whole = match &right.sub {
            Some(sub) => format!("{}/{sub}", right.resource),
            None => right.resource.clone(),
        };
        self.resources.iter().any(|own| {
            own == "*"
                || *own == whole
                || match (&right.sub, own.strip_prefix("*/")) {
                    (Some(sub), Some(own)) => own == sub,
                    _ => false,
                }
        })
    }

    /// Resources of this rule that are in no namespace, without their subresources.
    pub(super) fn without_namespace(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for resource in &self.resources {
            let base = resource.split('/').next().unwrap_or(resource);
            let all_count = !self.verbs.is_empty()
                && self
                    .verbs
                    .iter()
                    .all(|verb| counts_in_a_namespace(base, verb));
            if is_without_namespace(base, &self.api_groups)
                && !all_count
                && !found.iter().any(|known| known == base)
            {
                found.push(base.to_owned());
            }
        }
        if !self.non_resource_urls.is_empty() {
            found.push("nonResourceURLs".to_owned());
        }
        found
    }

    /// Each right as `resource[.group][/subresource]:verb`.
    pub(super) fn actions(&self) -> Vec<String> {
        let mut all = Vec::new();
        for resource in &self.resources {
            let (base, sub) = match resource.split_once('/') {
                Some((base, sub)) => (base, format!("/{sub}")),
                None => (resource.as_str(), String::new()),
            };
            for group in &self.api_groups {
                let group = match (group.as_str(), base) {
                    ("" | "*", _) | (_, "*") => String::new(),
                    (group, _) => format!(".{group}"),
                };
                for verb in &self.verbs {
                    all.push(format!("{base}{group}{sub}:{verb}"));
                }
            }
        }
        all
    }
}

/// A rule that grants everything.
pub(super) fn everything() -> Rule {
    let star = || vec!["*".to_owned()];
    Rule {
        api_groups: star(),
        resources: star(),
        verbs: star(),
        ..Rule::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, Right, Rule};

    fn rule(groups: &[&str], resources: &[&str], names: &[&str], verbs: &[&str]) -> Rule {
        let own = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        Rule {
            api_groups: own(groups),
            resources: own(resources),
            resource_names: own(names),
            non_resource_urls: Vec::new(),
            verbs: own(verbs),
        }
    }

    fn granted<'r>(rule: &'r Rule, right: &Right) -> Option<Names<'r>> {
        rule.grants(right, &right.verbs[0])
    }

    #[test]
    fn resources_subresources_and_groups() {
        let exec = Right::parse("pods/exec:create").expect("a right");
        let deploy = Right::parse("deployments.apps:create").expect("a right");
        let pods = Right::parse("pods:create").expect("a right");
        let cases: &[(&[&str], &[&str], &Right, bool)] = &[
            (&[""], &["pods/exec"], &exec, true),
            (&[""], &["pods"], &exec, false),
            (&[""], &["*"], &exec, true),
            (&[""], &["*/exec"], &exec, true),
            // Not a pattern that Kubernetes knows.
            (&[""], &["pods/*"], &exec, false),
            (&["apps"], &["deployments"], &deploy, true),
            (&[""], &["deployments"], &deploy, false),
            (&["*"], &["deployments"], &deploy, true),
            (&["extensions"], &["pods"], &pods, false),
        ];
        for (groups, resources, right, expected) in cases {
            let rule = rule(groups, resources, &[], &["create"]);
            assert_eq!(granted(&rule, right).is_some(), *expected, "{resources:?}");
        }
    }

    #[test]
    fn names_narrow_what_has_a_name() {
        let create = Right::parse("secrets:create").expect("a right");
        let list = Right::parse("secrets:list|watch").expect("a right");
        let get = Right::parse("secrets:get").expect("a right");
        let exec = Right::parse("pods/exec:create").expect("a right");
        let named = rule(
            &[""],
            &["secrets", "pods/exec"],
            &["db"],
            &["create", "list"],
        );
        assert_eq!(granted(&named, &create), None);
        assert_eq!(granted(&named, &list), None);
        let only = Some(Names::Only(["db"].into()));
        assert_eq!(granted(&named, &get), only);
        assert_eq!(granted(&named, &exec), only);
    }

    #[test]
    fn what_a_namespace_cannot_hold() {
        let of = |groups: &[&str], resources: &[&str], verbs: &[&str]| {
            rule(groups, resources, &[], verbs).without_namespace()
        };
        assert_eq!(
            of(&[""], &["pods", "nodes", "nodes/log"], &["get"]),
            ["nodes"]
        );
        let rbac = "rbac.authorization.k8s.io";
        assert_eq!(of(&[rbac], &["clusterroles"], &["bind"]), [""; 0]);
        assert_eq!(
            of(&[rbac], &["clusterroles"], &["bind", "update"]),
            ["clusterroles"]
        );
        assert_eq!(of(&["acme.example"], &["nodes"], &["get"]), [""; 0]);
        // Whoever asks for a namespace asks in it.
        assert_eq!(of(&[""], &["namespaces"], &["get"]), [""; 0]);
    }
}
