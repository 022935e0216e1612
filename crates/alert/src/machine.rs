//! The life of one alert, as a pure function: where it stands, what happens, where it stands then.
//!
//! ```text
//! inactive → pending → firing → (acknowledged) → resolved → inactive
//! ```
//!
//! Knows no database, no clock and no notification; time is an argument.

#[cfg(test)]
mod tests;

use std::time::Duration;

use model::Timestamp;
use state::{AlertRecord, AlertState};

/// What a rule demands of its alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How long the condition has to hold before the alert fires.
    pub(crate) hold: Duration,
    /// How long the alert fires on after the condition has gone.
    pub(crate) keep_firing_for: Duration,
}

/// Where an alert stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// The condition does not hold.
    Inactive,
    /// The condition holds since `active_at`.
    Pending { active_at: Timestamp },
    /// People were told.
    Firing { episode: Episode },
    /// Somebody has taken it on.
    Acknowledged { episode: Episode, said: Said },
    /// It is over. `held` while it was ended by hand and its condition still holds.
    Resolved {
        active_at: Timestamp,
        fired_at: Option<Timestamp>,
        at: Timestamp,
        held: bool,
        by: Option<Said>,
    },
}

/// One time that an alert fires, from its first sign to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Episode {
    /// Since when the condition has held.
    pub(crate) active_at: Timestamp,
    /// When the alert fired.
    pub(crate) fired_at: Timestamp,
    /// Since when the condition has been gone, while `keep_firing_for` keeps the alert alive.
    pub(crate) gone_since: Option<Timestamp>,
}

/// Who did something, when, and what was said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) by: String,
    pub(crate) at: Timestamp,
    pub(crate) note: Option<String>,
}

/// What happens to an alert.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    /// The rule was evaluated, and gives this alert.
    Present,
    /// The rule was evaluated, and does not give this alert.
    Absent,
    /// Somebody takes it on.
    Acknowledge(Said),
    /// Somebody declares it over.
    Resolve(Said),
}

/// The input is not possible where the alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotPossible {
    pub(crate) state: AlertState,
    pub(crate) action: &'static str,
}

impl Standing {
    pub(crate) fn state(&self) -> AlertState {
        match self {
            Self::Inactive => AlertState::Inactive,
            Self::Pending { .. } => AlertState::Pending,
            Self::Firing { .. } => AlertState::Firing,
            Self::Acknowledged { .. } => AlertState::Acknowledged,
            Self::Resolved { .. } => AlertState::Resolved,
        }
    }

    /// Where the alert stands after `input` at `now`.
    pub(crate) fn step(self, policy: Policy, input: Input, now: Timestamp) -> Result<Self, NotPossible> {
        let state = self.state();
        Ok(match (self, input) {
            (Self::Inactive | Self::Resolved { held: false, .. }, Input::Present) => {
                Self::Pending { active_at: now }.ripen(policy, now)
            }
            (Self::Pending { active_at }, Input::Present) => Self::Pending { active_at }.ripen(policy, now),
            (Self::Firing { episode }, Input::Present) => {
                Self::Firing { episode: Episode { gone_since: None, ..episode } }
            }
            (Self::Acknowledged { episode, said }, Input::Present) => {
                Self::Acknowledged { episode: Episode { gone_since: None, ..episode }, said }
            }
            (held @ Self::Resolved { held: true, .. }, Input::Present) => held,

            (Self::Inactive | Self::Pending { .. }, Input::Absent) => Self::Inactive,
            (Self::Firing { episode }, Input::Absent) => match episode.outlast(policy, now) {
                Some(episode) => Self::Firing { episode },
                None => episode.over(now, false, None),
            },
            (Self::Acknowledged { episode, said }, Input::Absent) => match episode.outlast(policy, now) {
                Some(episode) => Self::Acknowledged { episode, said },
                None => episode.over(now, false, None),
            },
            (Self::Resolved { active_at, fired_at, at, by, .. }, Input::Absent) => {
                Self::Resolved { active_at, fired_at, at, held: false, by }
            }

            (Self::Firing { episode }, Input::Acknowledge(said)) => Self::Acknowledged { episode, said },
            (
                Self::Inactive | Self::Pending { .. } | Self::Acknowledged { .. } | Self::Resolved { .. },
                Input::Acknowledge(_),
            ) => return Err(NotPossible { state, action: "acknowledged" }),

            (Self::Pending { active_at }, Input::Resolve(said)) => {
                Self::Resolved { active_at, fired_at: None, at: now, held: true, by: Some(said) }
            }
            (Self::Firing { episode } | Self::Acknowledged { episode, .. }, Input::Resolve(said)) => {
                episode.over(now, episode.gone_since.is_none(), Some(said))
            }
            (Self::Inactive | Self::Resolved { .. }, Input::Resolve(_)) => {
                return Err(NotPossible { state, action: "resolved" });
            }
        })
    }

    /// A pending alert whose condition has held for long enough fires.
    fn ripen(self, policy: Policy, now: Timestamp) -> Self {
        match self {
            Self::Pending { active_at } if now.since(active_at) >= policy.hold => {
                Self::Firing { episode: Episode { active_at, fired_at: now, gone_since: None } }
            }
            other => other,
        }
    }

    /// Where a stored alert stands.
    pub(crate) fn of(record: &AlertRecord) -> Self {
        let episode = Episode {
            active_at: record.active_at,
            fired_at: record.fired_at.unwrap_or(record.active_at),
            gone_since: record.keep_firing_since,
        };
        let said = |by: &Option<String>, at: Option<Timestamp>| {
            let at = at.unwrap_or(record.updated_at);
            by.clone().map(|by| Said { by, at, note: record.note.clone() })
        };
        match (record.state, said(&record.acknowledged_by, record.acknowledged_at)) {
            (AlertState::Inactive, _) => Self::Inactive,
            (AlertState::Pending, _) => Self::Pending { active_at: record.active_at },
            (AlertState::Firing, _) | (AlertState::Acknowledged, None) => Self::Firing { episode },
            (AlertState::Acknowledged, Some(said)) => Self::Acknowledged { episode, said },
            (AlertState::Resolved, _) => Self::Resolved {
                active_at: record.active_at,
                fired_at: record.fired_at,
                at: record.resolved_at.unwrap_or(record.updated_at),
                held: record.held,
                by: said(&record.resolved_by, record.resolved_at),
            },
        }
    }

    /// Writes where the alert stands into its record.
    pub(crate) fn write(&self, record: &mut AlertRecord) {
        record.state = self.state();
        match self {
            Self::Inactive => {}
            Self::Pending { active_at } => {
                record.active_at = *active_at;
                record.fired_at = None;
                record.keep_firing_since = None;
                write_alive(record, None);
            }
            Self::Firing { episode } => episode.write(record, None),
            Self::Acknowledged { episode, said } => episode.write(record, Some(said)),
            Self::Resolved { active_at, fired_at, at, held, by } => {
                record.active_at = *active_at;
                record.fired_at = *fired_at;
                record.resolved_at = Some(*at);
                record.keep_firing_since = None;
                record.held = *held;
                // Who had taken it on stays written, and the note too when nothing was said at the end.
                record.resolved_by = by.as_ref().map(|said| said.by.clone());
                if let Some(note) = by.as_ref().and_then(|said| said.note.clone()) {
                    record.note = Some(note);
                }
            }
        }
    }
}

impl Episode {
    /// The episode goes on without its condition, or is over (`None`).
    fn outlast(self, policy: Policy, now: Timestamp) -> Option<Self> {
        let gone_since = self.gone_since.unwrap_or(now);
        (now.since(gone_since) < policy.keep_firing_for)
            .then_some(Self { gone_since: Some(gone_since), ..self })
    }

    fn over(self, now: Timestamp, held: bool, by: Option<Said>) -> Standing {
        Standing::Resolved { active_at: self.active_at, fired_at: Some(self.fired_at), at: now, held, by }
    }

    fn write(self, record: &mut AlertRecord, said: Option<&Said>) {
        record.active_at = self.active_at;
        record.fired_at = Some(self.fired_at);
        record.keep_firing_since = self.gone_since;
        write_alive(record, said);
    }
}

/// What is the same for every alert that is not over.
fn write_alive(record: &mut AlertRecord, said: Option<&Said>) {
    record.resolved_at = None;
    record.resolved_by = None;
    record.held = false;
    record.acknowledged_by = said.map(|said| said.by.clone());
    record.acknowledged_at = said.map(|said| said.at);
    record.note = said.and_then(|said| said.note.clone());
}
