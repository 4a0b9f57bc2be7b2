//! What every crate of cc-ci stands on: names that may reach an argument list, failures with their cause, what other
//! programs' messages mean, redaction, recorded requests, and short texts. Pure, but for one file of exchanges.

pub mod exchange;
pub mod failure;
pub mod messages;
pub mod names;
pub mod redact;
pub mod text;
