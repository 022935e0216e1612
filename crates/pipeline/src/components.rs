//! Components (models, indexes) of workers: what they took when they were loaded, and what they did
//! not give back.

use std::collections::HashMap;

use model::Timestamp;
use model::event::{ComponentAction, ComponentEvent};
use parking_lot::RwLock;

use crate::{Listing, Page};

/// What is known of one component of one worker.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentSnapshot {
    /// Its name.
    pub component: String,
    /// The worker that holds it.
    pub worker_id: Option<String>,
    /// The application that reports.
    pub service: Option<String>,
    /// Whether it is loaded now.
    pub loaded: bool,
    /// When it was last loaded.
    pub loaded_at: Option<Timestamp>,
    /// When it was last given back.
    pub unloaded_at: Option<Timestamp>,
    /// How long the last loading took, in seconds.
    pub load_seconds: Option<f64>,
    /// The process's resident memory after the last loading, in bytes.
    pub rss_loaded_bytes: Option<u64>,
    /// The process's resident memory after it was last given back, in bytes.
    pub rss_unloaded_bytes: Option<u64>,
    /// What the last loading added to resident memory, in bytes.
    pub taken_bytes: Option<i64>,
    /// What giving it back took off resident memory, in bytes.
    pub freed_bytes: Option<i64>,
    /// What it took and did not give back, in bytes; `None` while it is loaded and when it cannot be told.
    pub kept_bytes: Option<i64>,
    /// GPU memory after the last event, in bytes.
    pub gpu_memory_bytes: Option<u64>,
}

impl ComponentSnapshot {
    /// What it holds now, in bytes: what it took (or, where that is not known, the process's resident
    /// memory) while it is loaded, and what it did not give back afterwards.
    pub fn held_bytes(&self) -> Option<f64> {
        if self.loaded {
            let taken = self.taken_bytes.map(|bytes| bytes.max(0) as f64);
            taken.or(self.rss_loaded_bytes.map(|bytes| bytes as f64))
        } else {
            self.kept_bytes.map(|bytes| bytes.max(0) as f64)
        }
    }
}

/// The newest loading and the newest giving back of one component in one worker.
#[derive(Debug, Default)]
struct Record {
    loaded: Option<ComponentEvent>,
    unloaded: Option<ComponentEvent>,
}

/// The component's name and the worker's id.
type Key = (String, Option<String>);

/// The components that workers have told of.
#[derive(Debug)]
pub struct Components {
    records: RwLock<HashMap<Key, Record>>,
    max: usize,
}

impl Components {
    pub(crate) fn new(max: usize) -> Self {
        Self { records: RwLock::default(), max }
    }

    pub(crate) fn fold(&self, event: &ComponentEvent) {
        let key = (event.component.clone(), event.worker_id.clone());
        let mut records = self.records.write();
        if records.len() >= self.max && !records.contains_key(&key) {
            let oldest =
                records.iter().min_by_key(|(_, record)| record.seen_at()).map(|(key, _)| key.clone());
            oldest.map(|key| records.remove(&key));
        }
        let record = records.entry(key).or_default();
        let slot = match event.action {
            ComponentAction::Loaded => &mut record.loaded,
            ComponentAction::Unloaded => &mut record.unloaded,
        };
        let newer = |old: &ComponentEvent| (event.time, &event.event_id) >= (old.time, &old.event_id);
        if slot.as_ref().is_none_or(newer) {
            *slot = Some(event.clone());
        }
    }

    /// The components, by name and worker.
    pub fn list(&self, page: Page) -> Listing<ComponentSnapshot> {
        let records = self.records.read();
        let mut all: Vec<(&Key, &Record)> = records.iter().collect();
        all.sort_by_key(|(key, _)| *key);
        Listing::take(all.into_iter(), page, |(key, record)| record.snapshot(key))
    }
}

impl Record {
    fn seen_at(&self) -> Timestamp {
        let time = |event: &Option<ComponentEvent>| event.as_ref().map_or(Timestamp::MIN, |event| event.time);
        time(&self.loaded).max(time(&self.unloaded))
    }

    fn snapshot(&self, (component, worker_id): &Key) -> ComponentSnapshot {
        let (load, unload) = (self.loaded.as_ref(), self.unloaded.as_ref());
        let loaded_at = load.map(|event| event.time);
        let unloaded_at = unload.map(|event| event.time);
        let loaded = loaded_at.is_some() && loaded_at > unloaded_at;
        let rss_loaded = load.and_then(|event| event.memory_rss_bytes);
        let rss_unloaded = unload.and_then(|event| event.memory_rss_bytes);
        let taken = load.and_then(|event| event.memory_delta_bytes);
        let by_rss = || Some(signed(rss_loaded?).saturating_sub(signed(rss_unloaded?)));
        let freed =
            unload.and_then(|event| event.memory_delta_bytes).map(i64::saturating_neg).or_else(by_rss);
        let kept = || Some(taken?.saturating_sub(freed?));
        let newest = if loaded { load } else { unload.or(load) };
        ComponentSnapshot {
            component: component.clone(),
            worker_id: worker_id.clone(),
            service: newest.and_then(|event| event.service.clone()),
            loaded,
            loaded_at,
            unloaded_at,
            load_seconds: load.and_then(|event| event.duration_seconds),
            rss_loaded_bytes: rss_loaded,
            rss_unloaded_bytes: rss_unloaded,
            taken_bytes: taken,
            freed_bytes: if loaded { None } else { freed },
            kept_bytes: if loaded { None } else { kept() },
            gpu_memory_bytes: newest.and_then(|event| event.gpu_memory_bytes),
        }
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::event::Attributes;

    fn event(action: ComponentAction, millis: i64, rss: u64, delta: Option<i64>) -> ComponentEvent {
        ComponentEvent {
            time: Timestamp::from_millis(millis),
            event_id: format!("{action}{millis}"),
            action,
            component: "embedder".into(),
            job_id: None,
            stage: None,
            worker_id: Some("w1".into()),
            service: None,
            duration_seconds: None,
            memory_rss_bytes: Some(rss),
            memory_vms_bytes: None,
            memory_percent: None,
            memory_delta_bytes: delta,
            gpu_memory_bytes: None,
            attributes: Attributes::new(),
        }
    }

    #[test]
    fn what_a_component_did_not_give_back_is_known_in_either_order_of_arrival() {
        let load = event(ComponentAction::Loaded, 1, 1_500, Some(1_000));
        let unload = event(ComponentAction::Unloaded, 2, 900, None);
        for events in [[&load, &unload], [&unload, &load]] {
            let components = Components::new(10);
            events.into_iter().for_each(|event| components.fold(event));
            let listing = components.list(Page::default());
            let component = &listing.items[0];
            assert_eq!((component.loaded, component.freed_bytes), (false, Some(600)));
            assert_eq!((component.kept_bytes, component.held_bytes()), (Some(400), Some(400.0)));
        }
    }

    #[test]
    fn a_loaded_component_holds_what_it_took() {
        let components = Components::new(10);
        components.fold(&event(ComponentAction::Loaded, 1, 1_500, Some(1_000)));
        assert_eq!(components.list(Page::default()).items[0].held_bytes(), Some(1_000.0));
        components.fold(&event(ComponentAction::Loaded, 3, 1_500, None));
        assert_eq!(components.list(Page::default()).items[0].held_bytes(), Some(1_500.0));
    }
}
