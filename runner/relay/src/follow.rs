//! Reads a journal while it is written.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

/// A journal and the read position.
#[derive(Debug, Clone)]
pub struct Follower {
    path: PathBuf,
    /// Offset of the next line.
    offset: u64,
    /// Its number, from 0.
    line: u64,
}

/// Complete lines of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// The number of the first line.
    pub first: u64,
    /// The lines with their line breaks.
    pub bytes: Vec<u8>,
}

impl Batch {
    /// The lines without their line breaks.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
    }

    /// Truncates to this many lines.
    pub fn cut_to(&mut self, lines: usize) {
        let length = self.bytes.split_inclusive(|byte| *byte == b'\n').take(lines).map(<[u8]>::len).sum();
        self.bytes.truncate(length);
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Follower {
    /// Starts at the first line of this journal, which need not exist yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, offset: 0, line: 0 }
    }

    /// The next complete lines, up to a number of bytes, without moving the position.
    ///
    /// # Errors
    /// The journal cannot be read, or its next line alone exceeds the limit.
    pub fn next(&self, bytes: usize) -> io::Result<Batch> {
        let mut batch = Batch { first: self.line, bytes: Vec::new() };
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(batch),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.offset))?;
        file.take(bytes as u64).read_to_end(&mut batch.bytes)?;
        let whole = batch.bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole == 0 && batch.bytes.len() == bytes {
            return Err(io::Error::other(format!("line {} of the journal has more than {bytes} bytes", self.line + 1)));
        }
        // The rest is a partial line.
        batch.bytes.truncate(whole);
        Ok(batch)
    }

    /// Moves the position past this batch.
    pub fn pass(&mut self, batch: &Batch) {
        self.offset += batch.bytes.len() as u64;
        self.line = batch.first + batch.lines().count() as u64;
    }

    /// Moves the position to this line, forward or back.
    ///
    /// # Errors
    /// The journal has no such line.
    pub fn go_to(&mut self, line: u64) -> io::Result<()> {
        if line == self.line {
            return Ok(());
        }
        let (mut offset, mut lines) = (0, BufReader::new(File::open(&self.path)?));
        for number in 0..line {
            let length = lines.skip_until(b'\n')?;
            if length == 0 {
                return Err(io::Error::other(format!("the journal has {number} lines, and line {line} is requested")));
            }
            offset += length as u64;
        }
        (self.offset, self.line) = (offset, line);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn whole_lines_come_once_and_again_where_they_are_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let mut journal = Follower::new(path.clone());
        assert!(journal.next(10).unwrap().is_empty(), "nothing is there yet");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\ntwo\nthr").unwrap();
        let batch = journal.next(100).unwrap();
        assert_eq!((batch.first, batch.lines().collect::<Vec<_>>()), (0, vec![&b"one"[..], b"two"]));
        assert_eq!(journal.next(100).unwrap(), batch, "it stays until it is told to go on");
        assert_eq!(journal.next(5).unwrap().bytes, b"one\n");
        journal.pass(&batch);
        assert!(journal.next(100).unwrap().is_empty(), "a line that is being written is none");
        file.write_all(b"ee\nfour\n").unwrap();
        let batch = journal.next(6).unwrap();
        assert_eq!((batch.first, batch.bytes.as_slice()), (2, &b"three\n"[..]));
        journal.go_to(1).unwrap();
        assert_eq!(journal.next(100).unwrap().bytes, b"two\nthree\nfour\n");
        journal.go_to(4).unwrap();
        assert!(journal.next(100).unwrap().is_empty());
        assert!(journal.go_to(5).unwrap_err().to_string().contains("has 4 lines"));
        journal.go_to(0).unwrap();
        assert!(journal.next(3).unwrap_err().to_string().contains("line 1 of the journal has more than 3 bytes"));
    }
}
