//! Compares the workspace with docs/ARCHITECTURE.md: which crates there are and what each may use (`table.rs`). No import
//! cycle between folders of a crate (`cycles.rs`), and no crate that is too long to be read.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde::Deserialize;

use crate::source::Sources;
use crate::table::{Member, Members};

mod cycles;
mod source;
mod table;

/// How long a crate may be without its tests.
const LINES: usize = 7000;

/// What `cargo metadata` says.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    /// Where it is, if in this workspace.
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

fn main() -> ExitCode {
    match problems() {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("the crates were not looked at: {why}");
            ExitCode::FAILURE
        }
    }
}

fn problems() -> Result<Vec<String>, String> {
    let said = Command::new("cargo")
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .output()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if !said.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&said.stderr).trim()));
    }
    let metadata: Metadata =
        serde_json::from_slice(&said.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    // What is read and told is named from here.
    let root = &metadata.workspace_root;
    std::env::set_current_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let page =
        std::fs::read_to_string("docs/ARCHITECTURE.md").map_err(|error| format!("docs/ARCHITECTURE.md: {error}"))?;

    let mut problems = table::compare(&table::read(&page), &members(&metadata));
    for package in &metadata.packages {
        let mut lines = 0;
        for target in &package.targets {
            if target.kind.iter().any(|kind| kind == "lib" || kind == "bin") {
                let sources = Sources::load(below(root, &target.src_path))?;
                problems.extend(cycles::cycles(&sources).iter().map(|cycle| {
                    format!(
                        "folders of {} import from each other:\n  {}\nmove what both need to a file that imports from neither",
                        package.name,
                        cycle.join("\n  ")
                    )
                }));
                lines += sources.lines();
            }
        }
        problems.extend(too_long(&package.name, lines));
    }
    Ok(problems)
}

fn too_long(name: &str, lines: usize) -> Option<String> {
    (lines > LINES).then(|| {
        format!(
            "{name} has {lines} lines without its tests, more than {LINES}: make a crate of one of its parts, or delete"
        )
    })
}

/// The workspace's crates.
fn members(metadata: &Metadata) -> Members {
    let member = |package: &Package| {
        let named = |dev: bool| {
            let dependencies = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
            dependencies
                .filter(|dependency| (dependency.kind.as_deref() == Some("dev")) == dev)
                .map(|dependency| dependency.name.clone())
                .collect()
        };
        let folder = below(&metadata.workspace_root, package.manifest_path.parent().unwrap_or(Path::new("")));
        Member { folder: folder.display().to_string(), uses: named(false), tests_use: named(true) }
    };
    metadata.packages.iter().map(|package| (package.name.clone(), member(package))).collect()
}

fn below<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_of_the_workspace_are_read_and_those_of_tests_told_apart() {
        let metadata = serde_json::json!({
            "workspace_root": "/here",
            "packages": [{
                "name": "web", "manifest_path": "/here/runner/web/Cargo.toml", "targets": [],
                "dependencies": [
                    {"name": "serde", "kind": null, "path": null},
                    {"name": "base", "kind": null, "path": "/here/harness/base"},
                    {"name": "testbed", "kind": "dev", "path": "/here/testbed"},
                ],
            }],
        });
        let members = members(&serde_json::from_value(metadata).unwrap());
        let set = |name: &str| [name.to_owned()].into();
        let web = Member { folder: "runner/web".to_owned(), uses: set("base"), tests_use: set("testbed") };
        assert_eq!(members, Members::from([("web".to_owned(), web)]));
    }

    #[test]
    fn a_crate_is_as_long_as_its_files_without_their_tests() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lib.rs");
        let code = "//! Adds.\nmod one;\n#[cfg(test)]\nmod fixtures;\n\n#[cfg(test)]\nmod tests {\n    fn a() {}\n}\n";
        std::fs::write(&root, code).unwrap();
        std::fs::write(folder.path().join("one.rs"), "fn b() {}\n").unwrap();
        assert_eq!(Sources::load(&root).unwrap().lines(), 4);
        assert!(too_long("web", LINES).is_none());
        assert!(too_long("web", LINES + 1).unwrap().starts_with("web has 7001 lines"));
    }
}
