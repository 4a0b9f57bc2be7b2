//! `cc-ci`: see the library for everything.

fn main() -> std::process::ExitCode {
    runner::cli::main().into()
}
