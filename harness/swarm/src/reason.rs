//! Why a service does not come up: maps swarm's messages about tasks to failures.

use base::failure::{Failure, Kind};
use base::messages::{self, KnownMessage, Speaker};

use super::machine;
use super::memory;
use super::seen::{ServiceSeen, TaskSeen, TaskState};

/// The meaning of one task's message, if one occurrence is enough: temporary failures have to recur.
pub(super) fn kind_of(error: &str) -> Option<Kind> {
    said(error).filter(|row| !row.passes).map(|row| row.kind)
}

/// The row of a task's message; `None` for a process that ended by itself.
fn said(error: &str) -> Option<&'static KnownMessage> {
    if is_process_end(error) { None } else { messages::known(Speaker::Task, error) }
}

/// Swarm's message for a process that ended, by itself or by its healthcheck.
pub(super) fn is_process_end(error: &str) -> bool {
    error.is_empty() || error.contains("non-zero exit") || error.contains("unhealthy container")
}

/// Whether swarm ended the task because its healthcheck failed. Swarm's message: "dockerexec: unhealthy container".
pub(super) fn is_unhealthy(task: &TaskSeen) -> bool {
    task.unhealthy || task.error.contains("unhealthy container")
}

/// Whether a task ended by itself, rather than being stopped.
pub(super) fn has_exited(task: &TaskSeen) -> bool {
    matches!(task.state, TaskState::Failed | TaskState::Complete)
}

/// The bad ends of one service's tasks, oldest first.
#[derive(Debug)]
pub(super) struct Ends<'a> {
    pub(super) service: &'a ServiceSeen,
    pub(super) tasks: Vec<&'a TaskSeen>,
}

impl Ends<'_> {
    pub(super) fn exits(&self) -> usize {
        self.tasks.iter().filter(|task| has_exited(task) && machine::trouble(task).is_none()).count()
    }
    /// How often it ended by itself or by its healthcheck.
    pub(super) fn ended(&self) -> usize {
        self.tasks.iter().filter(|task| has_exited(task) || is_unhealthy(task)).count()
    }
    pub(super) fn unhealthy(&self) -> usize {
        self.tasks.iter().filter(|task| is_unhealthy(task)).count()
    }
    /// The ends that the machine caused and that may be temporary.
    pub(super) fn troubles(&self) -> usize {
        self.tasks.iter().filter(|task| machine::trouble(task).is_some()).count()
    }
    /// The newest OOM-killed end.
    pub(super) fn out_of_memory(&self) -> Option<&TaskSeen> {
        self.tasks.iter().rev().find(|task| task.out_of_memory && has_exited(task)).copied()
    }
    /// The newest end with a known message.
    pub(super) fn named(&self) -> Option<(Kind, &TaskSeen)> {
        self.tasks.iter().rev().find_map(|task| Some((kind_of(&task.error)?, *task)))
    }
    fn image(&self) -> &str {
        self.tasks.last().map_or(&self.service.image, |task| &task.image)
    }

    /// What happened, as text after a subject: "exited 3 times, last with code 1".
    pub(super) fn words(&self) -> Option<String> {
        let last = self.tasks.last()?;
        if let Some((kind, task)) = self.named() {
            return Some(match kind {
                Kind::PlatformMissing => "could not start, since its image has no build for this platform".to_owned(),
                Kind::ImageMissing => "could not start without its image".to_owned(),
                Kind::PortTaken => "could not get its host port, which something else holds".to_owned(),
                Kind::DiskFull => "could not start on a full disk".to_owned(),
                _ => format!("was refused: {}", cause(&task.error)),
            });
        }
        if let Some(row) = machine::trouble(last) {
            return Some(machine::words(row, self.troubles(), &cause(&last.error)));
        }
        let times = |n: usize| if n == 1 { "once".to_owned() } else { format!("{n} times") };
        if let Some(killed) = self.out_of_memory() {
            return Some(memory::words(killed.memory_limit, killed.exit, self.exits()));
        }
        if self.unhealthy() > 0 {
            return Some(format!("was ended {} by its healthcheck", times(self.unhealthy())));
        }
        let by = match last.exit {
            Some(code) => format!("with code {code}"),
            None => format!("before it ran: {}", cause(&last.error)),
        };
        Some(match self.exits() {
            0 => return None,
            1 => format!("exited {by}"),
            n => format!("exited {n} times, last {by}"),
        })
    }

    /// Where to look for their cause.
    pub(super) fn look_at(&self) -> String {
        self.failure().look_at
    }

    /// The kind of the newest end, if it is the machine's failure.
    pub(super) fn machine(&self) -> Option<Kind> {
        let newest = self.tasks.last()?;
        let row = said(&newest.error).filter(|row| row.is_of_the_machine()).or_else(|| machine::trouble(newest))?;
        Some(row.kind)
    }

    /// The failure for these ends.
    pub(super) fn failure(&self) -> Failure {
        let (name, image) = (&self.service.name, self.image());
        if let Some((kind, task)) = self.named() {
            return named(kind, name, &task.image, &task.error);
        }
        let words = self.words().unwrap_or_else(|| "did not stay up".to_owned());
        let what = format!("service {name} ({image}) {words}");
        if let Some(row) = self.tasks.last().and_then(|task| machine::trouble(task)) {
            return Failure::new(row.kind, what, row.look_at);
        }
        if let Some(killed) = self.out_of_memory() {
            return memory::failure(name, what, killed.memory_limit);
        }
        if self.unhealthy() > 0 && self.unhealthy() * 2 >= self.exits() {
            return Failure::new(
                Kind::NeverHealthy,
                what,
                format!("the healthcheck of service {name}: its command, its start period, and what the app logs"),
            );
        }
        Failure::new(
            Kind::CrashLoop,
            what,
            format!("the last log lines of service {name}, its entrypoint and its environment"),
        )
    }
}

/// A failure from swarm's own message.
pub(super) fn named(kind: Kind, service: &str, image: &str, error: &str) -> Failure {
    let said = cause(error);
    let (what, look_at) = match kind {
        Kind::ImageMissing => (
            format!("service {service} cannot start: the image {image} does not exist"),
            "the image's name and tag in the compose file, and whether its registry still has it".to_owned(),
        ),
        Kind::PlatformMissing => (
            format!("service {service} ({image}) has no build for this machine's platform: {said}"),
            "an image that is built for it; `docker manifest inspect` lists the platforms of one".to_owned(),
        ),
        Kind::PortTaken => (
            format!("service {service} ({image}) cannot get its host port: {said}"),
            "what else publishes this port: `docker service ls`, `docker ps`, `ss -ltnp`".to_owned(),
        ),
        Kind::DiskFull => (
            format!("service {service} ({image}) cannot start, the disk is full: {said}"),
            "free space on the disk of docker's data".to_owned(),
        ),
        Kind::NoNode => (
            format!("no node is suitable for service {service} ({image}): {said}"),
            format!("the placement constraints and reservations of service {service}, and `docker node ls`"),
        ),
        _ => {
            let row = messages::meaning(Speaker::Task, error);
            (format!("the engine refuses to start service {service} ({image}): {said}"), row.look_at.to_owned())
        }
    };
    Failure::new(kind, what, look_at)
}

/// Swarm's message without its constant parts.
pub(super) fn cause(error: &str) -> String {
    let text = error.strip_prefix("task: ").unwrap_or(error);
    let text = text.strip_prefix("starting container failed: ").unwrap_or(text);
    if text.is_empty() { "swarm gives no reason".to_owned() } else { one_line(text) }
}

/// A text as one line of at most 300 characters.
pub(super) fn one_line(text: &str) -> String {
    base::text::one_line(text, 299)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swarms_words_have_names() {
        for (words, kind) in [
            ("No such image: testbed.invalid/ghost:1", Some(Kind::ImageMissing)),
            (
                "pull access denied for ghost, repository does not exist or may require 'docker login'",
                Some(Kind::RegistryRefused),
            ),
            ("manifest for nginx:9 not found: manifest unknown: manifest unknown", Some(Kind::ImageMissing)),
            ("no matching manifest for linux/arm64/v8 in the manifest list entries", Some(Kind::PlatformMissing)),
            (
                "image with reference a/b:1 was found but does not provide the specified platform (linux/arm64)",
                Some(Kind::PlatformMissing),
            ),
            ("standard_init_linux.go:228: exec user process caused: exec format error", Some(Kind::TaskRejected)),
            ("no suitable node (host-mode port already in use on 1 node)", Some(Kind::PortTaken)),
            ("starting container failed: Bind for 0.0.0.0:80 failed: port is already allocated", Some(Kind::PortTaken)),
            ("listen tcp 0.0.0.0:80: bind: address already in use", Some(Kind::PortTaken)),
            ("no suitable node (scheduling constraints not satisfied on 1 node)", Some(Kind::NoNode)),
            ("write /x: no space left on device", Some(Kind::DiskFull)),
            ("invalid mount config for type \"bind\": bind source path does not exist: /x", Some(Kind::TaskRejected)),
            ("task: non-zero exit (1)", None),
            ("task: non-zero exit (137): dockerexec: unhealthy container", None),
            ("", None),
        ] {
            assert_eq!(kind_of(words), kind, "{words}");
        }
    }

    #[test]
    fn a_long_text_becomes_one_short_line() {
        assert_eq!(one_line("a\n  b\t c"), "a b c");
        assert_eq!(one_line(&"x".repeat(400)).chars().count(), 300);
    }
}
