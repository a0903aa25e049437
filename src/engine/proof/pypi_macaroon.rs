//! PyPI's API tokens: `pypi-` and a serialized macaroon, version 2.
//! Format: libmacaroons' `format.txt`; PyPI's use of it: warehouse, `warehouse/macaroons`.

use super::{Found, Proof, Prover, armor, fact};

pub(super) const PROVER: Prover = Prover {
    name: "pypi-macaroon",
    about: "base64url of a PyPI token is a whole version 2 macaroon of pypi.org \
            (pypi/warehouse, warehouse/macaroons)",
    prove,
};

const EOS: u8 = 0;
const LOCATION: u8 = 1;
const IDENTIFIER: u8 = 2;
const VERIFIER: u8 = 4;
const SIGNATURE: u8 = 6;

fn prove(found: &Found<'_>) -> Proof {
    let body = found.secret.strip_prefix(b"pypi-").unwrap_or(found.secret);
    match armor::url_safe(body).as_deref().and_then(read) {
        Some(facts) => Proof::Proved(facts),
        None => Proof::Refuted,
    }
}

/// Walks the whole macaroon: location, identifier, caveats, signature of 32 bytes at the end.
fn read(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut rest = bytes.strip_prefix(&[2])?;
    let mut location = None;
    let mut caveats = 0;
    let mut sections = 0;
    loop {
        let (kind, data, after) = packet(rest)?;
        rest = after;
        match kind {
            LOCATION => {
                location.get_or_insert(data);
            }
            IDENTIFIER if sections > 0 => caveats += 1,
            IDENTIFIER | VERIFIER | EOS => {}
            SIGNATURE => {
                if data.len() != 32 || !rest.is_empty() {
                    return None;
                }
                break;
            }
            _ => return None,
        }
        sections += usize::from(kind == EOS);
    }
    let location = std::str::from_utf8(location?).ok()?;
    if !location.ends_with("pypi.org") {
        return None;
    }
    let mut facts = Vec::new();
    fact(&mut facts, "issuer", location);
    fact(&mut facts, "caveats", &caveats.to_string());
    Some(facts)
}

/// One packet: its kind, its data (none for an end of section), and what follows.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&kind, rest) = bytes.split_first()?;
    if kind == EOS {
        return Some((EOS, &[], rest));
    }
    let (&low, rest) = rest.split_first()?;
    // A varint; two bytes reach 16,383, more than any token is long.
    let (len, rest) = match low {
        0..=0x7f => (usize::from(low), rest),
        _ => {
            let (&high, rest) = rest.split_first()?;
            if high > 0x7f {
                return None;
            }
            (usize::from(low & 0x7f) | usize::from(high) << 7, rest)
        }
    };
    let (data, rest) = rest.split_at_checked(len)?;
    Some((kind, data, rest))
}

#[cfg(test)]
mod tests {
    use super::super::{
        Proof,
        tests::{told, verdict, verdict_of_shape},
    };
    use crate::engine::shape;

    #[test]
    fn a_whole_macaroon_proves() {
        let proof = verdict_of_shape("pypi-macaroon", "{pypi}", 3);
        assert_eq!(told(&proof, "issuer").as_deref(), Some("pypi.org"));
        assert_eq!(told(&proof, "caveats").as_deref(), Some("1"));
    }

    #[test]
    fn a_cut_one_does_not() {
        let text = shape::fill("{pypi}", 3).expect("a shape");
        assert_eq!(
            verdict("pypi-macaroon", &text[..text.len() - 4]),
            Proof::Refuted
        );
        assert_eq!(verdict("pypi-macaroon", "pypi-"), Proof::Refuted);
    }
}
