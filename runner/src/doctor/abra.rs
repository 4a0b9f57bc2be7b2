//! The abra program, and whether it knows the words that cc-ci says.

use std::collections::BTreeSet;
use std::path::Path;

use harness::abra::{Certainty, WORDS, Word, find_program, version_of};

use super::Finding;
use crate::settings::Settings;

pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let program = match find_program(settings.abra.as_deref()) {
        Ok(program) => program,
        Err(failure) => return vec![Finding::bad("abra", failure.what, &failure.look_at)],
    };
    let version = match version_of(&program).await {
        Ok(version) => version,
        Err(failure) => return vec![Finding::bad("abra", failure.what, &failure.look_at)],
    };
    let helps = futures_util::future::join_all(WORDS.iter().map(|word| help(&program, word))).await;
    let missing: Vec<String> =
        WORDS.iter().zip(helps).filter_map(|(word, help)| lacks(word, help.as_deref())).collect();
    let found = Finding::ok("abra", format!("{} ({version})", program.display()));
    let flags = if missing.is_empty() {
        Finding::ok("abra's words", format!("all {} commands with their flags are known to it", WORDS.len()))
    } else {
        Finding::bad("abra's words", missing.join("; "), "install an abra that has them, or use abra-lite by CCCI_ABRA")
    };
    vec![found, flags]
}

/// The command's help; none where it has no such command.
async fn help(program: &Path, word: &Word) -> Option<String> {
    let output = tokio::process::Command::new(program)
        .args(word.command)
        .arg("--help")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(10), output).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What of a word the help does not show.
fn lacks(word: &Word, help: Option<&str>) -> Option<String> {
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

    #[test]
    fn each_missing_flag_is_named() {
        let word = Word { command: &["app", "new"], flags: &["--server", "--domain"], certainty: Certainty::Seen };
        assert_eq!(lacks(&word, Some("  -s, --server <S>\n  -D, --domain")), None);
        assert_eq!(lacks(&word, Some("--servers --domain")).unwrap(), "`app new` lacks --server");
        assert_eq!(lacks(&word, None).unwrap(), "no command `app new`");
    }
}
