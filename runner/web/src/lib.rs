//! What `cc-ci serve` shows: pages for people, JSON, badges, figures and a feed for machines. The server renders;
//! a little script only asks for the same page again when something has changed, and every page does without it.
//!
//! ```text
//! history ─► query ─► pure page (a struct with texts) ─► askama template ─► answer
//!    └► changes ─► server-sent events ─► the reader's page asks again
//! ```

mod actions;
mod api;
mod asked;
mod assets;
mod badge;
mod coverage;
mod export;
mod feed;
mod feeds;
mod fleet;
mod headers;
mod line;
mod list;
mod live;
mod log;
mod metrics;
mod nightly;
mod overview;
mod readers;
mod recipe;
mod respond;
mod routes;
mod run;
mod shell;
mod site;
mod when;

pub use export::{ExportError, Exported, export};
pub use readers::Readers;
pub use routes::router;
pub use site::{PageSettings, Site};
