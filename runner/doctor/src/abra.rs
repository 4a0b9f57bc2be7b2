//! Checks the abra program, and whether it has the commands that cc-ci uses.

use std::collections::BTreeSet;
use std::path::Path;

use coopcloud::abra::{
    AbraPhrase, Certainty, ProbeAnswer, Probed, WORDS, find_program, operators_catalogue, version_of,
};

use super::DoctorFinding;
use host::settings::Settings;

pub(super) async fn check(settings: &Settings) -> Vec<DoctorFinding> {
    let program = match find_program(settings.abra.as_deref()) {
        Ok(program) => program,
        Err(failure) => return vec![DoctorFinding::bad("abra", failure.what, &failure.look_at)],
    };
    let version = match version_of(&program).await {
        Ok(version) => version,
        Err(failure) => return vec![DoctorFinding::bad("abra", failure.what, &failure.look_at)],
    };
    let helps = futures_util::future::join_all(WORDS.iter().map(|word| help(&program, word))).await;
    let missing: Vec<String> =
        WORDS.iter().zip(helps).filter_map(|(word, help)| lacks(word, help.as_deref())).collect();
    let own = std::env::current_exe().ok();
    let is_named = settings.abra.is_some() || program.parent() == own.as_deref().and_then(Path::parent);
    let found = in_reach(&program, is_named, &version);
    let flags = if missing.is_empty() {
        DoctorFinding::ok("abra's words", format!("all {} commands with their flags are known to it", WORDS.len()))
    } else {
        DoctorFinding::bad(
            "abra's words",
            missing.join("; "),
            "install an abra that has them, or use abra-lite by CCCI_ABRA",
        )
    };
    let probed = settings.state_dir().ok().and_then(|state| Probed::read(&state, &version));
    vec![found, flags, answers(probed.as_ref(), &version), catalogue(operators_catalogue().as_deref(), &version)]
}

/// The search path of a systemd service, which is shorter than a shell's: abra may be in a home folder.
const UNITS_PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Whether the systemd unit finds it as well as this shell.
fn in_reach(program: &Path, is_named: bool, version: &str) -> DoctorFinding {
    let what = format!("{} ({version})", program.display());
    if is_named || program.parent().is_some_and(|folder| UNITS_PATH.iter().any(|known| folder == Path::new(known))) {
        return DoctorFinding::ok("abra", what);
    }
    DoctorFinding::warn(
        "abra",
        format!("{what}; the unit's search path does not include that folder"),
        "install it into /usr/local/bin, or name it in /etc/cc-ci/cc-ci.toml: abra = \"FILE\"",
    )
}

/// Whether `--probe-abra` was run for uncertain behaviour.
fn answers(probed: Option<&Probed>, version: &str) -> DoctorFinding {
    let count =
        |answer: &ProbeAnswer| probed.map_or(0, |probed| probed.answers.values().filter(|one| *one == answer).count());
    let unclear =
        |probed: &Probed| match probed.answers.len() - count(&ProbeAnswer::AsTold) - count(&ProbeAnswer::Otherwise) {
            0 => String::new(),
            unclear => format!("; {unclear} are unclear, and cc-ci assumes the stricter behaviour"),
        };
    match probed {
        Some(probed) => DoctorFinding::ok(
            "abra's ways",
            format!(
                "probed here: of {} answers {} are as assumed and {} otherwise, which cc-ci supports as well{}",
                probed.answers.len(),
                count(&ProbeAnswer::AsTold),
                count(&ProbeAnswer::Otherwise),
                unclear(probed),
            ),
        ),
        None if version.starts_with("abra-lite") => {
            DoctorFinding::ok("abra's ways", "those of the table that cc-ci relies on")
        }
        None => DoctorFinding::warn(
            "abra's ways",
            "this abra was not probed where its behaviour is uncertain",
            "cc-ci doctor --probe-abra (two minutes, in a scratch folder and stack)",
        ),
    }
}

/// The catalogue that runs use.
fn catalogue(operators: Option<&Path>, version: &str) -> DoctorFinding {
    match operators {
        Some(path) => DoctorFinding::ok("catalogue", format!("each run has a link to {}", path.display())),
        None if version.starts_with("abra-lite") => {
            DoctorFinding::ok("catalogue", "each run has an empty one, and needs no other")
        }
        None => DoctorFinding::warn(
            "catalogue",
            "this user has no catalogue of abra; each run has an empty one, and whether abra accepts that is uncertain",
            "abra recipe ls, as the user that runs cc-ci: it clones the catalogue into ~/.abra",
        ),
    }
}

/// The command's help; `None` if it does not exist.
async fn help(program: &Path, word: &AbraPhrase) -> Option<String> {
    let output = tokio::process::Command::new(program)
        .args(word.command)
        .arg("--help")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(10), output).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What is missing in the help.
fn lacks(word: &AbraPhrase, help: Option<&str>) -> Option<String> {
    let command = word.command.join(" ");
    let remembered = if word.certainty == Certainty::Remembered { " (cc-ci only remembers this one)" } else { "" };
    let Some(help) = help else { return Some(format!("no command `{command}`{remembered}")) };
    let shown: BTreeSet<&str> = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    let missing: Vec<&str> = word.flags.iter().copied().filter(|flag| !shown.contains(flag)).collect();
    (!missing.is_empty()).then(|| format!("`{command}` lacks {}{remembered}", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;

    #[test]
    fn a_catalogue_of_the_operators_is_asked_for_where_abra_reads_it() {
        let level = |path: Option<&str>, version| catalogue(path.map(Path::new), version).level;
        assert_eq!(level(Some("/home/ci/.abra/catalogue"), "abra version 0.13"), Level::Ok);
        assert_eq!(level(None, "abra version 0.13"), Level::Warn);
        assert_eq!(level(None, "abra-lite 0.1.0"), Level::Ok);
    }

    #[test]
    fn an_abra_that_the_unit_does_not_find_is_told() {
        let level = |path: &str, is_named| in_reach(Path::new(path), is_named, "abra version 0.13").level;
        assert_eq!(level("/usr/local/bin/abra", false), Level::Ok);
        assert_eq!(level("/root/.local/bin/abra", false), Level::Warn);
        assert_eq!(level("/root/.local/bin/abra", true), Level::Ok);
    }

    #[test]
    fn each_missing_flag_is_named() {
        let word =
            AbraPhrase { command: &["app", "new"], flags: &["--server", "--domain"], certainty: Certainty::Seen };
        assert_eq!(lacks(&word, Some("  -s, --server <S>\n  -D, --domain")), None);
        assert_eq!(lacks(&word, Some("--servers --domain")).unwrap(), "`app new` lacks --server");
        assert_eq!(lacks(&word, None).unwrap(), "no command `app new`");
    }
}
