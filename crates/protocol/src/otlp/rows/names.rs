//! The one table of names: which attributes have fields of their own, under which names they have come over the years.
//!
//! After the semantic conventions of OpenTelemetry (<https://opentelemetry.io/docs/specs/semconv/>). A name of old fills
//! the same field as the present one. When both are there the present one holds, and the other stays an attribute
//! unless it says the same.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use model::event::{Conventions, Origin};

use super::texts::{Kept, Texts};
use crate::otlp::value::AnyValue;

/// A field, and the names that fill it: the present one first, then those of old and of other dialects.
pub(crate) struct Field<T> {
    pub(crate) place: Place<T>,
    pub(crate) names: &'static [&'static str],
}

/// Where a value goes.
pub(crate) enum Place<T> {
    Text(fn(&mut T) -> &mut Option<String>),
    /// A text that is left out rather than cut.
    Id(fn(&mut T) -> &mut Option<String>),
    Count(fn(&mut T) -> &mut Option<u64>),
}

use Place::{Count, Id, Text};

/// What attributes of resources fill.
const OF_ORIGIN: &[Field<Origin>] = &[
    Field { place: Text(|all| &mut all.service), names: &["service.name"] },
    Field { place: Text(|all| &mut all.service_namespace), names: &["service.namespace"] },
    Field { place: Text(|all| &mut all.service_version), names: &["service.version"] },
    Field { place: Id(|all| &mut all.service_instance_id), names: &["service.instance.id"] },
    Field {
        place: Text(|all| &mut all.environment),
        names: &["deployment.environment.name", "deployment.environment"],
    },
    Field { place: Text(|all| &mut all.host), names: &["host.name"] },
    Field { place: Count(|all| &mut all.pid), names: &["process.pid"] },
];

/// What attributes of records and spans fill.
const OF_RECORD: &[Field<Conventions>] = &[
    Field { place: Id(|all| &mut all.job_id), names: &["job_id", "job.id", "task_id", "task.id"] },
    Field { place: Text(|all| &mut all.stage), names: &["stage", "pipeline.stage"] },
    Field { place: Id(|all| &mut all.document_id), names: &["document_id", "document.id"] },
    Field { place: Text(|all| &mut all.tenant), names: &["tenant", "tenant_id", "tenant.id"] },
    Field { place: Id(|all| &mut all.worker_id), names: &["worker_id", "worker.id", "cicd.worker.id"] },
    Field { place: Id(|all| &mut all.user_id), names: &["user_id", "user.id", "enduser.id"] },
    Field { place: Id(|all| &mut all.request_id), names: &["request_id", "request.id"] },
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
        place: Id(|all| &mut all.messaging_message_id),
        names: &["messaging.message.id", "messaging.message_id"],
    },
    Field {
        place: Text(|all| &mut all.gen_ai_provider),
        names: &["gen_ai.provider.name", "gen_ai.system", "llm.provider"],
    },
    Field {
        place: Text(|all| &mut all.gen_ai_operation),
        names: &["gen_ai.operation.name", "llm.request.type"],
    },
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
    by_name: HashMap<Cow<'static, str>, (usize, u8)>,
}

pub(crate) static ORIGIN: LazyLock<Names<Origin>> = LazyLock::new(|| Names::new(OF_ORIGIN));
pub(crate) static RECORD: LazyLock<Names<Conventions>> = LazyLock::new(|| Names::new(OF_RECORD));
/// The same for senders whose names have no dots: Loki's labels.
pub(crate) static RECORD_WITHOUT_DOTS: LazyLock<Names<Conventions>> =
    LazyLock::new(|| Names::new(OF_RECORD).and_without_dots());

impl<T: 'static> Names<T> {
    pub(crate) fn new(fields: &'static [Field<T>]) -> Self {
        let by_name = fields.iter().enumerate().flat_map(|(index, field)| {
            (0u8..).zip(field.names).map(move |(rank, name)| (Cow::Borrowed(*name), (index, rank)))
        });
        Self { fields, by_name: by_name.collect() }
    }

    /// Names with dots are known with underscores, too.
    fn and_without_dots(mut self) -> Self {
        for (index, field) in self.fields.iter().enumerate() {
            for (rank, name) in (0u8..).zip(field.names) {
                self.by_name.entry(Cow::Owned(name.replace('.', "_"))).or_insert((index, rank));
            }
        }
        self
    }

    /// Fills fields that are empty with those of another.
    pub(crate) fn complete(&self, into: &mut T, mut from: T, texts: &mut Texts<'_>) {
        for field in self.fields {
            match &field.place {
                Text(place) if place(into).is_none() => {
                    *place(into) = place(&mut from).take().map(|text| texts.of(&text));
                }
                Id(place) if place(into).is_none() => {
                    let id = place(&mut from).take();
                    *place(into) = id.and_then(|id| texts.id(&AnyValue::Text(id.into())));
                }
                Count(place) if place(into).is_none() => *place(into) = place(&mut from).take(),
                Text(_) | Id(_) | Count(_) => {}
            }
        }
    }

    /// Whether a name fills a field.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }
}

/// Fields and attributes of one record while they are filled.
#[derive(Clone)]
pub(crate) struct Filling<T: 'static> {
    names: &'static Names<T>,
    pub(crate) fields: T,
    pub(crate) kept: Kept,
    /// Which of its names has filled a field: the best of those that say the same.
    filled_by: [Option<u8>; MAX_FIELDS],
    /// What is two things today, and the field of the first of them; what says these by their present names may follow.
    target: Option<(usize, String)>,
}

impl<T: Default + 'static> Filling<T> {
    pub(crate) fn of(names: &'static Names<T>) -> Self {
        let (fields, kept) = (T::default(), Kept::default());
        Self { names, fields, kept, filled_by: [None; MAX_FIELDS], target: None }
    }

    /// Puts an attribute where it belongs.
    pub(crate) fn put(&mut self, key: &str, value: &AnyValue<'_>, texts: &mut Texts<'_>) {
        let Some((index, rank)) = self.names.by_name.get(key).copied() else {
            return self.kept.put(key, texts, |texts| texts.of_value(value));
        };
        match &self.names.fields[index].place {
            Text(_) if key == TARGET => self.hold_target(index, value, texts),
            Text(place) => {
                let text = text_of(value, texts);
                self.put_text(*place, (index, rank), text, texts);
            }
            Id(place) => {
                if let Some(id) = texts.id(value) {
                    self.put_text(*place, (index, rank), id, texts);
                }
            }
            Count(place) => match count_of(value) {
                Some(count) => {
                    if let Some((name, count)) = self.fill(*place, (index, rank), count) {
                        self.kept.put(name, texts, |texts| texts.of(&count.to_string()));
                    }
                }
                None => self.kept.put(key, texts, |texts| texts.of_value(value)),
            },
        }
    }

    /// Fields and attributes, once all attributes were put.
    pub(crate) fn end(mut self, texts: &mut Texts<'_>) -> (T, Kept) {
        if let Some((index, target)) = self.target.take() {
            self.put_target(index, target, texts);
        }
        (self.fields, self.kept)
    }

    fn hold_target(&mut self, index: usize, value: &AnyValue<'_>, texts: &mut Texts<'_>) {
        let target = texts.of_value(value);
        match &self.target {
            None => self.target = Some((index, target)),
            Some((_, first)) if *first == target => {}
            Some(_) => self.kept.leave_out(texts),
        }
    }

    /// The path goes where paths go today, and the query, too. Where something else is there already, the target stays as
    /// it was sent.
    fn put_target(&mut self, index: usize, target: String, texts: &mut Texts<'_>) {
        let Text(place) = &self.names.fields[index].place else { return };
        let field = place(&mut self.fields);
        let (path, query) = target.split_once('?').unwrap_or((target.as_str(), ""));
        let is_other =
            |there: Option<&String>, said: &str| !said.is_empty() && there.is_some_and(|there| there != said);
        if field.is_none() && !path.is_empty() {
            *field = Some(path.to_owned());
        }
        if is_other(field.as_ref(), path) || is_other(self.kept.attributes.get(QUERY), query) {
            texts.give_back(&target);
            return self.kept.put(TARGET, texts, |texts| texts.charged(target));
        }
        if !query.is_empty() {
            // Its bytes were counted with the target's.
            self.kept.put(QUERY, texts, |_| query.to_owned());
        }
    }

    fn put_text(
        &mut self,
        place: fn(&mut T) -> &mut Option<String>,
        at: (usize, u8),
        text: String,
        texts: &mut Texts<'_>,
    ) {
        if text.is_empty() {
            return;
        }
        if let Some((name, text)) = self.fill(place, at, text) {
            texts.give_back(&text);
            self.kept.put(name, texts, |texts| texts.charged(text));
        }
    }

    /// Fills a field with what one of its names says. The best name holds; what a worse one says stays an attribute under
    /// its own name, and is given back, unless it is the same.
    fn fill<V: PartialEq>(
        &mut self,
        place: fn(&mut T) -> &mut Option<V>,
        (index, rank): (usize, u8),
        value: V,
    ) -> Option<(&'static str, V)> {
        let (field, filled_by) = (place(&mut self.fields), &mut self.filled_by[index]);
        let (Some(there), Some(by)) = (field.as_mut(), *filled_by) else {
            *field = Some(value);
            *filled_by = Some(rank);
            return None;
        };
        *filled_by = Some(by.min(rank));
        if *there == value {
            return None;
        }
        let names = self.names.fields[index].names;
        Some(if by <= rank {
            (names[usize::from(rank)], value)
        } else {
            (names[usize::from(by)], std::mem::replace(there, value))
        })
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
