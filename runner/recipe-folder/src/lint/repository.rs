//! The shell in a recipe's own repository: scripts, entrypoints, and what stands inside compose files
//! and pipelines. It is read before any of it can run.

use std::path::Path;

use coopcloud::shell::{Block, in_compose, in_pipeline, without_templates};

use super::{Finding, ReadError, Rule, Script, syntax};

/// No script is as long as this, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// What cannot be parsed in a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unparsed {
    /// What is deployed or run with the recipe.
    pub deployed: Vec<Finding>,
    /// Pipelines of a CI server, which no run of cc-ci takes up: a file may also be a template of one.
    pub pipelines: Vec<Finding>,
}

/// What bash cannot parse in a repository, and files that are no YAML.
///
/// # Errors
/// When a file cannot be read.
pub fn shell(repository: &Path) -> Result<Unparsed, ReadError> {
    let mut scripts = Vec::new();
    let mut findings = Vec::new();
    let finding =
        |file: &str, line, text: String| Finding { file: file.to_owned(), line, rule: Rule::ShellSyntax, text };
    let failed = |path: &Path, error| ReadError { path: path.display().to_string(), error };
    for entry in std::fs::read_dir(repository).map_err(|error| failed(repository, error))? {
        let entry = entry.map_err(|error| failed(repository, error))?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        // A link could lead anywhere, and its text into a report.
        if !std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= LONGEST) {
            continue;
        }
        let Some(kind) = Kind::of(&name) else { continue };
        let bytes = std::fs::read(&path).map_err(|error| failed(&path, error))?;
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let blocks = match kind {
            Kind::Compose => in_compose(&text),
            Kind::Pipeline => in_pipeline(&text),
            Kind::Script => Ok(if is_shell(&name, &text) {
                vec![Block { at: String::new(), text: without_templates(&text) }]
            } else {
                Vec::new()
            }),
        };
        match blocks {
            Ok(blocks) => scripts.extend(blocks.into_iter().map(|block| {
                let place = if block.at.is_empty() { name.clone() } else { format!("{name}: {}", block.at) };
                Script { name: place, text: block.text }
            })),
            Err(why) => findings.push(finding(&name, None, format!("{NO_YAML}: {why}"))),
        }
    }
    findings.extend(syntax(&scripts).into_iter().map(|(name, said)| finding(&name, said.line, said.text)));
    findings.sort();
    // A pipeline's place is its file's name, and perhaps a step behind it.
    let of_pipeline =
        |found: &Finding| matches!(Kind::of(found.file.split(": ").next().unwrap_or_default()), Some(Kind::Pipeline));
    let (pipelines, deployed) = findings.into_iter().partition(of_pipeline);
    Ok(Unparsed { deployed, pipelines })
}

/// How a finding begins that is about YAML, which bash has nothing to say of.
pub const NO_YAML: &str = "is no YAML";

enum Kind {
    Compose,
    Pipeline,
    Script,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        match name {
            _ if yaml && name.starts_with("compose") => Some(Self::Compose),
            _ if yaml && (name.starts_with(".drone") || name.starts_with(".woodpecker")) => Some(Self::Pipeline),
            _ if yaml => None,
            _ => Some(Self::Script),
        }
    }
}

/// A script by its name, or a template by the first line that names its shell.
fn is_shell(name: &str, text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let by_line =
        first.starts_with("#!") && first.split(['/', ' ']).any(|word| matches!(word, "sh" | "bash" | "ash" | "dash"));
    by_line || (name.ends_with(".sh") && !first.starts_with("#!"))
}
