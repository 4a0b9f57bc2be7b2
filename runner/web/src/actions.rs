//! Actions of pages: cancel a run, keep its app. Each needs the token in the form itself, so there is no cookie that
//! another site could misuse.

use std::path::Path as FilePath;
use std::time::Duration;

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use base::failure::Failure;
use base::names::RunId;
use forge::token::{self, RequiredToken};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use swarm::Swarm;

use super::asked::NamedPart;
use super::site::Site;
use host::queue::slots_of;
use host::settings::wrong;
use journal::run_dir::RunDir;
use journal::text::one_line;

/// Maximum time that a page may keep an app.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Reads the token for actions.
///
/// # Errors
/// The file cannot be read, or the token is too short.
pub(super) fn read(file: &FilePath) -> Result<RequiredToken, Failure> {
    let look_at = "--pages-token-file (CCCI_PAGES_TOKEN_FILE)";
    let token = token::read(file).map_err(|error| wrong(error.to_string(), look_at))?;
    RequiredToken::new(&token).map_err(|error| wrong(error.to_string(), look_at))
}

#[derive(Deserialize)]
pub(super) struct ActionForm {
    token: SecretString,
    by: String,
    #[serde(default)]
    minutes: Option<u64>,
}

pub(super) async fn cancel(
    State(site): State<Site>,
    NamedPart(run): NamedPart<RunId>,
    Form(word): Form<ActionForm>,
) -> Response {
    let by = match allowed(&site, &word) {
        Ok(by) => by,
        Err(answer) => return *answer,
    };
    let asked = async {
        let swarm = Swarm::connect().await?;
        slots_of(&swarm, &site.runner().settings).cancel(&run, &format!("{by}, on a page of cc-ci")).await
    };
    match asked.await {
        Ok(true) => back(&run),
        Ok(false) => said(StatusCode::CONFLICT, "this run cannot be asked to stop: it has ended, or it is dead"),
        Err(failure) => said(StatusCode::SERVICE_UNAVAILABLE, &failure.what),
    }
}

pub(super) async fn hold(
    State(site): State<Site>,
    NamedPart(run): NamedPart<RunId>,
    Form(word): Form<ActionForm>,
) -> Response {
    if let Err(answer) = allowed(&site, &word) {
        return *answer;
    }
    let time = Duration::from_secs(word.minutes.unwrap_or(30).saturating_mul(60));
    if time.is_zero() || time > LONGEST {
        return said(StatusCode::BAD_REQUEST, "an app can stay for 1 minute to 24 hours");
    }
    let dir = RunDir::of(site.state(), &run);
    if !dir.is_locked() {
        return said(StatusCode::CONFLICT, "this run is not under way on this machine");
    }
    match dir.hold(time) {
        Ok(()) => back(&run),
        Err(error) => said(StatusCode::SERVICE_UNAVAILABLE, &format!("the run's folder cannot be written: {error}")),
    }
}

/// The user of an action, if authorized.
fn allowed(site: &Site, word: &ActionForm) -> Result<String, Box<Response>> {
    let Some(token) = site.token() else {
        return Err(Box::new(said(
            StatusCode::FORBIDDEN,
            "this cc-ci has no token: nothing can be done from its pages",
        )));
    };
    let by = one_line(&word.by, 60);
    if !token.is(word.token.expose_secret()) {
        tracing::warn!("an action was refused: wrong token");
        return Err(Box::new(said(StatusCode::FORBIDDEN, "this is not the token")));
    }
    if by.is_empty() {
        return Err(Box::new(said(
            StatusCode::BAD_REQUEST,
            "a name is required, since the run's report says who stopped it",
        )));
    }
    Ok(by)
}

fn back(run: &RunId) -> Response {
    Redirect::to(&format!("/runs/{run}")).into_response()
}

fn said(status: StatusCode, text: &str) -> Response {
    (status, format!("{text}\n")).into_response()
}
