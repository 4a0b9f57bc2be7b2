//! What a provider publishes about a realm.

use base::names::{ClientId, RealmName};

use super::call::Caller;
use super::{Granted, SsoError, User};
use http_client::Method;

/// Reads the discovery document below `issuer`, which must name this very issuer: a provider that takes
/// itself for another address gives tokens that no app accepts.
pub(super) async fn discover(
    caller: &Caller,
    issuer: &str,
    realm: &RealmName,
    client_id: &ClientId,
    users: &[User],
) -> Result<Granted, SsoError> {
    let asked = format!("describe realm {realm}");
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let json = caller.json(&asked, caller.ask(&asked, Method::GET, &url)?, &[200]).await?;
    let field = |name: &str| caller.text(&asked, &url, &json, &format!("/{name}"));
    let named = field("issuer")?;
    if named != issuer {
        return Err(caller.unexpected(&asked, &url, format!("names the issuer {named:?} where {issuer:?} was asked")));
    }
    Ok(Granted {
        realm: realm.clone(),
        client_id: client_id.clone(),
        issuer: named,
        authorization_endpoint: field("authorization_endpoint")?,
        token_endpoint: field("token_endpoint")?,
        userinfo_endpoint: field("userinfo_endpoint")?,
        jwks_uri: field("jwks_uri")?,
        end_session_endpoint: field("end_session_endpoint")?,
        discovery_url: url,
        users: users.to_vec(),
    })
}
