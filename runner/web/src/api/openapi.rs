//! The description of the API, generated from its types. Pure.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::types::{Recipe, Runs, Trouble, WholeRun};

/// One path of the API.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    /// The path, with `{names}`.
    pub(crate) path: &'static str,
    pub(crate) what: &'static str,
    pub(crate) answer: ResponseBody,
    /// Query parameters: name and meaning.
    pub(crate) query: &'static [(&'static str, &'static str)],
}

/// The response of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseBody {
    /// A JSON object of this type.
    Json(&'static str),
    /// A JSON list of this type.
    List(&'static str),
    /// Another format, of this media type.
    Other(&'static str),
}

/// Every path of the API; a test requests each.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "/api/recipes",
        what: "Every recipe with its newest verdict",
        answer: ResponseBody::List("Recipe"),
        query: &[],
    },
    Route {
        path: "/api/runs",
        what: "Runs, newest first, fifty at a time",
        answer: ResponseBody::Json("Runs"),
        query: &[
            ("recipe", "only of this recipe"),
            ("pull", "only of this pull request"),
            ("verdict", "only with this verdict"),
            ("before", "only those before this position, the `next` of an earlier response"),
        ],
    },
    Route {
        path: "/api/runs/{run}",
        what: "One run with its stages and checks",
        answer: ResponseBody::Json("WholeRun"),
        query: &[],
    },
    Route {
        path: "/runs/{run}/journal.jsonl",
        what: "A run's journal, as docs/reference.md describes it",
        answer: ResponseBody::Other("application/x-ndjson"),
        query: &[],
    },
    Route {
        path: "/runs/{run}/junit.xml",
        what: "A run's report for tools that read JUnit",
        answer: ResponseBody::Other("application/xml"),
        query: &[],
    },
    Route {
        path: "/api/coverage",
        what: "What is covered, recipe by recipe, and what only seems to be: as `cc-ci coverage --json` prints it",
        answer: ResponseBody::Other("application/json"),
        query: &[],
    },
    Route {
        path: "/badges/{recipe}.svg",
        what: "The recipe's newest verdict as a badge",
        answer: ResponseBody::Other("image/svg+xml"),
        query: &[],
    },
    Route {
        path: "/badges/{recipe}/standing.svg",
        what: "Whether the recipe is stable, testing or unstable, after Resolution 025",
        answer: ResponseBody::Other("image/svg+xml"),
        query: &[],
    },
    Route {
        path: "/badges/{recipe}/{stage}.svg",
        what: "One stage of that verdict as a badge",
        answer: ResponseBody::Other("image/svg+xml"),
        query: &[],
    },
    Route {
        path: "/feed.atom",
        what: "A feed of the verdicts that changed",
        answer: ResponseBody::Other("application/atom+xml"),
        query: &[],
    },
    Route { path: "/metrics", what: "Figures for Prometheus", answer: ResponseBody::Other("text/plain"), query: &[] },
    Route {
        path: "/events",
        what: "Server-sent events: `change` whenever a run changes; its data lists the runs, or is `all`; the first is sent at once",
        answer: ResponseBody::Other("text/event-stream"),
        query: &[("run", "only of this run")],
    },
];

/// The OpenAPI document.
pub(crate) fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    add::<Recipe>(&mut generator);
    add::<Runs>(&mut generator);
    add::<WholeRun>(&mut generator);
    add::<Trouble>(&mut generator);
    let schemas = generator.take_definitions(true);
    let paths: Map<String, Value> = ROUTES.iter().map(|route| (route.path.to_owned(), path(route))).collect();
    json!({
        "openapi": "3.1.0",
        "info": { "title": "cc-ci", "version": env!("CARGO_PKG_VERSION"),
                  "description": "Recipes and runs. Fields may be added; existing ones stay." },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn add<T: schemars::JsonSchema>(generator: &mut SchemaGenerator) {
    let _ = generator.subschema_for::<T>();
}

fn path(route: &Route) -> Value {
    let of = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let (kind, schema) = match route.answer {
        ResponseBody::Json(name) => ("application/json", of(name)),
        ResponseBody::List(name) => ("application/json", json!({ "type": "array", "items": of(name) })),
        ResponseBody::Other(kind) => (kind, json!({ "type": "string" })),
    };
    let named = route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let parameter = |name: &str, place: &str, what: &str| json!({ "name": name, "in": place, "required": place == "path", "description": what, "schema": { "type": "string" } });
    let mut parameters: Vec<Value> = named.map(|name| parameter(name, "path", "")).collect();
    parameters.extend(route.query.iter().map(|(name, what)| parameter(name, "query", what)));
    json!({ "get": {
        "summary": route.what,
        "parameters": parameters,
        "responses": {
            "200": { "description": route.what, "content": { kind: { "schema": schema } } },
            "404": { "description": "Not found" },
        },
    } })
}
