//! `cc-ci docs`: the tables of `docs/reference.md`, generated.

use crate::exit::Exit;

pub(super) fn run() -> Exit {
    print!("{}", crate::reference::reference());
    Exit::Passed
}
