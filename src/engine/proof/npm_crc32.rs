//! npm's tokens: made like GitHub's, with the same six characters of checksum at the end.
//! Described in the GitHub Changelog, "npm has a new access token format" (2021).

use super::{Found, Proof, Prover, base62, github_crc32::checksum_holds};

pub(super) const PROVER: Prover = Prover {
    name: "npm-crc32",
    about: "last six characters of an npm token: CRC-32 in base 62 \
            (github.blog/changelog, npm has a new access token format)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let body = found.secret.strip_prefix(b"npm_").unwrap_or(found.secret);
    // Reports differ on whether the prefix is part of the sum, so either proves; and no
    // vendor's text settles it, so a mismatch does not refute.
    let whole = found
        .secret
        .split_last_chunk::<6>()
        .is_some_and(|(random, checksum)| {
            base62(checksum) == Some(u64::from(crc32fast::hash(random)))
        });
    match whole || checksum_holds(body) {
        true => Proof::Proved(Vec::new()),
        false => Proof::Undecided(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Proof,
        tests::{verdict, verdict_of_shape},
    };

    #[test]
    fn a_sum_that_holds_proves() {
        assert_eq!(
            verdict_of_shape("npm-crc32", "{npm-token}", 1),
            Proof::Proved(vec![])
        );
        assert_eq!(
            verdict_of_shape("npm-crc32", "npm_{base62:36}", 1),
            Proof::Undecided(vec![])
        );
        assert_eq!(verdict("npm-crc32", "npm_"), Proof::Undecided(vec![]));
    }
}
