//! The function `info`: series with the labels that info metrics have for the same `instance` and `job`.
//!
//! Which info series is the right one may change from step to step, and so may the labels of a result.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::Labels;
use model::histogram::histogram_place;
use model::is_stale;
use model::labels::METRIC_NAME;
use store::{MatchOp, Matcher};

use super::{Evaluation, Sink, same_labels};
use crate::Error;
use crate::labelset::describe;
use crate::notes::Place;
use crate::plan::{Info, Selector, Shift};
use crate::steps::{ABSENT, StepMask, StepSeries, Steps, is_present};

/// The labels by which info metrics belong to others.
const IDENTIFYING: [&str; 2] = ["instance", "job"];
/// Of so many values the store is asked for at once; of more it is asked for all info series.
const MAX_VALUES: usize = 500;

/// The values of the identifying labels, empty where there is none.
type Identity = [String; 2];

fn identity(labels: &Labels) -> Identity {
    IDENTIFYING.map(|name| labels.get(name).unwrap_or("").to_owned())
}

/// An info series: when the sample was taken that holds at each step.
struct InfoSeries {
    labels: Labels,
    times_ms: Vec<Option<i64>>,
}

/// Info series by whom they belong to, and by metric.
type Found = HashMap<Identity, BTreeMap<String, Vec<InfoSeries>>>;

impl Evaluation<'_> {
    pub(super) fn info(&self, info: &Info, steps: Steps, sink: &mut Sink<'_>) -> Result<(), Error> {
        let base = self.collect(&info.input, steps)?;
        let is_left_alone = |series: &StepSeries| {
            let name = if series.drop_name { "" } else { series.labels.metric_name() };
            !info.left_alone.is_empty() && info.left_alone.iter().all(|matcher| matcher.matches_value(name))
        };
        let mut wanted = [BTreeSet::new(), BTreeSet::new()];
        for series in base.iter().filter(|series| !is_left_alone(series)) {
            for (values, value) in wanted.iter_mut().zip(identity(&series.labels)) {
                if !value.is_empty() {
                    values.insert(value);
                }
            }
        }
        let found = match wanted.iter().all(BTreeSet::is_empty) {
            true => Found::new(),
            false => self.info_series(info, &wanted, steps)?,
        };
        let mut present: HashMap<Labels, StepMask> = HashMap::new();
        for mut series in base {
            let is_left_alone = is_left_alone(&series);
            let parts = match found.get(&identity(&series.labels)) {
                _ if is_left_alone => vec![series],
                Some(metrics) => self.joined(info, &series, metrics, steps)?,
                None if info.labels.iter().all(Matcher::matches_absent) => vec![series],
                None => {
                    series.values.clear();
                    continue;
                }
            };
            for mut part in parts {
                if !present.contains_key(&part.labels) {
                    self.hold_series(&part.labels, StepMask::size_in_values(steps))?;
                }
                let mask = present.entry(part.labels.clone()).or_insert_with(|| StepMask::new(steps));
                if part.present().any(|(step, _)| !mask.insert(step)) {
                    return Err(same_labels());
                }
                sink(&mut part)?;
            }
        }
        Ok(())
    }

    /// Reads the info series that may belong to any series with the wanted values.
    fn info_series(&self, info: &Info, wanted: &[BTreeSet<String>; 2], steps: Steps) -> Result<Found, Error> {
        let mut matchers: Vec<Matcher> = info.names.iter().chain(&info.labels).cloned().collect();
        for (name, values) in IDENTIFYING.into_iter().zip(wanted) {
            if (1..=MAX_VALUES).contains(&values.len()) {
                let pattern: Vec<String> = values.iter().map(|value| regex::escape(value)).collect();
                // One that is too large leaves the choice to what comes after.
                matchers.extend(Matcher::new(name, MatchOp::Regex, pattern.join("|")).ok());
            }
        }
        // Nothing is said of it that would need its place.
        let selector = Selector {
            place: Place::default(),
            matchers,
            shift: Shift::default(),
            values: None,
            finds_resets: false,
            extension: None,
        };
        let clock = self.clock(selector.shift, steps);
        let lookback_ms = self.lookback_ms();
        let mut found = Found::new();
        self.read(&selector, (clock.first_ms() - lookback_ms, clock.last_ms()), &mut |buffer| {
            let identity = identity(&buffer.labels);
            let is_wanted =
                |(values, value): (&BTreeSet<String>, &String)| values.is_empty() || values.contains(value);
            if !wanted.iter().zip(&identity).all(is_wanted) {
                return Ok(());
            }
            if buffer.values.iter().any(|value| histogram_place(*value).is_some()) {
                return Err(Error::Execution("info sample should be float".to_owned()));
            }
            self.hold_series(&buffer.labels, steps.count * 2)?;
            let mut seen = 0;
            let times_ms = (0..steps.count).map(|step| {
                let time_ms = clock.time_ms(step);
                seen += buffer.times_ms[seen..].partition_point(|sample_ms| *sample_ms <= time_ms);
                let newest = seen.checked_sub(1)?;
                let sample_ms = buffer.times_ms[newest];
                (sample_ms > time_ms - lookback_ms && !is_stale(buffer.values[newest])).then_some(sample_ms)
            });
            let series = InfoSeries { times_ms: times_ms.collect(), labels: buffer.labels.clone() };
            let name = series.labels.metric_name().to_owned();
            found.entry(identity).or_default().entry(name).or_default().push(series);
            Ok(())
        })?;
        Ok(found)
    }

    /// A series with the labels of the info series that hold at each step: one result for each choice of them.
    fn joined(
        &self,
        info: &Info,
        base: &StepSeries,
        metrics: &BTreeMap<String, Vec<InfoSeries>>,
        steps: Steps,
    ) -> Result<Vec<StepSeries>, Error> {
        let accepts_none = info.labels.iter().all(Matcher::matches_absent);
        let mut results: Vec<StepSeries> = Vec::new();
        let mut places: HashMap<Vec<Option<usize>>, usize> = HashMap::new();
        for (step, value) in base.present() {
            let mut choice = Vec::with_capacity(metrics.len());
            for series in metrics.values() {
                choice.push(newest(series, step)?);
            }
            if choice.iter().all(Option::is_none) && !accepts_none {
                continue;
            }
            let place = match places.get(&choice) {
                Some(place) => *place,
                None => {
                    let chosen = metrics.values().zip(&choice);
                    let chosen = chosen.filter_map(|(series, place)| series.get((*place)?));
                    let labels = with_labels(info, &base.labels, chosen)?;
                    self.hold_series(&labels, steps.count)?;
                    results.push(StepSeries { labels, values: vec![ABSENT; steps.count], ..base.clone() });
                    places.insert(choice, results.len() - 1);
                    results.len() - 1
                }
            };
            results[place].values[step] = value;
        }
        debug_assert!(results.iter().all(|series| series.values.iter().any(|value| is_present(*value))));
        Ok(results)
    }
}

/// The info series of one metric whose sample is the newest at a step.
fn newest(series: &[InfoSeries], step: usize) -> Result<Option<usize>, Error> {
    let mut best: Option<(i64, usize)> = None;
    for (place, one) in series.iter().enumerate() {
        let Some(time_ms) = one.times_ms[step] else { continue };
        match best {
            Some((best_ms, other)) if best_ms == time_ms => {
                return Err(Error::Execution(format!(
                    "found duplicate series for info metric: existing {} @ {best_ms}, new {} @ {time_ms}",
                    describe(&series[other].labels),
                    describe(&one.labels)
                )));
            }
            Some((best_ms, _)) if best_ms > time_ms => {}
            _ => best = Some((time_ms, place)),
        }
    }
    Ok(best.map(|(_, place)| place))
}

fn with_labels<'a>(
    info: &Info,
    base: &Labels,
    chosen: impl Iterator<Item = &'a InfoSeries>,
) -> Result<Labels, Error> {
    let is_wanted =
        |name: &str| info.labels.is_empty() || info.labels.iter().any(|matcher| matcher.name() == name);
    let mut added: BTreeMap<&str, &str> = BTreeMap::new();
    for series in chosen {
        for (name, value) in series.labels.iter() {
            // What the series has itself stays.
            if name == METRIC_NAME || !is_wanted(name) || base.get(name).is_some() {
                continue;
            }
            if *added.entry(name).or_insert(value) != value {
                return Err(Error::Execution(format!("conflicting label: {name}")));
            }
        }
    }
    let mut builder = base.to_builder();
    for (name, value) in added {
        builder.set(name, value);
    }
    Ok(builder.build())
}
