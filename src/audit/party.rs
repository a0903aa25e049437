//! Who a name stands for: owners, approvers and authors against the people directory.

use std::collections::BTreeMap;

use crate::inventory::{People, Person, PersonStatus, Team};

/// What the directory says about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party<'a> {
    /// Somebody who is there.
    Active(&'a Person),
    /// Somebody who left.
    Left(&'a Person),
    /// A team with at least one active member.
    Team(&'a Team),
    /// A team nobody is left of.
    Dissolved(&'a Team),
    /// Nobody of that name, or several.
    Unknown,
}

impl<'a> Party<'a> {
    /// The team behind it: a person's, or itself.
    pub fn team(&self) -> Option<&'a str> {
        match self {
            Party::Active(person) | Party::Left(person) => person.team.as_deref(),
            Party::Team(team) | Party::Dissolved(team) => Some(&team.name),
            Party::Unknown => None,
        }
    }

    /// Whether the directory knows that nobody is behind this name any more.
    pub fn is_gone(&self) -> bool {
        matches!(self, Party::Left(_) | Party::Dissolved(_))
    }
}

/// The directory with its names indexed.
pub struct Directory<'a> {
    people: &'a People,
    /// `None` where a name stands for several people.
    persons: BTreeMap<String, Option<u32>>,
    teams: BTreeMap<String, u32>,
}

impl<'a> Directory<'a> {
    /// Indexes a directory.
    pub fn new(people: &'a People) -> Directory<'a> {
        let mut persons = BTreeMap::new();
        for (ix, person) in (0..).zip(&people.people) {
            let names = [Some(&person.id), person.mail.as_ref(), person.name.as_ref()];
            for name in names.into_iter().flatten().chain(&person.aliases) {
                persons
                    .entry(normal(name))
                    .and_modify(|known| {
                        if *known != Some(ix) {
                            *known = None;
                        }
                    })
                    .or_insert(Some(ix));
            }
        }
        persons.remove("");
        let teams = (0..)
            .zip(&people.teams)
            .map(|(ix, team)| (normal(&team.name), ix))
            .collect();
        Directory {
            people,
            persons,
            teams,
        }
    }

    /// Who a text stands for: an id, a mail, `Name <mail>`, `@org/team`, `team:name`, a name.
    pub fn party(&self, text: &str) -> Party<'a> {
        let text = text.trim();
        let mail = text
            .rsplit_once('<')
            .and_then(|(_, rest)| rest.strip_suffix('>'));
        let bare = text.trim_start_matches('@');
        let tail = bare.rsplit(['/', ':']).next().filter(|tail| *tail != bare);
        let name = mail
            .and_then(|_| text.rsplit_once('<'))
            .map(|(name, _)| name);
        [mail, Some(bare), name, tail]
            .into_iter()
            .flatten()
            .map(|word| self.lookup(&normal(word)))
            .find(|party| *party != Party::Unknown)
            .unwrap_or(Party::Unknown)
    }

    fn lookup(&self, word: &str) -> Party<'a> {
        if let Some(&Some(ix)) = self.persons.get(word) {
            let person = &self.people.people[ix as usize];
            return match person.status {
                PersonStatus::Active => Party::Active(person),
                PersonStatus::Ended => Party::Left(person),
            };
        }
        match self.teams.get(word) {
            Some(&ix) => {
                let team = &self.people.teams[ix as usize];
                if team.active {
                    Party::Team(team)
                } else {
                    Party::Dissolved(team)
                }
            }
            None => Party::Unknown,
        }
    }
}

/// How a person is addressed: by mail, else by id.
pub(super) fn address(person: &Person) -> &str {
    person.mail.as_deref().unwrap_or(&person.id)
}

fn normal(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{Directory, Party};
    use crate::inventory::{People, Person, PersonStatus, Team};

    fn person(id: &str, name: &str, status: PersonStatus) -> Person {
        Person {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            mail: Some(format!("{id}@acme.example")),
            aliases: vec![format!("{id}-gh")],
            team: Some("Payments".to_owned()),
            manager: None,
            status,
            ended_at: None,
            source: "people.csv:2".to_owned(),
        }
    }

    #[test]
    fn one_person_has_many_names() {
        let people = People {
            people: vec![
                person("ada", "Ada L", PersonStatus::Active),
                person("bob", "Bob", PersonStatus::Ended),
                person("bob2", "Bob", PersonStatus::Active),
            ],
            teams: vec![Team {
                name: "Payments".to_owned(),
                members: vec![0],
                active: true,
            }],
        };
        let directory = Directory::new(&people);
        for text in [
            "ada",
            "ADA@acme.example",
            "Somebody <ada@acme.example>",
            "@ada-gh",
            " Ada L ",
            "user:ada",
        ] {
            assert!(
                matches!(directory.party(text), Party::Active(p) if p.id == "ada"),
                "{text}"
            );
        }
        assert!(matches!(
            directory.party("bob@acme.example"),
            Party::Left(_)
        ));
        // Two people are called Bob: the name alone tells nothing.
        assert_eq!(directory.party("Bob"), Party::Unknown);
        for text in ["payments", "@acme/payments", "team:Payments"] {
            assert!(matches!(directory.party(text), Party::Team(_)), "{text}");
        }
        assert_eq!(directory.party(""), Party::Unknown);
        assert_eq!(directory.party("carol"), Party::Unknown);
    }
}
