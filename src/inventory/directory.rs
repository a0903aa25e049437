//! Reads the people directory, and finds people in it by whatever a register calls them.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{
    InventoryError, InventoryMap, People, Person, PersonStatus, Team,
    dates::{self, DayIs},
    field,
    fill::refused,
    map::{Mapping, map_table},
    read::{ReadCx, Table, read_table},
    text::{fold, shown, squeezed, trimmed},
    words,
};

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

/// Reads a people directory. Who has an end date is there until the end of that day, whatever
/// the status says; after it, gone.
///
/// # Errors
/// When it cannot be read as a table, names nobody, uses unknown words for the status, holds
/// dates that can be read in two ways, or contradicts itself about one id.
pub fn read_people(label: &str, bytes: &[u8], now: Timestamp) -> Result<People, InventoryError> {
    let cx = ReadCx {
        label,
        header_row: None,
        knows: &field::is_header_word,
    };
    let table = read_table(None, bytes, &cx)?;
    let mapping = map_people(label, &table)?;
    let ends = end_dates(label, &table, &mapping)?;
    let mut people: Vec<Person> = Vec::new();
    let mut rows: Vec<u64> = Vec::new();
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    for (index, ended_at) in ends.into_iter().enumerate() {
        let Some(person) = person(label, &table, &mapping, index, ended_at, now)? else {
            continue;
        };
        let row = table.rows[index].row;
        match by_id.get(&fold(&person.id)) {
            None => {
                by_id.insert(fold(&person.id), people.len());
                people.push(person);
                rows.push(row);
            }
            Some(&first) => merge(&mut people[first], person).map_err(|what| {
                let message = format!(
                    "rows {} and {row} say different things about the {what} of `{}`",
                    rows[first],
                    shown(&people[first].id)
                );
                InventoryError::new(label, message)
                    .row(row)
                    .help("keep one row per person")
            })?,
        }
    }
    let teams = teams(&people);
    Ok(People { people, teams })
}

fn map_people(label: &str, table: &Table) -> Result<Mapping, InventoryError> {
    let mut mapping = map_table(label, table, field::PEOPLE, &InventoryMap::default());
    // A status or end that is overlooked would keep everybody in office, so the name of such a
    // column is enough; values that are not understood are errors further on.
    for field in field::PEOPLE
        .iter()
        .filter(|f| matches!(f.name, "status" | "ended_at"))
    {
        if !mapping.columns(field.name).is_empty() {
            continue;
        }
        let named = mapping
            .extra
            .iter()
            .position(|&column| field::name_score(field, &table.headers[column], &[]) >= 1.0);
        if let Some(at) = named {
            let column = mapping.extra.remove(at);
            mapping.fields.insert(field.name, vec![column]);
        }
    }
    if mapping.columns("id").is_empty() && mapping.columns("mail").is_empty() {
        let headers: Vec<String> = table
            .headers
            .iter()
            .take(8)
            .map(|h| format!("`{}`", shown(h)))
            .collect();
        let message = format!(
            "no column can be read as an id or a mail; found {}",
            headers.join(", ")
        );
        return Err(InventoryError::new(label, message)
            .row(table.header_row.max(1))
            .help("name the columns id, mail, aliases, name, team, manager, status, end date"));
    }
    Ok(mapping)
}

fn end_dates(
    label: &str,
    table: &Table,
    mapping: &Mapping,
) -> Result<Vec<Option<Timestamp>>, InventoryError> {
    let mut ends = vec![None; table.rows.len()];
    for &column in mapping.columns("ended_at") {
        let values: Vec<(u64, &str)> = table
            .rows
            .iter()
            .map(|row| (row.row, row.cells[column].as_str()))
            .collect();
        let header = &table.headers[column];
        let moments = dates::column(&values, None).map_err(|refusal| {
            refused(label, header, "ended_at", refusal).help("write the column as YYYY-MM-DD")
        })?;
        for ((end, moment), (row, cell)) in ends.iter_mut().zip(moments).zip(&values) {
            let nothing = words::is_placeholder(cell) || words::is_never(cell);
            if moment.is_none() && !nothing {
                return Err(InventoryError::new(label, "is no date")
                    .row(*row)
                    .column(header)
                    .help("write YYYY-MM-DD, or nothing"));
            }
            *end = end.or(moment.and_then(|moment| moment.at(DayIs::End)));
        }
    }
    Ok(ends)
}

fn person(
    label: &str,
    table: &Table,
    mapping: &Mapping,
    index: usize,
    ended_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Person>, InventoryError> {
    let row = &table.rows[index];
    let cells = |field: &str| {
        let columns = mapping.columns(field).iter();
        columns
            .map(|&column| row.cells[column].as_str())
            .filter(|cell| !words::is_placeholder(cell))
    };
    let text = |field: &str| cells(field).next().map(str::to_owned);
    let mail = text("mail");
    let Some(id) = text("id").or_else(|| mail.clone()) else {
        return Ok(None);
    };
    let given = cells("status").next();
    let there = match given {
        None => true,
        Some(word) => words::person_is_there(word).ok_or_else(|| {
            let column = mapping.columns("status")[0];
            InventoryError::new(label, "is no known status")
                .row(row.row)
                .column(&table.headers[column])
                .help("write active or ended")
        })?,
    };
    let active = ended_at.map_or(there, |end| end > now);
    let full = [text("given_name"), text("family_name")];
    let full: Vec<String> = full.into_iter().flatten().collect();
    let aliases = cells("aliases").flat_map(|cell| cell.split([';', ',', '|', '\n']));
    Ok(Some(Person {
        id,
        name: text("name").or((!full.is_empty()).then(|| full.join(" "))),
        mail,
        aliases: aliases
            .map(trimmed)
            .filter(|alias| !alias.is_empty())
            .map(str::to_owned)
            .collect(),
        team: text("team"),
        manager: text("manager"),
        status: if active {
            PersonStatus::Active
        } else {
            PersonStatus::Ended
        },
        ended_at,
        source: format!("{label}:{}", row.row),
    }))
}

/// Adds what a second row of the same person tells; the name of what contradicts otherwise.
fn merge(first: &mut Person, second: Person) -> Result<(), &'static str> {
    fn one(
        first: &mut Option<String>,
        second: Option<String>,
        what: &'static str,
    ) -> Result<(), &'static str> {
        match (&*first, second) {
            (Some(a), Some(b)) if fold(a) != fold(&b) => Err(what),
            (None, second) => {
                *first = second;
                Ok(())
            }
            _ => Ok(()),
        }
    }
    if first.status != second.status || first.ended_at != second.ended_at {
        return Err("status");
    }
    one(&mut first.mail, second.mail, "mail")?;
    one(&mut first.name, second.name, "name")?;
    one(&mut first.team, second.team, "team")?;
    one(&mut first.manager, second.manager, "manager")?;
    for alias in second.aliases {
        if !first.aliases.contains(&alias) {
            first.aliases.push(alias);
        }
    }
    Ok(())
}

fn teams(people: &[Person]) -> Vec<Team> {
    let mut teams: BTreeMap<String, Team> = BTreeMap::new();
    for (index, person) in people.iter().enumerate() {
        let Some(name) = &person.team else {
            continue;
        };
        let team = teams.entry(squeezed(name)).or_insert_with(|| Team {
            name: name.clone(),
            members: Vec::new(),
            active: false,
        });
        team.members.push(index as u32);
        team.active |= person.status == PersonStatus::Active;
    }
    let mut teams: Vec<Team> = teams.into_values().collect();
    teams.sort_by(|a, b| a.name.cmp(&b.name));
    teams
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
}

impl<'a> Directory<'a> {
    fn new(people: &'a People) -> Directory<'a> {
        let mut directory = Directory {
            people,
            keys: Default::default(),
            names: HashMap::new(),
            teams: HashMap::new(),
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
            for name in names.filter(|name| name.contains(' ')) {
                let people = directory.names.entry(name_key(name)).or_default();
                if !people.contains(&index) {
                    people.push(index);
                }
            }
        }
        for (index, team) in people.teams.iter().enumerate() {
            directory
                .teams
                .entry(squeezed(&team.name))
                .or_insert(index as u32);
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
            .or_else(|| self.by_key(noreply_login(mail)?))
            .or_else(|| self.by_key(name))
            .or_else(|| self.one(self.names.get(&name_key(name))?))
    }

    /// Whom a text names: a person before a team.
    pub fn resolve(&self, party: &str) -> Party {
        if let Some(person) = self.find(party) {
            return Party::Person(person);
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

    /// The one person, or the one of them who is still there.
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

/// The login in a code host's address for those who hide theirs:
/// `123+login@users.noreply.github.com`.
fn noreply_login(mail: &str) -> Option<&str> {
    let (local, domain) = mail.split_once('@')?;
    let domain = domain.to_ascii_lowercase();
    if !domain.starts_with("users.noreply.") {
        return None;
    }
    let login = match local.split_once(['+', '-']) {
        Some((number, login)) if number.bytes().all(|b| b.is_ascii_digit()) => login,
        _ => local,
    };
    Some(login)
}

#[cfg(test)]
mod tests {
    use super::{Party, read_people};
    use crate::inventory::{People, PersonStatus};

    const NOW: &str = "2026-11-24T12:00:00Z";

    fn people(text: &str) -> Result<People, String> {
        read_people("people.csv", text.as_bytes(), NOW.parse().unwrap()).map_err(|e| e.to_string())
    }

    fn company() -> People {
        people(
            "id;mail;aliases;name;team;manager;status;end date\n\
             e1;jane@acme.io;jane.old@acme.io, jdoe;Jane Doe;Payments;e9;active;\n\
             e2;bob@acme.io;;Bob Roe;Payments;e9;ended;2026-01-31\n\
             e3;ann@acme.io;;Ann Poe;Web Shop;e9;active;2027-01-31\n\
             e4;max1@acme.io;;Max Moe;Old Team;;left;\n\
             e5;max2@acme.io;;Max Moe;Web Shop;;active;\n\
             e6;sam1@acme.io;;Sam Soe;;;active;\n\
             e7;sam2@acme.io;;Sam Soe;;;active;\n",
        )
        .unwrap()
    }

    #[test]
    fn people_are_found_by_whatever_they_are_called() {
        let people = company();
        let table = [
            ("e1", Some("e1")),
            ("JANE@ACME.IO", Some("e1")),
            ("jane.old@acme.io", Some("e1")),
            ("jdoe", Some("e1")),
            ("@jdoe", Some("e1")),
            ("Jane Doe", Some("e1")),
            ("Doe, Jane", Some("e1")),
            ("Jane D. <jane@acme.io>", Some("e1")),
            ("Jane Doe <other@home.net>", Some("e1")),
            ("123+jdoe@users.noreply.github.com", Some("e1")),
            ("jdoe@users.noreply.github.com", Some("e1")),
            ("Max Moe", Some("e5")),
            ("Sam Soe", None),
            ("nobody@acme.io", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(people.find(text).map(|p| p.id.as_str()), expected, "{text}");
        }
    }

    #[test]
    fn parties_are_people_or_teams_or_unknown() {
        let people = company();
        let team = |name: &str| people.teams.iter().position(|t| t.name == name).unwrap() as u32;
        let table = [
            ("jane@acme.io", Party::Person(0)),
            ("payments", Party::Team(team("Payments"))),
            ("Team Payments", Party::Team(team("Payments"))),
            ("@acme/web-shop", Party::Team(team("Web Shop"))),
            ("group:payments", Party::Team(team("Payments"))),
            ("accounting", Party::Unknown),
        ];
        for (text, expected) in table {
            assert_eq!(people.resolve(text), expected, "{text}");
        }
        assert!(!people.team("old team").unwrap().active);
        assert!(people.team("Web Shop").unwrap().active);
        assert_eq!(people.team("payments").unwrap().members, [0, 1]);
    }

    #[test]
    fn who_is_there_follows_from_status_and_end_date() {
        let read = people(
            "Personalnummer,E-Mail,Status,Austrittsdatum\n\
             1,a@x.io,aktiv,\n2,b@x.io,ausgeschieden,\n3,c@x.io,aktiv,2026-11-23\n\
             4,d@x.io,aktiv,2026-11-24\n5,e@x.io,gekündigt,2026-12-31\n",
        );
        assert!(
            read.unwrap_err()
                .contains("column `Status`: is no known status")
        );
        let read = people(
            "Personalnummer,E-Mail,Status,Austrittsdatum\n\
             1,a@x.io,aktiv,\n2,b@x.io,ausgeschieden,\n3,c@x.io,aktiv,2026-11-23\n\
             4,d@x.io,aktiv,2026-11-24\n5,e@x.io,beendet,2026-12-31\n",
        )
        .unwrap();
        let active: Vec<bool> = read
            .people
            .iter()
            .map(|p| p.status == PersonStatus::Active)
            .collect();
        assert_eq!(active, [true, false, false, true, true]);
        assert_eq!(
            read.people[3].ended_at.unwrap().to_string(),
            "2026-11-24T23:59:59Z"
        );
        assert_eq!(read.people[1].source, "people.csv:3");
    }

    #[test]
    fn contradictions_name_both_rows() {
        let error = people("id,mail,status\n1,a@x.io,active\n2,b@x.io,active\n1,a@x.io,ended\n");
        let error = error.unwrap_err();
        assert!(
            error.starts_with("people.csv:4: rows 2 and 4 say different"),
            "{error}"
        );
        let same = people("id,mail,team\n1,a@x.io,A\n1,A@X.io,\n").unwrap();
        assert_eq!(same.people.len(), 1);
    }

    #[test]
    fn a_directory_that_names_nobody_is_refused() {
        assert!(
            people("foo,bar\n1,2\n")
                .unwrap_err()
                .contains("no column can be read as an id")
        );
        let dates = people("id,mail,end date\n1,a@x.io,03/04/2026\n").unwrap_err();
        assert!(dates.contains("no value tells day from month"), "{dates}");
        let dates = people("id,mail,end date\n1,a@x.io,2026-01-02\n2,b@x.io,soon\n").unwrap_err();
        assert!(
            dates.starts_with("people.csv:3: column `end date`: is no date"),
            "{dates}"
        );
    }
}
