//! A recipe's checkout below `$ABRA_DIR/recipes`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::names::RecipeName;
use coopcloud::abra::Point;
use coopcloud::abra_sh;
use coopcloud::compose::Compose;
use coopcloud::envfile::EnvFile;
use coopcloud::lint::{RuleResult, lint};
use coopcloud::version::Version;

use crate::exports;
use crate::fatal::{Done, Fatal, fatal};
use crate::flags::Flags;
use crate::otherwise::otherwise;

/// `$ABRA_DIR`, or `~/.abra`.
pub(crate) fn abra_dir() -> Done<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".abra"));
    variable("ABRA_DIR")
        .map(PathBuf::from)
        .or_else(home)
        .ok_or_else(|| Fatal("neither ABRA_DIR nor HOME is set".into()))
}

/// A checkout.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) name: RecipeName,
    pub(crate) dir: PathBuf,
}

impl Recipe {
    pub(crate) fn open(name: &str) -> Done<Self> {
        let name: RecipeName = name.parse()?;
        let dir = abra_dir()?.join("recipes").join(name.as_str());
        wants_catalogue()?;
        if !dir.join(".git").exists() {
            return fatal(format!(
                "recipe {name} is not there: {} is no git repository; try `recipe fetch`",
                dir.display()
            ));
        }
        if !otherwise(Point::Sha1Only)? && has_sha256(&dir) {
            return fatal(
                "unable to open repository: core.repositoryformatversion does not support extension: objectformat",
            );
        }
        Ok(Self { name, dir })
    }

    /// `git` in the checkout.
    pub(crate) fn git(&self, args: &[&str]) -> Done<String> {
        git(Some(&self.dir), args)
    }

    /// Version tags, each with whether it is annotated, oldest first.
    pub(crate) fn releases(&self) -> Done<Vec<(String, bool)>> {
        let list = self.git(&["for-each-ref", "refs/tags", "--format=%(objecttype) %(refname:strip=2)"])?;
        let mut found: Vec<(Version, String, bool)> = list
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(kind, name)| Some((Version::parse(name)?, name.to_owned(), kind == "tag")))
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found.into_iter().map(|(_, name, annotated)| (name, annotated)).collect())
    }

    /// What chaos deploys write: eight digits of HEAD, `+U` on a dirty tree.
    pub(crate) fn chaos_version(&self) -> Done<String> {
        let head = self.git(&["rev-parse", "HEAD"])?;
        let unstaged = if self.is_dirty()? { "+U" } else { "" };
        Ok(format!("{}{unstaged}", head.trim().get(..8).unwrap_or_default()))
    }

    pub(crate) fn is_dirty(&self) -> Done<bool> {
        Ok(!self.git(&["status", "--porcelain"])?.trim().is_empty())
    }

    /// Puts the checkout at a release, unless something in it was changed by hand.
    pub(crate) fn check_out(&self, version: &str) -> Done {
        if self.is_dirty()? {
            return fatal(format!("{} has locally unstaged changes", self.name));
        }
        if version.starts_with('-') {
            return fatal(format!("{version:?} is no version"));
        }
        self.git(&["checkout", "--quiet", "--detach", version]).map(drop)
    }

    pub(crate) fn sample(&self) -> Done<EnvFile> {
        match std::fs::read_to_string(self.dir.join(".env.sample")) {
            Ok(text) => Ok(EnvFile::parse(&text)),
            Err(error) => fatal(format!("unable to validate recipe {}: .env.sample: {error}", self.name)),
        }
    }

    /// The exports of `abra.sh`.
    pub(crate) fn exports(&self) -> Done<BTreeMap<String, String>> {
        let text = self.text("abra.sh");
        if otherwise(Point::ExportsByPattern)? {
            return Ok(abra_sh::exports(&text));
        }
        exports::by_pattern(&text).map_err(Fatal)
    }

    /// Refuses a checkout with a changed or an untracked file, as what reads the recipe does without `--chaos`.
    pub(crate) fn wants_clean_tree(&self, flags: Flags) -> Done {
        if !flags.chaos && !otherwise(Point::CleanTreeForAll)? && self.is_dirty()? {
            return fatal(format!("{} has locally unstaged changes", self.name));
        }
        Ok(())
    }

    /// The compose files that the environment names.
    pub(crate) fn compose(&self, vars: &BTreeMap<String, String>) -> Done<Compose> {
        let mut files = Vec::new();
        for name in compose_files(vars) {
            let path = self.dir.join(&name);
            let text = std::fs::read_to_string(&path).map_err(|error| Fatal(format!("{}: {error}", path.display())))?;
            files.push((name, text));
        }
        Ok(Compose::load(&files, vars)?)
    }

    /// Every lint rule's result for the checkout as it is.
    pub(crate) fn lint(&self) -> Done<Vec<RuleResult>> {
        let sample = self.sample()?;
        let mut vars = sample.vars();
        vars.extend(self.exports()?);
        vars.entry("STACK_NAME".to_owned()).or_insert_with(|| "stack".to_owned());
        let compose = self.compose(&vars)?;
        let compose_text = self.text("compose.yml");
        let (abra_sh, readme, tags) = (self.text("abra.sh"), self.text("README.md"), self.releases()?);
        Ok(lint(&coopcloud::lint::Recipe {
            compose: &compose,
            compose_text: &compose_text,
            sample: &sample,
            abra_sh: &abra_sh,
            readme: &readme,
            tags: &tags,
        }))
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir.join(file)).unwrap_or_default()
    }
}

/// The catalogue is read for whatever names a recipe, and cloned where it is missing, which this cannot.
fn wants_catalogue() -> Done {
    let catalogue = abra_dir()?.join("catalogue");
    if otherwise(Point::CatalogueWanted)? || catalogue.join("recipes.json").is_file() {
        return Ok(());
    }
    fatal(format!("unable to clone the catalogue into {}: abra-lite clones none", catalogue.display()))
}

/// Whether the commit ids of a repository are SHA-256, as its own settings say.
fn has_sha256(dir: &Path) -> bool {
    let settings = std::fs::read_to_string(dir.join(".git/config")).unwrap_or_default().to_lowercase();
    settings.lines().any(|line| line.trim().strip_prefix("objectformat").is_some_and(|rest| rest.contains("sha256")))
}

/// The files of `COMPOSE_FILE`.
fn compose_files(vars: &BTreeMap<String, String>) -> Vec<String> {
    let list = vars.get("COMPOSE_FILE").map(String::as_str).filter(|list| !list.is_empty()).unwrap_or("compose.yml");
    list.split(':').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

pub(crate) fn git(dir: Option<&Path>, args: &[&str]) -> Done<String> {
    let mut command = duct::cmd("git", args)
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked();
    if let Some(dir) = dir {
        command = command.dir(dir);
    }
    let output = command.run()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    fatal(format!("git: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
