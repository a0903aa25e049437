//! Operators, quantifiers, missing and unknown keys.

use super::{ALL, Context, Decision, Estate, USER, allow};
use Decision::{Allowed, Conditional, NotAllowed};

/// reference_policies_elements_condition_operators,
/// reference_policies_condition-single-vs-multi-valued-context-keys.
#[test]
fn conditions_hold_as_documented() {
    let none = Context::new;
    let with = |key: &str, values: &[&str]| Context::new().with(key, values);
    let absent = |key: &str| Context::new().without(key);
    for (condition, context, expected) in [
        (r#""StringEquals":{"k":"a"}"#, with("k", &["a"]), Allowed),
        (
            r#""StringEquals":{"K":["b","a"]}"#,
            with("k", &["a"]),
            Allowed,
        ),
        (r#""StringEquals":{"k":"a"}"#, with("k", &["A"]), NotAllowed),
        (
            r#""StringEquals":{"k":"a*"}"#,
            with("k", &["ab"]),
            NotAllowed,
        ),
        (r#""StringEquals":{"k":"a"}"#, absent("k"), NotAllowed),
        (r#""StringEquals":{"k":"a"}"#, none(), Conditional),
        (r#""StringEqualsIfExists":{"k":"a"}"#, absent("k"), Allowed),
        (
            r#""StringEqualsIfExists":{"k":"a"}"#,
            with("k", &["b"]),
            NotAllowed,
        ),
        (r#""StringNotEquals":{"k":"a"}"#, absent("k"), Allowed),
        (
            r#""StringNotEquals":{"k":["a","b"]}"#,
            with("k", &["b"]),
            NotAllowed,
        ),
        (
            r#""StringNotEquals":{"k":["a","b"]}"#,
            with("k", &["c"]),
            Allowed,
        ),
        (
            r#""StringEqualsIgnoreCase":{"k":"a"}"#,
            with("k", &["A"]),
            Allowed,
        ),
        (
            r#""StringNotEqualsIgnoreCase":{"k":"a"}"#,
            with("k", &["A"]),
            NotAllowed,
        ),
        (r#""StringLike":{"k":"a*"}"#, with("k", &["ab"]), Allowed),
        (r#""StringLike":{"k":"a?"}"#, with("k", &["a"]), NotAllowed),
        (
            r#""StringNotLike":{"k":"a*"}"#,
            with("k", &["ab"]),
            NotAllowed,
        ),
        (r#""StringNotLike":{"k":"a*"}"#, absent("k"), Allowed),
        (
            r#""StringEquals":{"k":"${aws:username}"}"#,
            with("k", &["ann"]),
            Allowed,
        ),
        (
            r#""StringEquals":{"k":"a","l":"b"}"#,
            with("k", &["a"]).without("l"),
            NotAllowed,
        ),
        (
            r#""StringEquals":{"k":"a"},"StringLike":{"l":"*"}"#,
            with("k", &["a"]).with("l", &["x"]),
            Allowed,
        ),
        (
            r#""StringEquals":{"k":"a","l":"b"}"#,
            with("k", &["a"]),
            Conditional,
        ),
        (
            r#""StringEquals":{"k":"a","l":"b"}"#,
            with("k", &["x"]),
            NotAllowed,
        ),
        (
            r#""NumericLessThan":{"k":"10"}"#,
            with("k", &["9.5"]),
            Allowed,
        ),
        (
            r#""NumericLessThanEquals":{"k":10}"#,
            with("k", &["10"]),
            Allowed,
        ),
        (
            r#""NumericGreaterThan":{"k":"10"}"#,
            with("k", &["10"]),
            NotAllowed,
        ),
        (
            r#""NumericNotEquals":{"k":"10"}"#,
            with("k", &["11"]),
            Allowed,
        ),
        (
            r#""NumericEquals":{"k":"10"}"#,
            with("k", &["ten"]),
            NotAllowed,
        ),
        (
            r#""NumericLessThanIfExists":{"k":"10"}"#,
            absent("k"),
            Allowed,
        ),
        (
            r#""DateGreaterThan":{"k":"2026-01-01T00:00:00Z"}"#,
            with("k", &["2026-06-01T00:00:00Z"]),
            Allowed,
        ),
        (
            r#""DateLessThan":{"k":"2026-01-01"}"#,
            with("k", &["2026-06-01T00:00:00Z"]),
            NotAllowed,
        ),
        (
            r#""DateLessThan":{"k":"1800000000"}"#,
            with("k", &["2026-06-01T00:00:00Z"]),
            Allowed,
        ),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, none(), Allowed),
        (
            r#""Bool":{"aws:SecureTransport":false}"#,
            none(),
            NotAllowed,
        ),
        (
            r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#,
            none(),
            Conditional,
        ),
        (
            r#""BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}"#,
            absent("aws:MultiFactorAuthPresent"),
            Allowed,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#,
            with("aws:SourceIp", &["203.0.113.9"]),
            Allowed,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#,
            with("aws:SourceIp", &["203.0.114.9"]),
            NotAllowed,
        ),
        (
            r#""NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}"#,
            with("aws:SourceIp", &["2001:db8::1"]),
            NotAllowed,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"0.0.0.0/0"}"#,
            with("aws:SourceIp", &["1.2.3.4"]),
            Allowed,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"203.0.113.9"}"#,
            with("aws:SourceIp", &["203.0.113.9"]),
            Allowed,
        ),
        (
            r#""IpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"}"#,
            with("aws:SourceIp", &["203.0.113.9"]),
            Allowed,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"nonsense/99"}"#,
            with("aws:SourceIp", &["203.0.113.9"]),
            NotAllowed,
        ),
        (
            r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}"#,
            none(),
            Allowed,
        ),
        (
            r#""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}"#,
            none(),
            NotAllowed,
        ),
        (
            r#""ArnLike":{"k":"arn:aws:*:user"}"#,
            with("k", &["arn:aws:iam::1:user"]),
            NotAllowed,
        ),
        (
            r#""ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a*"}"#,
            none(),
            NotAllowed,
        ),
        (r#""Null":{"k":"true"}"#, absent("k"), Allowed),
        (r#""Null":{"k":"false"}"#, absent("k"), NotAllowed),
        (r#""Null":{"k":"false"}"#, with("k", &["x"]), Allowed),
        (
            r#""ForAllValues:StringEquals":{"k":["a","b"]}"#,
            with("k", &["a", "b"]),
            Allowed,
        ),
        (
            r#""ForAllValues:StringEquals":{"k":["a","b"]}"#,
            with("k", &["a", "c"]),
            NotAllowed,
        ),
        (
            r#""ForAllValues:StringEquals":{"k":["a","b"]}"#,
            absent("k"),
            Allowed,
        ),
        (
            r#""ForAnyValue:StringEquals":{"k":["a","b"]}"#,
            with("k", &["c", "b"]),
            Allowed,
        ),
        (
            r#""ForAnyValue:StringEquals":{"k":["a","b"]}"#,
            absent("k"),
            NotAllowed,
        ),
        (
            r#""ForAnyValue:StringNotLike":{"k":"a*"}"#,
            with("k", &["ab", "c"]),
            Allowed,
        ),
        (
            r#""ForAllValues:StringNotLike":{"k":"a*"}"#,
            with("k", &["ab", "c"]),
            NotAllowed,
        ),
        (
            r#""BinaryEquals":{"k":"QmluYXJ5"}"#,
            with("k", &["QmluYXJ5"]),
            Allowed,
        ),
        (
            r#""StringEquals":{"aws:PrincipalTag/TEAM":"blue"}"#,
            none(),
            Allowed,
        ),
        (
            r#""StringEquals":{"aws:PrincipalTag/other":"blue"}"#,
            none(),
            NotAllowed,
        ),
        (
            r#""StringEquals":{"aws:PrincipalAccount":"123456789012"}"#,
            none(),
            Allowed,
        ),
        (r#""StringIs":{"k":"a"}"#, with("k", &["a"]), Conditional),
    ] {
        let text = allow(&format!(r#"{ALL},"Condition":{{{condition}}}"#));
        let got = Estate::new()
            .user(&text)
            .ask(USER, "s3:GetObject", "arn:aws:s3:::b/k", &context);
        assert_eq!(got, expected, "{condition} under {context:?}");
    }
}
