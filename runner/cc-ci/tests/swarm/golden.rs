//! Every head of the testbed, each with the verdict that its source expects.

use base::failure::Cause;
use journal::event::{Event, Outcome, Stage, VerdictKind};
use journal::exit::Exit;

use super::logins::{EndWarm, only_warm_provider};
use super::support::{Said, cc_ci, is_thorough, left, repositories, run_of, state};

/// Runs a head and compares its verdict with what the source says.
fn golden(repository: &str, head: &str) -> Said {
    golden_as(repository, head, |_| ())
}

/// The same of a command that is changed before.
fn golden_as(repository: &str, head: &str, change: impl FnOnce(&mut std::process::Command)) -> Said {
    let source = testbed::repos::Source::load(repository).unwrap();
    let fact = source.heads().into_iter().find(|fact| fact.name == head).expect("the source has this head");
    let mut command = run_of(repository, fact.pull);
    change(&mut command);
    let said = Said::of(command.output().unwrap());
    assert_eq!(said.decided(), fact.expect, "{}\n{}", said.verdict().line, said.stderr);
    let verdict = said.verdict();
    assert_eq!(said.code, i32::from(Exit::from(verdict).code()));
    assert_eq!(verdict.word == VerdictKind::Passed, fact.expect == "passed");
    assert!(!verdict.line.contains('\n'), "{}", verdict.line);
    if let Some(decision) = &verdict.decided_by {
        assert!(!decision.fault.failure.look_at.is_empty(), "{}", verdict.line);
    }
    assert_eq!(said.outcome(Stage::Teardown), Some(Outcome::Passed));
    assert_eq!(left(&said.stack()), Vec::<String>::new());
    is_asked_before_its_data(&said);
    said
}

/// The same of a head that its backup decides, without the stages after that: the first fault decides, and those stages
/// are the ones of the app's good head. `CCCI_GOLDEN=all` takes it through them too.
fn golden_in_backup(repository: &str, head: &str) -> Said {
    golden_as(repository, head, until_backup)
}

fn until_backup(command: &mut std::process::Command) {
    if !is_thorough() {
        command.args(["--only", "upgrade,backup"]);
    }
}

/// After each deploy the app is asked until it answers, and only then for its data: traefik needs a moment to find new
/// containers, and its 404 is no loss of data.
fn is_asked_before_its_data(said: &Said) {
    let mut asked = false;
    for record in &said.records {
        match &record.event {
            Event::AbraCalled { call, .. } if call.args.iter().any(|word| word == "deploy") => asked = false,
            Event::CheckEnded { check, .. } if check.name.contains("answers") => asked = true,
            Event::CheckEnded { check, .. }
                if ["upgrade: ", "deployed again: ", "rolled back: "]
                    .iter()
                    .any(|when| check.name.starts_with(when)) =>
            {
                assert!(asked, "{} came before the app was asked", check.name);
            }
            _ => {}
        }
    }
}

macro_rules! heads {
    ($($name:ident = $golden:ident $repository:literal $head:literal;)+) => {
        $(#[test] fn $name() { $golden($repository, $head); })+

        #[test]
        fn no_head_is_forgotten() {
            let known = [$(($repository, $head)),+];
            for repository in testbed::repos::names().unwrap() {
                for fact in testbed::repos::Source::load(&repository).unwrap().heads() {
                    let head = (repository.as_str(), fact.name.as_str());
                    assert!(known.contains(&head) || SPECIAL.contains(&head), "{head:?} has no test");
                }
            }
        }
    };
}

/// Heads with a test of their own, below or in another file.
const SPECIAL: [(&str, &str); 43] = [
    ("custom-html", "good/new-release"),
    // In faults.rs, each with the fault that it is red by.
    ("guestbook", "good/new-release"),
    ("guestbook", "broken/begins-anew"),
    ("guestbook", "broken/gives-up"),
    ("guestbook", "broken/keeps-its-connection"),
    ("guestbook", "broken/trusts-anyone"),
    ("guestbook", "broken/forgets-a-migration"),
    ("guestbook", "broken/another-dump"),
    ("guestbook", "broken/fixed-title"),
    // Whole runs of these take more than CI has for one more app.
    ("uptime-kuma", "good/new-release"),
    ("ghost", "good/new-release"),
    ("ghost", "broken/no-restore-hook"),
    ("bluesky-pds", "good/new-release"),
    ("bluesky-pds", "broken/blobs-not-backed-up"),
    ("mumble", "good/new-release"),
    ("mumble", "broken/page-alone"),
    ("mailu", "good/new-release"),
    ("mailu", "broken/spam-accepted"),
    ("mailu", "broken/mailboxes-not-backed-up"),
    ("custom-html", "broken/data-lost"),
    ("custom-html", "broken/port-of-nobody"),
    ("custom-html", "good/optional-file"),
    ("custom-html", "good/waits-for-nobody"),
    ("custom-html", "good/template-as-pipeline"),
    // In own.rs, each also where an operator approved it.
    ("custom-html", "good/own-tests"),
    ("custom-html", "broken/own-tests-red"),
    ("custom-html", "hostile/own-tests"),
    ("custom-html-crashing-base", "good/new-release"),
    ("custom-html-forbidden-base", "good/new-release"),
    ("custom-html", "broken/volume-uncovered"),
    ("custom-html", "broken/no-backup"),
    ("custom-html-unreleased", "good/new-release"),
    // Planned below; `./dev test --recipes` runs them.
    ("gitea-mariadb", "good/new-release"),
    ("gitea-postgres", "good/new-release"),
    ("keycloak-mariadb", "good/new-release"),
    ("matrix-synapse-plain", "good/new-release"),
    // `./dev test --recipes` alone makes its image.
    ("n8n-2", "good/new-release"),
    // Below, with one Keycloak for all of them.
    ("gitea", "good/new-release"),
    ("gitea", "broken/database-moved"),
    ("gitea", "broken/no-restore-hook"),
    ("matrix-synapse", "good/new-release"),
    ("matrix-synapse", "broken/no-restore-hook"),
    ("matrix-synapse", "broken/dump-empty"),
];

heads! {
    a_new_secret = golden "custom-html" "good/new-secret";
    a_readme = golden "custom-html" "good/readme-only";
    no_version = golden "custom-html" "good/no-version";
    version_three = golden "custom-html" "good/version-three";
    version_newest = golden "custom-html" "good/version-newest";
    version_older = golden "custom-html" "good/version-older";
    versions_differ = golden "custom-html" "broken/versions-differ";
    duration_by_a_variable = golden "custom-html" "broken/duration-variable";
    schema = golden "custom-html" "broken/schema";
    route_elsewhere = golden "custom-html" "broken/route-elsewhere";
    healthcheck_program = golden "custom-html" "broken/healthcheck-program";
    number_by_a_variable = golden "custom-html" "broken/number-variable";
    image_missing = golden "custom-html" "broken/image-missing";
    crash_loop = golden "custom-html" "broken/crash-loop";
    never_healthy = golden "custom-html" "broken/never-healthy";
    config_unversioned = golden "custom-html" "broken/config-unversioned";
    secret_missing = golden "custom-html" "broken/secret-missing";
    secret_not_given = golden "custom-html" "broken/secret-not-given";
    secret_in_silence = golden "custom-html" "broken/secret-in-silence";
    setting_required = golden "custom-html" "broken/setting-required";
    setting_in_a_template = golden "custom-html" "broken/setting-in-a-template";
    optional_file = golden "custom-html" "broken/optional-file";
    invalid_compose = golden "custom-html" "broken/invalid-compose";
    broken_shell = golden "custom-html" "broken/shell";
    unknown_key = golden "custom-html" "broken/unknown-key";
    rolled_back = golden "custom-html" "broken/rolled-back";
    paused = golden "custom-html" "broken/paused";
    backup_empty = golden "custom-html" "broken/backup-empty";
    backup_removes_pages = golden "custom-html" "broken/backup-removes-pages";
    dump_lost_in_a_pipe = golden "custom-html" "broken/dump-lost-in-a-pipe";
    restore_nothing = golden "custom-html" "broken/restore-nothing";
    restore_hook_fails = golden "custom-html" "broken/restore-hook-fails";
    ignores_sigterm = golden "custom-html" "broken/ignores-sigterm";
    port_taken = golden "custom-html" "broken/port-taken";
    port_twice = golden "custom-html" "broken/port-twice";
    config_file_missing = golden "custom-html" "broken/config-file-missing";
    docker_socket = golden "custom-html" "broken/docker-socket";
    health_wrong = golden "custom-html" "broken/health-wrong";
    hostile_volume_of_the_host = golden "custom-html" "hostile/volume-of-the-host";
    hostile_callers_environment = golden "custom-html" "hostile/callers-environment";
    hostile_foreign_secret = golden "custom-html" "hostile/foreign-secret";
    hostile_foreign_route = golden "custom-html" "hostile/foreign-route";
    hostile_other_stack = golden "custom-html" "hostile/other-stack";
    base_with_no_image = golden "custom-html-broken-base" "good/new-release";
    lightweight_tag = golden "custom-html-lightweight" "good/new-release";
    n8n_good = golden "n8n" "good/new-release";
    n8n_with_another_volume = golden "n8n" "broken/data-lost";
    n8n_that_looks_elsewhere = golden "n8n" "broken/data-moved";
    n8n_without_restore_hook = golden_in_backup "n8n" "broken/no-restore-hook";
    keycloak_good = golden "keycloak" "good/new-release";
    keycloak_without_restore_hook = golden_in_backup "keycloak" "broken/no-restore-hook";
}

/// One after the other with one Keycloak, which the first of them makes.
#[test]
fn apps_with_logins_share_one_keycloak() {
    let _alone = only_warm_provider();
    let _end = EndWarm(state());
    let whole: fn(&mut std::process::Command) = |_| ();
    let heads = [
        ("gitea", "good/new-release", whole),
        ("gitea", "broken/database-moved", whole),
        ("gitea", "broken/no-restore-hook", until_backup),
        ("matrix-synapse", "good/new-release", whole),
        ("matrix-synapse", "broken/no-restore-hook", until_backup),
        ("matrix-synapse", "broken/dump-empty", whole),
    ];
    let is_red = |(repository, head, how): &(&str, &str, fn(&mut std::process::Command))| {
        let warm = |command: &mut std::process::Command| {
            command.args(["--warm", "10m"]);
            how(command);
        };
        std::panic::catch_unwind(|| golden_as(repository, head, warm)).is_err()
    };
    let red: Vec<_> =
        heads.iter().filter(|head| is_red(head)).map(|(repository, head, _)| (repository, head)).collect();
    assert!(red.is_empty(), "red: {red:?}");
}

/// A whole run takes more than CI has for one more app, which is only installed there. `CCCI_GOLDEN=all` takes each of its
/// heads through every stage, as those of any other.
fn comes_up(repository: &str) {
    if is_thorough() {
        for fact in testbed::repos::Source::load(repository).unwrap().heads() {
            golden(repository, &fact.name);
        }
        return;
    }
    let words = ["run", repository, "--pr", "1", "--only", "install", "--json", "--source"];
    let source = repositories().join(repository);
    let said = Said::of(cc_ci(&state()).args(words).arg(source).output().unwrap());
    assert_eq!(said.verdict().word, VerdictKind::Passed, "{}\n{}", said.verdict().line, said.stderr);
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

#[test]
fn uptime_kuma_comes_up_for_its_owner() {
    comes_up("uptime-kuma");
}

#[test]
fn ghost_comes_up_for_its_owner() {
    comes_up("ghost");
}

#[test]
fn bluesky_pds_comes_up_with_its_directory_of_identities() {
    comes_up("bluesky-pds");
}

#[test]
fn mumble_comes_up_for_who_speaks_its_protocol() {
    comes_up("mumble");
}

#[test]
fn mailu_comes_up_and_opens_a_mailbox() {
    comes_up("mailu");
}

#[test]
fn what_a_form_of_a_recipe_cannot_do_is_blocked_in_its_plan() {
    let plan = |recipe: &str, repository: &str| {
        let mut command = cc_ci(&state());
        command.args(["plan", recipe, "--pr", "1", "--source"]).arg(repositories().join(repository));
        // A plan makes none of them.
        command.env("CCCI_FAULTS", "all");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for (repository, is_blocked) in [("gitea", true), ("gitea-mariadb", false), ("gitea-postgres", false)] {
        let text = plan("gitea", repository);
        assert_eq!(
            text.contains("database-gone: blocked: no service of the recipe is a database"),
            is_blocked,
            "{text}"
        );
        assert!(text.contains("run functional/15-logins.sh"), "{text}");
    }
    let text = plan("keycloak", "keycloak-mariadb");
    assert!(text.contains("wrong-secret: give the app a wrong password"), "{text}");
    for (repository, is_blocked) in [("matrix-synapse", false), ("matrix-synapse-plain", true)] {
        let text = plan("matrix-synapse", repository);
        assert_eq!(text.contains("functional/60-oidc-room.sh: blocked: nobody can log in"), is_blocked, "{text}");
        assert_eq!(text.contains("run functional/60-oidc-room.sh"), !is_blocked, "{text}");
    }
}

#[test]
fn a_good_release_goes_through_the_faults_that_its_folder_switches_on() {
    let said = golden_as("custom-html", "good/new-release", |command| {
        command.env("CCCI_FAULTS", "all");
    });
    assert_eq!(said.outcome(Stage::Faults), Some(Outcome::Passed));
    let ended = |wanted: &str| {
        said.records.iter().any(|record| match &record.event {
            Event::CheckEnded { check, .. } => check.name == wanted && check.outcome == Outcome::Passed,
            _ => false,
        })
    };
    for check in ["faults.restart.app", "faults.restart.app.data", "faults.two-back", "faults.cross-release"] {
        assert!(ended(check), "{check} is not green\n{}", said.stderr);
    }
}

#[test]
fn a_volume_that_is_renamed_loses_its_data_and_what_stays_is_told_with_the_command() {
    let said = golden("custom-html", "broken/data-lost");
    let has = |note: &&str| note.contains("volume content") && note.contains("docker volume rm STACK_content");
    assert!(said.notes().iter().any(has), "{:?}", said.notes());
}

#[test]
fn a_dependency_that_is_not_there_is_told() {
    let said = golden("custom-html", "good/waits-for-nobody");
    assert!(said.notes().iter().any(|note| note.contains("app has depends_on: cache")), "{:?}", said.notes());
}

#[test]
fn a_compose_file_that_no_run_deploys_is_told() {
    let said = golden("custom-html", "good/optional-file");
    let has = |note: &&str| note.contains("compose.cache.yml") && note.contains("not deployed");
    assert!(said.notes().iter().any(has), "{:?}", said.notes());
}

#[test]
fn a_template_in_the_place_of_a_pipeline_is_told() {
    let said = golden("custom-html", "good/template-as-pipeline");
    let has = |note: &&str| note.contains(".drone.yml") && note.contains("is no YAML");
    assert!(said.notes().iter().any(has), "{:?}", said.notes());
}

#[test]
fn a_volume_that_no_label_covers_is_told() {
    let said = golden("custom-html", "broken/volume-uncovered");
    assert!(said.notes().iter().any(|note| note.contains("do not cover")), "{:?}", said.notes());
}

#[test]
fn a_recipe_without_backup_labels_is_told() {
    let said = golden("custom-html", "broken/no-backup");
    assert!(said.notes().iter().any(|note| note.contains("no service is labelled for backup")), "{:?}", said.notes());
    assert!(said.notes().iter().any(|note| note.contains("was labelled for backup, and this change is not")));
    assert_eq!(said.outcome(Stage::Backup), Some(Outcome::Skipped), "a backup that was not made is not a passed one");
}

#[test]
fn a_recipe_with_no_release_is_installed_at_its_head() {
    let said = golden("custom-html-unreleased", "good/new-release");
    assert_eq!(said.outcome(Stage::Upgrade), Some(Outcome::Skipped));
    assert_eq!(said.outcome(Stage::Fresh), Some(Outcome::Skipped));
    assert_eq!(said.outcome(Stage::Functional), Some(Outcome::Passed));
}

#[test]
fn a_base_that_is_broken_does_not_hide_how_the_change_itself_fares() {
    let said = golden("custom-html-crashing-base", "good/new-release");
    assert_eq!(said.outcome(Stage::Install), Some(Outcome::Failed));
    assert_eq!(said.outcome(Stage::Upgrade), Some(Outcome::Blocked));
    assert_eq!(said.outcome(Stage::Fresh), Some(Outcome::Passed));
}

#[test]
fn a_base_that_asks_for_too_much_is_never_deployed_and_not_the_changes_fault() {
    let said = golden("custom-html-forbidden-base", "good/new-release");
    assert_eq!(said.verdict().decided_by.as_ref().unwrap().fault.cause, Cause::BaseRelease);
    assert_eq!(said.outcome(Stage::Install), Some(Outcome::Blocked));
    assert_eq!(said.outcome(Stage::Fresh), Some(Outcome::Passed));
}

#[test]
fn a_link_under_cc_cis_own_name_is_refused_and_not_written_through() {
    let dir = tempfile::tempdir().unwrap();
    let outside = dir.path().join("outside");
    std::fs::write(&outside, "mine").unwrap();
    let builder = testbed::repos::Source::load("custom-html").unwrap().builder().unwrap();
    let builder = builder.at("good/new-release").unwrap().link("compose.cc-ci.yml", outside.to_str().unwrap());
    builder.commit("Link").branch("linked").build(&dir.path().join("custom-html")).unwrap();
    let arguments = super::support::arguments("custom-html", &dir.path().join("custom-html"), "linked");
    let output = super::support::cc_ci(&super::support::state()).args(arguments).output().unwrap();
    let said = Said::of(output);
    assert_eq!(said.decided(), "forbidden-compose", "{}", said.stderr);
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "mine");
}

#[test]
fn a_port_that_nothing_listens_on_is_named_with_the_one_that_is_open() {
    let said = golden("custom-html", "broken/port-of-nobody");
    assert!(
        said.verdict().line.contains("say port 8080, and nothing listens there; it listens on 80"),
        "{}",
        said.stderr
    );
}
