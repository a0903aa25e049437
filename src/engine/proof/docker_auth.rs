//! The `auth` members of Docker's `config.json`: base64 of `user:password`.
//! Format: Docker documentation, `docker login`, credential stores.

use super::{
    Found, Proof, Prover,
    basic_auth::{is_plainly_a_name, user},
    fact,
};

pub(super) const PROVER: Prover = Prover {
    name: "docker-auth",
    about: "base64 of an `auth` in Docker's config.json decodes to user:password \
            (docs.docker.com/reference/cli/docker/login)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    // Docker needs both; a registry's identity token comes with a user of its own.
    let Some(user) = user(found.secret).filter(|user| !user.is_empty()) else {
        return Proof::Refuted;
    };
    let mut facts = Vec::new();
    if is_plainly_a_name(&user) {
        fact(&mut facts, "user", &user);
    }
    Proof::Proved(facts)
}

#[cfg(test)]
mod tests {
    use super::super::{
        Proof,
        tests::{verdict, verdict_of_shape},
    };

    #[test]
    fn user_and_password_prove() {
        assert!(matches!(
            verdict_of_shape("docker-auth", "{docker-auth}", 6),
            Proof::Proved(_)
        ));
        assert_eq!(
            verdict_of_shape("docker-auth", "{base64:24}", 6),
            Proof::Refuted
        );
        // base64 of ":password"
        assert_eq!(verdict("docker-auth", "OnBhc3N3b3Jk"), Proof::Refuted);
    }
}
