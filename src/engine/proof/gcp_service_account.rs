//! Google Cloud service account keys: a PKCS#8 key inside a JSON file that names the account.
//! Format: Google Cloud documentation, "Create and delete service account keys".

use super::{Found, Proof, Prover, fact, pem_private_key::prove_text};

pub(super) const PROVER: Prover = Prover {
    name: "gcp-service-account",
    about: "private key of a service account file is a PKCS#8 key; account from client_email \
            (cloud.google.com/iam/docs/keys-create-delete)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let Proof::Proved(mut facts) = prove_text(found.secret) else {
        return Proof::Refuted;
    };
    if let Some(mail) = found
        .group("email")
        .and_then(|mail| std::str::from_utf8(mail).ok())
    {
        fact(&mut facts, "client-email", mail);
        // name@project.iam.gserviceaccount.com
        if let Some((project, _)) = mail
            .split_once('@')
            .and_then(|(_, at)| at.split_once(".iam."))
        {
            fact(&mut facts, "account", project);
        }
    }
    Proof::Proved(facts)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Found, Proof, tests::told},
        prove,
    };
    use crate::engine::shape;

    #[test]
    fn the_mail_names_the_project() {
        let key = shape::fill("{pem:PKCS8}", 1)
            .expect("a shape")
            .replace('\n', "\\n");
        let groups = [("email", &b"deploy@acme-prod.iam.gserviceaccount.com"[..])];
        let found = Found {
            secret: key.as_bytes(),
            matched: key.as_bytes(),
            groups: &groups,
        };
        let proof = prove(&found);
        assert_eq!(told(&proof, "account").as_deref(), Some("acme-prod"));
        let none = Found {
            secret: b"no key",
            matched: b"",
            groups: &groups,
        };
        assert_eq!(prove(&none), Proof::Refuted);
    }
}
