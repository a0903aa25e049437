//! Vercel's tokens: a prefix of three letters, 50 random characters, and six of checksum.

use super::{Found, Proof, Prover, github_crc32::checksum_holds};

pub(super) const PROVER: Prover = Prover {
    name: "vercel-crc32",
    about: "last six characters of a Vercel token: CRC-32 of what stands behind the prefix, in \
            base 62 (vercel.com/changelog/new-token-formats-and-secret-scanning names the prefixes)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let body = found.secret.get(4..).unwrap_or_default();
    // Vercel has not published how the sum is made, so a mismatch does not refute.
    match body.len() == 56 && checksum_holds(body) {
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
    fn a_sum_that_holds_proves_and_another_does_not_refute() {
        for prefix in ["vcp_", "vck_"] {
            let good = verdict_of_shape("vercel-crc32", &format!("{{vercel-token:{prefix}}}"), 3);
            assert_eq!(good, Proof::Proved(vec![]), "{prefix}");
        }
        let other = verdict_of_shape("vercel-crc32", "vcp_{base62:56}", 3);
        assert_eq!(other, Proof::Undecided(vec![]));
        assert_eq!(verdict("vercel-crc32", "vc"), Proof::Undecided(vec![]));
    }
}
