//! The memory that all scans share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::QueryError;

/// How much of the shared memory is taken.
#[derive(Debug)]
pub(crate) struct Memory {
    taken: AtomicUsize,
    most: usize,
}

/// What one scan has taken; it is given back at its end.
#[derive(Debug)]
pub(crate) struct Taken {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Memory {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { taken: AtomicUsize::new(0), most })
    }

    /// Takes `bytes` for one scan.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Result<Taken, QueryError> {
        let mut taken = Taken { memory: Arc::clone(self), bytes: 0 };
        taken.resize(bytes)?;
        Ok(taken)
    }
}

impl Taken {
    /// Takes more, or gives some back. What does not fit is an error, and what was taken before stays so.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), QueryError> {
        let Memory { taken, most } = &*self.memory;
        let resized = |taken: usize| (taken - self.bytes).checked_add(bytes);
        let fits = |taken: usize| resized(taken).filter(|all| bytes <= self.bytes || all <= most);
        taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).map_err(|_| {
            QueryError::LimitReached(format!(
                "all scans together would take more than {most} bytes (store.scans_memory_bytes): narrow the time range, add conditions, lower the limit, or ask again later"
            ))
        })?;
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.memory.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_bounded_and_given_back() {
        let memory = Memory::new(10);
        let mut one = memory.take(4).expect("room");
        let mut other = memory.take(6).expect("room");
        assert!(one.resize(5).is_err());
        other.resize(5).expect("less");
        one.resize(5).expect("room");
        let Err(QueryError::LimitReached(text)) = memory.take(1) else { panic!("no room") };
        assert!(text.contains("store.scans_memory_bytes"), "{text}");
        drop(one);
        assert!(memory.take(5).is_ok() && memory.take(6).is_err());
    }
}
