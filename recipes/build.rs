//! Finds the Rust tests in the recipes' folders and writes the list of them: a module for each file, and
//! `TESTS`. Nobody lists a test by hand, so none is forgotten.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The folders of a recipe that hold tests.
const FOLDERS: [&str; 7] = ["install", "upgrade", "backup", "functional", "browser", "reconfigure", "data"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let mut modules = String::new();
    let mut list = String::new();
    let mut recipes = BTreeSet::new();
    println!("cargo::rerun-if-changed={}", root.display());
    for recipe in folders(&root)?.iter().filter(|folder| folder.join("recipe.toml").is_file()) {
        let name = file_name(recipe)?;
        // Names that differ in hyphens and the like alone are modules of their own.
        let recipe_module = unique(&identifier(&name.to_lowercase()), &mut recipes);
        let mut taken = BTreeSet::from(["lib".to_owned()]);
        let mut tests = String::new();
        let lib = rust_files(recipe, "lib")?;
        for folder in FOLDERS {
            for file in rust_files(recipe, folder)? {
                let stem = file.trim_end_matches(".rs");
                let module = unique(&identifier(&format!("{folder} {stem}")), &mut taken);
                module_of(&mut tests, &module, &recipe.join(folder).join(&file))?;
                let mut sources = source(recipe, &format!("{folder}/{file}"))?;
                for helper in &lib {
                    sources += &source(recipe, &format!("lib/{helper}"))?;
                }
                writeln!(
                    list,
                    "Built {{ recipe: {name:?}, name: \"{folder}/{stem}\", \
                     run: |test| Box::pin({recipe_module}::{module}::run(test)), sources: &[{sources}] }},"
                )?;
            }
        }
        if tests.is_empty() {
            continue;
        }
        let (mut helpers, mut taken) = (String::new(), BTreeSet::new());
        for helper in &lib {
            let module = unique(&identifier(helper.trim_end_matches(".rs")), &mut taken);
            module_of(&mut helpers, &module, &recipe.join("lib").join(helper))?;
        }
        if !helpers.is_empty() {
            helpers = format!("pub(crate) mod lib {{\n{helpers}}}\n");
        }
        writeln!(modules, "mod {recipe_module} {{\n{helpers}{tests}}}")?;
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("tests.rs");
    std::fs::write(out, format!("{modules}\n/// Every test that was found.\nconst TESTS: &[Built] = &[\n{list}];\n"))?;
    Ok(())
}

fn module_of(text: &mut String, module: &str, path: &Path) -> Result<(), Box<dyn Error>> {
    writeln!(text, "#[path = {:?}]\npub(crate) mod {module};", utf8(path)?)?;
    Ok(())
}

/// The entry of a file that a test is made of, with its content.
fn source(recipe: &Path, path: &str) -> Result<String, Box<dyn Error>> {
    let full = recipe.join(path);
    Ok(format!("Source {{ path: {path:?}, content: include_bytes!({:?}) }}, ", utf8(&full)?))
}

fn folders(root: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn rust_files(recipe: &Path, folder: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut found = Vec::new();
    let folder = recipe.join(folder);
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = file_name(&path)?;
        if name.ends_with(".rs") && !name.starts_with('.') && path.is_file() {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// A name as Rust takes one: `browser 10-login` becomes `browser_10_login`.
fn identifier(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) { format!("_{text}") } else { text }
}

/// Two files may become one name; the second gets more to it.
fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = name.to_owned();
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

fn file_name(path: &Path) -> Result<String, Box<dyn Error>> {
    let name = path.file_name().and_then(|name| name.to_str());
    Ok(name.ok_or_else(|| format!("the name of {} is not UTF-8", path.display()))?.to_owned())
}

fn utf8(path: &Path) -> Result<&str, Box<dyn Error>> {
    Ok(path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))?)
}
