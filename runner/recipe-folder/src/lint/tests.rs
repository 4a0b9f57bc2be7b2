use std::os::unix::fs::PermissionsExt as _;

use super::*;

const TEST: &str = "#!/usr/bin/env bash\nset -euo pipefail\ncurl -f \"$CCCI_URL/x\" | grep -q word\n";
const HURL: &str = "GET {{CCCI_URL}}/x\nHTTP 200\n[Asserts]\nbody contains \"word\"\n";
const PARITY: &str = "| the corpus | here | source |\n|---|---|---|\n| `one` | `functional/10-a.sh` | x |\n\
                      | `two` | `functional/20-b.hurl` | x |\n";

/// A sound recipe's folder with some files changed or added.
fn folder(changes: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let sound =
        [("recipe.toml", ""), ("PARITY.md", PARITY), ("functional/10-a.sh", TEST), ("functional/20-b.hurl", HURL)];
    for (name, text) in sound.iter().chain(changes) {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let mode = if name.ends_with(".sh") { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    dir
}

/// What is found, as `file:line: rule`.
async fn found(changes: &[(&str, &str)]) -> Vec<String> {
    let dir = folder(changes);
    let short = |finding: Finding| {
        let file = finding.file.strip_prefix(&format!("{}/", dir.path().display())).unwrap().to_owned();
        let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{file}{line}: {}", finding.rule.code())
    };
    lint(dir.path()).await.unwrap().into_iter().map(short).collect()
}

#[tokio::test]
async fn a_sound_folder_has_no_findings() {
    let none: [String; 0] = [];
    assert_eq!(found(&[]).await, none);
    let with_more = [
        ("lib/app.sh", "say() { echo \"$1\"; }\n"),
        ("functional/files/picture.svg", "<svg/>"),
        (
            "functional/10-a.sh",
            &format!("{TEST}. lib/app.sh\nuntil curl -f \"$CCCI_URL\"; do sleep 1; done\n# test that it works\n"),
        ),
        ("functional/20-b.hurl", &format!("{HURL}\nPOST {{{{CCCI_URL}}}}/x\nfile,files/picture.svg;\nHTTP 201\n")),
        ("PARITY.md", &format!("{PARITY}| `webrtc` | cannot be had | x |\n")),
        ("recipe.toml", "[missing]\nwebrtc = 'no inbound UDP reaches this machine'\n"),
        ("data/seed.sh", TEST),
        ("data/wipe.sh", TEST),
        ("data/check.hurl", HURL),
    ];
    assert_eq!(found(&with_more).await, none);
}

/// One mistake each, and exactly the finding that it has to give.
#[tokio::test]
async fn each_mistake_is_found_where_it_is() {
    let parity = |row: &str| format!("{PARITY}{row}\n");
    let script = |line: &str| format!("{TEST}{line}\n");
    let a = "functional/10-a.sh";
    let cases: [(&str, String, &str); 25] = [
        ("recipe.toml", "[helth]\n".into(), "recipe.toml: schema"),
        ("notes.txt", "x".into(), "notes.txt: never-runs"),
        ("functional/old/10-a.hurl", HURL.into(), "functional/old/10-a.hurl: never-runs"),
        ("functionl/10-a.hurl", HURL.into(), "functionl/10-a.hurl: never-runs"),
        ("lib/unused.sh", "x=1\n".into(), "lib/unused.sh: never-runs"),
        ("data/seed.sh", TEST.into(), "data: data-incomplete"),
        ("PARITY.md", parity("| `three` | `functional/30-c.sh` | x |"), "PARITY.md:5: parity-row"),
        ("PARITY.md", parity("| `three` | later | x |"), "PARITY.md:5: parity-row"),
        ("install/10-x.hurl", HURL.into(), "install/10-x.hurl: parity-test"),
        ("functional/20-b.hurl", "GET {{CCCI_URL}}/\nHTTP 200\n".into(), "functional/20-b.hurl:1: cannot-run"),
        ("functional/20-b.hurl", "GET\n".into(), "functional/20-b.hurl:1: cannot-run"),
        ("functional/20-b.hurl", format!("{HURL}# GET {{{{CCCI_URL}}}}/y\n"), "functional/20-b.hurl:5: commented-out"),
        ("functional/20-b.hurl", HURL.replace("word", "v1.22.3"), "functional/20-b.hurl:4: fixed-version"),
        (a, script("# grep -q word file"), "functional/10-a.sh:4: commented-out"),
        (a, script("if true; then exit 0; fi"), "functional/10-a.sh:4: skipped"),
        (a, script("grep -q word file || true"), "functional/10-a.sh:4: skipped"),
        (a, script("echo \"skipping the rest\""), "functional/10-a.sh:4: skipped"),
        (a, script("sleep 5"), "functional/10-a.sh:4: bare-sleep"),
        (a, script("\"$CCCI_ABRA\" app run -n \"$CCCI_DOMAIN\" app -- ls"), "functional/10-a.sh:4: app-run"),
        (a, script("for i in 1 2; do sleep 1; done; sleep 2"), "functional/10-a.sh:4: bare-sleep"),
        (a, script("[ \"$version\" = 1.2.3 ]"), "functional/10-a.sh:4: fixed-version"),
        (a, TEST.replace("set -euo pipefail\n", ""), "functional/10-a.sh:1: no-errexit"),
        (a, script("# FILL IN: what the app is for"), "functional/10-a.sh:4: unfilled"),
        (a, script("if true; then"), "functional/10-a.sh: cannot-run"),
        ("lib/10-a.sh", "case x in\n".into(), "lib/10-a.sh:2: shell-syntax"),
    ];
    for (file, text, finding) in cases {
        let mut changes = vec![(file, text.as_str())];
        if file == "lib/10-a.sh" {
            changes.push(("functional/10-a.sh", "#!/usr/bin/env bash\nset -e\n. lib/10-a.sh\n"));
        }
        assert_eq!(found(&changes).await, [finding], "{file}\n{text}");
    }
}

#[tokio::test]
async fn a_test_of_a_redeploy_that_nothing_asks_for_is_found() {
    let parity = format!("{PARITY}| `three` | `reconfigure/10-a.hurl` | x |\n");
    let files = [("reconfigure/10-a.hurl", HURL), ("PARITY.md", parity.as_str())];
    assert_eq!(found(&files).await, ["reconfigure/10-a.hurl: never-runs"]);
    let asked = [files[0], files[1], ("recipe.toml", "[reconfigure]\nenv = { TITLE = 'x' }\n")];
    assert_eq!(found(&asked).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_script_without_its_run_bit_and_a_lone_test_are_found() {
    let dir = folder(&[]);
    let script = dir.path().join("functional/10-a.sh");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o644)).unwrap();
    let text = lint(dir.path()).await.unwrap()[0].to_string();
    assert!(text.ends_with("functional/10-a.sh: cannot-run: no run bit: chmod +x 10-a.sh"), "{text}");
    std::fs::rename(&script, dir.path().join("functional/10-health_check.sh")).unwrap();
    let rules: Vec<Rule> = lint(dir.path()).await.unwrap().iter().map(|finding| finding.rule).collect();
    assert!(rules.contains(&Rule::FewTests), "{rules:?}");
}

#[test]
fn the_shell_of_a_repository_is_read_before_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("compose.yml", "services:\n  app:\n    healthcheck: { test: 'curl -f http://x || (exit 1' }\n");
    write("compose.smtp.yml", "services: [\n");
    write(".drone.yml", "steps:\n  - name: build\n    commands: ['if true', 'fi']\n");
    write("abra.sh", "export A=1\nb() {\n");
    write(
        "entrypoint.sh.tmpl",
        "#!/bin/sh\n{{ if eq (env \"A\") \"1\" }}\nexport B={{ env \"B\" }}\n{{ end }}\nexec \"$@\"\n",
    );
    write("page.html.tmpl", "<p>it's ${ not shell</p>\n");
    std::os::unix::fs::symlink("/etc/hostname", dir.path().join("link.sh")).unwrap();
    write(".woodpecker.yml", "{{ template }}\n- {\n");
    let unparsed = shell(dir.path()).unwrap();
    let words = |found: &[Finding]| found.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (found, pipelines) = (words(&unparsed.deployed), words(&unparsed.pipelines));
    let has = |words: &str| found.iter().any(|text| text.contains(words));
    assert!(has("compose.yml: services.app.healthcheck.test"), "{found:#?}");
    assert!(has("compose.smtp.yml: shell-syntax: is no YAML"), "{found:#?}");
    assert!(has("abra.sh:3"), "{found:#?}");
    assert_eq!(found.len(), 3, "{found:#?}");
    // No run takes them up, and a template of one is no YAML.
    assert!(pipelines[0].contains(".drone.yml: steps.build.commands"), "{pipelines:#?}");
    assert!(pipelines[1].contains(".woodpecker.yml: shell-syntax: is no YAML"), "{pipelines:#?}");
    assert_eq!(pipelines.len(), 2, "{pipelines:#?}");
}

#[tokio::test]
async fn the_recipes_of_this_repository_keep_the_contract() {
    let mut seen = 0;
    for entry in std::fs::read_dir("../../recipes").unwrap() {
        let path = entry.unwrap().path();
        if path.join("recipe.toml").exists() {
            assert_eq!(lint(&path).await.unwrap(), [], "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 2);
}

#[test]
fn codes_are_unique() {
    let mut codes: Vec<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Rule::ALL.len());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        let mut files = std::collections::BTreeMap::new();
        for name in ["PARITY.md", "functional/a.sh", "functional/b.hurl", "browser/c.rs"] {
            files.insert(name.to_owned(), Some(text.clone()));
        }
        let folder = Folder { path: "x".into(), files };
        let _ = (weak::check(&folder), parity::check(&folder, &Default::default()), runs::what_never_runs(&folder));
    }
}
