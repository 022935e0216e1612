//! The memory of one statement: a part of what all scans have together, so that one cannot take it all from them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnv;

/// The part of `store.scans_memory_bytes` that a statement may take.
const PART: usize = 2;

/// What all scans run in, with a share of their memory.
pub(super) fn share(all: &RuntimeEnv) -> Arc<RuntimeEnv> {
    let pool = Share::of(Arc::clone(&all.memory_pool));
    Arc::new(RuntimeEnv { memory_pool: Arc::new(pool), ..all.clone() })
}

struct Share {
    all: Arc<dyn MemoryPool>,
    most: usize,
    used: AtomicUsize,
}

impl Share {
    fn of(all: Arc<dyn MemoryPool>) -> Self {
        let most = match all.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes / PART,
            MemoryLimit::Infinite | MemoryLimit::Unknown => usize::MAX,
        };
        Self { all, most, used: AtomicUsize::new(0) }
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share of {} bytes", self.most)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl MemoryPool for Share {
    fn name(&self) -> &'static str {
        "share"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.all.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.all.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.used.fetch_add(additional, Ordering::Relaxed);
        self.all.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.used.fetch_sub(shrink, Ordering::Relaxed);
        self.all.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let grown = |used: usize| used.checked_add(additional).filter(|used| *used <= self.most);
        let full = |_| DataFusionError::ResourcesExhausted("the share of a statement is used up".to_owned());
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).map_err(full)?;
        self.all.try_grow(reservation, additional).inspect_err(|_| {
            self.used.fetch_sub(additional, Ordering::Relaxed);
        })
    }

    fn reserved(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.most)
    }
}
