//! What apps and their users see. Tokens are plain words that the stand-in remembers, not signed ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Asked, Reply, State, pairs};

fn not_found() -> Reply {
    (404, json!("Not Found"))
}

fn refused(error: &str) -> Reply {
    (400, json!({"error": error, "error_description": "the stand-in refuses"}))
}

impl State {
    pub(super) fn oidc(&mut self, asked: &Asked) -> Reply {
        let Some(path) = asked.path.strip_prefix("/application/o/") else { return not_found() };
        match (asked.method.as_str(), path) {
            ("GET", "authorize/") => self.authorize(asked),
            ("POST", "token/") => self.token(asked),
            ("GET", "userinfo/") => self.userinfo(asked),
            ("GET", path) => self.published(path),
            _ => not_found(),
        }
    }

    fn published(&self, path: &str) -> Reply {
        let Some((slug, what)) = path.split_once('/') else { return not_found() };
        let application = self.find("/core/applications/", "slug", &json!(slug));
        if application.is_none_or(|application| application["provider"].is_null()) {
            return not_found();
        }
        let at = |rest: &str| format!("{}/application/o/{rest}", self.base);
        match what {
            "jwks/" => (200, json!({"keys": [{"kty": "RSA", "kid": "stand-in", "use": "sig"}]})),
            ".well-known/openid-configuration" => (
                200,
                json!({
                    "issuer": at(&format!("{slug}/")),
                    "authorization_endpoint": at("authorize/"),
                    "token_endpoint": at("token/"),
                    "userinfo_endpoint": at("userinfo/"),
                    "jwks_uri": at(&format!("{slug}/jwks/")),
                    "end_session_endpoint": at(&format!("{slug}/end-session/")),
                }),
            ),
            _ => not_found(),
        }
    }

    fn authorize(&self, asked: &Asked) -> Reply {
        let field = |name: &str| asked.query.iter().find(|(of, _)| of == name).map_or("", |(_, value)| value);
        let Some(provider) = self.find("/providers/oauth2/", "client_id", &json!(field("client_id"))) else {
            return refused("invalid_client");
        };
        let allowed: Vec<&str> = match &provider["redirect_uris"] {
            Value::String(lines) => lines.lines().collect(),
            objects => objects.as_array().into_iter().flatten().filter_map(|one| one["url"].as_str()).collect(),
        };
        if !allowed.contains(&field("redirect_uri")) {
            return refused("Redirect URI Error");
        }
        (302, json!("/if/flow/default-authentication-flow/"))
    }

    fn token(&mut self, asked: &Asked) -> Reply {
        let form = pairs(&asked.body);
        let field = |name: &str| form.iter().find(|(of, _)| of == name).map_or("", |(_, value)| value);
        let basic = asked.authorization.strip_prefix("Basic ").and_then(|text| STANDARD.decode(text).ok());
        let basic = basic.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let (client, secret) = basic.split_once(':').unwrap_or((field("client_id"), field("client_secret")));
        let Some(provider) = self.find("/providers/oauth2/", "client_id", &json!(client)).cloned() else {
            return refused("invalid_client");
        };
        let grant = field("grant_type");
        let named = provider["grant_types"].as_array().is_some_and(|all| all.contains(&json!(grant)));
        if self.release() >= (2026, 5) && !named {
            return refused("invalid_grant");
        }
        if !matches!(grant, "client_credentials" | "password") {
            return refused("unsupported_grant_type");
        }
        let user = match field("username") {
            // The secret is that of the client, which acts as a user of its own.
            "" if provider["client_secret"] == json!(secret) => Some(self.account_of(&provider)),
            "" => None,
            name => self.app_password_user(name, field("password")),
        };
        let Some(user) = user.filter(|user| self.may_use(&provider, user)) else { return refused("invalid_grant") };
        let scopes = field("scope").split(' ').map(str::to_owned).collect();
        self.next += 1;
        let token = format!("access-token-{}", self.next);
        let (provider, user) = (provider["pk"].as_u64().unwrap(), user["pk"].as_u64().unwrap());
        self.access.insert(token.clone(), (provider, user, scopes));
        (200, json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600}))
    }

    /// The user that the client acts as; made now, in no group, where nobody made it before.
    fn account_of(&mut self, provider: &Value) -> Value {
        let name = format!("ak-{}-client_credentials", provider["name"].as_str().unwrap());
        if let Some(user) = self.find("/core/users/", "username", &json!(name)) {
            return user.clone();
        }
        let (status, user) = self.create("/core/users/", &json!({"username": name, "name": name}).to_string());
        assert_eq!(status, 201);
        user
    }

    /// The password must be the key of an app password; the user's own is not looked at.
    fn app_password_user(&self, name: &str, password: &str) -> Option<Value> {
        let user = self.find("/core/users/", "username", &json!(name))?;
        let of_user = |token: &&Value| token["user"] == user["pk"] && token["intent"] == json!("app_password");
        let key = |token: &Value| self.keys.get(token["identifier"].as_str()?).cloned();
        self.all("/core/tokens/").filter(of_user).filter_map(key).any(|key| key == password).then(|| user.clone())
    }

    /// Whether the application's bindings let the user in; without any, everybody may.
    fn may_use(&self, provider: &Value, user: &Value) -> bool {
        let Some(application) = self.find("/core/applications/", "provider", &provider["pk"]) else { return false };
        let bindings: Vec<&Value> =
            self.all("/policies/bindings/").filter(|binding| binding["target"] == application["pk"]).collect();
        let in_group = |binding: &&Value| user["groups"].as_array().unwrap().contains(&binding["group"]);
        bindings.is_empty() || bindings.iter().any(in_group)
    }

    fn userinfo(&self, asked: &Asked) -> Reply {
        let token = asked.authorization.strip_prefix("Bearer ").unwrap_or_default();
        let Some((provider, user, scopes)) = self.access.get(token) else {
            return (401, json!({"error": "invalid_token"}));
        };
        let provider = self.find("/providers/oauth2/", "pk", &json!(provider)).unwrap();
        let user = self.find("/core/users/", "pk", &json!(user)).unwrap();
        let mut info = json!({"sub": user["pk"].to_string()});
        for scope in provider["property_mappings"].as_array().into_iter().flatten() {
            let scope = self.find("/propertymappings/provider/scope/", "pk", scope).unwrap();
            match scope["scope_name"].as_str().unwrap() {
                name if !scopes.iter().any(|asked| asked == name) => {}
                "profile" => {
                    for (claim, of) in [("name", "name"), ("preferred_username", "username")] {
                        info[claim] = user[of].clone();
                    }
                }
                "email" => {
                    info["email"] = user["email"].clone();
                    // As the scope that authentik brings says, unless another one says otherwise.
                    let text = scope["expression"].as_str().unwrap();
                    info["email_verified"] = json!(text.contains("\"email_verified\": True"));
                }
                _ => {}
            }
        }
        (200, info)
    }
}
