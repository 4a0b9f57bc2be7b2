//! What one run tests, settled before anything is deployed.

use base::failure::{Failure, Kind};
use base::names::{Commit, Domain, OBJECT_NAME_MAX, RecipeName, RunId, StackName};
use coopcloud::compose::Compose;
use coopcloud::version;

use host::domain::domain_of;
use source::{Checkout, Revision, Tag, without_credentials};

/// What somebody asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The recipe.
    pub recipe: RecipeName,
    /// Where its repository is.
    pub source: String,
    /// What to test of it.
    pub revision: Revision,
    /// The release to upgrade from; none lets cc-ci choose.
    pub from: Option<String>,
    /// The base domain of the app.
    pub base_domain: Domain,
}

/// What one run tests: every name pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSpec {
    /// The run.
    pub run: RunId,
    /// The recipe.
    pub recipe: RecipeName,
    /// Where its repository is, without credentials.
    pub source: String,
    /// The tested commit.
    pub head: Commit,
    /// The first line of its message.
    pub head_subject: String,
    /// The version that its compose file names.
    pub head_version: Option<String>,
    /// The release that the upgrade starts from.
    pub base: Option<String>,
    /// Why there is none, where there is none.
    pub no_base: String,
    /// The pull request.
    pub pull_request: Option<u64>,
    /// Whether the commit is the newest of the default branch, and nothing else was asked for.
    pub on_main: bool,
    /// The app's domain.
    pub domain: Domain,
    /// The app's stack.
    pub stack: StackName,
    /// Every version tag of the repository.
    pub tags: Vec<Tag>,
    /// traefik's resolver that gets the app a certificate of its own; none where traefik has one for all apps.
    pub cert_resolver: Option<String>,
}

/// Pins a request: asks the clone for the commit, its version and the release before it.
///
/// # Errors
/// When the repository has no such revision, the release asked for is not there, or the domain
/// would be too long.
pub fn pin(request: &Request, run: RunId, checkout: &Checkout) -> Result<RunSpec, Failure> {
    // Two processes that do not need each other.
    let (head, tags) = std::thread::scope(|scope| {
        let tags = scope.spawn(|| checkout.tags());
        (checkout.resolve(&request.revision), tags.join())
    });
    let head = head?;
    let tags = tags.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let pull_request = request.revision.pull_request();
    let is_published = matches!(request.revision, Revision::Default | Revision::Named(_));
    let on_main = is_published && checkout.resolve(&Revision::Default).is_ok_and(|newest| newest == head);
    let domain = domain_of(&request.recipe, pull_request, &head, &request.base_domain)?;
    let head_version = version_in(checkout, head.as_str());
    let (base, no_base) = match &request.from {
        Some(asked) => (Some(asked_for(request, asked, &tags)?), String::new()),
        None => base_of(head_version.as_deref(), &head, &tags),
    };
    // The same revision is no upgrade.
    let is_head = |base: &String| tags.iter().any(|tag| tag.name == *base && tag.commit == head.as_str());
    let (base, no_base) = match base.filter(|base| !is_head(base)) {
        Some(base) => (Some(base), no_base),
        None if no_base.is_empty() => (None, "the release to upgrade from is the tested commit itself".to_owned()),
        None => (None, no_base),
    };
    Ok(RunSpec {
        run,
        recipe: request.recipe.clone(),
        source: without_credentials(&request.source),
        head_subject: checkout.subject(&head),
        head,
        head_version,
        base,
        no_base,
        pull_request,
        on_main,
        stack: domain.stack(),
        domain,
        tags,
        cert_resolver: None,
    })
}

fn releases_of(tags: &[Tag]) -> Vec<String> {
    tags.iter().map(|tag| tag.name.clone()).filter(|name| version::Version::parse(name).is_some()).collect()
}

/// A release that was asked for by name.
fn asked_for(request: &Request, asked: &str, tags: &[Tag]) -> Result<String, Failure> {
    if tags.iter().any(|tag| tag.name == asked) {
        return Ok(asked.to_owned());
    }
    let releases = releases_of(tags);
    Err(Failure::new(
        Kind::InvalidRecipe,
        format!("{} has no release {asked:?} to upgrade from", request.recipe),
        format!("its releases: {}", if releases.is_empty() { "none".to_owned() } else { releases.join(", ") }),
    ))
}

/// The newest release that is neither the tested commit nor of its version; else why there is none. Where the only
/// release is of a version that the commit still names, that one is what operators have.
fn base_of(version: Option<&str>, head: &Commit, tags: &[Tag]) -> (Option<String>, String) {
    let is_head = |tag: &&Tag| tag.commit == head.as_str();
    let released: Vec<Tag> = tags.iter().filter(|tag| !is_head(tag)).cloned().collect();
    let others = releases_of(&released);
    let own = tags.iter().filter(is_head).find(|tag| version::Version::parse(&tag.name).is_some());
    // A commit that is a release has that release's version, whatever its files say.
    let version = own.map(|tag| tag.name.as_str()).or(version);
    let older = version::previous(version, &others);
    let parsed = |name: &str| version::Version::parse(name);
    match (own, older) {
        (Some(own), None) => (None, format!("{} is the tested commit itself, and there is no other release", own.name)),
        (Some(own), Some(base)) if parsed(&base) > parsed(&own.name) => {
            (None, format!("{} is the tested commit itself, and no release is older", own.name))
        }
        (_, Some(base)) => (Some(base), String::new()),
        (None, None) => match version::newest(&others) {
            Some(only) => (Some(only), String::new()),
            None => (None, "the recipe has no release yet to upgrade from".to_owned()),
        },
    }
}

/// The releases before what is tested, newest first: the one that the upgrade starts from, whether or not an upgrade was
/// asked for, and the one before it.
pub fn releases_before(spec: &RunSpec) -> Vec<String> {
    let base = spec.base.clone().or_else(|| base_of(spec.head_version.as_deref(), &spec.head, &spec.tags).0);
    let Some(base) = base else { return Vec::new() };
    let older = version::previous(Some(&base), &releases_of(&spec.tags));
    let is_older = |name: &String| version::Version::parse(name) < version::Version::parse(&base);
    [base.clone()].into_iter().chain(older.filter(is_older)).collect()
}

/// Whether docker takes the names of the app's secrets and configs.
///
/// # Errors
/// [`Kind::DomainTooLong`] with the first name that is too long.
pub fn check_object_names(compose: &Compose) -> Result<(), Failure> {
    let names =
        compose.secrets.iter().map(|s| ("secret", &s.name)).chain(compose.configs.iter().map(|c| ("config", &c.name)));
    for (what, name) in names {
        if name.len() > OBJECT_NAME_MAX {
            return Err(Failure::new(
                Kind::DomainTooLong,
                format!("the {what} {name} has {} characters; docker takes {OBJECT_NAME_MAX}", name.len()),
                "shorten the name in the recipe (12 characters are safe), or give a shorter --base-domain",
            ));
        }
    }
    Ok(())
}

/// The version that the compose file of a revision names on its service `app`, if it names one.
pub fn version_in(checkout: &Checkout, revision: &str) -> Option<String> {
    let text = checkout.file(revision, "compose.yml")?;
    // Only the label's value is wanted, and its key has a variable in it: read the line.
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let line = lines.find(|line| line.contains("coop-cloud.") && line.contains(".version"))?;
    let (_, value) = line.split_once(".version")?;
    let value = value.trim_start_matches(['"', '\'', ':', '=', ' ']).trim_end_matches(['"', '\'', ' ', ',']);
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use base::names::STACK_NAME_MAX;

    use super::*;

    #[test]
    fn the_base_is_the_newest_release_that_is_not_what_is_tested() {
        let head: Commit = "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b".parse().unwrap();
        let base = |version: &str, tags: &[(&str, bool)]| {
            let commit = |is_head: bool| if is_head { head.to_string() } else { "0".repeat(40) };
            let tag = |(name, is_head): &(&str, bool)| Tag {
                name: (*name).to_owned(),
                annotated: true,
                commit: commit(*is_head),
            };
            base_of(Some(version), &head, &tags.iter().map(tag).collect::<Vec<_>>())
        };
        let from = |base: &str| (Some(base.to_owned()), String::new());
        let three =
            [("1.0.0+1", false), ("1.1.0+1", false), ("1.2.0+2", false), ("1.3.0-rc1", false), ("nightly", false)];
        assert_eq!(base("1.3.0+2", &three), from("1.2.0+2"));
        assert_eq!(base("1.2.0+2", &three), from("1.1.0+1"), "its own version is none");
        assert_eq!(
            base("1.2.0+3", &three),
            from("1.2.0+2"),
            "the same numbers with another upstream are another version"
        );
        assert_eq!(base("1.1.1+1", &three), from("1.1.0+1"), "a fix of what is not the newest any more");
        // Nightly builds, tags and crons test what is released.
        let tip = [("1.0.0+1", false), ("1.1.0+1", true)];
        assert_eq!(base("1.1.0+1", &tip), from("1.0.0+1"));
        assert_eq!(
            base("1.0.0+1", &tip),
            from("1.0.0+1"),
            "a label that nobody raised does not hide which release it is"
        );
        let reason = |version: &str, tags: &[(&str, bool)]| base(version, tags).1;
        assert!(reason("1.0.0+1", &[("1.0.0+1", true)]).contains("there is no other release"));
        assert!(reason("1.0.0+1", &[("1.0.0+1", true), ("1.1.0+1", false)]).contains("no release is older"));
        assert!(reason("1.0.0+1", &[("nightly", true)]).contains("no release yet"));
        assert_eq!(
            base("1.0.0+1", &[("1.0.0+1", false)]),
            from("1.0.0+1"),
            "a change that names the only release still"
        );
    }

    fn domain(recipe: &str, base: &str) -> Result<Domain, Failure> {
        let head = "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b".parse().unwrap();
        domain_of(&recipe.parse().unwrap(), Some(12), &head, &base.parse().unwrap())
    }

    #[test]
    fn a_domain_has_the_unique_part_in_front() {
        assert_eq!(domain("custom-html", "ci.localhost").unwrap().as_str(), "custom-html-pr12-1a2b3c4.ci.localhost");
    }

    #[test]
    fn a_long_name_is_cut_and_stays_its_own() {
        let (one, other) = ("a-recipe-with-a-very-long-name", "a-recipe-with-a-very-long-nose");
        let cut = [one, other].map(|name| domain(name, "ci.localhost").unwrap());
        assert_eq!(cut[0].as_str(), "a-recipe-with-1a94-pr12-1a2b3c4.ci.localhost");
        assert!(cut.iter().all(|domain| domain.as_str().len() <= STACK_NAME_MAX) && cut[0] != cut[1], "{cut:?}");
        assert_eq!(cut[0].stack().as_str(), cut[0].as_str().replace('.', "_"), "abra cuts nothing off");
        for length in 1..=40 {
            assert!(domain(&"x".repeat(length), "ci.localhost").is_ok(), "{length}");
        }
    }

    #[test]
    fn names_that_no_host_has_are_taken_and_stay_their_own() {
        let names = ["Open_Project", "open_project", "open-project", "OPEN-PROJECT"];
        let domains = names.map(|name| domain(name, "ci.localhost").unwrap());
        assert_eq!(domains[2].as_str(), "open-project-pr12-1a2b3c4.ci.localhost");
        assert_eq!(domains[0].as_str(), "open-project-bf35-pr12-1a2b3c4.ci.localhost");
        for (n, domain) in domains.iter().enumerate() {
            assert!(domains[..n].iter().all(|other| other != domain), "{domains:?}");
            assert_eq!(domain.stack().as_str(), domain.as_str().replace('.', "_"));
        }
        let long = domain(&"A_b".repeat(33), "ci.localhost").unwrap();
        assert!((40..=STACK_NAME_MAX).contains(&long.as_str().len()), "of a long one as much is kept as fits: {long}");
    }

    #[test]
    fn a_base_domain_that_leaves_no_room_is_refused_with_the_room_that_there_is() {
        let failure = domain("matrix-synapse", "a-very-long-base-domain.example.org").unwrap_err();
        assert_eq!(failure.kind, Kind::DomainTooLong);
        assert!(failure.look_at.contains("at most 22 characters"), "{}", failure.look_at);
        assert!(domain("matrix-synapse", "twenty-two.example.org").is_ok());
        assert!(domain("matrix-synapse", "twenty-three.exampl.org").is_err());
    }
}
