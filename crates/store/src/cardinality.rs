//! What series there are the most of: where memory goes, and what an indexer of labels should not do.

use model::Timestamp;

/// How many series there are in memory, and which labels make them so many. Each list has its largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cardinality {
    /// Series.
    pub series: u64,
    /// Different pairs of a label's name and its value.
    pub label_pairs: u64,
    /// The time of the first sample in memory.
    pub first: Option<Timestamp>,
    /// The time of the last.
    pub last: Option<Timestamp>,
    /// Series of each metric.
    pub series_by_metric: Vec<(String, u64)>,
    /// Different values of each label.
    pub values_by_label: Vec<(String, u64)>,
    /// Bytes of the different values of each label.
    pub bytes_by_label: Vec<(String, u64)>,
    /// Series of each pair, written as `name=value`.
    pub series_by_pair: Vec<(String, u64)>,
}
