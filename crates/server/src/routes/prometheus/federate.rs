//! Federation: the newest sample of each series, in the text format, for another Prometheus to scrape.

mod text;

use std::collections::HashMap;

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use model::histogram::histogram_place;
use model::{Labels, Sample, TimeRange, Timestamp, is_stale};
use promql::{Cancel, Error, Limits};
use store::{Matcher, SelectRequest, SeriesBuffer, TelemetryStore};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Failure;
use super::arguments::Arguments;
use super::metadata::{MAX_SERIES, too_many_series};
use super::run::{self, Job};
use super::selection::Selectors;
use crate::context::Shared;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(federate)).routes(routes!(federate_at_root))
}

const TEXT: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];

/// The newest sample of each series that matches, in the text format 0.0.4. Series that have ended are left out, and so
/// are native histograms, which the format does not have.
#[utoipa::path(get, path = "/prometheus/federate", tag = "prometheus",
    params(("match[]" = Vec<String>, Query, description = "Selectors")),
    responses((status = 200, body = String, content_type = "text/plain"), (status = "4XX", body = serde_json::Value)))]
async fn federate(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    answer(&app, &arguments).await
}

/// The same, where a scrape without a path of its own expects it.
#[utoipa::path(get, path = "/federate", tag = "prometheus",
    params(("match[]" = Vec<String>, Query, description = "Selectors")),
    responses((status = 200, body = String, content_type = "text/plain"), (status = "4XX", body = serde_json::Value)))]
async fn federate_at_root(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    answer(&app, &arguments).await
}

async fn answer(app: &Shared, arguments: &Arguments) -> Result<Response, Failure> {
    let selectors = Selectors::needed(arguments)?;
    let store = app.context.store.clone();
    // Those of the files that are scraped by: they say where these series come from.
    let external =
        app.context.collectors.scrapes().map(|scrapes| scrapes.external_labels()).unwrap_or_default();
    let job: Job<_> = Box::new(move |engine, cancel| {
        let selections = selectors.matchers()?;
        Ok(text::write(&newest(store.as_ref(), engine.limits(), &selections, cancel)?, &external))
    });
    Ok((TEXT, run::run(app, None, job).await?).into_response())
}

/// The newest sample of each series within the lookback, sorted by name and then by labels.
fn newest(
    store: &dyn TelemetryStore,
    limits: &Limits,
    selections: &[Vec<Matcher>],
    cancel: &Cancel,
) -> Result<Vec<(Labels, Sample)>, Error> {
    let now = Timestamp::now();
    // A sample as old as the lookback is no longer the current one.
    let range = TimeRange::new(Timestamp::from_millis(now.before(limits.lookback.0).as_millis() + 1), now);
    let mut found = Found { samples: HashMap::new(), most: MAX_SERIES };
    let mut buffer = SeriesBuffer::default();
    for matchers in selections {
        let request = SelectRequest {
            matchers: matchers.clone(),
            range,
            values: None,
            max_samples: limits.max_samples,
            cancel: cancel.clone(),
        };
        let mut cursor = store.select(&request)?;
        while cursor.next_series(&mut buffer)? {
            let (Some(time_ms), Some(value)) = (buffer.times_ms.last(), buffer.values.last()) else {
                continue;
            };
            if is_stale(*value) || histogram_place(*value).is_some() {
                continue;
            }
            found.add(&buffer.labels, Sample { time_ms: *time_ms, value: *value })?;
        }
    }
    let mut found: Vec<_> = found.samples.into_iter().collect();
    found.sort_by(|(a, _), (b, _)| a.metric_name().cmp(b.metric_name()).then_with(|| a.cmp(b)));
    Ok(found)
}

/// Series with their newest samples. One that several selectors find counts once.
struct Found {
    samples: HashMap<Labels, Sample>,
    most: usize,
}

impl Found {
    fn add(&mut self, labels: &Labels, sample: Sample) -> Result<(), Error> {
        if self.samples.contains_key(labels) {
            return Ok(());
        }
        if self.samples.len() >= self.most {
            return Err(too_many_series());
        }
        self.samples.insert(labels.clone(), sample);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_is_found_again_does_not_count_again() {
        let mut found = Found { samples: HashMap::new(), most: 2 };
        let sample = Sample { time_ms: 1, value: 2.0 };
        for name in ["a", "b", "a", "b"] {
            found.add(&Labels::metric(name, &[]), sample).expect("there is room for two");
        }
        assert!(matches!(found.add(&Labels::metric("c", &[]), sample), Err(Error::LimitReached(_))));
    }
}
