//! What a query answers, and how numbers are written.

use std::fmt::Write as _;
use std::sync::Arc;

use model::{Histogram, Labels, Sample};

use crate::HeldAnswer;

/// An answer with what the engine has to say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryOutput {
    /// The answer.
    pub value: Value,
    /// What is likely wrong with the query or the data, sorted.
    pub warnings: Vec<String>,
    /// What is worth a look, sorted.
    pub infos: Vec<String>,
    /// Whether some of that was found at some of the steps alone, or some was left out: of other steps, even of a part
    /// of these, something else may have to be said.
    pub notes_of_steps: bool,
    /// What it took.
    pub stats: QueryStats,
    /// Makes the value count among what all queries hold: keep it as long as that.
    pub held: HeldAnswer,
}

/// What an evaluation took. An answer that was kept took nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryStats {
    /// Samples that were read.
    pub samples_read: u64,
    /// About how many samples were in memory at once, of results and of what they were made of.
    pub samples_held: u64,
}

/// The four kinds of answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number at the time of the query.
    Scalar(Sample),
    /// A text at the time of the query.
    Text {
        /// The time of the query, in milliseconds since the epoch.
        time_ms: i64,
        /// The text.
        text: String,
    },
    /// One sample for each series, in the query's order.
    Vector(Vec<VectorSample>),
    /// Samples over time for each series, sorted by labels.
    Matrix(Vec<Series>),
}

impl Value {
    /// How many numbers it has, or what takes as much memory.
    pub fn count(&self) -> usize {
        match self {
            Self::Scalar(_) => 1,
            Self::Text { .. } => 0,
            Self::Vector(samples) => samples.iter().map(VectorSample::count).sum(),
            Self::Matrix(series) => series.iter().map(Series::count).sum(),
        }
    }
}

/// How many samples take as much memory as a histogram.
pub fn histogram_in_samples(histogram: &Histogram) -> usize {
    1 + histogram.size_bytes() / size_of::<Sample>()
}

/// One element of a vector.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSample {
    /// The labels.
    pub labels: Labels,
    /// The time of the query, in milliseconds since the epoch.
    pub time_ms: i64,
    /// The value; 0 of a histogram.
    pub value: f64,
    /// The histogram, where there is one in the place of a number.
    pub histogram: Option<Arc<Histogram>>,
}

impl VectorSample {
    fn count(&self) -> usize {
        self.histogram.as_deref().map_or(1, histogram_in_samples)
    }
}

/// One series of a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The labels.
    pub labels: Labels,
    /// Samples in ascending time; steps without a value are left out.
    pub samples: Vec<Sample>,
    /// Histograms with their times, ascending. Where there is one there is no sample.
    pub histograms: Vec<(i64, Arc<Histogram>)>,
}

impl Series {
    /// Whether it has neither samples nor histograms.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.histograms.is_empty()
    }

    /// How many numbers it has, or what takes as much memory.
    pub(crate) fn count(&self) -> usize {
        let histograms = self.histograms.iter().map(|(_, histogram)| histogram_in_samples(histogram));
        self.samples.len() + histograms.sum::<usize>()
    }
}

/// Writes a number as Prometheus' HTTP API does: the shortest digits that read back the same, with an
/// exponent below 1e-6 and from 1e21 on; `NaN`, `+Inf`, `-Inf`.
pub fn format_value(value: f64) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    text
}

/// Appends a number as [`format_value`] writes it.
pub fn write_value(value: f64, into: &mut String) {
    let magnitude = value.abs();
    let whole = value as i64;
    if magnitude < 1e15 && whole as f64 == value && (whole != 0 || value.is_sign_positive()) {
        into.push_str(itoa::Buffer::new().format(whole));
    } else if (1e-4..1e15).contains(&magnitude) {
        into.push_str(zmij::Buffer::new().format_finite(value));
    } else if magnitude.is_finite() && magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        // So far from one it has an exponent as well, of fewer digits.
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let sign = if exponent.starts_with('-') { '-' } else { '+' };
        let exponent = exponent.trim_start_matches(['+', '-']);
        // Writing to a string cannot fail.
        _ = write!(into, "{digits}e{sign}{exponent:0>2}");
    } else {
        into.push_str(&format_plain(value));
    }
}

/// Writes a number without an exponent, as `count_values` puts it into a label.
pub(crate) fn format_plain(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_prometheus_writes_them() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-07"),
            (1e-6, "0.000001"),
            (-2.5e300, "-2.5e+300"),
            (1e-7, "1e-07"),
            (3.25e22, "3.25e+22"),
            (1e100, "1e+100"),
            (9.999e-7, "9.999e-07"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, text) in cases {
            assert_eq!(format_value(value), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn quick_ways_write_what_the_slow_one_does(digits in proptest::num::i64::ANY, shift in 0u32..64, exponent in 0i32..12) {
            let value = (digits >> shift) as f64 / 10f64.powi(exponent);
            // Of two texts as short, either of which reads back the same, it is no matter which one is written.
            if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
                let (quick, slow) = (format_value(value), format_plain(value));
                proptest::prop_assert_eq!(quick.len(), slow.len(), "{} and {}", quick, slow);
                proptest::prop_assert_eq!(quick.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
            }
        }
    }
}
