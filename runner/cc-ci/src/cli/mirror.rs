//! `cc-ci mirror`: upstream's repository in the organisation, and the pull request that enrols the recipe.

use base::failure::{Failure, Kind};
use base::names::RecipeName;
use forge::names::{Repo, RepoName};
use host::say;

use super::new;
use bot::mirror::{Enrolled, Enrolment, Mirror, Mirrored, enrol, mirror};
use bot::settings::forge::ForgeArgs;
use host::settings::Settings;
use journal::exit::Exit;
use plan::spec::Request;
use source::{Revision, without_credentials};

#[derive(Debug, clap::Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  cc-ci mirror n8n                                  bring upstream's branches and tags to the organisation\n",
    "  cc-ci mirror n8n --enrol --enrol-into coop/cc-ci  propose the recipe's folder there, too\n",
))]
pub(super) struct Args {
    /// Name of the recipe
    recipe: RecipeName,
    /// Folder or URL of upstream's repository [default: the recipe's below --sources]
    #[arg(long, value_name = "FOLDER|URL")]
    source: Option<String>,
    /// Make a private repository; runs clone it with the bot's token
    #[arg(long)]
    private: bool,
    /// Open also the pull request that enrols the recipe
    #[arg(long, requires = "enrol_into")]
    enrol: bool,
    /// cc-ci's own repository on the forge
    #[arg(long, env = "CCCI_ENROL_INTO", value_name = "OWNER/NAME")]
    enrol_into: Option<Repo>,
    #[command(flatten)]
    forge: ForgeArgs,
}

pub(super) async fn run(settings: &Settings, args: &Args) -> Result<Exit, Failure> {
    let recipe = &args.recipe;
    let named = args.forge.wanted()?;
    let name: RepoName = recipe.as_str().parse().map_err(|error| {
        Failure::new(Kind::DomainTooLong, format!("{error}"), "the recipe's name, which the repository has too")
    })?;
    let what = Mirror {
        recipe: recipe.clone(),
        upstream: args.source.clone().unwrap_or_else(|| settings.source_of(recipe)),
        repo: Repo { owner: named.owner.clone(), name },
        is_private: args.private,
        access: named.git_access(),
    };
    tell(&what, &mirror(&named.forge, &what).await?);
    let Some(into) = args.enrol_into.as_ref().filter(|_| args.enrol) else { return Ok(Exit::Passed) };
    let request = Request {
        recipe: recipe.clone(),
        source: what.upstream.clone(),
        revision: Revision::Default,
        from: None,
        base_domain: settings.base_domain.clone(),
    };
    let source = args.source.as_deref().filter(|source| source.contains("://"));
    let files = new::scaffold(settings, &request, source)?;
    let enrolment = Enrolment { recipe: recipe.clone(), into: into.clone(), files, access: what.access };
    match enrol(&named.forge, &enrolment).await? {
        Enrolled::Already => say!("{recipe} is enrolled: {into} has its folder"),
        Enrolled::Before(number) => say!("{into}#{number} enrols {recipe}, and is left as it is"),
        Enrolled::Opened(number) => say!("{into}#{number} opened: it enrols {recipe}"),
    }
    Ok(Exit::Passed)
}

fn tell(what: &Mirror, done: &Mirrored) {
    let (repo, upstream) = (&what.repo, without_credentials(&what.upstream));
    if done.made {
        say!("{repo} made");
    }
    for (name, step) in &done.steps {
        say!("  {:<40} {}", name.trim_start_matches("refs/"), step.words());
    }
    let pushed = done.steps.values().filter(|step| step.is_push()).count();
    match pushed {
        0 => say!("{repo} has all of {upstream}, nothing was pushed"),
        count => say!("{repo}: {} pushed from {upstream}", journal::text::count(count, "ref")),
    }
}
