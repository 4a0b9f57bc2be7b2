use std::collections::HashMap;

use clap::CommandFactory as _;
use forge::drone::{BuildFacts, Event, Takes, Testme};

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
    let told = secret::hand_over(Some("hunter2"), true, &[]);
    assert!(told.what.contains("cannot be used together") && !told.what.contains("hunter2"), "{}", told.what);
    let told = secret::hand_over(Some(&"hunter2".repeat(100)), false, &[]);
    assert!(told.what.contains("does not hold a token") && !told.what.contains("hunter2"), "{}", told.what);
}

#[test]
fn a_secret_goes_in_every_form_of_its_name() {
    let secret = [
        "PLUGIN_REPORT_TOKEN",
        "PLUGIN_REPORT-TOKEN",
        "PLUGIN_REPORT.TOKEN",
        "plugin_report_token",
        "Plugin_Report-Token",
        "DRONE_NETRC_PASSWORD",
        "DRONE_NETRC_FILE",
        "CI_NETRC_PASSWORD",
    ];
    let plain =
        ["PLUGIN_REPORT_TOKEN_FILE", "PLUGIN_REPORT_TO", "PLUGIN_RUN-ID", "PATH", "DRONE_REPO", "CI_COMMIT_SHA"];
    let all = secret.iter().chain(&plain).map(|name| (*name).to_owned());
    assert_eq!(secret::secrets(all), secret);
}

#[test]
fn a_build_of_a_closed_pull_request_is_green_and_a_deployment_is_refused_unless_it_is_wanted() {
    let of = |event| BuildFacts { event, ..build("7") };
    assert_eq!(nothing_to_test(Some(&of(Event::PullRequestClosed))), Some("the pull request was closed or merged"));
    let (none, wanted) = (given(&[]).unwrap(), given(&[("DEPLOYMENTS", "true")]).unwrap());
    for event in [Event::Push, Event::PullRequest, Event::Tag, Event::Asked, Event::Cron, Event::Other] {
        assert_eq!(nothing_to_test(Some(&of(event.clone()))), None);
        assert_eq!(refuse_deployment(Some(&of(event)), &none), Ok(()));
    }
    let told = refuse_deployment(Some(&of(Event::Deployment)), &none).unwrap_err();
    assert!(told.contains("unless deployments is true"), "{told}");
    assert!(refuse_deployment(Some(&of(Event::Deployment)), &given(&[("DEPLOYMENTS", "false")]).unwrap()).is_err());
    assert_eq!(refuse_deployment(Some(&of(Event::Deployment)), &wanted), Ok(()));
    assert_eq!((nothing_to_test(None), refuse_deployment(None, &none)), (None, Ok(())));
    // It is the plugin's own, and no word of a run.
    assert_eq!(super::tests::wanted(&[("RECIPE", "n8n"), ("DEPLOYMENTS", "true")], None).unwrap(), "-- n8n");
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
fn a_card_has_a_template_where_a_server_is_known() {
    let of = |pairs: &[(&str, &str)], variable: Option<&str>| {
        template(&given(pairs).unwrap(), variable.map(str::to_owned)).map(|url| url.map(|url| url.to_string()))
    };
    let at = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(of(&[], None), Ok(None));
    assert_eq!(of(&[], Some("https://ci.example.org")), at("https://ci.example.org/card.json"));
    let own = ("PUBLIC_URL", "https://own.example.org");
    assert_eq!(of(&[own], Some("https://ci.example.org")), at("https://own.example.org/card.json"));
    let template = ("CARD_TEMPLATE", "https://git.example.org/x.json");
    assert_eq!(of(&[own, template], None), at("https://git.example.org/x.json"));
    for text in ["card.json", "javascript:alert(1)", "file:///etc/passwd"] {
        assert!(of(&[("CARD_TEMPLATE", text)], None).is_err(), "{text}");
        assert!(of(&[("PUBLIC_URL", text)], None).is_err(), "{text}");
        assert!(of(&[], Some(text)).is_err(), "{text}");
    }
}

fn yaml(text: &str) -> Vec<serde_json::Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

/// The settings of a step, each passing on the parameter that belongs to it; and those that are secrets.
fn settings_of(step: &serde_json::Value) -> Vec<String> {
    let passed = step["settings"].as_object().unwrap();
    let mut secrets = Vec::new();
    for (written, value) in passed {
        assert!(!written.contains(['-', '.']), "{written}: Drone makes no usual variable of it");
        let setting = written.replace('_', "-");
        assert!(TABLE.iter().any(|own| own.name == setting), "{setting} is no setting");
        if value["from_secret"].is_string() {
            secrets.push(setting);
            continue;
        }
        let parameter = value.as_str().unwrap().strip_prefix("${").unwrap().strip_suffix('}').unwrap();
        assert!(Testme::SETTINGS.contains(&(parameter, setting.as_str())), "{setting} gets {parameter}");
    }
    assert_eq!(passed.len(), Testme::SETTINGS.len() + secrets.len());
    secrets
}

const IMAGE: &str = "${CCCI_RUNNER_IMAGE:-cc-ci.invalid/runner:1}";

/// The pipeline that a comment starts passes on what it is started with, under the names of settings.
#[test]
fn the_pipeline_of_a_comment_passes_on_its_parameters() {
    let pipelines = yaml(include_str!("../../../../../.drone.yml"));
    let names: Vec<&str> = pipelines.iter().map(|pipeline| pipeline["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["testme"], "another one might wait for a runner that is not there");
    let testme = &pipelines[0];
    assert_eq!((&testme["kind"], &testme["type"]), (&"pipeline".into(), &"docker".into()));
    assert_eq!(testme["trigger"]["event"], serde_json::json!(["custom"]), "a push starts nobody's tests");
    let step = &testme["steps"][0];
    assert_eq!((&step["image"], &step["pull"]), (&IMAGE.into(), &"if-not-exists".into()));
    assert_eq!(settings_of(step), ["report-token"]);
    // What the step mounts is there, and where the image looks for it.
    let image = include_str!("../../../../../docker/runner/Dockerfile");
    for volume in step["volumes"].as_array().unwrap() {
        let is_same = |own: &serde_json::Value| own["name"] == volume["name"] && own["host"]["path"].is_string();
        assert!(testme["volumes"].as_array().unwrap().iter().any(is_same), "{volume}");
    }
    let state = step["volumes"][1]["path"].as_str().unwrap();
    assert!(image.contains(&format!("CCCI_STATE={state}\n")) && image.contains(&format!("VOLUME {state}\n")));
}

#[test]
fn the_pipeline_for_woodpecker_is_the_same_in_its_words() {
    let testme = &yaml(include_str!("../../../../../.woodpecker/testme.yml"))[0];
    assert_eq!(testme["when"], serde_json::json!([{ "event": "manual" }]));
    assert_eq!(testme["skip_clone"], true);
    let step = &testme["steps"][0];
    assert_eq!((&step["image"], &step["pull"]), (&IMAGE.into(), &false.into()));
    // A secret that is not there is an error in Woodpecker, and an environment makes a step no plugin.
    assert_eq!(settings_of(step), [""; 0]);
    assert!(step["environment"].is_null() && step["commands"].is_null());
    let drone = &yaml(include_str!("../../../../../.drone.yml"))[0]["steps"][0];
    let mounts: Vec<String> =
        drone["volumes"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap().to_owned()).collect();
    let mounts: Vec<String> = mounts.iter().map(|path| format!("{path}:{path}")).collect();
    assert_eq!(step["volumes"], serde_json::json!(mounts));
}

/// Every pipeline in the docs has settings that there are, an image that no one else can register, and pulls it only where it is
/// not there.
#[test]
fn the_pipelines_in_the_docs_are_right() {
    let docs = include_str!("../../../../../docs/drone.md");
    let mut seen = 0;
    for text in docs.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        for pipeline in yaml(text) {
            let is_drone = pipeline["kind"] == "pipeline";
            for step in pipeline["steps"].as_array().unwrap() {
                let image = step["image"].as_str().unwrap();
                assert!(image == IMAGE || image == "cc-ci.invalid/runner:1", "{image}");
                let pull = if is_drone { "if-not-exists".into() } else { serde_json::Value::Bool(false) };
                assert_eq!(step["pull"], pull, "{text}");
                for setting in step["settings"].as_object().unwrap().keys() {
                    let name = setting.replace('_', "-");
                    assert!(!setting.contains('-') && TABLE.iter().any(|own| own.name == name), "{setting}");
                }
                seen += 1;
            }
            let events = if is_drone { &pipeline["trigger"]["event"] } else { &pipeline["when"] };
            assert!(!events.is_null() && !events.to_string().contains("closed"), "{text}");
        }
    }
    assert!(seen >= 2, "one for Drone and one for Woodpecker");
    for place in [docs, include_str!("../../../../../docs/operate.md"), include_str!("../../../../../README.md")] {
        assert!(!place.contains("image: cc-ci/runner") && !place.contains("docker.io/cc-ci"), "a name on Docker Hub");
    }
}
