//! A run requested by a comment, as parameters of a build of the pipeline `testme` (`.drone.yml`). Pure.

use base::names::{Commit, RecipeName, RunId};
use url::Url;

use super::parameters::{Parameters, UnfitParameter};

/// A requested run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testme {
    /// The run's id. [`super::Drone::started_with`] finds the build by it, and the run's records are matched by it.
    pub run: RunId,
    pub recipe: RecipeName,
    /// The address that git fetches its repository from.
    pub source: Url,
    pub pull: u64,
    /// The head commit when the comment was read.
    pub commit: Commit,
    /// The part to run; empty for everything.
    pub only: Vec<String>,
    /// The release that the upgrade starts from, if specified.
    pub from: Option<String>,
}

/// The parameter that identifies the build.
pub const RUN: &str = "TESTME_RUN";

impl Testme {
    /// The parameters, each with the plugin's setting that the pipeline passes it to.
    pub const SETTINGS: [(&str, &str); 7] = [
        (RUN, "run-id"),
        ("TESTME_RECIPE", "recipe"),
        ("TESTME_SOURCE", "source"),
        ("TESTME_PR", "pr"),
        ("TESTME_COMMIT", "commit"),
        ("TESTME_ONLY", "only"),
        ("TESTME_FROM", "from"),
    ];

    /// The parameters, without unset ones.
    ///
    /// # Errors
    /// A text is not allowed in the pipeline: Drone substitutes parameters before it parses the file.
    pub fn parameters(&self) -> Result<Parameters, UnfitParameter> {
        let only = self.only.join(",");
        let pull = self.pull.to_string();
        let values = [
            (RUN, self.run.as_str()),
            ("TESTME_RECIPE", self.recipe.as_str()),
            ("TESTME_SOURCE", self.source.as_str()),
            ("TESTME_PR", pull.as_str()),
            ("TESTME_COMMIT", self.commit.as_str()),
            ("TESTME_ONLY", only.as_str()),
            ("TESTME_FROM", self.from.as_deref().unwrap_or_default()),
        ];
        let mut parameters = Parameters::default();
        for (name, value) in values.into_iter().filter(|(_, value)| !value.is_empty()) {
            if !value.bytes().all(is_plain) {
                return Err(UnfitParameter { name: name.to_owned() });
            }
            parameters = parameters.with(name, value)?;
        }
        Ok(parameters)
    }
}

/// Characters without a meaning in quoted YAML, in a shell's expansion or in a list.
fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"._-+/:,@~%=?&".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn testme() -> Testme {
        Testme {
            run: "20261121-091403-kxqv".parse().unwrap(),
            recipe: "custom-html".parse().unwrap(),
            source: "https://git.example.org/coop/custom-html.git".parse().unwrap(),
            pull: 7,
            commit: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
            only: vec!["backup".to_owned(), "functional/20-content.hurl".to_owned()],
            from: Some("1.2.0+1.22.1".to_owned()),
        }
    }

    #[test]
    fn every_parameter_has_its_setting_and_empty_ones_are_left_out() {
        let whole = testme().parameters().unwrap();
        let mut names: Vec<&str> = whole.iter().map(|(name, _)| name).collect();
        let mut wanted: Vec<&str> = Testme::SETTINGS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(names, wanted);
        let bare = Testme { only: Vec::new(), from: None, ..testme() }.parameters().unwrap();
        assert_eq!(bare.iter().count(), wanted.len() - 2);
    }

    #[test]
    fn what_could_mean_more_than_itself_is_refused() {
        for text in ["a\"b", "a\nb", "${DRONE_TOKEN}", "a b", "a\\b", "{x}", "a'b", "ä", "#x", "$x"] {
            for wrong in
                [Testme { only: vec![text.to_owned()], ..testme() }, Testme { from: Some(text.to_owned()), ..testme() }]
            {
                assert!(wrong.parameters().is_err(), "{text:?}");
            }
        }
    }
}
