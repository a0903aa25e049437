//! Names of tags, labels and annotations that say who answers for something.

use keymuster_api::ClaimRole;

/// Names (lower case, without separators), what they say, and how far to trust them. A name
/// alone is clearer than a team, and a creator need not be the owner of today.
const OWNERS: [(&str, ClaimRole, u8); 22] = [
    ("owner", ClaimRole::Owner, 80),
    ("owneremail", ClaimRole::Owner, 80),
    ("ownermail", ClaimRole::Owner, 80),
    ("ownername", ClaimRole::Owner, 80),
    ("owners", ClaimRole::Owner, 80),
    ("ownedby", ClaimRole::Owner, 80),
    ("technicalowner", ClaimRole::Owner, 80),
    ("serviceowner", ClaimRole::Owner, 80),
    ("businessowner", ClaimRole::Owner, 70),
    ("ownerteam", ClaimRole::Owner, 70),
    ("owningteam", ClaimRole::Owner, 70),
    ("responsible", ClaimRole::Owner, 70),
    ("team", ClaimRole::Owner, 60),
    ("teamname", ClaimRole::Owner, 60),
    ("squad", ClaimRole::Owner, 60),
    ("contact", ClaimRole::Owner, 60),
    ("contactemail", ClaimRole::Owner, 60),
    ("email", ClaimRole::Owner, 60),
    ("maintainer", ClaimRole::Maintainer, 60),
    ("createdby", ClaimRole::Creator, 60),
    ("creator", ClaimRole::Creator, 60),
    ("requestedby", ClaimRole::Creator, 50),
];

/// What a tag of this name says of its value, and how far to trust that, in percent. A prefix
/// (`acme.example/owner`) does not count.
pub fn owner_word(name: &str) -> Option<(ClaimRole, u8)> {
    let plain: String = name
        .rsplit('/')
        .next()
        .unwrap_or(name)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let found = OWNERS.iter().find(|(known, _, _)| *known == plain);
    found.map(|(_, role, confidence)| (*role, *confidence))
}

#[cfg(test)]
mod tests {
    use keymuster_api::ClaimRole;

    use super::owner_word;

    #[test]
    fn spelling_and_prefix_do_not_matter() {
        assert_eq!(owner_word("Owner_E-Mail"), Some((ClaimRole::Owner, 80)));
        assert_eq!(
            owner_word("acme.example/team"),
            Some((ClaimRole::Owner, 60))
        );
        assert_eq!(owner_word("homeowner"), None);
        assert_eq!(owner_word("app.kubernetes.io/managed-by"), None);
    }
}
