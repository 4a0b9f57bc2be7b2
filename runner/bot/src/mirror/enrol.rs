//! The pull request that enrols a recipe: a branch of cc-ci's own repository with the folder that `cc-ci new` writes.

use base::failure::{Failure, Kind};
use base::names::RecipeName;
use forge::api::{ENROL_TITLE, Forge, Hosting, NewPull};
use forge::names::{Branch, Repo};

use super::failure;
use super::git::Git;
use recipe_folder::scaffold::{NewFile, write};
use source::git_access::GitAccess;

/// The proposal.
#[derive(Debug, Clone)]
pub struct Enrolment {
    pub recipe: RecipeName,
    /// cc-ci's own repository.
    pub into: Repo,
    /// The files of the recipe's folder.
    pub files: Vec<NewFile>,
    /// For the push.
    pub access: GitAccess,
}

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolled {
    /// The recipe has a folder on the default branch.
    Already,
    /// A pull request exists, open or not: people's decision about it stands.
    Before(u64),
    Opened(u64),
}

/// Opens the pull request once. After a death between the push and the request, it finds the branch and continues.
///
/// # Errors
/// The forge cannot be queried or refuses.
pub async fn enrol(forge: &(impl Forge + Hosting), what: &Enrolment) -> Result<Enrolled, Failure> {
    let told = |error| failure(&error);
    let folder = format!("recipes/{}", what.recipe);
    let Some(hosted) = forge.hosted(&what.into).await.map_err(told)? else {
        let text = format!("the repository {} does not exist, or the bot cannot see it", what.into);
        return Err(Failure::new(Kind::Usage, text, "--enrol-into (CCCI_ENROL_INTO)"));
    };
    if forge.has_path(&what.into, &folder).await.map_err(told)? {
        return Ok(Enrolled::Already);
    }
    let name = format!("enrol/{}", what.recipe);
    let branch: Branch =
        name.parse().map_err(|error| Failure::new(Kind::Bug, format!("{error}"), "a recipe's name"))?;
    let pulls = forge.own_pulls(&what.into).await.map_err(told)?;
    if let Some(pull) = pulls.iter().find(|pull| pull.head == name) {
        return Ok(Enrolled::Before(pull.number));
    }
    let scratch =
        tempfile::tempdir().map_err(|error| Failure::disk("make a folder in", &std::env::temp_dir(), &error))?;
    let git = Git::init(scratch.path(), what.access.clone(), false)?;
    let target = forge.clone_url(&what.into).to_string();
    let target_ref = format!("refs/heads/{name}");
    if !git.refs_of(&target)?.contains_key(&target_ref) {
        git.check_out(&target, hosted.branch.as_str())?;
        for file in &what.files {
            write(&scratch.path().join(&folder), file)?;
        }
        let who = forge.me().await.map_err(told)?;
        git.commit(&folder, who.login.as_str(), &title(&what.recipe))?;
        git.push(&target, &[format!("HEAD:{target_ref}")])?;
    }
    let new = NewPull { head: branch, base: hosted.branch, title: title(&what.recipe), body: body(&what.recipe) };
    forge.open_pull(&what.into, &new).await.map(Enrolled::Opened).map_err(told)
}

fn title(recipe: &RecipeName) -> String {
    format!("{ENROL_TITLE}{recipe}")
}

fn body(recipe: &RecipeName) -> String {
    format!(
        "The folder that `cc-ci new {recipe}` writes. Everything but the test to fill in is green; \
         `docs/enroll-recipe.md` says how to go on.\n\n\
         - [ ] `functional/10-main-object.sh` makes and fetches the app's main object\n\
         - [ ] `cc-ci run {recipe}` is green\n\
         - [ ] `cc-ci prove {recipe}` is green\n\
         - [ ] `cc-ci lint {recipe}` has no finding\n"
    )
}
