//! What a query took, for who asks with the parameter `stats`.

use std::time::{Duration, Instant};

use model::Timestamp;
use promql::QueryStats;
use serde_json::{Value as Json, json};

/// How much is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WantedStats {
    /// Sums of the whole query.
    Sums,
    /// At each step as well.
    All,
}

/// Runs from when a query has come.
pub(super) struct Clock {
    wanted: Option<WantedStats>,
    came: Instant,
}

/// Runs from when it is evaluated.
pub(super) struct Begun {
    clock: Clock,
    waited: Duration,
    begun: Instant,
}

/// Times of a query, ended.
pub(super) struct Measured {
    wanted: WantedStats,
    waited: Duration,
    evaluated: Duration,
    /// The only step, when there is but one.
    only_step: Option<Timestamp>,
}

impl Clock {
    pub(super) fn start(wanted: Option<WantedStats>) -> Self {
        Self { wanted, came: Instant::now() }
    }

    pub(super) fn begin(self) -> Begun {
        Begun { waited: self.came.elapsed(), begun: Instant::now(), clock: self }
    }
}

impl Begun {
    /// What is to be told, if anything is. Samples of single steps are known when there is one step alone.
    pub(super) fn end(self, only_step: Option<Timestamp>) -> Option<Measured> {
        let Self { clock, waited, begun } = self;
        clock.wanted.map(|wanted| Measured { wanted, waited, evaluated: begun.elapsed(), only_step })
    }
}

impl Measured {
    /// In Prometheus' shape. What we do not do apart from the rest takes no time.
    pub(super) fn json(&self, stats: QueryStats) -> Json {
        let (waited, evaluated) = (self.waited.as_secs_f64(), self.evaluated.as_secs_f64());
        let mut samples = json!({
            "totalQueryableSamples": stats.samples_read,
            "peakSamples": stats.samples_held,
        });
        if let (WantedStats::All, Some(step)) = (self.wanted, self.only_step) {
            samples["totalQueryableSamplesPerStep"] =
                json!([[step.as_millis() as f64 / 1000.0, stats.samples_read]]);
        }
        json!({
            "timings": {
                "evalTotalTime": evaluated,
                "resultSortTime": 0,
                "queryPreparationTime": 0,
                "innerEvalTime": evaluated,
                "execQueueTime": waited,
                "execTotalTime": waited + evaluated,
            },
            "samples": samples,
        })
    }
}
