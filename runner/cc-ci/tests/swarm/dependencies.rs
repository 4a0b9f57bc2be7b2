//! Runs with apps beside the tested one: nginx under several names, since what counts here is how they
//! come, find each other, and go.

use std::process::Stdio;

use base::names::StackName;
use journal::event::{Event, Outcome, Record, Stage};
use journal::exit::Exit;

use super::made::{Made, left_of, started};
use super::support::{Said, kill_run, left, own_state};

fn checks(said: &Said, of: Stage) -> Vec<(String, Outcome)> {
    let check = |record: &Record| match &record.event {
        Event::CheckEnded { stage, check } if *stage == of => Some((check.name.clone(), check.outcome)),
        _ => None,
    };
    said.records.iter().filter_map(check).collect()
}

/// The container finds the others by their public names, and the test's own process asks them over TLS.
const FINDS: &str = r#"
test "$(stat -c %a "$CCCI_DEPS_FILE")" = 600
for entry in $CCCI_RESOLVE_DEPS; do
  name=${entry%%:*}
  grep -q "\"domain\": *\"$name\"" "$CCCI_DEPS_FILE"
  "$CCCI_EXEC" app -- getent hosts "$name"
  "$CCCI_EXEC" app -- sh -c 'grep -q BEGIN "$SSL_CERT_FILE"'
  curl -fsS --cacert "$CCCI_CA" --resolve "$entry" "https://$name/" | grep -q nginx
done
curl -fsS --cacert "$CCCI_CA" --resolve "$CCCI_RESOLVE" "$CCCI_URL" >/dev/null
"#;

#[test]
fn what_is_needed_comes_first_is_found_by_name_and_goes_with_the_run() {
    let made = Made::new()
        .recipe("front", "custom-html", "requires = [\"store\"]\ntest_requires = [\"cache\"]")
        .recipe("cache", "custom-html", "requires = [\"store\"]")
        .recipe("store", "custom-html", "")
        .test("front", "functional/10-finds.sh", FINDS);
    let state = own_state();
    let said = made.run(state.path(), &["run", "front", "--pr", "1"]);
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    let started = started(&said);
    let recipes: Vec<&str> = started.dependencies.iter().map(|other| other.recipe.as_str()).collect();
    assert_eq!(recipes, ["store", "cache"]);
    assert_eq!(started.dependencies[0].release, "1.2.0+1.22.1-2", "the newest release, not the default branch");
    let names: Vec<String> = checks(&said, Stage::Dependencies).into_iter().map(|(name, _)| name).collect();
    let at = |name: &str| names.iter().position(|check| check == name).unwrap_or_else(|| panic!("{name}: {names:?}"));
    assert!(at("dependencies.store.answers") < at("dependencies.cache.settled"), "{names:?}");
    let went: Vec<&str> = said
        .records
        .iter()
        .filter_map(|record| match &record.event {
            Event::Progress { stage: Stage::Teardown, text } => text.strip_prefix("removes "),
            _ => None,
        })
        .collect();
    let [store, cache] = [0, 1].map(|at| started.dependencies[at].stack.as_str());
    assert_eq!(went, [started.stack.as_str(), cache, store], "who needs another goes before it");
    assert_eq!(left_of(&started), Vec::<String>::new());
    let folder = state.path().join("runs").join(started.run.as_str());
    assert!(folder.join("journal.jsonl").exists() && !folder.join("deps.json").exists());
}

#[test]
fn independent_ones_come_up_side_by_side() {
    let made = Made::new()
        .recipe("front-six", "custom-html", "requires = [\"left\", \"right\"]")
        .recipe("left", "custom-html", "")
        .recipe("right", "custom-html", "");
    let state = own_state();
    let said = made.run(state.path(), &["run", "front-six", "--pr", "1", "--only", "install"]);
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    let at = |wanted: &dyn Fn(&Event) -> bool| said.records.iter().position(|record| wanted(&record.event)).unwrap();
    let begins = |whose: &'static str| {
        at(
            &|event| matches!(event, Event::Progress { text, .. } if text.starts_with(&format!("{whose}: abra deploys"))),
        )
    };
    let settles = |whose: &'static str| {
        at(
            &|event| matches!(event, Event::CheckEnded { check, .. } if check.name == format!("dependencies.{whose}.settled")),
        )
    };
    assert!(begins("left").max(begins("right")) < settles("left").min(settles("right")));
    assert_eq!(left_of(&started(&said)), Vec::<String>::new());
}

#[test]
fn apps_that_no_node_has_room_for_are_refused_before_anything_is_deployed() {
    let made = Made::new().recipe("front-seven", "custom-html", "requires = [\"huge\"]").recipe(
        "huge",
        "custom-html",
        "[weight]\nmemory_mib = 4000000000",
    );
    let said = made.run(own_state().path(), &["run", "front-seven", "--pr", "1"]);
    assert_eq!((said.code, said.decided()), (i32::from(Exit::NoSlot.code()), "no-slot"));
    assert!(said.verdict().line.contains("its apps take 4000000512 MiB"), "{}", said.verdict().line);
    assert_eq!(said.outcome(Stage::Slot), Some(Outcome::Blocked));
}

#[test]
fn a_dependency_that_does_not_come_up_is_the_cause_and_not_the_recipe() {
    let made = Made::new().recipe("front-two", "custom-html", "requires = [\"crashing\"]").recipe(
        "crashing",
        "custom-html-crashing-base",
        "",
    );
    let state = own_state();
    let said = made.run(state.path(), &["run", "front-two", "--pr", "1"]);
    assert_eq!((said.code, said.decided()), (i32::from(Exit::Dependency.code()), "crash-loop"), "{}", said.stderr);
    assert_eq!(said.outcome(Stage::Dependencies), Some(Outcome::Failed));
    assert_eq!(said.outcome(Stage::Install), Some(Outcome::Blocked));
    assert!(said.verdict().line.starts_with("failed by a dependency in dependencies"), "{}", said.verdict().line);
    assert_eq!(left_of(&started(&said)), Vec::<String>::new());
}

#[test]
fn a_dependency_that_goes_away_later_is_the_cause_of_what_is_red_then() {
    let away = "docker service scale --detach \"$(echo \"${CCCI_STACK}\" | sed s/front-three/backend/)_app=0\"\n\
                entry=$CCCI_RESOLVE_DEPS\nname=${entry%%:*}\n\
                while curl -fs --cacert \"$CCCI_CA\" --resolve \"$entry\" \"https://$name/\" >/dev/null; do :; done\nfalse\n";
    let made = Made::new()
        .recipe("front-three", "custom-html", "requires = [\"backend\"]")
        .recipe("backend", "custom-html", "")
        .test("front-three", "functional/10-away.sh", away);
    let state = own_state();
    let said = made.run(state.path(), &["run", "front-three", "--pr", "1", "--only", "functional"]);
    assert_eq!(said.decided(), "dependency-gone", "{}\n{}", said.verdict().line, said.stderr);
    assert_eq!(said.code, i32::from(Exit::Dependency.code()));
    assert_eq!(left_of(&started(&said)), Vec::<String>::new());
}

#[test]
fn folders_that_make_no_graph_are_refused_with_the_path_before_anything_runs() {
    let made = Made::new()
        .recipe("a", "custom-html", "requires = [\"b\"]")
        .recipe("b", "custom-html", "requires = [\"c\"]")
        .recipe("c", "custom-html", "requires = [\"a\"]")
        .recipe("alone", "custom-html", "requires = [\"alone\"]")
        .recipe("lost", "custom-html", "requires = [\"nobody\"]");
    let state = own_state();
    for (recipe, words) in
        [("a", "a → b → c → a"), ("alone", "alone → alone"), ("lost", "lost → nobody: cc-ci has no folder for nobody")]
    {
        for command in ["run", "plan"] {
            let output = made.command(state.path(), &[command, recipe, "--pr", "1"]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(i32::from(Exit::Usage.code())), "{said}");
            assert!(said.contains(words), "{said}");
        }
    }
    let runs = std::fs::read_dir(state.path().join("runs")).map_or(0, Iterator::count);
    assert_eq!(runs, 0, "a run that never began leaves no folder");
}

#[test]
fn what_a_killed_run_leaves_of_all_its_apps_is_reaped() {
    use std::io::BufRead as _;
    let made =
        Made::new().recipe("front-four", "custom-html", "requires = [\"behind\"]").recipe("behind", "custom-html", "");
    let state = own_state();
    let mut command = made.command(state.path(), &["run", "front-four", "--pr", "1", "--json"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut stacks: Vec<StackName> = Vec::new();
    for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
        match serde_json::from_str::<Record>(&line.unwrap()).unwrap().event {
            Event::RunStarted(started) => {
                stacks = started.dependencies.iter().map(|other| other.stack.clone()).collect();
                stacks.push(started.stack.clone());
            }
            Event::StageStarted { stage: Stage::Install, .. } => break,
            _ => {}
        }
    }
    kill_run(child, state.path());
    assert!(stacks.iter().all(|stack| !left(stack).is_empty()), "both are claimed, and one is up");
    let reaped = made.command(state.path(), &["reap", "--json"]).output().unwrap();
    let done: serde_json::Value = serde_json::from_slice(&reaped.stdout).unwrap();
    for stack in &stacks {
        let one = done.as_array().unwrap().iter().find(|one| one["stack"] == stack.as_str()).expect("it was found");
        assert_eq!(one["what"], "removed");
        assert_eq!(left(stack), Vec::<String>::new());
    }
}

#[test]
fn a_kept_app_keeps_what_it_needs_and_its_tests_still_find_it() {
    let made = Made::new()
        .recipe("front-five", "custom-html", "requires = [\"kept-store\"]")
        .recipe("kept-store", "custom-html", "")
        .test("front-five", "functional/10-finds.sh", FINDS);
    let state = own_state();
    let words = ["run", "front-five", "--pr", "1", "--only", "functional", "--keep", "1h"];
    let said = made.run(state.path(), &words);
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    let started = started(&said);
    let again = made.run(state.path(), &["run", "front-five", "--kept"]);
    assert_eq!(again.code, 0, "{}\n{}", again.verdict().line, again.stderr);
    let other = made.command(state.path(), &["run", "kept-store", "--kept"]).output().unwrap();
    assert_eq!(other.status.code(), Some(i32::from(Exit::Usage.code())), "it is kept for another, not for itself");
    // Two janitors at once: neither says that it is done while the other is still at it. One that looks for what is
    // left may have the name for a moment.
    let mut words = made.command(state.path(), &["reap", "--run", started.run.as_str()]);
    let janitors = [(); 2].map(|()| words.stdout(Stdio::piped()).spawn().unwrap());
    let told = janitors.map(|janitor| {
        let ended = janitor.wait_with_output().unwrap();
        let left: Vec<String> = left_of(&started).into_iter().filter(|left| !left.starts_with("claim of")).collect();
        assert_eq!(left, Vec::<String>::new());
        assert!(ended.status.success(), "{ended:?}");
        String::from_utf8_lossy(&ended.stdout).into_owned()
    });
    assert!(told.iter().all(|told| !told.contains("not touched")), "{told:?}");
    assert_eq!(left_of(&started), Vec::<String>::new());
}
