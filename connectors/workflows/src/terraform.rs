//! Terraform and OpenTofu: variables that are sensitive or named like a credential, and paths
//! of vaults that are read. A file is looked at word by word and block by block; nothing is
//! evaluated. What a state holds is found by the engine, in the state.
//! Source: developer.hashicorp.com/terraform/language

use std::collections::BTreeSet;

use keymuster_api::{ConsumerKind, Key, store};

use crate::file::{File, Found, Says as _};

/// Data sources that read a vault, and the argument that says what.
const VAULTS: &[(&str, &str)] = &[
    ("vault_generic_secret", "path"),
    ("vault_kv_secret", "path"),
    ("vault_kv_secret_v2", "name"),
    ("aws_secretsmanager_secret_version", "secret_id"),
    ("aws_secretsmanager_secret", "name"),
    ("aws_ssm_parameter", "name"),
    ("google_secret_manager_secret_version", "secret"),
    ("azurerm_key_vault_secret", "name"),
];
/// Words in the names of variables that hold a credential.
const WORDS: &[&str] = &[
    "password",
    "secret",
    "token",
    "api_key",
    "apikey",
    "private_key",
    "access_key",
    "credential",
];

/// Reads a file.
pub(crate) fn read(file: &File<'_>, text: &str, out: &mut Found) {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let here = vec![format!("terraform:{}/{folder}", file.tree)];
    let lines = text.lines().count().max(1) as u32;
    let consumer = file.consumer(
        ConsumerKind::Infrastructure,
        "terraform",
        file.path,
        (1, lines),
    );
    let by = consumer.key.clone();
    let from = out.uses.len();
    let mut block: Option<Block> = None;
    let mut depth = 0usize;
    let mut told = BTreeSet::new();
    for (number, line) in (1u32..).zip(text.lines()) {
        let code = code(line);
        if depth == 0 {
            block = Block::open(code);
        }
        if let Some(block) = &mut block {
            block.argument(code, number, file, &by, out);
        }
        for name in variables(code) {
            let like = WORDS
                .iter()
                .any(|word| name.to_ascii_lowercase().contains(word));
            if like && told.insert(name.to_owned()) {
                let use_ = file.named(&by, store::TERRAFORM_VARIABLE, name, ("var", number));
                out.uses.push(use_.within(here.clone()).certain());
            }
        }
        let quoted = unquoted(code);
        depth += quoted.matches('{').count();
        depth = depth.saturating_sub(quoted.matches('}').count());
    }
    if out.uses.len() > from || text.contains("provider \"") {
        out.consumers.push(consumer);
    }
}

/// A line without its comment.
fn code(line: &str) -> &str {
    let mut quoted = false;
    let bytes = line.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' if at == 0 || bytes[at - 1] != b'\\' => quoted = !quoted,
            b'#' if !quoted => return &line[..at],
            b'/' if !quoted && bytes.get(at + 1) == Some(&b'/') => return &line[..at],
            _ => {}
        }
    }
    line
}

/// A line without what stands in quotes, so that braces can be counted.
fn unquoted(line: &str) -> String {
    let parts = line.split('"').step_by(2);
    parts.collect()
}

/// `var.name`, wherever it stands.
fn variables(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("var.").filter_map(move |(at, _)| {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.') {
            return None;
        }
        let rest = &line[at + 4..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
        let name = &rest[..end.unwrap_or(rest.len())];
        (!name.is_empty()).then_some(name)
    })
}

/// A data source of a vault.
struct Block {
    kind: String,
    argument: &'static str,
}

impl Block {
    fn open(line: &str) -> Option<Block> {
        let mut words = line.split('"');
        let head = words.next()?.trim();
        let kind = words.next()?;
        if head != "data" && head != "ephemeral" {
            return None;
        }
        let (_, argument) = VAULTS.iter().find(|(known, _)| *known == kind)?;
        Some(Block {
            kind: kind.to_owned(),
            argument,
        })
    }

    fn argument(&mut self, line: &str, number: u32, file: &File<'_>, by: &Key, out: &mut Found) {
        let Some((name, value)) = line.split_once('=') else {
            return;
        };
        if name.trim() != self.argument {
            return;
        }
        let value = value.trim();
        let path = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let cloud = self.kind.split('_').next().unwrap_or("");
        let scopes = vec![format!("vault:{cloud}")];
        let how = (self.kind.as_str(), number);
        out.uses
            .push(match path.filter(|path| !path.contains("${")) {
                Some(path) => file
                    .named(by, store::VAULT, path, how)
                    .within(scopes)
                    .certain(),
                None => file.any(by, store::VAULT, how).within(scopes),
            });
    }
}
