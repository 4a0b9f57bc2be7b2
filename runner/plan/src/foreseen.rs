//! What a recipe's files tell before anything is deployed: variables that nothing sets, values that docker or abra
//! will not take, hints that abra does not know. Pure.

use std::collections::BTreeMap;

use base::failure::{Failure, Kind};
use coopcloud::by_variable::{ByVariable, Typed, by_variable};
use coopcloud::charset;
use coopcloud::choices::wrong_word;
use coopcloud::compose::Compose;
use coopcloud::declared::{declared_by, undeclared};
use coopcloud::envfile::{EnvFile, MARK};
use coopcloud::published::published_twice;
use coopcloud::unset::{Gap, template_gaps, unset};

use recipe_folder::recipe_toml::shown::nearest;

/// What is known.
#[derive(Debug, Default)]
pub struct Foreseen {
    /// What is worth a look and stops nothing.
    pub notes: Vec<String>,
    /// What cannot work.
    pub failure: Option<Failure>,
}

/// The recipe's side of it.
pub struct Given<'a> {
    /// The compose files.
    pub compose: &'a Compose,
    /// The app's settings.
    pub env: &'a EnvFile,
    /// Everything that compose files may use.
    pub vars: &'a BTreeMap<String, String>,
    /// The text of `.env.sample`.
    pub sample: &'a str,
}

/// Looks at everything.
pub fn foreseen(given: &Given<'_>, file: impl Fn(&str) -> Option<String>) -> Foreseen {
    let mut known = Foreseen::default();
    for (name, files) in unset(given.compose, given.vars, given.sample) {
        let files = files.into_iter().collect::<Vec<_>>().join(", ");
        let meant = nearest(&name, given.vars.keys().map(String::as_str));
        known.notes.push(format!(
            "{files} uses {name}, and nothing sets it: no line of .env.sample, no export of abra.sh, no default in \
             the file; docker fills in nothing{meant}"
        ));
    }
    if given.sample.starts_with(MARK) {
        known.notes.push(
            ".env.sample begins with a byte order mark; some readers of env files take it as part of the first key, or \
             refuse the file"
                .to_owned(),
        );
    }
    if let Some(line) = given.sample.lines().find(|line| has_escape(line)) {
        let key = line.split('=').next().unwrap_or_default().trim();
        known.notes.push(format!(
            "the value of {key} in .env.sample has \\n in double quotes: to some readers of env files that is a line \
             break, and this run took it as it stands"
        ));
    }
    for secret in given.env.secrets() {
        let unknown = secret.charset.as_deref().map(charset::unknown).unwrap_or_default();
        if !unknown.is_empty() {
            known.notes.push(format!(
                "the secret {} asks for charset={}, which abra is not known to have (it has {}); what it makes of \
                 that is not known",
                secret.name,
                unknown.join(","),
                charset::known()
            ));
        }
    }
    for gap in template_gaps(given.compose, file) {
        match gap {
            Gap::Env { service, config, name } => known.notes.push(format!(
                "the template of config {config} asks for env {name}, and nothing in the environment of service \
                 {service} sets it; the engine fills in nothing"
            )),
            Gap::Secret { service, config, name } => {
                known.failure.get_or_insert_with(|| {
                    Failure::new(
                        Kind::InvalidCompose,
                        format!(
                            "the template of config {config} asks for the secret {name}, which service {service} does \
                             not have; the engine refuses to start such a task"
                        ),
                        format!("secrets of service {service}, and the names that the template asks for"),
                    )
                });
            }
        }
    }
    filled(&by_variable(given.compose, given.vars), &mut known);
    if let Some(wrong) = wrong_word(given.compose) {
        known.failure.get_or_insert_with(|| {
            Failure::new(
                Kind::InvalidCompose,
                format!("{} says {:?}, which the engine does not know", wrong.field, wrong.word),
                format!("one of {}", wrong.takes.join(", ")),
            )
        });
    }
    if let Some((what, service)) = undeclared(given.compose, &declared_by(given.compose).collect()) {
        known.failure.get_or_insert_with(|| {
            Failure::new(
                Kind::InvalidCompose,
                format!("service {service} uses the {what}, which no compose file declares; docker refuses that"),
                "its name, or the section at the end of the compose file that declares it",
            )
        });
    }
    if let Some(twice) = published_twice(given.compose) {
        let [first, second] = &twice.services;
        known.failure.get_or_insert_with(|| {
            Failure::new(
                Kind::InvalidCompose,
                format!(
                    "services {first} and {second} both publish port {}/{} of the host; only one of them can have it",
                    twice.port, twice.protocol
                ),
                format!("ports of service {second}, in each compose file that is deployed"),
            )
        });
    }
    known
}

/// Whether a line has a value in double quotes with an escape in it that readers take in two ways.
fn has_escape(line: &str) -> bool {
    let value =
        line.split_once('=').map(|(_, value)| value.trim_start()).filter(|_| !line.trim_start().starts_with('#'));
    value.is_some_and(|value| value.starts_with('"') && (value.contains("\\n") || value.contains("\\r")))
}

/// Fields of a type that a variable fills.
fn filled(fields: &[ByVariable], known: &mut Foreseen) {
    let word = |typed| match typed {
        Typed::Duration => "duration",
        Typed::Number => "number",
        Typed::Truth => "true or false",
    };
    if let Some(one) = fields.iter().find(|one| !one.is_taken()) {
        let ByVariable { file, field, written, value, .. } = one;
        known.failure.get_or_insert_with(|| {
            Failure::new(
                Kind::InvalidCompose,
                format!("{file}: {field} is {written}, which becomes {value:?} and is no {}", word(one.typed)),
                "a value in .env.sample, or a default in the file: ${NAME:-1}",
            )
        });
    }
    // That durations are refused was seen; the schema check says so with docker's own words.
    let others: Vec<String> = fields
        .iter()
        .filter(|one| one.typed != Typed::Duration && one.is_taken())
        .map(|one| format!("{} ({})", one.field, one.written))
        .collect();
    if !others.is_empty() {
        known.notes.push(format!(
            "{} {} from variables; docker takes that. abra holds files to the schema before it fills variables in, at \
             least for durations; whether it refuses this too is not known",
            others.join(", "),
            if others.len() == 1 { "comes" } else { "come" },
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(compose: &str, sample: &str, template: &str) -> Foreseen {
        let env = EnvFile::parse(sample);
        let mut vars = env.vars();
        vars.insert("STACK_NAME".to_owned(), "x".to_owned());
        let compose = Compose::load(&[("compose.yml".to_owned(), compose.to_owned())], &vars).unwrap();
        let given = Given { compose: &compose, env: &env, vars: &vars, sample };
        foreseen(&given, |_| Some(template.to_owned()))
    }

    #[test]
    fn a_clean_recipe_has_nothing_to_say() {
        let known = of("services: {app: {image: 'a:${TAG}', deploy: {replicas: 1}}}\n", "TAG=1\n", "");
        assert!(known.notes.is_empty() && known.failure.is_none(), "{known:?}");
    }

    #[test]
    fn a_misspelt_variable_is_told_with_the_one_that_may_be_meant() {
        let known = of("services: {app: {image: a, environment: ['U=https://${DOMIAN}']}}\n", "DOMAIN=x\n", "");
        assert!(known.notes[0].starts_with("compose.yml uses DOMIAN, and nothing sets it"), "{known:?}");
        assert!(known.notes[0].contains("DOMAIN"), "{known:?}");
    }

    #[test]
    fn what_readers_of_env_files_take_in_two_ways_is_told() {
        let compose = "services: {app: {image: a}}\n";
        let known = of(compose, "\u{feff}TYPE=x\n#B=\"\\n\"\nC=\"a\\nb\"\n", "");
        assert!(known.notes[0].contains("byte order mark") && known.notes[1].contains("value of C"), "{known:?}");
        assert!(of(compose, "A='a\\nb'\nB=a\\nb\n", "").notes.is_empty());
    }

    #[test]
    fn what_the_engine_or_docker_would_refuse_is_red() {
        let what = |compose: &str| of(compose, "", "").failure.map(|failure| failure.what).unwrap_or_default();
        let said = what("services: {app: {image: a, deploy: {restart_policy: {condition: onfailure}}}}\n");
        assert!(said.starts_with("services.app.deploy.restart_policy.condition says \"onfailure\""), "{said}");
        let said = what("services: {app: {image: a, ports: ['80:1']}, web: {image: a, ports: ['80:2']}}\n");
        assert!(said.starts_with("services app and web both publish port 80/tcp of the host"), "{said}");
        let said = what("services: {app: {image: a, volumes: ['upload:/u']}}\nvolumes: {uploads: {}}\n");
        assert!(said.starts_with("service app uses the volume upload, which no compose file declares"), "{said}");
    }

    #[test]
    fn numbers_from_variables_are_told_and_what_is_none_is_red() {
        let compose = "services: {app: {image: a, deploy: {replicas: '${N}'}}}\n";
        let known = of(compose, "N=2\n", "");
        assert!(
            known.failure.is_none() && known.notes[0].contains("services.app.deploy.replicas (${N}) comes"),
            "{known:?}"
        );
        let known = of(compose, "N=two\n", "");
        let failure = known.failure.unwrap();
        assert_eq!(
            failure.what,
            "compose.yml: services.app.deploy.replicas is ${N}, which becomes \"two\" and is no number"
        );
    }

    #[test]
    fn charsets_and_templates_are_looked_at() {
        let compose =
            "services: {web: {image: a, configs: [c]}}\nconfigs: {c: {file: c.tmpl, template_driver: golang}}\n";
        let known =
            of(compose, "SECRET_KEY_VERSION=v1 # length=9 charset=emoji\n", "{{ env \"X\" }}{{ secret \"s\" }}");
        assert!(known.notes.iter().any(|note| note.contains("charset=emoji")), "{known:?}");
        assert!(known.notes.iter().any(|note| note.contains("asks for env X")), "{known:?}");
        assert!(known.failure.unwrap().what.contains("asks for the secret s"));
    }
}
