use super::*;

const WHOLE: &str = r#"
source = "https://git.example.org/app.git"
requires = ["postgres"]
test_requires = ["mailu"]
host_ports = [25, 143]

[sso]
provider = "keycloak"
share = true
redirects = ["/oauth2/callback"]

[health]
path = "/healthz"
status = [200]
body = "ok"
in_a_row = 3
tcp = [25]
tls = [{ port = 993 }, { port = 64738, host = "voice.{domain}", self_signed = true }]
commands = [{ service = "db", run = ["pg_isready", "-q"] }]
hosts = [{ host = "files-{domain}", path = "/up", status = [204] }]

[timeouts]
install = 60

[weight]
memory_mib = 700

[upgrade]
from = "1.0.0+2"

[secrets]
smtp_password = { length = 20 }

[opt_out]
"upgrade.data" = "the volume is a cache that an upgrade may empty"

[missing]
webrtc-media = "no inbound UDP reaches this machine"
"#;

#[test]
fn an_empty_file_gives_the_defaults() {
    assert_eq!(parse("").unwrap(), RecipeToml::default());
}

#[test]
fn every_key_is_read() {
    let read = parse(WHOLE).unwrap();
    assert_eq!(read.requires[0].as_str(), "postgres");
    assert_eq!(read.host_ports.len(), 2);
    assert_eq!(read.sso.as_ref().unwrap().provider, Provider::Keycloak);
    assert_eq!(read.health.path.as_str(), "/healthz");
    assert_eq!((read.health.in_a_row.get().get(), read.health.tls.len()), (3, 2));
    let voice = read.health.tls[1].host.as_ref().unwrap();
    assert_eq!(voice.of("a-1.ci.localhost"), "voice.a-1.ci.localhost");
    assert_eq!(read.health.hosts[0].host.of("a-1.ci.localhost"), "files-a-1.ci.localhost");
    assert_eq!((read.timeouts.install.get(), read.timeouts.prepare.get()), (60, 900));
    assert_eq!(read.weight.memory_mib.get(), 700);
    assert_eq!(read.secrets["smtp_password"].length.get(), 20);
    assert_eq!(read.opted_out("upgrade.data").unwrap().as_str(), "the volume is a cache that an upgrade may empty");
    assert_eq!(read.opted_out("upgrade.answers"), None);
}

#[test]
fn a_stage_that_is_opted_out_of_takes_its_checks_with_it() {
    let read = parse("[opt_out]\nbackup = 'there is nothing to keep in it'").unwrap();
    assert!(read.opted_out("backup.markers").is_some() && read.opted_out("upgrade.data").is_none());
}

/// Each key wrong in turn: the message has the line, and says what would be right.
#[test]
fn each_wrong_key_is_named_with_its_line() {
    let cases = [
        ("sorce = 'x'", "did you mean \"source\"?"),
        ("source = 1", "expected a string"),
        ("requires = 'postgres'", "expected a sequence"),
        ("requires = ['Post Gres']", "is not a recipe name"),
        ("test_requires = ['../x']", "is not a recipe name"),
        ("host_ports = [0]", "nonzero"),
        ("host_ports = [70000]", "70000"),
        ("[sso]\nprovder = 'keycloak'", "did you mean \"provider\"?"),
        ("[sso]\nprovider = 'keycloack'", "did you mean \"keycloak\"?"),
        ("[sso]\nshare = true", "missing field `provider`"),
        ("[sso]\nprovider = 'keycloak'\nredirects = ['callback']", "has to start with /"),
        ("[healt]\npath = '/'", "did you mean \"health\"?"),
        ("[health]\npath = 'x'", "has to start with /"),
        ("[health]\nstatus = 200", "expected a sequence"),
        ("[health]\nstatus = [99]", "no HTTP status"),
        ("[health]\nstatus = []", "at least one"),
        ("[health]\nbody = true", "expected a string"),
        ("[health]\nhttp = false", "nothing shows that the app is well"),
        ("[health]\nin_a_row = 0", "(1 to 30)"),
        ("[health]\nin_a_row = 31", "(1 to 30)"),
        ("[health]\ntcp = [0]", "nonzero"),
        ("[health]\ntls = [{ prt = 993 }]", "did you mean \"port\"?"),
        ("[health]\ntls = [{ port = 993, host = 'mail.example.org' }]", "is none of the app"),
        ("[health]\ncommands = [{ service = 'db', run = [] }]", "no command"),
        ("[health]\ncommands = [{ run = ['true'] }]", "missing field `service`"),
        ("[health]\nhosts = [{ host = '{domain}' }]", "is none of the app"),
        ("[health]\nhosts = [{ host = 'x.{domain}', status = [] }]", "at least one"),
        ("[timeouts]\ninstall = 'soon'", "expected u64"),
        ("[timeouts]\ninstall = 0", "no time for a stage"),
        ("[timeouts]\nintsall = 9", "did you mean \"install\"?"),
        ("[weight]\nmemory_mib = -1", "expected"),
        ("[upgrade]\nfrm = '1'", "`from`"),
        ("[rollback]\nto = '1'", "unknown field"),
        ("[upgrade]\ntwo_bak = true", "did you mean \"two_back\"?"),
        ("[backup]\ncross_relase = true", "`cross_release`"),
        ("[faults.restrat]", "did you mean \"restart\"?"),
        ("[faults.restart]\naway = 5", "`within`"),
        ("[faults.database_gone]\naway = 0", "no time for a stage"),
        ("[reconfigure]", "missing field `env`"),
        ("[reconfigure]\nenv = {}", "names no setting"),
        ("[reconfigure]\nenv = { DOMAIN = 'x' }", "no setting that a redeploy can change"),
        ("[variant.mail]", "needs `compose` or `env`"),
        ("[variant.mail]\ncompose = ['../x.yml']", "no path of a file"),
        ("[variant.mail]\ncompose = ['a.yml:b.yml']", "no path of a file"),
        ("[variant.mail]\nenv = { DOMAIN = 'x' }", "no setting that a variant can have"),
        ("[variant.Mail]\nenv = { A = 'x' }", "no name of a variant"),
        ("[secrets]\nx = { length = 0 }", "cannot be made"),
        ("[secrets]\nx = 5", "MadeSecret"),
        ("[opt_out]\n'upgrade.dat' = 'a good reason here'", "did you mean \"upgrade.data\"?"),
        ("[opt_out]\n'install.settled' = 'a good reason here'", "no check"),
        ("[opt_out]\nbackup = ' '", "no reason"),
        ("[missing]\nwebrtc = ''", "no reason"),
        ("[health", "TOML parse error"),
    ];
    for (text, says) in cases {
        let error = parse(text).unwrap_err();
        assert!(error.contains(says), "{text}\n{error}");
        let line = text.lines().count();
        assert!(error.contains(&format!("line {line},")) || error.contains("line 1,"), "{text}\n{error}");
    }
}

#[test]
fn what_is_waited_for_is_told_in_words() {
    let of = |text: &str| parse(text).unwrap().health.awaited();
    assert_eq!(of(""), "the app answers");
    assert_eq!(
        of("[health]\nhttp = false\nin_a_row = 2\ntcp = [25]\ntls = [{ port = 993 }]"),
        "port 25 takes connections, port 993 shakes hands by TLS, 2 times in a row"
    );
    assert_eq!(
        of("[health]\ncommands = [{ service = 'db', run = ['a', 'b'] }]\nhosts = [{ host = 'x.{domain}' }]"),
        "the app answers, `a b` ends with 0 in service db, https://x.{domain}/ answers"
    );
}

#[test]
fn what_a_person_reads() {
    insta::assert_snapshot!(parse("[health]\npath = '/'\nstaus = [200]\n").unwrap_err());
}

#[test]
fn the_published_schema_is_the_one_of_the_types() {
    let published = std::fs::read_to_string("../../docs/recipe.schema.json").unwrap_or_default();
    assert!(published == schema(), "docs/recipe.schema.json is stale: cc-ci docs schema > docs/recipe.schema.json");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        let _ = parse(&text);
    }
}

#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recipe.toml");
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert!(read(dir.path()).unwrap_err().to_string().contains("no text file"));
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(read(dir.path()).unwrap_err().to_string().contains("no text file"));
}

#[test]
fn a_key_of_very_many_parts_is_told_with_its_line() {
    let text = format!("source = \"x\"\n{} = 1\n", vec!["a"; 3_000].join("."));
    let why = parse(&text).unwrap_err();
    assert!(why.contains("line 2"), "{why}");
}
