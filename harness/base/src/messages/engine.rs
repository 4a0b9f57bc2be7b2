//! Messages of the engine: about a task in swarm's list, and in response to a request.
//!
//! Swarm stores its agent's error in the task as text. It may come from swarm's agent and scheduler, libnetwork, the
//! volume code, containerd and runc, each with different messages. Those about the command, the user, the folders and
//! mounts in the recipe's compose file are the recipe's; all others are the machine's.

use super::network::{FULL, rows};
use super::{Basis, KnownMessage};
use crate::failure::Kind;

const HERE: &str = "engine 20.10.24";
const LIBNETWORK: &str = "moby, libnetwork";
const EXECUTOR: &str = "moby, swarm's executor";
const SCHEDULER: &str = "moby/swarmkit, scheduler";
const RUNC: &str = "runc and containerd, by engine 20.10.24";
const REPORTS: &str = "public reports of operators";

const NETWORK_LOOK: &str = "the engine's log (`journalctl -u docker`), `ip -d link show type vxlan`, `docker network ls`; \
                            a restart of docker clears what lies in the way";
const RUNTIME_LOOK: &str = "the engine's log (`journalctl -u docker`), `docker info`, the kernel's log (`dmesg`)";
const COMMAND_LOOK: &str = "entrypoint, command, user, working_dir and mounts of the service, and what its image has";

/// Messages that resemble another failure by one of their words.
static FIRST: &[KnownMessage] = &[
    KnownMessage::new(
        &["/sys/fs/cgroup … no space left on device", "inotify … no space left on device", "keyring … disk quota exceeded"],
        Kind::RuntimeFailed,
        "the kernel's own limits are reached: control groups, keys or watches, and no disk",
        "`cat /proc/cgroups`, `sysctl fs.inotify kernel.keys`; a restart of the node clears control groups that were left",
    )
    .from("runc, public reports", Basis::Seen)
    .passing(),
    FULL,
    KnownMessage::new(
        &[
            "exec: \"runc\"",
            "exec: \"docker-runc\"",
            "exec: \"crun\"",
            "exec: \"containerd-shim",
            "exec: \"docker-init\"",
            "exec: \"docker-proxy\"",
            "iptables failed",
            "ip6tables failed",
            "nvidia-container",
            "containerd … is not running",
            "starting container failed: context deadline exceeded",
        ],
        Kind::RuntimeFailed,
        "a program that the engine itself needs is missing, or does not answer",
        RUNTIME_LOOK,
    )
    .from("moby; containerd", Basis::Read)
    .passing(),
];

/// Failures of the machine.
static MACHINE: &[KnownMessage] = &[
    KnownMessage::new(
        &[
            "cannot allocate memory",
            "fork/exec … resource temporarily unavailable",
            "pthread_create failed",
            "not enough memory",
            "insufficient memory",
            "oom-kill during container init",
            "container init was oom-killed",
        ],
        Kind::NodeOutOfMemory,
        "the node has no memory or no processes left to start a container with",
        "what else runs on the node (`free -m`, `docker stats`), and the limits of docker's unit (TasksMax)",
    )
    .from("Go os/exec, runc", Basis::Seen)
    .passing(),
    KnownMessage::new(
        &[
            "too many open files",
            "inotify",
            "no child processes",
            "argument list too long",
            "cannot open shared object file",
            "user.max_user_namespaces",
        ],
        Kind::RuntimeFailed,
        "the node's own limits are reached",
        "the limits of docker's unit (LimitNOFILE, TasksMax) and `sysctl fs.inotify user`",
    )
    .from("Go os, runc", Basis::Read)
    .passing(),
    KnownMessage::new(
        &[
            "containerd-shim-runc … not installed",
            "runtime \"io.containerd … binary not installed",
            "unknown runtime specified",
            "unknown or invalid runtime",
            "unable to retrieve oci runtime error",
            "failed to start shim",
            "failed to start daemon",
            "shim … deadline exceeded",
            "ttrpc: closed",
            "ttrpc: client shutting down",
            "error creating overlay mount",
            "error creating aufs mount",
            "error while mounting … overlay",
            "failed to mount … overlay",
            "driver failed to remove root filesystem",
            "layer does not exist",
            "layer not retained",
            "input/output error",
            "structure needs cleaning",
            "stale file handle",
        ],
        Kind::RuntimeFailed,
        "the engine's runtime or its storage does not work",
        RUNTIME_LOOK,
    )
    .from("moby; containerd; runc", Basis::Read)
    .passing(),
    KnownMessage::new(
        &[
            "cgroup",
            "systemd … dbus",
            "dbus: ",
            "unit … already exists",
            "unit … was already loaded",
            "apparmor",
            "selinux",
            "seccomp",
            "keyring",
            "session keyring",
            "rlimit",
            "user namespaces",
            "bpf",
            "open /proc/sys/ … no such file or directory",
            "/proc/self/attr",
            "unable to apply … configuration",
            "error mounting \"proc\"",
            "error mounting \"sysfs\"",
            "error mounting \"mqueue\"",
            "error mounting \"devpts\"",
            "error mounting \"tmpfs\"",
            "error mounting \"overlay\"",
            "unsharing namespaces",
            "waiting for init preliminary setup",
            "init process to read",
            "nsexec",
            "write sync socket",
            "sync pipe",
            "read init-p",
            "could not select device driver",
        ],
        Kind::RuntimeFailed,
        "the kernel, its limits or its control groups deny the container what it needs",
        RUNTIME_LOOK,
    )
    .from("runc, libcontainer", Basis::Seen)
    .passing(),
    KnownMessage::new(
        &["range of cpus is from"],
        Kind::NoNode,
        "the limit in deploy.resources asks for more processors than this node has",
        "a node with as many processors, or a lower deploy.resources.limits.cpus",
    )
    .from("engine 20.10.24; moby, daemon_unix", Basis::Seen),
    KnownMessage::new(
        &[
            "host-mode port already in use",
            "bind: address already in use",
            "port is already allocated",
            "failed to bind host port",
            "failed to bind port",
            "is already in use by service",
            "error starting userland proxy",
            "all ports are allocated",
            "ports are not available",
            "listen tcp … address already in use",
            "listen udp … address already in use",
        ],
        Kind::PortTaken,
        "something else holds the host port",
        "what else publishes this port: `docker service ls`, `docker ps`, `ss -ltnp`",
    )
    .from("engine 20.10.24; moby, portallocator", Basis::Seen),
    KnownMessage::new(
        &[
            // Addresses.
            "pool overlaps with other one",
            "failed to allocate gateway",
            "failed to allocate secondary ip",
            "failed to allocate network ip",
            "could not allocate ip",
            "could not allocate vip",
            "could not find an available",
            "no available network",
            "no available ipv4",
            "no available ipv6",
            "no available ip",
            "ip addresses may be exhausted",
            "address pools have been fully subnetted",
            "address already in use",
            "address already allocated",
            "requested address … out of range",
            "invalid pool request",
            "cannot find address pool",
            "address space",
            "ipam",
            "pending allocations",
            // Networks of tasks and nodes.
            "network attachment",
            "attaching to network failed",
            "could not attach to network",
            "could not be attached",
            "failed to attach",
            "failed to set up container networking",
            "network … not found",
            "could not find network",
            "failed to get network",
            "no such network",
            "network is not allocated",
            "network support is unavailable",
            "not allocated yet",
            "unable to find load balanc",
            "endpoint with name … already exists",
            "endpoint … not found",
            "failed to create endpoint",
            "failed to get endpoint",
            "error creating external connectivity network",
            "endpoint create on gw network failed",
            "endpoint join on gw network failed",
            "docker_gwbridge",
            "ingress",
            "swarm is not active",
            "datastore",
            "key modified",
            // Interfaces, namespaces, rules.
            "sandbox",
            "vxlan",
            "veth",
            "bridge",
            "netns",
            "network namespace",
            "netlink",
            "ipvlan",
            "macvlan",
            "external connectivity",
            "iptables",
            "ip6tables",
            "nftables",
            "br_netfilter",
            "conntrack",
            "ipvs",
            "ip_vs",
            "memberlist",
            "gossip",
            "encryption keys",
            "ipsec",
            "resolv.conf",
            "failed to set gateway",
            "default gateway",
            "conflicts with existing route",
            "failed to add interface",
            "failed to set link up",
            "failed to start dns",
            "setting interface",
            "interface name",
            "operation not supported",
        ],
        Kind::NodeNetwork,
        "the engine cannot give the container its network, address or rules",
        NETWORK_LOOK,
    )
    .from(LIBNETWORK, Basis::Read)
    .passing(),
    KnownMessage::new(
        &["unsupported platform on"],
        Kind::PlatformMissing,
        "no node has the processor that the image was built for",
        "the platforms that the image is published for (`docker manifest inspect IMAGE`); another image or tag",
    )
    .from(SCHEDULER, Basis::Read),
    KnownMessage::new(
        &[
            "no suitable node",
            "node not available for new tasks",
            "nodes not available for new tasks",
            "insufficient resources on",
            "not enough resources available",
            "scheduling constraints not satisfied",
            "missing plugin on",
            "max replicas per node limit",
            "cannot fulfill requested csi volume",
            "assigned node no longer meets constraints",
            "node is not part of a swarm",
        ],
        Kind::NoNode,
        "no node is suitable",
        "the placement constraints and reservations of the service, and `docker node ls`",
    )
    .from(SCHEDULER, Basis::Seen),
    KnownMessage::new(
        &[
            "no such container",
            "container destroyed",
            "is marked for removal",
            "removal of container … is already in progress",
            "container … is already in use by container",
            "daemon is shutting down",
            "context canceled",
            "node is down",
            "heartbeat failure",
            "agent: ",
            "exec: controller closed",
            "dependency not ready",
            "the swarm does not have a leader",
            "no leader",
            "rpc error: code = unavailable",
            "rpc error: code = deadlineexceeded",
            "rpc error: code = unknown desc = update out of sequence",
            "grpc: the connection",
            "transport is closing",
            "volume … driver",
            "volumedriver",
            "error while mounting volume",
            "failed to mount local volume",
            "plugin … not found",
        ],
        Kind::RuntimeFailed,
        "the engine lost the container, a volume or its swarm while it worked on it",
        RUNTIME_LOOK,
    )
    .from(EXECUTOR, Basis::Read)
    .passing(),
];

/// Messages about the recipe's command, user, folders and mounts. Paths of a recipe may contain any word, so messages
/// with a path precede the machine's.
static RECIPE: &[KnownMessage] = &[
    KnownMessage::new(
        &[
            "error mounting … not a directory",
            "are you trying to mount a directory onto a file",
            "source … is not directory",
        ],
        Kind::TaskRejected,
        "a file is mounted over a folder of the image, or a folder over a file",
        COMMAND_LOOK,
    )
    .from(RUNC, Basis::Seen),
    KnownMessage::new(
        &[
            "cannot mkdir: … is not a directory",
            "chdir to cwd",
            "failed to chdir",
            "cwd … not a directory",
            "cwd … permission denied",
        ],
        Kind::TaskRejected,
        "the working folder is not a folder, or the user may not enter it",
        COMMAND_LOOK,
    )
    .from(RUNC, Basis::Seen),
    KnownMessage::new(
        &[
            "exec: \"… executable file not found in $path",
            "exec: \"… no such file or directory",
            "exec: \"… permission denied",
            "exec: \"… is a directory",
            "exec: \"… not a directory",
            "exec user process caused",
            "exec format error",
            "no command specified",
        ],
        Kind::TaskRejected,
        "the image has no such command, it may not be executed, or it was built for another machine",
        COMMAND_LOOK,
    )
    .from(RUNC, Basis::Seen),
    KnownMessage::new(
        &[
            "unable to find user",
            "unable to find group",
            "no matching entries in passwd",
            "no matching entries in group",
        ],
        Kind::TaskRejected,
        "the image has no such user or group",
        COMMAND_LOOK,
    )
    .from(HERE, Basis::Seen),
    KnownMessage::new(
        &[
            "bind source path does not exist",
            "bind mount source",
            "invalid mount config",
            "invalid mount target",
            "invalid mount type",
            "invalid volume mount",
            "invalid tmpfs source",
            "error while creating mount source path",
            "duplicate mount point",
            "invalid volume specification",
            "mount … read-only file system",
            "error gathering device information",
        ],
        Kind::TaskRejected,
        "a mount's source does not exist, or cannot be mounted there",
        "what the service mounts: is it there on every server that the recipe is for?",
    )
    .from("engine 20.10.24; moby, volume/mounts", Basis::Seen),
    KnownMessage::new(
        &[
            "unknown capability",
            "invalid capadd",
            "is not in a separate kernel namespace",
            "sysctl … is not allowed",
            "minimum memory limit allowed",
            "minimum memory reservation",
            "invalid isolation",
            "invalid hostname",
            "invalid ip address",
            "user specified ip address is supported",
            "unable to parse template",
            "failed to expand",
            "error parsing templated",
            "template: expansion",
        ],
        Kind::TaskRejected,
        "the engine refuses a value in the compose file",
        "the settings of the service in the compose file",
    )
    .from("engine 20.10.24; moby, daemon", Basis::Seen),
];

/// The recipe's, unless a message of the machine matches too.
static ELSE: &[KnownMessage] = &[
    KnownMessage::new(
        &["error mounting", "create mountpoint for", "mount through procfd"],
        Kind::TaskRejected,
        "a mount cannot be mounted there",
        COMMAND_LOOK,
    )
    .from(RUNC, Basis::Read),
    KnownMessage::new(
        &["executable file not found in $path"],
        Kind::TaskRejected,
        "the image has no such command",
        COMMAND_LOOK,
    )
    .from(RUNC, Basis::Seen),
    KnownMessage::new(
        &["failed to create task for container", "failed to create shim", "oci runtime", "failed to create containerd"],
        Kind::RuntimeFailed,
        "the engine's runtime cannot create the container",
        RUNTIME_LOOK,
    )
    .from(REPORTS, Basis::Seen)
    .passing(),
];

/// An image that the node lacks. A task's text is short: the registry's full message is that of a pull.
static IMAGE: &[KnownMessage] = &[
    KnownMessage::new(
        &["no such image", "manifest unknown", "manifest for … not found", "name unknown"],
        Kind::ImageMissing,
        "the image does not exist",
        "the image's name and tag in the compose file, and whether its registry still has it",
    )
    .from(EXECUTOR, Basis::Seen),
    KnownMessage::new(
        &[
            "pull access denied",
            "unauthorized",
            "no basic auth credentials",
            "requested access to the resource is denied",
        ],
        Kind::RegistryRefused,
        "the registry refuses it to this machine: it is private, or does not exist",
        "the image's name in the compose file; for a private image a login on the node (`docker login REGISTRY`)",
    )
    .from("moby, distribution", Basis::Seen),
    KnownMessage::new(
        &[
            "no matching manifest for",
            "does not provide the specified platform",
            "does not match the specified platform",
        ],
        Kind::PlatformMissing,
        "the registry has no build of it for the node's processor",
        "the platforms that the image is published for (`docker manifest inspect IMAGE`); another image or tag",
    )
    .from("moby; containerd", Basis::Seen),
    KnownMessage::new(
        &["toomanyrequests", "too many requests"],
        Kind::RegistryLimit,
        "the registry's rate limit is exceeded (429)",
        "a login on the node raises the limit, and so does a mirror; the same run works later",
    )
    .from("moby, distribution", Basis::Seen),
    KnownMessage::new(
        &["unexpected http status: 5"],
        Kind::RegistryUnreachable,
        "the registry is down or overloaded",
        "the registry's own status page; then run again",
    )
    .from("moby, distribution", Basis::Seen)
    .passing(),
];

/// Messages that only occur in responses.
static ANSWERS: &[KnownMessage] = &[
    KnownMessage::new(
        &["not a swarm manager", "not part of a swarm", "not connected to a swarm"],
        Kind::WorldIncomplete,
        "this node is no manager of a swarm",
        "run `docker swarm init`, or name a manager in DOCKER_HOST",
    )
    .from(HERE, Basis::Seen),
    KnownMessage::new(
        &["no such container", "is not running", "container … is paused", "container … is restarting"],
        Kind::CrashLoop,
        "the container ended while cc-ci worked in it",
        "why the container ended while cc-ci worked in it: its service's task history and last log lines",
    )
    .from(HERE, Basis::Seen),
];

static PULL: [KnownMessage; 5] = rows(Kind::RegistryUnreachable);
static LOST: [KnownMessage; 5] = rows(Kind::EngineUnreachable);

/// For a task: if a registry was unreachable, the failure was the pull.
pub(super) static TASK: &[&[KnownMessage]] = &[FIRST, RECIPE, IMAGE, MACHINE, &PULL, ELSE];
/// For a request.
pub(super) static REQUEST: &[&[KnownMessage]] = &[FIRST, ANSWERS, &LOST, MACHINE];
/// For the docker client in abra.
pub(super) static DEPLOY: &[&[KnownMessage]] = &[FIRST, MACHINE];
