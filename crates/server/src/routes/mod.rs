//! The routes, and what stands in front of each group of them.
//!
//! [`router`] is the whole of the server's surface, and [`receiver`] that of the ports of OpenTelemetry: a route that
//! is not named there does not exist, and a group that has no gate there is open to everybody.

mod admin;
mod alerts;
mod audit;
mod decode;
mod diagnose;
mod docs;
mod events;
mod exits;
mod export;
mod given;
mod health;
mod hosts;
mod jaeger;
mod jobs;
mod keys;
mod live;
mod logs;
mod loki;
mod openapi;
mod operations;
mod otlp;
pub(crate) mod page;
mod probes;
mod prometheus;
mod queues;
mod requests;
mod runbooks;
mod searching;
mod services;
mod session;
mod sql;
mod stats;
mod traces;
mod users;
mod watch;
mod workers;
mod write;

pub(crate) use prometheus::LargeAnswers;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use state::Scope;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access;
use crate::context::Shared;
use crate::guard::{body, edge, linger, load, memory};
use crate::problem::{Kind, Problem};

type Routes = OpenApiRouter<Shared>;

/// The whole surface.
pub(crate) fn router(app: &Shared) -> Router {
    let (routes, mut api) = all(app).split_for_parts();
    openapi::complete(&mut api);
    let routes = routes
        .merge(gated(app, Some(Scope::Read), openapi::route(api)).split_for_parts().0)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(Arc::clone(app), access::authenticate))
        .layer(from_fn_with_state(Arc::clone(app), load::bound))
        .layer(from_fn_with_state(Arc::clone(app), edge::check_hosts))
        .layer(from_fn_with_state(Arc::clone(app), linger::read_to_the_end))
        // Probes come under any name and at any load, and learn nothing but one word.
        .merge(health::routes())
        .layer(DefaultBodyLimit::disable());
    outermost(routes).with_state(Arc::clone(app))
}

/// What a request meets first, and an answer last.
fn outermost<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    // Outside of what tells of faults, because that puts bodies into the place of others.
    told(routes).layer(CompressionLayer::new()).layer(from_fn(edge::identify))
}

/// Answers for handlers that panic, and outside of that, so that a panic is told so too, in the form of the protocol.
fn told<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .layer(CatchPanicLayer::custom(edge::panicked))
        .layer(from_fn(otlp::in_its_form))
        .layer(from_fn(loki::in_its_form))
        .layer(from_fn(jaeger::in_its_form))
        .layer(from_fn(otlp::grpc::in_its_form))
}

/// What a receiver of OpenTelemetry has: the endpoints of its protocol, over HTTP and gRPC, behind the same guards.
pub(crate) fn receiver(app: &Shared) -> Router {
    let http = otlp::routes().route_layer(from_fn_with_state(Arc::clone(app), body::limit_ingest));
    // Frames of gRPC are bounded where they are read.
    let all = counted(app, http.merge(otlp::grpc::routes()));
    let routes = gate(app, Some(Scope::Ingest), all)
        .split_for_parts()
        .0
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(Arc::clone(app), access::authenticate))
        .layer(from_fn_with_state(Arc::clone(app), load::bound))
        .layer(from_fn_with_state(Arc::clone(app), edge::check_hosts))
        .layer(from_fn_with_state(Arc::clone(app), linger::read_to_the_end))
        .layer(DefaultBodyLimit::disable());
    // Answers to exporters are a few bytes, and nothing may stand between a status of gRPC and its end: no compression.
    told(routes).layer(from_fn(edge::identify)).with_state(Arc::clone(app))
}

/// Every route of the API with its gate.
fn all(app: &Shared) -> Routes {
    let public = ordinary_bodies(app, session::public().merge(page::routes()));
    let anybody_known = gated(app, None, session::own());
    let reading = gated(app, Some(Scope::Read), reading());
    let documents = gated(app, Some(Scope::Read), docs::routes().merge(runbooks::routes()))
        .route_layer(from_fn(page::or_login));
    let operating = gated(app, Some(Scope::Operate), alerts::operating().merge(operations::routes()));
    let administration =
        gated(app, Some(Scope::Admin), users::routes().merge(keys::routes()).merge(audit::routes()));
    let snappy = from_fn_with_state(Arc::clone(app), body::limit_snappy);
    let forms = from_fn_with_state(Arc::clone(app), body::limit_form);
    let prometheus = gate(app, Some(Scope::Read), prometheus::routes().route_layer(forms));
    let remote_read = gate(app, Some(Scope::Read), prometheus::remote_read().route_layer(snappy));
    let ingest = ingest(app);
    OpenApiRouter::with_openapi(openapi::about())
        .merge(public)
        .merge(anybody_known)
        .merge(reading)
        .merge(documents)
        .merge(operating)
        .merge(administration)
        .merge(prometheus)
        .merge(remote_read)
        .merge(ingest)
}

fn reading() -> Routes {
    OpenApiRouter::new()
        .merge(queues::routes())
        .merge(workers::routes())
        .merge(jobs::routes())
        .merge(hosts::routes())
        .merge(exits::routes())
        .merge(requests::routes())
        .merge(admin::routes())
        .merge(alerts::reading())
        .merge(diagnose::routes())
        .merge(watch::routes())
        .merge(probes::routes())
        .merge(stats::routes())
        .merge(live::routes())
        .merge(export::routes())
        .merge(sql::routes())
        .merge(logs::routes())
        .merge(traces::routes())
        .merge(loki::reading())
        .merge(jaeger::routes())
        .merge(services::routes())
}

/// Ingest has its own bounds on bodies, which may be compressed: whoever decodes them unpacks them.
fn ingest(app: &Shared) -> Routes {
    let all = OpenApiRouter::new()
        .routes(routes!(events::take))
        .routes(routes!(write::take))
        .merge(otlp::routes())
        .merge(loki::routes());
    let all = all.route_layer(from_fn_with_state(Arc::clone(app), body::limit_ingest));
    gate(app, Some(Scope::Ingest), counted(app, all))
}

/// Counts bodies of ingest as they arrive.
fn counted(app: &Shared, routes: Routes) -> Routes {
    routes.route_layer(from_fn_with_state(Arc::clone(app), memory::count_arriving))
}

fn gated(app: &Shared, scope: Option<Scope>, routes: Routes) -> Routes {
    gate(app, scope, ordinary_bodies(app, routes))
}

fn ordinary_bodies(app: &Shared, routes: Routes) -> Routes {
    routes.route_layer(from_fn_with_state(Arc::clone(app), body::limit_ordinary))
}

/// Puts the gate in front: it is the first thing that a request to these routes meets.
fn gate(app: &Shared, scope: Option<Scope>, routes: Routes) -> Routes {
    let app = Arc::clone(app);
    routes.route_layer(from_fn(move |request: Request, next: Next| {
        access::require(scope, Arc::clone(&app), request, next)
    }))
}

async fn no_such_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(128).collect();
    Problem::new(
        Kind::NotFound,
        format!("There is nothing at `{path}`; /api/openapi.json lists what there is."),
    )
}

async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(128).collect();
    Problem::new(
        Kind::MethodNotAllowed,
        format!("`{path}` does not take {method}; the header Allow lists what it takes."),
    )
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{StatusCode, header};
    use axum::routing::post;
    use tower::ServiceExt;

    use super::*;

    async fn panics() -> StatusCode {
        panic!("a fault of a handler")
    }

    #[tokio::test]
    async fn a_panic_is_answered_in_the_form_of_the_protocol_packed_or_not() {
        let routes = Router::new().route("/v1/logs", post(panics)).route("/other", post(panics));
        let asked = async |path: &str, content_type: &str, accepted: &str| {
            let request = axum::http::Request::post(path)
                .header(header::CONTENT_TYPE, content_type)
                .header(header::ACCEPT_ENCODING, accepted)
                .body(Body::empty());
            let response =
                outermost(routes.clone()).oneshot(request.expect("a request")).await.expect("an answer");
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            let header = |name: header::HeaderName| {
                response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned())
            };
            let said = (header(header::CONTENT_TYPE), header(header::CONTENT_ENCODING));
            (said, to_bytes(response.into_body(), 1 << 20).await.expect("a body"))
        };
        let of = |content_type: &str| (Some(content_type.to_owned()), None);
        let (said, body) = asked("/v1/logs", "application/json", "identity").await;
        let status: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!((said, status["code"].as_u64()), (of("application/json"), Some(13)));
        let (said, body) = asked("/v1/logs", "application/x-protobuf", "identity").await;
        assert_eq!((said, &body[..2]), (of("application/x-protobuf"), &[8, 13][..]));
        let (said, body) = asked("/v1/logs", "application/x-protobuf", "gzip").await;
        assert_eq!(said.1.is_some(), body.starts_with(&[0x1f, 0x8b]), "{said:?}");
        let (said, _) = asked("/other", "application/json", "identity").await;
        assert_eq!(said, of("application/problem+json"));
    }
}
