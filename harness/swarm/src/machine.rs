//! Which of a task's ends and waits are the machine's fault and never the recipe's. Messages are looked up in
//! [`base::messages`]; unknown ones are the machine's too.

use base::failure::{Failure, Kind};
use base::messages::{self, KnownMessage, Speaker};

use super::reason::{cause, is_process_end};
use super::seen::{Snapshot, TaskSeen, TaskState};

/// How long a task may be new without a message. Swarm assigns addresses and ports within milliseconds.
const NEW_MS: u64 = 15_000;
/// The same for the choice of a node, for which the scheduler reports obstacles at once.
const PENDING_MS: u64 = 30_000;
/// How long a task may be with its node before it starts, until a deadline counts as the machine's.
const STARTING_MS: u64 = 15_000;

/// The machine's temporary failure that ended a task. A process that ran and ended is none.
pub(super) fn trouble(task: &TaskSeen) -> Option<&'static KnownMessage> {
    let is_bad = matches!(task.state, TaskState::Failed | TaskState::Rejected);
    let is_process = is_process_end(&task.error) && task.state == TaskState::Failed;
    if !is_bad || is_process || task.unhealthy || task.out_of_memory {
        return None;
    }
    let row = messages::meaning(Speaker::Task, &task.error);
    let decides_at_once = !row.passes && *row != messages::UNKNOWN;
    (row.is_of_the_machine() && !decides_at_once).then_some(row)
}

/// What happened, as text after a subject.
pub(super) fn words(row: &KnownMessage, times: usize, said: &str) -> String {
    let times = if times > 1 { format!(", tried {times} times") } else { String::new() };
    format!("could not start{times}: {}: {said}", row.means)
}

/// A task that the swarm does not process, without a message.
pub(super) fn stuck(service: &str, task: &TaskSeen) -> Option<Failure> {
    if !task.wanted() || !task.error.is_empty() {
        return None;
    }
    // The engine's clock may differ from this machine's.
    let for_ms = |ms: u64| task.watched_ms.map_or(ms, |watched| ms.min(watched));
    let what = match task.state {
        TaskState::New if for_ms(task.age_ms) >= NEW_MS => "the swarm assigns it no address or port",
        TaskState::Allocated | TaskState::Pending if for_ms(task.since_ms) >= PENDING_MS => {
            "the swarm assigns it no node"
        }
        _ => return None,
    };
    let seconds = for_ms(task.age_ms) / 1000;
    Some(Failure::new(
        Kind::SwarmStuck,
        format!("service {service} ({}) waits for {seconds} s and {what}, and no reason", task.image),
        "the engine's log on the swarm's leader (`journalctl -u docker`): addresses that are used up, a manager that is lost",
    ))
}

/// The machine's fault in a service that is not up at the deadline: its process has not been started, or the machine
/// failed in the last attempt.
pub(super) fn excuse(now: &Snapshot, services: &[String]) -> Option<Failure> {
    now.services.iter().filter(|service| services.contains(&service.name)).find_map(|service| {
        let mut tasks = now.tasks.iter().filter(|task| task.service == service.id).collect::<Vec<_>>();
        tasks.sort_by(|a, b| a.created.cmp(&b.created));
        let waits = tasks.iter().rev().find(|task| task.wanted() && !task.state.is_over());
        if let Some(task) = waits
            && (TaskState::Assigned..TaskState::Starting).contains(&task.state)
            && task.state != TaskState::Ready
            && task.watched_ms.map_or(task.since_ms, |watched| task.since_ms.min(watched)) >= STARTING_MS
        {
            let what = format!("the node has service {} ({}) and does not start it", service.name, task.image);
            let look_at = "the engine's log on that node (`journalctl -u docker`): a pull that is slow, a volume or network that hangs";
            return Some(Failure::new(Kind::RuntimeFailed, what, look_at));
        }
        if waits.is_some_and(|task| task.state >= TaskState::Starting) {
            return None;
        }
        let last = tasks.iter().rev().find(|task| task.state.is_over())?;
        let row = trouble(last)?;
        let what = format!("service {} ({}) {}", service.name, last.image, words(row, 1, &cause(&last.error)));
        Some(Failure::new(row.kind, what, row.look_at))
    })
}

#[cfg(test)]
mod tests;
