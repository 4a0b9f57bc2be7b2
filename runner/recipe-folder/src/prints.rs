//! Prints of a recipe folder's files: they say of which tests a run is evidence.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use journal::test_folders::FOLDERS;

/// Digits of a print: enough to tell a handful of files apart, few enough for the first line of a journal.
const DIGITS: usize = 16;
/// A folder has no more files than this; a mistake must not fill a journal.
const MOST: usize = 500;
/// Folders in folders that are looked into.
const DEEPEST: usize = 8;

/// The files of a recipe's folder by their path below it, each with the first 16 digits of its SHA-256.
pub type Prints = BTreeMap<String, String>;

/// The print of a file's content.
pub fn of(bytes: &[u8]) -> String {
    digits(Sha256::new_with_prefix(bytes))
}

/// The prints of a folder's files; hidden ones are left out. Nothing where there is no folder; what cannot be
/// read is left out, so that no run is evidence for it.
pub fn of_folder(folder: &Path) -> Prints {
    let mut prints = Prints::new();
    add(folder, "", DEEPEST, &mut prints);
    prints
}

fn add(dir: &Path, below: &str, deeper: usize, prints: &mut Prints) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let (path, full) = (entry.path(), format!("{below}{name}"));
        if name.starts_with('.') || prints.len() >= MOST {
            continue;
        }
        let Ok(meta) = std::fs::metadata(&path) else { continue };
        if meta.is_dir() && deeper > 0 {
            add(&path, &format!("{full}/"), deeper - 1, prints);
        } else if let Some(print) = meta.is_file().then(|| of_file(&path)).flatten() {
            prints.insert(full, print);
        }
    }
}

fn of_file(path: &Path) -> Option<String> {
    let mut file = std::fs::File::open(path).ok()?;
    let (mut hash, mut part) = (Sha256::new(), [0; 16 * 1024]);
    loop {
        match file.read(&mut part).ok()? {
            0 => return Some(digits(hash)),
            read => hash.update(&part[..read]),
        }
    }
}

fn digits(hash: Sha256) -> String {
    let mut text: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(DIGITS);
    text
}

/// Whether a test is the same in two sets of prints: its own file, and all that tests share.
pub fn same_test(a: &Prints, b: &Prints, test: &str) -> bool {
    let own = a.get(test).is_some_and(|print| b.get(test) == Some(print));
    own && shared(a).eq(shared(b))
}

/// What tests share: libraries, files that they send, the steps before the first deploy.
fn shared(prints: &Prints) -> impl Iterator<Item = (&String, &String)> {
    prints.iter().filter(|(name, _)| is_shared(name))
}

fn is_shared(name: &str) -> bool {
    let folder = name.split_once('/').map(|(folder, _)| folder);
    let is_test = folder.is_some_and(|folder| folder == "data" || FOLDERS.contains(&folder));
    !is_test && name != "recipe.toml" && !name.ends_with(".md")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prints(files: &[(&str, &str)]) -> Prints {
        files.iter().map(|(name, text)| ((*name).to_owned(), of(text.as_bytes()))).collect()
    }

    #[test]
    fn a_folder_has_a_print_of_every_file_that_is_not_hidden() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("functional")).unwrap();
        std::fs::write(folder.path().join("functional/10-a.sh"), "true").unwrap();
        std::fs::write(folder.path().join(".swp"), "x").unwrap();
        let found = of_folder(folder.path());
        assert_eq!(found, prints(&[("functional/10-a.sh", "true")]));
        assert_eq!(found["functional/10-a.sh"].len(), DIGITS);
        assert_eq!(of_folder(&folder.path().join("gone")), Prints::new());
    }

    #[test]
    fn a_test_is_the_same_until_it_or_what_it_shares_changes() {
        let then = prints(&[("functional/1.sh", "a"), ("functional/2.sh", "b"), ("lib/x.sh", "l"), ("PARITY.md", "p")]);
        let mut now = then.clone();
        now.insert("PARITY.md".to_owned(), of(b"q"));
        now.insert("functional/2.sh".to_owned(), of(b"c"));
        assert!(same_test(&then, &now, "functional/1.sh"));
        assert!(!same_test(&then, &now, "functional/2.sh"));
        assert!(!same_test(&then, &now, "functional/3.sh"), "a test that is in neither");
        now.insert("lib/y.sh".to_owned(), of(b"new"));
        assert!(!same_test(&then, &now, "functional/1.sh"), "what it shares has grown");
    }
}
