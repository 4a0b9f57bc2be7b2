//! What any test of a recipe may use: the recipe's formats, the `abra` program, the swarm, HTTP, a browser,
//! logins.
//!
//! This library knows nothing of continuous integration: no run, no report, no pull request.
//! The arrows go `runner → recipes → harness → coopcloud, swarm → base`, never back.

pub use ::coopcloud;
pub use ::overlay;
pub use ::swarm;
pub use base::{exchange, failure, messages, name_type, names, redact};
pub use coopcloud::abra;

pub mod browser;
pub mod deps;
mod driver_error;
pub mod http;
pub mod mumble;
pub mod oidc;
pub mod protobuf;
pub mod ready;
pub mod shell;
pub mod socketio;
pub mod sso;
pub mod testing;
pub mod tls;
pub mod websocket;
