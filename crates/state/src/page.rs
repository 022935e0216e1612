//! Which part of a list is asked for.

/// A part of a list: so many items, after skipping so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many items to skip.
    pub offset: u64,
    /// How many items to give at the most; never more than [`Page::MAX_LIMIT`] are given.
    pub limit: u64,
}

impl Page {
    /// The most items that one answer holds.
    pub const MAX_LIMIT: u64 = 1_000;

    /// The first `limit` items.
    pub const fn first(limit: u64) -> Self {
        Self { offset: 0, limit }
    }

    pub(crate) fn sql_limit(self) -> i64 {
        i64::try_from(self.limit.min(Self::MAX_LIMIT)).unwrap_or(i64::MAX)
    }

    pub(crate) fn sql_offset(self) -> i64 {
        i64::try_from(self.offset).unwrap_or(i64::MAX)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first(100)
    }
}
