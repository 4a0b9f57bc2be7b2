//! A recipe's repository: cloned for one run, with the tested commit pinned and its tags listed. git is called with
//! argument lists; nothing of the repository itself (hooks, filters) is executed.

mod blobs;
pub mod git_access;
pub mod git_trust;
mod heads;
mod local;
mod words;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::failure::{Failure, Kind};
use base::names::{Commit, is_ref};

use self::git_access::GitAccess;

use blobs::Blobs;
pub use heads::Heads;
pub use local::uncommitted;
pub use words::is_unreachable;
use words::{NOTHING, SILENT, may_pass, not_there, reason, says_nothing, unreadable};

/// The revision to test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// The head of the default branch.
    Default,
    /// The head of a pull request.
    PullRequest(u64),
    /// A commit of a pull request, regardless of later pushes.
    Pinned { pull: u64, commit: Commit },
    /// A branch, a tag or a commit.
    Named(String),
    /// A local folder as it is, including uncommitted changes.
    WorkTree(PathBuf),
}

impl Revision {
    pub fn pull_request(&self) -> Option<u64> {
        match self {
            Self::PullRequest(number) | Self::Pinned { pull: number, .. } => Some(*number),
            Self::Default | Self::Named(_) | Self::WorkTree(_) => None,
        }
    }
}

/// A version tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    /// Whether it is annotated; abra refuses the others.
    pub annotated: bool,
    pub commit: String,
}

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    pub path: String,
    /// Whether it is a regular file with the execute bit.
    pub is_executable: bool,
    pub is_link: bool,
}

/// Attributes that change a file's content at checkout; the repository must not set any. This file overrides committed
/// ones.
const ATTRIBUTES: &str = "* -text !eol !crlf !ident !filter !working-tree-encoding\n";

/// Maximum size of an archived folder, in bytes.
const ARCHIVE_BYTES: u64 = 32 * 1024 * 1024;

/// Maximum size of git's output, in bytes.
const PRINTED: u64 = 16 * 1024 * 1024;

/// Options of every git: nothing of the repository itself is executed.
const SAFE: [&str; 6] =
    ["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "core.fsmonitor=false"];

/// The environment of every git: no prompts, no system settings, untranslated messages.
const ENVIRONMENT: [(&str, &str); 3] = [("GIT_TERMINAL_PROMPT", "0"), ("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C")];

/// Timeouts of a remote repository.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// Without a byte; git enforces it over HTTP.
    silent: Duration,
    /// In total, over any protocol.
    whole: Duration,
}

/// For a slow forge, and repositories that are larger than any recipe's.
const PATIENCE: Patience = Patience { silent: Duration::from_secs(30), whole: Duration::from_secs(300) };

/// Pause before a clone is retried: a server sends no event when it is back.
const PAUSE: Duration = Duration::from_secs(2);

/// A clone that belongs to one run.
#[derive(Debug)]
pub struct Checkout {
    dir: PathBuf,
    /// Whether it is the original repository, which is only read.
    is_origin: bool,
    /// git's access to its forge.
    access: Option<GitAccess>,
    /// A cache of its commits' files. A run reads the same few files whenever it examines a revision, and each read is
    /// a process.
    known: Mutex<KnownFiles>,
    blobs: Mutex<Option<Blobs>>,
    /// The error of the clone's first attempt, if there were two.
    first_try: Option<String>,
}

/// Files and lists of files by revision.
#[derive(Debug, Default)]
struct KnownFiles {
    files: BTreeMap<(String, String), Option<String>>,
    trees: BTreeMap<String, Vec<TreeEntry>>,
}

/// An address without user and password, for reports.
pub fn without_credentials(source: &str) -> String {
    match source.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            if path.is_empty() { format!("{scheme}://{host}") } else { format!("{scheme}://{host}/{path}") }
        }
        // scp syntax: user, perhaps with a password, before an @.
        None => match source.split_once('@') {
            Some((user, rest)) if !user.contains('/') => rest.to_owned(),
            _ => source.to_owned(),
        },
    }
}

impl Checkout {
    /// Clones `source` to `dir` with all tags, without a checkout. Later checkouts write files as they were committed,
    /// and no symlinks: a link becomes a file with its target.
    ///
    /// # Errors
    /// [`Kind::InvalidRecipe`] with git's message.
    pub fn clone_from(source: &str, dir: &Path, access: Option<GitAccess>) -> Result<Self, Failure> {
        Self::clone_within(source, dir, access, PATIENCE)
    }

    fn clone_within(source: &str, dir: &Path, access: Option<GitAccess>, patience: Patience) -> Result<Self, Failure> {
        let from = address(source)?;
        let mut args: Vec<OsString> =
            ["clone", "--quiet", "--no-checkout", "--config", "core.symlinks=false", "--template=", "--"]
                .map(Into::into)
                .into();
        args.push(from);
        args.push(dir.into());
        let ask = || git_elsewhere(None, &args, access.as_ref(), patience);
        let first = match ask() {
            // Remains of the first attempt would be in the way.
            Err(why) if may_pass(&why) && (!dir.exists() || std::fs::remove_dir_all(dir).is_ok()) => Some(why),
            ended => ended.map(|_| None).map_err(|why| unreadable(source, &why))?,
        };
        if first.is_some() {
            std::thread::sleep(PAUSE);
            ask().map_err(|why| unreadable(source, &format!("{why} (tried twice)")))?;
        }
        let info = dir.join(".git").join("info");
        std::fs::create_dir_all(&info)
            .and_then(|()| std::fs::write(info.join("attributes"), ATTRIBUTES))
            .map_err(|error| Failure::disk("write", &info, &error))?;
        Ok(Self {
            dir: dir.to_owned(),
            is_origin: false,
            access,
            known: Mutex::default(),
            blobs: Mutex::default(),
            first_try: first,
        })
    }

    /// Opens a local repository in place, to plan without a clone.
    ///
    /// # Errors
    /// [`Kind::InvalidRecipe`] if the folder is no repository.
    pub fn to_look_at(dir: &Path) -> Result<Self, Failure> {
        local::is_repository(dir)?;
        Ok(Self::read_only(dir))
    }

    /// A checkout that is only read. It must not be checked out.
    pub fn read_only(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            is_origin: true,
            access: None,
            known: Mutex::default(),
            blobs: Mutex::default(),
            first_try: None,
        }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The error of the clone's first attempt, if there were two; for the report.
    pub fn first_try(&self) -> Option<&str> {
        self.first_try.as_deref()
    }

    /// The commit id that a revision currently refers to.
    ///
    /// # Errors
    /// [`Kind::InvalidRecipe`] if the repository has no such revision.
    pub fn resolve(&self, revision: &Revision) -> Result<Commit, Failure> {
        let name = match revision {
            Revision::Default => "HEAD".to_owned(),
            Revision::PullRequest(number) if self.is_origin => format!("refs/pull/{number}/head"),
            Revision::PullRequest(number) => self.fetch_pull(*number)?,
            Revision::Pinned { pull, commit } => return self.pinned(*pull, commit),
            Revision::WorkTree(folder) => return self.commit_of(folder),
            Revision::Named(name) if is_ref(name) => {
                let remote = format!("refs/remotes/origin/{name}");
                if self.git(&["rev-parse", "--verify", "--quiet", &remote]).is_ok() { remote } else { name.clone() }
            }
            Revision::Named(name) => {
                return Err(not_there("the repository", &format!("{name:?} is no name of a revision")));
            }
        };
        let id = self
            .git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")])
            .map_err(|why| self.no_revision(&name, &why))?;
        id.trim().parse().map_err(|error| not_there("the repository", &format!("{error}")))
    }

    /// With `--quiet`, git prints nothing about a missing revision, and a message about every other error.
    fn no_revision(&self, name: &str, why: &str) -> Failure {
        let what = if self.is_origin { self.dir.display().to_string() } else { "the repository".to_owned() };
        let has_words =
            why != NOTHING && !why.contains("unknown revision") && !why.contains("Needed a single revision");
        if has_words { unreadable(&what, why) } else { not_there(&what, &format!("it has no revision {name}")) }
    }

    /// Fetches a pull request's head and returns its local name.
    fn fetch_pull(&self, number: u64) -> Result<String, Failure> {
        let name = format!("refs/cc-ci/pull/{number}");
        let refspec = format!("+refs/pull/{number}/head:{name}");
        match self.fetch(&refspec) {
            Ok(_) => Ok(name),
            Err(why) if says_nothing(&why) => Err(unreadable("the repository", &why)),
            Err(_) => {
                Err(not_there("the repository", &format!("it has no pull request {number} (refs/pull/{number}/head)")))
            }
        }
    }

    /// A commit's id determines its content, so any way to fetch it is fine. A force push removes it from the pull
    /// request; the forge may still have it then.
    fn pinned(&self, pull: u64, commit: &Commit) -> Result<Commit, Failure> {
        let has = || self.git(&["cat-file", "-e", &format!("{commit}^{{commit}}")]).is_ok();
        if !self.is_origin {
            self.fetch_pull(pull)?;
            if !has()
                && let Err(why) = self.fetch(commit.as_str())
                && says_nothing(&why)
            {
                return Err(unreadable("the repository", &why));
            }
        }
        if has() {
            return Ok(commit.clone());
        }
        Err(Failure::new(
            Kind::CommitGone,
            format!("pull request {pull} no longer has commit {commit}: other commits replaced it"),
            "the new commits; a new `!testme` tests them",
        ))
    }

    /// Every tag with a valid name.
    ///
    /// # Errors
    /// [`Kind::InvalidRecipe`] with git's message.
    pub fn tags(&self) -> Result<Vec<Tag>, Failure> {
        let list = self
            .git(&[
                "for-each-ref",
                "refs/tags",
                "--format=%(objecttype) %(objectname) %(*objectname) %(refname:strip=2)",
            ])
            .map_err(|why| unreadable("the repository", &why))?;
        let tag = |line: &str| {
            let [kind, object, peeled, name] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else { return None };
            let annotated = kind == "tag";
            let commit = if annotated { peeled } else { object }.to_owned();
            is_ref(name).then(|| Tag { name: name.to_owned(), annotated, commit })
        };
        Ok(list.lines().filter_map(tag).collect())
    }

    /// The files that differ between two revisions.
    ///
    /// # Errors
    /// [`Kind::InvalidRecipe`] with git's message.
    pub fn changed(&self, base: &str, head: &str) -> Result<Vec<String>, Failure> {
        let list = self
            .git(&["diff-tree", "-r", "-z", "--name-only", "--no-renames", base, head])
            .map_err(|why| unreadable(&format!("what is new since {base}"), &why))?;
        Ok(list.split_terminator('\0').map(str::to_owned).collect())
    }

    /// Resets the work tree to a commit or tag. Ignored files stay.
    ///
    /// # Errors
    /// [`Kind::InvalidRecipe`] with git's message.
    pub fn check_out(&self, revision: &str) -> Result<(), Failure> {
        self.git(&["checkout", "--quiet", "--force", "--detach", revision])
            .map(drop)
            .map_err(|why| unreadable(&format!("revision {revision}"), &why))
    }

    /// A file at a commit or tag; `None` if it does not exist or is not text. Cached if the revision cannot change.
    pub fn file(&self, revision: &str, path: &str) -> Option<String> {
        let key = (revision.to_owned(), path.to_owned());
        if let Some(known) = self.known().files.get(&key) {
            return known.clone();
        }
        let text = self.object(&format!("{revision}:{path}"), "blob").and_then(|bytes| String::from_utf8(bytes).ok());
        if self.stays(revision) {
            self.known().files.insert(key, text.clone());
        }
        text
    }

    fn object(&self, name: &str, wanted: &str) -> Option<Vec<u8>> {
        let mut open = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut blobs = match open.take() {
            Some(blobs) => blobs,
            None => Blobs::open(&self.dir).ok()?,
        };
        // A process that failed midway is not used again.
        let found = blobs.read(name, wanted).ok()?;
        *open = Some(blobs);
        found
    }

    /// Whether a revision cannot change: in a clone that belongs to the run, or a full commit id.
    fn stays(&self, revision: &str) -> bool {
        !self.is_origin || (matches!(revision.len(), 40 | 64) && revision.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, KnownFiles> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every file of a commit.
    ///
    /// # Errors
    /// [`Kind::InvalidRecipe`] with git's message.
    pub fn tree(&self, revision: &str) -> Result<Vec<TreeEntry>, Failure> {
        if let Some(known) = self.known().trees.get(revision) {
            return Ok(known.clone());
        }
        let list = self
            .git(&["ls-tree", "-r", "-z", "--full-tree", revision])
            .map_err(|why| unreadable(&format!("the files of {revision}"), &why))?;
        let tree: Vec<TreeEntry> = list.split_terminator('\0').filter_map(entry).collect();
        if self.stays(revision) {
            self.known().trees.insert(revision.to_owned(), tree.clone());
        }
        Ok(tree)
    }

    /// The files below a folder at a commit; empty if it does not exist.
    ///
    /// # Errors
    /// [`Kind::InvalidRecipe`] with git's message.
    pub fn entries(&self, revision: &str, folder: &str) -> Result<Vec<TreeEntry>, Failure> {
        let folder = format!("{folder}/");
        let mut tree = self.tree(revision)?;
        tree.retain(|entry| entry.path.starts_with(&folder));
        Ok(tree)
    }

    /// The first lines of a commit's message up to an empty one, as one line.
    pub fn subject(&self, commit: &Commit) -> String {
        let bytes = self.object(commit.as_str(), "commit").unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let message = text.split_once("\n\n").map_or("", |(_, message)| message);
        let lines = message.lines().map(str::trim).skip_while(|line| line.is_empty());
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }

    fn fetch(&self, what: &str) -> Result<String, String> {
        let args = ["fetch", "--quiet", "--no-tags", "origin", what].map(OsString::from);
        git_elsewhere(Some(&self.dir), &args, self.access.as_ref(), PATIENCE)
    }

    fn git(&self, args: &[&str]) -> Result<String, String> {
        git(Some(&self.dir), &args.iter().map(OsString::from).collect::<Vec<_>>())
    }
}

/// A line of `git ls-tree`: mode, type and id, a tab, the path.
fn entry(line: &str) -> Option<TreeEntry> {
    let (facts, path) = line.split_once('\t')?;
    let is = |mode: &str| facts.starts_with(mode);
    Some(TreeEntry { path: path.to_owned(), is_executable: is("100755 "), is_link: is("120000 ") })
}

/// A folder of a commit as a tar archive.
///
/// # Errors
/// [`Kind::CheckBroken`] if it is too large, [`Kind::InvalidRecipe`] with git's message.
pub fn archive(dir: &Path, revision: &str, folder: &str) -> Result<Vec<u8>, Failure> {
    let why = |why: String| unreadable(&format!("{folder}/ of the repository"), &why);
    let words = |args: &[&str]| args.iter().map(OsString::from).collect::<Vec<_>>();
    let list = git(Some(dir), &words(&["ls-tree", "-r", "-l", "-z", revision, &format!("{folder}/")])).map_err(why)?;
    let sizes =
        list.split_terminator('\0').filter_map(|line| line.split('\t').next()?.split(' ').next_back()?.parse().ok());
    let bytes = sizes.fold(0_u64, u64::saturating_add);
    if bytes > ARCHIVE_BYTES {
        return Err(Failure::new(
            Kind::CheckBroken,
            format!("{folder}/ of the repository has {bytes} bytes; at most {ARCHIVE_BYTES} are taken"),
            "move large files out of the folder",
        ));
    }
    git_bytes(Some(dir), &words(&["archive", "--format=tar", revision, &format!("{folder}/")])).map_err(why)
}

/// Runs git without settings of this machine and without hooks. Returns its output as text.
pub fn git(dir: Option<&Path>, args: &[OsString]) -> Result<String, String> {
    git_bytes(dir, args).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The same with the output as bytes.
pub fn git_bytes(dir: Option<&Path>, args: &[OsString]) -> Result<Vec<u8>, String> {
    let output = command(dir).args(args).output().map_err(|error| format!("git cannot be started: {error}"))?;
    if output.status.success() { Ok(output.stdout) } else { Err(reason(&String::from_utf8_lossy(&output.stderr))) }
}

/// Not with [`duct`], which copies this whole process and starts two threads for each call.
fn command(dir: Option<&Path>) -> Command {
    let mut command = Command::new("git");
    command.args(SAFE).envs(ENVIRONMENT).stdin(Stdio::null());
    if let Some(dir) = dir {
        command.current_dir(dir);
    }
    command
}

/// A source as git's argument. A relative folder must not be mistaken for an option or a host.
fn address(source: &str) -> Result<OsString, Failure> {
    let local = Path::new(source);
    if local.exists() {
        local::is_repository(local)?;
        Ok(std::path::absolute(local).map_err(|error| unreadable(source, &error.to_string()))?.into())
    } else if source.contains("://") || source.contains('@') {
        Ok(source.into())
    } else {
        Err(not_there(source, "the folder does not exist, and it is not a URL"))
    }
}

/// Runs a git that contacts another machine, which may never answer; returns its output.
fn git_elsewhere(
    dir: Option<&Path>,
    args: &[OsString],
    access: Option<&GitAccess>,
    patience: Patience,
) -> Result<String, String> {
    // Its helpers outlive it for a moment and would hold a pipe open.
    let file = || -> std::io::Result<_> {
        let file = tempfile::tempfile()?;
        Ok((file.try_clone()?, file))
    };
    let made = |error: std::io::Error| format!("no temporary file can be created: {error}");
    let ((stdout, printed), (stderr, said)) = (file().map_err(made)?, file().map_err(made)?);
    let options = access.map(GitAccess::options).unwrap_or_default();
    let command = expression(dir, &[&options, args].concat());
    let command = access
        .map_or(command.clone(), |access| access.environment(command))
        .env("GIT_HTTP_LOW_SPEED_LIMIT", "1")
        .env("GIT_HTTP_LOW_SPEED_TIME", patience.silent.as_secs().max(1).to_string())
        // Without a terminal ssh would fail at a prompt as well; this way its message names the prompt.
        .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=30")
        .stdout_file(stdout)
        .stderr_file(stderr);
    let running = command.start().map_err(|error| format!("git cannot be started: {error}"))?;
    let ended = running.wait_timeout(patience.whole).map_err(|error| format!("git cannot be waited for: {error}"))?;
    let Some(output) = ended else {
        let killed = running.kill().and_then(|()| running.wait().map(drop));
        let trouble = killed.err().map_or_else(String::new, |error| format!(" (and git cannot be ended: {error})"));
        return Err(format!("{SILENT} {} s{trouble}", patience.whole.as_secs()));
    };
    let text = |mut file: std::fs::File| {
        let mut text = Vec::new();
        let read = file.rewind().and_then(|()| file.take(PRINTED).read_to_end(&mut text));
        read.map_err(|error| format!("git's output is lost: {error}"))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    if output.status.success() { text(printed) } else { Err(reason(&text(said)?)) }
}

fn expression(dir: Option<&Path>, args: &[OsString]) -> duct::Expression {
    let mut all: Vec<OsString> = SAFE.map(Into::into).into();
    all.extend_from_slice(args);
    let command = duct::cmd("git", all).stdin_null().unchecked();
    let command = ENVIRONMENT.iter().fold(command, |command, (name, value)| command.env(name, value));
    match dir {
        Some(dir) => command.dir(dir),
        None => command,
    }
}

#[cfg(test)]
mod tests;
