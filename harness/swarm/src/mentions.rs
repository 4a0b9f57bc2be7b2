//! Which other services of its stack a service mentions: in its command, its settings and its config files. A service
//! may be waiting for one that it mentions, and for no other.

use std::collections::BTreeSet;

/// Suffixes of settings whose values are names of databases and users, not of hosts.
const NO_HOSTS: [&str; 9] = ["_DB", "DATABASE", "_NAME", "USER", "USERNAME", "PASSWORD", "_PREFIX", "_SCHEMA", "_ROLE"];

/// The services of `others` that are mentioned as hosts in settings (`KEY=value`) or in running text.
pub(super) fn mentioned<'a>(
    settings: &[String],
    texts: &[String],
    others: impl IntoIterator<Item = &'a str>,
) -> BTreeSet<String> {
    let is_host = |setting: &&String| {
        let key = setting.split('=').next().unwrap_or_default().to_uppercase();
        !NO_HOSTS.iter().any(|end| key.ends_with(end))
    };
    let values: Vec<&str> =
        settings.iter().filter(is_host).filter_map(|setting| Some(setting.split_once('=')?.1)).collect();
    let is_named =
        |name: &&str| values.iter().any(|value| has_word(value, name)) || texts.iter().any(|text| has_word(text, name));
    others.into_iter().filter(is_named).map(str::to_owned).collect()
}

/// Whether a text contains a name as a whole word, also after a stack's name: `db`, `db:5432`, `x_db`.
fn has_word(text: &str, name: &str) -> bool {
    let of_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        // A path or a compound name that only begins or ends with it is another word.
        let starts = before.is_none_or(|c| !of_word(c) && c != '.' && c != '$')
            && (before != Some('/') || text[..at].ends_with("//"));
        let ends = after.is_none_or(|c| !of_word(c) && c != '_' && c != '.');
        starts && ends && !name.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(settings: &[&str], texts: &[&str]) -> Vec<String> {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        mentioned(&owned(settings), &owned(texts), ["app", "db", "my-cache"]).into_iter().collect()
    }

    #[test]
    fn hosts_are_found_wherever_recipes_write_them() {
        assert_eq!(of(&["DB_HOST=db"], &[]), ["db"]);
        assert_eq!(of(&["URL=postgres://u:p@db:5432/app"], &[]), ["db"]);
        assert_eq!(of(&["HOST=hut_example_org_db", "CACHE=my-cache:6379"], &[]), ["db", "my-cache"]);
        assert_eq!(of(&[], &["until curl -fsS http://db/up; do sleep 1; done"]), ["db"]);
        assert_eq!(of(&[], &["upstream x { server app:3000; }"]), ["app"]);
    }

    #[test]
    fn words_that_are_no_hosts_are_not() {
        assert_eq!(of(&["POSTGRES_DB=app", "MYSQL_USER=app", "DB_NAME=db"], &[]), Vec::<String>::new());
        assert_eq!(
            of(&["PATH=/usr/app:/bin", "DIR=/app"], &["cd /app; exec ./db-tool dbx app.py"]),
            Vec::<String>::new()
        );
    }
}
