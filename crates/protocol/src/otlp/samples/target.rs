//! What produced the points: the labels `job` and `instance`, attributes that are promoted, and the series
//! `target_info`, which has all others.

use model::labels::MAX_LABEL_BYTES;

use super::Options;
use super::labels::{Rank, SeriesLabels, label_too_long};
use crate::otlp::names::label_name;
use crate::otlp::resource::{Resource, Scope};
use crate::otlp::time::UnixNanos;
use crate::otlp::value::{KeyValue, attribute};

const SERVICE_NAME: &str = "service.name";
const SERVICE_NAMESPACE: &str = "service.namespace";
const SERVICE_INSTANCE_ID: &str = "service.instance.id";
/// The attributes that `job` and `instance` are made of.
const IDENTIFYING: [&str; 3] = [SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE_ID];
const INFO_NAME: &str = "target_info";

/// The present resource and scope.
#[derive(Debug, Default)]
pub(super) struct Target {
    resource: Vec<(String, String, Rank)>,
    scope: Vec<(String, String)>,
    /// Why all points of the resource are rejected, if they are.
    refused: Option<String>,
    /// The same of those of the scope.
    scope_refused: Option<String>,
    /// The labels of the series that describes it.
    info: Option<Vec<u8>>,
    /// The time of its latest point that was taken.
    latest: UnixNanos,
}

impl Target {
    /// The labels that follow from a resource.
    pub(super) fn of(resource: &Resource<'_>, options: &Options) -> Self {
        if let Some(reason) = resource.beyond.reason() {
            return Self { refused: Some(format!("its resource: {reason}")), ..Self::default() };
        }
        let mut target = Self::default();
        let identity = [("job", job(resource)), ("instance", instance(resource))];
        for (name, value) in identity {
            if let Some(value) = value {
                target.resource.push((name.to_owned(), value, Rank::Target));
            }
        }
        if options.target_info {
            target.info = target.encode_info(resource, options);
        }
        for key in &options.promoted {
            let value = attribute(&resource.attributes, key);
            if let Some((name, value)) = label_name(key, options.names).zip(value) {
                target.resource.push((name.into_owned(), value.to_string(), Rank::Promoted));
            }
        }
        match too_long(target.resource.iter().map(|(name, value, _)| (name, value))) {
            // Nothing else is held of it.
            Some(reason) => Self { refused: Some(reason), ..Self::default() },
            None => target,
        }
    }

    /// Why points of the present resource and scope are rejected; found once, and not for each of them.
    pub(super) fn refused(&self) -> Option<&str> {
        self.refused.as_deref().or(self.scope_refused.as_deref())
    }

    /// The labels of the series that describes the resource. Without `job` and `instance` nothing would lead to it,
    /// and without any other attribute it would say nothing.
    fn encode_info(&self, resource: &Resource<'_>, options: &Options) -> Option<Vec<u8>> {
        let is_other = |attribute: &&KeyValue<'_>| {
            !IDENTIFYING.contains(&attribute.key.as_ref())
                && label_name(&attribute.key, options.names).is_some()
        };
        let others: Vec<KeyValue<'_>> = resource.attributes.iter().filter(is_other).cloned().collect();
        if self.resource.is_empty() || others.is_empty() {
            return None;
        }
        let mut labels = SeriesLabels::default();
        labels.set(&others, self, options.names).ok()?;
        let mut encoded = Vec::new();
        labels.write((INFO_NAME, ""), None, &mut encoded);
        Some(encoded)
    }

    /// Takes the labels that follow from a scope in the place of those of the scope before.
    pub(super) fn set_scope(&mut self, scope: &Scope<'_>, options: &Options) {
        self.scope.clear();
        self.scope_refused = None;
        if !options.scope_labels || scope.name.is_empty() {
            return;
        }
        if let Some(reason) = scope.beyond.reason() {
            self.scope_refused = Some(format!("its scope: {reason}"));
            return;
        }
        let own = [("name", &scope.name), ("version", &scope.version), ("schema_url", &scope.schema_url)];
        self.scope.extend(own.map(|(name, value)| (format!("otel_scope_{name}"), value.to_string())));
        for KeyValue { key, value } in &scope.attributes {
            if let Some(name) = label_name(&format!("otel_scope_{key}"), options.names) {
                self.scope.push((name.into_owned(), value.to_string()));
            }
        }
        self.scope_refused = too_long(self.scope.iter().map(|(name, value)| (name, value)));
        if self.scope_refused.is_some() {
            self.scope = Vec::new();
        }
    }

    /// The labels of every series.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&str, &str, Rank)> {
        let of_resource =
            self.resource.iter().map(|(name, value, rank)| (name.as_str(), value.as_str(), *rank));
        of_resource.chain(self.scope.iter().map(|(name, value)| (name.as_str(), value.as_str(), Rank::Scope)))
    }

    /// Notes that a point of it was taken.
    pub(super) fn saw(&mut self, time: UnixNanos) {
        self.latest = self.latest.max(time);
    }

    /// The labels of the series that describes it, and the time of its sample; nothing where there is none.
    pub(super) fn info(&self) -> Option<(&[u8], i64)> {
        let labels = self.info.as_deref().filter(|_| self.latest.is_set())?;
        Some((labels, self.latest.as_millis()))
    }
}

/// What is wrong where a label is longer than any may be.
fn too_long<'l>(mut labels: impl Iterator<Item = (&'l String, &'l String)>) -> Option<String> {
    let found = labels.find(|(name, value)| name.len().max(value.len()) > MAX_LABEL_BYTES);
    found.map(|(name, _)| label_too_long(name))
}

/// `namespace/name` of the service, or its name where it has no namespace.
fn job(resource: &Resource<'_>) -> Option<String> {
    let text = |key: &str| {
        let value = attribute(&resource.attributes, key).map(|value| value.text());
        value.filter(|text| !text.is_empty())
    };
    let name = text(SERVICE_NAME)?;
    Some(match text(SERVICE_NAMESPACE) {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.into_owned(),
    })
}

fn instance(resource: &Resource<'_>) -> Option<String> {
    let id = attribute(&resource.attributes, SERVICE_INSTANCE_ID).map(ToString::to_string);
    id.filter(|id| !id.is_empty())
}
