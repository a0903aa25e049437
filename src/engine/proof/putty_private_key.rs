//! PuTTY private key files, versions 2 and 3: the public half is a key of the type the header
//! names. Format: PuTTY's manual, appendix C.

use super::{Found, Proof, Prover, armor, fact, openssh_private_key::public_half};

pub(super) const PROVER: Prover = Prover {
    name: "putty-private-key",
    about: "public half of a PuTTY private key file has the type that its header names; fingerprint \
            of the public half (PuTTY User Manual, appendix C)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    match read(found.secret) {
        Some(facts) => Proof::Proved(facts),
        None => Proof::Refuted,
    }
}

fn read(text: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text.lines();
    let (head, kind) = lines.next()?.split_once(": ")?;
    if !head
        .to_ascii_lowercase()
        .starts_with("putty-user-key-file-")
    {
        return None;
    }
    let encryption = lines.next()?.strip_prefix("Encryption: ")?;
    let comment = lines.next()?;
    comment.strip_prefix("Comment:")?;
    let count: usize = lines
        .next()?
        .strip_prefix("Public-Lines: ")?
        .trim()
        .parse()
        .ok()?;
    let public: String = lines.by_ref().take(count.min(200)).map(str::trim).collect();
    let mut facts = public_half(&armor::standard(public.as_bytes())?)?;
    if facts.first()?.1 != kind.trim() {
        return None;
    }
    fact(
        &mut facts,
        "encrypted",
        if encryption.trim() == "none" {
            "false"
        } else {
            "true"
        },
    );
    lines
        .any(|line| line.starts_with("Private-Lines: "))
        .then_some(facts)
}

#[cfg(test)]
mod tests {
    use super::super::{
        Proof,
        tests::{told, verdict, verdict_of_shape},
    };
    use crate::engine::shape;

    #[test]
    fn the_public_half_proves() {
        let proof = verdict_of_shape("putty-private-key", "{putty}", 8);
        assert!(told(&proof, "ssh-fingerprint").is_some_and(|print| print.starts_with("SHA256:")));
        assert_eq!(told(&proof, "encrypted").as_deref(), Some("false"));
    }

    #[test]
    fn another_type_in_the_header_refutes() {
        let text = shape::fill("{putty}", 8).expect("a shape");
        let text = text.replacen("ssh-ed25519", "ssh-rsa", 1);
        assert_eq!(verdict("putty-private-key", &text), Proof::Refuted);
    }
}
