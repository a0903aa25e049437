//! The count: for every endpoint and scope how much was seen, and what was not and why.

use std::collections::BTreeMap;

use keymuster_api::{Coverage, Gap, GapKind, Item, Source, SystemId};

use crate::{Answer, Endpoint, Listed, Unseen, Without};

/// So many scopes of one gap are named; further ones are counted.
const NAMED: usize = 20;

/// Counts what a connector asked for.
#[derive(Debug, Default)]
pub struct Tally {
    rows: BTreeMap<(String, &'static str), Row>,
    /// By endpoint, kind and reason: the scopes.
    gaps: BTreeMap<(&'static str, &'static str, GapKind, String), Vec<String>>,
}

#[derive(Debug, Default)]
struct Row {
    expected: Option<u64>,
    received: u64,
    incomplete: bool,
    locator: String,
}

impl Tally {
    /// Counts a list that was asked for in a scope.
    pub fn list<T>(&mut self, scope: &str, endpoint: &Endpoint, answer: &Answer<Listed<T>>) {
        match answer {
            Ok(listed) => {
                let received = listed.items.len() as u64;
                let row = self.row(scope, endpoint);
                row.received += received;
                row.incomplete |= !listed.is_whole();
                let known = listed.total.unwrap_or(received + listed.broken);
                row.expected = Some(row.expected.unwrap_or(0) + known);
                if let Some(unseen) = &listed.stopped {
                    let (kind, reason) = words(endpoint, unseen, scope);
                    self.gap(
                        scope,
                        endpoint,
                        kind,
                        format!("the list broke off: {reason}"),
                    );
                } else if listed.broken > 0 {
                    let reason = format!(
                        "{} not of the form that is documented; please report it",
                        count(listed.broken, "entry is", "entries are")
                    );
                    self.gap(scope, endpoint, GapKind::Corrupt, reason);
                } else if !listed.is_whole() {
                    let reason = "the host counts more than it lists; run again".to_owned();
                    self.gap(scope, endpoint, GapKind::Missing, reason);
                }
            }
            Err(unseen) => self.unseen(scope, endpoint, unseen),
        }
    }

    /// Counts a single thing that was asked for in a scope.
    pub fn one<T>(&mut self, scope: &str, endpoint: &Endpoint, answer: &Answer<T>) {
        match answer {
            Ok(_) => {
                let row = self.row(scope, endpoint);
                row.received += 1;
                row.expected = Some(row.expected.unwrap_or(0) + 1);
            }
            Err(unseen) => self.unseen(scope, endpoint, unseen),
        }
    }

    /// Counts what was not seen.
    pub fn unseen(&mut self, scope: &str, endpoint: &Endpoint, unseen: &Unseen) {
        let is_nothing =
            matches!(unseen, Unseen::Unsupported(_)) && endpoint.without == Without::Nothing;
        let row = self.row(scope, endpoint);
        row.incomplete |= !is_nothing;
        row.locator = format!("GET {} ({})", endpoint.path, unseen.word());
        if !is_nothing {
            let (kind, reason) = words(endpoint, unseen, scope);
            self.gap(scope, endpoint, kind, reason);
        }
    }

    /// Tells of something that no answer tells.
    pub fn gap(&mut self, scope: &str, endpoint: &Endpoint, kind: GapKind, reason: String) {
        let key = (endpoint.what, endpoint.path, kind, reason);
        let scopes = self.gaps.entry(key).or_default();
        if scopes.last().is_none_or(|last| last != scope) {
            scopes.push(scope.to_owned());
        }
    }

    fn row(&mut self, scope: &str, endpoint: &Endpoint) -> &mut Row {
        let key = (scope.to_owned(), endpoint.what);
        self.rows.entry(key).or_insert_with(|| Row {
            locator: format!("GET {}", endpoint.path),
            ..Row::default()
        })
    }

    /// All of it as facts, sorted. `owner` names the whole (`github:acme`) where a gap is one of
    /// many scopes.
    pub fn items(self, system: SystemId, owner: &str) -> Vec<Item> {
        let mut items = Vec::new();
        for ((scope, what), row) in self.rows {
            items.push(Item::Coverage(Coverage {
                scope,
                what: what.to_owned(),
                expected: row.expected,
                received: row.received,
                bytes: 0,
                complete: !row.incomplete,
                source: Source {
                    system,
                    locator: row.locator,
                },
            }));
        }
        for ((what, path, kind, reason), mut scopes) in self.gaps {
            scopes.sort();
            scopes.dedup();
            let subject = match scopes.as_slice() {
                [one] => format!("{one}: {what}"),
                many => {
                    let named = many[..many.len().min(NAMED)].join(", ");
                    let more = many.len().saturating_sub(NAMED);
                    let more = if more > 0 {
                        format!(" and {more} more")
                    } else {
                        String::new()
                    };
                    format!("{owner}: {what} of {} scopes: {named}{more}", many.len())
                }
            };
            items.push(Item::Gap(Gap {
                kind,
                subject,
                reason,
                source: Source {
                    system,
                    locator: format!("GET {path}"),
                },
            }));
        }
        items
    }
}

fn words(endpoint: &Endpoint, unseen: &Unseen, _scope: &str) -> (GapKind, String) {
    match unseen {
        Unseen::Denied(reason) => (
            GapKind::Denied,
            format!("{reason}; unseen stay {}", endpoint.unseen),
        ),
        Unseen::Absent => (
            GapKind::Missing,
            "it was there and is gone; run again".to_owned(),
        ),
        Unseen::Unsupported(reason) => (
            GapKind::Unsupported,
            format!("{reason}; unseen stay {}", endpoint.unseen),
        ),
        Unseen::Failed(kind, reason) => (*kind, reason.clone()),
    }
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use keymuster_api::{GapKind, Item, SystemId};

    use super::Tally;
    use crate::{Answer, Endpoint, Items, Listed, Missing, Paging, Unseen, Without};

    const SLOTS: Endpoint = Endpoint {
        path: "/repos/{owner}/{repo}/actions/secrets",
        items: Items::Under("secrets"),
        paging: Paging::Link,
        what: "actions.secret",
        needs: "secrets: read",
        unseen: "the secrets of Actions",
        missing: Missing::Denied,
        without: Without::Nothing,
    };

    fn told(answers: &[(&str, Answer<Listed<u8>>)]) -> (Vec<String>, Vec<String>) {
        let mut tally = Tally::default();
        for (scope, answer) in answers {
            tally.list(scope, &SLOTS, answer);
        }
        let (mut rows, mut gaps) = (Vec::new(), Vec::new());
        for item in tally.items(SystemId(0), "github:acme") {
            match item {
                Item::Coverage(row) => rows.push(format!(
                    "{} {:?}/{} {} {}",
                    row.scope, row.expected, row.received, row.complete, row.source.locator
                )),
                Item::Gap(gap) => gaps.push(gap.to_string()),
                _ => {}
            }
        }
        (rows, gaps)
    }

    #[test]
    fn four_answers_and_no_answer_are_five_rows() {
        let listed = |items: &[u8], total| Listed {
            items: items.to_vec(),
            total,
            ..Listed::default()
        };
        let (rows, gaps) = told(&[
            ("a", Ok(listed(&[1, 2], Some(2)))),
            ("b", Ok(listed(&[], Some(0)))),
            ("c", Err(Unseen::Denied("refused".to_owned()))),
            ("d", Err(Unseen::Absent)),
            ("e", Err(Unseen::Unsupported("off".to_owned()))),
            (
                "f",
                Err(Unseen::Failed(GapKind::Corrupt, "no JSON".to_owned())),
            ),
            ("g", Ok(listed(&[1], Some(3)))),
        ]);
        let path = "GET /repos/{owner}/{repo}/actions/secrets";
        assert_eq!(
            rows,
            [
                format!("a Some(2)/2 true {path}"),
                format!("b Some(0)/0 true {path}"),
                format!("c None/0 false {path} (denied)"),
                format!("d None/0 false {path} (absent)"),
                format!("e None/0 true {path} (unsupported)"),
                format!("f None/0 false {path} (failed)"),
                format!("g Some(3)/1 false {path}"),
            ]
        );
        assert_eq!(gaps.len(), 4, "{gaps:?}");
    }

    #[test]
    fn one_reason_of_many_scopes_is_one_gap() {
        let names: Vec<String> = (0..30).map(|n| format!("r{n:02}")).collect();
        let denied = || Err(Unseen::Denied("refused".to_owned()));
        let all: Vec<(&str, Answer<Listed<u8>>)> =
            names.iter().map(|name| (&**name, denied())).collect();
        let (_, gaps) = told(&all);
        assert_eq!(gaps.len(), 1);
        assert!(gaps[0].starts_with("github:acme: actions.secret of 30 scopes: r00, r01"));
        assert!(gaps[0].contains("and 10 more"), "{gaps:?}");
    }
}
