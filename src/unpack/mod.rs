//! Containers of files, opened in memory: archives, packages, images, compressed files.
//!
//! A content is a container if its first bytes say so, whatever its name ([`format()`]). Members
//! are lent one after another; a member that is a container is opened in turn. Nothing is ever
//! written to disk, so names that climb out of a folder climb nowhere. What is not opened
//! (encrypted, damaged, over a limit) is told as a gap with the member's name.
//!
//! Invariant: bounded whatever the bytes say. Depth, members and unpacked bytes are counted
//! over the whole outermost container ([`Limits`]), so nesting multiplies nothing; at most one
//! member and the directory of one archive are held per level.
//!
//! Not here: where members are searched and told, which is `sweep`'s; encodings inside a text,
//! which are the engine's.

mod archive;
mod cpio;
mod format;
mod notebook;
mod office;
mod pyc;
mod sqlite;
mod stream;
mod tar;
mod zip;

use std::io::{self, Cursor, Read};

use keymuster_api::{GapKind, ReadSeek};
use zeroize::Zeroizing;

pub use format::{Format, format};

/// How far containers are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Containers inside one another; 0 opens none.
    pub depth: usize,
    /// Bytes that one outermost container may unpack to.
    pub bytes: u64,
    /// Members of one outermost container.
    pub members: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            depth: 8,
            bytes: 2 << 30,
            members: 500_000,
        }
    }
}

/// A container may unpack to this many times its size …
const RATIO: u64 = 250;
/// … and to this many bytes in any case.
const FREE: u64 = 64 << 20;
/// Bytes of one member that are held.
const MEMBER: u64 = 64 << 20;
/// Bytes that decide what a member is.
const HEAD: u64 = 1 << 10;

/// What takes members and gaps.
pub trait Out {
    /// A file: its path inside the outermost container, the compressions around it, outermost
    /// first, and its bytes. The path is empty if only compression is around it.
    fn member(&mut self, path: &[u8], layers: &[&'static str], bytes: &[u8]);

    /// Something that was not seen: kind, path inside, and why with the next step.
    fn gap(&mut self, kind: GapKind, path: &[u8], reason: String);

    /// Whether to stop.
    fn is_cancelled(&self) -> bool;
}

/// Opens a container of this length. Whatever can be read of it is lent.
pub fn open(
    format: Format,
    source: &mut dyn ReadSeek,
    length: u64,
    limits: Limits,
    out: &mut dyn Out,
) {
    let bytes = limits.bytes.min(FREE.max(length.saturating_mul(RATIO)));
    let mut walk = Walk {
        limits,
        bytes,
        allowed: bytes,
        members: limits.members,
        is_over: false,
        depth: 0,
        path: Vec::new(),
        layers: Vec::new(),
        out,
    };
    if limits.depth == 0 {
        walk.too_deep();
        return;
    }
    walk.seekable(format, source);
    if walk.is_over {
        let reason = if walk.members == 0 {
            format!(
                "it has more than {} members; raise --max-archive-members",
                limits.members
            )
        } else if walk.allowed == limits.bytes {
            format!(
                "it unpacks to more than {} bytes; raise --max-archive-size",
                limits.bytes
            )
        } else {
            format!(
                "it unpacks to more than {RATIO} times its size; unpack it yourself if you trust it, and scan the folder"
            )
        };
        walk.out.gap(GapKind::Limit, b"", reason);
    }
}

/// A walk through one outermost container.
struct Walk<'a> {
    limits: Limits,
    /// Bytes that may still be unpacked.
    bytes: u64,
    allowed: u64,
    /// Members that may still be lent.
    members: u64,
    /// Whether a limit of the whole was reached: then nothing more is read.
    is_over: bool,
    depth: usize,
    path: Vec<u8>,
    layers: Vec<&'static str>,
    out: &'a mut dyn Out,
}

impl Walk<'_> {
    fn gap(&mut self, kind: GapKind, reason: impl Into<String>) {
        if !self.is_over {
            let path = std::mem::take(&mut self.path);
            self.out.gap(kind, &path, reason.into());
            self.path = path;
        }
    }

    /// What went wrong while the current member or container was read.
    fn failed(&mut self, error: &io::Error) {
        self.gap(
            GapKind::Corrupt,
            format!("cannot be unpacked to its end: {error}; what comes before was searched"),
        );
    }

    fn too_deep(&mut self) {
        let reason = format!(
            "it lies deeper than {} containers; raise --max-archive-depth",
            self.limits.depth
        );
        self.gap(GapKind::Limit, reason);
    }

    /// Whether nothing more is to be read.
    fn is_done(&self) -> bool {
        self.is_over || self.out.is_cancelled()
    }

    /// Takes a member of this name: `read` gives its bytes.
    fn member(&mut self, name: &[u8], read: &mut dyn Read) {
        if self.members == 0 {
            self.is_over = true;
        }
        if self.is_done() {
            return;
        }
        self.members -= 1;
        let layers = std::mem::take(&mut self.layers);
        self.below(name, |walk| walk.stream(read));
        self.layers = layers;
    }

    /// Does something with this name at the end of the path.
    fn below(&mut self, name: &[u8], act: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if !self.path.is_empty() {
            self.path.push(b'!');
        }
        let name = name.strip_prefix(b"./").unwrap_or(name);
        for &byte in name {
            // A mark that is part of a name is doubled.
            if byte == b'!' {
                self.path.push(b'!');
            }
            self.path.push(byte);
        }
        act(self);
        self.path.truncate(length);
    }

    /// Bytes of unknown kind: a container, or a file.
    fn stream(&mut self, read: &mut dyn Read) {
        let mut head = Zeroizing::new(Vec::new());
        let outcome = self.metered(read).take(HEAD).read_to_end(&mut head);
        let found = format(&head);
        let mut rest = Cursor::new(&head[..]).chain(read);
        match found {
            Some(_) if self.depth + 1 >= self.limits.depth && outcome.is_ok() => {
                self.too_deep();
                self.file(&mut rest, HEAD);
            }
            Some(format) => {
                self.depth += 1;
                if format.is_streamed() {
                    self.streamed(format, &mut rest);
                } else {
                    let bytes = self.held(&mut rest, head.len() as u64);
                    self.seekable(format, &mut Cursor::new(&bytes[..]));
                }
                self.depth -= 1;
            }
            None => self.file(&mut rest, head.len() as u64),
        }
        if let Err(error) = outcome {
            self.failed(&error);
        }
    }

    /// A container that can be read from any place of it.
    fn seekable(&mut self, format: Format, source: &mut dyn ReadSeek) {
        if format.is_streamed() {
            return self.streamed(format, &mut io::BufReader::new(source));
        }
        match format {
            Format::Zip => zip::open(self, source),
            Format::Sqlite | Format::Notebook | Format::Pyc => {
                let bytes = self.held(source, MEMBER);
                match format {
                    Format::Sqlite => sqlite::open(self, &bytes),
                    Format::Notebook => notebook::open(self, &bytes),
                    _ => pyc::open(self, &bytes),
                }
            }
            other => self.gap(
                GapKind::Unsupported,
                format!(
                    "keymuster does not open {}; unpack it and scan the folder",
                    other.name()
                ),
            ),
        }
    }

    fn streamed(&mut self, format: Format, read: &mut dyn Read) {
        let outcome = match format {
            Format::Tar => tar::open(self, read),
            Format::Ar => archive::open(self, read),
            Format::Cpio => cpio::open(self, read),
            Format::Rpm => cpio::open_rpm(self, read),
            _ => stream::open(self, format, read),
        };
        if let Err(error) = outcome {
            self.failed(&error);
        }
    }

    /// A file that is no container: lent as far as it may be held. `counted` of its bytes were
    /// counted already.
    fn file(&mut self, read: &mut dyn Read, counted: u64) {
        let bytes = self.held(read, counted);
        let shown = office::text(&self.path, &bytes);
        let bytes = shown.as_ref().unwrap_or(&bytes);
        let (path, layers) = (
            std::mem::take(&mut self.path),
            std::mem::take(&mut self.layers),
        );
        self.out.member(&path, &layers, bytes);
        (self.path, self.layers) = (path, layers);
    }

    /// Lends a text that was made from the container, not stored in it.
    fn made(&mut self, name: &[u8], text: &[u8]) {
        if self.members == 0 {
            self.is_over = true;
        }
        if self.is_done() {
            return;
        }
        self.members -= 1;
        self.below(name, |walk| {
            let path = std::mem::take(&mut walk.path);
            walk.out.member(&path, &walk.layers, text);
            walk.path = path;
        });
    }

    /// All bytes, if they are not too many.
    fn held(&mut self, read: &mut dyn Read, counted: u64) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::new());
        let mut outcome = read.take(counted.min(MEMBER)).read_to_end(&mut bytes);
        if outcome.is_ok() {
            let rest = (MEMBER + 1).saturating_sub(bytes.len() as u64);
            outcome = self.metered(read).take(rest).read_to_end(&mut bytes);
        }
        if let Err(error) = outcome {
            self.failed(&error);
        }
        if bytes.len() as u64 > MEMBER {
            bytes.truncate(MEMBER as usize);
            self.gap(
                GapKind::Limit,
                format!(
                    "it is larger than {MEMBER} bytes, of which the first were searched; unpack it and scan the folder"
                ),
            );
        }
        bytes
    }

    /// Counts what was read past [`Walk::metered`]: headers and names.
    fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes as u64);
        self.is_over |= self.bytes == 0;
    }

    /// Counts what is read.
    fn metered<'w>(&'w mut self, read: &'w mut dyn Read) -> Metered<'w> {
        Metered {
            read,
            left: &mut self.bytes,
            is_over: &mut self.is_over,
        }
    }
}

/// A decoder that is not asked again once it failed: some go on with bytes of their own making.
struct Fused<R>(Option<R>);

impl<R: Read> Read for Fused<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(read) = &mut self.0 else {
            return Ok(0);
        };
        let outcome = read.read(buffer);
        if matches!(&outcome, Err(error) if error.kind() != io::ErrorKind::Interrupted) {
            self.0 = None;
        }
        outcome
    }
}

/// A reader whose bytes are counted against the limit of the outermost container.
struct Metered<'w> {
    read: &'w mut dyn Read,
    left: &'w mut u64,
    is_over: &'w mut bool,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if *self.left == 0 {
            // Exactly as much as is allowed is not too much.
            if buffer.is_empty() || self.read.read(&mut [0])? == 0 {
                return Ok(0);
            }
            *self.is_over = true;
            return Err(io::Error::other("a limit was reached"));
        }
        let most = buffer.len().min(*self.left as usize);
        let got = self.read.read(&mut buffer[..most])?;
        *self.left -= got as u64;
        Ok(got)
    }
}

/// A number in the byte order of most archives, 0 where bytes are missing.
fn little(bytes: &[u8], at: usize, length: usize) -> u64 {
    let field = bytes.get(at..at + length).unwrap_or_default();
    field
        .iter()
        .rev()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// A number written most significant byte first, 0 where bytes are missing.
fn big(bytes: &[u8], at: usize, length: usize) -> u64 {
    let field = bytes.get(at..at + length).unwrap_or_default();
    field
        .iter()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// Fills a buffer as far as there are bytes, and says how far.
fn fill(read: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads and drops.
fn skip(walk: &mut Walk<'_>, read: &mut dyn Read, length: u64) -> io::Result<()> {
    // What is skipped was unpacked too.
    let skipped = io::copy(&mut walk.metered(read).take(length), &mut io::sink())?;
    if skipped < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
