//! Units of programs that print what systemd 252 printed. A real systemd is not started: a second one,
//! run as root, moves every process of the host into control groups of its own.

use std::os::unix::fs::PermissionsExt;

use model::event::Event;
use store::Table;

use super::*;
use crate::runner::tests::{MemoryStore, ingest};

struct Stage {
    folder: tempfile::TempDir,
    store: Arc<MemoryStore>,
    collector: Units,
}

impl Stage {
    fn new(config: impl FnOnce(&Path) -> UnitsConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::default());
        let directory = Arc::new(Directory::default());
        let reporter = Arc::new(ExitReporter::new(ingest(&store), "h".into(), Arc::clone(&directory)));
        let config = config(folder.path());
        let collector = Units::new(&config, "h".into(), directory, reporter);
        Self { folder, store, collector }
    }

    /// A service manager and a journal that print what is in two files.
    fn scripted() -> Self {
        let stage = Self::new(|folder| UnitsConfig {
            patterns: vec!["w.service".to_owned()],
            systemctl: vec![script(folder, "systemctl")],
            journalctl: vec![script(folder, "journalctl")],
            ..UnitsConfig::default()
        });
        stage.say("journalctl", "");
        stage
    }

    fn say(&self, program: &str, text: &str) {
        std::fs::write(self.folder.path().join(format!("{program}.says")), text).unwrap();
    }

    fn say_running(&self, pid: u64, restarts: u64) {
        self.say(
            "systemctl",
            &format!("Id=w.service\nLoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nNRestarts={restarts}\nExecMainPID={pid}\nExecMainExitTimestampMonotonic=0\n"),
        );
    }

    async fn pass(&mut self) -> Vec<(String, f64)> {
        let batch = self.collector.collect(Timestamp::now()).await.unwrap();
        batch.iter().map(|(labels, samples)| (labels.to_string(), samples[0].value)).collect()
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

/// A program that prints the file beside it, and fails when there is none.
fn script(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\nexec cat {}.says\n", path.display())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_a_signal_ended_is_told_once() {
    let mut stage = Stage::scripted();
    stage.say_running(7, 0);
    let samples = stage.pass().await;
    assert!(samples.contains(&(r#"unit_active{host="h", unit="w.service"}"#.to_owned(), 1.0)), "{samples:?}");
    let ended = KernelClock::now().since_boot.as_micros();
    stage.say(
        "systemctl",
        &format!("Id=w.service\nLoadState=loaded\nActiveState=failed\nSubState=failed\nResult=signal\nNRestarts=0\nExecMainPID=7\nExecMainCode=2\nExecMainStatus=9\nExecMainExitTimestampMonotonic={ended}\n"),
    );
    let samples = stage.pass().await;
    assert!(samples.contains(&(r#"unit_failed{host="h", unit="w.service"}"#.to_owned(), 1.0)), "{samples:?}");
    stage.pass().await;
    let exits = stage.exits();
    let [exit] = exits.as_slice() else { panic!("{exits:?}") };
    assert_eq!((exit.cause, exit.signal.as_deref(), exit.pid), (ExitCause::Signal, Some("SIGKILL"), Some(7)));
    assert_eq!(exit.unit.as_deref(), Some("w.service"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_nobody_saw_is_looked_up_in_the_journal() {
    let mut stage = Stage::scripted();
    stage.say_running(7, 0);
    stage.pass().await;
    let now = Timestamp::now().as_millis() * 1000;
    stage.say(
        "journalctl",
        &format!(r#"{{"__REALTIME_TIMESTAMP":"{now}","EXIT_CODE":"dumped","EXIT_STATUS":"11"}}"#),
    );
    stage.say_running(8, 1);
    let samples = stage.pass().await;
    assert!(
        samples.contains(&(r#"unit_restarts_total{host="h", unit="w.service"}"#.to_owned(), 1.0)),
        "{samples:?}"
    );
    // A journal that cannot be asked leaves the cause unknown.
    std::fs::remove_file(stage.folder.path().join("journalctl.says")).unwrap();
    stage.say_running(9, 2);
    stage.pass().await;
    let told: Vec<(ExitCause, Option<String>)> =
        stage.exits().into_iter().map(|exit| (exit.cause, exit.signal)).collect();
    assert_eq!(told, [(ExitCause::Signal, Some("SIGSEGV".to_owned())), (ExitCause::Unknown, None)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_manager_that_fails_says_why() {
    let mut stage = Stage::scripted();
    let error = stage.collector.collect(Timestamp::now()).await.unwrap_err();
    assert!(error.chain().contains("systemctl.says"), "{}", error.chain());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_could_not_be_stored_is_told_later() {
    let mut stage = Stage::scripted();
    stage.say_running(7, 0);
    stage.pass().await;
    stage.say_running(8, 1);
    stage.store.refuse(true);
    assert!(stage.collector.collect(Timestamp::now()).await.is_err());
    stage.store.refuse(false);
    stage.pass().await;
    assert_eq!(stage.exits().len(), 1);
}

#[test]
fn the_unit_of_a_process_is_read_from_its_control_groups() {
    let cases = [
        ("0::/system.slice/w.service\n", Some("w.service")),
        ("5:memory:/x\n1:name=systemd:/system.slice/w.service\n0::/\n", Some("w.service")),
        ("5:memory:/system.slice/w.service\n", None),
        ("0::/docker/abc\n", None),
        ("", None),
        (":::\n", None),
    ];
    for (text, unit) in cases {
        assert_eq!(unit_of(text).as_deref(), unit, "{text:?}");
    }
}
