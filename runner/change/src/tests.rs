use std::collections::BTreeSet;

use base::failure::Kind;
use base::names::StackName;
use coopcloud::compose::Compose;

use super::side::uses_in_container;
use super::*;

/// The files of a side.
#[derive(Default, Clone)]
struct Made<'a> {
    version: &'a str,
    sample: &'a str,
    abra_sh: &'a str,
    app: &'a str,
    rest: &'a str,
    config: &'a str,
    notes: &'a [(&'a str, &'a str)],
}

fn stack() -> StackName {
    "x-pr1-1a2b3c4.ci.localhost".parse::<base::names::Domain>().unwrap().stack()
}

fn side(made: &Made<'_>) -> ReleaseSide {
    let sample = EnvFile::parse(&format!("TYPE=x\nDOMAIN=x.example.com\n{}", made.sample));
    let exports = coopcloud::abra_sh::exports(made.abra_sh);
    let image = if made.app.contains("image:") { "" } else { "    image: nginx:1.25\n" };
    let text = format!("services:\n  app:\n{image}{}{}", made.app, made.rest);
    // Required variables get any value while the files are parsed.
    let mut vars = sample.vars();
    for name in ["MUST", "MAY"] {
        vars.entry(name.to_owned()).or_insert_with(|| "x".to_owned());
    }
    vars.extend(exports.clone());
    vars.insert("STACK_NAME".to_owned(), stack().as_str().to_owned());
    let compose = Compose::load(&[("compose.yml".to_owned(), text)], &vars).unwrap();
    let mut uses: Vec<_> = compose.uses.iter().map(|one| (one.clone(), "the compose files".to_owned())).collect();
    let found = uses_in_container(made.config, made.config.contains("{{"), &BTreeSet::new());
    uses.extend(found.into_iter().map(|one| (one, "site.conf".to_owned())));
    ReleaseSide {
        revision: made.version.to_owned(),
        version: Some(made.version.to_owned()),
        sample,
        exports,
        compose,
        missing_files: Vec::new(),
        uses,
        configs: [("x_site_v1".to_owned(), ("site.conf".to_owned(), made.config.to_owned()))].into(),
        notes: made.notes.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
    }
}

fn of(base: &Made<'_>, head: &Made<'_>) -> Change {
    let (base, head) = (side(&Made { version: "1.0.0+1", ..base.clone() }), side(head));
    let left = left_behind(&base.compose, &head.compose, &stack());
    Change { allowances: allowances(&base, &head), base, head, left, published: None }
}

/// What the env file of the base's operator lacks, as text.
fn lacks(base: &Made<'_>, head: &Made<'_>) -> Vec<String> {
    let change = of(base, &Made { version: "1.1.0+1", ..head.clone() });
    change.lacking(&change.base.sample).iter().map(ToString::to_string).collect()
}

#[test]
fn a_setting_is_missed_where_nothing_stands_in_for_it() {
    let old = Made::default();
    let uses = |app| Made { app, ..Made::default() };
    let with = |sample, app| Made { sample, app, ..Made::default() };
    let env = "    environment: [\"MOTTO=${MOTTO}\"]\n";
    assert_eq!(lacks(&old, &with("MOTTO=hello\n", env)), ["lacks MOTTO, which has no default in the compose files"]);
    // A default in the compose file, an empty value in the sample, a comment in the sample: nothing is missing.
    assert!(lacks(&old, &with("MOTTO=hello\n", "    environment: [\"MOTTO=${MOTTO:-hi}\"]\n")).is_empty());
    assert!(lacks(&old, &with("MOTTO=\n", env)).is_empty());
    assert!(lacks(&old, &with("#MOTTO=hello\n", env)).is_empty());
    assert!(lacks(&old, &with("MOTTO=hello\n", "")).is_empty(), "nothing is known to use it");
    // Only the key, as docker accepts it.
    assert_eq!(lacks(&old, &with("MOTTO=hello\n", "    environment: [MOTTO]\n")).len(), 1);
    // Operators already run without it, or have it.
    assert!(lacks(&uses(env), &with("MOTTO=hello\n", env)).is_empty());
    assert!(lacks(&with("MOTTO=a\n", ""), &with("MOTTO=hello\n", env)).is_empty());
    // The recipe itself sets it.
    let exported = Made { abra_sh: "export MOTTO=v1\n", app: env, ..Made::default() };
    assert!(lacks(&old, &exported).is_empty());
}

#[test]
fn what_refuses_to_go_on_is_missed_whatever_the_sample_says() {
    let old = Made::default();
    let app = |app| Made { app, ..Made::default() };
    let must = app("    environment: [\"A=${MUST:?say it}\"]\n");
    assert_eq!(lacks(&old, &must), ["lacks MUST, which is required in the compose files"]);
    assert_eq!(lacks(&Made { sample: "MUST=\n", ..Made::default() }, &must).len(), 1, "an empty value does not do");
    let may = app("    environment: [\"A=${MAY?say it}\"]\n");
    assert!(lacks(&Made { sample: "MAY=\n", ..Made::default() }, &may).is_empty());
    let script = Made { config: "# ${NOT:?x}\nexec app --key \"${MUST:?}\" ${OTHER:-x} $MORE\n", ..Made::default() };
    assert_eq!(lacks(&old, &script), ["lacks MUST, which is required in site.conf"]);
}

#[test]
fn a_template_takes_settings_too() {
    let config =
        "a {{ env \"MOTTO\" }} {{- env `OTHER` -}} {{ if env \"FLAG\" }}x{{ end }} {{ or (env \"Z\") \"z\" }}\n";
    let head = Made { config, sample: "MOTTO=m\nOTHER=o\nFLAG=1\nZ=z\n", ..Made::default() };
    let found = lacks(&Made::default(), &head);
    assert_eq!(
        found,
        ["lacks MOTTO, which has no default in site.conf", "lacks OTHER, which has no default in site.conf"]
    );
}

#[test]
fn a_config_that_changes_under_its_name_is_found() {
    let made = |config| Made { version: "1.1.0+1", config, ..Made::default() };
    assert_eq!(of(&made("a"), &made("b")).unversioned(), [("x_site_v1", "site.conf")]);
    assert!(of(&made("a"), &made("a")).unversioned().is_empty());
}

#[test]
fn a_default_that_goes_away_is_missed() {
    let old = Made { app: "    environment: [\"WORKERS=${WORKERS:-4}\"]\n", ..Made::default() };
    let bare = Made { app: "    environment: [\"WORKERS=${WORKERS}\"]\n", ..Made::default() };
    assert_eq!(lacks(&old, &bare), ["lacks WORKERS, whose default was \"4\" and was removed"]);
    let exported = Made { abra_sh: "export WORKERS=4\n", ..bare.clone() };
    assert_eq!(lacks(&exported, &bare).len(), 1, "abra.sh gave it");
    assert!(lacks(&Made { sample: "WORKERS=2\n", ..old }, &bare).is_empty(), "who set it has it");
}

#[test]
fn a_new_secret_has_no_version_in_old_env_files() {
    let rest = "secrets:\n  token: {external: true, name: \"${STACK_NAME}_token_${SECRET_TOKEN_VERSION}\"}\n";
    let head = Made {
        sample: "SECRET_TOKEN_VERSION=v1 # length=20\n",
        app: "    secrets: [token]\n",
        rest,
        ..Made::default()
    };
    let found = lacks(&Made::default(), &head);
    assert_eq!(found, ["lacks SECRET_TOKEN_VERSION, so that the new secret token has no version and is not generated"]);
}

#[test]
fn operators_are_told_by_a_note_of_this_version_or_by_a_major_one() {
    fn refused(version: &str, notes: &[(&str, &str)], before: &[(&str, &str)]) -> (Option<Kind>, Vec<Allowance>) {
        let app = "    environment: [\"MOTTO=${MOTTO}\"]\n";
        let head = Made { version, sample: "MOTTO=hello\n", app, notes, ..Made::default() };
        let change = of(&Made { notes: before, ..Made::default() }, &head);
        let lacking = change.lacking(&change.base.sample);
        (change.refuses(&lacking).err().map(|failure| failure.kind), change.allowances)
    }
    let note = |name| [(name, "Set MOTTO first.")];
    let red = Some(Kind::SettingMissing);
    assert_eq!(refused("1.1.0+1", &[], &[]).0, red);
    assert_eq!(refused("1.0.0+1", &[], &[]).0, red);
    for name in ["1.1.0+1", "next", "1.0.1+1"] {
        assert_eq!(refused("1.1.0+1", &note(name), &[]).0, None, "{name}");
    }
    assert_eq!(refused("1.1.0+1", &note("1.2.0+1"), &[]).0, red, "an upgrade to 1.1.0 does not show it");
    assert_eq!(refused("1.1.0+1", &note("1.0.0+1"), &[]).0, red, "of the release that operators have");
    assert_eq!(refused("1.1.0+1", &note("next"), &note("next")).0, red, "it was there before");
    assert_eq!(refused("1.0.0+1", &note("1.1.0+1"), &[]).0, None, "the label is raised at the release");
    let (ended, allowances) = refused("2.0.0+1", &[], &[]);
    assert_eq!((ended, matches!(allowances[..], [Allowance::Major { .. }])), (None, true));
    assert_eq!(refused("1.1.0+1", &[("next", "Packages are newer. Nothing to do.")], &[]).0, red, "it has other news");
    assert_eq!(refused("1.1.0+1", &[("next", "Compare your settings with .env.sample.")], &[]).0, None);
}

#[test]
fn the_failure_names_everything_and_what_may_have_been_renamed() {
    let app = "    environment: [\"A=${SITE_MOTTO}\", \"B=${SITE_COLOUR}\"]\n";
    let head = Made { version: "1.1.0+1", sample: "SITE_MOTTO=m\nSITE_COLOUR=c\n", app, ..Made::default() };
    let change = of(&Made { sample: "MOTTO=m\n", ..Made::default() }, &head);
    let failure = change.refuses(&change.lacking(&change.base.sample)).unwrap_err();
    insta::assert_snapshot!(format!("{}\n{}\n{}", failure.what, failure.look_at, failure.detail));
}

#[test]
fn what_the_sample_changes_is_told_and_not_followed() {
    let base = Made { sample: "SIZE=1\nSECRET_KEY_VERSION=v1\nSAME=x\n", ..Made::default() };
    let head = Made {
        version: "1.1.0+1",
        sample: "SIZE=2\nSECRET_KEY_VERSION=v2\nSAME=x\nCOMPOSE_FILE=\"compose.yml:compose.db.yml\"\nNEW=1\n",
        ..Made::default()
    };
    let change = of(&base, &head);
    let left_out = unclaimed(&change.base.sample.vars(), &[], &change.head);
    assert_eq!(left_out.iter().map(String::as_str).collect::<Vec<_>>(), ["NEW"]);
    insta::assert_snapshot!(change.told_settings(&[], &left_out, true).join("\n"));
    assert!(change.told_settings(&[], &left_out, false).iter().all(|note| note.contains("no stage of this run")));
}

#[test]
fn what_is_not_named_any_more_is_left_behind_with_its_command() {
    let two = "  web:\n    image: a:1\nvolumes: {data: {}, pages: {name: \"${STACK_NAME}_p\"}, shared: {external: true}}\nconfigs: {site: {name: \"${STACK_NAME}_site_v1\", file: a}, old: {name: \"${STACK_NAME}_old_v1\", file: b}}\nsecrets: {key: {external: true, name: \"${STACK_NAME}_key_v1\"}}\nnetworks: {inner: {}, proxy: {external: true}}\n";
    let one = "volumes: {pages: {name: \"${STACK_NAME}_other\"}}\nconfigs: {site: {name: \"${STACK_NAME}_site_v2\", file: a}}\n";
    let change = of(&Made { rest: two, ..Made::default() }, &Made { version: "1.1.0+1", rest: one, ..Made::default() });
    let left: Vec<String> = change.left.iter().map(ToString::to_string).collect();
    assert_eq!(left, ["service web", "volume data", "volume pages", "config old", "secret key", "network inner"]);
    let told = change.told_left(&stack(), |one| one.kind != "network").unwrap();
    assert!(
        told.contains("docker service rm STACK_web; docker volume rm STACK_data; docker volume rm STACK_p;"),
        "{told}"
    );
    assert!(
        !told.contains("inner")
            && told.contains("service web (runs on), volume data")
            && told.contains("for release/1.1.0+1"),
        "{told}"
    );
    assert_eq!(change.told_left(&stack(), |_| false), None);
}

#[test]
fn an_orphan_explains_what_it_is_in_the_way_of() {
    let labels = |name: &str| format!("    deploy: {{labels: [\"traefik.http.routers.{name}.rule=Host(`a.b`)\"]}}\n");
    let web = format!("  web:\n    image: a:1\n    ports: [\"8080:80\"]\n{}", labels("x"));
    let app = format!("    ports: [\"8080:80\"]\n{}", labels("x"));
    let change =
        of(&Made { rest: &web, ..Made::default() }, &Made { version: "1.1.0+1", app: &app, ..Made::default() });
    let explained = |kind, what: &str| change.explain(Failure::new(kind, what, "x"), &stack());
    let port = explained(Kind::PortTaken, "port 8080 is held");
    assert_eq!(port.kind, Kind::OrphanInTheWay);
    assert!(
        port.what.contains("service web of 1.0.0+1 runs on") && port.what.contains("holds port 8080"),
        "{}",
        port.what
    );
    assert!(port.look_at.contains("docker service rm STACK_web"), "{}", port.look_at);
    assert_eq!(explained(Kind::PortTaken, "port 443 is held").kind, Kind::PortTaken, "another port");
    assert_eq!(explained(Kind::NoAnswer, "it answered 404").kind, Kind::OrphanInTheWay);
    assert_eq!(explained(Kind::CrashLoop, "8080").kind, Kind::CrashLoop, "no route or port does that");
    let alone = of(&Made::default(), &Made { version: "1.1.0+1", app: &app, ..Made::default() });
    assert_eq!(alone.explain(Failure::new(Kind::NoAnswer, "404", "x"), &stack()).kind, Kind::NoAnswer);
}

#[test]
fn a_version_that_says_too_little_is_told() {
    let told = |base: &Made<'_>, head: &Made<'_>| {
        let change = of(base, head);
        remarks(&change).join("\n")
    };
    let old = Made { app: "    image: postgres:13.4-alpine\n", ..Made::default() };
    let image = |version, app, notes| Made { version, app, notes, ..Made::default() };
    let minor = told(&old, &image("1.1.0+15", "    image: postgres:15.1-alpine\n", &[]));
    assert!(
        minor.contains("1.0.0+1 to 1.1.0+15, up by a minor number, and the image of app goes from postgres:13.4"),
        "{minor}"
    );
    assert!(minor.contains("no note below release/ is new"), "{minor}");
    assert_eq!(told(&old, &image("2.0.0+15", "    image: postgres:15\n", &[("2.0.0+15", "Dump first")])), "");
    assert_eq!(told(&old, &image("1.0.1+1", "    image: postgres:13.9-alpine\n", &[])), "");
    assert_eq!(told(&old, &image("1.0.1+1", "    image: mariadb:15\n", &[])), "", "another image has other numbers");
    let down = told(&old, &image("0.9.0+1", "    image: postgres:13.4-alpine\n", &[]));
    assert!(down.contains("the version goes down"), "{down}");
    let new = told(&Made::default(), &Made { version: "1.0.1+1", sample: "NEW=1\n", ..Made::default() });
    assert_eq!(new, "the version goes from 1.0.0+1 to 1.0.1+1, up by a patch, and settings are new (NEW)");
    let volumes = Made { rest: "volumes: {data: {}}\n", ..Made::default() };
    let gone = told(&volumes, &Made { version: "1.1.0+1", ..Made::default() });
    assert!(gone.contains("volume data is renamed or removed"), "{gone}");
}

#[test]
fn what_no_run_deploys_is_found() {
    let files = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let changed = files(&[
        "compose.mail.yml",
        "mail.conf",
        "nginx.conf",
        "README.md",
        "release/next",
        ".drone.yml",
        "abra.sh",
        "scripts/dump.sh",
        "logo.png",
        "LICENSE",
    ]);
    assert_eq!(
        parts_that_nothing_deploys(&changed, &["nginx.conf".to_owned()].into()),
        ["mail.conf", "scripts/dump.sh"]
    );
    let base = "export A=v1\nset_page() {\n  echo one\n}\nsame() { true; }\n";
    let head = "export A=v2\nset_page() {\n  echo two\n}\nsame() { true; }\nfunction new {\n  x\n}\n";
    assert_eq!(changed_functions(base, head), ["new", "set_page"]);
    assert!(changed_functions(base, base).is_empty());
}

#[test]
fn commands_timers_and_entrypoints_that_nothing_here_serves_are_found() {
    let env = EnvFile::parse(
        "POST_DEPLOY_CMDS=\"app a|app b\"\nPOST_UPGRADE_CMDS=\nPRE_DEPLOY_CMDS=x\nPOST_OFFICE_CMDS=x\n#POST_UNDEPLOY_CMDS=x\n",
    );
    let keys: Vec<String> = commands(&env).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["POST_DEPLOY_CMDS", "PRE_DEPLOY_CMDS"]);
    let rest = "  cron:\n    image: a:1\n    deploy:\n      replicas: 0\n      labels: [\"swarm.cronjob.enable=true\", \"swarm.cronjob.schedule=0 3 * * *\"]\n  spare:\n    image: a:1\n    deploy: {replicas: 0}\n";
    let app = "    deploy:\n      labels:\n        - traefik.http.routers.x.entrypoints=web-secure, admin\n        - traefik.tcp.routers.ssh.entrypoints=ssh\n        - traefik.http.routers.x.rule=Host(`a`)\n";
    let compose = side(&Made { version: "1.0.0", app, rest, ..Made::default() }).compose;
    assert_eq!(timers(&compose), ["cron (swarm-cronjob, 0 3 * * *)", "spare (0 replicas)"]);
    let known = ["web".to_owned(), "web-secure".to_owned()].into();
    let found: Vec<String> = entrypoints(&compose, &known)
        .into_iter()
        .map(|(_, router, entrypoint)| format!("{router} {entrypoint}"))
        .collect();
    assert_eq!(found, ["http x admin", "tcp ssh ssh"]);
}
