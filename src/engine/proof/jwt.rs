//! JSON Web Tokens (RFC 7519): header and payload are JSON objects in base64url.
//!
//! Not decided here: whether one has expired. The fact `expires` says when, the core when it is.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Found, Proof, Prover, armor, fact};

pub(super) const PROVER: Prover = Prover {
    name: "jwt",
    about: "header with `alg` and payload of a JSON Web Token decode to JSON objects (RFC 7519)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let mut parts = found.secret.split(|&b| b == b'.');
    let (Some(header), Some(payload)) = (parts.next(), parts.next()) else {
        return Proof::Refuted;
    };
    let (Some(header), Some(payload)) = (object(header), object(payload)) else {
        return Proof::Refuted;
    };
    let Some(algorithm) = header.get("alg").and_then(Value::as_str) else {
        return Proof::Refuted;
    };

    let mut facts = Vec::new();
    fact(&mut facts, "algorithm", algorithm);
    for (claim, name) in [
        ("iss", "issuer"),
        ("sub", "subject"),
        ("jti", "jwt-id"),
        ("azp", "client"),
        ("client_id", "client"),
        ("role", "role"),
    ] {
        if let Some(text) = payload.get(claim).and_then(Value::as_str) {
            fact(&mut facts, name, text);
        }
    }
    match payload.get("aud") {
        Some(Value::String(text)) => fact(&mut facts, "audience", text),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .take(8)
            .for_each(|text| fact(&mut facts, "audience", text)),
        _ => {}
    }
    for (claim, name) in [("iat", "issued"), ("exp", "expires")] {
        if let Some(time) = payload.get(claim).and_then(seconds) {
            fact(&mut facts, name, &time.to_string());
        }
    }
    // Without a signature it proves nothing to anybody who checks.
    match (algorithm.eq_ignore_ascii_case("none"), parts.next()) {
        (false, Some(signature)) if !signature.is_empty() => Proof::Proved(facts),
        _ => Proof::Undecided(facts),
    }
}

/// One part, as a JSON object.
fn object(part: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(&armor::url_safe(part)?).ok()
}

/// A NumericDate: seconds since 1970, perhaps with a fraction.
fn seconds(value: &Value) -> Option<Timestamp> {
    let whole = value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
    Timestamp::from_second(whole).ok()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::super::{
        Proof,
        tests::{told, verdict, verdict_of_shape},
    };

    fn token(header: &str, payload: &str, signature: &str) -> String {
        let [header, payload] = [header, payload].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        format!("{header}.{payload}.{signature}")
    }

    #[test]
    fn claims_become_facts() {
        let text = token(
            r#"{"alg":"RS256"}"#,
            r#"{"iss":"https://id\u001b.example","aud":["a","b"],"exp":1700000000.5,"jti":"7"}"#,
            "c2ln",
        );
        let proof = verdict("jwt", &text);
        assert!(matches!(proof, Proof::Proved(_)));
        assert_eq!(
            told(&proof, "issuer").as_deref(),
            Some("https://id.example")
        );
        assert_eq!(
            told(&proof, "expires").as_deref(),
            Some("2023-11-14T22:13:20Z")
        );
        assert_eq!(told(&proof, "jwt-id").as_deref(), Some("7"));
        assert_eq!(told(&proof, "audience").as_deref(), Some("a"));
        assert!(matches!(
            verdict_of_shape("jwt", "{jwt}", 2),
            Proof::Proved(_)
        ));
    }

    #[test]
    fn unsigned_ones_prove_nothing_and_others_are_refuted() {
        let unsigned = token(r#"{"alg":"none"}"#, "{}", "");
        assert!(matches!(verdict("jwt", &unsigned), Proof::Undecided(_)));
        assert_eq!(
            verdict("jwt", &token(r#"{"typ":"JWT"}"#, "{}", "c2ln")),
            Proof::Refuted
        );
        assert_eq!(
            verdict("jwt", &token(r#"{"alg":"HS256"}"#, "[]", "c2ln")),
            Proof::Refuted
        );
        assert_eq!(
            verdict_of_shape("jwt", "eyJ{base64url:30}.eyJ{base64url:40}.x", 1),
            Proof::Refuted
        );
        // A date past the calendar is left out, not a panic.
        let far = token(r#"{"alg":"HS256"}"#, r#"{"exp":1e300}"#, "c2ln");
        assert_eq!(told(&verdict("jwt", &far), "expires"), None);
    }
}
