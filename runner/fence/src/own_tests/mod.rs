//! The tests that a recipe's own repository brings, in its folder `tests/`. They are a stranger's code:
//! they run only for recipes that an operator approved, in a container that reaches the app alone.
//!
//! ```text
//! test ──► network of the two ──► gate (traefik) ──► network of the gate ──► the app's public address
//! ```
//!
//! `fence.rs` makes networks, gate and volume, `gate.rs` is the gate's
//! configuration and certificate, `one.rs` runs one test.

mod fence;
mod gate;
mod one;

pub use fence::{Fence, Limits};

use std::net::IpAddr;

use base::failure::{Failure, Kind};
use base::names::RecipeName;

use host::approval::Approved;
use host::settings::Settings;
use source::{Checkout, TreeEntry};

/// The folder of a recipe's repository that holds them.
pub const FOLDER: &str = "tests";

/// What is done about a recipe's own tests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OwnTests {
    /// There are none.
    #[default]
    None,
    /// There are some, and they do not run.
    NotRun {
        /// Their paths, in name order.
        files: Vec<String>,
        /// Why.
        why: String,
    },
    /// They run.
    Run {
        /// Their paths, in name order.
        files: Vec<String>,
        /// With what.
        place: FenceSettings,
    },
}

/// What they run with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FenceSettings {
    /// The image of the tests.
    pub image: String,
    /// The image of the gate: a traefik.
    pub gate_image: String,
    /// The address of the base domain; none where DNS knows it.
    pub address: Option<IpAddr>,
}

impl OwnTests {
    /// Decides about the tests of a head.
    ///
    /// # Errors
    /// A usage error: the list of approved recipes is not usable, or there is no image to run them in.
    pub fn decide(settings: &Settings, recipe: &RecipeName, checkout: &Checkout, head: &str) -> Result<Self, Failure> {
        // Read also where nothing depends on it: a list that is wrong shall not wait for its first use.
        let approved = Approved::read(settings.approved.as_deref(), &settings.recipes)?;
        let files = tests_of(&checkout.entries(head, FOLDER)?);
        if files.is_empty() {
            return Ok(Self::None);
        }
        if let Some(why) = approved.why_not(settings, recipe) {
            return Ok(Self::NotRun { files, why });
        }
        let image = settings.own_tests_image.clone().ok_or_else(|| {
            Failure::new(
                Kind::Usage,
                format!("{recipe} is approved and brings tests, and there is no image to run them in"),
                "set CCCI_OWN_TESTS_IMAGE to an image with what tests use, such as bash, curl and jq",
            )
        })?;
        let place =
            FenceSettings { image, gate_image: settings.traefik_image.clone(), address: settings.fixed_address() };
        Ok(Self::Run { files, place })
    }

    /// The tests that run.
    pub fn to_run(&self) -> &[String] {
        match self {
            Self::Run { files, .. } => files,
            Self::None | Self::NotRun { .. } => &[],
        }
    }

    /// What every report says of tests that are there and do not run.
    pub fn note(&self) -> Option<String> {
        match self {
            Self::NotRun { files, why } => {
                Some(format!("the recipe's own tests ({}) are there and did not run, since {why}", files.join(", ")))
            }
            Self::None | Self::Run { .. } => None,
        }
    }
}

/// The tests among the files of the folder: `tests/*.sh` with the run bit. Anything else is theirs to
/// use.
fn tests_of(entries: &[TreeEntry]) -> Vec<String> {
    let is_test = |entry: &&TreeEntry| {
        let name = entry.path.strip_prefix("tests/").unwrap_or_default();
        entry.is_executable && name.len() > ".sh".len() && name.ends_with(".sh") && !name.contains('/')
    };
    let mut files: Vec<String> = entries.iter().filter(is_test).map(|entry| entry.path.clone()).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_a_script_with_the_run_bit_in_the_folder_itself() {
        let entry = |path: &str, is_executable| TreeEntry { path: path.to_owned(), is_executable, is_link: false };
        let found = tests_of(&[
            entry("tests/20-b.sh", true),
            entry("tests/10-a.sh", true),
            entry("tests/lib.sh", false),
            entry("tests/data/c.sh", true),
            entry("tests/d.py", true),
            entry("tests/.sh", true),
        ]);
        assert_eq!(found, ["tests/10-a.sh", "tests/20-b.sh"]);
    }

    #[test]
    fn what_does_not_run_is_told_with_its_names() {
        let own =
            OwnTests::NotRun { files: vec!["tests/a.sh".to_owned()], why: "no operator approved them".to_owned() };
        assert_eq!(
            own.note().unwrap(),
            "the recipe's own tests (tests/a.sh) are there and did not run, since no operator approved them"
        );
        assert!(own.to_run().is_empty() && OwnTests::None.note().is_none());
    }
}
