//! Tools of agents: servers of the Model Context Protocol in the files that agents read, with
//! the variables they are given.
//! Source: modelcontextprotocol.io, code.visualstudio.com/docs/copilot/customization/mcp-servers

use keymuster_api::{ConsumerKind, GapKind, store};

use crate::{
    file::{File, Found, Says as _},
    shell,
    yaml::{self, Yaml},
};

/// Keys under which a file lists servers.
const LISTS: &[&str] = &[
    "mcpServers",
    "servers",
    "mcp_servers",
    "context_servers",
    "mcp",
];

/// Reads the tools of a file.
pub(crate) fn read(file: &File<'_>, text: &str, out: &mut Found) {
    if file.path.ends_with(".toml") {
        return of_toml(file, text, out);
    }
    // JSON with comments and commas too many, as editors allow it.
    let plain = plain(text);
    let tree = match yaml::parse(&plain) {
        Ok(tree) => tree,
        Err(yaml::YamlError::Malformed(line, what)) => {
            let reason = format!("it is no valid JSON: {what}; mend it");
            out.gaps.push((GapKind::Corrupt, file.source(line), reason));
            return;
        }
        Err(yaml::YamlError::Limit(what)) => {
            let reason = format!("{what}; it was not read");
            out.gaps.push((GapKind::Limit, file.source(1), reason));
            return;
        }
    };
    let Some(root) = tree.first() else { return };
    for list in LISTS {
        let Some(servers) = root.get(list) else {
            continue;
        };
        for (name, server) in servers.entries() {
            let is_server = ["command", "url", "httpUrl", "serverUrl", "type"]
                .iter()
                .any(|key| server.get(key).is_some());
            if let (Some(name), true) = (name.text(), is_server) {
                tool(file, name, server, out);
            }
        }
    }
}

fn tool(file: &File<'_>, name: &str, server: Yaml<'_>, out: &mut Found) {
    let mut consumer = file.consumer(
        ConsumerKind::Agent,
        "mcp",
        name,
        (server.line(), server.end()),
    );
    let by = consumer.key.clone();
    let url = ["url", "httpUrl", "serverUrl"]
        .iter()
        .find_map(|key| server.get_text(key));
    if let Some(host) = url.and_then(host) {
        consumer
            .properties
            .push(("remote".to_owned(), host.to_owned()));
    }
    if let Some(command) = server.get_text("command") {
        let program = command.rsplit(['/', '\\']).next().unwrap_or(command);
        consumer
            .properties
            .push(("command".to_owned(), program.to_owned()));
    }
    let scopes = vec![format!("environment:{}", file.tree)];
    let mut literals = Vec::new();
    for place in ["env", "headers", "args", "url", "requestInit"] {
        let Some(node) = server.get(place) else {
            continue;
        };
        let mut values = Vec::new();
        node.walk(&mut |key, scalar| values.push((key, scalar)));
        for (key, scalar) in values {
            let text = scalar.text().unwrap_or("");
            let how = format!("{place} {key}");
            // `${input:x}` is asked for, `${env:X}` and `${X}` come from the environment.
            let asked = text.contains("${input:");
            let plain = text.replace("${env:", "${");
            let found = shell::variables(&plain);
            for (variable, _) in &found {
                if *variable != "input" && *variable != "workspaceFolder" {
                    let use_ = file.named(&by, store::ENVIRONMENT, variable, (&how, scalar.line()));
                    out.uses.push(use_.within(scopes.clone()).certain());
                }
            }
            let is_value = place == "env" || place == "headers";
            if is_value
                && key != text
                && found.is_empty()
                && !asked
                && names_credential(key)
                && !text.is_empty()
            {
                literals.push(key.to_owned());
            }
        }
    }
    literals.sort();
    literals.dedup();
    let literals = literals
        .into_iter()
        .map(|name| ("literal".to_owned(), name));
    consumer.properties.extend(literals);
    out.consumers.push(consumer);
}

/// Whether a name is that of a credential.
fn names_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    [
        "token",
        "secret",
        "password",
        "api_key",
        "apikey",
        "authorization",
        "_key",
        "credential",
        "_pat",
    ]
    .iter()
    .any(|word| name.contains(word))
}

fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next()?;
    (!host.is_empty()).then_some(host)
}

/// JSON without comments and without commas before a closing bracket; what is taken out is
/// replaced by spaces, so that lines stay.
fn plain(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let (mut at, mut comma) = (0, None);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                comma = None;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += 1 + usize::from(bytes[at] == b'\\');
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    out[at] = b' ';
                    at += 1;
                }
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                while at < bytes.len() && !(bytes[at] == b'*' && bytes.get(at + 1) == Some(&b'/')) {
                    if bytes[at] != b'\n' {
                        out[at] = b' ';
                    }
                    at += 1;
                }
                let end = (at + 2).min(bytes.len());
                out[at.min(end)..end].fill(b' ');
                at += 1;
            }
            b',' => comma = Some(at),
            b'}' | b']' => {
                if let Some(comma) = comma.take() {
                    out[comma] = b' ';
                }
            }
            b'\t' => out[at] = b' ',
            byte if byte.is_ascii_whitespace() => {}
            _ => comma = None,
        }
        at += 1;
    }
    // Only whole comments were replaced, and they begin and end with ASCII.
    String::from_utf8(out).unwrap_or_default()
}

/// Codex: `[mcp_servers.name]` and `[mcp_servers.name.env]`.
fn of_toml(file: &File<'_>, text: &str, out: &mut Found) {
    let mut current: Option<usize> = None;
    let mut in_env = false;
    for (number, line) in (1u32..).zip(text.lines()) {
        let line = line.trim();
        if let Some(table) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            let mut parts = table.split('.').map(|part| part.trim().trim_matches('"'));
            let named = parts.next() == Some("mcp_servers");
            let name = parts.next().filter(|_| named);
            in_env = parts.next() == Some("env");
            current = name.map(|name| {
                let consumer = file.consumer(ConsumerKind::Agent, "mcp", name, (number, number));
                let known = out.consumers.iter().position(|one| one.key == consumer.key);
                known.unwrap_or_else(|| {
                    out.consumers.push(consumer);
                    out.consumers.len() - 1
                })
            });
            continue;
        }
        let (Some(at), Some((key, value))) = (current, line.split_once('=')) else {
            continue;
        };
        let consumer = &mut out.consumers[at];
        consumer.lines.1 = number;
        let (key, value) = (key.trim().trim_matches('"'), value.trim());
        if key == "bearer_token_env_var" {
            let by = consumer.key.clone();
            let variable = value.trim_matches('"');
            let use_ = file.named(&by, store::ENVIRONMENT, variable, ("bearer token", number));
            out.uses.push(
                use_.within(vec![format!("environment:{}", file.tree)])
                    .certain(),
            );
        } else if key == "url"
            && let Some(host) = host(value.trim_matches('"'))
        {
            consumer
                .properties
                .push(("remote".to_owned(), host.to_owned()));
        } else if in_env && names_credential(key) && value.len() > 2 {
            consumer
                .properties
                .push(("literal".to_owned(), key.to_owned()));
        }
    }
}
