//! OpenPGP private key blocks: the first packet is a secret key, the armor's CRC-24 holds.
//! Format: RFC 9580, sections 4 and 6.

use super::{Found, Proof, Prover, armor, fact};

pub(super) const PROVER: Prover = Prover {
    name: "pgp-private-key",
    about: "first packet of an OpenPGP block is a secret key, and its checksum holds (RFC 9580)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    match read(found.secret) {
        Some(facts) => Proof::Proved(facts),
        None => Proof::Refuted,
    }
}

fn read(text: &[u8]) -> Option<Vec<(String, String)>> {
    let (_, inside) = armor::block(text)?;
    let (base64, sum) = split(inside);
    let bytes = armor::body(base64)?;
    if let Some(sum) = sum
        && armor::standard(sum)? != crc24(&bytes).to_be_bytes()[1..]
    {
        return None;
    }
    let (&tag, rest) = bytes.split_first()?;
    let (old, kind) = match tag {
        0xc0..=0xff => (false, tag & 0x3f),
        0x80..=0xbf => (true, tag >> 2 & 0x0f),
        _ => return None,
    };
    // 5 is a secret key, 7 a secret subkey (an export may hold subkeys only).
    if !matches!(kind, 5 | 7) {
        return None;
    }
    let length = match (old, tag & 3, rest.first()?) {
        (true, 0, _) => 1,
        (true, 1, _) => 2,
        (true, 2, _) => 4,
        (true, _, _) => return None,
        (false, _, 0..=191) => 1,
        (false, _, 192..=223) => 2,
        (false, _, 255) => 5,
        (false, _, _) => return None,
    };
    let version = *rest.get(length)?;
    let algorithm = *rest.get(length + 5)?;
    let mut facts = Vec::new();
    let kind = match algorithm {
        1..=3 => "RSA",
        16 => "Elgamal",
        17 => "DSA",
        18 => "ECDH",
        19 => "ECDSA",
        22 | 27 | 28 => "EdDSA",
        25 | 26 => "X25519",
        _ => return None,
    };
    fact(&mut facts, "key-type", kind);
    matches!(version, 3..=6).then_some(facts)
}

/// The base64 without armor headers, and the four characters of checksum that follow a `=` at
/// the start of a line.
fn split(inside: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut body = inside;
    // Headers (`Version: …`) end at an empty line, escaped or not.
    if armor::find(inside, b": ").is_some() {
        for blank in [&b"\n\n"[..], b"\r\n\r\n", b"\\n\\n", b"\\r\\n\\r\\n"] {
            if let Some(at) = armor::find(inside, blank) {
                body = &inside[at + blank.len()..];
                break;
            }
        }
    }
    let sum = body
        .windows(6)
        .rposition(|six| matches!(six[0], b'\n' | b'n' | b' ') && six[1] == b'=' && six[2] != b'=');
    match sum {
        Some(at) if six_is_sum(&body[at + 2..]) => (&body[..at + 1], Some(&body[at + 2..at + 6])),
        _ => (body, None),
    }
}

/// Whether four characters stand there, and then nothing of base64.
fn six_is_sum(text: &[u8]) -> bool {
    text.iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
        .count()
        == 4
}

/// The armor's checksum, RFC 9580 section 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    let mut crc = 0x00b7_04ce_u32;
    for &byte in bytes {
        crc ^= u32::from(byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4cfb;
            }
        }
    }
    crc & 0x00ff_ffff
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Proof,
            tests::{told, verdict, verdict_of_shape},
        },
        crc24,
    };
    use crate::engine::shape;

    #[test]
    fn a_block_is_a_secret_key_whose_sum_holds() {
        let proof = verdict_of_shape("pgp-private-key", "{pgp}", 2);
        assert_eq!(told(&proof, "key-type").as_deref(), Some("EdDSA"));
        let escaped = shape::fill("{pgp}", 2)
            .expect("a shape")
            .replace('\n', "\\n");
        assert_eq!(
            told(&verdict("pgp-private-key", &escaped), "key-type").as_deref(),
            Some("EdDSA")
        );
    }

    #[test]
    fn a_changed_block_is_refuted() {
        let text = shape::fill("{pgp}", 2).expect("a shape");
        let at = text.find("\n\n").expect("headers end") + 20;
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        assert_eq!(verdict("pgp-private-key", &changed), Proof::Refuted);
    }

    #[test]
    fn the_sum_is_the_standards() {
        assert_eq!(crc24(b"123456789"), 0x0021_cf02);
    }
}
