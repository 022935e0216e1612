//! Memory for what a request becomes, which is taken as it grows.
//!
//! A decoder knows the bound of one request ([`crate::otlp::rows::RowLimits::max_bytes`] and its like). What many requests
//! at once come to is known by whoever decodes them, who is asked here. Where there is no room the decoder lets go of
//! what it has made and makes nothing more; where it can, it goes on to count what the rest would have taken, so that
//! whoever decodes it again knows how much that is.

use std::fmt;
use std::sync::Arc;

/// Whether there is room for so many bytes.
type Ask = dyn Fn(usize) -> bool + Send + Sync;

/// What is asked for room. By default there is always some.
#[derive(Clone, Default)]
pub struct Budget(Option<Arc<Ask>>);

impl Budget {
    /// One that asks whether there is room for all that a request has become so far, in bytes. What it has become only
    /// grows. It is asked for each record, and again after there was no room.
    pub fn new(ask: impl Fn(usize) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(ask)))
    }

    /// Whether there is room for so many bytes of what a request has become.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.0.as_ref().is_none_or(|ask| ask(bytes))
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Budget").field("is_bound", &self.0.is_some()).finish()
    }
}
