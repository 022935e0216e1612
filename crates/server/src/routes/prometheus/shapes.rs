//! Labels and times in the shapes that Prometheus' JSON gives them.

use std::collections::BTreeMap;

use model::{Labels, Timestamp};
use serde_json::{Value as Json, json};

/// Labels as an object.
pub(super) fn labels(labels: &Labels) -> Json {
    json!(labels.iter().collect::<BTreeMap<_, _>>())
}

/// A time; one that never was is the year 1, as in Go.
pub(super) fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}
