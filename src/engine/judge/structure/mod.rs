//! The reader of structure: from a word that says "secret" to the value that belongs to it.
//!
//! A rule's anchor is part of a name. The reader takes the whole name, what joins it with a value
//! (`=`, `:`, a call, an element, an attribute pair, a flag …) and the value, in quotes or bare.
//! It knows forms, not languages: a dozen forms cover JSON, YAML, TOML, INI, properties, XML,
//! `.env`, HCL, shell, SQL, Dockerfiles, URLs and the common programming languages. It looks at
//! the bytes it is given and nothing else, so a verdict stays a function of the rule's window.
//! What the value is worth is decided in [`value`].

mod name;
mod reader;
mod value;

use keymuster_api::PathClasses;
use std::ops::Range;

pub(in crate::engine) use reader::Reading;

/// Bytes after an anchor that the reader may look at.
pub(in crate::engine) const REACH: usize = 640;

/// The value that belongs to the name around `key`, and the path classes in which it counts.
/// Nothing before `floor` or more than 128 bytes before `key` is looked at.
pub(in crate::engine) fn judge(
    bytes: &[u8],
    floor: usize,
    key: Range<usize>,
) -> Result<(Reading, PathClasses), &'static str> {
    let name = name::read(bytes, floor, key)?;
    let reading = reader::read(bytes, floor, &name)?;
    let classes = value::classes(bytes, &name, &reading)?;
    Ok((reading, classes))
}
