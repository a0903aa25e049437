//! HTTP Basic credentials (RFC 7617): base64 of printable `user:password`.

use super::{Found, Proof, Prover, armor, fact};

pub(super) const PROVER: Prover = Prover {
    name: "basic-auth",
    about: "base64 of a Basic authorization decodes to printable user:password (RFC 7617)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    match user(found.secret) {
        Some(user) => {
            let mut facts = Vec::new();
            if is_plainly_a_name(&user) {
                fact(&mut facts, "user", &user);
            }
            Proof::Proved(facts)
        }
        None => Proof::Refuted,
    }
}

/// The user, if the text is base64 of `user:password` with one of them at least six long (some
/// services take a token as the user, with an empty password).
pub(super) fn user(base64: &[u8]) -> Option<String> {
    let text = String::from_utf8(armor::standard(base64)?).ok()?;
    let (user, password) = text.split_once(':')?;
    // A service account file as the password brings its line ends along.
    let printable = text
        .chars()
        .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    let template = text.contains("${") || text.contains("{{");
    (printable && !template && (password.len() >= 4 || user.len() >= 16)).then(|| user.to_owned())
}

/// `user:password`.
pub(in crate::engine) fn parts(base64: &[u8]) -> Option<zeroize::Zeroizing<String>> {
    String::from_utf8(armor::standard(base64)?)
        .ok()
        .map(zeroize::Zeroizing::new)
}

/// Where a token stands in the user's place it must not become a fact: only lower-case words
/// and mail addresses are let through.
pub(super) fn is_plainly_a_name(user: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty()
            && text.len() <= 24
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'.' | b'-' | b'_'))
    };
    match user.split_once('@') {
        Some((local, host)) => word(local) && host.contains('.') && host.split('.').all(word),
        None => word(user),
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::super::{
        Proof,
        tests::{told, verdict, verdict_of_shape},
    };

    #[test]
    fn a_token_in_the_users_place_is_no_fact() {
        let with_name = BASE64_STANDARD.encode("ci.bot@acme.example:correct-horse");
        let told_name = told(&verdict("basic-auth", &with_name), "user");
        assert_eq!(told_name.as_deref(), Some("ci.bot@acme.example"));
        let with_token = BASE64_STANDARD.encode("a81fe0b2c4d5e6f708192a3b:");
        assert_eq!(verdict("basic-auth", &with_token), Proof::Proved(vec![]));
    }

    #[test]
    fn other_base64_is_refuted() {
        for text in [
            "no colon here",
            "a:b",
            "user:\u{7}\u{1}bell",
            "user:${PASSWORD}",
        ] {
            assert_eq!(
                verdict("basic-auth", &BASE64_STANDARD.encode(text)),
                Proof::Refuted,
                "{text}"
            );
        }
        assert_eq!(verdict("basic-auth", "realm"), Proof::Refuted);
        assert!(matches!(
            verdict_of_shape("basic-auth", "{basic:user}", 1),
            Proof::Proved(_)
        ));
    }
}
