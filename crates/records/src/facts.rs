//! What is known of a line beside its text and its stream, as Loki tells it.

use model::event::LogEvent;

use crate::event::LogRecord;
use crate::fields::{OF_RECORD_ALONE, OF_RESOURCE_ALONE, as_label};
use crate::said::{said, said_of_origin};
use crate::sets::Labels;
use crate::streams::STREAM_LABELS;

/// What a record says beside its message and the labels of its stream. Each name is one by which a filter of labels
/// finds that value in this record: what a name cannot mean here goes by one that nothing else has.
pub fn facts_of(log: &LogEvent) -> Labels {
    let record = LogRecord(log);
    let is_found = |name: &str, value: &str| record.label(name).is_some_and(|found| found.text() == value);
    let ids = [
        ("trace_id", &log.trace_id),
        ("span_id", &log.span_id),
        ("event_name", &log.event_name),
        ("scope_name", &log.origin.scope_name),
    ];
    let ids = ids.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
    let columns = said(&log.conventions).chain(said_of_origin(&log.origin));
    let columns = columns.filter(|said| said.column != "service" && !STREAM_LABELS.contains(&said.column));
    let columns = columns.map(|said| (said.column, said.value.text().into_owned()));
    let mut facts: Labels = ids.chain(columns).map(|(name, value)| (name.to_owned(), value)).collect();
    let maps = [(OF_RECORD_ALONE, &log.attributes), (OF_RESOURCE_ALONE, &log.origin.resource_attributes)];
    for (prefix, attributes) in maps {
        for (key, value) in attributes {
            let plain = as_label(key);
            let is_plain = !plain.is_empty() && is_found(&plain, value);
            let name = if is_plain { plain } else { format!("{prefix}{plain}") };
            let is_of_stream = is_plain && STREAM_LABELS.contains(&name.as_str());
            if !is_of_stream && is_found(&name, value) {
                facts.entry(name).or_insert_with(|| value.clone());
            }
        }
    }
    facts
}
