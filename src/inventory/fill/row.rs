//! One row to one record.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    InventorySpec,
    dates::{Dated, Dates},
    identifier_columns, source,
};
use crate::inventory::{
    EvidenceRef, Identifier, Record, RecordDetails, Role, field, identify,
    ids::derived_id,
    map::Mapping,
    read::Table,
    seal::{Leak, is_secret_column},
    text::{shown, squeezed, trimmed},
    words,
};

/// What rows are read with.
pub(super) struct Filling<'a> {
    pub(super) spec: &'a InventorySpec,
    pub(super) table: &'a Table,
    pub(super) mapping: &'a Mapping,
    pub(super) dates: Dates,
}

/// One row on its way.
pub(super) struct Filled<'a> {
    filling: &'a Filling<'a>,
    row: usize,
    extra: BTreeMap<String, String>,
    /// What to tell about it.
    pub(super) told: Vec<String>,
}

impl<'a> Filled<'a> {
    pub(super) fn new(filling: &'a Filling<'a>, row: usize) -> Filled<'a> {
        Filled {
            filling,
            row,
            extra: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    fn cell(&self, column: usize) -> Option<&'a str> {
        let cell = self.filling.table.rows[self.row].cells[column].as_str();
        (!self.filling.spec.map.is_null(cell)).then_some(cell)
    }

    /// The first column of a field that says something in this row.
    fn column(&self, field: &str) -> Option<usize> {
        debug_assert!(
            field::RECORD.iter().any(|known| known.name == field),
            "{field}"
        );
        let mut columns = self.filling.mapping.columns(field).iter().copied();
        columns.find(|&column| self.cell(column).is_some())
    }

    /// What a field's cell says, or what the configuration says that it means.
    fn text(&self, field: &str) -> Option<String> {
        let cell = self.cell(self.column(field)?)?;
        let values = &self.filling.spec.map.values;
        let meaning = values.get(field).and_then(|m| m.get(&squeezed(cell)));
        Some(meaning.map_or(cell, String::as_str).to_owned())
    }

    fn list(&self, field: &str) -> Vec<String> {
        let text = self.text(field).unwrap_or_default();
        let items = text.split([';', ',', '\n']).map(trimmed);
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A field of words; one that is not known stays in `extra`.
    fn word<T>(&mut self, field: &str, known: fn(&str) -> Option<T>) -> Option<T> {
        let column = self.column(field)?;
        let text = self.text(field)?;
        let meaning = known(&text);
        if meaning.is_none() {
            self.unread(column);
            self.told.push(format!(
                "`{}` is not known as `{field}` and read as nothing; give it a meaning in `values.{field}`",
                shown(&text)
            ));
        }
        meaning
    }

    /// A field of words that may also be something else.
    fn loose_word(&self, field: &str, known: fn(&str) -> Option<&'static str>) -> Option<String> {
        let text = self.text(field)?;
        Some(known(&text).map_or(text, str::to_owned))
    }

    fn date(&mut self, field: &str) -> Option<Timestamp> {
        for &column in self.filling.mapping.columns(field) {
            let dates = self.filling.dates.get(&column);
            match dates.map(|cells| cells[self.row]) {
                Some(Dated::At(at)) => return Some(at),
                Some(Dated::Nothing) | None => {}
                Some(Dated::Never) => {
                    self.unread(column);
                    return None;
                }
                Some(Dated::Unread) => {
                    self.unread(column);
                    let header = shown(&self.filling.table.headers[column]);
                    self.told.push(format!(
                        "column `{header}` holds no date and is read as nothing"
                    ));
                    return None;
                }
            }
        }
        None
    }

    /// Keeps a cell as the register has it.
    fn unread(&mut self, column: usize) {
        let header = &self.filling.table.headers[column];
        let mut name = header.clone();
        let mut n = 2;
        while self.extra.contains_key(&name) {
            name = format!("{header} ({n})");
            n += 1;
        }
        let cell = self.filling.table.rows[self.row].cells[column].clone();
        self.extra.insert(name, cell);
    }

    /// What the row is known by: first what columns declare, then what shapes tell.
    fn identifiers(&self, leaks: &[&Leak]) -> Vec<Identifier> {
        let mapping = self.filling.mapping;
        let mut found = Vec::new();
        for (scheme, column) in identifier_columns(mapping) {
            if let Some(cell) = self.cell(column) {
                found.extend(identify::declared(scheme, cell));
            }
        }
        let names = mapping.columns("name").iter();
        let mut mentioned = Vec::new();
        for column in names.chain(&mapping.extra).copied() {
            let Some(cell) = self.cell(column) else {
                continue;
            };
            let (sniffed, whole) = identify::sniff(cell);
            if whole {
                found.extend(sniffed);
            } else {
                mentioned.extend(sniffed);
            }
        }
        // What a remark mentions may be another credential; it counts where nothing else does.
        if found.is_empty() {
            found = mentioned;
        }
        found.extend(leaks.iter().map(|leak| Identifier {
            scheme: "fingerprint_hmac".to_owned(),
            value: leak.redaction.secret.to_string(),
        }));
        let mut seen = BTreeSet::new();
        found.retain(|identifier| seen.insert(identifier.clone()));
        found
    }

    /// The record; `None` where the row names nothing.
    pub(super) fn record(&mut self, leaks: &[&Leak]) -> Option<Record> {
        let identifiers = self.identifiers(leaks);
        let name = self.text("name");
        if identifiers.is_empty() && name.is_none() {
            self.told
                .push("neither identifier nor name; skipped".to_owned());
            return None;
        }
        for &column in &self.filling.mapping.extra {
            let kept = !is_secret_column(&self.filling.table.headers[column]);
            if kept && self.cell(column).is_some() {
                self.unread(column);
            }
        }
        let spec = self.filling.spec;
        let mut record = Record {
            source: source(spec, self.filling.table.rows[self.row].row),
            identifiers,
            name,
            entity: self.text("entity").or_else(|| spec.entity.clone()),
            ..Record::default()
        };
        self.what_it_is(&mut record);
        self.who_answers(&mut record);
        self.its_life(&mut record);
        if self.filling.mapping.has_details {
            let details = self.details();
            if details != RecordDetails::default() {
                record.details = Some(Box::new(details));
            }
        }
        record.extra = std::mem::take(&mut self.extra);
        record.id = self
            .text("record_id")
            .unwrap_or_else(|| derived_id(&record));
        Some(record)
    }

    fn what_it_is(&mut self, record: &mut Record) {
        let owned = |word: &'static str| word.to_owned();
        record.credential_type = self
            .word("credential_type", words::credential_type)
            .map(owned);
        record.system = self.text("system");
        record.provider = self.text("provider").map(|text| words::provider(&text));
        record.account = self.text("account");
        record.environment = self.word("environment", words::environment).map(owned);
        record.purpose = self.text("purpose");
        record.scope = self.list("scope");
        record.data_classes = self.list("data_classes");
        record.tier = self.word("tier", words::tier);
        record.trust_tier = self.loose_word("trust_tier", words::trust_tier);
        record.vendor = self.text("vendor");
    }

    fn who_answers(&mut self, record: &mut Record) {
        record.owner = self.text("owner");
        record.owner_kind = self.word("owner_kind", words::owner_kind);
        record.approver = self.text("approver");
        record.approved_at = self.date("approved_at");
        record.approval_ref = self.text("approval_ref");
    }

    fn its_life(&mut self, record: &mut Record) {
        record.status = self.word("status", words::status);
        record.issued_at = self.date("issued_at");
        record.expires_at = self.date("expires_at");
        record.no_expiry_reason = self.text("no_expiry_reason");
        record.max_lifetime_days = self.word("max_lifetime_days", words::days);
        record.rotation_days = self.word("rotation_days", words::days);
        record.last_rotated_at = self.date("last_rotated_at");
        record.last_reviewed_at = self.date("last_reviewed_at");
        record.revocation_path = self.text("revocation_path");
        record.recovery_procedure = self.text("recovery_procedure");
        record.revoked_at = self.date("revoked_at");
        record.revoked_by = self.text("revoked_by");
    }

    fn details(&mut self) -> RecordDetails {
        let roles = Role::ALL.into_iter();
        RecordDetails {
            business_process: self.text("business_process"),
            apis: self.list("apis"),
            application: self.text("business_application"),
            direction: self.loose_word("direction", words::direction),
            conditions: self.text("conditions"),
            audience: self.list("audience"),
            auth_method: self.loose_word("auth_method", words::auth_method),
            store: self.text("store"),
            contract_ref: self.text("contract_ref"),
            contract_end: self.date("contract_end"),
            split: self.text("split"),
            issued_by_event: self.text("issued_by_event"),
            rotation_evidence: self.text("rotation_evidence"),
            review_decision: self.word("review_decision", words::review_decision),
            review_ref: self.text("review_ref"),
            need_signal: self.text("need_signal"),
            revocation_drill_at: self.date("revocation_drill_at"),
            revocation_evidence: self.text("revocation_evidence"),
            grant_type: self.loose_word("grant_type", words::grant_type),
            exception_ref: self.text("exception_ref"),
            log_source: self.text("log_source"),
            evidence: self
                .text("evidence")
                .map(|t| evidence(&t))
                .unwrap_or_default(),
            roles: roles
                .filter_map(|role| Some((role, self.text(role.as_str())?)))
                .collect(),
        }
    }
}

/// References, each perhaps with what it proves before it: `review: CHG-12; CHG-13`.
fn evidence(text: &str) -> Vec<EvidenceRef> {
    let pieces = text.split([';', '\n']).map(trimmed);
    pieces
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let named = piece
                .split_once(':')
                .and_then(|(kind, rest)| Some((words::evidence_kind(kind)?, trimmed(rest))));
            let (kind, reference) = match named {
                Some((kind, rest)) => (Some(kind), rest),
                None => (None, piece),
            };
            EvidenceRef {
                kind,
                reference: reference.to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::evidence;
    use crate::inventory::EvidenceKind;

    #[test]
    fn evidence_may_say_what_it_proves() {
        let found = evidence("rotation: CHG-1; https://x.example/a:b;;Review:R2");
        let kinds: Vec<_> = found.iter().map(|one| one.kind).collect();
        assert_eq!(
            kinds,
            [
                Some(EvidenceKind::Rotation),
                None,
                Some(EvidenceKind::Review)
            ]
        );
        assert_eq!(found[1].reference, "https://x.example/a:b");
    }
}
