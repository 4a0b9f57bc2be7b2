use coopcloud::compose::Compose;
use coopcloud::envfile::EnvFile;

use super::*;

const COMPOSE: &str = r#"
services:
  app:
    image: example.org/notes:1.0
    volumes: ["files:/srv/files", "cache:/var/cache/notes"]
    ports: [{ target: 25, published: 2525, mode: host }]
    healthcheck: { test: ["CMD-SHELL", "curl -fsS http://localhost:8080/healthz || exit 1"] }
    deploy:
      labels: ["backupbot.backup=true", "backupbot.backup.volumes.cache=false"]
  db:
    image: postgis/postgis:15-3.4
    volumes: ["db:/var/lib/postgresql/data"]
volumes: { files: {}, cache: {}, db: {} }
"#;

fn look(compose: &str, env: &str) -> ScaffoldInput {
    let compose = Compose::load(&[("compose.yml".to_owned(), compose.to_owned())], &Default::default()).unwrap();
    seen(&compose, &EnvFile::parse(env))
}

#[test]
fn what_a_test_needs_is_seen() {
    let env = "OIDC_ISSUER=x\nSECRET_SMTP_PASSWORD_VERSION=v1 # generate=false\nSECRET_KEY_VERSION=v1 # length=32\n";
    let seen = look(COMPOSE, env);
    assert!(matches!(&seen.door, door::Door::At { path, status, .. } if path == "/healthz" && *status == [200]));
    assert_eq!(seen.given_secrets, ["smtp_password"]);
    assert_eq!(seen.host_ports, [2525]);
    assert_eq!(seen.database, Some(Database { service: "db".to_owned() }));
    assert_eq!(seen.folder, Some(("app".to_owned(), "/srv/files".to_owned())));
    assert_eq!((seen.speaks_of_sso, seen.uncovered), (true, vec!["cache".to_owned()]));
}

#[test]
fn an_app_that_only_its_ports_reach_is_waited_for_there() {
    let closed = COMPOSE.replace("backupbot.backup=true", "traefik.http.routers.x.rule=Host(`www.else.example.org`)");
    let both = "[{ target: 9, published: 90, mode: host, protocol: udp }, { target: 9, published: 90, mode: host }]";
    let compose = closed.replace("[{ target: 25, published: 2525, mode: host }]", both);
    let written = files(&"notes".parse().unwrap(), None, &look(&compose, "DOMAIN=notes.example.com"));
    let toml = crate::recipe_toml::parse(&written[0].text).unwrap();
    assert_eq!((toml.health.http, toml.health.tcp.len(), toml.host_ports.len()), (false, 1, 1));
    assert!(toml.opt_out.is_empty());
}

#[test]
fn every_scaffold_is_a_valid_recipe_with_one_thing_to_fill_in() {
    let recipe = "notes".parse().unwrap();
    let no_database = COMPOSE.replace("postgis/postgis:15-3.4", "memcached:1");
    let plain = "services:\n  app:\n    image: example.org/plain:1\n";
    let mariadb = COMPOSE.replace("postgis/postgis:15-3.4", "mariadb:10");
    for (compose, data) in [(COMPOSE, 3), (&mariadb, 3), (&no_database, 3), (plain, 0)] {
        let files = files(&recipe, Some("https://git.example.org/\"notes\".git"), &look(compose, ""));
        let text = |path: &str| &files.iter().find(|file| file.path == path).unwrap().text;
        let toml = crate::recipe_toml::parse(text("recipe.toml")).unwrap();
        assert_eq!(toml.source.as_deref(), Some("https://git.example.org/\"notes\".git"));
        assert_eq!(files.iter().filter(|file| file.path.starts_with("data/")).count(), data);
        let unfilled = files.iter().filter(|file| file.text.contains("FILL IN")).count();
        assert_eq!(unfilled, 1);
        let scripts: Vec<_> = files
            .iter()
            .filter(|file| file.path.ends_with(".sh"))
            .map(|file| crate::lint::Script { name: file.path.clone(), text: file.text.clone() })
            .collect();
        assert_eq!(crate::lint::syntax(&scripts), []);
    }
}

#[test]
fn a_scaffold_reads_well() {
    let recipe = "notes".parse().unwrap();
    let env = "SECRET_SMTP_PASSWORD_VERSION=v1 # generate=false\n";
    let files = files(&recipe, None, &look(COMPOSE, env));
    let all: String = files.iter().map(|file| format!("==== {}\n{}\n", file.path, file.text)).collect();
    insta::assert_snapshot!(all);
}

proptest::proptest! {
    #[test]
    fn no_healthcheck_makes_a_bad_path(test in ".{0,60}") {
        let compose = serde_json::json!({ "services": { "app": { "image": "x:1", "healthcheck": { "test": test } } } });
        if let Ok(compose) = Compose::load(&[("c".to_owned(), compose.to_string())], &Default::default()) {
            let files = files(&"x".parse().unwrap(), None, &seen(&compose, &EnvFile::parse("")));
            proptest::prop_assert!(crate::recipe_toml::parse(&files[0].text).is_ok(), "{}", files[0].text);
        }
    }
}
