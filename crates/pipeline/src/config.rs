//! The section `[pipeline]`: bounds of live state, and when silence means something.

use std::time::Duration;

use model::DurationText;

/// Bounds and times of the live state.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How often derived metrics are written.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// How far back stored events are read at the start.
    #[schemars(with = "String")]
    pub rebuild_window: DurationText,
    /// The most unfinished jobs kept in memory; beyond it the one longest without an event is dropped.
    pub max_active_jobs: usize,
    /// The most finished jobs kept in memory; the oldest are dropped, and stay in the store.
    pub max_finished_jobs: usize,
    /// The most workers kept in memory; beyond it the one longest without a heartbeat is dropped.
    pub max_workers: usize,
    /// The most exits of processes kept in memory; the oldest are dropped, and stay in the store.
    pub max_exits: usize,
    /// The most queues, components and hosts kept in memory, each.
    pub max_named: usize,
    /// The most series of one derived metric; further label sets are counted under `other`.
    pub max_series_per_metric: usize,
    /// The most names of spans of one service in metrics of operations; further ones are counted under `other`.
    pub max_operations_per_service: usize,
    /// A worker without a heartbeat for this long is stale.
    #[schemars(with = "String")]
    pub stale_after: DurationText,
    /// A worker without a heartbeat for this long is offline.
    #[schemars(with = "String")]
    pub offline_after: DurationText,
    /// A worker that has been offline or stopped for this long is forgotten.
    #[schemars(with = "String")]
    pub forget_worker_after: DurationText,
    /// A queue that no collector has reported and no job has used for this long is forgotten.
    #[schemars(with = "String")]
    pub forget_queue_after: DurationText,
    /// The window of arrival and completion rates.
    #[schemars(with = "String")]
    pub rate_window: DurationText,
    /// The window of completion ratios.
    #[schemars(with = "String")]
    pub ratio_window: DurationText,
    /// A running job that says nothing for this long, and whose worker is unknown, is called silent.
    #[schemars(with = "String")]
    pub silent_after: DurationText,
    /// A job that waits this long with nobody to take it is called unconsumed.
    #[schemars(with = "String")]
    pub unconsumed_after: DurationText,
    /// A task that was taken from its queue longer ago, and that no worker says to have, has no owner.
    #[schemars(with = "String")]
    pub unowned_after: DurationText,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = |seconds| DurationText(Duration::from_secs(seconds));
        Self {
            interval: seconds(15),
            rebuild_window: seconds(24 * 3600),
            max_active_jobs: 20_000,
            max_finished_jobs: 20_000,
            max_workers: 5_000,
            max_exits: 2_000,
            max_named: 1_000,
            max_series_per_metric: 1_000,
            max_operations_per_service: 200,
            stale_after: seconds(60),
            offline_after: seconds(300),
            forget_worker_after: seconds(24 * 3600),
            forget_queue_after: seconds(600),
            rate_window: seconds(300),
            ratio_window: seconds(3600),
            silent_after: seconds(600),
            unconsumed_after: seconds(60),
            unowned_after: seconds(120),
        }
    }
}
