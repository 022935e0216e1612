//! Federation: the newest sample of each series, for another Prometheus to scrape.

mod negotiation;
mod series;
mod text;

use std::collections::{BTreeMap, HashMap};

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use model::histogram::histogram_place;
use model::{ByteSize, Histograms, Labels, Sample, TimeRange, Timestamp, is_stale};
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
use negotiation::{Form, Format};
use series::FederatedSeries;

pub(super) fn routes() -> Routes {
    // A scrape that names no path of the API expects it at the root.
    OpenApiRouter::new().routes(routes!(federate)).route("/federate", get(federate))
}

/// The most bytes of histograms in one answer.
const MAX_HISTOGRAM_BYTES: usize = 64 << 20;

/// The newest sample of each series that matches, in the format that `Accept` names: text 0.0.4, or protobuf, the only
/// one with native histograms. Series that have ended are left out. The same is at `/federate`.
#[utoipa::path(get, path = "/prometheus/federate", tag = "prometheus",
    params(("match[]" = Vec<String>, Query, description = "Selectors")),
    responses((status = 200, description = "Samples of families",
            content((String = "text/plain"), (Vec<u8> = "application/vnd.google.protobuf"))),
        Failure))]
async fn federate(
    State(app): State<Shared>,
    headers: HeaderMap,
    arguments: Arguments,
) -> Result<Response, Failure> {
    let form = Form::accepted_by(&headers);
    let selectors = Selectors::of(&arguments)?;
    let store = app.context.store.clone();
    // Those of the files that are scraped by: they say where these series come from.
    let external =
        app.context.collectors.scrapes().map(|scrapes| scrapes.external_labels()).unwrap_or_default();
    let job: Job<_> = Box::new(move |engine, cancel| {
        let selections = selectors.matchers()?;
        let found = newest(store.as_ref(), engine.limits(), &selections, form.format, cancel)?;
        Ok(found.written(form, &external))
    });
    let body = run::run(&app, None, job).await?;
    Ok(([(header::CONTENT_TYPE, form.content_type())], body).into_response())
}

/// The newest sample of each series within the lookback.
fn newest(
    store: &dyn TelemetryStore,
    limits: &Limits,
    selections: &[Vec<Matcher>],
    format: Format,
    cancel: &Cancel,
) -> Result<Found, Error> {
    let now = Timestamp::now();
    // A sample as old as the lookback is no longer the current one.
    let range = TimeRange::new(Timestamp::from_millis(now.before(limits.lookback.0).as_millis() + 1), now);
    let mut found = Found::up_to(MAX_SERIES, MAX_HISTOGRAM_BYTES);
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
            let is_shown = format == Format::Protobuf || histogram_place(*value).is_none();
            if is_shown && !is_stale(*value) {
                let sample = Sample { time_ms: *time_ms, value: *value };
                found.add(&buffer.labels, sample, &buffer.histograms)?;
            }
        }
    }
    Ok(found)
}

/// Series with their newest samples. One that several selectors find counts once.
struct Found {
    samples: HashMap<Labels, Sample>,
    /// What samples stand for that are histograms.
    histograms: Histograms,
    most: usize,
    most_bytes: usize,
}

impl Found {
    fn up_to(most: usize, most_bytes: usize) -> Self {
        Self { samples: HashMap::new(), histograms: Histograms::default(), most, most_bytes }
    }

    fn add(&mut self, labels: &Labels, mut sample: Sample, histograms: &Histograms) -> Result<(), Error> {
        if self.samples.contains_key(labels) {
            return Ok(());
        }
        if self.samples.len() >= self.most {
            return Err(too_many_series());
        }
        self.histograms.adopt(histograms, std::slice::from_mut(&mut sample.value));
        if self.histograms.size_bytes() > self.most_bytes {
            return Err(Error::LimitReached(format!(
                "the histograms that match take more than {}; narrow `match[]`",
                ByteSize(self.most_bytes as u64)
            )));
        }
        self.samples.insert(labels.clone(), sample);
        Ok(())
    }

    fn written(self, form: Form, external: &BTreeMap<String, String>) -> Vec<u8> {
        let series = series::sorted(self.samples, &self.histograms, form.escaping, external);
        match form.format {
            Format::Text => text::write(&series).into_bytes(),
            Format::Protobuf => series::families(series),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Histogram;

    use super::*;

    #[test]
    fn a_series_that_is_found_again_does_not_count_again() {
        let mut found = Found::up_to(2, 100);
        let (sample, none) = (Sample { time_ms: 1, value: 2.0 }, Histograms::default());
        for name in ["a", "b", "a", "b"] {
            found.add(&Labels::metric(name, &[]), sample, &none).expect("there is room for two");
        }
        let over = found.add(&Labels::metric("c", &[]), sample, &none);
        assert!(matches!(over, Err(Error::LimitReached(_))));
    }

    #[test]
    fn histograms_have_a_bound() {
        let mut histograms = Histograms::default();
        let value =
            histograms.push(&Histogram { custom_bounds: vec![1.0; 20], schema: -53, ..Histogram::default() });
        let mut found = Found::up_to(9, 300);
        let mut add = |name| found.add(&Labels::metric(name, &[]), Sample { time_ms: 1, value }, &histograms);
        add("a").expect("there is room for one");
        assert!(matches!(add("b"), Err(Error::LimitReached(_))));
    }
}
