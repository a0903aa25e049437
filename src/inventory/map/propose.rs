//! What headers and values tell about columns, and the questions they leave.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{
    dates::{self, DayIs, Refusal},
    field::{self, Field, name_score},
    fill::{DATES, refused},
    read::Table,
    text::{shown, squeezed, words},
    words::is_placeholder,
};

/// At and above: taken. Below, down to [`PROPOSED`]: proposed, not used.
const TAKEN: f64 = 0.85;
const PROPOSED: f64 = 0.60;
/// How many values of a column are looked at.
const SAMPLE: usize = 200;

/// What a column probably is.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The column's header.
    pub column: String,
    /// The column's index in the table.
    pub index: usize,
    /// The field.
    pub field: &'static str,
    /// 0.6 for the name and 0.4 for the values; 0.60 at least.
    pub score: f64,
    /// Why, and if it is not taken, why not.
    pub reason: String,
    /// Whether it is used without being configured.
    pub taken: bool,
    /// How far down the field's list of headers this one stands; the first mean it most.
    rank: usize,
}

/// What the columns of a register probably are, from left to right; columns that resemble no
/// field are left out.
pub fn propose(table: &Table) -> Vec<Proposal> {
    propose_fields(table, field::RECORD, &BTreeSet::new(), &BTreeSet::new())
}

/// The same for a people directory.
pub fn propose_people(table: &Table) -> Vec<Proposal> {
    propose_fields(table, field::PEOPLE, &BTreeSet::new(), &BTreeSet::new())
}

/// The same for any dictionary, without some columns (by index) and fields (by name).
pub(crate) fn propose_fields(
    table: &Table,
    fields: &'static [Field],
    without_columns: &BTreeSet<usize>,
    without_fields: &BTreeSet<&str>,
) -> Vec<Proposal> {
    let mut all = Vec::new();
    for index in (0..table.headers.len()).filter(|index| !without_columns.contains(index)) {
        let fields = fields
            .iter()
            .filter(|field| !without_fields.contains(field.name));
        all.extend(candidates(table, index, fields));
    }
    all.sort_by(|a, b| {
        let by_score = b.score.total_cmp(&a.score);
        by_score.then((a.rank, a.index).cmp(&(b.rank, b.index)))
    });
    let mut chosen: BTreeMap<usize, Proposal> = BTreeMap::new();
    let mut first: BTreeMap<&str, String> = BTreeMap::new();
    for proposal in all.iter().filter(|proposal| proposal.score >= TAKEN) {
        if chosen.contains_key(&proposal.index) {
            continue;
        }
        // A second column of a field only where columns add up, or where headers are the same.
        let adds_up = fields.iter().any(|f| f.name == proposal.field && f.many);
        let free = first
            .get(proposal.field)
            .is_none_or(|column| adds_up || squeezed(column) == squeezed(&proposal.column));
        if free {
            first
                .entry(proposal.field)
                .or_insert_with(|| proposal.column.clone());
            let mut taken = proposal.clone();
            taken.taken = true;
            chosen.insert(taken.index, taken);
        }
    }
    for mut proposal in all {
        if chosen.contains_key(&proposal.index) {
            continue;
        }
        if let Some(other) = first.get(proposal.field) {
            let better = format!("; `{}` fits better", shown(other));
            proposal.reason.push_str(&better);
        }
        chosen.insert(proposal.index, proposal);
    }
    chosen.into_values().collect()
}

/// The fields that a column may be.
fn candidates<'a>(
    table: &Table,
    index: usize,
    fields: impl Iterator<Item = &'a Field>,
) -> Vec<Proposal> {
    let header = table.headers[index].as_str();
    let names = Names::new(header);
    let values: Vec<&str> = table
        .rows
        .iter()
        .map(|row| row.cells[index].as_str())
        .filter(|cell| !is_placeholder(cell))
        .take(SAMPLE)
        .collect();
    let mut found = Vec::new();
    let scored: Vec<(&Field, f64, usize)> = fields
        .map(|field| {
            let (name, rank) = names.score(field);
            (field, name, rank)
        })
        .collect();
    // A word that is known as it stands is no typing error for another one.
    let known = scored.iter().any(|(_, name, _)| *name == 1.0);
    for (field, name, rank) in scored {
        if name == 0.0 || known && name == field::NEAR {
            continue;
        }
        let fitting: f64 = values.iter().map(|value| field.shape.fit(value)).sum();
        let fit = if values.is_empty() {
            0.7
        } else {
            fitting / values.len() as f64
        };
        let score = 0.6 * name + 0.4 * fit;
        if score < PROPOSED {
            continue;
        }
        let says = if name == 1.0 {
            "the header is a known word for it"
        } else if [NESTED, QUALIFIED, REMARKED].contains(&name) {
            "the header but for what stands around it is a known word for it"
        } else if name == field::NEAR {
            "the header resembles a known word for it"
        } else {
            "the header holds a known word for it"
        };
        let fits = match values.len() {
            0 => "no values".to_owned(),
            n => format!("values fit by {:.0} % ({n} looked at)", fit * 100.0),
        };
        found.push(Proposal {
            column: header.to_owned(),
            index,
            field: field.name,
            score,
            reason: format!("{says}, {fits}"),
            taken: false,
            rank,
        });
    }
    found
}

/// How much a known word counts that is the last part of a nested member's name, that stands
/// behind the word for a credential, or before a remark in parentheses.
const NESTED: f64 = 0.955;
const QUALIFIED: f64 = 0.95;
const REMARKED: f64 = 0.97;
/// Words for what the register is about, before what is said of it: `Certificate owner`.
const ABOUT: &[&str] = &[
    "certificate",
    "cert",
    "secret",
    "key",
    "token",
    "credential",
    "account",
    "user",
    "api",
];
/// What says nothing without that word.
const BARE: &[&str] = &["id", "key", "type", "account", "number", "user"];

/// A header, and what is left of it without what stands around the word that tells.
struct Names(Vec<(f64, String, Vec<String>)>);

impl Names {
    fn new(header: &str) -> Names {
        let mut all = Vec::new();
        let mut add = |weight: f64, mut words: Vec<String>| {
            words.retain(|word| !NOISE.contains(&word.as_str()));
            if !words.is_empty() {
                all.push((weight, words.join(" "), words));
            }
        };
        add(1.0, words(header));
        if let Some((_, last)) = header.rsplit_once('.')
            && last.chars().any(char::is_alphabetic)
            && !header.contains(' ')
        {
            add(NESTED, words(last));
        }
        if let Some((before, _)) = header.split_once(['(', '[']) {
            add(REMARKED, words(before));
        }
        let all_words = words(header);
        if let [first, rest @ ..] = all_words.as_slice()
            && ABOUT.contains(&first.as_str())
            && !rest.is_empty()
            && !(rest.len() == 1 && BARE.contains(&rest[0].as_str()))
        {
            add(QUALIFIED, rest.to_vec());
        }
        Names(all)
    }

    /// Only words that are known as they stand count without what is around them.
    fn score(&self, field: &Field) -> (f64, usize) {
        let mut best = (0.0, usize::MAX);
        for (weight, text, words) in &self.0 {
            let (score, rank) = name_score(field, text, words);
            let score = match *weight {
                1.0 => score,
                weight if score == 1.0 => weight,
                _ => 0.0,
            };
            if score > best.0 {
                best = (score, rank);
            }
        }
        best
    }
}

/// Words of a header that say nothing about the field.
const NOISE: &[&str] = &[
    "the",
    "of",
    "a",
    "an",
    "der",
    "die",
    "das",
    "des",
    "utc",
    "gmt",
    "optional",
    "mandatory",
    "required",
    "please",
    "yyyy",
    "mm",
    "dd",
];

/// The proposals as a piece of `keymuster.toml`: what is taken as it stands; as comments what is
/// to be decided, what is kept without a meaning, and dates whose order nobody can tell.
pub fn proposal_toml(table: &Table, proposals: &[Proposal]) -> String {
    let mut out = String::from("[inventory.map]\n");
    let mut done = BTreeSet::new();
    for proposal in proposals.iter().filter(|proposal| proposal.taken) {
        if !done.insert(proposal.field) {
            continue;
        }
        let same = proposals
            .iter()
            .filter(|p| p.taken && p.field == proposal.field);
        let mut headers: Vec<String> = Vec::new();
        for p in same {
            out.push_str(&format!(
                "# {}, {:.2}: {}\n",
                shown(&p.column),
                p.score,
                p.reason
            ));
            let text = toml::Value::String(p.column.clone()).to_string();
            if !headers.contains(&text) {
                headers.push(text);
            }
        }
        out.push_str(&format!("{} = [{}]\n", proposal.field, headers.join(", ")));
    }
    for p in proposals.iter().filter(|p| !p.taken) {
        let text = toml::Value::String(shown(&p.column)).to_string();
        out.push_str(&format!(
            "# decide: not taken, {:.2}: {}\n# {} = [{text}]\n",
            p.score, p.reason, p.field
        ));
    }
    for proposal in proposals
        .iter()
        .filter(|p| p.taken && DATES.contains(&p.field))
    {
        out.push_str(&date_question(table, proposal).unwrap_or_default());
    }
    let known: BTreeSet<usize> = proposals.iter().map(|p| p.index).collect();
    let rest = table.headers.iter().enumerate();
    for (_, header) in rest.filter(|(index, _)| !known.contains(index)) {
        out.push_str(&format!(
            "# {}: no field's name; kept and shown with the record\n",
            shown(header)
        ));
    }
    out
}

/// What must be decided before a column of dates can be read, with both readings.
fn date_question(table: &Table, proposal: &Proposal) -> Option<String> {
    let values: Vec<(u64, &str)> = table
        .rows
        .iter()
        .map(|row| (row.row, row.cells[proposal.index].as_str()))
        .collect();
    let refusal = dates::column(&values, None).err()?;
    let example = match &refusal {
        Refusal::Undecided(rows) => rows.first().cloned(),
        Refusal::Contradiction(_) | Refusal::ShortYear(..) => None,
    };
    let error = refused("", &proposal.column, proposal.field, refusal);
    let mut out = format!("# decide: {}: {}\n", shown(&proposal.column), error.message);
    let Some(example) = example else {
        let help = error.help.unwrap_or_default();
        out.push_str(&format!("# {help}\n"));
        return Some(out);
    };
    for (word, order) in [
        ("dmy", dates::DateOrder::Dmy),
        ("mdy", dates::DateOrder::Mdy),
    ] {
        let read = dates::column(&[(example.0, &example.1)], Some(order)).ok();
        let day = read.and_then(|moments| moments[0]?.at(DayIs::Start));
        let day = day.map_or_else(
            || "no date".to_owned(),
            |at| at.strftime("%-d %B %Y").to_string(),
        );
        out.push_str(&format!(
            "# date-order = {{ {} = \"{word}\" }}  # {} is {day}\n",
            proposal.field,
            shown(&example.1)
        ));
    }
    Some(out)
}
