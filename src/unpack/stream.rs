//! Compressed files: a layer around one file, or around an archive. Not an archive themselves,
//! so they add no part to a path.

use std::io::{self, BufReader, Read};

use super::{Format, Fused, Walk};

/// Memory an xz decoder may use, in KiB: what `xz -9` needs.
pub(super) const XZ_MEMORY: u32 = 96 << 10;

pub(super) fn open(walk: &mut Walk<'_>, format: Format, read: &mut dyn Read) -> io::Result<()> {
    let read = BufReader::new(read);
    let (name, unpacked): (_, Box<dyn Read + '_>) = match format {
        Format::Gzip => ("gzip", Box::new(flate2::bufread::MultiGzDecoder::new(read))),
        Format::Bzip2 => ("bzip2", Box::new(bzip2::bufread::MultiBzDecoder::new(read))),
        Format::Xz => (
            "xz",
            Box::new(lzma_rust2::XzReader::new_mem_limit(read, true, XZ_MEMORY)),
        ),
        Format::Zstd => (
            "zstd",
            Box::new(ruzstd::decoding::StreamingDecoder::new(read).map_err(io::Error::other)?),
        ),
        _ => return Err(io::Error::other("is no compressed file")),
    };
    walk.layers.push(name);
    walk.stream(&mut Fused(Some(unpacked)));
    walk.layers.pop();
    Ok(())
}
