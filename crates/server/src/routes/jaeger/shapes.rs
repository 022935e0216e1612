//! Traces as Jaeger's page has them: times in microseconds, facts as tags with their types.

use std::collections::{BTreeMap, HashMap};

use model::Timestamp;
use model::event::{Attributes, Origin, SpanEvent, SpanKind, SpanLink, SpanOccurrence, SpanStatus};
use promql::VectorSample;
use records::{Said, said, said_of_origin};
use search::Datum;
use serde::Serialize;

/// A trace with its spans.
#[derive(Serialize)]
pub(super) struct Trace {
    #[serde(rename = "traceID")]
    trace_id: String,
    spans: Vec<Span>,
    /// What spans come from, by names that they have in this trace.
    processes: BTreeMap<String, Process>,
    warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    flags: u64,
    operation_name: String,
    references: Vec<Reference>,
    start_time: i64,
    duration: u64,
    tags: Vec<Tag>,
    logs: Vec<Log>,
    #[serde(rename = "processID")]
    process_id: String,
    warnings: Option<Vec<String>>,
}

/// Another span that a span has to do with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: &'static str,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

/// What happened while a span lasted.
#[derive(Serialize)]
struct Log {
    timestamp: i64,
    fields: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    service_name: String,
    tags: Vec<Tag>,
}

/// A fact.
#[derive(Serialize)]
struct Tag {
    key: String,
    r#type: &'static str,
    value: TagValue,
}

#[derive(Serialize)]
#[serde(untagged)]
enum TagValue {
    Text(String),
    Number(i64),
    Truth(bool),
}

impl Tag {
    fn text(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), r#type: "string", value: TagValue::Text(value.into()) }
    }

    fn number(key: impl Into<String>, value: i64) -> Self {
        Self { key: key.into(), r#type: "int64", value: TagValue::Number(value) }
    }

    /// What columns have are texts and whole numbers.
    fn of(said: &Said<'_>) -> Self {
        match said.value {
            Datum::Number(number) => Self::number(said.name, number as i64),
            ref value => Self::text(said.name, value.text()),
        }
    }

    fn each(attributes: &Attributes) -> impl Iterator<Item = Self> {
        attributes.iter().map(|(key, value)| Self::text(key, value))
    }
}

/// An operation of a service.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) span_kind: String,
}

/// How often one service called another.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Call {
    parent: String,
    child: String,
    call_count: u64,
}

impl Call {
    /// A sample with the labels of the service graph; nothing where there was no call.
    pub(super) fn of(sample: &VectorSample) -> Option<Self> {
        let named = |label| sample.labels.get(label).map(str::to_owned);
        let call_count = sample.value.round() as u64;
        (call_count > 0).then_some(())?;
        Some(Self { parent: named("client")?, child: named("server")?, call_count })
    }
}

impl Trace {
    pub(super) fn of(trace_id: String, spans: Vec<SpanEvent>, warning: Option<String>) -> Self {
        let mut processes = Processes::default();
        let spans = spans
            .into_iter()
            .map(|span| {
                let process_id = processes.id(&span.origin);
                Span::of(span, process_id)
            })
            .collect();
        Self { trace_id, spans, processes: processes.all, warnings: warning.map(|warning| vec![warning]) }
    }
}

/// What spans come from, in the making.
#[derive(Default)]
struct Processes {
    all: BTreeMap<String, Process>,
    ids: HashMap<String, String>,
}

impl Processes {
    /// The name of what a span comes from, whatever library in it reports.
    fn id(&mut self, origin: &Origin) -> String {
        let told: Vec<_> =
            said_of_origin(origin).map(|said| (said.name, said.value.text().into_owned())).collect();
        let key = format!("{told:?} {:?}", origin.resource_attributes);
        if let Some(id) = self.ids.get(&key) {
            return id.clone();
        }
        let id = format!("p{}", self.all.len() + 1);
        let named = said_of_origin(origin).filter(|said| said.column != "service");
        let tags = named.map(|said| Tag::of(&said)).chain(Tag::each(&origin.resource_attributes));
        // Jaeger knows no service without a name; the Collector's is this.
        let service_name = origin.service.clone().unwrap_or_else(|| "unknown_service".to_owned());
        self.all.insert(id.clone(), Process { service_name, tags: tags.collect() });
        self.ids.insert(key, id.clone());
        id
    }
}

impl Span {
    fn of(span: SpanEvent, process_id: String) -> Self {
        let tags = tags(&span);
        let parent = span.parent_span_id.map(|span_id| Reference {
            ref_type: "CHILD_OF",
            trace_id: span.trace_id.clone(),
            span_id,
        });
        let links = span.links.into_iter().filter_map(Reference::to);
        let begin = span.time;
        Self {
            span_id: span.span_id,
            // The last eight bits are those of the trace's context; sampled, unless something else is said.
            flags: span.trace_flags.map_or(1, |flags| flags & 0xff),
            operation_name: span.name,
            references: parent.into_iter().chain(links).collect(),
            start_time: micros(begin),
            duration: span.duration_ns / 1_000,
            tags,
            logs: span.events.into_iter().map(|event| Log::of(&event, begin)).collect(),
            process_id,
            warnings: None,
            trace_id: span.trace_id,
        }
    }
}

impl Reference {
    /// A link with both ids.
    fn to(link: SpanLink) -> Option<Self> {
        Some(Self { ref_type: "FOLLOWS_FROM", trace_id: link.trace_id?, span_id: link.span_id? })
    }
}

impl Log {
    fn of(event: &SpanOccurrence, begin: Timestamp) -> Self {
        let name = Tag::text("event", event.name.as_str());
        let fields = std::iter::once(name).chain(Tag::each(&event.attributes)).collect();
        Self { timestamp: micros(event.time.unwrap_or(begin)), fields }
    }
}

/// What is known of a span, under the names that Jaeger has for OpenTelemetry's fields.
fn tags(span: &SpanEvent) -> Vec<Tag> {
    let mut tags = Vec::new();
    if span.kind != SpanKind::Unspecified {
        tags.push(Tag::text("span.kind", span.kind.as_str()));
    }
    match span.status {
        SpanStatus::Unset => {}
        SpanStatus::Ok => tags.push(Tag::text("otel.status_code", "OK")),
        SpanStatus::Error => {
            tags.push(Tag::text("otel.status_code", "ERROR"));
            tags.push(Tag { key: "error".to_owned(), r#type: "bool", value: TagValue::Truth(true) });
        }
    }
    let texts = [
        ("otel.status_description", &span.status_message),
        ("otel.scope.name", &span.origin.scope_name),
        ("otel.scope.version", &span.origin.scope_version),
        ("w3c.tracestate", &span.trace_state),
    ];
    tags.extend(texts.into_iter().filter_map(|(key, value)| Some(Tag::text(key, value.as_ref()?.as_str()))));
    tags.extend(said(&span.conventions).map(|said| Tag::of(&said)));
    tags.extend(Tag::each(&span.attributes));
    tags
}

fn micros(time: Timestamp) -> i64 {
    time.as_nanos().div_euclid(1_000)
}
