//! Import cycles between folders of one crate.
//!
//! A cycle is a ring of files in which each imports from the next, with files of at least two folders: a ring inside one
//! folder is a folder's own matter. An import leads to the file that defines what is imported, through re-exports, and
//! paths in code and in macros' arguments count like `use`. Not counted is what a module takes from one that declares it
//! (`super::Failed` in `judge/view.rs`, where `judge.rs` has `mod view`): a parent may use its children and define what
//! they share. Tests are left out. `judge.rs` belongs to the folder `judge`, as `judge/mod.rs` would.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::source::Sources;

/// What each file imports from which other file, by a path that does so.
type Imports = BTreeMap<usize, BTreeMap<usize, String>>;

/// One shortest cycle for each set of files that reach each other, in lines that name its imports.
pub(crate) fn cycles(sources: &Sources) -> Vec<Vec<String>> {
    let imports = imports(sources);
    let folders = folders(sources);
    let mut left: BTreeSet<(usize, usize)> = imports
        .iter()
        .flat_map(|(&from, targets)| targets.keys().map(move |&to| (from, to)))
        .filter(|(from, to)| folders[*from] != folders[*to])
        .collect();
    let mut found = Vec::new();
    while let Some(ring) = left.iter().filter_map(|&edge| ring(&imports, edge)).min_by_key(Vec::len) {
        let start = ring[0].0;
        let (forward, backward) = (reached(&imports, start, false), reached(&imports, start, true));
        let both = |file: &usize| forward.contains_key(file) && backward.contains_key(file);
        left.retain(|(from, to)| !(both(from) && both(to)));
        let name = |file: usize| sources.files[file].path.display();
        found.push(
            ring.iter()
                .map(|(from, to)| format!("{} uses {}, which is in {}", name(*from), imports[from][to], name(*to)))
                .collect(),
        );
    }
    found
}

fn imports(sources: &Sources) -> Imports {
    let mut imports = Imports::new();
    for (index, file) in sources.files.iter().enumerate() {
        for import in &file.imports {
            let Some(module) = sources.resolve(&import.from, &import.path, 16) else { continue };
            let Some(&target) = sources.modules.get(&module) else { continue };
            if target != index && !import.from.starts_with(&module) {
                imports.entry(index).or_default().entry(target).or_insert_with(|| import.path.join("::"));
            }
        }
    }
    imports
}

/// The folder of each file.
fn folders(sources: &Sources) -> Vec<PathBuf> {
    let path = |index: usize| sources.files[index].path.as_path();
    let all: BTreeSet<&Path> = (0..sources.files.len()).filter_map(|index| path(index).parent()).collect();
    (0..sources.files.len())
        .map(|index| {
            let own = path(index).with_extension("");
            if all.contains(own.as_path()) { own } else { path(index).parent().unwrap_or(Path::new("")).to_owned() }
        })
        .collect()
}

/// The files that `start` reaches over imports, or those that reach it, each with the one before it.
fn reached(imports: &Imports, start: usize, backward: bool) -> BTreeMap<usize, usize> {
    let mut before = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(at) = waiting.pop_front() {
        let next: Vec<usize> = if backward {
            imports.iter().filter(|(_, targets)| targets.contains_key(&at)).map(|(from, _)| *from).collect()
        } else {
            imports.get(&at).into_iter().flat_map(|targets| targets.keys().copied()).collect()
        };
        for next in next {
            before.entry(next).or_insert_with(|| {
                waiting.push_back(next);
                at
            });
        }
    }
    before
}

/// The shortest cycle that begins with an import.
fn ring(imports: &Imports, (from, to): (usize, usize)) -> Option<Vec<(usize, usize)>> {
    let before = reached(imports, to, false);
    let mut ring = Vec::new();
    let mut at = from;
    while at != to {
        let last = *before.get(&at)?;
        ring.push((last, at));
        at = last;
    }
    ring.push((from, to));
    ring.reverse();
    Some(ring)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let sources = Sources::load(&folder.path().join("lib.rs")).unwrap();
        let below = format!("{}/", folder.path().display());
        cycles(&sources).into_iter().flatten().map(|line| line.replace(&below, "")).collect()
    }

    #[test]
    fn a_cycle_between_two_folders_is_found_through_a_re_export_and_in_a_macro() {
        let lib = ("lib.rs", "mod bot; mod pages; pub use bot::Job;");
        let bot = ("bot/mod.rs", "mod job; pub use job::Job;");
        let job = ("bot/job.rs", "pub struct Job; fn tell() { println!(\"{}\", crate::pages::draw()) }");
        let pages = ("pages.rs", "mod list; pub fn draw() -> u8 { 1 }");
        let list = ("pages/list.rs", "use super::draw; fn list(job: crate::Job) {}");
        // list.rs needs draw, which its parent has: that is no import of another folder.
        assert!(found(&[lib, bot, job, pages, list]).is_empty());
        let pages = ("pages.rs", "mod list; fn page(job: &crate::Job) {} pub fn draw() -> u8 { 1 }");
        assert_eq!(
            found(&[lib, bot, job, pages, list]),
            [
                "bot/job.rs uses crate::pages::draw, which is in pages.rs",
                "pages.rs uses crate::Job, which is in bot/job.rs"
            ]
        );
    }

    #[test]
    fn parents_and_their_children_files_of_one_folder_and_tests_make_none() {
        let lib = ("lib.rs", "mod one; mod two; pub mod judge; use judge::view::View; pub struct Shared(View);");
        let one = ("one.rs", "use crate::two::Two; pub struct One;");
        let two = (
            "two.rs",
            "use crate::one::One; pub struct Two;\n#[cfg(test)] mod tests { use crate::judge::view::View; }",
        );
        let judge = ("judge/mod.rs", "pub mod view; pub use view::View; pub struct Failed;");
        let view = ("judge/view.rs", "use super::Failed; use crate::{Shared, one}; pub struct View(one::One);");
        assert!(found(&[lib, one, two, judge, view]).is_empty());
    }
}
