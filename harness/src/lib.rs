//! What any test of a recipe may use: the recipe's formats, the `abra` program, the swarm, HTTP, a browser,
//! logins.
//!
//! This library knows nothing of continuous integration: no run, no report, no pull request.
//! The arrows go `runner → recipes → harness`, never back.

pub mod abra;
pub mod browser;
pub mod coopcloud;
pub mod deps;
pub mod exchange;
pub mod failure;
pub mod http;
pub mod messages;
pub mod mumble;
pub mod names;
pub mod oidc;
pub mod overlay;
pub mod protobuf;
pub mod ready;
pub mod redact;
pub mod shell;
pub mod socketio;
pub mod sso;
pub mod swarm;
pub mod testing;
pub mod tls;
pub mod websocket;
