//! The swarm that the suite has to itself, with a world of its own, and what a fault begins with.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::engine::Engine;
use super::judge::Judge;
use super::support::{cc_ci, copies};

/// What recipe and world are made from.
const IMAGES: [&str; 6] = [
    "testbed.invalid/nginx:1.22.1",
    "testbed.invalid/nginx:1.22.1-2",
    "testbed.invalid/nginx:1.22.1-3",
    "testbed.invalid/traefik:3.7.15",
    "testbed.invalid/backup-bot:1",
    "testbed.invalid/busybox:1",
];

/// What all faults share. One at a time has it, so that what is there before is what has to be there after.
pub(crate) struct Scene {
    pub(crate) engine: Engine,
    pub(crate) folder: PathBuf,
    /// The state folder that made the world.
    pub(crate) world: PathBuf,
}

/// The scene, made by the first who asks.
pub(crate) fn scene() -> MutexGuard<'static, Scene> {
    static SCENE: OnceLock<Mutex<Scene>> = OnceLock::new();
    SCENE.get_or_init(|| Mutex::new(Scene::make())).lock().unwrap_or_else(PoisonError::into_inner)
}

/// The seed of everything that is left to chance: `CCCI_FAULT_SEED`, as `./dev faults --seed` sets it.
pub(crate) fn seed() -> u64 {
    std::env::var("CCCI_FAULT_SEED").map_or(1, |seed| seed.parse().expect("a number"))
}

/// How often each fault is tried: `CCCI_FAULT_ROUNDS`; none for the short form.
pub(crate) fn rounds() -> Option<u64> {
    std::env::var("CCCI_FAULT_ROUNDS").ok().map(|rounds| rounds.parse().expect("a number"))
}

/// Chance for one round of one fault. The same words give the same moments.
pub(crate) fn chance(fault: &str, round: u64) -> StdRng {
    let words = fault.bytes().fold(seed(), |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    StdRng::seed_from_u64(words.wrapping_mul(1_000_003).wrapping_add(round))
}

impl Scene {
    fn make() -> Self {
        // Whatever a killed runner leaves comes to this process, where the judge finds it.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
        // Not below a memory disk: docker keeps its data there.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{}", std::process::id()));
        let mut engine = Engine::new(&folder, 1);
        engine.on();
        engine.load(&IMAGES);
        engine.lines(&["swarm", "init", "--advertise-addr", &engine.address().to_string()]);
        let scene = Self { engine, world: folder.join("state"), folder };
        scene.settled();
        super::judge::plant(&scene.engine);
        scene
    }

    /// The processes that keep the engines.
    pub(crate) fn keepers(&self) -> Vec<u32> {
        vec![self.engine.keeper()]
    }

    /// Waits until the world is whole again, after the engine was away.
    pub(crate) fn settled(&self) {
        self.engine.until_it_answers();
        let up = self.cc_ci(&self.world).arg("up").output().unwrap();
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    }

    /// A state folder, as one host has it.
    pub(crate) fn state(&self) -> tempfile::TempDir {
        let dir = tempfile::tempdir_in(&self.folder).unwrap();
        let copied = Command::new("cp").arg("-a").arg(self.world.join("world")).arg(dir.path()).status().unwrap();
        assert!(copied.success());
        dir
    }

    /// The program on this swarm, with its real slots.
    pub(crate) fn cc_ci(&self, state: &Path) -> Command {
        let mut command = cc_ci(state);
        command
            .env("DOCKER_HOST", self.engine.host())
            .env("CCCI_ADDRESS", self.engine.address().to_string())
            .env("CCCI_TRAEFIK_IMAGE", IMAGES[3])
            .env("CCCI_BOT_IMAGE", IMAGES[4])
            .env_remove("CCCI_SLOTS")
            .env("MAX_TESTS", "2");
        command
    }

    /// A run of one part of a pull request of a repository that [`copies`] made.
    pub(crate) fn run(&self, state: &Path, source: &Path, branch: &str, only: &str) -> Command {
        let mut command = self.cc_ci(state);
        command.args(["run", "custom-html", "--json", "--only", only, "--ref", branch, "--source"]).arg(source);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Begins a fault: states of so many hosts, heads that nobody has tested, and a judge who looks on.
    pub(crate) fn begin(&self, hosts: usize, heads: usize) -> (Judge, Vec<tempfile::TempDir>, tempfile::TempDir) {
        let states: Vec<tempfile::TempDir> = (0..hosts).map(|_| self.state()).collect();
        let paths = states.iter().map(|state| state.path().to_owned()).collect();
        (Judge::new(self, paths, 2), states, copies(heads))
    }
}
