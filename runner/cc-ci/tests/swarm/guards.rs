//! A node that is full, images that go, apps that are killed for memory, and what a run says that it held.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use base::failure::{Cause, Kind};
use base::names::RunId;
use bollard::models::ContainerCreateBody;
use host::guard::{ImageIndex, Reserves, Until, ensure, prune};
use journal::event::{Event, Outcome, Stage, Used};
use journal::run_dir::RunDir;
use swarm::{RegistryLogins, Swarm};

use super::made::Made;
use super::registry::registry;
use super::support::{Said, cc_ci, left, own_state, repositories};

/// Runs custom-html with arguments of its own, up to its verdict.
fn run_with(state: &Path, pull: &str, more: &[&str]) -> Said {
    let source = repositories().join("custom-html");
    let words = ["run", "custom-html", "--source", source.to_str().unwrap(), "--pr", pull, "--json"];
    Said::of(cc_ci(state).args(words).args(more).output().unwrap())
}

#[test]
fn a_node_with_too_little_disk_is_refused_before_anything_is_made() {
    let state = own_state();
    let said = run_with(state.path(), "1", &["--reserve-disk", "4000000000"]);
    assert_eq!(said.decided(), "node-full", "{}", said.stderr);
    let fault = &said.verdict().decided_by.as_ref().unwrap().fault;
    assert_eq!(fault.cause, Cause::Infrastructure);
    let what = &fault.failure.what;
    assert!(what.contains("GiB free of 3906250.0 GiB required") && what.contains("docker's data folder"), "{what}");
    assert!(fault.failure.look_at.contains("docker system df"), "{}", fault.failure.look_at);
    assert_eq!(said.outcome(Stage::Prepare), Some(Outcome::Blocked));
    assert_eq!(said.outcome(Stage::Install), Some(Outcome::Blocked));
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

#[test]
fn memory_that_is_not_there_is_named_with_what_the_run_needs() {
    let said = run_with(own_state().path(), "2", &["--reserve-memory", "4000000000"]);
    assert_eq!(said.decided(), "node-full", "{}", said.stderr);
    let what = &said.verdict().decided_by.as_ref().unwrap().fault.failure.what;
    assert!(what.contains("of memory available of"), "{what}");
}

/// A small disk of its own, where the machine allows a mount.
#[test]
fn a_state_folder_that_is_nearly_full_is_told_from_dockers_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(dir.path()).status();
    let is_small = mounted.is_ok_and(|status| status.success());
    let world = own_state();
    assert!(Command::new("cp").arg("-a").arg(world.path().join("world")).arg(dir.path()).status().unwrap().success());
    let more: &[&str] = if is_small { &[] } else { &["--reserve-state", "4000000000"] };
    let said = run_with(dir.path(), "3", more);
    if is_small {
        assert!(Command::new("umount").arg(dir.path()).status().unwrap().success());
    }
    assert_eq!(said.decided(), "node-full", "{}", said.stderr);
    let what = &said.verdict().decided_by.as_ref().unwrap().fault.failure.what;
    assert!(
        what.starts_with(&format!(
            "there are not enough resources for a run: the state folder {}",
            dir.path().display()
        )),
        "{what}"
    );
}

/// A run of the unreleased custom-html with at most this much memory, started by these words, with one test.
fn run_limited(name: &str, limit: &str, entrypoint: Option<&str>, test: &str) -> Said {
    let dir = tempfile::tempdir().unwrap();
    let builder = testbed::repos::Source::load("custom-html-unreleased").unwrap().builder().unwrap();
    let limits = format!("    deploy:\n      resources:\n        limits:\n          memory: {limit}\n");
    let mut builder = builder.at("good/new-release").unwrap().replace("compose.yml", "    deploy:\n", &limits).unwrap();
    if let Some(words) = entrypoint {
        let with = format!("    entrypoint: {words}\n    volumes:\n");
        builder = builder.replace("compose.yml", "    volumes:\n", &with).unwrap();
    }
    let repository = dir.path().join(name);
    builder.commit("A limit").branch("limited").build(&repository).unwrap();
    let made = Made::new().recipe(name, repository.to_str().unwrap(), "").test(name, "functional/10-eats.sh", test);
    let said = made.run(own_state().path(), &["run", name, "--ref", "limited"]);
    assert_eq!(left(&said.stack()), Vec::<String>::new());
    said
}

const INSIDE: &str = r#"inside() { "$CCCI_EXEC" app -- "$@"; }
"#;

#[test]
fn an_app_that_needs_more_memory_than_its_limit_to_start_is_named_as_that() {
    let said = run_limited("greedy", "16M", Some(r#"["tail", "/dev/zero"]"#), "true");
    assert_eq!(said.decided(), "out-of-memory", "{}\n{}", said.verdict().line, said.stderr);
    let decision = said.verdict().decided_by.as_ref().unwrap();
    assert_eq!((decision.stage, decision.fault.cause), (Stage::Install, Cause::Recipe));
    let what = &decision.fault.failure.what;
    assert!(
        what.contains("exited 3 times and was OOM-killed, at its limit of 16 MiB"),
        "{what} {}",
        decision.fault.failure.detail
    );
}

#[test]
fn an_app_that_is_killed_for_memory_after_it_was_up_is_named_as_that() {
    let script =
        r#"["sh", "-c", "mkfifo /tmp/eat; nginx -g 'daemon off;' & read word </tmp/eat; exec tail /dev/zero"]"#;
    // The exec ends with its container, and so the test is red.
    let test = format!("{INSIDE}inside sh -c 'echo now >/tmp/eat; exec tail -f /dev/null'\n");
    let said = run_limited("greedy-later", "64M", Some(script), &test);
    assert_eq!(said.decided(), "out-of-memory", "{}\n{}", said.verdict().line, said.stderr);
    let decision = said.verdict().decided_by.as_ref().unwrap();
    assert_eq!(decision.stage, Stage::Functional);
    assert_eq!(decision.fault.failure.what, "service app was OOM-killed, at its limit of 64 MiB");
    assert!(decision.fault.failure.detail.contains("what the stage saw: functional/10-eats.sh"));
}

#[test]
fn an_app_that_loses_a_process_and_lives_on_is_told() {
    let test =
        format!("{INSIDE}if inside tail /dev/zero; then exit 1; fi\ninside curl -fsS http://127.0.0.1/healthz\n");
    let said = run_limited("greedy-part", "64M", None, &test);
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    let told = "service app lost a process to the OOM killer, at its limit of 64 MiB; the stage passed all the same";
    assert!(said.notes().contains(&told), "{:?}", said.notes());
}

fn used(said: &Said, wanted: Stage) -> Option<Used> {
    said.records.iter().find_map(|record| match &record.event {
        Event::StageEnded { stage, used, .. } if *stage == wanted => used.clone(),
        _ => None,
    })
}

#[test]
fn what_a_stage_held_is_told_and_a_weight_that_says_too_little_is_named() {
    // 48 MiB in a shell's variable, and 8 MiB on the app's volume.
    let held = "x=$(head -c 50331648 /dev/zero | tr '\\0' a); read word </tmp/end; echo ${#x}";
    let test = format!(
        "{INSIDE}inside sh -c 'mkfifo /tmp/end; head -c 8388608 /dev/urandom >/usr/share/nginx/html/big'\n\
         inside sh -c \"{}\" &\n{}\ninside sh -c 'echo now >/tmp/end'\nwait\n",
        held.replace('$', "\\$"),
        // Each answer takes one beat of the engine's figures.
        "docker stats --no-stream; ".repeat(3),
    );
    let made = Made::new().recipe("heavy", "custom-html-unreleased", "[weight]\nmemory_mib = 20\n");
    let made = made.test("heavy", "functional/10-holds.sh", &test);
    let state = own_state();
    let said = made.run(state.path(), &["run", "heavy", "--ref", "good/new-release"]);
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    let (install, functional) = (used(&said, Stage::Install).unwrap(), used(&said, Stage::Functional).unwrap());
    let mib = |bytes: Option<u64>| bytes.unwrap() >> 20;
    assert!((48..200).contains(&mib(functional.memory_peak)), "{functional:?}");
    assert!(mib(install.memory_peak) < 40, "{install:?}");
    assert!((8..40).contains(&(mib(functional.disk) - mib(install.disk))), "{install:?} {functional:?}");
    assert!(used(&said, Stage::Prepare).is_none());
    let note = said.notes().into_iter().find(|note| note.contains("[weight]")).expect("it is told");
    assert!(note.contains("heavy held") && note.contains("recipe.toml says 20"), "{note}");
    let recipe = "heavy".parse().unwrap();
    let peak = host::weight::measured(state.path(), &recipe)[0];
    assert!(peak >= mib(functional.memory_peak) && host::weight::mib(20, &[peak]) > peak);
    let lint = made.command(state.path(), &["lint", "heavy"]).output().unwrap();
    let lint = String::from_utf8(lint.stdout).unwrap();
    assert!(lint.contains(&format!("note: heavy held {peak} MiB")), "{lint}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// A run that lives, or has ended.
fn run_id(state: &Path, name: &str) -> (RunId, journal::run_dir::Alive) {
    let run: RunId = name.parse().unwrap();
    let alive = RunDir::of(state, &run).create().unwrap();
    (run, alive)
}

async fn went(swarm: &Swarm, state: &Path, until: Until) -> Vec<String> {
    prune(swarm, state, until).await.unwrap().into_iter().map(|one| one.image).collect()
}

const NOW: Until = Until::Unused(0);

/// No login.
fn anyone() -> RegistryLogins {
    RegistryLogins::default()
}

/// The registry's own image, by its tag, another one that somebody gave that name meanwhile, and a registry that is away.
#[test]
fn a_tag_that_moved_is_seen_after_a_day_and_a_registry_that_is_away_ends_nothing() {
    let state = own_state();
    let address = registry();
    let (moving, other) = (format!("{address}/moving:1"), format!("{address}/other:1"));
    let away = "localhost:1/away:1".to_owned();
    runtime().block_on(async {
        let swarm = Swarm::connect().await.unwrap();
        let (run, alive) = run_id(state.path(), "r1");
        let names = [moving.clone(), other.clone()];
        ensure(&swarm, state.path(), &run, &names, &anyone(), &mut |_| {}).await.unwrap();
        let now = swarm.image_id(&moving).await.unwrap().unwrap();
        let was = swarm.image_id(&other).await.unwrap().unwrap();
        for name in [&moving, &away] {
            let (repo, tag) = name.rsplit_once(':').unwrap();
            let options = bollard::query_parameters::TagImageOptionsBuilder::new().repo(repo).tag(tag).build();
            swarm.docker().tag_image(&other, Some(options)).await.unwrap();
        }
        let mut book = ImageIndex::open(state.path()).await.unwrap();
        let entry = host::guard::ImageEntry { id: was.clone(), asked: 0, ..book.images[&moving].clone() };
        book.images.insert(moving.clone(), entry.clone());
        book.images.insert(away.clone(), entry);
        book.write().unwrap();
        let names = [moving.clone(), away.clone()];
        let ensured = ensure(&swarm, state.path(), &run, &names, &anyone(), &mut |_| {}).await.unwrap();
        assert_eq!(ensured.pulled, [], "both were here");
        let [unknown, moved] = &ensured.remarks[..] else { panic!("{:?}", ensured.remarks) };
        assert!(unknown.starts_with(&format!("whether {away} means")), "{unknown}");
        assert!(moved.starts_with(&format!("{moving} means another image")), "{moved}");
        assert_eq!(swarm.image_id(&moving).await.unwrap(), Some(now));
        assert!(swarm.present(&other).await.unwrap(), "somebody's name for it stays");
        let again = ensure(&swarm, state.path(), &run, &names, &anyone(), &mut |_| {}).await.unwrap();
        assert_eq!(again.remarks, Vec::<String>::new(), "neither is asked for at each stage");
        drop(alive);
        let mut gone = went(&swarm, state.path(), NOW).await;
        gone.sort();
        let mut all = vec![moving, other, away];
        all.sort();
        assert_eq!(gone, all);
    });
}

#[test]
fn only_what_runs_have_pulled_goes_and_only_when_nothing_needs_it() {
    let state = own_state();
    let address = registry();
    let names = ["ours", "container", "foreign", "retagged"].map(|name| format!("{address}/{name}:1"));
    let [ours, container, foreign, retagged] = &names;
    runtime().block_on(async {
        let swarm = Swarm::connect().await.unwrap();
        // Somebody else pulled this one.
        swarm.ensure(std::slice::from_ref(foreign), &mut |_| {}).await.unwrap();
        let (run, alive) = run_id(state.path(), "r1");
        let ensured = ensure(&swarm, state.path(), &run, &names, &anyone(), &mut |_| {}).await.unwrap();
        assert_eq!(ensured.pulled.len(), 3);
        assert_eq!(went(&swarm, state.path(), NOW).await, Vec::<String>::new(), "its run lives");
        drop(alive);
        assert_eq!(went(&swarm, state.path(), Until::Unused(1)).await, Vec::<String>::new(), "it is too young");
        let body = ContainerCreateBody { image: Some(container.clone()), ..ContainerCreateBody::default() };
        let stopped = swarm.docker().create_container(None, body).await.unwrap();
        // Somebody gives the name to another image.
        let tag = |of: &str, tag: &str| {
            let (repo, tag) = tag.rsplit_once(':').unwrap();
            let options = bollard::query_parameters::TagImageOptionsBuilder::new().repo(repo).tag(tag).build();
            let (docker, of) = (swarm.docker().clone(), of.to_owned());
            async move { docker.tag_image(&of, Some(options)).await.unwrap() }
        };
        let was = swarm.image_id(retagged).await.unwrap().unwrap();
        tag(foreign, retagged).await;
        assert_eq!(went(&swarm, state.path(), NOW).await, std::slice::from_ref(ours));
        let there = |image: String| {
            let swarm = swarm.clone();
            async move { swarm.present(&image).await.unwrap() }
        };
        assert!(!there(ours.clone()).await);
        assert!(there(container.clone()).await && there(foreign.clone()).await && there(retagged.clone()).await);
        swarm.docker().remove_container(&stopped.id, None).await.unwrap();
        assert_eq!(went(&swarm, state.path(), NOW).await, std::slice::from_ref(container));
        assert!(ImageIndex::open(state.path()).await.unwrap().images.is_empty());
        for image in [foreign, retagged, &was] {
            assert!(swarm.remove_image(image).await.unwrap());
        }
    });
}

#[test]
fn under_pressure_the_longest_unused_goes_first_and_no_more_than_is_wanted() {
    let state = own_state();
    let address = registry();
    let names: Vec<String> = ["a", "b"].iter().map(|name| format!("{address}/{name}:1")).collect();
    runtime().block_on(async {
        let swarm = Swarm::connect().await.unwrap();
        let (run, alive) = run_id(state.path(), "r1");
        ensure(&swarm, state.path(), &run, &names, &anyone(), &mut |_| {}).await.unwrap();
        drop(alive);
        let mut book = ImageIndex::open(state.path()).await.unwrap();
        book.images.get_mut(&names[1]).unwrap().used -= 100;
        book.write().unwrap();
        let wanted = |docker| Until::Enough(Reserves { docker, docker_inodes: 0, state: 0, memory: 0 });
        assert_eq!(went(&swarm, state.path(), wanted(0)).await, Vec::<String>::new(), "there is enough");
        assert_eq!(went(&swarm, state.path(), wanted(u64::MAX)).await, [names[1].clone(), names[0].clone()]);
    });
}

/// One run after the other needs the image, and all the while somebody prunes whatever no run needs.
#[test]
fn a_run_never_loses_an_image_that_it_is_about_to_use() {
    let state = own_state();
    let image = format!("{}/wanted:1", registry());
    runtime().block_on(async {
        let swarm = Swarm::connect().await.unwrap();
        let mut gone = 0;
        for round in 0..12 {
            let (run, alive) = run_id(state.path(), &format!("r{round}"));
            let images = std::slice::from_ref(&image);
            let mut say = |_: &str| {};
            let nobody = anyone();
            let ensuring = ensure(&swarm, state.path(), &run, images, &nobody, &mut say);
            let (ensured, pruned) = tokio::join!(ensuring, prune(&swarm, state.path(), NOW));
            ensured.unwrap();
            gone += pruned.unwrap().len();
            gone += prune(&swarm, state.path(), NOW).await.unwrap().len();
            assert!(swarm.present(&image).await.unwrap(), "run {round} has lost it");
            drop(alive);
        }
        // Rounds in which nothing was pruned would have shown nothing.
        gone += prune(&swarm, state.path(), NOW).await.unwrap().len();
        assert!(gone > 0 && !swarm.present(&image).await.unwrap());
    });
}

#[test]
fn a_run_keeps_book_of_what_it_pulls() {
    let dir = tempfile::tempdir().unwrap();
    let image = format!("{}/app:1", registry());
    let builder = testbed::repos::Source::load("custom-html-unreleased").unwrap().builder().unwrap();
    let builder =
        builder.at("good/new-release").unwrap().replace("compose.yml", "testbed.invalid/nginx:1.22.1-2", &image);
    // The image holds no program, so a healthcheck that needs one is refused in prepare. The rest of its line becomes a comment.
    let builder = builder.unwrap().replace("compose.yml", "test: [\"CMD-SHELL\", ", "test: [\"NONE\"]\n      # [");
    let repository = dir.path().join("pulls");
    builder.unwrap().commit("Another image").branch("pulled").build(&repository).unwrap();
    let made = Made::new().recipe("pulls", repository.to_str().unwrap(), "");
    let state = own_state();
    let said = made.run(state.path(), &["run", "pulls", "--ref", "pulled"]);
    assert_eq!(said.outcome(Stage::Prepare), Some(Outcome::Passed), "{}", said.verdict().line);
    assert_ne!(said.decided(), Kind::ImageMissing.code());
    runtime().block_on(async {
        let swarm = Swarm::connect().await.unwrap();
        let book = ImageIndex::open(state.path()).await.unwrap();
        let known: HashMap<&str, &str> =
            book.images.iter().map(|(name, entry)| (name.as_str(), entry.id.as_str())).collect();
        let id = swarm.image_id(&image).await.unwrap().unwrap();
        assert_eq!(known, HashMap::from([(image.as_str(), id.as_str())]), "the testbed's own images are not ours");
        drop(book);
        assert_eq!(went(&swarm, state.path(), NOW).await, std::slice::from_ref(&image));
        assert!(!swarm.present(&image).await.unwrap());
    });
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}
