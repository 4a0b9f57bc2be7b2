//! The symlinks of a commit. cc-ci runs with rights that a stranger does not have: a link could make it
//! read or write a file of the machine. Nothing is checked out as a link ([`Checkout::clone_from`]); what
//! would have been one in a place that matters is refused by name.

use base::failure::{Failure, Kind};

use source::Checkout;

/// The compose file that cc-ci adds to a checkout.
pub const OVERRIDE_FILE: &str = "compose.cc-ci.yml";

/// No recipe has as many.
const MOST: usize = 50;

/// The symlinks of one commit, and whether it has a file under cc-ci's own name.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// Path and target.
    links: Vec<(String, String)>,
    takes_our_name: bool,
}

impl Links {
    /// Reads them from the repository, not from the checkout.
    ///
    /// # Errors
    /// [`Kind::InvalidRecipe`] with git's words, [`Kind::ForbiddenCompose`] for more than any recipe needs.
    pub fn of(checkout: &Checkout, revision: &str) -> Result<Self, Failure> {
        let tree = checkout.tree(revision)?;
        let under = |path: &str| path.split('/').next() == Some(OVERRIDE_FILE);
        let takes_our_name = tree.iter().any(|entry| under(&entry.path));
        let paths: Vec<String> = tree.into_iter().filter(|entry| entry.is_link).map(|entry| entry.path).collect();
        if paths.len() > MOST {
            return Err(Failure::new(
                Kind::ForbiddenCompose,
                format!("the recipe's repository has {} symlinks; at most {MOST} are taken", paths.len()),
                "commit the files themselves",
            ));
        }
        // A target that is no text leads to no place that could be told.
        let target = |path: &str| checkout.file(revision, path).unwrap_or_else(|| "/".to_owned());
        let links = paths.into_iter().map(|path| (path.clone(), target(&path))).collect();
        Ok(Self { links, takes_our_name })
    }

    /// The first thing that is wrong with them, in words. `used` are the files that are read as text.
    pub fn forbidden<'a>(&self, used: impl Iterator<Item = &'a str>) -> Option<String> {
        if self.takes_our_name {
            return Some(format!("there is a file {OVERRIDE_FILE}, which is cc-ci's own name"));
        }
        let lost = self.links.iter().find(|(path, target)| leads_out(path, target));
        if let Some((path, target)) = lost {
            return Some(format!("the symlink {path} leads out of it, to {target:?}"));
        }
        let mut used = [".env.sample", "abra.sh"].into_iter().chain(used);
        used.find_map(|file| {
            let link = self.on_the_way(file)?;
            Some(match link == file {
                true => format!("{file} is a symlink, and links are not followed"),
                false => format!("{file} lies behind the symlink {link}, and links are not followed"),
            })
        })
    }

    /// The link that a path is, or passes through.
    pub fn on_the_way(&self, path: &str) -> Option<&str> {
        let parts: Vec<&str> = path.split('/').filter(|part| *part != ".").collect();
        let found = self.links.iter().find(|(link, _)| {
            let link: Vec<&str> = link.split('/').collect();
            parts.starts_with(&link)
        });
        found.map(|(link, _)| link.as_str())
    }
}

/// Whether a link leaves the repository or goes into git's own folder. `..` may only stand at the front of
/// a target: behind the name of another link it would lead elsewhere than it looks.
fn leads_out(path: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') {
        return true;
    }
    let depth = path.split('/').count() - 1;
    let parts: Vec<&str> = target.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let up = parts.iter().take_while(|part| **part == "..").count();
    up > depth || parts[up..].iter().any(|part| *part == ".." || part.eq_ignore_ascii_case(".git"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(of: &[(&str, &str)]) -> Links {
        let links = of.iter().map(|(path, target)| ((*path).to_owned(), (*target).to_owned())).collect();
        Links { links, takes_our_name: false }
    }

    #[test]
    fn links_that_leave_the_repository_are_refused_wherever_they_are() {
        for (path, target) in [
            ("x", "/etc/shadow"),
            ("x", "../x"),
            ("a/b", "../../x"),
            ("a/b/c/l", "s/../x"),
            ("x", "a/../../x"),
            ("x", ".git/config"),
            ("a/x", "../.git"),
            ("x", ""),
        ] {
            let found = links(&[(path, target)]).forbidden(["compose.yml"].into_iter());
            assert!(found.as_ref().is_some_and(|text| text.contains(path)), "{path} -> {target}: {found:?}");
        }
        let inside = [("docs/README.md", "../README.md"), ("latest", "release/1.0.0"), ("a/b/x", "../../y/./z")];
        assert_eq!(links(&inside).forbidden(["compose.yml"].into_iter()), None);
    }

    #[test]
    fn files_that_are_used_may_not_be_links_nor_lie_behind_one() {
        for (link, used) in [
            (".env.sample", "compose.yml"),
            ("abra.sh", "compose.yml"),
            ("compose.yml", "./compose.yml"),
            ("d", "d/x.yml"),
        ] {
            let links = links(&[(link, "other")]);
            assert!(links.forbidden([used].into_iter()).is_some_and(|text| text.contains("symlink")), "{link}");
        }
        let links = links(&[("d", "other")]);
        assert_eq!(links.on_the_way("./d/canary"), Some("d"));
        assert_eq!(links.on_the_way("data/canary"), None);
    }
}
