//! GitLab CI: pipelines, what they include from their own and other configured repositories,
//! and what jobs take over from others (`extends`, `default`, `!reference`).
//! Source: docs.gitlab.com/ci/yaml

mod block;
mod whole;

use std::collections::BTreeMap;

use keymuster_api::SystemId;

use crate::{
    file::{File, Found},
    origin::Origin,
    yaml::{Tree, Yaml},
};
use block::Block;
use whole::Whole;

/// Keys at the top that are no jobs.
const RESERVED: &[&str] = &[
    "default",
    "include",
    "stages",
    "variables",
    "workflow",
    "image",
    "services",
    "cache",
    "before_script",
    "after_script",
    "spec",
    "types",
    "pages:deploy",
];
/// Whether a YAML file may be a part of a pipeline.
pub(crate) fn may_be_part(text: &str) -> bool {
    text.len() < 1 << 20
        && (text.contains("script:") || text.contains("\ninclude:"))
        && !text.contains("apiVersion:")
}

/// Where a pipeline begins.
pub(crate) const PIPELINE: &str = ".gitlab-ci.yml";

/// Every pipeline and part of one that was read, by the scope of its repository and its path.
#[derive(Default)]
pub(crate) struct Pipelines(BTreeMap<(String, String), Part>);

struct Part {
    tree: String,
    origin: Origin,
    includes: Vec<Include>,
    shared: Block,
    jobs: BTreeMap<String, Block>,
}

enum Include {
    Local(String, u32),
    Project(String, Vec<String>, u32),
    Elsewhere(String, u32),
}

impl Pipelines {
    /// Adds a file.
    pub(crate) fn add(&mut self, file: &File<'_>, tree: &Tree) {
        let mut part = Part {
            tree: file.tree.to_owned(),
            origin: file.origin.clone(),
            includes: Vec::new(),
            shared: Block::default(),
            jobs: BTreeMap::new(),
        };
        for root in tree.documents() {
            // A component begins with a document of its inputs.
            if root.get("spec").is_some() && root.entries().len() == 1 {
                continue;
            }
            for include in root
                .get("include")
                .map(Yaml::items_or_self)
                .unwrap_or_default()
            {
                part.includes.extend(read_include(include));
            }
            for (key, value) in root.entries() {
                match key.text() {
                    Some("default") => part.shared.read(file, value),
                    Some(name) if !RESERVED.contains(&name) && value.is_map() => {
                        let mut block = Block::default();
                        block.read(file, value);
                        block.lines = (key.line(), value.end());
                        part.jobs.insert(name.to_owned(), block);
                    }
                    _ => {}
                }
            }
            part.shared.read(file, root);
        }
        let key = (file.origin.scope(None), file.path.to_owned());
        self.0.insert(key, part);
    }

    /// Whether a repository has a pipeline.
    pub(crate) fn begins(&self, scope: &str) -> bool {
        let key = (scope.to_owned(), PIPELINE.to_owned());
        self.0.contains_key(&key)
    }

    /// Follows every pipeline.
    pub(crate) fn link(&self, system: SystemId, out: &mut Found) {
        for ((scope, path), part) in &self.0 {
            if path != PIPELINE {
                continue;
            }
            let file = File {
                system,
                tree: &part.tree,
                origin: &part.origin,
                path,
            };
            let mut whole = Whole::new(self, file);
            whole.take((scope, path), part, out);
            whole.tell(out);
        }
    }
}

fn read_include(node: Yaml<'_>) -> Vec<Include> {
    let line = node.line();
    if let Some(text) = node.text() {
        return vec![match text.contains("://") {
            true => Include::Elsewhere(text.to_owned(), line),
            false => Include::Local(text.to_owned(), line),
        }];
    }
    if let Some(project) = node.get_text("project") {
        let files = node.get("file").map(Yaml::texts).unwrap_or_default();
        let files = files.into_iter().map(str::to_owned).collect();
        return vec![Include::Project(project.to_owned(), files, line)];
    }
    if let Some(local) = node.get("local") {
        let texts = local.texts().into_iter();
        return texts
            .map(|text| Include::Local(text.to_owned(), line))
            .collect();
    }
    let elsewhere = ["remote", "component"]
        .iter()
        .find_map(|key| node.get_text(key));
    // Templates are GitLab's own.
    elsewhere
        .map(|text| Include::Elsewhere(text.to_owned(), line))
        .into_iter()
        .collect()
}
