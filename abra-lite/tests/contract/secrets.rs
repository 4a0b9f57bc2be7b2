//! Secrets: by length and charset, by hand, and missing.

use super::world::{SAMPLE, World, is_lite, tiny};

#[test]
fn secrets_are_generated_once_by_length_and_charset() {
    let world = World::with("secrets", &tiny());
    world.new_app(&[]).fine();
    let generate = ["app", "secret", "generate", &world.domain, "--all", "-m", "-C", "-o", "-n"];
    let first = world.abra(&generate).fine();
    let value = &coopcloud::abra::generated_values(&first.stdout)[0];
    assert!(value.len() == 40 && value.bytes().all(|b| b.is_ascii_hexdigit()), "{value}");
    assert_eq!(world.secrets(), format!("{}_password_v1", world.stack));
    let again = world.abra(&generate);
    assert!(coopcloud::abra::generated_values(&again.stdout).is_empty(), "what is there is left alone");
    if is_lite() {
        again.fatal("no secrets generated");
        let fine = world.otherwise("generate-nothing-fails", &generate).fine();
        assert!(coopcloud::abra::generated_values(&fine.stdout).is_empty());
    }
    let list = world.abra(&["app", "secret", "ls", &world.domain, "-m"]).fine().json();
    assert_eq!(list[0]["name"], "password");
    world.abra(&["app", "secret", "rm", &world.domain, "--all", "-n"]).fine();
    assert_eq!(world.secrets(), "");
}

#[test]
fn a_value_is_inserted_from_a_file_and_only_once() {
    let world = World::with("insert", &tiny());
    world.new_app(&[]).fine();
    let file = world.recipe().join("../value");
    std::fs::write(&file, "from a file").unwrap();
    let insert = || {
        world.abra(&[
            "app",
            "secret",
            "insert",
            &world.domain,
            "password",
            "v1",
            file.to_str().unwrap(),
            "-f",
            "-C",
            "-o",
            "-n",
        ])
    };
    insert().fine();
    insert().fatal("already exists");
    world.deploy(&["-C"]).fine();
    let read = world.inside(&["/bin/busybox", "cat", "/run/secrets/password"]);
    assert_eq!(read.fine().stdout.trim(), "from a file");
}

#[test]
fn a_deploy_names_the_secret_that_is_missing() {
    let world = World::with("missing", &tiny());
    world.new_app(&[]).fine();
    world.deploy(&["-C", "-c"]).fatal("secret not generated: password");
}

#[test]
fn a_secret_by_hand_is_never_generated_and_named_when_it_is_missing() {
    let by_hand = SAMPLE.replace("# length=40 charset=hex", "# generate=false");
    let world = World::with("byhand", &tiny().files([(".env.sample", by_hand)]).commit("By hand").branch("main"));
    world.new_app(&["-C"]).fine();
    // Whether this is a failure is not sure.
    world.abra(&["app", "secret", "generate", &world.domain, "--all", "-m", "-C", "-o", "-n"]);
    assert_eq!(world.secrets(), "");
    world.deploy(&["-C", "-c"]).fatal("secret not inserted (#generate=false): password");
}
