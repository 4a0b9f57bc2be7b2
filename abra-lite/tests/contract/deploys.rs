//! Deploying, waiting, and taking away.

use super::world::{World, compose, git, image, image_with_shell, is_lite, tiny};

#[test]
fn a_deploy_labels_the_service_converges_and_writes_the_version() {
    let world = World::made("deploy", &tiny());
    world.deploy(&[]).fine();
    assert_eq!(world.label("recipe"), "tiny");
    assert_eq!(world.label("version"), "1.1.0+1");
    assert_eq!(world.label("chaos"), "false");
    assert!(world.env().contains("TYPE=tiny:1.1.0+1\n"));
    let ps = world.abra(&["app", "ps", &world.domain, "-m"]).fine().json();
    assert_eq!(ps["app"]["state"], "running", "{ps}");
    let list = world.abra(&["app", "ls", "-S", "-m"]).fine().json();
    assert_eq!(list["default"]["apps"][0]["status"], "deployed", "{list}");
    world.deploy(&[]).fatal("already deployed");
    // The whole env file is in the environment of app, and the config has its version in its name.
    let shown = world.inside(&["/bin/busybox", "env"]).fine().stdout;
    assert!(shown.contains("LETS_ENCRYPT_ENV=production"), "{shown}");
    assert!(world.docker(&["config", "ls", "--format", "{{.Name}}"]).contains(&format!("{}_greeting_v1", world.stack)));
}

#[test]
fn chaos_deploys_the_checkout_as_it_is_and_says_which() {
    let world = World::made("chaos", &tiny());
    world.deploy(&["-c"]).fine();
    git(&world.recipe(), &["checkout", "--quiet", "--force", "1.0.0+1"]);
    world.deploy(&["-C", "-f", "-c"]).fine();
    let head = git(&world.recipe(), &["rev-parse", "HEAD"]);
    assert_eq!(world.label("chaos-version"), head[..8]);
    assert_eq!(world.label("chaos"), "true");
}

#[test]
fn a_release_is_upgraded_to_the_newest() {
    let world = World::with(
        "upgrade",
        &tiny()
            .replace("compose.yml", "version=1.1.0+1", "version=1.2.0+1")
            .unwrap()
            .commit("Third")
            .tag_annotated("1.2.0+1", "x")
            .branch("main"),
    );
    world.new_app(&["1.1.0+1"]).fine();
    world.abra(&["app", "secret", "generate", &world.domain, "--all", "-m", "-C", "-o", "-n"]).fine();
    world.abra(&["app", "upgrade", &world.domain, "-n", "-o", "--no-domain-checks"]).fatal("not deployed");
    world.deploy(&["-c"]).fine();
    world.abra(&["app", "upgrade", &world.domain, "-n", "-o", "-c", "--no-domain-checks"]).fine();
    assert_eq!(world.label("version"), "1.2.0+1");
    world.abra(&["app", "upgrade", &world.domain, "-n", "-o", "-c", "--no-domain-checks"]).fatal("latest");
}

#[test]
fn the_timeout_label_ends_the_wait() {
    let never = compose().replace("\"true\"]", "\"sleep\", \"60\"]").replace("${TIMEOUT:-30}", "2");
    let world = World::made("timeout", &tiny().files([("compose.yml", never)]).commit("Never").branch("main"));
    git(&world.recipe(), &["checkout", "--quiet", "main"]);
    world.deploy(&["-C"]).fatal("deploy timed out");
}

#[test]
fn a_config_that_changed_without_a_new_version_stops_a_deploy() {
    let world = World::made("config", &tiny());
    world.deploy(&["-C", "-c"]).fine();
    std::fs::write(world.recipe().join("greeting.txt"), "good day\n").unwrap();
    let said = world.deploy(&["-C", "-f", "-c"]);
    assert!(said.all.contains("only updates to Labels are allowed"), "{}", said.all);
    said.fatal("");
}

#[test]
fn compose_files_are_stacked_and_checked() {
    let more = "version: \"3.8\"\nservices:\n  app:\n    environment: [MORE=\"$DOMAIN\"]\n  side: { image: 'IMAGE', command: [tail, -f, /dev/null], networks: [internal], deploy: { endpoint_mode: dnsrr } }\n";
    let world = World::made(
        "stack",
        &tiny().files([("compose.more.yml", more.replace("IMAGE", &image()))]).commit("More").branch("main"),
    );
    git(&world.recipe(), &["checkout", "--quiet", "main"]);
    let env = format!("{}COMPOSE_FILE=\"compose.yml:compose.more.yml\"\n", world.env());
    std::fs::write(world.env_file(), env).unwrap();
    world.deploy(&["-C", "-c"]).fine();
    let services = world.docker(&["stack", "services", &world.stack, "--format", "{{.Name}}"]);
    assert!(services.contains("_side") && services.contains("_app"), "{services}");
    std::fs::write(world.recipe().join("compose.more.yml"), "services:\n  app:\n    imag: x\n").unwrap();
    world.deploy(&["-C", "-f", "-c"]).fatal("");
}

#[test]
fn an_apps_settings_choose_no_program_and_no_engine() {
    let world = World::made("settings", &tiny());
    let env = format!("{}PATH=.\nLD_PRELOAD=./none.so\nDOCKER_HOST=tcp://127.0.0.1:1\nHOME=.\n", world.env());
    std::fs::write(world.env_file(), env).unwrap();
    let called = world.recipe().join("called");
    std::fs::write(world.recipe().join("docker"), format!("#!/bin/sh\necho > {}\n", called.display())).unwrap();
    let chmod = std::process::Command::new("chmod").arg("+x").arg(world.recipe().join("docker")).status().unwrap();
    assert!(chmod.success());
    world.deploy(&["-C", "-c"]).fine();
    assert!(!called.exists());
}

#[test]
fn undeploy_keeps_data_and_remove_takes_it() {
    let world = World::made("remove", &tiny());
    world.deploy(&["-C"]).fine();
    world.abra(&["app", "remove", &world.domain, "-n"]).fatal("");
    world.abra(&["app", "undeploy", &world.domain, "-n"]).fine();
    assert_eq!(world.secrets(), format!("{}_password_v1", world.stack));
    assert!(
        world.abra(&["app", "volume", "ls", &world.domain]).fine().stdout.contains(&format!("{}_data", world.stack))
    );
    assert!(world.env_file().exists());
    world.abra(&["app", "undeploy", &world.domain, "-n"]).fatal("not deployed");
    world.abra(&["app", "remove", &world.domain, "-n"]).fine();
    assert!(!world.env_file().exists());
    assert_eq!(world.secrets(), "");
}

#[test]
fn commands_run_in_a_container_and_functions_of_abra_sh_here() {
    let world = World::made("run", &tiny());
    world.deploy(&["-C"]).fine();
    assert_eq!(world.inside(&["/bin/busybox", "cat", "/greeting"]).fine().stdout.trim(), "hello");
    assert_ne!(world.inside(&["/bin/busybox", "false"]).code, 0);
    let run = ["app", "run", &world.domain, "app", "--", "/bin/busybox", "cat", "/greeting"];
    assert!(world.on_a_terminal(&run).fine().all.contains("hello"));
    if is_lite() {
        world.abra(&run).fatal("not a TTY");
        world.otherwise("run-wants-terminal", &run).fine();
    }
    let here = world.abra(&["app", "cmd", "--local", &world.domain, "here", "you"]).fine();
    assert_eq!(here.stdout.trim(), "here you");
    assert_ne!(world.abra(&["app", "cmd", "--local", &world.domain, "nothing"]).code, 0);
}

#[test]
fn commands_of_the_env_file_run_after_the_wait() {
    // A function is run by a shell, which the testbed's small image has not.
    let (small, shell) = (image(), image_with_shell());
    let with_shell = [
        ("compose.yml", small.as_str(), shell.as_str()),
        ("compose.yml", "\"/bin/busybox\", \"true\"", "\"true\""),
        ("abra.sh", "/bin/busybox echo", "echo"),
    ];
    let with_shell =
        with_shell.into_iter().fold(tiny(), |builder, (file, old, new)| builder.replace(file, old, new).unwrap());
    let world = World::made("post", &with_shell.commit("A shell").branch("main"));
    git(&world.recipe(), &["checkout", "--quiet", "main"]);
    let env = format!("{}POST_DEPLOY_CMDS=\"app greet one|app greet two\"\n", world.env());
    std::fs::write(world.env_file(), env).unwrap();
    let words = |more: &[&'static str]| {
        let deploy = ["app", "deploy", &world.domain, "-n", "-o", "--no-domain-checks", "-C", "-f"];
        deploy.into_iter().chain(more.iter().copied()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (waits, does_not) = (words(&[]), words(&["-c"]));
    let [waits, does_not] = [&waits, &does_not].map(|words| words.iter().map(String::as_str).collect::<Vec<_>>());
    let said = world.on_a_terminal(&waits).fine().all;
    assert!(said.contains("hello one") && said.contains("hello two"), "{said}");
    if is_lite() {
        world.abra(&waits).fatal("not a TTY");
        assert!(world.otherwise("post-commands-want-terminal", &waits).fine().all.contains("hello two"));
        assert!(!world.on_a_terminal(&does_not).fine().all.contains("hello"));
        let both = "post-commands-after-wait,post-commands-want-terminal";
        assert!(world.otherwise(both, &does_not).fine().all.contains("hello two"));
    }
}

#[test]
fn a_service_whose_name_begins_as_anothers_is_ambiguous_to_run() {
    let more = "version: \"3.8\"\nservices:\n  app2: { image: 'IMAGE', command: [tail, -f, /dev/null], networks: [internal], deploy: { endpoint_mode: dnsrr } }\n";
    let world = World::made(
        "prefix",
        &tiny().files([("compose.more.yml", more.replace("IMAGE", &image()))]).commit("More").branch("main"),
    );
    git(&world.recipe(), &["checkout", "--quiet", "main"]);
    let env = format!("{}COMPOSE_FILE=\"compose.yml:compose.more.yml\"\n", world.env());
    std::fs::write(world.env_file(), env).unwrap();
    world.deploy(&["-C"]).fine();
    if is_lite() {
        world.inside(&["/bin/busybox", "true"]).fatal("several containers");
        let run = ["app", "run", "-t", &world.domain, "app", "--", "/bin/busybox", "true"];
        world.otherwise("run-goes-by-prefix", &run).fine();
    }
}
