//! Queries, as far as they are asked here.

use serde_json::{Value, json};

use crate::{Asked, Dialect, Host, Reply, Route};

/// Answers a query.
pub(crate) fn query(host: &Host, asked: &Asked) -> Reply {
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let text = body["query"].as_str().unwrap_or_default();
    if !text.starts_with("query") {
        return host.dialect.refusal(400, "only queries are let in");
    }
    match host.dialect {
        Dialect::GitHub => repositories(host, &body["variables"]),
        Dialect::GitLab => variables(host, text, &body["variables"]),
    }
}

fn repositories(host: &Host, variables: &Value) -> Reply {
    let first = variables["first"].as_u64().unwrap_or(50) as usize;
    let (nodes, info) = cut(&host.bulk, first, &variables["after"]);
    Reply::json(
        200,
        &json!({"data": {"organization": {"repositories": {"pageInfo": info, "nodes": nodes}}}}),
    )
}

/// Some entries behind a cursor, and what is said of the page.
fn cut<'v>(all: &'v [Value], first: usize, after: &Value) -> (&'v [Value], Value) {
    let start: usize = after
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let end = (start + first).min(all.len());
    let info = json!({"hasNextPage": end < all.len(), "endCursor": end.to_string()});
    (&all[start.min(end)..end], info)
}

/// Names and flags of CI/CD variables, without their values: what the routes list.
fn variables(host: &Host, text: &str, variables: &Value) -> Reply {
    if host.queries_are_old {
        let message = "Field 'hidden' doesn't exist on type 'CiProjectVariable'";
        return Reply::json(200, &json!({"errors": [{"message": message}]}));
    }
    let (member, route) = if text.contains("project(") {
        ("project", variables["path"].as_str())
    } else if text.contains("group(") {
        ("group", variables["path"].as_str())
    } else {
        ("", Some(""))
    };
    let route = route.and_then(|path| host.variables.get(path));
    let all = route.and_then(|route| match host.routes.get(route) {
        Some(Route::List(_, items)) => Some(items.as_slice()),
        _ => None,
    });
    let connection = all.map_or(Value::Null, |items| {
        let (shown, info) = cut(items, 100, &variables["after"]);
        let nodes: Vec<Value> = shown.iter().map(outline).collect();
        json!({"pageInfo": info, "nodes": nodes})
    });
    let data = match member {
        "" => json!({ "ciVariables": connection }),
        _ if route.is_none() => json!({ member: null }),
        _ => json!({member: {"ciVariables": connection}}),
    };
    Reply::json(200, &json!({ "data": data }))
}

fn outline(variable: &Value) -> Value {
    let upper = |value: &Value| value.as_str().map(str::to_uppercase);
    json!({
        "key": variable["key"], "variableType": upper(&variable["variable_type"]),
        "environmentScope": variable["environment_scope"], "masked": variable["masked"],
        "protected": variable["protected"], "hidden": variable["hidden"], "raw": variable["raw"],
    })
}
