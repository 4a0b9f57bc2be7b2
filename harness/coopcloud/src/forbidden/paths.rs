//! Paths in a compose file to other files of the repository.

/// Why a path does not name a committed file of the repository. Symlinks are checked in the repository, not in the
/// path.
pub fn committed_file(path: &str) -> Option<&'static str> {
    if path.starts_with(['/', '~', '\\']) {
        return Some("is outside of the recipe");
    }
    let mut parts = path.split('/').filter(|part| *part != ".").peekable();
    if parts.peek().is_none() {
        return Some("is no file");
    }
    parts.find_map(|part| match part {
        ".." => Some("leads out of its folder"),
        "" => Some("is no plain path"),
        part if part.eq_ignore_ascii_case(".git") => Some("is git's own"),
        part if part.contains(['\\', '\0']) => Some("is no plain path"),
        _ => None,
    })
}

/// The variables that an env file takes from outside: names without a value.
pub fn env_file_names(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once('=').unwrap_or((line, "")))
        .filter(|(_, value)| value.trim().is_empty())
        .map(|(name, _)| name.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_below_the_repository_are_files_of_it() {
        for path in ["nginx.conf", "./a/b.tmpl", "a.b/..c"] {
            assert_eq!(committed_file(path), None, "{path}");
        }
        for path in ["", ".", "/etc/shadow", "~/x", "a/../../x", "..", ".git/config", "a/.GIT/x", "a//b", "a\\b", "a/"]
        {
            assert!(committed_file(path).is_some(), "{path}");
        }
    }

    #[test]
    fn names_without_values_are_found() {
        assert_eq!(env_file_names("# x\nA=1\nHOME\n B = \nPATH=\n\n"), ["HOME", "B", "PATH"]);
    }
}
