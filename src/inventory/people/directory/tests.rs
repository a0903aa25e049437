//! Directories in, people out.

use super::{super::read_people, Party};
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
        // One Max left: the name alone does not tell which one is meant.
        ("Max Moe", None),
        ("max2@acme.io", Some("e5")),
        ("user:default/jdoe", Some("e1")),
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
