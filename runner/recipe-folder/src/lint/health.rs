//! Commands of `[health]` that end with 0 whatever the app does: they would make every app ready.

use super::{Finding, Folder, Rule};
use crate::recipe_toml::RecipeToml;

/// Programs that cannot fail.
const NEVER_FAIL: [&str; 5] = ["true", ":", "echo", "printf", "sleep"];
/// How a line of shell swallows what failed before.
const SWALLOW: [&str; 5] = ["|| true", "|| :", "; true", "; :", "exit 0"];

pub(super) fn check(folder: &Folder, toml: &RecipeToml) -> Vec<Finding> {
    let hollow = toml.health.commands.iter().filter(|one| cannot_fail(&one.run));
    hollow
        .map(|one| {
            let text = format!("`{}` ends with 0 whatever the app does", one.run.join(" "));
            folder.finding("recipe.toml", None, Rule::HollowHealth, text)
        })
        .collect()
}

fn cannot_fail(words: &[String]) -> bool {
    let name = |word: &String| word.rsplit('/').next().unwrap_or_default().to_owned();
    let Some(program) = words.first().map(name) else { return false };
    if NEVER_FAIL.contains(&program.as_str()) {
        return true;
    }
    let is_shell = matches!(program.as_str(), "sh" | "bash" | "ash" | "dash");
    let text = words.last().map(|text| text.trim_end_matches([' ', ';'])).unwrap_or_default();
    is_shell && words.len() > 1 && (SWALLOW.iter().any(|end| text.ends_with(end)) || NEVER_FAIL.contains(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_fail_is_told_from_what_can() {
        let of = |words: &[&str]| cannot_fail(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        for hollow in
            [&["/bin/true"][..], &["echo", "ok"], &["sh", "-c", "pg_isready || true;"], &["bash", "-c", "exit 0"]]
        {
            assert!(of(hollow), "{hollow:?}");
        }
        for sound in [&["pg_isready", "-q"][..], &["sh", "-c", "curl -f localhost | grep -q ok"], &["sh", "/ready.sh"]]
        {
            assert!(!of(sound), "{sound:?}");
        }
    }
}
