//! An app: its env file below `$ABRA_DIR/servers/default`, its recipe, its stack.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base::names::{Domain, StackName};
use coopcloud::envfile::{EnvFile, SecretSpec};

use crate::fatal::{Done, fatal};
use crate::flags::Flags;
use crate::recipe::{Recipe, abra_dir};

/// The folder of the local server's env files.
pub(crate) fn server_dir() -> Done<PathBuf> {
    Ok(abra_dir()?.join("servers").join("default"))
}

/// An app that has an env file.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) domain: Domain,
    pub(crate) file: PathBuf,
    pub(crate) env: EnvFile,
    pub(crate) recipe: Recipe,
    pub(crate) stack: StackName,
}

impl App {
    pub(crate) fn open(domain: &str) -> Done<Self> {
        let domain: Domain = domain.parse()?;
        let file = server_dir()?.join(format!("{domain}.env"));
        let Ok(text) = std::fs::read_to_string(&file) else {
            return fatal(format!("unable to find app with name {domain}"));
        };
        let env = EnvFile::parse(&text);
        let Some(kind) = env.get("TYPE").or_else(|| env.get("RECIPE")) else {
            return fatal(format!("{domain} is missing the TYPE env var"));
        };
        let recipe = Recipe::open(kind.split(':').next().unwrap_or_default())?;
        let stack = match env.get("STACK_NAME") {
            Some(name) => StackName::try_from(name.to_owned())?,
            None => domain.stack(),
        };
        Ok(Self { stack, domain, file, env, recipe })
    }

    /// The same for what reads the recipe too.
    pub(crate) fn open_with_recipe(domain: &str, flags: Flags) -> Done<Self> {
        let app = Self::open(domain)?;
        app.recipe.wants_clean_tree(flags)?;
        Ok(app)
    }

    /// The version that the env file names, if it names one.
    pub(crate) fn version(&self) -> Option<&str> {
        self.env.get("TYPE").or_else(|| self.env.get("RECIPE"))?.split_once(':').map(|(_, version)| version)
    }

    /// Everything that compose files may use: the env file, the recipe's exports, the stack's name.
    pub(crate) fn vars(&self) -> Done<BTreeMap<String, String>> {
        let mut vars = self.env.vars();
        vars.extend(self.recipe.exports()?);
        vars.insert("STACK_NAME".to_owned(), self.stack.to_string());
        Ok(vars)
    }

    pub(crate) fn save(&self) -> Done {
        Ok(std::fs::write(&self.file, self.env.to_string())?)
    }

    pub(crate) fn secrets(&self) -> Vec<SecretSpec> {
        self.env.secrets()
    }

    /// The swarm's name of a secret.
    pub(crate) fn secret_name(&self, name: &str, version: &str) -> String {
        self.stack.object(&format!("{name}_{version}"))
    }
}
