//! Output for people and scripts. A reader may disconnect at any time without ending the run or service; a full disk is
//! reported by the exit code.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// One line on standard output.
#[macro_export]
macro_rules! say {
    ($($words:tt)*) => { $crate::screen::line(format_args!($($words)*)) };
}

/// One line on standard error.
#[macro_export]
macro_rules! note {
    ($($words:tt)*) => { $crate::screen::aside(format_args!($($words)*)) };
}

/// Why standard output failed, unless its reader closed it.
static CUT: OnceLock<String> = OnceLock::new();

/// One line on standard output.
pub fn line(words: Arguments<'_>) {
    remember(writeln!(io::stdout(), "{words}"));
}

/// Text on standard output with its own line breaks.
pub fn text(words: impl AsRef<[u8]>) {
    remember(io::stdout().write_all(words.as_ref()));
}

/// One line on standard error. A failure cannot be reported.
pub fn aside(words: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{words}");
}

/// Whether everything was written, or the reader closed the output.
pub fn whole() -> Result<(), &'static str> {
    remember(io::stdout().flush());
    CUT.get().map_or(Ok(()), |why| Err(why))
}

fn remember(written: io::Result<()>) {
    // `cc-ci docs reference | head` is no failure.
    if let Some(error) = written.err().filter(|error| error.kind() != ErrorKind::BrokenPipe) {
        let _ = CUT.set(error.to_string());
    }
}
