//! `cc-ci`: see the library for everything.

fn main() -> std::process::ExitCode {
    if cc_ci::exec::is_asked_for() { cc_ci::exec::main() } else { cc_ci::cli::main().into() }
}
