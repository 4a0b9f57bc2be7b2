//! The stage `faults`: each fault on an app that goes through it, and on a head that is red by it alone.

use journal::event::{Event, Outcome, Stage};
use recipe_folder::recipe_toml::InjectedFault;

use super::made::Made;
use super::support::{Said, is_thorough, left, own_state};

const HEALTH: &str = "[health]\nbody = \"the guestbook is open\"\n";
const RESTART: &str = "[faults.restart]\nwithin = 40\n";
const WRONG_SECRET: &str = "[faults.wrong_secret]\nwithin = 20\n";
const LATE: &str = "[faults.database_late]\naway = 5\nwithin = 40\n";
const GONE: &str = "[faults.database_gone]\naway = 2\nwithin = 15\n";
const RECONFIGURE: &str = "[reconfigure]\nenv = { TITLE = \"Guests at night\" }\n";
const TWO_BACK: &str = "[upgrade]\ntwo_back = true\n";
const CROSS_RELEASE: &str = "[backup]\ncross_release = true\n";

const CURL: &str = "curl -sS --fail --max-time 10 --cacert \"$CCCI_CA\" ${CCCI_RESOLVE:+--resolve \"$CCCI_RESOLVE\"}";

/// The guestbook of the testbed, with a folder that switches these faults on.
fn guestbook(faults: &[&str]) -> Made {
    let made = Made::new().recipe("guestbook", "guestbook", &format!("{HEALTH}{}", faults.concat()));
    let sign = format!("{CURL} --data \"guest-$CCCI_RUN\" \"$CCCI_URL/\"\n");
    let read = format!("{CURL} \"$CCCI_URL/\" | grep -F \"guest-$CCCI_RUN\"\n");
    let wipe = "for table in visitors guests; do\n  \"$CCCI_EXEC\" db -- psql -q -U guestbook -c \"DELETE FROM $table\" guestbook || true\ndone\n";
    let made = made.test("guestbook", "data/seed.sh", &sign);
    let made = made.test("guestbook", "data/check.sh", &read).test("guestbook", "data/wipe.sh", wipe);
    let title = format!("{CURL} \"$CCCI_URL/\" | grep -F '<title>Guests at night<'\n");
    match faults.contains(&RECONFIGURE) {
        true => made.test("guestbook", "reconfigure/10-title.sh", &title),
        false => made,
    }
}

fn fact(head: &str) -> testbed::repos::HeadFact {
    let source = testbed::repos::Source::load("guestbook").unwrap();
    source.heads().into_iter().find(|fact| fact.name == head).expect("the source has this head")
}

/// What a run would do.
fn planned(head: &str, faults: &[&str]) -> String {
    let pull = fact(head).pull.to_string();
    let output = guestbook(faults)
        .command(own_state().path(), &["plan", "guestbook", "--pr", &pull, "--faults", "all"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Tries the faults alone on a head.
fn tried(head: &str, faults: &[&str]) -> Said {
    let fact = fact(head);
    let state = own_state();
    let pull = fact.pull.to_string();
    let words = ["run", "guestbook", "--pr", &pull, "--only", "faults", "--faults", "all"];
    let said = guestbook(faults).run(state.path(), &words);
    assert_eq!(said.decided(), fact.expect, "{}\n{}", said.verdict().line, said.stderr);
    assert_eq!(left(&said.stack()), Vec::<String>::new());
    said
}

/// The checks of the stage that ended so.
fn ended(said: &Said, wanted: Outcome) -> Vec<&str> {
    let of = |record| match record {
        &journal::event::Record { event: Event::CheckEnded { stage: Stage::Faults, ref check }, .. } => Some(check),
        _ => None,
    };
    said.records
        .iter()
        .filter_map(of)
        .filter(|check| check.outcome == wanted)
        .map(|check| check.name.as_str())
        .collect()
}

/// A head that is red by one fault: the check that says so is the only red one.
fn red(head: &str, fault: &str, check: &str) {
    let said = tried(head, &[fault]);
    assert_eq!(said.outcome(Stage::Install), Some(Outcome::Passed), "{}", said.stderr);
    assert_eq!(ended(&said, Outcome::Failed), [check], "{}", said.stderr);
}

#[test]
fn an_app_that_keeps_a_dead_connection_does_not_recover_from_an_outage() {
    red("broken/keeps-its-connection", GONE, "faults.database-gone");
}

#[test]
fn faults_that_do_not_fit_are_blocked_and_never_red() {
    let toml = format!("{RESTART}{WRONG_SECRET}{LATE}{GONE}{RECONFIGURE}{TWO_BACK}{CROSS_RELEASE}");
    let made = Made::new().recipe("custom-html", "custom-html-unreleased", &toml);
    let output =
        made.command(own_state().path(), &["plan", "custom-html", "--pr", "1", "--faults", "all"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("restart: take each service down"), "{text}");
    for (fault, why) in [
        ("database-late", "no service of the recipe is a database"),
        ("reconfigure", "its .env.sample does not name TITLE"),
        ("two-back", "the recipe has 0 releases before this commit, and it takes 2"),
    ] {
        assert!(text.contains(&format!("{fault}: blocked: {why}")), "{text}");
    }
}

/// The others take longer than CI has: `CCCI_GOLDEN=all` runs them, and without it they are planned.
#[test]
fn each_fault_has_a_head_that_is_red_by_it() {
    let patient = LATE.replace("away = 5", "away = 30");
    for (head, fault, check) in [
        ("broken/begins-anew", RESTART, "restart of app: data/check.sh"),
        ("broken/gives-up", patient.as_str(), "faults.database-late"),
        ("broken/trusts-anyone", WRONG_SECRET, "faults.wrong-secret"),
        ("broken/fixed-title", RECONFIGURE, "reconfigure/10-title.sh"),
        ("broken/forgets-a-migration", TWO_BACK, "upgrade from 1.0.0+1: data/check.sh"),
        ("broken/another-dump", CROSS_RELEASE, "faults.cross-release.restored"),
    ] {
        let plan = planned(head, &[fault]);
        assert!(plan.contains("faults       at most") && !plan.contains("blocked:"), "{head}: {plan}");
        if is_thorough() {
            red(head, fault, check);
        }
    }
}

#[test]
fn a_good_release_goes_through_all_of_them() {
    let all = [RESTART, WRONG_SECRET, LATE, GONE, RECONFIGURE, TWO_BACK, CROSS_RELEASE];
    let plan = planned("good/new-release", &all);
    for fault in InjectedFault::ALL {
        let line = format!("{}: ", fault.name());
        assert!(plan.contains(&line) && !plan.contains(&format!("{line}blocked")), "{line}{plan}");
    }
    if !is_thorough() {
        return;
    }
    let said = tried("good/new-release", &all);
    let green = ended(&said, Outcome::Passed);
    for fault in InjectedFault::ALL {
        let name = fault.check();
        assert!(green.iter().any(|check| check.starts_with(&name)), "{name}: {green:?}");
    }
    assert_eq!(ended(&said, Outcome::Blocked), Vec::<&str>::new());
}
