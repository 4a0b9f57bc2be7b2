//! `abra-lite`: the part of abra's command line that cc-ci calls, for machines that have no abra.
//! It keeps abra's words, files, names, labels, refusals and exit codes on a real swarm, and nothing else. What of that is
//! sure stands in `coopcloud::abra::BEHAVIOURS`.

mod app;
mod cli;
mod commands;
mod docker;
mod exports;
mod fatal;
mod flags;
mod otherwise;
mod recipe;
mod secret_value;
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => match runtime.block_on(cli::main()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(fatal) => {
                eprintln!("FATA {fatal}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            eprintln!("FATA no runtime: {error}");
            ExitCode::FAILURE
        }
    }
}
