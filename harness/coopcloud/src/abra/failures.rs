//! Maps messages of abra and docker to failures. Pure.

use base::failure::{Failure, Kind};
use base::messages::{self, Speaker};
use base::text::{characters, last_lines};

use super::call::Call;

/// The failure of a call; `None` if it succeeded. `doing` completes "abra failed to …".
pub fn explain(call: &Call, doing: &str) -> Option<Failure> {
    explain_with(call, doing, Speaker::Abra)
}

/// The same for a call in which abra passes on another program's messages, which take precedence.
pub fn explain_with(call: &Call, doing: &str, speaker: Speaker) -> Option<Failure> {
    if call.ok() {
        return None;
    }
    let text = call.output();
    let failure = if call.timed_out {
        Failure::new(
            Kind::Deadline,
            format!("abra did not end in {} s while it was to {doing}", call.took.as_secs()),
            "its output, in the report",
        )
    } else if call.exit.is_none() {
        // Whatever its output: it did not end by itself.
        Failure::new(
            Kind::AbraKilled,
            format!("abra was killed while it was to {doing}"),
            "what killed it: the kernel's OOM killer (`dmesg`), or a user; then run again",
        )
    } else {
        known(text, speaker).unwrap_or_else(|| {
            Failure::new(
                Kind::AbraFailed,
                format!("abra failed to {doing}: {}", reason(text)),
                "abra's whole output, in the report; cc-ci does not know this message, so it does not blame the recipe",
            )
        })
    };
    Some(failure.with_detail(last_lines(text, 20)))
}

/// The meaning of abra's messages, if a row matches. Rows with a name in the text report it.
fn known(text: &str, speaker: Speaker) -> Option<Failure> {
    let rows = [speaker, Speaker::Abra];
    let row = rows.into_iter().find_map(|speaker| messages::known(speaker, text))?;
    let after = |mark: &str| {
        text.lines().find_map(|line| line.split_once(mark).map(|(_, rest)| rest.trim().trim_matches('"').to_owned()))
    };
    Some(match row.kind {
        Kind::SecretMissing => {
            let name = after("secret not generated:").unwrap_or_default();
            Failure::new(
                row.kind,
                format!("secret {name} is used by the compose file and nothing generates it"),
                format!("add SECRET_{}_VERSION=v1 to .env.sample", shout(&name)),
            )
        }
        Kind::SecretNotGiven => {
            let name = after("secret not inserted (#generate=false):").unwrap_or_default();
            Failure::new(
                row.kind,
                format!("secret {name} is marked generate=false and was not inserted"),
                format!("define in recipe.toml how to generate it: [secrets.{name}] length = 32"),
            )
        }
        Kind::ConfigChanged => {
            let name = after("failed to update config ").map(|rest| rest.split(':').next().unwrap_or("").to_owned());
            let what = format!("config {} changed under a version that is already deployed", name.unwrap_or_default());
            Failure::new(row.kind, what, row.look_at)
        }
        _ => Failure::new(row.kind, format!("{}: {}", row.means, reason(text)), row.look_at),
    })
}

fn shout(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}

/// What docker's command line prints before anything else, whatever becomes of a deploy.
const NOTICES: [&str; 2] =
    ["Since --detach=false was not specified", "In a future release, --detach=false will become"];

/// The line with the cause: after the last line marked FATA the one with the engine's message, else that line, else the
/// last with any text. A notice is no cause.
fn reason(text: &str) -> String {
    let is_notice = |line: &str| NOTICES.iter().any(|notice| line.contains(notice));
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let at = lines.iter().rposition(|line| line.contains("FATA"));
    let fatal = at.and_then(|at| lines[at].split_once("FATA").map(|(_, rest)| rest)).filter(|rest| !is_notice(rest));
    let engines = at.and_then(|at| lines[at + 1..].iter().find(|line| line.contains("Error response from daemon")));
    let last = lines.iter().rfind(|line| !is_notice(line));
    let line = engines.copied().or(fatal).or(last.copied()).unwrap_or("it printed nothing").trim();
    characters(line, 300).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::failure::Cause;

    fn kind_of(output: &str) -> Kind {
        explain(&Call::ended(&["app", "deploy"], 1, output), "deploy the app").unwrap().kind
    }

    #[test]
    fn a_notice_of_dockers_command_line_is_no_reason() {
        let output = "FATA deploy failed: Since --detach=false was not specified, tasks will be created in the background.\n\
                      In a future release, --detach=false will become the default.\n\
                      open site.conf: no such file or directory\n";
        assert_eq!(reason(output), "open site.conf: no such file or directory");
        assert_eq!(
            reason("FATA no such app\nIn a future release, --detach=false will become the default.\n"),
            "no such app"
        );
        assert_eq!(reason("In a future release, --detach=false will become the default.\n"), "it printed nothing");
    }

    #[test]
    fn each_known_text_has_its_kind() {
        assert_eq!(kind_of("FATA secret not generated: db_password"), Kind::SecretMissing);
        assert_eq!(kind_of("FATA secret not inserted (#generate=false): smtp"), Kind::SecretNotGiven);
        assert_eq!(
            kind_of("failed to update config x_conf_v1: Error response: only updates to Labels are allowed"),
            Kind::ConfigChanged
        );
        assert_eq!(kind_of("FATA write /x: no space left on device"), Kind::DiskFull);
        assert_eq!(
            kind_of("Cannot connect to the Docker daemon at unix:///x. Is it running?"),
            Kind::EngineUnreachable
        );
        assert_eq!(kind_of("services.app Additional property imag is not allowed"), Kind::InvalidCompose);
        assert_eq!(kind_of("FATA something new"), Kind::AbraFailed);
    }

    #[test]
    fn a_killed_abra_is_nobodys_fault_whatever_it_had_said() {
        let mut call = Call::ended(&["app", "deploy"], 1, "services.app Additional property imag is not allowed");
        call.exit = None;
        let failure = explain(&call, "deploy the app").unwrap();
        assert_eq!((failure.kind, failure.kind.usual_cause()), (Kind::AbraKilled, Cause::Infrastructure));
    }

    #[test]
    fn a_call_that_went_well_is_no_failure() {
        assert!(explain(&Call::ended(&["x"], 0, "FATA odd"), "x").is_none());
    }

    #[test]
    fn the_fatal_line_is_the_reason() {
        assert_eq!(reason("INFO a\nFATA  no such app\n\nbye"), "no such app");
        assert_eq!(reason("\n\n"), "it printed nothing");
    }

    proptest::proptest! {
        #[test]
        fn no_output_panics_and_every_failed_call_is_explained(text in ".{0,400}") {
            let failure = explain(&Call::ended(&["x"], 1, &text), "x").unwrap();
            proptest::prop_assert!(!failure.what.contains('\n') && !failure.look_at.is_empty());
        }
    }
}
