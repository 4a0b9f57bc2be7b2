use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;

use super::asked::{CommandRequest, Cycle};
use super::error::{StoreError, WatchError};
use super::pin::{Pin, pin};
use super::pushes::KnownPushes;
use super::state::{Fate, Known, Waiting};
use super::store::Store;
use crate::api::{Changed, Comment, Forge, ForgeError, Mark, Pull};
use crate::grammar::{Command, Parsed};
use crate::names::{CommentId, PullId, User};

/// A mark of this second or the one before may stand for two states.
pub(super) const SETTLED: SignedDuration = SignedDuration::from_secs(2);

/// Watches one owner's pull requests on one forge.
#[derive(Debug)]
pub struct Watcher<F> {
    forge: F,
    store: Store,
    me: User,
    known: Known,
    /// The pull requests whose comments have all been read, with their state then.
    done: HashMap<PullId, Mark>,
    /// The pushes to pull requests with commands that wait.
    pushes: KnownPushes,
}

impl<F: Forge> Watcher<F> {
    /// Resumes from the file. Without one, it begins now and ignores earlier comments. `about` names forge and owner,
    /// so that another one's file is not used by mistake.
    ///
    /// # Errors
    /// The forge cannot return the bot's account, or the file cannot be used.
    pub async fn open(forge: F, store: Store, about: &str) -> Result<Self, WatchError> {
        let me = forge.me().await?;
        let known = match store.load()? {
            Some(known) if known.about != about => {
                let (path, found, wanted) = (store.path().to_owned(), known.about, about.to_owned());
                return Err(StoreError::OtherForge { path, found, wanted }.into());
            }
            Some(known) => known,
            None => {
                let known = Known::first(about.to_owned(), forge.now().await?);
                store.save(&known)?;
                known
            }
        };
        Ok(Self { forge, store, me, known, done: HashMap::new(), pushes: KnownPushes::default() })
    }

    pub fn forge(&self) -> &F {
        &self.forge
    }

    /// The bot's account.
    pub fn me(&self) -> &User {
        &self.me
    }

    /// The commands that are not accepted yet, oldest first. They may include non-members'.
    pub fn waiting(&self) -> &[Waiting] {
        self.known.waiting()
    }

    /// The fate of a comment; remembered for a day.
    pub fn fate(&self, id: CommentId) -> Option<Fate> {
        self.known.fate(id)
    }

    /// Polls once, with a single request if nothing changed.
    ///
    /// # Errors
    /// The forge cannot be queried, or the file cannot be written. The next cycle reads the same again.
    pub async fn cycle(&mut self) -> Result<Cycle, WatchError> {
        let since = self.known.since();
        let Changed { at, pulls } = self.forge.changed(since).await?;
        let new = || pulls.items.iter().filter(|mark| self.done.get(&mark.pull) != Some(mark));
        let mut repos: Vec<_> = new().map(|mark| mark.pull.repo.clone()).collect();
        repos.sort();
        repos.dedup();

        let ended = new().filter_map(|mark| Some((mark.pull.clone(), mark.ended?))).collect();
        let (mut cycle, mut known) = (Cycle { ended, ..Cycle::default() }, self.known.clone());
        let (mut read, mut at_once, mut failed) = (HashSet::new(), pulls.at_once, None);
        for repo in repos {
            match self.forge.comments(&repo, since).await {
                Ok(listed) => {
                    at_once &= listed.at_once;
                    for comment in &listed.items {
                        let fate = known.read(comment, &self.me);
                        cycle.comments += usize::from(fate.is_some_and(|fate| fate != Fate::Old));
                        cycle.words += usize::from(fate == Some(Fate::Waiting));
                    }
                    read.insert(repo);
                }
                // Waiting does not help, and other repositories must not wait for it.
                Err(refused @ ForgeError::Refused { .. }) => {
                    cycle.refused.push(refused);
                    read.insert(repo);
                }
                Err(error) => {
                    let is_for_all = error.is_for_all();
                    failed.get_or_insert(error);
                    if is_for_all {
                        break;
                    }
                }
            }
        }

        // A list of several pages may have hidden something that a second poll shows.
        let is_whole = failed.is_none() && (at_once || cycle.comments == 0);
        if let (true, Some(now)) = (is_whole, at) {
            known.read_until(now);
        }
        self.write_down(known)?;
        self.done = if is_whole {
            let settled = |mark: &Mark| at.is_some_and(|at| mark.updated.duration_until(at) >= SETTLED);
            let stays = |mark: &Mark| !read.contains(&mark.pull.repo) || settled(mark);
            pulls.items.into_iter().filter(stays).map(|mark| (mark.pull.clone(), mark)).collect()
        } else {
            HashMap::new()
        };
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(cycle),
        }
    }

    /// Takes a comment from another source, such as a webhook. Returns whether it is a new command.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn offer(&mut self, comment: &Comment) -> Result<bool, WatchError> {
        let mut known = self.known.clone();
        let fate = known.read(comment, &self.me);
        self.write_down(known)?;
        Ok(fate == Some(Fate::Waiting))
    }

    /// The oldest waiting command of a member; the same one until it is confirmed. Non-members' and deleted commands
    /// end here.
    ///
    /// # Errors
    /// The forge cannot be queried, or the file cannot be written. A command that the forge cannot resolve does not
    /// block others, and is an error once there is nothing else.
    pub async fn next(&mut self) -> Result<Option<CommandRequest>, WatchError> {
        let mut failed = None;
        for waiting in self.known.waiting().to_vec() {
            let id = waiting.id;
            match self.judge(waiting).await {
                Ok(Ok(asked)) => return Ok(Some(asked)),
                Ok(Err(fate)) => self.settle(id, fate)?,
                Err(error) if error.is_for_all() => return Err(error.into()),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(None),
        }
    }

    /// Confirms that a command was accepted, so that it is never returned again.
    ///
    /// # Errors
    /// The file cannot be written; the command is then returned again.
    pub fn confirm(&mut self, id: CommentId) -> Result<(), WatchError> {
        self.settle(id, Fate::Accepted)
    }

    /// Whether a command is authorized now.
    async fn judge(&mut self, waiting: Waiting) -> Result<Result<CommandRequest, Fate>, ForgeError> {
        let Some(comment) = self.forge.comment(&waiting.pull.repo, waiting.id).await? else {
            return Ok(Err(Fate::Withdrawn));
        };
        // A name may have been reassigned; the id has not.
        if comment.author.id != waiting.author.id || !self.forge.is_member(&comment.author.login).await? {
            return Ok(Err(Fate::Stranger));
        }
        let Some(pull) = self.forge.pull(&waiting.pull).await? else {
            return Ok(Err(Fate::Withdrawn));
        };
        let pin = self.pin(&waiting, &pull).await?;
        Ok(Ok(CommandRequest { comment: waiting, member: comment.author, pull, pin }))
    }

    /// Whether the pull request's head existed when a command was written.
    async fn pin(&mut self, waiting: &Waiting, pull: &Pull) -> Result<Pin, ForgeError> {
        let runs = |said: &Parsed| matches!(said, Parsed::Command(Command::TestMe(_)));
        if pull.ended.is_some() || !waiting.said.iter().any(runs) {
            return Ok(Pin::Unsure);
        }
        Ok(pin(&pull.head, waiting.id, self.pushes.read(&self.forge, waiting).await?))
    }

    fn settle(&mut self, id: CommentId, fate: Fate) -> Result<(), WatchError> {
        let mut known = self.known.clone();
        known.settle(id, fate);
        self.pushes.keep(known.waiting());
        self.write_down(known)
    }

    /// Writes first: only stored state counts.
    fn write_down(&mut self, known: Known) -> Result<(), WatchError> {
        if known != self.known {
            self.store.save(&known)?;
            self.known = known;
        }
        Ok(())
    }
}
