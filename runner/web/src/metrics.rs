//! Metrics for Prometheus, in its text format. Pure.

use std::fmt::{Display, Write as _};

use slots::status::Status;

use journal::tone::Tone;

/// The values.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    /// Each recipe's newest verdict on the whole recipe, when it began (Unix seconds) and how long it took
    /// (milliseconds).
    pub(super) recipes: Vec<(String, Option<Tone>, i64, u64)>,
    /// Runs in progress.
    pub(super) live: usize,
    /// Runs in the history.
    pub(super) runs: u64,
    /// `None` if the swarm does not answer.
    pub(super) slots: Option<Status>,
}

/// The response's body.
pub(super) fn text(figures: &Figures) -> String {
    let mut text = String::new();
    family(&mut text, "cc_ci_runs", "gauge", "Runs in the history.");
    sample(&mut text, "cc_ci_runs", &[], figures.runs);
    family(&mut text, "cc_ci_runs_live", "gauge", "Runs that are under way.");
    sample(&mut text, "cc_ci_runs_live", &[], figures.live);
    family(&mut text, "cc_ci_recipe_verdict", "gauge", "1 for the verdict of a recipe's newest whole run.");
    for (recipe, tone, ..) in &figures.recipes {
        for one in [Tone::Passed, Tone::Failed, Tone::Blocked, Tone::Cancelled, Tone::NoEnd] {
            let labels = [("recipe", recipe.as_str()), ("verdict", one.word())];
            sample(&mut text, "cc_ci_recipe_verdict", &labels, u8::from(*tone == Some(one)));
        }
    }
    family(&mut text, "cc_ci_recipe_run_timestamp_seconds", "gauge", "When that run began.");
    for (recipe, _, at, _) in &figures.recipes {
        sample(&mut text, "cc_ci_recipe_run_timestamp_seconds", &[("recipe", recipe)], at);
    }
    family(&mut text, "cc_ci_recipe_run_duration_seconds", "gauge", "How long that run took.");
    for (recipe, _, _, took_ms) in &figures.recipes {
        let seconds = format!("{}.{:03}", took_ms / 1_000, took_ms % 1_000);
        sample(&mut text, "cc_ci_recipe_run_duration_seconds", &[("recipe", recipe)], seconds);
    }
    if let Some(status) = &figures.slots {
        slots(&mut text, status);
    }
    text
}

fn slots(text: &mut String, status: &Status) {
    let caps = &status.caps;
    let all: [(&str, &str, String); 7] = [
        ("cc_ci_slots_used", "Runs that hold a slot.", status.tests.to_string()),
        ("cc_ci_slots_limit", "Maximum number of runs with a slot.", caps.tests.to_string()),
        ("cc_ci_apps_used", "Live apps.", status.apps.to_string()),
        ("cc_ci_apps_limit", "Maximum number of live apps.", caps.apps.to_string()),
        ("cc_ci_memory_reserved_mebibytes", "Memory that is kept for them.", status.mib.to_string()),
        ("cc_ci_memory_limit_mebibytes", "Memory that may be kept.", caps.mib.to_string()),
        ("cc_ci_runs_waiting", "Runs that wait for a slot.", status.waiters.len().to_string()),
    ];
    for (name, help, value) in all {
        family(text, name, "gauge", help);
        sample(text, name, &[], value);
    }
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], value: impl Display) {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "{name}{labels} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_prometheus_wants_them() {
        let recipes = vec![
            ("n8n".to_owned(), Some(Tone::Passed), 1_795_284_000, 48_250),
            ("keycloak".to_owned(), None, 1_795_284_100, 0),
        ];
        insta::assert_snapshot!(text(&Figures { recipes, live: 1, runs: 950, slots: None }));
    }
}
