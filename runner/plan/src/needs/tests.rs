use super::*;

fn of(tests: &[(&str, &str)], libraries: &[&str], known: &[&str], chosen: &str) -> Vec<String> {
    let tests: Vec<TestText<'_>> = tests.iter().map(|(name, text)| TestText { name, text }).collect();
    let known = known.iter().map(|name| (*name).to_owned()).collect();
    needed(&tests, libraries, &known, |name| name.starts_with(chosen)).into_iter().collect()
}

const SCRIPT: &str =
    "#!/usr/bin/env bash\nname=\"written-$CCCI_RUN\"\nprintf 'written=%s\\n' \"$name\" >> \"$CCCI_WORK/variables\"\n";
const HURL: &str = "GET {{CCCI_URL}}/{{written}}/page.txt\nHTTP 200\n";

#[test]
fn a_hurl_file_takes_along_the_script_that_gives_its_value() {
    let tests = [
        ("functional/10-write.sh", SCRIPT),
        ("functional/15-other.sh", "curl \"$CCCI_URL\"\n"),
        ("functional/20-read.hurl", HURL),
    ];
    assert_eq!(of(&tests, &[], &[], "functional/20"), ["functional/10-write.sh"]);
    assert_eq!(of(&tests, &[], &["written"], "functional/20"), [""; 0], "a kept app has the value already");
    assert_eq!(of(&tests, &[], &[], "functional/15"), [""; 0]);
    assert_eq!(of(&tests, &[], &[], "functional/"), [""; 0], "it is chosen already");
}

#[test]
fn what_is_needed_needs_something_too_and_only_what_came_before_counts() {
    let tests = [
        ("install/10-a.hurl", "GET {{CCCI_URL}}\nHTTP 200\n[Captures]\nkeep_a: jsonpath \"$.a\"\n"),
        ("functional/10-b.sh", "x=$keep_a\nprintf 'b=%s\\n' \"$x\" >> \"$CCCI_WORK/variables\"\n"),
        ("functional/20-c.rs", "let b = test.value(\"b\")?;\ntest.remember(\"c\", b)?;\n"),
        ("functional/30-d.hurl", "GET {{CCCI_URL}}/{{ c }}\nHTTP 200\n"),
        ("browser/10-e.sh", "printf 'c=%s\\n' later >> \"$CCCI_WORK/variables\"\n"),
    ];
    assert_eq!(
        of(&tests, &[], &[], "functional/30"),
        ["functional/10-b.sh", "functional/20-c.rs", "install/10-a.hurl"]
    );
    assert_eq!(of(&tests, &[], &["b"], "functional/30"), ["functional/20-c.rs"]);
}

#[test]
fn the_last_test_that_gives_a_name_counts() {
    let give = |value: &str| format!("echo \"x={value}\" >> \"$CCCI_WORK/variables\"\n");
    let (one, two) = (give("1"), give("2"));
    let tests =
        [("functional/10-a.sh", one.as_str()), ("functional/20-b.sh", &two), ("functional/30-c.sh", "echo \"$x\"\n")];
    assert_eq!(of(&tests, &[], &[], "functional/30"), ["functional/20-b.sh"]);
}

const LIBRARY: &str = "\
# remember NAME VALUE
remember() {
  printf '%s=%s\\n' \"$1\" \"$2\" >> \"$CCCI_WORK/variables\"
}

# remember_all NAME=VALUE
remember_all() {
  printf '%s\\n' \"$@\" >> \"$CCCI_WORK/variables\"
}

have_owner() {
  if [ -n \"${owner:-}\" ]; then
    return
  fi
  owner=new
  remember owner \"$owner\"
}

make_realm() {
  remember \"$1_realm\" \"$1\"
}
";

#[test]
fn functions_of_the_library_give_names_where_they_are_called() {
    let tests = [
        ("functional/10-owner.sh", ". ../lib/x.sh\nhave_owner\n"),
        ("functional/20-realm.sh", ". ../lib/x.sh\nmake_realm tests\n"),
        ("functional/25-both.sh", ". ../lib/x.sh\nfor name in ann bob; do\n  remember \"${name}_token\" 1\ndone\n"),
        ("functional/30-self.sh", ". ../lib/x.sh\nhave_owner\necho \"$owner\"\n"),
        ("functional/40-owner.hurl", "GET {{CCCI_URL}}/{{owner}}\nHTTP 200\n"),
        ("functional/50-realm.hurl", "GET {{CCCI_URL}}/{{tests_realm}}\nHTTP 200\n"),
        ("functional/60-token.hurl", "GET {{CCCI_URL}}/{{ann_token}}\nHTTP 200\n"),
        ("functional/70-own.sh", "owner=mine\necho \"$owner\"\n"),
    ];
    let of = |chosen| of(&tests, &[LIBRARY], &[], chosen);
    assert_eq!(of("functional/30"), [""; 0], "it makes an owner where there is none");
    assert_eq!(of("functional/40"), ["functional/30-self.sh"]);
    assert_eq!(of("functional/50"), ["functional/20-realm.sh"]);
    assert_eq!(of("functional/60"), ["functional/25-both.sh"]);
    assert_eq!(of("functional/70"), [""; 0], "it has a value of its own under that name");
}

#[test]
fn several_names_that_are_given_at_once_are_all_known() {
    let all =
        "remember_all ann=\"$a\" \\\n  'bob=b' \"${name}_token=$(cut -d= -f2 <<< \"x=1\")\" last=\"$b\"\nlater=1\n";
    let tests = [
        ("functional/10-all.sh", all),
        ("functional/20-other.sh", "echo \"say remember_all to none=1\"\n"),
        ("functional/30-ann.sh", "echo \"$ann\"\n"),
        ("functional/31-bob.hurl", "GET {{CCCI_URL}}/{{bob}}\nHTTP 200\n"),
        ("functional/32-token.rs", "let t = test.value(\"cem_token\")?;\n"),
        ("functional/33-last.sh", "echo \"$last\"\n"),
        ("functional/40-later.sh", "echo \"$later $none\"\n"),
    ];
    let of = |chosen| of(&tests, &[LIBRARY], &[], chosen);
    for chosen in ["functional/30", "functional/31", "functional/32", "functional/33"] {
        assert_eq!(of(chosen), ["functional/10-all.sh"], "{chosen}");
    }
    assert_eq!(of("functional/40"), [""; 0], "what stands on the next line, or in a text, is not given");
}

#[test]
fn names_that_are_made_at_run_time_are_known_by_their_form() {
    let tests = [
        ("functional/10-a.rs", "test.remember(&format!(\"{name}_token\"), token)?;\n"),
        ("functional/20-b.rs", "test.remember(name, &id)?;\n"),
        ("functional/30-c.rs", "let t = test.value(\"ann_token\")?;\n"),
        ("functional/40-d.rs", "let t = test.value(\"ann\")?;\n"),
    ];
    // A name that is a variable of Rust may be any name.
    assert_eq!(of(&tests, &[], &[], "functional/30"), ["functional/10-a.rs", "functional/20-b.rs"]);
    assert_eq!(of(&tests, &[], &[], "functional/40"), ["functional/20-b.rs"]);
}

#[test]
fn every_pattern_is_one() {
    for pattern in [
        &HURL_USE,
        &HURL_GIVE,
        &RUST_USE,
        &RUST_GIVE,
        &SHELL_USE,
        &SHELL_ASSIGN,
        &SHELL_GIVE,
        &SHELL_PAIR,
        &FUNCTION,
        &SETTER,
        &SETTER_OF_ALL,
        &HOLE,
    ] {
        assert!(pattern.is_some());
    }
}

/// Every test of the recipes by itself: each value that it uses comes from a test that is taken along.
#[test]
fn the_tests_of_the_recipes_here_find_what_they_need() {
    let recipes = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
    let needs = |recipe: &str, chosen: &str| -> Vec<String> {
        crate::prepared::needs_of(&recipes.join(recipe), &BTreeSet::new(), |name| name == chosen)
            .unwrap()
            .into_iter()
            .collect()
    };
    assert_eq!(needs("custom-html", "functional/20-content-types.hurl"), ["functional/10-write-and-fetch.sh"]);
    assert_eq!(needs("custom-html", "functional/10-write-and-fetch.sh"), [""; 0]);
    assert_eq!(
        needs("gitea", "functional/40-pull-request.sh"),
        ["functional/10-people.sh", "functional/20-push-and-clone.sh"]
    );
    assert_eq!(
        needs("matrix-synapse", "functional/30-media.sh"),
        ["functional/10-users.sh", "functional/20-message.sh"]
    );
    assert!(needs("n8n", "browser/10-sign-in.rs").contains(&"functional/20-workflow.sh".to_owned()));
}
