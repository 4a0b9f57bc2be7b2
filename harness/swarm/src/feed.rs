//! The engine's event stream for one stack, read by a background task from before the deployment on.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base::names::StackName;
use bollard::errors::Error;
use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::engine::Swarm;
use super::remembered::Died;
use super::{STACK_LABEL, TASK_LABEL};

/// An event that may change a judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct News {
    /// The engine's time of the event, on this process's clock.
    pub(super) at: Instant,
    /// The id of its container or service.
    pub(super) id: String,
    /// Whether it may be what made the object healthy: a start, a passed healthcheck, an update.
    pub(super) good: bool,
    /// Whether the engine declared the container unhealthy.
    pub(super) unhealthy: bool,
    /// Whether the container was OOM-killed, at least one process of it.
    pub(super) out_of_memory: bool,
    /// The change of the container's life, if any.
    pub(super) life: Option<Life>,
}

/// A change in a container's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Life {
    Started,
    Healthy,
    /// The engine was asked to end it.
    ToldToEnd,
    Died(Died),
}

/// A subscription. It ends, and the channel closes, only when the engine or the connection does.
#[derive(Debug)]
pub(super) struct Feed {
    news: mpsc::UnboundedReceiver<News>,
    reader: tokio::task::JoinHandle<()>,
}

impl Feed {
    /// Subscribes to containers and services. Events of services have no labels, so the stack is filtered here, by
    /// label or by name.
    pub(super) fn start(swarm: &Swarm, stack: &StackName) -> Self {
        let actions = ["create", "start", "die", "oom", "kill", "destroy", "health_status", "update", "remove"];
        let filters = HashMap::from([("type", vec!["container", "service"]), ("event", actions.to_vec())]);
        let options = EventsOptionsBuilder::new().filters(&filters).build();
        let (docker, stack) = (swarm.docker().clone(), stack.clone());
        let (send, news) = mpsc::unbounded_channel();
        let reader = tokio::spawn(async move {
            let mut events = std::pin::pin!(docker.events(Some(options)));
            loop {
                match events.next().await {
                    Some(Ok(event)) => {
                        if let Some(news) = read(&event, &stack)
                            && send.send(news).is_err()
                        {
                            return;
                        }
                    }
                    // An event of an unknown kind says nothing about the stack.
                    Some(Err(Error::JsonDataError { .. } | Error::JsonSerdeError { .. })) => {}
                    Some(Err(_)) | None => return,
                }
            }
        });
        Self { news, reader }
    }

    /// The next event; `None` when the connection is lost. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<News> {
        self.news.recv().await
    }

    /// An event that has already arrived.
    pub(super) fn try_next(&mut self) -> Option<News> {
        self.news.try_recv().ok()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

fn read(event: &EventMessage, stack: &StackName) -> Option<News> {
    let actor = event.actor.as_ref()?;
    let attributes = actor.attributes.as_ref()?;
    let is_ours = match attributes.get(STACK_LABEL) {
        Some(label) => label == stack.as_str(),
        None => attributes.get("name")?.strip_prefix(stack.as_str())?.starts_with('_'),
    };
    let action = event.action.as_deref()?;
    is_ours.then(|| News {
        at: instant_of(event.time_nano),
        id: actor.id.clone().unwrap_or_default(),
        good: matches!(action, "start" | "update" | "health_status: healthy"),
        unhealthy: action == "health_status: unhealthy",
        out_of_memory: action == "oom",
        life: life(action, attributes),
    })
}

fn life(action: &str, attributes: &HashMap<String, String>) -> Option<Life> {
    match action {
        // Services have no task.
        _ if !attributes.contains_key(TASK_LABEL) => None,
        "start" => Some(Life::Started),
        "health_status: healthy" => Some(Life::Healthy),
        // Signals such as those to reload files do not end a process.
        "kill" => {
            let signal = attributes.get("signal").map_or("", String::as_str);
            (!matches!(signal, "1" | "10" | "12" | "28")).then_some(Life::ToldToEnd)
        }
        "die" => {
            let of = |key: &str| attributes.get(key).cloned().unwrap_or_default();
            // `<service>.<slot>.<task>`, or the node's id in place of the slot.
            let name = of("com.docker.swarm.task.name");
            Some(Life::Died(Died {
                task: of(TASK_LABEL),
                service: of("com.docker.swarm.service.id"),
                slot: name.rsplit('.').nth(1).unwrap_or_default().to_owned(),
                image: of("image"),
                exit: attributes.get("exitCode").and_then(|code| code.parse().ok()).unwrap_or(-1),
            }))
        }
        _ => None,
    }
}

/// The engine's time on this process's clock: never later than now, so that a clock difference at worst hides latency.
fn instant_of(nano: Option<i64>) -> Instant {
    let now = Instant::now();
    let then = nano.and_then(|nano| u64::try_from(nano).ok()).map(|nano| UNIX_EPOCH + Duration::from_nanos(nano));
    let age = then.and_then(|then| SystemTime::now().duration_since(then).ok()).unwrap_or_default();
    now.checked_sub(age).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::EventActor;

    fn event(action: &str, attributes: &[(&str, &str)]) -> EventMessage {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        EventMessage {
            action: Some(action.to_owned()),
            actor: Some(EventActor { id: Some("id".to_owned()), attributes: Some(attributes) }),
            ..EventMessage::default()
        }
    }

    #[test]
    fn only_the_stacks_own_events_count() {
        let stack = StackName::try_from("a_b".to_owned()).unwrap();
        let ours = |action, attributes| read(&event(action, attributes), &stack);
        assert!(ours("start", &[(STACK_LABEL, "a_b"), ("name", "x")]).unwrap().good);
        assert!(!ours("die", &[(STACK_LABEL, "a_b")]).unwrap().good);
        assert!(ours("oom", &[(STACK_LABEL, "a_b")]).unwrap().out_of_memory);
        assert!(ours("update", &[("name", "a_b_app")]).unwrap().good);
        let task =
            [(STACK_LABEL, "a_b"), (TASK_LABEL, "t"), ("com.docker.swarm.task.name", "a_b_app.2.t"), ("exitCode", "3")];
        let Some(Life::Died(died)) = ours("die", &task).unwrap().life else { panic!("a death has its task") };
        assert_eq!((died.task.as_str(), died.slot.as_str(), died.exit), ("t", "2", 3));
        let told = |signal: &str| {
            let kill = event("kill", &[(STACK_LABEL, "a_b"), (TASK_LABEL, "t"), ("signal", signal)]);
            read(&kill, &stack).unwrap().life
        };
        assert_eq!((told("15"), told("1")), (Some(Life::ToldToEnd), None));
        assert_eq!(ours("start", &[(STACK_LABEL, "a"), ("name", "a_b_app")]), None);
        assert_eq!(ours("update", &[("name", "a_bc_app")]), None);
        assert_eq!(ours("update", &[]), None);
    }
}
