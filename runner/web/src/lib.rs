//! The content of `cc-ci serve`: pages for people; JSON, badges, metrics and a feed for machines. The server renders. A
//! small script only reloads the page's content when something has changed, and every page works without it.
//!
//! ```text
//! history ─► query ─► pure page (a struct with texts) ─► askama template ─► response
//!    └► changes ─► server-sent events ─► the page reloads its content
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
