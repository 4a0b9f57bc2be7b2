//! `cc-ci`: see the library for everything.

fn main() -> std::process::ExitCode {
    if runner::exec::is_asked_for() { runner::exec::main() } else { runner::cli::main().into() }
}
