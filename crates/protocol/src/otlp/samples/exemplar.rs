//! Exemplars of points.

use std::borrow::Cow;

use model::{Exemplar, Labels, LabelsRef};

use super::{MAX_EXEMPLARS, Moment, SampleSink};
use crate::otlp::metrics::PointExemplar;
use crate::otlp::names::{NameStrategy, label_name};

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
            let value = exemplar.value.filter(|_| self.metric.has_exemplars);
            let Some(value) = value.filter(|_| self.has_room_for_exemplar()) else {
                self.converted.exemplars_left_out += 1;
                continue;
            };
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

    fn has_room_for_exemplar(&self) -> bool {
        self.converted.exemplars.len() < MAX_EXEMPLARS && self.check_room(1).is_ok()
    }
}

/// What leads on from an exemplar. Its attributes go with it as long as there are few of them.
fn labels(exemplar: &PointExemplar<'_>, names: NameStrategy) -> Labels {
    let ids = [("trace_id", exemplar.trace_id.to_string()), ("span_id", exemplar.span_id.to_string())];
    let ids = ids.map(|(name, id)| (Cow::Borrowed(name), Cow::<str>::Owned(id)));
    let mut chars = 0;
    let mut count = |(name, value): &(Cow<'_, str>, Cow<'_, str>)| {
        chars += name.chars().count() + value.chars().count();
        chars <= MAX_LABEL_CHARS
    };
    ids.iter().filter(|(_, id)| !id.is_empty()).for_each(|id| {
        count(id);
    });
    let attributes: Vec<(Cow<'_, str>, Cow<'_, str>)> = (exemplar.filtered_attributes.iter())
        .filter_map(|attribute| Some((label_name(&attribute.key, names)?, attribute.value.text())))
        .take_while(&mut count)
        .collect();
    let all_fit = chars <= MAX_LABEL_CHARS;
    // Ids come last, so that no attribute takes their place.
    Labels::from_pairs(attributes.into_iter().filter(|_| all_fit).chain(ids))
}
