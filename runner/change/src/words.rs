//! Messages about a change of settings.

use std::collections::BTreeSet;

use base::failure::{Failure, Kind};

use super::settings::{Lacking, Why};
use super::{Change, ReleaseSide};
use journal::text::{count, one_line};

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = &self.key;
        match &self.why {
            Why::NoDefault { place } => write!(f, "lacks {key}, which has no default in {place}"),
            Why::Refused { place } => write!(f, "lacks {key}, which is required in {place}"),
            Why::DefaultGone { before } => {
                write!(f, "lacks {key}, whose default was {:?} and was removed", one_line(before, 40))
            }
            Why::Secret { name } => {
                write!(f, "lacks {key}, so that the new secret {name} has no version and is not generated")
            }
            Why::FileGone { file } => write!(f, "names {file} in {key}, which this change removes"),
        }
    }
}

/// The failure that names the settings that operators lack.
pub fn told_lacking(lacking: &[Lacking], change: &Change) -> Failure {
    let (base, head) = (&change.base, &change.head);
    let first = lacking.first().map(ToString::to_string).unwrap_or_default();
    let others: BTreeSet<&str> = lacking.iter().skip(1).map(|one| one.key.as_str()).collect();
    let others = match others.is_empty() {
        true => String::new(),
        false => format!(" (and {})", others.into_iter().collect::<Vec<_>>().join(", ")),
    };
    let gone = dropped(base, head);
    let gone = match gone.is_empty() {
        true => String::new(),
        false => format!("; removed from .env.sample: {}, if that was renamed", gone.join(", ")),
    };
    let what =
        format!("an operator's env file {first}{others}: an upgrade from {} adds nothing to it{gone}", base.name());
    let note = match (change.note(), head.parsed() > base.parsed()) {
        (Some(path), _) => format!("its name in {path}, which operators are shown"),
        (None, true) => format!("a note for operators in release/{}", head.name()),
        (None, false) => "a note for operators in release/next".to_owned(),
    };
    let look_at = format!("a default in the compose file (${{NAME:-value}}), {note}, or a major version");
    let detail: Vec<String> = lacking.iter().map(|one| format!("an operator's env file {one}")).collect();
    Failure::new(Kind::SettingMissing, what, look_at).with_detail(detail.join("\n"))
}

/// Keys that the head's sample no longer has, not even in a comment.
fn dropped(base: &ReleaseSide, head: &ReleaseSide) -> Vec<String> {
    let (before, now, text) = (base.sample.vars(), head.sample.vars(), head.sample.to_string());
    let is_commented = |key: &str| {
        let mut lines = text.lines().map(|line| line.trim_start_matches(['#', ' ']));
        lines.any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with('=')))
    };
    before.into_keys().filter(|key| !now.contains_key(key) && !is_commented(key)).collect()
}

/// Changed defaults of the sample for keys that operators have, except versions of secrets.
pub fn changed_defaults(base: &ReleaseSide, head: &ReleaseSide) -> Vec<String> {
    let (before, now) = (base.sample.vars(), head.sample.vars());
    let is_version = |key: &str| key.starts_with("SECRET_") && key.ends_with("_VERSION");
    let own = ["TYPE", "RECIPE", "DOMAIN", "STACK_NAME", "LETS_ENCRYPT_ENV"];
    let short = |value: &str| if value.is_empty() { "empty".to_owned() } else { one_line(value, 60) };
    let mut found = Vec::new();
    for (key, new) in &now {
        let old = match before.get(key) {
            // Without it abra deploys only compose.yml.
            None if key == "COMPOSE_FILE" => "compose.yml",
            None => continue,
            Some(old) => old,
        };
        if old != new && !is_version(key) && !own.contains(&key.as_str()) {
            found.push(format!("{key} ({} to {})", short(old), short(new)));
        }
    }
    if let (Some(old), None) = (before.get("COMPOSE_FILE"), now.get("COMPOSE_FILE")) {
        found.push(format!("COMPOSE_FILE ({} to compose.yml)", short(old)));
    }
    found
}

/// The text about secrets whose version the sample has changed. `is_fresh`: whether the run installs the head afresh.
pub fn turned_secrets(change: &Change, is_fresh: bool) -> Vec<String> {
    let (base, head) = (&change.base, &change.head);
    let before = base.sample.secrets();
    let turned = head.sample.secrets().into_iter().filter_map(|now| {
        let old = before.iter().find(|old| old.name == now.name && old.version != now.version)?;
        let (name, from, to) = (&now.name, &old.version, &now.version);
        let key = format!("SECRET_{}_VERSION", name.to_uppercase());
        let fresh = if is_fresh { format!("fresh makes {to}") } else { format!("no stage of this run makes {to}") };
        let note = if !change.names(&key) && !change.names(name) { "; no release note names it" } else { "" };
        Some(format!(
            "secret {name}: .env.sample goes from {from} to {to}, operators keep {key}={from} until they change it; \
             the upgrade used {from}, {fresh}, and nothing shows an app that goes from one to the other{note}"
        ))
    });
    turned.collect()
}

impl Change {
    /// The text about settings that the upgrade adds and omits.
    pub fn told_settings(&self, lacking: &[Lacking], left_out: &BTreeSet<String>, is_fresh: bool) -> Vec<String> {
        let mut notes = Vec::new();
        let own = self.own(lacking);
        let old: Vec<&str> = lacking.iter().filter(|one| !own.contains(one)).map(|one| one.key.as_str()).collect();
        if let (Some(release), false) = (&self.published, old.is_empty()) {
            let version = &release.version;
            notes.push(format!(
                "added to the env file for the upgrade, as release {version} needs it: {}",
                old.join(", ")
            ));
        }
        let lacking = own.as_slice();
        if let (Some(allowance), false) = (self.permit(lacking), lacking.is_empty()) {
            let keys = |wanted: &dyn Fn(&Lacking) -> bool| -> Vec<String> {
                lacking.iter().filter(|one| wanted(one)).map(|one| one.key.clone()).collect()
            };
            let unnamed = keys(&|one| !one.things().iter().any(|thing| self.names(thing)));
            let unnamed = match unnamed.is_empty() {
                true => String::new(),
                false => format!("; no release note names {}", unnamed.join(", ")),
            };
            let added = keys(&|_| true).join(", ");
            notes.push(format!("added to the env file for the upgrade, as {}: {added}{unnamed}", allowance.words()));
        }
        if !left_out.is_empty() {
            let keys: Vec<&str> = left_out.iter().map(String::as_str).collect();
            let tried = if is_fresh { "fresh has them" } else { "no stage of this run has them" };
            notes.push(format!(
                "{} new in .env.sample that operators' env files lack, so the upgrade ran without: {}; {tried}",
                count(keys.len(), "setting"),
                keys.join(", ")
            ));
        }
        let defaults = changed_defaults(&self.base, &self.head);
        if !defaults.is_empty() {
            let tried = if is_fresh { "fresh uses the new" } else { "no stage of this run uses the new" };
            notes.push(format!(
                "changed in .env.sample, which operators' env files do not follow: {}; the upgrade used the old, {tried}",
                defaults.join(", ")
            ));
        }
        notes.extend(turned_secrets(self, is_fresh));
        notes
    }
}
