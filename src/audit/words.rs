//! Words for remediation: concrete commands where the provider has them, the kind's advice
//! elsewhere.

use keymuster_api::IdentityKind;

use super::CheckCx;
use crate::{estate::Credential, inventory::Record};

/// How to end this credential: from the record, else a command, else the kind's advice.
pub(super) fn revocation(
    cx: &CheckCx<'_>,
    record: Option<&Record>,
    credential: &Credential,
) -> String {
    record
        .and_then(|record| record.revocation_path.clone())
        .or_else(|| aws_key(cx, credential, "update-access-key", " --status Inactive"))
        .or_else(|| {
            let advice = cx.advice(credential)?;
            (!advice.revoke.is_empty()).then(|| advice.revoke.clone())
        })
        .unwrap_or_default()
}

/// `revoke it: …`, or what to do where nobody knows how.
pub(super) fn revoke(cx: &CheckCx<'_>, ix: u32) -> String {
    let credential = cx.credential(ix);
    let how = revocation(cx, cx.record_of(ix), credential);
    if how.is_empty() {
        format!("revoke it at {}", provider(cx, credential))
    } else {
        format!("revoke it: {how}")
    }
}

/// How to switch this credential off in a way that can be undone, and to delete it later.
pub(super) fn disable_and_delete(cx: &CheckCx<'_>, ix: u32) -> String {
    let credential = cx.credential(ix);
    let off = aws_key(cx, credential, "update-access-key", " --status Inactive");
    let delete = aws_key(cx, credential, "delete-access-key", "");
    match (off, delete) {
        (Some(off), Some(delete)) => {
            format!("disable it: {off}; if nothing breaks within 14 days, delete it: {delete}")
        }
        _ => format!("disable it, wait 14 days, then {}", revoke(cx, ix)),
    }
}

/// How to replace this credential's secret.
pub(super) fn rotate(cx: &CheckCx<'_>, ix: u32) -> String {
    let credential = cx.credential(ix);
    if let Some(off) = aws_key(cx, credential, "update-access-key", " --status Inactive") {
        let user = user_flag(cx, credential);
        return format!(
            "make a second key: aws iam create-access-key{user}; deploy it, watch the old one fall silent, then: {off}"
        );
    }
    match cx.advice(credential) {
        Some(advice) if !advice.rotate.is_empty() => format!("rotate it: {}", advice.rotate),
        _ => format!("rotate it at {}", provider(cx, credential)),
    }
}

fn provider<'a>(cx: &CheckCx<'a>, credential: &Credential) -> &'a str {
    match cx.text(credential.provider) {
        "" => "the system that issued it",
        provider => provider,
    }
}

/// An `aws iam` command about an access key.
fn aws_key(
    cx: &CheckCx<'_>,
    credential: &Credential,
    command: &str,
    options: &str,
) -> Option<String> {
    let (scheme, id) = credential.handle?;
    // Temporary keys (ASIA) cannot be switched off one by one.
    let id = cx.text(id);
    if cx.text(scheme) != "aws-access-key-id" || id.starts_with("ASIA") {
        return None;
    }
    let id = shell_word(id);
    let user = user_flag(cx, credential);
    Some(format!(
        "aws iam {command} --access-key-id {id}{options}{user}"
    ))
}

fn user_flag(cx: &CheckCx<'_>, credential: &Credential) -> String {
    match cx.estate.identity_of(credential) {
        // Root's keys are managed by root, without a user name.
        Some(identity) if identity.kind == IdentityKind::User => {
            format!(" --user-name {}", shell_word(cx.text(identity.name)))
        }
        Some(_) => String::new(),
        None => " --user-name <its user>".to_owned(),
    }
}

/// A word that a shell takes as it is: quoted unless it is harmless.
pub(super) fn shell_word(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/:".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn hostile_names_cannot_leave_their_quotes() {
        assert_eq!(shell_word("deploy@ci"), "deploy@ci");
        assert_eq!(shell_word("a; rm -rf ~"), "'a; rm -rf ~'");
        assert_eq!(shell_word("a'$(id)"), r"'a'\''$(id)'");
        assert_eq!(shell_word(""), "''");
    }
}
