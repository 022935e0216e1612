//! What was found becomes a target: defaults, relabelling, an address.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{DurationText, Labels, LabelsBuilder};
use reqwest::Url;

use super::job::Job;

const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const PATH: &str = "__metrics_path__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
const PARAM: &str = "__param_";
/// Labels that begin so are of the target alone, and not of its series.
const INTERNAL: &str = "__";

/// A target that is scraped.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    /// The labels that it was found with.
    pub(super) discovered: Labels,
    /// The labels of its series.
    pub(super) labels: Labels,
    pub(super) url: Url,
    pub(super) timing: Timing,
    /// The same as long as its labels and its address are.
    pub(super) id: u64,
}

/// How often a target is asked, and how long it may take to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

/// What becomes of what was found.
pub(super) enum Resolved {
    Target(Target),
    /// Relabelling dropped it.
    Dropped(Labels),
}

/// Makes a target of the labels that it was found with.
pub(super) fn resolve(job: &Job, found: &BTreeMap<String, String>) -> Result<Resolved, String> {
    let mut labels = LabelsBuilder::new();
    for (name, value) in found {
        labels.set(name.as_str(), value.as_str());
    }
    let defaults = [
        ("job", job.name.clone()),
        (SCHEME, job.scheme.name().to_owned()),
        (PATH, job.metrics_path.clone()),
        (INTERVAL, DurationText(job.interval).to_string()),
        (TIMEOUT, DurationText(job.timeout).to_string()),
    ];
    for (name, value) in defaults {
        if labels.get(name).is_none() {
            labels.set(name, value);
        }
    }
    for (name, values) in &job.params {
        if let Some(first) = values.first() {
            labels.set(format!("{PARAM}{name}"), first.as_str());
        }
    }
    let discovered = labels.build();
    if !job.relabel.apply(&mut labels) {
        return Ok(Resolved::Dropped(discovered));
    }
    let address = labels.get(ADDRESS).ok_or("it has no address: `__address__` is empty")?.to_owned();
    let timing = timing(&labels)?;
    let url = url(job, &labels, &address)?;
    if labels.get("instance").is_none() {
        labels.set("instance", address);
    }
    let mut own = labels.clone();
    own.retain(|name| !name.starts_with(INTERNAL));
    let own = own.build();
    let id = xxhash_rust::xxh3::xxh3_64_with_seed(url.as_str().as_bytes(), own.hash64());
    Ok(Resolved::Target(Target { discovered, labels: own, url, timing, id }))
}

fn timing(labels: &LabelsBuilder) -> Result<Timing, String> {
    let read = |name: &str| -> Result<Duration, String> {
        let text = labels.get(name).unwrap_or_default();
        let duration = text.parse::<DurationText>().map_err(|error| format!("`{name}`: {error}"))?;
        if duration.0.is_zero() { Err(format!("`{name}` must be more than zero")) } else { Ok(duration.0) }
    };
    let (interval, timeout) = (read(INTERVAL)?, read(TIMEOUT)?);
    if timeout > interval {
        return Err(format!("`{TIMEOUT}` must not be more than `{INTERVAL}`"));
    }
    Ok(Timing { interval, timeout })
}

/// What is wrong with a URL where an address belongs.
pub(super) fn no_address(text: &str) -> String {
    format!("`{text}` is no address: write it like host:9100, with the path in `metrics_path`")
}

fn url(job: &Job, labels: &LabelsBuilder, address: &str) -> Result<Url, String> {
    if address.contains(['/', '?', '#', '@', ' ']) {
        return Err(no_address(address));
    }
    let scheme = labels.get(SCHEME).unwrap_or_default();
    if !matches!(scheme, "http" | "https") {
        return Err(format!("`__scheme__` must be http or https, and is `{scheme}`"));
    }
    let path = labels.get(PATH).unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut url = Url::parse(&format!("{scheme}://{address}{slash}{path}"))
        .map_err(|error| format!("`{address}` is no address: {error}"))?;
    let mut params: Vec<(String, String)> = Vec::new();
    for (name, value) in labels.iter() {
        if let Some(param) = name.strip_prefix(PARAM) {
            params.push((param.to_owned(), value.to_owned()));
        }
    }
    // Relabelling can change the first value of a parameter; the others stand in the job alone.
    for (name, values) in &job.params {
        params.extend(values.iter().skip(1).map(|value| (name.clone(), value.clone())));
    }
    if !params.is_empty() {
        params.sort_by(|a, b| a.0.cmp(&b.0));
        url.query_pairs_mut().extend_pairs(params);
    }
    Ok(url)
}
