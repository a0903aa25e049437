//! The sections on how credentials are kept: who must act, how old they are, where they lie open.

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::Severity;

use super::{
    charts, push,
    sections::{DAY, begin, table},
    text,
};
use crate::report::{CredentialEntry, Document, Headline, text::thousands, ticket};

pub(super) fn owners(doc: &Document, _: &Headline, out: &mut String) {
    begin(
        out,
        "owners",
        "Who must act",
        "Open findings by whoever they are routed to, the most first.",
    );
    let mut parties: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    for finding in doc.open() {
        let party = finding.route_to.as_deref().unwrap_or("nobody");
        parties.entry(party).or_default()[finding.grade() as usize] += 1;
    }
    let mut parties: Vec<(&str, [usize; 5])> = parties.into_iter().collect();
    parties
        .sort_by_key(|(party, counts)| (std::cmp::Reverse(counts.iter().sum::<usize>()), *party));
    let most = parties
        .iter()
        .map(|(_, counts)| counts.iter().sum::<usize>())
        .max()
        .unwrap_or(0);
    let rows: Vec<Vec<String>> = parties
        .iter()
        .map(|(party, counts)| {
            let all: usize = counts.iter().sum();
            let mut row = vec![
                format!(
                    "{}<div class=\"meter\" aria-hidden=\"true\"><i style=\"width:{}%\"></i></div>",
                    text(party),
                    all * 100 / most.max(1)
                ),
                thousands(all as u64),
            ];
            row.extend(
                Severity::ALL
                    .iter()
                    .rev()
                    .map(|&grade| thousands(counts[grade as usize] as u64)),
            );
            row
        })
        .collect();
    table(
        out,
        "Open findings by party",
        &[
            "Who",
            "n:All",
            "n:Critical",
            "n:High",
            "n:Medium",
            "n:Low",
            "n:Info",
        ],
        &rows,
    );
    push(out, "</section>\n");
}

pub(super) fn life(doc: &Document, _: &Headline, out: &mut String) {
    begin(
        out,
        "life",
        "Life cycle",
        "How old the credentials' secrets are since they last changed, and since they were last used.",
    );
    let Some(now) = ticket::time(&doc.run.now) else {
        push(out, "</section>\n");
        return;
    };
    let bounds = [
        (30, "to 30 days"),
        (90, "to 90 days"),
        (180, "to 180 days"),
        (365, "to a year"),
        (730, "to two years"),
        (i64::MAX, "older"),
    ];
    let bucket = |time: &str| {
        let days = (now.as_second() - ticket::time(time)?.as_second()).div_euclid(DAY);
        bounds.iter().position(|(most, _)| days <= *most)
    };
    let rotated = |one: &CredentialEntry| bucket(&one.rotated).or_else(|| bucket(&one.created));
    let listed = || {
        doc.credentials
            .iter()
            .filter(|one| one.listed && one.status == "active")
    };
    let mut ages: Vec<(String, usize)> = bounds
        .iter()
        .map(|(_, word)| ((*word).to_owned(), 0))
        .collect();
    // Rows: age of the secret. Columns: last use, then never, then not told.
    let mut heat = [[0_usize; 8]; 6];
    let mut undated = 0;
    for credential in listed() {
        let Some(age) = rotated(credential) else {
            undated += 1;
            continue;
        };
        ages[age].1 += 1;
        let used = match (&*credential.last_used, bucket(&credential.last_used)) {
            (_, Some(used)) => used,
            ("never", None) => 6,
            _ => 7,
        };
        heat[age][used] += 1;
    }
    push(out, "<h3>Active credentials by age of their secret</h3>\n");
    push(
        out,
        &charts::histogram("Active credentials by age of their secret", &ages),
    );
    let most = heat.iter().flatten().copied().max().unwrap_or(0).max(1);
    let rows: Vec<Vec<String>> = bounds
        .iter()
        .zip(heat)
        .map(|((_, word), counts)| {
            let mut row = vec![format!("<strong>{word}</strong>")];
            row.extend(counts.into_iter().map(|count| {
                let share = count * 80 / most;
                match count {
                    0 => "·".to_owned(),
                    _ => format!("<span style=\"display:block;border-radius:4px;background:color-mix(in srgb, var(--high) {share}%, transparent)\">{count}</span>"),
                }
            }));
            row
        })
        .collect();
    push(out, "<div class=\"heat\">");
    table(
        out,
        "Age of the secret (down) against last use (across)",
        &[
            "Secret changed",
            "used to 30 days",
            "to 90 days",
            "to 180 days",
            "to a year",
            "to two years",
            "longer ago",
            "never",
            "not told",
        ],
        &rows,
    );
    push(out, "</div>");
    if undated > 0 {
        push(
            out,
            &format!("<p class=\"lead\">Of {undated} active credentials no date is known.</p>\n"),
        );
    }
    push(out, "</section>\n");
}

pub(super) fn exposure(doc: &Document, _: &Headline, out: &mut String) {
    begin(
        out,
        "exposure",
        "Exposure",
        "Credentials whose value stands in a source, by how far they spread. A secret that was taken out of the newest version is still in the history.",
    );
    let mut spread: Vec<(&CredentialEntry, usize, BTreeSet<&str>)> = doc
        .credentials
        .iter()
        .filter(|one| one.secret_id.is_some())
        .map(|one| {
            let counts = one.places.iter().filter(|place| place.suppressed.is_none());
            let resources: BTreeSet<&str> = counts
                .clone()
                .map(|place| place.resource.as_str())
                .collect();
            (one, counts.count(), resources)
        })
        .filter(|(_, places, _)| *places > 0)
        .collect();
    spread.sort_by_key(|(one, places, resources)| {
        (std::cmp::Reverse((resources.len(), *places)), &one.subject)
    });
    let rows: Vec<Vec<String>> = spread
        .into_iter()
        .map(|(one, places, resources)| {
            let name = one
                .handle
                .as_ref()
                .map_or(one.subject.as_str(), |handle| &handle.value);
            let names: Vec<String> = resources.iter().take(6).map(|name| text(name)).collect();
            vec![
                text(if one.title.is_empty() {
                    &one.kind
                } else {
                    &one.title
                }),
                text(name),
                text(&one.status),
                resources.len().to_string(),
                places.to_string(),
                names.join(", "),
            ]
        })
        .collect();
    if rows.is_empty() {
        push(
            out,
            "<p class=\"good\">No credential's value was found in a source.</p>\n",
        );
    } else {
        table(
            out,
            "Exposed credentials",
            &["What", "Which", "Status", "n:Sources", "n:Places", "Where"],
            &rows,
        );
    }
    push(out, "</section>\n");
}
