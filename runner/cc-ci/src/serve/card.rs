//! The template of the card that Drone shows on a build's page. Drone's page fetches it in the reader's browser, from
//! another address than its own, so that the browser reads it only with a header that allows every page to. It is the same for
//! everybody and has no data of any run, so it needs no token.

use axum::Router;
use axum::http::header;
use axum::routing::get;

use report::card::{PATH, TEMPLATE};

pub(super) fn router() -> Router {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    Router::new().route(PATH, get(async move || (headers, TEMPLATE)))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_page_of_another_address_may_read_the_template() {
        let request = Request::get("/card.json").header("origin", "https://drone.example.org").body(Body::empty());
        let answer = router().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap()["type"], "AdaptiveCard");
    }
}
