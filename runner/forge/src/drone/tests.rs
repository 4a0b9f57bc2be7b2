use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn of(pairs: &[(&str, &str)]) -> Result<Option<BuildFacts>, UnfitFact> {
    let map: HashMap<String, String> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    facts(|name| map.get(name).cloned())
}

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

const DRONE: [(&str, &str); 13] = [
    ("CI", "true"),
    ("DRONE", "true"),
    ("DRONE_REPO", "coop/custom-html"),
    ("DRONE_BUILD_NUMBER", "42"),
    ("DRONE_BUILD_PARENT", "0"),
    ("DRONE_BUILD_LINK", "https://drone.example.org/coop/custom-html/42"),
    ("DRONE_BUILD_EVENT", "pull_request"),
    ("DRONE_COMMIT_SHA", COMMIT),
    ("DRONE_BRANCH", "main"),
    ("DRONE_PULL_REQUEST", "7"),
    ("DRONE_GIT_HTTP_URL", "https://git.example.org/coop/custom-html.git"),
    ("DRONE_WORKSPACE", "/drone/src"),
    ("DRONE_CARD_PATH", "/dev/stdout"),
];

const WOODPECKER: [(&str, &str); 12] = [
    ("CI", "woodpecker"),
    ("CI_REPO", "coop/custom-html"),
    ("CI_PIPELINE_NUMBER", "42"),
    ("CI_PIPELINE_PARENT", "0"),
    ("CI_PIPELINE_URL", "https://drone.example.org/coop/custom-html/42"),
    ("CI_PIPELINE_EVENT", "pull_request"),
    ("CI_COMMIT_SHA", COMMIT),
    ("CI_COMMIT_BRANCH", "main"),
    ("CI_COMMIT_TARGET_BRANCH", ""),
    ("CI_COMMIT_PULL_REQUEST", "7"),
    ("CI_REPO_CLONE_URL", "https://git.example.org/coop/custom-html.git"),
    ("CI_WORKSPACE", "/drone/src"),
];

#[test]
fn both_systems_tell_the_same_facts() {
    let drone = of(&DRONE).unwrap().unwrap();
    assert_eq!((drone.number, drone.pull, drone.event.clone()), (Some(42), Some(7), Event::PullRequest));
    assert_eq!((drone.branch.as_ref().unwrap().as_str(), drone.commit.as_ref().unwrap().as_str()), ("main", COMMIT));
    let woodpecker = of(&WOODPECKER).unwrap().unwrap();
    assert_eq!(woodpecker, BuildFacts { system: System::Woodpecker, card: None, ..drone });
}

#[test]
fn a_restart_has_the_run_id_of_the_first_build_with_its_own_number() {
    let run = "20261121-091403-kxqv".parse().unwrap();
    assert_eq!(restarted_run_id(&run, 43).as_str(), "20261121-091403-kxqv-b43");
    for (event, parent, restarted) in [
        ("custom", "0", None),
        ("custom", "", None),
        ("custom", "42", Some(43)),
        ("pull_request", "42", Some(43)),
        ("promote", "42", None),
        ("rollback", "42", None),
    ] {
        let build = [("DRONE", "true"), ("DRONE_BUILD_NUMBER", "43")];
        let facts = of(&[&build[..], &[("DRONE_BUILD_EVENT", event), ("DRONE_BUILD_PARENT", parent)]].concat());
        assert_eq!(restarted_build(&facts.unwrap().unwrap()), restarted, "{event} {parent}");
        let build = [("CI", "woodpecker"), ("CI_PIPELINE_NUMBER", "43")];
        let event = match event {
            "custom" => "manual",
            "promote" | "rollback" => "deployment",
            other => other,
        };
        let facts = of(&[&build[..], &[("CI_PIPELINE_EVENT", event), ("CI_PIPELINE_PARENT", parent)]].concat());
        assert_eq!(restarted_build(&facts.unwrap().unwrap()), restarted, "{event} {parent}");
    }
}

/// The variables of each event, as a real Drone 2.25 and a real Woodpecker 3.17 set them in a step, unless it says
/// *read*.
#[test]
fn each_event_of_both_systems_is_known() {
    let (drone, woodpecker) = (System::Drone, System::Woodpecker);
    for (system, event, pull, wanted) in [
        (drone, "push", "", Event::Push),
        (drone, "pull_request", "7", Event::PullRequest),
        (drone, "tag", "", Event::Tag),
        (drone, "custom", "", Event::Asked),
        (drone, "cron", "", Event::Cron),
        (drone, "promote", "", Event::Deployment),
        (drone, "rollback", "", Event::Deployment),
        (woodpecker, "push", "", Event::Push),
        (woodpecker, "pull_request", "7", Event::PullRequest),
        (woodpecker, "pull_request_closed", "7", Event::PullRequestClosed),
        (woodpecker, "pull_request_metadata", "7", Event::PullRequest),
        (woodpecker, "tag", "", Event::Tag),
        (woodpecker, "cron", "", Event::Cron),
        (woodpecker, "manual", "", Event::Asked),
        // Read in server/model/const.go.
        (woodpecker, "release", "", Event::Tag),
        (woodpecker, "deployment", "", Event::Deployment),
        // An event of a later release tests the commit that it names.
        (woodpecker, "something_new", "", Event::Other),
    ] {
        let variables = match system {
            System::Drone => [("DRONE", "true"), ("DRONE_BUILD_EVENT", event), ("DRONE_PULL_REQUEST", pull)],
            System::Woodpecker => {
                [("CI", "woodpecker"), ("CI_PIPELINE_EVENT", event), ("CI_COMMIT_PULL_REQUEST", pull)]
            }
        };
        let facts = of(&variables).unwrap().unwrap();
        assert_eq!((facts.system, facts.event, facts.pull), (system, wanted, pull.parse().ok()), "{event}");
    }
}

/// Woodpecker sets variables of Drone's names in plugins too; they are ignored.
#[test]
fn a_step_of_woodpecker_goes_by_its_own_variables() {
    let both = [&WOODPECKER[..], &[("DRONE_BUILD_EVENT", "push"), ("DRONE_REPO", "; x"), ("DRONE_BUILD_PARENT", "9")]];
    assert_eq!(of(&both.concat()), of(&WOODPECKER));
}

#[test]
fn an_environment_of_no_build_has_no_facts() {
    assert_eq!(of(&[]), Ok(None));
    assert_eq!(of(&[("CI", "true"), ("DRONE_REPO", "; rm -rf /")]), Ok(None));
}

#[test]
fn what_does_not_apply_is_none_and_what_does_not_fit_is_told() {
    let bare = of(&[("DRONE", "true"), ("DRONE_PULL_REQUEST", "")]).unwrap().unwrap();
    assert_eq!((bare.pull, bare.repo, bare.event), (None, None, Event::Other));
    for (name, value) in [
        ("DRONE_COMMIT_SHA", "0123456"),
        ("DRONE_REPO", "a/b/c"),
        ("DRONE_PULL_REQUEST", "-7"),
        ("DRONE_TARGET_BRANCH", "--upload-pack=hunter2"),
        ("DRONE_BUILD_LINK", "hunter2"),
    ] {
        let told = of(&[("DRONE", "true"), (name, value)]).unwrap_err();
        assert!(told.variable == name && !told.to_string().contains("hunter2"), "{told}");
    }
}

#[test]
fn a_card_is_a_template_and_its_data() {
    let card =
        Card { schema: "https://ci.example.org/card.json".parse().unwrap(), data: json!({ "outcome": "passed" }) };
    let wanted = json!({ "schema": "https://ci.example.org/card.json", "data": { "outcome": "passed" } });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    card.write(&path).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&std::fs::read(&path).unwrap()).unwrap(), wanted);
    let output = String::from_utf8(card.within_output().unwrap()).unwrap();
    let inner = output.strip_prefix("\u{1b}]1338;").unwrap().strip_suffix("\u{1b}]0m\n").unwrap();
    let inner = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, inner).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&inner).unwrap(), wanted);
}

const TABLE: [Setting; 4] = [
    Setting { name: "recipe", takes: Takes::Text, help: "Name of the recipe" },
    Setting { name: "only", takes: Takes::List, help: "Stages or tests" },
    Setting { name: "max-tests", takes: Takes::Number, help: "Live runs" },
    Setting { name: "warm", takes: Takes::Flag, help: "A warm provider" },
];

fn settings(pairs: &[(&str, &str)]) -> Result<BTreeMap<&'static str, Value>, SettingError> {
    read_settings(&TABLE, pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn settings_are_typed_and_others_variables_are_not_settings() {
    let read = settings(&[
        ("PLUGIN_RECIPE", "custom-html"),
        ("PLUGIN_ONLY", "backup, functional/20"),
        ("PLUGIN_MAX_TESTS", "3"),
        ("PLUGIN_WARM", "true"),
        ("PATH", "/bin"),
        ("DRONE_X", "y"),
    ]);
    let list = Value::List(vec!["backup".to_owned(), "functional/20".to_owned()]);
    let wanted = BTreeMap::from([
        ("recipe", Value::Text("custom-html".to_owned())),
        ("only", list),
        ("max-tests", Value::Number(3)),
        ("warm", Value::Flag(true)),
    ]);
    assert_eq!(read, Ok(wanted));
    assert_eq!(settings(&[("PLUGIN_WARM", "")]), Ok(BTreeMap::new()));
}

/// Every form of a setting's variable.
fn forms(name: &str) -> Vec<String> {
    let with = |separator: &str| format!("PLUGIN_{}", name.replace('-', separator));
    let each = ["-", "_", "."].map(with);
    let mut forms: Vec<String> = each.iter().flat_map(|form| [form.to_uppercase(), form.to_lowercase()]).collect();
    forms.extend(each.map(|form| form.replacen("PLUGIN", "Plugin", 1)));
    forms
}

#[test]
fn a_setting_is_known_in_every_form() {
    for setting in &TABLE {
        for form in forms(setting.name) {
            assert_eq!(name_in(&form).as_deref(), Some(setting.name), "{form}");
        }
    }
    for form in forms("max-tests") {
        let wanted = BTreeMap::from([("max-tests", Value::Number(3))]);
        assert_eq!(settings(&[(&form, "3")]), Ok(wanted), "{form}");
    }
    for other in ["PATH", "PLUGIN", "XPLUGIN_ONLY", "DRONE_PLUGIN_ONLY", "PLÜGIN_ONLY"] {
        assert_eq!(name_in(other), None, "{other}");
    }
}

#[test]
fn two_forms_of_one_setting_agree_or_are_both_named() {
    let forms = forms("max-tests");
    for (at, one) in forms.iter().enumerate() {
        for other in forms.iter().skip(at + 1).filter(|other| *other != one) {
            let same = settings(&[(one, "3"), (other, "3")]);
            assert_eq!(same, Ok(BTreeMap::from([("max-tests", Value::Number(3))])), "{one} {other}");
            let empty = settings(&[(one, "3"), (other, "")]);
            assert_eq!(empty, same, "{one} {other}");
            let told = settings(&[(one, "3"), (other, "41414141")]).unwrap_err().to_string();
            assert!(told.contains(one.as_str()) && told.contains(other.as_str()), "{told}");
            assert!(told.contains("max-tests") && !told.contains("41414141"), "{told}");
        }
    }
}

#[test]
fn a_mistyped_setting_is_told_and_no_value_is() {
    let told = |pairs: &[(&str, &str)]| settings(pairs).unwrap_err().to_string();
    assert_eq!(told(&[("PLUGIN_ONYL", "hunter2")]), "there is no setting \"onyl\": did you mean only?");
    assert_eq!(told(&[("PLUGIN_PASSWORD", "hunter2")]), "there is no setting \"password\"");
    assert_eq!(told(&[("PLUGIN_WARM", "hunter2")]), "the setting warm takes true or false");
    assert_eq!(told(&[("PLUGIN_MAX_TESTS", "-1")]), "the setting max-tests takes a whole number");
    assert_eq!(told(&[("PLUGIN_ONLY", "a,,b")]), "the setting only takes a list, or texts with commas between");
    assert_eq!(told(&[("PLUGIN_RECIPE", "a\nb")]), "the setting recipe takes one line of text");
}

#[test]
fn every_setting_is_in_the_help() {
    let help = help(&TABLE);
    for setting in &TABLE {
        assert!(
            help.contains(setting.name) && help.contains(&variable(setting)) && help.contains(setting.help),
            "{help}"
        );
    }
}

proptest! {
    /// Any mixture of forms, character by character.
    #[test]
    fn no_form_of_a_setting_is_missed(choices in prop::collection::vec((0..3_usize, any::<bool>()), 32)) {
        for setting in &TABLE {
            let mut choices = choices.iter().cycle();
            let form: String = format!("plugin_{}", setting.name)
                .char_indices()
                .zip(&mut choices)
                .map(|((at, letter), (separator, capital))| match letter {
                    '-' => ['-', '_', '.'][*separator],
                    _ if at == "plugin".len() => letter,
                    _ if *capital => letter.to_ascii_uppercase(),
                    _ => letter,
                })
                .collect();
            let name = name_in(&form);
            prop_assert_eq!(name.as_deref(), Some(setting.name));
        }
    }

    #[test]
    fn a_parameter_is_harmless(name in "\\PC{0,70}", value in "\\PC{0,40}") {
        if Parameters::default().with(&name, &value).is_ok() {
            prop_assert!(name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'));
            // `branch`, `commit` and `access_token` mean something else to Drone.
            prop_assert!(!name.is_empty() && name != name.to_ascii_lowercase());
            prop_assert!(!value.chars().any(char::is_control));
        }
    }
}
