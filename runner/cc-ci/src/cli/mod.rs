//! The command line: one file per command. Each turns its arguments into a call of the library and
//! its result into words and an exit code.

mod cancel;
mod caps;
mod config_file;
mod coverage;
mod docs;
mod doctor;
#[cfg(test)]
mod documented;
mod empty;
mod export;
mod kept_app;
mod lint;
mod mirror;
mod new;
mod plan;
pub(crate) mod plugin;
mod reap;
#[cfg(test)]
mod refusals;
mod report;
mod run;
mod serve;
mod signals;
mod status;
mod target;
mod world;

use host::note;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::IsTerminal as _;

use base::failure::{Cause, Failure, Kind};
use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use config_file::{ConfigFile, Effective};
use host::screen;
use host::settings::Settings;
use journal::exit::{Exit, help_table};

/// Tests Co-op Cloud recipes on a real Docker Swarm: install, upgrade, backup, restore, and whether
/// the app really works.
#[derive(Debug, Parser)]
#[command(
    name = "cc-ci",
    version,
    after_help = help_table(),
    after_long_help = concat!(
        "Examples:\n",
        "  cc-ci doctor                                  what is wrong with this machine\n",
        "  cc-ci up                                      make the local world\n",
        "  cc-ci run custom-html                         test the default branch of the maintainers' recipe\n",
        "  cc-ci run custom-html --pr 12                 test a pull request\n",
        "  cc-ci run custom-html --source ../custom-html --ref my-branch\n",
        "  cc-ci run n8n --only functional --keep        only the tests, and let the app stay for a look\n",
        "  cc-ci run n8n --kept --only functional/20     one test against the kept app\n",
        "  cc-ci status                                  who holds a slot on this swarm, and who waits\n",
        "  cc-ci new n8n --source ../n8n                 begin with a recipe: docs/enroll-recipe.md\n",
        "  cc-ci lint                                    check every recipe's folder, in a second\n",
        "  cc-ci coverage                                what the tests show, and what only looks as if\n",
        "  cc-ci report RUN/journal.jsonl --format html  make a report again\n"
    )
)]
struct Cli {
    #[command(flatten, next_help_heading = MACHINE, next_display_order = 1000)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

/// The commands as `cc-ci --help` lists them: by what somebody wants to do.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Test a recipe", &["run", "plan", "prove"]),
    ("Look at an app that a run keeps", &["shell", "logs"]),
    ("Enrol a recipe", &["new", "lint", "coverage", "mirror"]),
    ("Look after a machine", &["doctor", "up", "down", "status", "caps", "cancel", "reap"]),
    ("Show results, and serve", &["serve", "plugin", "export", "report", "docs"]),
];

/// The heading of what holds for every command.
const MACHINE: &str = "Settings of this machine (also as variables and in cc-ci.toml)";

#[derive(Debug, Subcommand)]
enum Command {
    /// Test a recipe through every stage
    #[command(after_help = run::EXAMPLES)]
    Run(run::Args),
    /// Show that a recipe's tests bite: run them against impostors, and against the wiped app
    Prove(run::ProveArgs),
    /// Show what a run would do, and what it would refuse; nothing is run
    Plan(plan::Args),
    /// Write the folder of a new recipe from what its repository shows
    New(new::Args),
    /// Mirror a recipe's upstream into the organisation on the forge, and propose to enrol it
    Mirror(mirror::Args),
    /// Check recipes' folders against the whole contract; nothing is deployed
    Lint(lint::Args),
    /// Show what the recipes' tests cover: every cell gating, advisory, blocked, missing or an illusion
    Coverage(coverage::Args),
    /// Write the pages of `cc-ci serve` as files, for any web server
    Export(export::Args),
    /// Say what is wrong with this machine, and the command that mends it
    Doctor(doctor::Args),
    /// Make the world that runs need: swarm mode, proxy network, traefik, backup bot
    #[command(after_help = world::UP)]
    Up(world::Args),
    /// Remove the world that `up` made
    #[command(after_help = world::DOWN)]
    Down(world::Args),
    /// Open a shell in an app that a run keeps, or run a command there
    Shell(kept_app::ShellArgs),
    /// Show the logs of an app that a run keeps
    Logs(kept_app::LogsArgs),
    /// Show who holds a slot on this swarm, who waits, and for how long
    Status(status::Args),
    /// Show or change how much may live on this swarm at once
    Caps(caps::Args),
    /// Run as a step of Drone or Woodpecker, by PLUGIN_* settings
    #[command(after_help = plugin::settings_help())]
    Plugin(plugin::Args),
    /// Ask a run to stop, wherever its process is
    Cancel(cancel::Args),
    /// Do what a server does all the time: show results, answer comments, remove what dead runs left
    Serve(Box<serve::Args>),
    /// Finish the teardown of runs that were killed
    Reap(reap::Args),
    /// Make a report again from a run's journal
    Report(report::Args),
    /// Print the tables of docs/reference.md, docs/verdicts.md or docs/recipes.md, or the JSON schema of recipe.toml or of $CCCI_DEPS_FILE
    Docs(docs::Args),
}

impl Cli {
    /// The command line. clap has one list of commands; here they stand in groups.
    fn grouped() -> clap::Command {
        let whole = Self::command();
        let mut template = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
        for (heading, names) in GROUPS {
            let _ = write!(template, "\n{heading}:\n");
            for sub in names.iter().filter_map(|name| whole.find_subcommand(name)) {
                let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
                let _ = writeln!(template, "  {:<9} {}", sub.get_name(), about.replace(['{', '}'], ""));
            }
        }
        let _ = write!(
            template,
            "\nOptions, most of them {}{}:\n{{options}}{{after-help}}",
            &MACHINE[..1].to_lowercase(),
            &MACHINE[1..]
        );
        let examples = whole.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        whole.help_template(template).after_long_help(format!("{examples}\n{}", help_table()))
    }

    /// What these words, the first of which is the program, the variables and the file of settings ask for.
    fn read<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Result<(Self, Vec<Effective>), clap::Error> {
        let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
        let whole = Self::grouped();
        let file = match ConfigFile::find(&words, &|name| std::env::var_os(name)) {
            Some((path, _)) => ConfigFile::read(&path, &whole),
            None => Ok(ConfigFile::default()),
        };
        let file = file.map_err(|why| clap::Error::raw(ErrorKind::ValueValidation, format!("{why}\n")))?;
        let mut command = empty::without_empty(file.below(whole));
        let matches = command.try_get_matches_from_mut(words)?;
        let cli = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        Ok((cli, file.effective(&command, &matches)))
    }
}

impl Command {
    /// Whether nothing but what it prints is asked of it. What is cut of that is a failure; of a run it changes no
    /// verdict, and a service goes on.
    fn is_its_output(&self) -> bool {
        !matches!(
            self,
            Self::Run(_) | Self::Prove(_) | Self::Plugin(_) | Self::Serve(_) | Self::Shell(_) | Self::Logs(_)
        )
    }
}

/// Parses the arguments, runs the command, and gives the exit code.
pub fn main() -> Exit {
    let (cli, effective) = Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    // Nobody looks at a server but by its log: there a forge that is away has to be seen.
    let level = if matches!(cli.command, Command::Serve(_)) { LevelFilter::WARN } else { LevelFilter::ERROR };
    let filter = EnvFilter::builder().with_default_directive(level.into()).with_env_var("CCCI_LOG").from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would be told on the same standard error, and end the thread that cannot.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            note!("cc-ci: no runtime can be started: {error}");
            return Exit::Infrastructure;
        }
    };
    let settings = &cli.settings;
    let is_its_output = cli.command.is_its_output();
    let ended = runtime.block_on(async {
        match cli.command {
            Command::Run(args) => run::run(settings, args).await,
            Command::Prove(args) => run::prove(settings, args).await,
            Command::Plan(args) => plan::run(settings, args).await,
            Command::New(args) => new::run(settings, &args),
            Command::Mirror(args) => mirror::run(settings, &args).await,
            Command::Lint(args) => lint::run(settings, &args).await,
            Command::Coverage(args) => coverage::run(settings, &args),
            Command::Export(args) => export::run(settings, &args).await,
            Command::Doctor(args) => doctor::run(settings, &args, &effective).await,
            Command::Up(args) => world::up(settings, &args).await,
            Command::Down(args) => world::down(settings, &args).await,
            Command::Shell(args) => kept_app::shell(settings, &args).await,
            Command::Logs(args) => kept_app::logs(settings, &args).await,
            Command::Status(args) => status::run(settings, &args).await,
            Command::Caps(args) => caps::run(settings, &args).await,
            Command::Plugin(args) => plugin::run(&args).await,
            Command::Cancel(args) => cancel::run(settings, &args).await,
            Command::Serve(args) => serve::run(settings, &args).await,
            Command::Reap(args) => reap::run(settings, &args).await,
            Command::Report(args) => report::run(&args),
            Command::Docs(args) => Ok(docs::run(&args)),
        }
    });
    // Work that nobody waits for any more must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_millis(100));
    let ended = match (ended, screen::whole()) {
        (Ok(Exit::Passed), Err(why)) if is_its_output => Err(Failure::new(
            Kind::DiskFull,
            format!("standard output takes no more ({why}): what was written to it is cut"),
            "the disk or the program that standard output goes to",
        )),
        (ended, Err(why)) => {
            note!("cc-ci: standard output takes no more ({why}): what was written to it is cut");
            ended
        }
        (ended, Ok(())) => ended,
    };
    ended.unwrap_or_else(|failure| told("cc-ci", &failure))
}

/// Says on standard error why a program ends, and how.
pub fn told(program: &str, failure: &Failure) -> Exit {
    note!("{program}: {}", failure.what);
    if !failure.look_at.is_empty() {
        note!("look at: {}", failure.look_at);
    }
    exit_of(failure)
}

/// The exit code of a failure outside any stage: what was asked for is wrong, or the machine is.
fn exit_of(failure: &Failure) -> Exit {
    match (failure.kind, failure.kind.usual_cause()) {
        (Kind::Bug, _) => Exit::Bug,
        (Kind::NoSlot, _) => Exit::NoSlot,
        (Kind::Usage | Kind::DomainTooLong | Kind::InvalidRecipe | Kind::CheckBroken | Kind::NotKept, _) => Exit::Usage,
        (_, Cause::Infrastructure) => Exit::Infrastructure,
        _ => Exit::Usage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_one_that_clap_can_parse() {
        <Cli as clap::CommandFactory>::command().debug_assert();
        Cli::grouped().debug_assert();
        Cli::try_parse_from(["cc-ci", "lint", "custom-html"]).unwrap();
    }

    #[test]
    fn the_help_lists_every_command_in_one_group_with_what_it_is_for() {
        let whole = Cli::grouped();
        let help = whole.clone().render_long_help().to_string();
        for command in whole.get_subcommands() {
            let name = command.get_name();
            let groups = GROUPS.iter().filter(|(_, names)| names.contains(&name)).count();
            assert_eq!(groups, 1, "{name}");
            let about = command.get_about().unwrap().to_string();
            assert_eq!(help.matches(&format!("\n  {name:<9} {about}\n")).count(), 1, "{name} in {help}");
        }
        assert_eq!(GROUPS.iter().map(|(_, names)| names.len()).sum::<usize>(), whole.get_subcommands().count());
        for heading in ["Test a recipe:", "Enrol a recipe:", "--base-domain", "Examples:", "no slot: another run"] {
            assert!(help.contains(heading), "{heading} in {help}");
        }
        assert!(!help.contains('{') && !help.contains("\nCommands:"), "{help}");
    }

    #[test]
    fn the_help_of_a_run_shows_its_own_options_in_groups_before_the_machines() {
        let mut whole = Cli::grouped();
        whole.build();
        let help = whole.find_subcommand("run").unwrap().clone().render_long_help().to_string();
        let at = |words: &str| help.find(words).unwrap_or_else(|| panic!("{words} in {help}"));
        let headings = ["What is tested:", "How it runs:", "Where it reports to:", MACHINE, "Examples:"];
        let places: Vec<usize> = headings.map(at).into();
        assert!(places.is_sorted(), "{places:?} in {help}");
        for (option, heading) in
            [("--pr <N>", 0), ("--kept", 1), ("--keep", 1), ("--report-to <URL>", 2), ("--state <DIR>", 3)]
        {
            let place = at(&format!(" {option}"));
            assert!(places[heading] < place && place < places[heading + 1], "{option} in {help}");
        }
    }
}
