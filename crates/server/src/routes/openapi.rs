//! `/api/openapi.json`: the description of the API, made from the handlers.

use axum::Json;
use axum::routing::get;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Response};
use utoipa_axum::router::OpenApiRouter;

use super::Routes;
use crate::context::Shared;

pub(super) fn about() -> OpenApi {
    let description = "Times are RFC 3339, durations are seconds, sizes are bytes, ratios are 0 to 1. \
                       Errors are problems (RFC 9457). Lists take `limit` and `offset`, and say the `total`.";
    let info = InfoBuilder::new()
        .title("Watchkeeper")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(description))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// Adds what no single handler can say: how to be let in, and that problems have a content type of
/// their own.
pub(super) fn complete(api: &mut OpenApi) {
    let items = api.paths.paths.values_mut();
    let operations = items
        .flat_map(|item| [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete]);
    for response in operations.flatten().flat_map(|operation| operation.responses.responses.values_mut()) {
        if let RefOr::T(response) = response {
            name_problem(response);
        }
    }
    let components = api.components.get_or_insert_default();
    let schemes = [
        ("bearer", SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build())),
        ("key", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")))),
        ("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("watchkeeper_session")))),
    ];
    for (name, scheme) in schemes {
        components.add_security_scheme(name, scheme);
    }
    let nothing: [&str; 0] = [];
    api.security =
        Some(["bearer", "key", "session"].map(|name| SecurityRequirement::new(name, nothing)).into());
}

/// Gives a response that is a problem the content type in which problems are sent.
fn name_problem(response: &mut Response) {
    let is_problem = |content: &RefOr<Content>| {
        let RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) = content else { return false };
        schema.ref_location.ends_with("/ProblemBody")
    };
    if response.content.get("application/json").is_some_and(is_problem)
        && let Some(content) = response.content.shift_remove("application/json")
    {
        response.content.insert("application/problem+json".to_owned(), content);
    }
}

pub(super) fn route(api: OpenApi) -> Routes {
    let answer = move || {
        let api = api.clone();
        async move { Json(api) }
    };
    OpenApiRouter::<Shared>::new().route("/api/openapi.json", get(answer))
}
