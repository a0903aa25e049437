//! What a host publishes about a credential of its own, worked out from the credential: so that
//! what was found meets the host's record, and nothing is sent anywhere.

use data_encoding::BASE64;
use keymuster_api::tie;
use sha2::{Digest as _, Sha256};

use super::seal::Seal;

/// Kinds of tokens that GitHub lists by their last eight characters, and logs by their hash.
const GITHUB: &[&str] = &[
    "github.pat",
    "github.fine-grained-pat",
    "github.oauth-token",
    "github.app-user-token",
    "github.app-installation-token",
];

/// Adds what is published of a value of this kind, sealed.
pub(super) fn add(kind: &str, value: &[u8], seal: &Seal, facts: &mut Vec<(String, String)>) {
    let Ok(value) = std::str::from_utf8(value) else {
        return;
    };
    if !GITHUB.contains(&kind) {
        return;
    }
    let mut tell = |word: &str, published: &str| {
        let name = seal.secret(tie::text(word, published).as_bytes());
        facts.push((word.to_owned(), name.to_string()));
    };
    if let Some(last) = value.len().checked_sub(8).and_then(|at| value.get(at..)) {
        tell(tie::GITHUB_LAST_EIGHT, last);
    }
    tell(
        tie::GITHUB_TOKEN_HASH,
        &BASE64.encode(&Sha256::digest(value)),
    );
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Redactor as _, tie};

    use crate::engine::{Engine, RuleSet, Seal, shape};

    #[test]
    fn a_token_and_what_github_publishes_of_it_have_one_name() {
        let engine = Engine::new(RuleSet::embedded().expect("rules"), Seal::new([5; 32]));
        let token = shape::fill("{github-token:ghp_}", 3).expect("shape");
        let mut facts = Vec::new();
        super::add(
            "github.pat",
            token.as_bytes(),
            &Seal::new([5; 32]),
            &mut facts,
        );
        // `printf %s TOKEN | openssl dgst -sha256 -binary | base64`, as docs.github.com has it.
        let hash = data_encoding::BASE64.encode(&<sha2::Sha256 as sha2::Digest>::digest(&token));
        let expected = [
            (tie::GITHUB_LAST_EIGHT, token[token.len() - 8..].to_owned()),
            (tie::GITHUB_TOKEN_HASH, hash),
        ];
        let expected =
            expected.map(|(word, text)| (word.to_owned(), tie::of(&engine, word, &text)));
        assert_eq!(facts, expected);
        assert!(engine.redact(&facts[0].1).is_empty());
        facts.clear();
        super::add(
            "gitlab.pat",
            token.as_bytes(),
            &Seal::new([5; 32]),
            &mut facts,
        );
        assert_eq!(facts, []);
    }
}
