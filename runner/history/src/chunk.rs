//! A journal in pieces that are compressed each for itself.
//!
//! Where a piece ends depends on the lines alone, so that a journal gives the same pieces in however many steps it
//! is imported.

use std::io;

/// Lines of a piece at most.
pub(super) const LINES: u64 = 500;
/// Bytes after which a piece ends with the line.
pub(super) const BYTES: usize = 256 * 1024;
const LEVEL: i32 = 3;

/// Some lines of a journal, each with its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The first line's number, from 0.
    pub(super) first: u64,
    /// How many they are.
    pub(super) lines: u64,
    /// The lines.
    pub(super) raw: Vec<u8>,
}

impl Chunk {
    /// An empty one that begins with this line.
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

/// Makes bytes smaller.
pub(super) fn pack(raw: &[u8]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(raw, LEVEL)
}

/// The bytes that were made smaller; `bytes` is how many they are.
pub(super) fn unpack(data: &[u8], bytes: u64) -> io::Result<Vec<u8>> {
    let raw = zstd::bulk::decompress(data, usize::try_from(bytes).unwrap_or(usize::MAX).min(1 << 30))?;
    if raw.len() as u64 == bytes {
        Ok(raw)
    } else {
        Err(io::Error::other("it has another length than was written down"))
    }
}
