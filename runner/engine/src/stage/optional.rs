//! Compose files of the repository that no COMPOSE_FILE of the run names: operators switch them on, so each is held to
//! docker's schema and to what the repository's files declare.

use std::collections::{BTreeMap, BTreeSet};

use base::failure::{Failure, Kind};
use coopcloud::compose::Compose;
use coopcloud::declared::{declared_by, undeclared};
use coopcloud::unset::unset;

use crate::context::StageRun;
use plan::revision::compose_files;
use plan::stack_config::Loaded;
use source::Checkout;

/// A compose file that the run does not deploy.
pub(super) struct Optional {
    /// Its path.
    pub file: String,
    /// Whether it is new or another than at the base release; all are where there is none.
    is_changed: bool,
}

/// The files at the root of a revision that are compose files and not deployed by the run.
pub(super) fn optional(cx: &StageRun, head: &str, deployed: &[String]) -> Vec<Optional> {
    let others = compose_paths(&cx.app.checkout, head).into_iter().filter(|file| !deployed.contains(file));
    let base = cx.app.spec.base.as_deref();
    let text = |revision: &str, file: &str| cx.app.checkout.file(revision, file);
    others
        .map(|file| {
            let is_changed = base.is_none_or(|base| text(base, &file) != text(head, &file));
            Optional { file, is_changed }
        })
        .collect()
}

fn compose_paths(checkout: &Checkout, revision: &str) -> Vec<String> {
    let is_compose = |path: &str| {
        path.starts_with("compose") && (path.ends_with(".yml") || path.ends_with(".yaml")) && !path.contains('/')
    };
    let tree = checkout.tree(revision).unwrap_or_default();
    tree.into_iter().map(|entry| entry.path).filter(|path| is_compose(path)).collect()
}

/// Tells what they are, and what is wrong with them.
///
/// # Errors
/// [`Kind::InvalidCompose`] where the change itself makes one of them wrong.
pub(super) fn told(
    cx: &StageRun,
    head: &str,
    deployed: &[String],
    optional: &[Optional],
    said: &[Loaded],
) -> Result<(), Failure> {
    let in_variant = |file: &String| cx.app.toml.variant.values().any(|variant| variant.compose.contains(file));
    let unused = optional.iter().filter(|one| one.is_changed && !in_variant(&one.file));
    let changed: Vec<&str> = unused.map(|one| one.file.as_str()).collect();
    if !changed.is_empty() {
        let since = cx.app.spec.base.as_ref().map_or_else(String::new, |base| format!("changed since {base} and "));
        cx.note(format!("{} is {since}in no COMPOSE_FILE of this run, so not deployed", changed.join(", ")));
    }
    let declared = declared(cx, head);
    let main = deployed.first().and_then(|file| Some((file, alone(cx, head, file)?)));
    let sample = cx.app.checkout.file(head, ".env.sample").unwrap_or_default();
    let vars = variables(cx, head);
    let mut wrong = Vec::new();
    for (one, said) in optional.iter().zip(said) {
        match said {
            // Its operator sets that.
            Loaded::Refused(why)
                if ["required variable", "is missing a value", "invalid interpolation format"]
                    .iter()
                    .any(|words| why.contains(words)) => {}
            Loaded::Refused(why) => wrong.push((one, format!("docker refuses {}: {why}", one.file))),
            Loaded::Taken | Loaded::NotAsked(_) => {}
        }
        let Some(compose) = alone(cx, head, &one.file) else { continue };
        if let Some((other, main)) = &main
            && !main.version.is_same_as(&compose.version)
        {
            let (file, version, meant) = (&one.file, &compose.version, &main.version);
            wrong.push((
                one,
                format!("{file} {version} and {other} {meant}: docker deploys no files of different versions together"),
            ));
        }
        let unset: Vec<String> = unset(&compose, &vars, &sample).into_keys().collect();
        if one.is_changed && !unset.is_empty() {
            cx.note(format!(
                "{} uses {}, and nothing sets that: no line of .env.sample, not even a comment, and no export of abra.sh",
                one.file,
                unset.join(", ")
            ));
        }
        if let Some((what, service)) = undeclared(&compose, &declared) {
            let why = format!(
                "in {} service {service} uses the {what}, which no compose file of the repository declares",
                one.file
            );
            wrong.push((one, why));
        }
    }
    let (new, old): (Vec<_>, Vec<_>) = wrong.into_iter().partition(|(one, _)| one.is_changed);
    for (_, why) in old {
        cx.note(format!("{why}; it was so before this change, and the run does not deploy it"));
    }
    let detail: Vec<&str> = new.iter().map(|(_, why)| why.as_str()).collect();
    match new.first() {
        None => Ok(()),
        Some((one, why)) => Err(Failure::new(
            Kind::InvalidCompose,
            format!("{why} (operators switch it on by COMPOSE_FILE; this run deploys {})", deployed.join(", ")),
            format!("{} of the recipe", one.file),
        )
        .with_detail(detail.join("\n"))),
    }
}

/// One file by itself, with the settings of the sample.
fn alone(cx: &StageRun, head: &str, file: &str) -> Option<Compose> {
    Compose::load(&[(file.to_owned(), cx.app.checkout.file(head, file)?)], &variables(cx, head)).ok()
}

fn variables(cx: &StageRun, head: &str) -> BTreeMap<String, String> {
    let sample = plan::revision::sample_of(&cx.app.checkout, head).unwrap_or_default();
    plan::revision::variables_of(&cx.app.checkout, head, &sample, cx.app.spec.stack.as_str())
}

/// Every secret, config, volume and network that some compose file of the repository declares, as `kind key`: an overlay
/// may build on another one.
fn declared(cx: &StageRun, head: &str) -> BTreeSet<String> {
    let mut files = compose_paths(&cx.app.checkout, head);
    files.extend(plan::revision::sample_of(&cx.app.checkout, head).map(|env| compose_files(&env)).unwrap_or_default());
    files
        .iter()
        .filter_map(|file| alone(cx, head, file))
        .flat_map(|compose| declared_by(&compose).collect::<Vec<_>>())
        .collect()
}
