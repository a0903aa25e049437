//! Reads files one after another and keeps what was wrong with them.

use std::{fs, io::Read, path::PathBuf};

use keymuster_api::{Cx, Gap, GapKind, Source};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::{
    entries::{self, Entry, Take},
    files::{self, ExportFile},
    pages::Pages,
};

/// A file bigger than this is not read, whatever memory allows.
const MAX_FILE: u64 = 2 << 30;

/// Whether somebody knows what an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was taken, or told as broken.
    Known,
    /// It is nothing that is known here.
    Unknown,
}

/// What was read so far, and what was not.
pub struct Reader<'a> {
    cx: &'a Cx<'a>,
    /// What is accepted, for the reason of a gap.
    accepted: &'static str,
    /// Members of answers that list entries.
    pub(crate) lists: &'static [&'static str],
    /// Files, as they are shown.
    pub files: Vec<String>,
    /// What was not seen.
    pub gaps: Vec<Gap>,
    /// Whether something could not be read: nothing is complete then.
    pub unread: bool,
    pages: Pages,
}

impl<'a> Reader<'a> {
    /// A reader of answers whose entries stand in these members; `accepted` says what is known.
    pub fn new(
        cx: &'a Cx<'a>,
        lists: &'static [&'static str],
        accepted: &'static str,
    ) -> Reader<'a> {
        Reader {
            cx,
            accepted,
            lists,
            files: Vec::new(),
            gaps: Vec::new(),
            unread: false,
            pages: Pages::default(),
        }
    }

    /// Hands over every entry of every file behind the paths, in the order of paths.
    pub fn read(
        &mut self,
        paths: &[PathBuf],
        mut take: impl FnMut(&mut Reader<'_>, Entry<'_>) -> Taken,
    ) {
        let found = files::expand(paths);
        for (path, kind, reason) in found.unreadable {
            self.unread = true;
            self.gaps.push(Gap {
                kind,
                subject: path.clone(),
                reason,
                source: self.cx.source(path),
            });
        }
        let bytes = found.files.iter().map(|file| file.size).sum();
        self.cx.progress.expect(bytes, 0);
        for file in &found.files {
            self.files.push(file.shown.clone());
            if self.cx.cancel.is_cancelled() {
                let reason = "the run was stopped before this export was read".to_owned();
                self.gap(GapKind::Cancelled, reason, None);
                continue;
            }
            if let Some(text) = self.text_of(file) {
                entries::read(self, &text, &mut take as &mut Take<'_>);
            }
            self.cx.progress.advance(file.size, 0);
        }
        self.tell_cut_lists();
    }

    fn tell_cut_lists(&mut self) {
        let cut: Vec<_> = self
            .pages
            .cut()
            .map(|(what, file, line)| (what.to_owned(), file, line))
            .collect();
        for (what, file, line) in cut {
            let source = self.source(file, line);
            self.unread = true;
            self.gaps.push(Gap {
                kind: GapKind::Missing,
                subject: self.files[file as usize].clone(),
                reason: format!(
                    "the list ({what}) goes on behind its last page here; export all pages"
                ),
                source,
            });
        }
    }

    /// The number of the file that is read now.
    pub(crate) fn file(&self) -> u32 {
        (self.files.len().saturating_sub(1)) as u32
    }

    pub(crate) fn page(&mut self, list: &str, of: &str, promising: bool, file: u32, line: u32) {
        let shown = &self.files[file as usize];
        let folder = shown.rfind(['/', '\\']).map_or("", |at| &shown[..at]);
        let what = match of {
            "" => format!("{folder}: {list}"),
            of => format!("{folder}: {of}"),
        };
        self.pages.count(what, promising, file, line);
    }

    /// Where an entry was read.
    pub fn source(&self, file: u32, line: u32) -> Source {
        let shown = self.files.get(file as usize).map_or("", String::as_str);
        self.cx.source(format!("{shown}:{line}"))
    }

    /// A gap about the file that is read now: nothing of the run is complete any more.
    pub fn gap(&mut self, kind: GapKind, reason: String, line: Option<u32>) {
        let shown = self.files.last().cloned().unwrap_or_default();
        let locator = match line {
            Some(line) => format!("{shown}:{line}"),
            None => shown.clone(),
        };
        let gap = Gap {
            kind,
            subject: shown,
            reason,
            source: self.cx.source(locator),
        };
        // What is looked at again is not told again.
        if self.gaps.last() != Some(&gap) {
            self.gaps.push(gap);
        }
        self.unread |= kind != GapKind::Unsupported;
    }

    pub(crate) fn unsupported(&mut self) {
        self.gap(GapKind::Unsupported, self.accepted.to_owned(), None);
    }

    /// An entry as a value. A key that occurs twice is told, and the last one counts; an entry of
    /// another shape is told and left out.
    pub fn parse<T: DeserializeOwned>(&mut self, what: &str, entry: &Entry<'_>) -> Option<T> {
        let first = match serde_json::from_str::<T>(entry.raw.get()) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let again = serde_json::from_str::<serde_json::Value>(entry.raw.get())
            .ok()
            .and_then(|value| serde_json::from_value::<T>(value).ok());
        let at = entry.line + first.line().saturating_sub(1) as u32;
        let reason = match &again {
            Some(_) => {
                format!("a key of the {what} at line {at} is given twice; the last one counts")
            }
            None => format!(
                "the {what} at line {at} column {} has another shape; it was left out",
                first.column()
            ),
        };
        self.gap(GapKind::Corrupt, reason, Some(at));
        again
    }

    /// Text that people wrote, with secrets taken out: labels and descriptions hold anything.
    pub fn clean(&self, text: &str) -> String {
        let mut out = String::new();
        let mut from = 0;
        for found in self.cx.redactor.redact(text) {
            if let Some(before) = text.get(from..found.span.start) {
                out.push_str(before);
                out.push_str("[sealed ");
                out.push_str(&found.rule);
                out.push(']');
                from = found.span.end;
            }
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }

    /// The text of a file; wiped when it is let go, because exports hold what should not be
    /// there.
    fn text_of(&mut self, file: &ExportFile) -> Option<Zeroizing<String>> {
        let limit = self.cx.max_memory.min(MAX_FILE);
        let mut bytes = Zeroizing::new(Vec::with_capacity(
            usize::try_from(file.size.min(limit)).unwrap_or(0) + 1,
        ));
        let read = fs::File::open(&file.path)
            .and_then(|open| open.take(limit + 1).read_to_end(&mut bytes));
        match read {
            Err(error) => {
                let (_, kind, reason) = files::unreadable(&file.path, &error);
                self.gap(kind, reason, None);
                return None;
            }
            Ok(_) if bytes.len() as u64 > limit => {
                let reason =
                    format!("larger than {limit} bytes; raise --max-memory or export in pages");
                self.gap(GapKind::Limit, reason, None);
                return None;
            }
            Ok(_) => {}
        }
        let text = self.decode(bytes);
        if text.trim_start().is_empty() {
            let reason = "the file is empty; export it again".to_owned();
            self.gap(GapKind::Corrupt, reason, None);
            return None;
        }
        if !text.trim_start().starts_with(['{', '[']) {
            self.unsupported();
            return None;
        }
        Some(text)
    }

    /// Text from bytes: UTF-8 with or without a byte order mark, or UTF-16 with one (which
    /// PowerShell's `>` writes).
    fn decode(&mut self, mut bytes: Zeroizing<Vec<u8>>) -> Zeroizing<String> {
        let wide = match bytes.get(..2) {
            Some([0xff, 0xfe]) => Some(u16::from_le_bytes as fn([u8; 2]) -> u16),
            Some([0xfe, 0xff]) => Some(u16::from_be_bytes as fn([u8; 2]) -> u16),
            _ => None,
        };
        if let Some(join) = wide {
            let units = bytes[2..]
                .chunks_exact(2)
                .map(|pair| join([pair[0], pair[1]]));
            return Zeroizing::new(
                char::decode_utf16(units)
                    .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            );
        }
        let owned = std::mem::take(&mut *bytes);
        let mut text = match String::from_utf8(owned) {
            Ok(text) => Zeroizing::new(text),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let reason = format!(
                    "byte {at} is no UTF-8; read with replacements, export it again as UTF-8"
                );
                self.gap(GapKind::Corrupt, reason, None);
                let bytes = Zeroizing::new(error.into_bytes());
                Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
            }
        };
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        text
    }
}
