//! The ways further, read from `rules/access/kubernetes.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::rule::Right;

/// What a way gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reach {
    /// Every right of the cluster.
    Everything,
    /// Any service account.
    Accounts,
    /// Those that pods run as.
    Running,
    /// Those whose token lies in a Secret.
    Tokens,
    /// The rights of roles of the namespace.
    Roles,
    /// Every right within the namespace.
    Space,
    /// No identity.
    Nothing,
}

/// One way.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) id: String,
    pub(super) title: String,
    /// One of these.
    pub(super) any: Vec<Right>,
    /// Every one of these.
    pub(super) all: Vec<Right>,
    /// Only where it is granted in the whole cluster.
    pub(super) cluster: bool,
    /// Only in this namespace.
    pub(super) space: Option<String>,
    /// Only with this object.
    pub(super) object: Option<String>,
    pub(super) name: Option<String>,
    pub(super) reach: Reach,
    pub(super) condition: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    way: Vec<WayText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WayText {
    id: String,
    title: String,
    #[serde(default)]
    any: Vec<String>,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    cluster: bool,
    space: Option<String>,
    object: Option<String>,
    name: Option<String>,
    reach: Reach,
    condition: Option<String>,
}

static WAYS: LazyLock<Vec<Way>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("../../../rules/access/kubernetes.toml"))
        .expect("the embedded catalogue is tested");
    let rights = |texts: Vec<String>| {
        let rights = texts.iter().map(|text| Right::parse(text));
        rights
            .collect::<Option<Vec<Right>>>()
            .expect("the embedded catalogue is tested")
    };
    let ways = file.way.into_iter().map(|way| Way {
        id: way.id,
        title: way.title,
        any: rights(way.any),
        all: rights(way.all),
        cluster: way.cluster,
        space: way.space,
        object: way.object,
        name: way.name,
        reach: way.reach,
        condition: way.condition,
    });
    ways.collect()
});

/// The ways of this build.
pub(super) fn ways() -> &'static [Way] {
    &WAYS
}

#[cfg(test)]
mod tests {
    use super::ways;

    #[test]
    fn every_way_can_be_tried() {
        for way in ways() {
            assert_ne!(way.any.is_empty(), way.all.is_empty(), "{}", way.id);
            assert!(way.all.is_empty() || way.name.is_some(), "{}", way.id);
            // What is in no namespace can be granted in the whole cluster only.
            let needs_cluster = way
                .any
                .iter()
                .chain(&way.all)
                .any(|right| right.verbs.iter().any(|verb| right.is_of_the_cluster(verb)));
            assert!(!needs_cluster || way.cluster, "{}: cluster = true", way.id);
        }
    }
}
