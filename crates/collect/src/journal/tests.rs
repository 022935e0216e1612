//! A stand-in prints entries as `journalctl` does, after the cursor that it is given, and then waits.

use std::os::unix::fs::PermissionsExt;

use model::event::LogEvent;
use testkit::eventually;

use super::*;
use crate::runner::tests::{MemoryStore, ingest, ingest_into};

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

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_no_entries_or_are_too_long_are_counted_as_refused() {
    let stage = Stage::new();
    let program = stage.folder.path().join("journalctl");
    let script = r#"#!/bin/sh
echo 'no entry'
head -c 300000 /dev/zero | tr '\0' x
echo
printf '{"__CURSOR":"c1","__REALTIME_TIMESTAMP":"%s000000","MESSAGE":"entry 1"}\n' "$(date +%s)"
exec sleep 1000
"#;
    std::fs::write(&program, script).expect("written");
    let registry = prometheus::Registry::new();
    let config = JournalConfig { enabled: true, command: program, ..JournalConfig::default() };
    let journal = Journal::new(&config, stage.folder.path(), ingest_into(&stage.store, &registry));
    let task = tokio::spawn(journal.run(CancellationToken::new()));
    stage.wait_for(1).await;
    task.abort();
    let families = registry.gather();
    let refused = |reason: &str| -> f64 {
        let metrics = families.iter().flat_map(prometheus::proto::MetricFamily::get_metric);
        let is_it = |metric: &&prometheus::proto::Metric| {
            let has = |name: &str, value: &str| {
                metric.get_label().iter().any(|label| label.name() == name && label.value() == value)
            };
            has("source", "journal") && has("reason", reason)
        };
        metrics.filter(is_it).map(|metric| metric.get_counter().get_value()).sum()
    };
    assert_eq!((refused("too_large"), refused("malformed")), (1.0, 1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_says_nothing_is_passed_over_and_written_anew() {
    for text in ["", "no cursor"] {
        let stage = Stage::new();
        let path = stage.folder.path().join("journal.cursor");
        std::fs::write(&path, text).expect("written");
        let cancel = CancellationToken::new();
        let task = tokio::spawn(stage.journal().run(cancel.clone()));
        let last = std::sync::atomic::AtomicU32::new(0);
        let kept = eventually("a cursor", || async {
            // It is written with an entry that comes some time after the one before.
            stage.write_up_to(1 + last.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
            Ok(std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok()))
        });
        let kept = kept.await.expect("it is written");
        assert!(kept.cursor.starts_with('c'), "after {text:?}");
        assert_eq!(stage.messages().first().map(String::as_str), Some("entry 1"));
        cancel.cancel();
        task.await.expect("it ends");
    }
}
