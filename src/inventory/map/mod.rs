//! Columns to fields: what the configuration says, and what headers and values tell by
//! themselves.

use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod headers;
mod propose;

use propose::propose_fields;
pub use propose::{Proposal, proposal_toml, propose, propose_people};

use super::{
    dates::DateOrder,
    field::{self, Field},
    read::Table,
    text::{nearest, shown, squeezed},
    words::is_placeholder,
};

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

/// Which columns feed which fields.
#[derive(Debug, Default)]
pub(crate) struct Mapping {
    /// Field to columns (by index), in order of preference.
    pub(crate) fields: BTreeMap<&'static str, Vec<usize>>,
    /// Columns that feed none.
    pub(crate) extra: Vec<usize>,
    /// Whether any column feeds a field of [`super::RecordDetails`].
    pub(crate) has_details: bool,
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
    let rare = mapping.fields.keys().any(|name| field::is_detail(name));
    mapping.has_details = rare;
    // The cells of rare fields are kept as they were written, too.
    let detail = |index: &usize| {
        let mut fields = mapping.fields.iter();
        fields.any(|(name, columns)| field::is_detail(name) && columns.contains(index))
    };
    let extra = (0..table.headers.len()).filter(|i| !claimed.contains(i) || detail(i));
    mapping.extra = extra.collect();
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
        let cx = ReadCx::plain("r.csv", &crate::inventory::field::is_header_word);
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
        let table = table("Name,Owner,Responsible,Remarks\na,Jane,jane@x.io,r\n");
        let proposals = propose(&table);
        assert_eq!(
            taken(&proposals),
            [("Name", "name"), ("Responsible", "owner")]
        );
        let text = proposal_toml(&table, &proposals);
        assert!(text.contains("owner = [\"Responsible\"]"), "{text}");
        assert!(text.contains("# owner = [\"Owner\"]"), "{text}");
        assert!(text.contains("# Remarks: no field's name"), "{text}");
        let parsed: toml::Table = text.parse().unwrap();
        assert!(parsed["inventory"]["map"].get("name").is_some());
    }

    #[test]
    fn the_first_words_for_a_field_win_and_others_look_for_another_one() {
        let proposals = propose(&table("name,managed_by,owned_by,sys_id\na,Bob,Jane,x1\n"));
        assert_eq!(
            taken(&proposals),
            [
                ("name", "name"),
                ("owned_by", "owner"),
                ("sys_id", "record_id")
            ]
        );
        let nested = propose(&table(
            "metadata.name,tags.Owner,tags.costcenter\na,Jane,7\n",
        ));
        assert_eq!(
            taken(&nested),
            [("metadata.name", "name"), ("tags.Owner", "owner")]
        );
    }

    #[test]
    fn dates_that_nobody_can_tell_are_asked_with_both_readings() {
        let table = table("Name,Expires,Created\na,03/04/2027,25/12/2026\n");
        let text = proposal_toml(&table, &propose(&table));
        let expected = "# decide: Expires: no value tells day from month (row 2: `03/04/2027`)\n\
            # date-order = { expires_at = \"dmy\" }  # 03/04/2027 is 3 April 2027\n\
            # date-order = { expires_at = \"mdy\" }  # 03/04/2027 is 4 March 2027\n";
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("issued_at = \"dmy\""), "{text}");
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
