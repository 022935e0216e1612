//! Probed services, and how available they have been.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use promql::Query;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Routes, prometheus};
use crate::context::Shared;
use crate::params::{List, Params, Window};
use crate::problem::{Problem, ProblemBody};
use crate::wire::probes::{Availability, Probe};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PageParams {
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// Probes by name: whether they are up, why not, and the share of looks that succeeded.
#[utoipa::path(get, path = "/api/v1/probes", tag = "watching", params(PageParams),
    responses((status = 200, body = List<Probe>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<PageParams>,
) -> Result<Json<List<Probe>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let listing = app.context.pipeline.probes().list(window.live());
    let total = listing.total as u64;
    if listing.items.is_empty() {
        return Ok(Json(window.list(Vec::<Probe>::new(), total)));
    }
    let [minutes_5, hour_1, hours_24] =
        [successes(&app, "5m").await, successes(&app, "1h").await, successes(&app, "24h").await];
    let probes: Vec<Probe> = listing
        .items
        .into_iter()
        .map(|seen| {
            let key = (seen.kind.clone(), seen.probe.clone());
            let share = |of: &HashMap<_, f64>| of.get(&key).copied();
            let availability = Availability {
                minutes_5: share(&minutes_5),
                hour_1: share(&hour_1),
                hours_24: share(&hours_24),
            };
            Probe::new(seen, availability)
        })
        .collect();
    Ok(Json(window.list(probes, total)))
}

/// The share of looks that succeeded within `window`, by kind and name.
async fn successes(app: &Shared, window: &str) -> HashMap<(String, String), f64> {
    // A probe whose target was changed has a series for each, and each look counts once.
    let text = format!(
        "sum by (kind, probe) (sum_over_time(probe_success[{window}])) / sum by (kind, probe) (count_over_time(probe_success[{window}]))"
    );
    let Ok(query) = Query::parse(&text) else { return HashMap::new() };
    let samples = prometheus::run::now(app, query).await;
    let named =
        |sample: &promql::VectorSample, label| sample.labels.get(label).unwrap_or_default().to_owned();
    samples.iter().map(|sample| ((named(sample, "kind"), named(sample, "probe")), sample.value)).collect()
}
