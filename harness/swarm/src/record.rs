//! Small records that a whole swarm shares: swarm configs whose labels are the content. Creating a name is atomic, a
//! change is a compare-and-swap on the record's version, and both are replicated on every manager. The caller defines
//! what records mean.

use std::collections::{BTreeMap, HashMap};

use base::failure::{Failure, Kind};
use bollard::errors::Error;
use bollard::models::{Config, ConfigSpec, EventMessage};
use bollard::query_parameters::{EventsOptionsBuilder, ListConfigsOptionsBuilder, UpdateConfigOptionsBuilder};
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::engine::{Swarm, ask, failed, is_gone, is_stale, status};

/// Swarm requires at least one byte of content, which is immutable; this is "-" in base64.
const CONTENT: &str = "LQ==";

/// A record at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedRecord {
    /// Its id: a record that is created again under the same name has another one.
    pub id: String,
    /// Its name, unique on the swarm.
    pub name: String,
    /// Its content.
    pub labels: BTreeMap<String, String>,
    /// The swarm's version at the last change. It only grows, over all records and leaders.
    pub version: u64,
    /// By the clock of the leader at that time.
    pub created: Timestamp,
    /// The last change, by the clock of the leader at that time.
    pub updated: Timestamp,
}

/// The result of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    Done,
    /// The record was changed concurrently: read it again.
    Stale,
    /// There is no such record.
    Gone,
}

/// A subscription to one record, including events before the subscription, back to a given time.
#[derive(Debug)]
pub struct RecordChanges {
    news: mpsc::UnboundedReceiver<()>,
    reader: tokio::task::JoinHandle<()>,
}

impl RecordChanges {
    /// Waits for a change or the removal; `None` when the connection is lost. Cancel-safe.
    pub async fn next(&mut self) -> Option<()> {
        self.news.recv().await
    }
}

impl Drop for RecordChanges {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Swarm {
    /// A consistent list of the records with this label (`name` or `name=value`).
    ///
    /// # Errors
    /// The engine does not answer, or is no swarm manager.
    pub async fn shared_records(&self, label: &str) -> Result<Vec<SharedRecord>, Failure> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListConfigsOptionsBuilder::new().filters(&filters).build();
        let configs = ask("list records", self.docker().list_configs(Some(options))).await?;
        Ok(configs.into_iter().filter_map(read).collect())
    }

    /// One record, if it exists.
    ///
    /// # Errors
    /// The engine does not answer, or the config of this name is no record.
    pub async fn shared_record(&self, name: &str) -> Result<Option<SharedRecord>, Failure> {
        match self.docker().inspect_config(name).await {
            // The engine also finds a config by the beginning of its id.
            Ok(config) => match read(config) {
                Some(record) if record.name == name => Ok(Some(record)),
                Some(_) => Ok(None),
                None => Err(Failure::new(
                    Kind::Bug,
                    format!("the swarm config {name} lacks its version or its times"),
                    "inspect it with `docker config inspect`",
                )),
            },
            Err(e) if is_gone(&e) => Ok(None),
            Err(e) => Err(failed("inspect a record", &e)),
        }
    }

    /// Whether the record of this id exists.
    pub async fn has_shared_record(&self, id: &str) -> Result<bool, Failure> {
        match self.docker().inspect_config(id).await {
            Ok(_) => Ok(true),
            Err(e) if is_gone(&e) => Ok(false),
            Err(e) => Err(failed("inspect a record", &e)),
        }
    }

    /// Creates a record. False if the name exists already.
    ///
    /// # Errors
    /// The engine does not answer; whether the record was created is then unknown.
    pub async fn make_shared_record(&self, name: &str, labels: BTreeMap<String, String>) -> Result<bool, Failure> {
        match self.docker().create_config(spec(name, labels)).await {
            Ok(_) => Ok(true),
            Err(e) if status(&e) == Some(409) => Ok(false),
            Err(e) => Err(failed("create a record", &e)),
        }
    }

    /// Replaces a record's labels, if it still has this version.
    ///
    /// # Errors
    /// The engine does not answer; whether the change was made is then unknown.
    pub async fn swap_shared_record(
        &self,
        name: &str,
        version: u64,
        labels: BTreeMap<String, String>,
    ) -> Result<Swap, Failure> {
        let version = i64::try_from(version).unwrap_or(i64::MAX);
        let options = UpdateConfigOptionsBuilder::new().version(version).build();
        match self.docker().update_config(name, spec(name, labels), options).await {
            Ok(()) => Ok(Swap::Done),
            Err(e) if is_gone(&e) => Ok(Swap::Gone),
            Err(e) if is_stale(&e) => Ok(Swap::Stale),
            Err(e) => Err(failed("change a record", &e)),
        }
    }

    /// Removes a record by its name or its id, if it exists.
    pub async fn drop_shared_record(&self, name_or_id: &str) -> Result<(), Failure> {
        match self.docker().delete_config(name_or_id).await {
            Err(e) if !is_gone(&e) => Err(failed("remove a record", &e)),
            _ => Ok(()),
        }
    }

    /// Waits until a record is removed. It may wait for ever: the engine does not report events from before its
    /// restart.
    pub async fn shared_record_gone(&self, name: &str) {
        let filters = HashMap::from([("type", vec!["config"]), ("event", vec!["remove"])]);
        let options = EventsOptionsBuilder::new().filters(&filters).build();
        let mut events = self.docker().events(Some(options));
        while let Some(Ok(event)) = events.next().await {
            let removed = event.actor.and_then(|actor| actor.attributes).and_then(|mut all| all.remove("name"));
            if removed.is_some_and(|removed| removed == name) {
                return;
            }
        }
        std::future::pending().await
    }

    /// Subscribes to changes of one record, from `since` on. The engine sends no events about others.
    pub fn shared_record_changes(&self, name: &str, since: Timestamp) -> RecordChanges {
        let filters = HashMap::from([("type", vec!["config"]), ("config", vec![name])]);
        let since = format!("{}.{:09}", since.as_second(), since.subsec_nanosecond());
        let options = EventsOptionsBuilder::new().filters(&filters).since(&since).build();
        let docker = self.docker().clone();
        let (send, news) = mpsc::unbounded_channel();
        let name = name.to_owned();
        let reader = tokio::spawn(async move {
            let mut events = std::pin::pin!(docker.events(Some(options)));
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) if !is_about(&event, &name) => {}
                    Ok(_) if send.send(()).is_err() => return,
                    // An event that the client cannot parse may be the change.
                    Ok(_) | Err(Error::JsonDataError { .. } | Error::JsonSerdeError { .. }) => {}
                    Err(_) => return,
                }
            }
        });
        RecordChanges { news, reader }
    }
}

/// The engine's filter also matches names with the requested one as a prefix.
fn is_about(event: &EventMessage, name: &str) -> bool {
    let attributes = event.actor.as_ref().and_then(|actor| actor.attributes.as_ref());
    attributes.and_then(|attributes| attributes.get("name")).is_none_or(|about| about == name)
}

fn spec(name: &str, labels: BTreeMap<String, String>) -> ConfigSpec {
    ConfigSpec {
        name: Some(name.to_owned()),
        labels: Some(labels.into_iter().collect()),
        data: Some(CONTENT.to_owned()),
        ..ConfigSpec::default()
    }
}

/// `None` without an id, a name, a version or a time, which swarm always returns.
fn read(config: Config) -> Option<SharedRecord> {
    let spec = config.spec?;
    let created: Timestamp = config.created_at?.parse().ok()?;
    Some(SharedRecord {
        id: config.id?,
        name: spec.name?,
        labels: spec.labels.unwrap_or_default().into_iter().collect(),
        version: config.version?.index?,
        created,
        updated: config.updated_at.and_then(|at| at.parse().ok()).unwrap_or(created),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_race_is_told_from_a_broken_engine() {
        let said = |message: &str| Error::DockerResponseServerError { status_code: 500, message: message.to_owned() };
        assert!(is_stale(&said("rpc error: code = Unknown desc = update out of sequence")));
        assert!(!is_stale(&said("rpc error: code = DeadlineExceeded desc = context deadline exceeded")));
    }

    #[test]
    fn what_swarm_always_gives_is_asked_for() {
        let whole = Config {
            id: Some("x".to_owned()),
            version: Some(bollard::models::ObjectVersion { index: Some(7) }),
            created_at: Some("2026-01-02T03:04:05.000000006Z".to_owned()),
            spec: Some(spec("a", BTreeMap::from([("k".to_owned(), "v".to_owned())]))),
            ..Config::default()
        };
        let record = read(whole.clone()).unwrap();
        assert_eq!((record.version, record.labels["k"].as_str()), (7, "v"));
        assert_eq!(record.updated, record.created);
        assert_eq!(read(Config { version: None, ..whole.clone() }), None);
        assert_eq!(read(Config { created_at: Some("yesterday".to_owned()), ..whole }), None);
    }
}
