//! What any test of a recipe may use: HTTP, a browser, logins, and what a test is given.
//!
//! This library knows nothing of continuous integration: no run, no report, no pull request.

pub use http_client as http;

pub mod browser;
pub mod deps;
mod driver_error;
pub mod mumble;
pub mod oidc;
pub mod protobuf;
pub mod ready;
#[cfg(test)]
#[path = "../http/src/scripted.rs"]
mod scripted;
pub mod shell;
pub mod socketio;
pub mod sso;
pub mod testing;
pub mod tls;
pub mod websocket;
