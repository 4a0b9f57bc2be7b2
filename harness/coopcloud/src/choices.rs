//! Values of a compose file that docker's schema allows and the engine restricts. Source: docker's command line,
//! `cli/compose/convert`, and moby, `daemon/cluster/convert`; `deploy.restart_policy.condition` was seen with engine
//! 20.10.

use serde_json::Value;

use super::compose::Compose;

/// A value that the engine refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongWord {
    /// Its path.
    pub field: String,
    pub word: String,
    /// The accepted values.
    pub takes: &'static [&'static str],
}

const CHOICES: [(&[&str], &[&str]); 5] = [
    (&["deploy", "restart_policy", "condition"], &["none", "on-failure", "any"]),
    (&["deploy", "update_config", "failure_action"], &["pause", "continue", "rollback"]),
    (&["deploy", "rollback_config", "failure_action"], &["pause", "continue"]),
    (&["deploy", "mode"], &["replicated", "global", "replicated-job", "global-job"]),
    (&["deploy", "endpoint_mode"], &["vip", "dnsrr"]),
];

/// The first such value of any service.
pub fn wrong_word(compose: &Compose) -> Option<WrongWord> {
    compose.services.iter().find_map(|service| {
        CHOICES.iter().find_map(|(path, takes)| {
            let (first, rest) = path.split_first()?;
            let word =
                rest.iter().try_fold(service.field(first)?, |value, key| value.get(key)).and_then(Value::as_str)?;
            let field = || format!("services.{}.{}", service.name, path.join("."));
            let is_taken = word.is_empty() || takes.contains(&word);
            (!is_taken).then(|| WrongWord { field: field(), word: word.to_owned(), takes })
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn wrong(deploy: &str) -> Option<String> {
        let text = format!("services: {{app: {{image: a, deploy: {{{deploy}}}}}}}\n");
        let compose = Compose::load(&[("c".to_owned(), text)], &BTreeMap::new()).unwrap();
        wrong_word(&compose).map(|wrong| format!("{} {}", wrong.field, wrong.word))
    }

    #[test]
    fn a_word_that_the_engine_does_not_know_is_named_with_its_place() {
        assert_eq!(wrong(""), None);
        assert_eq!(
            wrong("restart_policy: {condition: on-failure}, mode: global, update_config: {order: stop-first}"),
            None
        );
        let said = wrong("restart_policy: {condition: onfailure}");
        assert_eq!(said.as_deref(), Some("services.app.deploy.restart_policy.condition onfailure"));
        assert!(wrong("update_config: {failure_action: rollbak}").is_some());
        assert!(wrong("rollback_config: {failure_action: rollback}").is_some());
        assert!(wrong("mode: replicate").is_some() && wrong("endpoint_mode: vipp").is_some());
    }
}
