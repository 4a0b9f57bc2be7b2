//! `app deploy` and `app upgrade`, in the order of the real one: version, secrets, labels, stack
//! deploy, convergence, env file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::time::{Duration, Instant};

use bollard::Docker;
use coopcloud::abra::Point;
use coopcloud::by_variable::{Typed, by_variable};
use coopcloud::compose::{Compose, Port};
use coopcloud::labels;
use coopcloud::variables::{HANDED_ON, is_reserved};
use coopcloud::version::Version;
use serde_json::json;

use super::cmd::in_service;
use crate::app::App;
use crate::docker::{connect, secret_names, services, wants_terminal};
use crate::fatal::{Done, Fatal, fatal};
use crate::flags::Flags;
use crate::otherwise::otherwise;
use crate::recipe::abra_dir;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    domain: String,
    version: Option<String>,
    /// Deploy again what is deployed
    #[arg(short, long)]
    force: bool,
    /// Don't check that the domain resolves to this server
    #[arg(short = 'D', long)]
    no_domain_checks: bool,
    /// Don't wait until the services are up
    #[arg(short = 'c', long)]
    no_converge_checks: bool,
    /// Leave out the version that the env file names
    #[arg(short, long)]
    ignore_env_version: bool,
}

/// Which of the two commands it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Deploy,
    Upgrade,
}

/// abra's own timeout where no label gives one; 50 by memory, 300 by field notes (low certainty).
const DEFAULT_TIMEOUT: u64 = 50;

pub(crate) async fn run(args: Args, flags: Flags, way: Way) -> Done {
    let mut app = App::open(&args.domain)?;
    let (swarm, docker) = connect().await?;
    let deployed = deployed_version(&docker, &app).await?;
    let version = match way {
        Way::Deploy => {
            if deployed.is_some() && !args.force && !flags.chaos {
                return fatal(format!("{} is already deployed", app.domain));
            }
            chosen(&args, flags, &app, deployed.is_some())?
        }
        Way::Upgrade => newer(&args, &app, deployed)?,
    };
    if !flags.chaos {
        app.recipe.check_out(&version)?;
        if let Some(row) = app.recipe.lint()?.iter().find(|row| row.stops()) {
            return fatal(format!(
                "recipe lint error {}: {} ({})",
                row.rule.reference, row.rule.asks, row.rule.resolve
            ));
        }
    }
    let vars = app.vars()?;
    let compose = app.recipe.compose(&vars)?;
    check_schema(&compose, &vars)?;
    check_secrets(&docker, &app, &compose).await?;
    if !args.no_domain_checks {
        check_domain(&app).await?;
    }
    let chaos = match (flags.chaos, way) {
        (false, _) => None,
        (true, Way::Deploy) => Some(version.clone()),
        (true, Way::Upgrade) => Some(app.recipe.chaos_version()?),
    };
    let watch = match args.no_converge_checks {
        true => None,
        false => Some((swarm.before(&app.stack).await?, swarm.watch(&app.stack).await?)),
    };
    stack_deploy(&app, &compose, chaos.as_deref())?;
    if let Some((before, mut watch)) = watch {
        let key = labels::timeout(&app.stack);
        let label = compose.services.iter().find_map(|service| service.labels.get(&key));
        let seconds = label.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_TIMEOUT);
        let until = Instant::now() + Duration::from_secs(seconds);
        watch.settled(&before, until, &mut |line: &str| eprintln!("INFO {line}")).await.map_err(|failure| {
            let what = if failure.kind == base::failure::Kind::Deadline { "timed out" } else { "failed" };
            Fatal(format!("deploy {what} 🟠 {}", Fatal::from(failure)))
        })?;
    }
    app.env.set("TYPE", &format!("{}:{version}", app.recipe.name));
    app.save()?;
    post_commands(&app, way, args.no_converge_checks).await?;
    eprintln!("INFO {} deployed ({version})", app.domain);
    Ok(())
}

/// The version to deploy: argument, chaos, env file, latest release, commit.
fn chosen(args: &Args, flags: Flags, app: &App, deployed: bool) -> Done<String> {
    if flags.chaos {
        return app.recipe.chaos_version();
    }
    if let Some(version) = &args.version {
        return Ok(version.clone());
    }
    let from_env = app.version().filter(|_| !args.ignore_env_version || deployed);
    match (from_env, app.recipe.releases()?.pop()) {
        (Some(version), _) => Ok(version.trim_end_matches("+U").to_owned()),
        (None, Some((version, _))) => Ok(version),
        (None, None) => Ok(app.recipe.git(&["rev-parse", "HEAD"])?.trim().to_owned()),
    }
}

/// The release to upgrade to.
fn newer(args: &Args, app: &App, deployed: Option<String>) -> Done<String> {
    let Some(deployed) = deployed else { return fatal(format!("{} is not deployed", app.domain)) };
    let now = Version::parse(&deployed);
    let mut releases = app.recipe.releases()?.into_iter().map(|(name, _)| name);
    match &args.version {
        Some(version) if releases.any(|name| name == *version) => Ok(version.clone()),
        Some(version) => fatal(format!("{} has no release {version}", app.recipe.name)),
        None => match releases.rfind(|name| Version::parse(name) > now) {
            Some(version) => Ok(version),
            None => fatal(format!("no available upgrades, {} is on the latest version ({deployed})", app.domain)),
        },
    }
}

/// The version label of what is deployed, empty where it has none; nothing where nothing is.
pub(crate) async fn deployed_version(docker: &Docker, app: &App) -> Done<Option<String>> {
    let specs: Vec<_> = services(docker, &app.stack).await?.into_iter().filter_map(|service| service.spec).collect();
    if specs.is_empty() {
        return Ok(None);
    }
    let key = labels::version(&app.stack);
    Ok(Some(specs.into_iter().find_map(|spec| spec.labels?.remove(&key)).unwrap_or_default()))
}

/// Every external secret that a service uses has to be there.
async fn check_secrets(docker: &Docker, app: &App, compose: &Compose) -> Done {
    let there = secret_names(docker, &app.stack).await?;
    let declared = app.secrets();
    for secret in compose.secrets.iter().filter(|secret| secret.external) {
        let used = compose.services.iter().any(|service| service.secrets.contains(&secret.key));
        if !used || there.contains(&secret.name) {
            continue;
        }
        let by_hand = declared.iter().any(|spec| spec.name == secret.key && !spec.generate);
        return fatal(if by_hand {
            format!("secret not inserted (#generate=false): {}", secret.key)
        } else {
            format!("secret not generated: {}", secret.key)
        });
    }
    Ok(())
}

/// The real abra holds files to the schema before it fills variables in.
fn check_schema(compose: &Compose, vars: &BTreeMap<String, String>) -> Done {
    let numbers_too = !otherwise(Point::SchemaFirstForNumbers)?;
    for field in by_variable(compose, vars) {
        let wants = match field.typed {
            Typed::Duration => "Does not match format 'duration'",
            Typed::Number => "must be a integer",
            Typed::Truth => "must be a boolean",
        };
        if field.typed == Typed::Duration || numbers_too {
            return fatal(format!("{} {wants}", field.field));
        }
    }
    Ok(())
}

/// The commands that the env file names for after the deploy or the upgrade: `service function arguments|…`.
async fn post_commands(app: &App, way: Way, no_wait: bool) -> Done {
    let key = match way {
        Way::Deploy => "POST_DEPLOY_CMDS",
        Way::Upgrade => "POST_UPGRADE_CMDS",
    };
    let list = app.env.get(key).unwrap_or_default();
    if list.is_empty() || (no_wait && !otherwise(Point::PostCommandsAfterWait)?) {
        return Ok(());
    }
    for entry in list.split('|') {
        let words: Vec<String> = entry.split_whitespace().map(str::to_owned).collect();
        let Some((service, words)) = words.split_first().filter(|(_, words)| !words.is_empty()) else {
            return fatal(format!("{key}: {entry:?} names no service and function"));
        };
        let terminal = !otherwise(Point::PostCommandsWantTerminal)?;
        if terminal {
            wants_terminal()?;
        }
        eprintln!("INFO runs {entry}");
        in_service(app, service, words, terminal).await?;
    }
    Ok(())
}

async fn check_domain(app: &App) -> Done {
    let found = tokio::net::lookup_host((app.domain.as_str(), 443)).await;
    match found.ok().and_then(|mut found| found.next()) {
        Some(_) => Ok(()),
        None => fatal(format!("unable to resolve {}; skip with --no-domain-checks", app.domain)),
    }
}

/// Hands the recipe's files and one of our own to docker's loader, which checks, interpolates and
/// merges them as the real abra does: it links the same code. What that one more file would make docker lose is in it.
fn stack_deploy(app: &App, compose: &Compose, chaos: Option<&str>) -> Done {
    // Below its own folder: the real abra leaves nothing elsewhere when it is killed.
    let file = tempfile::Builder::new().prefix("additions-").suffix(".yml").tempfile_in(abra_dir()?)?;
    std::fs::write(file.path(), format!("{:#}\n", additions(app, compose, chaos)?))?;
    let mut args = vec!["stack".to_owned(), "deploy".to_owned()];
    let vars = app.vars()?;
    let mut held = compose.clone();
    held.hold_ports()?;
    // Beside the recipe's own, since paths in them are from there.
    let mut changed = Vec::new();
    for ((name, before), (_, now)) in compose.files.iter().zip(&held.files) {
        let mut name = name.clone();
        if before != now {
            let file = tempfile::Builder::new().prefix(".held-").suffix(".yml").tempfile_in(&app.recipe.dir)?;
            std::fs::write(file.path(), now)?;
            name = file.path().to_string_lossy().into_owned();
            changed.push(file);
        }
        args.extend(["-c".to_owned(), name]);
    }
    args.extend(["-c".to_owned(), file.path().to_string_lossy().into_owned()]);
    // The registry is asked for each image's digest, as abra does; one that cannot be reached only
    // costs a warning.
    args.extend(["--resolve-image".to_owned(), "always".to_owned(), app.stack.to_string()]);
    let command =
        duct::cmd("docker", args).dir(&app.recipe.dir).stdin_null().stderr_to_stdout().stdout_capture().unchecked();
    let output = command.full_env(environment(vars)).run()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        text.lines().for_each(|line| eprintln!("INFO {line}"));
        return Ok(());
    }
    fatal(format!("deploy failed: {}", text.trim()))
}

/// What docker may see: what it needs of the machine, and the app's settings. An app's value for a variable
/// of the machine would choose which program runs, or which engine it speaks to.
fn environment(vars: BTreeMap<String, String>) -> Vec<(OsString, OsString)> {
    let machine = HANDED_ON.into_iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
    let settings = vars.into_iter().filter(|(name, _)| !is_reserved(name));
    machine.chain(settings.map(|(name, value)| (name.into(), value.into()))).collect()
}

/// What a deploy adds to the recipe: labels, and the app's settings in the environment of `app`. A chaos deploy gives its
/// version.
fn additions(app: &App, compose: &Compose, chaos: Option<&str>) -> Done<serde_json::Value> {
    let dollar = |text: &str| text.replace('$', "$$");
    let mut added = json!({ "labels": {
        labels::recipe(&app.stack): app.recipe.name.as_str(),
        labels::chaos(&app.stack): chaos.is_some().to_string(),
    }});
    if let Some(version) = chaos {
        added["labels"][labels::chaos_version(&app.stack)] = json!(version);
    }
    let Some(service) = compose.service("app") else {
        return fatal(format!("recipe {} has no service called app", app.recipe.name));
    };
    let environment: serde_json::Map<_, _> = not_fixed(service.field("environment"), app.env.vars())
        .map(|(key, value)| (key, json!(dollar(&value))))
        .collect();
    let mut file = json!({ "services": { "app": { "deploy": added, "environment": environment } } });
    for service in compose.ports_to_hold() {
        file["services"][&service.name]["ports"] = service.ports.iter().map(Port::long).collect();
    }
    compose.version.write_to(&mut file);
    Ok(file)
}

/// The settings that the service does not have from its compose files: abra adds what is not there, and changes nothing
/// (remembered of its source; docs/unproven.md).
fn not_fixed(
    own: Option<&serde_json::Value>,
    vars: BTreeMap<String, String>,
) -> impl Iterator<Item = (String, String)> {
    let own: BTreeSet<String> =
        own.and_then(|own| own.as_object()).into_iter().flat_map(|own| own.keys().cloned()).collect();
    vars.into_iter().filter(move |(key, _)| !own.contains(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_the_compose_files_set_is_not_the_env_files_to_change() {
        let own = json!({ "MODE": "strict", "TITLE": "from ${TITLE}" });
        let vars = || ["MODE", "TITLE", "ZONE"].map(|name| (name.to_owned(), "x".to_owned())).into();
        let added = |own| not_fixed(own, vars()).map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(added(Some(&own)), ["ZONE"]);
        assert_eq!(added(None), ["MODE", "TITLE", "ZONE"]);
    }

    #[test]
    fn an_apps_settings_cannot_choose_programs_libraries_or_the_engine() {
        let vars =
            ["DOMAIN", "PATH", "LD_PRELOAD", "DOCKER_HOST", "HOME"].map(|name| (name.to_owned(), "evil".to_owned()));
        let found = environment(vars.into_iter().collect());
        let evil: Vec<_> = found.iter().filter(|(_, value)| value == "evil").map(|(name, _)| name).collect();
        assert_eq!(evil, ["DOMAIN"]);
        // cargo's own variables stand for whatever else the caller's environment has.
        assert!(
            found.iter().any(|(name, _)| name == "PATH") && found.iter().all(|(name, _)| name != "CARGO_MANIFEST_DIR")
        );
    }
}
