//! The one table of names: which attributes have fields of their own, under which names they have come over the years.
//!
//! After the semantic conventions of OpenTelemetry (<https://opentelemetry.io/docs/specs/semconv/>). A name of old fills
//! the same field as the present one. When both are there the present one holds, and the other stays an attribute
//! unless it says the same.

use std::collections::HashMap;
use std::sync::LazyLock;

use model::event::{Conventions, Origin};

use super::texts::{Kept, Texts};
use crate::otlp::value::AnyValue;

/// A field, and the names that fill it: the present one first, then those of old and of other dialects.
pub(crate) struct Field<T> {
    place: Place<T>,
    names: &'static [&'static str],
}

/// Where a value goes.
enum Place<T> {
    Text(fn(&mut T) -> &mut Option<String>),
    Count(fn(&mut T) -> &mut Option<u64>),
}

use Place::{Count, Text};

/// What attributes of resources fill.
const OF_ORIGIN: &[Field<Origin>] = &[
    Field { place: Text(|all| &mut all.service), names: &["service.name"] },
    Field { place: Text(|all| &mut all.service_namespace), names: &["service.namespace"] },
    Field { place: Text(|all| &mut all.service_version), names: &["service.version"] },
    Field { place: Text(|all| &mut all.service_instance_id), names: &["service.instance.id"] },
    Field {
        place: Text(|all| &mut all.environment),
        names: &["deployment.environment.name", "deployment.environment"],
    },
    Field { place: Text(|all| &mut all.host), names: &["host.name"] },
    Field { place: Count(|all| &mut all.pid), names: &["process.pid"] },
];

/// What attributes of records and spans fill.
const OF_RECORD: &[Field<Conventions>] = &[
    Field { place: Text(|all| &mut all.job_id), names: &["job_id", "job.id", "task_id", "task.id"] },
    Field { place: Text(|all| &mut all.stage), names: &["stage", "pipeline.stage"] },
    Field { place: Text(|all| &mut all.document_id), names: &["document_id", "document.id"] },
    Field { place: Text(|all| &mut all.tenant), names: &["tenant", "tenant_id", "tenant.id"] },
    Field { place: Text(|all| &mut all.worker_id), names: &["worker_id", "worker.id", "cicd.worker.id"] },
    Field { place: Text(|all| &mut all.user_id), names: &["user_id", "user.id", "enduser.id"] },
    Field { place: Text(|all| &mut all.request_id), names: &["request_id", "request.id"] },
    Field { place: Text(|all| &mut all.http_method), names: &["http.request.method", "http.method"] },
    Field { place: Text(|all| &mut all.http_route), names: &["http.route"] },
    Field {
        place: Count(|all| &mut all.http_status_code),
        names: &["http.response.status_code", "http.status_code"],
    },
    Field { place: Text(|all| &mut all.url_path), names: &["url.path", TARGET] },
    Field { place: Text(|all| &mut all.db_system), names: &["db.system.name", "db.system"] },
    Field { place: Text(|all| &mut all.db_operation), names: &["db.operation.name", "db.operation"] },
    Field { place: Text(|all| &mut all.db_namespace), names: &["db.namespace", "db.name"] },
    Field {
        place: Text(|all| &mut all.db_collection),
        names: &["db.collection.name", "db.sql.table", "db.mongodb.collection", "db.cassandra.table"],
    },
    Field { place: Text(|all| &mut all.db_query), names: &["db.query.text", "db.statement"] },
    Field { place: Text(|all| &mut all.messaging_system), names: &["messaging.system"] },
    Field {
        place: Text(|all| &mut all.messaging_destination),
        names: &["messaging.destination.name", "messaging.destination"],
    },
    Field {
        place: Text(|all| &mut all.messaging_operation),
        names: &["messaging.operation.name", "messaging.operation.type", "messaging.operation"],
    },
    Field {
        place: Text(|all| &mut all.messaging_message_id),
        names: &["messaging.message.id", "messaging.message_id"],
    },
    Field {
        place: Text(|all| &mut all.gen_ai_provider),
        names: &["gen_ai.provider.name", "gen_ai.system", "llm.provider"],
    },
    Field { place: Text(|all| &mut all.gen_ai_operation), names: &["gen_ai.operation.name"] },
    Field {
        place: Text(|all| &mut all.gen_ai_request_model),
        names: &["gen_ai.request.model", "llm.request.model", "llm.model_name"],
    },
    Field {
        place: Text(|all| &mut all.gen_ai_response_model),
        names: &["gen_ai.response.model", "llm.response.model"],
    },
    Field {
        place: Count(|all| &mut all.gen_ai_input_tokens),
        names: &[
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.usage.prompt_tokens",
            "llm.token_count.prompt",
        ],
    },
    Field {
        place: Count(|all| &mut all.gen_ai_output_tokens),
        names: &[
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.usage.completion_tokens",
            "llm.token_count.completion",
        ],
    },
    Field {
        place: Text(|all| &mut all.gen_ai_finish_reason),
        names: &["gen_ai.response.finish_reasons", "gen_ai.response.finish_reason"],
    },
    Field { place: Text(|all| &mut all.error_type), names: &["error.type"] },
    Field { place: Text(|all| &mut all.exception_type), names: &["exception.type"] },
    Field { place: Text(|all| &mut all.exception_message), names: &["exception.message"] },
    Field { place: Text(|all| &mut all.exception_stacktrace), names: &["exception.stacktrace"] },
];

/// The name of old of what are two things today: a path and a query.
const TARGET: &str = "http.target";
const QUERY: &str = "url.query";

/// The most fields of a table.
const MAX_FIELDS: usize = 40;

/// A table of names, to be looked up.
pub(crate) struct Names<T: 'static> {
    fields: &'static [Field<T>],
    /// The field that a name fills, and the place of the name among those of the field.
    by_name: HashMap<&'static str, (usize, u8)>,
}

pub(crate) static ORIGIN: LazyLock<Names<Origin>> = LazyLock::new(|| Names::new(OF_ORIGIN));
pub(crate) static RECORD: LazyLock<Names<Conventions>> = LazyLock::new(|| Names::new(OF_RECORD));

impl<T: 'static> Names<T> {
    fn new(fields: &'static [Field<T>]) -> Self {
        let by_name = fields.iter().enumerate().flat_map(|(index, field)| {
            (0u8..).zip(field.names).map(move |(rank, name)| (*name, (index, rank)))
        });
        Self { fields, by_name: by_name.collect() }
    }
}

/// Fields and attributes of one record while they are filled.
pub(crate) struct Filling<T: 'static> {
    names: &'static Names<T>,
    pub(crate) fields: T,
    pub(crate) kept: Kept,
    /// Which of its names has filled a field.
    filled_by: [Option<u8>; MAX_FIELDS],
}

impl<T: Default + 'static> Filling<T> {
    pub(crate) fn of(names: &'static Names<T>) -> Self {
        Self { names, fields: T::default(), kept: Kept::default(), filled_by: [None; MAX_FIELDS] }
    }

    /// Puts an attribute where it belongs.
    pub(crate) fn put(&mut self, key: &str, value: &AnyValue<'_>, texts: &mut Texts<'_>) {
        let Some((index, rank)) = self.names.by_name.get(key).copied() else {
            let text = texts.of_value(value);
            return self.kept.put(key, text, texts);
        };
        match &self.names.fields[index].place {
            Text(_) if key == TARGET => self.put_target(index, rank, value, texts),
            Text(place) => {
                let text = text_of(value, texts);
                self.put_text(*place, (index, rank), text, texts);
            }
            Count(place) => match count_of(value) {
                Some(count) => self.put_count(*place, (index, rank), count, texts),
                None => {
                    let text = texts.of_value(value);
                    self.kept.put(key, text, texts);
                }
            },
        }
    }

    /// The path goes where paths go today, and the query, too.
    fn put_target(&mut self, index: usize, rank: u8, value: &AnyValue<'_>, texts: &mut Texts<'_>) {
        let target = texts.of_value(value);
        let (path, query) = target.split_once('?').unwrap_or((target.as_str(), ""));
        if !query.is_empty() {
            self.kept.put(QUERY, query.to_owned(), texts);
        }
        if let Text(place) = self.names.fields[index].place {
            self.put_text(place, (index, rank), path.to_owned(), texts);
        }
    }

    fn put_text(
        &mut self,
        place: fn(&mut T) -> &mut Option<String>,
        (index, rank): (usize, u8),
        text: String,
        texts: &mut Texts<'_>,
    ) {
        if text.is_empty() {
            return;
        }
        let field = place(&mut self.fields);
        let names = self.names.fields[index].names;
        match (field.as_ref(), self.filled_by[index]) {
            (Some(there), Some(_)) if *there == text => {}
            (Some(_), Some(by)) if by <= rank => self.kept.put(names[usize::from(rank)], text, texts),
            (_, by) => {
                let before = field.replace(text);
                self.filled_by[index] = Some(rank);
                if let Some((before, by)) = before.zip(by) {
                    self.kept.put(names[usize::from(by)], before, texts);
                }
            }
        }
    }

    fn put_count(
        &mut self,
        place: fn(&mut T) -> &mut Option<u64>,
        (index, rank): (usize, u8),
        count: u64,
        texts: &mut Texts<'_>,
    ) {
        let field = place(&mut self.fields);
        let names = self.names.fields[index].names;
        match (*field, self.filled_by[index]) {
            (Some(there), Some(_)) if there == count => {}
            (Some(_), Some(by)) if by <= rank => {
                self.kept.put(names[usize::from(rank)], count.to_string(), texts);
            }
            (before, by) => {
                *field = Some(count);
                self.filled_by[index] = Some(rank);
                if let Some((before, by)) = before.zip(by) {
                    self.kept.put(names[usize::from(by)], before.to_string(), texts);
                }
            }
        }
    }
}

/// A text of a field; of several values, all of them with commas between them.
fn text_of(value: &AnyValue<'_>, texts: &mut Texts<'_>) -> String {
    match value {
        AnyValue::Array(values) if values.iter().all(|value| matches!(value, AnyValue::Text(_))) => {
            let all: Vec<_> = values.iter().map(AnyValue::text).collect();
            texts.of(&all.join(","))
        }
        value => texts.of_value(value),
    }
}

/// A number of things, also where it is written as a text or with a decimal point.
fn count_of(value: &AnyValue<'_>) -> Option<u64> {
    match value {
        AnyValue::Int(number) => u64::try_from(*number).ok(),
        AnyValue::Double(number) if number.fract() == 0.0 && (0.0..=MAX_WHOLE).contains(number) => {
            Some(*number as u64)
        }
        AnyValue::Text(text) => text.parse().ok(),
        AnyValue::Empty
        | AnyValue::Bool(_)
        | AnyValue::Double(_)
        | AnyValue::Bytes(_)
        | AnyValue::Array(_)
        | AnyValue::Map(_) => None,
    }
}

/// Up to here every whole number is one of its own.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_fills_one_field() {
        assert!(OF_RECORD.len() <= MAX_FIELDS && OF_ORIGIN.len() <= MAX_FIELDS);
        let all = OF_RECORD.iter().flat_map(|field| field.names);
        let all: Vec<_> = all.chain(OF_ORIGIN.iter().flat_map(|field| field.names)).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert!(all.iter().all(|name| !name.is_empty()));
    }
}
