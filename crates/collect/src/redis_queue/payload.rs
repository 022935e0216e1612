//! From a member of a queue to what may be kept of it.
//!
//! A payload can hold whole documents. It is looked at once, here; what leaves is its hash, its size
//! and the few facts that the mapping names, each of bounded length. The text itself is never kept.

use std::collections::HashMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::mapping::Paths;

/// The longest id, kind or document that is kept, in bytes.
const MAX_FACT_BYTES: usize = 200;

/// What is kept of a task's payload.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) id: String,
    pub(crate) kind: Option<String>,
    pub(crate) document_id: Option<String>,
    pub(crate) priority: Option<f64>,
    pub(crate) created_at: Option<Timestamp>,
    /// xxh3 of the payload, 128 bits in hex.
    pub(crate) payload_hash: String,
    pub(crate) payload_bytes: u64,
    /// Whether the member was an id and nothing more.
    pub(crate) bare: bool,
}

impl Facts {
    /// Whether the task says who it is.
    pub(crate) fn says_id(&self) -> bool {
        self.id != shown_hash(&self.payload_hash)
    }
}

/// Under what a task is shown that does not say who it is.
fn shown_hash(payload_hash: &str) -> String {
    format!("payload-{}", &payload_hash[..16])
}

/// Reads payloads, and remembers for a pass what it has read, so that a task that waits is not
/// parsed again and again.
pub(crate) struct PayloadReader {
    paths: Paths,
    now: HashMap<u128, Arc<Facts>>,
    before: HashMap<u128, Arc<Facts>>,
    malformed: u64,
}

impl PayloadReader {
    pub(crate) fn new(paths: Paths) -> Self {
        Self { paths, now: HashMap::new(), before: HashMap::new(), malformed: 0 }
    }

    /// A new pass begins: what was not met in the last one is forgotten.
    pub(crate) fn next_pass(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    /// Malformed payloads since the last call.
    pub(crate) fn take_malformed(&mut self) -> u64 {
        std::mem::take(&mut self.malformed)
    }

    /// The facts of a member.
    pub(crate) fn read(&mut self, payload: &[u8]) -> Arc<Facts> {
        let hash = xxhash_rust::xxh3::xxh3_128(payload);
        if let Some(facts) = self.now.get(&hash) {
            return Arc::clone(facts);
        }
        let facts = match self.before.remove(&hash) {
            Some(facts) => facts,
            None => Arc::new(self.parse(payload, hash)),
        };
        self.now.insert(hash, Arc::clone(&facts));
        facts
    }

    /// The facts of a stream's entry: its fields are the task, or one of them holds it.
    pub(crate) fn read_entry(&mut self, fields: &[(String, Vec<u8>)], field: Option<&str>) -> Arc<Facts> {
        if let Some(wanted) = field {
            let payload = fields.iter().find(|(name, _)| name == wanted);
            return self.read(payload.map_or(&[], |(_, payload)| payload.as_slice()));
        }
        let text = |bytes: &[u8]| Value::String(String::from_utf8_lossy(bytes).into_owned());
        let task: serde_json::Map<String, Value> =
            fields.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        self.read(Value::Object(task).to_string().as_bytes())
    }

    fn parse(&mut self, payload: &[u8], hash: u128) -> Facts {
        let mut facts = Facts {
            id: String::new(),
            kind: None,
            document_id: None,
            priority: None,
            created_at: None,
            payload_hash: format!("{hash:032x}"),
            payload_bytes: payload.len() as u64,
            bare: false,
        };
        let id = match serde_json::from_slice(payload) {
            Ok(value @ Value::Object(_)) => {
                let fact = |path: &Option<_>| find(path.as_ref(), &value);
                facts.kind = fact(&self.paths.kind).and_then(short_text);
                facts.document_id = fact(&self.paths.document).and_then(short_text);
                facts.priority = fact(&self.paths.priority).and_then(number);
                facts.created_at = fact(&self.paths.created).and_then(time);
                self.paths.id.find(&value).and_then(short_text)
            }
            Ok(Value::String(id)) => bare_id(id.as_bytes()).inspect(|_| facts.bare = true),
            _ => bare_id(payload).inspect(|_| facts.bare = true),
        };
        // A task that does not say who it is still waits: it is shown under its hash.
        facts.id = id.unwrap_or_else(|| {
            self.malformed += 1;
            shown_hash(&facts.payload_hash)
        });
        facts
    }
}

fn find<'a>(path: Option<&super::mapping::Path>, value: &'a Value) -> Option<&'a Value> {
    path.and_then(|path| path.find(value))
}

/// A text or number, when it is short enough to be a name and no document.
fn short_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty() && text.len() <= MAX_FACT_BYTES).then_some(text)
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number: &f64| number.is_finite())
}

fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(_) => Timestamp::from_epoch_number(number(value)?).ok(),
        Value::String(text) => Timestamp::parse_rfc3339(text)
            .or_else(|error| number(value).map_or(Err(error), Timestamp::from_epoch_number))
            .ok(),
        _ => None,
    }
}

/// A member that is nothing but an id: short, and without spaces, so that no sentence passes for one.
fn bare_id(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let fits = (1..=MAX_FACT_BYTES).contains(&text.len());
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:@/+=#|~".contains(&byte));
    (fits && plain).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis_queue::mapping::Mapping;
    use crate::redis_queue::{FieldPaths, KeyConfig, KeyType, QueueConfig};

    fn reader() -> PayloadReader {
        let name = |text: &str| Some(text.to_owned());
        let fields = FieldPaths {
            id: "task_id".to_owned(),
            kind: name("task_type"),
            document: name("$.meta.document_id"),
            priority: name("priority"),
            created: name("created_at"),
        };
        let pending = KeyConfig {
            key: "k".to_owned(),
            kind: KeyType::List,
            oldest: None,
            score: None,
            group: None,
            field: None,
        };
        let config =
            QueueConfig { name: "q".to_owned(), pending: Some(pending), fields, ..QueueConfig::default() };
        PayloadReader::new(Mapping::new(&config).unwrap().paths)
    }

    #[test]
    fn only_the_mapped_facts_of_a_payload_are_kept() {
        let payload = br#"{"task_id":"t1","task_type":"summary","meta":{"document_id":7},"priority":"5",
            "created_at":"2025-08-01T21:30:00.5","text":"the quick brown fox"}"#;
        let mut reader = reader();
        let facts = reader.read(payload);
        assert_eq!((facts.id.as_str(), facts.kind.as_deref()), ("t1", Some("summary")));
        assert_eq!((facts.document_id.as_deref(), facts.priority), (Some("7"), Some(5.0)));
        assert_eq!(facts.created_at.map(Timestamp::as_millis), Some(1_754_083_800_500));
        assert_eq!(facts.payload_bytes, payload.len() as u64);
        assert!(!format!("{facts:?}").contains("fox"), "{facts:?}");
        assert_eq!(reader.take_malformed(), 0);
    }

    #[test]
    fn bare_ids_are_ids_and_texts_are_not() {
        let mut reader = reader();
        for id in ["0b0e1f2a-7c1d-4a6e-9b8e-3a1f5c2d4e6f", "42", "\"quoted-id\""] {
            assert_eq!(reader.read(id.as_bytes()).id, id.trim_matches('"'));
        }
        assert_eq!(reader.take_malformed(), 0);
        let texts: [&[u8]; 6] =
            [b"the quick brown fox", b"", b"{\"task_id\":", b"\xff\xfe", b"[1,2]", b"{\"text\":\"fox\"}"];
        for text in texts {
            let facts = reader.read(text);
            assert!(facts.id.starts_with("payload-"), "{facts:?}");
            assert!(!format!("{facts:?}").contains("fox"), "{facts:?}");
        }
        assert_eq!(reader.take_malformed(), 6);
    }

    #[test]
    fn a_malformed_payload_that_stays_is_counted_once() {
        let mut reader = reader();
        for _ in 0..3 {
            reader.next_pass();
            reader.read(b"not an id");
        }
        assert_eq!(reader.take_malformed(), 1);
    }

    #[test]
    fn a_document_in_place_of_a_name_is_not_kept() {
        let payload = format!(r#"{{"task_id":"t","task_type":"{}"}}"#, "fox ".repeat(100));
        assert_eq!(reader().read(payload.as_bytes()).kind, None);
    }
}
