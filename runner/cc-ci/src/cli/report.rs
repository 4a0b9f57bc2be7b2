//! `cc-ci report`: any report again, from a journal.

use std::path::PathBuf;

use base::failure::{Failure, Kind};

use host::screen;
use journal::exit::Exit;
use report::files;
use report::lines::LineStyle;
use report::redo::{Format, redo};

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci report RUN/journal.jsonl                               what the run said\n",
    "  cc-ci report RUN/journal.jsonl --format html -o report.html  its page\n",
))]
pub(super) struct Args {
    /// The journal of a run
    journal: PathBuf,
    /// Which report
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let report = redo(&args.journal, args.format, LineStyle::PLAIN).map_err(|error| {
        Failure::new(
            Kind::Usage,
            format!("{}: {error}", args.journal.display()),
            "the journal of a run: journal.jsonl in its folder",
        )
    })?;
    let same = |path: &std::path::Path| {
        path.canonicalize().is_ok_and(|path| args.journal.canonicalize().is_ok_and(|journal| path == journal))
    };
    match &args.output {
        Some(path) if same(path) => {
            return Err(Failure::new(Kind::Usage, "the report would replace the journal", "another file for -o"));
        }
        Some(path) => files::write(path, &report).map_err(|error| Failure::disk("write", path, &error))?,
        None => screen::text(&report),
    }
    Ok(Exit::Passed)
}
