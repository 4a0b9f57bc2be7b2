//! What an object must be when it is made.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fields::{Application, Binding, Group, Matching, Provider, Redirects, Scope, Token, User};
use super::{Reply, State};

type Checked = Result<(), (&'static str, String)>;

fn read<T: DeserializeOwned>(body: &str) -> Result<T, (&'static str, String)> {
    serde_json::from_str(body).map_err(|e| ("non_field_errors", e.to_string()))
}

fn ensure(is_right: bool, field: &'static str, why: &str) -> Checked {
    if is_right { Ok(()) } else { Err((field, why.to_owned())) }
}

fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl State {
    /// Makes an object of a list, and gives it with its key.
    pub(super) fn create(&mut self, list: &'static str, body: &str) -> Reply {
        if let Err((field, why)) = self.check(list, body) {
            return (400, json!({field: [why]}));
        }
        let mut object: Value = serde_json::from_str(body).unwrap();
        self.next += 1;
        // Users and providers are numbered, everything else has a UUID.
        object["pk"] = match list {
            "/core/users/" | "/providers/oauth2/" => json!(self.next),
            _ => json!(format!("00000000-0000-4000-8000-{:012}", self.next)),
        };
        if list == "/core/users/" && object.get("groups").is_none() {
            object["groups"] = json!([]);
        }
        self.lists.entry(list).or_default().push(object.clone());
        (201, object)
    }

    fn check(&self, list: &str, body: &str) -> Checked {
        let taken = |field: &'static str, value: &str| {
            let free = self.find(list, field, &json!(value)).is_none();
            ensure(free, field, "This field must be unique.")
        };
        let there = |list: &str, field: &'static str, pk: Value| {
            ensure(self.find(list, "pk", &pk).is_some(), field, "Invalid pk - object does not exist.")
        };
        match list {
            "/core/groups/" => taken("name", &read::<Group>(body)?.name),
            "/core/users/" => {
                let user: User = read(body)?;
                ensure(user.username.len() <= 150, "username", "too long")?;
                let path = user.path.as_deref().unwrap_or("users");
                ensure(
                    path.split('/').all(|part| !part.is_empty()),
                    "path",
                    "No empty segments in user path allowed.",
                )?;
                for group in user.groups.unwrap_or_default() {
                    there("/core/groups/", "groups", json!(group))?;
                }
                taken("username", &user.username)
            }
            "/core/tokens/" => {
                let token: Token = read(body)?;
                ensure(is_slug(&token.identifier), "identifier", "Enter a valid slug.")?;
                if let Some(user) = token.user {
                    there("/core/users/", "user", json!(user))?;
                }
                taken("identifier", &token.identifier)
            }
            "/core/applications/" => {
                let application: Application = read(body)?;
                ensure(is_slug(&application.slug), "slug", "Enter a valid slug.")?;
                if let Some(provider) = application.provider {
                    there("/providers/oauth2/", "provider", json!(provider))?;
                    let free = self.find(list, "provider", &json!(provider)).is_none();
                    ensure(free, "provider", "Application with this provider already exists.")?;
                }
                taken("slug", &application.slug)
            }
            "/policies/bindings/" => {
                let binding: Binding = read(body)?;
                there("/core/applications/", "target", json!(binding.target))?;
                let one = usize::from(binding.policy.is_some())
                    + usize::from(binding.group.is_some())
                    + usize::from(binding.user.is_some());
                ensure(one == 1, "non_field_errors", "Exactly one of policy, group, user is required.")?;
                binding.group.map_or(Ok(()), |group| there("/core/groups/", "group", json!(group)))
            }
            "/propertymappings/provider/scope/" => taken("name", &read::<Scope>(body)?.name),
            "/providers/oauth2/" => self.check_provider(&read(body)?),
            _ => Err(("non_field_errors", "nothing of this kind is made".to_owned())),
        }
    }

    fn check_provider(&self, provider: &Provider) -> Checked {
        let list = "/providers/oauth2/";
        let there = |of: &str, field: &'static str, pk: &str| {
            ensure(self.find(of, "pk", &json!(pk)).is_some(), field, "Invalid pk - object does not exist.")
        };
        there("/flows/instances/", "authorization_flow", &provider.authorization_flow)?;
        there("/flows/instances/", "invalidation_flow", &provider.invalidation_flow)?;
        for scope in provider.property_mappings.iter().flatten() {
            there("/propertymappings/provider/scope/", "property_mappings", scope)?;
        }
        if let Some(key) = &provider.signing_key {
            there("/crypto/certificatekeypairs/", "signing_key", key)?;
        }
        let knows_objects = self.release() >= (2024, 12);
        let objects = match &provider.redirect_uris {
            Redirects::Lines(lines) => {
                ensure(!lines.is_empty(), "redirect_uris", "This field may not be blank.")?;
                false
            }
            Redirects::Objects(all) => {
                let strict = all.iter().all(|one| matches!(one.matching_mode, Matching::Strict) && !one.url.is_empty());
                ensure(strict, "redirect_uris", "the stand-in compares strictly alone")?;
                true
            }
        };
        ensure(objects == knows_objects, "redirect_uris", "Not a valid value of this release.")?;
        let known = provider.grant_types.is_none() || self.release() >= (2026, 5);
        ensure(known, "grant_types", "unknown field of this release")?;
        for (field, value) in [("name", Some(&provider.name)), ("client_id", provider.client_id.as_ref())] {
            let free = value.is_none_or(|value| self.find(list, field, &json!(value)).is_none());
            ensure(free, field, "This field must be unique.")?;
        }
        Ok(())
    }
}
