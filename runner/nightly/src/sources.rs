//! The enrolled recipes and their newest commits.

use std::future::Future;

use base::failure::{Failure, Kind};
use base::names::RecipeName;
use forge::api::{Forge as _, Hosting as _};
use forge::names::Repo;

use bot::settings::forge::NamedForge;
use host::settings::Settings;
use recipe_folder::folder::{all_recipes, folder_of, read_toml};
use source::Heads;
use source::git_access::GitAccess;

/// What a recipe's repository offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSource {
    /// Its address, without credentials.
    pub source: String,
    /// Its newest commits.
    pub heads: Heads,
}

/// Lists recipes and their newest commits.
pub trait Sources: Send + Sync {
    /// The recipes that have a folder with a `recipe.toml`, by name.
    ///
    /// # Errors
    /// The folder of recipes cannot be read.
    fn recipes(&self) -> Result<Vec<RecipeName>, Failure>;

    /// The newest commits of a recipe, or `None` if it has no folder any more.
    ///
    /// # Errors
    /// Its repository cannot be queried; [`Kind::SourceUnreachable`] if a retry may succeed.
    fn newest(&self, recipe: &RecipeName) -> impl Future<Output = Result<Option<FoundSource>, Failure>> + Send;
}

/// The recipe folders of this machine and their repositories. A repository of the recipe's name on the forge comes
/// first, since its pull requests are compared with it; otherwise the source that `cc-ci run` uses.
#[derive(Debug)]
pub struct Enrolled {
    settings: Settings,
    forge: Option<NamedForge>,
}

impl Enrolled {
    pub fn new(settings: Settings, forge: Option<NamedForge>) -> Self {
        Self { settings, forge }
    }

    fn is_enrolled(&self, recipe: &RecipeName) -> bool {
        folder_of(&self.settings.recipes, recipe).join("recipe.toml").is_file()
    }

    /// The address of the recipe's repository, and git's access to it.
    async fn source(&self, recipe: &RecipeName) -> Result<(String, Option<GitAccess>), Failure> {
        if let Some(named) = &self.forge
            && let Ok(repo) = format!("{}/{recipe}", named.owner).parse::<Repo>()
        {
            let asked = named.forge.hosted(&repo).await.map_err(|error| {
                let kind = if error.is_passing() { Kind::SourceUnreachable } else { Kind::Usage };
                Failure::new(kind, error.to_string(), "the forge, and the bot's token")
            })?;
            if asked.is_some() {
                return Ok((named.forge.clone_url(&repo).to_string(), Some(named.git_access())));
            }
        }
        let toml = read_toml(&self.settings.recipes, recipe)?;
        Ok((toml.source.unwrap_or_else(|| self.settings.source_of(recipe)), self.settings.git_access()?))
    }
}

impl Sources for Enrolled {
    fn recipes(&self) -> Result<Vec<RecipeName>, Failure> {
        Ok(all_recipes(&self.settings.recipes)?.into_iter().filter(|recipe| self.is_enrolled(recipe)).collect())
    }

    async fn newest(&self, recipe: &RecipeName) -> Result<Option<FoundSource>, Failure> {
        if !self.is_enrolled(recipe) {
            return Ok(None);
        }
        let (source, access) = self.source(recipe).await?;
        let asked = source.clone();
        let heads = tokio::task::spawn_blocking(move || Heads::of(&asked, access.as_ref())).await;
        let bug =
            |error| Failure::new(Kind::Bug, format!("a repository could not be queried: {error}"), "please report it");
        Ok(Some(FoundSource { source, heads: heads.map_err(bug)?? }))
    }
}
