//! Plans a mirror's pushes from the refs of both sides. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// The branches and tags of a repository: full names of refs and their targets.
pub type Refs = BTreeMap<String, String>;

/// The step for one ref of upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefStep {
    /// The mirror does not have it.
    New,
    /// Upstream is ahead of the mirror.
    Forward,
    /// The mirror's branch has commits that upstream does not have.
    Diverged,
    /// The mirror's tag is another one.
    TagMoved,
    /// Upstream is ahead, and the branch is an open pull request's.
    InPull,
}

impl RefStep {
    pub fn is_push(self) -> bool {
        matches!(self, Self::New | Self::Forward)
    }

    /// Why it is not pushed, or what was done.
    pub fn words(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Forward => "moved forward",
            Self::Diverged => "not updated: the mirror has commits there that upstream does not have",
            Self::TagMoved => "not updated: upstream has moved the tag, and a tested release must not change",
            Self::InPull => "not updated: it is the branch of an open pull request",
        }
    }
}

/// Whether a ref is mirrored: branches and tags are, pull requests are not.
pub(super) fn is_mirrored(name: &str) -> bool {
    name.starts_with("refs/heads/") || name.starts_with("refs/tags/")
}

/// The steps by name of the ref, without equal refs. Refs that only the mirror has are never touched.
pub(super) fn plan(
    upstream: &Refs,
    mirror: &Refs,
    in_pulls: &BTreeSet<String>,
    is_ahead: impl Fn(&str, &str) -> bool,
) -> BTreeMap<String, RefStep> {
    let step = |name: &str, theirs: &str| match mirror.get(name) {
        None => Some(RefStep::New),
        Some(ours) if ours == theirs => None,
        Some(_) if name.starts_with("refs/tags/") => Some(RefStep::TagMoved),
        Some(ours) if !is_ahead(ours, theirs) => Some(RefStep::Diverged),
        Some(_) if name.strip_prefix("refs/heads/").is_some_and(|branch| in_pulls.contains(branch)) => {
            Some(RefStep::InPull)
        }
        Some(_) => Some(RefStep::Forward),
    };
    let mirrored = upstream.iter().filter(|(name, _)| is_mirrored(name));
    mirrored.filter_map(|(name, theirs)| Some((name.clone(), step(name, theirs)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refs(pairs: &[(&str, &str)]) -> Refs {
        pairs.iter().map(|(name, at)| ((*name).to_owned(), (*at).to_owned())).collect()
    }

    #[test]
    fn each_case_has_its_step() {
        let upstream = refs(&[
            ("refs/heads/main", "3"),
            ("refs/heads/new", "1"),
            ("refs/heads/own", "3"),
            ("refs/heads/pull", "3"),
            ("refs/heads/same", "1"),
            ("refs/pull/1/head", "9"),
            ("refs/tags/1.0.0", "5"),
            ("refs/tags/2.0.0", "6"),
        ]);
        let mirror = refs(&[
            ("refs/heads/gone", "1"),
            ("refs/heads/main", "2"),
            ("refs/heads/own", "x"),
            ("refs/heads/pull", "2"),
            ("refs/heads/same", "1"),
            ("refs/tags/1.0.0", "4"),
        ]);
        let in_pulls = BTreeSet::from(["pull".to_owned()]);
        let steps = plan(&upstream, &mirror, &in_pulls, |ours, theirs| ours < theirs);
        let wanted = [
            ("refs/heads/main", RefStep::Forward),
            ("refs/heads/new", RefStep::New),
            ("refs/heads/own", RefStep::Diverged),
            ("refs/heads/pull", RefStep::InPull),
            ("refs/tags/1.0.0", RefStep::TagMoved),
            ("refs/tags/2.0.0", RefStep::New),
        ];
        assert_eq!(steps, wanted.map(|(name, step)| (name.to_owned(), step)).into());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_the_second_time_nothing_is_pushed(
            upstream in prop::collection::btree_map("refs/(heads|tags|pull)/[ab]", "[0-9]", 0..6),
            mirror in prop::collection::btree_map("refs/(heads|tags)/[abc]", "[0-9x]", 0..6),
        ) {
            let ahead = |ours: &str, theirs: &str| ours != "x" && ours < theirs;
            let mut after = mirror.clone();
            for (name, step) in plan(&upstream, &mirror, &BTreeSet::new(), ahead) {
                prop_assert!(is_mirrored(&name));
                if step.is_push() {
                    let (old, new) = (mirror.get(&name), &upstream[&name]);
                    prop_assert!(old.is_none_or(|old| name.starts_with("refs/heads/") && ahead(old, new)));
                    after.insert(name, new.clone());
                }
            }
            prop_assert!(plan(&upstream, &after, &BTreeSet::new(), ahead).values().all(|step| !step.is_push()));
            prop_assert!(mirror.keys().all(|name| after.contains_key(name)));
        }
    }
}
