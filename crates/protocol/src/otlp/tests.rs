//! Requests as an independent implementation writes them (`opentelemetry-proto`), and as nobody should.

mod agreement;
mod answers;
mod generated;
mod hostile;
mod json;
mod oracle;

use std::fmt::Debug;

use super::*;

/// All that a request says, in its order, as text: numbers that are no numbers are equal there, too.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard(Vec<String>);

impl Heard {
    fn note(&mut self, what: &dyn Debug) {
        self.0.push(format!("{what:?}"));
    }
}

impl Sink for Heard {
    fn resource(&mut self, resource: &Resource<'_>) {
        self.note(resource);
    }

    fn scope(&mut self, scope: &Scope<'_>) {
        self.note(scope);
    }
}

impl LogSink for Heard {
    fn record(&mut self, record: &LogRecord<'_>) {
        self.note(record);
    }
}

impl SpanSink for Heard {
    fn span(&mut self, span: &Span<'_>) {
        self.note(span);
    }
}

impl MetricSink for Heard {
    fn metric(&mut self, metric: &Metric<'_>) {
        self.note(metric);
    }

    fn number(&mut self, point: &NumberPoint<'_>) {
        self.note(point);
    }

    fn histogram(&mut self, point: &HistogramPoint<'_>) {
        self.note(point);
    }

    fn exponential_histogram(&mut self, point: &ExponentialHistogramPoint<'_>) {
        self.note(point);
    }

    fn summary(&mut self, point: &SummaryPoint<'_>) {
        self.note(point);
    }

    fn point_beyond(&mut self, beyond: Beyond) {
        self.note(&beyond);
    }
}

/// What a request of a signal says.
fn heard(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<Heard, OtlpError> {
    let mut heard = Heard::default();
    match signal {
        Signal::Logs => decode_logs(encoding, body, &mut heard),
        Signal::Traces => decode_traces(encoding, body, &mut heard),
        Signal::Metrics => decode_metrics(encoding, body, &mut heard),
    }?;
    Ok(heard)
}

/// What is wrong with a request.
fn wrong(signal: Signal, encoding: Encoding, body: &[u8]) -> String {
    match heard(signal, encoding, body) {
        Ok(heard) => panic!("nothing is wrong: {heard:?}"),
        Err(error) => error.to_string(),
    }
}
