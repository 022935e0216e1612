//! What semantic conventions give a name to, in fields of its own.

/// What records of OpenTelemetry say under names that all senders share. What nobody said is not there; what is
/// said under other names is in the attributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conventions {
    /// The job that it belongs to.
    pub job_id: Option<String>,
    /// The stage of that job.
    pub stage: Option<String>,
    /// The document that it is about.
    pub document_id: Option<String>,
    /// For whom.
    pub tenant: Option<String>,
    /// The worker.
    pub worker_id: Option<String>,
    /// Who asked.
    pub user_id: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// The method of an HTTP request.
    pub http_method: Option<String>,
    /// The route that matched: `/documents/{id}`.
    pub http_route: Option<String>,
    /// The status that was answered.
    pub http_status_code: Option<u64>,
    /// The path that was called.
    pub url_path: Option<String>,
    /// The kind of database: `postgresql`.
    pub db_system: Option<String>,
    /// What was asked of it: `SELECT`.
    pub db_operation: Option<String>,
    /// The database on its server.
    pub db_namespace: Option<String>,
    /// The table, or what the database has for one.
    pub db_collection: Option<String>,
    /// The query.
    pub db_query: Option<String>,
    /// The kind of queue or broker: `kafka`, `celery`.
    pub messaging_system: Option<String>,
    /// The queue or topic.
    pub messaging_destination: Option<String>,
    /// What was done with the message: `send`, `process`.
    pub messaging_operation: Option<String>,
    /// The message.
    pub messaging_message_id: Option<String>,
    /// Whose model was called: `openai`, `ollama`.
    pub gen_ai_provider: Option<String>,
    /// What was asked of it: `chat`, `embeddings`.
    pub gen_ai_operation: Option<String>,
    /// The model that was asked for.
    pub gen_ai_request_model: Option<String>,
    /// The model that answered.
    pub gen_ai_response_model: Option<String>,
    /// Tokens sent.
    pub gen_ai_input_tokens: Option<u64>,
    /// Tokens received.
    pub gen_ai_output_tokens: Option<u64>,
    /// Why it ended: `stop`, `length`; several with commas between them.
    pub gen_ai_finish_reason: Option<String>,
    /// The type of an error that is no exception: `timeout`, `500`.
    pub error_type: Option<String>,
    /// The type of an exception.
    pub exception_type: Option<String>,
    /// What it says.
    pub exception_message: Option<String>,
    /// Where it was thrown.
    pub exception_stacktrace: Option<String>,
}
