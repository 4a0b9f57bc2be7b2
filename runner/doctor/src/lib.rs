//! `cc-ci doctor`: what is wrong with this machine, and the command that fixes it. One file for each group of checks; a
//! check never changes anything.

mod abra;
mod drone;
mod forge;
mod lines;
mod machine;
mod names;
mod probe;
mod render;
mod running;
mod scratch;
mod server;
mod swarm;

use serde::Serialize;

pub use lines::{LINES, OperateLine, line_of};
pub use probe::{probe, told};
pub use render::render;

use bot::settings::drone::DroneArgs;
use bot::settings::forge::ForgeArgs;
use host::settings::Settings;

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Ok,
    /// Runs work, with the limit in the text.
    Warn,
    /// No run can work.
    Bad,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoctorFinding {
    pub check: &'static str,
    /// The line of "From zero" in docs/operate.md that it checks.
    pub line: Option<u8>,
    pub level: Level,
    pub what: String,
    /// The command that fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl DoctorFinding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, line: line_of(check), level: Level::Ok, what: what.into(), mend: None }
    }
    fn warn(check: &'static str, what: impl Into<String>, mend: &str) -> Self {
        let mend = (!mend.is_empty()).then(|| mend.to_owned());
        Self { check, line: line_of(check), level: Level::Warn, what: what.into(), mend }
    }
    fn bad(check: &'static str, what: impl Into<String>, mend: &str) -> Self {
        Self { level: Level::Bad, ..Self::warn(check, what, mend) }
    }
}

/// Runs every check, including those of Drone if one is configured.
pub async fn doctor(settings: &Settings, forge: &ForgeArgs, drone: &DroneArgs) -> Vec<DoctorFinding> {
    let mut findings = swarm::check(settings).await;
    findings.extend(abra::check(settings).await);
    findings.extend(machine::programs(&std::env::var_os("PATH").unwrap_or_default()));
    findings.push(machine::dns(settings).await);
    findings.push(names::check(settings));
    findings.extend(machine::room(settings).await);
    findings.push(machine::clock().await);
    findings.push(server::own(settings));
    findings.push(server::registries(settings).await);
    findings.push(server::unit().await);
    findings.push(server::forge(forge).await);
    findings.extend(forge::check(forge).await);
    findings.extend(drone::check(settings, drone).await);
    // In the order of the page, then in the order of the checks.
    findings.sort_by_key(|finding| finding.line);
    findings
}
