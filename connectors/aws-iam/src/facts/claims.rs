//! Tags that say who answers for a principal.

use keymuster_api::{Claim, ClaimRole};

use super::{Book, principals::Principals};

/// Tag names (lower case, without separators), what they say, and how far to trust them. A
/// name alone is clearer than a team, and a creator need not be the owner of today.
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

/// The claims of all principals, in the order of keys and tags.
pub(super) fn collect(_book: &Book<'_>, principals: &Principals) -> Vec<Claim> {
    let mut claims = Vec::new();
    for identity in principals.identities.values() {
        for (name, value) in &identity.tags {
            let plain: String = name
                .chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_lowercase)
                .collect();
            let Some((_, role, confidence)) = OWNERS.iter().find(|(known, _, _)| *known == plain)
            else {
                continue;
            };
            if value.trim().is_empty() {
                continue;
            }
            claims.push(Claim {
                subject: identity.key.clone(),
                party: value.trim().to_owned(),
                role: *role,
                observed: None,
                confidence: *confidence,
                source: identity.source.clone(),
            });
        }
    }
    claims
}
