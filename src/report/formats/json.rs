//! `findings.json`: the document itself.

use std::io::{self, Write};

use super::Format;
use crate::report::{Document, FormatCx, wire};

pub(super) struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn file(&self) -> &'static str {
        "findings.json"
    }

    fn about(&self) -> &'static str {
        "the record: everything that is known, for programs and for later"
    }

    fn write(&self, doc: &Document, _cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        wire::pretty(out, doc)?;
        out.flush()
    }

    fn check(&self, doc: &Document, written: &[u8]) -> Result<(), String> {
        let read = Document::read(written).map_err(|error| error.to_string())?;
        if &read != doc {
            return Err("it reads differently from what was written".to_owned());
        }
        Ok(())
    }
}
