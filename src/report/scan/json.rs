//! The objects of `jsonl` in an array.

use std::io::{self, Write};

use super::{ScanCx, ScanFormat, row::Row};
use crate::{estate::Sighting, report::wire};

pub(super) struct Json;

impl ScanFormat for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "the objects of jsonl in one array"
    }

    fn write(
        &self,
        sightings: &[Sighting],
        cx: &ScanCx<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        out.write_all(b"[")?;
        for (i, sighting) in sightings.iter().enumerate() {
            out.write_all(if i == 0 { b"\n" } else { b",\n" })?;
            wire::compact(out, &Row::new(sighting, cx))?;
        }
        out.write_all(if sightings.is_empty() {
            b"]\n"
        } else {
            b"\n]\n"
        })?;
        out.flush()
    }
}
