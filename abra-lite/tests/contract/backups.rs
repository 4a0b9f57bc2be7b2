//! Backup and restore through the bot of the world.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::world::{World, is_lite, tiny};

/// Keeps the runs on this swarm from forgetting snapshots, for which restic locks out every other process. Each run holds
/// the same lock during its backup (`TURNS` in `runner/host/src/repository.rs`); abra does not know it.
struct BesideBackups(Child);

impl BesideBackups {
    /// The bot of the world has to run on this node.
    fn hold() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let bot = runtime.block_on(async { swarm::Swarm::connect().await.unwrap().bot_container().await.unwrap() });
        let lock = ["flock", "-s", "/tmp/cc-ci.lock", "sh", "-c", "echo held; cat >/dev/null"];
        let mut child = Command::new("docker")
            .args(["exec", "-i", &bot.unwrap()])
            .args(lock)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "held\n");
        Self(child)
    }
}

impl Drop for BesideBackups {
    fn drop(&mut self) {
        // The end of its input ends what holds the lock.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn a_backup_is_made_listed_and_restored() {
    let _beside = BesideBackups::hold();
    let world = World::made("backup", &tiny());
    world.deploy(&["-C"]).fine();
    let inside = |script: &str| world.inside(&["/bin/busybox", "sh", "-c", script]);
    inside("echo precious > /data/file").fine();
    let no_terminal = ["app", "backup", "create", &world.domain, "-C", "-o", "-n"];
    world.abra(&no_terminal).fatal("not a TTY");
    world.on_a_terminal(&no_terminal).fine();
    let list = ["app", "backup", "list", &world.domain, "-C", "-o", "-n"];
    let file = format!("{}_data/_data/file", world.stack);
    let all = world.on_a_terminal(&[&list[..], &["--all"]].concat()).fine().all;
    assert!(all.contains(&file), "{all}");
    if is_lite() {
        let short = world.on_a_terminal(&list).fine().all;
        assert!(short.contains(&format!("/{}_data\n", world.stack)) && !short.contains(&file), "{short}");
        let long = world.otherwise_on_a_terminal("backup-list-is-short", &list).fine().all;
        assert!(long.contains(&file), "{long}");
    }
    let snapshots = world.on_a_terminal(&["app", "backup", "snapshots", &world.domain]).fine().all;
    assert!(snapshots.contains(&world.stack), "{snapshots}");
    inside("/bin/busybox rm /data/file").fine();
    assert_ne!(inside("/bin/busybox cat /data/file").code, 0);
    world.on_a_terminal(&["app", "restore", &world.domain, "-C", "-o", "-n"]).fine();
    assert_eq!(inside("/bin/busybox cat /data/file").fine().stdout.trim(), "precious");
}

#[test]
fn an_app_without_a_label_cannot_be_backed_up() {
    let without = tiny().replace("compose.yml", "backupbot.backup=true", "backupbot.backup=false").unwrap();
    let _beside = BesideBackups::hold();
    let world = World::made("nobackup", &without.commit("No backup").branch("main"));
    super::world::git(&world.recipe(), &["checkout", "--quiet", "main"]);
    world.deploy(&["-C"]).fine();
    assert_ne!(world.on_a_terminal(&["app", "backup", "create", &world.domain, "-C", "-o", "-n"]).code, 0);
}

#[test]
fn a_long_domain_is_cut_for_the_swarm_and_not_for_the_bot() {
    let _beside = BesideBackups::hold();
    let world = World::made("a-name-that-is-longer-than-a-stack-may-be", &tiny());
    assert!(world.domain.len() > 45 && world.stack.len() == 45);
    world.deploy(&["-C"]).fine();
    let create = ["app", "backup", "create", &world.domain, "-C", "-o", "-n"];
    assert_ne!(world.on_a_terminal(&create).code, 0, "the bot knows no stack with the whole name");
    if is_lite() {
        world.otherwise_on_a_terminal("bot-goes-by-domain", &create).fine();
    }
}
