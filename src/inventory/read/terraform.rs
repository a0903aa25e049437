//! What Terraform manages: `terraform show -json`, or a state file of version 4
//! (<https://developer.hashicorp.com/terraform/internals/json-format>).
//!
//! A state holds secrets in the clear. Of each resource only its address, its public
//! identifiers and its tags are taken, by name.

use serde_json::{Map, Value};

use super::{
    super::InventoryError,
    ReadCx,
    objects::{Object, Shape, plain},
};

/// The shape.
pub(super) static SHAPE: Shape = Shape {
    name: "terraform",
    fits,
    rows,
};

/// Modules nested deeper are not looked into.
const DEEPEST: usize = 16;

/// Attributes with the fields they are.
type Attributes = &'static [(&'static str, &'static str)];

/// Types of resources that are credentials or principals: our type, and which attribute is
/// which field.
const TYPES: &[(&str, &str, Attributes)] = &[
    (
        "aws_iam_user",
        "service_account",
        &[("arn", "arn"), ("name", "principal")],
    ),
    (
        "aws_iam_role",
        "iam_role",
        &[("arn", "arn"), ("name", "name")],
    ),
    (
        "aws_iam_access_key",
        "access_key",
        &[
            ("id", "access_key_id"),
            ("user", "principal"),
            ("create_date", "issued_at"),
            ("status", "status"),
        ],
    ),
    (
        "aws_iam_service_specific_credential",
        "other",
        &[
            ("service_specific_credential_id", "key_id"),
            ("user_name", "principal"),
            ("status", "status"),
        ],
    ),
    (
        "aws_secretsmanager_secret",
        "other",
        &[("arn", "arn"), ("name", "name"), ("description", "purpose")],
    ),
    (
        "google_service_account",
        "service_account",
        &[
            ("email", "client_email"),
            ("unique_id", "object_id"),
            ("display_name", "name"),
            ("description", "purpose"),
            ("project", "account"),
        ],
    ),
    (
        "google_service_account_key",
        "service_account_key",
        &[
            ("id", "key_id"),
            ("service_account_id", "client_email"),
            ("valid_after", "issued_at"),
            ("valid_before", "expires_at"),
        ],
    ),
    (
        "azuread_application",
        "oauth_app",
        &[
            ("client_id", "client_id"),
            ("application_id", "client_id"),
            ("object_id", "object_id"),
            ("display_name", "name"),
            ("description", "purpose"),
        ],
    ),
    (
        "azuread_application_password",
        "oauth_app",
        &[
            ("key_id", "key_id"),
            ("display_name", "name"),
            ("end_date", "expires_at"),
            ("start_date", "issued_at"),
        ],
    ),
    (
        "azuread_application_certificate",
        "certificate",
        &[
            ("key_id", "key_id"),
            ("end_date", "expires_at"),
            ("start_date", "issued_at"),
        ],
    ),
    (
        "azuread_service_principal",
        "service_account",
        &[
            ("client_id", "client_id"),
            ("object_id", "object_id"),
            ("display_name", "name"),
        ],
    ),
    (
        "azurerm_user_assigned_identity",
        "workload_identity",
        &[
            ("client_id", "client_id"),
            ("principal_id", "object_id"),
            ("name", "name"),
        ],
    ),
    (
        "github_repository_deploy_key",
        "deploy_key",
        &[("title", "name"), ("repository", "system")],
    ),
    (
        "github_actions_secret",
        "ci_secret",
        &[
            ("secret_name", "name"),
            ("repository", "system"),
            ("created_at", "issued_at"),
            ("updated_at", "last_rotated_at"),
        ],
    ),
    (
        "gitlab_project_variable",
        "ci_secret",
        &[("key", "name"), ("project", "system")],
    ),
    (
        "gitlab_project_access_token",
        "personal_access_token",
        &[
            ("name", "name"),
            ("project", "system"),
            ("expires_at", "expires_at"),
            ("created_at", "issued_at"),
        ],
    ),
    (
        "gitlab_deploy_token",
        "deploy_key",
        &[
            ("name", "name"),
            ("project", "system"),
            ("expires_at", "expires_at"),
        ],
    ),
    ("kubernetes_secret", "other", &[("id", "k8s_secret")]),
    ("kubernetes_secret_v1", "other", &[("id", "k8s_secret")]),
    (
        "kubernetes_service_account",
        "service_account",
        &[("id", "k8s_secret")],
    ),
    (
        "okta_app_oauth",
        "oauth_app",
        &[("client_id", "client_id"), ("label", "name")],
    ),
    (
        "auth0_client",
        "oauth_app",
        &[
            ("client_id", "client_id"),
            ("name", "name"),
            ("description", "purpose"),
        ],
    ),
    (
        "acme_certificate",
        "certificate",
        &[
            ("common_name", "name"),
            ("certificate_not_after", "expires_at"),
        ],
    ),
    (
        "tls_private_key",
        "ssh_key",
        &[("public_key_fingerprint_sha256", "ssh_fingerprint")],
    ),
];

fn fits(value: &Value) -> bool {
    value.get("terraform_version").is_some()
        && (value.get("values").is_some() || value.get("resources").is_some())
}

fn rows(
    object: &Object,
    cx: &ReadCx<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<Object>, InventoryError> {
    let mut found = Vec::new();
    if let Some(root) = object.value.pointer("/values/root_module") {
        module(root, 0, &mut found);
    } else if let Some(resources) = object.value.get("resources").and_then(Value::as_array) {
        resources
            .iter()
            .for_each(|resource| state(resource, &mut found));
    } else {
        return Err(InventoryError::new(cx.label, "holds no resources")
            .help("write it with `terraform show -json`, or name a state file of version 4"));
    }
    notes.push(format!(
        "{}: {} resources of Terraform are credentials or principals; rows are counted by resources",
        cx.label,
        found.len()
    ));
    Ok((1..)
        .zip(found)
        .map(|(row, value)| Object { row, value })
        .collect())
}

fn module(module: &Value, depth: usize, found: &mut Vec<Value>) {
    let list = |name: &str| module.get(name).and_then(Value::as_array);
    for resource in list("resources").into_iter().flatten() {
        let managed = resource.get("mode").is_none_or(|mode| mode == "managed");
        let text = |name: &str| resource.get(name).and_then(Value::as_str);
        if let (true, Some(kind), Some(address)) = (managed, text("type"), text("address")) {
            let values = resource.get("values").and_then(Value::as_object);
            found.extend(values.and_then(|values| row(kind, address, values)));
        }
    }
    if depth < DEEPEST {
        for child in list("child_modules").into_iter().flatten() {
            self::module(child, depth + 1, found);
        }
    }
}

fn state(resource: &Value, found: &mut Vec<Value>) {
    let text = |name: &str| {
        resource
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if text("mode") != "managed" {
        return;
    }
    let within = match text("module") {
        "" => String::new(),
        module => format!("{module}."),
    };
    let instances = resource.get("instances").and_then(Value::as_array);
    for instance in instances.into_iter().flatten() {
        let index = match instance.get("index_key") {
            None => String::new(),
            Some(Value::String(key)) => format!("[\"{key}\"]"),
            Some(key) => format!("[{}]", plain(key)),
        };
        let address = format!("{within}{}.{}{index}", text("type"), text("name"));
        let attributes = instance.get("attributes").and_then(Value::as_object);
        found.extend(attributes.and_then(|values| row(text("type"), &address, values)));
    }
}

fn row(kind: &str, address: &str, values: &Map<String, Value>) -> Option<Value> {
    let (_, ours, attributes) = TYPES.iter().find(|(name, _, _)| *name == kind)?;
    let mut out = Map::new();
    out.insert("record_id".to_owned(), address.into());
    out.insert("credential_type".to_owned(), (*ours).into());
    for (attribute, field) in *attributes {
        let text = values.get(*attribute).map(plain).unwrap_or_default();
        // `projects/p/serviceAccounts/e/keys/ID`.
        let text = match *field {
            "key_id" | "client_email" => text.rsplit('/').next().unwrap_or_default(),
            _ => text.as_str(),
        };
        if !text.is_empty() {
            out.entry((*field).to_owned())
                .or_insert_with(|| text.into());
        }
    }
    if let Some(account) = values.get("arn").and_then(Value::as_str) {
        let account = account.split(':').nth(4).unwrap_or_default();
        out.insert("account".to_owned(), account.into());
    }
    // `tags_all` has the provider's default tags too.
    let tags = ["tags_all", "tags", "effective_labels", "labels"];
    let tags = tags.iter().find_map(|name| values.get(*name)?.as_object());
    for (name, value) in tags.into_iter().flatten() {
        out.insert(format!("tags.{name}"), plain(value).into());
    }
    Some(Value::Object(out))
}
