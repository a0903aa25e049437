//! age's secret keys: Bech32 with the part `age-secret-key-`, written in capitals.
//! Described at age-encryption.org/v1 and in BIP 173.

use super::{Found, Proof, Prover};

pub(super) const PROVER: Prover = Prover {
    name: "age-bech32",
    about: "last six characters of an age secret key: the Bech32 checksum of the rest \
            (age-encryption.org/v1, BIP 173)",
    prove,
};

/// What stands before the separator `1`; the checksum covers it in lower case.
const PART: &[u8] = b"age-secret-key-";
const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

fn prove(found: &Found<'_>) -> Proof {
    let Some((part, digits)) = found.secret.split_at_checked(PART.len()) else {
        return Proof::Refuted;
    };
    let Some(digits) = digits.strip_prefix(b"1") else {
        return Proof::Refuted;
    };
    // 32 bytes are 52 digits of five bits, and six digits are the checksum.
    let holds = part.eq_ignore_ascii_case(PART)
        && digits.len() == 58
        && values(digits).is_some_and(|values| checksum(PART, &values) == 1);
    if holds {
        Proof::Proved(Vec::new())
    } else {
        Proof::Refuted
    }
}

/// The values of the digits.
fn values(digits: &[u8]) -> Option<Vec<u8>> {
    digits
        .iter()
        .map(|digit| {
            let digit = digit.to_ascii_lowercase();
            ALPHABET
                .iter()
                .position(|&known| known == digit)
                .and_then(|at| u8::try_from(at).ok())
        })
        .collect()
}

/// A key of these digits, with the checksum they need: what shapes are filled with.
pub(in crate::engine) fn complete(data: [u8; 52]) -> String {
    let mut values = data.map(|value| value & 31).to_vec();
    values.extend([0; 6]);
    let sum = checksum(PART, &values) ^ 1;
    for (place, value) in values[52..].iter_mut().enumerate() {
        *value = (sum >> (5 * (5 - place)) & 31) as u8;
    }
    let digits: String = values
        .iter()
        .map(|&value| ALPHABET[usize::from(value)] as char)
        .collect();
    format!("AGE-SECRET-KEY-1{}", digits.to_ascii_uppercase())
}

/// BIP 173's polynomial over the part and these values: 1 if the last six are the checksum.
fn checksum(part: &[u8], values: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let high = part.iter().map(|byte| byte >> 5);
    let low = part.iter().map(|byte| byte & 31);
    let all = high.chain([0]).chain(low).chain(values.iter().copied());
    all.fold(1, |sum: u32, value| {
        let top = sum >> 25;
        let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        (0..5)
            .filter(|bit| top >> bit & 1 == 1)
            .fold(next, |sum, bit| sum ^ GENERATOR[bit])
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Proof, tests::verdict};
    use super::{checksum, complete, values};

    #[test]
    fn a_vector_of_the_standard_holds() {
        // BIP 173, valid strings: part `a`, no data, checksum `2uel5l`.
        let values = values(b"2uel5l").expect("digits");
        assert_eq!(checksum(b"a", &values), 1);
        assert_ne!(checksum(b"b", &values), 1);
    }

    #[test]
    fn a_key_is_proved_and_any_other_digit_refutes_it() {
        let data: [u8; 52] = std::array::from_fn(|at| (at * 7 % 32) as u8);
        let text = complete(data);
        assert_eq!(verdict("age-bech32", &text), Proof::Proved(vec![]));
        assert_eq!(
            verdict("age-bech32", &text.to_ascii_lowercase()),
            Proof::Proved(vec![])
        );
        for at in 16..text.len() {
            let other = if text.as_bytes()[at] == b'Q' {
                "P"
            } else {
                "Q"
            };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert_eq!(verdict("age-bech32", &changed), Proof::Refuted, "{at}");
        }
    }

    #[test]
    fn other_texts_are_refuted() {
        let data = [3; 52];
        let text = complete(data);
        for text in [
            "",
            "AGE-SECRET-KEY-1",
            &text[..73],
            "age1qqqq",
            &text.replace("KEY-1", "KEY-2"),
        ] {
            assert_eq!(verdict("age-bech32", text), Proof::Refuted, "{text}");
        }
    }
}
