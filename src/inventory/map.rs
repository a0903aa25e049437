//! Columns to fields: what the configuration says, and what headers and values tell by
//! themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    dates::DateOrder,
    field::{self, Field, name_score},
    read::Table,
    text::{nearest, shown, squeezed, words},
    words::is_placeholder,
};

/// At and above: taken. Below, down to [`PROPOSED`]: proposed, not used.
const TAKEN: f64 = 0.85;
const PROPOSED: f64 = 0.60;
/// How many values of a column are looked at.
const SAMPLE: usize = 200;

/// `[inventory.map]` as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct InventoryMap {
    /// Field to headers, the first non-empty cell wins; an empty list leaves the field out.
    pub columns: BTreeMap<String, Vec<String>>,
    /// `date-order`: of every column of dates.
    pub date_order: Option<DateOrder>,
    /// `date-order = { expires_at = "mdy" }`: by field.
    pub date_orders: BTreeMap<String, DateOrder>,
    /// `null`: further cells that say nothing, compared as headers are.
    pub null: Vec<String>,
    /// `values.status = { "Läuft" = "active" }`: what a field's cells mean.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// `header-row`, as an editor counts lines.
    pub header_row: Option<u64>,
}

impl TryFrom<toml::Table> for InventoryMap {
    type Error = String;

    fn try_from(table: toml::Table) -> Result<InventoryMap, String> {
        let mut map = InventoryMap::default();
        for (key, value) in table {
            match key.as_str() {
                "date-order" => map.take_order(&value)?,
                "null" => map.null = texts("null", &value)?,
                "values" => map.take_values(&value)?,
                "header-row" => {
                    let row = value.as_integer().and_then(|row| u64::try_from(row).ok());
                    let row = row.filter(|&row| row > 0);
                    map.header_row =
                        Some(row.ok_or("`header-row` is the number of a line, from 1")?);
                }
                field => {
                    known_field(field)?;
                    map.columns.insert(key.clone(), texts(field, &value)?);
                }
            }
        }
        Ok(map)
    }
}

impl InventoryMap {
    fn take_order(&mut self, value: &toml::Value) -> Result<(), String> {
        let order = |value: &toml::Value| {
            let order = value.as_str().and_then(DateOrder::from_word);
            order.ok_or("`date-order` is \"dmy\", \"mdy\" or \"ymd\", or one of them by field")
        };
        match value {
            toml::Value::Table(fields) => {
                for (field, value) in fields {
                    known_field(field)?;
                    self.date_orders.insert(field.clone(), order(value)?);
                }
            }
            value => self.date_order = Some(order(value)?),
        }
        Ok(())
    }

    fn take_values(&mut self, value: &toml::Value) -> Result<(), String> {
        let shape = "`values` holds a table per field: `values.status = { \"Live\" = \"active\" }`";
        for (field, value) in value.as_table().ok_or(shape)? {
            known_field(field)?;
            let mut meanings = BTreeMap::new();
            for (cell, meaning) in value.as_table().ok_or(shape)? {
                let meaning = meaning.as_str().ok_or(shape)?;
                meanings.insert(squeezed(cell), meaning.to_owned());
            }
            self.values.insert(field.clone(), meanings);
        }
        Ok(())
    }

    /// The order of a field's dates, where configured.
    pub(crate) fn order_of(&self, field: &str) -> Option<DateOrder> {
        self.date_orders.get(field).copied().or(self.date_order)
    }

    /// Whether a cell says nothing.
    pub(crate) fn is_null(&self, cell: &str) -> bool {
        is_placeholder(cell)
            || self
                .null
                .iter()
                .any(|null| null == cell || squeezed(null) == squeezed(cell))
    }

    /// Whether a text is a header that the configuration names.
    pub(crate) fn names_header(&self, text: &str) -> bool {
        let text = squeezed(text);
        let mut named = self.columns.values().flatten();
        named.any(|header| squeezed(header) == text)
    }
}

fn known_field(field: &str) -> Result<(), String> {
    let names = || field::RECORD.iter().map(|known| known.name);
    if names().any(|name| name == field) {
        return Ok(());
    }
    let keys = ["date-order", "null", "values", "header-row"];
    Err(match nearest(field, names().chain(keys)) {
        Some(near) => format!("no field is named `{field}`; did you mean `{near}`?"),
        None => format!("no field is named `{field}`; `keymuster inventory template` lists them"),
    })
}

fn texts(key: &str, value: &toml::Value) -> Result<Vec<String>, String> {
    let wrong = || format!("`{key}` is a text or a list of texts");
    match value {
        toml::Value::String(text) => Ok(vec![text.clone()]),
        toml::Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect(),
        _ => Err(wrong()),
    }
}

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
}

/// What the columns of a register probably are, from left to right; columns that resemble no
/// field are left out.
pub fn propose(table: &Table) -> Vec<Proposal> {
    propose_fields(table, field::RECORD, &BTreeSet::new(), &BTreeSet::new())
}

/// The same for any dictionary, without some columns (by index) and fields (by name).
pub(crate) fn propose_fields(
    table: &Table,
    fields: &'static [Field],
    without_columns: &BTreeSet<usize>,
    without_fields: &BTreeSet<&str>,
) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (index, header) in table.headers.iter().enumerate() {
        if without_columns.contains(&index) {
            continue;
        }
        let fields = fields
            .iter()
            .filter(|field| !without_fields.contains(field.name));
        proposals.extend(best(table, index, header, fields));
    }
    // The best column of each field is taken; a second one only where columns add up, or where
    // the headers are the same.
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut order: Vec<usize> = (0..proposals.len()).collect();
    order.sort_by(|&a, &b| {
        proposals[b]
            .score
            .total_cmp(&proposals[a].score)
            .then(a.cmp(&b))
    });
    for at in order {
        if !proposals[at].taken {
            continue;
        }
        let adds_up = fields
            .iter()
            .any(|f| f.name == proposals[at].field && f.many);
        match taken.get(proposals[at].field) {
            Some(&first)
                if !adds_up
                    && squeezed(&proposals[first].column) != squeezed(&proposals[at].column) =>
            {
                let other = shown(&proposals[first].column);
                proposals[at].taken = false;
                proposals[at]
                    .reason
                    .push_str(&format!("; `{other}` fits better"));
            }
            Some(_) => {}
            None => {
                taken.insert(proposals[at].field, at);
            }
        }
    }
    proposals
}

fn best<'a>(
    table: &Table,
    index: usize,
    header: &str,
    fields: impl Iterator<Item = &'a Field>,
) -> Option<Proposal> {
    let header_words: Vec<String> = words(header)
        .into_iter()
        .filter(|word| !NOISE.contains(&word.as_str()))
        .collect();
    let header_text = header_words.join(" ");
    let values: Vec<&str> = table
        .rows
        .iter()
        .map(|row| row.cells[index].as_str())
        .filter(|cell| !is_placeholder(cell))
        .take(SAMPLE)
        .collect();
    let mut best: Option<Proposal> = None;
    for field in fields {
        let name = name_score(field, &header_text, &header_words);
        if name == 0.0 {
            continue;
        }
        let fitting: f64 = values.iter().map(|value| field.shape.fit(value)).sum();
        let fit = if values.is_empty() {
            0.7
        } else {
            fitting / values.len() as f64
        };
        let score = 0.6 * name + 0.4 * fit;
        if score < PROPOSED || best.as_ref().is_some_and(|best| best.score >= score) {
            continue;
        }
        let says = match name {
            1.0 => "the header is a known word for it",
            0.9 => "the header resembles a known word for it",
            _ => "the header holds a known word for it",
        };
        let fits = match values.len() {
            0 => "no values".to_owned(),
            n => format!("values fit by {:.0} % ({n} looked at)", fit * 100.0),
        };
        best = Some(Proposal {
            column: header.to_owned(),
            index,
            field: field.name,
            score,
            reason: format!("{says}, {fits}"),
            taken: score >= TAKEN,
        });
    }
    best
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

/// The proposals as a piece of `keymuster.toml`: what is taken as it stands, the rest as
/// comments to be decided.
pub fn proposal_toml(proposals: &[Proposal]) -> String {
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
            "# not taken, {:.2}: {}\n# {} = [{text}]\n",
            p.score, p.reason, p.field
        ));
    }
    out
}

/// Which columns feed which fields.
#[derive(Debug, Default)]
pub(crate) struct Mapping {
    /// Field to columns (by index), in order of preference.
    pub(crate) fields: BTreeMap<&'static str, Vec<usize>>,
    /// Columns that feed none.
    pub(crate) extra: Vec<usize>,
    /// What to tell.
    pub(crate) notes: Vec<String>,
}

impl Mapping {
    /// The columns of a field.
    pub(crate) fn columns(&self, field: &str) -> &[usize] {
        self.fields.get(field).map_or(&[], Vec::as_slice)
    }
}

/// Maps a table: first what is configured, then what headers and values tell.
pub(crate) fn map_table(
    label: &str,
    table: &Table,
    fields: &'static [Field],
    map: &InventoryMap,
) -> Mapping {
    let mut mapping = Mapping::default();
    let mut claimed = BTreeSet::new();
    let mut configured = BTreeSet::new();
    for field in fields {
        let Some(headers) = map.columns.get(field.name) else {
            continue;
        };
        configured.insert(field.name);
        for header in headers {
            let wanted = squeezed(header);
            let found = table.headers.iter().enumerate();
            let found: Vec<usize> = found
                .filter(|(_, name)| *name == header || squeezed(name) == wanted)
                .map(|(index, _)| index)
                .collect();
            if found.is_empty() && headers.len() == 1 {
                let near = nearest(header, table.headers.iter().map(String::as_str));
                let near = near.map(|near| format!("; the nearest is `{}`", shown(near)));
                mapping.notes.push(format!(
                    "{label}: no column `{}`, which `{}` is mapped to{}",
                    shown(header),
                    field.name,
                    near.unwrap_or_default()
                ));
            }
            claimed.extend(&found);
            mapping.fields.entry(field.name).or_default().extend(found);
        }
    }
    for proposal in propose_fields(table, fields, &claimed, &configured) {
        if proposal.taken {
            claimed.insert(proposal.index);
            let columns = mapping.fields.entry(proposal.field).or_default();
            columns.push(proposal.index);
        } else {
            mapping.notes.push(format!(
                "{label}: column `{}` may be `{}` ({:.2}: {}) and is not used as such; map it to decide",
                shown(&proposal.column),
                proposal.field,
                proposal.score,
                proposal.reason
            ));
        }
    }
    for field in fields.iter().filter(|field| !field.many) {
        if let [first, .., _] = mapping.columns(field.name)
            && !map.columns.contains_key(field.name)
        {
            mapping.notes.push(format!(
                "{label}: several columns `{}`; the first non-empty cell is used",
                shown(&table.headers[*first])
            ));
        }
    }
    mapping.extra = (0..table.headers.len())
        .filter(|i| !claimed.contains(i))
        .collect();
    mapping
}

#[cfg(test)]
mod tests {
    use super::{InventoryMap, Proposal, map_table, proposal_toml, propose};
    use crate::inventory::{
        field::RECORD,
        read::{ReadCx, Table, read_table},
    };

    fn table(text: &str) -> Table {
        let cx = ReadCx {
            label: "r.csv",
            header_row: None,
            knows: &crate::inventory::field::is_header_word,
        };
        read_table(Some("csv"), text.as_bytes(), &cx).unwrap()
    }

    fn taken(proposals: &[Proposal]) -> Vec<(&str, &str)> {
        let taken = proposals.iter().filter(|p| p.taken);
        taken.map(|p| (p.column.as_str(), p.field)).collect()
    }

    #[test]
    fn registers_in_several_languages_map_themselves() {
        let cases = [
            (
                "Account,System,Owner,Purpose,Approved by,Created,Status\ndeploy,shop,jane@x.io,ships,Bob,2024-01-02,active\n",
                "name system owner purpose approver issued_at status",
            ),
            (
                "Bezeichnung;Fachanwendung;Verantwortlich;Zweck;Genehmigt von;Ablaufdatum;Status;Umgebung\na;b;c;d;e;31.12.2027;aktiv;Produktion\n",
                "name system owner purpose approver expires_at status environment",
            ),
            (
                "Nom;Système;Propriétaire;Finalité;Approuvé par;Date d'expiration;Statut\na;b;c;d;e;2027-01-31;actif\n",
                "name system owner purpose approver expires_at status",
            ),
            (
                "Nombre;Sistema;Propietario;Propósito;Aprobado por;Fecha de caducidad;Estado\na;b;c;d;e;2027-01-31;activo\n",
                "name system owner purpose approver expires_at status",
            ),
            (
                "Nome;Sistema;Responsabile;Scopo;Approvato da;Data di scadenza;Stato\na;b;c;d;e;2027-01-31;attivo\n",
                "name system owner purpose approver expires_at status",
            ),
            (
                "Nome;Sistema;Responsável;Finalidade;Aprovado por;Vencimento;Situação\na;b;c;d;e;2027-01-31;ativo\n",
                "name system owner purpose approver expires_at status",
            ),
            (
                "Naam;Systeem;Eigenaar;Doel;Goedgekeurd door;Vervaldatum;Omgeving\na;b;c;d;e;2027-01-31;productie\n",
                "name system owner purpose approver expires_at environment",
            ),
        ];
        for (text, expected) in cases {
            let proposals = propose(&table(text));
            let fields: Vec<&str> = taken(&proposals)
                .into_iter()
                .map(|(_, field)| field)
                .collect();
            assert_eq!(fields.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn values_decide_between_meanings() {
        let names = propose(&table("Account,Owner\ndeploy bot,x\n"));
        assert_eq!(taken(&names)[0], ("Account", "name"));
        let numbers = propose(&table("Account,Owner\n123456789012,x\n"));
        assert_eq!(taken(&numbers)[0], ("Account", "account"));
        let misnamed = propose(&table("Name,Expires\na,Jane\n"));
        assert_eq!(taken(&misnamed), [("Name", "name")]);
        assert!(misnamed.iter().any(|p| p.field == "expires_at" && !p.taken));
    }

    #[test]
    fn one_column_per_field_and_the_rest_is_told() {
        let proposals = propose(&table(
            "Name,Owner,Responsible,Remarks\na,Jane,jane@x.io,r\n",
        ));
        assert_eq!(
            taken(&proposals),
            [("Name", "name"), ("Responsible", "owner")]
        );
        let text = proposal_toml(&proposals);
        assert!(text.contains("owner = [\"Responsible\"]"), "{text}");
        assert!(text.contains("# owner = [\"Owner\"]"), "{text}");
        let parsed: toml::Table = text.parse().unwrap();
        assert!(parsed["inventory"]["map"].get("name").is_some());
    }

    #[test]
    fn duplicate_columns_are_noted() {
        let table = table("Name,Owner,Owner\na,,Jane\n");
        let mapping = map_table("r.csv", &table, RECORD, &InventoryMap::default());
        assert_eq!(mapping.columns("owner"), [1, 2]);
        assert!(mapping.notes[0].contains("several columns `Owner`"));
    }

    #[test]
    fn the_configuration_comes_first() {
        let config = "owner = [\"wer zahlt\", \"Owner\"]\nstatus = []\npurpose = \"Wozu?\"\n\
                      date-order = \"dmy\"\nvalues.status = { \"Läuft\" = \"active\" }\nnull = \"leer\"";
        let map: InventoryMap = toml::from_str(config).unwrap();
        let table = table("Name,Owner,Wer zahlt,Status\na,Jane,Bob,active\n");
        let mapping = map_table("r.csv", &table, RECORD, &map);
        assert_eq!(mapping.columns("owner"), [2, 1]);
        assert_eq!(mapping.columns("status"), [] as [usize; 0]);
        assert_eq!(mapping.extra, [3]);
        assert!(
            mapping
                .notes
                .iter()
                .any(|n| n.contains("no column `Wozu?`"))
        );
        assert_eq!(map.values["status"]["lauft"], "active");
        assert!(map.is_null("Leer"));
    }

    #[test]
    fn mistakes_in_the_configuration_are_errors() {
        let cases = [
            (
                "onwer = \"x\"",
                "no field is named `onwer`; did you mean `owner`?",
            ),
            ("owner = 3", "`owner` is a text or a list of texts"),
            ("date-order = \"american\"", "`date-order` is"),
            ("header-row = 0", "`header-row` is"),
            ("values = 3", "`values` holds"),
        ];
        for (config, expected) in cases {
            let error = toml::from_str::<InventoryMap>(config)
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{config}: {error}");
        }
    }
}
