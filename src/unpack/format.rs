//! What a container is, by its first bytes: names lie.

/// The kinds of containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// zip, jar, wheel, apk, office documents …
    Zip,
    /// tar: ustar, GNU, pax, and the first ones.
    Tar,
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// Unix archives: deb, static libraries.
    Ar,
    /// cpio in its new form: initial RAM disks, the payload of rpm.
    Cpio,
    /// RPM packages.
    Rpm,
    /// SQLite databases: rows as text.
    Sqlite,
    /// Jupyter notebooks: cells as text.
    Notebook,
    /// Compiled Python: its strings.
    Pyc,
    /// 7z: known, not opened.
    SevenZip,
    /// RAR: known, not opened.
    Rar,
}

impl Format {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Format::Zip => "zip archives",
            Format::Tar => "tar archives",
            Format::Gzip => "gzip",
            Format::Bzip2 => "bzip2",
            Format::Xz => "xz",
            Format::Zstd => "zstd",
            Format::Ar => "ar archives",
            Format::Cpio => "cpio archives",
            Format::Rpm => "rpm packages",
            Format::Sqlite => "SQLite databases",
            Format::Notebook => "notebooks",
            Format::Pyc => "compiled Python",
            Format::SevenZip => "7z archives",
            Format::Rar => "rar archives",
        }
    }

    /// Whether its bytes are those of its members, so that a search of the container itself
    /// adds nothing once every member was searched.
    pub fn is_transparent(self) -> bool {
        !matches!(
            self,
            Format::Sqlite | Format::Notebook | Format::Pyc | Format::SevenZip | Format::Rar
        )
    }

    /// Whether people look at the container itself: then a line of it says more than one of a
    /// member.
    pub fn is_text(self) -> bool {
        self == Format::Notebook
    }

    /// Whether it can be read from front to back.
    pub(super) fn is_streamed(self) -> bool {
        matches!(
            self,
            Format::Tar
                | Format::Gzip
                | Format::Bzip2
                | Format::Xz
                | Format::Zstd
                | Format::Ar
                | Format::Cpio
                | Format::Rpm
        )
    }
}

/// The container that begins with these bytes; 512 are enough.
pub fn format(head: &[u8]) -> Option<Format> {
    // Text begins with none of these, and pays no more than this.
    let found = match head.first()? {
        b'P' if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") => Format::Zip,
        0x1f if head.starts_with(&[0x1f, 0x8b, 8])
            && head.get(3).is_some_and(|f| f & 0xe0 == 0) =>
        {
            Format::Gzip
        }
        b'B' if head.starts_with(b"BZh") && head.get(4..10) == Some(b"1AY&SY") => Format::Bzip2,
        0xfd if head.starts_with(b"\xfd7zXZ\0") => Format::Xz,
        0x28 if head.starts_with(b"\x28\xb5\x2f\xfd") => Format::Zstd,
        b'!' if head.starts_with(b"!<arch>\n") => Format::Ar,
        b'0' if head.starts_with(b"070701") || head.starts_with(b"070702") => Format::Cpio,
        0xed if head.starts_with(b"\xed\xab\xee\xdb") => Format::Rpm,
        b'S' if head.starts_with(b"SQLite format 3\0") => Format::Sqlite,
        b'7' if head.starts_with(b"7z\xbc\xaf\x27\x1c") => Format::SevenZip,
        b'R' if head.starts_with(b"Rar!\x1a\x07") => Format::Rar,
        b'{' if is_notebook(head) => Format::Notebook,
        _ if is_pyc(head) => Format::Pyc,
        _ if super::tar::is_tar(head) => Format::Tar,
        _ => return None,
    };
    Some(found)
}

/// A notebook begins with its cells, its metadata, or its version.
fn is_notebook(head: &[u8]) -> bool {
    let rest = head[1..].trim_ascii_start();
    rest.starts_with(b"\"cells\"") || rest.starts_with(b"\"nbformat\"")
}

/// CPython's magic numbers since 2.0, and the mark behind them.
fn is_pyc(head: &[u8]) -> bool {
    let [low, high, b'\r', b'\n', ..] = head else {
        return false;
    };
    let magic = u16::from_le_bytes([*low, *high]);
    (2990..=3999).contains(&magic) || (50_000..=62_300).contains(&magic)
}
