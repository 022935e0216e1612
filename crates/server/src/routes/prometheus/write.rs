//! Values of queries in Prometheus' JSON, written without a detour: an answer can have a million numbers.

use model::{Labels, Sample};
use promql::{Value, write_value};

/// About how many bytes a point and the labels of a series take.
const POINT_BYTES: usize = 32;
const LABELS_BYTES: usize = 128;

/// Appends the `data` of an answer.
pub(super) fn value(value: &Value, text: &mut String) {
    let result_type = match value {
        Value::Scalar(_) => "scalar",
        Value::Text { .. } => "string",
        Value::Vector(_) => "vector",
        Value::Matrix(_) => "matrix",
    };
    text.push_str(r#"{"resultType":""#);
    text.push_str(result_type);
    text.push_str(r#"","result":"#);
    match value {
        Value::Scalar(sample) => point(*sample, text),
        Value::Text { time_ms, text: found } => {
            text.push('[');
            seconds(*time_ms, text);
            text.push(',');
            string(found, text);
            text.push(']');
        }
        Value::Vector(samples) => {
            text.reserve(samples.len() * (LABELS_BYTES + POINT_BYTES));
            list(samples, text, |sample, text| {
                text.push_str(r#"{"metric":"#);
                metric(&sample.labels, text);
                text.push_str(r#","value":"#);
                point(Sample { time_ms: sample.time_ms, value: sample.value }, text);
                text.push('}');
            });
        }
        Value::Matrix(series) => {
            let points: usize = series.iter().map(|series| series.samples.len()).sum();
            text.reserve(series.len() * LABELS_BYTES + points * POINT_BYTES);
            list(series, text, |series, text| {
                text.push_str(r#"{"metric":"#);
                metric(&series.labels, text);
                text.push_str(r#","values":"#);
                list(&series.samples, text, |sample, text| point(*sample, text));
                text.push('}');
            });
        }
    }
    text.push('}');
}

/// Appends labels as an object.
fn metric(labels: &Labels, text: &mut String) {
    text.push('{');
    for (place, (name, value)) in labels.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        string(name, text);
        text.push(':');
        string(value, text);
    }
    text.push('}');
}

/// A time in seconds and a value as text: JSON has no infinity.
fn point(sample: Sample, text: &mut String) {
    text.push('[');
    seconds(sample.time_ms, text);
    text.push_str(",\"");
    write_value(sample.value, text);
    text.push_str("\"]");
}

/// Milliseconds, shown as seconds; whole ones without a fraction.
fn seconds(time_ms: i64, text: &mut String) {
    let (whole, part) = (time_ms / 1000, (time_ms % 1000).unsigned_abs());
    if time_ms < 0 && whole == 0 && part > 0 {
        text.push('-');
    }
    text.push_str(itoa::Buffer::new().format(whole));
    if part > 0 {
        text.push('.');
        for digit in [part / 100, part / 10 % 10, part % 10] {
            text.push(char::from(b'0' + digit as u8));
        }
    }
}

fn list<T>(items: &[T], text: &mut String, each: impl Fn(&T, &mut String)) {
    text.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        each(item, text);
    }
    text.push(']');
}

fn string(value: &str, text: &mut String) {
    let plain = value.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
    if plain {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        text.push_str(&serde_json::Value::from(value).to_string());
    }
}

#[cfg(test)]
mod tests {
    use promql::Series;

    use super::*;

    fn written(found: &Value) -> serde_json::Value {
        let mut text = String::new();
        value(found, &mut text);
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn texts_with_quotes_and_controls_survive() {
        let labels = Labels::metric("m", &[("path", "a\"b\\c\nd\u{1}é")]);
        let samples =
            vec![Sample { time_ms: 1500, value: f64::INFINITY }, Sample { time_ms: -5, value: 0.25 }];
        let found = written(&Value::Matrix(vec![Series { labels, samples }]));
        let expected = serde_json::json!({"resultType": "matrix", "result": [{
            "metric": {"__name__": "m", "path": "a\"b\\c\nd\u{1}é"},
            "values": [[1.5, "+Inf"], [-0.005, "0.25"]]}]});
        assert_eq!(found, expected);
    }

    #[test]
    fn every_kind_of_value_is_json() {
        assert_eq!(
            written(&Value::Text { time_ms: 2000, text: "a \"b\"".to_owned() })["result"],
            serde_json::json!([2, "a \"b\""])
        );
        assert_eq!(
            written(&Value::Scalar(Sample { time_ms: 1, value: -0.0 }))["result"],
            serde_json::json!([0.001, "-0"])
        );
        assert_eq!(written(&Value::Vector(Vec::new()))["result"], serde_json::json!([]));
    }
}
