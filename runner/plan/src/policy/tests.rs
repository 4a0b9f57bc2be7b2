use base::failure::Kind;
use testbed::repos::Builder;

use super::*;
use crate::revision::sample_of;
use source::Revision;

const COMPOSE: &str = "services:\n  app:\n    image: a:1\n    volumes: ['${DATA:-data}:/x']\nvolumes: {data: }\n";
const SAMPLE: &str = "TYPE=tiny\nDOMAIN=tiny.example.com\nLETS_ENCRYPT_ENV=production\n";

fn spec() -> RunSpec {
    let domain: base::names::Domain = "tiny-1234567.ci.localhost".parse().unwrap();
    RunSpec {
        run: "20260101-000000-abcd".parse().unwrap(),
        recipe: "tiny".parse().unwrap(),
        source: String::new(),
        head: "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b".parse().unwrap(),
        head_subject: String::new(),
        head_version: None,
        base: None,
        no_base: String::new(),
        pull_request: None,
        on_main: false,
        stack: domain.stack(),
        domain,
        tags: Vec::new(),
        cert_resolver: None,
    }
}

/// What becomes of a recipe whose files are these over a plain one's.
fn judged(change: impl FnOnce(Builder) -> Builder) -> Result<Compose, Failure> {
    let dir = tempfile::tempdir().unwrap();
    let plain = [("compose.yml", COMPOSE), (".env.sample", SAMPLE), ("abra.sh", "export A_VERSION=v1\n")];
    let builder = change(Builder::new().files(plain)).commit("x").branch("main");
    builder.build(&dir.path().join("from")).unwrap();
    let from = dir.path().join("from");
    let checkout = Checkout::clone_from(from.to_str().unwrap(), &dir.path().join("to"), None).unwrap();
    let head = checkout.resolve(&Revision::Default).unwrap().to_string();
    let mut env = sample_of(&checkout, &head)?;
    normalize_env(&mut env, &spec())?;
    let compose = check_repository(&checkout, &head, &env, &spec())?;
    check_compose(&checkout, &head, &env, &spec(), &compose)?;
    Ok(compose)
}

#[track_caller]
fn refused(mark: &str, change: impl FnOnce(Builder) -> Builder) {
    let failure = judged(change).expect_err(mark);
    assert!(failure.kind == Kind::ForbiddenCompose && failure.what.contains(mark), "{mark}: {failure}");
}

#[test]
fn a_plain_recipe_is_allowed() {
    assert!(judged(|it| it).is_ok());
    assert!(judged(|it| it.link("docs/latest", "../README.md").files([("README.md", "x")])).is_ok());
}

#[test]
fn symlinks_in_the_place_of_files_are_refused() {
    refused("compose.cc-ci.yml", |it| it.link("compose.cc-ci.yml", "/tmp/x"));
    refused("compose.cc-ci.yml", |it| it.files([("compose.cc-ci.yml", "services: {}")]));
    refused("compose.cc-ci.yml", |it| it.files([("compose.cc-ci.yml/x", "x")]));
    refused("any", |it| it.link("any", "/etc/passwd"));
    refused(".env.sample", |it| it.link(".env.sample", "other").files([("other", SAMPLE)]));
    refused("abra.sh", |it| it.link("abra.sh", "other").files([("other", "")]));
    refused("compose.yml", |it| it.link("compose.yml", "other.yml").files([("other.yml", COMPOSE)]));
    refused("symlinks", |it| (0..60).fold(it, |it, n| it.link(format!("l{n}"), "compose.yml")));
    let with = |more: &str| format!("{COMPOSE}{more}");
    let config = with("configs: {c: {file: ./d/x}}\n");
    refused("d is a symlink", |it| it.files([("compose.yml", config.as_str()), ("e/x", "x")]).link("d", "e"));
    let env = COMPOSE.replace("image: a:1", "image: a:1\n    env_file: x.env");
    refused("x.env is a symlink", |it| {
        it.files([("compose.yml", env.as_str()), ("y.env", "A=1\n")]).link("x.env", "y.env")
    });
}

#[test]
fn compose_files_lie_in_the_repository() {
    for list in ["compose.yml:/etc/hostname", "../x.yml", "compose.yml:.git/config"] {
        refused("COMPOSE_FILE", |it| it.files([(".env.sample", format!("{SAMPLE}COMPOSE_FILE={list}\n"))]));
    }
    let evil = "services: {app: {privileged: true}}\n";
    let sample = format!("{SAMPLE}COMPOSE_FILE=\"compose.yml:compose.evil.yml\"\n");
    refused("privileged", |it| it.files([("compose.evil.yml", evil), (".env.sample", sample.as_str())]));
}

#[test]
fn what_is_abras_is_not_the_recipes_to_set() {
    let sample = "TYPE=other:1\nRECIPE=other\nSTACK_NAME=victim\nDOMAIN=victim.example.com\nexport STACK_NAME=victim\n";
    let mut env = EnvFile::parse(&format!("{sample}LETS_ENCRYPT_ENV=production\nDOMAIN=again.example.com\n"));
    normalize_env(&mut env, &spec()).unwrap();
    let wanted = "TYPE=tiny\nRECIPE=tiny\nLETS_ENCRYPT_ENV=\nDOMAIN=tiny-1234567.ci.localhost\n";
    assert_eq!(env.to_string(), wanted);
    // An operator may let traefik get a certificate for each app; the recipe has no say in it.
    let mut env = EnvFile::parse("TYPE=tiny\nLETS_ENCRYPT_ENV=production\n");
    normalize_env(&mut env, &RunSpec { cert_resolver: Some("staging".to_owned()), ..spec() }).unwrap();
    assert_eq!(env.get("LETS_ENCRYPT_ENV"), Some("staging"));
    let mut deployed = EnvFile::parse("TYPE=tiny:1a2b3c4d+U\n");
    normalize_env(&mut deployed, &spec()).unwrap();
    assert_eq!(deployed.get("TYPE"), Some("tiny:1a2b3c4d+U"));
    for script in ["export STACK_NAME=victim\n", "  export DOMAIN=x\n", "# export COMPOSE_FILE=x\n"] {
        refused("abra.sh exports", |it| it.files([("abra.sh", script)]));
    }
}

#[test]
fn what_can_be_read_in_two_ways_is_refused_where_it_is_used() {
    for script in ["# export DATA=/etc\n", "  export DATA=data\n", "export A=v1 # export DATA=/etc\n"] {
        refused("DATA", |it| it.files([("abra.sh", script)]));
    }
    let unused = "fix() {\n  export PGPASSWORD=$(cat /run/secrets/x)\n}\n";
    assert!(judged(|it| it.files([("abra.sh", unused)])).is_ok());
    assert!(judged(|it| it.files([("abra.sh", "export DATA=\"data\"\n")])).is_ok());
    // Without the quoted export the default counts.
    let compose = COMPOSE.replace(":-data", ":-/etc");
    refused("/etc of the host", |it| {
        it.files([("abra.sh", "export DATA='data'\n"), ("compose.yml", compose.as_str())])
    });
}

#[test]
fn env_files_take_nothing_of_the_machine() {
    let compose = COMPOSE.replace("image: a:1", "image: a:1\n    env_file: [./app.env]");
    let with = |text: &'static str| [("compose.yml", compose.clone()), ("app.env", text.to_owned())];
    refused("DOCKER_CONFIG", |it| it.files(with("A=1\nDOCKER_CONFIG\n")));
    assert!(judged(|it| it.files(with("A=1\nDOMAIN\n"))).is_ok());
}

#[test]
fn odd_values_and_versions_are_named() {
    for (line, mark) in [("A=it's \"odd\"", "value of A"), ("SECRET_X_VERSION=--file", "secret x")] {
        let failure = judged(|it| it.files([(".env.sample", format!("{SAMPLE}{line}\n"))])).unwrap_err();
        assert!(failure.kind == Kind::InvalidRecipe && failure.what.contains(mark), "{failure}");
    }
}
