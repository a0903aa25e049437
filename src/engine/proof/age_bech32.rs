//! age's keys are written in Bech32: a readable part, `1`, and data of which the last six
//! characters are a checksum over all of it (C2SP, age; BIP-173). The length limit of BIP-173
//! does not hold for them.

use super::{Found, Proof, Prover};

pub(super) const PROVER: Prover = Prover {
    name: "age-bech32",
    about: "last six characters of an age key: Bech32 checksum (c2sp.org/age, BIP-173)",
    prove,
};

/// The data characters, by value.
const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

fn prove(found: &Found<'_>) -> Proof {
    match checksum_holds(found.secret) {
        true => Proof::Proved(Vec::new()),
        false => Proof::Refuted,
    }
}

fn checksum_holds(text: &[u8]) -> bool {
    let mixed = text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_uppercase);
    let Some(at) = text.iter().rposition(|&byte| byte == b'1') else {
        return false;
    };
    let (readable, data) = (&text[..at], &text[at + 1..]);
    if mixed || readable.is_empty() || data.len() < 6 {
        return false;
    }
    let high = readable.iter().map(|byte| byte.to_ascii_lowercase() >> 5);
    let low = readable.iter().map(|byte| byte.to_ascii_lowercase() & 31);
    let mut sum = 1;
    for value in high.chain([0]).chain(low) {
        sum = step(sum, value);
    }
    for byte in data {
        let byte = byte.to_ascii_lowercase();
        let Some(value) = CHARSET.iter().position(|&known| known == byte) else {
            return false;
        };
        sum = step(sum, value as u8);
    }
    sum == 1
}

/// The checksum's polynomial, a value further.
fn step(sum: u32, value: u8) -> u32 {
    const TERMS: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let top = sum >> 25;
    let mut next = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
    for (bit, term) in TERMS.iter().enumerate() {
        if top >> bit & 1 == 1 {
            next ^= term;
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::super::{
        Proof,
        tests::{verdict, verdict_of_shape},
    };

    #[test]
    fn the_checksum_decides() {
        // Valid and invalid strings of BIP-173.
        for text in ["A12UEL5L", "a12uel5l", "?1ezyfcl"] {
            assert_eq!(verdict("age-bech32", text), Proof::Proved(vec![]), "{text}");
        }
        for text in [
            "A1G7SGD8",
            "a12UEL5L",
            "10a06t8",
            "1qzzfhee",
            "pzry9x0s0muk",
            "x1b4n0q5v",
            "",
        ] {
            assert_eq!(verdict("age-bech32", text), Proof::Refuted, "{text}");
        }
        for readable in ["age", "AGE-SECRET-KEY-", "AGE-SECRET-KEY-PQ-"] {
            let good = verdict_of_shape("age-bech32", &format!("{{age-key:{readable}}}"), 9);
            assert_eq!(good, Proof::Proved(vec![]), "{readable}");
        }
        let bad = verdict_of_shape("age-bech32", "AGE-SECRET-KEY-1{upper-alnum:58}", 9);
        assert_eq!(bad, Proof::Refuted);
    }
}
