//! The contract of the abra command line, as cc-ci uses it. It speaks only that command line, on the
//! real swarm, so it runs against either program: `CCCI_ABRA` names the real one, else abra-lite.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod backups;
mod deploys;
mod files;
mod secrets;
mod world;
