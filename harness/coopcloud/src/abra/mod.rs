//! The `abra` program, called with argument lists, never through a shell, and with one `ABRA_DIR` per run. All
//! knowledge about abra's commands is in this folder.

mod behaviour;
mod call;
mod catalogue;
mod environment;
mod failures;
mod group;
mod lint;
mod probed;
mod program;
mod secrets;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use behaviour::{BEHAVIOURS, Behaviour, Confidence, Point};
pub use call::Call;
pub use catalogue::operators_catalogue;
pub use environment::environment;
pub use failures::{explain, explain_with};
pub use group::ProcessGroup;
pub use lint::{LintRow, parse_lint};
pub use probed::{ProbeAnswer, Probed};
pub use program::{find_program, version_of};
pub use secrets::{generated_values, nothing_generated};
pub use words::{AbraPhrase, Certainty, WORDS};

use base::failure::Failure;
use base::names::{Domain, RecipeName};

/// An abra program with its own directory.
#[derive(Debug, Clone)]
pub struct Abra {
    program: PathBuf,
    dir: PathBuf,
    probed: Option<Probed>,
}

/// Arguments of `app deploy` other than the domain.
const DEPLOY: &[&str] =
    &["--chaos", "--offline", "--no-input", "--force", "--no-converge-checks", "--no-domain-checks"];

impl Abra {
    /// Uses `program` with `dir` as its `ABRA_DIR`. Neither is accessed before the first call.
    pub fn new(program: PathBuf, dir: PathBuf) -> Self {
        Self { program, dir, probed: None }
    }

    /// Adds the results of a probe of the program.
    pub fn knowing(self, probed: Option<Probed>) -> Self {
        Self { probed, ..self }
    }

    /// A flag, unless a probe found that the program does not have it.
    fn if_known<'a>(&self, command: &str, flag: &'a str) -> Option<&'a str> {
        let lacks = self.probed.as_ref().is_some_and(|probed| !probed.has(&format!("{command} {flag}")));
        (!lacks).then_some(flag)
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// abra's checkout of a recipe.
    pub fn recipe_dir(&self, recipe: &RecipeName) -> PathBuf {
        self.dir.join("recipes").join(recipe.as_str())
    }

    /// abra's env file of an app on the local server.
    pub fn env_file(&self, domain: &Domain) -> PathBuf {
        self.dir.join("servers").join("default").join(format!("{domain}.env"))
    }

    /// `server add --local`: the local engine becomes the server called `default`.
    pub async fn server_add_local(&self, limit: Duration) -> Result<Call, Failure> {
        self.pipes(&["server", "add", "--local", "--no-input"], limit).await
    }

    /// `recipe lint` of the checkout as it is. It needs a terminal even with `--no-input`.
    pub async fn recipe_lint(&self, recipe: &RecipeName, limit: Duration) -> Result<Call, Failure> {
        self.terminal(&["recipe", "lint", recipe.as_str(), "--chaos", "--offline", "--no-input"], limit).await
    }

    /// `app new` from the checkout as it is: writes the env file.
    pub async fn app_new(&self, recipe: &RecipeName, domain: &Domain, limit: Duration) -> Result<Call, Failure> {
        let domain = format!("--domain={domain}");
        let args = ["app", "new", recipe.as_str(), "--server=default", &domain, "--chaos", "--offline", "--no-input"];
        self.pipes(&args, limit).await
    }

    /// `app deploy` of the checkout as it is, without waiting: the caller watches the swarm itself.
    pub async fn app_deploy(&self, domain: &Domain, limit: Duration) -> Result<Call, Failure> {
        let mut args = vec!["app", "deploy", domain.as_str()];
        args.extend(DEPLOY);
        self.pipes(&args, limit).await
    }

    /// `app secret generate --all`: generates missing secrets. The output contains their values ([`generated_values`]
    /// parses them) and is omitted from [`Call::shown`].
    pub async fn secret_generate(&self, domain: &Domain, limit: Duration) -> Result<Call, Failure> {
        let args =
            ["app", "secret", "generate", domain.as_str(), "--all", "--machine", "--chaos", "--offline", "--no-input"];
        Ok(self.pipes(&args, limit).await?.holding_secrets())
    }

    /// `app secret insert` from a file, so that the value is in no argument list.
    pub async fn secret_insert(
        &self,
        domain: &Domain,
        name: &str,
        version: &str,
        file: &Path,
        limit: Duration,
    ) -> Result<Call, Failure> {
        let file = file.to_string_lossy();
        let args = [
            "app",
            "secret",
            "insert",
            domain.as_str(),
            name,
            version,
            &file,
            "--file",
            "--chaos",
            "--offline",
            "--no-input",
        ];
        Ok(self.pipes(&args, limit).await?.holding_secrets())
    }

    /// `app cmd`: a function of the recipe's `abra.sh` in a service's container. `words` are the service, the function
    /// and its arguments. abra allocates a terminal for it.
    pub async fn app_cmd(&self, domain: &Domain, words: &[String], limit: Duration) -> Result<Call, Failure> {
        let mut args = vec!["app", "cmd", "--chaos", "--offline", "--no-input", domain.as_str()];
        args.extend(words.iter().map(String::as_str));
        self.terminal(&args, limit).await
    }

    /// `app backup create`. It needs a terminal.
    pub async fn backup_create(&self, domain: &Domain, limit: Duration) -> Result<Call, Failure> {
        self.terminal(&["app", "backup", "create", domain.as_str(), "--chaos", "--offline", "--no-input"], limit).await
    }

    /// `app backup list --all`: the files in the latest snapshot. Without `--all` it may only list the volumes'
    /// folders. It needs a terminal.
    pub async fn backup_list(&self, domain: &Domain, limit: Duration) -> Result<Call, Failure> {
        let mut args = vec!["app", "backup", "list", domain.as_str(), "--chaos", "--offline", "--no-input"];
        args.extend(self.if_known("app backup list", "--all"));
        self.terminal(&args, limit).await
    }

    /// `app restore` of the latest snapshot, in place, with its hooks, by a flag if the program is known to have one.
    /// It needs a terminal.
    pub async fn restore(&self, domain: &Domain, limit: Duration) -> Result<Call, Failure> {
        let mut args = vec!["app", "restore", domain.as_str(), "--chaos", "--offline", "--no-input"];
        let flag = self.probed.as_ref().filter(|probed| probed.has("app restore --hooks"));
        args.extend(flag.map(|_| "--hooks"));
        self.terminal(&args, limit).await
    }

    async fn pipes(&self, args: &[&str], limit: Duration) -> Result<Call, Failure> {
        call::over_pipes(&self.program, &self.dir, args, limit).await
    }

    /// Any command, on a terminal.
    pub async fn terminal(&self, args: &[&str], limit: Duration) -> Result<Call, Failure> {
        call::on_a_terminal(&self.program, &self.dir, args, limit).await
    }
}
