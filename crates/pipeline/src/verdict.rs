//! What is wrong with a job that is not finished, as far as can be told, and why.

use std::fmt;

/// What is wrong with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing, as far as can be told.
    Fine,
    /// It waits, and no worker that is alive takes jobs from its queue.
    WaitingNoConsumer,
    /// It runs, and its worker is offline, has stopped, or has started again since.
    OwnerGone,
    /// It runs for longer than it said it would.
    OverExpectedTime,
    /// Its stage runs for much longer than that stage did before.
    OverStageHistory,
    /// It runs, and neither it nor a worker has said anything for a long time.
    NoHeartbeat,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: &[Self] = &[
        Self::Fine,
        Self::WaitingNoConsumer,
        Self::OwnerGone,
        Self::OverExpectedTime,
        Self::OverStageHistory,
        Self::NoHeartbeat,
    ];

    /// The verdict as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::WaitingNoConsumer => "waiting_no_consumer",
            Self::OwnerGone => "owner_gone",
            Self::OverExpectedTime => "over_expected_time",
            Self::OverStageHistory => "over_stage_history",
            Self::NoHeartbeat => "no_heartbeat",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A verdict with its reason in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in one sentence; empty when the verdict is [`Verdict::Fine`].
    pub reason: String,
}

impl Judgement {
    /// Nothing is wrong.
    pub const fn fine() -> Self {
        Self { verdict: Verdict::Fine, reason: String::new() }
    }

    /// Whether nothing is wrong.
    pub fn is_fine(&self) -> bool {
        self.verdict == Verdict::Fine
    }

    pub(crate) fn new(verdict: Verdict, reason: String) -> Self {
        Self { verdict, reason }
    }
}
