//! Atlassian's API tokens end in `=` and the CRC-32 of all before it, in eight hexadecimal digits.

use super::{Found, Proof, Prover};

pub(super) const PROVER: Prover = Prover {
    name: "atlassian-crc32",
    about: "last eight digits of an Atlassian token: CRC-32 of everything before them \
            (support.atlassian.com, Manage API tokens for your Atlassian account)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let holds = found
        .secret
        .split_last_chunk::<8>()
        .is_some_and(|(rest, sum)| {
            std::str::from_utf8(sum).is_ok_and(|sum| {
                u32::from_str_radix(sum, 16).is_ok_and(|sum| sum == crc32fast::hash(rest))
            })
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
        let good = verdict_of_shape("atlassian-crc32", "{atlassian-token}", 9);
        assert_eq!(good, Proof::Proved(vec![]));
        let bad = "ATATT3xFfGF0{base64url:171}={HEX:8}";
        assert_eq!(verdict_of_shape("atlassian-crc32", bad, 9), Proof::Refuted);
        assert_eq!(verdict("atlassian-crc32", "short"), Proof::Refuted);
    }
}
