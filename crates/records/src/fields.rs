//! Where the fields and attributes that a search names lie in the tables.
//!
//! Attributes under names of semantic conventions have columns, under present names and those of old alike
//! ([`model::event::columns`], by which they are filled, too). What came under a present name is in the column; what
//! came under another one may be beside it, in the attributes, when both were sent.

use model::event::columns::{Column as ModelColumn, OF_EITHER, OF_ORIGIN, OF_RECORD, Place};
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
    /// What kind of thing is audited, of which the category of a record follows.
    Category,
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

pub(crate) const OWN: &str = "attributes";
const OF_RESOURCE: &str = "resource_attributes";

/// A column, what it holds, and the names of attributes that fill it, the present one first.
pub(crate) type Named = (&'static str, Holds, &'static [&'static str]);

/// What attributes of records fill.
pub(crate) fn conventions() -> impl Iterator<Item = Named> {
    OF_RECORD.iter().map(named_by)
}

/// What attributes of resources fill.
pub(crate) fn origin() -> impl Iterator<Item = Named> {
    OF_ORIGIN.iter().map(named_by)
}

const fn named_by<T: 'static>(column: &'static ModelColumn<T>) -> Named {
    let holds = match column.place {
        Place::Text(_) | Place::Prose(_) | Place::Id(_) => Holds::Text,
        Place::Count(_) => Holds::Count,
    };
    (column.name, holds, column.names)
}

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
        _ => match OTHERS.iter().find(|(column, _)| *column == name) {
            Some((column, holds)) => beside_column((column, *holds, &[]), Scope::Any, name),
            None => said_under(name),
        },
    }
}

/// Columns that no attribute fills by the table of names, and whose fields are named like them. A record that says
/// nothing there may have an attribute of that name.
const OTHERS: &[(&str, Holds)] = &[
    ("dropped_attributes", Holds::Count),
    ("dropped_events", Holds::Count),
    ("dropped_links", Holds::Count),
    ("dropped_resource_attributes", Holds::Count),
    ("event_id", Holds::Text),
    ("event_name", Holds::Text),
    ("events", Holds::Text),
    ("flaws", Holds::Text),
    ("links", Holds::Text),
    ("scope_version", Holds::Text),
    ("severity_number", Holds::Count),
    ("severity_text", Holds::Text),
    ("trace_flags", Holds::Count),
    ("trace_state", Holds::Text),
];

/// Where what conventions name lies, by any name of an attribute or by that of its column.
fn said_under(name: &str) -> Sources {
    let is_it = |(column, _, names): &Named| *column == name || names.contains(&name);
    if let Some((column, holds, names)) = conventions().find(is_it) {
        let scope = if OF_EITHER.contains(&column) { Scope::Any } else { Scope::Record };
        return beside_column((column, holds, names), scope, name);
    }
    // Of what the record comes from it may say more itself.
    match origin().find(is_it) {
        Some(named) => beside_column(named, Scope::Any, name),
        None => attribute(Scope::Record, name),
    }
}

/// The places of an attribute, or those of a column that has no attribute of its name: that comes first, then.
fn beside_column((column, holds, names): Named, scope: Scope, name: &str) -> Sources {
    let mut sources = attribute(scope, name);
    if !names.contains(&name) {
        sources.insert(0, Source::Column(column, holds));
    }
    sources
}

/// Where an attribute lies.
pub(crate) fn attribute(scope: Scope, name: &str) -> Sources {
    match scope {
        Scope::Record => named(conventions(), OWN, name),
        Scope::Resource => named(origin(), OF_RESOURCE, name),
        Scope::Any => {
            let mut sources = named(conventions(), OWN, name);
            sources.extend(named(origin(), OF_RESOURCE, name));
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
    let is_other = move |(column, ..): &Named| *column != "service" || name != *column;
    let columns = || conventions().chain(origin()).filter(is_other);
    let is_present = |(column, _, names): &Named| {
        *column == name || names.first().is_some_and(|present| is_labelled(present, name))
    };
    if let Some((column, holds, _)) = columns().find(is_present) {
        return vec![Source::Column(column, holds)];
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
            let of_old = columns().find(|(_, _, names)| names.iter().any(|known| is_labelled(known, name)));
            sources.extend(of_old.map(|(column, holds, _)| Source::Column(column, holds)));
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

fn named(mut table: impl Iterator<Item = Named>, map: &'static str, name: &str) -> Sources {
    let attribute = Source::Attribute(map, name.to_owned());
    match table.find(|(_, _, names)| names.contains(&name)) {
        None => vec![attribute],
        Some((column, holds, names)) if names.first() == Some(&name) => vec![Source::Column(column, holds)],
        Some((column, holds, _)) => vec![attribute, Source::Column(column, holds)],
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn every_field_lies_in_columns_that_there_are_and_that_hold_what_is_said() {
        for kind in Kind::ALL {
            let table = store::schema(kind.table());
            let schema = kind.schema();
            let names = schema.fields().map(|(name, _)| field(*kind, name));
            let of_conventions = conventions().chain(origin()).flat_map(|(_, _, names)| names);
            for source in names.chain(of_conventions.map(|name| attribute(Scope::Any, name))).flatten() {
                let column = table.field_with_name(source.column()).expect("a column of the table");
                let fits = match &source {
                    Source::Attribute(..) | Source::Labelled(..) => {
                        matches!(column.data_type(), DataType::Map(..))
                    }
                    Source::Column(_, Holds::Text | Holds::Level | Holds::Category) => {
                        *column.data_type() == DataType::Utf8
                    }
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

    /// Whatever a table has can be asked for by the name that it has there, and by each name that fills it.
    #[test]
    fn every_column_is_found_by_its_name_and_by_those_of_attributes_that_fill_it() {
        /// What is named with what is in it: `attributes.colour`, `resource.zone`.
        const MAPS: &[&str] = &["attributes", "resource_attributes", "scope_attributes"];
        let is_found = |kind: Kind, name: &str, column: &str| {
            let target = kind.schema().target(name);
            assert!(matches!(target, Target::Field { .. }), "{name} is no field");
            let has = places(kind, &target)
                .iter()
                .flatten()
                .any(|source| matches!(source, Source::Column(..)) && source.column() == column);
            assert!(has, "{name} is not found in {column}");
        };
        for kind in Kind::ALL {
            for column in store::schema(kind.table()).fields() {
                if !MAPS.contains(&column.name().as_str()) {
                    is_found(*kind, column.name(), column.name());
                }
            }
            for (column, _, names) in conventions().chain(origin()) {
                names.iter().for_each(|name| is_found(*kind, name, column));
            }
        }
    }

    #[test]
    fn what_has_the_name_of_a_column_may_be_an_attribute_too() {
        let column = |name, holds| Source::Column(name, holds);
        let own = |name: &str| Source::Attribute(OWN, name.to_owned());
        let of_resource = |name: &str| Source::Attribute(OF_RESOURCE, name.to_owned());
        let cases = [
            ("http_method", vec![column("http_method", Holds::Text), own("http_method")]),
            ("http.method", vec![own("http.method"), column("http_method", Holds::Text)]),
            ("tenant", vec![column("tenant", Holds::Text), of_resource("tenant")]),
            ("job_id", vec![column("job_id", Holds::Text)]),
            (
                "environment",
                vec![column("environment", Holds::Text), own("environment"), of_resource("environment")],
            ),
            ("service.version", vec![own("service.version"), column("service_version", Holds::Text)]),
            ("flaws", vec![column("flaws", Holds::Text), own("flaws"), of_resource("flaws")]),
            ("server.address", vec![own("server.address")]),
        ];
        for (name, expected) in cases {
            assert_eq!(field(Kind::Spans, name), expected, "{name}");
        }
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
