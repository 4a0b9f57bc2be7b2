//! The settings of `cc-ci serve`.

use clap::builder::FalseyValueParser;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::failure::Failure;
use forge::hook::HookSecret;
use forge::token::{self, RequiredToken};
use forge::watch::Backoff;
use url::Url;

use bot::settings::drone::DroneArgs;
use bot::settings::forge::ForgeArgs;
use history::Keep;
use host::address::{self, listen};
use host::settings::how_long;
use host::settings::wrong;
use nightly::NightlyArgs;
use web::PageSettings;

/// What `cc-ci serve` has to know beside what every command does.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeSettings {
    /// The forge whose pull requests are answered; without one none are.
    #[command(flatten)]
    pub forge: ForgeArgs,

    /// Time between two looks at the forge
    #[arg(long, env = "CCCI_POLL", value_name = "TIME", default_value = "30s", value_parser = how_long)]
    pub poll: Duration,

    /// File with the secret of the forge's webhook, which makes answers quicker [default: no webhook is listened for]
    #[arg(long, env = "CCCI_WEBHOOK_SECRET_FILE", value_name = "FILE", requires = "forge_url")]
    pub webhook_secret_file: Option<PathBuf>,

    /// The Drone in which runs are builds; without one they are processes of this machine.
    #[command(flatten)]
    pub drone: DroneArgs,

    /// File with the token that runs elsewhere report with (their CCCI_REPORT_TOKEN_FILE) [default: none may report]
    #[arg(long, env = "CCCI_REPORT_TOKEN_FILE", value_name = "FILE")]
    pub report_token_file: Option<PathBuf>,

    /// Address to listen at: for readers of the pages, for the webhook, path /hook, and for runs that report, path
    /// /api/runs
    #[arg(long, env = "CCCI_LISTEN", value_name = "ADDRESS", value_parser = listen, default_value = "127.0.0.1:8300")]
    pub listen: SocketAddr,

    /// Where readers find the pages, for links in answers, in badges and in the feed [default: no links]
    #[arg(long, env = "CCCI_PUBLIC_URL", value_name = "URL", value_parser = address::url)]
    pub public_url: Option<Url>,

    /// File with the token for actions on pages, such as cancelling a run [default: no actions]
    #[arg(long, env = "CCCI_PAGES_TOKEN_FILE", value_name = "FILE")]
    pub pages_token_file: Option<PathBuf>,

    /// Show browsers' pictures in tests on the pages; they cannot be redacted
    #[arg(long, env = "CCCI_PAGES_PICTURES", value_parser = FalseyValueParser::new())]
    pub pages_pictures: bool,

    /// When all recipes are tested.
    #[command(flatten)]
    pub nightly: NightlyArgs,

    /// How long results are kept.
    #[command(flatten)]
    pub keep: Keep,
}

/// A forge that is down is asked again at least this often, so that nobody waits for long once it is back.
const AT_LEAST: Duration = Duration::from_secs(60);

impl ServeSettings {
    /// How the pages are shown.
    pub(super) fn shown(&self) -> PageSettings<'_> {
        PageSettings {
            token_file: self.pages_token_file.as_deref(),
            home: self.public_url.clone(),
            pictures: self.pages_pictures,
        }
    }

    /// How often the forge is asked.
    pub(super) fn pace(&self) -> Backoff {
        Backoff { interval: self.poll, longest: self.poll.max(AT_LEAST) }
    }

    /// The webhook's secret; none where none is set.
    ///
    /// # Errors
    /// When it cannot be read, or is too short.
    pub(super) fn secret(&self) -> Result<Option<HookSecret>, Failure> {
        let read = |file: &Path| {
            let secret = token::read(file).map_err(|error| wrong(error.to_string(), "--webhook-secret-file"))?;
            HookSecret::new(&secret).map_err(|error| wrong(error.to_string(), "--webhook-secret-file"))
        };
        self.webhook_secret_file.as_deref().map(read).transpose()
    }

    /// The token that runs report with; none where none is set.
    ///
    /// # Errors
    /// When it cannot be read, or is too short.
    pub(super) fn report_token(&self) -> Result<Option<RequiredToken>, Failure> {
        let look_at = "--report-token-file (CCCI_REPORT_TOKEN_FILE)";
        let read = |file: &Path| {
            let token = token::read(file).map_err(|error| wrong(error.to_string(), look_at))?;
            RequiredToken::new(&token).map_err(|error| wrong(error.to_string(), look_at))
        };
        self.report_token_file.as_deref().map(read).transpose()
    }
}

#[cfg(test)]
mod tests {
    use clap::builder::{FalseyValueParser, ValueParser};
    use clap::{Args as _, Parser as _};

    use super::*;
    use bot::NOT_FOR_RUNS;
    use relay::ReportArgs;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        serve: ServeSettings,
    }

    #[test]
    fn a_forge_that_is_back_is_noticed_within_a_minute_or_the_pause_between_two_looks() {
        for (poll, longest) in [("30s", 60), ("1s", 60), ("10m", 600)] {
            let settings = Cli::try_parse_from(["cc-ci", "--poll", poll]).unwrap().serve;
            assert_eq!(settings.pace().after(u32::MAX, 0.0), Duration::from_secs(longest), "{poll}");
        }
    }

    #[test]
    fn what_leads_to_a_servers_secrets_is_not_for_runs() {
        let command = ServeSettings::augment_args(clap::Command::new("serve"));
        let names = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
        let is_secret = |name: &&str| name.ends_with("_FILE") || name.contains("_DRONE_");
        let secret: Vec<&str> = names.filter(is_secret).collect();
        assert!(secret.len() >= 7 && secret.iter().all(|name| NOT_FOR_RUNS.contains(name)), "{secret:?}");
    }

    #[test]
    fn a_setting_that_is_yes_or_no_takes_1_in_its_variable() {
        let reports = ReportArgs::augment_args(clap::Command::new("run"));
        let serves = ServeSettings::augment_args(clap::Command::new("serve"));

        for (command, name) in [(reports, "report_pictures"), (serves, "pages_pictures")] {
            let option = command.get_arguments().find(|option| option.get_id() == name).unwrap();
            assert_eq!(
                format!("{:?}", option.get_value_parser()),
                format!("{:?}", ValueParser::from(FalseyValueParser::new()))
            );
        }
    }
}
