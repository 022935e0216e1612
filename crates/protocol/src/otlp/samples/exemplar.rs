//! Exemplars of points.

use std::borrow::Cow;

use model::{Exemplar, Labels, LabelsRef};

use super::{Moment, SampleSink};
use crate::otlp::metrics::PointExemplar;
use crate::otlp::names::{NameStrategy, label_name};

/// The most exemplars of a request.
const MAX_EXEMPLARS: usize = 10_000;
/// The most characters of all labels of an exemplar, as OpenMetrics has it.
const MAX_LABEL_CHARS: usize = 128;

impl SampleSink<'_> {
    /// Takes exemplars of the present point. `series` says by its value to which of the point's series one belongs: to
    /// that with a suffix, and with a bound.
    pub(super) fn take_exemplars(
        &mut self,
        exemplars: &[PointExemplar<'_>],
        moment: Moment,
        series: impl Fn(f64) -> (&'static str, Option<String>),
    ) {
        for exemplar in exemplars {
            let Some(value) = exemplar.value.filter(|_| self.metric.has_exemplars) else {
                self.converted.exemplars_wrong += 1;
                continue;
            };
            if !self.has_room_for_exemplar() {
                self.converted.exemplars_over_limit += 1;
                continue;
            }
            let value = value.as_f64();
            let (suffix, bound) = series(value);
            self.encode(suffix, bound.as_ref().map(|bound| ("le", bound.as_str())));
            let series = LabelsRef::from_canonical(&self.series).to_owned();
            let labels = labels(exemplar, self.options.names);
            self.converted.said_bytes +=
                size_of::<Exemplar>() + self.series.len() + labels.as_ref().as_bytes().len();
            let time_ms = if exemplar.time.is_set() { exemplar.time.as_millis() } else { moment.time_ms };
            self.converted.exemplars.push(Exemplar { series, labels, value, time_ms });
        }
    }

    fn has_room_for_exemplar(&mut self) -> bool {
        self.converted.exemplars.len() < MAX_EXEMPLARS && self.check_room(1).is_ok()
    }
}

/// What leads on from an exemplar. Its attributes go with it if there is room for all of them.
fn labels(exemplar: &PointExemplar<'_>, names: NameStrategy) -> Labels {
    let ids = [("trace_id", exemplar.trace_id.to_string()), ("span_id", exemplar.span_id.to_string())];
    let ids = ids.into_iter().filter(|(_, id)| !id.is_empty());
    let ids: Vec<Label<'_>> = ids.map(|(name, id)| (name.into(), id.into())).collect();
    let mut chars: usize = ids.iter().map(chars_of).sum();
    let mut labels = Vec::new();
    for attribute in &exemplar.filtered_attributes {
        let Some(name) = label_name(&attribute.key, names) else { continue };
        let label = (name, attribute.value.text());
        chars += chars_of(&label);
        if chars > MAX_LABEL_CHARS {
            return Labels::from_pairs(ids);
        }
        labels.push(label);
    }
    // Of labels with one name the last one holds: no attribute takes the place of an id.
    labels.extend(ids);
    Labels::from_pairs(labels)
}

type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

fn chars_of((name, value): &Label<'_>) -> usize {
    name.chars().count() + value.chars().count()
}
