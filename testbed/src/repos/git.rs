//! A repository in memory becomes one on disk, by one `git fast-import`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Error;

/// Monday, 5 January 2026, 10:00 UTC: the first commit of every repository.
const FIRST_COMMIT: u64 = 1_767_607_200;
const HOUR: u64 = 3_600;
const WHO: &str = "Recipe Maintainers <maintainers@testbed.invalid>";
/// Says that a folder was made here, and may be replaced.
const MARKER: &str = "made-by-testbed-repos";

#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mode: Mode,
}

/// What git keeps of a file beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Plain,
    Executable,
    /// The content is the target.
    Link,
}

#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) parent: Option<usize>,
    pub(crate) files: BTreeMap<String, File>,
    pub(crate) message: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) commit: usize,
    /// None for a lightweight tag.
    pub(crate) message: Option<String>,
}

/// Commits are named by their place in the list; a parent comes before its children.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) commits: Vec<Commit>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) refs: BTreeMap<String, usize>,
}

/// A repository on disk.
#[derive(Debug, Clone)]
pub struct Built {
    /// Its folder; `main` is checked out.
    pub path: PathBuf,
    /// Every ref by its full name, such as `refs/pull/1/head`, with the id of its object: a commit,
    /// or the tag object of an annotated tag.
    pub refs: BTreeMap<String, String>,
}

impl Built {
    /// The commit of a branch.
    pub fn commit(&self, branch: &str) -> Option<&str> {
        self.refs.get(&format!("refs/heads/{branch}")).map(String::as_str)
    }
}

/// Writes beside `dest` first, so that `dest` is whole or not there.
pub(crate) fn write(model: &Model, dest: &Path) -> Result<Built, Error> {
    if dest.exists() && !dest.join(".git").join(MARKER).is_file() {
        return Err(Error::NotOurs { path: dest.to_owned() });
    }
    let parent = dest.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(parent).map_err(|e| Error::file(parent, e))?;
    let made = tempfile::Builder::new().prefix(".testbed-").tempdir_in(parent).map_err(|e| Error::file(parent, e))?;
    let repo = made.path().join("repo");

    let place = repo.to_string_lossy().into_owned();
    git(parent, &["init", "-q", "--template=", "-b", "main", &place], None)?;
    git(&repo, &["fast-import", "--quiet", "--date-format=raw"], Some(&stream(model)))?;
    if model.refs.contains_key("refs/heads/main") {
        git(&repo, &["reset", "-q", "--hard", "main"], None)?;
    }
    let listed = git(&repo, &["for-each-ref", "--format=%(refname) %(objectname)"], None)?;
    let refs = listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, id)| (name.to_owned(), id.to_owned()))
        .collect();

    let marker = repo.join(".git").join(MARKER);
    std::fs::write(&marker, "").map_err(|e| Error::file(&marker, e))?;
    if dest.exists() {
        std::fs::remove_dir_all(dest).map_err(|e| Error::file(dest, e))?;
    }
    std::fs::rename(&repo, dest).map_err(|e| Error::file(dest, e))?;
    Ok(Built { path: dest.to_owned(), refs })
}

/// The model in git-fast-import(1)'s language. Mark n + 1 is commit n.
fn stream(model: &Model) -> Vec<u8> {
    let mut out = Vec::new();
    let data = |out: &mut Vec<u8>, bytes: &[u8]| {
        out.extend_from_slice(format!("data {}\n", bytes.len()).as_bytes());
        out.extend_from_slice(bytes);
        out.push(b'\n');
    };
    let line = |out: &mut Vec<u8>, text: String| {
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    };
    // An hour after the parent: a pull request that is added to a source moves no other.
    let mut depth: Vec<u64> = Vec::with_capacity(model.commits.len());
    for commit in &model.commits {
        depth.push(commit.parent.map_or(0, |parent| depth[parent] + 1));
    }
    let date = |n: usize| FIRST_COMMIT + HOUR * depth[n];

    for (n, commit) in model.commits.iter().enumerate() {
        // The name of the ref does not enter the commit; the refs that stay are written below.
        line(&mut out, "commit refs/testbed/building".to_owned());
        line(&mut out, format!("mark :{}", n + 1));
        line(&mut out, format!("author {WHO} {} +0000", date(n)));
        line(&mut out, format!("committer {WHO} {} +0000", date(n)));
        data(&mut out, format!("{}\n", commit.message.trim_end()).as_bytes());
        match commit.parent {
            Some(parent) => line(&mut out, format!("from :{}", parent + 1)),
            // A root: without this, fast-import would go on from the ref's last commit.
            None if n > 0 => line(&mut out, "from 0000000000000000000000000000000000000000".to_owned()),
            None => {}
        }
        line(&mut out, "deleteall".to_owned());
        for (name, file) in &commit.files {
            let mode = match file.mode {
                Mode::Plain => "100644",
                Mode::Executable => "100755",
                Mode::Link => "120000",
            };
            line(&mut out, format!("M {mode} inline {name}"));
            data(&mut out, &file.bytes);
        }
    }
    for (name, commit) in &model.refs {
        line(&mut out, format!("reset {name}\nfrom :{}\n", commit + 1));
    }
    for tag in &model.tags {
        match &tag.message {
            Some(message) => {
                line(&mut out, format!("tag {}\nfrom :{}", tag.name, tag.commit + 1));
                line(&mut out, format!("tagger {WHO} {} +0000", date(tag.commit)));
                data(&mut out, format!("{}\n", message.trim_end()).as_bytes());
            }
            None => line(&mut out, format!("reset refs/tags/{}\nfrom :{}\n", tag.name, tag.commit + 1)),
        }
    }
    line(&mut out, "reset refs/testbed/building\nfrom 0000000000000000000000000000000000000000\n".to_owned());
    out
}

/// Runs git with nobody's settings, so that every machine makes the same objects.
fn git(dir: &Path, args: &[&str], input: Option<&[u8]>) -> Result<String, Error> {
    let failed = |stderr: String| Error::Git { args: args.join(" "), stderr };
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    let mut child = command
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(e.to_string()))?;
    if let (Some(mut stdin), Some(bytes)) = (child.stdin.take(), input) {
        // When git stops reading it has failed, and says why itself.
        let _ = stdin.write_all(bytes);
    }
    let output = child.wait_with_output().map_err(|e| failed(e.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}
