//! The interface's paths: lists, objects, and what is done to an object.

use serde_json::{Value, json};

use super::{Asked, Reply, State};

/// Smaller than authentik's, so that a list of three has two pages.
const PAGE: usize = 2;

/// The lists, with the filters that they know.
const LISTS: &[(&str, &[&str])] = &[
    ("/core/groups/", &["name", "include_users"]),
    ("/core/users/", &["username", "groups_by_name"]),
    ("/core/applications/", &["slug", "name"]),
    ("/core/tokens/", &["identifier"]),
    ("/flows/instances/", &["slug"]),
    ("/crypto/certificatekeypairs/", &["name"]),
    ("/propertymappings/provider/scope/", &["name", "managed"]),
    ("/providers/oauth2/", &["name", "client_id"]),
    ("/policies/bindings/", &["target"]),
];

fn not_found() -> Reply {
    (404, json!({"detail": "Not found."}))
}

impl State {
    pub(super) fn api(&mut self, asked: &Asked, path: &str) -> Reply {
        match (asked.method.as_str(), path) {
            ("GET", "/core/users/me/") => {
                return (200, json!({"user": {"username": "akadmin", "is_superuser": self.settings.is_superuser}}));
            }
            ("GET", "/admin/version/") => {
                let version = self.settings.version;
                return (200, json!({"version_current": version, "version_latest": version, "outdated": false}));
            }
            _ => {}
        }
        let Some((list, filters)) = LISTS.iter().find(|(list, _)| path.starts_with(list)) else { return not_found() };
        let rest: Vec<&str> = path[list.len()..].split('/').collect();
        match (asked.method.as_str(), rest.as_slice()) {
            ("GET", [""]) => self.page(list, filters, asked),
            ("POST", [""]) => self.create(list, &asked.body),
            ("GET", [key, ""]) => self.object(list, key).map_or_else(not_found, |object| (200, object)),
            ("DELETE", [key, ""]) => self.delete(list, key),
            ("POST", [key, "set_password", ""]) if *list == "/core/users/" => self.set(list, key, "password", asked),
            ("POST", [key, "set_key", ""]) if *list == "/core/tokens/" => self.set(list, key, "key", asked),
            // A path without its last slash is redirected, and the body of a POST is lost.
            _ => not_found(),
        }
    }

    fn page(&mut self, list: &'static str, filters: &[&str], asked: &Asked) -> Reply {
        self.listed += 1;
        let (mut page, mut size) = (1, 20);
        let mut found: Vec<Value> = self.all(list).cloned().collect();
        for (name, value) in &asked.query {
            match name.as_str() {
                "page" => page = value.parse::<usize>().unwrap(),
                "page_size" => size = value.parse::<usize>().unwrap(),
                "include_users" => assert!(matches!(value.as_str(), "true" | "false")),
                "groups_by_name" => {
                    let Some(group) = self.find("/core/groups/", "name", &json!(value)) else {
                        return (400, json!({"groups_by_name": ["Select a valid choice."]}));
                    };
                    let pk = group["pk"].clone();
                    found.retain(|user| user["groups"].as_array().is_some_and(|groups| groups.contains(&pk)));
                }
                name if filters.contains(&name) => found.retain(|object| object[name] == json!(value)),
                // authentik would find everything.
                name => return (400, json!({name: ["the stand-in knows no such filter"]})),
            }
        }
        let size = size.clamp(1, PAGE);
        let pages = found.len().div_ceil(size).max(1);
        if page > pages {
            return (404, json!({"detail": "Invalid page."}));
        }
        let next = if page < pages { page + 1 } else { 0 };
        let results: Vec<Value> = found.iter().skip((page - 1) * size).take(size).cloned().collect();
        // Numbers of the pagination are written with a point in some releases.
        let pagination = json!({"next": next, "previous": page - 1, "count": found.len(), "current": page});
        (200, json!({"pagination": pagination, "results": results, "autocomplete": {}}))
    }

    /// The field that names an object in its path.
    fn key_field(list: &str) -> &'static str {
        match list {
            "/core/applications/" => "slug",
            "/core/tokens/" => "identifier",
            _ => "pk",
        }
    }

    fn object(&self, list: &str, key: &str) -> Option<Value> {
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.all(list).find(|object| shown(&object[Self::key_field(list)]) == key).cloned()
    }

    /// Removes an object, and what cannot be without it.
    fn delete(&mut self, list: &str, key: &str) -> Reply {
        let Some(object) = self.object(list, key) else { return not_found() };
        let pk = object["pk"].clone();
        self.lists.get_mut(list).unwrap().retain(|other| other["pk"] != pk);
        match list {
            "/core/users/" => {
                self.lists.entry("/core/tokens/").or_default().retain(|token| token["user"] != pk);
                self.access.retain(|_, (_, user, _)| json!(user) != pk);
            }
            "/core/groups/" => {
                self.lists.entry("/policies/bindings/").or_default().retain(|binding| binding["group"] != pk);
                for user in self.lists.entry("/core/users/").or_default() {
                    user["groups"].as_array_mut().unwrap().retain(|group| *group != pk);
                }
            }
            "/core/applications/" => {
                self.lists.entry("/policies/bindings/").or_default().retain(|binding| binding["target"] != pk);
            }
            "/providers/oauth2/" => {
                self.access.retain(|_, (provider, _, _)| json!(provider) != pk);
                for application in self.lists.entry("/core/applications/").or_default() {
                    if application["provider"] == pk {
                        application["provider"] = Value::Null;
                    }
                }
            }
            _ => {}
        }
        (204, Value::Null)
    }

    /// Sets a user's password or a token's key.
    fn set(&mut self, list: &str, key: &str, field: &str, asked: &Asked) -> Reply {
        let Some(object) = self.object(list, key) else { return not_found() };
        let body: serde_json::Map<String, Value> = serde_json::from_str(&asked.body).unwrap();
        let Some(value) = body.get(field).and_then(Value::as_str).filter(|value| body.len() == 1 && !value.is_empty())
        else {
            return (400, json!({field: ["This field is required."]}));
        };
        if field == "password" {
            self.passwords.insert(object["pk"].as_u64().unwrap(), value.to_owned());
        } else {
            self.keys.insert(key.to_owned(), value.to_owned());
        }
        (204, Value::Null)
    }
}
