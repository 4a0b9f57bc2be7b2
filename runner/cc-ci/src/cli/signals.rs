//! Ctrl-C, SIGTERM, and a terminal that goes away.

use std::io::Write as _;

use base::failure::{Failure, Kind};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use journal::exit::Exit;

/// The first signal cancels the run, which then tears down. The second is obeyed at once.
pub(super) fn stop_on_signals() -> Result<CancellationToken, Failure> {
    let cancel = CancellationToken::new();
    let listen = |kind| {
        signal(kind).map_err(|error| Failure::new(Kind::Bug, format!("no signal handler can be set: {error}"), ""))
    };
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut hangup = listen(SignalKind::hangup())?;
    let cancelled = cancel.clone();
    tokio::spawn(async move {
        for count in 0.. {
            tokio::select! {
                got = interrupt.recv() => if got.is_none() { return },
                got = terminate.recv() => if got.is_none() { return },
                got = hangup.recv() => if got.is_none() { return },
            }
            if count == 0 {
                say("cc-ci: stopping; everything is torn down first (once more to stop at once)");
                cancelled.cancel();
            } else {
                say("cc-ci: stopped at once; `cc-ci reap` removes what is left");
                std::process::exit(i32::from(Exit::Cancelled.code()));
            }
        }
    });
    Ok(cancel)
}

/// Cancels the run when standard input ends. The kernel ends it with the process at its other end, however that
/// one dies.
pub(super) fn stop_with_input(cancel: &CancellationToken) {
    let cancel = cancel.clone();
    // A thread that nobody waits for: the read ends when it ends.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        cancel.cancel();
    });
}

/// The terminal may be what went away.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
