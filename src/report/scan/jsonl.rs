//! One JSON object a line, written as it goes.

use std::io::{self, Write};

use super::{ScanCx, ScanFormat, row::Row};
use crate::{estate::Sighting, report::wire};

pub(super) struct Jsonl;

impl ScanFormat for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn about(&self) -> &'static str {
        "one JSON object a line, one line per place"
    }

    fn write(
        &self,
        sightings: &[Sighting],
        cx: &ScanCx<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for sighting in sightings {
            wire::compact(out, &Row::new(sighting, cx))?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}
