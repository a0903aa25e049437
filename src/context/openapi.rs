//! OpenAPI documents (3.x, and 2.0 as Swagger; spec.openapis.org), also as exported by Amazon API
//! Gateway: which ways of authentication an API offers, which scopes its operations ask for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Auth, AuthMethod, PolicyRef, System, SystemKind,
    tree::{text, texts},
};

/// Whether a document describes an API.
pub(super) fn is(value: &Value) -> bool {
    text(value, &["openapi"]).is_some() || text(value, &["swagger"]).is_some()
}

/// The API it describes.
pub(super) fn read(label: &str, value: &Value) -> System {
    let name = text(value, &["info", "title"]).unwrap_or(label);
    let mut api = System::named(SystemKind::Api, name, label);
    api.purpose = text(value, &["info", "description"]).map(str::to_owned);
    api.owner = ["x-owner", "x-team"]
        .iter()
        .find_map(|key| text(value, &["info", key]).or_else(|| text(value, &[key])))
        .map(str::to_owned);
    let schemes = value
        .get("components")
        .and_then(|components| components.get("securitySchemes"))
        .or_else(|| value.get("securityDefinitions"))
        .and_then(Value::as_object);
    for (name, scheme) in schemes.into_iter().flatten() {
        take_scheme(&mut api, name, scheme);
    }
    operations(value, &mut api);
    api.auth.sort();
    api.auth.dedup();
    if let Some(version) = text(value, &["x-policy-version"]) {
        api.policy = Some(PolicyRef {
            digest: version.to_owned(),
            version: Some(version.to_owned()),
            ..PolicyRef::default()
        });
    }
    api
}

fn take_scheme(api: &mut System, name: &str, scheme: &Value) {
    let mut add = |method, detail: String| api.auth.push(Auth { method, detail });
    match text(scheme, &["type"]).unwrap_or_default() {
        "apiKey" => {
            let at = text(scheme, &["in"]).unwrap_or_default();
            let is_signature = text(scheme, &["x-amazon-apigateway-authtype"]) == Some("awsSigv4");
            let method = match at {
                _ if is_signature => AuthMethod::Signed,
                "query" => AuthMethod::ApiKeyInUrl,
                _ => AuthMethod::ApiKey,
            };
            add(method, format!("{name} in {at}"));
        }
        "basic" => add(AuthMethod::Basic, name.to_owned()),
        "http" => {
            let word = text(scheme, &["scheme"]).unwrap_or_default().to_lowercase();
            let method = match word.as_str() {
                "basic" | "digest" => AuthMethod::Basic,
                _ => AuthMethod::Bearer,
            };
            add(method, format!("{name}: {word}"));
        }
        "mutualTLS" => add(AuthMethod::MutualTls, name.to_owned()),
        "openIdConnect" => {
            add(AuthMethod::OpenId, name.to_owned());
            let url = text(scheme, &["openIdConnectUrl"]);
            api.issuers.extend(url.map(issuer));
        }
        "oauth2" => {
            let flows = match scheme.get("flows").and_then(Value::as_object) {
                Some(flows) => flows
                    .iter()
                    .map(|(name, flow)| (name.as_str(), flow))
                    .collect(),
                None => vec![(text(scheme, &["flow"]).unwrap_or_default(), scheme)],
            };
            for (flow, told) in flows {
                let method = match flow {
                    "implicit" => AuthMethod::OAuthImplicit,
                    "password" => AuthMethod::OAuthPassword,
                    "clientCredentials" | "application" => AuthMethod::OAuthClient,
                    _ => AuthMethod::OAuthCode,
                };
                add(method, format!("{name}: {flow}"));
                let url = text(told, &["tokenUrl"]).or_else(|| text(told, &["authorizationUrl"]));
                api.issuers.extend(url.map(issuer));
            }
        }
        _ => {}
    }
    api.issuers.sort();
    api.issuers.dedup();
}

/// Scheme and host of an address: who issues the tokens.
fn issuer(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    format!("{scheme}://{}", host.to_lowercase())
}

fn operations(value: &Value, api: &mut System) {
    const METHODS: [&str; 8] = [
        "get", "put", "post", "delete", "options", "head", "patch", "trace",
    ];
    let general = value.get("security");
    let mut scopes = BTreeSet::new();
    let paths = value.get("paths").and_then(Value::as_object);
    for (path, entry) in paths.into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = entry.get(method) else {
                continue;
            };
            let asked = operation
                .get("security")
                .or(general)
                .and_then(Value::as_array);
            let is_open = asked.is_none_or(|all| {
                all.is_empty()
                    || all
                        .iter()
                        .any(|one| one.as_object().is_some_and(|o| o.is_empty()))
            });
            if is_open && method != "options" {
                let name = format!("{} {path}", method.to_uppercase());
                api.open_operations.push(name);
            }
            for requirement in asked.into_iter().flatten().filter_map(Value::as_object) {
                for scheme in requirement.keys() {
                    scopes.extend(texts(&Value::Object(requirement.clone()), scheme));
                }
            }
        }
    }
    api.scopes = scopes.into_iter().collect();
}
