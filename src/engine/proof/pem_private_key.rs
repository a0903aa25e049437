//! PEM private keys: the DER begins as PKCS#1, SEC 1, PKCS#8 or DSA must.
//! Formats: RFC 7468, RFC 8017 appendix A, RFC 5915, RFC 5958; legacy encryption: RFC 1421.

use super::{Found, Proof, Prover, armor, der, fact};

pub(super) const PROVER: Prover = Prover {
    name: "pem-private-key",
    about: "DER inside a PEM private key: PKCS#1, SEC 1, PKCS#8, DSA, encrypted or not \
            (RFC 7468, 8017, 5915, 5958)",
    prove,
};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;

fn prove(found: &Found<'_>) -> Proof {
    prove_text(found.secret)
}

/// Says what the first PEM block of a text is.
pub(super) fn prove_text(text: &[u8]) -> Proof {
    match read(text) {
        Some(key) => {
            let mut facts = Vec::new();
            fact(&mut facts, "key-type", key.kind);
            if let Some(bits) = key.bits {
                fact(&mut facts, "bits", &bits.to_string());
            }
            fact(
                &mut facts,
                "encrypted",
                if key.encrypted { "true" } else { "false" },
            );
            Proof::Proved(facts)
        }
        // What is damaged or altered cannot be read, and is no less worth a look.
        None if is_damaged(text) => Proof::Undecided(Vec::new()),
        None => Proof::Refuted,
    }
}

/// Whether the block decodes and begins as DER does, but does not go on so.
fn is_damaged(text: &[u8]) -> bool {
    armor::block(text).is_some_and(|(_, inside)| {
        armor::body(inside).is_some_and(|bytes| bytes.len() >= 64 && bytes[0] == SEQUENCE)
    })
}

struct Key {
    kind: &'static str,
    bits: Option<usize>,
    encrypted: bool,
}

fn read(text: &[u8]) -> Option<Key> {
    let (label, inside) = armor::block(text)?;
    let kind = match label {
        b"RSA PRIVATE KEY" => "RSA",
        b"EC PRIVATE KEY" => "EC",
        b"DSA PRIVATE KEY" => "DSA",
        b"PRIVATE KEY" => "PKCS#8",
        b"ENCRYPTED PRIVATE KEY" => "PKCS#8",
        _ => return None,
    };
    if let Some(at) = armor::find(inside, b"DEK-Info:") {
        // Ciphertext has no form: enough of it is all that can be asked.
        let value = &inside[at..];
        let end = value.iter().position(|&b| b == b'\n' || b == b'\\')?;
        let ciphertext = armor::body(&value[end..])?;
        return (ciphertext.len() >= 32).then_some(Key {
            kind,
            bits: None,
            encrypted: true,
        });
    }
    let bytes = armor::body(inside)?;
    let (content, _) = der::expect(&bytes, SEQUENCE)?;
    match label {
        b"RSA PRIVATE KEY" => rsa(content),
        b"DSA PRIVATE KEY" => integers(content, 6).map(|_| Key {
            kind,
            bits: None,
            encrypted: false,
        }),
        b"EC PRIVATE KEY" => sec1(content),
        b"PRIVATE KEY" => pkcs8(content),
        _ => encrypted_pkcs8(content),
    }
}

fn rsa(content: &[u8]) -> Option<Key> {
    let modulus = integers(content, 9)?;
    let len = modulus.iter().skip_while(|&&byte| byte == 0).count();
    Some(Key {
        kind: "RSA",
        bits: Some(len * 8),
        encrypted: false,
    })
}

/// Whether `count` integers stand there, the first being zero; gives the second.
fn integers(content: &[u8], count: usize) -> Option<&[u8]> {
    let (version, mut rest) = der::expect(content, INTEGER)?;
    let mut second = None;
    for _ in 1..count {
        let (integer, after) = der::expect(rest, INTEGER)?;
        second.get_or_insert(integer);
        rest = after;
    }
    second.filter(|_| matches!(version, [0 | 1]))
}

fn sec1(content: &[u8]) -> Option<Key> {
    let (version, rest) = der::expect(content, INTEGER)?;
    let (scalar, _) = der::expect(rest, OCTETS)?;
    (version == [1] && scalar.len() >= 16).then_some(Key {
        kind: "EC",
        bits: None,
        encrypted: false,
    })
}

fn pkcs8(content: &[u8]) -> Option<Key> {
    let (version, rest) = der::expect(content, INTEGER)?;
    let (algorithm, rest) = der::expect(rest, SEQUENCE)?;
    let (oid, _) = der::expect(algorithm, OID)?;
    let (inner, _) = der::expect(rest, OCTETS)?;
    if !matches!(version, [0 | 1]) || inner.len() < 16 {
        return None;
    }
    let kind = match oid {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01] => {
            return rsa(der::expect(inner, SEQUENCE)?.0);
        }
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01] => "EC",
        [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01] => "DSA",
        [0x2b, 0x65, 0x6e] => "X25519",
        [0x2b, 0x65, 0x6f] => "X448",
        [0x2b, 0x65, 0x70] => "Ed25519",
        [0x2b, 0x65, 0x71] => "Ed448",
        _ => "PKCS#8",
    };
    Some(Key {
        kind,
        bits: None,
        encrypted: false,
    })
}

fn encrypted_pkcs8(content: &[u8]) -> Option<Key> {
    let (algorithm, rest) = der::expect(content, SEQUENCE)?;
    der::expect(algorithm, OID)?;
    let (ciphertext, _) = der::expect(rest, OCTETS)?;
    (ciphertext.len() >= 16).then_some(Key {
        kind: "PKCS#8",
        bits: None,
        encrypted: true,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{
        Proof,
        tests::{told, verdict, verdict_of_shape},
    };

    #[test]
    fn every_form_is_told_apart() {
        for (form, kind, encrypted) in [
            ("{pem:RSA}", "RSA", "false"),
            ("{pem:PKCS8}", "RSA", "false"),
            ("{pem:EC}", "EC", "false"),
            ("{pem:DSA}", "DSA", "false"),
            ("{pem:ED25519}", "Ed25519", "false"),
            ("{pem-encrypted}", "PKCS#8", "true"),
            ("{pem-encrypted:RSA}", "RSA", "true"),
        ] {
            let proof = verdict_of_shape("pem-private-key", form, 11);
            assert_eq!(told(&proof, "key-type").as_deref(), Some(kind), "{form}");
            assert_eq!(
                told(&proof, "encrypted").as_deref(),
                Some(encrypted),
                "{form}"
            );
        }
        let proof = verdict_of_shape("pem-private-key", "{pem:RSA}", 11);
        assert_eq!(told(&proof, "bits").as_deref(), Some("2048"));
    }

    #[test]
    fn what_only_looks_like_a_key_is_refuted() {
        let head = concat!("-----BEGIN RSA PRIV", "ATE KEY-----\n");
        let tail = concat!("\n-----END RSA PRIV", "ATE KEY-----");
        for inside in [
            "...",
            "MIIEpAIBAAKCAQEA...",
            "",
            "c29tZSBvdGhlciB0ZXh0IHRoYXQgaXMgbm8ga2V5",
        ] {
            let text = format!("{head}{inside}{tail}");
            assert_eq!(
                verdict("pem-private-key", &text),
                Proof::Refuted,
                "{inside}"
            );
        }
    }
}
