//! Isolated containers of a stack: minimal capabilities, no persistent file system, no socket, and only the given
//! networks. Each object has the stack's label, so that [`Swarm::remove`] removes it with the stack, even after a kill.

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

/// The user of a fenced container, who owns nothing: the user nobody, by number, since an image need not have the name.
const NOBODY: &str = "65534:65534";

/// A container to create. It runs as nobody without capabilities, on a read-only file system, with a small `/tmp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fenced {
    pub name: String,
    pub image: String,
    /// The program and its arguments, in place of the image's own.
    pub command: Vec<String>,
    /// Additional environment.
    pub env: Vec<(String, String)>,
    /// The mount point of its volume and its working directory.
    pub folder: String,
    pub volume: String,
    /// Whether the volume is read-only.
    pub read_only: bool,
    /// The id of its network.
    pub network: String,
    /// Its additional name in the network.
    pub alias: Option<String>,
    /// Additional host names, `name:address`.
    pub hosts: Vec<String>,
    /// Memory in bytes, including its `/tmp`; there is no swap.
    pub memory: i64,
    /// Whether the engine keeps its output; if not, only [`Swarm::run_fenced`] sees it.
    pub keep_output: bool,
}

/// How a fenced container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FencedEnd {
    /// By itself or OOM-killed, with this code.
    Exit(i64),
    /// The engine could not start its program, with its message.
    NotStarted(String),
    /// It was still running at the deadline, and was killed.
    Late,
}

impl Swarm {
    /// Creates a container without starting it. Returns its id.
    pub async fn make_fenced(&self, labels: &StackLabels, fenced: &Fenced) -> Result<String, Failure> {
        let body = body(labels, fenced);
        let options = bollard::query_parameters::CreateContainerOptionsBuilder::new().name(&fenced.name).build();
        Ok(ask("create a container for a test", self.docker().create_container(Some(options), body)).await?.id)
    }

    /// Starts a created container.
    pub async fn start_fenced(&self, container: &str) -> Result<(), Failure> {
        ask("start a container for a test", self.docker().start_container(container, None)).await
    }

    /// Unpacks a tar archive into a folder of a container, running or not.
    ///
    /// # Errors
    /// The folder does not exist or is read-only, or the archive is invalid.
    pub async fn unpack(&self, container: &str, folder: &str, tar: Vec<u8>) -> Result<(), Failure> {
        let options = UploadToContainerOptionsBuilder::new().path(folder).build();
        let body = bollard::body_full(Bytes::from(tar));
        ask("copy files into a container", self.docker().upload_to_container(container, Some(options), body)).await
    }

    /// Starts a container, forwards its output, waits for its end, and kills it at the deadline.
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
            // It may have closed its output and continue.
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

    /// The last lines of a container's output; empty if they are not available.
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
        // Unlimited logs would fill the host's disk.
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
        // The engine forwards unknown names to the host's resolver, even for isolated containers: a covert channel of a
        // few bytes per query. Nothing listens on this address.
        dns: text(&["127.0.0.1"]),
        dns_search: text(&["."]),
        dns_options: text(&["timeout:1", "attempts:1"]),
        extra_hosts: Some(fenced.hosts.clone()),
        // It must not forward packets between its networks, and may listen on the HTTPS port.
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

/// Whether a refusal to start is about the program: no such interpreter, no permission to execute it.
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

    /// The whole request: what is not in it, such as a bind mount or another network, is not granted.
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
