//! Waits until a stack has settled: by the engine's events, with a slow poll.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::names::StackName;

use super::engine::{Swarm, failed, is_lost};
use super::feed::{Feed, Life, News};
use super::judge::{Judgement, Up, judge};
use super::looks::Looks;
use super::machine;
use super::memory::KILLED;
use super::remembered::Remembered;
use super::seen::{Before, Snapshot};

/// Poll interval of the stack without events: swarm's tasks have none of their own (a rejection, a task without a
/// suitable node, the end of a watched update on another node).
const TICK: Duration = Duration::from_millis(500);

/// How long a lost engine may take to come back.
const PATIENCE: Duration = Duration::from_secs(30);

/// Log lines in a failure's evidence.
const LOG_LINES: usize = 20;

/// A subscription to the engine's events for one stack. Start it before the deployment.
#[derive(Debug)]
pub struct Watch {
    swarm: Swarm,
    stack: StackName,
    feed: Feed,
    /// The last event that made an object healthy, by the object's id.
    good: HashMap<String, Instant>,
    /// Containers that the engine declared unhealthy.
    unhealthy: BTreeSet<String>,
    /// OOM-killed containers.
    out_of_memory: BTreeSet<String>,
    /// Tasks that swarm may have dropped.
    remembered: Remembered,
    looks: Looks,
}

/// A stack that runs completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// By name.
    pub services: Vec<ServiceSettled>,
    /// The engine's time of the last event that made it true; `None` if everything ran already when the watch began.
    pub healthy_at: Option<Instant>,
    /// When this was decided.
    pub seen_at: Instant,
}

/// A service that runs completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettled {
    /// Its short name.
    pub name: String,
    /// The ids of its running containers, including those on other nodes. Empty for a service without replicas and for
    /// a completed job.
    pub containers: Vec<String>,
    /// As in [`Settled`], for this service.
    pub healthy_at: Option<Instant>,
    /// How it ended before it stayed up, if it did: "exited 8 times, last with code 1".
    pub before: Option<String>,
}

impl Swarm {
    /// Subscribes to a stack's events.
    pub async fn watch(&self, stack: &StackName) -> Result<Watch, Failure> {
        let feed = Feed::start(self, stack);
        // Changes between here and the first event are not lost: the first judgement reads the full state.
        self.docker().ping().await.map_err(|e| failed("answer", &e))?;
        Ok(Watch {
            swarm: self.clone(),
            stack: stack.clone(),
            feed,
            good: HashMap::new(),
            unhealthy: BTreeSet::new(),
            out_of_memory: BTreeSet::new(),
            remembered: Remembered::default(),
            looks: Looks::default(),
        })
    }
}

impl Watch {
    /// Waits until the stack has settled, or certainly never will. `on_progress` receives one line whenever what is
    /// awaited changes.
    ///
    /// # Errors
    /// The failure of the stack, with evidence; [`Kind::Deadline`] with what was awaited; [`Kind::EngineRestarted`] and
    /// [`Kind::EngineUnreachable`] if the connection was lost.
    pub async fn settled(
        &mut self,
        before: &Before,
        deadline: Instant,
        on_progress: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Settled, Failure> {
        let began = Instant::now();
        let mut last = Last::default();
        loop {
            self.take_news();
            let read = tokio::time::timeout_at(deadline.into(), self.swarm.snapshot(&self.stack));
            let mut now = match read.await {
                Ok(Ok(now)) => self.with_health(now),
                Ok(Err(e)) if is_lost(&e) => return Err(self.lost(&e.to_string()).await),
                Ok(Err(e)) => return Err(failed("report the state of the stack", &e)),
                Err(_) => return Err(self.too_late(began, last).await),
            };
            self.looks.look_at(&self.swarm, &mut now).await;
            let mut judgement = judge(&now, before);
            if matches!(judgement, Judgement::Never { .. }) && self.ask_why(&mut now).await {
                judgement = judge(&now, before);
            }
            match judgement {
                Judgement::Settled(up) => return Ok(self.decided(up)),
                Judgement::Never { service, failure } => return Err(self.with_evidence(failure, &[service]).await),
                Judgement::Going { line, services } => {
                    if line != last.line {
                        on_progress(&line);
                    }
                    let excuse = machine::excuse(&now, &services);
                    last = Last { line, services, excuse };
                }
            }
            let tick = Instant::now() + TICK;
            if deadline <= Instant::now() {
                return Err(self.too_late(began, last).await);
            }
            tokio::select! {
                news = self.feed.next() => match news {
                    Some(news) => self.note(news),
                    None => return Err(self.lost("the event stream has ended").await),
                },
                () = tokio::time::sleep_until(tick.min(deadline).into()) => {}
            }
        }
    }

    fn take_news(&mut self) {
        while let Some(news) = self.feed.try_next() {
            self.note(news);
        }
    }

    /// Adds what events reported: the list of tasks has neither their health nor OOM kills.
    fn with_health(&mut self, mut now: Snapshot) -> Snapshot {
        self.take_news();
        let unhealthy = &self.unhealthy;
        self.remembered.complete(&mut now, Instant::now(), |container| unhealthy.contains(container));
        for task in &mut now.tasks {
            task.unhealthy = task.container.as_ref().is_some_and(|id| self.unhealthy.contains(id));
            task.out_of_memory = task.container.as_ref().is_some_and(|id| self.out_of_memory.contains(id));
        }
        now
    }

    /// Queries OOM kills whose event has not arrived, since it may be late. Returns whether there was one.
    async fn ask_why(&mut self, now: &mut Snapshot) -> bool {
        let mut found = false;
        for task in now.tasks.iter_mut().filter(|task| task.exit == Some(KILLED) && !task.out_of_memory) {
            let Some(id) = &task.container else { continue };
            if self.swarm.was_out_of_memory(id).await {
                self.out_of_memory.insert(id.clone());
                task.out_of_memory = true;
                found = true;
            }
        }
        found
    }

    fn note(&mut self, news: News) {
        match &news.life {
            Some(Life::Started) => self.remembered.started(&news.id, news.at),
            Some(Life::Healthy) => self.remembered.healthy(&news.id, news.at),
            Some(Life::ToldToEnd) => self.remembered.told_to_end(&news.id, news.at),
            Some(Life::Died(died)) => self.remembered.died(&news.id, news.at, died.clone()),
            None => {}
        }
        if news.unhealthy {
            self.unhealthy.insert(news.id.clone());
        }
        if news.out_of_memory {
            self.out_of_memory.insert(news.id.clone());
        }
        if news.good {
            self.good.insert(news.id, news.at);
        } else {
            self.good.remove(&news.id);
        }
    }

    fn decided(&self, up: Vec<Up>) -> Settled {
        let services: Vec<ServiceSettled> = up
            .into_iter()
            .map(|up| ServiceSettled {
                healthy_at: up.containers.iter().chain([&up.id]).filter_map(|id| self.good.get(id)).max().copied(),
                name: up.service,
                before: up.before,
                containers: up.containers,
            })
            .collect();
        Settled {
            healthy_at: services.iter().filter_map(|service| service.healthy_at).max(),
            services,
            seen_at: Instant::now(),
        }
    }

    async fn too_late(&self, began: Instant, last: Last) -> Failure {
        let waited = began.elapsed().as_secs_f64();
        let line = if last.line.is_empty() { "the engine's answer".to_owned() } else { last.line };
        let line = line.strip_prefix("waiting for ").unwrap_or(&line);
        let what = format!("time is up after {waited:.0} s of waiting for {line}");
        let failure = match last.excuse {
            Some(excuse) => Failure { what: format!("{}; {what}", excuse.what), ..excuse },
            None => Failure::new(
                Kind::Deadline,
                what,
                "the task states and log lines below; if the app only needs longer, give the stage more time",
            ),
        };
        self.with_evidence(failure, &last.services).await
    }

    /// Adds the states of all tasks and the last lines of some services to the failure. Unavailable evidence does not
    /// replace the failure.
    async fn with_evidence(&self, failure: Failure, services: &[String]) -> Failure {
        let mut detail = String::new();
        if let Ok(tasks) = self.swarm.tasks(&self.stack).await {
            for task in tasks {
                detail.push_str(&task.to_string());
                detail.push('\n');
            }
        }
        for service in services {
            if let Ok(logs) = self.swarm.logs(&self.stack, service, LOG_LINES).await
                && !logs.text.is_empty()
            {
                detail.push_str(&format!("\nlast lines of {service}:\n{}", logs.text));
            }
        }
        failure.with_detail(detail.trim_end())
    }

    /// Waits for the engine to come back, to distinguish a restart from an engine that is gone.
    async fn lost(&self, why: &str) -> Failure {
        let began = Instant::now();
        let back = self.swarm.is_back_within(began + PATIENCE).await;
        let for_s = began.elapsed().as_secs_f64();
        if back {
            return Failure::new(
                Kind::EngineRestarted,
                format!("the connection to the engine was lost for {for_s:.1} s while {} was settling", self.stack),
                "whether docker was restarted (`journalctl -u docker`); then run again",
            )
            .with_detail(why);
        }
        Failure::new(
            Kind::EngineUnreachable,
            format!("the engine at {} stopped and did not come back within {for_s:.0} s", self.swarm.address()),
            "start docker; then `cc-ci reap` removes what this run left",
        )
        .with_detail(why)
    }
}

/// What was awaited last.
#[derive(Debug, Default)]
struct Last {
    line: String,
    services: Vec<String>,
    /// The machine's fault in it.
    excuse: Option<Failure>,
}
