//! A line that is a JSON object.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::clock::Clock;
use super::draft::{Draft, Finished};
use crate::otlp::rows::RowLimits;
use crate::otlp::{AnyValue, KeyValue};

/// Reads a line; nothing when it is no JSON object.
pub(super) fn read(line: &str, limits: &RowLimits, clock: &mut Clock) -> Option<Finished> {
    let mut draft = Draft::new(limits);
    let mut deserializer = serde_json::Deserializer::from_str(line);
    Entries { draft: &mut draft, clock: &mut *clock }.deserialize(&mut deserializer).ok()?;
    // What follows the object makes it none.
    deserializer.end().ok()?;
    Some(draft.finish(clock.now()))
}

/// Takes the entries of an object into a record one by one, so that only values with parts are ever put together. Where
/// the object turns out to be none, the record is of no use.
struct Entries<'d, 'l> {
    draft: &'d mut Draft<'l>,
    clock: &'d mut Clock,
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { draft, clock } = self;
        while let Some(Key(key)) = map.next_key()? {
            map.next_value_seed(Entry { key: &key, draft: &mut *draft, clock: &mut *clock })?;
        }
        Ok(())
    }
}

/// Takes the value of an entry into a record as soon as it is read: a value that is handed back first is written and read
/// again in pieces that do not fit each other, which takes a processor longer than all else that is done with it.
struct Entry<'e, 'l> {
    key: &'e str,
    draft: &'e mut Draft<'l>,
    clock: &'e mut Clock,
}

impl Entry<'_, '_> {
    fn put(self, value: &AnyValue<'_>) {
        self.draft.put(self.key, value, self.clock);
    }
}

impl<'de> DeserializeSeed<'de> for Entry<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entry<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put(&AnyValue::Empty);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(&AnyValue::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.put(&AnyValue::Int(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.put(&whole(value));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.put(&AnyValue::Double(value));
        Ok(())
    }

    /// Also of a text that has escapes, and so is the parser's: what is kept of it is copied from there.
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.put(&AnyValue::Text(Cow::Borrowed(value)));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        let Json(value) = AnyJson.visit_seq(items)?;
        self.put(&value);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Json(value) = AnyJson.visit_map(map)?;
        self.put(&value);
        Ok(())
    }
}

/// A number without a sign; as a text it keeps all its digits where it is too large for one.
fn whole(value: u64) -> AnyValue<'static> {
    i64::try_from(value).map_or_else(|_| AnyValue::Text(Cow::Owned(value.to_string())), AnyValue::Int)
}

/// Any JSON. Texts are borrowed where they have no escapes. The parser bounds how deep it is.
struct Json<'a>(AnyValue<'a>);

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Empty))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json(whole(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Double(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Text(Cow::Borrowed(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Text(Cow::Owned(value.to_owned()))))
    }

    fn visit_string<E>(self, value: String) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Text(Cow::Owned(value))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(Json(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Json(AnyValue::Array(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            let Json(value) = map.next_value()?;
            entries.push(KeyValue { key, value });
        }
        Ok(Json(AnyValue::Map(entries)))
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AnyKey)
    }
}

struct AnyKey;

impl<'de> Visitor<'de> for AnyKey {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }

    fn visit_string<E>(self, key: String) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use model::Timestamp;

    use super::*;

    /// Reads a line as a whole value first, and takes its entries then.
    fn read_as_a_value(line: &str, limits: &RowLimits, clock: &mut Clock) -> Option<Finished> {
        let Ok(Json(AnyValue::Map(entries))) = serde_json::from_str::<Json<'_>>(line) else { return None };
        let mut draft = Draft::new(limits);
        for entry in &entries {
            draft.put(&entry.key, &entry.value, clock);
        }
        Some(draft.finish(clock.now()))
    }

    /// What becomes of a line; it must be the same either way.
    fn one(line: &str, limits: &RowLimits) -> Option<Finished> {
        let clock = || Clock::new(TimeZone::UTC, Timestamp::from_millis(1_754_083_800_000));
        let taken = read(line, limits, &mut clock());
        assert_eq!(taken, read_as_a_value(line, limits, &mut clock()), "{line}");
        taken
    }

    fn narrow() -> RowLimits {
        RowLimits {
            max_text_bytes: 12,
            max_name_bytes: 9,
            max_attributes: 3,
            max_record_bytes: 60,
            max_depth: 2,
            ..RowLimits::default()
        }
    }

    const LINES: [&str; 17] = [
        r#"{"timestamp":"2026-11-30T08:00:00.123Z","level":"INFO","service":"ocr","host":"gpu-1","logger":"pipeline.ocr","message":"done","trace_id":"000102030405060708090a0b0c0d0e0f","span_id":"0001020304050607","job_id":"job-7","stage":"ocr","duration_ms":12.5,"attempt":1}"#,
        "{}",
        r#" {"msg" : "spaces" , "level":	"warn" } "#,
        r#"{"msg":"one","message":"two","event":"three","msg":"one","a":"x","a":"y","a":"x"}"#,
        r#"{"name":"n","logger":"l","target":"t","logger":7,"service":["s"],"service":"s","service":"u"}"#,
        r#"{"level":30,"levelno":40,"severity":"error","severity_number":99,"level":"x","time":1754083800.5,"ts":"no time"}"#,
        r#"{"fields":{"message":"in","depth":7,"deep":{"b":{"c":{"d":{"e":1}}}}},"extra":{},"other":{"fields":{"a":1}}}"#,
        r#"{"a":null,"b":true,"c":false,"d":[],"e":{},"f":[null,{"g":[1,"x"]}],"":"empty","h":""}"#,
        r#"{"big":18446744073709551615,"bigger":123456789012345678901234567890,"small":-9223372036854775808,"e":1e308,"f":-0.0,"g":1E-7}"#,
        r#"{"escapes":"a\"b\\c\/d\n\t\u00e9\ud83d\ude00\u0000","\u006dsg":"by its escapes","k\"ey":"v"}"#,
        r#"{"half":"\ud83d","msg":"x"}"#,
        r#"{"half":"\udc00\ud83d","msg":"x"}"#,
        r#"{"trace_id":"000102030405060708090A0B0C0D0E0F","span_id":"0000000000000000","trace_flags":"1","traceId":"nope"}"#,
        r#"{"exc_info":"Traceback","exception":{"type":"E","message":"m"},"err":{"stack":"s","type":"T"},"http.target":"/a?b=c"}"#,
        r#"{"größe":"ü€😀","msg":"größer ✓","http.status_code":"502","http.response.status_code":500.0}"#,
        r#"{"nan":NaN,"msg":"x"}"#,
        r#"{"much":1e400,"msg":"x"}"#,
    ];

    #[test]
    fn entries_that_are_taken_one_by_one_are_those_of_the_whole_value() {
        for limits in [RowLimits::default(), narrow()] {
            for line in LINES {
                one(line, &limits);
                for end in [" ", "\n", "x", ",", "}", "{}", "\u{a0}", "\"", "//"] {
                    one(&format!("{line}{end}"), &limits);
                }
            }
        }
        let (log, whence) = one(LINES[0], &RowLimits::default()).expect("it is JSON");
        let service = whence.and_then(|whence| whence.service);
        assert_eq!((log.message.as_deref(), service.as_deref()), (Some("done"), Some("ocr")));
        assert_eq!(log.attributes.len(), 3);
        let none = ["", "{", "[]", "null", "\"text\"", "7", "{\"a\":1,}", "{'a':1}", "{a:1}", "{1:1}"];
        for line in none.into_iter().chain([LINES[10], LINES[15], LINES[16]]) {
            assert_eq!(one(line, &RowLimits::default()), None, "{line}");
        }
    }

    #[test]
    fn the_same_holds_of_lines_that_break_off_or_have_other_bytes() {
        let limits = RowLimits::default();
        for line in LINES {
            for (place, char) in line.char_indices() {
                one(&line[..place], &limits);
                for other in ["", "\"", "\\", "{", "}", "[", ",", ":", "0", "e", "\u{1}"] {
                    one(&format!("{}{other}{}", &line[..place], &line[place + char.len_utf8()..]), &limits);
                }
            }
        }
    }

    #[test]
    fn what_lies_deep_is_read_as_far_as_it_was_and_a_line_that_is_too_deep_is_no_object() {
        for limits in [RowLimits::default(), narrow()] {
            for depth in [1, 3, 4, 5, 8, 9, 100, 125, 126, 127, 128, 129, 1000] {
                for (open, close) in [("[", "]"), ("{\"b\":", "}"), ("[{\"b\":", "}]")] {
                    let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                    let read = one(&format!("{{\"msg\":\"x\",\"a\":{value},\"c\":2}}"), &limits);
                    assert!(read.is_some() || depth > 9, "{depth}");
                    assert!(read.is_none() || depth < 128, "{depth}");
                }
            }
        }
    }
}
