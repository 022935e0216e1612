//! How the hosts and queues did over a period: seed 003's system statistics.

use std::collections::BTreeMap;

use model::{TimeRange, Timestamp};
use promql::{Cancel, Engine};

use crate::{Period, ReportError, series};

/// The hosts and queues at one time. With several hosts it is their average; what is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SystemPoint {
    /// When.
    pub time: Timestamp,
    /// CPU in use, 0 to 100.
    pub cpu_percent: Option<f64>,
    /// Memory in use, 0 to 100.
    pub memory_percent: Option<f64>,
    /// Tasks that wait, in all queues.
    pub pending: Option<f64>,
    /// Tasks that are worked on, of all queues.
    pub processing: Option<f64>,
}

/// A period in points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SystemStats {
    /// The averages of equally long parts, each with the time of its end; parts of which nothing is
    /// known are left out.
    pub points: Vec<SystemPoint>,
    /// The newest values.
    pub current: SystemPoint,
}

impl SystemStats {
    /// The average of the points of which `value` is known.
    pub fn average(&self, value: impl Fn(&SystemPoint) -> Option<f64>) -> Option<f64> {
        let known: Vec<f64> = self.points.iter().filter_map(value).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

/// A value of a point: how series combine to it, and where it is kept.
struct Measure {
    combine: &'static str,
    series: &'static str,
    place: fn(&mut SystemPoint) -> &mut Option<f64>,
}

const MEASURES: [Measure; 4] = [
    Measure { combine: "100 * avg", series: "host_cpu_usage_ratio", place: |point| &mut point.cpu_percent },
    Measure {
        combine: "100 * avg",
        series: "host_memory_usage_ratio",
        place: |point| &mut point.memory_percent,
    },
    Measure { combine: "sum", series: r#"queue_depth{state="pending"}"#, place: |point| &mut point.pending },
    Measure {
        combine: "sum",
        series: r#"queue_depth{state="processing"}"#,
        place: |point| &mut point.processing,
    },
];

/// A period that ends `now`, in points of [`Period::step`].
pub fn system_stats(
    engine: &Engine,
    period: Period,
    now: Timestamp,
    cancel: &Cancel,
) -> Result<SystemStats, ReportError> {
    let (whole, step) = (period.until(now), period.step());
    let range = TimeRange::new(whole.start.after(step), whole.end);
    let mut points: BTreeMap<Timestamp, SystemPoint> = BTreeMap::new();
    let mut current = SystemPoint { time: now, ..SystemPoint::default() };
    for Measure { combine, series: name, place } in &MEASURES {
        // A collector that looks more seldom than the step still gives each point its last value.
        let seconds = step.as_secs();
        let expression = format!("{combine}(avg_over_time({name}[{seconds}s]) or {name})");
        for (time, value) in series::over(engine, &expression, range, step, cancel)? {
            let point = points.entry(time).or_insert(SystemPoint { time, ..SystemPoint::default() });
            *place(point) = Some(value);
        }
        *place(&mut current) = series::at(engine, &format!("{combine}({name})"), now, cancel)?;
    }
    Ok(SystemStats { points: points.into_values().collect(), current })
}
