//! Backup and restore through the bot of the world.

use super::world::{World, tiny};

#[test]
fn a_backup_is_made_listed_and_restored() {
    let world = World::made("backup", &tiny());
    world.deploy(&["-C"]).fine();
    let inside =
        |script: &str| world.abra(&["app", "run", &world.domain, "app", "--", "/bin/busybox", "sh", "-c", script]);
    inside("echo precious > /data/file").fine();
    world.abra(&["app", "backup", "create", &world.domain, "-C", "-o", "-n"]).fine();
    let list = world.abra(&["app", "backup", "list", &world.domain, "-C", "-o", "-n"]).fine();
    assert!(list.all.contains(&format!("{}_data/_data/file", world.stack)), "{}", list.all);
    assert!(world.abra(&["app", "backup", "snapshots", &world.domain]).fine().all.contains(&world.stack));
    inside("/bin/busybox rm /data/file").fine();
    assert_ne!(inside("/bin/busybox cat /data/file").code, 0);
    world.abra(&["app", "restore", &world.domain, "-C", "-o", "-n"]).fine();
    assert_eq!(inside("/bin/busybox cat /data/file").fine().stdout.trim(), "precious");
}

#[test]
fn an_app_without_a_label_cannot_be_backed_up() {
    let without = tiny().replace("compose.yml", "backupbot.backup=true", "backupbot.backup=false").unwrap();
    let world = World::made("nobackup", &without.commit("No backup").branch("main"));
    super::world::git(&world.recipe(), &["checkout", "--quiet", "main"]);
    world.deploy(&["-C"]).fine();
    assert_ne!(world.abra(&["app", "backup", "create", &world.domain, "-C", "-o", "-n"]).code, 0);
}
