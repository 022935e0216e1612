//! What can go wrong when records are looked for.

use store::{ColumnError, QueryError};

/// Records that could not be found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Stored records could not be read.
    #[error("stored records could not be read")]
    Read(#[source] QueryError),
    /// Stored records are not what they should be.
    #[error("stored records could not be understood")]
    Rows(#[source] ColumnError),
    /// A record was not found among so many of its time.
    #[error("more than {max} records are of this time", max = crate::context::MAX_OF_ITS_TIME)]
    TooManyOfOneTime,
}
