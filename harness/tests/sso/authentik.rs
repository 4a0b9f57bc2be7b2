//! authentik's stand-in: the contract, and what the real one cannot be made to do at will.

use std::time::Duration;

use base::failure::{Failure, Kind};
use harness::sso::{Admin, Authentik, Provider as _, ProviderName, SsoError};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::contract::{self, Running};
use crate::stand_in::{Settings, StandIn, TOKEN};
use crate::support::{http, realm_name, wanted};

fn admin() -> Admin {
    Admin { user: "akadmin".to_owned(), secret: TOKEN.into() }
}

async fn connect(stand_in: &StandIn) -> Result<Authentik, SsoError> {
    Authentik::connect(http(), &stand_in.base, admin()).await
}

/// Every release in which something is said in another way.
#[tokio::test]
async fn each_release_keeps_the_contract() {
    for version in ["2024.10.5", "2024.12.0", "2025.10.1", "2026.5.0"] {
        let stand_in = StandIn::start(Settings { version, ..Settings::default() }).await;
        let foreign = realm_name();
        stand_in.somebody_makes("/core/groups/", json!({"name": foreign}));
        let before = stand_in.objects();
        let (name, base) = (ProviderName::Authentik, format!("{}/", stand_in.base));
        // An address may end with a slash.
        contract::holds(&Running { name, base, admin: admin(), foreign, asks_for_the_client: false }).await;
        assert_eq!(connect(&stand_in).await.unwrap().version().await.unwrap(), version);
        assert_eq!(stand_in.objects(), before, "something of {version}'s realms is left");
    }
}

#[tokio::test]
async fn an_application_of_somebody_elses_is_left_alone() {
    let stand_in = StandIn::start(Settings::default()).await;
    let foreign = realm_name();
    stand_in.somebody_makes("/core/applications/", json!({"name": "Wiki", "slug": foreign}));
    let authentik = connect(&stand_in).await.unwrap();
    let error = authentik.remove_realm(&foreign).await.unwrap_err();
    assert!(matches!(error, SsoError::NotOurs { .. }), "{error}");
    let error = authentik.make_realm(&harness::sso::RealmSpec { realm: foreign, ..wanted() }).await.unwrap_err();
    assert!(matches!(error, SsoError::Conflict { .. }), "{error}");
    assert_eq!(stand_in.objects(), 1);
}

#[tokio::test]
async fn a_person_in_a_realms_group_stays() {
    let stand_in = StandIn::start(Settings::default()).await;
    let authentik = connect(&stand_in).await.unwrap();
    let granted = authentik.make_realm(&wanted()).await.unwrap();
    let group = stand_in.list("/core/groups/")[0]["pk"].clone();
    let guest = json!({"username": "guest", "name": "Guest", "groups": [group]});
    stand_in.somebody_makes("/core/users/", guest);
    authentik.remove_realm(&granted.realm).await.unwrap();
    assert_eq!(stand_in.list("/core/users/")[0]["username"], "guest");
    assert_eq!(stand_in.objects(), 1);
}

#[tokio::test]
async fn a_fresh_authentik_is_waited_for() {
    let stand_in = StandIn::start(Settings { worker_takes: 3, ..Settings::default() }).await;
    let authentik = connect(&stand_in).await.unwrap();
    authentik.make_realm(&wanted()).await.unwrap();
    assert!(stand_in.listed() > 3);
}

#[tokio::test]
async fn one_whose_worker_does_nothing_is_told() {
    let stand_in = StandIn::start(Settings { worker_takes: u32::MAX, ..Settings::default() }).await;
    let authentik = connect(&stand_in).await.unwrap().with_patience(Duration::from_millis(300));
    let failure = Failure::from(authentik.make_realm(&wanted()).await.unwrap_err());
    assert_eq!(failure.kind, Kind::ProviderUnexpected);
    assert!(failure.what.contains("default-provider-authorization-implicit-consent"), "{failure}");
    assert!(failure.what.contains("worker") && stand_in.listed() > 1, "{failure}");
    assert_eq!(stand_in.objects(), 0);
}

/// Wherever it fails, what was made before is gone, and the error shows no secret.
#[tokio::test]
async fn a_realm_that_cannot_be_made_whole_leaves_nothing() {
    let steps = [
        "POST /api/v3/core/groups/",
        "POST /api/v3/propertymappings/provider/scope/",
        "POST /api/v3/providers/oauth2/",
        "POST /api/v3/core/applications/",
        "POST /api/v3/policies/bindings/",
        "POST /api/v3/core/users/",
        "/set_password/",
        "POST /api/v3/core/tokens/",
        "/set_key/",
        "GET /application/o/",
    ];
    for step in steps {
        let stand_in = StandIn::start(Settings { breaks_at: Some(step), ..Settings::default() }).await;
        let wanted = wanted();
        let failure = Failure::from(connect(&stand_in).await.unwrap().make_realm(&wanted).await.unwrap_err());
        assert_eq!(failure.kind, Kind::ProviderUnexpected, "{step}");
        assert!(failure.what.contains("answered 500: ") && failure.what.contains(&stand_in.base), "{failure}");
        assert_eq!(stand_in.objects(), 0, "{step}");
        let secrets = wanted.users.iter().map(|user| &user.password).chain([&wanted.client_secret]);
        for secret in secrets.map(|secret| secret.expose_secret()).chain([TOKEN]) {
            assert!(!format!("{failure:?}").contains(secret), "{step}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn a_removal_that_was_cut_short_is_finished_by_the_next() {
    let stand_in = StandIn::start(Settings::default()).await;
    let granted = connect(&stand_in).await.unwrap().make_realm(&wanted()).await.unwrap();
    let all = stand_in.objects();
    stand_in.breaks_at(Some("DELETE /api/v3/core/users/"));
    let authentik = connect(&stand_in).await.unwrap();
    authentik.remove_realm(&granted.realm).await.unwrap_err();
    assert!((1..all).contains(&stand_in.objects()));
    assert_eq!(authentik.realms().await.unwrap(), std::slice::from_ref(&granted.realm));
    stand_in.breaks_at(None);
    authentik.remove_realm(&granted.realm).await.unwrap();
    assert_eq!(stand_in.objects(), 0);
}

#[tokio::test]
async fn a_release_that_is_too_old_and_a_user_who_is_no_administrator_are_refused() {
    let stand_in = StandIn::start(Settings { version: "2024.8.6", ..Settings::default() }).await;
    let error = connect(&stand_in).await.unwrap_err();
    assert!(error.to_string().contains("is version 2024.8.6; cc-ci knows 2024.10 and newer"), "{error}");
    let stand_in = StandIn::start(Settings { is_superuser: false, ..Settings::default() }).await;
    let error = connect(&stand_in).await.unwrap_err();
    assert!(matches!(error, SsoError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn an_authentik_behind_a_proxy_that_finds_it_gone_does_not_answer() {
    let stand_in = StandIn::start(Settings::default()).await;
    let authentik = connect(&stand_in).await.unwrap();
    stand_in.breaks_with(503);
    let error = authentik.realms().await.unwrap_err();
    assert!(matches!(error, SsoError::Unreachable { .. }), "{error}");
}
