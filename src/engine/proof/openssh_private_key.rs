//! OpenSSH private keys: the magic, the cipher, and the public half, whose fingerprint is a
//! handle. Described in OpenSSH's PROTOCOL.key.

use data_encoding::BASE64_NOPAD;
use sha2::{Digest as _, Sha256};

use super::{Found, Proof, Prover, armor, fact};

pub(super) const PROVER: Prover = Prover {
    name: "openssh-private-key",
    about: "magic, cipher and public half of an OpenSSH private key; fingerprint of the public half \
            (openssh-portable, PROTOCOL.key)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    match armor::block(found.secret).and_then(|(_, inside)| read(&armor::body(inside)?)) {
        Some(facts) => Proof::Proved(facts),
        None => Proof::Refuted,
    }
}

fn read(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let (cipher, rest) = string(rest)?;
    let (_kdf, rest) = string(rest)?;
    let (_options, rest) = string(rest)?;
    let (count, rest) = rest.split_first_chunk::<4>()?;
    let (public, rest) = string(rest)?;
    let (private, _) = string(rest)?;
    if !matches!(u32::from_be_bytes(*count), 1..=16) || private.len() < 16 {
        return None;
    }
    let mut facts = public_half(public)?;
    fact(
        &mut facts,
        "encrypted",
        if cipher == b"none" { "false" } else { "true" },
    );
    Some(facts)
}

/// The facts of a public key blob: its type and its fingerprint as `ssh-keygen -l` writes it.
pub(super) fn public_half(blob: &[u8]) -> Option<Vec<(String, String)>> {
    let kind = std::str::from_utf8(string(blob)?.0).ok()?;
    if !["ssh-", "ecdsa-", "sk-"]
        .iter()
        .any(|start| kind.starts_with(start))
    {
        return None;
    }
    let mut facts = Vec::new();
    fact(&mut facts, "key-type", kind);
    let print = format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(blob)));
    fact(&mut facts, "ssh-fingerprint", &print);
    Some(facts)
}

/// A string of the SSH protocol: four bytes of length, then that many bytes.
pub(super) fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Proof,
            tests::{told, verdict_of_shape},
        },
        public_half,
    };

    #[test]
    fn the_public_half_gives_the_fingerprint() {
        for (form, encrypted) in [("{openssh}", "false"), ("{openssh-encrypted}", "true")] {
            let proof = verdict_of_shape("openssh-private-key", form, 21);
            assert!(matches!(proof, Proof::Proved(_)));
            assert_eq!(told(&proof, "key-type").as_deref(), Some("ssh-ed25519"));
            assert_eq!(told(&proof, "encrypted").as_deref(), Some(encrypted));
        }
    }

    #[test]
    fn the_fingerprint_is_what_ssh_keygen_prints() {
        // GitHub's host key, whose fingerprint docs.github.com publishes.
        let blob = data_encoding::BASE64
            .decode(b"AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")
            .expect("base64");
        let facts = public_half(&blob).expect("a key");
        assert_eq!(
            facts[1].1,
            "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
        );
    }

    #[test]
    fn pem_is_not_openssh() {
        assert_eq!(
            verdict_of_shape("openssh-private-key", "{pem:RSA}", 1),
            Proof::Refuted
        );
    }
}
