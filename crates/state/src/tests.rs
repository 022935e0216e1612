//! The sub-stores through their public interface, over real database files.

mod access;
mod alerts;
mod audit;
mod audit_chain;
mod audit_file;
mod audit_migration;
mod deliveries;
mod retention;

use model::Timestamp;
use tempfile::TempDir;

use crate::State;

/// A database in a folder of its own.
async fn open() -> (TempDir, State) {
    let folder = tempfile::tempdir().expect("a folder");
    let state = again(&folder).await;
    (folder, state)
}

/// The same database, opened as another process would.
async fn again(folder: &TempDir) -> State {
    State::open(&folder.path().join("state.db")).await.expect("a database")
}

/// So many seconds after the beginning.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_754_083_800_000 + seconds * 1_000)
}
