//! Which images are pulled with the operator's login: those of listed recipes. All others are pulled anonymously, since
//! a pull request may name any image, and its app can read the content.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use base::failure::Failure;
use base::names::RecipeName;
use swarm::RegistryLogins;

use crate::approval::Approved;
use crate::settings::Settings;

/// The logins for a recipe's images: none, unless it is listed.
///
/// # Errors
/// The list or the login's file cannot be used.
pub fn logins(settings: &Settings, recipe: &RecipeName) -> Result<RegistryLogins, Failure> {
    let listed = Approved::for_registry(settings.registry_recipes.as_deref(), &settings.recipes)?;
    match file(settings) {
        Some(file) if listed.has(recipe) => RegistryLogins::read(&file),
        _ => Ok(RegistryLogins::default()),
    }
}

/// The login's file: the configured one, else the docker client's, if it exists.
pub fn file(settings: &Settings) -> Option<PathBuf> {
    if settings.registry_login.is_some() {
        return settings.registry_login.clone();
    }
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // Like docker finds a home: systemd sets none for a root service.
    let home = || std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let folder = variable("DOCKER_CONFIG").or_else(|| home().map(|home| home.join(".docker")))?;
    Some(folder.join("config.json")).filter(|file| file.is_file())
}

/// Links the login into abra's home in `ABRA_DIR`, which is removed with the run, if the recipe is listed. Otherwise
/// abra finds no login.
///
/// # Errors
/// The list cannot be used, or the disk refuses.
pub fn give_to_abra(settings: &Settings, recipe: &RecipeName, abra: &Path) -> Result<(), Failure> {
    let listed = Approved::for_registry(settings.registry_recipes.as_deref(), &settings.recipes)?;
    let Some(file) = file(settings).filter(|_| listed.has(recipe)) else { return Ok(()) };
    let folder = abra.join("home/.docker");
    let link = || -> io::Result<()> {
        std::fs::create_dir_all(&folder)?;
        symlink(std::path::absolute(file)?, folder.join("config.json"))
    };
    link().map_err(|error| Failure::disk("make", &folder, &error))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    #[test]
    fn a_recipe_that_is_not_on_the_list_is_pulled_as_anyone_could() {
        let dir = tempfile::tempdir().unwrap();
        for recipe in ["recipes/private", "recipes/public"] {
            std::fs::create_dir_all(dir.path().join(recipe)).unwrap();
        }
        let path = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(path("config.json"), r#"{"auths": {"ghcr.io": {"auth": "bWU6cGFzcw=="}}}"#).unwrap();
        std::fs::write(path("listed"), "private # our own\n").unwrap();
        let words =
            ["cc-ci", "--recipes", &path("recipes"), "--registry-login", &path("config.json")].map(str::to_owned);
        let of = |more: &[&str], recipe: &str| {
            let settings = Line::parse_from(words.iter().map(String::as_str).chain(more.iter().copied())).settings;
            logins(&settings, &recipe.parse().unwrap()).map(|logins| logins.registries())
        };
        let listed = path("listed");
        assert_eq!(of(&["--registry-recipes", &listed], "private").unwrap(), ["ghcr.io"]);
        assert!(of(&["--registry-recipes", &listed], "public").unwrap().is_empty());
        assert!(of(&[], "private").unwrap().is_empty(), "without a list no recipe has a login");
        std::fs::write(path("listed"), "of-nobody\n").unwrap();
        assert!(of(&["--registry-recipes", &listed], "private").unwrap_err().what.contains("of-nobody"));
    }

    #[test]
    fn abra_finds_the_login_for_a_listed_recipe_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("recipes/private")).unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(path("login"), "{}").unwrap();
        std::fs::write(path("listed"), "private\n").unwrap();
        let (recipes, login, listed) = (path("recipes"), path("login"), path("listed"));
        let words = ["cc-ci", "--recipes", &recipes, "--registry-login", &login, "--registry-recipes", &listed];
        let settings = Line::parse_from(words).settings;
        for (recipe, is_given) in [("other", false), ("private", true)] {
            let abra = dir.path().join(recipe);
            give_to_abra(&settings, &recipe.parse().unwrap(), &abra).unwrap();
            let link = abra.join("home/.docker/config.json");
            assert_eq!(std::fs::read_link(link).ok(), is_given.then(|| login.clone().into()));
        }
    }

    #[test]
    fn a_login_that_cannot_be_read_is_told_only_where_it_is_wanted() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("recipes/private")).unwrap();
        std::fs::write(dir.path().join("listed"), "private\n").unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let (recipes, login, listed) = (path("recipes"), path("config.json"), path("listed"));
        let words = ["cc-ci", "--recipes", &recipes, "--registry-login", &login, "--registry-recipes", &listed];
        let settings = Line::parse_from(words).settings;
        assert!(logins(&settings, &"other".parse().unwrap()).is_ok());
        assert!(logins(&settings, &"private".parse().unwrap()).unwrap_err().what.contains("config.json"));
    }
}
