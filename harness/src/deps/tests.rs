use super::*;
use std::os::unix::fs::{MetadataExt as _, symlink};

fn deps() -> Deps {
    serde_json::from_str(include_str!("example.json")).unwrap()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn what_is_written_is_read_again_and_belongs_to_the_owner_alone() {
    let folder = folder();
    let path = folder.path().join("deps.json");
    deps().write(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    let read = Deps::read(&path).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(deps()).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "something else is left in the folder");
}

#[test]
fn a_link_in_its_place_is_replaced_and_an_open_file_becomes_closed() {
    let folder = folder();
    let (path, other) = (folder.path().join("deps.json"), folder.path().join("other"));
    std::fs::write(&other, "mine").unwrap();
    symlink(&other, &path).unwrap();
    deps().write(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
    assert!(std::fs::symlink_metadata(&path).unwrap().is_file());
    deps().write(&other).unwrap();
    assert_eq!(std::fs::metadata(&other).unwrap().mode() & 0o7777, 0o600, "the mode of the file before it stayed");
}

#[test]
fn another_version_is_refused_with_words() {
    let folder = folder();
    let path = folder.path().join("deps.json");
    for (text, found) in [
        ("{\"version\": 2, \"apps\": []}", "version 2"),
        ("{}", "no number"),
        ("{\"version\":\"s3cr3t\"}", "no number"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Deps::read(&path).unwrap_err().to_string();
        assert!(error.contains(found) && error.contains("version 1") && error.contains("deps.json"), "{error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }
}

#[test]
fn what_is_wrong_in_the_file_is_told_without_its_values() {
    let folder = folder();
    let path = folder.path().join("deps.json");
    let text = include_str!("example.json").replace("\"warm\": false", "\"warm\": \"user-pass-2\"");
    std::fs::write(&path, text).unwrap();
    let error = Deps::read(&path).unwrap_err().to_string();
    assert!(error.contains("data error in line 9"), "{error}");
    assert!(!error.contains("user-pass-2"), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(Deps::read(&path).unwrap_err().to_string().contains("cannot be read"));
    assert!(deps().write(&folder.path().join("no/deps.json")).unwrap_err().to_string().contains("cannot be written"));
}

#[test]
fn secrets_are_all_told_and_none_is_shown() {
    let deps = deps();
    let secrets: Vec<&str> = deps.secrets().map(|secret| secret.expose_secret()).collect();
    assert_eq!(secrets, ["client-secret-1", "user-pass-1", "user-pass-2"]);
    let shown = format!("{deps:?}");
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
    assert!(shown.contains("ci-20251121-a1b2"));
}

#[test]
fn the_published_schema_is_the_one_of_the_types() {
    let published = std::fs::read_to_string("../docs/deps.schema.json").unwrap_or_default();
    assert!(published == schema(), "docs/deps.schema.json is stale: cc-ci docs deps-schema > docs/deps.schema.json");
}

/// Runs the example of the page as an app's `install_steps.sh`, with an abra that notes its words and what
/// the file that they name holds.
#[test]
fn the_example_of_the_page_does_what_it_says() {
    let page = std::fs::read_to_string("../docs/deps-file.md").unwrap();
    let example = page.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    deps().write(&path("deps.json")).unwrap();
    std::fs::write(path("app.env"), "TYPE=gitea\n").unwrap();
    std::fs::write(path("steps.sh"), example).unwrap();
    let abra = "#!/bin/sh\necho \"$@\" >>\"$CCCI_WORK/words\"; stat -c %a \"$7\" >>\"$CCCI_WORK/mode\"; cat \"$7\" >\"$CCCI_WORK/value\"\n";
    testbed::executable(&path("abra"), abra).unwrap();
    let done = std::process::Command::new("bash")
        .arg(path("steps.sh"))
        .env("CCCI_DEPS_FILE", path("deps.json"))
        .env("CCCI_ENV_FILE", path("app.env"))
        .env("CCCI_WORK", folder.path())
        .env("CCCI_ABRA", path("abra"))
        .env("CCCI_DOMAIN", "gitea.ci.example.org")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    let words = read("words");
    assert!(words.starts_with("app secret insert gitea.ci.example.org oidc_client_secret v1 /"), "{words}");
    assert!(words.ends_with(" --file --chaos --offline --no-input\n"), "{words}");
    assert_eq!((read("value").as_str(), read("mode").as_str()), ("client-secret-1", "600\n"));
    let env = read("app.env");
    assert!(env.contains("\nOIDC_CLIENT_ID=gitea\n") && !env.contains("client-secret-1"), "{env}");
    assert!(env.contains("/.well-known/openid-configuration\n"), "{env}");
}
