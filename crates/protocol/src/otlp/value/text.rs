//! Values as text: what labels and columns hold that have room for nothing else.
//!
//! Texts are as they are, and all that has parts is compact JSON, as the OpenTelemetry specification has it for targets
//! that know only texts.

use std::borrow::Cow;
use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{AnyValue, KeyValue};

impl AnyValue<'_> {
    /// The value as text, without a copy where it is one.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            AnyValue::Text(text) => Cow::Borrowed(text),
            other => Cow::Owned(other.to_string()),
        }
    }
}

impl fmt::Display for AnyValue<'_> {
    /// Texts as they are, bytes in base64, numbers as JSON has them, arrays and maps as compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Shallow { value: self, depth: usize::MAX }, f)
    }
}

/// A value as text without what lies in more than so many arrays and maps: `…` stands for each of these.
pub(in crate::otlp) struct Shallow<'v, 'a> {
    pub(in crate::otlp) value: &'v AnyValue<'a>,
    pub(in crate::otlp) depth: usize,
}

impl fmt::Display for Shallow<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            AnyValue::Empty => Ok(()),
            AnyValue::Text(text) => f.write_str(text),
            AnyValue::Double(number) => f.write_str(&double(*number)),
            AnyValue::Bytes(bytes) => f.write_str(&STANDARD.encode(bytes)),
            AnyValue::Bool(_) | AnyValue::Int(_) | AnyValue::Array(_) | AnyValue::Map(_) => {
                json(self.value, self.depth, f)
            }
        }
    }
}

impl Shallow<'_, '_> {
    /// Whether something is left out.
    pub(in crate::otlp) fn is_cut(&self) -> bool {
        is_deeper(self.value, self.depth)
    }
}

fn is_deeper(value: &AnyValue<'_>, depth: usize) -> bool {
    match value {
        AnyValue::Array(values) => depth == 0 || values.iter().any(|value| is_deeper(value, depth - 1)),
        AnyValue::Map(entries) => {
            depth == 0 || entries.iter().any(|entry| is_deeper(&entry.value, depth - 1))
        }
        AnyValue::Empty
        | AnyValue::Text(_)
        | AnyValue::Bool(_)
        | AnyValue::Int(_)
        | AnyValue::Double(_)
        | AnyValue::Bytes(_) => false,
    }
}

/// Writes a value as JSON. Values are nested no deeper than decoding lets them be.
fn json(value: &AnyValue<'_>, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        AnyValue::Array(_) | AnyValue::Map(_) if depth == 0 => quoted("…", f),
        AnyValue::Empty => f.write_str("null"),
        AnyValue::Text(text) => quoted(text, f),
        AnyValue::Bool(is_so) => write!(f, "{is_so}"),
        AnyValue::Int(number) => write!(f, "{number}"),
        AnyValue::Double(number) if number.is_finite() => f.write_str(&double(*number)),
        // JSON has no such numbers.
        AnyValue::Double(number) => quoted(&double(*number), f),
        AnyValue::Bytes(bytes) => quoted(&STANDARD.encode(bytes), f),
        AnyValue::Array(values) => list(('[', ']'), values, f, |value, f| json(value, depth - 1, f)),
        AnyValue::Map(entries) => list(('{', '}'), entries, f, |KeyValue { key, value }, f| {
            quoted(key, f)?;
            f.write_char(':')?;
            json(value, depth - 1, f)
        }),
    }
}

fn list<T>(
    (open, close): (char, char),
    items: &[T],
    f: &mut fmt::Formatter<'_>,
    write: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    f.write_char(open)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_char(',')?;
        }
        write(item, f)?;
    }
    f.write_char(close)
}

fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for char in text.chars() {
        match char {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\0'..' ' => write!(f, "\\u{:04x}", u32::from(char))?,
            _ => f.write_char(char)?,
        }
    }
    f.write_char('"')
}

/// How long most numbers are at the most, in bytes: 17 digits, a sign, a point, and zeros.
const USUAL_BYTES: usize = 24;

/// A number as JavaScript and the OpenTelemetry Collector write it: `1`, `0.5`, `1e+21`, `1e-7`.
pub(in crate::otlp) fn double(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if let Some(text) = few_decimals(number) {
        return text;
    }
    if number == 0.0 || (1e-6..1e21).contains(&number.abs()) {
        // It comes in pieces, which would make a text grow piece by piece.
        let mut text = String::with_capacity(USUAL_BYTES);
        // A text takes all that is written.
        _ = write!(text, "{number}");
        return text;
    }
    let scientific = format!("{number:e}");
    match scientific.split_once('e') {
        Some((mantissa, exponent)) if !exponent.starts_with('-') => format!("{mantissa}e+{exponent}"),
        _ => scientific,
    }
}

/// Below this a number and a thousand times as much are told apart by their rounded values.
const FEW_DIGITS: f64 = 1e15;

/// A number that has three decimals at the most, as durations do, without searching for its digits: those of the whole
/// number that it is so many times are the fewest that say the same, for no two decimals of 15 digits are one `f64`.
fn few_decimals(number: f64) -> Option<String> {
    // Zero has a sign, too.
    if number == 0.0 {
        return None;
    }
    for (places, power) in [(0, 1.0), (1, 1e1), (2, 1e2), (3, 1e3)] {
        let whole = (number * power).round();
        if whole.is_nan() || whole.abs() >= FEW_DIGITS {
            return None;
        }
        if whole / power == number {
            return decimal(whole as i64, places);
        }
    }
    None
}

/// A whole number with a point before its last digits, so many of them.
fn decimal(whole: i64, places: usize) -> Option<String> {
    // Room for 20 digits, a point and a sign.
    let mut bytes = [0; 22];
    let (mut at, mut written, mut left) = (bytes.len(), 0, whole.unsigned_abs());
    while left > 0 || written <= places {
        if written == places && places > 0 {
            at -= 1;
            bytes[at] = b'.';
        }
        at -= 1;
        // The last digit is less than ten.
        bytes[at] = b'0' + (left % 10) as u8;
        left /= 10;
        written += 1;
    }
    if whole < 0 {
        at -= 1;
        bytes[at] = b'-';
    }
    std::str::from_utf8(&bytes[at..]).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry<'a>(key: &'a str, value: AnyValue<'a>) -> KeyValue<'a> {
        KeyValue { key: key.into(), value }
    }

    #[test]
    fn simple_values_are_as_they_are() {
        let cases = [
            (AnyValue::Empty, ""),
            (AnyValue::Text("a \"b\"".into()), "a \"b\""),
            (AnyValue::Bool(true), "true"),
            (AnyValue::Int(i64::MIN), "-9223372036854775808"),
            (AnyValue::Double(1.0), "1"),
            (AnyValue::Double(-0.25), "-0.25"),
            (AnyValue::Double(1e21), "1e+21"),
            (AnyValue::Double(1.5e-7), "1.5e-7"),
            (AnyValue::Double(f64::NAN), "NaN"),
            (AnyValue::Double(f64::NEG_INFINITY), "-Infinity"),
            (AnyValue::Bytes((&b"\x00\xff"[..]).into()), "AP8="),
        ];
        for (value, expected) in cases {
            assert_eq!(value.text(), expected, "{value:?}");
        }
    }

    /// A number without the short way.
    fn long_way(number: f64) -> String {
        if number == 0.0 || (1e-6..1e21).contains(&number.abs()) {
            number.to_string()
        } else {
            double(number)
        }
    }

    #[test]
    fn numbers_of_few_decimals_are_written_as_others_are() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.0, "-1"),
            (10.0, "10"),
            (0.5, "0.5"),
            (0.05, "0.05"),
            (-0.005, "-0.005"),
            (0.001, "0.001"),
            (0.0001, "0.0001"),
            (12_345.678, "12345.678"),
            (-12_345.678_9, "-12345.6789"),
            (0.1 + 0.2, "0.30000000000000004"),
            (999_999_999_999_999.0, "999999999999999"),
            (1e15, "1000000000000000"),
            (123_456_789_012.345, "123456789012.345"),
            (1_234_567_890_123.456, "1234567890123.456"),
            (1e20, "100000000000000000000"),
        ];
        for (number, expected) in cases {
            assert_eq!(double(number), expected);
            assert_eq!(long_way(number), expected);
        }
        assert_eq!(few_decimals(12_345.678).as_deref(), Some("12345.678"), "the short way is taken");
        let none = [
            0.0,
            -0.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN_POSITIVE,
            1e15,
            0.0001,
        ];
        assert!(none.into_iter().all(|number| few_decimals(number).is_none()));
    }

    proptest! {
        #[test]
        fn the_short_way_writes_what_the_long_way_does(whole in any::<i64>(), places in 0..20_i32, shift in 0..64_u32) {
            let number = (whole >> shift) as f64 / 10_f64.powi(places);
            prop_assert_eq!(double(number), long_way(number));
        }

        #[test]
        fn so_it_does_of_any_number(number in proptest::num::f64::ANY) {
            prop_assert_eq!(double(number), long_way(number));
        }
    }

    #[test]
    fn values_with_parts_are_compact_json_in_their_order() {
        let value = AnyValue::Map(vec![
            entry("z", AnyValue::Array(vec![AnyValue::Int(1), AnyValue::Empty, AnyValue::Double(0.5)])),
            entry("a\n\u{1}\"\\", AnyValue::Text("x\ty".into())),
            entry("z", AnyValue::Bool(false)),
            entry("n", AnyValue::Double(f64::INFINITY)),
            entry("b", AnyValue::Bytes((&b"\x00\xff"[..]).into())),
            entry("m", AnyValue::Map(Vec::new())),
        ]);
        let expected =
            r#"{"z":[1,null,0.5],"a\n\u0001\"\\":"x\ty","z":false,"n":"Infinity","b":"AP8=","m":{}}"#;
        assert_eq!(value.text(), expected);
        let read: serde_json::Value = serde_json::from_str(expected).expect("it is JSON");
        assert_eq!(read["a\n\u{1}\"\\"], "x\ty");
    }

    #[test]
    fn what_lies_too_deep_is_left_out_of_a_shallow_text() {
        let inner = AnyValue::Array(vec![AnyValue::Int(1), AnyValue::Map(Vec::new())]);
        let value = AnyValue::Map(vec![entry("a", inner), entry("b", AnyValue::Int(2))]);
        let shallow = |depth| Shallow { value: &value, depth };
        let cases = [
            (0, r#""…""#, true),
            (1, r#"{"a":"…","b":2}"#, true),
            (2, r#"{"a":[1,"…"],"b":2}"#, true),
            (3, r#"{"a":[1,{}],"b":2}"#, false),
        ];
        for (depth, expected, is_cut) in cases {
            assert_eq!((shallow(depth).to_string().as_str(), shallow(depth).is_cut()), (expected, is_cut));
        }
    }
}
