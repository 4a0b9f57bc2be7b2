//! What people and scripts read of cc-ci. Its readers may go while it writes: that ends no run and no service,
//! and a disk that is full is told by the exit code.

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

/// Why standard output took no more, where that is not its reader's wish.
static CUT: OnceLock<String> = OnceLock::new();

/// One line on standard output.
pub fn line(words: Arguments<'_>) {
    remember(writeln!(io::stdout(), "{words}"));
}

/// Text on standard output that ends its lines itself.
pub fn text(words: impl AsRef<[u8]>) {
    remember(io::stdout().write_all(words.as_ref()));
}

/// One line on standard error. Where nobody hears it, nobody can be told so.
pub fn aside(words: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{words}");
}

/// Whether everything was written, or its reader wanted no more of it.
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
