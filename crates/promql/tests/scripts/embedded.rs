//! The embedded store, which scripts are run against.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use model::{ByteSize, DurationText};
use store::TelemetryStore;
use tempfile::TempDir;

/// How long the store keeps data: scripts begin in 1970.
const RETENTION_DAYS: u64 = 100_000;

/// Opens stores in folders that are gone once this is.
#[derive(Default)]
pub(crate) struct Stores {
    folders: RefCell<Vec<TempDir>>,
}

impl Stores {
    /// Opens an empty one.
    pub(crate) fn open(&self) -> Arc<dyn TelemetryStore> {
        let folder = tempfile::tempdir().expect("a folder for a store can be made");
        let config = engine::Config {
            disk_reserve_bytes: ByteSize(0),
            retention_free_bytes: ByteSize(0),
            retention: DurationText(Duration::from_secs(RETENTION_DAYS * 86_400)),
            ..engine::Config::default()
        };
        let store = engine::Engine::open(folder.path(), config, &prometheus::Registry::new());
        let store = store.unwrap_or_else(|error| panic!("a store cannot be opened: {error}"));
        self.folders.borrow_mut().push(folder);
        store
    }
}
