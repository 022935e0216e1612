use std::collections::HashMap;
use std::path::Path;

use super::*;

const NOBODY: i32 = -1;

/// A proc file system of our own making.
struct Fixture {
    folder: tempfile::TempDir,
}

#[derive(Clone, Copy)]
struct Fake<'a> {
    pid: i32,
    parent: i32,
    command: &'a str,
    ticks: u64,
    start: u64,
    rss_pages: u64,
}

impl Default for Fake<'_> {
    fn default() -> Self {
        Self { pid: 1, parent: 0, command: "python worker.py", ticks: 0, start: 5, rss_pages: 10 }
    }
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let memory = "MemTotal: 1000000 kB\nMemFree: 0 kB\nMemAvailable: 0 kB\nBuffers: 0 kB\nCached: 0 kB\n\
                      SwapCached: 0 kB\nActive: 0 kB\nInactive: 0 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n\
                      Dirty: 0 kB\nWriteback: 0 kB\nMapped: 0 kB\nSlab: 0 kB\nCommitted_AS: 0 kB\n\
                      VmallocTotal: 0 kB\nVmallocUsed: 0 kB\nVmallocChunk: 0 kB\n";
        std::fs::write(folder.path().join("meminfo"), memory).unwrap();
        let stat = "cpu  1 0 1 7 1 0 0 0 0 0\nctxt 1\nbtime 1700000000\nprocesses 1\n";
        std::fs::write(folder.path().join("stat"), stat).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn start(&self, fake: Fake<'_>) {
        self.start_with(fake, "S", 0);
    }

    fn start_with(&self, fake: Fake<'_>, state: &str, flags: u32) {
        let Fake { pid, parent, command, ticks, start, rss_pages } = fake;
        let folder = self.path().join(pid.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let comm = command.split([' ', '/']).next().unwrap_or_default();
        let stat = format!(
            "{pid} ({comm}) {state} {parent} 1 1 0 -1 {flags} 0 0 0 0 {ticks} 0 0 0 20 0 3 0 {start} 4096000 \
             {rss_pages} 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
        );
        std::fs::write(folder.join("stat"), stat).unwrap();
        let arguments: String = command.split(' ').flat_map(|argument| [argument, "\0"]).collect();
        std::fs::write(folder.join("cmdline"), arguments).unwrap();
    }

    fn stop(&self, pid: i32) {
        std::fs::remove_dir_all(self.path().join(pid.to_string())).unwrap();
    }

    fn look(&self, config: &ProcessesConfig, own_pid: i32) -> Look {
        Look::new(config, ProcRoot::at(self.path()), own_pid, Arc::default()).unwrap()
    }
}

fn pass(look: &mut Look) -> (HashMap<String, f64>, Vec<ProcessSnapshot>) {
    let now = Timestamp::from_secs_f64(1_700_000_100.0);
    let pass = look.pass("box", now).unwrap();
    let values = pass.batch.iter().map(|(labels, samples)| (labels.to_string(), samples[0].value)).collect();
    (values, pass.snapshots)
}

fn group_value(values: &HashMap<String, f64>, name: &str, group: &str) -> f64 {
    values[&format!("process_group_{name}{{group=\"{group}\", host=\"box\"}}")]
}

#[test]
fn starts_exits_and_restarts_of_a_group_are_counted() {
    let fixture = Fixture::new();
    let mut look = fixture.look(&ProcessesConfig::default(), NOBODY);
    fixture.start(Fake { pid: 10, ..Fake::default() });
    fixture.start(Fake { pid: 11, command: "python other.py", ..Fake::default() });
    let turnover = |look: &mut Look| {
        let (values, _) = pass(look);
        ["count", "starts_total", "exits_total", "restarts_total"]
            .map(|name| group_value(&values, name, "python"))
    };
    assert_eq!(turnover(&mut look), [2.0, 0.0, 0.0, 0.0], "what runs already has not started");
    fixture.start(Fake { pid: 12, command: "python third.py", ..Fake::default() });
    assert_eq!(turnover(&mut look), [3.0, 1.0, 0.0, 0.0]);
    fixture.stop(10);
    assert_eq!(turnover(&mut look), [2.0, 1.0, 1.0, 0.0]);
    fixture.start(Fake { pid: 13, ..Fake::default() });
    assert_eq!(turnover(&mut look), [3.0, 2.0, 1.0, 1.0], "the same command line is back");
    // The same process id, but another process.
    fixture.start(Fake { pid: 13, start: 900, ..Fake::default() });
    assert_eq!(turnover(&mut look), [3.0, 3.0, 2.0, 2.0]);
}

#[test]
fn kernel_threads_zombies_and_our_own_children_are_in_no_group() {
    let fixture = Fixture::new();
    fixture.start(Fake { pid: 2, ..Fake::default() });
    fixture.start_with(Fake { pid: 3, ..Fake::default() }, "S", 0x0020_0000);
    fixture.start_with(Fake { pid: 4, ..Fake::default() }, "Z", 0);
    fixture.start(Fake { pid: 100, command: "anything serve", ..Fake::default() });
    fixture.start(Fake { pid: 101, parent: 100, ..Fake::default() });
    fixture.start(Fake { pid: 102, parent: 101, ..Fake::default() });
    let mut look = fixture.look(&ProcessesConfig::default(), 100);
    let (values, snapshots) = pass(&mut look);
    assert_eq!(group_value(&values, "count", "python"), 1.0);
    assert_eq!(group_value(&values, "count", "watchkeeper"), 1.0);
    assert_eq!(group_value(&values, "count", "redis"), 0.0, "an empty group is seen to be empty");
    let mut pids: Vec<u32> = snapshots.iter().map(|process| process.pid).collect();
    pids.sort_unstable();
    assert_eq!(pids, [2, 100, 101, 102], "the largest of the host are shown whatever they are");
}

#[test]
fn a_group_lists_its_largest_processes_and_counts_the_rest() {
    let fixture = Fixture::new();
    for pid in 1..=5 {
        fixture.start(Fake { pid, rss_pages: 10 * u64::from(pid.unsigned_abs()), ..Fake::default() });
    }
    let config = ProcessesConfig { max_per_group: 2, top: 0, ..ProcessesConfig::default() };
    let (values, snapshots) = pass(&mut fixture.look(&config, NOBODY));
    assert_eq!(snapshots.iter().map(|process| process.pid).collect::<Vec<_>>(), [5, 4]);
    assert_eq!(group_value(&values, "count", "python"), 5.0);
    assert_eq!(group_value(&values, "unlisted", "python"), 3.0);
    let page = procfs::page_size() as f64;
    assert_eq!(group_value(&values, "resident_memory_bytes", "python"), 150.0 * page);
    let series = values.keys().filter(|name| name.starts_with("process_resident_memory_bytes")).count();
    assert_eq!(series, 2);
}

#[test]
fn a_processs_numbers_are_in_base_units() {
    let fixture = Fixture::new();
    let ticks = procfs::ticks_per_second();
    fixture.start(Fake { pid: 7, ticks: 3 * ticks, start: 40 * ticks, rss_pages: 25, ..Fake::default() });
    let (values, snapshots) = pass(&mut fixture.look(&ProcessesConfig::default(), NOBODY));
    let value = |name: &str| {
        let labels = r#"group="python", host="box", name="worker.py", pid="7""#;
        values.get(&format!("process_{name}{{{labels}}}")).copied()
    };
    let page = procfs::page_size() as f64;
    assert_eq!(value("resident_memory_bytes"), Some(25.0 * page));
    assert_eq!(value("virtual_memory_bytes"), Some(4_096_000.0));
    assert_eq!(value("memory_ratio"), Some(25.0 * page / 1_024_000_000.0));
    assert_eq!(value("cpu_seconds_total"), Some(3.0));
    assert_eq!(value("threads"), Some(3.0));
    assert_eq!(value("uptime_seconds"), Some(60.0));
    assert_eq!(value("read_bytes_total"), None, "what cannot be read is left out");
    assert_eq!(snapshots[0].started_at, Some(Timestamp::from_secs_f64(1_700_000_040.0)));
}

#[test]
fn a_program_that_changes_its_title_changes_its_group() {
    let fixture = Fixture::new();
    let mut look = fixture.look(&ProcessesConfig::default(), NOBODY);
    fixture.start(Fake { pid: 7, command: "sh -c work", ..Fake::default() });
    assert_eq!(group_value(&pass(&mut look).0, "count", "python"), 0.0);
    fixture.start(Fake { pid: 7, ..Fake::default() });
    assert_eq!(group_value(&pass(&mut look).0, "count", "python"), 1.0);
}

#[tokio::test]
async fn a_real_process_is_seen_whole() {
    let mut shell = tokio::process::Command::new("sh")
        .args(["-c", "read line", "watched-4242", "--password", "hunter2"])
        .stdin(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let group = GroupConfig { name: "watched".to_owned(), pattern: "watched-4242".to_owned() };
    let config = ProcessesConfig { groups: vec![group], ..ProcessesConfig::default() };
    let mut look = Look::new(&config, ProcRoot::of_this_host(), NOBODY, Arc::default()).unwrap();
    let seen = testkit::eventually("the process to be seen", || {
        let found = pass(&mut look).1.into_iter().find(|process| process.group.is_some());
        async move { Ok(found) }
    })
    .await
    .unwrap();
    assert_eq!(Some(seen.pid), shell.id());
    assert!(seen.rss_bytes > 0 && seen.vms_bytes >= seen.rss_bytes, "{seen:?}");
    assert!(seen.open_fds >= Some(3) && seen.threads == Some(1), "{seen:?}");
    assert!(seen.pss_bytes.is_some_and(|pss| pss <= seen.rss_bytes * 2), "{seen:?}");
    assert!(seen.command.contains("--password ***") && !seen.command.contains("hunter2"), "{seen:?}");
    shell.kill().await.unwrap();
    let (values, _) = pass(&mut look);
    assert_eq!(group_value(&values, "exits_total", "watched"), 1.0);
}

#[test]
fn of_a_process_in_no_group_only_its_stat_is_read_again() {
    let fixture = Fixture::new();
    for pid in 1..=500 {
        let (command, rss_pages) =
            if pid % 10 == 0 { ("python worker.py", 10) } else { ("some-daemon --flag", 20) };
        fixture.start(Fake { pid, command, rss_pages, ..Fake::default() });
    }
    let mut look = fixture.look(&ProcessesConfig::default(), NOBODY);
    pass(&mut look);
    // A young process may still become another one, so its command line is read a second time.
    let (first, _) = pass(&mut look);
    for pid in (1..=500).filter(|pid| pid % 10 != 0) {
        std::fs::remove_file(fixture.path().join(format!("{pid}/cmdline"))).unwrap();
    }
    let (second, largest) = pass(&mut look);
    assert_eq!(group_value(&first, "count", "python"), 50.0);
    assert_eq!(group_value(&second, "count", "python"), 50.0);
    assert!(largest.iter().any(|process| process.command == "some-daemon --flag"), "{largest:?}");
}
