//! Records of logs by which an application keeps account of what is done: they are stored as what is audited, which is
//! kept longer, and not as logs.
//!
//! A record is one if its event name begins with `audit.`, or if an attribute calls it so, or one of security: one of
//! its own, or one of what it comes from, as labels of streams are. What was
//! done is said by its name or an attribute, or else by its message: nothing that is marked so stays a log. What it
//! says under names that audits have fields for goes there; the rest stays as attributes, what it comes from among them.
//! Nothing is refused for its size that a log would be kept with: what is too much is left out, and counted in an
//! attribute.

use std::str::FromStr;
use std::sync::Arc;

use model::event::{
    Attributes, AuditCategory, AuditEvent, AuditOutcome, Conventions, Flaw, LogEvent, Origin,
};
use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

use crate::Limits;

/// What the event name of such a record begins with; the rest is what was done.
const NAME_PREFIX: &str = "audit.";
/// Where a record that has no event name of its own says it.
const NAMES: &[&str] = &["event.name", "event_name"];
/// Attributes that say `audit` of such a record, or `security`.
const MARKS: &[&str] = &["log.category", "log_category", "category"];
const MARK: &str = "audit";
/// How a name ends that says the same within structured data of syslog, behind that of its element.
const NESTED_MARK: &str = ".log.category";
/// Attributes that may say `security` of one, beside those. Of the categories that the Elastic Common Schema has for
/// `event.category` none is such a mark, neither `authentication` nor `iam`: what a service logs of each request may
/// have them, too.
const KINDS: &[&str] = &["event.category", "event_category"];
/// How all of these names end.
const CATEGORY: &str = "category";
/// The most bytes of an array that are looked through for such a word: a list of categories is short.
const MAX_LIST_BYTES: usize = 4096;
/// Attributes that say what was done.
const ACTIONS: &[&str] = &["action", "event.action", "event_action"];
const CATEGORIES: &[&str] =
    &["event.category", "event_category", "audit.category", "audit_category", "category"];
const OUTCOMES: &[&str] = &["event.outcome", "event_outcome", "outcome"];
const USERS: &[&str] = &["user_id", "actor", "user.name"];
const TARGETS: &[&str] = &["target", "resource"];
const ADDRESSES: &[&str] = &["client.address", "client_address", "client_ip"];
/// The most bytes of a message that stand for what was done, where nothing else says it; the message stays as it is.
const MAX_ACTION_BYTES: usize = 128;
/// What was done, where a record says nothing at all.
const UNNAMED: &str = "unnamed";
/// How many attributes were left out.
const DROPPED: &str = "dropped_attributes";

/// Tells which records of a request are of what is audited.
pub(crate) struct Audits<'l> {
    limits: &'l Limits,
    /// What the record before comes from, and what that is marked as: most that follow come from the same.
    origin: Option<(Arc<Origin>, Option<AuditCategory>)>,
}

impl<'l> Audits<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self { limits, origin: None }
    }

    /// What is audited, if that is what a record says; or else the record. `place` is its place in the request.
    pub(crate) fn take(
        &mut self,
        log: Box<LogEvent>,
        place: usize,
    ) -> Result<Box<AuditEvent>, Box<LogEvent>> {
        match self.marked(&log) {
            Some(marked) => Ok(audit_of(log, marked, place, self.limits)),
            None => Err(log),
        }
    }

    /// The category of a record that is one of what is audited, unless it says more of that itself.
    fn marked(&mut self, log: &LogEvent) -> Option<AuditCategory> {
        let by_origin = self.marked_by(&log.origin);
        match (marks(log.attributes.iter()), by_origin) {
            (Some(AuditCategory::Security), _) | (_, Some(AuditCategory::Security)) => {
                Some(AuditCategory::Security)
            }
            (Some(marked), _) | (None, Some(marked)) => Some(marked),
            (None, None) => is_named_audit(log).then_some(AuditCategory::UserAction),
        }
    }

    /// The same of all that comes from somewhere.
    fn marked_by(&mut self, origin: &Arc<Origin>) -> Option<AuditCategory> {
        if let Some((before, marked)) = &self.origin
            && Arc::ptr_eq(before, origin)
        {
            return *marked;
        }
        let marked = marks(origin.resource_attributes.iter().chain(&origin.scope_attributes));
        // Held, so that no other can take its place in memory.
        self.origin = Some((Arc::clone(origin), marked));
        marked
    }
}

/// What is audited, of a record that is marked as such.
fn audit_of(log: Box<LogEvent>, marked: AuditCategory, place: usize, limits: &Limits) -> Box<AuditEvent> {
    let action = action_of(&log, limits);
    let LogEvent {
        time,
        event_id,
        // What saw it, and when, is nothing of what was done; neither are flags of its trace.
        observed_time: _,
        trace_flags: _,
        level,
        severity_number: _,
        severity_text,
        event_name,
        message,
        trace_id,
        span_id,
        origin,
        mut conventions,
        attributes,
        dropped_attributes,
        flaws,
    } = *log;
    let mut origin = Arc::unwrap_or_clone(origin);
    let mut facts = Facts { attributes, dropped: dropped_attributes.unwrap_or(0), limits };
    facts.drop_all_that_say(&action, event_name.as_deref());
    let mut audit = AuditEvent {
        time,
        event_id: event_id
            .filter(|id| !id.is_empty() && id.len() <= limits.max_name_bytes)
            .unwrap_or_default(),
        category: facts.category(marked),
        outcome: facts.named::<AuditOutcome>(OUTCOMES),
        user_id: facts.field(conventions.user_id.take(), USERS),
        target: facts.field(None, TARGETS),
        message,
        client_ip: facts.field(None, ADDRESSES),
        tenant: facts.field(conventions.tenant.take(), &["tenant"]),
        service: facts.field(origin.service.take(), &["service.name", "service"]),
        host: facts.field(origin.host.take(), &["host.name", "host"]),
        job_id: facts.field(conventions.job_id.take(), &["job_id"]),
        document_id: facts.field(conventions.document_id.take(), &["document_id"]),
        request_id: facts.field(conventions.request_id.take(), &["request_id"]),
        trace_id: facts.field(trace_id, &["trace_id"]),
        action,
        attributes: Attributes::new(),
    };
    let level = level.map(|level| level.as_str().to_owned());
    let severity = severity_text.filter(|text| level.as_ref() != Some(text));
    facts.trim();
    let own_name = event_name.filter(|name| !says(name, &audit.action));
    facts.keep([("event.name", own_name), ("level", level), ("severity", severity), ("span_id", span_id)]);
    facts.keep(of_conventions(conventions));
    facts.keep_origin(origin);
    audit.attributes = facts.finish();
    if audit.event_id.is_empty() {
        // What has no time of its own has that of its coming, and is another one each time that it is sent.
        audit.event_id = id_of(&audit, flaws.contains(Flaw::NoTime).then_some(place));
    }
    Box::new(audit)
}

/// What attributes say that something is: one of security, another of what is audited, or neither.
fn marks<'a>(attributes: impl Iterator<Item = (&'a String, &'a String)>) -> Option<AuditCategory> {
    let mut is_audit = false;
    for (name, said) in attributes.filter(|(name, _)| name.ends_with(CATEGORY)) {
        let may_say_audit = is_mark(name);
        let may_say_security = may_say_audit || KINDS.contains(&name.as_str());
        if may_say_security && holds(said, AuditCategory::Security.as_str()) {
            return Some(AuditCategory::Security);
        }
        is_audit |= may_say_audit && holds(said, MARK);
    }
    is_audit.then_some(AuditCategory::UserAction)
}

fn is_named_audit(log: &LogEvent) -> bool {
    // Most have no attribute that could be their name: to see that takes less than to look for two.
    let may_be_named =
        log.event_name.is_some() || log.attributes.keys().any(|name| NAMES.contains(&name.as_str()));
    may_be_named && event_name(log).is_some_and(|name| name.starts_with(NAME_PREFIX))
}

fn is_mark(name: &str) -> bool {
    MARKS.contains(&name) || name.ends_with(NESTED_MARK)
}

/// Whether an attribute is a word, or an array that has it.
fn holds(said: &str, word: &str) -> bool {
    said.eq_ignore_ascii_case(word) || listed(said).iter().any(|one| is_word(one, word))
}

/// Whether an attribute is a word and nothing else.
fn is_only(said: &str, word: &str) -> bool {
    said.eq_ignore_ascii_case(word) || matches!(listed(said).as_slice(), [one] if is_word(one, word))
}

fn is_word(one: &Value, word: &str) -> bool {
    one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(word))
}

/// What an array has, which attributes have as JSON.
fn listed(said: &str) -> Vec<Value> {
    if !said.starts_with('[') || said.len() > MAX_LIST_BYTES {
        return Vec::new();
    }
    serde_json::from_str(said).unwrap_or_default()
}

/// Whether an attribute says no more than that its record is one of what is audited.
fn says_no_more_than_that(name: &str, said: &str) -> bool {
    let is_security = || is_only(said, AuditCategory::Security.as_str());
    (is_mark(name) && (is_only(said, MARK) || is_security())) || (KINDS.contains(&name) && is_security())
}

fn event_name(log: &LogEvent) -> Option<&str> {
    let of_attributes = || NAMES.iter().find_map(|name| log.attributes.get(name).map(String::as_str));
    log.event_name.as_deref().or_else(of_attributes)
}

/// What was done, as far as a record of what is audited says so: by its name, by an attribute, or else by the beginning
/// of its message. What is too long for one is passed over.
fn action_of(log: &LogEvent, limits: &Limits) -> String {
    let attributes = ACTIONS.iter().filter_map(|name| log.attributes.get(name).map(String::as_str));
    let name = event_name(log);
    let by_name = name.and_then(|name| name.strip_prefix(NAME_PREFIX));
    let whole_name = name.filter(|_| by_name.is_none());
    let mut said = by_name.into_iter().chain(attributes).chain(whole_name);
    let fits = |action: &&str| !action.is_empty() && action.len() <= limits.max_name_bytes;
    said.find(fits).or_else(|| beginning(log.message.as_deref()?, limits)).unwrap_or(UNNAMED).to_owned()
}

/// The first line of a message; of one that is too long for an action the words that have room, none of them cut: half
/// a secret is not known for one.
fn beginning<'m>(message: &'m str, limits: &Limits) -> Option<&'m str> {
    let line = message.trim_start().lines().next()?.trim_end();
    let most = MAX_ACTION_BYTES.min(limits.max_name_bytes);
    if line.len() <= most {
        return (!line.is_empty()).then_some(line);
    }
    let room = &line[..line.floor_char_boundary(most)];
    room.rfind(char::is_whitespace).map(|end| room[..end].trim_end())
}

/// Whether an event name says no more than an action.
fn says(name: &str, action: &str) -> bool {
    let said = name.strip_prefix(NAME_PREFIX).unwrap_or(name);
    said.is_empty() || said == action
}

/// Attributes of a record, of which fields are made, and to which is added what has no field.
struct Facts<'l> {
    attributes: Attributes,
    /// How many there were that are not here.
    dropped: u64,
    limits: &'l Limits,
}

impl Facts<'_> {
    /// Leaves out what marks a record as one of these, and what says again what was done.
    fn drop_all_that_say(&mut self, action: &str, event_name: Option<&str>) {
        let of_names: &[&str] = if event_name.is_none() { NAMES } else { &[] };
        self.attributes.retain(|name, value| {
            let value = value.as_str();
            let is_one_of = |names: &[&str]| names.contains(&name.as_str());
            let is_said = says_no_more_than_that(name, value)
                || (is_one_of(ACTIONS) && value == action)
                || (is_one_of(of_names) && says(value, action));
            !is_said
        });
    }

    /// The category: what marks the record as one of security has the last word.
    fn category(&mut self, marked: AuditCategory) -> AuditCategory {
        match marked {
            AuditCategory::Security => marked,
            AuditCategory::UserAction | AuditCategory::System => self.named(CATEGORIES).unwrap_or(marked),
        }
    }

    /// What the first of these names says that is one of what there can be.
    fn named<T: FromStr>(&mut self, names: &[&str]) -> Option<T> {
        names.iter().find_map(|name| {
            let value = self.attributes.get(name)?.parse().ok()?;
            self.attributes.remove(name);
            Some(value)
        })
    }

    /// What goes into a field: what is known already, or else what the first of these names says. What is too long for
    /// one is an attribute, by the first of the names.
    fn field(&mut self, known: Option<String>, names: &[&str]) -> Option<String> {
        let limit = self.limits.max_name_bytes;
        let fits = |text: &String| !text.is_empty() && text.len() <= limit;
        match known {
            Some(known) if fits(&known) => return Some(known),
            Some(known) if !known.is_empty() => {
                self.keep(names.first().map(|name| (*name, Some(known))));
                return None;
            }
            _ => {}
        }
        let name = names.iter().find(|name| self.attributes.get(name).is_some_and(fits))?;
        self.attributes.remove(name)
    }

    /// Leaves out attributes that are too many, and those whose names are too long.
    fn trim(&mut self) {
        let sent = self.attributes.len();
        self.attributes.retain(|name, _| name.len() <= self.limits.max_name_bytes);
        while self.attributes.len() > self.limits.max_attributes {
            self.attributes.pop_last();
        }
        self.drop_some(sent - self.attributes.len());
    }

    fn drop_some(&mut self, count: usize) {
        self.dropped = self.dropped.saturating_add(count as u64);
    }

    /// Adds what has no field while there is room, where something says it and no attribute has that name.
    fn keep<N: Into<String>>(&mut self, facts: impl IntoIterator<Item = (N, Option<String>)>) {
        for (name, value) in facts {
            let Some(value) = value else { continue };
            let name: String = name.into();
            let has_room = self.attributes.len() < self.limits.max_attributes
                && name.len() <= self.limits.max_name_bytes;
            match self.attributes.get(&name) {
                Some(same) if *same == value => {}
                None if has_room => _ = self.attributes.insert(name, value),
                _ => self.drop_some(1),
            }
        }
    }

    /// Adds what the record comes from, but for what has fields.
    fn keep_origin(&mut self, origin: Origin) {
        let Origin {
            service: _,
            service_namespace,
            service_version,
            service_instance_id,
            environment,
            host: _,
            pid,
            scope_name,
            scope_version,
            resource_attributes,
            scope_attributes,
            dropped_resource_attributes,
        } = origin;
        self.dropped = self.dropped.saturating_add(dropped_resource_attributes.unwrap_or(0));
        self.keep([
            ("service.namespace", service_namespace),
            ("service.version", service_version),
            ("service.instance.id", service_instance_id),
            ("deployment.environment.name", environment),
            ("process.pid", pid.map(|pid| pid.to_string())),
            ("otel.scope.name", scope_name),
            ("otel.scope.version", scope_version),
        ]);
        let further = resource_attributes.into_iter().chain(scope_attributes);
        let further = further.filter(|(name, said)| !says_no_more_than_that(name, said));
        self.keep(further.map(|(name, value)| (name, Some(value))));
    }

    /// The attributes, with how many are not among them.
    fn finish(mut self) -> Attributes {
        let most = self.limits.max_attributes;
        if self.dropped > 0 && most > 0 {
            self.attributes.remove(DROPPED);
            while self.attributes.len() >= most {
                self.attributes.pop_last();
                self.drop_some(1);
            }
            self.attributes.insert(DROPPED.to_owned(), self.dropped.to_string());
        }
        self.attributes
    }
}

/// What conventions give a name to and audits have no field for, by these names.
fn of_conventions(conventions: Conventions) -> Vec<(&'static str, Option<String>)> {
    let Conventions {
        job_id: _,
        document_id: _,
        tenant: _,
        user_id: _,
        request_id: _,
        stage,
        worker_id,
        http_method,
        http_route,
        http_status_code,
        url_path,
        db_system,
        db_operation,
        db_namespace,
        db_collection,
        db_query,
        messaging_system,
        messaging_destination,
        messaging_operation,
        messaging_message_id,
        gen_ai_provider,
        gen_ai_operation,
        gen_ai_request_model,
        gen_ai_response_model,
        gen_ai_input_tokens,
        gen_ai_output_tokens,
        gen_ai_finish_reason,
        error_type,
        exception_type,
        exception_message,
        exception_stacktrace,
    } = conventions;
    let count = |count: Option<u64>| count.map(|count| count.to_string());
    vec![
        ("stage", stage),
        ("worker_id", worker_id),
        ("http.request.method", http_method),
        ("http.route", http_route),
        ("http.response.status_code", count(http_status_code)),
        ("url.path", url_path),
        ("db.system.name", db_system),
        ("db.operation.name", db_operation),
        ("db.namespace", db_namespace),
        ("db.collection.name", db_collection),
        ("db.query.text", db_query),
        ("messaging.system", messaging_system),
        ("messaging.destination.name", messaging_destination),
        ("messaging.operation.name", messaging_operation),
        ("messaging.message.id", messaging_message_id),
        ("gen_ai.provider.name", gen_ai_provider),
        ("gen_ai.operation.name", gen_ai_operation),
        ("gen_ai.request.model", gen_ai_request_model),
        ("gen_ai.response.model", gen_ai_response_model),
        ("gen_ai.usage.input_tokens", count(gen_ai_input_tokens)),
        ("gen_ai.usage.output_tokens", count(gen_ai_output_tokens)),
        ("gen_ai.response.finish_reasons", gen_ai_finish_reason),
        ("error.type", error_type),
        ("exception.type", exception_type),
        ("exception.message", exception_message),
        ("exception.stacktrace", exception_stacktrace),
    ]
}

/// An id from what an event says and when it was done, so that it is stored once however often it is sent; and from its
/// place in the request, where that is all that tells two of them apart.
fn id_of(audit: &AuditEvent, place: Option<usize>) -> String {
    let mut hash = Xxh3::new();
    hash.update(&audit.time.as_nanos().to_le_bytes());
    if let Some(place) = place {
        hash.update(&(place as u64).to_le_bytes());
    }
    let outcome = audit.outcome.map(AuditOutcome::as_str);
    let fields =
        [&audit.user_id, &audit.target, &audit.message, &audit.client_ip, &audit.tenant, &audit.service];
    let ids = [&audit.host, &audit.job_id, &audit.document_id, &audit.request_id, &audit.trace_id];
    let texts = [Some(audit.action.as_str()), Some(audit.category.as_str()), outcome]
        .into_iter()
        .chain(fields.into_iter().chain(ids).map(Option::as_deref))
        .chain(audit.attributes.iter().flat_map(|(name, value)| [Some(name.as_str()), Some(value.as_str())]));
    for text in texts {
        let text = text.unwrap_or_default();
        // With its length, so that nothing can pass from one field into the next.
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    format!("auto-{:032x}", hash.digest128())
}

#[cfg(test)]
mod tests;
