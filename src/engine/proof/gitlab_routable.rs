//! GitLab's routable tokens: a base64url payload that names organisation, user or project, then
//! its length and a CRC-32, both in base 36.
//! Described in the GitLab handbook, design documents, "Cells: Routable Tokens".

use super::{Found, Proof, Prover, armor, fact};

pub(super) const PROVER: Prover = Prover {
    name: "gitlab-routable",
    about: "GitLab routable token: base64url payload with routing lines, its length and CRC-32 in \
            base 36 (handbook.gitlab.com, Cells: Routable Tokens)",
    prove,
};

fn prove(found: &Found<'_>) -> Proof {
    let Some(read) = read(found.secret) else {
        return Proof::Refuted;
    };
    match read.sum_holds {
        true => Proof::Proved(read.facts),
        // The sum includes a prefix that an instance may have put before ours.
        false => Proof::Undecided(read.facts),
    }
}

struct Read {
    sum_holds: bool,
    facts: Vec<(String, String)>,
}

/// `prefix payload . [version .] length(2) crc(7)`; `None` if the payload is no routing payload.
fn read(token: &[u8]) -> Option<Read> {
    let (summed, sum) = token.split_last_chunk::<7>()?;
    let (head, length) = summed.split_last_chunk::<2>()?;
    let mut head = head.strip_suffix(b".")?;
    if let [rest @ .., b'.', _, _] = head {
        head = rest;
    }
    let length = usize::try_from(base36(length)?).ok()?;
    let payload = &head[head.len().checked_sub(length)?..];
    let decoded = armor::url_safe(payload)?;
    let (&random, routing) = decoded.split_last()?;
    let routing = routing.get(..routing.len().checked_sub(usize::from(random))?)?;
    let mut facts = Vec::new();
    for line in std::str::from_utf8(routing).ok()?.split('\n') {
        let (key, value) = line.split_once(':')?;
        let name = match key {
            "c" => "cell-id",
            "g" => "group-id",
            "o" => "organization-id",
            "p" => "project-id",
            "u" => "user-id",
            _ => continue,
        };
        fact(&mut facts, name, &base36(value.as_bytes())?.to_string());
    }
    facts
        .iter()
        .any(|(name, _)| name == "organization-id")
        .then_some(())?;
    Some(Read {
        sum_holds: base36(sum) == Some(u64::from(crc32fast::hash(summed))),
        facts,
    })
}

/// The number written with digits `0-9a-z`; `None` if it is none, or does not fit.
fn base36(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 36).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{
        Proof,
        tests::{told, verdict, verdict_of_shape},
    };

    #[test]
    fn payload_and_sum_prove_and_name_the_owner() {
        let proof = verdict_of_shape("gitlab-routable", "{gitlab-routable:glpat-}", 5);
        assert!(matches!(proof, Proof::Proved(_)), "{proof:?}");
        assert_eq!(told(&proof, "organization-id").as_deref(), Some("1"));
        assert!(told(&proof, "user-id").is_some());
    }

    #[test]
    fn another_prefix_leaves_it_undecided_and_noise_is_refuted() {
        let proof = verdict_of_shape("gitlab-routable", "acme-{gitlab-routable:glpat-}", 5);
        assert!(matches!(proof, Proof::Undecided(_)), "{proof:?}");
        let noise = "glpat-{base64url:27}.01.0r{digit:7}";
        assert_eq!(
            verdict_of_shape("gitlab-routable", noise, 5),
            Proof::Refuted
        );
        assert_eq!(verdict("gitlab-routable", ".01"), Proof::Refuted);
    }
}
