//! Readiness beyond one answer by HTTP: a port that takes connections, or shakes hands by TLS; and anything that has to
//! be so several times in a row, since what comes and goes is not ready.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::tls::{Server, Tls, TlsError};

/// Nothing tells when a port opens, so it is tried again after these pauses: the first is short, the last spares it.
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// No single try may take longer.
const TRY: Duration = Duration::from_secs(10);
/// A proxy of docker's takes a connection before it knows whether anything listens behind it, and ends it when not.
const HOLDS: Duration = Duration::from_millis(300);

/// Why something is not so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// It may come.
    NotYet(String),
    /// Waiting cannot change it.
    Never(Failure),
}

/// How often something has to be so, and until when that is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// This many times in a row.
    pub in_a_row: NonZeroU32,
    /// Between two of them.
    pub between: Duration,
    /// Until then.
    pub deadline: Instant,
}

/// Asks again and again until it was so as often in a row as wanted. `on_progress` gets one line whenever what is wrong
/// changes. `what` names it, to be followed by what is wrong.
///
/// # Errors
/// [`Kind::NoAnswer`] at the deadline, with what was wrong last; what waiting cannot change, at once.
pub async fn steadily<F, A>(
    what: &str,
    patience: Patience,
    on_progress: &mut (dyn FnMut(&str) + Send),
    mut ask: F,
) -> Result<(), Failure>
where
    F: FnMut() -> A,
    A: Future<Output = Result<(), Unmet>>,
{
    let start = Instant::now();
    let mut row = TryRow { wanted: patience.in_a_row.get(), now: 0, longest: 0, tries: 0, wrong: String::new() };
    let mut longer = PAUSE;
    loop {
        row.tries += 1;
        let limit = patience.deadline.min(Instant::now() + TRY);
        let asked = tokio::time::timeout_at(limit.into(), ask()).await;
        let pause = match asked.unwrap_or_else(|_| Err(Unmet::NotYet("no answer in time".to_owned()))) {
            Ok(()) if row.is_complete() => return Ok(()),
            Ok(()) => patience.between,
            Err(Unmet::Never(failure)) => return Err(failure),
            Err(Unmet::NotYet(wrong)) => {
                row.now = 0;
                // A try that the deadline cut short says less than the one before it.
                if wrong != row.wrong && (Instant::now() < patience.deadline || row.wrong.is_empty()) {
                    on_progress(&format!("{what}: {wrong}"));
                    row.wrong = wrong;
                }
                let pause = longer;
                longer = (pause * 2).min(LONGEST_PAUSE);
                pause
            }
        };
        if Instant::now() + pause >= patience.deadline {
            return Err(Failure::new(
                Kind::NoAnswer,
                format!("{what} {}", row.told(start.elapsed())),
                "the log lines of the app, and [health] in recipe.toml",
            ));
        }
        tokio::time::sleep(pause).await;
    }
}

/// How the tries went.
struct TryRow {
    wanted: u32,
    now: u32,
    longest: u32,
    tries: u32,
    wrong: String,
}

impl TryRow {
    /// Counts one that was right; whether that is enough.
    fn is_complete(&mut self) -> bool {
        self.now += 1;
        self.longest = self.longest.max(self.now);
        self.now >= self.wanted
    }

    fn told(&self, took: Duration) -> String {
        let tries = format!("after {} tries in {:.0} s", self.tries, took.as_secs_f64());
        let (longest, wanted) = (self.longest, self.wanted);
        match (longest, self.wrong.as_str()) {
            (0, wrong) => format!("is not ready: {wrong}, {tries}"),
            (_, "") => format!("is right {longest} times in a row when time is up, and {wanted} are wanted, {tries}"),
            (_, wrong) => {
                format!("comes and goes: right at most {longest} of {wanted} times in a row, then {wrong}, {tries}")
            }
        }
    }
}

/// Whether a port takes a connection and keeps it.
pub async fn takes_connections(host: &str, port: u16) -> Result<(), Unmet> {
    let not_yet = |error: std::io::Error| Unmet::NotYet(error.to_string());
    let mut stream = TcpStream::connect((host, port)).await.map_err(not_yet)?;
    match tokio::time::timeout(HOLDS, stream.read(&mut [0; 1])).await {
        // It waits for the other side to speak first, or has greeted it.
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err(Unmet::NotYet("it takes the connection and ends it at once".to_owned())),
        Ok(Err(error)) => Err(Unmet::NotYet(format!("it takes the connection, then {error}"))),
    }
}

/// Whether a port shakes hands by TLS, with a certificate that is believed.
pub async fn shakes_hands(tls: &Tls, with: Server<'_>) -> Result<(), Unmet> {
    match tls.connect(with, Instant::now() + TRY).await {
        Ok(_) => Ok(()),
        Err(TlsError::Unusable(why)) => Err(Unmet::Never(Failure::new(
            Kind::WorldIncomplete,
            why,
            "the CA file of the world, which must be PEM; `cc-ci doctor` says more",
        ))),
        Err(other) => Err(Unmet::NotYet(other.to_string())),
    }
}

#[cfg(test)]
mod tests;
