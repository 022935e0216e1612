//! Answers of two servers to one question, and what is different about them.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::Answer;

/// How far two numbers may be apart: a share of the larger one.
const TOLERANCE: f64 = 1e-5;
/// Below this, numbers are what is left of larger ones that cancel each other, and as good as zero.
const NOTHING: f64 = 1e-9;

/// What both said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Both {
    Refused,
    Nothing,
    Something,
}

/// Looks whether two answers say the same; `ordered` if the order of series is part of the answer. An error is what
/// is different.
pub(crate) fn compare(ours: &Answer, theirs: &Answer, ordered: bool) -> Result<Both, String> {
    let (status, kind) = (&ours.body["status"], &ours.body["errorType"]);
    if ours.status != theirs.status || *status != theirs.body["status"] || *kind != theirs.body["errorType"] {
        return Err("one of them refuses, or for another reason".to_owned());
    }
    if status == "error" {
        return Ok(Both::Refused);
    }
    let (ours, theirs) = (&ours.body["data"], &theirs.body["data"]);
    if ours["resultType"] != theirs["resultType"] {
        return Err("types of results".to_owned());
    }
    let (ours, theirs) = (&ours["result"], &theirs["result"]);
    let is_series = |result: &Value| result[0].is_object() || result.as_array().is_some_and(Vec::is_empty);
    if !is_series(ours) || !is_series(theirs) {
        return points(&[ours], &[theirs]).map(|()| Both::Something);
    }
    let (our_order, theirs_order) = (values_in_order(ours), values_in_order(theirs));
    let (ours, theirs) = (by_labels(ours)?, by_labels(theirs)?);
    if let Some(labels) = ours.keys().find(|labels| !theirs.contains_key(*labels)) {
        return Err(format!("{labels} is ours alone"));
    }
    for (labels, theirs) in &theirs {
        let ours = ours.get(labels).ok_or_else(|| format!("{labels} is theirs alone"))?;
        points(ours, theirs).map_err(|difference| format!("{labels}: {difference}"))?;
    }
    if ordered {
        points(&our_order, &theirs_order).map_err(|difference| format!("order: {difference}"))?;
    }
    Ok(if ours.is_empty() { Both::Nothing } else { Both::Something })
}

/// The points of each series.
fn by_labels(result: &Value) -> Result<BTreeMap<String, Vec<&Value>>, String> {
    let mut all = BTreeMap::new();
    for series in result.as_array().into_iter().flatten() {
        let labels: BTreeMap<_, _> = series["metric"].as_object().into_iter().flatten().collect();
        let labels = serde_json::to_string(&labels).map_err(|error| error.to_string())?;
        let of_kind = |one, many| match series[many].as_array() {
            Some(points) => points.iter().collect(),
            None => Vec::from_iter(series.get(one)),
        };
        let points = [of_kind("value", "values"), of_kind("histogram", "histograms")].concat();
        if all.insert(labels.clone(), points).is_some() {
            return Err(format!("{labels} is there twice"));
        }
    }
    Ok(all)
}

fn values_in_order(result: &Value) -> Vec<&Value> {
    result.as_array().into_iter().flatten().filter_map(|series| series.get("value")).collect()
}

/// Compares `[time, "value"]`, one with the other; or `[time, histogram]`.
fn points(ours: &[&Value], theirs: &[&Value]) -> Result<(), String> {
    if ours.len() != theirs.len() {
        return Err(format!("{} points of ours, {} of theirs", ours.len(), theirs.len()));
    }
    for (our, their) in ours.iter().zip(theirs) {
        let time = |point: &Value| point[0].as_f64().map(|seconds| (seconds * 1000.0).round());
        if time(our) != time(their) || !are_equal(&our[1], &their[1]) {
            return Err(format!("{our} is ours, {their} theirs"));
        }
    }
    Ok(())
}

/// Numbers, which are texts, are equal within the tolerance; so are those of histograms.
fn are_equal(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::String(ours), Value::String(theirs)) => match (ours.parse::<f64>(), theirs.parse::<f64>()) {
            (Ok(ours), Ok(theirs)) => are_near(ours, theirs),
            _ => ours == theirs,
        },
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| are_equal(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .all(|(name, ours)| theirs.get(name).is_some_and(|theirs| are_equal(ours, theirs)))
        }
        _ => ours == theirs,
    }
}

fn are_near(ours: f64, theirs: f64) -> bool {
    let largest = ours.abs().max(theirs.abs());
    ours == theirs
        || (ours.is_nan() && theirs.is_nan())
        || (ours - theirs).abs() <= (largest * TOLERANCE).max(NOTHING)
}
