//! The domain of an app under test.

use base::failure::{Failure, Kind};
use base::names::{Commit, Domain, RecipeName, STACK_NAME_MAX};

/// The app's domain: `<recipe>[-pr<n>]-<7 digits of the commit>.<base>`. If that is longer than a stack's name may be,
/// or the recipe's name has characters that are invalid in a host name, the recipe's part is cut to fit and ends in
/// four digits that are a hash of its name. The domain itself has to be short enough: the backup bot looks up a stack
/// by it, and does not find one whose name abra has cut.
///
/// # Errors
/// [`Kind::DomainTooLong`] if the base domain leaves no room.
pub fn domain_of(
    recipe: &RecipeName,
    pull_request: Option<u64>,
    head: &Commit,
    base: &Domain,
) -> Result<Domain, Failure> {
    let pull_request = pull_request.map(|number| format!("-pr{number}")).unwrap_or_default();
    domain_with(recipe, &format!("{pull_request}-{}", &head.as_str()[..7]), base)
}

/// The domain `<recipe><end>.<base>`, with the recipe's part cut as in [`domain_of`].
///
/// # Errors
/// As for [`domain_of`].
pub fn domain_with(recipe: &RecipeName, end: &str, base: &Domain) -> Result<Domain, Failure> {
    let rest = format!("{end}.{base}");
    let room = STACK_NAME_MAX.saturating_sub(rest.len());
    let name = recipe.host_part();
    let short = if name.len() <= room { Some(name) } else { (room >= SHORTEST).then(|| recipe.cut(room)) };
    let Some(short) = short else {
        let most = (STACK_NAME_MAX + base.as_str().len()).saturating_sub(rest.len() + SHORTEST);
        return Err(Failure::new(
            Kind::DomainTooLong,
            format!(
                "the domain of an app of {recipe} would be longer than {STACK_NAME_MAX} characters: abra cuts stack names there"
            ),
            format!("use a base domain of at most {most} characters (--base-domain)"),
        ));
    };
    format!("{short}{rest}").parse().map_err(|error| {
        Failure::new(Kind::DomainTooLong, format!("no domain can be derived: {error}"), "use another --base-domain")
    })
}

/// The minimum length of a recipe's part: four recognizable letters and the hash.
const SHORTEST: usize = 4 + 1 + 4;
