//! Finds the entries of a JSON text: objects, alone, in lists, and in lists inside an answer.
//!
//! Entries are handed over while the text is read, so what stands before a cut or a mistake is
//! kept. Each entry is parsed for itself, so one odd entry costs only itself.

use std::fmt;

use keymuster_api::GapKind;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, error::Category, value::RawValue};

use crate::{
    pages::promises_more,
    reader::{Reader, Taken},
};

/// A file with more mistakes than this is given up.
const MAX_RESTARTS: u32 = 1_000;
/// So is one whose mistakes made the reader look at it this many times over: a mistake may be
/// noticed at the end of the file only.
const MAX_REREADS: usize = 4;
/// Lists inside lists, deeper than any export nests its pages.
const MAX_DEPTH: u8 = 4;

/// One object of an export.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'t> {
    /// Its text.
    pub raw: &'t RawValue,
    /// The file, as an index into [`Reader::files`].
    pub file: u32,
    /// Its line there, from 1.
    pub line: u32,
    /// The member of the answer that lists it; empty where it stands alone.
    pub list: &'t str,
    /// What the answer says it lists (`kind`, `@odata.context`), as far as that stands before it.
    pub of: &'t str,
}

/// Takes an entry; says whether it knows what it is.
pub(crate) type Take<'a> = dyn FnMut(&mut Reader<'_>, Entry<'_>) -> Taken + 'a;

/// Reads every entry of the text.
pub(crate) fn read(reader: &mut Reader<'_>, text: &str, take: &mut Take<'_>) {
    let mut walk = Walk {
        reader,
        take,
        text,
        lines: LineCount::default(),
        known: false,
        strange: Vec::new(),
        seen: 0,
    };
    let (mut base, mut restarts, mut reread) = (0, 0, 0);
    loop {
        let mut values = Deserializer::from_str(&text[base..]).into_iter::<&RawValue>();
        let broken = loop {
            let start = base + values.byte_offset();
            match values.next() {
                None => break None,
                Some(Ok(raw)) => walk.whole(raw, "", "", 0),
                Some(Err(_)) => break Some(start),
            }
        };
        // What stands before the mistake is read again, this time for itself.
        let Some(broken) = broken else { break };
        reread += walk.salvage(broken);
        // In JSON Lines, and in files written one after another, the next value may be whole. It
        // is looked for from where the broken one began, which may have swallowed it.
        let start = broken + text[broken..].len() - text[broken..].trim_start().len();
        let from = start.max(walk.seen);
        let rest = text.get(from..).unwrap_or_default();
        restarts += 1;
        let next = ["\n{", "\n["].iter().filter_map(|mark| rest.find(mark));
        match next.min() {
            Some(next) if restarts < MAX_RESTARTS && reread / MAX_REREADS <= text.len() => {
                base = from + next + 1;
            }
            _ => break,
        }
    }
    walk.finish();
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

struct Walk<'w, 'r, 't> {
    reader: &'w mut Reader<'r>,
    take: &'w mut Take<'w>,
    text: &'t str,
    lines: LineCount,
    /// Whether anything was recognised, or told as broken.
    known: bool,
    /// Lines of entries that nobody knows.
    strange: Vec<u32>,
    /// Up to where entries were handed over: what is looked at again is not handed over again.
    seen: usize,
}

impl<'t> Walk<'_, '_, 't> {
    fn line(&mut self, raw: &RawValue) -> u32 {
        self.lines.of(self.text, offset_in(self.text, raw.get()))
    }

    /// A value that is valid JSON as a whole.
    fn whole(&mut self, raw: &'t RawValue, list: &str, of: &str, depth: u8) {
        match raw.get().as_bytes().first() {
            Some(b'[') if depth <= MAX_DEPTH => {
                let inner: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
                // A list without a single entry is a list all the same.
                self.known |= inner.is_empty();
                for one in inner {
                    self.whole(one, list, of, depth + 1);
                }
            }
            Some(b'{') => self.object(raw, list, of, depth),
            _ => {
                let line = self.line(raw);
                self.strange.push(line);
            }
        }
    }

    fn object(&mut self, raw: &'t RawValue, list: &str, of: &str, depth: u8) {
        let Members(members) = serde_json::from_str(raw.get()).unwrap_or_default();
        let lists = self.reader.lists;
        // An entry has lists of its own: of names, or empty ones.
        let is_bare = members.iter().all(|(name, _)| is_around_list(name, lists));
        let is_list = |(name, raw): &(String, &RawValue)| {
            let inner = raw.get().strip_prefix('[').map(str::trim_start);
            lists.contains(&name.as_str())
                && inner.is_some_and(|inner| {
                    inner.starts_with(['{', '[']) || (is_bare && inner.starts_with(']'))
                })
        };
        let listed = members.iter().find(|member| is_list(member));
        let Some((name, inner)) = listed.filter(|_| depth <= MAX_DEPTH) else {
            return self.entry(raw, list, of);
        };
        let kind = members.iter().find(|(name, _)| is_kind(name));
        let kind: String = kind
            .and_then(|(_, raw)| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default();
        let line = self.line(raw);
        let is_promising = promises_more(&members);
        let file = self.reader.file();
        self.reader.page(name, &kind, is_promising, file, line);
        self.whole(inner, name, &kind, depth + 1);
    }

    fn entry(&mut self, raw: &RawValue, list: &str, of: &str) {
        let end = offset_in(self.text, raw.get()) + raw.get().len();
        if end <= self.seen {
            return;
        }
        self.seen = end;
        let line = self.line(raw);
        let entry = Entry {
            raw,
            file: self.reader.file(),
            line,
            list,
            of,
        };
        match (self.take)(self.reader, entry) {
            Taken::Known => self.known = true,
            Taken::Unknown => self.strange.push(line),
        }
    }

    /// Reads as much as there is of a value that is broken; returns how many bytes that were.
    fn salvage(&mut self, from: usize) -> usize {
        let text: &'t str = self.text;
        let value = &text[from..];
        let mut source = Deserializer::from_str(value);
        let seed = Broken {
            walk: self,
            list: "",
            of: "",
            depth: 0,
        };
        let Err(error) = seed.deserialize(&mut source) else {
            return 0;
        };
        let at = from + offset_of(value, error.line(), error.column());
        let line = self.lines.of(text, at);
        let what = match error.classify() {
            Category::Eof => "the file ends in the middle of a value",
            Category::Data => "a value has another shape",
            Category::Syntax | Category::Io => "this is no valid JSON",
        };
        let column = at - text[..at].rfind('\n').map_or(0, |feed| feed + 1) + 1;
        let reason = format!(
            "{what} at line {line} column {column}; what stands before it was read, export it again"
        );
        self.reader.gap(GapKind::Corrupt, reason, Some(line));
        self.known = true;
        at - from
    }

    /// Tells of what nobody knows: the whole file, or single entries beside known ones.
    fn finish(self) {
        let Some(first) = self.strange.first().copied() else {
            if !self.known {
                self.reader.unsupported();
            }
            return;
        };
        if !self.known {
            return self.reader.unsupported();
        }
        let reason = format!(
            "{} entries are of no kind that is known here, the first at line {first}; they were left out",
            self.strange.len()
        );
        self.reader.gap(GapKind::Unsupported, reason, Some(first));
    }
}

/// Members that stand around a list: what it lists, of which version, whether it goes on.
fn is_around_list(name: &str, lists: &[&str]) -> bool {
    name.starts_with("@odata.")
        || matches!(
            name,
            "kind" | "apiVersion" | "metadata" | "meta" | "nextPageToken" | "nextLink"
        )
        || lists.contains(&name)
}

/// Members that say what an answer lists.
fn is_kind(name: &str) -> bool {
    matches!(name, "kind" | "@odata.context")
}

/// The members of an object, each as text; one that occurs twice occurs twice here.
#[derive(Default)]
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de: 't, 't> serde::Deserialize<'de> for Members<'t> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Members<'t>, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry::<String, &RawValue>()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }
        from.deserialize_map(Each)
    }
}

/// A value that breaks off somewhere.
struct Broken<'x, 'w, 'r, 't> {
    walk: &'x mut Walk<'w, 'r, 't>,
    list: &'x str,
    of: &'x str,
    depth: u8,
}

impl<'t> DeserializeSeed<'t> for Broken<'_, '_, '_, 't> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'t>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Broken<'_, '_, '_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<(), A::Error> {
        // The entries before the mistake are whole; the mistake itself ends the list.
        while let Some(raw) = list.next_element::<&'t RawValue>()? {
            self.walk.whole(raw, self.list, self.of, self.depth + 1);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let mut of = String::new();
        while let Some(name) = map.next_key::<String>()? {
            if self.walk.reader.lists.contains(&name.as_str()) {
                map.next_value_seed(Broken {
                    walk: self.walk,
                    list: &name,
                    of: &of,
                    depth: self.depth + 1,
                })?;
            } else if is_kind(&name) {
                let raw: &RawValue = map.next_value()?;
                of = serde_json::from_str(raw.get()).unwrap_or_default();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
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
}
