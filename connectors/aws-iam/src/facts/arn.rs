//! ARNs of IAM: `arn:partition:iam::account:type/path/name`.

/// The parts of an ARN that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub(super) partition: &'a str,
    /// Twelve digits; `aws` for policies that AWS manages.
    pub(super) account: &'a str,
}

/// Parses an ARN of IAM; `None` for anything else.
pub(super) fn parse(text: &str) -> Option<Arn<'_>> {
    let mut parts = text.splitn(6, ':');
    let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let shaped = scheme == "arn" && partition.starts_with("aws") && service == "iam";
    (shaped && !account.is_empty() && !resource.is_empty()).then_some(Arn { partition, account })
}

/// The account of an ARN, if it is a customer's.
pub(super) fn account(text: &str) -> Option<&str> {
    parse(text)
        .map(|arn| arn.account)
        .filter(|account| *account != "aws")
}

/// Whether AWS manages this policy.
pub(super) fn is_aws_managed(text: &str) -> bool {
    parse(text).is_some_and(|arn| arn.account == "aws")
}

/// The last part of the path: the name.
pub(super) fn name(text: &str) -> &str {
    text.rsplit(['/', ':']).next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{account, is_aws_managed, name, parse};

    #[test]
    fn partitions_and_paths() {
        assert_eq!(
            account("arn:aws-cn:iam::123456789012:user/a/b"),
            Some("123456789012")
        );
        assert_eq!(
            parse("arn:aws-us-gov:iam::1:role/x").map(|arn| arn.partition),
            Some("aws-us-gov")
        );
        assert_eq!(account("arn:aws:iam::aws:policy/ReadOnlyAccess"), None);
        assert!(is_aws_managed("arn:aws:iam::aws:policy/ReadOnlyAccess"));
        assert_eq!(name("arn:aws:iam::1:user/svc/ci"), "ci");
        assert_eq!(parse("arn:aws:s3:::bucket"), None);
        assert_eq!(parse("user/a"), None);
    }
}
