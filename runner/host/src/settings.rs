//! Every setting of the environment or a flag, in one table that the docs print.

use std::ffi::OsString;
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use base::failure::{Failure, Kind};
use base::names::{Domain, RecipeName};
use clap::Args;
use forge::token;
use jiff::SignedDuration;
use slots::SetName;
use url::Url;

use crate::address::{ip, url};
use journal::number::{from_one, from_zero, large_from_one, port, small};
use source::git_access::GitAccess;

/// What holds for every command.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// File with settings [default: cc-ci/cc-ci.toml in the user's configuration folder, else in /etc]
    #[arg(long, env = "CCCI_CONFIG_FILE", value_name = "FILE", global = true)]
    pub config_file: Option<PathBuf>,

    /// Folder for journals, reports and the local world [default: the user's state folder]
    #[arg(long, env = "CCCI_STATE", value_name = "DIR", global = true)]
    pub state: Option<PathBuf>,

    /// Base domain of the apps
    #[arg(long, env = "CCCI_BASE_DOMAIN", value_name = "DOMAIN", default_value = "ci.localhost", global = true)]
    pub base_domain: Domain,

    /// Address of the base domain; needed if DNS does not have it [default: 127.0.0.1 for *.localhost]
    #[arg(long, env = "CCCI_ADDRESS", value_name = "IP", value_parser = ip, global = true)]
    pub address: Option<IpAddr>,

    /// HTTPS port of traefik
    #[arg(long, env = "CCCI_HTTPS_PORT", value_name = "PORT", value_parser = port, default_value_t = 443, global = true)]
    pub https_port: u16,

    /// HTTP port of traefik
    #[arg(long, env = "CCCI_HTTP_PORT", value_name = "PORT", value_parser = port, default_value_t = 80, global = true)]
    pub http_port: u16,

    /// traefik's certificate resolver, for a server without a wildcard certificate: each app gets its own certificate,
    /// within the limits of the authority [default: none, traefik has a certificate for all apps]
    #[arg(long, env = "CCCI_CERT_RESOLVER", value_name = "NAME", value_parser = resolver, global = true)]
    pub cert_resolver: Option<String>,

    /// File with a docker login for registries, as `docker login` writes it [default: config.json in $DOCKER_CONFIG, else in
    /// ~/.docker]
    #[arg(long, env = "CCCI_REGISTRY_LOGIN", value_name = "FILE", global = true)]
    pub registry_login: Option<PathBuf>,

    /// File with the recipes whose images are pulled with that login, one name a line [default: none]
    #[arg(long, env = "CCCI_REGISTRY_RECIPES", value_name = "FILE", global = true)]
    pub registry_recipes: Option<PathBuf>,

    /// abra program [default: abra on PATH, else abra-lite]
    #[arg(long, env = "CCCI_ABRA", value_name = "PROGRAM", global = true)]
    pub abra: Option<PathBuf>,

    /// Folder with one folder per recipe
    #[arg(long, env = "CCCI_RECIPES", value_name = "DIR", default_value = "recipes", global = true)]
    pub recipes: PathBuf,

    /// Forge whose private repositories are cloned with a token
    #[arg(long, env = "CCCI_CLONE_FORGE", value_name = "URL", value_parser = url, requires = "clone_token_file", global = true)]
    pub clone_forge: Option<Url>,

    /// File that contains only that token
    #[arg(long, env = "CCCI_CLONE_TOKEN_FILE", value_name = "FILE", requires = "clone_forge", global = true)]
    pub clone_token_file: Option<PathBuf>,

    /// Folder or address below which each recipe has its repository; recipe.toml's `source` takes precedence
    #[arg(
        long,
        env = "CCCI_SOURCES",
        value_name = "FOLDER|URL",
        default_value = "https://git.coopcloud.tech/coop-cloud",
        global = true
    )]
    pub sources: String,

    /// Program that the recipes' Rust tests are built into [default: recipe-tests next to cc-ci]
    #[arg(long, env = "CCCI_RECIPE_TESTS", value_name = "PROGRAM", global = true)]
    pub recipe_tests: Option<PathBuf>,

    /// Maximum number of live runs on the swarm during a run of these settings, itself included; also the swarm's cap if
    /// none is set yet (`cc-ci caps`) [default: the swarm's cap, else one per processor]
    #[arg(long, env = "MAX_TESTS", value_name = "N", value_parser = from_one, global = true)]
    pub max_tests: Option<NonZeroU32>,

    /// Maximum number of live apps of all runs, if the swarm has no cap yet (`cc-ci caps`) [default: two per run]
    #[arg(long, env = "CCCI_MAX_APPS", value_name = "N", value_parser = from_one, global = true)]
    pub max_apps: Option<NonZeroU32>,

    /// Maximum MiB of memory of the apps of all runs, if the swarm has no cap yet (`cc-ci caps`) [default: four fifths
    /// of the node's]
    #[arg(long, env = "CCCI_MAX_MEMORY", value_name = "MIB", value_parser = large_from_one, global = true)]
    pub max_memory: Option<NonZeroU64>,

    /// How long a run waits for its slot
    #[arg(long, env = "CCCI_MAX_WAIT", value_name = "TIME", default_value = "2h", value_parser = how_long, global = true)]
    pub max_wait: Duration,

    /// Whether runs inject the faults that recipes' folders enable: all or none
    #[arg(long, env = "CCCI_FAULTS", value_name = "all|none", default_value_t = FaultsMade::All, global = true)]
    pub faults: FaultsMade,

    /// Name of the set of slots: runners that share it share the caps
    #[arg(long, env = "CCCI_SLOTS", value_name = "NAME", default_value = "ccci", global = true)]
    pub slots: SetName,

    /// Image of the local world's traefik
    #[arg(long, env = "CCCI_TRAEFIK_IMAGE", value_name = "IMAGE", default_value = "traefik:v3.6", global = true)]
    pub traefik_image: String,

    /// Image of the local world's backup bot
    #[arg(
        long,
        env = "CCCI_BOT_IMAGE",
        value_name = "IMAGE",
        default_value = "cc-ci.invalid/backup-bot:1",
        global = true
    )]
    pub bot_image: String,

    /// File with the recipes whose own tests and commands may run, one name a line [default: none]
    #[arg(long, env = "CCCI_APPROVED", value_name = "FILE", global = true)]
    pub approved: Option<PathBuf>,

    /// Image that the own tests of approved recipes run in
    #[arg(long, env = "CCCI_OWN_TESTS_IMAGE", value_name = "IMAGE", global = true)]
    pub own_tests_image: Option<String>,

    /// What a node must have to spare
    #[command(flatten)]
    pub guards: Guards,
}

/// Whether runs make faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultsMade {
    /// Those that recipes' folders enable.
    All,
    /// None, which each report says.
    None,
}

impl FaultsMade {
    pub fn are_made(self) -> bool {
        self == Self::All
    }
}

impl std::fmt::Display for FaultsMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.are_made() { "all" } else { "none" })
    }
}

impl std::str::FromStr for FaultsMade {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "none" => Ok(Self::None),
            _ => Err("write all or none".to_owned()),
        }
    }
}

/// What a node must have to spare for a run to start on it, and when images go.
#[derive(Debug, Clone, Args)]
pub struct Guards {
    /// Free MiB in docker's data folder below which no run starts
    #[arg(long, env = "CCCI_RESERVE_DISK", value_name = "MIB", value_parser = from_zero, default_value_t = 4096, global = true)]
    pub reserve_disk: u32,

    /// Free MiB in cc-ci's state folder below which no run starts
    #[arg(long, env = "CCCI_RESERVE_STATE", value_name = "MIB", value_parser = from_zero, default_value_t = 256, global = true)]
    pub reserve_state: u32,

    /// Free inodes in docker's data folder below which no run starts
    #[arg(long, env = "CCCI_RESERVE_INODES", value_name = "FILES", value_parser = from_zero, default_value_t = 50_000, global = true)]
    pub reserve_inodes: u32,

    /// MiB of the node's memory that stay free in addition to what a run's apps need
    #[arg(long, env = "CCCI_RESERVE_MEMORY", value_name = "MIB", value_parser = from_zero, default_value_t = 256, global = true)]
    pub reserve_memory: u32,

    /// Days without use after which an image that a run has pulled is removed
    #[arg(long, env = "CCCI_IMAGES_UNUSED", value_name = "DAYS", value_parser = small, default_value_t = 7, global = true)]
    pub images_unused: u16,
}

/// A name that is valid in a label.
fn resolver(text: &str) -> Result<String, String> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !text.is_empty() && text.bytes().all(fine) {
        Ok(text.to_owned())
    } else {
        Err("letters, digits, - and _".into())
    }
}

/// A time such as 90s, 30m or 2h; at most a day.
pub fn how_long(text: &str) -> Result<Duration, String> {
    let time: SignedDuration = text.parse().map_err(|_| "write 90s, 30m or 2h".to_owned())?;
    let time = Duration::try_from(time).map_err(|_| "a time cannot be negative".to_owned())?;
    let day = Duration::from_secs(24 * 3600);
    if time.is_zero() || time > day { Err("between 1 s and 24 h".to_owned()) } else { Ok(time) }
}

impl Settings {
    /// The settings as environment variables for a child cc-ci. Unset ones are omitted: the environment is inherited.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        fn text(value: &impl ToString) -> OsString {
            value.to_string().into()
        }
        let given = |path: &Option<PathBuf>| path.as_ref().map(|path| path.clone().into_os_string());
        let guards = &self.guards;
        let all = [
            ("CCCI_CONFIG_FILE", given(&self.config_file)),
            ("CCCI_STATE", given(&self.state)),
            ("CCCI_BASE_DOMAIN", Some(text(&self.base_domain))),
            ("CCCI_ADDRESS", self.address.as_ref().map(text)),
            ("CCCI_HTTPS_PORT", Some(text(&self.https_port))),
            ("CCCI_HTTP_PORT", Some(text(&self.http_port))),
            ("CCCI_CERT_RESOLVER", self.cert_resolver.as_ref().map(text)),
            ("CCCI_REGISTRY_LOGIN", given(&self.registry_login)),
            ("CCCI_REGISTRY_RECIPES", given(&self.registry_recipes)),
            ("CCCI_ABRA", given(&self.abra)),
            ("CCCI_RECIPES", Some(self.recipes.clone().into_os_string())),
            ("CCCI_CLONE_FORGE", self.clone_forge.as_ref().map(text)),
            ("CCCI_CLONE_TOKEN_FILE", given(&self.clone_token_file)),
            ("CCCI_SOURCES", Some(text(&self.sources))),
            ("CCCI_RECIPE_TESTS", given(&self.recipe_tests)),
            ("MAX_TESTS", self.max_tests.as_ref().map(text)),
            ("CCCI_MAX_APPS", self.max_apps.as_ref().map(text)),
            ("CCCI_MAX_MEMORY", self.max_memory.as_ref().map(text)),
            ("CCCI_MAX_WAIT", Some(format!("{}s", self.max_wait.as_secs()).into())),
            ("CCCI_FAULTS", Some(text(&self.faults))),
            ("CCCI_SLOTS", Some(text(&self.slots))),
            ("CCCI_TRAEFIK_IMAGE", Some(text(&self.traefik_image))),
            ("CCCI_BOT_IMAGE", Some(text(&self.bot_image))),
            ("CCCI_APPROVED", given(&self.approved)),
            ("CCCI_OWN_TESTS_IMAGE", self.own_tests_image.as_ref().map(text)),
            ("CCCI_RESERVE_DISK", Some(text(&guards.reserve_disk))),
            ("CCCI_RESERVE_STATE", Some(text(&guards.reserve_state))),
            ("CCCI_RESERVE_INODES", Some(text(&guards.reserve_inodes))),
            ("CCCI_RESERVE_MEMORY", Some(text(&guards.reserve_memory))),
            ("CCCI_IMAGES_UNUSED", Some(text(&guards.images_unused))),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The state folder: the configured one, else `$XDG_STATE_HOME/cc-ci`, else `~/.local/state/cc-ci`.
    ///
    /// # Errors
    /// None is configured and there is no home.
    pub fn state_dir(&self) -> Result<PathBuf, Failure> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        let dir = match &self.state {
            Some(dir) => Some(dir.clone()),
            None => variable("XDG_STATE_HOME").map(PathBuf::from).or_else(home).map(|dir| dir.join("cc-ci")),
        };
        dir.and_then(|dir| std::path::absolute(dir).ok()).ok_or_else(|| {
            Failure::new(Kind::WorldIncomplete, "there is no folder for cc-ci's state", "set CCCI_STATE to a folder")
        })
    }

    /// The login for clones of private repositories, if configured. Only git receives the file's path.
    ///
    /// # Errors
    /// The address is not one of a forge, or the token cannot be read.
    pub fn git_access(&self) -> Result<Option<GitAccess>, Failure> {
        let (Some(forge), Some(file)) = (&self.clone_forge, &self.clone_token_file) else { return Ok(None) };
        plain(forge, "the forge", "--clone-forge (CCCI_CLONE_FORGE)")?;
        let unread = |what: String| wrong(what, "--clone-token-file (CCCI_CLONE_TOKEN_FILE)");
        token::read(file).map_err(|error| unread(error.to_string()))?;
        let token_file = std::path::absolute(file).map_err(|error| unread(error.to_string()))?;
        Ok(Some(GitAccess { forge: forge.clone(), token_file, ca_file: None }))
    }

    /// The default address of a recipe's repository.
    pub fn source_of(&self, recipe: &RecipeName) -> String {
        let below = self.sources.trim_end_matches('/');
        if below.contains("://") { format!("{below}/{recipe}.git") } else { format!("{below}/{recipe}") }
    }

    /// Whether the base domain needs no DNS.
    pub fn is_offline(&self) -> bool {
        self.base_domain.as_str() == "localhost" || self.base_domain.as_str().ends_with(".localhost")
    }

    /// The address of names below the base domain, if DNS is not used.
    pub fn fixed_address(&self) -> Option<IpAddr> {
        self.address.or_else(|| self.is_offline().then(|| IpAddr::from([127, 0, 0, 1])))
    }
}

/// Refuses an address that is not one of a server: HTTP, a host, and nothing that could be secret.
pub fn plain(url: &Url, of: &str, look_at: &str) -> Result<(), Failure> {
    let has_no_secret = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && has_no_secret {
        return Ok(());
    }
    Err(wrong(format!("the address of {of} is not http:// or https:// with a host and no password"), look_at))
}

/// The failure for an invalid setting.
pub fn wrong(what: String, look_at: &str) -> Failure {
    Failure::new(Kind::Usage, what, look_at)
}

#[cfg(test)]
mod tests {
    use clap::{FromArgMatches as _, Parser as _};

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        settings: Settings,
    }

    #[test]
    fn whoever_is_started_has_the_same_settings() {
        // A value for every setting without a default, so that none is missed.
        let command = Settings::augment_args(clap::Command::new("cc-ci"));
        let mut words = vec!["cc-ci".to_owned()];
        for argument in command.get_arguments().filter(|argument| argument.get_default_values().is_empty()) {
            let value = match argument.get_id().as_str() {
                "address" => "10.0.0.1",
                "clone_forge" => "https://git.example.org/",
                _ => "7",
            };
            words.extend([format!("--{}", argument.get_long().unwrap()), value.to_owned()]);
        }
        let settings = Cli::parse_from(&words).settings;
        let told = settings.environment();
        let names: Vec<&str> = told.iter().map(|(name, _)| *name).collect();
        let all: Vec<String> = command
            .get_arguments()
            .map(|argument| argument.get_env().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, all);

        // Parsed again as in the child, by flags instead of variables.
        let flag = |name: &str| {
            command.get_arguments().find(|argument| argument.get_env().unwrap() == name).unwrap().get_long().unwrap()
        };
        let words: Vec<OsString> = [OsString::from("cc-ci")]
            .into_iter()
            .chain(told.iter().flat_map(|(name, value)| [format!("--{}", flag(name)).into(), value.clone()]))
            .collect();
        let matches = command.clone().get_matches_from(words);
        assert_eq!(format!("{:?}", Settings::from_arg_matches(&matches).unwrap()), format!("{settings:?}"));
    }
}
