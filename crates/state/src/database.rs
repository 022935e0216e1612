//! Opening the database, and what the sub-stores share: one connection that writes, some that read.
//!
//! Everything that is particular to SQLite stands here and in the migrations; statements elsewhere
//! keep to what PostgreSQL understands too (`$1`, `ON CONFLICT`, `RETURNING`).

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use model::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::error::during;
use crate::password::Passwords;
use crate::{
    AlertStates, ApiKeys, Audit, Deliveries, LoginAttempts, LoginLinks, Sessions, StateError, Users, audit,
};

/// The database that is spoken to.
pub(crate) type Sql = sqlx::Sqlite;
/// One row of an answer.
pub(crate) type Row = sqlx::sqlite::SqliteRow;
/// A transaction.
pub(crate) type Transaction = sqlx::Transaction<'static, Sql>;

/// How long a statement waits for another process that writes (`watchkeeper user add`).
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const READ_CONNECTIONS: u32 = 4;

/// The connections.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// Reads; several at a time.
    pub(crate) read: sqlx::Pool<Sql>,
    /// Writes; one at a time, so that writers queue here and not inside SQLite.
    pub(crate) write: sqlx::Pool<Sql>,
}

impl Database {
    /// A transaction that holds the right to write from its start, so it cannot fail half-way for
    /// another writer.
    pub(crate) async fn begin(&self, doing: &'static str) -> Result<Transaction, StateError> {
        self.write.begin_with("BEGIN IMMEDIATE").await.map_err(during(doing))
    }
}

/// The state database. Cheap to clone; all clones share the connections.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) database: Database,
    passwords: Passwords,
}

impl State {
    /// Opens the database file, makes it (readable by its owner alone) when it is not there, and
    /// brings its tables to this version's form.
    ///
    /// What a call has acknowledged is on the disk: write-ahead log, `synchronous = FULL`.
    pub async fn open(path: &Path) -> Result<Self, StateError> {
        let fail = |source: Box<dyn std::error::Error + Send + Sync>| StateError::Open {
            path: path.to_owned(),
            source,
        };
        create_private(path).map_err(|source| fail(source.into()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(|source| fail(source.into()))?;
        sqlx::migrate!()
            .run(&write)
            .await
            .map_err(|source| StateError::Migrate { path: path.to_owned(), source })?;
        let read = SqlitePoolOptions::new()
            .max_connections(READ_CONNECTIONS)
            .connect_with(options)
            .await
            .map_err(|source| fail(source.into()))?;
        let database = Database { read, write };
        audit::chain_old_entries(&database).await?;
        Ok(Self { database, passwords: Passwords::new()? })
    }

    /// Users and their passwords.
    pub fn users(&self) -> Users {
        Users { database: self.database.clone(), passwords: self.passwords.clone() }
    }

    /// Logins that browsers hold.
    pub fn sessions(&self) -> Sessions {
        Sessions { database: self.database.clone() }
    }

    /// Links that log in once.
    pub fn links(&self) -> LoginLinks {
        LoginLinks { database: self.database.clone() }
    }

    /// Failed logins, for rate limiting.
    pub fn attempts(&self) -> LoginAttempts {
        LoginAttempts { database: self.database.clone() }
    }

    /// API keys.
    pub fn keys(&self) -> ApiKeys {
        ApiKeys { database: self.database.clone() }
    }

    /// States of alerts and their history.
    pub fn alerts(&self) -> AlertStates {
        AlertStates { database: self.database.clone() }
    }

    /// The queue of notifications.
    pub fn deliveries(&self) -> Deliveries {
        Deliveries { database: self.database.clone() }
    }

    /// Who did what.
    pub fn audit(&self) -> Audit {
        Audit { database: self.database.clone() }
    }

    /// Closes the connections; calls that come later fail.
    pub async fn close(&self) {
        self.database.read.close().await;
        self.database.write.close().await;
    }
}

/// The file holds hashes of secrets: others on the machine have no business in it. SQLite gives its
/// side files the mode of the database.
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map(drop)
}

/// A time as it is stored.
pub(crate) fn millis(time: Timestamp) -> i64 {
    time.as_millis()
}

/// A time that may be missing, as it is stored.
pub(crate) fn millis_option(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millis)
}

/// A count, as it is stored.
pub(crate) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A stored count.
pub(crate) fn uncount(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
