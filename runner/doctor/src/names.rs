//! Which recipes' names fit below the base domain. A stack's name has at most 45 characters, and an app's domain is no
//! longer.

use base::names::{Commit, Domain, RecipeName};

use super::DoctorFinding;
use host::domain::domain_of;
use host::settings::Settings;

/// The highest number of a pull request that has to fit.
const PULL_REQUEST: u64 = 9999;

pub(super) fn check(settings: &Settings) -> DoctorFinding {
    let entries = std::fs::read_dir(&settings.recipes).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().join("recipe.toml").is_file());
    let mut names: Vec<RecipeName> =
        folders.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok()).collect();
    names.sort();
    judged(&names, &settings.base_domain)
}

/// A recipe's name in the domains of its apps.
fn in_domains(name: &RecipeName, base: &Domain) -> Result<String, String> {
    // Any commit: seven digits of it are in a domain.
    let head: Commit = "0".repeat(40).parse().map_err(|error: base::names::NameError| error.why)?;
    let domain = domain_of(name, Some(PULL_REQUEST), &head, base).map_err(|failure| failure.look_at)?;
    let (front, _) = domain.as_str().split_once(&format!("-pr{PULL_REQUEST}-")).unwrap_or((domain.as_str(), ""));
    Ok(front.to_owned())
}

fn judged(names: &[RecipeName], base: &Domain) -> DoctorFinding {
    let mut shortened = Vec::new();
    for name in names {
        match in_domains(name, base) {
            Ok(front) if front == name.as_str() => {}
            Ok(front) => shortened.push(format!("{name} becomes {front}")),
            Err(look_at) => {
                return DoctorFinding::bad(
                    "names",
                    format!("the domain of an app of {name} does not fit below {base}"),
                    &look_at,
                );
            }
        }
    }
    if shortened.is_empty() {
        return DoctorFinding::ok("names", format!("the name of every recipe fits below {base}"));
    }
    let what = format!("below {base} names are shortened, and stay their own: {}", shortened.join(", "));
    DoctorFinding::ok("names", what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;

    #[test]
    fn names_fit_or_are_shortened_or_have_no_room() {
        let names: Vec<RecipeName> = ["ghost", "matrix-synapse"].map(|name| name.parse().unwrap()).into();
        let of = |base: &str| judged(&names, &base.parse().unwrap());
        assert_eq!(of("ci.localhost").what, "the name of every recipe fits below ci.localhost");
        let short = of("ci.a-long-one.org");
        assert_eq!(short.level, Level::Ok);
        assert_eq!(
            short.what,
            "below ci.a-long-one.org names are shortened, and stay their own: matrix-synapse becomes matrix-7a0a"
        );
        let none = of("a-very-long-base-domain.example.org");
        assert_eq!(none.level, Level::Bad);
        assert!(none.mend.unwrap().contains("at most "));
    }
}
