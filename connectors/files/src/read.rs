//! Reads files on a worker: small ones whole into one reused buffer, large ones in overlapping
//! slices, so that memory is bounded by [`SLICE`] and not by the file.

use std::{
    fs,
    io::{self, Read, Seek as _},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use keymuster_api::{
    Content, Copied, Cx, Fresh, Gap, GapKind, Load, LoadCx, Origin, PathBytes, Place, Source, Spot,
    SystemId, Trace,
};
use zeroize::Zeroizing;

use crate::Tally;

/// Bytes of a large file held at a time.
pub const SLICE: usize = 16 << 20;
/// Bytes of a slice that are lent once more with the next: more than any rule can look at.
const OVERLAP: usize = 64 << 10;

pub(crate) struct File {
    pub(crate) absolute: PathBuf,
    pub(crate) path: PathBytes,
    pub(crate) size: u64,
}

/// A batch of files, or one large one.
pub(crate) struct FilesLoad {
    system: SystemId,
    resource: u32,
    source: Source,
    tally: Arc<Tally>,
    files: Vec<File>,
}

impl FilesLoad {
    pub(crate) fn new(
        cx: &Cx<'_>,
        resource: u32,
        tally: &Arc<Tally>,
        root: &Path,
        files: Vec<File>,
    ) -> FilesLoad {
        FilesLoad {
            system: cx.system,
            resource,
            source: cx.source(root.display().to_string()),
            tally: Arc::clone(tally),
            files,
        }
    }
}

impl Load for FilesLoad {
    fn weight(&self) -> u64 {
        let largest = self.files.iter().map(|file| file.size).max().unwrap_or(0);
        largest.min((SLICE + OVERLAP) as u64)
    }

    fn load(self: Box<Self>, cx: &dyn LoadCx) -> Result<(), Gap> {
        let mut buffer = Zeroizing::new(Vec::new());
        for file in &self.files {
            if cx.is_cancelled() {
                self.tally.unseen.fetch_add(1, Relaxed);
                return Err(Gap {
                    kind: GapKind::Cancelled,
                    subject: format!("files from {}", file.path),
                    reason: "the run was stopped before they were read".to_owned(),
                    source: self.source,
                });
            }
            let place = Place {
                system: self.system,
                resource: self.resource,
                spot: Spot::File {
                    path: file.path.clone(),
                },
            };
            let read = open(&file.absolute).and_then(|mut opened| {
                if file.size > SLICE as u64 && open_large(cx, &place, &mut opened)? {
                    return Ok(file.size);
                }
                scan(cx, &place, &mut opened, &mut buffer)
            });
            if let Err(error) = &read {
                self.tally.unseen.fetch_add(1, Relaxed);
                cx.gap(Gap {
                    kind: if error.kind() == io::ErrorKind::PermissionDenied {
                        GapKind::Denied
                    } else {
                        GapKind::Unreadable
                    },
                    subject: file.path.to_string(),
                    reason: format!("{error}; run as a user who may read it, or leave it out"),
                    source: self.source.clone(),
                });
            }
            if let Ok(bytes) = read {
                self.tally.received.fetch_add(1, Relaxed);
                self.tally.bytes.fetch_add(bytes, Relaxed);
            }
            cx.advance(file.size, 1);
        }
        Ok(())
    }
}

/// Opens a container that does not fit into one slice. Whether nothing of it is left to search.
fn open_large(cx: &dyn LoadCx, place: &Place, file: &mut fs::File) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(512).read_to_end(&mut head)?;
    file.rewind()?;
    if !cx.opens(&head) {
        return Ok(false);
    }
    let length = file.metadata()?.len();
    let is_seen = cx.open(place, file, length);
    file.rewind()?;
    Ok(is_seen)
}

/// Opens a regular file; a file that became something else since it was listed is refused,
/// because opening a FIFO would wait for ever.
fn open(path: &Path) -> io::Result<fs::File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("is no regular file any more"));
    }
    fs::File::open(path)
}

/// Standard input.
pub(crate) struct StdinLoad {
    system: SystemId,
    resource: u32,
    source: Source,
    tally: Arc<Tally>,
}

impl StdinLoad {
    pub(crate) fn new(cx: &Cx<'_>, resource: u32, tally: &Arc<Tally>) -> StdinLoad {
        tally.expected.fetch_add(1, Relaxed);
        StdinLoad {
            system: cx.system,
            resource,
            source: cx.source("standard input"),
            tally: Arc::clone(tally),
        }
    }
}

impl Load for StdinLoad {
    fn weight(&self) -> u64 {
        (SLICE + OVERLAP) as u64
    }

    fn load(self: Box<Self>, cx: &dyn LoadCx) -> Result<(), Gap> {
        let place = Place {
            system: self.system,
            resource: self.resource,
            spot: Spot::File {
                path: "(standard input)".into(),
            },
        };
        let mut buffer = Zeroizing::new(Vec::new());
        match scan(cx, &place, &mut io::stdin().lock(), &mut buffer) {
            Ok(bytes) => {
                self.tally.received.fetch_add(1, Relaxed);
                self.tally.bytes.fetch_add(bytes, Relaxed);
                Ok(())
            }
            Err(error) => {
                self.tally.unseen.fetch_add(1, Relaxed);
                Err(Gap {
                    kind: GapKind::Unreadable,
                    subject: "standard input".to_owned(),
                    reason: error.to_string(),
                    source: self.source,
                })
            }
        }
    }
}

/// Scans all a reader gives, slice by slice, and counts the bytes. The bytes two slices share are told to be copied,
/// so nothing in them is searched twice, and what crosses the border is found.
fn scan(
    cx: &dyn LoadCx,
    place: &Place,
    reader: &mut dyn Read,
    buffer: &mut Zeroizing<Vec<u8>>,
) -> io::Result<u64> {
    let mut total = 0;
    buffer.clear();
    let mut origin = Origin::default();
    let mut kept = 0;
    let mut base: Option<(Trace, usize)> = None;
    loop {
        let wanted = (SLICE + OVERLAP - kept) as u64;
        let got = reader.take(wanted).read_to_end(buffer)?;
        total += got as u64;
        let is_last = (got as u64) < wanted;
        if buffer.is_empty() || (got == 0 && base.is_some()) {
            return Ok(total);
        }
        origin.is_cut = !is_last;
        let copied;
        let fresh = match &base {
            None => Fresh::Everything,
            Some((trace, from)) => {
                copied = [Copied {
                    at: 0,
                    from: *from,
                    len: kept,
                }];
                Fresh::Only {
                    copied: &copied,
                    base: trace,
                }
            }
        };
        let trace = cx.scan(&Content {
            place,
            bytes: buffer,
            origin,
            class: None,
            fresh,
        });
        if is_last {
            return Ok(total);
        }
        if cx.is_cancelled() {
            return Err(io::Error::other(
                "the run was stopped before it was read to its end",
            ));
        }
        let from = buffer.len() - OVERLAP;
        let dropped = &buffer[..from];
        origin.offset += from as u64;
        origin.lines += memchr::memchr_iter(b'\n', dropped).count() as u64;
        origin.column = match memchr::memrchr(b'\n', dropped) {
            Some(at) => (from - at - 1) as u64,
            None => origin.column + from as u64,
        };
        buffer.copy_within(from.., 0);
        buffer.truncate(OVERLAP);
        kept = OVERLAP;
        base = Some((trace, from));
    }
}
