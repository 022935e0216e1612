//! What can go wrong with the state database, in terms of what the caller can do about it.

use std::path::PathBuf;

/// A request to the state database that was not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The database file could not be opened or made.
    #[error("the state database {} could not be opened", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database could not be brought to this version's form.
    #[error("the state database {} could not be migrated", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error("the state database failed while {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// A stored value cannot be understood: it was written by a newer version, or by hand.
    #[error("the state database holds `{text}` as {what}, which this version does not know")]
    Corrupt {
        /// What the value is.
        what: &'static str,
        /// The value, cut.
        text: String,
    },
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Without this user nobody could manage users any more.
    #[error("this is the last administrator; make another one first")]
    LastAdministrator,
    /// The name is taken.
    #[error("the {what} `{name}` exists already")]
    Taken {
        /// What it names.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The name cannot be used.
    #[error("`{name}` cannot be a name: use 1 to {max} letters, digits, or any of . _ - @ + and space")]
    BadName {
        /// The name, cut.
        name: String,
        /// How long it may be.
        max: usize,
    },
    /// The password does not satisfy the policy.
    #[error("the password is too short or too long: it takes {min} to {max} characters")]
    BadPassword {
        /// The least characters.
        min: usize,
        /// The most characters.
        max: usize,
    },
    /// Retention came while the audit log was exported.
    #[error("entry {seq} of the audit log was removed by retention while it was exported; export it again")]
    RemovedMeanwhile {
        /// The place of the entry.
        seq: i64,
    },
    /// There are as many as there may be.
    #[error("there are {max} {what} already, and no more are kept")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        max: u64,
    },
    /// A password could not be hashed, or the system gave no random bytes.
    #[error("{doing} failed: {reason}")]
    Crypto {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        reason: String,
    },
}

/// Wraps an error of the database with what was being done.
pub(crate) fn during(doing: &'static str) -> impl Fn(sqlx::Error) -> StateError {
    move |source| StateError::Database { doing, source }
}
