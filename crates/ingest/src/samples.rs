//! What became of samples.

use store::Appended;

/// What became of the samples of a batch, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SamplesOutcome {
    /// Stored now.
    pub stored: u64,
    /// Stored before, at the same time of the same series.
    pub duplicate: u64,
    /// Of a time at which their series has another value, which stays.
    pub conflicting: u64,
    /// Older than what is kept, or too far behind the newest sample of their series.
    pub too_old: u64,
    /// Too far in the future.
    pub future: u64,
    /// Of series with labels that are too large or too many.
    pub too_large: u64,
    /// Of series that would be too many.
    pub over_series_limit: u64,
    /// Of series of differences that would be too many to be added up.
    pub over_delta_limit: u64,
    /// Differences of native histograms for whose sums there is no memory.
    pub over_delta_memory: u64,
    /// Differences of native histograms whose sums would take more than one request may.
    pub over_delta_request: u64,
    /// Differences that are no numbers: nothing can be added to them.
    pub malformed: u64,
    /// Differences with which a sum would be no finite number, or have too many buckets.
    pub beyond_sums: u64,
}

impl SamplesOutcome {
    /// Adds what the store says of those that came as far.
    pub(crate) fn add(&mut self, appended: Appended) {
        self.stored += appended.samples;
        self.duplicate += appended.samples_duplicate - appended.samples_conflicting;
        self.conflicting += appended.samples_conflicting;
        self.too_old += appended.samples_too_old;
        self.over_series_limit += appended.samples_over_series_limit;
    }

    /// Samples that are in the store: now, or since before.
    pub fn held(&self) -> u64 {
        self.stored + self.duplicate
    }

    /// Samples that are not in the store.
    pub fn refused(&self) -> u64 {
        let out_of_time = self.too_old + self.future;
        let too_many = self.over_series_limit + self.over_delta_limit;
        let too_much = self.too_large + self.over_delta_memory + self.over_delta_request + self.beyond_sums;
        self.conflicting + out_of_time + too_many + too_much + self.malformed
    }

    /// What was refused and why, in words for the sender; nothing when all is well.
    pub fn refusals(&self) -> Option<String> {
        let parts = [
            (
                self.conflicting,
                "of a time at which their series has another value (duplicate sample for timestamp)",
            ),
            (
                self.too_old,
                "out of order or older than what is kept (store.out_of_order_window, store.retention)",
            ),
            (self.future, "too far in the future (ingest.max_future)"),
            (self.too_large, "of series with too many or too large labels (ingest.max_labels and its kin)"),
            (self.over_series_limit, "of new series beyond store.max_series"),
            (self.over_delta_limit, "of new series of delta temporality beyond ingest.max_delta_series"),
            (
                self.over_delta_memory,
                "of native histograms of delta temporality for whose sums there is no memory: send fewer series",
            ),
            (
                self.over_delta_request,
                "of native histograms of delta temporality whose sums take more than one request may: send fewer at once",
            ),
            (self.malformed, "of delta temporality and no finite numbers"),
            (
                self.beyond_sums,
                "of delta temporality, and with them a sum would be no finite number or have too many buckets",
            ),
        ];
        let said: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} samples are {what}"))
            .collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}
