//! What is to be tested, as every command that plans or runs takes it.

use std::path::Path;

use base::failure::{Failure, Kind};
use base::names::{Commit, RecipeName, is_ref};

use host::settings::Settings;
use journal::event::Stage;
use journal::selection::Selection;
use plan::spec::Request;
use recipe_folder::folder::read_toml;
use source::{Revision, uncommitted, without_credentials};

/// What is to be tested.
#[derive(Debug, clap::Args)]
pub(super) struct What {
    /// Name of the recipe
    #[arg(help_heading = None::<&'static str>)]
    pub(super) recipe: RecipeName,
    /// Folder or URL of its repository [default: recipe.toml's, else the maintainers' Gitea]
    #[arg(long, value_name = "FOLDER|URL", value_parser = address)]
    source: Option<String>,
    /// Test the folder of --source as it is, with what is not committed
    #[arg(long, conflicts_with_all = ["pr", "reference"])]
    dirty: bool,
    /// Pull request whose head is tested
    #[arg(long, value_name = "N", conflicts_with = "reference", value_parser = journal::number::number)]
    pr: Option<u64>,
    /// Commit of that pull request, in full: it is tested whatever was pushed since
    #[arg(long, value_name = "SHA", requires = "pr")]
    commit: Option<Commit>,
    /// Branch, tag or commit that is tested [default: the default branch]
    #[arg(long = "ref", value_name = "REF", value_parser = safe_ref)]
    reference: Option<String>,
    /// Release that the upgrade starts from [default: the newest before the head's version]
    #[arg(long, value_name = "VERSION", value_parser = safe_ref)]
    from: Option<String>,
    /// Run only these stages or tests: functional, browser, functional/20-content.hurl
    #[arg(long, value_name = "STAGE|TEST", value_delimiter = ',')]
    only: Vec<String>,
}

impl What {
    pub(super) fn request(&self, settings: &Settings) -> Result<Request, Failure> {
        if !settings.recipes.is_dir() {
            return Err(Failure::new(
                Kind::Usage,
                format!("there is no folder of recipes {}", settings.recipes.display()),
                "--recipes (CCCI_RECIPES); for the generic checks alone name an empty folder",
            ));
        }
        let source = match &self.source {
            Some(source) => source.clone(),
            None => {
                read_toml(&settings.recipes, &self.recipe)?.source.unwrap_or_else(|| settings.source_of(&self.recipe))
            }
        };
        let folder = Path::new(&source);
        if self.dirty && !folder.is_dir() {
            let what = format!("--dirty: {source} is no folder of this machine");
            return Err(Failure::new(Kind::Usage, what, "--source FOLDER, or leave --dirty out"));
        }
        let revision = match (self.pr, &self.commit, &self.reference) {
            _ if self.dirty => Revision::WorkTree(folder.to_owned()),
            (Some(pull), Some(commit), _) => Revision::Pinned { pull, commit: commit.clone() },
            (Some(number), None, _) => Revision::PullRequest(number),
            (None, _, Some(name)) => Revision::Named(name.clone()),
            (None, _, None) => Revision::Default,
        };
        Ok(Request {
            recipe: self.recipe.clone(),
            source,
            revision,
            from: self.from.clone(),
            base_domain: settings.base_domain.clone(),
        })
    }

    /// What a run leaves out since it is not committed, in words; none where it is everything.
    pub(super) fn left_out(request: &Request) -> Option<String> {
        if !matches!(request.revision, Revision::Default | Revision::Named(_)) {
            return None;
        }
        let files = uncommitted(Path::new(&request.source));
        let more = if files.len() > 3 { format!(" and {} more", files.len() - 3) } else { String::new() };
        let names = files.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
        (!files.is_empty()).then(|| {
            format!(
                "not committed in {}, so not tested: {names}{more}; --dirty takes them along",
                without_credentials(&request.source)
            )
        })
    }

    /// The URL that was given for the repository; none for a folder.
    pub(super) fn source_url(&self) -> Option<&str> {
        self.source.as_deref().filter(|source| source.contains("://"))
    }

    /// Without a word of what is wanted, the tests of what the app is for.
    pub(super) fn only_tests(&mut self) {
        if self.only.is_empty() {
            self.only.push(Stage::Functional.to_string());
        }
    }

    pub(super) fn selection(&self) -> Result<Selection, Failure> {
        selection(&self.only)
    }
}

/// The part of a run that words ask for.
pub(super) fn selection(words: &[String]) -> Result<Selection, Failure> {
    Selection::parse(words).map_err(|why| {
        Failure::new(Kind::Usage, format!("--only: {why}"), "`cc-ci plan` lists the stages and their tests")
    })
}

fn address(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("write a folder or a URL, or leave the option out".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn safe_ref(text: &str) -> Result<String, String> {
    if is_ref(text) { Ok(text.to_owned()) } else { Err("letters, digits and . _ / - + only".to_owned()) }
}
