//! git for mirrors. The bot's token is used only for the forge's own address.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base::failure::{Failure, Kind};

use super::plan::{Refs, is_mirrored};
use source::git_access::GitAccess;
use source::{is_unreachable, without_credentials};

/// A bare repository in its own folder, which knows both sides.
#[derive(Debug)]
pub struct Git {
    dir: PathBuf,
    access: GitAccess,
}

impl Git {
    /// Creates it in an existing, empty folder.
    pub fn init(dir: &Path, access: GitAccess, bare: bool) -> Result<Self, Failure> {
        Self::init_as(dir, access, bare, IdFormat::Sha1)
    }

    fn init_as(dir: &Path, access: GitAccess, bare: bool, format: IdFormat) -> Result<Self, Failure> {
        let git = Self { dir: dir.to_owned(), access };
        let kind: &[&str] = if bare { &["--bare"] } else { &[] };
        let format = format!("--object-format={}", format.name());
        let words = ["init", "--quiet", "--template=", "--initial-branch=cc-ci", &format];
        git.run("git init", &[&words[..], kind].concat())?;
        Ok(git)
    }

    /// Creates a repository with upstream's kind of commit ids, and reads upstream's branches and tags: git fetches
    /// only from a repository of its own kind.
    ///
    /// # Errors
    /// git's message, if upstream cannot be read.
    pub fn like(upstream: &str, folder: &Path, access: &GitAccess) -> Result<(Self, Refs, IdFormat), Failure> {
        let of = |format: IdFormat| {
            let dir = folder.join(format.name());
            std::fs::create_dir(&dir).map_err(|error| Failure::disk("make", &dir, &error))?;
            Self::init_as(&dir, access.clone(), true, format)
        };
        let git = of(IdFormat::Sha1)?;
        let refs = git.refs_of(upstream)?;
        if refs.values().any(|id| id.len() == 64) {
            return Ok((of(IdFormat::Sha256)?, refs, IdFormat::Sha256));
        }
        Ok((git, refs, IdFormat::Sha1))
    }

    /// The branches and tags of a repository.
    ///
    /// # Errors
    /// git's message, if it cannot be read.
    pub fn refs_of(&self, source: &str) -> Result<Refs, Failure> {
        let list = self.run(source, &["ls-remote", "--heads", "--tags", "--refs", "--", source])?;
        let pair = |line: &str| line.split_once('\t').map(|(at, name)| (name.to_owned(), at.to_owned()));
        Ok(list.lines().filter_map(pair).filter(|(name, _)| is_mirrored(name)).collect())
    }

    /// The default branch of a repository; `None` if it has no branch.
    ///
    /// # Errors
    /// git's message, if it cannot be read.
    pub fn default_branch(&self, source: &str) -> Result<Option<String>, Failure> {
        let list = self.run(source, &["ls-remote", "--symref", "--", source, "HEAD"])?;
        let name = |line: &str| Some(line.strip_prefix("ref: refs/heads/")?.split('\t').next()?.to_owned());
        Ok(list.lines().find_map(name))
    }

    pub fn fetch_all(&self, source: &str) -> Result<(), Failure> {
        let refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        self.run(source, &[&["fetch", "--quiet", "--no-tags", "--", source], &refs[..]].concat()).map(drop)
    }

    /// Fetches and checks out the newest commit of a branch.
    pub fn check_out(&self, source: &str, branch: &str) -> Result<(), Failure> {
        let name = format!("refs/heads/{branch}");
        self.run(source, &["fetch", "--quiet", "--depth=1", "--no-tags", "--", source, &name])?;
        self.run(source, &["checkout", "--quiet", "--detach", "FETCH_HEAD"]).map(drop)
    }

    /// Commits everything below a folder.
    pub fn commit(&self, folder: &str, who: &str, message: &str) -> Result<(), Failure> {
        self.run(folder, &["add", "--force", "--", folder])?;
        let (name, mail) = (format!("user.name={who}"), format!("user.email={who}@noreply.invalid"));
        let words = ["-c", &name, "-c", &mail, "commit", "--quiet", "--message", message];
        self.run(folder, &words).map(drop)
    }

    /// Whether a commit of the mirror is an ancestor of one of upstream's. False if upstream does not have it.
    pub fn is_ahead(&self, ours: &str, theirs: &str) -> bool {
        self.run("git merge-base", &["merge-base", "--is-ancestor", ours, theirs]).is_ok()
    }

    /// Pushes objects to refs, fast-forward only: no push is ever forced.
    ///
    /// # Errors
    /// git's message, also if the forge refuses a ref.
    pub fn push(&self, target: &str, refs: &[String]) -> Result<(), Failure> {
        let words: Vec<&str> =
            ["push", "--quiet", "--", target].into_iter().chain(refs.iter().map(String::as_str)).collect();
        self.run(target, &words).map(drop)
    }

    /// `about` names the subject in errors.
    fn run(&self, about: &str, args: &[&str]) -> Result<String, Failure> {
        let settings = [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "protocol.ext.allow=never",
            "http.followRedirects=false",
            // No other address has a login here.
            "credential.helper=",
        ];
        let settings = settings.iter().flat_map(|setting| ["-c".into(), OsString::from(setting)]);
        let all: Vec<OsString> = settings.chain(self.access.options()).chain(args.iter().map(OsString::from)).collect();
        let output = self
            .access
            .environment(duct::cmd("git", all))
            .dir(&self.dir)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("LC_ALL", "C")
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()
            .map_err(|error| {
                Failure::new(Kind::WorldIncomplete, format!("git cannot be started: {error}"), "install git")
            })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(failed(about, &text))
    }
}

/// The hash of commit ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdFormat {
    /// 40 digits.
    Sha1,
    /// 64 digits.
    Sha256,
}

impl IdFormat {
    /// The name in git and in the forges.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }
}

/// Maps git's message to a failure. The last line says that it failed, the first one why.
fn failed(about: &str, text: &str) -> Failure {
    let is_word = |line: &&str| !line.trim().is_empty() && !line.starts_with("hint:");
    let why = text.lines().find(is_word).unwrap_or("git printed nothing").trim();
    let what = format!("{}: {why}", without_credentials(about));
    let failure = if is_unreachable(text) {
        Failure::new(Kind::SourceUnreachable, what, "the network of this machine, and the address")
    } else {
        Failure::new(Kind::Usage, what, "the address, and the rights of the bot and of its token there")
    };
    failure.with_detail(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_of_the_kind_of_upstream() {
        let dir = tempfile::tempdir().unwrap();
        let token_file = dir.path().join("token");
        let access = GitAccess { forge: "https://git.example.org".parse().unwrap(), token_file, ca_file: None };
        for (format, digits) in [(IdFormat::Sha1, 40), (IdFormat::Sha256, 64)] {
            let path = |name: &str| dir.path().join(format!("{name}-{}", format.name()));
            let (from, to, folder) = (path("from"), path("to"), path("folder"));
            [&from, &to, &folder].into_iter().for_each(|one| std::fs::create_dir(one).unwrap());
            let upstream = Git::init_as(&from, access.clone(), false, format).unwrap();
            std::fs::write(from.join("compose.yml"), "x").unwrap();
            upstream.commit(".", "x", "x").unwrap();
            Git::init_as(&to, access.clone(), true, format).unwrap();

            let (git, refs, found) = Git::like(from.to_str().unwrap(), &folder, &access).unwrap();
            assert_eq!(found, format);
            let at = refs.get("refs/heads/cc-ci").unwrap();
            assert_eq!(at.len(), digits);
            git.fetch_all(from.to_str().unwrap()).unwrap();
            git.push(to.to_str().unwrap(), &[format!("{at}:refs/heads/main")]).unwrap();
            assert_eq!(git.refs_of(to.to_str().unwrap()).unwrap().get("refs/heads/main"), Some(at));
        }
        let (nowhere, folder) = (dir.path().join("nowhere"), dir.path().join("folder"));
        std::fs::create_dir(&folder).unwrap();
        let failure = Git::like(nowhere.to_str().unwrap(), &folder, &access).unwrap_err();
        assert!(failure.what.contains("nowhere"), "{}", failure.what);
    }
}
