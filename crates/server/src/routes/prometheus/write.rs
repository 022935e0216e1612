//! Values of queries in Prometheus' JSON, written without a detour: an answer can have a million numbers.

use std::io;

use model::{Histogram, Labels, Sample};
use promql::{Value, histogram_in_samples, write_value};

use crate::chunks::CHUNK_BYTES;

/// Where an answer goes.
pub(super) trait Output {
    /// There is enough for a chunk, which may be taken away.
    fn take(&mut self, _: &mut String) -> io::Result<()> {
        Ok(())
    }

    /// So many samples have been written and are gone.
    fn written(&mut self, _: usize) {}
}

/// A text that grows to the end.
pub(super) struct Whole;

impl Output for Whole {}

/// About how many bytes a point takes, and a series beside its labels and points.
const POINT_BYTES: usize = 32;
const SERIES_BYTES: usize = 64;

/// About how many bytes the `data` of an answer takes.
pub(super) fn size(value: &Value) -> usize {
    let of_labels = |labels: &Labels| SERIES_BYTES + labels.as_ref().as_bytes().len() * 3 / 2;
    let labels: usize = match value {
        Value::Scalar(_) => 0,
        Value::Text { text, .. } => text.len(),
        Value::Vector(samples) => samples.iter().map(|sample| of_labels(&sample.labels)).sum(),
        Value::Matrix(series) => series.iter().map(|series| of_labels(&series.labels)).sum(),
    };
    labels + (value.count() + 1) * POINT_BYTES
}

/// Appends the `data` of an answer, but for the brace that closes it: more can stand behind.
pub(super) fn value(value: Value, text: &mut String, output: &mut impl Output) -> io::Result<()> {
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
        Value::Scalar(sample) => point(sample, text),
        Value::Text { time_ms, text: found } => {
            text.push('[');
            seconds(time_ms, text);
            text.push(',');
            string(&found, text);
            text.push(']');
        }
        Value::Vector(samples) => list(samples, text, output, |sample, text, _| {
            text.push_str(r#"{"metric":"#);
            metric(&sample.labels, text);
            match sample.histogram {
                None => {
                    text.push_str(r#","value":"#);
                    point(Sample { time_ms: sample.time_ms, value: sample.value }, text);
                }
                Some(histogram) => {
                    text.push_str(r#","histogram":"#);
                    histogram_point(sample.time_ms, &histogram, text);
                }
            }
            text.push('}');
            Ok(())
        })?,
        Value::Matrix(series) => list(series, text, output, |series, text, output| {
            text.push_str(r#"{"metric":"#);
            metric(&series.labels, text);
            if !series.samples.is_empty() {
                text.push_str(r#","values":"#);
                let samples = series.samples.len();
                list(series.samples, text, output, |sample, text, _| {
                    point(sample, text);
                    Ok(())
                })?;
                output.written(samples);
            }
            if !series.histograms.is_empty() {
                text.push_str(r#","histograms":"#);
                list(series.histograms, text, output, |(time_ms, histogram), text, output| {
                    histogram_point(time_ms, &histogram, text);
                    output.written(histogram_in_samples(&histogram));
                    Ok(())
                })?;
            }
            text.push('}');
            Ok(())
        })?,
    }
    Ok(())
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

/// A time in seconds and a histogram as an object, whose numbers are texts. Each of its buckets begins with what it says
/// of its bounds: 0 when the upper one belongs to it, 1 the lower one, 2 neither, 3 both. Empty buckets are left out.
fn histogram_point(time_ms: i64, histogram: &Histogram, text: &mut String) {
    text.push('[');
    seconds(time_ms, text);
    text.push_str(",{\"count\":\"");
    write_value(histogram.count, text);
    text.push_str("\",\"sum\":\"");
    write_value(histogram.sum, text);
    text.push('"');
    let mut separator = ",\"buckets\":[";
    for bucket in histogram.buckets().iter().filter(|bucket| bucket.count != 0.0) {
        text.push_str(separator);
        separator = ",";
        text.push('[');
        text.push(match (bucket.has_lower, bucket.has_upper) {
            (false, true) => '0',
            (true, false) => '1',
            (false, false) => '2',
            (true, true) => '3',
        });
        for number in [bucket.lower, bucket.upper, bucket.count] {
            text.push_str(",\"");
            write_value(number, text);
            text.push('"');
        }
        text.push(']');
    }
    if separator == "," {
        text.push(']');
    }
    text.push_str("}]");
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

/// Appends items, each of which is gone once it is written.
fn list<T, O: Output>(
    items: Vec<T>,
    text: &mut String,
    output: &mut O,
    each: impl Fn(T, &mut String, &mut O) -> io::Result<()>,
) -> io::Result<()> {
    text.push('[');
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        each(item, text, output)?;
        if text.len() >= CHUNK_BYTES {
            output.take(text)?;
        }
    }
    text.push(']');
    Ok(())
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
    use std::sync::Arc;

    use model::histogram::{Buckets, Span};
    use promql::{Series, VectorSample};

    use super::*;

    fn written(found: Value) -> serde_json::Value {
        let mut text = String::new();
        value(found, &mut text, &mut Whole).expect("there is room");
        text.push('}');
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn texts_with_quotes_and_controls_survive() {
        let labels = Labels::metric("m", &[("path", "a\"b\\c\nd\u{1}é")]);
        let samples =
            vec![Sample { time_ms: 1500, value: f64::INFINITY }, Sample { time_ms: -5, value: 0.25 }];
        let found = written(Value::Matrix(vec![Series { labels, samples, histograms: Vec::new() }]));
        let expected = serde_json::json!({"resultType": "matrix", "result": [{
            "metric": {"__name__": "m", "path": "a\"b\\c\nd\u{1}é"},
            "values": [[1.5, "+Inf"], [-0.005, "0.25"]]}]});
        assert_eq!(found, expected);
    }

    #[test]
    fn histograms_are_written_with_their_buckets_and_what_these_say_of_their_bounds() {
        let side = |counts: &[f64]| Buckets {
            spans: vec![Span { offset: 1, length: counts.len() as u32 }],
            counts: counts.to_vec(),
        };
        let histogram = Arc::new(Histogram {
            zero_threshold: 0.5,
            zero_count: 3.0,
            count: 6.5,
            sum: f64::NAN,
            positive: side(&[1.5, 0.0, 1.0]),
            negative: side(&[1.0]),
            ..Histogram::default()
        });
        let object = serde_json::json!({"count": "6.5", "sum": "NaN", "buckets": [
            [1, "-2", "-1", "1"], [3, "-0.5", "0.5", "3"], [0, "1", "2", "1.5"], [0, "4", "8", "1"]]});
        let labels = Labels::empty();
        let series = Series {
            labels: labels.clone(),
            samples: Vec::new(),
            histograms: vec![(1000, Arc::clone(&histogram)), (2500, Arc::new(Histogram::default()))],
        };
        let empty = serde_json::json!({"count": "0", "sum": "0"});
        let expected = serde_json::json!([{"metric": {}, "histograms": [[1, object], [2.5, empty]]}]);
        assert_eq!(written(Value::Matrix(vec![series]))["result"], expected);
        let sample = VectorSample { labels, time_ms: 1000, value: 0.0, histogram: Some(histogram) };
        let expected = serde_json::json!([{"metric": {}, "histogram": [1, object]}]);
        assert_eq!(written(Value::Vector(vec![sample]))["result"], expected);
    }

    #[test]
    fn every_kind_of_value_is_json() {
        assert_eq!(
            written(Value::Text { time_ms: 2000, text: "a \"b\"".to_owned() })["result"],
            serde_json::json!([2, "a \"b\""])
        );
        assert_eq!(
            written(Value::Scalar(Sample { time_ms: 1, value: -0.0 }))["result"],
            serde_json::json!([0.001, "-0"])
        );
        assert_eq!(written(Value::Vector(Vec::new()))["result"], serde_json::json!([]));
    }
}
