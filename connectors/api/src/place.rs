//! Where bytes lie: a system, a resource in it, a spot in that.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Index of a connector instance in the run's configuration, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SystemId(pub u32);

/// A path as bytes with `/` between its parts, relative to the resource's root.
///
/// Shown with bytes that are no UTF-8, and control characters, written as `\xNN`, so that a
/// hostile file name cannot drive a terminal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PathBytes(pub Vec<u8>);

impl PathBytes {
    /// The last part of the path.
    pub fn name(&self) -> &[u8] {
        self.0.rsplit(|&b| b == b'/').next().unwrap_or(&self.0)
    }
}

impl From<&str> for PathBytes {
    fn from(text: &str) -> Self {
        PathBytes(text.as_bytes().to_vec())
    }
}

impl fmt::Display for PathBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() || is_invisible(c) {
                    let mut utf8 = [0; 4];
                    for byte in c.encode_utf8(&mut utf8).bytes() {
                        write!(f, "\\x{byte:02x}")?;
                    }
                } else {
                    f.write_char(c)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for PathBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Characters that change how the text around them is shown: bidirectional controls,
/// zero-width characters, tags (Unicode TR 36).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A git object id: SHA-1 (20 bytes) or SHA-256 (32 bytes).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    bytes: [u8; 32],
    len: u8,
}

impl ObjectId {
    /// From 20 or 32 raw bytes; `None` for any other length.
    pub fn from_bytes(raw: &[u8]) -> Option<ObjectId> {
        if raw.len() != 20 && raw.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(ObjectId {
            bytes,
            len: raw.len() as u8,
        })
    }

    /// From 40 or 64 hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Option<ObjectId> {
        if hex.len() != 40 && hex.len() != 64 {
            return None;
        }
        let mut raw = [0; 32];
        for (out, pair) in raw.iter_mut().zip(hex.chunks_exact(2)) {
            let high = (pair[0] as char).to_digit(16)?;
            let low = (pair[1] as char).to_digit(16)?;
            *out = (high * 16 + low) as u8;
        }
        ObjectId::from_bytes(&raw[..hex.len() / 2])
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Where in a resource the bytes lie. In pack order no path is known yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spot {
    /// A file of a directory tree.
    File {
        /// Relative to the resource's root.
        path: PathBytes,
    },
    /// A git blob, found by its id; `locate` names its paths.
    Blob {
        /// The blob.
        id: ObjectId,
    },
    /// The message (and headers) of a commit or an annotated tag.
    Message {
        /// The commit or tag.
        id: ObjectId,
    },
    /// A named place that holds one value: a CI variable, a secret of a vault.
    Slot {
        /// `org/repo`, `group/project@environment` …
        scope: String,
        /// The slot's name.
        name: String,
    },
    /// Something else with an address in its system.
    Object {
        /// As the system writes it.
        address: String,
    },
}

/// Where bytes lie.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The connector instance.
    pub system: SystemId,
    /// The resource (repository, directory, account), as announced by `Item::Resource`.
    pub resource: u32,
    /// Where in it.
    pub spot: Spot,
}

/// What a path says about its content. Small and closed, because a candidate carries one
/// verdict for each of them: in pack order the path is known only afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PathClass {
    /// Nothing special.
    Plain,
    /// Tests, fixtures, examples, mocks.
    Test,
    /// Prose: Markdown, reStructuredText, man pages, change logs.
    Docs,
    /// Lock files, checksum lists, minified bundles, source maps: generated noise.
    Generated,
    /// Key and value configuration: `.env`, INI, properties, `.tfvars`, `.npmrc` …
    Config,
}

impl PathClass {
    /// Every class, in the order of their bits.
    pub const ALL: [PathClass; 5] = [
        PathClass::Plain,
        PathClass::Test,
        PathClass::Docs,
        PathClass::Generated,
        PathClass::Config,
    ];
}

/// A set of path classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathClasses(u8);

impl PathClasses {
    /// All classes.
    pub const ALL: PathClasses = PathClasses(0b1_1111);
    /// No class.
    pub const NONE: PathClasses = PathClasses(0);

    /// This set and one more class.
    #[must_use]
    pub const fn with(self, class: PathClass) -> PathClasses {
        PathClasses(self.0 | 1 << class as u8)
    }

    /// This set but one class.
    #[must_use]
    pub const fn without(self, class: PathClass) -> PathClasses {
        PathClasses(self.0 & !(1 << class as u8))
    }

    /// Whether the class is in the set.
    pub const fn contains(self, class: PathClass) -> bool {
        self.0 & (1 << class as u8) != 0
    }

    /// The classes that are in both sets.
    #[must_use]
    pub const fn and(self, other: PathClasses) -> PathClasses {
        PathClasses(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{ObjectId, PathBytes};

    #[test]
    fn hostile_names_are_shown_harmless() {
        let path = PathBytes(b"a/\x1b[2J\xff\xe2\x80\xaeb".to_vec());
        assert_eq!(path.to_string(), r"a/\x1b[2J\xff\xe2\x80\xaeb");
    }

    #[test]
    fn object_ids_read_what_they_write() {
        let hex = b"00ff3c4d5e6f708192a3b4c5d6e7f8090a1b2c3d";
        let id = ObjectId::from_hex(hex).expect("40 digits");
        assert_eq!(id.to_string().as_bytes(), hex);
        assert_eq!(ObjectId::from_hex(b"00f"), None);
        assert_eq!(ObjectId::from_hex(&[b'g'; 40]), None);
    }
}
