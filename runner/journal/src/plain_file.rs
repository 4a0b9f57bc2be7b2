//! Opens untrusted files: only regular files are opened.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file; `None` for anything else, such as a link to another place or a pipe that blocks.
///
/// # Errors
/// It does not exist, or the disk refuses.
pub fn open(path: &Path) -> io::Result<Option<File>> {
    if !path.symlink_metadata()?.is_file() {
        return Ok(None);
    }
    // It may have been replaced meanwhile.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Reads a regular file of at most `most` bytes; `None` for anything else.
///
/// # Errors
/// It does not exist, or the disk refuses.
pub fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = open(path)? else { return Ok(None) };
    let mut data = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut data)?;
    Ok((data.len() as u64 <= most).then_some(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_plain_file_of_that_size_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("file"), "four").unwrap();
        assert_eq!(read(&at("file"), 4).unwrap().as_deref(), Some(&b"four"[..]));
        assert_eq!(read(&at("file"), 3).unwrap(), None);
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        for other in [at("link"), at("pipe"), dir.path().to_owned()] {
            assert_eq!(read(&other, 10).unwrap(), None, "{}", other.display());
        }
        assert_eq!(read(&at("gone"), 10).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
