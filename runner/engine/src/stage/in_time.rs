//! How long the app took to be up, against what its recipe tells abra to wait.
//!
//! abra waits for as many seconds as the label `coop-cloud.<stack>.timeout` says and then tells the operator that the
//! deploy failed, although swarm goes on and the app comes up (seen; without the label it waits 50 s, which is
//! recollection). Nothing is undone by that, and how long an app takes hangs on the machine: so this is told, and
//! no verdict hangs on it.

use std::time::Duration;

use base::names::StackName;
use coopcloud::compose::Compose;
use coopcloud::labels;

/// What abra waits without a label.
const WITHOUT_LABEL_S: u64 = 50;

/// What to tell of a deploy that took so long from the moment on at which abra begins to wait.
pub(crate) fn too_slow(compose: &Compose, stack: &StackName, took: Duration) -> Option<String> {
    let key = labels::timeout(stack);
    let label = compose.services.iter().find_map(|service| service.labels.get(&key));
    let waits = label.map_or(Some(WITHOUT_LABEL_S), |value| value.parse().ok());
    let Some(waits) = waits else {
        let value = label.map_or("", String::as_str);
        return Some(format!("the label {key} says {value:?}, which is no number of seconds"));
    };
    let took_s = took.as_secs();
    if took_s <= waits {
        return None;
    }
    // Twice what it took here, in round numbers: operators have slower machines, and pull images.
    let better = (took_s * 2).div_ceil(10) * 10;
    let says = match label {
        Some(value) => format!("the label {key} says {value}"),
        None => format!("there is no label {key}, and abra waits {WITHOUT_LABEL_S} s then"),
    };
    Some(format!(
        "the app was up after {took_s} s, and {says}: abra would tell operators that the deploy failed, although it goes on; \
         write {better} (the label's value, or TIMEOUT in .env.sample where it comes from there)"
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn told(labels: &str, took_s: u64) -> Option<String> {
        let text = format!("services: {{app: {{image: a, deploy: {{labels: [{labels}]}}}}}}\n");
        let compose = Compose::load(&[("c".to_owned(), text)], &BTreeMap::new()).unwrap();
        too_slow(&compose, &StackName::try_from("hut_x".to_owned()).unwrap(), Duration::from_secs(took_s))
    }

    #[test]
    fn a_timeout_that_is_too_short_is_told_with_a_better_one() {
        let line = told("coop-cloud.hut_x.timeout=10", 31).unwrap();
        assert!(line.contains("after 31 s") && line.contains("says 10") && line.contains("write 70"), "{line}");
        assert_eq!(told("coop-cloud.hut_x.timeout=60", 31), None);
        assert_eq!(told("", 31), None);
        assert!(told("", 51).unwrap().contains("no label"));
        assert!(told("coop-cloud.hut_x.timeout=soon", 1).unwrap().contains("no number of seconds"));
    }
}
