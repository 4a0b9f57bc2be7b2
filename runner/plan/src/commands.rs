//! Commands that abra runs once an app is up: `POST_DEPLOY_CMDS` after a deploy, `POST_UPGRADE_CMDS` after an upgrade,
//! each `SERVICE FUNCTION ARGUMENTS`, with `|` between them; the function is one of `abra.sh` and runs in the service's
//! container. Medium certainty, as that abra runs none with `--no-converge-checks`, which cc-ci gives it. So cc-ci has
//! abra run them one by one. They are code of the recipe's repository, as its tests are: only of approved recipes.

use base::failure::Failure;
use base::names::RecipeName;
use coopcloud::envfile::EnvFile;

use host::approval::Approved;
use host::settings::Settings;

/// What is done about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commands {
    /// They run.
    Run,
    /// They do not, and why.
    NotRun(String),
}

/// When abra runs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// After a deploy.
    Deploy,
    /// After an upgrade.
    Upgrade,
}

impl After {
    /// The setting.
    pub fn key(self) -> &'static str {
        match self {
            Self::Deploy => "POST_DEPLOY_CMDS",
            Self::Upgrade => "POST_UPGRADE_CMDS",
        }
    }

    /// What is set for it; none where nothing is.
    pub fn set_in(self, env: &EnvFile) -> Option<String> {
        env.vars().remove(self.key()).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// After what a deploy of this revision over another comes; none for a way back, which abra takes without commands.
    pub fn of(was: Option<&str>, now: &str, head: &str) -> Option<Self> {
        match was {
            Some(was) if was != now => (now == head).then_some(Self::Upgrade),
            _ => Some(Self::Deploy),
        }
    }
}

impl Commands {
    /// Decides for a recipe.
    ///
    /// # Errors
    /// The list of approved recipes is not usable.
    pub fn decide(settings: &Settings, recipe: &RecipeName) -> Result<Self, Failure> {
        let approved = Approved::read(settings.approved.as_deref(), &settings.recipes)?;
        Ok(approved.why_not(settings, recipe).map_or(Self::Run, Self::NotRun))
    }

    /// A line of the plan about what is set; none where nothing is.
    pub fn planned(&self, after: After, env: &EnvFile) -> Option<String> {
        let (key, value) = (after.key(), after.set_in(env)?);
        Some(match self {
            Self::Run => format!("run {value} of {key}, as abra does once the app is up"),
            Self::NotRun(why) => format!("leave {value} of {key} out, and with it what that sets up: {why}"),
        })
    }
}

/// The commands of a setting, each service, function and arguments.
///
/// # Errors
/// One that is no service and function.
pub fn parsed(value: &str) -> Result<Vec<Vec<String>>, String> {
    let commands = value.split('|').map(str::trim);
    let words = |command: &str| -> Result<Vec<String>, String> {
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        if words.len() < 2 { Err(format!("{command:?} is no service and function")) } else { Ok(words) }
    };
    commands.map(words).collect()
}
