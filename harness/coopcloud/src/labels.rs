//! The labels that Co-op Cloud puts on swarm services, and the meaning of the backup ones.

use std::collections::BTreeMap;

use base::names::StackName;

/// The label with the recipe's version.
pub fn version(stack: &StackName) -> String {
    format!("coop-cloud.{stack}.version")
}

/// The label that marks a chaos deployment.
pub fn chaos(stack: &StackName) -> String {
    format!("coop-cloud.{stack}.chaos")
}

/// The label with the first eight digits of the deployed commit, followed by `+U` for a dirty checkout.
pub fn chaos_version(stack: &StackName) -> String {
    format!("coop-cloud.{stack}.chaos-version")
}

/// The label with abra's timeout of a deployment in seconds.
pub fn timeout(stack: &StackName) -> String {
    format!("coop-cloud.{stack}.timeout")
}

/// The label with the recipe's name.
pub fn recipe(stack: &StackName) -> String {
    format!("coop-cloud.{stack}.recipe")
}

/// The labels of each service, by its short name.
pub type ServiceLabels = BTreeMap<String, BTreeMap<String, String>>;

/// The backed up part of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    All,
    /// These paths below its root.
    Paths(Vec<String>),
    No,
}

/// Whether a service's labels enable its backup. Values may come from variables.
pub fn is_backed_up(labels: &BTreeMap<String, String>) -> bool {
    labels.get("backupbot.backup").is_some_and(|value| is_true(value))
}

/// The backed up part of a volume that `service` mounts at `path`. Both schemes count: the new one covers every volume
/// of the stack, the old one absolute paths in its own service.
pub fn coverage(labels: &ServiceLabels, service: &str, volume: &str, path: &str) -> Coverage {
    let on = || labels.iter().filter(|(_, labels)| is_backed_up(labels));
    if on().next().is_none() {
        return Coverage::No;
    }
    if let Some((_, own)) = on().find(|(name, labels)| *name == service && labels.contains_key("backupbot.backup.path"))
    {
        return old_scheme(&own["backupbot.backup.path"], path);
    }
    if on().all(|(_, labels)| labels.contains_key("backupbot.backup.path")) {
        return Coverage::No;
    }
    let find = |key: &str| on().find_map(|(_, labels)| labels.get(key).cloned());
    let key = format!("backupbot.backup.volumes.{volume}");
    if find(&key).is_some_and(|value| !is_true(&value)) {
        return Coverage::No;
    }
    match find(&format!("{key}.path")) {
        Some(paths) => Coverage::Paths(split(&paths, |path| path.trim_start_matches('/').to_owned())),
        None => Coverage::All,
    }
}

fn old_scheme(asked: &str, mounted: &str) -> Coverage {
    let mounted = mounted.trim_end_matches('/');
    let mut paths = Vec::new();
    for asked in split(asked, |path| path.trim_end_matches('/').to_owned()) {
        if asked == mounted || mounted.starts_with(&format!("{asked}/")) {
            return Coverage::All;
        }
        if let Some(below) = asked.strip_prefix(&format!("{mounted}/")) {
            paths.push(below.to_owned());
        }
    }
    if paths.is_empty() { Coverage::No } else { Coverage::Paths(paths) }
}

fn split(list: &str, each: impl Fn(&str) -> String) -> Vec<String> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(each).collect()
}

fn is_true(value: &str) -> bool {
    matches!(value.trim().to_lowercase().as_str(), "true" | "1" | "yes" | "on")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(of: &[(&str, &[(&str, &str)])]) -> ServiceLabels {
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        of.iter().map(|(service, list)| ((*service).to_owned(), pairs(list))).collect()
    }

    #[test]
    fn the_new_scheme_speaks_for_the_stack() {
        let on = labels(&[
            ("app", &[("backupbot.backup", "true"), ("backupbot.backup.volumes.cache", "false")]),
            ("db", &[("backupbot.backup", "true"), ("backupbot.backup.volumes.db.path", "dump.sql, x/")]),
        ]);
        assert_eq!(coverage(&on, "app", "data", "/d"), Coverage::All);
        assert_eq!(coverage(&on, "app", "cache", "/c"), Coverage::No);
        assert_eq!(coverage(&on, "db", "db", "/v"), Coverage::Paths(vec!["dump.sql".into(), "x/".into()]));
    }

    #[test]
    fn the_old_scheme_speaks_for_paths_in_its_service() {
        let on = labels(&[("app", &[("backupbot.backup", "true"), ("backupbot.backup.path", "/data,/srv/x/y")])]);
        assert_eq!(coverage(&on, "app", "a", "/data/"), Coverage::All);
        assert_eq!(coverage(&on, "app", "b", "/data/deep"), Coverage::All);
        assert_eq!(coverage(&on, "app", "c", "/srv/x"), Coverage::Paths(vec!["y".into()]));
        assert_eq!(coverage(&on, "app", "d", "/database"), Coverage::No);
        assert_eq!(coverage(&on, "db", "e", "/data"), Coverage::No);
    }

    #[test]
    fn no_label_covers_nothing() {
        let off = labels(&[("app", &[("backupbot.backup", "false")])]);
        assert_eq!(coverage(&off, "app", "data", "/d"), Coverage::No);
    }
}
