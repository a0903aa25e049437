//! Who answers for a repository: CODEOWNERS, teams, custom properties. All of it is kept, each
//! with its source.

use keymuster_api::{ClaimRole, Key, Source};
use keymuster_http::Owner;

use crate::{
    Book,
    wire::{Property, Team},
};

/// Custom properties whose value names an owner, in lower case and without separators.
const OWNER_PROPERTIES: [&str; 8] = [
    "owner",
    "owners",
    "ownerteam",
    "owningteam",
    "team",
    "serviceowner",
    "responsible",
    "contact",
];
/// A file of owners longer than this is not honoured by GitHub either.
const OWNERS_LIMIT: usize = 3 << 20;
/// At most so many owners of one rule.
const OWNERS: usize = 10;

/// Who CODEOWNERS names for workflow files: the last pattern that matches counts.
pub(crate) fn codeowner(text: &str, source: &Source) -> Vec<Owner> {
    let mut found: Vec<&str> = Vec::new();
    if text.len() > OWNERS_LIMIT {
        return Vec::new();
    }
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_ascii_whitespace();
        let Some(pattern) = words.next() else {
            continue;
        };
        if covers_workflows(pattern) {
            // A pattern without owners takes them away.
            found = words
                .filter(|word| word.contains('@'))
                .take(OWNERS)
                .collect();
        }
    }
    let owner = |party: &str| Owner {
        party: party.to_owned(),
        role: ClaimRole::Owner,
        confidence: 50,
        source: source.clone(),
    };
    found.into_iter().map(owner).collect()
}

/// Whether a pattern of CODEOWNERS covers all of `.github/workflows`.
fn covers_workflows(pattern: &str) -> bool {
    let pattern = pattern.trim_start_matches('/');
    matches!(
        pattern.trim_end_matches('/'),
        "*" | "**"
            | ".github"
            | ".github/*"
            | ".github/**"
            | ".github/workflows"
            | ".github/workflows/*"
            | ".github/workflows/**"
    )
}

/// Teams that look after a repository.
pub(crate) fn teams(organization: &str, teams: &[Team], source: &Source) -> Vec<Owner> {
    let keepers = teams
        .iter()
        .filter(|team| matches!(team.permission.as_deref(), Some("admin" | "maintain")));
    let owner = |team: &Team| Owner {
        party: format!("@{organization}/{}", team.slug),
        role: ClaimRole::Maintainer,
        confidence: 40,
        source: source.clone(),
    };
    keepers.map(owner).collect()
}

/// Custom properties: settings, and owners where their name says so.
pub(crate) fn properties(
    book: &mut Book<'_>,
    scope: &str,
    properties: &[Property],
    source: &Source,
) -> Vec<Owner> {
    let key = Key(scope.to_owned());
    let mut owners = Vec::new();
    for property in properties {
        let name = property.property_name.as_str();
        let plain: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
        for value in &property.value {
            book.setting(&key, &format!("custom-property:{name}"), value, source);
            if OWNER_PROPERTIES.contains(&plain.to_lowercase().as_str()) {
                owners.push(Owner {
                    party: value.clone(),
                    role: ClaimRole::Owner,
                    confidence: 70,
                    source: source.clone(),
                });
            }
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Source, SystemId};

    use super::codeowner;

    #[test]
    fn the_last_pattern_that_covers_workflows_counts() {
        let source = Source {
            system: SystemId(0),
            locator: "CODEOWNERS".to_owned(),
        };
        let of = |text: &str| -> Vec<String> {
            let owners = codeowner(text, &source);
            owners.into_iter().map(|owner| owner.party).collect()
        };
        assert_eq!(of("* @acme/all\n/docs/ @acme/writers\n"), ["@acme/all"]);
        assert_eq!(
            of("* @acme/all\n.github/ @acme/ci ops@acme.test # they\n"),
            ["@acme/ci", "ops@acme.test"]
        );
        assert_eq!(
            of("# * @nobody\n* @acme/all\n/.github/workflows/\n"),
            Vec::<String>::new()
        );
        assert_eq!(of("*.js @acme/web\n"), Vec::<String>::new());
        assert_eq!(of("\u{0}\n*\t@a/b\t@c\r\n"), ["@a/b", "@c"]);
    }
}
