//! Zuplo's API keys: `zpka_`, 32 characters, `_`, and the CRC-32 of the 32 in hexadecimal.
//! That a key ends in a checksum is described in Zuplo's "API Key Best Practices".

use super::{Found, Proof, Prover};

pub(super) const PROVER: Prover = Prover {
    name: "zuplo-crc32",
    about: "last eight digits of a Zuplo API key: CRC-32 of the part between prefix and sum \
            (zuplo.com/docs/articles/api-key-best-practices)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let Some(rest) = found.secret.strip_prefix(b"zpka_") else {
        return Proof::Refuted;
    };
    let Some((body, sum)) = rest.split_last_chunk::<8>() else {
        return Proof::Refuted;
    };
    let told = std::str::from_utf8(sum)
        .ok()
        .and_then(|sum| u32::from_str_radix(sum, 16).ok());
    let made = body.strip_suffix(b"_").map(crc32fast::hash);
    match made.is_some() && made == told {
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
        let good = verdict_of_shape("zuplo-crc32", "{zuplo-key}", 4);
        assert_eq!(good, Proof::Proved(vec![]));
        let bad = verdict_of_shape("zuplo-crc32", "zpka_{hex:32}_{hex:8}", 4);
        assert_eq!(bad, Proof::Refuted);
        for text in ["", "zpka_", "zpka_12345678", "zpka_é_12345678"] {
            assert_eq!(verdict("zuplo-crc32", text), Proof::Refuted, "{text}");
        }
        // The CRC-32 of "123456789" is the algorithm's published check value.
        let check = concat!("zp", "ka_123456789_cbf43926");
        assert_eq!(verdict("zuplo-crc32", check), Proof::Proved(vec![]));
    }
}
