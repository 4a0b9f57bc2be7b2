//! The backup bot's own tests, which are Python as it is.

#[test]
fn the_backup_bot_stays_in_the_volumes_of_the_app() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tests = root.join("docker/backup-bot/test_backup.py");
    let ended = std::process::Command::new("python3").arg(tests).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
