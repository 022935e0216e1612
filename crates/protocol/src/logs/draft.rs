//! A record while it is put together from named values: of JSON, of logfmt, of a pattern.
//!
//! What a name means is in one place, [`meaning`]. What has no role goes through the table of names that OpenTelemetry's
//! records go through, so `job_id` is the same field whoever sends it.

use std::sync::{Arc, LazyLock};

use model::Timestamp;
use model::event::{Conventions, Flaw, LogEvent, Origin};

use super::clock::Clock;
use super::meaning::{Meaning, Role, meaning};
use super::severity::Severity;
use super::{time, trace};
use crate::otlp::rows::RowLimits;
use crate::otlp::rows::names::{Filling, HasFields, RECORD};
use crate::otlp::rows::texts::Texts;
use crate::otlp::{AnyValue, Id};

/// Maps of which the names of what is in them stand for themselves.
const TRANSPARENT: &[&str] = &["fields", "extra"];
/// How many maps in each other become names with points.
const MAX_FLAT_DEPTH: usize = 4;

/// A text or a number that has a role, by its name.
struct Held {
    rank: u8,
    name: &'static str,
    text: String,
}

/// A record while it is put together.
pub(super) struct Draft<'l> {
    texts: Texts<'l>,
    /// The record is where it stays from the beginning: it is too large to be carried about.
    filling: Filling<Conventions, Box<LogEvent>>,
    time: Option<(u8, Timestamp)>,
    severity: Option<Severity>,
    message: Option<Held>,
    logger: Option<Held>,
    service: Option<String>,
}

impl HasFields<Conventions> for Box<LogEvent> {
    fn fields(&mut self) -> &mut Conventions {
        &mut self.conventions
    }
}

/// A record, and what its line says of where it comes from; its origin is still to be set.
pub(super) type Finished = (Box<LogEvent>, Option<Box<Whence>>);

/// What a line says of where its record comes from. It goes through many hands, by a pointer: moved as it is, it would be
/// read again before it is written, and a processor waits for that until the whole of the new record is written, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Whence {
    pub(crate) service: Option<String>,
    pub(crate) logger: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) pid: Option<u64>,
}

impl Whence {
    /// What is said, if anything is.
    pub(super) fn told(self) -> Option<Box<Self>> {
        let Self { service, logger, host, pid } = &self;
        let is_told = service.is_some() || logger.is_some() || host.is_some() || pid.is_some();
        is_told.then(|| Box::new(self))
    }
}

impl<'l> Draft<'l> {
    pub(super) fn new(limits: &'l RowLimits) -> Self {
        Self {
            texts: Texts::of_record(limits),
            filling: Filling::within(&RECORD, Box::new(LogEvent::new(Timestamp::default(), nowhere()))),
            time: None,
            severity: None,
            message: None,
            logger: None,
            service: None,
        }
    }

    /// Whether anything says that this is a record of a log, and not only something of the same form.
    pub(super) fn is_record(&self) -> bool {
        self.message.is_some() && (self.time.is_some() || self.severity.is_some())
            || self.time.is_some() && self.severity.is_some()
    }

    /// Takes a time that was read already. No other holds before it.
    pub(super) fn put_time(&mut self, time: Timestamp) {
        self.time = Some((0, time));
    }

    /// Takes a value; the values in a map each by themselves, under names with points.
    pub(super) fn put(&mut self, name: &str, value: &AnyValue<'_>, clock: &mut Clock) {
        self.put_flat(name, value, clock, 0);
    }

    fn put_flat(&mut self, name: &str, value: &AnyValue<'_>, clock: &mut Clock, depth: usize) {
        match value {
            AnyValue::Map(entries) if depth < MAX_FLAT_DEPTH && !entries.is_empty() => {
                let is_transparent = depth == 0 && TRANSPARENT.contains(&name);
                for entry in entries {
                    if is_transparent {
                        self.put_flat(&entry.key, &entry.value, clock, depth + 1);
                    } else {
                        self.put_flat(&format!("{name}.{}", entry.key), &entry.value, clock, depth + 1);
                    }
                }
            }
            AnyValue::Empty => {}
            value => match meaning(name) {
                Some(&Meaning::Role { role, rank, name }) => {
                    if !self.take((role, rank), name, value, clock) {
                        self.filling.put(name, value, &mut self.texts);
                    }
                }
                Some(&Meaning::Field(index, rank)) => {
                    self.filling.put_at((index, rank), name, value, &mut self.texts);
                }
                None => self.filling.kept.put(name, &mut self.texts, |texts| texts.of_value(value)),
            },
        }
    }

    /// Takes what has a role; whether it was taken.
    fn take(
        &mut self,
        (role, rank): (Role, u8),
        name: &'static str,
        value: &AnyValue<'_>,
        clock: &mut Clock,
    ) -> bool {
        let log = &mut *self.filling.fields;
        match role {
            Role::Time => self.take_time(rank, value, clock),
            Role::Level => self.take_level(value),
            Role::PythonLevel => self.take_number(value, Severity::of_python),
            Role::SeverityNumber => self.take_number(value, |number| {
                model::event::Level::from_severity(number).map(|level| Severity { level, number })
            }),
            Role::Message => {
                let text = self.texts.of_value(value);
                Self::hold(&mut self.message, &mut self.filling, &mut self.texts, Held { rank, name, text })
            }
            Role::Logger if matches!(value, AnyValue::Text(_)) => {
                let text = self.texts.of_value(value);
                Self::hold(&mut self.logger, &mut self.filling, &mut self.texts, Held { rank, name, text })
            }
            Role::Service => Self::fill(&mut self.service, value, &mut self.texts),
            Role::EventName => Self::fill(&mut log.event_name, value, &mut self.texts),
            Role::TraceId => Self::take_id::<16>(&mut log.trace_id, value, &mut self.texts, Flaw::TraceId),
            Role::SpanId => Self::take_id::<8>(&mut log.span_id, value, &mut self.texts, Flaw::SpanId),
            Role::TraceFlags => {
                log.trace_flags = whole_number(value);
                log.trace_flags.is_some()
            }
            Role::Stack => Self::fill(&mut log.conventions.exception_stacktrace, value, &mut self.texts),
            Role::ExceptionType => Self::fill(&mut log.conventions.exception_type, value, &mut self.texts),
            Role::ExceptionMessage => {
                Self::fill(&mut log.conventions.exception_message, value, &mut self.texts)
            }
            Role::Logger => false,
        }
    }

    /// Fills a field that is free with a text that says something.
    fn fill(field: &mut Option<String>, value: &AnyValue<'_>, texts: &mut Texts<'_>) -> bool {
        let AnyValue::Text(text) = value else { return false };
        if text.is_empty() {
            return true;
        }
        if field.is_some() {
            return false;
        }
        *field = Some(texts.of(text));
        true
    }

    /// Keeps the text of the lowest rank; the other one becomes an attribute.
    fn hold(
        place: &mut Option<Held>,
        filling: &mut Filling<Conventions, Box<LogEvent>>,
        texts: &mut Texts<'_>,
        held: Held,
    ) -> bool {
        let other = match place {
            Some(there) if there.rank <= held.rank => held,
            _ => match place.replace(held) {
                Some(before) => before,
                None => return true,
            },
        };
        filling.kept.put(other.name, texts, |_| other.text);
        true
    }

    fn take_time(&mut self, rank: u8, value: &AnyValue<'_>, clock: &mut Clock) -> bool {
        if self.time.is_some_and(|(known, _)| known <= rank) {
            return false;
        }
        let time = match value {
            AnyValue::Text(text) => time::whole(text, clock),
            AnyValue::Int(number) => time::epoch(*number as f64),
            AnyValue::Double(number) => time::epoch(*number),
            AnyValue::Empty
            | AnyValue::Bool(_)
            | AnyValue::Bytes(_)
            | AnyValue::Array(_)
            | AnyValue::Map(_) => None,
        };
        if let Some(time) = time {
            self.time = Some((rank, time));
        }
        time.is_some()
    }

    fn take_level(&mut self, value: &AnyValue<'_>) -> bool {
        if let AnyValue::Int(number) = value {
            let severity = u64::try_from(*number).ok().and_then(Severity::of_pino);
            if severity.is_some() {
                self.severity = severity;
            }
            return severity.is_some();
        }
        let AnyValue::Text(text) = value else { return false };
        let severity_text = &mut self.filling.fields.severity_text;
        if severity_text.is_some() {
            return false;
        }
        self.severity = Severity::of_word(text).or(self.severity);
        *severity_text = Some(self.texts.of(text));
        true
    }

    fn take_number(&mut self, value: &AnyValue<'_>, severity: impl Fn(u64) -> Option<Severity>) -> bool {
        let told = whole_number(value).and_then(severity);
        if self.severity.is_none() {
            self.severity = told;
        }
        told.is_some()
    }

    fn take_id<const N: usize>(
        field: &mut Option<String>,
        value: &AnyValue<'_>,
        texts: &mut Texts<'_>,
        flaw: Flaw,
    ) -> bool {
        let AnyValue::Text(text) = value else { return false };
        if is_id_as_kept::<N>(text) {
            *field = Some((**text).to_owned());
            return true;
        }
        match Id::<N>::from_hex(text) {
            id @ Id::Known(_) => *field = id.text(),
            // Zeros are how Python's instrumentation says that there is no trace.
            Id::Absent => {}
            Id::Invalid if text.bytes().all(|byte| byte == b'0') => {}
            Id::Invalid => {
                texts.flaws.insert(flaw);
                return false;
            }
        }
        true
    }

    /// The record; without a time it is of now.
    pub(super) fn finish(mut self, now: Timestamp) -> Finished {
        let (mut log, kept) = self.filling.end(&mut self.texts);
        tell_exception(&mut log.conventions, &mut self.texts);
        log.flaws = self.texts.flaws;
        if self.time.is_none() {
            log.flaws.insert(Flaw::NoTime);
        }
        log.time = self.time.map_or(now, |(_, time)| time);
        log.level = self.severity.map(|severity| severity.level);
        log.severity_number = self.severity.map(|severity| severity.number);
        log.message = self.message.map(|held| held.text);
        log.dropped_attributes = kept.dropped(0);
        log.attributes = kept.attributes;
        let logger = self.logger.map(|held| held.text);
        (log, Whence { service: self.service, logger, ..Whence::default() }.told())
    }
}

/// Says of a stack trace what was thrown, where the line says it nowhere else.
fn tell_exception(fields: &mut Conventions, texts: &mut Texts<'_>) {
    let Some(stack) = fields.exception_stacktrace.as_deref().filter(|_| fields.exception_type.is_none())
    else {
        return;
    };
    let Some((kind, message)) = trace::exception_of(stack) else {
        // The Elastic schema has the type beside it.
        fields.exception_type = fields.error_type.clone();
        return;
    };
    fields.exception_type = Some(texts.of(&kind));
    if fields.exception_message.is_none() && !message.is_empty() {
        fields.exception_message = Some(texts.of(&message));
    }
}

/// What a record comes from until that is known. There is one for all of them: each is replaced at once.
pub(super) fn nowhere() -> Arc<Origin> {
    static NOWHERE: LazyLock<Arc<Origin>> = LazyLock::new(Arc::default);
    Arc::clone(&NOWHERE)
}

/// Whether a text is an id in the form in which ids are kept: hexadecimal in lower case, and not nothing but zeros.
fn is_id_as_kept<const N: usize>(text: &str) -> bool {
    // Counted, many bytes are looked at at once; to stop at the first other one takes a look at each by itself.
    let digits = || text.bytes().filter(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
    text.len() == 2 * N && digits() == 2 * N && text.bytes().any(|byte| byte != b'0')
}

fn whole_number(value: &AnyValue<'_>) -> Option<u64> {
    match value {
        AnyValue::Int(number) => u64::try_from(*number).ok(),
        AnyValue::Text(text) => text.parse().ok(),
        AnyValue::Empty
        | AnyValue::Bool(_)
        | AnyValue::Double(_)
        | AnyValue::Bytes(_)
        | AnyValue::Array(_)
        | AnyValue::Map(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_kept_as_it_is_is_the_one_that_it_is_read_as() {
        let ids = ["0001020304050607", "ffffffffffffffff", "0000000000000001"];
        for id in ids {
            assert!(is_id_as_kept::<8>(id), "{id}");
            assert_eq!(Id::<8>::from_hex(id).text().as_deref(), Some(id));
        }
        for other in [
            "",
            "0000000000000000",
            "00010203040506AB",
            "00010203040506",
            "000102030405060g",
            "é001020304050607",
        ] {
            assert!(!is_id_as_kept::<8>(other), "{other}");
        }
    }
}
