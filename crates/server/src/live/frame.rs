//! What is shown at one moment, by parts, each with the moment when it last changed.

use std::fmt::Write;
use std::sync::Arc;

use serde::Serialize;

use crate::wire::overview::Overview;

/// A part of the picture, as JSON.
#[derive(Clone, Debug)]
struct Part {
    name: &'static str,
    data: Arc<str>,
    /// The serial of the frame in which it last changed.
    changed: u64,
}

/// The picture at one moment.
#[derive(Debug, Default)]
pub(super) struct Frame {
    serial: u64,
    parts: Vec<Part>,
}

impl Frame {
    /// Its number; frames are numbered from 1.
    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    /// The next frame, with what is so now.
    pub(super) fn followed_by(&self, now: &Overview) -> Self {
        let parts = [
            ("jobs", json(&now.jobs)),
            ("queues", json(&now.queues)),
            ("workers", json(&now.workers)),
            ("stages", json(&now.stages)),
            ("bottleneck", json(&now.bottleneck)),
            ("hosts", json(&now.hosts)),
            ("alerts", json(&now.alerts)),
            ("collectors_down", json(&now.collectors_down)),
        ];
        let serial = self.serial + 1;
        let part = |(name, data): (&'static str, String)| {
            let before = self.parts.iter().find(|part| part.name == name);
            match before.filter(|part| *part.data == *data) {
                Some(same) => same.clone(),
                None => Part { name, data: data.into(), changed: serial },
            }
        };
        Self { serial, parts: parts.into_iter().map(part).collect() }
    }

    /// What has changed after the frame with the number `sent`, as events; empty when nothing has.
    pub(super) fn since(&self, sent: u64) -> String {
        let mut text = String::new();
        for part in self.parts.iter().filter(|part| part.changed > sent) {
            // JSON has no raw line breaks, so each is one line of data.
            let _ = write!(text, "event: {}\ndata: {}\n\n", part.name, part.data);
        }
        text
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("shapes have string keys and no failing parts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::overview::{AlertsNow, QueuesNow, StagesNow, WorkersNow};
    use crate::wire::watch::JobCounts;

    fn overview(running: usize) -> Overview {
        Overview {
            version: "1",
            time: model::Timestamp::now(),
            jobs: JobCounts { pending: 0, running, completed: 0, failed: 0 },
            queues: QueuesNow { items: Vec::new(), total: 0 },
            workers: WorkersNow::default(),
            stages: StagesNow { items: Vec::new(), total: 0 },
            bottleneck: None,
            hosts: Vec::new(),
            alerts: AlertsNow::default(),
            collectors_down: Vec::new(),
        }
    }

    #[test]
    fn a_newcomer_gets_everything_and_others_what_changed() {
        let first = Frame::default().followed_by(&overview(1));
        assert_eq!(first.since(0).matches("event: ").count(), 8);
        let same = first.followed_by(&overview(1));
        assert_eq!(same.since(first.serial()), "");
        let next = same.followed_by(&overview(2));
        let changed = next.since(same.serial());
        assert!(changed.starts_with("event: jobs\ndata: {") && changed.ends_with("}\n\n"), "{changed}");
        assert_eq!(changed.matches("event: ").count(), 1);
        assert_eq!(next.since(0).matches("event: ").count(), 8);
    }
}
