//! Co-op Cloud: the formats of recipes, pure, and the [`abra`] program.

pub mod abra;
pub mod abra_sh;
pub mod by_variable;
pub mod charset;
pub mod choices;
pub mod compose;
pub mod database;
pub mod declared;
pub mod envfile;
pub mod forbidden;
mod health_program;
pub mod interpolate;
pub mod labels;
pub mod lint;
pub mod published;
pub mod route;
pub mod router_rule;
pub mod schema_version;
pub mod shell;
pub mod snapshot_id;

mod normal;
pub mod template;
pub mod unset;
pub mod variables;
pub mod version;
mod yaml;
