//! The settings of `cc-ci serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::failure::Failure;
use trigger::hook::HookSecret;
use trigger::token;
use url::Url;

use crate::forge::{ForgeArgs, wrong};
use crate::history::Keep;
use crate::settings::how_long;

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

    /// Address to listen for the webhook at, path /hook; only with its secret
    #[arg(long, env = "CCCI_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8300")]
    pub listen: SocketAddr,

    /// Where the folder `runs` of the state folder is to be read, for links to reports [default: no links]
    #[arg(long, env = "CCCI_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,

    /// How long results are kept.
    #[command(flatten)]
    pub keep: Keep,
}

impl ServeSettings {
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
}
