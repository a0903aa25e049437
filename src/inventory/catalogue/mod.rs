//! The catalogue: which services there are, where their code lies, and who looks after them.
//! Its entries are no owners of credentials; they are the first to be asked.

use serde::{Deserialize, Serialize};

mod claims;
mod codeowners;

pub use claims::attach_claims;
pub use codeowners::{CodeOwner, CodeOwners};

use serde_json::Value;

use super::{
    InventoryError, field,
    map::{InventoryMap, map_table},
    read::{ReadCx, Table, read_documents, read_table},
    text::shown,
    words,
};

/// A service, an interface, a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its name, and what else it is called.
    pub names: Vec<String>,
    /// Who looks after it, as written.
    pub owner: Option<String>,
    /// The system it is part of.
    pub system: Option<String>,
    /// Repositories its code lies in: `acme/payments`.
    pub repositories: Vec<String>,
    /// File and line.
    pub source: String,
}

/// Everything that catalogues say.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// Components, in file order.
    pub components: Vec<Component>,
    /// Repositories with their code owners and the file that says so.
    pub code_owners: Vec<(String, CodeOwners, String)>,
    /// Things a reader should know that stop nothing.
    pub notes: Vec<String>,
}

impl Catalogue {
    /// Adds a file: CODEOWNERS (of the repository whose folder it lies in), a Backstage
    /// catalogue, or a table with columns for name, owner, system, repository.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn add(&mut self, label: &str, bytes: &[u8]) -> Result<(), InventoryError> {
        let name = label.rsplit(['/', '\\']).next().unwrap_or(label);
        if name.eq_ignore_ascii_case("codeowners") {
            return self.add_code_owners(label, bytes);
        }
        let cx = ReadCx::plain(label, &field::is_header_word);
        let yaml = [".yaml", ".yml"].iter().any(|end| name.ends_with(end));
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if yaml || matches!(first, Some(b'{' | b'[')) {
            let documents = read_documents(bytes, &cx)?;
            let before = self.components.len();
            for (row, document) in &documents {
                self.components.extend(entity(label, *row, document));
            }
            if self.components.len() == before {
                return Err(InventoryError::new(label, "holds no entity of a catalogue")
                    .help("name a file of Backstage entities, or a table"));
            }
            return Ok(());
        }
        let table = read_table(None, bytes, &cx)?;
        self.add_table(label, &table)
    }

    fn add_code_owners(&mut self, label: &str, bytes: &[u8]) -> Result<(), InventoryError> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(InventoryError::new(label, "is not UTF-8")
                .help("name the CODEOWNERS file of a repository"));
        };
        let parts: Vec<&str> = label.split(['/', '\\']).collect();
        let folders = &parts[..parts.len() - 1];
        let folder = folders
            .iter()
            .rev()
            .find(|part| !matches!(**part, ".github" | ".gitlab" | "docs" | "." | ".."));
        let Some(folder) = folder else {
            return Err(
                InventoryError::new(label, "does not tell which repository it is of").help(
                    "name it by a path that holds the repository's folder: repos/api/CODEOWNERS",
                ),
            );
        };
        let read = CodeOwners::parse(text);
        if !read.unread.is_empty() {
            self.notes.push(format!(
                "{label}: {} cannot be read as patterns; skipped",
                super::text::rows_shown(&read.unread)
            ));
        }
        self.code_owners
            .push(((*folder).to_owned(), read, label.to_owned()));
        Ok(())
    }

    fn add_table(&mut self, label: &str, table: &Table) -> Result<(), InventoryError> {
        let mapping = map_table(label, table, field::RECORD, &InventoryMap::default());
        for row in &table.rows {
            let text = |fields: &[&str]| {
                let columns = fields.iter().flat_map(|field| mapping.columns(field));
                let mut cells = columns.map(|&column| row.cells[column].as_str());
                cells
                    .find(|cell| !words::is_placeholder(cell))
                    .map(str::to_owned)
            };
            let names: Vec<String> = text(&["name"])
                .into_iter()
                .chain(text(&["system"]))
                .collect();
            if names.is_empty() {
                continue;
            }
            self.components.push(Component {
                names,
                owner: text(&["owner"]),
                system: text(&["system"]),
                repositories: text(&["repo_path"])
                    .map(|url| repository(&url))
                    .into_iter()
                    .collect(),
                source: format!("{label}:{}", row.row),
            });
        }
        if self.components.is_empty() {
            let headers: Vec<String> = table.headers.iter().take(6).map(|h| shown(h)).collect();
            return Err(InventoryError::new(label, "names no service").help(format!(
                "name the columns name, owner, system, repository; found {}",
                headers.join(", ")
            )));
        }
        Ok(())
    }
}

/// An entity of Backstage that is looked after by somebody.
fn entity(label: &str, row: u64, value: &Value) -> Option<Component> {
    let text = |path: &str| value.pointer(path).and_then(Value::as_str);
    if !text("/apiVersion")?.starts_with("backstage.io/") {
        return None;
    }
    let kind = text("/kind")?;
    if !matches!(kind, "Component" | "API" | "Resource" | "System") {
        return None;
    }
    let annotations = value.pointer("/metadata/annotations");
    let annotation = |name: &str| annotations?.get(name)?.as_str();
    let slugs = ["github.com/project-slug", "gitlab.com/project-slug"];
    let locations = [
        "backstage.io/source-location",
        "backstage.io/managed-by-location",
    ];
    let repositories = slugs
        .iter()
        .filter_map(|name| annotation(name))
        .map(str::to_owned)
        .chain(
            locations
                .iter()
                .filter_map(|name| annotation(name))
                .map(repository),
        );
    let mut repositories: Vec<String> = repositories.collect();
    repositories.dedup();
    let names = [text("/metadata/name"), text("/metadata/title")];
    Some(Component {
        names: names.into_iter().flatten().map(str::to_owned).collect(),
        owner: text("/spec/owner").map(str::to_owned),
        system: text("/spec/system").map(str::to_owned),
        repositories,
        source: format!("{label}:{row}"),
    })
}

/// The repository of an address: `url:https://github.com/acme/api/tree/main/` is `acme/api`.
fn repository(address: &str) -> String {
    let path = address.rsplit_once("://").map_or(address, |(_, rest)| {
        rest.split_once('/').map_or(rest, |(_, path)| path)
    });
    let path = path.split("/-/").next().unwrap_or(path);
    let path = path.split("/tree/").next().unwrap_or(path);
    let path = path.split("/blob/").next().unwrap_or(path);
    path.trim_matches('/').trim_end_matches(".git").to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Catalogue, repository};

    #[test]
    fn catalogues_of_every_form_are_read() {
        let mut catalogue = Catalogue::default();
        let backstage = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: pay\n  title: Payments\n  annotations:\n    github.com/project-slug: acme/pay\nspec: {owner: group:payments, system: money}\n---\n\
            apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: x}\n";
        catalogue
            .add("catalog-info.yaml", backstage.as_bytes())
            .unwrap();
        catalogue
            .add("services.csv", b"Service,Owner,Repository\nshop,jane,x\n")
            .unwrap();
        catalogue
            .add("repos/api/.github/CODEOWNERS", b"* @acme/api\n")
            .unwrap();
        let one = &catalogue.components[0];
        assert_eq!(one.names, ["pay", "Payments"]);
        assert_eq!(
            (one.owner.as_deref(), one.repositories.as_slice()),
            (Some("group:payments"), &["acme/pay".to_owned()][..])
        );
        assert_eq!(one.source, "catalog-info.yaml:1");
        assert_eq!(catalogue.components[1].owner.as_deref(), Some("jane"));
        assert_eq!(catalogue.code_owners[0].0, "api");
        assert!(catalogue.add("CODEOWNERS", b"* @a\n").is_err());
        assert!(catalogue.add("x.yaml", b"a: 1\n").is_err());
    }

    #[test]
    fn addresses_name_their_repository() {
        for (address, expected) in [
            ("url:https://github.com/acme/api/tree/main/", "acme/api"),
            ("https://gitlab.com/a/b/c/-/blob/main/x.yaml", "a/b/c"),
            ("https://github.com/acme/api.git", "acme/api"),
            ("acme/api", "acme/api"),
        ] {
            assert_eq!(repository(address), expected);
        }
    }
}
