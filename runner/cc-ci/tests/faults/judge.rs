//! Who looks at the swarm and the machine as they are, and knows nothing of cc-ci's code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::event::{Outcome, Stage, Verdict};
use journal::exit::Exit;

use super::engine::Engine;
use super::scene::Scene;
use super::support::Said;

/// The lists of everything that docker keeps. Of docker's own networks only the names stay the same.
const LISTS: [(&str, &[&str]); 6] = [
    ("service", &["service", "ls", "--format", "{{.ID}} {{.Name}}"]),
    ("volume", &["volume", "ls", "--format", "{{.Name}}"]),
    ("secret", &["secret", "ls", "--format", "{{.ID}} {{.Name}}"]),
    ("config", &["config", "ls", "--format", "{{.ID}} {{.Name}}"]),
    ("network", &["network", "ls", "--filter", "scope=swarm", "--format", "{{.ID}} {{.Name}}"]),
    ("container", &["ps", "-a", "--format", "{{.Label \"com.docker.swarm.service.name\"}}"]),
];

/// The one object of cc-ci's that stays: who holds a slot.
const LEDGER: &str = "ccci-slots";

/// Puts foreign objects there, which a janitor might take for cc-ci's.
pub(super) fn plant(engine: &Engine) {
    let image = "testbed.invalid/busybox:1";
    // Not detached: their containers have to be there before a judge notes what is.
    let idle = ["--no-resolve-image", image, "tail", "-f", "/dev/null"];
    let service = |options: &[&str]| engine.lines(&[&["service", "create"], options, &idle].concat());
    service(&[
        "--name",
        "foreign_app",
        "--label",
        "com.docker.stack.namespace=foreign",
        "--container-label",
        "com.docker.stack.namespace=foreign",
    ]);
    service(&["--name", "custom-html-pr1-0000000_ci_localhost_app"]);
    for words in [
        ["volume", "create", "ccci_foreign"],
        ["volume", "create", "custom-html-pr1-0000000_ci_localhost_content"],
        ["network", "create", "--driver=overlay"],
    ] {
        let name: &[&str] = if words[0] == "network" { &["ccci-foreign"] } else { &[] };
        engine.lines(&[&words[..], name].concat());
    }
    for kind in ["config", "secret"] {
        for name in ["ccci_foreign", "ccci-run-foreign", "custom-html-pr1-0000000_ci_localhost_page"] {
            engine.lines(&[kind, "create", name, "/etc/hostname"]);
        }
    }
}

fn objects(engine: &Engine) -> BTreeSet<String> {
    let of = |(kind, words): &(&str, &[&str])| {
        let lines = engine.lines(words).into_iter();
        lines.filter(|line| !line.ends_with(LEDGER)).map(|line| format!("{kind} {line}")).collect::<Vec<_>>()
    };
    LISTS.iter().flat_map(of).collect()
}

/// Looks from before a fault until after it.
pub(crate) struct Judge {
    states: Vec<PathBuf>,
    cap: usize,
    before: BTreeSet<String>,
    temporary: BTreeSet<String>,
    observer: Observer,
    since: Instant,
}

impl Judge {
    /// Notes what is there, and begins to count what lives.
    pub(crate) fn new(scene: &Scene, states: Vec<PathBuf>, cap: usize) -> Self {
        Self {
            states,
            cap,
            before: objects(&scene.engine),
            temporary: temporary(),
            observer: Observer::start(&scene.engine),
            since: Instant::now(),
        }
    }

    /// Reaps on every host, once more to see that nothing is left to do, and compares.
    pub(crate) fn after(self, scene: &Scene) {
        for again in [false, true] {
            // On all hosts at once: one that knows nothing of another's processes has to watch them for long.
            let reap = |state| scene.cc_ci(state).arg("reap").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            let janitors: Vec<_> = self.states.iter().map(|state| reap(state).unwrap()).collect();
            for janitor in janitors {
                let reaped = janitor.wait_with_output().unwrap();
                let said = String::from_utf8_lossy(&reaped.stdout).into_owned();
                assert!(reaped.status.success(), "{said}{}", String::from_utf8_lossy(&reaped.stderr));
                assert!(!again || said.starts_with("nothing to reap"), "the second time something was left: {said}");
            }
        }
        self.untouched(scene);
    }

    fn untouched(self, scene: &Scene) {
        let after = objects(&scene.engine);
        let left: Vec<&String> = after.difference(&self.before).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        let gone: Vec<&String> = self.before.difference(&after).collect();
        assert!(gone.is_empty(), "foreign objects are gone: {gone:?}");
        let ledger = ["config", "inspect", "--format", "{{json .Spec.Labels}}", LEDGER];
        let ledger = String::from_utf8(scene.engine.docker(&ledger).stdout).unwrap();
        assert!(!ledger.contains("cc-ci.held."), "somebody holds a slot for ever: {ledger}");
        for state in &self.states {
            assert_eq!(secret_folders(state), Vec::<PathBuf>::new());
        }
        assert_eq!(orphans(&scene.keepers()), Vec::new(), "processes are left");
        assert_eq!(left_in_temporary(&self.temporary), Vec::<String>::new(), "temporary files are left");
        let (most, looks) = self.observer.end();
        assert!(most <= self.cap, "{most} runs were live at once, and {} may be", self.cap);
        assert!(looks > 0, "the observer saw nothing");
        println!("at most {most} live at once, by {looks} looks; {:.0?} with the reaping", self.since.elapsed());
    }
}

/// What of a run's folders may hold secrets and is still there.
fn secret_folders(state: &Path) -> Vec<PathBuf> {
    let runs = std::fs::read_dir(state.join("runs")).into_iter().flatten();
    let private =
        runs.flat_map(|run| ["abra", "work", "deps.json"].map(|name| run.as_ref().unwrap().path().join(name)));
    private.filter(|path| path.exists()).collect()
}

/// What has a name of cc-ci's in the folder for temporary files: a browser's home is there.
fn temporary() -> BTreeSet<String> {
    let names =
        std::fs::read_dir("/tmp").unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let is_ours = |name: &String| name.starts_with("cc-ci-") || name.starts_with("abra-lite-");
    names.filter(|name| is_ours(name) && !name.starts_with("cc-ci-faults-")).collect()
}

/// What is there and was not before. Other tests on this machine have browsers too: a home that a live process holds is
/// theirs, since no run of this suite lives any more.
fn left_in_temporary(before: &BTreeSet<String>) -> Vec<String> {
    let is_held = |name: &str| {
        let try_it = Command::new("flock").args(["--nonblock", &format!("/tmp/{name}"), "true"]).output().unwrap();
        !try_it.status.success()
    };
    temporary().difference(before).filter(|name| !is_held(name)).cloned().collect()
}

/// All processes below one, each with its words; those of the suite's own engines left out.
pub(crate) fn processes_below(root: u32, engines: &[u32]) -> Vec<(u32, String)> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let Some(pid) = entry.unwrap().file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // After the name, which is in brackets: state, parent.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let mut words = rest.split(' ');
        let (state, parent) = (words.next(), words.next().and_then(|word| word.parse().ok()));
        if let (Some("R" | "S" | "D" | "T" | "t"), Some(parent)) = (state, parent) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut found, mut next) = (Vec::new(), vec![root]);
    while let Some(pid) = next.pop() {
        for child in children.get(&pid).into_iter().flatten().filter(|child| !engines.contains(child)) {
            let words = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            found.push((*child, String::from_utf8_lossy(&words).replace('\0', " ")));
            next.push(*child);
        }
    }
    found
}

/// The processes that runs have left. This one inherits them when a runner is gone.
fn orphans(engines: &[u32]) -> Vec<(u32, String)> {
    // The kernel gets to what was killed a moment later.
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let found = processes_below(std::process::id(), engines);
        if found.is_empty() || Instant::now() > until {
            return found;
        }
        std::thread::yield_now();
    }
}

/// Asserts that a run that nobody killed ended in a way that is true: what it must be, one of `allowed`.
pub(crate) fn honest(said: &Said, allowed: &[Exit]) {
    let Verdict { line, .. } = said.verdict();
    let code = u8::try_from(said.code).unwrap_or(u8::MAX);
    assert!(
        allowed.iter().any(|exit| exit.code() == code),
        "exit {code} is not among {allowed:?}: {line} {}",
        said.stderr
    );
    let clean = said.outcome(Stage::Teardown) == Some(Outcome::Passed);
    assert!(code != 0 || clean, "green, and not torn down: {line}");
}

/// Counts the runs whose containers run, as long as it lives.
struct Observer {
    stop: Arc<AtomicBool>,
    most: Arc<AtomicUsize>,
    looks: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Observer {
    fn start(engine: &Engine) -> Self {
        let (stop, most, looks) =
            (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let seen = (Arc::clone(&stop), Arc::clone(&most), Arc::clone(&looks));
        let host = engine.host();
        let thread = std::thread::spawn(move || {
            let (stop, most, looks) = seen;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let docker = bollard::Docker::connect_with_host(&host).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    // An engine that is away has nothing that lives, and one that starts says so in a moment.
                    if let Ok(running) = docker.list_containers(None).await {
                        let labels = running.into_iter().filter_map(|one| one.labels);
                        let stacks = labels.filter_map(|mut labels| labels.remove("com.docker.stack.namespace"));
                        let runs: BTreeSet<String> = stacks.filter(|stack| stack.starts_with("custom-html")).collect();
                        most.fetch_max(runs.len(), Ordering::Relaxed);
                        looks.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(Duration::from_millis(40)).await;
                }
            });
        });
        Self { stop, most, looks, thread: Some(thread) }
    }

    /// The most runs that were live at once, and how often it looked.
    fn end(mut self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        (self.most.load(Ordering::Relaxed), self.looks.load(Ordering::Relaxed))
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
