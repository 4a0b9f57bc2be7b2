//! The forge's version, and the account of the token.

use super::DoctorFinding;
use bot::settings::forge::ForgeArgs;
use bot::settings::forge::standing::{self, Degree};

/// Findings about the configured forge; none if it is unreachable, which another check reports.
pub(super) async fn check(forge: &ForgeArgs) -> Vec<DoctorFinding> {
    let Ok(Some(named)) = forge.named() else { return Vec::new() };
    let mut findings = Vec::new();
    if let Ok(told) = standing::version(&named.forge).await {
        findings.push(match told.degree {
            Degree::Fine => DoctorFinding::ok("forge's version", told.what),
            Degree::Limited => DoctorFinding::warn("forge's version", told.what, told.mend),
            Degree::Unusable => DoctorFinding::bad("forge's version", told.what, told.mend),
        });
    }
    if let Ok(told) = standing::token(&named.forge).await {
        findings.push(match told.degree {
            Degree::Fine => DoctorFinding::ok("forge's token", told.what),
            Degree::Limited | Degree::Unusable => DoctorFinding::warn("forge's token", told.what, told.mend),
        });
    }
    findings
}
