//! AWS access key ids: those made since 2019 or so carry the account's number.
//! The layout is described by security researchers (Aidan Steele, Tal Be'ery), not by AWS, so
//! it gives a fact and proves nothing.

use super::{Found, Proof, Prover, fact};

pub(super) const PROVER: Prover = Prover {
    name: "aws-access-key",
    about: "account number inside an AWS access key id (group `handle`, or the secret itself); facts \
            only",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let mut facts = Vec::new();
    let id = found.group("handle").unwrap_or(found.secret);
    if let Some(account) = account(id) {
        fact(&mut facts, "account", &format!("{account:012}"));
    }
    Proof::Undecided(facts)
}

/// The account that an id names, if it is one of the newer ids.
fn account(id: &[u8]) -> Option<u64> {
    // Ids of the older layout have A to P here.
    if id.len() != 20 || !matches!(id[4], b'Q'..=b'Z' | b'2'..=b'7') {
        return None;
    }
    let bytes = data_encoding::BASE32_NOPAD.decode(&id[4..]).ok()?;
    let number = bytes
        .first_chunk::<6>()?
        .iter()
        .fold(0, |sum, &b| sum << 8 | u64::from(b));
    let account = (number & 0x7fff_ffff_ff80) >> 7;
    (account < 1_000_000_000_000).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::super::{
        Proof,
        tests::{told, verdict, verdict_of_shape},
    };

    #[test]
    fn newer_ids_name_their_account() {
        // The example of the article that described the layout.
        let id = concat!("ASI", "AY34FZKBOKMUTVV7A");
        assert_eq!(
            told(&verdict("aws-access-key", id), "account").as_deref(),
            Some("609629065308")
        );
    }

    #[test]
    fn older_ids_and_noise_say_nothing() {
        let old = concat!("AKI", "AIOSFODNN7EXAMPLE");
        assert_eq!(verdict("aws-access-key", old), Proof::Undecided(vec![]));
        assert_eq!(verdict("aws-access-key", "AKIA"), Proof::Undecided(vec![]));
        assert_eq!(
            verdict_of_shape("aws-access-key", "{lower:20}", 1),
            Proof::Undecided(vec![])
        );
    }

    #[test]
    fn made_ids_name_an_account() {
        assert!(
            told(
                &verdict_of_shape("aws-access-key", "{aws-id}", 1),
                "account"
            )
            .is_some()
        );
    }
}
