//! Additional queries about a stack that does not come up, each made only if a judgement may depend on it: the text of
//! config files, whether a process accepts connections, a healthcheck's output.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Listening;
use super::engine::Swarm;
use super::mentions::mentioned;
use super::reason::{has_exited, is_unhealthy, one_line};
use super::seen::{ContainerSeen, Health, Listens, Snapshot};

/// Number of ends after which the config files of a service are read.
const ENDS: usize = 2;
/// Minimum interval between queries of the same container.
const AGAIN: Duration = Duration::from_secs(2);
/// A missing program may still be installed by an entrypoint; after this many seconds it is not.
const INSTALLED_S: u64 = 10;

/// The results so far.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The text of configs, by id.
    configs: HashMap<String, String>,
    /// The last query of a container, by id.
    last: HashMap<String, Instant>,
    /// Whether containers listen, and since when.
    listens: HashMap<String, Option<Instant>>,
    /// Programs that healthchecks of containers do not find.
    lacks: HashMap<String, String>,
}

impl Looks {
    /// Queries what may matter, and adds the results to the snapshot.
    pub(super) async fn look_at(&mut self, swarm: &Swarm, now: &mut Snapshot) {
        let ended: BTreeSet<String> = now.services.iter().map(|service| service.id.clone()).collect();
        let ends = |service: &String| {
            let of = now.tasks.iter().filter(|task| task.service == *service);
            of.filter(|task| has_exited(task) || is_unhealthy(task)).count()
        };
        let ended: BTreeSet<String> = ended.into_iter().filter(|service| ends(service) >= ENDS).collect();
        if !ended.is_empty() && now.services.len() > 1 {
            self.read_configs(swarm, now).await;
        }
        for container in &mut now.containers {
            let service = now.tasks.iter().find(|task| task.id == container.task).map(|task| &task.service);
            let others = ended.iter().any(|id| Some(id) != service);
            match container.health {
                // A database may pass its healthcheck by a socket while it is still being set up.
                Health::None | Health::Healthy if others && container.running => self.listening(swarm, container).await,
                Health::Starting | Health::Unhealthy if container.running => self.checked(swarm, container).await,
                _ => {}
            }
        }
    }

    async fn read_configs(&mut self, swarm: &Swarm, now: &mut Snapshot) {
        for id in now.services.iter().flat_map(|service| &service.configs) {
            if self.configs.contains_key(id) {
                continue;
            }
            let data = swarm.docker().inspect_config(id).await.ok().and_then(|config| config.spec?.data);
            let bytes = data.and_then(|data| STANDARD.decode(data).ok()).unwrap_or_default();
            self.configs.insert(id.clone(), String::from_utf8_lossy(&bytes).into_owned());
        }
        let names: Vec<String> = now.services.iter().map(|service| service.name.clone()).collect();
        for service in &mut now.services {
            let texts: Vec<String> = service.configs.iter().filter_map(|id| self.configs.get(id).cloned()).collect();
            let others = names.iter().filter(|name| **name != service.name).map(String::as_str);
            service.mentions.extend(mentioned(&[], &texts, others));
        }
    }

    /// Whether a container may be queried again.
    fn is_due(&mut self, id: &str) -> bool {
        let due = self.last.get(id).is_none_or(|last| last.elapsed() >= AGAIN);
        if due {
            self.last.insert(id.to_owned(), Instant::now());
        }
        due
    }

    async fn listening(&mut self, swarm: &Swarm, container: &mut ContainerSeen) {
        let is_known = self.listens.get(&container.id).is_some_and(Option::is_some);
        if !is_known
            && self.is_due(&container.id)
            && let Some(found) = swarm.listening(&container.id).await
        {
            let does = found.iter().any(|one: &Listening| !one.is_local());
            self.listens.insert(container.id.clone(), does.then(Instant::now));
        }
        container.listens = match self.listens.get(&container.id) {
            None => Listens::Unknown,
            Some(None) => Listens::No,
            Some(Some(at)) => Listens::Since(u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX)),
        };
    }

    async fn checked(&mut self, swarm: &Swarm, container: &mut ContainerSeen) {
        if !self.lacks.contains_key(&container.id) && container.up_s > 0 && self.is_due(&container.id) {
            let seen = swarm.docker().inspect_container(&container.id, None).await.ok();
            let log = seen.and_then(|seen| seen.state?.health?.log).unwrap_or_default();
            let outputs: Vec<(i64, String)> =
                log.into_iter().map(|one| (one.exit_code.unwrap_or(0), one.output.unwrap_or_default())).collect();
            // While it starts, an entrypoint may still install it.
            let surely = container.health == Health::Unhealthy && container.up_s >= INSTALLED_S;
            if let Some(said) = outputs.last().and_then(|(code, text)| not_found(*code, text)).filter(|_| surely) {
                self.lacks.insert(container.id.clone(), said);
            }
        }
        container.lacks = self.lacks.get(&container.id).cloned();
    }
}

/// The message in a healthcheck's output that its program does not exist: the engine's own, or a shell's.
fn not_found(code: i64, output: &str) -> Option<String> {
    if code == 0 {
        return None;
    }
    let of_the_engine = |line: &str| {
        line.contains("exec failed") && (line.contains("executable file not found") || line.contains("no such file"))
    };
    let of_a_shell = |line: &str| {
        let shell = ["sh: ", "/bin/sh: ", "bash: ", "/bin/bash: ", "ash: "].iter().any(|shell| line.starts_with(shell));
        shell && (line.ends_with(": not found") || line.ends_with("command not found"))
    };
    // Of `curl … || wget …` only the last program decides.
    let last = output.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    (of_the_engine(last) || of_a_shell(last)).then(|| one_line(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_told_from_one_that_fails() {
        for words in [
            "OCI runtime exec failed: exec failed: unable to start container process: exec: \"curl\": executable file not found in $PATH: unknown",
            "/bin/sh: 1: curl: not found\n",
            "sh: wget: not found",
            "bash: nc: command not found",
        ] {
            assert!(not_found(1, words).is_some(), "{words}");
        }
        assert_eq!(not_found(22, "curl: (22) The requested URL returned error: 404 Not Found"), None);
        assert_eq!(not_found(1, "wget: server returned error: HTTP/1.1 404 Not Found"), None);
        assert_eq!(not_found(1, "page not found"), None);
        assert_eq!(not_found(0, "sh: curl: not found"), None);
        assert_eq!(not_found(1, "sh: curl: not found\nwget: can't connect to remote host: Connection refused\n"), None);
    }
}
