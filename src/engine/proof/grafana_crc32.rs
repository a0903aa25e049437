//! Grafana's service account tokens: `glsa_`, 32 characters, `_`, and the CRC-32 of what stands
//! before that, in little-endian bytes. Described by Grafana's `satokengen` package.

use super::{Found, Proof, Prover};

pub(super) const PROVER: Prover = Prover {
    name: "grafana-crc32",
    about: "last eight digits of a Grafana service account token: CRC-32 of the rest, lowest byte \
            first (grafana/grafana, pkg/components/satokengen)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let Some((rest, sum)) = found.secret.split_last_chunk::<8>() else {
        return Proof::Refuted;
    };
    let Some(key) = rest.strip_suffix(b"_") else {
        return Proof::Refuted;
    };
    let told = std::str::from_utf8(sum)
        .ok()
        .and_then(|sum| u32::from_str_radix(sum, 16).ok());
    match told == Some(crc32fast::hash(key).swap_bytes()) {
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
    fn the_vendors_test_vector_holds() {
        let vector = concat!("gl", "sa_iNValIdinValiDinvalidinvalidinva", "_5b582697");
        assert_eq!(verdict("grafana-crc32", vector), Proof::Proved(vec![]));
    }

    #[test]
    fn the_sum_decides() {
        let good = verdict_of_shape("grafana-crc32", "{grafana-token}", 4);
        assert_eq!(good, Proof::Proved(vec![]));
        let bad = verdict_of_shape("grafana-crc32", "glsa_{alnum:32}_{hex:8}", 4);
        assert_eq!(bad, Proof::Refuted);
    }
}
