//! Aggregations that pass some of the series of a group on: `topk`, `bottomk`, `limitk`, `limit_ratio`.

use std::collections::HashMap;

use std::sync::Arc;

use model::{Histogram, Labels};

use super::aggregate::{Groups, size_in_values};
use super::{Evaluation, Sink};
use crate::Error;
use crate::plan::{Aggregate, Aggregation, ScalarExpr};
use crate::steps::{Point, StepSeries, Steps};

/// The best values of a group at one step, best first, each with the number of its series.
type Ranking = Vec<(f64, usize)>;

/// What is kept of a series that is ranked somewhere.
struct Member {
    labels: Labels,
    drop_name: bool,
    histograms: Vec<Arc<Histogram>>,
}

impl Evaluation<'_> {
    /// Keeps the best series of each group at each step.
    pub(super) fn best(
        &self,
        count: &ScalarExpr,
        better: fn(f64, f64) -> bool,
        aggregate: &Aggregate,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let counts = self.counts(count, steps)?;
        if counts.iter().all(|count| *count == 0) {
            return Ok(());
        }
        let mut groups: Groups<'_, Ranking> = Groups::new(&aggregate.grouping);
        let mut members: Vec<Member> = Vec::new();
        let ranks_histograms = matches!(aggregate.operation, Aggregation::LimitCount(_));
        self.vector(&aggregate.input, steps, &mut |series| {
            let member = members.len();
            if series.has_histograms() && !ranks_histograms {
                self.ignore_histograms(aggregate);
                series.drop_histograms();
                if series.is_empty() {
                    return Ok(());
                }
            }
            let (group, new) = groups.of(series, &Ranking::new());
            let mut grown = if new { steps.count * size_in_values::<Ranking>() } else { 0 };
            let mut ranked = false;
            for (step, value) in series.present() {
                let (ranking, limit) = (&mut group.cells[step], counts[step]);
                let place = ranking.partition_point(|(kept, _)| !better(value, *kept));
                if place < limit {
                    if ranking.len() == limit {
                        ranking.pop();
                    } else {
                        grown += size_in_values::<(f64, usize)>();
                    }
                    ranking.insert(place, (value, member));
                    ranked = true;
                }
            }
            if ranked {
                grown += super::held::labels_in_values(&series.labels);
                grown += series.size_in_values() - series.values.len();
                members.push(Member {
                    labels: series.labels.clone(),
                    drop_name: series.drop_name,
                    histograms: std::mem::take(&mut series.histograms),
                });
            }
            self.hold(grown)
        })?;
        for group in groups.groups {
            self.emit_ranked(&group.cells, &members, steps, sink)?;
        }
        Ok(())
    }

    /// Turns a group's rankings back into series, in the order of the first step's ranking.
    fn emit_ranked(
        &self,
        rankings: &[Ranking],
        members: &[Member],
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let mut places: HashMap<usize, usize> = HashMap::new();
        let mut found: Vec<StepSeries> = Vec::new();
        for (step, ranking) in rankings.iter().enumerate() {
            for (value, member) in ranking {
                let place = *places.entry(*member).or_insert(found.len());
                if place == found.len() {
                    let Member { labels, drop_name, .. } = &members[*member];
                    self.hold_series(labels, steps.count)?;
                    let series = StepSeries::new(labels.clone(), steps);
                    found.push(StepSeries { drop_name: *drop_name, ..series });
                }
                found[place].set(step, Point::of(*value, &members[*member].histograms));
            }
        }
        found.iter_mut().try_for_each(sink)
    }

    /// Passes a share of the series on, chosen by the hash of their labels; a negative share is the
    /// rest of its positive complement.
    pub(super) fn limit_ratio(
        &self,
        ratio: &ScalarExpr,
        aggregate: &Aggregate,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let mut ratios = self.scalar(ratio, steps)?;
        for ratio in &mut ratios {
            if ratio.is_nan() {
                return Err(Error::Execution("Ratio value is NaN".to_owned()));
            }
            let capped = ratio.clamp(-1.0, 1.0);
            if capped != *ratio {
                let text =
                    format!("ratio value should be between -1 and 1, got {ratio}, capping to {capped}");
                self.notes.borrow_mut().warn(&text, aggregate.parameter_place);
                *ratio = capped;
            }
        }
        self.vector(&aggregate.input, steps, &mut |series| {
            let share = place_of(&series.labels) as f64 / u64::MAX as f64;
            series.keep(|step| {
                let ratio = ratios[step];
                if ratio >= 0.0 { share < ratio } else { share >= 1.0 + ratio }
            });
            if series.is_empty() { Ok(()) } else { sink(series) }
        })
    }
}

/// Where a series lies among all that there can be: the hash by which Prometheus chooses too (xxHash64 of names and
/// values, each behind its length), so that both keep the same ones.
fn place_of(labels: &Labels) -> u64 {
    let mut bytes = Vec::with_capacity(labels.as_ref().as_bytes().len());
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        match u8::try_from(text.len()) {
            Ok(length @ ..=254) => bytes.push(length),
            _ => {
                bytes.push(u8::MAX);
                bytes.extend_from_slice(&(text.len() as u32).to_le_bytes()[..3]);
            }
        }
        bytes.extend_from_slice(text.as_bytes());
    }
    xxhash_rust::xxh64::xxh64(&bytes, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_lie_where_prometheus_has_them() {
        assert_eq!(place_of(&Labels::metric("up", &[("job", "api")])), 0xea45_4d03_9365_4eec);
        assert_eq!(place_of(&Labels::from_pairs([("a", "x".repeat(300))])), 0x7334_729f_4d20_ea0b);
    }
}
