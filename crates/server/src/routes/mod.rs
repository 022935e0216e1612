//! The routes, and what stands in front of each group of them.
//!
//! [`router`] is the whole of the server's surface: a route that is not named there does not exist,
//! and a group that has no gate there is open to everybody.

mod admin;
mod alerts;
mod audit;
mod diagnose;
mod docs;
mod events;
mod exits;
mod export;
mod health;
mod hosts;
mod jobs;
mod keys;
mod live;
mod openapi;
mod operations;
mod otlp;
pub(crate) mod page;
mod probes;
mod prometheus;
mod queues;
mod requests;
mod runbooks;
mod session;
mod sql;
mod stats;
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
use tower_http::decompression::RequestDecompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access;
use crate::context::Shared;
use crate::guard::{body, edge, linger, load};
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
        .layer(from_fn(otlp::in_its_form))
        // Probes come under any name and at any load, and learn nothing but one word.
        .merge(health::routes())
        .layer(DefaultBodyLimit::disable())
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(edge::panicked))
        .layer(from_fn(edge::identify));
    routes.with_state(Arc::clone(app))
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
}

/// Ingest has its own bounds on bodies. Events may be compressed with gzip; remote write and OpenTelemetry bring
/// their own compression.
fn ingest(app: &Shared) -> Routes {
    let events = OpenApiRouter::new()
        .routes(routes!(events::take))
        .route_layer(RequestDecompressionLayer::new())
        .route_layer(from_fn(body::accept_gzip));
    let all = events.merge(OpenApiRouter::new().routes(routes!(write::take))).merge(otlp::routes());
    gate(app, Some(Scope::Ingest), all.route_layer(from_fn_with_state(Arc::clone(app), body::limit_ingest)))
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
