use std::collections::HashMap;

use clap::CommandFactory as _;
use trigger::drone::{BuildFacts, Event, Takes, Testme};

use super::arguments::{Given, UnfitSettings};
use super::table::{name_of, options};
use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn given(pairs: &[(&str, &str)]) -> Result<Given, String> {
    let pairs = pairs.iter().map(|(name, value)| (format!("PLUGIN_{name}"), (*value).to_owned()));
    read_settings(&TABLE, pairs).map_err(|error| error.to_string())
}

fn build(pull: &str) -> BuildFacts {
    let map = HashMap::from([
        ("DRONE", "true"),
        ("DRONE_REPO", "coop/custom-html"),
        ("DRONE_COMMIT_SHA", COMMIT),
        ("DRONE_PULL_REQUEST", pull),
        ("DRONE_GIT_HTTP_URL", "https://git.example.org/coop/custom-html.git"),
    ]);
    facts(|name| map.get(name).map(|&value| value.to_owned())).unwrap().unwrap()
}

/// The words without the program and the command.
fn wanted(pairs: &[(&str, &str)], facts: Option<&BuildFacts>) -> Result<String, UnfitSettings> {
    let words = words(&given(pairs).unwrap(), facts)?;
    parsed(&words)?;
    Ok(words[2..].join(" "))
}

#[test]
fn every_option_of_a_run_is_a_setting_or_has_a_reason() {
    // What a person can say on the command line, as clap itself lists it.
    let mut command = super::super::Cli::command();
    command.build();
    let run = command.find_subcommand("run").unwrap();
    let said = run.get_arguments().filter(|option| !option.is_hide_set()).map(name_of);
    let said: Vec<&str> = said.filter(|name| !["help", "version"].contains(name)).collect();
    assert!(said.len() > 30, "{said:?}");
    for name in said {
        let of = TABLE.iter().filter(|setting| setting.name == name).count();
        let left_out = LEFT_OUT.iter().filter(|(left_out, _)| *left_out == name).count();
        assert_eq!(of + left_out, 1, "{name}");
    }
    assert!(
        LEFT_OUT.iter().all(|(name, why)| options().iter().any(|option| name_of(option) == *name) && why.len() > 20)
    );
}

#[test]
fn names_and_variables_are_unique_and_have_help() {
    let mut variables: Vec<String> = TABLE.iter().map(variable).collect();
    variables.sort();
    let count = variables.len();
    variables.dedup();
    assert_eq!(variables.len(), count);
    for setting in TABLE.iter() {
        assert!(setting.help.len() > 10 && settings_help().contains(&variable(setting)), "{}", setting.name);
    }
}

#[test]
fn settings_take_what_the_options_take() {
    let takes = |name: &str| TABLE.iter().find(|setting| setting.name == name).unwrap().takes;
    for (name, kind) in [
        ("recipe", Takes::Text),
        ("pr", Takes::Number),
        ("only", Takes::List),
        ("prove", Takes::Flag),
        ("repeat", Takes::Number),
        ("keep", Takes::Text),
        ("https-port", Takes::Number),
        ("max-memory", Takes::Number),
        ("state", Takes::Text),
    ] {
        assert_eq!(takes(name), kind, "{name}");
    }
}

#[test]
fn settings_become_the_words_of_a_run() {
    let said = wanted(
        &[
            ("RECIPE", "n8n"),
            ("SOURCE", "https://git.example.org/coop/n8n.git"),
            ("PR", "12"),
            ("ONLY", "functional, browser"),
            ("KEEP", "true"),
            ("WARM", "1h"),
            ("PROVE", "false"),
            ("MAX_TESTS", "2"),
        ],
        None,
    );
    let words = "--keep --max-tests=2 --only=functional,browser --pr=12 --source=https://git.example.org/coop/n8n.git \
                 --warm=1h -- n8n";
    assert_eq!(said.unwrap(), words);
    assert_eq!(wanted(&[], None), Err(UnfitSettings::NoRecipe));
}

#[test]
fn a_build_tests_its_own_repository() {
    let source = "--source=https://git.example.org/coop/custom-html.git";
    assert_eq!(wanted(&[], Some(&build(""))).unwrap(), format!("{source} --ref={COMMIT} -- custom-html"));
    let pull = wanted(&[("ONLY", "install")], Some(&build("7"))).unwrap();
    assert_eq!(pull, format!("{source} --pr=7 --commit={COMMIT} --only=install -- custom-html"));
}

#[test]
fn a_build_that_is_asked_for_something_else_tests_that() {
    let facts = build("7");
    assert_eq!(wanted(&[("RECIPE", "n8n")], Some(&facts)).unwrap(), "-- n8n");
    assert_eq!(wanted(&[("REF", "main")], Some(&facts)).unwrap(), "--ref=main -- custom-html");
    assert_eq!(wanted(&[("RECIPE", "custom-html"), ("PR", "9")], Some(&facts)).unwrap(), "--pr=9 -- custom-html");
}

#[test]
fn a_restarted_build_is_a_run_of_its_own_that_names_the_first() {
    let id = ("RUN_ID", "20261121-091403-kxqv");
    let pairs = [("RECIPE", "n8n"), id];
    let restart = |event: &str, parent: Option<u64>| {
        let event = if event == "custom" { Event::Asked } else { Event::Deployment };
        BuildFacts { number: Some(43), parent, event, ..build("") }
    };
    let said = |facts: &BuildFacts, pairs: &[(&str, &str)]| wanted(pairs, Some(facts)).unwrap();
    assert_eq!(
        said(&restart("custom", Some(42)), &pairs),
        "--restart-of=20261121-091403-kxqv --run-id=20261121-091403-kxqv-b43 -- n8n"
    );
    assert_eq!(said(&restart("custom", None), &pairs), "--run-id=20261121-091403-kxqv -- n8n");
    assert_eq!(said(&restart("custom", Some(42)), &pairs[..1]), "-- n8n");
    let odd = wanted(&[("RECIPE", "n8n"), ("RUN_ID", "hunter2/x")], Some(&restart("custom", Some(42)))).unwrap_err();
    assert!(odd.to_string().contains("run-id does not hold") && !odd.to_string().contains("hunter2"), "{odd}");
}

#[test]
fn what_is_not_right_is_named_and_no_value_is_shown() {
    let secret = "hunter2/../x y";
    for (pairs, words) in [
        (vec![("RECIPE", secret)], "recipe does not hold"),
        (vec![("RECIPE", "n8n"), ("REF", secret)], "ref does not hold"),
        (vec![("RECIPE", "n8n"), ("KEEP", secret)], "keep does not hold"),
        (vec![("RECIPE", "n8n"), ("BASE_DOMAIN", secret)], "base-domain does not hold"),
        (vec![("RECIPE", "--help")], "recipe does not hold"),
        (vec![("RECIPE", "n8n"), ("PR", "1"), ("REF", "hunter2")], "cannot be used together"),
        (vec![("RECIPE", "n8n"), ("RERUN_FAILED", "true"), ("ONLY", "hunter2")], "cannot be used together"),
    ] {
        let told = wanted(&pairs, None).unwrap_err().to_string();
        assert!(told.contains(words) && !told.contains("hunter2"), "{told}");
    }
    let told = wanted(&[("RECIPE", "n8n"), ("REPORT_TO", "https://ci.example.org")], None).unwrap_err();
    assert_eq!(told.to_string(), "the setting report-token-file is missing, which another one needs");
    let told = wanted(&[("RECIPE", "n8n"), ("COMMIT", COMMIT)], None).unwrap_err();
    assert_eq!(told.to_string(), "the setting pr is missing, which another one needs");
    for (pairs, words) in [
        (vec![("RECIEP", "hunter2")], "did you mean recipe?"),
        (vec![("PR", "hunter2")], "pr takes a whole number"),
        (vec![("JSON", "hunter2")], "no setting \"json\""),
        (vec![("PROVE", "hunter2")], "prove takes true or false"),
    ] {
        let told = given(&pairs).unwrap_err();
        assert!(told.contains(words) && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_secret_never_becomes_a_word() {
    let said = wanted(&[("RECIPE", "n8n"), ("REPORT_TOKEN", "hunter2"), ("RUN_ID", "20261121-091403-kxqv")], None);
    assert_eq!(said.unwrap(), "--run-id=20261121-091403-kxqv -- n8n");
    let told = secret::hand_over("hunter2", true);
    assert!(told.what.contains("cannot be used together") && !told.what.contains("hunter2"), "{}", told.what);
    let told = secret::hand_over(&"hunter2".repeat(100), false);
    assert!(told.what.contains("does not hold a token") && !told.what.contains("hunter2"), "{}", told.what);
}

#[test]
fn artifacts_stay_below_the_workspace() {
    let folder = |text: &str| artifacts(Path::new("/drone/src"), Some(&Value::Text(text.to_owned())));
    assert_eq!(folder("reports/cc-ci"), Ok(PathBuf::from("/drone/src/reports/cc-ci")));
    assert_eq!(artifacts(Path::new("/drone/src"), None), Ok(PathBuf::from("/drone/src/cc-ci")));
    for text in ["/etc", "../x", "a/../../x"] {
        assert!(folder(text).is_err(), "{text}");
    }
}

#[test]
fn the_template_is_an_address() {
    let of = |text: &str| template(Some(&Value::Text(text.to_owned())));
    assert!(of("https://git.example.org/card.json").is_ok() && template(None).is_ok());
    for text in ["card.json", "javascript:alert(1)", "file:///etc/passwd"] {
        assert!(of(text).is_err(), "{text}");
    }
}

/// The pipeline that a comment starts passes on what it is started with, under the names of settings.
#[test]
fn the_pipeline_of_a_comment_passes_on_its_parameters() {
    let pipelines: Vec<serde_json::Value> =
        serde_saphyr::from_multiple(include_str!("../../../../.drone.yml")).unwrap();
    let names: Vec<&str> = pipelines.iter().map(|pipeline| pipeline["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["test", "testme"]);
    let testme = &pipelines[1];
    assert_eq!((&testme["kind"], &testme["type"]), (&"pipeline".into(), &"docker".into()));
    assert_eq!(testme["trigger"]["event"], serde_json::json!(["custom"]), "a push starts nobody's tests");
    let step = &testme["steps"][0];
    let passed = step["settings"].as_object().unwrap();
    let mut secrets = Vec::new();
    for (setting, value) in passed {
        assert!(TABLE.iter().any(|own| own.name == setting), "{setting} is no setting");
        if value["from_secret"].is_string() {
            secrets.push(setting.as_str());
            continue;
        }
        let parameter = value.as_str().unwrap().strip_prefix("${").unwrap().strip_suffix('}').unwrap();
        assert!(Testme::SETTINGS.contains(&(parameter, setting)), "{setting} gets {parameter}");
    }
    assert_eq!(secrets, ["report-to", "report-token"]);
    assert_eq!(passed.len(), Testme::SETTINGS.len() + secrets.len());
    // What the step mounts is there, and where the image looks for it.
    let image = include_str!("../../../../docker/runner/Dockerfile");
    for volume in step["volumes"].as_array().unwrap() {
        let is_same = |own: &serde_json::Value| own["name"] == volume["name"] && own["host"]["path"].is_string();
        assert!(testme["volumes"].as_array().unwrap().iter().any(is_same), "{volume}");
    }
    let state = step["volumes"][1]["path"].as_str().unwrap();
    assert!(image.contains(&format!("CCCI_STATE={state}\n")) && image.contains(&format!("VOLUME {state}\n")));
}
