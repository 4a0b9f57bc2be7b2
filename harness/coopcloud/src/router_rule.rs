//! traefik's router rules, of version 2 or 3, as a tree.

use regex::Regex;

/// A request to evaluate against a rule.
#[derive(Debug, Clone, Copy)]
pub struct RoutedRequest<'a> {
    pub host: &'a str,
    pub path: &'a str,
}

/// Whether a rule accepts a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    Yes,
    No,
    /// It would accept another path.
    OtherPath,
    /// It depends on an unknown property, such as the client's address.
    Unknown,
}

/// A rule, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouterRule<'a> {
    /// One of these accepts the request.
    Any(Vec<Self>),
    /// All of these accept it.
    All(Vec<Self>),
    /// This does not accept it.
    Not(Box<Self>),
    /// A matcher, its name in lower case, with its values.
    Matcher(String, Vec<&'a str>),
}

/// Maximum depth of brackets.
const DEPTH: usize = 20;

impl<'a> RouterRule<'a> {
    /// Parses a rule.
    ///
    /// # Errors
    /// The position of the error.
    pub fn parse(rule: &'a str) -> Result<Self, String> {
        let mut reader = Reader { rest: rule };
        let parsed = reader.either(0)?;
        if reader.rest.trim().is_empty() { Ok(parsed) } else { Err(reader.odd()) }
    }

    /// Whether it accepts a GET without additional headers.
    pub fn takes(&self, wanted: RoutedRequest<'_>) -> Takes {
        match self.met(wanted.host, Some(wanted.path)) {
            Some(true) => Takes::Yes,
            None => Takes::Unknown,
            Some(false) if self.met(wanted.host, None) == Some(false) => Takes::No,
            Some(false) => Takes::OtherPath,
        }
    }

    /// Whether it matches; `None` if it depends on an unknown property, such as a path that is not given.
    fn met(&self, host: &str, path: Option<&str>) -> Option<bool> {
        match self {
            Self::Any(parts) => any(parts.iter().map(|part| part.met(host, path))),
            Self::All(parts) => any(parts.iter().map(|part| part.met(host, path).map(|met| !met))).map(|met| !met),
            Self::Not(part) => part.met(host, path).map(|met| !met),
            Self::Matcher(name, values) => any(values.iter().map(|value| matches(name, value, host, path))),
        }
    }

    /// The paths and prefixes in it, in order.
    pub fn paths(&self) -> Vec<&'a str> {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().flat_map(Self::paths).collect(),
            Self::Not(_) => Vec::new(),
            Self::Matcher(name, values) if matches!(name.as_str(), "path" | "pathprefix") => values.clone(),
            Self::Matcher(..) => Vec::new(),
        }
    }
}

/// Whether a rule accepts a request; unknown if the rule is invalid.
pub fn takes(rule: &str, wanted: RoutedRequest<'_>) -> Takes {
    RouterRule::parse(rule).map_or(Takes::Unknown, |rule| rule.takes(wanted))
}

/// Whether one of these matches.
fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut met = Some(false);
    for part in parts {
        match part {
            Some(true) => return Some(true),
            None => met = None,
            Some(false) => {}
        }
    }
    met
}

/// Whether a matcher's value matches.
fn matches(name: &str, value: &str, host: &str, path: Option<&str>) -> Option<bool> {
    // Version 2 has patterns in these too.
    let plain = |fits: &dyn Fn(&str) -> bool| path.filter(|_| !value.contains('{')).map(fits);
    match name {
        "host" | "hostheader" => Some(value.eq_ignore_ascii_case(host)),
        "hostregexp" => pattern(value).map(|pattern| pattern.is_match(host)),
        "path" => plain(&|path| value == path),
        "pathprefix" => plain(&|path| path.starts_with(value)),
        "pathregexp" => Regex::new(value).ok().and_then(|pattern| path.map(|path| pattern.is_match(path))),
        "method" => Some(value.eq_ignore_ascii_case("GET")),
        // Properties that cc-ci's requests do not have.
        "header" | "headers" | "headerregexp" | "headersregexp" | "query" | "queryregexp" => Some(false),
        _ => None,
    }
}

/// A pattern of version 2, `{name:pattern}.example.org`, or of version 3, which is a plain one.
fn pattern(value: &str) -> Option<Regex> {
    // Version 2 names its patterns, `{name:…}`; a leading digit is a repetition in version 3.
    let is_named = value.match_indices('{').any(|(at, _)| value[at + 1..].starts_with(|c: char| c.is_alphabetic()));
    if !is_named {
        return Regex::new(&format!("(?i){value}")).ok();
    }
    let (mut text, mut rest) = (String::from("(?i)^"), value);
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, next) = after.split_once('}')?;
        let (_, part) = inside.split_once(':').unwrap_or(("", "[^.]+"));
        text.push_str(&regex::escape(before));
        text.push_str(&format!("(?:{part})"));
        rest = next;
    }
    text.push_str(&regex::escape(rest));
    text.push('$');
    Regex::new(&text).ok()
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn either(&mut self, depth: usize) -> Result<RouterRule<'a>, String> {
        let mut parts = vec![self.both(depth)?];
        while self.eat("||") {
            parts.push(self.both(depth)?);
        }
        Ok(alone(parts, RouterRule::Any))
    }

    fn both(&mut self, depth: usize) -> Result<RouterRule<'a>, String> {
        let mut parts = vec![self.one(depth)?];
        while self.eat("&&") {
            parts.push(self.one(depth)?);
        }
        Ok(alone(parts, RouterRule::All))
    }

    fn one(&mut self, depth: usize) -> Result<RouterRule<'a>, String> {
        if depth > DEPTH {
            return Err(self.odd());
        }
        if self.eat("!") {
            return Ok(RouterRule::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.eat("(") {
            let inner = self.either(depth + 1)?;
            return if self.eat(")") { Ok(inner) } else { Err(self.odd()) };
        }
        let name = self.word();
        if name.is_empty() || !self.eat("(") {
            return Err(self.odd());
        }
        Ok(RouterRule::Matcher(name.to_ascii_lowercase(), self.values()?))
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
        format!("cc-ci cannot parse the rule from {rest:?} on")
    }
}

fn alone<'a>(mut parts: Vec<RouterRule<'a>>, many: impl Fn(Vec<RouterRule<'a>>) -> RouterRule<'a>) -> RouterRule<'a> {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => many(parts.into_iter().chain(last).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: RoutedRequest<'_> = RoutedRequest { host: "app.example.org", path: "/" };

    #[test]
    fn rules_say_what_they_take() {
        for (rule, said) in [
            ("Host(`app.example.org`)", Takes::Yes),
            ("Host(`APP.example.org`,`x`)", Takes::Yes),
            ("Host(`www.app.example.org`)", Takes::No),
            ("Host(`app.example.org`) && PathPrefix(`/blog`)", Takes::OtherPath),
            ("Host(`app.example.org`) && !PathPrefix(`/blog`)", Takes::Yes),
            ("Host(`app.example.org`) && (Path(`/`) || Path(`/x`))", Takes::Yes),
            ("Host(`x`) && PathPrefix(`/blog`)", Takes::No),
            ("!Host(`app.example.org`)", Takes::No),
            ("!Host(`x`) && !Headers(`X-Key`, `1`)", Takes::Yes),
            ("Host(`app.example.org`) && PathPrefix(`/`) && !Path(`/`)", Takes::OtherPath),
            ("Host(`app.example.org`) && PathPrefix(`/blog`) && ClientIP(`10.0.0.0/8`)", Takes::OtherPath),
            ("Host(`app.example.org`) && Path(`/{id:[0-9]+}`)", Takes::Unknown),
            ("HostRegexp(`{sub:\\w+}.example.org`)", Takes::Yes),
            ("HostRegexp(`^[a-z]+\\.example\\.org$`)", Takes::Yes),
            ("HostRegexp(`{sub:[0-9]+}.example.org`)", Takes::No),
            ("Host(`app.example.org`) && Headers(`X-Key`, `1`)", Takes::No),
            ("Host(`app.example.org`) && ClientIP(`10.0.0.0/8`)", Takes::Unknown),
            ("Host(`app.example.org`) && Method(`POST`)", Takes::No),
            ("Host(`app.example.org`", Takes::Unknown),
            ("whatever", Takes::Unknown),
        ] {
            assert_eq!(takes(rule, ROOT), said, "{rule}");
        }
    }

    #[test]
    fn the_paths_that_a_rule_names() {
        let api = "Host(`a.example.com`) && (PathPrefix(`/api`) || Path(`/ping`))";
        assert_eq!(RouterRule::parse(api).unwrap().paths(), ["/api", "/ping"]);
        assert!(RouterRule::parse("Host(a)").is_err() && RouterRule::parse(&"(".repeat(30)).is_err());
    }
}
