//! A recipe's local repository: whether it is one, and its uncommitted changes.

use std::ffi::OsString;
use std::path::Path;

use base::failure::{Failure, Kind};
use base::names::Commit;

use super::{Checkout, expression, git, git_bytes};

/// The folder is a repository, and not a folder in one: git would silently use the outer one.
pub(super) fn is_repository(folder: &Path) -> Result<(), Failure> {
    let has = |name: &str| folder.join(name).exists();
    if !folder.is_dir() || has(".git") || (has("HEAD") && has("objects")) {
        return Ok(());
    }
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let outer = whole.ancestors().skip(1).find(|parent| parent.join(".git").exists());
    let (what, look_at) = match outer {
        Some(outer) => (
            format!("{} is a folder in the repository {}", folder.display(), outer.display()),
            "a recipe has its files at the root of its own repository: specify that one, or create one from the folder's history with `git subtree split`",
        ),
        None => (
            format!("{} is no git repository", folder.display()),
            "a recipe is tested as it is committed: git init, git add, git commit",
        ),
    };
    Err(Failure::new(Kind::InvalidRecipe, what, look_at))
}

/// The files of a local repository that differ from its last commit, including new ones. Empty if it is no repository,
/// or has no work tree.
pub fn uncommitted(folder: &Path) -> Vec<String> {
    if !folder.join(".git").exists() {
        return Vec::new();
    }
    let args = ["--no-optional-locks", "status", "--porcelain=v1", "-z", "--no-renames"].map(OsString::from);
    let list = git(Some(folder), &args).unwrap_or_default();
    list.split_terminator('\0').filter_map(|line| Some(line.get(3..)?.to_owned())).collect()
}

impl Checkout {
    /// Commits a folder as it is, only in this clone of it: the folder's own repository is unchanged.
    pub(super) fn commit_of(&self, folder: &Path) -> Result<Commit, Failure> {
        let failed = |why: String| {
            Failure::new(
                Kind::InvalidRecipe,
                format!("the files of {} cannot be taken as they are: {why}", folder.display()),
                "commit them, and leave --dirty out",
            )
        };
        if self.is_origin {
            return Err(Failure::new(Kind::Bug, "a read-only repository cannot be committed to", "please report it"));
        }
        let folder = std::path::absolute(folder).map_err(|error| failed(error.to_string()))?;
        let git = |args: &[&str]| git(Some(&self.dir), &args.iter().map(OsString::from).collect::<Vec<_>>());
        let head = git(&["rev-parse", "--verify", "HEAD^{commit}"]).map_err(failed)?;
        git(&["read-tree", "HEAD"]).map_err(failed)?;
        // Not with a shell's `*`, which would include what .gitignore excludes.
        let add: [OsString; 5] = ["--work-tree".into(), folder.into(), "add".into(), "--all".into(), ".".into()];
        // Paths are relative to the work tree, so git has to run there.
        let at = [OsString::from("--git-dir"), std::path::absolute(self.dir.join(".git")).unwrap_or_default().into()];
        let all: Vec<OsString> = at.into_iter().chain(add.iter().cloned()).collect();
        let output = expression(Some(Path::new(&add[1])), &all).stdout_null().stderr_capture().run();
        let output = output.map_err(|error| failed(format!("git cannot be started: {error}")))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let tree = git(&["write-tree"]).map_err(failed)?;
        let subject = git(&["log", "-1", "--format=%s"]).unwrap_or_default();
        let head = head.trim();
        let message = format!("not committed yet, on top of {}: {}", &head[..8.min(head.len())], subject.trim());
        let words = [
            "-c",
            "user.name=cc-ci",
            "-c",
            "user.email=cc-ci@localhost",
            "commit-tree",
            tree.trim(),
            "-p",
            head,
            "-m",
            &message,
        ];
        let id = git_bytes(Some(&self.dir), &words.map(OsString::from)).map_err(failed)?;
        String::from_utf8_lossy(&id).trim().parse().map_err(|error| failed(format!("{error}")))
    }
}
