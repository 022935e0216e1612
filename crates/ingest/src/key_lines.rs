//! Private keys whose lines come as records of their own: no text holds both marks, so no detector sees a key.
//!
//! What tells a line of a key from other base64 is where it stands: after a beginning in the same stream
//! ([`KeyRun`]), or, within a batch, before an end. How far streams are is remembered from batch to batch
//! ([`KeyLines`]), within bounds and for a while. Knows no rules; what a line of a key looks like is in [`model::pem`].

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::time::{Duration, Instant};

use model::event::{Event, LogEvent};
use model::pem::{KeyMark, KeyPart, KeyRun, key_marks, key_part, may_have_key_mark};
use parking_lot::Mutex;

use crate::Source;

/// How many lines at the end of a key may be short: its last one, and its sum.
const MAX_SHORT: u8 = 2;
/// How long a stream is remembered that says nothing.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many streams are remembered to be within a key; beyond them the one that was silent longest is forgotten.
const MAX_STREAMS: usize = 1_024;

/// Which streams are within a key.
#[derive(Default)]
pub(crate) struct KeyLines {
    streams: Mutex<HashMap<u64, Stream>>,
}

struct Stream {
    run: KeyRun,
    seen: Instant,
}

impl KeyLines {
    /// The parts of keys in messages of logs that are of keys whose marks are elsewhere, by the index of their events.
    pub(crate) fn find(
        &self,
        source: Source,
        events: &[Event],
        now: Instant,
    ) -> BTreeMap<usize, Range<usize>> {
        // Nearly always there is nothing, and nobody is waited for.
        let has_mark = messages(events).any(|(_, _, text)| may_have_key_mark(text));
        let mut found = BTreeMap::new();
        let mut streams = self.streams.lock();
        streams.retain(|_, stream| now.saturating_duration_since(stream.seen) < REMEMBERED);
        if !has_mark && streams.is_empty() {
            return found;
        }
        let mut trails: HashMap<u64, Vec<(usize, KeyPart)>> = HashMap::new();
        for (index, log, text) in messages(events) {
            let id = stream_of(source, log);
            let trail = trails.entry(id).or_default();
            if let Some(stream) = streams.get_mut(&id) {
                trail.clear();
                stream.seen = now;
                found.extend(stream.run.see(text).map(|part| (index, part)));
                if !stream.run.is_open() {
                    streams.remove(&id);
                }
            } else if let Some(part) = key_part(text).filter(|_| !text.trim().contains('\n')) {
                trail.push((index, part));
            } else {
                // Its beginning was in a batch that came before a restart, or is sent a second time.
                if key_marks(text).next().is_some_and(|(mark, _)| mark == KeyMark::End) {
                    found.extend(before_end(trail));
                }
                trail.clear();
                let mut run = KeyRun::default();
                run.see(text);
                if run.is_open() {
                    remember(&mut streams, id, Stream { run, seen: now });
                }
            }
        }
        found
    }
}

fn remember(streams: &mut HashMap<u64, Stream>, id: u64, stream: Stream) {
    if streams.len() >= MAX_STREAMS
        && let Some(silent) = streams.iter().min_by_key(|(_, stream)| stream.seen).map(|(id, _)| *id)
    {
        streams.remove(&silent);
    }
    streams.insert(id, stream);
}

/// The lines of a key that end a trail of base64: at least one that is as long as those of keys, and no short one before.
fn before_end(trail: &[(usize, KeyPart)]) -> Vec<(usize, Range<usize>)> {
    let mut parts = Vec::new();
    let (mut short, mut has_full) = (0, false);
    for (index, part) in trail.iter().rev() {
        if part.is_full {
            has_full = true;
        } else if has_full || short >= MAX_SHORT {
            break;
        } else {
            short += 1;
        }
        parts.push((*index, part.range.clone()));
    }
    if has_full { parts } else { Vec::new() }
}

/// The messages of records of logs, with the indexes of their events.
fn messages(events: &[Event]) -> impl Iterator<Item = (usize, &LogEvent, &str)> {
    events.iter().enumerate().filter_map(|(index, event)| match event {
        Event::Log(log) => Some((index, &**log, log.message.as_deref()?)),
        _ => None,
    })
}

/// Which stream a record is of: a file, else what it comes from. Neither its logger nor its process: what prints a key
/// line by line may begin a process for each.
fn stream_of(source: Source, log: &LogEvent) -> u64 {
    let mut hasher = DefaultHasher::new();
    source.as_str().hash(&mut hasher);
    let file = log.event_id.as_deref().and_then(|id| id.rsplit_once(':')).map(|(file, _)| file);
    match file {
        // The ids of its records are its own and where they end.
        Some(file) if source == Source::LogFile => file.hash(&mut hasher),
        _ => {
            let origin = &log.origin;
            let names =
                [&origin.service, &origin.service_namespace, &origin.service_instance_id, &origin.host];
            names.hash(&mut hasher);
            origin.resource_attributes.hash(&mut hasher);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
