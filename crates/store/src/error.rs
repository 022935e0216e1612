//! What can go wrong at the port, in terms of what the caller can do about it.

/// A batch that was not stored.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The store is full for now (memory or queue): send the batch again later.
    #[error("the store cannot take more right now ({what}); try again later")]
    Overloaded {
        /// Which bound was reached.
        what: &'static str,
    },
    /// The batch is larger than any that the store takes: sending it again does not help, sending it in parts does.
    #[error("the batch takes {bytes} bytes, at most {max_bytes} are taken at once")]
    TooLarge {
        /// About what it takes.
        bytes: usize,
        /// The most that is taken.
        max_bytes: usize,
    },
    /// The disk is nearly full: nothing is taken until there is room.
    #[error("the disk is nearly full: {free_bytes} bytes free, {reserve_bytes} are kept in reserve")]
    DiskFull {
        /// What is free.
        free_bytes: u64,
        /// What the store keeps free.
        reserve_bytes: u64,
    },
    /// The store could not write, and takes nothing more until it is started again.
    #[error("the store has stopped writing after an error of its disk")]
    Poisoned,
    /// The store is shutting down.
    #[error("the store is shutting down")]
    Closed,
}

/// A query that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// A limit was reached; the text names it and says how to narrow the query.
    #[error("{0}")]
    LimitReached(String),
    /// The query asks for something that the store does not have.
    #[error("{0}")]
    Invalid(String),
    /// The query was cancelled.
    #[error("the query was stopped: {0}")]
    Stopped(&'static str),
    /// The query took longer than a query may; the text names the limit and says how to narrow the query.
    #[error("{0}")]
    TimedOut(String),
    /// Too many queries wait already: ask again later.
    #[error(
        "too many queries at once: {waiting} wait already (store.max_waiting_scans), for the turns that \
         store.max_concurrent_scans gives; ask again later, or for a shorter time so that each takes less"
    )]
    Busy {
        /// How many wait.
        waiting: usize,
    },
    /// Stored data could not be read.
    #[error("stored data could not be read while {doing}")]
    Storage {
        /// What was being done, and to what.
        doing: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
