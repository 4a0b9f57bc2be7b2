use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use base::exchange::Recorder;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities as _, WebDriver};

use super::home::Home;
use super::process::Process;
use super::trust::{find, trust};
use super::{Browser, WAIT, poller};
use crate::driver_error::words;
use crate::testing::Broken;

/// The Debian packages that a browser needs, and the program of each.
pub const PACKAGES: [(&str, &str); 3] =
    [("chromium", "chromium"), ("chromium-driver", "chromedriver"), ("libnss3-tools", "certutil")];

/// No single command may take longer: opening a page ends after 60 s by itself.
const COMMAND: Duration = Duration::from_secs(90);

/// What a browser is started with.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The certificates to trust beside Chromium's own list, in PEM.
    pub ca: Option<PathBuf>,
    /// Addresses for names that no DNS knows, each `host:port:address` as curl's `--resolve`.
    pub resolve: Vec<String>,
    /// Where its home is made, a short path; `/tmp` where there is none.
    pub scratch: Option<PathBuf>,
    /// Where the pages that it opens are put down.
    pub recorder: Option<Recorder>,
    /// Where programs are searched; `PATH` where it is not said.
    pub path: Option<OsString>,
}

pub(super) async fn start(config: &Config) -> Result<Browser, Broken> {
    let programs = programs(config)?;
    let home = Home::new(config.scratch.as_deref());
    let home = home.map_err(|error| Broken::new(format!("there is no folder for the browser: {error}")))?;
    if let Some(ca) = &config.ca {
        trust(&programs.certutil, home.path(), ca).await.map_err(Broken::new)?;
    }
    let capabilities = capabilities(config, &programs, home.path().join("profile").display().to_string())?;
    let process = Process::start(programs.chromedriver, home).await.map_err(Broken::new)?;

    // Who has chosen the cryptography first has decided; there is none between here and chromedriver.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(COMMAND).build();
    let client = client.map_err(|error| Broken::new(format!("no way to talk to chromedriver: {error}")))?;
    let driver = WebDriver::builder(process.url(), capabilities).client(client).poller(poller(WAIT)).connect().await;
    let driver =
        driver.map_err(|error| Broken::new(format!("Chromium cannot be started: {}; {}", words(&error), advice())))?;
    // The process ends it. Thirtyfour would talk to chromedriver while the last clone is dropped.
    let _ = driver.clone().leak();
    Ok(Browser { driver, process: std::sync::Arc::new(process), recorder: config.recorder.clone() })
}

struct Programs {
    chromium: PathBuf,
    chromedriver: PathBuf,
    certutil: PathBuf,
}

fn programs(config: &Config) -> Result<Programs, Broken> {
    let path = config.path.clone().or_else(|| std::env::var_os("PATH")).unwrap_or_default();
    let found = PACKAGES.map(|(_, program)| find(program, &path));
    let missing: Vec<&str> =
        PACKAGES.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|((_, program), _)| *program).collect();
    match found {
        [Some(chromium), Some(chromedriver), Some(certutil)] => Ok(Programs { chromium, chromedriver, certutil }),
        _ => Err(Broken::new(format!("a browser test needs {}, not found on PATH; {}", missing.join(", "), advice()))),
    }
}

fn advice() -> String {
    format!("apt-get install {}", PACKAGES.map(|(package, _)| package).join(" "))
}

fn capabilities(config: &Config, programs: &Programs, profile: String) -> Result<ChromeCapabilities, Broken> {
    let mut args: Vec<String> = [
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-proxy-server",
        "--lang=en-US",
        "--window-size=1280,900",
        // Ends with chromedriver: see `Process`.
        "--remote-debugging-pipe",
    ]
    .map(str::to_owned)
    .into();
    // Chromium refuses to be root with its sandbox; anybody else keeps it.
    if rustix::process::geteuid().is_root() {
        args.push("--no-sandbox".to_owned());
    }
    args.push(format!("--user-data-dir={profile}"));
    let rules = rules(&config.resolve)?;
    if !rules.is_empty() {
        args.push(format!("--host-resolver-rules={rules}"));
    }
    let mut capabilities = ChromeCapabilities::new();
    let fault = |error: thirtyfour::error::WebDriverError| Broken::new(words(&error));
    for arg in &args {
        capabilities.add_arg(arg).map_err(fault)?;
    }
    capabilities.set_binary(&programs.chromium.display().to_string()).map_err(fault)?;
    capabilities.as_mut().set("goog:loggingPrefs", serde_json::json!({"browser": "INFO"})).map_err(fault)?;
    Ok(capabilities)
}

/// curl's `host:port:address` as Chromium says it. The port plays no part: a name has one address.
fn rules(resolve: &[String]) -> Result<String, Broken> {
    let mut rules = Vec::new();
    for entry in resolve.iter().filter(|entry| !entry.is_empty()) {
        let mut parts = entry.splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(host), Some(_), Some(address)) if !host.is_empty() && !address.is_empty() => {
                let address = address.trim_matches(['[', ']']);
                let address = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
                rules.push(format!("MAP {host} {address}"));
            }
            _ => return Err(Broken::new(format!("wants host:port:address, got {entry:?}"))),
        }
    }
    Ok(rules.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_dns_become_rules() {
        let rules = |entries: &[&str]| rules(&entries.iter().map(|e| (*e).to_owned()).collect::<Vec<_>>());
        assert_eq!(rules(&["a.ci:443:127.0.0.1", "b.ci:443:::1"]).unwrap(), "MAP a.ci 127.0.0.1, MAP b.ci [::1]");
        assert_eq!(rules(&["", "a.ci:443:[::1]"]).unwrap(), "MAP a.ci [::1]");
        assert_eq!(rules(&[]).unwrap(), "");
        assert_eq!(rules(&["a.ci"]).unwrap_err().to_string(), "wants host:port:address, got \"a.ci\"");
    }

    #[tokio::test]
    async fn a_machine_without_a_browser_is_told_the_packages() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chromedriver"), "").unwrap();
        let config = Config { path: Some(folder.path().into()), ..Config::default() };
        let error = Browser::start(&config).await.unwrap_err().to_string();
        assert_eq!(
            error,
            "a browser test needs chromium, certutil, not found on PATH; \
             apt-get install chromium chromium-driver libnss3-tools"
        );
    }
}
