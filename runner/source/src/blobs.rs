//! Reads files and commits of a repository through one long-lived `git cat-file --batch`: a plan reads a dozen, and a
//! process for each took most of its time.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

#[derive(Debug)]
pub(super) struct Blobs {
    child: Child,
    /// `None` only during drop.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Blobs {
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let mut command = super::command(Some(dir));
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(|| io::Error::other("git has no output"))?;
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// An object of this type, such as the blob `1.0.0:compose.yml`; `None` if it does not exist or has another type.
    pub(super) fn read(&mut self, name: &str, wanted: &str) -> io::Result<Option<Vec<u8>>> {
        if name.contains('\n') {
            return Ok(None);
        }
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(format!("{name}\n").as_bytes())?;
        let mut head = String::new();
        if self.output.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // `<id> <type> <size>`, or `<name> missing`, where the name may contain spaces. A link is a blob too.
        let mut words = head.trim_end().rsplitn(3, ' ');
        let (last, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (Ok(size), "blob" | "tree" | "commit" | "tag") = (last.parse::<usize>(), kind) else { return Ok(None) };
        let mut bytes = vec![0; size + 1];
        self.output.read_exact(&mut bytes)?;
        bytes.pop();
        Ok((kind == wanted).then_some(bytes))
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        // Closing its input ends it.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
