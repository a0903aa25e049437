//! Conditions of bindings, in Google's expression language. Only the one that ends a grant is
//! understood; every other one is a condition that is told.
//! (cloud.google.com/iam/docs/conditions-overview)

use keymuster_api::Timestamp;

/// What a condition says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holds {
    /// It is met.
    Yes,
    /// It cannot be met any more.
    No,
    /// It depends on the request.
    If(String),
}

/// Whether a condition holds at a point in time.
pub(super) fn holds(text: &str, now: Option<Timestamp>) -> Holds {
    let plain: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let inner = plain.strip_prefix("request.time ").unwrap_or_default();
    let (before, rest) = match inner.split_at_checked(1) {
        Some(("<", rest)) => (true, rest),
        Some((">", rest)) => (false, rest),
        _ => return Holds::If(plain),
    };
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let at = rest
        .strip_prefix("timestamp(")
        .and_then(|rest| rest.strip_suffix(')'))
        .map(|quoted| quoted.trim_matches(['"', '\'']))
        .and_then(|text| text.parse::<Timestamp>().ok());
    match (at, now) {
        (Some(at), Some(now)) if (now < at) == before => Holds::Yes,
        (Some(_), Some(_)) => Holds::No,
        _ => Holds::If(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::{Holds, holds};

    #[test]
    fn an_end_is_understood_and_all_else_is_told() {
        let now = "2026-06-01T00:00:00Z".parse().ok();
        let at = |text: &str| holds(text, now);
        assert_eq!(
            at(r#"request.time < timestamp("2026-07-01T00:00:00Z")"#),
            Holds::Yes
        );
        assert_eq!(
            at(r#"request.time <  timestamp("2026-05-01T00:00:00.000Z")"#),
            Holds::No
        );
        assert_eq!(
            at(r#"request.time >= timestamp("2026-05-01T00:00:00Z")"#),
            Holds::Yes
        );
        assert_eq!(
            at(r#"request.time > timestamp("2027-05-01T00:00:00Z")"#),
            Holds::No
        );
        let both = r#"request.time < timestamp("2026-05-01T00:00:00Z") || resource.name == "x""#;
        assert_eq!(at(both), Holds::If(both.to_owned()));
        assert!(matches!(
            at(r#"resource.name.startsWith("x")"#),
            Holds::If(_)
        ));
        assert!(matches!(
            holds(r#"request.time < timestamp("2026-05-01T00:00:00Z")"#, None),
            Holds::If(_)
        ));
    }
}
