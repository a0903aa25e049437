//! Declarative configurations of gateways: Kong (`_format_version`, docs.konghq.com) and Envoy
//! (`static_resources`, envoyproxy.io): who may call which API, and by what.
//!
//! Keys of consumers stand in such files; nothing of them is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Auth, AuthMethod, PolicyRef, System, SystemKind,
    tree::{items, text, texts},
};

/// Whether a document is the configuration of a gateway.
pub(super) fn is(value: &Value) -> bool {
    value.get("_format_version").is_some() || value.get("static_resources").is_some()
}

/// The APIs behind the gateway.
pub(super) fn read(label: &str, value: &Value) -> Vec<System> {
    if value.get("_format_version").is_some() {
        kong(label, value)
    } else {
        envoy(label, value)
    }
}

fn kong(label: &str, value: &Value) -> Vec<System> {
    let groups = groups(value);
    let general: Vec<&Value> = items(value, "plugins")
        .into_iter()
        .filter(|plugin| plugin.get("service").is_none() && plugin.get("route").is_none())
        .collect();
    let mut apis = Vec::new();
    for service in items(value, "services") {
        let Some(name) = text(service, &["name"]) else {
            continue;
        };
        let mut api = System::named(SystemKind::Api, name, label);
        let mut plugins = items(service, "plugins");
        for route in items(service, "routes") {
            plugins.extend(items(route, "plugins"));
        }
        plugins.extend(items(value, "plugins").into_iter().filter(|plugin| {
            let of = plugin.get("service");
            of.and_then(Value::as_str) == Some(name)
                || of.is_some_and(|of| text(of, &["name"]) == Some(name))
        }));
        let own = plugins.len();
        plugins.extend(&general);
        for plugin in &plugins {
            take_plugin(&mut api, plugin, &groups);
        }
        if api
            .auth
            .iter()
            .all(|auth| auth.method == AuthMethod::AllowList)
        {
            api.open_operations.push("every route".to_owned());
        }
        let version = tag(service, "version:").or_else(|| tag(service, "commit:"));
        api.owner = tag(service, "owner:").or_else(|| tag(service, "team:"));
        api.policy = Some(PolicyRef {
            digest: digest(&plugins[..own]),
            version,
            reviewer: tag(service, "reviewer:"),
            reviewed_at: tag(service, "reviewed:")
                .and_then(|day| format!("{day}T00:00:00Z").parse().ok()),
        });
        finish(&mut api);
        apis.push(api);
    }
    apis
}

/// The value of a tag `owner:payments`.
fn tag(service: &Value, prefix: &str) -> Option<String> {
    texts(service, "tags")
        .iter()
        .find_map(|tag| tag.strip_prefix(prefix).map(str::to_owned))
}

/// Consumers by their groups.
fn groups(value: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for consumer in items(value, "consumers") {
        let Some(name) = text(consumer, &["username"]).or_else(|| text(consumer, &["custom_id"]))
        else {
            continue;
        };
        for acl in items(consumer, "acls") {
            if let Some(group) = text(acl, &["group"]) {
                groups
                    .entry(group.to_owned())
                    .or_default()
                    .insert(name.to_owned());
            }
        }
    }
    groups
}

fn take_plugin(api: &mut System, plugin: &Value, groups: &BTreeMap<String, BTreeSet<String>>) {
    if plugin.get("enabled").and_then(Value::as_bool) == Some(false) {
        return;
    }
    let name = text(plugin, &["name"]).unwrap_or_default();
    let null = Value::Null;
    let config = plugin.get("config").unwrap_or(&null);
    let method = match name {
        "key-auth" | "key-auth-enc" => {
            let in_query = config.get("key_in_query").and_then(Value::as_bool);
            // The plugin's own default is to take keys from the query too.
            match in_query {
                Some(false) => AuthMethod::ApiKey,
                _ => AuthMethod::ApiKeyInUrl,
            }
        }
        "basic-auth" | "ldap-auth" => AuthMethod::Basic,
        "jwt" => AuthMethod::Bearer,
        "openid-connect" => {
            api.issuers
                .extend(text(config, &["issuer"]).map(str::to_owned));
            AuthMethod::OpenId
        }
        "oauth2" => AuthMethod::OAuthClient,
        "hmac-auth" => AuthMethod::Signed,
        "mtls-auth" => AuthMethod::MutualTls,
        "ip-restriction" => {
            api.callers.extend(texts(config, "allow"));
            AuthMethod::AllowList
        }
        "acl" => {
            for group in texts(config, "allow") {
                match groups.get(&group) {
                    Some(members) => api.callers.extend(members.iter().cloned()),
                    None => api.callers.push(group),
                }
            }
            return;
        }
        _ => return,
    };
    api.auth.push(Auth {
        method,
        detail: format!("plugin {name}"),
    });
    if name == "openid-connect" {
        api.scopes.extend(texts(config, "scopes_required"));
    }
}

fn envoy(label: &str, value: &Value) -> Vec<System> {
    let mut apis = Vec::new();
    let resources = value.get("static_resources").unwrap_or(value);
    for listener in items(resources, "listeners") {
        let name = text(listener, &["name"]).unwrap_or("listener");
        let mut api = System::named(SystemKind::Api, name, label);
        let mut filters = Vec::new();
        for chain in items(listener, "filter_chains") {
            for filter in items(chain, "filters") {
                if let Some(config) = filter.get("typed_config") {
                    filters.extend(items(config, "http_filters"));
                }
            }
        }
        for filter in &filters {
            take_filter(&mut api, filter);
        }
        if api.auth.is_empty() {
            api.open_operations.push("every route".to_owned());
        }
        api.policy = Some(PolicyRef {
            digest: digest(&filters),
            version: text(value, &["metadata", "version"]).map(str::to_owned),
            ..PolicyRef::default()
        });
        finish(&mut api);
        apis.push(api);
    }
    apis
}

fn take_filter(api: &mut System, filter: &Value) {
    let name = text(filter, &["name"]).unwrap_or_default();
    let null = Value::Null;
    let config = filter.get("typed_config").unwrap_or(&null);
    let method = match name {
        "envoy.filters.http.jwt_authn" => {
            for provider in items(config, "providers") {
                api.issuers
                    .extend(text(provider, &["issuer"]).map(str::to_owned));
            }
            AuthMethod::Bearer
        }
        "envoy.filters.http.oauth2" => AuthMethod::OAuthCode,
        "envoy.filters.http.basic_auth" => AuthMethod::Basic,
        "envoy.filters.http.api_key_auth" => AuthMethod::ApiKey,
        "envoy.filters.http.ext_authz" => AuthMethod::Bearer,
        _ => return,
    };
    api.auth.push(Auth {
        method,
        detail: format!("filter {name}"),
    });
}

fn finish(api: &mut System) {
    for list in [&mut api.callers, &mut api.issuers, &mut api.scopes] {
        list.sort();
        list.dedup();
    }
    api.auth.sort();
    api.auth.dedup();
}

/// One word for what a policy says; empty for a service without any rule of its own.
fn digest(rules: &[&Value]) -> String {
    if rules.is_empty() {
        return String::new();
    }
    let texts: BTreeSet<String> = rules.iter().map(|rule| sorted(rule).to_string()).collect();
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A value whose members stand in order, without what names the place of a rule.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let members: BTreeMap<&String, Value> = map
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "id" | "service" | "route" | "tags"))
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            members
                .into_iter()
                .map(|(name, value)| (name.clone(), value))
                .collect()
        }
        Value::Array(list) => Value::Array(list.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
