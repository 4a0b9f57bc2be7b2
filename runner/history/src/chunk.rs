//! A journal in chunks that are compressed separately.
//!
//! Chunk boundaries depend only on the lines, so that a journal gives the same chunks in any number of import steps.

use std::io;

/// Maximum number of lines of a chunk.
pub(super) const LINES: u64 = 500;
/// Size in bytes after which a chunk ends with the line.
pub(super) const BYTES: usize = 256 * 1024;
const LEVEL: i32 = 3;

/// Some lines of a journal with their line breaks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The first line's number, from 0.
    pub(super) first: u64,
    /// Number of lines.
    pub(super) lines: u64,
    pub(super) raw: Vec<u8>,
}

impl Chunk {
    /// An empty chunk that begins with this line.
    pub(super) fn at(first: u64) -> Self {
        Self { first, ..Self::default() }
    }

    pub(super) fn push(&mut self, line: &[u8]) {
        self.raw.extend_from_slice(line);
        self.lines += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.lines >= LINES || self.raw.len() >= BYTES
    }
}

/// Compresses bytes.
pub(super) fn pack(raw: &[u8]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(raw, LEVEL)
}

/// Decompresses bytes; `bytes` is the decompressed size.
pub(super) fn unpack(data: &[u8], bytes: u64) -> io::Result<Vec<u8>> {
    let raw = zstd::bulk::decompress(data, usize::try_from(bytes).unwrap_or(usize::MAX).min(1 << 30))?;
    if raw.len() as u64 == bytes {
        Ok(raw)
    } else {
        Err(io::Error::other("it has another length than was written down"))
    }
}
