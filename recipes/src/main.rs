//! Runs one Rust test of a recipe, with the values of its environment: the ones that scripts have.
//!
//! What it shows or what is wrong is the last line that it prints. Exit 0: green. 1: red, the app is not
//! as the test wants it. 2: broken, the test cannot run.

#![expect(unreachable_pub, reason = "what is `pub` in a recipe's file is so for this program alone")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use harness::testing::{Built, Source, Test, TestEnd, Verdict, find, remember_panics, run};

include!(concat!(env!("OUT_DIR"), "/tests.rs"));

/// Runs one Rust test of a recipe
#[derive(Debug, Parser)]
#[command(name = "recipe-tests", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a test; the values of the run are in the environment
    Run {
        /// The recipe: n8n
        recipe: String,
        /// Folder and name: browser/10-login
        test: String,
        /// The recipe's folder; a test that is not as it is there does not run
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
        /// Seconds that it may take
        #[arg(long, default_value_t = 300.0)]
        limit: f32,
    },
    /// Lists every test that is built in
    List,
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Run { recipe, test, folder, limit } => {
            let limit = Duration::try_from_secs_f32(limit).unwrap_or(Duration::MAX);
            let ended = match find(TESTS, &recipe, &test, folder.as_deref()) {
                Ok(built) => start(built, limit),
                Err(error) => broken(error.to_string()),
            };
            print!("{}", ended.detail);
            println!("{}", ended.line);
            ExitCode::from(ended.verdict.exit_code())
        }
        Command::List => {
            TESTS.iter().for_each(|test| println!("{} {}", test.recipe, test.name));
            ExitCode::SUCCESS
        }
    }
}

fn start(built: &Built, limit: Duration) -> TestEnd {
    remember_panics();
    // One thread: a panic leaves its place on the thread that asks for it.
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let test = Test::from_environment(built.name);
            runtime.block_on(run(test, limit, async |test: &Test| (built.run)(test).await))
        }
        Err(error) => broken(format!("there is no runtime: {error}")),
    }
}

fn broken(why: String) -> TestEnd {
    TestEnd { verdict: Verdict::Broken, line: why, detail: String::new() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_rust_file_of_the_recipes_is_built_in_as_it_is() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut seen = 0;
        for recipe in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
            for folder in ["install", "upgrade", "backup", "functional", "browser", "data"] {
                let Ok(files) = std::fs::read_dir(recipe.join(folder)) else { continue };
                for file in files.map(|file| file.unwrap().file_name().into_string().unwrap()) {
                    let Some(stem) = file.strip_suffix(".rs") else { continue };
                    let name = recipe.file_name().unwrap().to_str().unwrap();
                    let built = find(TESTS, name, &format!("{folder}/{stem}"), Some(&recipe)).unwrap();
                    assert_eq!(built.sources[0].path, format!("{folder}/{file}"));
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, TESTS.len());
        assert!(seen > 0);
    }

    #[test]
    fn a_test_says_by_its_end_how_it_was() {
        let built = |run| Built { recipe: "x", name: "browser/10-x", run, sources: &[] };
        let red = start(&built(|_| Box::pin(async { panics() })), Duration::from_secs(9));
        assert_eq!((red.verdict, red.verdict.exit_code()), (Verdict::Red, 1));
        assert!(red.line.starts_with("src/main.rs:"), "{}", red.line);
        let hangs = start(&built(|_| Box::pin(std::future::pending())), Duration::from_millis(20));
        assert_eq!(hangs.verdict, Verdict::Red);
    }

    fn panics() -> harness::testing::Outcome {
        assert_eq!(1 + 1, 3);
        Ok(String::new())
    }
}
