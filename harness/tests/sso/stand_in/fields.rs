//! The fields of each object that is made, by authentik's published interface (2024.10 to 2026.8).

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that they are known")]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) is_superuser: Option<bool>,
    pub(super) users: Option<Vec<u64>>,
    pub(super) attributes: Option<Map<String, Value>>,
    pub(super) roles: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that they are known")]
pub(super) struct User {
    pub(super) username: String,
    pub(super) name: String,
    pub(super) is_active: Option<bool>,
    pub(super) groups: Option<Vec<String>>,
    pub(super) email: Option<String>,
    pub(super) attributes: Option<Map<String, Value>>,
    pub(super) path: Option<String>,
    pub(super) r#type: Option<UserType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum UserType {
    Internal,
    External,
    ServiceAccount,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that they are known")]
pub(super) struct Token {
    pub(super) identifier: String,
    pub(super) intent: Option<Intent>,
    pub(super) user: Option<u64>,
    pub(super) description: Option<String>,
    pub(super) expiring: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Intent {
    Api,
    AppPassword,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that they are known")]
pub(super) struct Application {
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) provider: Option<u64>,
    pub(super) meta_publisher: Option<String>,
    pub(super) meta_description: Option<String>,
    pub(super) policy_engine_mode: Option<Mode>,
    pub(super) group: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    All,
    Any,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that they are known")]
pub(super) struct Binding {
    pub(super) target: String,
    pub(super) order: i32,
    pub(super) policy: Option<String>,
    pub(super) group: Option<String>,
    pub(super) user: Option<u64>,
    pub(super) negate: Option<bool>,
    pub(super) enabled: Option<bool>,
    pub(super) timeout: Option<u32>,
    pub(super) failure_result: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that they are known")]
pub(super) struct Scope {
    pub(super) name: String,
    pub(super) scope_name: String,
    pub(super) expression: String,
    pub(super) description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that they are known")]
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) authorization_flow: String,
    pub(super) invalidation_flow: String,
    pub(super) property_mappings: Option<Vec<String>>,
    pub(super) client_type: Option<ClientType>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) redirect_uris: Redirects,
    pub(super) signing_key: Option<String>,
    pub(super) include_claims_in_id_token: Option<bool>,
    pub(super) issuer_mode: Option<IssuerMode>,
    pub(super) grant_types: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Redirects {
    Lines(String),
    Objects(Vec<Redirect>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redirect {
    pub(super) matching_mode: Matching,
    pub(super) url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Matching {
    Strict,
    Regex,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClientType {
    Confidential,
    Public,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum IssuerMode {
    Global,
    PerProvider,
}
