//! One file per command.

pub(crate) mod app;
pub(crate) mod backup;
pub(crate) mod recipe;
pub(crate) mod secret;
pub(crate) mod server;
pub(crate) mod volume;
