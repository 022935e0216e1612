//! The bounds that every item must keep.

use std::time::Duration;

use model::{DurationText, Timestamp};

use crate::account::Reason;

/// The most that `max_attributes` may be: attributes are a sorted list, into which each is put at its place.
pub const MOST_ATTRIBUTES: usize = 4096;

/// Bounds on what comes in. All of them are settings, in the section `[ingest]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How far in the future an item's time may lie.
    #[schemars(with = "String")]
    pub max_future: DurationText,
    /// The longest id or name, in bytes.
    pub max_name_bytes: usize,
    /// The longest text, in bytes; longer ones are cut, and end in `…`.
    pub max_text_bytes: usize,
    /// The most attributes of one event. A pipeline event with more is refused; a record of a log or a span loses
    /// those beyond it, and says so. At most 4096.
    pub max_attributes: usize,
    /// The most events of one span, and the most links; it loses those beyond.
    pub max_span_events: usize,
    /// The most labels of one series.
    pub max_labels: usize,
    /// The longest label value, in bytes.
    pub max_label_value_bytes: usize,
    /// How many event ids are remembered to recognise what was sent twice.
    pub remembered_event_ids: usize,
    /// The most series of OpenTelemetry's metrics that are sent as differences (delta temporality) and are added up
    /// here. Further ones are refused.
    pub max_delta_series: usize,
    /// After how long without a point a series that is sent as differences is forgotten; it begins again at zero.
    #[schemars(with = "String")]
    pub delta_series_idle: DurationText,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_future: DurationText(Duration::from_secs(600)),
            max_name_bytes: 512,
            max_text_bytes: 16 << 10,
            max_attributes: 128,
            max_span_events: 128,
            max_labels: 128,
            max_label_value_bytes: 16 << 10,
            remembered_event_ids: 500_000,
            max_delta_series: 200_000,
            delta_series_idle: DurationText(Duration::from_secs(3600)),
        }
    }
}

impl Limits {
    /// Whether `time` lies neither too far ahead of `now` nor before `oldest`.
    pub(crate) fn check_time(
        &self,
        time: Timestamp,
        now: Timestamp,
        oldest: Timestamp,
    ) -> Result<(), Reason> {
        if time > now.after(self.max_future.0) {
            Err(Reason::Future)
        } else if time < oldest {
            Err(Reason::TooOld)
        } else {
            Ok(())
        }
    }
}
