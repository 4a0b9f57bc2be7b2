//! Containers beside a stack's services, behind a fence: no right that a program can do without, no
//! file system that stays, no socket, and only the networks that they are given. Each object has the
//! stack's label, so that [`Swarm::remove`] takes it away with the stack, whoever was killed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::messages::{Speaker, known};
use bollard::container::AttachContainerResults;
use bollard::errors::Error;
use bollard::models::{EndpointSettings, Mount, MountType, MountVolumeOptions};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, LogsOptionsBuilder, UploadToContainerOptionsBuilder, WaitContainerOptions,
};
use bytes::Bytes;
use futures_util::StreamExt;

use super::beside::StackLabels;
use super::engine::{Swarm, ask, failed};
use super::objects::{Object, ObjectKind};

/// The user of a fenced container, who owns nothing: nobody, by number, since an image need not name it.
const NOBODY: &str = "65534:65534";

/// A container to be made. It runs as nobody with no capability, on a file system that cannot be
/// written, with a small `/tmp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fenced {
    /// Its name.
    pub name: String,
    /// The image.
    pub image: String,
    /// The program and its words, in place of the image's own.
    pub command: Vec<String>,
    /// Its environment, besides what the image sets.
    pub env: Vec<(String, String)>,
    /// The folder where its volume is mounted, and where it starts.
    pub folder: String,
    /// The volume.
    pub volume: String,
    /// Whether it may only read the volume.
    pub read_only: bool,
    /// The id of its network.
    pub network: String,
    /// The name that it has there besides its own.
    pub alias: Option<String>,
    /// Names with an address of their own, `name:address`.
    pub hosts: Vec<String>,
    /// Memory in bytes, with what it writes to `/tmp`; there is no swap.
    pub memory: i64,
    /// Whether the engine keeps what it prints; if not, only [`Swarm::run_fenced`] sees it.
    pub keep_output: bool,
}

/// How a fenced container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FencedEnd {
    /// By itself, or by the kernel for want of memory, with this code.
    Exit(i64),
    /// The engine could not start its program, in the engine's words.
    NotStarted(String),
    /// It was still running at the deadline, and was killed.
    Late,
}

impl Swarm {
    /// Makes a container and does not start it. Gives its id.
    pub async fn make_fenced(&self, labels: &StackLabels, fenced: &Fenced) -> Result<String, Failure> {
        let body = body(labels, fenced);
        let options = bollard::query_parameters::CreateContainerOptionsBuilder::new().name(&fenced.name).build();
        Ok(ask("make a container for a test", self.docker().create_container(Some(options), body)).await?.id)
    }

    /// Starts a container that was made.
    pub async fn start_fenced(&self, container: &str) -> Result<(), Failure> {
        ask("start a container for a test", self.docker().start_container(container, None)).await
    }

    /// Unpacks a tar archive into a folder of a container, running or not.
    ///
    /// # Errors
    /// The folder is not there, may not be written, or the archive is none.
    pub async fn unpack(&self, container: &str, folder: &str, tar: Vec<u8>) -> Result<(), Failure> {
        let options = UploadToContainerOptionsBuilder::new().path(folder).build();
        let body = bollard::body_full(Bytes::from(tar));
        ask("copy files into a container", self.docker().upload_to_container(container, Some(options), body)).await
    }

    /// Starts a container, hands over what it prints while it prints, waits for its end, and kills it at
    /// the deadline.
    pub async fn run_fenced(
        &self,
        container: &str,
        deadline: Instant,
        on_output: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<FencedEnd, Failure> {
        let doing = "run a test in a container";
        let options = AttachContainerOptionsBuilder::new().stream(true).stdout(true).stderr(true).build();
        // Attached before the start, so that the first line is seen.
        let AttachContainerResults { mut output, .. } =
            ask(doing, self.docker().attach_container(container, Some(options))).await?;
        match self.docker().start_container(container, None).await {
            Ok(()) => {}
            Err(Error::DockerResponseServerError { message, .. }) if is_about_program(&message) => {
                return Ok(FencedEnd::NotStarted(super::reason::one_line(&message)));
            }
            Err(e) => return Err(failed(doing, &e)),
        }
        let to_end = async {
            while let Some(Ok(part)) = output.next().await {
                on_output(part.as_ref());
            }
            // It may have closed its output and run on.
            let mut waited = std::pin::pin!(self.docker().wait_container(container, None::<WaitContainerOptions>));
            match waited.next().await {
                Some(Ok(ended)) => Ok(ended.status_code),
                Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
                Some(Err(e)) => Err(failed(doing, &e)),
                None => Ok(-1),
            }
        };
        match tokio::time::timeout_at(deadline.into(), to_end).await {
            Ok(code) => Ok(FencedEnd::Exit(code?)),
            Err(_) => {
                let object = Object { kind: ObjectKind::Container, name: container.into(), id: container.into() };
                self.discard(&[object]).await?;
                Ok(FencedEnd::Late)
            }
        }
    }

    /// The last lines that a container printed; empty where they cannot be had.
    pub async fn last_words(&self, container: &str) -> String {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail("30").build();
        let mut lines = std::pin::pin!(self.docker().logs(container, Some(options)));
        let mut text = String::new();
        while let Ok(Some(Ok(line))) = tokio::time::timeout(Duration::from_secs(2), lines.next()).await {
            text.push_str(&String::from_utf8_lossy(line.as_ref()));
        }
        text
    }
}

fn body(labels: &StackLabels, fenced: &Fenced) -> bollard::models::ContainerCreateBody {
    use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, NetworkingConfig};
    let text = |words: &[&str]| Some(words.iter().map(ToString::to_string).collect::<Vec<_>>());
    let mount = Mount {
        typ: Some(MountType::VOLUME),
        source: Some(fenced.volume.clone()),
        target: Some(fenced.folder.clone()),
        read_only: Some(fenced.read_only),
        volume_options: Some(MountVolumeOptions { no_copy: Some(true), ..MountVolumeOptions::default() }),
        ..Mount::default()
    };
    let log = if fenced.keep_output {
        let size = HashMap::from([("max-size".to_owned(), "1m".to_owned())]);
        HostConfigLogConfig { typ: Some("json-file".to_owned()), config: Some(size) }
    } else {
        // What nobody limits would fill the host's disk.
        HostConfigLogConfig { typ: Some("none".to_owned()), config: None }
    };
    let host = HostConfig {
        readonly_rootfs: Some(true),
        tmpfs: Some(HashMap::from([("/tmp".to_owned(), "rw,nosuid,nodev,size=64m,mode=1777".to_owned())])),
        cap_drop: text(&["ALL"]),
        security_opt: text(&["no-new-privileges"]),
        privileged: Some(false),
        pids_limit: Some(256),
        memory: Some(fenced.memory),
        memory_swap: Some(fenced.memory),
        cpu_shares: Some(512),
        // The engine hands names that it does not know to the host's resolver, also for containers that
        // reach nobody else: a way out for a few bytes a question. Here nobody listens.
        dns: text(&["127.0.0.1"]),
        dns_search: text(&["."]),
        dns_options: text(&["timeout:1", "attempts:1"]),
        extra_hosts: Some(fenced.hosts.clone()),
        // It must not hand on packets between its networks, and may listen where HTTPS is.
        sysctls: Some(
            [("net.ipv4.ip_forward", "0"), ("net.ipv4.ip_unprivileged_port_start", "0")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        ),
        mounts: Some(vec![mount]),
        network_mode: Some(fenced.network.clone()),
        log_config: Some(log),
        ..HostConfig::default()
    };
    let endpoint =
        EndpointSettings { aliases: fenced.alias.clone().map(|alias| vec![alias]), ..EndpointSettings::default() };
    let (program, words) = fenced
        .command
        .split_first()
        .map_or((None, Vec::new()), |(first, rest)| (Some(vec![first.clone()]), rest.to_vec()));
    ContainerCreateBody {
        image: Some(fenced.image.clone()),
        entrypoint: program,
        cmd: Some(words),
        user: Some(NOBODY.to_owned()),
        env: Some(fenced.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        working_dir: Some(fenced.folder.clone()),
        labels: Some(labels.all()),
        host_config: Some(host),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(fenced.network.clone(), endpoint)])),
        }),
        ..ContainerCreateBody::default()
    }
}

/// Whether a refusal to start is about the program: no such interpreter, no right to execute it.
fn is_about_program(message: &str) -> bool {
    known(Speaker::Task, message).is_some_and(|row| row.kind == Kind::TaskRejected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::names::StackName;
    use std::collections::BTreeMap;

    fn fenced() -> Fenced {
        Fenced {
            name: "run-test".to_owned(),
            image: "testbed.invalid/own-tests:1".to_owned(),
            command: vec!["/own/tests/a.sh".to_owned(), "b".to_owned()],
            env: vec![("CCCI_URL".to_owned(), "https://a.example".to_owned())],
            folder: "/own".to_owned(),
            volume: "0123".to_owned(),
            read_only: true,
            network: "abc".to_owned(),
            alias: None,
            hosts: Vec::new(),
            memory: 1 << 28,
            keep_output: false,
        }
    }

    /// The whole request: what is not in it, such as a bind mount or another network, is not given.
    #[test]
    fn nothing_is_asked_for_that_a_test_does_not_need() {
        let stack = StackName::try_from("a_b".to_owned()).unwrap();
        let labels = StackLabels::new(&stack, &BTreeMap::from([("cc-ci.run".to_owned(), "r".to_owned())]));
        insta::assert_snapshot!(serde_json::to_string_pretty(&sorted(&body(&labels, &fenced()))).unwrap());
    }

    fn sorted(body: &bollard::models::ContainerCreateBody) -> serde_json::Value {
        fn sort(value: serde_json::Value) -> serde_json::Value {
            match value {
                serde_json::Value::Object(map) => {
                    let mut all: Vec<_> = map.into_iter().map(|(key, value)| (key, sort(value))).collect();
                    all.sort_by(|a, b| a.0.cmp(&b.0));
                    all.into_iter().collect()
                }
                other => other,
            }
        }
        sort(serde_json::to_value(body).unwrap())
    }

    #[test]
    fn a_program_that_cannot_start_is_told_from_an_engine_that_cannot() {
        let no_interpreter = "OCI runtime create failed: container_linux.go:380: starting container process caused: \
                              exec: \"/own/tests/a.sh\": stat /own/tests/a.sh: no such file or directory: unknown";
        assert!(is_about_program(no_interpreter));
        assert!(!is_about_program("OCI runtime create failed: cgroups: cannot find cgroup mount"));
        assert!(!is_about_program("network abc not found"));
    }
}
