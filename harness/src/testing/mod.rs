//! Tests of a recipe in Rust: what one is given, and how it says what it found.
//!
//! A test is a file with one function. It asserts with `assert!` and `assert_eq!`, gives errors on with
//! `?`, and ends with the line that a report shows:
//!
//! ```
//! use harness::testing::{Outcome, Test};
//!
//! pub async fn run(test: &Test) -> Outcome {
//!     let browser = test.browser().await?;
//!     browser.open(test.url("/login")).await?;
//!     browser.fill("input[name=email]", "owner@example.org").await?;
//!     browser.click("button[type=submit]").await?;
//!     browser.see_text("h1", "Welcome").await?;
//!     Ok("the owner logs in".to_owned())
//! }
//! ```

mod built;
mod ended;
mod http;
mod logins;
mod panics;
mod ports;
mod wrong;

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::exchange::Recorder;

pub use built::{Built, NotBuilt, Running, Source, find};
pub use ended::{TestEnd, run};
pub use logins::{pass_login_form, refuses_wrong_password};
pub use overlay::Verdict;
pub use panics::remember_panics;
pub use ports::Published;
pub use wrong::{Broken, Wrong};

use crate::browser::{Browser, Config};
use crate::deps::Deps;
use overlay::{EXCHANGES_FILE, SECRETS_FILE, VARIABLES_FILE};

/// How a test ends: with the line that says what was shown, or with what is wrong.
pub type Outcome = Result<String, Wrong>;

/// A run's values, and the browsers that a test opens.
#[derive(Debug)]
pub struct Test {
    name: String,
    values: BTreeMap<String, String>,
    browsers: Mutex<Vec<Browser>>,
    recorder: Recorder,
    no_picture: AtomicBool,
}

impl Test {
    /// A test with the values that it sees.
    pub fn new(name: impl Into<String>, values: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            name: name.into(),
            values: values.into_iter().collect(),
            browsers: Mutex::default(),
            recorder: Recorder::default(),
            no_picture: AtomicBool::new(false),
        }
    }

    /// A test with the values of this process's environment, as scripts have them.
    pub fn from_environment(name: impl Into<String>) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::new(name, std::env::vars_os().filter_map(text))
    }

    /// Its folder and name: `browser/10-login`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A value of the run, such as `CCCI_VERSION`, or one that an earlier test left in the file
    /// `variables`.
    pub fn value(&self, name: &str) -> Result<&str, Broken> {
        let value = self.values.get(name).map(String::as_str);
        value.ok_or_else(|| Broken::new(format!("the variable {name} is not set")))
    }

    /// The address of something in the app; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.text("CCCI_URL"))
    }

    /// The run's id: part of a name, it makes what a test writes its own.
    pub fn run(&self) -> &str {
        self.text("CCCI_RUN")
    }

    /// Keeps a value out of every report from now on: a token or a cookie that the app has just made.
    pub fn hide(&self, secret: &str) -> Result<(), Broken> {
        self.add_line(SECRETS_FILE, secret)
    }

    /// From now on no picture is taken of what its browsers show, however it ends: nobody can take a token or a
    /// key out of a picture. A browser shows dots for a password that was typed.
    pub fn no_picture(&self) {
        self.no_picture.store(true, Ordering::Relaxed);
    }

    /// Leaves a value for the tests after it. One whose name ends with `token`, `password`, `secret`,
    /// `cookie` or `session` is kept out of every report.
    pub fn remember(&self, name: &str, value: &str) -> Result<(), Broken> {
        self.add_line(VARIABLES_FILE, &format!("{name}={value}"))
    }

    fn add_line(&self, file: &str, line: &str) -> Result<(), Broken> {
        use std::io::Write as _;
        let path = PathBuf::from(self.value("CCCI_WORK")?).join(file);
        let opened = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let written = opened.and_then(|mut file| writeln!(file, "{line}"));
        written.map_err(|error| Broken::new(format!("{} cannot be written: {error}", path.display())))
    }

    /// What the run deployed beside the app, and the logins that it made.
    pub fn deps(&self) -> Result<Deps, Broken> {
        let path = self.value("CCCI_DEPS_FILE")?;
        if path.is_empty() {
            return Err(Broken::new("the run deployed nothing beside the app: requires or [sso] in recipe.toml"));
        }
        Deps::read(path.as_ref()).map_err(|error| Broken::new(error.to_string()))
    }

    /// A new Chromium that knows the app's name and trusts its certificate. When the test ends red, what
    /// it shows is kept; when the test ends, so does it.
    pub async fn browser(&self) -> Result<Browser, Broken> {
        let config = Config {
            ca: self.values.get("CCCI_CA").filter(|path| !path.is_empty()).map(PathBuf::from),
            resolve: self.resolve(),
            recorder: Some(self.recorder.clone()),
            ..Config::default()
        };
        let browser = Browser::start(&config).await?;
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner).push(browser.clone());
        Ok(browser)
    }

    /// Runs a command in a container of the app and gives what it printed. Others on the machine may read
    /// its arguments, so no secret belongs there.
    pub async fn inside(&self, service: &str, command: &[&str]) -> Result<String, Wrong> {
        let exec = self.value("CCCI_EXEC")?;
        let mut call = tokio::process::Command::new(exec);
        call.args([service, "--"]).args(command).stdin(Stdio::null()).kill_on_drop(true);
        let ended = call.output().await.map_err(|error| Broken::new(format!("{exec} cannot be started: {error}")))?;
        if ended.status.success() {
            return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&ended.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        Err(Wrong::red(format!("{} in {service} failed: {last}", command.first().unwrap_or(&"no command"))))
    }

    /// A secret of the app, as the container of a service has it: one that abra generated, say. It is kept out of every
    /// report from now on.
    pub async fn secret(&self, service: &str, name: &str) -> Result<String, Wrong> {
        let value = self.inside(service, &["cat", &format!("/run/secrets/{name}")]).await?;
        let value = value.trim_end_matches(['\r', '\n']).to_owned();
        self.hide(&value)?;
        Ok(value)
    }

    /// Whether a picture may be taken at a red end.
    fn shows_pictures(&self) -> bool {
        !self.no_picture.load(Ordering::Relaxed)
    }

    /// Whether a picture is taken at a green end, too: the recipe says so.
    fn shows_green_pictures(&self) -> bool {
        self.shows_pictures() && !self.text("CCCI_PICTURES").is_empty()
    }

    /// Leaves what was asked and answered for cc-ci, where it can.
    fn leave_exchanges(&self) {
        let folder = self.text("CCCI_WORK");
        if !folder.is_empty() {
            // Without them the report shows less, and the test says the same.
            let _ = self.recorder.take().write(&PathBuf::from(folder).join(EXCHANGES_FILE));
        }
    }

    /// Where files go that outlive the run.
    fn artifacts(&self) -> Option<PathBuf> {
        self.values.get("CCCI_ARTIFACTS").filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The browsers that it opened, each for the last time.
    fn take_browsers(&self) -> Vec<Browser> {
        std::mem::take(&mut *self.browsers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Twelve letters and digits that no test has used before, for names that must be new.
pub fn random() -> String {
    format!("{:012x}", rand::random::<u64>() >> 16)
}

/// How long the evidence of a red test may take, out of its own time.
const EVIDENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;
    use overlay::told_secrets;

    #[test]
    fn what_a_test_leaves_is_there_for_the_next_and_its_secrets_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let work = dir.path().display().to_string();
        let test = Test::new("functional/50-x", [("CCCI_WORK".to_owned(), work)]);
        test.remember("room", "!a:b").unwrap();
        test.remember("alice_token", "t1").unwrap();
        test.hide("once").unwrap();
        let left = std::fs::read_to_string(dir.path().join(VARIABLES_FILE)).unwrap();
        assert_eq!(left, "room=!a:b\nalice_token=t1\n");
        assert_eq!(told_secrets(dir.path()), ["once", "t1"]);
        assert!(Test::new("functional/50-x", []).remember("room", "!a:b").is_err());
    }

    #[tokio::test]
    async fn a_secret_of_the_app_is_read_in_its_container_and_hidden() {
        let dir = tempfile::tempdir().unwrap();
        let exec = dir.path().join("exec");
        let script = "#!/bin/sh\n[ \"$*\" = 'app -- cat /run/secrets/admin_password' ] && echo s3cret";
        testbed::executable(&exec, script).unwrap();
        let values = [("CCCI_WORK", dir.path().to_str().unwrap()), ("CCCI_EXEC", exec.to_str().unwrap())];
        let test = Test::new("functional/50-x", values.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(test.secret("app", "admin_password").await.unwrap(), "s3cret");
        assert_eq!(told_secrets(dir.path()), ["s3cret"]);
        assert!(test.secret("app", "other").await.is_err());
    }
}
