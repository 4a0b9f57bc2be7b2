//! Compose files of swarm stacks: parsed, interpolated, normalized, merged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::interpolate::{Unset, Use, interpolate, uses_in};
use super::normal::{merge, normal_form};
use super::schema_version::SchemaVersion;
use super::yaml::Node;

/// Why compose files cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct ComposeError {
    pub file: String,
    /// The error, with the line if known.
    pub why: String,
}

/// Several merged compose files.
#[derive(Debug, Clone, PartialEq)]
pub struct Compose {
    /// In order of names.
    pub services: Vec<Service>,
    pub secrets: Vec<Named>,
    pub configs: Vec<Named>,
    pub volumes: Vec<Named>,
    pub networks: Vec<Named>,
    /// The variables that the files take from outside, by `${NAME}` or as an `environment` key without a value.
    pub variables: BTreeSet<String>,
    /// How they are used.
    pub uses: BTreeSet<Use>,
    /// Each file before interpolation, with its name, in a form that every YAML reader parses alike: deploying these
    /// deploys what is described here.
    pub files: Vec<(String, String)>,
    /// The `version:` of the files, which is the same in all of them: a file that is deployed with them needs it too.
    pub version: SchemaVersion,
    /// Each file, interpolated and normalized, before the merge.
    pub(super) parts: Vec<Value>,
    document: Value,
}

/// A secret, config, volume or network of the whole stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its key in the file.
    pub key: String,
    /// Its `name:`, or else the key.
    pub name: String,
    /// The source file of a config or secret.
    pub file: Option<String>,
    /// Whether it is created outside the stack.
    pub external: bool,
    /// Whether the engine expands a config's file as a template for each task.
    pub is_template: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its key in the file.
    pub name: String,
    pub image: Option<String>,
    /// `deploy.labels`: those on the swarm service.
    pub labels: BTreeMap<String, String>,
    /// The keys of its secrets.
    pub secrets: Vec<String>,
    /// The keys of its configs.
    pub configs: Vec<String>,
    pub mounts: Vec<Mount>,
    pub ports: Vec<Port>,
    /// Whether it has a healthcheck that is not disabled.
    pub healthcheck: bool,
    /// The number of tasks, if the file has one.
    pub replicas: Option<u64>,
    document: Value,
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// `volume`, `bind` or `tmpfs`.
    pub kind: String,
    /// Volume key or host path; empty for an anonymous volume.
    pub source: String,
    /// The path in the container.
    pub target: String,
    pub read_only: bool,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The container's port.
    pub target: u64,
    /// The host's port; 0 lets docker choose.
    pub published: u64,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// `ingress` or `host`.
    pub mode: String,
}

impl Port {
    /// The long form in a compose file.
    pub fn long(&self) -> Value {
        json!({
            "target": self.target, "published": self.published, "protocol": self.protocol, "mode": self.mode,
        })
    }
}

impl Compose {
    /// Reads files, each with its name, in the order in which later ones override earlier ones.
    ///
    /// # Errors
    /// The first file that is not YAML, not a compose file, or uses a variable wrongly.
    pub fn load(files: &[(String, String)], vars: &BTreeMap<String, String>) -> Result<Self, ComposeError> {
        let mut document = Value::Object(Map::new());
        let (mut uses, mut written, mut parts) = (BTreeSet::new(), Vec::new(), Vec::new());
        let mut first: Option<(&str, SchemaVersion)> = None;
        for (file, text) in files {
            let failed = |why: String| ComposeError { file: file.clone(), why };
            let tree = Node::parse(text).map_err(failed)?;
            let mut value = tree.value();
            let version = SchemaVersion::of(&value).map_err(failed)?;
            match &first {
                Some((other, meant)) if !meant.is_same_as(&version) => {
                    return Err(failed(format!(
                        "it {version} and {other} {meant}: docker deploys no files of different versions together"
                    )));
                }
                Some(_) => {}
                None => first = Some((file, version)),
            }
            for section in SECTIONS {
                if let Some(section) = value.get_mut(section) {
                    interpolate_all(section, vars, &mut uses).map_err(failed)?;
                }
            }
            let mut value = normal_form(value).map_err(failed)?;
            inherit(&mut value, vars, &mut uses);
            written.push((file.clone(), tree.text()));
            parts.push(value.clone());
            merge(&mut document, value);
        }
        let version = first.map(|(_, version)| version).unwrap_or_default();
        let variables = uses.iter().map(|one| one.name.clone()).collect();
        let compose = Self { variables, uses, files: written, version, parts, ..Self::of(document) };
        if compose.services.is_empty() {
            let file = files.iter().map(|(file, _)| file.as_str()).collect::<Vec<_>>().join(", ");
            return Err(ComposeError { file, why: "there are no services".to_owned() });
        }
        Ok(compose)
    }

    /// Raises the version of every file to at least `3.<minor>`, if a file that is deployed with them needs keys of
    /// that version. Returns whether anything changed. A later version is a superset of an earlier one.
    pub fn raise_version(&mut self, minor: u8) -> Result<bool, ComposeError> {
        if self.version.minor().is_some_and(|now| now >= minor) {
            return Ok(false);
        }
        let version = format!("3.{minor}");
        for (file, text) in &mut self.files {
            let tree = Node::parse(text).map_err(|why| ComposeError { file: file.clone(), why })?;
            *text = tree.with("version", Node::Text(version.clone())).text();
        }
        self.version = SchemaVersion::three(minor);
        Ok(true)
    }

    /// The services whose ports docker would lose if one more file named them: it merges the ports of two files by the
    /// published number alone, even if the second has none, so that of one by TCP and UDP the last is left (seen with
    /// `docker stack config` 28.2). Services whose ports the files already lose among themselves are excluded.
    pub fn ports_to_hold(&self) -> Vec<&Service> {
        let is_twice = |service: &&Service| {
            let fixed = service.ports.iter().map(|port| port.published).filter(|port| *port != 0);
            let numbers: Vec<u64> = fixed.collect();
            numbers.iter().collect::<BTreeSet<_>>().len() < numbers.len()
        };
        let in_one_file = |service: &&Service| {
            let named = self.parts.iter().filter_map(|part| part.get("services")?.get(&service.name));
            let with_ports: Vec<bool> = named.map(|service| service.get("ports").is_some()).collect();
            with_ports.iter().filter(|has| **has).count() == 1 && with_ports.last() == Some(&true)
        };
        self.services.iter().filter(is_twice).filter(in_one_file).collect()
    }

    /// Removes the ports of those services from the files, for a following file that has them all.
    pub fn hold_ports(&mut self) -> Result<(), ComposeError> {
        let names: Vec<String> = self.ports_to_hold().into_iter().map(|service| service.name.clone()).collect();
        for (file, text) in self.files.iter_mut().filter(|_| !names.is_empty()) {
            let mut tree = Node::parse(text).map_err(|why| ComposeError { file: file.clone(), why })?;
            for name in &names {
                tree = tree.without(&["services", name, "ports"]);
            }
            *text = tree.text();
        }
        Ok(())
    }

    /// Every image, once, in order of names.
    pub fn images(&self) -> Vec<String> {
        let mut images: Vec<String> = self.services.iter().filter_map(|service| service.image.clone()).collect();
        images.sort_unstable();
        images.dedup();
        images
    }

    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The files that configs, secrets and services read, each with its reader, in any of the files.
    pub fn files_of_objects(&self) -> Vec<(String, String)> {
        let mut found = self.env_files();
        for part in &self.parts {
            for section in ["configs", "secrets"] {
                for (key, object) in part.get(section).and_then(Value::as_object).into_iter().flatten() {
                    found.extend(object.get("file").map(|file| (format!("{key} of {section}"), plain(file))));
                }
            }
        }
        found
    }

    /// The files of `env_file`, each with its service, in any of the files.
    pub fn env_files(&self) -> Vec<(String, String)> {
        let services = self.parts.iter().filter_map(|part| part.get("services")?.as_object());
        let of = |name: &String, service: &Value| match service.get("env_file") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(files)) => files.iter().map(|file| (format!("service {name}"), plain(file))).collect(),
            Some(file) => vec![(format!("service {name}"), plain(file))],
        };
        services.flatten().flat_map(|(name, service)| of(name, service)).collect()
    }

    /// The merged document as YAML (in its JSON form, which every YAML reader accepts).
    pub fn to_yaml(&self) -> String {
        format!("{:#}\n", self.document)
    }

    fn of(document: Value) -> Self {
        let named = |section: &str| {
            let items = document.get(section).and_then(Value::as_object);
            items.into_iter().flatten().map(|(key, value)| Named::of(key, value)).collect()
        };
        let services = document.get("services").and_then(Value::as_object);
        let mut services: Vec<Service> =
            services.into_iter().flatten().map(|(name, value)| Service::of(name, value)).collect();
        services.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            services,
            secrets: named("secrets"),
            configs: named("configs"),
            volumes: named("volumes"),
            networks: named("networks"),
            variables: BTreeSet::new(),
            uses: BTreeSet::new(),
            files: Vec::new(),
            version: SchemaVersion::default(),
            parts: Vec::new(),
            document,
        }
    }
}

impl Named {
    fn of(key: &str, value: &Value) -> Self {
        let text = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
        let external = value.get("external");
        // The old form has the name inside `external`.
        let inner = external.and_then(|external| external.get("name")).and_then(Value::as_str).map(str::to_owned);
        Self {
            key: key.to_owned(),
            name: text("name").or(inner).unwrap_or_else(|| key.to_owned()),
            file: text("file"),
            external: external.is_some_and(|value| value.as_bool().unwrap_or(value.is_object())),
            is_template: text("template_driver").as_deref() == Some("golang"),
        }
    }
}

impl Service {
    fn of(name: &str, value: &Value) -> Self {
        let list = |field: &str| value.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let text = |item: &Value, field: &str| item.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |item: &Value, field: &str| {
            item.get(field).and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok())).unwrap_or(0)
        };
        let deploy = value.get("deploy");
        let labels = deploy.and_then(|deploy| deploy.get("labels")).and_then(Value::as_object);
        let health = value.get("healthcheck");
        let off = health.is_some_and(|check| {
            check.get("disable").and_then(Value::as_bool) == Some(true)
                || check.get("test").is_some_and(|test| test.get(0).and_then(Value::as_str) == Some("NONE"))
        });
        Self {
            name: name.to_owned(),
            image: value.get("image").and_then(Value::as_str).filter(|image| !image.is_empty()).map(str::to_owned),
            labels: labels.into_iter().flatten().map(|(key, value)| (key.clone(), plain(value))).collect(),
            secrets: list("secrets").iter().map(|item| text(item, "source")).collect(),
            configs: list("configs").iter().map(|item| text(item, "source")).collect(),
            mounts: list("volumes")
                .iter()
                .map(|item| Mount {
                    kind: text(item, "type"),
                    source: text(item, "source"),
                    target: text(item, "target"),
                    read_only: item.get("read_only").and_then(Value::as_bool) == Some(true),
                })
                .collect(),
            ports: list("ports")
                .iter()
                .map(|item| Port {
                    target: number(item, "target"),
                    published: number(item, "published"),
                    protocol: text(item, "protocol"),
                    mode: text(item, "mode"),
                })
                .collect(),
            healthcheck: health.is_some() && !off,
            replicas: deploy.and_then(|deploy| deploy.get("replicas")).and_then(Value::as_u64),
            document: value.clone(),
        }
    }

    /// The services in `depends_on`, in either form.
    pub fn depends_on(&self) -> impl Iterator<Item = String> + '_ {
        let names = match self.document.get("depends_on") {
            Some(Value::Array(names)) => names.iter().map(plain).collect(),
            Some(Value::Object(names)) => names.keys().cloned().collect(),
            _ => Vec::new(),
        };
        names.into_iter()
    }

    /// Any other field of the service, as in the file.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.document.get(name)
    }
}

/// A scalar as docker writes it into a label or a variable.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The sections in which docker replaces variables.
const SECTIONS: [&str; 5] = ["services", "volumes", "networks", "secrets", "configs"];

fn interpolate_all(value: &mut Value, vars: &BTreeMap<String, String>, uses: &mut BTreeSet<Use>) -> Result<(), String> {
    match value {
        Value::String(text) if text.contains('$') => {
            uses.extend(uses_in(text));
            *text = interpolate(text, vars)?;
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| interpolate_all(item, vars, uses))?,
        // docker interpolates values, never keys.
        Value::Object(map) => map.values_mut().try_for_each(|item| interpolate_all(item, vars, uses))?,
        _ => {}
    }
    Ok(())
}

/// Sets `environment` keys without a value to the variable of that name, as docker does.
fn inherit(document: &mut Value, vars: &BTreeMap<String, String>, uses: &mut BTreeSet<Use>) {
    let services = document.get_mut("services").and_then(Value::as_object_mut);
    for service in services.into_iter().flat_map(|services| services.values_mut()) {
        let environment = service.get_mut("environment").and_then(Value::as_object_mut);
        for (key, value) in environment.into_iter().flatten() {
            if value.as_str() == Some("") {
                uses.insert(Use { name: key.clone(), unset: Unset::Empty });
                if let Some(found) = vars.get(key) {
                    *value = Value::String(found.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_one_number_are_held_where_only_a_further_file_would_lose_them() {
        let base = "services: {voice: {image: a}, web: {image: b, ports: ['80:80', '81:81']}}\n";
        let ports = "services: {voice: {ports: ['64738:64738', '64738:64738/udp'], user: x}}\n";
        let mut compose = load(&[base, ports]).unwrap();
        let held = |compose: &Compose| -> Vec<String> {
            compose.ports_to_hold().into_iter().map(|service| service.name.clone()).collect()
        };
        assert_eq!(held(&compose), ["voice"]);
        compose.hold_ports().unwrap();
        assert_eq!(held(&compose), ["voice"], "what was read stays");
        let left: Vec<(String, String)> = compose.files.clone();
        let left = Compose::load(&left, &BTreeMap::new()).unwrap();
        assert_eq!((left.service("voice").unwrap().ports.len(), left.service("web").unwrap().ports.len()), (0, 2));
        assert!(left.service("voice").unwrap().field("user").is_some(), "nothing else goes");
        // With these docker has lost one before cc-ci adds anything, as it does for operators.
        for more in ["services: {voice: {user: x}}\n", "services: {voice: {ports: ['90:90']}}\n"] {
            assert!(held(&load(&[base, ports, more]).unwrap()).is_empty(), "{more}");
        }
        assert_eq!(held(&load(&[base, ports, "services: {web: {user: x}}\n"]).unwrap()), ["voice"]);
    }

    #[test]
    fn a_range_of_ports_is_every_port_of_it() {
        let ports = |short: &str| -> Result<Vec<(u64, u64)>, ComposeError> {
            let compose = load(&[&format!("services: {{app: {{image: a, ports: ['{short}']}}}}\n")])?;
            Ok(compose.services[0].ports.iter().map(|port| (port.published, port.target)).collect())
        };
        assert_eq!(ports("18080-18082:80-82/udp").unwrap(), [(18080, 80), (18081, 81), (18082, 82)]);
        assert_eq!(ports("127.0.0.1:8080:80").unwrap(), [(8080, 80)]);
        assert_eq!(ports("8000-8010:80").unwrap(), [(8000, 80)]);
        assert_eq!(ports("80-81").unwrap(), [(0, 80), (0, 81)]);
        assert!(ports("81-80").is_err() && ports("a:80").is_err() && ports("80-").is_err());
    }

    fn load(texts: &[&str]) -> Result<Compose, ComposeError> {
        let files: Vec<_> =
            texts.iter().enumerate().map(|(n, text)| (format!("{n}.yml"), (*text).to_owned())).collect();
        let vars = BTreeMap::from([("STACK_NAME".to_owned(), "x_org".to_owned()), ("V".to_owned(), "v2".to_owned())]);
        Compose::load(&files, &vars)
    }

    #[test]
    fn list_and_map_forms_are_alike() {
        let list = "services:\n  app:\n    image: a:1\n    ports: ['80:8080', '53:53/udp']\n    volumes: ['data:/d', '/etc/x:/x:ro']\n    secrets: [s]\n    deploy:\n      labels: ['a=b=c', 'n=1', 'bare']\n";
        let map = "services:\n  app:\n    image: a:1\n    ports: [{target: 8080, published: 80}, {target: 53, published: 53, protocol: udp}]\n    volumes: [{type: volume, source: data, target: /d}, {type: bind, source: /etc/x, target: /x, read_only: true}]\n    secrets: [{source: s}]\n    deploy:\n      labels: {a: 'b=c', n: 1, bare: ''}\n";
        let (list, map) = (load(&[list]).unwrap(), load(&[map]).unwrap());
        let (list, map) = (list.service("app").unwrap(), map.service("app").unwrap());
        assert_eq!(
            (&list.labels, &list.ports, &list.mounts, &list.secrets),
            (&map.labels, &map.ports, &map.mounts, &map.secrets)
        );
        assert_eq!(list.mounts[1].kind, "bind");
        assert_eq!(list.labels["a"], "b=c");
    }

    #[test]
    fn files_of_one_version_are_taken_together_and_no_others() {
        let file = |version: &str| format!("{version}services: {{app: {{image: a}}}}\n");
        let of = |one: &str, other: &str| load(&[&file(one), &file(other)]);
        let mut same = of("version: '3.1'\n", "version: '3.1'\n").unwrap();
        assert!(same.raise_version(3).unwrap());
        assert!(same.files.iter().all(|(_, text)| text.contains("version: \"3.3\"")), "{:?}", same.files);
        assert!(!same.raise_version(3).unwrap() && !of("", "version: '3'\n").unwrap().raise_version(3).unwrap());
        let why = of("version: '3.8'\n", "").unwrap_err().to_string();
        assert!(why.starts_with("1.yml: it has no version and 0.yml has version \"3.8\""), "{why}");
        assert!(of("version: 3.8\n", "version: 3.8\n").unwrap_err().to_string().contains("in quotes"));
    }

    #[test]
    fn later_files_override_and_add() {
        let base = "services:\n  app:\n    image: a:1\n    environment: [A=1, B=2]\n    ports: ['80:80']\n    deploy: {labels: [x=1], replicas: 2}\n";
        let over = "services:\n  app:\n    image: a:${V}\n    environment: {B: 3}\n    ports: [{target: 80, published: 80, mode: host}]\n    deploy: {labels: {y: 2}}\n  db: {image: 'd:1'}\n";
        let both = load(&[base, over]).unwrap();
        let app = both.service("app").unwrap();
        assert_eq!(app.image.as_deref(), Some("a:v2"));
        assert_eq!(app.labels.len(), 2);
        assert_eq!(app.replicas, Some(2));
        assert_eq!((app.ports.len(), app.ports[0].mode.as_str()), (1, "host"));
        assert_eq!(app.field("environment").unwrap()["A"], "1");
        assert_eq!(both.images(), ["a:v2", "d:1"]);
    }

    #[test]
    fn names_and_externals_are_read() {
        let text = "services: {app: {image: a}}\nsecrets:\n  s: {external: true, name: '${STACK_NAME}_s_v1'}\nconfigs:\n  c: {name: '${STACK_NAME}_c_${V}', file: c.conf}\nnetworks: {proxy: {external: true}, internal: }\n";
        let compose = load(&[text]).unwrap();
        assert_eq!(compose.secrets[0].name, "x_org_s_v1");
        assert!(compose.secrets[0].external && compose.configs[0].file.as_deref() == Some("c.conf"));
        assert_eq!(compose.networks.len(), 2);
    }

    #[test]
    fn anchors_and_extensions_work() {
        let text = "x-base: &base\n  image: a:1\nservices:\n  app:\n    <<: *base\n    command: run\n";
        assert_eq!(load(&[text]).unwrap().service("app").unwrap().image.as_deref(), Some("a:1"));
    }

    #[test]
    fn what_is_no_compose_file_is_named() {
        for (text, mark) in [
            ("services: [", "0.yml"),
            ("- a", "mapping"),
            ("services: []", "services"),
            ("services: {app: text}", "app"),
            ("services: {app: {image: '${'}}", "interpolation"),
            ("volumes: {}", "services"),
        ] {
            let error = load(&[text]).unwrap_err().to_string();
            assert!(error.contains(mark), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(?s)[a-z0-9:\\[\\]{}\\-$ \\n'&*<]{0,120}") {
            let _ = load(&[&text]);
        }
    }
}
