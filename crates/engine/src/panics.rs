//! A panic in work on some files, taken for an error: it is no reason to end the process, again after each start, or to
//! leave all other files as they are.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does some work; `panicked` is the error where that panics.
pub(crate) fn caught<T, E>(
    work: impl FnOnce() -> Result<T, E>,
    panicked: impl FnOnce() -> E,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(panicked()))
}
