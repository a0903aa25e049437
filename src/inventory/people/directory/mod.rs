//! Finds people and teams by whatever a register, a commit or a catalogue calls them.

use std::collections::HashMap;

use super::{People, Person, PersonStatus, Team};
use crate::inventory::text::{fold, squeezed, trimmed};

/// Whom a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// Index in [`People::people`].
    Person(u32),
    /// Index in [`People::teams`].
    Team(u32),
    /// Nobody that the directory knows.
    Unknown,
}

impl People {
    /// The person that a text names, if exactly one: by id, mail, alias, `Name <mail>`, a code
    /// host's no-reply address, or full name. Scans the directory; for many texts use
    /// [`People::directory`].
    pub fn find(&self, text: &str) -> Option<&Person> {
        match self.directory().find(text) {
            Some(index) => self.people.get(index as usize),
            None => None,
        }
    }

    /// The team of this name, however written.
    pub fn team(&self, name: &str) -> Option<&Team> {
        let wanted = squeezed(name);
        self.teams
            .iter()
            .find(|team| squeezed(&team.name) == wanted)
    }

    /// Whom a text names. Scans the directory; for many texts use [`People::directory`].
    pub fn resolve(&self, party: &str) -> Party {
        self.directory().resolve(party)
    }

    /// The directory with an index, for many questions.
    pub fn directory(&self) -> Directory<'_> {
        Directory::new(self)
    }
}

/// People and teams by everything they are called.
pub struct Directory<'a> {
    people: &'a People,
    /// Ids, mails, aliases; folded. Every person a key stands for.
    keys: [HashMap<String, Vec<u32>>; 3],
    names: HashMap<String, Vec<u32>>,
    teams: HashMap<String, u32>,
    team_mails: HashMap<String, u32>,
}

impl<'a> Directory<'a> {
    fn new(people: &'a People) -> Directory<'a> {
        let mut directory = Directory {
            people,
            keys: Default::default(),
            names: HashMap::new(),
            teams: HashMap::new(),
            team_mails: HashMap::new(),
        };
        for (index, person) in people.people.iter().enumerate() {
            let index = index as u32;
            let keys = [
                vec![&person.id],
                person.mail.iter().collect(),
                person.aliases.iter().collect(),
            ];
            for (map, texts) in directory.keys.iter_mut().zip(keys) {
                for text in texts {
                    let people = map.entry(fold(text)).or_default();
                    if !people.contains(&index) {
                        people.push(index);
                    }
                }
            }
            // Former names stand among the aliases.
            let names = person.name.iter().chain(&person.aliases);
            let own = person.name.as_ref();
            for name in names.filter(|name| name.contains(' ') || Some(*name) == own) {
                let people = directory.names.entry(name_key(name)).or_default();
                if !people.contains(&index) {
                    people.push(index);
                }
            }
        }
        for (index, team) in people.teams.iter().enumerate() {
            let mails = team.aliases.iter().filter(|alias| alias.contains('@'));
            for mail in mails {
                directory
                    .team_mails
                    .entry(fold(mail))
                    .or_insert(index as u32);
            }
            for name in [&team.name].into_iter().chain(&team.aliases) {
                directory
                    .teams
                    .entry(squeezed(name))
                    .or_insert(index as u32);
            }
        }
        directory
    }

    /// The index of the person that a text names, if exactly one.
    pub fn find(&self, text: &str) -> Option<u32> {
        let text = trimmed(text);
        let (name, mail) = match text.split_once('<') {
            Some((name, rest)) => (trimmed(name), trimmed(rest.trim_end_matches('>'))),
            None => (text, text),
        };
        let mail = mail.strip_prefix("mailto:").unwrap_or(mail);
        self.by_key(mail)
            .filter(|&found| mail.contains('@') || self.is_nobody_else(mail, found))
            .or_else(|| self.by_key(noreply_login(mail)?))
            .or_else(|| self.by_key(entity(mail)?))
            .or_else(|| {
                self.by_key(name)
                    .filter(|&found| self.is_nobody_else(name, found))
            })
            .or_else(|| self.only(self.names.get(&name_key(name))?))
    }

    /// Whom a text names: a person before a team.
    pub fn resolve(&self, party: &str) -> Party {
        if let Some(person) = self.find(party) {
            return Party::Person(person);
        }
        let mail = match party.split_once('<') {
            Some((_, rest)) => rest.trim_end_matches('>'),
            None => party,
        };
        if let Some(&team) = self.team_mails.get(&fold(trimmed(mail))) {
            return Party::Team(team);
        }
        let bare = trimmed(party).trim_start_matches('@');
        let bare = bare.strip_prefix("group:").unwrap_or(bare);
        let bare = bare.strip_prefix("team:").unwrap_or(bare);
        // `@acme/payments`: the team after the organisation.
        let last = bare.rsplit('/').next().unwrap_or(bare);
        let mut names = [bare, last].into_iter().map(squeezed);
        let team = names.find_map(|name| {
            let plain = name.strip_prefix("team").or(name.strip_suffix("team"));
            let team = self.teams.get(&name);
            team.or_else(|| self.teams.get(plain?)).copied()
        });
        team.map_or(Party::Unknown, Party::Team)
    }

    fn by_key(&self, text: &str) -> Option<u32> {
        let key = fold(text);
        let bare = key
            .strip_prefix('@')
            .filter(|_| !key[1..].contains(['/', '@']));
        let key = bare.unwrap_or(&key);
        self.keys
            .iter()
            .find_map(|map| map.get(key))
            .and_then(|people| self.one(people))
    }

    /// Whether a word that is somebody's id is not also another one's name.
    fn is_nobody_else(&self, name: &str, found: u32) -> bool {
        let named = self.names.get(&name_key(name)).into_iter().flatten();
        named.into_iter().all(|&other| other == found)
    }

    /// The one person. Of two who bear a name, one of whom left, nobody knows which is meant.
    fn only(&self, people: &[u32]) -> Option<u32> {
        match people {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The one person, or the one of them who is still there: ids and addresses are given anew.
    fn one(&self, people: &[u32]) -> Option<u32> {
        if let [only] = people {
            return Some(*only);
        }
        let active =
            |&&index: &&u32| self.people.people[index as usize].status == PersonStatus::Active;
        let mut there = people.iter().filter(active);
        let first = there.next()?;
        there.next().is_none().then_some(*first)
    }
}

/// A full name in either order: `Doe, Jane` is `Jane Doe`.
fn name_key(name: &str) -> String {
    match name.split_once(',') {
        Some((family, given)) => squeezed(&format!("{given} {family}")),
        None => squeezed(name),
    }
}

/// The name in a catalogue's reference: `user:default/jane`.
fn entity(reference: &str) -> Option<&str> {
    let name = reference.strip_prefix("user:")?;
    Some(name.rsplit('/').next().unwrap_or(name))
}

/// The login in a code host's address for those who hide theirs:
/// `123+login@users.noreply.github.com`.
fn noreply_login(mail: &str) -> Option<&str> {
    let (local, domain) = mail.split_once('@')?;
    let domain = domain.to_ascii_lowercase();
    if !domain.starts_with("users.noreply.") && domain != "noreply.gitea.com" {
        return None;
    }
    let login = match local.split_once(['+', '-']) {
        Some((number, login)) if number.bytes().all(|b| b.is_ascii_digit()) => login,
        _ => local,
    };
    Some(login)
}

#[cfg(test)]
mod tests;
