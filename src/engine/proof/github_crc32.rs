//! GitHub's tokens: the last six characters of the random part are its CRC-32, in base 62.
//! Described in the GitHub Blog, "Behind GitHub's new authentication token formats" (2021).

use sha2::{Digest as _, Sha256};

use super::{Found, Proof, Prover, base62};

pub(super) const PROVER: Prover = Prover {
    name: "github-crc32",
    about: "last six characters of a GitHub token: CRC-32 of the rest in base 62 \
            (github.blog, Behind GitHub's new authentication token formats)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let Some(cut) = found.secret.iter().rposition(|&b| b == b'_') else {
        return Proof::Refuted;
    };
    if checksum_holds(&found.secret[cut + 1..]) {
        return Proof::Proved(Vec::new());
    }
    if !found.secret.starts_with(b"github_pat_") {
        return Proof::Refuted;
    }
    // GitHub has not published how fine-grained tokens are checked; both forms that were
    // observed prove, and a token that fits neither is still worth reporting.
    match digest_holds(found.secret) {
        true => Proof::Proved(Vec::new()),
        false => Proof::Undecided(Vec::new()),
    }
}

/// Whether the last six characters are the CRC-32 of those before.
pub(super) fn checksum_holds(body: &[u8]) -> bool {
    let Some((random, checksum)) = body.split_last_chunk::<6>() else {
        return false;
    };
    base62(checksum) == Some(u64::from(crc32fast::hash(random)))
}

/// Whether the eight characters before the last eight are the base-32 SHA-256 of all before.
fn digest_holds(token: &[u8]) -> bool {
    let Some((rest, tail)) = token.split_last_chunk::<16>() else {
        return false;
    };
    let digest = data_encoding::BASE32_NOPAD.encode(&Sha256::digest(rest));
    tail[..8].eq_ignore_ascii_case(&digest.as_bytes()[..8])
}

#[cfg(test)]
mod tests {
    use super::super::{
        Proof,
        tests::{verdict, verdict_of_shape},
    };

    #[test]
    fn an_expired_token_that_was_published_holds() {
        // From the README of therootcompany/base62-token.js.
        let token = concat!("gh", "p_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17");
        assert_eq!(verdict("github-crc32", token), Proof::Proved(vec![]));
        let other = concat!("gh", "p_zQWBuTSOoRi4A9spHcVY5ncnsDkxkK", "0mLq17");
        assert_eq!(verdict("github-crc32", other), Proof::Refuted);
    }

    #[test]
    fn every_kind_is_checked_and_fine_grained_ones_are_never_refuted() {
        for kind in ["ghp_", "gho_", "ghu_", "ghs_"] {
            let form = format!("{{github-token:{kind}}}");
            assert_eq!(
                verdict_of_shape("github-crc32", &form, 3),
                Proof::Proved(vec![])
            );
        }
        assert_eq!(
            verdict_of_shape("github-crc32", "{github-fine-grained}", 3),
            Proof::Proved(vec![])
        );
        let unknown = verdict_of_shape("github-crc32", "github_pat_{base62:22}_{base62:59}", 3);
        assert_eq!(unknown, Proof::Undecided(vec![]));
        assert_eq!(verdict("github-crc32", ""), Proof::Refuted);
    }
}
