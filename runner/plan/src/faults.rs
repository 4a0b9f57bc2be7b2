//! Faults that a run makes on purpose: which there are, what each needs of a recipe, and what the plan says of it. Pure.

use std::collections::BTreeSet;

use coopcloud::compose::Compose;
use coopcloud::database::Engine;
use swarm::ServiceFacts;

use journal::text::count;
use recipe_folder::recipe_toml::{InjectedFault, RecipeToml};

/// What the plan says that it does.
fn step(fault: InjectedFault, toml: &RecipeToml, ground: Option<&Ground>) -> String {
    let release = |back: usize, unknown: &str| {
        let known = ground.and_then(|ground| ground.releases.get(back).cloned());
        known.unwrap_or_else(|| unknown.to_owned())
    };
    let outage = |begin: &str, outage: Option<recipe_folder::recipe_toml::Outage>| {
        let outage = outage.unwrap_or_default();
        let (away, within) = (outage.away.get(), outage.within.get());
        format!("{begin} for {away} s; the app answers within {within} s of its return, with its data")
    };
    let within = |recovery: Option<recipe_folder::recipe_toml::Recovery>| recovery.unwrap_or_default().within.get();
    match fault {
        InjectedFault::Restart => {
            let within = within(toml.faults.restart);
            format!("take each service down and bring it back; the app answers within {within} s each, with its data")
        }
        InjectedFault::WrongSecret => {
            let within = within(toml.faults.wrong_secret);
            format!(
                "give the app a wrong password for its database; for {within} s it must not say that it is well \
                 and show its data"
            )
        }
        InjectedFault::DatabaseLate => outage("start the app while its database stays away", toml.faults.database_late),
        InjectedFault::DatabaseGone => outage("take the database away from the live app", toml.faults.database_gone),
        InjectedFault::Reconfigure => {
            let is_known = |key: &&str| ground.is_none_or(|ground| ground.settings.contains(*key));
            let keys = toml.reconfigure.iter().flat_map(|one| one.env.keys()).map(String::as_str);
            let keys = keys.filter(is_known).collect::<Vec<_>>().join(", ");
            format!("deploy the tested commit again with another {keys}; reconfigure/ shows it, the data is there")
        }
        InjectedFault::TwoBack => {
            let from = release(1, "the release two back");
            format!("remove the app, deploy {from}, seed, upgrade from it to the tested commit, with its data")
        }
        InjectedFault::CrossRelease => {
            let from = release(0, "the release before");
            format!("remove the app, deploy {from}, seed, back it up, upgrade, wipe, restore that backup")
        }
    }
}

/// What of a recipe decides whether a fault fits it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ground {
    /// Its services.
    pub services: Vec<ServiceFacts>,
    /// The releases before the tested commit, newest first, two at most.
    pub releases: Vec<String>,
    /// The settings that its `.env.sample` names, also in comments.
    pub settings: BTreeSet<String>,
}

impl Ground {
    /// The services of compose files, as far as files tell.
    pub fn services_of(compose: &Compose) -> Vec<ServiceFacts> {
        let facts = |service: &coopcloud::compose::Service| ServiceFacts {
            name: service.name.clone(),
            image: service.image.clone().unwrap_or_default(),
            replicas: Some(1),
            secrets: service.secrets.iter().cloned().collect(),
        };
        compose.services.iter().map(facts).collect()
    }

    /// The settings that a sample names. One in a comment is how operators learn of it.
    pub fn settings_of(sample: &str) -> BTreeSet<String> {
        let key = |line: &str| {
            let (key, _) = line.trim_start_matches(['#', ' ', '\t']).split_once('=')?;
            let is_name = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            is_name.then(|| key.to_owned())
        };
        sample.lines().filter_map(key).collect()
    }

    /// The services that can be taken down: one that runs on each node has no number of replicas.
    pub fn live(&self) -> impl Iterator<Item = &ServiceFacts> {
        self.services.iter().filter(|service| service.replicas.is_some_and(|count| count > 0))
    }

    /// Those of them that are databases, by their images.
    pub fn databases(&self) -> impl Iterator<Item = &ServiceFacts> {
        self.live().filter(|service| Engine::of_image(&service.image).is_some())
    }

    /// The others.
    pub fn apps(&self) -> impl Iterator<Item = &ServiceFacts> {
        self.live().filter(|service| Engine::of_image(&service.image).is_none())
    }

    /// The secrets that a database has in common with another service: its passwords.
    pub fn passwords(&self) -> BTreeSet<String> {
        let of_databases: BTreeSet<&String> = self.databases().flat_map(|one| &one.secrets).collect();
        self.apps().flat_map(|one| &one.secrets).filter(|name| of_databases.contains(name)).cloned().collect()
    }

    /// Why a fault does not fit; none where it does.
    pub fn unfit(&self, fault: InjectedFault, toml: &RecipeToml) -> Option<String> {
        let no_database = || {
            let why = "no service of the recipe is a database that is known by its image";
            self.databases().next().is_none().then(|| why.to_owned())
        };
        let alone = || self.apps().next().is_none().then(|| "every service of the recipe is a database".to_owned());
        let releases = |least: usize| {
            let there = self.releases.len();
            let word = count(there, "release");
            (there < least).then(|| format!("the recipe has {word} before this commit, and it takes {least}"))
        };
        match fault {
            InjectedFault::Restart => {
                let why = "no service of the recipe has a number of replicas that could go to none";
                self.live().next().is_none().then(|| why.to_owned())
            }
            InjectedFault::DatabaseLate | InjectedFault::DatabaseGone => no_database().or_else(alone),
            InjectedFault::WrongSecret => no_database().or_else(alone).or_else(|| {
                let why = "the database has no secret in common with another service";
                self.passwords().is_empty().then(|| why.to_owned())
            }),
            InjectedFault::Reconfigure => {
                let keys = || toml.reconfigure.iter().flat_map(|one| one.env.keys()).map(String::as_str);
                let is_known = keys().any(|key| self.settings.contains(key));
                (!is_known)
                    .then(|| format!("its .env.sample does not name {}", keys().collect::<Vec<_>>().join(" or ")))
            }
            InjectedFault::TwoBack => releases(2),
            InjectedFault::CrossRelease => releases(1),
        }
    }
}

/// The plan's lines of the faults that a folder switches on. Without a ground nothing is known to not fit.
pub fn steps(toml: &RecipeToml, ground: Option<&Ground>) -> Vec<String> {
    let line = |fault: InjectedFault| match ground.and_then(|ground| ground.unfit(fault, toml)) {
        Some(why) => format!("{}: blocked: {why}", fault.name()),
        None => format!("{}: {}", fault.name(), step(fault, toml, ground)),
    };
    toml.injected().into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use recipe_folder::recipe_toml::parse;

    fn service(name: &str, image: &str, secrets: &[&str]) -> ServiceFacts {
        ServiceFacts {
            name: name.to_owned(),
            image: image.to_owned(),
            replicas: Some(1),
            secrets: secrets.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn ground() -> Ground {
        Ground {
            services: vec![service("app", "notes:1", &["pw", "key"]), service("db", "postgres:15", &["pw"])],
            releases: vec!["1.2.0+2".to_owned(), "1.1.0+2".to_owned()],
            settings: Ground::settings_of("TYPE=x\n#TITLE=\"A title\"\n# words = none\n"),
        }
    }

    const ALL_ON: &str = "[faults.restart]\n[faults.database_late]\n[faults.database_gone]\naway = 5\n\
                          [faults.wrong_secret]\n[upgrade]\ntwo_back = true\n[backup]\ncross_release = true\n\
                          [reconfigure]\nenv = { TITLE = \"Other\" }\n";

    #[test]
    fn nothing_is_on_that_no_table_switches_on() {
        assert!(parse("").unwrap().injected().is_empty());
        assert!(parse("[faults]\n[backup]\n[upgrade]\n").unwrap().injected().is_empty());
        assert_eq!(parse(ALL_ON).unwrap().injected(), InjectedFault::ALL);
    }

    #[test]
    fn each_fault_has_a_line_in_the_plan() {
        let lines = steps(&parse(ALL_ON).unwrap(), Some(&ground()));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn what_does_not_fit_says_why() {
        let toml = parse(ALL_ON).unwrap();
        let none = Ground { services: vec![service("app", "notes:1", &["pw"])], ..Ground::default() };
        insta::assert_snapshot!(steps(&toml, Some(&none)).join("\n"));
        let apart = Ground { services: vec![service("app", "n", &["a"]), service("db", "mariadb:10", &["b"])], ..none };
        let why = apart.unfit(InjectedFault::WrongSecret, &toml).unwrap();
        assert_eq!(why, "the database has no secret in common with another service");
        assert_eq!(apart.unfit(InjectedFault::DatabaseGone, &toml), None);
    }

    #[test]
    fn a_service_that_runs_on_each_node_is_not_taken_down() {
        let mut ground = ground();
        ground.services[1].replicas = None;
        assert_eq!(ground.live().count(), 1);
        assert!(ground.databases().next().is_none());
    }
}
