//! Which spans are kept, as it is written in the section `[ingest.sampling]`.

use std::time::Duration;

use model::{ByteSize, DurationText};

/// The longest wait: exporters give a request up after ten seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// Which spans are kept: the section `[ingest.sampling]`. Metrics, jobs, requests and calls of models that follow from
/// spans are of all of them.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingSettings {
    /// The share of traces that is kept, 0 to 1. With 1 all spans are, and nothing waits.
    pub probability: f64,
    /// Services of which another share is kept.
    pub services: Vec<SamplingService>,
    /// Whether traces with an error are kept.
    pub keep_errors: bool,
    /// Traces with a span that took longer are kept; `0s` means that none is for that.
    #[schemars(with = "String")]
    pub keep_slower_than: DurationText,
    /// Traces with a span that has one of these attributes are kept, unless its value is empty, `0` or `false`.
    pub keep_marked: Vec<String>,
    /// How long spans that nothing keeps wait for others of their trace that do, before they are acknowledged; 8s at
    /// most.
    #[schemars(with = "String")]
    pub wait: DurationText,
    /// The most memory that spans may take which wait; those beyond it are decided on at once.
    #[schemars(with = "String")]
    pub max_waiting_memory: ByteSize,
}

impl Default for SamplingSettings {
    fn default() -> Self {
        Self {
            probability: 1.0,
            services: Vec::new(),
            keep_errors: true,
            keep_slower_than: DurationText(Duration::from_secs(10)),
            keep_marked: vec!["sampling.keep".to_owned()],
            wait: DurationText(Duration::from_secs(2)),
            max_waiting_memory: ByteSize(64 << 20),
        }
    }
}

/// The share of one service: `[[ingest.sampling.services]]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamplingService {
    /// The service, as its resource names it (`service.name`).
    pub service: String,
    /// The share of traces of which its spans are kept, 0 to 1.
    pub probability: f64,
}

impl SamplingSettings {
    /// What is wrong about them.
    pub fn fault(&self) -> Option<String> {
        let mut shares = self.services.iter().map(|service| service.probability).chain([self.probability]);
        if let Some(share) = shares.find(|share| !(0.0..=1.0).contains(share)) {
            return Some(format!("a probability is from 0 to 1, and {share} is not"));
        }
        if self.services.iter().any(|service| service.service.is_empty()) {
            return Some("each of `services` needs the name of its `service`".to_owned());
        }
        (self.wait.0 > LONGEST_WAIT)
            .then(|| format!("`wait` is at most {}, as exporters wait no longer", DurationText(LONGEST_WAIT)))
    }

    /// Whether there is nothing to decide.
    pub(super) fn keeps_all(&self) -> bool {
        self.probability >= 1.0 && self.services.iter().all(|service| service.probability >= 1.0)
    }

    /// The share of a service.
    pub(super) fn probability_of(&self, service: Option<&str>) -> f64 {
        let own = self.services.iter().find(|own| Some(own.service.as_str()) == service);
        own.map_or(self.probability, |own| own.probability)
    }
}
