//! The one table of names: which attributes have columns of their own, under which names they have come over the
//! years. Whoever takes records in fills columns by it, and whoever searches them finds columns by it.
//!
//! After the semantic conventions of OpenTelemetry (<https://opentelemetry.io/docs/specs/semconv/>). A name of old
//! stands for the same column as the present one.

use super::{Conventions, Origin};

/// A column, and the names that fill it.
#[derive(Debug)]
pub struct Column<T: 'static> {
    /// Its name, which is that of the field, too.
    pub name: &'static str,
    /// The field, and what it holds.
    pub place: Place<T>,
    /// Names of attributes: the present one first, then those of old and of other dialects.
    pub names: &'static [&'static str],
}

/// Where a value goes, and what it is.
#[derive(Debug)]
pub enum Place<T> {
    /// A name, which is compared as a whole.
    Text(fn(&mut T) -> &mut Option<String>),
    /// A text in which words are looked for.
    Prose(fn(&mut T) -> &mut Option<String>),
    /// An id, which is left out rather than cut.
    Id(fn(&mut T) -> &mut Option<String>),
    /// A whole number.
    Count(fn(&mut T) -> &mut Option<u64>),
}

/// Columns, each named like the field that it is.
macro_rules! columns {
    ($($kind:ident $field:ident: $($name:literal)+;)+) => {
        &[$(Column {
            name: stringify!($field),
            place: Place::$kind(|all| &mut all.$field),
            names: &[$($name),+],
        }),+]
    };
}

/// What attributes of resources fill.
pub const OF_ORIGIN: &[Column<Origin>] = columns! {
    Text service: "service.name";
    Text service_namespace: "service.namespace";
    Text service_version: "service.version";
    Id service_instance_id: "service.instance.id";
    Text environment: "deployment.environment.name" "deployment.environment";
    Text host: "host.name";
    Count pid: "process.pid";
};

/// What attributes of records and spans fill.
pub const OF_RECORD: &[Column<Conventions>] = columns! {
    Id job_id: "job_id" "job.id" "task_id" "task.id";
    Text stage: "stage" "pipeline.stage";
    Id document_id: "document_id" "document.id";
    Text tenant: "tenant" "tenant_id" "tenant.id";
    Id worker_id: "worker_id" "worker.id" "cicd.worker.id";
    Id user_id: "user_id" "user.id" "enduser.id";
    Id request_id: "request_id" "request.id";
    Text http_method: "http.request.method" "http.method";
    Text http_route: "http.route";
    Count http_status_code: "http.response.status_code" "http.status_code";
    Text url_path: "url.path" "http.target";
    Text db_system: "db.system.name" "db.system";
    Text db_operation: "db.operation.name" "db.operation";
    Text db_namespace: "db.namespace" "db.name";
    Text db_collection:
        "db.collection.name" "db.sql.table" "db.mongodb.collection" "db.cassandra.table";
    Prose db_query: "db.query.text" "db.statement";
    Text messaging_system: "messaging.system";
    Text messaging_destination: "messaging.destination.name" "messaging.destination";
    Text messaging_operation:
        "messaging.operation.name" "messaging.operation.type" "messaging.operation";
    Id messaging_message_id: "messaging.message.id" "messaging.message_id";
    Text gen_ai_provider: "gen_ai.provider.name" "gen_ai.system" "llm.provider";
    Text gen_ai_operation: "gen_ai.operation.name" "llm.request.type";
    Text gen_ai_request_model: "gen_ai.request.model" "llm.request.model" "llm.model_name";
    Text gen_ai_response_model: "gen_ai.response.model" "llm.response.model";
    Count gen_ai_input_tokens:
        "gen_ai.usage.input_tokens" "gen_ai.usage.prompt_tokens" "llm.usage.prompt_tokens"
        "llm.token_count.prompt";
    Count gen_ai_output_tokens:
        "gen_ai.usage.output_tokens" "gen_ai.usage.completion_tokens" "llm.usage.completion_tokens"
        "llm.token_count.completion";
    Text gen_ai_finish_reason: "gen_ai.response.finish_reasons" "gen_ai.response.finish_reason";
    Text error_type: "error.type";
    Text exception_type: "exception.type";
    Prose exception_message: "exception.message";
    Prose exception_stacktrace: "exception.stacktrace";
};

/// Columns of records that a resource may fill for all its records, as a worker does that has one tenant: what a
/// record does not say of them is looked for in the attributes of its resource.
pub const OF_EITHER: &[&str] = &["stage", "tenant", "worker_id"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_fills_one_column() {
        let of_record = OF_RECORD.iter().map(|column| (column.name, column.names));
        let all: Vec<_> =
            of_record.chain(OF_ORIGIN.iter().map(|column| (column.name, column.names))).collect();
        let names: Vec<&str> = all.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert_eq!(all.iter().map(|(column, _)| column).collect::<BTreeSet<_>>().len(), all.len());
        assert!(names.iter().all(|name| !name.is_empty()));
        assert!(OF_EITHER.iter().all(|name| OF_RECORD.iter().any(|column| column.name == *name)));
    }
}
