//! What `install_steps.sh` switches on: a compose file of the recipe's that nobody uses by itself.

use std::path::Path;

use journal::event::{Outcome, Stage};

use super::made::Made;
use super::support::{Said, left, otherwise, own_state};

const STEPS: &str = r#"
cat >>"$CCCI_ENV_FILE" <<'END'
COMPOSE_FILE="$COMPOSE_FILE:compose.extra.yml"
SECRET_EXTRA_VERSION=v1  # length=16
END
echo switched
"#;

/// Runs a recipe with such a file, whose service has these lines more, and with a test of what it does.
fn run(dir: &Path, name: &str, service: &str, rest: &str, test: &str) -> Said {
    let text = format!("version: \"3.8\"\nservices:\n  app:\n{service}{rest}");
    let builder = testbed::repos::Source::load("custom-html-unreleased").unwrap().builder().unwrap();
    let builder = builder.at("good/new-release").unwrap().files([("compose.extra.yml", text)]);
    let repository = dir.join(name);
    builder.commit("Something extra").branch("extra").build(&repository).unwrap();
    let made = Made::new().recipe(name, repository.to_str().unwrap(), "").test(name, "install_steps.sh", STEPS).test(
        name,
        "functional/10-extra.sh",
        test,
    );
    let state = own_state();
    let mut command = made.command(state.path(), &["run", name, "--ref", "extra", "--json"]);
    // The other tests run with what abra-lite does by itself.
    Said::of(command.env("CCCI_ABRA", otherwise(dir)).output().unwrap())
}

#[test]
fn a_file_that_is_switched_on_is_deployed_with_its_secrets_and_cannot_overrule_cc_ci() {
    let dir = tempfile::tempdir().unwrap();
    let service = "    environment: [EXTRA=yes]\n    secrets: [extra]\n";
    let rest = "secrets:\n  extra:\n    external: true\n    name: ${STACK_NAME}_extra_${SECRET_EXTRA_VERSION}\n";
    let test = r#"
inside() { "$CCCI_EXEC" app -- "$@"; }
test "$(inside printenv EXTRA)" = yes
test "$(inside cat /run/secrets/extra | wc -c)" = 16
grep -q '^COMPOSE_FILE=compose.yml:compose.extra.yml:compose.cc-ci.yml$' "$CCCI_ENV_FILE"
curl -fsS --cacert "$CCCI_CA" --resolve "$CCCI_RESOLVE" "$CCCI_URL" >/dev/null
"#;
    let said = run(dir.path(), "switched", service, rest, test);
    assert_eq!(said.code, 0, "{}\n{}", said.verdict().line, said.stderr);
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}

#[test]
fn a_file_that_is_switched_on_may_ask_for_no_more_than_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let service = "    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock:ro\n";
    let said = run(dir.path(), "switched-too", service, "", "true");
    assert_eq!(said.decided(), "forbidden-compose", "{}", said.stderr);
    assert_eq!(said.outcome(Stage::Install), Some(Outcome::Failed));
    assert_eq!(left(&said.stack()), Vec::<String>::new());
}
