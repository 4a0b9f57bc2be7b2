//! People log in as a Matrix client has them do it: by the server's redirect to the provider, the form
//! there, and the way back with a token that is good for one login.

use harness::deps::DepsUser;
use harness::http::{Answer, Http, Method, Session};
use harness::oidc::Oidc;
use harness::testing::{Broken, Outcome, Test, Wrong, refuses_wrong_password};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

/// Where a client wants people back. The server does not know it, so it asks before it sends them there.
const CLIENT: &str = "https://client.example.org/";

pub async fn run(test: &Test) -> Outcome {
    let (sso, http) = (test.sso()?, test.http()?);
    let provider = Oidc::discover(&http, &sso.issuer).await?;
    let mut app = App { test, http, provider, start: String::new() };
    app.start = app.sso_address().await?;
    let [alice, bob] = sso.users.as_slice() else { Err(Broken::new("wants two users"))? };
    refuses_wrong_password(&app.provider, &app.http.session(), &app.start, &alice.name).await?;

    let mut spent = None;
    for (user, name) in [(alice, "sso_alice"), (bob, "sso_bob")] {
        let visitor = app.http.session();
        let login_token = app.login_token(&visitor, user, true).await?;
        let access = app.log_in(&login_token, user).await?;
        test.remember(name, &app.id_of(user)?)?;
        test.remember(&format!("{name}_token"), access.expose_secret())?;
        // A person who is logged in at the provider is not asked again, and is the same person.
        let again = app.login_token(&visitor, user, false).await?;
        app.log_in(&again, user).await?;
        spent = Some(login_token);
    }

    let spent = spent.ok_or_else(|| Broken::new("nobody logged in"))?;
    for (what, token) in [("was used before", &spent), ("nobody was given", &"syt_made_up".into())] {
        let refused = app.post_login(token).await?;
        let said = refused.json::<Value>().map_err(Wrong::red)?;
        assert_eq!((refused.status, said["errcode"].as_str()), (403, Some("M_FORBIDDEN")), "a token that {what}");
    }
    Ok(format!("{} and {} log in by {}", app.id_of(alice)?, app.id_of(bob)?, app.provider.discovery().issuer))
}

struct App<'a> {
    test: &'a Test,
    http: Http,
    provider: Oidc,
    /// The address by which a client sends people to the provider.
    start: String,
}

impl App<'_> {
    /// The address by which a client sends people to the run's provider.
    async fn sso_address(&self) -> Result<String, Wrong> {
        let flows = self.get("/_matrix/client/v3/login", None).await?;
        let flows = flows["flows"].as_array().map(Vec::as_slice).unwrap_or_default();
        let sso = flows.iter().find(|flow| flow["type"] == "m.login.sso");
        assert!(flows.iter().any(|flow| flow["type"] == "m.login.token"), "no login by a token is offered");
        let providers = sso.and_then(|flow| flow["identity_providers"].as_array());
        let name = format!("Logins of {}", self.test.value("CCCI_SSO_REALM")?);
        let own = providers.and_then(|all| all.iter().find(|provider| provider["name"] == name.as_str()));
        let id = own.and_then(|provider| provider["id"].as_str());
        let id = id.ok_or_else(|| Wrong::red(format!("the ways to log in have no provider {name:?}")))?;
        Ok(self.test.url(&format!("/_matrix/client/v3/login/sso/redirect/{id}?redirectUrl={CLIENT}")))
    }

    /// Goes the way of a visitor up to the page that leads back to the client, and takes the token there.
    async fn login_token(&self, visitor: &Session, user: &DepsUser, is_asked: bool) -> Result<SecretString, Wrong> {
        let landed = self.provider.login_by_form(visitor, &self.start, &user.name, &user.password).await?;
        assert_eq!(landed.asked, is_asked, "whether the provider asked {} for the password", user.name);
        let (place, page) = (landed.address.path(), &landed.answer);
        assert_eq!((place, page.status), ("/_synapse/client/oidc/callback", 200), "where {} came back to", user.name);
        assert!(page.body.contains(&self.id_of(user)?), "the page does not say as whom one goes on");
        let link = page.body.split_once(&format!("\"{CLIENT}?loginToken=")).and_then(|(_, rest)| rest.split_once('"'));
        let (token, _) = link.ok_or_else(|| Wrong::red("the page has no link back to the client with a token"))?;
        self.test.hide(token)?;
        Ok(token.into())
    }

    /// Logs in by a token, and makes sure that it is as this user.
    async fn log_in(&self, login_token: &SecretString, user: &DepsUser) -> Result<SecretString, Wrong> {
        let answer = self.post_login(login_token).await?;
        assert_eq!(answer.status, 200, "{} is not logged in by the token", user.name);
        let said: Value = answer.json().map_err(Wrong::red)?;
        let access = said["access_token"].as_str().ok_or_else(|| Wrong::red("the login gives no access token"))?;
        self.test.hide(access)?;
        let access = SecretString::from(access);
        let id = self.id_of(user)?;
        assert_eq!(said["user_id"].as_str(), Some(id.as_str()), "who is logged in");
        let whoami = self.get("/_matrix/client/v3/account/whoami", Some(&access)).await?;
        assert_eq!(whoami["user_id"].as_str(), Some(id.as_str()), "whose token it is");
        let profile = self.get(&format!("/_matrix/client/v3/profile/{id}"), Some(&access)).await?;
        let wanted = format!("{} {}", user.first_name, user.last_name);
        assert_eq!(profile["displayname"].as_str(), Some(wanted.as_str()), "the name that the provider told");
        Ok(access)
    }

    async fn post_login(&self, token: &SecretString) -> Result<Answer, Wrong> {
        let body = json!({ "type": "m.login.token", "token": token.expose_secret() });
        Ok(self.http.ask(Method::POST, &self.test.address("/_matrix/client/v3/login")?).json(&body).send().await?)
    }

    async fn get(&self, path: &str, token: Option<&SecretString>) -> Result<Value, Wrong> {
        let ask = self.http.ask(Method::GET, &self.test.address(path)?);
        let ask = if let Some(token) = token { ask.bearer(token) } else { ask };
        let answer = ask.send().await?;
        assert_eq!(answer.status, 200, "GET {path}");
        answer.json().map_err(|why| Wrong::red(format!("GET {path}: {why}")))
    }

    /// The Matrix id of somebody of the provider's.
    fn id_of(&self, user: &DepsUser) -> Result<String, Broken> {
        Ok(format!("@{}:{}", user.name, self.test.value("CCCI_DOMAIN")?))
    }
}
