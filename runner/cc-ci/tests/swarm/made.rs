//! Recipes that are made up for a test, and a run of them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use journal::event::{Event, RunStarted};

use super::support::{Said, cc_ci, left, repositories, root};

/// Recipes made up for a test: their folders, and their repositories.
pub(crate) struct Made(tempfile::TempDir);

impl Made {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("recipes")).unwrap();
        std::fs::create_dir_all(dir.path().join("sources")).unwrap();
        Self(dir)
    }

    /// A recipe that is deployed from a repository of the testbed.
    pub(crate) fn recipe(self, name: &str, repository: &str, toml: &str) -> Self {
        std::fs::create_dir_all(self.folder(name)).unwrap();
        std::fs::write(self.folder(name).join("recipe.toml"), toml).unwrap();
        let link = self.0.path().join("sources").join(name);
        std::os::unix::fs::symlink(repositories().join(repository), link).unwrap();
        self
    }

    pub(crate) fn test(self, recipe: &str, name: &str, script: &str) -> Self {
        let path = self.folder(recipe).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/usr/bin/env bash\nset -eu\n{script}")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// The provider of logins, as its folder in cc-ci's tree says, without its tests.
    pub(crate) fn keycloak(self) -> Self {
        let toml = std::fs::read_to_string(root().join("recipes/keycloak/recipe.toml")).unwrap();
        self.recipe("keycloak", "keycloak", &toml)
    }

    fn folder(&self, recipe: &str) -> PathBuf {
        self.0.path().join("recipes").join(recipe)
    }

    pub(crate) fn command(&self, state: &Path, words: &[&str]) -> std::process::Command {
        let mut command = cc_ci(state);
        self.give_to(&mut command);
        command.args(words);
        command
    }

    /// Lets a run of the program have these recipes in place of cc-ci's own.
    pub(crate) fn give_to(&self, command: &mut std::process::Command) {
        command.env("CCCI_RECIPES", self.0.path().join("recipes"));
        command.env("CCCI_SOURCES", self.0.path().join("sources"));
    }

    pub(crate) fn run(&self, state: &Path, words: &[&str]) -> Said {
        Said::of(self.command(state, &[words, &["--json"]].concat()).output().unwrap())
    }
}

pub(crate) fn started(said: &Said) -> RunStarted {
    let first = said.records.iter().find_map(|record| match &record.event {
        Event::RunStarted(started) => Some((**started).clone()),
        _ => None,
    });
    first.unwrap_or_else(|| panic!("it did not start: {}", said.stderr))
}

/// What is left of every app of a run.
pub(crate) fn left_of(started: &RunStarted) -> Vec<String> {
    let beside = started.dependencies.iter().map(|other| &other.stack);
    beside.chain([&started.stack]).flat_map(left).collect()
}
