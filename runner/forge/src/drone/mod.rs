//! Drone: builds over its API, and the environment of a build's step. Woodpecker has the same facts under other names.

mod build;
mod card;
mod client;
mod ending;
mod facts;
mod parameters;
mod refusal;
mod repository;
mod restart;
mod secrets;
mod settings;
mod testme;

pub use self::build::{Build, BuildStanding, BuildStep};
pub use self::card::Card;
pub use self::client::{Drone, DroneError, NewBuild};
pub use self::ending::BuildEnd;
pub use self::facts::{BuildFacts, Event, System, UnfitFact, facts};
pub use self::parameters::{Parameters, UnfitParameter};
pub use self::refusal::DroneRefusal;
pub use self::repository::{DronePermissions, DroneRepository};
pub use self::restart::{restarted_build, restarted_run_id};
pub use self::secrets::holds_secret;
pub use self::settings::{Setting, SettingError, Takes, Value, help, name_in, read as read_settings, variable};
pub use self::testme::{RUN as TESTME_RUN, Testme};

#[cfg(test)]
mod tests;
