//! What an impostor says. Pure.

/// The kinds of impostor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 200 and a page, to everything.
    Page,
    /// 200 and a JSON object, to everything.
    Json,
    /// 404 to everything: what is left when the app is gone, or its data.
    Gone,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Page, Self::Json, Self::Gone];

    /// What it is, after "against".
    pub fn words(self) -> &'static str {
        match self {
            Self::Page => "a page for everything",
            Self::Json => "a JSON object for everything",
            Self::Gone => "an app that is gone",
        }
    }

    /// Its status code.
    pub fn status(self) -> u16 {
        match self {
            Self::Page | Self::Json => 200,
            Self::Gone => 404,
        }
    }

    /// Its content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Page => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Gone => "text/plain; charset=utf-8",
        }
    }

    /// Its body, for a recipe of this name.
    pub fn body(self, recipe: &str) -> String {
        match self {
            Self::Page => format!(
                "<!doctype html>\n<html lang=\"en\"><head><title>{recipe}</title></head><body>\n\
                 <h1>Welcome to {recipe}</h1><p>Success. It works.</p>\n\
                 <form method=\"post\"><input name=\"username\"><input name=\"password\" type=\"password\">\
                 <button type=\"submit\">Log in</button></form>\n</body></html>\n"
            ),
            Self::Json => serde_json::json!({
                "ok": true, "success": true, "status": "ok", "state": "ready", "healthy": true,
                "name": recipe, "title": recipe, "id": 1, "uuid": "00000000-0000-4000-8000-000000000001",
                "version": "1", "token": "0000000000000000", "access_token": "0000000000000000",
                "message": "success", "count": 1, "total": 1, "items": [{ "id": 1 }], "data": { "id": 1 },
                "results": [{ "id": 1 }], "error": null, "errors": [],
            })
            .to_string(),
            Self::Gone => "404 page not found\n".to_owned(),
        }
    }
}
