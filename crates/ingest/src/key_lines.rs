//! Private keys whose lines come as records of their own: no text holds both marks, so no detector sees a key.
//!
//! What tells a line of a key from other base64 is where it stands: after a beginning in the same stream
//! ([`KeyRun`]), or, within a batch, before an end. Some send the newest first: then a beginning stands after its end. How
//! far streams are is remembered from batch to batch ([`KeyLines`]), within bounds and for a while. Knows no rules; what a
//! line of a key looks like is in [`model::pem`].

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::time::{Duration, Instant};

use model::event::{Event, LogEvent};
use model::pem::{KeyMark, KeyRun, key_marks, key_parts, may_have_key_mark};
use parking_lot::Mutex;

use crate::Source;

/// How many lines at the end of a key may be short: its last one, and its sum.
const MAX_SHORT: usize = 2;
/// How long a stream is remembered that says nothing.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many streams are remembered to be within a key; beyond them the one that was silent longest is forgotten.
const MAX_STREAMS: usize = 1_024;

/// The attribute of a resource that says which file a record is from.
const PATH: &str = "log.file.path";

/// Which streams are within a key.
#[derive(Default)]
pub(crate) struct KeyLines {
    streams: Mutex<HashMap<u64, Stream>>,
}

struct Stream {
    run: KeyRun,
    seen: Instant,
}

/// What was found in a batch.
#[derive(Debug, Default)]
pub(crate) struct FoundLines {
    /// The parts of messages of logs that are of keys whose marks are elsewhere, by the index of their events.
    pub(crate) parts: Parts,
    /// How many streams within a key were forgotten, because there were too many.
    pub(crate) forgotten: u64,
}

type Parts = BTreeMap<usize, Vec<Range<usize>>>;

/// The message of a record, with the index of its event.
type Message<'e> = (usize, &'e str);

impl KeyLines {
    /// Looks at the messages of logs in a batch.
    pub(crate) fn find(&self, source: Source, events: &[Event], now: Instant) -> FoundLines {
        // Nearly always there is nothing, and nobody is waited for.
        let has_mark = messages(events).any(|(_, _, text)| may_have_key_mark(text));
        let mut found = FoundLines::default();
        let mut streams = self.streams.lock();
        streams.retain(|_, stream| now.saturating_duration_since(stream.seen) < REMEMBERED);
        if !has_mark && streams.is_empty() {
            return found;
        }
        let mut coming: HashMap<u64, Vec<Message<'_>>> = HashMap::new();
        for (index, log, text) in messages(events) {
            coming.entry(stream_of(source, log)).or_default().push((index, text));
        }
        for (id, texts) in coming {
            let mut run = streams.remove(&id).map(|stream| stream.run).unwrap_or_default();
            go_over(&mut run, &texts, &mut found.parts);
            if run.is_open() {
                found.forgotten += remember(&mut streams, id, Stream { run, seen: now });
            }
        }
        found
    }
}

/// Remembers a stream; how many were forgotten for it.
fn remember(streams: &mut HashMap<u64, Stream>, id: u64, stream: Stream) -> u64 {
    let mut forgotten = 0;
    if streams.len() >= MAX_STREAMS
        && let Some(silent) = streams.iter().min_by_key(|(_, stream)| stream.seen).map(|(id, _)| *id)
    {
        streams.remove(&silent);
        forgotten = 1;
    }
    streams.insert(id, stream);
    forgotten
}

/// Goes over the messages of one stream in a batch, in the order in which they came.
fn go_over(run: &mut KeyRun, texts: &[Message<'_>], found: &mut Parts) {
    // Where the messages begin that no mark and no key stands before.
    let mut trail = 0;
    for (at, (index, text)) in texts.iter().enumerate() {
        let was_open = run.is_open();
        let parts = run.see(text);
        match first_mark(text) {
            Some(KeyMark::End) if !was_open => {
                // Its beginning was in a batch that came before a restart, or comes after it.
                let before = before_end(&texts[trail..at]);
                let is_before = !before.is_empty();
                found.extend(before);
                if !is_before {
                    found.extend(after_end(&texts[at + 1..]));
                }
            }
            Some(_) => {}
            None if !parts.is_empty() => _ = found.insert(*index, parts),
            None if !was_open => continue,
            None => {}
        }
        trail = at + 1;
    }
}

fn first_mark(text: &str) -> Option<KeyMark> {
    key_marks(text).next().map(|(mark, _)| mark)
}

/// The lines of a key that messages before its end end in: at least one that is as long as those of keys.
fn before_end(trail: &[Message<'_>]) -> Vec<(usize, Vec<Range<usize>>)> {
    let is_full = |(_, text): &Message<'_>| !text.trim().contains('\n') && !key_parts(text).is_empty();
    let short = trail.iter().rev().take(MAX_SHORT + 1).take_while(|one| !is_full(one)).count();
    let end = trail.len() - short;
    let full = trail[..end].iter().rev().take_while(|one| is_full(one)).count();
    if full == 0 {
        return Vec::new();
    }
    let mut run = KeyRun::within();
    let lines = &trail[end - full..];
    let parts: Vec<_> = lines.iter().map(|(index, text)| (*index, run.see(text))).collect();
    // What stands between the base64 and the end would be a line of it, too.
    if parts.iter().any(|(_, parts)| parts.is_empty()) { Vec::new() } else { parts }
}

/// The lines of a key between its end and its beginning, where what is newest was sent first.
fn after_end(rest: &[Message<'_>]) -> Vec<(usize, Vec<Range<usize>>)> {
    let begin = rest.iter().position(|(_, text)| first_mark(text).is_some());
    let Some(begin) = begin.filter(|at| first_mark(rest[*at].1) == Some(KeyMark::Begin)) else {
        return Vec::new();
    };
    let mut run = KeyRun::default();
    let seen = rest[..=begin].iter().rev().map(|(index, text)| (*index, run.see(text)));
    seen.filter(|(_, parts)| !parts.is_empty()).collect()
}

/// The messages of records of logs, with the indexes of their events.
fn messages(events: &[Event]) -> impl Iterator<Item = (usize, &LogEvent, &str)> {
    events.iter().enumerate().filter_map(|(index, event)| match event {
        Event::Log(log) => Some((index, &**log, log.message.as_deref()?)),
        _ => None,
    })
}

/// Which stream a record is of: a path, else what it comes from. Not a file: a key goes on in the one that takes the
/// place of one that was rotated away. Neither its logger nor its process: what prints a key line by line may begin a
/// process for each.
fn stream_of(source: Source, log: &LogEvent) -> u64 {
    let mut hasher = DefaultHasher::new();
    source.as_str().hash(&mut hasher);
    let origin = &log.origin;
    match origin.resource_attributes.get(PATH) {
        // What its lines say of services and hosts makes no other stream of it.
        Some(path) if source == Source::LogFile => path.hash(&mut hasher),
        _ => {
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
