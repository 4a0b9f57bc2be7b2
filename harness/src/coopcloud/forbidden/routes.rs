//! traefik's rules: which requests a router takes.

use crate::names::Domain;

/// What a rule takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Only requests to the app's own hosts.
    OwnHosts,
    /// TCP connections to whatever name.
    AnyName,
}

/// Domains that nobody can own: recipes have them in `.env.sample` until an operator writes better ones.
const EXAMPLES: [&str; 5] = ["example.com", "example.org", "example.net", "example", "invalid"];

/// Deeper brackets are in no honest rule.
const DEPTH: usize = 20;

/// Reads a rule, of version 2 or 3 of traefik.
///
/// # Errors
/// Why the rule may take requests that are not the app's.
pub(super) fn read(rule: &str, domain: &Domain) -> Result<Rule, String> {
    let compact: String = rule.split_whitespace().collect();
    if ["HostSNI(`*`)", "HostSNI(\"*\")"].iter().any(|any| compact.eq_ignore_ascii_case(any)) {
        return Ok(Rule::AnyName);
    }
    let mut reader = Reader { rest: rule, domain: domain.as_str() };
    let bound = reader.either(0)?;
    if !reader.rest.trim().is_empty() {
        return Err(reader.odd());
    }
    if bound { Ok(Rule::OwnHosts) } else { Err(format!("it takes requests to any host; write Host(`{domain}`)")) }
}

/// Each function gives whether what it read takes requests to own hosts only.
struct Reader<'a> {
    rest: &'a str,
    domain: &'a str,
}

impl<'a> Reader<'a> {
    fn either(&mut self, depth: usize) -> Result<bool, String> {
        let mut bound = self.both(depth)?;
        while self.eat("||") {
            bound &= self.both(depth)?;
        }
        Ok(bound)
    }

    fn both(&mut self, depth: usize) -> Result<bool, String> {
        let mut bound = self.one(depth)?;
        while self.eat("&&") {
            bound |= self.one(depth)?;
        }
        Ok(bound)
    }

    fn one(&mut self, depth: usize) -> Result<bool, String> {
        if depth > DEPTH {
            return Err(self.odd());
        }
        if self.eat("!") {
            self.one(depth + 1)?;
            return Ok(false);
        }
        if self.eat("(") {
            let bound = self.either(depth + 1)?;
            return if self.eat(")") { Ok(bound) } else { Err(self.odd()) };
        }
        let name = self.word();
        if name.is_empty() || !self.eat("(") {
            return Err(self.odd());
        }
        let values = self.values()?;
        match name.to_ascii_lowercase().as_str() {
            "host" | "hostheader" | "hostsni" => self.hosts(&values, is_own),
            "hostregexp" | "hostsniregexp" => self.hosts(&values, is_own_pattern),
            _ => Ok(false),
        }
    }

    fn hosts(&self, values: &[&str], own: impl Fn(&str, &str) -> bool) -> Result<bool, String> {
        match values.iter().find(|host| !own(host, self.domain)) {
            Some(host) => Err(format!("{host:?} is not the app's host, which is {}", self.domain)),
            None => Ok(!values.is_empty()),
        }
    }

    /// Quoted texts with commas between them, up to the closing bracket.
    fn values(&mut self) -> Result<Vec<&'a str>, String> {
        let mut values = Vec::new();
        loop {
            if self.eat(")") {
                return Ok(values);
            }
            if !values.is_empty() && !self.eat(",") {
                return Err(self.odd());
            }
            self.rest = self.rest.trim_start();
            let quote = self.rest.chars().next().filter(|c| matches!(c, '`' | '"')).ok_or_else(|| self.odd())?;
            let (value, rest) = self.rest[1..].split_once(quote).ok_or_else(|| self.odd())?;
            if quote == '"' && value.contains('\\') {
                return Err(self.odd());
            }
            values.push(value);
            self.rest = rest;
        }
    }

    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn eat(&mut self, mark: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn odd(&self) -> String {
        let rest: String = self.rest.chars().take(40).collect();
        format!("it is no rule that cc-ci can read, from {rest:?} on")
    }
}

/// The app's domain, one below it, one that ends in a hyphen and it, or an example.
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

/// `{name:[a-z]+}.<domain>`, or `^[a-z]+\.<domain>$` with its dots escaped. Each is harmless to the version
/// of traefik that the other is for.
fn is_own_pattern(pattern: &str, domain: &str) -> bool {
    let is_simple = |class: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"[]-_.*+".contains(&b);
        // Letters and digits by their short names: none of these can match a dot or a bar.
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
