//! What is audited as a record of a log, as it is shown among others.

use std::sync::Arc;

use model::event::{Attributes, AuditEvent, AuditOutcome, Conventions, Level, LogEvent, Origin};

use super::{AUDIT, CATEGORY, SECURITY, category};

/// What is audited as a record of a log: its event name is what was done, its attribute `category` says `audit` or
/// `security`, and what else has no place in a record is an attribute, too.
pub fn log_of_audit(audit: AuditEvent) -> LogEvent {
    let AuditEvent {
        time,
        event_id,
        action,
        category: kind,
        outcome,
        user_id,
        target,
        message,
        client_ip,
        tenant,
        service,
        host,
        job_id,
        document_id,
        request_id,
        trace_id,
        attributes,
    } = audit;
    let mut facts = Facts(attributes);
    let origin = facts.origin(service, host);
    let named = Conventions { job_id, document_id, tenant, user_id, request_id, ..Conventions::default() };
    let conventions = facts.conventions(named);
    let (level, severity_text) = (facts.level(), facts.take("severity"));
    let span_id = facts.take("span_id");
    let mut attributes = facts.0;
    let kept = [
        ("audit.category", Some(kind.as_str())),
        ("outcome", outcome.map(AuditOutcome::as_str)),
        ("target", target.as_deref()),
        ("client_ip", client_ip.as_deref()),
    ];
    for (name, value) in kept {
        let Some(value) = value else { continue };
        attributes.insert_new(name.to_owned(), value.to_owned());
    }
    attributes.insert(CATEGORY.to_owned(), category(kind).to_owned());
    LogEvent {
        event_id: Some(event_id),
        level,
        severity_text,
        // What has no words says what was done.
        message: message.or_else(|| Some(action.clone())),
        event_name: Some(action),
        trace_id,
        span_id,
        conventions,
        attributes,
        ..LogEvent::new(time, Arc::new(origin))
    }
}

/// About how many bytes of texts a record of what is audited has.
pub fn bytes_of_audit(audit: &AuditEvent) -> usize {
    let attributes = audit.attributes.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
    256 + audit.message.as_ref().map_or(0, String::len) + attributes
}

/// The category of a record: `audit` or `security` of what is audited, and nothing of others.
pub fn category_of(log: &LogEvent) -> Option<&'static str> {
    let said = log.attributes.get(CATEGORY)?;
    [AUDIT, SECURITY].into_iter().find(|category| category == said)
}

/// Attributes, of which those are taken that have a place in a record.
struct Facts(Attributes);

impl Facts {
    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// A number; what is none stays.
    fn number(&mut self, name: &str) -> Option<u64> {
        let number = self.0.get(name)?.parse().ok()?;
        self.0.remove(name);
        Some(number)
    }

    /// A level; what is none stays.
    fn level(&mut self) -> Option<Level> {
        let level = Level::from_text(self.0.get("level")?)?;
        self.0.remove("level");
        Some(level)
    }

    fn origin(&mut self, service: Option<String>, host: Option<String>) -> Origin {
        Origin {
            service,
            service_namespace: self.take("service.namespace"),
            service_version: self.take("service.version"),
            service_instance_id: self.take("service.instance.id"),
            environment: self.take("deployment.environment.name"),
            host,
            pid: self.number("process.pid"),
            scope_name: self.take("otel.scope.name"),
            scope_version: self.take("otel.scope.version"),
            ..Origin::default()
        }
    }

    /// What conventions name, with what has columns of its own and is known already.
    fn conventions(&mut self, known: Conventions) -> Conventions {
        Conventions {
            stage: self.take("stage"),
            worker_id: self.take("worker_id"),
            http_method: self.take("http.request.method"),
            http_route: self.take("http.route"),
            http_status_code: self.number("http.response.status_code"),
            url_path: self.take("url.path"),
            db_system: self.take("db.system.name"),
            db_operation: self.take("db.operation.name"),
            db_namespace: self.take("db.namespace"),
            db_collection: self.take("db.collection.name"),
            db_query: self.take("db.query.text"),
            messaging_system: self.take("messaging.system"),
            messaging_destination: self.take("messaging.destination.name"),
            messaging_operation: self.take("messaging.operation.name"),
            messaging_message_id: self.take("messaging.message.id"),
            gen_ai_provider: self.take("gen_ai.provider.name"),
            gen_ai_operation: self.take("gen_ai.operation.name"),
            gen_ai_request_model: self.take("gen_ai.request.model"),
            gen_ai_response_model: self.take("gen_ai.response.model"),
            gen_ai_input_tokens: self.number("gen_ai.usage.input_tokens"),
            gen_ai_output_tokens: self.number("gen_ai.usage.output_tokens"),
            gen_ai_finish_reason: self.take("gen_ai.response.finish_reasons"),
            error_type: self.take("error.type"),
            exception_type: self.take("exception.type"),
            exception_message: self.take("exception.message"),
            exception_stacktrace: self.take("exception.stacktrace"),
            ..known
        }
    }
}
