//! Recipes, env files, lint: what needs no swarm.

use testbed::repos::Builder;

use super::world::{SAMPLE, World, compose, git, image, is_lite, tiny};

#[test]
fn the_local_server_is_called_default() {
    let world = World::with("server", &tiny());
    let list = world.abra(&["server", "ls", "-m"]).fine().json();
    assert!(list.as_array().unwrap().iter().any(|server| server["name"] == "default"), "{list}");
}

#[test]
fn a_new_app_moves_the_checkout_to_the_newest_release_and_copies_the_sample() {
    let world = World::with("new", &tiny());
    world.new_app(&[]).fine();
    let env = world.env();
    assert!(env.contains(&format!("DOMAIN={}\n", world.domain)), "{env}");
    assert!(env.contains("TYPE=tiny:1.1.0+1\n") && env.contains("# TIMEOUT=30\n"), "{env}");
    assert!(env.contains("# length=40 charset=hex"), "hints stay: {env}");
    assert_eq!(git(&world.recipe(), &["describe", "--tags"]), "1.1.0+1");
    world.new_app(&[]).fatal("already exists");
}

#[test]
fn a_new_app_in_chaos_leaves_the_checkout_alone() {
    let world = World::with("newchaos", &tiny());
    git(&world.recipe(), &["checkout", "--quiet", "1.0.0+1"]);
    world.new_app(&["-C"]).fine();
    assert_eq!(git(&world.recipe(), &["describe", "--tags"]), "1.0.0+1");
}

#[test]
fn lint_exits_with_0_even_when_a_rule_is_red_and_dies_without_a_sample() {
    let image = image();
    let latest = format!("{}:latest", image.rsplit_once(':').unwrap().0);
    let red = tiny().replace("compose.yml", &image, &latest).unwrap().commit("Latest").branch("main");
    let world = World::with("lint", &red);
    let lint = ["recipe", "lint", "tiny", "-C", "-o", "-n"];
    world.abra(&lint).fatal("inappropriate ioctl");
    let table = world.on_a_terminal(&lint).fine().stdout;
    let rows = coopcloud::abra::parse_lint(&table);
    let row = |reference: &str| rows.iter().find(|row| row.reference == reference).unwrap_or_else(|| panic!("{table}"));
    assert!(!row("R004").satisfied && row("R009").satisfied && row("R014").satisfied, "{table}");
    assert_eq!(row("R014").severity, "error", "the one that was seen to stop a deploy");

    std::fs::remove_file(world.recipe().join(".env.sample")).unwrap();
    world.on_a_terminal(&lint).fatal(".env.sample");
}

#[test]
fn versions_are_listed_with_a_row_a_service() {
    let world = World::with("versions", &tiny());
    let list = world.abra(&["recipe", "versions", "tiny", "-m"]).fine().json();
    let row =
        |version: &str| list.as_array().unwrap().iter().any(|row| row["version"] == version && row["service"] == "app");
    assert!(row("1.0.0+1") && row("1.1.0+1"), "{list}");
}

#[test]
fn check_names_the_keys_that_the_env_file_lacks() {
    let world = World::with("check", &tiny());
    world.new_app(&[]).fine();
    let without: String =
        world.env().lines().filter(|line| !line.starts_with("LETS")).map(|line| format!("{line}\n")).collect();
    std::fs::write(world.env_file(), without).unwrap();
    let table = world.abra(&["app", "check", &world.domain]).fine().stdout;
    let line = |key: &str| table.lines().find(|line| line.contains(key)).unwrap().to_owned();
    assert!(line("LETS_ENCRYPT_ENV").contains('❌') && line("DOMAIN").contains('✅'), "{table}");
}

#[test]
fn what_is_not_there_is_fatal() {
    let world = World::with("nothing", &tiny());
    world.deploy(&[]).fatal("");
    world.abra(&["app", "new", "no-such-recipe", "--server=default", "--domain=a.b", "-n", "-o"]).fatal("");
    world.abra(&["app", "secret", "ls", "no.such.app"]).fatal("");
}

#[test]
fn a_lightweight_tag_stops_a_deploy_and_chaos_goes_on() {
    let light = Builder::new()
        .files([
            ("compose.yml", compose().as_str()),
            (".env.sample", SAMPLE),
            ("abra.sh", "export GREETING_VERSION=v1\n"),
            ("greeting.txt", "x\n"),
        ])
        .commit("First")
        .tag_lightweight("1.1.0+1")
        .branch("main");
    let world = World::made("light", &light);
    world.deploy(&["-c"]).fatal("R014");
    world.deploy(&["-c", "-C"]).fine();
}

#[test]
fn a_checkout_that_was_changed_by_hand_stops_a_deploy_and_marks_chaos() {
    let world = World::made("dirty", &tiny());
    std::fs::write(world.recipe().join("more.txt"), "x").unwrap();
    world.deploy(&["-c"]).fatal("unstaged");
    world.deploy(&["-c", "-C"]).fine();
    let head = git(&world.recipe(), &["rev-parse", "HEAD"]);
    assert_eq!(world.label("chaos-version"), format!("{}+U", &head[..8]));
}

#[test]
fn secrets_and_checks_of_a_changed_checkout_need_chaos() {
    let world = World::with("unclean", &tiny());
    world.new_app(&[]).fine();
    std::fs::write(world.recipe().join("more.txt"), "x").unwrap();
    let list = ["app", "secret", "ls", &world.domain, "-m"];
    world.abra(&[&list[..], &["-C"]].concat()).fine();
    if is_lite() {
        for words in [&list[..], &["app", "check", &world.domain]] {
            world.abra(words).fatal("unstaged");
            world.otherwise("clean-tree-for-all", words).fine();
        }
    }
}

#[test]
fn files_are_held_to_the_schema_before_variables_are_filled_in() {
    let by_variable = |old: &str, new: &str| tiny().replace("compose.yml", old, new).unwrap().commit("By variable");
    let duration = by_variable("interval: 1s", "interval: \"${EVERY:-1s}\"");
    let world = World::made("schema", &duration.branch("main"));
    git(&world.recipe(), &["checkout", "--quiet", "main"]);
    world.deploy(&["-C", "-c"]).fatal("duration");
    if is_lite() {
        let number = by_variable("retries: 3", "retries: \"${TRIES:-3}\"");
        let world = World::made("number", &number.branch("main"));
        git(&world.recipe(), &["checkout", "--quiet", "main"]);
        world.deploy(&["-C", "-c"]).fatal("integer");
        let deploy = ["app", "deploy", &world.domain, "-n", "-o", "-C", "-c", "--no-domain-checks"];
        world.otherwise("schema-first-for-numbers", &deploy).fine();
    }
}

#[test]
fn exports_count_by_a_pattern() {
    let world = World::made("exports", &tiny());
    let greeting = |text: &str| std::fs::write(world.recipe().join("abra.sh"), text).unwrap();
    let configs = || world.docker(&["config", "ls", "--format", "{{.Name}}"]);
    greeting("export GREETING_VERSION=v1.2\n");
    world.deploy(&["-C", "-c"]).fine();
    assert!(configs().contains(&format!("{}_greeting_v1.2", world.stack)));
    if is_lite() {
        let deploy = ["app", "deploy", &world.domain, "-n", "-o", "-C", "-f", "-c", "--no-domain-checks"];
        greeting("export GREETING_VERSION=v3 OTHER=v4\n");
        world.abra(&deploy).fatal("couldn't parse");
        world.otherwise("exports-by-pattern", &deploy).fine();
        assert!(configs().contains(&format!("{}_greeting_v3", world.stack)));
        greeting("export GREETING_VERSION=\"v5\"\n");
        // A quoted one is left out, and the config's name then ends in nothing.
        world.abra(&deploy).fatal("deploy failed");
        world.otherwise("exports-by-pattern", &deploy).fine();
        assert!(configs().contains(&format!("{}_greeting_v5", world.stack)));
    }
}

#[test]
fn the_catalogue_has_to_be_there() {
    let world = World::with("catalogue", &tiny());
    std::fs::remove_dir_all(world.recipe().join("../../catalogue")).unwrap();
    if is_lite() {
        world.new_app(&[]).fatal("unable to clone");
        let domain = format!("--domain={}", world.domain);
        let new = ["app", "new", "tiny", "--server=default", &domain, "-n", "-o"];
        world.otherwise("catalogue-wanted", &new).fine();
    }
}

#[test]
fn a_new_app_takes_no_version_in_chaos() {
    let world = World::with("newversion", &tiny());
    if is_lite() {
        world.new_app(&["1.0.0+1", "-C"]).fatal("together");
        let domain = format!("--domain={}", world.domain);
        let new = ["app", "new", "tiny", "1.0.0+1", "--server=default", &domain, "-n", "-o", "-C"];
        world.otherwise("new-takes-no-version-in-chaos", &new).fine();
    }
}
