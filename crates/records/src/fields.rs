//! Where the fields and attributes that a search names lie in the tables: the one table of columns.
//!
//! Attributes under names of semantic conventions have columns, under present names and those of old alike
//! (`protocol`'s table of names fills them). What came under a present name is in the column; what came under another
//! one may be beside it, in the attributes, when both were sent.

use search::{Scope, Target};

use crate::Kind;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    /// A level, by its name.
    Level,
    /// A whole number.
    Count,
    /// A duration in nanoseconds.
    Nanos,
    Time,
}

/// Where a value lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Column(&'static str, Holds),
    /// In a column of attributes, under this name.
    Attribute(&'static str, String),
    /// In a column of attributes, under any name that is this one as a label.
    Labelled(&'static str, String),
}

impl Source {
    pub(crate) const fn column(&self) -> &'static str {
        match self {
            Self::Column(column, _) | Self::Attribute(column, _) | Self::Labelled(column, _) => column,
        }
    }
}

/// The places of one value, of which the first that holds something counts.
pub(crate) type Sources = Vec<Source>;

const OWN: &str = "attributes";
const OF_RESOURCE: &str = "resource_attributes";

/// A column of what conventions name, and the names, the present one first.
pub(crate) type Named = (&'static str, Holds, &'static [&'static str]);

/// What attributes of records fill.
pub(crate) const CONVENTIONS: &[Named] = &[
    ("job_id", Holds::Text, &["job_id", "job.id", "task_id", "task.id"]),
    ("stage", Holds::Text, &["stage", "pipeline.stage"]),
    ("document_id", Holds::Text, &["document_id", "document.id"]),
    ("tenant", Holds::Text, &["tenant", "tenant_id", "tenant.id"]),
    ("worker_id", Holds::Text, &["worker_id", "worker.id", "cicd.worker.id"]),
    ("user_id", Holds::Text, &["user_id", "user.id", "enduser.id"]),
    ("request_id", Holds::Text, &["request_id", "request.id"]),
    ("http_method", Holds::Text, &["http.request.method", "http.method"]),
    ("http_route", Holds::Text, &["http.route"]),
    ("http_status_code", Holds::Count, &["http.response.status_code", "http.status_code"]),
    ("url_path", Holds::Text, &["url.path", "http.target"]),
    ("db_system", Holds::Text, &["db.system.name", "db.system"]),
    ("db_operation", Holds::Text, &["db.operation.name", "db.operation"]),
    ("db_namespace", Holds::Text, &["db.namespace", "db.name"]),
    (
        "db_collection",
        Holds::Text,
        &["db.collection.name", "db.sql.table", "db.mongodb.collection", "db.cassandra.table"],
    ),
    ("db_query", Holds::Text, &["db.query.text", "db.statement"]),
    ("messaging_system", Holds::Text, &["messaging.system"]),
    ("messaging_destination", Holds::Text, &["messaging.destination.name", "messaging.destination"]),
    (
        "messaging_operation",
        Holds::Text,
        &["messaging.operation.name", "messaging.operation.type", "messaging.operation"],
    ),
    ("messaging_message_id", Holds::Text, &["messaging.message.id", "messaging.message_id"]),
    ("gen_ai_provider", Holds::Text, &["gen_ai.provider.name", "gen_ai.system", "llm.provider"]),
    ("gen_ai_operation", Holds::Text, &["gen_ai.operation.name"]),
    ("gen_ai_request_model", Holds::Text, &["gen_ai.request.model", "llm.request.model", "llm.model_name"]),
    ("gen_ai_response_model", Holds::Text, &["gen_ai.response.model", "llm.response.model"]),
    (
        "gen_ai_input_tokens",
        Holds::Count,
        &[
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.usage.prompt_tokens",
            "llm.token_count.prompt",
        ],
    ),
    (
        "gen_ai_output_tokens",
        Holds::Count,
        &[
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.usage.completion_tokens",
            "llm.token_count.completion",
        ],
    ),
    (
        "gen_ai_finish_reason",
        Holds::Text,
        &["gen_ai.response.finish_reasons", "gen_ai.response.finish_reason"],
    ),
    ("error_type", Holds::Text, &["error.type"]),
    ("exception_type", Holds::Text, &["exception.type"]),
    ("exception_message", Holds::Text, &["exception.message"]),
    ("exception_stacktrace", Holds::Text, &["exception.stacktrace"]),
];

/// What attributes of resources fill.
pub(crate) const ORIGIN: &[Named] = &[
    ("service", Holds::Text, &["service.name"]),
    ("service_namespace", Holds::Text, &["service.namespace"]),
    ("service_version", Holds::Text, &["service.version"]),
    ("service_instance_id", Holds::Text, &["service.instance.id"]),
    ("environment", Holds::Text, &["deployment.environment.name", "deployment.environment"]),
    ("host", Holds::Text, &["host.name"]),
    ("pid", Holds::Count, &["process.pid"]),
];

/// Where what a target names lies: of several values, each with its places, any may satisfy the test.
pub(crate) fn places(kind: Kind, target: &Target) -> Vec<Sources> {
    match target {
        Target::Any => kind.schema().searched().iter().map(|name| field(kind, name)).collect(),
        Target::Field { name, .. } => vec![field(kind, name)],
        Target::Attribute { scope, name } => vec![attribute(*scope, name)],
    }
}

/// Where a field of the schema lies.
pub(crate) fn field(kind: Kind, name: &str) -> Sources {
    let column = |column, holds| vec![Source::Column(column, holds)];
    let text = |name| column(name, Holds::Text);
    match (kind, name) {
        (_, "time") => column("time", Holds::Time),
        (_, "service") => text("service"),
        (_, "host") => text("host"),
        (_, "scope") => text("scope_name"),
        (_, "trace_id") => text("trace_id"),
        (_, "span_id") => text("span_id"),
        (Kind::Logs, "level") => column("level", Holds::Level),
        (Kind::Logs, "message") => text("message"),
        (Kind::Logs, "observed_time") => column("observed_time", Holds::Time),
        (Kind::Logs, "logger") => {
            vec![Source::Attribute(OWN, name.to_owned()), Source::Column("scope_name", Holds::Text)]
        }
        (Kind::Spans, "duration") => column("duration_ns", Holds::Nanos),
        (Kind::Spans, "name") => text("name"),
        (Kind::Spans, "kind") => text("kind"),
        (Kind::Spans, "status") => text("status"),
        (Kind::Spans, "status_message") => text("status_message"),
        (Kind::Spans, "parent_span_id") => text("parent_span_id"),
        // Processes are told of by what the record comes from, unless it says more itself.
        (_, "process.pid") => attribute(Scope::Any, name),
        _ => attribute(Scope::Record, name),
    }
}

/// Where an attribute lies.
pub(crate) fn attribute(scope: Scope, name: &str) -> Sources {
    match scope {
        Scope::Record => named(CONVENTIONS, OWN, name),
        Scope::Resource => named(ORIGIN, OF_RESOURCE, name),
        Scope::Any => {
            let mut sources = named(CONVENTIONS, OWN, name);
            sources.extend(named(ORIGIN, OF_RESOURCE, name));
            sources
        }
    }
}

/// What stands before the name of a label, where it is that of an attribute and of nothing else.
pub(crate) const OF_RECORD_ALONE: &str = "attribute_";
/// The same of attributes of what records come from.
pub(crate) const OF_RESOURCE_ALONE: &str = "resource_";

/// Where a label lies, as Loki's language names it: its names have no dots.
///
/// Columns go by their own names and by the present ones of the conventions. What else there is are attributes: under
/// the name as it is written, or with dots where it has underscores; and where there is none, what else the name may
/// mean. Behind `attribute_` and `resource_` stands the name of an attribute, whatever is `_` in it.
pub(crate) fn label(name: &str) -> Sources {
    match name {
        "level" | "detected_level" => return field(Kind::Logs, "level"),
        "scope_name" => return field(Kind::Logs, "scope"),
        "trace_id" | "span_id" | "logger" => return field(Kind::Logs, name),
        "event_name" => return vec![Source::Column("event_name", Holds::Text)],
        _ => {}
    }
    let mut columns =
        CONVENTIONS.iter().chain(ORIGIN).filter(|(column, ..)| *column != "service" || name != *column);
    let is_present = |(column, _, names): &&Named| {
        *column == name || names.first().is_some_and(|present| is_labelled(present, name))
    };
    if let Some((column, holds, _)) = columns.clone().find(is_present) {
        return vec![Source::Column(column, *holds)];
    }
    let mut sources = Sources::new();
    let dotted = name.replace('_', ".");
    for map in [OWN, OF_RESOURCE] {
        sources.push(Source::Attribute(map, name.to_owned()));
        if dotted != name {
            sources.push(Source::Attribute(map, dotted.clone()));
        }
    }
    for (prefix, map) in [(OF_RECORD_ALONE, OWN), (OF_RESOURCE_ALONE, OF_RESOURCE)] {
        sources.extend(name.strip_prefix(prefix).map(|rest| Source::Labelled(map, rest.to_owned())));
    }
    match name {
        "service" | "job" | "app" => sources.extend(field(Kind::Logs, "service")),
        "hostname" => sources.extend(field(Kind::Logs, "host")),
        "scope" => sources.extend(field(Kind::Logs, "scope")),
        _ => {
            let of_old = columns.find(|(_, _, names)| names.iter().any(|known| is_labelled(known, name)));
            sources.extend(of_old.map(|(column, holds, _)| Source::Column(column, *holds)));
        }
    }
    sources
}

/// The name of a label for an attribute: what Loki's names cannot have is `_`.
pub(crate) fn as_label(name: &str) -> String {
    let mut label: String = name.chars().map(in_label).collect();
    if label.starts_with(|first: char| first.is_ascii_digit()) {
        label.insert(0, '_');
    }
    label
}

/// Whether the name of an attribute is this one as a label.
pub(crate) fn is_labelled(name: &str, label: &str) -> bool {
    let is_number = name.starts_with(|first: char| first.is_ascii_digit());
    let label = if is_number { label.strip_prefix('_') } else { Some(label) };
    label.is_some_and(|label| name.chars().map(in_label).eq(label.chars()))
}

/// What a letter is in a label.
fn in_label(letter: char) -> char {
    if letter.is_ascii_alphanumeric() { letter } else { '_' }
}

fn named(table: &[Named], map: &'static str, name: &str) -> Sources {
    let attribute = Source::Attribute(map, name.to_owned());
    match table.iter().find(|(_, _, names)| names.contains(&name)) {
        None => vec![attribute],
        Some((column, holds, names)) if names.first() == Some(&name) => vec![Source::Column(column, *holds)],
        Some((column, holds, _)) => vec![attribute, Source::Column(column, *holds)],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn every_field_lies_in_columns_that_there_are_and_that_hold_what_is_said() {
        for kind in Kind::ALL {
            let table = store::schema(kind.table());
            let schema = kind.schema();
            let names = schema.fields().map(|(name, _)| field(*kind, name));
            let of_conventions = CONVENTIONS.iter().chain(ORIGIN).flat_map(|(_, _, names)| *names);
            for source in names.chain(of_conventions.map(|name| attribute(Scope::Any, name))).flatten() {
                let column = table.field_with_name(source.column()).expect("a column of the table");
                let fits = match &source {
                    Source::Attribute(..) | Source::Labelled(..) => {
                        matches!(column.data_type(), DataType::Map(..))
                    }
                    Source::Column(_, Holds::Text | Holds::Level) => *column.data_type() == DataType::Utf8,
                    Source::Column(_, Holds::Count | Holds::Nanos) => *column.data_type() == DataType::UInt64,
                    Source::Column(_, Holds::Time) => matches!(column.data_type(), DataType::Timestamp(..)),
                };
                assert!(fits, "{source:?}");
            }
        }
    }

    #[test]
    fn labels_are_columns_under_any_name_of_theirs_and_attributes_with_dots_for_underscores() {
        let column = |name| Source::Column(name, Holds::Text);
        for (name, expected) in [
            ("service_name", column("service")),
            ("host", column("host")),
            ("host_name", column("host")),
            ("detected_level", Source::Column("level", Holds::Level)),
            ("environment", column("environment")),
            ("deployment_environment_name", column("environment")),
            ("http_status_code", Source::Column("http_status_code", Holds::Count)),
            ("http_response_status_code", Source::Column("http_status_code", Holds::Count)),
            ("gen_ai_request_model", column("gen_ai_request_model")),
            ("trace_id", column("trace_id")),
        ] {
            assert_eq!(label(name), [expected], "{name}");
        }
        let attribute = |map, key: &str| Source::Attribute(map, key.to_owned());
        let either = |plain: &str, dotted: &str| {
            [OWN, OF_RESOURCE].map(|map| [attribute(map, plain), attribute(map, dotted)]).concat()
        };
        assert_eq!(label("k8s_pod"), either("k8s_pod", "k8s.pod"));
        let mut of_old = either("deployment_environment", "deployment.environment");
        of_old.push(column("environment"));
        assert_eq!(label("deployment_environment"), of_old);
        let alone = |map, name: &str| Source::Labelled(map, name.to_owned());
        assert_eq!(label("attribute_a_b").last(), Some(&alone(OWN, "a_b")));
        assert_eq!(label("resource_a_b").last(), Some(&alone(OF_RESOURCE, "a_b")));
        for (name, meant) in
            [("service", "service"), ("job", "service"), ("app", "service"), ("hostname", "host")]
        {
            let own = [OWN, OF_RESOURCE].map(|map| attribute(map, name));
            assert_eq!(label(name), [&own[..], &[column(meant)]].concat(), "{name}");
        }
        assert_eq!(["k8s.pod-name", "2nd", ""].map(as_label), ["k8s_pod_name", "_2nd", ""]);
        for name in ["k8s.pod-name", "2nd", "", "für"] {
            assert!(is_labelled(name, &as_label(name)), "{name}");
        }
        for (name, label) in [("2nd", "2nd"), ("a.b", "a.b"), ("ab", "a"), ("a", "_a")] {
            assert!(!is_labelled(name, label), "{name} {label}");
        }
    }

    #[test]
    fn every_name_fills_one_column() {
        let all: Vec<&str> =
            CONVENTIONS.iter().chain(ORIGIN).flat_map(|(_, _, names)| names.iter().copied()).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn present_names_are_in_columns_and_other_names_beside_them_too() {
        let column = |name| Source::Column(name, Holds::Text);
        let cases = [
            (Scope::Record, "tenant", vec![column("tenant")]),
            (Scope::Record, "tenant_id", vec![Source::Attribute(OWN, "tenant_id".into()), column("tenant")]),
            (Scope::Record, "colour", vec![Source::Attribute(OWN, "colour".into())]),
            (Scope::Resource, "service.version", vec![column("service_version")]),
            (Scope::Any, "tenant", vec![column("tenant"), Source::Attribute(OF_RESOURCE, "tenant".into())]),
            (
                Scope::Any,
                "process.pid",
                vec![Source::Attribute(OWN, "process.pid".into()), Source::Column("pid", Holds::Count)],
            ),
        ];
        for (scope, name, expected) in cases {
            assert_eq!(attribute(scope, name), expected, "{scope:?} {name}");
        }
    }
}
