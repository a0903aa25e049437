//! Any export of people to a directory: a table by its columns, SCIM, Okta, Entra, LDIF and
//! Backstage by their shape.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    People, Person, PersonStatus,
    merge::{Group, Member, assemble},
};
use crate::inventory::{
    InventoryError, InventoryMap,
    dates::{self, DayIs},
    field,
    fill::refused,
    map::{Mapping, map_table},
    read::{ReadCx, Table, read_table},
    text::{fold, shown, trimmed},
    words,
};

/// Reads a people directory. Who has an end date is there until the end of that day, whatever
/// the status says; after it, gone.
///
/// # Errors
/// When it cannot be read as a table, names nobody, uses unknown words for the status, holds
/// dates that can be read in two ways, or contradicts itself about one id.
pub fn read_people(label: &str, bytes: &[u8], now: Timestamp) -> Result<People, InventoryError> {
    let cx = ReadCx::plain(label, &field::is_header_word);
    let table = read_table(None, bytes, &cx)?;
    let mapping = map_people(label, &table)?;
    let ends = end_dates(label, &table, &mapping)?;
    let mut members: Vec<Member> = Vec::new();
    let mut groups = Vec::new();
    let mut rows: Vec<u64> = Vec::new();
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    for (index, ended_at) in ends.into_iter().enumerate() {
        let Some(member) = person(label, &table, &mapping, index, ended_at, now)? else {
            groups.extend(group(&table, &mapping, index));
            continue;
        };
        let row = table.rows[index].row;
        match by_id.get(&fold(&member.person.id)) {
            None => {
                by_id.insert(fold(&member.person.id), members.len());
                members.push(member);
                rows.push(row);
            }
            Some(&first) => merge(&mut members[first], member).map_err(|what| {
                let message = format!(
                    "rows {} and {row} say different things about the {what} of `{}`",
                    rows[first],
                    shown(&members[first].person.id)
                );
                InventoryError::new(label, message)
                    .row(row)
                    .help("keep one row per person")
            })?,
        }
    }
    Ok(assemble(members, groups))
}

/// A row that is a group: its names, and what its members are called.
fn group(table: &Table, mapping: &Mapping, index: usize) -> Option<Group> {
    let row = &table.rows[index];
    let text = |field: &str| {
        let columns = mapping.columns(field).iter();
        let mut cells = columns.map(|&column| row.cells[column].as_str());
        cells.find(|cell| !words::is_placeholder(cell))
    };
    let names = ["team_id", "team_name", "team_mail"];
    let names: Vec<String> = names
        .iter()
        .filter_map(|name| text(name))
        .map(str::to_owned)
        .collect();
    let members = text("members").unwrap_or_default();
    (!names.is_empty()).then(|| Group {
        names,
        members: pieces(members),
    })
}

/// The items of a cell that lists some.
fn pieces(cell: &str) -> Vec<String> {
    let items = cell.split([';', ',', '|', '\n']).map(trimmed);
    items
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
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
            .position(|&column| field::name_score(field, &table.headers[column], &[]).0 >= 1.0);
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
) -> Result<Option<Member>, InventoryError> {
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
    let aliases = cells("aliases").flat_map(pieces);
    let teams = cells("teams").flat_map(pieces);
    let person = Person {
        id,
        name: text("name").or((!full.is_empty()).then(|| full.join(" "))),
        mail,
        aliases: aliases.collect(),
        team: text("team"),
        manager: text("manager"),
        status: if active {
            PersonStatus::Active
        } else {
            PersonStatus::Ended
        },
        ended_at,
        source: format!("{label}:{}", row.row),
    };
    Ok(Some(Member {
        teams: teams.collect(),
        person,
    }))
}

/// Adds what a second row of the same person tells; the name of what contradicts otherwise.
fn merge(first: &mut Member, second: Member) -> Result<(), &'static str> {
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
    first.teams.extend(second.teams);
    let (first, second) = (&mut first.person, second.person);
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

#[cfg(test)]
mod tests {
    use super::read_people;
    use crate::inventory::{People, PersonStatus};

    fn read(file: &str, text: &str) -> People {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        read_people(file, text.as_bytes(), now).unwrap()
    }

    fn shown(people: &People) -> Vec<String> {
        let all = people.people.iter();
        all.map(|p| {
            let there = p.status == PersonStatus::Active;
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            format!(
                "{} {} [{}] {} {} {there}",
                p.id,
                text(&p.mail),
                p.aliases.join(" "),
                text(&p.team),
                text(&p.manager)
            )
        })
        .collect()
    }

    #[test]
    fn directories_of_every_shape_are_read() {
        let scim = r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "Resources": [
            {"id": "7f", "userName": "jane", "active": true, "displayName": "Jane Doe",
             "emails": [{"value": "old@acme.io"}, {"value": "jane@acme.io", "primary": true}],
             "groups": [{"value": "g1", "display": "SRE"}],
             "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                {"employeeNumber": "17", "department": "Payments", "manager": {"value": "8a"}}},
            {"id": "8a", "userName": "bob", "active": false, "name": {"givenName": "Bob", "familyName": "Roe"}}]}"#;
        let people = read("scim.json", scim);
        assert_eq!(
            shown(&people),
            [
                "jane jane@acme.io [old@acme.io jane@acme.io 7f 17] Payments 8a true",
                "bob  [8a]   false"
            ]
        );
        assert_eq!(people.people[1].name.as_deref(), Some("Bob Roe"));
        assert_eq!(people.find("8a").unwrap().id, "bob");
        assert_eq!(people.team("sre").unwrap().members, [0]);

        let okta = r#"[{"id": "00u1", "status": "DEPROVISIONED", "profile": {"login": "jane@acme.io", "email": "jane@acme.io",
            "secondEmail": null, "firstName": "Jane", "lastName": "Doe", "department": "Payments", "managerId": "bob"}}]"#;
        assert_eq!(
            shown(&read("okta.json", okta)),
            ["jane@acme.io jane@acme.io [00u1] Payments bob false"]
        );

        let entra = r#"{"@odata.context": "x", "value": [{"id": "9d", "userPrincipalName": "jane@acme.io", "mail": "jane@acme.io",
            "accountEnabled": true, "proxyAddresses": ["SMTP:jane@acme.io", "smtp:j.old@acme.io"], "department": "Payments",
            "employeeLeaveDateTime": "2026-01-31T00:00:00Z"}]}"#;
        assert_eq!(
            shown(&read("users.json", entra)),
            ["jane@acme.io jane@acme.io [jane@acme.io j.old@acme.io 9d] Payments  false"]
        );

        let backstage = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: payments}\nspec:\n  type: team\n  profile: {displayName: Payments Crew, email: pay@acme.io}\n  members: [bob]\n---\n\
            apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: jane}\nspec:\n  profile: {email: jane@acme.io}\n  memberOf: [payments]\n---\n\
            apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: bob}\nspec: {}\n";
        let people = read("org.yaml", backstage);
        assert_eq!(people.team("Payments").unwrap().members, [0, 1]);
        for name in [
            "group:default/payments",
            "pay@acme.io",
            "payments crew",
            "@acme/payments",
        ] {
            assert!(
                matches!(people.resolve(name), crate::inventory::Party::Team(0)),
                "{name}"
            );
        }
    }
}
