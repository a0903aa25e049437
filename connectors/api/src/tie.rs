//! What a host publishes about a credential, as a keyed name: so that a credential that was
//! found meets its record without being sent anywhere.
//!
//! A host lists a hash of a token, or its last characters; whoever finds a token can work both
//! out. Each is sealed under a word of its own ([`of`]), so that it is equal to nothing but its
//! like. A sighting carries it as a fact of that name, a record as a [`Setting`](crate::Setting).

use crate::Redactor;

/// The last eight characters of a token: GitHub's list of authorised credentials.
pub const GITHUB_LAST_EIGHT: &str = "tie:github-last-eight";
/// Base64 of the SHA-256 of a token: GitHub's audit log (docs.github.com, identifying audit log
/// events performed by an access token).
pub const GITHUB_TOKEN_HASH: &str = "tie:github-token-hash";

/// All of them: names of facts and settings that join what has them in common.
pub const ALL: &[&str] = &[GITHUB_LAST_EIGHT, GITHUB_TOKEN_HASH];

/// What is sealed for a text that is published under a word.
pub fn text(word: &str, published: &str) -> String {
    format!("{word}\0{published}")
}

/// The keyed name, as facts and settings carry it.
pub fn of(redactor: &dyn Redactor, word: &str, published: &str) -> String {
    redactor.seal(text(word, published).as_bytes()).to_string()
}
