//! `abra-lite`: the part of abra's command line that cc-ci calls, for machines that have no abra.
//! It keeps abra's words, files, names, labels and exit codes on a real swarm, and nothing else.

mod app;
mod cli;
mod commands;
mod docker;
mod fatal;
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
