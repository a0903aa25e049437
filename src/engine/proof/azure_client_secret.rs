//! Microsoft Entra client secrets: 40 characters with a digit and `Q~` after the first three.
//! Format: the vendor's published definition of the sensitive information type
//! "Microsoft Entra client secret".

use super::{Found, Proof, Prover};

pub(super) const PROVER: Prover = Prover {
    name: "azure-client-secret",
    about: "length, alphabet and marker of a Microsoft Entra client secret \
            (learn.microsoft.com/purview/sit-defn-azure-ad-client-secret)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let secret = found.secret;
    let holds = matches!(secret.len(), 37..=40)
        && secret[3].is_ascii_digit()
        && &secret[4..6] == b"Q~"
        && secret
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_~.-".contains(b));
    match holds {
        true => Proof::Proved(Vec::new()),
        false => Proof::Refuted,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Proof, tests::verdict_of_shape};

    #[test]
    fn the_marker_stands_where_it_must() {
        let good = verdict_of_shape("azure-client-secret", "{alnum:3}8Q~{alnum:34}", 1);
        assert_eq!(good, Proof::Proved(vec![]));
        for bad in [
            "{alnum:4}Q~{alnum:20}",
            "{lower:3}xQ~{alnum:34}",
            "{alnum:3}8Q~{alnum:33} ",
        ] {
            assert_eq!(
                verdict_of_shape("azure-client-secret", bad, 1),
                Proof::Refuted,
                "{bad}"
            );
        }
    }
}
