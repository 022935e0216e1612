//! The collector reads a log as the kernel gives it: a record a read, from a socket that keeps records
//! apart. The kernel's own `/dev/kmsg` is read in the scenarios.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;

use model::event::Event;
use store::Table;

use super::*;
use crate::processes::Directory;
use crate::processes::directory::Identity;
use crate::runner::tests::{MemoryStore, ingest};

const BOOT: &str = "5e0f1b1c-0000-4000-8000-000000000001";

/// A log that a test writes.
struct Stage {
    writer: UnixDatagram,
    folder: tempfile::TempDir,
    store: Arc<MemoryStore>,
    directory: Arc<Directory>,
    collector: KernelLog,
}

impl Stage {
    /// A log whose records up to `last` were read before.
    fn new(last: Option<u64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::default());
        let directory = Arc::new(Directory::default());
        let reporter = Arc::new(ExitReporter::new(ingest(&store), "h".into(), Arc::clone(&directory)));
        let config = KernelLogConfig { path: folder.path().join("kmsg"), ..KernelLogConfig::default() };
        let collector = KernelLog::new(&config, folder.path(), "h".into(), reporter);
        let (writer, reader) = UnixDatagram::pair().unwrap();
        reader.set_nonblocking(true).unwrap();
        let log = Log::of(File::from(OwnedFd::from(reader)));
        collector.look.with(|look| look.open = Some(Open { log, boot_id: BOOT.into(), last }));
        Self { writer, folder, store, directory, collector }
    }

    fn write(&self, priority: u32, sequence: u64, text: &str) {
        let at = KernelClock::now().since_boot.as_micros();
        self.writer.send(format!("{priority},{sequence},{at},-;{text}\n").as_bytes()).unwrap();
    }

    async fn pass(&mut self) -> MetricBatch {
        self.collector.collect(Timestamp::now()).await.unwrap()
    }

    fn exits(&self) -> Vec<ExitEvent> {
        let batches = self.store.event_batches();
        let exits = batches.into_iter().filter(|batch| batch.table == Table::Exits);
        exits
            .flat_map(|batch| store::events_from_batch(batch.table, &batch.rows).unwrap())
            .map(|event| match event {
                Event::Exit(exit) => *exit,
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_kept_as_records_of_logs_where_that_is_set() {
    let mut stage = Stage::new(Some(9));
    stage.write(6, 10, "not kept");
    stage.pass().await;
    let origin = Arc::new(Origin { service: Some("kernel".into()), ..Origin::default() });
    stage.collector.look.with(|look| look.records_of = Some(origin));
    stage.write(3, 11, "disk: error");
    stage.pass().await;
    let batches = stage.store.event_batches();
    let logs: Vec<Event> = batches
        .iter()
        .filter(|batch| batch.table == Table::Logs)
        .flat_map(|batch| store::events_from_batch(batch.table, &batch.rows).unwrap())
        .collect();
    let [Event::Log(log)] = logs.as_slice() else { panic!("{logs:?}") };
    assert_eq!((log.message.as_deref(), log.level), (Some("disk: error"), Some(Level::Error)));
    assert_eq!(log.event_id.as_deref(), Some(format!("kernel:{BOOT}:11").as_str()));
    let last = stage.collector.reporter.last_record(BOOT, Timestamp::MIN).unwrap();
    assert_eq!(last, 11);
}

const KILL: [&str; 2] = [
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/system.slice,task_memcg=/system.slice/w.service,task=python3,pid=42,uid=0",
    "Memory cgroup out of memory: Killed process 42 (python3) total-vm:3kB, anon-rss:2kB, file-rss:1kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_is_told_with_its_process_its_memory_and_its_unit() {
    let mut stage = Stage::new(Some(9));
    let identity = Identity {
        comm: "python3".into(),
        name: "worker.py".into(),
        command: "python3 worker.py".into(),
        group: Some("workers".into()),
    };
    stage.directory.note(42, identity);
    stage.directory.note_end(42);
    stage.write(6, 10, KILL[0]);
    stage.pass().await;
    assert_eq!(stage.exits(), []);
    stage.write(3, 11, KILL[1]);
    stage.pass().await;
    let exits = stage.exits();
    let [exit] = exits.as_slice() else { panic!("{exits:?}") };
    assert_eq!((exit.cause, exit.pid, exit.name.as_str()), (ExitCause::OomKill, Some(42), "worker.py"));
    assert_eq!(exit.group.as_deref(), Some("workers"));
    assert_eq!(exit.unit.as_deref(), Some("w.service"));
    assert_eq!(exit.cgroup.as_deref(), Some("/system.slice/w.service"));
    assert_eq!((exit.memory_rss_bytes, exit.memory_anon_bytes), (Some(3 << 10), Some(2 << 10)));
    assert_eq!(exit.event_id, format!("kernel-{BOOT}-11"));
    let cursor = CursorFile::new(stage.folder.path().join("kernel-log.cursor")).load();
    assert_eq!(cursor, Some(Cursor { boot_id: BOOT.into(), sequence: 11 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_writes_the_kernels_words_is_not_believed() {
    let mut stage = Stage::new(Some(9));
    // Facility 1, user, and 3, daemon, at the level of an error.
    stage.write(11, 10, KILL[1]);
    stage.write(27, 11, KILL[1]);
    stage.pass().await;
    assert_eq!(stage.exits(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_told_once_however_often_it_is_named() {
    let mut stage = Stage::new(Some(9));
    stage.write(3, 10, KILL[1]);
    stage.write(3, 11, KILL[1]);
    stage.pass().await;
    stage.write(3, 11, KILL[1]);
    stage.write(3, 12, KILL[1]);
    stage.pass().await;
    assert_eq!(stage.exits().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_were_overwritten_before_they_were_read_are_counted() {
    let mut stage = Stage::new(Some(9));
    stage.write(6, 10, "one");
    stage.write(6, 15, "six");
    let batch = stage.pass().await;
    let lost =
        batch.iter().find(|(labels, _)| labels.get("__name__") == Some("kernel_log_records_lost_total"));
    assert_eq!(lost.map(|(_, samples)| samples[0].value), Some(4.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_room_loses_no_kill() {
    let mut stage = Stage::new(Some(9));
    stage.store.refuse(true);
    stage.write(3, 10, KILL[1]);
    let refused = stage.collector.collect(Timestamp::now()).await;
    assert!(matches!(refused, Err(CollectError::Read { .. })), "{refused:?}");
    let cursor_file = CursorFile::new(stage.folder.path().join("kernel-log.cursor"));
    assert_eq!(cursor_file.load(), None);
    stage.store.refuse(false);
    stage.pass().await;
    assert_eq!(stage.exits().len(), 1);
    assert_eq!(cursor_file.load().map(|cursor| cursor.sequence), Some(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_gpu_is_counted_from_zero() {
    let mut stage = Stage::new(Some(9));
    stage.write(4, 10, "NVRM: Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off the bus.");
    let batch = stage.pass().await;
    let xid = batch.iter().find(|(labels, _)| labels.get("xid") == Some("79")).unwrap();
    assert_eq!(xid.0.get("pci_bus_id"), Some("0000:3b:00"));
    let values: Vec<f64> = batch
        .iter()
        .filter(|(labels, _)| labels.get("xid") == Some("79"))
        .flat_map(|(_, samples)| samples.iter().map(|sample| sample.value))
        .collect();
    assert_eq!(values, [0.0, 1.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_read_is_no_fault_and_says_why() {
    let mut stage = Stage::new(None);
    stage.collector.look.with(|look| look.open = None);
    let error = stage.collector.collect(Timestamp::now()).await.unwrap_err();
    assert!(matches!(error, CollectError::Absent(_)), "{error:?}");
    assert!(error.chain().contains("kmsg"), "{}", error.chain());
}

#[test]
fn a_cursor_of_another_start_of_the_host_reads_the_log_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let file = CursorFile::new(folder.path().join("c"));
    assert_eq!(file.load(), None);
    let cursor = Cursor { boot_id: "b".into(), sequence: 7 };
    file.save(&cursor).unwrap();
    assert_eq!(file.load(), Some(cursor));
    std::fs::write(folder.path().join("c"), b"{broken").unwrap();
    assert_eq!(file.load(), None);
}
