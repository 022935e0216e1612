//! What a line of a log says, for sources that send lines: Loki's shippers and syslog.

use std::mem;

use model::event::{Flaw, LogEvent};

use crate::logs;
use crate::otlp::AnyValue;
use crate::otlp::rows::names::RECORD;
use crate::otlp::rows::texts::{Kept, Texts};

/// Puts a line into a record that has everything else that was sent with it. The one place where lines of these
/// sources are read.
///
/// The line is the message as it stands, so that what was sent can be read again. What it says of itself, in any form
/// in which lines of files are read, fills what nothing else has said; it came with a time.
pub(crate) fn take_line(line: &str, log: &mut LogEvent, texts: &mut Texts<'_>) {
    log.message = texts.of_some(line);
    // Part of a line is of no form; and what is longer than a text may be is not worth the work.
    if log.message.as_deref() == Some(line)
        && let Some(seen) = logs::alone(line, texts.limits(), log.time)
    {
        complete(log, seen, texts);
    }
}

fn complete(log: &mut LogEvent, seen: logs::Seen, texts: &mut Texts<'_>) {
    let logs::Seen { log: said, whence, .. } = seen;
    let (said, whence) = (*said, whence.map(|whence| *whence).unwrap_or_default());
    if log.level.is_none() && said.level.is_some() {
        (log.level, log.severity_number) = (said.level, said.severity_number);
        if log.severity_text.is_none() {
            log.severity_text = said.severity_text.map(|text| texts.of(&text));
        }
    }
    if log.span_id.is_none() && (log.trace_id.is_none() || log.trace_id == said.trace_id) {
        log.span_id = said.span_id;
    }
    if log.trace_id.is_none() {
        (log.trace_id, log.trace_flags) = (said.trace_id, said.trace_flags);
    }
    if log.event_name.is_none() {
        log.event_name = said.event_name.and_then(|name| texts.id(&AnyValue::Text(name.into())));
    }
    RECORD.complete(&mut log.conventions, said.conventions, texts);
    let left_out = log.dropped_attributes.unwrap_or(0) + said.dropped_attributes.unwrap_or(0);
    let mut kept = Kept::with(mem::take(&mut log.attributes), left_out);
    kept.expect_up_to(said.attributes.len());
    // What lines of one stream come from is one for all of them.
    let service = whence.service.filter(|service| log.origin.service.as_ref() != Some(service));
    let host = whence.host.filter(|host| log.origin.host.as_ref() != Some(host));
    let pid = whence.pid.filter(|pid| log.origin.pid != Some(*pid)).map(|pid| pid.to_string());
    let named =
        [("service.name", service), ("logger", whence.logger), ("host.name", host), ("process.pid", pid)];
    let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    for (name, value) in said.attributes.into_iter().chain(named) {
        // What was sent beside the line holds; the line has its own all the same.
        if !kept.attributes.contains_key(&name) {
            kept.put(&name, texts, |texts| texts.of(&value));
        }
    }
    log.dropped_attributes = kept.dropped(0);
    log.attributes = kept.attributes;
    said.flaws.iter().filter(|flaw| *flaw != Flaw::NoTime).for_each(|flaw| texts.flaws.insert(flaw));
}
