//! `./dev audit`: which fixes shipped the test that fails without them.

use std::path::PathBuf;
use std::time::Duration;

use audit::{Audit, Run, terminal};
use base::failure::{Failure, Kind};
use host::settings::how_long;
use journal::exit::Exit;

/// List the fixes of a repository's history, each with the tests that it shipped
#[derive(Debug, clap::Parser)]
#[command(
    name = "audit",
    after_help = "Examples:\n  \
    ./dev audit --since 2026-11-01           list the fixes and their tests\n  \
    ./dev audit --since v0.1.0 --run         run each test against the code before its fix\n  \
    ./dev audit --commit 829fb2a --run       one commit, whatever it calls itself\n  \
    ./dev audit --since main --run --gate    fails where one is without a test that bites\n\n\
    A commit is a fix when its subject begins with Fix, Mend, Correct or Repair; a trailer\n\
    `Fixes-bug: yes` or `Fixes-bug: no` overrides that. --run builds the history's own code: run it\n\
    where you would build that.\n"
)]
struct Args {
    /// Where to begin: a revision, or a day such as 2026-11-01 [default: the first commit]
    #[arg(long, value_name = "REF|DATE")]
    since: Option<String>,
    /// Look at this commit instead; can be given several times
    #[arg(long = "commit", value_name = "COMMIT", conflicts_with = "since")]
    commits: Vec<String>,
    /// Run the tests with the code of the commit before, and with the fix where they are red
    #[arg(long)]
    run: bool,
    /// The repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    repository: PathBuf,
    /// Where to build, not shared with other builds [default: a folder that is removed again]
    #[arg(long, value_name = "DIR", requires = "run")]
    build: Option<PathBuf>,
    /// How long one call of cargo may take
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = how_long, requires = "run")]
    limit: Duration,
    /// How long all of them may take: what is not looked at by then is listed as that
    #[arg(long, value_name = "TIME", value_parser = how_long, requires = "run")]
    within: Option<Duration>,
    /// Fail where a fix has no test, none that fails without it, or a broken one
    #[arg(long)]
    gate: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn main() -> std::process::ExitCode {
    let args = <Args as clap::Parser>::parse();
    run(&args).unwrap_or_else(|failure| cc_ci::cli::told("audit", &failure)).into()
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let scratch = tempfile::tempdir()
        .map_err(|error| base::failure::Failure::disk("make a folder in", &std::env::temp_dir(), &error))?;
    let build = args.build.clone().unwrap_or_else(|| scratch.path().to_owned());
    let build = std::path::absolute(&build).map_err(|error| base::failure::Failure::disk("find", &build, &error))?;
    let audit = Audit {
        repository: args.repository.clone(),
        since: args.since.clone(),
        commits: args.commits.clone(),
        run: args.run.then_some(Run { build, limit: args.limit, within: args.within }),
    };
    let audited = audit.make(|line| eprintln!("runs the tests of {line}")).map_err(|error| {
        Failure::new(Kind::Usage, format!("the audit cannot be made: {error}"), "--since, --commit, --repository")
    })?;
    if args.json {
        println!("{:#}", serde_json::json!(audited));
    } else {
        print!("{}", terminal(&audited));
    }
    if !args.gate {
        return Ok(Exit::Passed);
    }
    let unshown = audited.unshown().next().is_some();
    if unshown {
        eprintln!(
            "a fix needs a test that fails without it; what is no fix says `Fixes-bug: no` at the end of its message"
        );
    }
    let blind = audited.looked_at_nothing();
    if blind {
        eprintln!(
            "the time did not suffice for the tests of a single fix, so nothing was looked at: a longer --within"
        );
    }
    Ok(if unshown || blind { Exit::Test } else { Exit::Passed })
}
