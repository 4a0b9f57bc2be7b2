//! Whether the version matches the change. Reported, and never a failure: a version is set when a release is made.

use coopcloud::compose::Compose;

use super::{Change, changed_defaults};

/// The part of a version that is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum VersionStep {
    Down,
    Same,
    Patch,
    Minor,
    Major,
}

impl VersionStep {
    fn words(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Same => "not up",
            Self::Patch => "up by a patch",
            Self::Minor => "up by a minor number",
            Self::Major => "up by a major number",
        }
    }
}

fn step(change: &Change) -> Option<VersionStep> {
    let (from, to) = (change.base.parsed()?, change.head.parsed()?);
    let of = |place: usize| to.numbers[place].cmp(&from.numbers[place]);
    let steps = [(0, VersionStep::Major), (1, VersionStep::Minor), (2, VersionStep::Patch)];
    let changed = steps.into_iter().find(|(place, _)| of(*place).is_ne());
    Some(match changed {
        Some((place, _)) if of(place).is_lt() => VersionStep::Down,
        Some((_, step)) => step,
        None => VersionStep::Same,
    })
}

/// Remarks on the version and the note for operators.
pub fn remarks(change: &Change) -> Vec<String> {
    let Some(step) = step(change) else { return Vec::new() };
    let (from, to) = (change.base.name(), change.head.name());
    let mut reasons: Vec<(VersionStep, String)> = Vec::new();
    let new: Vec<String> = {
        let (before, now) = (change.base.sample.vars(), change.head.sample.vars());
        now.into_keys().filter(|key| !before.contains_key(key)).collect()
    };
    if !new.is_empty() {
        reasons.push((VersionStep::Minor, format!("settings are new ({})", new.join(", "))));
    }
    for kind in ["service", "volume"] {
        let gone: Vec<&str> = change.left.iter().filter(|one| one.kind == kind).map(|one| one.key.as_str()).collect();
        if !gone.is_empty() {
            reasons.push((VersionStep::Major, format!("{kind} {} is renamed or removed", gone.join(", "))));
        }
    }
    for (service, old, new) in majors(&change.base.compose, &change.head.compose) {
        reasons.push((VersionStep::Major, format!("the image of {service} goes from {old} to {new}, a new major")));
    }
    let mut remarks = Vec::new();
    let short: Vec<&str> = reasons.iter().filter(|(asks, _)| step < *asks).map(|(_, why)| why.as_str()).collect();
    if step == VersionStep::Down {
        remarks.push(format!("the version goes down, from {from} to {to}: abra offers it to no operator of {from}"));
    } else if !short.is_empty() && to != from {
        remarks.push(format!("the version goes from {from} to {to}, {}, and {}", step.words(), short.join("; ")));
    } else if !short.is_empty() {
        remarks.push(format!("the version is still {to}, and {}: its next one should say so", short.join("; ")));
    }
    let acts = reasons.iter().any(|(asks, _)| *asks == VersionStep::Major) || turned(change);
    if acts && change.note().is_none() {
        remarks.push(format!("operators may have to act, and no note below release/ is new: release/{to} (or release/next) is shown to them"));
    }
    remarks
}

fn turned(change: &Change) -> bool {
    let before = change.base.sample.secrets();
    let is_turned = change
        .head
        .sample
        .secrets()
        .iter()
        .any(|now| before.iter().any(|old| old.name == now.name && old.version != now.version));
    is_turned || changed_defaults(&change.base, &change.head).iter().any(|text| text.starts_with("COMPOSE_FILE"))
}

/// Services whose image has a higher first number in its tag.
fn majors(base: &Compose, head: &Compose) -> Vec<(String, String, String)> {
    let pairs = head.services.iter().filter_map(|now| {
        let (old, new) = (base.service(&now.name)?.image.as_deref()?, now.image.as_deref()?);
        let ((name, from), (other, to)) = (tag(old)?, tag(new)?);
        (name == other && major(from)? < major(to)?).then(|| (now.name.clone(), old.to_owned(), new.to_owned()))
    });
    pairs.collect()
}

/// An image's name and tag.
fn tag(image: &str) -> Option<(&str, &str)> {
    let image = image.split('@').next()?;
    image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))
}

/// The first number of a tag such as `v15.2-alpine`; `None` for a word or a date.
fn major(tag: &str) -> Option<u64> {
    let tag = tag.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-');
    let digits = &tag[..tag.bytes().take_while(u8::is_ascii_digit).count()];
    digits.parse().ok().filter(|number| *number < 1900)
}
