//! The practices of governing machine credentials (`fixtures/checks/controls.toml`): each is shown
//! by a case that finds and by one that stays silent, or stands in the list of those that are not.

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;

use crate::checks::{Expect, files};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Controls {
    /// Number and practice.
    rows: Vec<(u32, String)>,
    /// Rows without both cases, and why.
    open: Vec<(u32, String)>,
}

fn controls() -> Controls {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/checks/controls.toml");
    toml::from_str(&fs::read_to_string(path).expect("readable")).expect("well formed")
}

#[test]
fn every_practice_has_both_its_cases_or_is_listed_as_open() {
    let controls = controls();
    let numbers: Vec<u32> = controls.rows.iter().map(|(row, _)| *row).collect();
    assert_eq!(numbers, (1..=97).collect::<Vec<u32>>());
    let (mut found, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for (name, file) in files() {
        for case in &file.case {
            for &row in &case.rows {
                assert!(
                    (1..=97).contains(&row),
                    "{name}, {}: there is no row {row}",
                    case.name
                );
                match case.expect {
                    Expect::Finds => found.insert(row),
                    Expect::Silent => silent.insert(row),
                    Expect::Lacks => panic!("{name}, {}: a missing input shows nothing", case.name),
                };
            }
        }
    }
    let open: BTreeSet<u32> = controls.open.iter().map(|(row, _)| *row).collect();
    assert_eq!(open.len(), controls.open.len(), "a row is listed twice");
    for (row, practice) in &controls.rows {
        let whole = found.contains(row) && silent.contains(row);
        let missing = match (found.contains(row), silent.contains(row)) {
            (false, _) => "a case that finds",
            _ => "a case that stays silent",
        };
        if open.contains(row) {
            assert!(
                !whole,
                "row {row} ({practice}) has both cases; take it out of `open`"
            );
        } else {
            assert!(
                whole,
                "row {row} ({practice}) lacks {missing}; write it, or list the row in `open`"
            );
        }
    }
    for (row, why) in &controls.open {
        assert!(why.len() > 15, "row {row}: say why it is open");
    }
}
