//! A record as one line of JSON, in the register's field names; absent fields are left out.

use serde_json::{Map, Value, json};

use crate::inventory::{Record, Role};

/// One record as one line of JSON.
pub fn record_line(record: &Record) -> String {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() && value != json!([]) && value != json!({}) {
            out.insert(name.to_owned(), value);
        }
    };
    put("record_id", json!(record.id));
    put("source", json!(record.source.to_string()));
    put("credential_type", json!(record.credential_type));
    let identifiers = record.identifiers.iter();
    let identifiers: Vec<Value> = identifiers
        .map(|one| json!({ "scheme": one.scheme, "value": one.value }))
        .collect();
    put("identifiers", json!(identifiers));
    let texts = [
        ("name", &record.name),
        ("system", &record.system),
        ("provider", &record.provider),
        ("account", &record.account),
        ("environment", &record.environment),
        ("entity", &record.entity),
        ("owner", &record.owner),
        ("approver", &record.approver),
        ("approval_ref", &record.approval_ref),
        ("purpose", &record.purpose),
        ("trust_tier", &record.trust_tier),
        ("no_expiry_reason", &record.no_expiry_reason),
        ("revocation_path", &record.revocation_path),
        ("recovery_procedure", &record.recovery_procedure),
        ("revoked_by", &record.revoked_by),
        ("vendor", &record.vendor),
    ];
    for (name, text) in texts {
        put(name, json!(text));
    }
    put("scope", json!(record.scope));
    put("data_classes", json!(record.data_classes));
    put("tier", json!(record.tier.map(|tier| tier.as_str())));
    put("status", json!(record.status.map(|status| status.as_str())));
    let dates = [
        ("approved_at", record.approved_at),
        ("issued_at", record.issued_at),
        ("expires_at", record.expires_at),
        ("last_rotated_at", record.last_rotated_at),
        ("last_reviewed_at", record.last_reviewed_at),
        ("revoked_at", record.revoked_at),
        ("contract_end", record.details().contract_end),
        ("revocation_drill_at", record.details().revocation_drill_at),
    ];
    for (name, at) in dates {
        put(name, json!(at.map(|at| at.to_string())));
    }
    put("max_lifetime_days", json!(record.max_lifetime_days));
    put("rotation_days", json!(record.rotation_days));
    for role in Role::ALL {
        put(role.as_str(), json!(record.role(role)));
    }
    let details = record.details();
    let texts = [
        ("business_process", &details.business_process),
        ("business_application", &details.application),
        ("direction", &details.direction),
        ("conditions", &details.conditions),
        ("auth_method", &details.auth_method),
        ("store", &details.store),
        ("contract_ref", &details.contract_ref),
        ("split", &details.split),
        ("issued_by_event", &details.issued_by_event),
        ("rotation_evidence", &details.rotation_evidence),
        ("review_ref", &details.review_ref),
        ("need_signal", &details.need_signal),
        ("revocation_evidence", &details.revocation_evidence),
        ("grant_type", &details.grant_type),
        ("exception_ref", &details.exception_ref),
        ("log_source", &details.log_source),
    ];
    for (name, text) in texts {
        put(name, json!(text));
    }
    put("apis", json!(details.apis));
    put("audience", json!(details.audience));
    let decision = details.review_decision.map(|decision| decision.as_str());
    put("review_decision", json!(decision));
    let evidence = details.evidence.iter();
    let evidence: Vec<Value> = evidence
        .map(|one| json!({ "kind": one.kind.map(|kind| kind.as_str()), "ref": one.reference }))
        .collect();
    put("evidence", json!(evidence));
    put("extra", json!(record.extra));
    Value::Object(out).to_string()
}

#[cfg(test)]
mod tests {
    use super::record_line;
    use crate::inventory::{Record, Role};

    #[test]
    fn a_line_holds_what_the_record_holds() {
        let mut record = Record {
            id: "R-1".to_owned(),
            owner: Some("jane\n\u{1b}".to_owned()),
            ..Record::default()
        };
        record
            .details_mut()
            .roles
            .insert(Role::Rotator, "bob".to_owned());
        assert_eq!(
            record_line(&record),
            r#"{"record_id":"R-1","source":":0","owner":"jane\n\u001b","rotator":"bob"}"#
        );
    }
}
