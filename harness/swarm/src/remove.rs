//! Removal until nothing is left.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use base::failure::Failure;
use base::names::StackName;
use bollard::errors::Error;
use bollard::models::Task;
use bollard::query_parameters::{ListTasksOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder};

use super::engine::{Swarm, ask, failed, is_gone, is_lost};
use super::labels::of_stack;
use super::objects::{Object, ObjectKind};
use super::read::task_state;

/// How containers end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// At once. A process that ignores SIGTERM costs 0.4 s instead of 16 s.
    Kill,
    /// As in the recipe: SIGTERM and its grace period.
    Gentle,
}

/// Initial poll interval. Networks and volumes are released by the end of a swarm task, which has no event.
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

impl Swarm {
    /// Removes all objects of a stack, repeatedly until nothing is left or the deadline. Returns what is left, which
    /// should be empty. A missing stack is a success.
    pub async fn remove(&self, stack: &StackName, how: Removal, deadline: Instant) -> Result<Vec<Object>, Failure> {
        self.remove_some(stack, &ObjectKind::ALL, how, deadline).await
    }

    /// The same, as long as a shared record (by id) exists: later objects belong to another owner. The record is
    /// checked after each list and before any removal, so that everything in the list is from the record's time.
    pub async fn remove_under(
        &self,
        stack: &StackName,
        record: &str,
        how: Removal,
        deadline: Instant,
    ) -> Result<Vec<Object>, Failure> {
        self.remove_while(stack, &ObjectKind::ALL, how, deadline, Some(record)).await
    }

    /// The same for some kinds of objects: for example a stack and its volumes without its secrets. Containers are
    /// removed with their services, so specify both. Returns what is left of those kinds.
    pub async fn remove_some(
        &self,
        stack: &StackName,
        kinds: &[ObjectKind],
        how: Removal,
        deadline: Instant,
    ) -> Result<Vec<Object>, Failure> {
        self.remove_while(stack, kinds, how, deadline, None).await
    }

    async fn remove_while(
        &self,
        stack: &StackName,
        kinds: &[ObjectKind],
        how: Removal,
        deadline: Instant,
        record: Option<&str>,
    ) -> Result<Vec<Object>, Failure> {
        let mut pause = PAUSE;
        let mut killed = HashSet::new();
        let mut swept = false;
        loop {
            let objects = self.objects_of(stack, kinds).await?;
            // A node that was about to start a container when its service was removed creates it after this list, so no
            // task may be pending either.
            if objects.is_empty() && (!kinds.contains(&ObjectKind::Service) || !self.has_task(stack, &killed).await?) {
                // Objects that a task created between the two lists.
                return self.objects_of(stack, kinds).await;
            }
            // One attempt is made even after the deadline.
            if Instant::now() >= deadline && swept {
                return Ok(objects);
            }
            if let Some(record) = record
                && !self.has_shared_record(record).await?
            {
                return Ok(Vec::new());
            }
            self.sweep(stack, &objects, how).await?;
            swept = true;
            killed.extend(objects.into_iter().filter(|object| object.kind == ObjectKind::Container).map(|o| o.id));
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One round: removes what can be removed now. A refusal is no error: it is retried in the next round, and reported
    /// at the end if something is left.
    async fn sweep(&self, stack: &StackName, objects: &[Object], how: Removal) -> Result<(), Failure> {
        let of = |kind: ObjectKind| objects.iter().filter(move |object| object.kind == kind);
        // Services first, or swarm would restart what is killed.
        self.remove_each(of(ObjectKind::Service)).await?;
        if how == Removal::Kill {
            self.remove_each(of(ObjectKind::Container)).await?;
        } else if of(ObjectKind::Service).next().is_none() {
            let stopping = self.stopping(stack).await?;
            self.remove_each(of(ObjectKind::Container).filter(|object| !stopping.contains(&object.id))).await?;
        }
        self.remove_each(objects.iter().filter(|object| object.kind > ObjectKind::Container)).await
    }

    /// Whether a task of the stack may still create or hold something: swarm knows it, it is not over, and its
    /// container was not removed here.
    async fn has_task(&self, stack: &StackName, killed: &HashSet<String>) -> Result<bool, Failure> {
        let tasks = self.live_tasks(stack).await?;
        Ok(tasks.iter().any(|task| !container_of(task).is_some_and(|id| killed.contains(id))))
    }

    /// The containers that swarm is stopping. Others have no owner any more.
    async fn stopping(&self, stack: &StackName) -> Result<HashSet<String>, Failure> {
        Ok(self.live_tasks(stack).await?.iter().filter_map(container_of).map(str::to_owned).collect())
    }

    /// The tasks that are not over, including those of removed services.
    async fn live_tasks(&self, stack: &StackName) -> Result<Vec<Task>, Failure> {
        let options = ListTasksOptionsBuilder::new().filters(&of_stack(stack)).build();
        let mut tasks = ask("list tasks", self.docker().list_tasks(Some(options))).await?;
        let is_over =
            |task: &Task| task.status.as_ref().and_then(|s| s.state).is_some_and(|state| task_state(state).is_over());
        tasks.retain(|task| !is_over(task));
        Ok(tasks)
    }

    /// Removes some objects, in the order of [`ObjectKind`]. [`Swarm::remove`] handles what is left.
    pub async fn discard(&self, objects: &[Object]) -> Result<(), Failure> {
        for kind in ObjectKind::ALL {
            self.remove_each(objects.iter().filter(|object| object.kind == kind)).await?;
        }
        Ok(())
    }

    async fn remove_each<'a>(&self, objects: impl Iterator<Item = &'a Object>) -> Result<(), Failure> {
        let results = futures_util::future::join_all(objects.map(|object| async move {
            let result = self.remove_one(object).await;
            (object, result)
        }));
        for (object, result) in results.await {
            match result {
                Err(e) if is_lost(&e) => return Err(failed(&format!("remove {object}"), &e)),
                Err(e) if !is_gone(&e) => tracing::debug!("{object} is not removed yet: {e}"),
                _ => {}
            }
        }
        Ok(())
    }

    async fn remove_one(&self, object: &Object) -> Result<(), Error> {
        let (docker, id) = (self.docker(), object.id.as_str());
        match object.kind {
            ObjectKind::Service => docker.delete_service(id).await,
            ObjectKind::Container => {
                let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
                docker.remove_container(id, Some(options)).await
            }
            ObjectKind::Network => docker.remove_network(id).await,
            ObjectKind::Volume => docker.remove_volume(id, Some(RemoveVolumeOptionsBuilder::new().build())).await,
            ObjectKind::Secret => docker.delete_secret(id).await,
            ObjectKind::Config => docker.delete_config(id).await,
        }
    }
}

fn container_of(task: &Task) -> Option<&str> {
    task.status.as_ref()?.container_status.as_ref()?.container_id.as_deref().filter(|id| !id.is_empty())
}
