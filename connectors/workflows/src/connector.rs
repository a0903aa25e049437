//! The connector: reads every tree, then follows what crosses files and repositories.

use std::collections::BTreeMap;

use keymuster_api::{
    About, Connector, ConnectorError, Coverage, Cx, GapKind, Item, PathClass, Preflight, Sink,
};

use crate::{
    agent, azure, bitbucket, buildkite, circleci, compose,
    file::{File, Found},
    github, gitlab, helm, jenkins,
    kind::{Kind, kind},
    kubernetes,
    origin::Origin,
    owners::Owners,
    terraform, told,
    tree::{MAX_FILE, Tree, is_foreign, too_large},
    yaml::{self, YamlError},
};

/// What an instance is configured with.
pub struct WorkflowsSpec {
    /// The instance, for people: `workflows ../repos/*`.
    pub label: String,
    /// What is read.
    pub trees: Vec<Box<dyn Tree>>,
    /// Where trees without a remote come from: `github.com/acme`, to which their name is added.
    pub home: Option<String>,
}

/// Reads pipelines, manifests and agent configurations.
pub struct WorkflowsConnector {
    about: About,
    spec: WorkflowsSpec,
}

impl WorkflowsConnector {
    /// A connector over these trees.
    pub fn new(spec: WorkflowsSpec) -> WorkflowsConnector {
        let about = About {
            kind: "workflows",
            label: spec.label.clone(),
            network: false,
        };
        WorkflowsConnector { about, spec }
    }

    fn origin(&self, tree: &dyn Tree) -> Origin {
        let told = tree.git_config().and_then(|text| Origin::of_config(&text));
        let home = || {
            let home = self.spec.home.as_deref()?;
            Origin::of_url(&format!(
                "https://{}/{}",
                home.trim_matches('/'),
                tree.name()
            ))
        };
        told.or_else(home).unwrap_or_else(|| Origin {
            host: "tree".to_owned(),
            path: tree.name().to_owned(),
        })
    }
}

impl Connector for WorkflowsConnector {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, _cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        Ok(Preflight {
            summary: format!("pipelines and manifests of {} trees", self.spec.trees.len()),
            missing: Vec::new(),
        })
    }

    fn sweep(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        let mut all = Reading {
            found: Found::default(),
            library: github::link::Library::default(),
            pipelines: gitlab::Pipelines::default(),
            owners: BTreeMap::new(),
        };
        let mut coverage = Vec::new();
        for tree in &self.spec.trees {
            let origin = self.origin(&**tree);
            coverage.push(all.tree(cx, &**tree, &origin));
        }
        all.library.link(cx.system, &mut all.found);
        all.pipelines.link(cx.system, &mut all.found);
        for mut one in coverage {
            let inside = format!("{}:", one.source.locator);
            one.complete = !all.found.gaps.iter().any(|(_, source, _)| {
                source.locator == one.source.locator || source.locator.starts_with(&inside)
            });
            out.emit(Item::Coverage(one));
        }
        let found = &mut all.found;
        found.consumers.sort();
        found.consumers.dedup_by(|a, b| a.key == b.key);
        for consumer in &found.consumers {
            if let Some(owners) = all.owners.get(&consumer.resource) {
                owners.claims(consumer, &mut found.claims);
            }
        }
        for tree in &self.spec.trees {
            let scope = self.origin(&**tree).scope(None);
            if all.pipelines.begins(&scope)
                && let Some(owners) = all.owners.get(tree.name())
            {
                owners.of_pipeline(&scope, gitlab::PIPELINE, &mut all.found.claims);
            }
        }
        told::tell(cx, all.found, out);
        Ok(())
    }
}

/// What is read, until all of it is.
struct Reading {
    found: Found,
    library: github::link::Library,
    pipelines: gitlab::Pipelines,
    owners: BTreeMap<String, Owners>,
}

impl Reading {
    /// Reads a tree. Whether it was read whole is known when its calls were followed too.
    fn tree(&mut self, cx: &Cx<'_>, tree: &dyn Tree, origin: &Origin) -> Coverage {
        let (mut files, mut bytes) = (0, 0);
        let mut owners = Owners::default();
        let wanted = |path: &str| kind(path).is_some() && !is_foreign(path);
        let troubles = tree.read(cx.cancel, &wanted, &mut |path, text| {
            files += 1;
            bytes += text.len() as u64;
            let file = File {
                system: cx.system,
                tree: tree.name(),
                origin,
                path,
            };
            self.file(&file, text, &mut owners);
        });
        for (kind, path, reason) in troubles {
            let locator = match path.as_str() {
                "" => tree.name().to_owned(),
                path => format!("{}:{path}", tree.name()),
            };
            let source = cx.source(locator);
            self.found.gaps.push((kind, source, reason));
        }
        self.owners.insert(tree.name().to_owned(), owners);
        Coverage {
            scope: origin.scope(None),
            what: "pipelines and manifests".to_owned(),
            expected: Some(files),
            received: files,
            bytes,
            complete: false,
            source: cx.source(tree.name()),
        }
    }

    fn file(&mut self, file: &File<'_>, bytes: &[u8], owners: &mut Owners) {
        let Some(kind) = kind(file.path) else { return };
        let mut gap = |kind, line, reason: String| {
            self.found.gaps.push((kind, file.source(line), reason));
        };
        if bytes.len() as u64 > MAX_FILE {
            return gap(GapKind::Limit, 1, too_large(bytes.len() as u64));
        }
        let is_pipeline = !matches!(
            kind,
            Kind::Yaml | Kind::Helm | Kind::Terraform | Kind::Compose
        );
        // A manifest of a test or an example runs nowhere.
        if !is_pipeline && PathClass::is_test(file.path.as_bytes()) {
            return;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            if is_pipeline {
                gap(GapKind::Corrupt, 1, "it is no UTF-8".to_owned());
            }
            return;
        };
        match kind {
            Kind::Jenkins => return jenkins::read(file, text, &mut self.found),
            Kind::Terraform => return terraform::read(file, text, &mut self.found),
            Kind::CodeOwners => return owners.read(file, text),
            Kind::Agent => return agent::read(file, text, &mut self.found),
            // Most YAML is none of ours: it is looked at before it is parsed.
            Kind::Yaml if !kubernetes::may_be(text) && !gitlab::may_be_part(text) => return,
            _ => {}
        }
        let mut tree = match yaml::parse(text) {
            Ok(tree) => tree,
            // A template is no YAML before it is rendered, and not every .yaml is one.
            Err(_) if matches!(kind, Kind::Yaml | Kind::Helm) && text.contains("{{") => return,
            Err(YamlError::Malformed(line, what)) => {
                let reason = format!("it is no valid YAML: {what}; mend it");
                return gap(GapKind::Corrupt, line, reason);
            }
            Err(YamlError::Limit(what)) => {
                return gap(GapKind::Limit, 1, format!("{what}; it was not read"));
            }
        };
        tree.find_doubled();
        if is_pipeline && let Some((key, line)) = tree.doubled.first() {
            let reason = format!(
                "'{key}' stands twice in one mapping: the platform refuses it or takes the last; remove one"
            );
            gap(GapKind::Corrupt, *line, reason);
        }
        let found = &mut self.found;
        let first = tree.first();
        match (kind, first) {
            (Kind::GitHub, Some(root)) => {
                if let Some(workflow) = github::parse(root) {
                    self.library.add(file, workflow);
                }
            }
            (Kind::Dependabot, Some(root)) => github::dependabot::read(file, root, found),
            (Kind::GitLab, Some(_)) => self.pipelines.add(file, &tree),
            (Kind::CircleCi, Some(root)) => circleci::read(file, root, found),
            (Kind::Azure, Some(root)) => azure::read(file, root, found),
            (Kind::Bitbucket, Some(root)) => bitbucket::read(file, root, found),
            (Kind::Buildkite, Some(root)) => buildkite::read(file, root, found),
            (Kind::Compose, Some(root)) => compose::read(file, root, found),
            (Kind::Helm, Some(root)) => helm::read(file, root, found),
            (Kind::Catalogue, Some(_)) => owners.catalogue(file, &tree),
            (Kind::Yaml, Some(_)) => {
                kubernetes::read(file, &tree, found);
                if gitlab::may_be_part(text) {
                    self.pipelines.add(file, &tree);
                }
            }
            _ => {}
        }
        if tree.is_exhausted() {
            let reason = "its aliases stand for far more values than it has; only a part was read";
            let source = file.source(1);
            self.found
                .gaps
                .push((GapKind::Limit, source, reason.to_owned()));
        }
    }
}
