//! `testbed-repos DEST [recipe…]`: writes the testbed's git repositories to `DEST/<recipe>`.

use std::path::Path;
use std::process::ExitCode;

use testbed::repos;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(dest) = args.next().filter(|dest| !dest.starts_with('-')) else {
        eprintln!("usage: testbed-repos DEST [recipe…]");
        return ExitCode::from(2);
    };
    match make(Path::new(&dest), args.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed-repos: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(dest: &Path, mut names: Vec<String>) -> Result<(), repos::Error> {
    if names.is_empty() {
        names = repos::names()?;
    }
    for name in names {
        let built = repos::build(&name, dest)?;
        let pulls = built.refs.keys().filter(|name| name.starts_with("refs/pull/")).count();
        println!("{} ({pulls} pull requests)", built.path.display());
    }
    Ok(())
}
