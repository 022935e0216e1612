//! A stand-in prints entries as `journalctl` does, after the cursor that it is given, and then waits.

use std::os::unix::fs::PermissionsExt;

use model::event::LogEvent;
use testkit::eventually;

use super::*;
use crate::runner::tests::{MemoryStore, ingest};

struct Stage {
    folder: tempfile::TempDir,
    store: Arc<MemoryStore>,
}

impl Stage {
    /// A journal with no entries.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = r#"#!/bin/sh
after=0
for argument in "$@"; do
  case "$argument" in --after-cursor=c*) after=${argument#--after-cursor=c} ;; esac
done
seen=$after
while :; do
  last=$(cat "$(dirname "$0")/last" 2>/dev/null || echo 0)
  while [ "$seen" -lt "$last" ]; do
    seen=$((seen + 1))
    printf '{"__CURSOR":"c%s","__REALTIME_TIMESTAMP":"%s000000","PRIORITY":"6","MESSAGE":"entry %s"}\n' "$seen" "$(date +%s)" "$seen"
  done
  sleep 0.05
done
"#;
        let path = folder.path().join("journalctl");
        std::fs::write(&path, script).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("set");
        Self { folder, store: Arc::new(MemoryStore::default()) }
    }

    fn write_up_to(&self, last: u32) {
        std::fs::write(self.folder.path().join("last"), last.to_string()).expect("written");
    }

    fn journal(&self) -> Arc<Journal> {
        let command = self.folder.path().join("journalctl");
        let config = JournalConfig { enabled: true, command, ..JournalConfig::default() };
        Journal::new(&config, self.folder.path(), ingest(&self.store))
    }

    fn messages(&self) -> Vec<String> {
        let batches = self.store.event_batches();
        let events = batches
            .iter()
            .filter(|batch| batch.table == store::Table::Logs)
            .flat_map(|batch| store::events_from_batch(batch.table, &batch.rows).expect("rows of the table"));
        let message = |log: LogEvent| log.message;
        events.filter_map(|event| if let Event::Log(log) = event { message(*log) } else { None }).collect()
    }

    async fn wait_for(&self, last: u32) {
        let expected: Vec<String> = (1..=last).map(|number| format!("entry {number}")).collect();
        let told = eventually("entries", || async { Ok((self.messages() == expected).then_some(())) });
        assert!(told.await.is_ok(), "there are {:?}", self.messages());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_stored_once_over_stops_and_kills() {
    let stage = Stage::new();
    stage.write_up_to(3);
    let cancel = CancellationToken::new();
    let task = tokio::spawn(stage.journal().run(cancel.clone()));
    stage.wait_for(3).await;
    cancel.cancel();
    task.await.expect("it ends");
    stage.write_up_to(5);
    // What it stored is not written down: it is killed before.
    let task = tokio::spawn(stage.journal().run(CancellationToken::new()));
    stage.wait_for(5).await;
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    stage.write_up_to(6);
    let task = tokio::spawn(stage.journal().run(CancellationToken::new()));
    stage.wait_for(6).await;
    task.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_started_is_told() {
    let stage = Stage::new();
    let config =
        JournalConfig { enabled: true, command: "/nowhere/journalctl".into(), ..JournalConfig::default() };
    let journal = Journal::new(&config, stage.folder.path(), ingest(&stage.store));
    let mut status = journal.status();
    let task = tokio::spawn(journal.run(CancellationToken::new()));
    let mut said = String::new();
    for _ in 0..200 {
        if let Err(error) = status.collect(Timestamp::now()).await {
            said = error.to_string();
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(said.contains("cannot read the journal by /nowhere/journalctl"), "{said}");
    task.abort();
}
