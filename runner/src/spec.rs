//! What one run tests, settled before anything is deployed.

use harness::coopcloud::compose::Compose;
use harness::coopcloud::version;
use harness::failure::{Failure, Kind};
use harness::names::{Commit, Domain, OBJECT_NAME_MAX, RecipeName, RunId, STACK_NAME_MAX, StackName};

use crate::source::{Checkout, Revision, Tag, without_credentials};

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
    /// The pull request.
    pub pull_request: Option<u64>,
    /// The app's domain.
    pub domain: Domain,
    /// The app's stack.
    pub stack: StackName,
    /// Every version tag of the repository.
    pub tags: Vec<Tag>,
}

/// Pins a request: asks the clone for the commit, its version and the release before it.
///
/// # Errors
/// When the repository has no such revision, the release asked for is not there, or the domain
/// would be too long.
pub fn pin(request: &Request, run: RunId, checkout: &Checkout) -> Result<RunSpec, Failure> {
    let head = checkout.resolve(&request.revision)?;
    let pull_request = request.revision.pull_request();
    let domain = domain_of(&request.recipe, pull_request, &head, &request.base_domain)?;
    let tags = checkout.tags()?;
    let head_version = version_in(checkout, head.as_str());
    let releases: Vec<String> =
        tags.iter().map(|tag| tag.name.clone()).filter(|name| version::Version::parse(name).is_some()).collect();
    let base = match &request.from {
        Some(asked) if tags.iter().any(|tag| tag.name == *asked) => Some(asked.clone()),
        Some(asked) => {
            return Err(Failure::new(
                Kind::InvalidRecipe,
                format!("{} has no release {asked:?} to upgrade from", request.recipe),
                format!("its releases: {}", if releases.is_empty() { "none".to_owned() } else { releases.join(", ") }),
            ));
        }
        None => version::previous(head_version.as_deref(), &releases),
    };
    Ok(RunSpec {
        run,
        recipe: request.recipe.clone(),
        source: without_credentials(&request.source),
        head_subject: checkout.subject(&head),
        head,
        head_version,
        base,
        pull_request,
        stack: domain.stack(),
        domain,
        tags,
    })
}

/// The app's domain: `<recipe>[-pr<n>]-<7 digits of the commit>.<base>`. Where that is longer than a stack's name may be,
/// the recipe's part is cut and ends in four digits that stand for its whole name. The domain itself has to be short
/// enough: the backup bot looks for a stack by it, and does not find one whose name abra has cut.
///
/// # Errors
/// [`Kind::DomainTooLong`] when the base domain leaves no room.
pub fn domain_of(
    recipe: &RecipeName,
    pull_request: Option<u64>,
    head: &Commit,
    base: &Domain,
) -> Result<Domain, Failure> {
    let pull_request = pull_request.map(|number| format!("-pr{number}")).unwrap_or_default();
    let rest = format!("{pull_request}-{}.{base}", &head.as_str()[..7]);
    let room = STACK_NAME_MAX.saturating_sub(rest.len());
    let name = recipe.as_str();
    let short = if name.len() <= room { Some(name.to_owned()) } else { shortened(name, room) };
    let Some(short) = short else {
        let most = (STACK_NAME_MAX + base.as_str().len()).saturating_sub(rest.len() + SHORTEST);
        return Err(Failure::new(
            Kind::DomainTooLong,
            format!(
                "the domain of an app of {recipe} would be longer than {STACK_NAME_MAX} characters: abra cuts stack names there"
            ),
            format!("give a base domain of at most {most} characters (--base-domain)"),
        ));
    };
    format!("{short}{rest}").parse().map_err(|error| {
        Failure::new(Kind::DomainTooLong, format!("no domain can be made: {error}"), "give another --base-domain")
    })
}

/// The shortest that a recipe's name becomes: four letters by which a person knows it, and its digits.
const SHORTEST: usize = 4 + 1 + 4;

fn shortened(name: &str, room: usize) -> Option<String> {
    use sha2::Digest as _;
    // A recipe's name is ASCII.
    let kept = name[..room.checked_sub(1 + 4).filter(|kept| *kept >= SHORTEST - 1 - 4)?].trim_end_matches('-');
    let hash = sha2::Sha256::digest(name.as_bytes());
    Some(format!("{kept}-{:02x}{:02x}", hash[0], hash[1]))
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
#[must_use]
pub fn version_in(checkout: &Checkout, revision: &str) -> Option<String> {
    let text = checkout.file(revision, "compose.yml")?;
    // Only the label's value is wanted, and its key has a variable in it: read the line.
    let line = text.lines().find(|line| line.contains("coop-cloud.") && line.contains(".version"))?;
    let (_, value) = line.split_once(".version")?;
    let value = value.trim_start_matches(['"', '\'', ':', '=', ' ']).trim_end_matches(['"', '\'', ' ', ',']);
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_base_domain_that_leaves_no_room_is_refused_with_the_room_that_there_is() {
        let failure = domain("matrix-synapse", "a-very-long-base-domain.example.org").unwrap_err();
        assert_eq!(failure.kind, Kind::DomainTooLong);
        assert!(failure.look_at.contains("at most 22 characters"), "{}", failure.look_at);
        assert!(domain("matrix-synapse", "twenty-two.example.org").is_ok());
        assert!(domain("matrix-synapse", "twenty-three.exampl.org").is_err());
    }
}
