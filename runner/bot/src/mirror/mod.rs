//! Mirrors: upstream's branches and tags in a repository of the organisation, where pull requests are made. Nothing is
//! ever forced, so people's pushes stay.

mod enrol;
mod git;
mod plan;

use std::collections::{BTreeMap, BTreeSet};

use base::failure::{Failure, Kind};
use base::names::RecipeName;
use forge::api::{Forge, ForgeError, Hosting, NewRepo};
use forge::names::{Branch, Repo};

pub use self::enrol::{Enrolled, Enrolment, enrol};
pub use self::git::{Git, IdFormat};
use self::plan::plan;
pub use self::plan::{RefStep, Refs};
use source::git_access::GitAccess;

/// Refs per push, since argument lists are limited.
const AT_ONCE: usize = 500;

/// One mirror: its source and target.
#[derive(Debug, Clone)]
pub struct Mirror {
    pub recipe: RecipeName,
    /// A folder or an address.
    pub upstream: String,
    /// The repository of the mirror.
    pub repo: Repo,
    /// Whether access is restricted to people whom the organisation admits.
    pub is_private: bool,
    /// For the push.
    pub access: GitAccess,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored {
    /// Whether the repository was created.
    pub made: bool,
    /// The outcome for each ref that differed.
    pub steps: BTreeMap<String, RefStep>,
}

/// Creates the mirror if it is missing, and updates it.
///
/// # Errors
/// Upstream or the forge cannot be read, or the forge refuses a push. Earlier pushes stay; the next call continues from
/// there.
pub async fn mirror(forge: &(impl Forge + Hosting), what: &Mirror) -> Result<Mirrored, Failure> {
    let scratch =
        tempfile::tempdir().map_err(|error| Failure::disk("make a folder in", &std::env::temp_dir(), &error))?;
    let (git, upstream, format) = Git::like(&what.upstream, scratch.path(), &what.access)?;
    let made = match forge.hosted(&what.repo).await.map_err(|error| failure(&error))? {
        None => {
            let branch = default_branch(&git, what)?;
            let new = NewRepo {
                branch,
                description: format!("Mirror of {}", source::without_credentials(&what.upstream)),
                is_private: what.is_private,
                is_sha256: format == IdFormat::Sha256,
            };
            forge.make(&what.repo, &new).await.map_err(|error| failure(&error))?;
            true
        }
        Some(hosted) if what.is_private && !hosted.is_private => {
            let what = format!("{} exists already and is public", what.repo);
            return Err(Failure::new(
                Kind::Usage,
                what,
                "make it private in the repository's settings on the forge, then try again",
            ));
        }
        Some(hosted) if hosted.may_push => false,
        Some(_) => {
            let what = format!("the bot may not push to {}", what.repo);
            return Err(Failure::new(Kind::Usage, what, "the bot's team: it needs the right to write code"));
        }
    };
    let target = forge.clone_url(&what.repo).to_string();
    let present = git.refs_of(&target)?;
    if present == upstream {
        return Ok(Mirrored { made, steps: BTreeMap::new() });
    }
    git.fetch_all(&what.upstream)?;
    let pulls = forge.own_pulls(&what.repo).await.map_err(|error| failure(&error))?;
    let in_pulls: BTreeSet<String> = pulls.into_iter().filter(|pull| pull.is_open).map(|pull| pull.head).collect();
    let steps = plan(&upstream, &present, &in_pulls, |ours, theirs| git.is_ahead(ours, theirs));
    let pushed: Vec<String> = steps
        .iter()
        .filter(|(_, step)| step.is_push())
        .filter_map(|(name, _)| Some(format!("{}:{name}", upstream.get(name)?)))
        .collect();
    for part in pushed.chunks(AT_ONCE) {
        git.push(&target, part)?;
    }
    Ok(Mirrored { made, steps })
}

fn default_branch(git: &Git, what: &Mirror) -> Result<Branch, Failure> {
    let name = git.default_branch(&what.upstream)?.unwrap_or_else(|| "main".to_owned());
    name.parse().map_err(|error| Failure::new(Kind::InvalidRecipe, format!("{error}"), "upstream's default branch"))
}

/// Maps a forge's error to a command's failure.
fn failure(error: &ForgeError) -> Failure {
    let (kind, look_at) = match error {
        ForgeError::Unreachable { .. } => (Kind::SourceUnreachable, "the network of this machine, and --forge-url"),
        ForgeError::Token { .. } => (Kind::Usage, "--forge-token-file"),
        ForgeError::Refused { .. } => {
            (Kind::Usage, "docs/operate.md, Mirrors: the rights of the bot and the scopes of its token")
        }
        ForgeError::Wrong { .. } => (Kind::Usage, "--forge-url"),
    };
    Failure::new(kind, error.to_string(), look_at)
}
