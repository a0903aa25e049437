//! Confluent Cloud's API secrets since July 2025: `cflt`, 54 characters, and the CRC-32 of
//! those in base64.

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};

use super::{Found, Proof, Prover};

pub(super) const PROVER: Prover = Prover {
    name: "confluent-crc32",
    about: "last six characters of a Confluent Cloud API secret: CRC-32 of the 54 before them, \
            least byte first, in base64 (docs.confluent.io, API secret format)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let holds = found
        .secret
        .strip_prefix(b"cflt")
        .and_then(<[u8]>::split_last_chunk::<6>)
        .is_some_and(|(body, sum)| {
            BASE64_STANDARD_NO_PAD
                .encode(crc32fast::hash(body).to_le_bytes())
                .as_bytes()
                == sum
        });
    match holds {
        true => Proof::Proved(Vec::new()),
        false => Proof::Refuted,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Proof,
        tests::{verdict, verdict_of_shape},
    };

    #[test]
    fn the_sum_decides() {
        let good = verdict_of_shape("confluent-crc32", "{confluent-secret}", 9);
        assert_eq!(good, Proof::Proved(vec![]));
        // CRC-32 of "123456789" is cbf43926.
        assert_eq!(
            verdict("confluent-crc32", "cflt123456789Jjn0yw"),
            Proof::Proved(vec![])
        );
        let bad = verdict_of_shape("confluent-crc32", "cflt{base64:60}", 9);
        assert_eq!(bad, Proof::Refuted);
        assert_eq!(verdict("confluent-crc32", "cflt"), Proof::Refuted);
    }
}
