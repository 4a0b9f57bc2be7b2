//! traefik's rules: which requests a router accepts.

use base::names::Domain;

use super::super::router_rule::RouterRule;

/// What a rule accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Only requests to the app's own hosts.
    OwnHosts,
    /// TCP connections to any name.
    AnyName,
}

/// Domains that cannot be registered: recipes have them in `.env.sample` as placeholders.
const EXAMPLES: [&str; 5] = ["example.com", "example.org", "example.net", "example", "invalid"];

/// Checks a rule.
///
/// # Errors
/// Why the rule may accept requests of other apps.
pub(super) fn read(rule: &str, domain: &Domain) -> Result<Rule, String> {
    let compact: String = rule.split_whitespace().collect();
    if ["HostSNI(`*`)", "HostSNI(\"*\")"].iter().any(|any| compact.eq_ignore_ascii_case(any)) {
        return Ok(Rule::AnyName);
    }
    let bound = is_bound(&RouterRule::parse(rule)?, domain.as_str())?;
    if bound { Ok(Rule::OwnHosts) } else { Err(format!("it accepts requests to any host; write Host(`{domain}`)")) }
}

/// Whether a rule only accepts requests to own hosts. Every part is checked: a foreign host is refused anywhere.
fn is_bound(rule: &RouterRule<'_>, domain: &str) -> Result<bool, String> {
    let each = |parts: &[RouterRule<'_>]| -> Result<Vec<bool>, String> {
        parts.iter().map(|part| is_bound(part, domain)).collect()
    };
    match rule {
        RouterRule::Any(parts) => Ok(each(parts)?.into_iter().all(|bound| bound)),
        RouterRule::All(parts) => Ok(each(parts)?.into_iter().any(|bound| bound)),
        RouterRule::Not(part) => is_bound(part, domain).map(|_| false),
        RouterRule::Matcher(name, values) => match name.as_str() {
            "host" | "hostheader" | "hostsni" => hosts(values, domain, is_own),
            "hostregexp" | "hostsniregexp" => hosts(values, domain, is_own_pattern),
            _ => Ok(false),
        },
    }
}

fn hosts(values: &[&str], domain: &str, own: impl Fn(&str, &str) -> bool) -> Result<bool, String> {
    match values.iter().find(|host| !own(host, domain)) {
        Some(host) => Err(format!("{host:?} is not the app's host, which is {domain}")),
        None => Ok(!values.is_empty()),
    }
}

/// The app's domain, a subdomain, one that ends in a hyphen and the domain, or a placeholder.
fn is_own(host: &str, domain: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if !host.bytes().all(fine) || host.starts_with(['.', '-']) {
        return false;
    }
    let below = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    let beside = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('-'));
    host == domain || beside || below(domain) || EXAMPLES.iter().any(|example| host == *example || below(example))
}

/// `{name:[a-z]+}.<domain>`, or `^[a-z]+\.<domain>$` with its dots escaped. Each is harmless in the version of traefik
/// that the other is for.
fn is_own_pattern(pattern: &str, domain: &str) -> bool {
    let is_simple = |class: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"[]-_.*+".contains(&b);
        // Character classes of letters and digits: none of these can match a dot or a bar.
        class.replace("\\w", "").replace("\\d", "").bytes().all(plain)
    };
    if let Some((variable, rest)) = pattern.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        let class = variable.split_once(':').map_or("", |(_, class)| class);
        return rest.strip_prefix('.').is_some_and(|host| is_own(host, domain)) && is_simple(class);
    }
    let inner = pattern.strip_prefix('^').and_then(|inner| inner.strip_suffix('$'));
    let Some(class) = inner.and_then(|inner| inner.strip_suffix(&domain.replace('.', "\\."))) else { return false };
    class.is_empty() || class.strip_suffix("\\.").is_some_and(is_simple)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(rule: &str) -> Result<Rule, String> {
        read(rule, &"app-1234567.ci.localhost".parse().unwrap())
    }

    #[test]
    fn own_hosts_are_taken() {
        for rule in [
            "Host(`app-1234567.ci.localhost`)",
            "Host(`app-1234567.ci.localhost`,`www.app-1234567.ci.localhost`)",
            "Host(`APP-1234567.ci.localhost`) && (PathPrefix(`/a`) || Path(`/b`))",
            "Host(`app-1234567.ci.localhost`) || Host(\"sandbox-app-1234567.ci.localhost\")",
            "PathPrefix(`/x`) && Host(`sandbox.example.com`) && !Path(`/y`)",
            "HostRegexp(`{sub:[a-z0-9]+}.app-1234567.ci.localhost`)",
            "HostRegexp(`{sub:\\w+}.app-1234567.ci.localhost`)",
            "HostRegexp(`^[\\w\\d-]+\\.app-1234567\\.ci\\.localhost$`)",
            "HostRegexp(`^[a-z0-9-]+\\.app-1234567\\.ci\\.localhost$`)",
            "HostSNI(`app-1234567.ci.localhost`)",
        ] {
            assert_eq!(of(rule), Ok(Rule::OwnHosts), "{rule}");
        }
        assert_eq!(of("HostSNI( `*` )"), Ok(Rule::AnyName));
    }

    #[test]
    fn rules_that_take_what_is_not_the_apps_are_refused() {
        for rule in [
            "",
            "PathPrefix(`/`)",
            "Host()",
            "Host(`victim.ci.localhost`)",
            "Host(`app-1234567.ci.localhost`,`victim.ci.localhost`)",
            "Host(`app-1234567.ci.localhost`) || PathPrefix(`/`)",
            "Host(`app-1234567.ci.localhost`) || Host(`ci.localhost`)",
            "!Host(`app-1234567.ci.localhost`)",
            "Host(`victim.ci.localhost.app-1234567.ci.localhost.org`)",
            "Host(`xapp-1234567.ci.localhost`)",
            "Host(`*`)",
            "HostRegexp(`.*`)",
            "HostRegexp(`{a:.*}`)",
            "HostRegexp(`{a:\\W+}.app-1234567.ci.localhost`)",
            "HostRegexp(`^\\w+|x\\.app-1234567\\.ci\\.localhost$`)",
            "HostRegexp(`{a:.*|x}.app-1234567.ci.localhost`)",
            "HostRegexp(`^.*$|^x\\.app-1234567\\.ci\\.localhost$`)",
            "HostRegexp(`.*\\.app-1234567\\.ci\\.localhost`)",
            "HostSNI(`*`) || HostSNI(`app-1234567.ci.localhost`)",
            "Host(`app-1234567.ci.localhost`) PathPrefix(`/`)",
            "Host(`app-1234567.ci.localhost`",
            "Host(app-1234567.ci.localhost)",
            "Host(\"app-1234567.ci.localhost\\\")",
        ] {
            assert!(of(rule).is_err(), "{rule}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(rule in "[a-zA-Z`\"(),!|&. \\\\é]{0,60}") {
            let _ = of(&rule);
            let _ = of(&"(".repeat(rule.len() * 20));
        }
    }
}
