use super::*;
use crate::failure::Cause;

fn rows() -> impl Iterator<Item = (Speaker, &'static KnownMessage)> {
    Speaker::ALL
        .into_iter()
        .flat_map(|speaker| speaker.tables().iter().flat_map(|table| table.iter()).map(move |row| (speaker, row)))
}

#[test]
fn no_row_hides_the_words_of_another() {
    let mut hidden = Vec::new();
    for (speaker, row) in rows() {
        assert!(!row.source.is_empty() && !row.means.is_empty() && !row.look_at.is_empty(), "{row:?}");
        for words in row.says {
            assert_eq!(*words, words.to_lowercase(), "rows are compared in lower case");
            let said = format!("x {} y", words.replace('…', "z"));
            let found = meaning(speaker, &said);
            // Another meaning for the same message in an earlier row is intended.
            if found.says.contains(words) {
                continue;
            }
            if found.kind.usual_cause() != row.kind.usual_cause() {
                hidden.push(format!("{speaker:?} {said:?} is {} and not {}", found.kind.code(), row.kind.code()));
            }
        }
    }
    assert!(hidden.is_empty(), "{}", hidden.join("\n"));
}

#[test]
fn only_a_trouble_of_the_machine_may_pass_by_itself() {
    for (speaker, row) in rows().filter(|(_, row)| row.passes) {
        assert_eq!(row.kind.usual_cause(), Cause::Infrastructure, "{speaker:?} {row:?}");
    }
}

/// Messages, their program and their kind. If a row only has a part of a message, the full text.
const SAID: &[(Speaker, &str, Kind)] = &[
    // The engine about a task: its network.
    (
        Speaker::Task,
        "network sandbox join failed: subnet sandbox join failed for \"10.0.14.0/24\": error creating vxlan interface: file exists",
        Kind::NodeNetwork,
    ),
    (
        Speaker::Task,
        "subnet sandbox join failed for \"10.0.0.0/24\": error creating vxlan interface: operation not supported",
        Kind::NodeNetwork,
    ),
    (Speaker::Task, "could not find network attachment for container 12ab to network x_inner", Kind::NodeNetwork),
    (Speaker::Task, "Address already in use", Kind::NodeNetwork),
    (
        Speaker::Task,
        "failed to allocate network IP for task t network n: could not find an available IP",
        Kind::NodeNetwork,
    ),
    (Speaker::Task, "service s to which task t belongs has pending allocations", Kind::NodeNetwork),
    (Speaker::Task, "all predefined address pools have been fully subnetted", Kind::NodeNetwork),
    (
        Speaker::Task,
        "attaching to network failed, make sure your network options are correct and check manager logs: context deadline exceeded",
        Kind::NodeNetwork,
    ),
    (
        Speaker::Task,
        "starting container failed: failed to set up container networking: driver failed programming external connectivity on endpoint e: Unable to enable DNAT rule:  (iptables failed: iptables --wait -t nat: exit status 1)",
        Kind::RuntimeFailed,
    ),
    (
        Speaker::Task,
        "starting container failed: container c: endpoint join on GW Network failed: failed to set gateway: network is unreachable",
        Kind::NodeNetwork,
    ),
    (
        Speaker::Task,
        "starting container failed: OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:545: container init caused: rootfs_linux.go:76: mounting \"proc\" to rootfs at \"/proc\" caused: mount through procfd: permission denied: cgroup",
        Kind::RuntimeFailed,
    ),
    // Processors, ports, disk, memory.
    (Speaker::Task, "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available", Kind::NoNode),
    (Speaker::Task, "no suitable node (host-mode port already in use on 1 node)", Kind::PortTaken),
    (
        Speaker::Task,
        "starting container failed: driver failed programming external connectivity on endpoint e (1): Bind for 0.0.0.0:443 failed: port is already allocated",
        Kind::PortTaken,
    ),
    (
        Speaker::Task,
        "starting container failed: error while creating mount source path '/var/lib/docker/volumes/x': mkdir /var/lib/docker/volumes/x: no space left on device",
        Kind::DiskFull,
    ),
    (
        Speaker::Task,
        "starting container failed: fork/exec /usr/bin/containerd-shim-runc-v2: cannot allocate memory",
        Kind::NodeOutOfMemory,
    ),
    (
        Speaker::Task,
        "starting container failed: OCI runtime create failed: mkdir /sys/fs/cgroup/memory/docker/1: no space left on device: unknown",
        Kind::RuntimeFailed,
    ),
    // The runtime.
    (
        Speaker::Task,
        "starting container failed: failed to create shim: OCI runtime create failed: unable to apply cgroup configuration: unknown",
        Kind::RuntimeFailed,
    ),
    (
        Speaker::Task,
        "starting container failed: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error setting rlimits for ready process: error setting rlimit type 7: operation not permitted: unknown",
        Kind::RuntimeFailed,
    ),
    (
        Speaker::Task,
        "failed to start shim: exec: \"containerd-shim-runc-v2\": executable file not found in $PATH",
        Kind::RuntimeFailed,
    ),
    (Speaker::Task, "exec: \"runc\": executable file not found in $PATH", Kind::RuntimeFailed),
    (Speaker::Task, "No such container: x_app.1.abc", Kind::RuntimeFailed),
    (
        Speaker::Task,
        "starting container failed: failed to create task for container: failed to create shim task: ttrpc: closed: unknown",
        Kind::RuntimeFailed,
    ),
    (
        Speaker::Task,
        "starting container failed: failed to create shim task: OCI runtime create failed: something of tomorrow",
        Kind::RuntimeFailed,
    ),
    // The recipe's own command, user, folders and mounts, whatever words its paths contain.
    (
        Speaker::Task,
        "starting container failed: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/nope\": stat /nope: no such file or directory: unknown",
        Kind::TaskRejected,
    ),
    (
        Speaker::Task,
        "starting container failed: OCI runtime create failed: unable to start container process: exec: \"/bridge/sandbox\": permission denied: unknown",
        Kind::TaskRejected,
    ),
    (
        Speaker::Task,
        "starting container failed: OCI runtime create failed: unable to start container process: exec: \"nope\": executable file not found in $PATH: unknown",
        Kind::TaskRejected,
    ),
    (
        Speaker::Task,
        "starting container failed: unable to find user nosuch: no matching entries in passwd file",
        Kind::TaskRejected,
    ),
    (
        Speaker::Task,
        "starting container failed: error mounting \"/srv/vxlan\" to rootfs at \"/etc/hosts/x\": not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type",
        Kind::TaskRejected,
    ),
    (
        Speaker::Task,
        "invalid mount config for type \"bind\": bind source path does not exist: /etc/ipvs",
        Kind::TaskRejected,
    ),
    (Speaker::Task, "Cannot mkdir: /etc/hostname is not a directory", Kind::TaskRejected),
    (Speaker::Task, "standard_init_linux.go:228: exec user process caused: exec format error", Kind::TaskRejected),
    // Its image.
    (Speaker::Task, "No such image: testbed.invalid/ghost:1", Kind::ImageMissing),
    (Speaker::Task, "no suitable node (unsupported platform on 1 node)", Kind::PlatformMissing),
    (
        Speaker::Task,
        "no suitable node (1 node not available for new tasks; insufficient resources on 2 nodes)",
        Kind::NoNode,
    ),
    (
        Speaker::Task,
        "Get https://registry-1.docker.io/v2/: dial tcp: lookup registry-1.docker.io: no such host",
        Kind::RegistryUnreachable,
    ),
    // A registry.
    (Speaker::Registry, "unauthorized: authentication required", Kind::RegistryRefused),
    (
        Speaker::Registry,
        "error parsing HTTP 403 response body: invalid character 'F' looking for beginning of value: \"Forbidden\"",
        Kind::RegistryRefused,
    ),
    (
        Speaker::Registry,
        "error parsing HTTP 429 response body: invalid character 's' looking for beginning of value: \"slow down\"",
        Kind::RegistryLimit,
    ),
    (
        Speaker::Registry,
        "error parsing HTTP 404 response body: invalid character 'o' in literal null (expecting 'u'): \"not found\"",
        Kind::ImageMissing,
    ),
    (
        Speaker::Registry,
        "manifest for localhost:5000/ghost:1 not found: manifest unknown: manifest unknown",
        Kind::ImageMissing,
    ),
    (Speaker::Registry, "received unexpected HTTP status: 503 Service Unavailable", Kind::RegistryUnreachable),
    (
        Speaker::Registry,
        "error unmarshalling content: invalid character '<' looking for beginning of value",
        Kind::RegistryUnreachable,
    ),
    (Speaker::Registry, "no matching manifest for linux/arm64/v8 in the manifest list entries", Kind::PlatformMissing),
    (
        Speaker::Registry,
        "image with reference example.org/a:1 was found but does not provide the specified platform (linux/arm64)",
        Kind::PlatformMissing,
    ),
    (Speaker::Registry, "Head \"http://localhost:41277/v2/x/y/manifests/1\": EOF", Kind::RegistryUnreachable),
    (
        Speaker::Registry,
        "Get \"https://x/v2/\": x509: certificate signed by unknown authority",
        Kind::RegistryUnreachable,
    ),
    (Speaker::Registry, "net/http: TLS handshake timeout", Kind::RegistryUnreachable),
    // git.
    (
        Speaker::Git,
        "fatal: unable to access 'https://x/': The requested URL returned error: 502",
        Kind::SourceUnreachable,
    ),
    (
        Speaker::Git,
        "fatal: unable to access 'https://x/': OpenSSL SSL_read: Connection was reset, errno 10054",
        Kind::SourceUnreachable,
    ),
    (Speaker::Git, "fatal: early EOF; fatal: fetch-pack: invalid index-pack output", Kind::SourceUnreachable),
    (Speaker::Git, "fatal: couldn't find remote ref refs/pull/9/head", Kind::InvalidRecipe),
    (Speaker::Git, "fatal: could not create work tree dir 'x': Permission denied", Kind::StateUnusable),
    // The bot.
    (
        Speaker::BackupBot,
        "pg_dump: error: connection refused\nERROR: backup.pre-hook of db ended with exit code 1",
        Kind::BackupFailed,
    ),
    (
        Speaker::BackupBot,
        "unable to create lock in backend: repository is already locked by PID 7",
        Kind::BackupBotUnusable,
    ),
    (Speaker::BackupBot, "Fatal: wrong password or no key found", Kind::BackupBotUnusable),
    (
        Speaker::BackupBot,
        "Fatal: unable to open config file: Get \"https://s3.example.org/\": dial tcp: lookup s3.example.org: no such host",
        Kind::BackupBotUnusable,
    ),
    (
        Speaker::BackupBot,
        "Fatal: config or key 12ab is damaged: ciphertext verification failed",
        Kind::BackupBotUnusable,
    ),
    (Speaker::BackupBot, "Save(<data/12>) failed: write /backups/x: no space left on device", Kind::DiskFull),
    (Speaker::BackupBot, "Fatal: all source directories/files do not exist", Kind::BackupEmpty),
    // traefik.
    (
        Speaker::Proxy,
        "does not answer: error sending request: tcp connect error: Connection refused (os error 111)",
        Kind::ProxyUnreachable,
    ),
    (Speaker::Proxy, "answered 502 (wanted 200)", Kind::NoAnswer),
    // abra.
    (Speaker::Abra, "FATA secret not generated: db_password", Kind::SecretMissing),
    (
        Speaker::Abra,
        "FATA failed to create service x: rpc error: code = InvalidArgument desc = expected mount",
        Kind::InvalidCompose,
    ),
    (
        Speaker::Abra,
        "failed to update service x_app: Error response from daemon: rpc error: code = Unimplemented desc = service mode change is not allowed",
        Kind::DidNotMove,
    ),
    (Speaker::Abra, "service app: duplicate config target for x_two_v1 not allowed", Kind::InvalidCompose),
    (
        Speaker::Abra,
        "FATA failed to create service x: rpc error: code = Unavailable desc = connection error",
        Kind::RuntimeFailed,
    ),
    (Speaker::Abra, "FATA write /x: no space left on device", Kind::DiskFull),
    (
        Speaker::Abra,
        "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
        Kind::EngineUnreachable,
    ),
];

#[test]
fn what_was_said_is_what_it_is() {
    let wrong: Vec<String> = SAID
        .iter()
        .filter(|(speaker, text, kind)| meaning(*speaker, text).kind != *kind)
        .map(|(speaker, text, kind)| {
            format!("{speaker:?} {text}: {} and not {}", meaning(*speaker, text).kind.code(), kind.code())
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest::proptest! {
    /// No letters that could form a word of a row.
    #[test]
    fn words_that_no_row_knows_are_never_the_recipes_fault(text in "[qwzjk .:/0-9]{0,200}") {
        for speaker in Speaker::ALL {
            proptest::prop_assert_eq!(meaning(speaker, &text).kind, Kind::UnknownTrouble);
            proptest::prop_assert_eq!(meaning(speaker, &text).kind.usual_cause(), Cause::Infrastructure);
        }
    }

    #[test]
    fn any_text_has_a_meaning(text in ".{0,200}") {
        for speaker in Speaker::ALL {
            proptest::prop_assert!(!meaning(speaker, &text).means.is_empty());
        }
    }
}

#[test]
fn a_dump_that_failed_in_front_of_a_pipe_is_found_in_the_bots_output() {
    let told = "backup.pre-hook of db: sh -c \"pg_dump x | gzip >/d.gz\"\n  pg_dump: error: connection to server failed\nsnapshot 13eee64e saved";
    assert_eq!(failed_hook(told), Some("pg_dump: error: connection to server failed"));
    assert!(failed_hook("ERROR: Failed to run command bash -c x in app: boom").is_some());
    // cc-ci's own bot: it prints a failed hook, also in a pipe, and the backup continues.
    let told = "backup.pre-hook of app: false | cat\nERROR: failed to run command: backup.pre-hook of app ended with exit code 1\nbackup finished";
    assert!(failed_hook(told).unwrap().ends_with("ended with exit code 1"));
    assert_eq!(
        failed_hook("backup.pre-hook of db: pg_dump x || exit 1\nsnapshot 13eee64e saved\nbackup finished"),
        None
    );
}
