//! Which apps a recipe needs, as a graph: a pure function of what the folders of the recipes say.

use base::names::RecipeName;

use recipe_folder::recipe_toml::RecipeToml;

/// Why an app is deployed beside the tested one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// An app of the run does not work without it.
    Required,
    /// Only the tests of the tested recipe need it.
    ForTests,
    /// It gives the logins.
    Provider,
}

impl Why {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Required => "the app needs it",
            Self::ForTests => "the tests need it",
            Self::Provider => "it gives the logins",
        }
    }
}

/// One app beside the tested one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// Its recipe.
    pub recipe: RecipeName,
    /// Why it is there.
    pub why: Why,
    /// Those of the others that have to be up before it.
    pub after: Vec<RecipeName>,
}

/// Why there is no such graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A recipe needs itself, over others or at once.
    #[error("{0} needs itself: {path}", path = arrows(.1))]
    Cycle(RecipeName, Vec<RecipeName>),
    /// A recipe is named that cc-ci has no folder for.
    #[error("{path}: cc-ci has no folder for {0}", path = arrows(.1))]
    Unknown(RecipeName, Vec<RecipeName>),
    /// The folder of a recipe on the way cannot be read.
    #[error("{path}: {1}", path = arrows(.0))]
    Unreadable(Vec<RecipeName>, String),
}

fn arrows(path: &[RecipeName]) -> String {
    path.iter().map(RecipeName::as_str).collect::<Vec<_>>().join(" → ")
}

/// What the folder of a recipe says; none where there is no folder.
pub(super) type Lookup<'a> = dyn Fn(&RecipeName) -> Result<Option<RecipeToml>, String> + 'a;

/// Every app that `recipe` needs, each after those that it needs itself. Of the others only what they
/// cannot work without counts: their tests do not run, and nobody logs into them.
///
/// # Errors
/// A recipe that needs itself, that nobody knows, or whose folder cannot be read; each with the path.
pub fn needed(recipe: &RecipeName, toml: &RecipeToml, look: &Lookup<'_>) -> Result<Vec<Needed>, GraphError> {
    let mut walk = Walk { look, found: Vec::new(), path: vec![recipe.clone()] };
    let provider = toml.sso.as_ref().map(|sso| sso.provider.recipe()).transpose();
    let provider = provider.map_err(|error| GraphError::Unreadable(vec![recipe.clone()], error.to_string()))?;
    let wanted = toml.requires.iter().cloned().map(|name| (name, Why::Required));
    let wanted = wanted.chain(toml.test_requires.iter().cloned().map(|name| (name, Why::ForTests)));
    for (name, why) in wanted.chain(provider.map(|name| (name, Why::Provider))) {
        walk.visit(&name, why)?;
    }
    Ok(walk.found)
}

struct Walk<'a> {
    look: &'a Lookup<'a>,
    found: Vec<Needed>,
    /// From the tested recipe to the one that is looked at.
    path: Vec<RecipeName>,
}

impl Walk<'_> {
    fn visit(&mut self, name: &RecipeName, why: Why) -> Result<(), GraphError> {
        let begin = self.path.iter().position(|on_the_way| on_the_way == name);
        self.path.push(name.clone());
        if let Some(begin) = begin {
            return Err(GraphError::Cycle(name.clone(), self.path.split_off(begin)));
        }
        if let Some(known) = self.found.iter_mut().find(|known| known.recipe == *name) {
            // Who gives the logins does so whatever else needs it.
            known.why = if known.why == Why::ForTests || why == Why::Provider { why } else { known.why };
        } else {
            let toml = match (self.look)(name) {
                Ok(Some(toml)) => toml,
                Ok(None) => return Err(GraphError::Unknown(name.clone(), std::mem::take(&mut self.path))),
                Err(error) => return Err(GraphError::Unreadable(std::mem::take(&mut self.path), error)),
            };
            for other in &toml.requires {
                self.visit(other, Why::Required)?;
            }
            self.found.push(Needed { recipe: name.clone(), why, after: toml.requires });
        }
        self.path.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use recipe_folder::recipe_toml::parse;

    type Folders = BTreeMap<RecipeName, RecipeToml>;

    fn name(text: &str) -> RecipeName {
        text.parse().unwrap()
    }

    fn folders(of: &[(&str, &str)]) -> Folders {
        of.iter().map(|(recipe, text)| (name(recipe), parse(text).unwrap())).collect()
    }

    fn of(recipe: &str, folders: &Folders) -> Result<Vec<Needed>, GraphError> {
        needed(&name(recipe), &folders[&name(recipe)], &|wanted| Ok(folders.get(wanted).cloned()))
    }

    fn order(needed: &[Needed]) -> Vec<&str> {
        needed.iter().map(|one| one.recipe.as_str()).collect()
    }

    #[test]
    fn what_is_needed_stands_before_who_needs_it() {
        let all = folders(&[
            ("drone", "requires = [\"gitea\"]\n[sso]\nprovider = \"keycloak\""),
            ("gitea", "requires = [\"db\"]\ntest_requires = [\"nobody\"]\n[sso]\nprovider = \"authentik\""),
            ("db", ""),
            ("keycloak", "requires = [\"db\"]"),
        ]);
        let found = of("drone", &all).unwrap();
        assert_eq!(order(&found), ["db", "gitea", "keycloak"], "and neither tests nor logins of the others count");
        assert_eq!(found[1].after, [name("db")]);
        assert_eq!(found[2].why, Why::Provider);
    }

    #[test]
    fn a_provider_that_the_tests_need_too_is_one_app_and_the_provider() {
        let all = folders(&[("a", "test_requires = [\"keycloak\"]\n[sso]\nprovider = \"keycloak\""), ("keycloak", "")]);
        let found = of("a", &all).unwrap();
        assert_eq!((order(&found), found[0].why), (vec!["keycloak"], Why::Provider));
    }

    #[test]
    fn a_recipe_that_needs_itself_is_refused_with_the_path() {
        let all = folders(&[
            ("a", "requires = [\"b\"]"),
            ("b", "requires = [\"c\"]"),
            ("c", "requires = [\"b\"]"),
            ("self", "requires = [\"self\"]"),
        ]);
        assert_eq!(of("a", &all).unwrap_err().to_string(), "b needs itself: b → c → b");
        assert_eq!(of("self", &all).unwrap_err().to_string(), "self needs itself: self → self");
    }

    #[test]
    fn a_recipe_that_nobody_knows_is_refused_with_the_path() {
        let all = folders(&[("a", "requires = [\"b\"]"), ("b", "requires = [\"redis\"]")]);
        assert_eq!(of("a", &all).unwrap_err().to_string(), "a → b → redis: cc-ci has no folder for redis");
        let broken = needed(&name("a"), &all[&name("a")], &|_| Err("line 3 is wrong".to_owned()));
        assert_eq!(broken.unwrap_err().to_string(), "a → b: line 3 is wrong");
    }

    proptest! {
        /// Any graph of eight recipes either has an order that keeps what it says, or a cycle that is one.
        #[test]
        fn an_order_keeps_every_edge_and_a_cycle_is_one(edges in prop::collection::vec((0..8_usize, 0..8_usize), 0..20)) {
            let label = |n: usize| format!("r{n}");
            let mut all = Folders::new();
            for n in 0..8 {
                let requires = edges.iter().filter(|(from, _)| *from == n).map(|(_, to)| name(&label(*to))).collect();
                all.insert(name(&label(n)), RecipeToml { requires, ..RecipeToml::default() });
            }
            match of("r0", &all) {
                Ok(found) => {
                    for (at, one) in found.iter().enumerate() {
                        for before in &one.after {
                            prop_assert!(found[..at].iter().any(|earlier| earlier.recipe == *before));
                        }
                        prop_assert!(found[..at].iter().all(|earlier| earlier.recipe != one.recipe));
                        prop_assert_ne!(one.recipe.as_str(), "r0");
                    }
                }
                Err(GraphError::Cycle(again, path)) => {
                    prop_assert!(path.first() == Some(&again) && path.last() == Some(&again) && path.len() > 1);
                    for pair in path.windows(2) {
                        prop_assert!(all[&pair[0]].requires.contains(&pair[1]));
                    }
                }
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
