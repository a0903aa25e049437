//! Several directories as one, and teams out of what people and groups say.

use std::collections::{BTreeMap, HashMap};

use super::{People, Person, PersonStatus, Team};
use crate::inventory::text::{fold, squeezed};

/// A person, with further teams.
pub(super) struct Member {
    pub(super) person: Person,
    pub(super) teams: Vec<String>,
}

/// A group that lists its members.
pub(super) struct Group {
    /// What it is called, the name of choice first.
    pub(super) names: Vec<String>,
    /// What its members are called.
    pub(super) members: Vec<String>,
}

/// The directory of some people and groups.
pub(super) fn assemble(members: Vec<Member>, groups: Vec<Group>) -> People {
    let mut teams = Teams::default();
    for group in &groups {
        if let Some((name, aliases)) = group.names.split_first() {
            teams.add(name, aliases);
        }
    }
    let mut by_name: HashMap<String, u32> = HashMap::new();
    let mut people = Vec::with_capacity(members.len());
    for (index, member) in (0u32..).zip(members) {
        for team in member.person.team.iter().chain(&member.teams) {
            teams.join(team, index);
        }
        let person = member.person;
        let names = [&person.id]
            .into_iter()
            .chain(&person.mail)
            .chain(&person.aliases);
        for name in names {
            by_name.entry(fold(name)).or_insert(index);
        }
        people.push(person);
    }
    for group in &groups {
        let known = group
            .members
            .iter()
            .filter_map(|name| by_name.get(&fold(name)));
        for &index in known {
            teams.join(&group.names[0], index);
        }
    }
    let teams = teams.finish(&people);
    People { people, teams }
}

#[derive(Default)]
struct Teams {
    /// The number of a team by each of its names.
    numbers: BTreeMap<String, usize>,
    all: Vec<Team>,
}

impl Teams {
    fn add(&mut self, name: &str, aliases: &[String]) -> usize {
        let number = *self.numbers.entry(squeezed(name)).or_insert_with(|| {
            self.all.push(Team {
                name: name.to_owned(),
                ..Team::default()
            });
            self.all.len() - 1
        });
        for alias in aliases {
            self.numbers.entry(squeezed(alias)).or_insert(number);
            let known = &mut self.all[number].aliases;
            if !known.contains(alias) {
                known.push(alias.clone());
            }
        }
        number
    }

    fn join(&mut self, name: &str, person: u32) {
        let number = self.add(name, &[]);
        let members = &mut self.all[number].members;
        if !members.contains(&person) {
            members.push(person);
        }
    }

    fn finish(mut self, people: &[Person]) -> Vec<Team> {
        for team in &mut self.all {
            team.members.sort_unstable();
            team.active = team
                .members
                .iter()
                .any(|&member| people[member as usize].status == PersonStatus::Active);
        }
        self.all.sort_by(|a, b| a.name.cmp(&b.name));
        self.all
    }
}

impl People {
    /// Several directories as one, in order of precedence (the first counts where they
    /// disagree). Two entries are one person if they share an id, a mail or an alias that is a
    /// mail; not if they share a name. Who left according to the first that knows, left; an
    /// account that is closed elsewhere does not say that its holder left.
    pub fn merge(parts: Vec<People>) -> People {
        let mut members: Vec<Member> = Vec::new();
        let mut groups = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for part in parts {
            let mut teams: Vec<Vec<String>> = vec![Vec::new(); part.people.len()];
            for team in part.teams {
                for &member in &team.members {
                    teams[member as usize].push(team.name.clone());
                }
                let mut names = vec![team.name];
                names.extend(team.aliases);
                groups.push(Group {
                    names,
                    members: Vec::new(),
                });
            }
            for (person, teams) in part.people.into_iter().zip(teams) {
                let keys = keys(&person);
                let at = keys.iter().find_map(|key| known.get(key).copied());
                let at = match at {
                    Some(at) => {
                        add(&mut members[at].person, person);
                        members[at].teams.extend(teams);
                        at
                    }
                    None => {
                        members.push(Member { person, teams });
                        members.len() - 1
                    }
                };
                for key in keys {
                    known.entry(key).or_insert(at);
                }
            }
        }
        assemble(members, groups)
    }
}

/// What makes two entries one person.
fn keys(person: &Person) -> Vec<String> {
    let mails = person.aliases.iter().filter(|alias| alias.contains('@'));
    let all = [&person.id].into_iter().chain(&person.mail).chain(mails);
    all.map(|text| fold(text)).collect()
}

/// Adds what a further directory says about somebody.
fn add(first: &mut Person, other: Person) {
    let further = [Some(other.id), other.mail.clone(), other.name.clone()];
    for alias in further.into_iter().flatten().chain(other.aliases) {
        let own = [Some(&first.id), first.mail.as_ref(), first.name.as_ref()];
        if !own.contains(&Some(&alias)) && !first.aliases.contains(&alias) {
            first.aliases.push(alias);
        }
    }
    let fill = |own: &mut Option<String>, other: Option<String>| {
        if own.is_none() {
            *own = other;
        }
    };
    fill(&mut first.mail, other.mail);
    fill(&mut first.name, other.name);
    fill(&mut first.team, other.team);
    fill(&mut first.manager, other.manager);
    first.ended_at = first.ended_at.or(other.ended_at);
}

#[cfg(test)]
mod tests {
    use super::super::read_people;
    use crate::inventory::{People, PersonStatus};

    #[test]
    fn several_directories_are_one() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let read = |file: &str, text: &str| read_people(file, text.as_bytes(), now).unwrap();
        let merged = People::merge(vec![
            read(
                "hr.csv",
                "id,mail,name,status,manager\n1,jane@acme.io,Jane Doe,ended,2\n2,bob@acme.io,Bob Roe,active,\n",
            ),
            read(
                "github.csv",
                "login,email,teams\njdoe,JANE@acme.io,Web\nbroe,bob@acme.io,Web; SRE\n",
            ),
            read(
                "old.csv",
                "id,mail,aliases\nb9,b@old.io,bob@acme.io\nx,x@old.io,\n",
            ),
        ]);
        assert_eq!(merged.people.len(), 3);
        assert_eq!(merged.find("@jdoe").unwrap().id, "1");
        assert_eq!(merged.find("jdoe").unwrap().status, PersonStatus::Ended);
        assert_eq!(merged.find("b@old.io").unwrap().id, "2");
        assert_eq!(merged.team("Web").unwrap().members, [0, 1]);
        assert!(merged.team("SRE").unwrap().active);
    }
}
