//! The settings of the nightly sweep.

use std::path::PathBuf;

use base::failure::Failure;
use clap::builder::FalseyValueParser;
use url::Url;

use super::hook::Hook;
use super::hour::SweepHour;

/// When all recipes are tested, and who hears of it.
#[derive(Debug, Clone, clap::Args)]
pub struct NightlyArgs {
    /// Time of day, with its zone, at which every recipe is tested: `03:30 Europe/Berlin` [default: never]
    #[arg(long, env = "CCCI_NIGHTLY", value_name = "TIME ZONE")]
    pub nightly: Option<SweepHour>,

    /// Skip a commit that was green in the last sweep which tested it
    #[arg(long, env = "CCCI_NIGHTLY_CHANGED", value_parser = FalseyValueParser::new())]
    pub nightly_changed: bool,

    /// Address of a webhook that receives the recipes that turned [default: none]
    #[arg(long, env = "CCCI_NIGHTLY_HOOK", value_name = "URL", value_parser = host::address::url, requires = "nightly_hook_secret_file")]
    pub nightly_hook: Option<Url>,

    /// File with the secret that signs its messages
    #[arg(long, env = "CCCI_NIGHTLY_HOOK_SECRET_FILE", value_name = "FILE", requires = "nightly_hook")]
    pub nightly_hook_secret_file: Option<PathBuf>,
}

impl NightlyArgs {
    /// Where messages go; none where no address is set.
    ///
    /// # Errors
    /// When the address is none of a server, or the secret cannot be used.
    pub fn hook(&self) -> Result<Option<Hook>, Failure> {
        let (Some(url), Some(file)) = (&self.nightly_hook, &self.nightly_hook_secret_file) else { return Ok(None) };
        Hook::new(url, file).map(Some)
    }
}
