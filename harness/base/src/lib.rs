//! The foundation of all crates: validated names, failures with their cause, the meaning of other programs' messages,
//! redaction, recorded requests, and short texts. Pure, except a file of exchanges.

pub mod exchange;
pub mod failure;
pub mod messages;
pub mod names;
pub mod redact;
pub mod text;
