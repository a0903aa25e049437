//! A job as written, a hidden job, or what all jobs share.

use std::collections::BTreeMap;

use crate::{file::File, yaml::Yaml};

/// A job, a hidden job, or what all share.
#[derive(Clone, Default)]
pub(super) struct Block {
    pub(super) lines: (u32, u32),
    pub(super) tree: String,
    pub(super) path: String,
    pub(super) extends: Vec<String>,
    pub(super) variables: Vec<(String, String, u32)>,
    /// Texts with variables, by the key they stand under.
    pub(super) texts: BTreeMap<String, Vec<(String, u32)>>,
    pub(super) takes: Vec<String>,
    pub(super) environment: Option<String>,
    pub(super) vault: Vec<(String, u32)>,
    pub(super) federated: Option<u32>,
}

impl Block {
    pub(super) fn read(&mut self, file: &File<'_>, node: Yaml<'_>) {
        self.tree = file.tree.to_owned();
        self.path = file.path.to_owned();
        for (key, value) in node.entries() {
            match key.text().unwrap_or("") {
                "extends" => self.extends = value.texts().into_iter().map(str::to_owned).collect(),
                "variables" => {
                    for (name, given) in value.entries() {
                        let text = given.text().or_else(|| given.get_text("value"));
                        if let (Some(name), Some(text)) = (name.text(), text) {
                            self.variables
                                .push((name.to_owned(), text.to_owned(), given.line()));
                        }
                    }
                }
                what @ ("script" | "before_script" | "after_script") => self.script(what, value, 0),
                "environment" => {
                    let name = value.text().or_else(|| value.get_text("name"));
                    self.environment = name.map(str::to_owned);
                }
                "id_tokens" => self.federated = Some(key.line()),
                "secrets" => {
                    for (name, given) in value.entries() {
                        let path = [
                            "vault",
                            "gcp_secret_manager",
                            "azure_key_vault",
                            "aws_secrets_manager",
                        ];
                        let found = path.iter().find_map(|kind| given.get(kind));
                        let text = found.and_then(|one| {
                            one.text()
                                .or_else(|| one.get_text("path").or_else(|| one.get_text("name")))
                        });
                        let text = text.or_else(|| name.text()).unwrap_or("");
                        self.vault.push((text.to_owned(), name.line()));
                    }
                }
                what @ ("image" | "services" | "rules" | "only" | "except" | "trigger"
                | "release") => {
                    let texts = self.texts.entry(what.to_owned()).or_default();
                    value.walk(&mut |_, scalar| {
                        if let Some(text) = scalar.text().filter(|text| text.contains('$')) {
                            texts.push((text.to_owned(), scalar.line()));
                        }
                    });
                }
                _ => {}
            }
        }
    }

    fn script(&mut self, what: &str, node: Yaml<'_>, depth: u8) {
        self.texts.entry(what.to_owned()).or_default();
        for item in node.items_or_self() {
            if let Some(text) = item.text() {
                let texts = self.texts.entry(what.to_owned()).or_default();
                texts.push((text.to_owned(), item.line()));
                continue;
            }
            let parts: Vec<&str> = item.items().filter_map(Yaml::text).collect();
            match parts[..] {
                // `!reference [.hidden, script]`: a job's name, and a key of it.
                [name, _]
                    if depth == 0
                        && item.items().count() == 2
                        && (name.starts_with('.') || parts[1].contains("script")) =>
                {
                    self.takes.push(name.to_owned());
                }
                _ if depth < 8 => self.script(what, item, depth + 1),
                _ => {}
            }
        }
    }
}

impl Block {
    pub(super) fn all_texts(&self) -> impl Iterator<Item = &(String, u32)> {
        self.texts.values().flatten()
    }

    /// Takes what a base has and this one has not.
    pub(super) fn lay_over(&mut self, base: &Block) {
        for variable in &base.variables {
            if !self
                .variables
                .iter()
                .any(|(name, _, _)| *name == variable.0)
            {
                self.variables.push(variable.clone());
            }
        }
        for (key, texts) in &base.texts {
            self.texts
                .entry(key.clone())
                .or_insert_with(|| texts.clone());
        }
        if self.environment.is_none() {
            self.environment.clone_from(&base.environment);
        }
        if self.vault.is_empty() {
            self.vault.clone_from(&base.vault);
        }
        if self.extends.is_empty() {
            self.extends.clone_from(&base.extends);
        }
        self.federated = self.federated.or(base.federated);
    }
}
