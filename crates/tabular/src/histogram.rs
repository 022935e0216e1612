//! A native histogram as a text in JSON, for rows of points.

use std::fmt::Write as _;

use model::Histogram;
use model::histogram::{Buckets, CUSTOM_SCHEMA};

/// `{"schema":3,"zero_threshold":0.001,"zero_count":2,"count":7,"sum":4.5,"positive":[[-4,1],[0,4]],"negative":[]}`:
/// buckets by their index, each with its count. With bounds of their own they are `"bounds"`. Numbers that JSON has
/// not are texts.
pub fn json(histogram: &Histogram) -> String {
    let mut text = String::with_capacity(96 + 12 * histogram.positive.counts.len());
    let mut member = |name: &str, value: f64| {
        // Writing to a string cannot fail.
        _ = write!(text, "{}\"{name}\":{}", if text.is_empty() { "{" } else { "," }, Number(value));
    };
    member("schema", f64::from(histogram.schema));
    member("zero_threshold", histogram.zero_threshold);
    member("zero_count", histogram.zero_count);
    member("count", histogram.count);
    member("sum", histogram.sum);
    for (name, buckets) in [("positive", &histogram.positive), ("negative", &histogram.negative)] {
        _ = write!(text, ",\"{name}\":[");
        for (place, (index, count)) in indexed(buckets).enumerate() {
            _ = write!(text, "{}[{index},{}]", if place == 0 { "" } else { "," }, Number(count));
        }
        text.push(']');
    }
    if histogram.schema == CUSTOM_SCHEMA {
        let bounds: Vec<String> =
            histogram.custom_bounds.iter().map(|bound| Number(*bound).to_string()).collect();
        _ = write!(text, ",\"bounds\":[{}]", bounds.join(","));
    }
    text.push('}');
    text
}

/// The buckets with their indexes.
fn indexed(buckets: &Buckets) -> impl Iterator<Item = (i64, f64)> {
    let mut next = 0i64;
    let indexes = buckets.spans.iter().flat_map(move |span| {
        let first = next.saturating_add(i64::from(span.offset));
        next = first.saturating_add(i64::from(span.length));
        first..next
    });
    indexes.zip(buckets.counts.iter().copied())
}

struct Number(f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            value if value.is_finite() => write!(f, "{value}"),
            value if value.is_nan() => f.write_str("\"NaN\""),
            value if value > 0.0 => f.write_str("\"+Inf\""),
            _ => f.write_str("\"-Inf\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::histogram::Span;

    #[test]
    fn a_histogram_is_an_object_whose_buckets_have_their_indexes() {
        let span = |offset, length| Span { offset, length };
        let mut histogram = Histogram {
            schema: 3,
            zero_threshold: 0.001,
            zero_count: 2.0,
            count: 7.0,
            sum: f64::NAN,
            positive: Buckets { spans: vec![span(-4, 1), span(3, 2)], counts: vec![1.0, 4.0, 0.5] },
            ..Histogram::default()
        };
        assert_eq!(
            json(&histogram),
            r#"{"schema":3,"zero_threshold":0.001,"zero_count":2,"count":7,"sum":"NaN","positive":[[-4,1],[0,4],[1,0.5]],"negative":[]}"#
        );
        histogram.schema = CUSTOM_SCHEMA;
        histogram.custom_bounds = vec![0.5, f64::INFINITY];
        assert!(json(&histogram).ends_with(r#","bounds":[0.5,"+Inf"]}"#));
    }
}
