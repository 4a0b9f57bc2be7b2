//! The files of one program or library without their tests: their lines, and what they import.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::{Item, UseTree};

/// A module's path below the root, such as `["judge", "view"]`.
pub(crate) type Module = Vec<String>;

/// The files below one root, such as `src/lib.rs`.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) files: Vec<File>,
    /// The file of each module. One that is written inside another has that one's file.
    pub(crate) modules: BTreeMap<Module, usize>,
    /// What each module imports by `use`, by the name that it has there.
    names: BTreeMap<(Module, String), Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) lines: usize,
    pub(crate) imports: Vec<Import>,
}

/// A path in a file: of a `use`, or anywhere in its code.
#[derive(Debug)]
pub(crate) struct Import {
    /// The module that has it.
    pub(crate) from: Module,
    pub(crate) path: Vec<String>,
}

impl Sources {
    /// Reads the file `root` and all that its `mod` lines name.
    pub(crate) fn load(root: &Path) -> Result<Self, String> {
        let mut sources = Self::default();
        sources.file(root, root.parent().unwrap_or(root), Module::new())?;
        Ok(sources)
    }

    pub(crate) fn lines(&self) -> usize {
        self.files.iter().map(|file| file.lines).sum()
    }

    /// Reads the file of a module, whose children are in `folder`.
    fn file(&mut self, path: &Path, folder: &Path, module: Module) -> Result<(), String> {
        let failed = |why: String| format!("{} cannot be read: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let parsed = syn::parse_file(&text).map_err(|error| failed(error.to_string()))?;
        let mut file = File { path: path.to_owned(), lines: text.lines().count(), imports: Vec::new() };
        let index = self.files.len();
        let mut children = Vec::new();
        self.items(&parsed.items, &text, &module, index, &mut file, &mut children);
        self.modules.insert(module.clone(), index);
        self.files.push(file);
        for child in children {
            let inside = child.iter().skip(module.len()).fold(folder.to_owned(), |folder, name| folder.join(name));
            let file = inside.with_extension("rs");
            let file = if file.is_file() { file } else { inside.join("mod.rs") };
            self.file(&file, &inside, child)?;
        }
        Ok(())
    }

    fn items(
        &mut self,
        items: &[Item],
        text: &str,
        module: &Module,
        index: usize,
        file: &mut File,
        children: &mut Vec<Module>,
    ) {
        for item in items {
            let slice = text.get(item.span().byte_range()).unwrap_or_default();
            let tokens: TokenStream = slice.parse().unwrap_or_default();
            if for_tests(tokens.clone()) {
                file.lines = file.lines.saturating_sub(slice.lines().count());
                continue;
            }
            let mut found = Vec::new();
            match item {
                Item::Mod(inner) => {
                    let path = joined(module, &inner.ident.to_string());
                    match &inner.content {
                        Some((_, items)) => {
                            self.modules.insert(path.clone(), index);
                            self.items(items, text, &path, index, file, children);
                        }
                        None => children.push(path),
                    }
                }
                Item::Use(item) => {
                    for (name, path) in use_paths(&item.tree, &[]) {
                        self.names.insert((module.clone(), name), path.clone());
                        found.push(path);
                    }
                }
                _ => code_paths(tokens, &[], &mut found),
            }
            file.imports.extend(found.into_iter().map(|path| Import { from: module.clone(), path }));
        }
    }

    /// The module that has what `path` names in the module `from`: re-exports are followed to where it is defined. None
    /// where it is in another crate.
    pub(crate) fn resolve(&self, from: &Module, path: &[String], steps: usize) -> Option<Module> {
        let mut at = from.clone();
        let mut known = false;
        for name in path {
            match name.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => {
                    at.pop();
                }
                _ => {
                    let child = joined(&at, name);
                    if self.modules.contains_key(&child) {
                        at = child;
                    } else if let Some(target) = self.names.get(&(at.clone(), name.clone())) {
                        at = self.resolve(&at, target, steps.checked_sub(1)?)?;
                    } else {
                        return known.then_some(at);
                    }
                }
            }
            known = true;
        }
        Some(at)
    }
}

fn joined(module: &[String], name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// Whether an item's attributes have `#[cfg(test)]`, also among others in `all`.
fn for_tests(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter();
    while let (Some(TokenTree::Punct(_)), Some(TokenTree::Group(attribute))) = (tokens.next(), tokens.next()) {
        let said = attribute.stream().to_string().replace(' ', "");
        if ["cfg(test)", "cfg(all(test,"].iter().any(|form| said.starts_with(form)) {
            return true;
        }
    }
    false
}

/// The paths of a `use`, each with the name that it gets.
fn use_paths(tree: &UseTree, before: &[String]) -> Vec<(String, Vec<String>)> {
    let last = before.last().cloned().unwrap_or_default();
    match tree {
        UseTree::Path(path) => use_paths(&path.tree, &joined(before, &path.ident.to_string())),
        UseTree::Group(group) => group.items.iter().flat_map(|tree| use_paths(tree, before)).collect(),
        UseTree::Name(name) if name.ident == "self" => vec![(last, before.to_vec())],
        UseTree::Name(name) => vec![(name.ident.to_string(), joined(before, &name.ident.to_string()))],
        UseTree::Rename(name) => vec![(name.rename.to_string(), joined(before, &name.ident.to_string()))],
        UseTree::Glob(_) => vec![("*".to_owned(), before.to_vec())],
    }
}

/// The paths of more than one name in code, macros' arguments included.
fn code_paths(tokens: TokenStream, before: &[String], found: &mut Vec<Vec<String>>) {
    let mut path = before.to_vec();
    // Whether `::` came last; the number of colons.
    let mut colons = 0;
    let mut end = |path: &mut Vec<String>| {
        let whole = std::mem::replace(path, before.to_vec());
        if whole.len() > before.len().max(1) {
            found.push(whole);
        }
    };
    let mut inside = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Punct(colon) if colon.as_char() == ':' => {
                colons += 1;
                continue;
            }
            TokenTree::Ident(name) => {
                if colons != 2 {
                    end(&mut path);
                }
                path.push(name.to_string());
            }
            TokenTree::Group(group) => {
                let list = colons == 2 && group.delimiter() == Delimiter::Brace;
                inside.push((group.stream(), if list { std::mem::take(&mut path) } else { Vec::new() }));
                end(&mut path);
            }
            _ => end(&mut path),
        }
        colons = 0;
    }
    end(&mut path);
    for (tokens, before) in inside {
        code_paths(tokens, &before, found);
    }
}
