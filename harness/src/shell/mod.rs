//! What the shell tests of every recipe may use: functions that a run leaves in a file, which they read with
//! `. "$CCCI_SH"`.

/// The functions, as a script reads them.
pub const LIBRARY: &str = include_str!("ccci.sh");

/// A mail server for Node, in the same folder: `mailbox.js`.
pub const MAILBOX: &str = include_str!("mailbox.js");

#[cfg(test)]
mod tests;
