//! A real store with records in it.

use std::sync::Arc;
use std::time::Duration;

use model::event::Event;
use store::{Batch, TelemetryStore, batches_from_events};

pub(crate) struct Stored {
    pub(crate) store: Arc<dyn TelemetryStore>,
    engine: Arc<engine::Engine>,
    pub(crate) registry: prometheus::Registry,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Stored {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        // The records of tests are of a fixed time, which gets older.
        let config = engine::Config {
            disk_reserve_bytes: model::ByteSize(0),
            retention_free_bytes: model::ByteSize(0),
            retention: model::DurationText(Duration::from_secs(100 * 365 * 24 * 3600)),
            ..engine::Config::default()
        };
        let registry = prometheus::Registry::new();
        let engine = engine::Engine::open(folder.path(), config, &registry).expect("a store");
        let store: Arc<dyn TelemetryStore> = Arc::<engine::Engine>::clone(&engine);
        Self { store, engine, registry, runtime, _folder: folder }
    }

    pub(crate) fn take(&self, events: &[Event]) {
        let batch = Batch { events: batches_from_events(events).expect("rows"), ..Batch::default() };
        self.runtime.block_on(self.store.append(batch)).expect("stored");
    }

    /// Writes what is in memory to a file.
    pub(crate) fn to_file(&self) {
        self.engine.checkpoint().expect("a file");
    }

    /// A third of the records in each of two files and in memory.
    pub(crate) fn in_files_and_memory(events: &[Event]) -> Self {
        let stored = Self::new();
        for (part, events) in events.chunks(events.len().div_ceil(3)).enumerate() {
            for some in events.chunks(40) {
                stored.take(some);
            }
            if part < 2 {
                stored.to_file();
            }
        }
        stored
    }

    /// What a counter says.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).expect("a metric of this name");
        family.get_metric().iter().map(|metric| metric.get_counter().get_value()).sum()
    }
}
