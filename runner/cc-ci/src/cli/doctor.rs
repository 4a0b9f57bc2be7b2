//! `cc-ci doctor`.

use base::failure::Failure;
use host::say;

use super::config_file::Effective;
use super::run::runner_of;
use super::signals::stop_on_signals;
use bot::settings::drone::DroneArgs;
use bot::settings::forge::ForgeArgs;
use doctor::{Level, doctor, probe, render, told};
use host::settings::Settings;
use journal::exit::Exit;

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci doctor             what is wrong with this machine\n",
    "  cc-ci doctor --settings  each setting, its value, and where that comes from\n",
))]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print each setting with its value and where that comes from; nothing is looked at
    #[arg(long)]
    settings: bool,
    /// Ask the installed abra what it does where that is not sure, in a scratch folder and stack, and keep the answers
    #[arg(long)]
    probe_abra: bool,
    /// The forge that `cc-ci serve` answers on, as it has it.
    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    drone: DroneArgs,
}

pub(super) async fn run(settings: &Settings, args: &Args, effective: &[Effective]) -> Result<Exit, Failure> {
    if args.settings {
        if args.json {
            say!("{:#}", serde_json::json!(effective));
        } else {
            host::screen::text(table(effective));
        }
        return Ok(Exit::Passed);
    }
    if args.probe_abra {
        let cancel = stop_on_signals()?;
        let Some(probed) = probe(&runner_of(settings)?, &cancel).await? else { return Ok(Exit::Cancelled) };
        if args.json {
            say!("{:#}", serde_json::json!(probed));
        } else {
            host::screen::text(told(&probed));
        }
        return Ok(Exit::Passed);
    }
    let findings = doctor(settings, &args.forge, &args.drone).await;
    if args.json {
        say!("{:#}", serde_json::json!(findings));
    } else {
        host::screen::text(render(&findings));
    }
    let bad = findings.iter().any(|finding| finding.level == Level::Bad);
    Ok(if bad { Exit::Infrastructure } else { Exit::Passed })
}

/// A line for each setting: key, value, origin.
fn table(effective: &[Effective]) -> String {
    let value = |one: &Effective| one.value.clone().unwrap_or_else(|| "-".to_owned());
    let widest = |of: &dyn Fn(&Effective) -> usize| effective.iter().map(of).max().unwrap_or(0).min(40);
    let keys = widest(&|one| one.key.len());
    let values = widest(&|one| value(one).chars().count());
    let lines = effective.iter().map(|one| format!("{:keys$}  {:values$}  {}\n", one.key, value(one), one.origin));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_well() {
        let one = |key: &str, value: Option<&str>, origin: &str| Effective {
            key: key.to_owned(),
            value: value.map(str::to_owned),
            origin: origin.to_owned(),
        };
        let all = [one("address", None, "default"), one("https-port", Some("8443"), "CCCI_HTTPS_PORT")];
        insta::assert_snapshot!(table(&all), @r"
        address     -     default
        https-port  8443  CCCI_HTTPS_PORT
        ");
    }
}
