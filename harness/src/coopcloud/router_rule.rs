//! traefik's router rules, of version 2 or 3, as a tree.

/// A rule, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouterRule<'a> {
    /// One of these takes the request.
    Any(Vec<Self>),
    /// All of these take it.
    All(Vec<Self>),
    /// This does not take it.
    Not(Box<Self>),
    /// A matcher, its name in lower case, with its values.
    Matcher(String, Vec<&'a str>),
}

/// Deeper brackets are in no honest rule.
const DEPTH: usize = 20;

impl<'a> RouterRule<'a> {
    /// Reads a rule.
    ///
    /// # Errors
    /// From where on it cannot be read.
    pub fn parse(rule: &'a str) -> Result<Self, String> {
        let mut reader = Reader { rest: rule };
        let parsed = reader.either(0)?;
        if reader.rest.trim().is_empty() { Ok(parsed) } else { Err(reader.odd()) }
    }

    /// Whether it takes a plain GET of a path on a host. Matchers that ask for more than that (headers, an address, a
    /// pattern) count as not met.
    #[must_use]
    pub fn takes(&self, host: &str, path: &str) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.takes(host, path)),
            Self::All(parts) => parts.iter().all(|part| part.takes(host, path)),
            Self::Not(part) => !part.takes(host, path),
            Self::Matcher(name, values) => values.iter().any(|value| match name.as_str() {
                "host" | "hostheader" => value.eq_ignore_ascii_case(host),
                "pathprefix" => path.starts_with(value),
                "path" => path == *value,
                "method" => *value == "GET",
                _ => false,
            }),
        }
    }

    /// The paths and prefixes that it names, in their order.
    #[must_use]
    pub fn paths(&self) -> Vec<&'a str> {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().flat_map(Self::paths).collect(),
            Self::Not(_) => Vec::new(),
            Self::Matcher(name, values) if matches!(name.as_str(), "path" | "pathprefix") => values.clone(),
            Self::Matcher(..) => Vec::new(),
        }
    }
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
        format!("it is no rule that cc-ci can read, from {rest:?} on")
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

    #[test]
    fn what_a_rule_takes_and_the_paths_that_it_names() {
        let takes = |rule: &str, path: &str| RouterRule::parse(rule).unwrap().takes("a.example.com", path);
        assert!(takes("Host(`a.example.com`)", "/"));
        assert!(takes("Host(`b.example.com`, `A.example.com`)", "/"));
        assert!(!takes("Host(`www.a.example.com`)", "/"));
        let api = "Host(`a.example.com`) && (PathPrefix(`/api`) || Path(`/ping`))";
        assert!(takes(api, "/api/x") && takes(api, "/ping") && !takes(api, "/") && !takes(api, "/ping/x"));
        assert_eq!(RouterRule::parse(api).unwrap().paths(), ["/api", "/ping"]);
        assert!(takes("Host(`a.example.com`) && !PathPrefix(`/api`)", "/"));
        assert!(!takes("Host(`a.example.com`) && Headers(`X-Key`, `a`)", "/"));
        assert!(!takes("HostRegexp(`{sub:\\w+}.a.example.com`)", "/"));
        assert!(RouterRule::parse("Host(a)").is_err() && RouterRule::parse(&"(".repeat(30)).is_err());
    }
}
