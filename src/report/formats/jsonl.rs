//! `findings.jsonl`: one finding a line, for streams.

use std::io::{self, Write};

use serde::Serialize;

use super::Format;
use crate::report::{Document, FindingEntry, FormatCx, SCHEMA, wire};

pub(super) struct Jsonl;

/// A line stands alone, so it says which run it is from.
#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    run: &'a str,
    estate: &'a str,
    #[serde(flatten)]
    finding: &'a FindingEntry,
}

impl Format for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn file(&self) -> &'static str {
        "findings.jsonl"
    }

    fn about(&self) -> &'static str {
        "one finding a line, the members of findings.json"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        for finding in &doc.findings {
            let line = Line {
                schema: SCHEMA,
                run: &doc.run.id,
                estate: &doc.run.estate,
                finding,
            };
            wire::compact(out, &line)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    fn check(&self, doc: &Document, written: &[u8]) -> Result<(), String> {
        let mut count = 0;
        for line in serde_json::Deserializer::from_slice(written).into_iter::<FindingEntry>() {
            let read = line.map_err(|error| error.to_string())?;
            if doc.findings.get(count) != Some(&read) {
                return Err(format!("line {} reads differently", count + 1));
            }
            count += 1;
        }
        if count != doc.findings.len() {
            return Err(format!("{count} lines for {} findings", doc.findings.len()));
        }
        Ok(())
    }
}
