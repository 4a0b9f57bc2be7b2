//! Which files of a commit are tests, and which tests it added or changed.

use super::rust;

/// What a file is to a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// What is tested.
    Code,
    /// Nothing but tests, or what only tests use.
    Test,
}

/// How a commit changed a file: what it was, none where it is new, and what it is, none where it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) path: String,
    pub(super) role: Role,
    pub(super) was: Option<Vec<u8>>,
    pub(super) is: Option<Vec<u8>>,
}

/// A test that a commit added or changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Touched {
    /// Its file.
    pub file: String,
    /// A Rust test's path in its file; none where the file is the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
}

impl std::fmt::Display for Touched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.test {
            Some(test) => write!(f, "{} ({test})", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// The role of a file by its path alone: `None` where it depends on who declares it.
pub(super) fn role(path: &str) -> Option<Role> {
    let parts: Vec<&str> = path.split('/').collect();
    let file = parts.last().copied().unwrap_or_default();
    let among = |names: &[&str]| parts[..parts.len() - 1].iter().any(|part| names.contains(part));
    if among(&["tests", "testbed"]) || file == "tests.rs" || file.ends_with(".snap") || is_recipe_test(path) {
        return Some(Role::Test);
    }
    if file.ends_with(".rs") { None } else { Some(Role::Code) }
}

/// Whether it is a test in a recipe's folder: `recipes/NAME/STAGE/FILE`.
pub(super) fn is_recipe_test(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["recipes", _, folder, _] => folder == "data" || journal::test_folders::FOLDERS.contains(&folder),
        _ => false,
    }
}

/// Files that may declare a Rust file as a module, and the name that they give it.
pub(super) fn parents(path: &str) -> (Vec<String>, String) {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let name = file.trim_end_matches(".rs");
    let (folder, name) = match name {
        "mod" => folder.rsplit_once('/').unwrap_or(("", folder)),
        _ => (folder, name),
    };
    let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let mut parents: Vec<String> = ["mod.rs", "lib.rs", "main.rs"].map(below).into();
    if !folder.is_empty() {
        parents.push(format!("{folder}.rs"));
    }
    (parents, name.to_owned())
}

/// The tests that changes add or change, in the order of the files.
pub(super) fn touched(changes: &[Change]) -> Vec<Touched> {
    let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().and_then(|bytes| String::from_utf8(bytes.clone()).ok());
    let mut found = Vec::new();
    for change in changes {
        let file = change.path.clone();
        let Some(is) = text(&change.is) else { continue };
        if change.path.ends_with(".rs") && !is_recipe_test(&change.path) {
            let of = |text: Option<String>| text.and_then(|text| rust::read(&text)).unwrap_or_default().tests;
            let (was, is) = (of(text(&change.was)), of(Some(is)));
            let new = is.into_iter().filter(|(name, said)| was.get(name) != Some(said));
            found.extend(new.map(|(name, _)| Touched { file: file.clone(), test: Some(name) }));
        } else if is_recipe_test(&change.path) || change.path.ends_with(".snap") {
            found.push(Touched { file, test: None });
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_by_path() {
        for path in [
            "runner/tests/swarm/main.rs",
            "a/src/b/tests.rs",
            "x/snapshots/y.snap",
            "recipes/n8n/data/seed.sh",
            "testbed/src/lib.rs",
        ] {
            assert_eq!(role(path), Some(Role::Test), "{path}");
        }
        for path in ["Cargo.toml", "recipes/n8n/recipe.toml", "docs/x.md", "tests.txt"] {
            assert_eq!(role(path), Some(Role::Code), "{path}");
        }
        assert_eq!(role("a/src/b/fixtures.rs"), None);
    }

    #[test]
    fn who_may_declare_a_file() {
        let (parents_of, name) = parents("a/src/b/fixtures.rs");
        assert_eq!(name, "fixtures");
        assert_eq!(parents_of, ["a/src/b/mod.rs", "a/src/b/lib.rs", "a/src/b/main.rs", "a/src/b.rs"]);
        let (parents_of, name) = parents("a/src/b/mod.rs");
        assert_eq!((parents_of[1].as_str(), name.as_str()), ("a/src/lib.rs", "b"));
    }

    #[test]
    fn tests_that_are_new_or_say_something_else_are_touched() {
        let bytes = |text: &str| Some(text.as_bytes().to_vec());
        let change = |path: &str, was: Option<Vec<u8>>, is: Option<Vec<u8>>| Change {
            path: path.to_owned(),
            role: Role::Test,
            was,
            is,
        };
        let was = "#[cfg(test)] mod t { #[test] fn a() {} #[test] fn b() { } }";
        let is = "fn x() {} #[cfg(test)] mod t { #[test] fn a() {} #[test] fn b() { x() } #[test] fn c() {} }";
        let changes = [
            change("src/lib.rs", bytes(was), bytes(is)),
            change("recipes/n8n/functional/10-a.hurl", None, bytes("GET x")),
            change("recipes/n8n/functional/20-gone.hurl", bytes("GET x"), None),
            change("docs/x.md", None, bytes("x")),
        ];
        let found: Vec<String> = touched(&changes).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["recipes/n8n/functional/10-a.hurl", "src/lib.rs (t::b)", "src/lib.rs (t::c)"]);
    }
}
