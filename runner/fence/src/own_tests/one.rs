//! One test in its container.

use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use overlay::{self, Bounded, OverlayResult};
use swarm::{Fenced, FencedEnd, ObjectKind};

use super::fence::{FOLDER, Fence, no_fault_of_the_recipe, object};

/// The authority that signs what the gate answers with.
const CA_FILE: &str = "/own/ca.pem";
/// What is kept of a test's output at either end, in bytes.
const KEPT: usize = 64 * 1024;

/// Starts a test. Both its streams become one, since the engine does not keep the order of lines of two;
/// a script of a shell is read to its end before a line of it runs.
const STARTER: &str = r#"exec 2>&1
read -r first <"$0"
case $first in '#!'*sh) if command -v bash >/dev/null; then bash -n "$0" || exit 126; fi ;; esac
exec "$0""#;
/// What shells and [`STARTER`] end with when a file is there and cannot be run.
const CANNOT_RUN: i64 = 126;

impl Fence {
    /// Runs one test and tells how it ended.
    ///
    /// # Errors
    /// The engine does not answer, or refuses what it is asked for.
    pub async fn run(
        &mut self,
        file: &str,
        env: &[(String, String)],
        limit: Duration,
    ) -> Result<OverlayResult, Failure> {
        let Some(inside) = self.inside.clone() else {
            return Err(Failure::new(Kind::Bug, "a test was to run with no fence around it", "please report it"));
        };
        let start = Instant::now();
        let fenced = Fenced {
            // A name of its own: the engine may still be busy with the end of the one before.
            name: self.name(&format!("test-{}", self.made.len())),
            command: vec!["sh".to_owned(), "-c".to_owned(), STARTER.to_owned(), format!("{FOLDER}/{file}")],
            env: self.env(env),
            volume: self.volume.clone(),
            ..self.fenced("test", &inside)
        };
        let id = self.container(&fenced).await.map_err(no_fault_of_the_recipe)?;
        let mut kept = Bounded::new(KEPT);
        let ended = self.swarm.run_fenced(&id, start + limit, &mut |bytes: &[u8]| kept.push(bytes)).await?;
        self.swarm.discard(&[object(ObjectKind::Container, &fenced.name, &id)]).await?;
        let output = kept.into_text();
        let mut result = match ended {
            FencedEnd::Exit(CANNOT_RUN) => {
                let last = output.lines().rfind(|line| !line.trim().is_empty());
                OverlayResult::broken(last.unwrap_or("exit 126, and no output").to_owned())
            }
            FencedEnd::Exit(code) => overlay::of_exit(code, output),
            FencedEnd::Late => overlay::late(limit, output),
            FencedEnd::NotStarted(words) => OverlayResult::broken(words),
        };
        result.took = start.elapsed();
        Ok(result)
    }

    /// What a test finds in its environment besides what its image sets.
    fn env(&self, more: &[(String, String)]) -> Vec<(String, String)> {
        let gate = self.gate.map(|address| address.to_string()).unwrap_or_default();
        let own = [
            ("HOME", "/tmp".to_owned()),
            ("CCCI_CA", CA_FILE.to_owned()),
            ("SSL_CERT_FILE", CA_FILE.to_owned()),
            ("CURL_CA_BUNDLE", CA_FILE.to_owned()),
            // curl takes every name below localhost for its own machine.
            ("CCCI_RESOLVE", format!("{}:{}:{gate}", self.limits.domain, self.limits.port)),
        ];
        own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(more.iter().cloned()).collect()
    }
}
