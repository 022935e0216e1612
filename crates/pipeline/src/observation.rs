//! What a fold has found out for the first time: the input of derived metrics.

use model::Timestamp;
use model::event::StageStatus;

use crate::jobs::AttemptOutcome;

/// Something that is counted or measured once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Observation {
    /// A job came into a queue. Being tried again is no arrival.
    Enqueued { queue: String },
    /// An attempt ended.
    AttemptEnded { queue: String, kind: String, outcome: AttemptOutcome },
    /// How long an attempt took.
    AttemptTook { queue: String, kind: String, seconds: f64 },
    /// How long a job waited for an attempt.
    Waited { queue: String, seconds: f64 },
    /// A stage ended.
    StageEnded { stage: String, status: StageStatus },
    /// How long a stage took, when it ended well.
    StageTook { stage: String, seconds: f64 },
    /// What a stage held in memory.
    StageMemory { stage: String, time: Timestamp, rss: Option<u64>, peak: Option<u64>, delta: Option<i64> },
}
