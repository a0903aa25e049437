//! JSON exports: one answer, a list of answers, or answers one after another (JSON Lines).
//!
//! Entries are collected while the text is read, so what stands before a cut or a mistake is
//! kept. Each entry is parsed for itself, so one odd entry costs only itself.

use std::{collections::BTreeSet, fmt};

use keymuster_api::GapKind;
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, error::Category, value::RawValue};

use super::{
    Reader, controls, running,
    small::{encoded_report, id_in_name, is_access_key_id, mapped_last_used, push_last_used},
};
use crate::{
    parts::{At, Listed, Pages},
    wire::{AccessKeyEntry, ListedCredential},
};

/// A file with more mistakes than this is given up.
const MAX_RESTARTS: u32 = 1_000;
/// So is one whose mistakes made the reader look at it this many times over: a mistake may be
/// noticed at the end of the file only.
const MAX_REREADS: usize = 4;

/// Reads every JSON value of the text.
pub(super) fn read(reader: &mut Reader<'_>, text: &str) {
    let mut walk = Walk {
        reader,
        text,
        lines: LineCount::default(),
        known: false,
    };
    let (mut base, mut restarts, mut reread) = (0, 0, 0);
    loop {
        let mut values = Deserializer::from_str(&text[base..]).into_iter::<&RawValue>();
        let broken = loop {
            let start = base + values.byte_offset();
            match values.next() {
                None => break None,
                Some(Ok(raw)) => {
                    walk.value(raw.get(), offset_in(text, raw.get()));
                }
                Some(Err(_)) => break Some(start),
            }
        };
        // What stands before the mistake is read again, this time for itself.
        let Some(broken) = broken else { break };
        reread += walk.value(&text[broken..], broken);
        // In JSON Lines, and in files written one after another, the next value may be whole. It
        // is looked for from where the broken one began, which may have swallowed it.
        let from = broken + text[broken..].len() - text[broken..].trim_start().len();
        let rest = text.get(from..).unwrap_or_default();
        restarts += 1;
        match ["\n{", "\n["]
            .iter()
            .filter_map(|mark| rest.find(mark))
            .min()
        {
            Some(next) if restarts < MAX_RESTARTS && reread / MAX_REREADS <= text.len() => {
                base = from + next + 1
            }
            _ => break,
        }
    }
    let known = walk.known;
    if !known {
        reader.unsupported();
    }
}

/// Where a part of the text begins in it: it borrows from it, so the distance is the offset.
fn offset_in(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize)
        .wrapping_sub(text.as_ptr() as usize)
        .min(text.len())
}

/// The byte offset of a line and column, both from 1, columns in bytes.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start = if line <= 1 {
        0
    } else {
        memchr::memchr_iter(b'\n', text.as_bytes())
            .nth(line - 2)
            .map_or(text.len(), |at| at + 1)
    };
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Counts lines up to growing offsets.
#[derive(Default)]
struct LineCount {
    offset: usize,
    line: u32,
}

impl LineCount {
    fn of(&mut self, text: &str, offset: usize) -> u32 {
        if offset < self.offset {
            *self = LineCount::default();
        }
        let between = &text.as_bytes()[self.offset..offset];
        self.line += memchr::memchr_iter(b'\n', between).count() as u32;
        self.offset = offset;
        self.line + 1
    }
}

pub(super) struct Walk<'w, 'r, 't> {
    pub(super) reader: &'w mut Reader<'r>,
    text: &'t str,
    lines: LineCount,
    /// Whether anything was recognised.
    pub(super) known: bool,
}

impl Walk<'_, '_, '_> {
    /// Reads one value, or as much of it as there is; returns how many bytes that were, if it
    /// broke off. The offset is the value's in the text.
    fn value(&mut self, value: &str, offset: usize) -> usize {
        let mut from = Deserializer::from_str(value);
        let Err(error) = (Value {
            walk: self,
            depth: 0,
        })
        .deserialize(&mut from) else {
            return 0;
        };
        let at = offset + offset_of(value, error.line(), error.column());
        let line = self.lines.of(self.text, at);
        let what = match error.classify() {
            Category::Eof => "the file ends in the middle of a value",
            Category::Data => "a value has another shape",
            Category::Syntax | Category::Io => "this is no valid JSON",
        };
        let column = at - self.text[..at].rfind('\n').map_or(0, |feed| feed + 1) + 1;
        let reason = format!(
            "{what} at line {line} column {column}; what stands before it was read, export it again"
        );
        self.reader.gap_at(GapKind::Corrupt, reason, Some(line));
        self.known = true;
        at - offset
    }

    pub(super) fn line(&mut self, raw: &RawValue) -> u32 {
        self.lines.of(self.text, offset_in(self.text, raw.get()))
    }

    /// One entry of a list. A key that occurs twice is told, and the last value counts.
    fn entry<T: DeserializeOwned>(&mut self, what: &str, raw: &RawValue) -> Option<At<T>> {
        let line = self.line(raw);
        let file = self.reader.index;
        let first = match serde_json::from_str::<T>(raw.get()) {
            Ok(value) => return Some(At { value, file, line }),
            Err(error) => error,
        };
        let again = serde_json::from_str::<serde_json::Value>(raw.get())
            .ok()
            .and_then(|value| serde_json::from_str::<T>(&value.to_string()).ok());
        let at = line + first.line().saturating_sub(1) as u32;
        let reason = match &again {
            Some(_) => {
                format!("a key of the {what} at line {at} is given twice; the last one counts")
            }
            None => format!(
                "the {what} at line {at} column {} has another shape; it was left out",
                first.column()
            ),
        };
        self.reader.gap_at(GapKind::Corrupt, reason, Some(at));
        again.map(|value| At { value, file, line })
    }
}

/// A JSON value at the top, or in a list at the top.
struct Value<'x, 'w, 'r, 't> {
    walk: &'x mut Walk<'w, 'r, 't>,
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.depth >= 4 {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        while list
            .next_element_seed(Value {
                walk: self.walk,
                depth: self.depth + 1,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut object = Object::default();
        let done = object.read(self.walk, &mut map);
        object.finish(self.walk);
        done
    }
}

/// What one object told besides its lists.
#[derive(Default)]
struct Object {
    seen: BTreeSet<String>,
    details: bool,
    details_entries: u64,
    keys: bool,
    key_entries: u64,
    truncated: bool,
    line: u32,
    user_name: Option<String>,
    access_key_id: Option<String>,
    status: Option<Box<RawValue>>,
    create_date: Option<Box<RawValue>>,
    last_used: Option<Box<RawValue>>,
    control: controls::Parts,
    running: running::Single,
}

impl Object {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        walk: &mut Walk<'_, '_, '_>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let twice = !self.seen.insert(key.clone());
            if twice && is_known(&key) {
                let reason = format!("the key {key} is given twice in one object; both were read");
                walk.reader.gap(GapKind::Corrupt, reason);
            }
            match key.as_str() {
                "UserDetailList" => {
                    self.details = true;
                    self.details_entries +=
                        fill(walk, map, "user", |w, at| w.parts.users.push(at))?;
                }
                "GroupDetailList" => {
                    self.details = true;
                    self.details_entries +=
                        fill(walk, map, "group", |w, at| w.parts.groups.push(at))?;
                }
                "RoleDetailList" => {
                    self.details = true;
                    self.details_entries +=
                        fill(walk, map, "role", |w, at| w.parts.roles.push(at))?;
                }
                "Policies" => {
                    self.details_entries +=
                        fill(walk, map, "policy", |w, at| w.parts.policies.push(at))?;
                    walk.known = true;
                }
                "Users" => {
                    fill(walk, map, "user", |w, at| w.parts.listed_users.push(at))?;
                }
                "Roles" => {
                    fill(walk, map, "role", |w, at| w.parts.listed_roles.push(at))?;
                }
                "AccessKeyMetadata" => {
                    self.keys = true;
                    self.key_entries += fill(walk, map, "access key", |w, at| {
                        w.parts.access_keys.push(at)
                    })?;
                }
                "ServiceSpecificCredentials" => {
                    fill(walk, map, "credential", |w, at| {
                        w.parts.service_credentials.push(at)
                    })?;
                }
                _ if let Some(list) = listed(&key) => {
                    walk.known = true;
                    fill(walk, map, "credential", |w, at: At<ListedCredential>| {
                        w.parts.listed.push(At {
                            value: Listed {
                                list,
                                entry: at.value,
                            },
                            file: at.file,
                            line: at.line,
                        });
                    })?;
                }
                "IsTruncated" => self.truncated |= map.next_value::<&RawValue>()?.get() == "true",
                "UserName" => self.user_name = text(map.next_value()?),
                "AccessKeyId" => self.access_key_id = text(map.next_value()?),
                "Status" => self.status = Some(map.next_value()?),
                "CreateDate" => self.create_date = Some(map.next_value()?),
                "AccessKeyLastUsed" => {
                    let raw: &RawValue = map.next_value()?;
                    self.line = walk.line(raw);
                    self.last_used = Some(raw.to_owned());
                }
                "Content" => {
                    let raw: &RawValue = map.next_value()?;
                    encoded_report(walk, raw, &mut self.control);
                }
                _ if running::wants_list(&key) => {
                    let raw: &RawValue = map.next_value()?;
                    let line = walk.line(raw);
                    running::list(walk, raw, line);
                }
                _ if running::wants(&key) => {
                    let raw: &RawValue = map.next_value()?;
                    self.line = walk.line(raw);
                    self.running.take(key, raw);
                }
                _ if controls::wants(&key) => {
                    let raw: &RawValue = map.next_value()?;
                    self.line = walk.line(raw);
                    self.control.take(&key, raw);
                }
                _ if is_access_key_id(&key) => {
                    let raw: &RawValue = map.next_value()?;
                    mapped_last_used(walk, key, raw);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    /// Files what the object's small members tell together.
    fn finish(self, walk: &mut Walk<'_, '_, '_>) {
        let file = walk.reader.index;
        if self.details {
            let pages = walk.reader.parts.details_pages.entry(file).or_default();
            count(pages, self.truncated, self.details_entries);
            walk.known = true;
        }
        if self.keys {
            let pages = walk.reader.parts.key_pages.entry(file).or_default();
            count(pages, self.truncated, self.key_entries);
        }
        if let Some(last_used) = self.last_used {
            let id = self.access_key_id.or_else(|| id_in_name(walk.reader.shown));
            push_last_used(walk, id, self.user_name, &last_used, self.line);
        } else if let Some(id) = self.access_key_id
            && (self.status.is_some() || self.create_date.is_some())
            && !self.seen.contains("SecretAccessKey")
        {
            // An entry of a list of access keys that was taken out of its answer.
            let inner = format!(
                r#"{{"AccessKeyId":{},"UserName":{},"Status":{},"CreateDate":{}}}"#,
                serde_json::Value::from(id),
                serde_json::Value::from(self.user_name),
                self.status.as_deref().map_or("null", RawValue::get),
                self.create_date.as_deref().map_or("null", RawValue::get),
            );
            if let Ok(value) = serde_json::from_str::<AccessKeyEntry>(&inner) {
                let line = walk.lines.line + 1;
                walk.reader.parts.access_keys.push(At { value, file, line });
                walk.known = true;
            }
        }
        self.running.finish(walk, self.line.max(1));
        walk.known |= self.control.finish(walk.reader, self.line.max(1));
    }
}

/// Lists of credentials that are neither keys nor passwords.
fn listed(key: &str) -> Option<&'static str> {
    let lists = [
        "SSHPublicKeys",
        "Certificates",
        "ServerCertificateMetadataList",
        "SAMLProviderList",
        "subjects",
    ];
    lists.into_iter().find(|list| *list == key)
}

fn is_known(key: &str) -> bool {
    matches!(
        key,
        "UserDetailList"
            | "GroupDetailList"
            | "RoleDetailList"
            | "Policies"
            | "Users"
            | "Roles"
            | "AccessKeyMetadata"
            | "ServiceSpecificCredentials"
            | "Statement"
            | "scps"
    )
}

fn count(pages: &mut Pages, truncated: bool, entries: u64) {
    pages.truncated += u32::from(truncated);
    pages.last += u32::from(!truncated);
    pages.empty += u32::from(entries == 0);
}

/// A list of entries, each filed by `push`; returns how many there were.
fn fill<'de, T: DeserializeOwned, A: MapAccess<'de>>(
    walk: &mut Walk<'_, '_, '_>,
    map: &mut A,
    what: &'static str,
    push: impl FnMut(&mut Reader<'_>, At<T>),
) -> Result<u64, A::Error> {
    struct List<'x, 'w, 'r, 't, F, T>(
        &'x mut Walk<'w, 'r, 't>,
        &'static str,
        F,
        std::marker::PhantomData<T>,
    );
    impl<'de, T: DeserializeOwned, F: FnMut(&mut Reader<'_>, At<T>)> DeserializeSeed<'de>
        for List<'_, '_, '_, '_, F, T>
    {
        type Value = u64;
        fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<u64, D::Error> {
            from.deserialize_any(self)
        }
    }
    impl<'de, T: DeserializeOwned, F: FnMut(&mut Reader<'_>, At<T>)> Visitor<'de>
        for List<'_, '_, '_, '_, F, T>
    {
        type Value = u64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of {}", self.1)
        }
        fn visit_unit<E>(self) -> Result<u64, E> {
            Ok(0)
        }
        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<u64, A::Error> {
            let mut entries = 0;
            while let Some(raw) = list.next_element::<&RawValue>()? {
                entries += 1;
                if let Some(at) = self.0.entry(self.1, raw) {
                    (self.2)(self.0.reader, at);
                }
            }
            Ok(entries)
        }
    }
    walk.known = true;
    map.next_value_seed(List(walk, what, push, std::marker::PhantomData))
}

pub(super) fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}
