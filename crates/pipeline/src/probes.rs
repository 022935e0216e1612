//! Probed services: databases, stores, endpoints, model backends, as they were seen last.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use model::Timestamp;
use parking_lot::RwLock;

use crate::{Listing, Page};

/// A probe, and how its last look went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeSnapshot {
    /// The name of the probe: the value of the label `probe`.
    pub probe: String,
    /// What kind it is: `http`, `postgresql`.
    pub kind: String,
    /// What it looks at, without any password.
    pub target: String,
    /// Whether the last look succeeded.
    pub up: bool,
    /// Since when it is as `up` says, as far as was seen since the start of Watchkeeper.
    pub since: Timestamp,
    /// When it was last looked at.
    pub checked_at: Timestamp,
    /// How long the last look took.
    pub latency: Duration,
    /// Why the last look failed, in plain words.
    pub reason: Option<String>,
    /// Why a look last failed, and when; stays after it has recovered.
    pub last_failure: Option<(Timestamp, String)>,
    /// Further facts, by name: a status, a version, when a certificate expires.
    pub facts: BTreeMap<String, String>,
    /// The slowest statements of a database.
    pub statements: Vec<SlowStatement>,
    /// The models of a model backend.
    pub models: Vec<BackendModel>,
}

/// A statement that a database has run, with its literals taken out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SlowStatement {
    /// The database's own id of it.
    pub query_id: String,
    /// Its text, shortened.
    pub text: String,
    /// How often it ran.
    pub calls: u64,
    /// How long it took on average, in seconds.
    pub mean_seconds: f64,
    /// How long it took altogether, in seconds.
    pub total_seconds: f64,
}

/// A model that a backend offers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BackendModel {
    /// Its name.
    pub name: String,
    /// Whether it is in memory; not known of backends that do not tell.
    pub loaded: Option<bool>,
    /// Its size, in bytes; of a loaded one, in memory.
    pub size_bytes: Option<u64>,
    /// How much of it is in GPU memory, in bytes.
    pub vram_bytes: Option<u64>,
    /// When it will be unloaded, as the backend says.
    pub expires_at: Option<String>,
}

/// The probes.
#[derive(Debug)]
pub struct Probes {
    /// By kind and name.
    probes: RwLock<HashMap<(String, String), ProbeSnapshot>>,
    max: usize,
}

impl Probes {
    pub(crate) fn new(max: usize) -> Self {
        Self { probes: RwLock::default(), max }
    }

    /// Takes note of a look. `since` and `last_failure` follow from what was seen before.
    pub fn observe(&self, mut snapshot: ProbeSnapshot) {
        let mut probes = self.probes.write();
        let key = (snapshot.kind.clone(), snapshot.probe.clone());
        let before = probes.get(&key);
        snapshot.since = match before {
            Some(before) if before.up == snapshot.up => before.since,
            _ => snapshot.checked_at,
        };
        let failure = snapshot.reason.clone().filter(|_| !snapshot.up);
        snapshot.last_failure = failure
            .map(|reason| (snapshot.checked_at, reason))
            .or_else(|| before.and_then(|before| before.last_failure.clone()));
        if before.is_none() && probes.len() >= self.max {
            let oldest = probes.iter().min_by_key(|(_, probe)| probe.checked_at).map(|(key, _)| key.clone());
            probes.remove(&oldest.unwrap_or_default());
        }
        probes.insert(key, snapshot);
    }

    /// One probe.
    pub fn get(&self, kind: &str, probe: &str) -> Option<ProbeSnapshot> {
        self.probes.read().get(&(kind.to_owned(), probe.to_owned())).cloned()
    }

    /// The probes, by name.
    pub fn list(&self, page: Page) -> Listing<ProbeSnapshot> {
        let probes = self.probes.read();
        let mut all: Vec<&ProbeSnapshot> = probes.values().collect();
        all.sort_by(|a, b| (&a.probe, &a.kind).cmp(&(&b.probe, &b.kind)));
        Listing::take(all.into_iter(), page, ProbeSnapshot::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(millis: i64, reason: Option<&str>) -> ProbeSnapshot {
        ProbeSnapshot {
            probe: "db".to_owned(),
            up: reason.is_none(),
            checked_at: Timestamp::from_millis(millis),
            reason: reason.map(str::to_owned),
            ..ProbeSnapshot::default()
        }
    }

    #[test]
    fn a_probe_says_since_when_it_is_down_and_why_it_was_last() {
        let probes = Probes::new(10);
        for (millis, reason) in [(1, None), (2, Some("refused")), (3, Some("no answer"))] {
            probes.observe(look(millis, reason));
        }
        let down = probes.get("", "db").unwrap();
        assert_eq!((down.up, down.since), (false, Timestamp::from_millis(2)));
        assert_eq!(down.reason.as_deref(), Some("no answer"));
        probes.observe(look(4, None));
        let back = probes.get("", "db").unwrap();
        assert_eq!((back.up, back.since, back.reason), (true, Timestamp::from_millis(4), None));
        assert_eq!(back.last_failure, Some((Timestamp::from_millis(3), "no answer".to_owned())));
    }

    #[test]
    fn a_probe_too_many_takes_the_place_of_the_one_longest_unseen() {
        let probes = Probes::new(2);
        for (name, millis) in [("old", 1), ("new", 3), ("newer", 4)] {
            probes.observe(ProbeSnapshot { probe: name.to_owned(), ..look(millis, None) });
        }
        let listing = probes.list(Page::default());
        let names: Vec<&str> = listing.items.iter().map(|probe| probe.probe.as_str()).collect();
        assert_eq!(names, ["new", "newer"]);
    }
}
