//! Command-line settings of the reporter.

use std::path::PathBuf;

use base::failure::Failure;
use clap::builder::FalseyValueParser;
use forge::token;
use url::Url;

use super::send::Destination;
use host::settings::Settings;
use host::settings::{plain, wrong};
use host::world;

/// Where a run reports to.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ReportArgs {
    /// Address of a `cc-ci serve` that receives the journal during the run; it changes no verdict
    #[arg(long, env = "CCCI_REPORT_TO", value_name = "URL", value_parser = host::address::url, requires = "report_token_file")]
    pub report_to: Option<Url>,

    /// File that contains only the token for that `cc-ci serve`
    #[arg(long, env = "CCCI_REPORT_TOKEN_FILE", value_name = "FILE")]
    pub report_token_file: Option<PathBuf>,

    /// Also report browsers' pictures in tests, which cannot be redacted
    #[arg(long, env = "CCCI_REPORT_PICTURES", value_parser = FalseyValueParser::new())]
    pub report_pictures: bool,
}

impl ReportArgs {
    /// Reads the token; `None` if the run does not report.
    ///
    /// # Errors
    /// The token cannot be read, or the address is not one of a server.
    pub fn destination(&self, settings: &Settings) -> Result<Option<Destination>, Failure> {
        let (Some(url), Some(file)) = (&self.report_to, &self.report_token_file) else { return Ok(None) };
        plain(url, "what it reports to", "--report-to (CCCI_REPORT_TO)")?;
        let token =
            token::read(file).map_err(|e| wrong(e.to_string(), "--report-token-file (CCCI_REPORT_TOKEN_FILE)"))?;
        let http = world::http(settings)?;
        Ok(Some(Destination { url: url.clone(), token, http, pictures: self.report_pictures }))
    }
}
