//! Stable, testing or unstable, after Resolution 025 of the federation: the criteria that a test runner can check, and
//! those that it cannot. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Case, Evidence, PublishedRelease, Repository};
use journal::event::{Outcome, Stage};
use journal::text::clean;

/// Maximum age in days of a stable recipe's newest release.
const LATELY_DAYS: i64 = 92;

/// A recipe's grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Not even the criteria of testing are met.
    Unstable,
    /// It has a maintainer, and it works.
    Testing,
    /// It is kept up to date, and its newest release works.
    Stable,
}

impl Grade {
    /// The name in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unstable => "unstable",
            Self::Testing => "testing",
            Self::Stable => "stable",
        }
    }
}

/// A criterion's result for a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assessment {
    Met,
    /// Not met, or not shown by anything.
    NotMet,
    /// A test runner cannot check it: a person has to.
    NotChecked,
}

impl Assessment {
    /// The name in every report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::NotChecked => "not checked",
        }
    }
}

/// One criterion and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    pub asks: String,
    /// The lowest grade that requires it; every better one does too.
    pub of: Grade,
    /// Whether the resolution requires it; otherwise cc-ci requires it as additional evidence.
    pub resolution: bool,
    pub answer: Assessment,
    /// One line: the evidence.
    pub why: String,
}

/// A recipe's grade and its criteria.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grading {
    /// The best grade whose checkable criteria are all met.
    pub word: Grade,
    /// One line: what prevents the next grade, and what was not checked.
    pub why: String,
    pub criteria: Vec<Criterion>,
}

/// The maintainers in a recipe's README.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readme {
    /// The named maintainers; empty if there are none.
    pub maintainers: String,
    /// Whether a matrix handle or an e-mail address follows the name.
    pub contact: bool,
}

/// Parses a README: the line that begins with the word maintainer, in a list, a table or plain, and the lines under a
/// heading of that name.
pub fn readme(text: &str) -> Readme {
    let bare = |line: &str| line.trim_start_matches(['*', '-', '#', '|', ' ', '_']).trim_end().to_owned();
    let mut found = Vec::new();
    let mut below = false;
    for line in text.lines() {
        let said = bare(line);
        let rest = ["maintainers", "maintainer"].iter().find_map(|word| {
            let begin = said.get(..word.len())?;
            begin.eq_ignore_ascii_case(word).then(|| said[word.len()..].to_owned())
        });
        let is_heading = line.starts_with('#');
        match rest {
            Some(rest) if rest.starts_with(|c: char| c.is_alphanumeric()) => {}
            Some(rest) => {
                below = is_heading;
                found.push(rest.trim_matches(['*', ':', ' ', '|', '_']).to_owned());
                continue;
            }
            None => below &= !is_heading,
        }
        if below {
            found.push(said);
        }
    }
    let nobody = |name: &String| matches!(name.to_ascii_lowercase().as_str(), "" | "n/a" | "none" | "no" | "tbd" | "?");
    found.retain(|name| !nobody(name));
    let maintainers = found.join(", ");
    Readme { contact: has_contact(&maintainers), maintainers: journal::text::one_line(&maintainers, 100) }
}

/// Whether there is a matrix handle (`@name:server`), a link to one, or an e-mail address.
fn has_contact(text: &str) -> bool {
    let words = text.split(|c: char| c.is_whitespace() || "()[]<>,;`\"'".contains(c));
    words.into_iter().any(|word| {
        let word = word.trim_start_matches("mailto:");
        let matrix = word.strip_prefix('@').and_then(|rest| rest.split_once(':'));
        let mail = word.split_once('@').filter(|(name, _)| !name.is_empty() && !name.contains("://"));
        let is_host = |host: &str| host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
        matrix.is_some_and(|(name, host)| !name.is_empty() && is_host(host))
            || mail.is_some_and(|(_, host)| is_host(host))
            || word.starts_with("https://matrix.to/#/@")
    })
}

/// A recipe's grade.
pub fn standing(case: &Case<'_>) -> Grading {
    let repository = case.repository;
    let release = repository.and_then(|repository| repository.release.as_ref());
    let green = newest_green(case, release);
    let criteria = vec![
        maintainer(repository),
        unknown("the upstream project is active and answers security issues", Grade::Testing),
        works(case),
        unknown("security issues are patched within a month", Grade::Stable),
        unknown("merge requests are answered within a month", Grade::Stable),
        lately(repository, release, case.now),
        unknown("the status score and the README are up to date", Grade::Stable),
        on_release(repository, release, green),
        restored(green),
    ];
    let met = |word: Grade| criteria.iter().filter(|one| one.of <= word).all(|one| one.answer != Assessment::NotMet);
    let word = [Grade::Stable, Grade::Testing].into_iter().find(|word| met(*word)).unwrap_or(Grade::Unstable);
    Grading { why: why(word, &criteria), word, criteria }
}

fn why(word: Grade, criteria: &[Criterion]) -> String {
    let next = if word == Grade::Unstable { Grade::Testing } else { Grade::Stable };
    let of = |answer: Assessment| {
        let wanted = criteria.iter().filter(|one| one.answer == answer && one.of <= next);
        wanted
            .map(|one| if answer == Assessment::NotMet { one.why.as_str() } else { one.asks.as_str() })
            .collect::<Vec<_>>()
    };
    let (lacks, unchecked) = (of(Assessment::NotMet), of(Assessment::NotChecked));
    let lacks = match (word, lacks.is_empty()) {
        (Grade::Stable, _) | (_, true) => String::new(),
        _ => format!("not {}: {}; ", next.name(), lacks.join("; ")),
    };
    format!("{lacks}not checked: {}", unchecked.join("; "))
}

/// The newest green whole run of the newest release, or of any commit if there is none.
fn newest_green<'a>(case: &Case<'a>, release: Option<&PublishedRelease>) -> Option<&'a Evidence> {
    let of_release = |run: &&&Evidence| {
        let same = case.repository.zip(release);
        same.is_some_and(|(repository, release)| repository.same(&run.head, &release.commit))
    };
    let green = || case.runs.iter().filter(|run| run.is_green());
    green().find(of_release).or_else(|| green().next()).copied()
}

fn known(asks: &str, of: Grade, resolution: bool, met: bool, why: String) -> Criterion {
    let answer = if met { Assessment::Met } else { Assessment::NotMet };
    Criterion { asks: asks.to_owned(), of, resolution, answer, why: clean(&why) }
}

fn unknown(asks: &str, of: Grade) -> Criterion {
    let why = "a test runner cannot know it".to_owned();
    Criterion { asks: asks.to_owned(), of, resolution: true, answer: Assessment::NotChecked, why }
}

const UNREAD: &str = "the recipe's repository was not read (--fetch reads one that is not on this machine)";

fn maintainer(repository: Option<&Repository>) -> Criterion {
    let readme = repository.map(|repository| repository.readme.clone().unwrap_or_default());
    let (met, why) = match readme {
        None => (false, UNREAD.to_owned()),
        Some(readme) if readme.maintainers.is_empty() => (false, "the README names no maintainer".to_owned()),
        Some(readme) if !readme.contact => {
            (false, format!("the README names {} without a matrix handle or e-mail address", readme.maintainers))
        }
        Some(readme) => (true, format!("the README names {}", readme.maintainers)),
    };
    known(
        "a maintainer is named in the README, with a matrix handle or an e-mail address",
        Grade::Testing,
        true,
        met,
        why,
    )
}

fn works(case: &Case<'_>) -> Criterion {
    let green = case.runs.iter().find(|run| run.is_green());
    let why = match green {
        Some(run) => format!("run {} was green", run.run),
        None => "no whole run was green".to_owned(),
    };
    known("a whole run was green", Grade::Testing, false, green.is_some(), why)
}

fn lately(repository: Option<&Repository>, release: Option<&PublishedRelease>, now: Timestamp) -> Criterion {
    let (met, why) = match (repository, release) {
        (None, _) => (false, UNREAD.to_owned()),
        (_, None) => (false, "there is no release".to_owned()),
        (_, Some(release)) => {
            let days = now.duration_since(release.at).as_hours() / 24;
            (days <= LATELY_DAYS, format!("release {} is {days} days old", release.name))
        }
    };
    known("it was upgraded in the last three months", Grade::Stable, true, met, why)
}

fn on_release(
    repository: Option<&Repository>,
    release: Option<&PublishedRelease>,
    green: Option<&Evidence>,
) -> Criterion {
    let (met, why) = match (repository, release, green) {
        (None, ..) => (false, UNREAD.to_owned()),
        (_, None, _) => (false, "there is no release".to_owned()),
        (_, _, None) => (false, "no whole run was green".to_owned()),
        (Some(repository), Some(release), Some(run)) => {
            let met = repository.same(&run.head, &release.commit);
            let word = if met { "was green on" } else { "is the newest green one, and not of" };
            (met, format!("run {} {word} release {}", run.run, release.name))
        }
    };
    known("a whole run was green on the newest release", Grade::Stable, false, met, why)
}

fn restored(green: Option<&Evidence>) -> Criterion {
    let seen = green.and_then(|run| Some((run, run.seen(Stage::Backup)?)));
    let (met, why) = match seen {
        None => (false, "no whole run was green".to_owned()),
        Some((run, seen)) => {
            let back = |name: &str| name == "backup.back" || name.starts_with("restored: ");
            let met = seen.outcome == Some(Outcome::Passed)
                && seen.checks.iter().any(|check| back(&check.name) && check.outcome == Outcome::Passed);
            (met, format!("run {} {} a restore", run.run, if met { "showed" } else { "did not show" }))
        }
    };
    known("a restore brought data back", Grade::Stable, false, met, why)
}

#[cfg(test)]
mod tests;
