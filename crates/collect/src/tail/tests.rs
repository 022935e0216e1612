//! Real files, that are written, renamed, emptied and removed while they are read, by readers that are stopped and killed.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use model::event::{Event, Flaw, LogEvent};
use protocol::logs::MAX_LINE_BYTES;
use tempfile::TempDir;
use testkit::eventually;
use tokio::task::JoinHandle;

use super::*;
use crate::runner::tests::{MemoryStore, ingest};

/// A folder of logs, and a store that outlives its readers.
struct Place {
    logs: TempDir,
    data: TempDir,
    store: Arc<MemoryStore>,
}

/// A reader that runs.
struct Life {
    tails: Arc<Tails>,
    ingest: Arc<Ingest>,
    registry: Registry,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Place {
    fn new() -> Self {
        let folder = || tempfile::tempdir().expect("a folder");
        Self { logs: folder(), data: folder(), store: Arc::new(MemoryStore::default()) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.logs.path().join(name)
    }

    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let file = OpenOptions::new().create(true).append(true).open(self.path(name));
        file.and_then(|mut file| file.write_all(text.as_ref())).expect("written");
    }

    fn entry(&self, pattern: &str) -> LogsConfig {
        let paths = vec![self.path(pattern).display().to_string()];
        LogsConfig { paths, from: StartAt::Beginning, time_zone: Some("UTC".into()), ..LogsConfig::default() }
    }

    fn begin(&self, entry: LogsConfig) -> Life {
        let fast = TailingConfig {
            interval: model::DurationText(Duration::from_millis(10)),
            discover_interval: model::DurationText(Duration::from_millis(50)),
            grace: model::DurationText(Duration::from_millis(500)),
            ..TailingConfig::default()
        };
        let (ingest, registry) = (ingest(&self.store), Registry::new());
        let place = ("box".to_owned(), self.data.path());
        let tails = Tails::new(&fast, &[entry], place, &ingest, &registry).expect("an entry");
        let tails = tails.expect("an entry");
        let cancel = CancellationToken::new();
        let task = tokio::spawn(Arc::clone(&tails).run(cancel.clone()));
        Life { tails, ingest, registry, cancel, task }
    }

    /// All records that are stored, in the order in which they were.
    fn records(&self) -> Vec<LogEvent> {
        let batches = self.store.event_batches();
        let events = batches
            .iter()
            .filter(|batch| batch.table == store::Table::Logs)
            .flat_map(|batch| store::events_from_batch(batch.table, &batch.rows).expect("rows of the table"));
        let logs = events.filter_map(|event| match event {
            Event::Log(log) => Some(*log),
            _ => None,
        });
        logs.collect()
    }

    fn messages(&self) -> Vec<String> {
        self.records().into_iter().filter_map(|log| log.message).collect()
    }

    async fn wait_for(&self, expected: &[&str]) {
        let told = eventually("the lines", || async { Ok((self.messages() == expected).then_some(())) });
        assert!(told.await.is_ok(), "there are {:?}", self.messages());
    }
}

impl Life {
    /// Ends it as a signal does.
    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.expect("it ends");
    }

    /// Ends it wherever it is. What is on its way to the store gets there, but nothing is written down of it.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.is_err_and(|error| error.is_cancelled()));
        let ended = eventually("what it was about", || async {
            // One is ours, one that of the reader, one that of what it works on.
            let is_stored = Arc::strong_count(&self.ingest) <= 3;
            Ok((is_stored && self.tails.look.is_idle()).then_some(()))
        });
        ended.await.expect("it ends");
    }

    fn counted(&self, name: &str) -> u64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).expect("it is counted");
        family.get_metric().iter().map(|metric| metric.get_counter().get_value() as u64).sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_followed_and_read_on_after_a_restart() {
    let place = Place::new();
    place.append("app.log", "INFO:a:one\nINFO:a:two\n");
    let life = place.begin(place.entry("*.log"));
    place.wait_for(&["one", "two"]).await;
    place.append("app.log", "INFO:a:three\n");
    place.wait_for(&["one", "two", "three"]).await;
    place.append("app.log", "INFO:a:fo");
    life.stop().await;
    place.append("app.log", "ur\nINFO:a:five\n");
    place.append("other.log", "INFO:a:six\n");
    let life = place.begin(place.entry("*.log"));
    eventually("all lines", || async { Ok((place.messages().len() >= 6).then_some(())) })
        .await
        .expect("all of them");
    let mut found = place.messages();
    found[3..].sort();
    assert_eq!(found, ["one", "two", "three", "five", "four", "six"]);
    let first = &place.records()[0];
    assert_eq!(first.origin.service.as_deref(), Some("app"));
    assert_eq!(first.origin.host.as_deref(), Some("box"));
    let path = first.origin.resource_attributes.get("log.file.path").expect("its path");
    assert!(path.ends_with("/app.log"));
    life.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_there_at_the_first_start_are_read_from_their_ends_and_later_ones_are_not() {
    let place = Place::new();
    place.append("app.log", "INFO:a:old\nINFO:a:half");
    let entry = LogsConfig { from: StartAt::End, ..place.entry("*.log") };
    let life = place.begin(entry.clone());
    eventually("the file", || async { Ok(life.tails.look.with(|look| look.is_ready()).then_some(())) })
        .await
        .expect("it is open");
    place.append("app.log", " line\n");
    place.wait_for(&["half line"]).await;
    place.append("new.log", "INFO:a:first\n");
    place.wait_for(&["half line", "first"]).await;
    life.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_traceback_is_one_record_also_when_it_comes_in_pieces_and_across_a_restart() {
    let (place, now) = (Place::new(), Timestamp::now());
    place.append(
        "app.log",
        format!("{now} ERROR a: no\nTraceback (most recent call last):\n  File \"a.py\", line"),
    );
    let life = place.begin(place.entry("app.log"));
    life.stop().await;
    let life = place.begin(place.entry("app.log"));
    place.append("app.log", format!(" 1\nValueError: bad\n{now} INFO a: next\n"));
    place.wait_for(&["no", "next"]).await;
    let log = &place.records()[0];
    assert_eq!(log.conventions.exception_type.as_deref(), Some("ValueError"));
    let trace = "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: bad";
    assert_eq!(log.conventions.exception_stacktrace.as_deref(), Some(trace));
    life.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_has_no_room_for_is_read_again() {
    let place = Place::new();
    let life = place.begin(place.entry("app.log"));
    place.store.refuse(true);
    place.append("app.log", "INFO:a:one\nINFO:a:two\n");
    eventually("a wait", || async { Ok((life.counted("watchkeeper_tail_waits_total") > 0).then_some(())) })
        .await
        .expect("it waits");
    assert_eq!(place.messages(), Vec::<String>::new());
    place.store.refuse(false);
    place.wait_for(&["one", "two"]).await;
    life.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_on_while_something_is_stored_comes_once_in_order_and_is_counted_once() {
    const LINES: u64 = 60_000;
    let place = Place::new();
    let text: String = (0..LINES).map(|number| format!("INFO:a:line {number}\n")).collect();
    place.append("app.log", &text);
    place.store.refuse(true);
    let life = place.begin(place.entry("app.log"));
    eventually("a wait", || async { Ok((life.counted("watchkeeper_tail_waits_total") > 0).then_some(())) })
        .await
        .expect("it waits");
    place.store.refuse(false);
    let expected: Vec<String> = (0..LINES).map(|number| format!("line {number}")).collect();
    let all =
        eventually("every line", || async { Ok((place.messages().len() >= expected.len()).then_some(())) });
    all.await.expect("they are stored");
    assert!(place.messages() == expected, "each once, in their order");
    // What is stored is counted a moment later.
    eventually("the last count", || async {
        Ok((life.counted("watchkeeper_tail_records_total") >= LINES).then_some(()))
    })
    .await
    .expect("it is settled");
    let counted =
        ["bytes", "lines", "records"].map(|what| life.counted(&format!("watchkeeper_tail_{what}_total")));
    assert_eq!(counted, [text.len() as u64, LINES, LINES]);
    life.stop().await;
}

/// What files say is looked at by hand.
fn look(place: &Place) -> Look {
    let metrics = Metrics::new(&Registry::new()).expect("counters");
    let entry = place.entry("*.log");
    let data = ("box".to_owned(), place.data.path());
    Look::new(&TailingConfig::default(), &[entry], data, ingest(&place.store), metrics).expect("an entry")
}

/// The messages of a batch.
fn said(batch: &Batch) -> Vec<String> {
    let messages = batch.events.iter().filter_map(|event| match event {
        Event::Log(log) => log.message.clone(),
        _ => None,
    });
    messages.collect()
}

/// Lines of so many bytes together, at least, that are records by themselves.
fn many_lines(bytes: usize) -> Vec<String> {
    let line = |number: usize| format!("{number} {}", "x".repeat(1000));
    (0..bytes / 1000).map(line).collect()
}

fn as_json_lines(messages: &[String]) -> String {
    messages.iter().map(|message| format!("{{\"level\":\"info\",\"msg\":\"{message}\"}}\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_ahead_follows_what_was_read_and_goes_back_with_it() {
    let place = Place::new();
    let lines = many_lines(12 << 20);
    place.append("app.log", as_json_lines(&lines));
    let mut look = look(&place);
    let first = look.pass().expect("a pass");
    let ahead = look.read_ahead();
    assert!(first.has_more && ahead.has_more);
    let both = [said(&first), said(&ahead)].concat();
    assert_eq!(both, lines[..both.len()]);
    // The store had no room for the first, so the second is not tried either.
    look.go_back(&first.taken);
    look.go_back(&ahead.taken);
    let again = look.pass().expect("a pass");
    assert_eq!(said(&again), said(&first));
    let ids = |batch: &Batch| -> Vec<_> {
        batch.events.iter().map(|event| event.event_id().map(std::borrow::Cow::into_owned)).collect()
    };
    assert_eq!(ids(&again), ids(&first));
    let ahead = look.read_ahead();
    look.settle_and_announce(&again.taken, &ahead.taken).expect("settled");
    let third = look.read_ahead();
    // The second could not be stored: what is stored stays so.
    look.go_back(&ahead.taken);
    look.go_back(&third.taken);
    let rest = look.pass().expect("a pass");
    let known = said(&again).len();
    assert_eq!(said(&rest), lines[known..known + rest.events.len()]);
    assert!(rest.events.len() > 1000);
    look.settle(&rest.taken).expect("settled");
    let mut found = [said(&again), said(&rest)].concat();
    while found.len() < lines.len() {
        let batch = look.pass().expect("a pass");
        found.extend(said(&batch));
        look.settle(&batch.taken).expect("settled");
    }
    assert!(found == lines, "each once, in their order");
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_renamed_file_that_is_waited_for_no_other_is_read_ahead_again_and_again() {
    let place = Place::new();
    place.append("app.log", as_json_lines(&["one".to_owned()]));
    // Of its last record nobody knows whether it goes on, so there is always something to look for.
    place.append("other.log", "INFO:a:two\n");
    let mut look = look(&place);
    let first = look.pass().expect("a pass");
    look.settle(&first.taken).expect("settled");
    fs::rename(place.path("app.log"), place.path("app.log.1")).expect("renamed");
    let second = look.pass().expect("a pass");
    look.settle(&second.taken).expect("settled");
    let three = "three".to_owned();
    place.append("app.log.1", as_json_lines(std::slice::from_ref(&three)));
    let ahead = look.read_ahead();
    assert!(!second.has_more && !ahead.has_more, "all is read, or is for a pass");
    assert!(!said(&ahead).contains(&three));
    look.settle(&ahead.taken).expect("settled");
    assert!(said(&look.pass().expect("a pass")).contains(&three));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_begun_anew_while_it_is_read_ahead_is_told_from_what_it_was() {
    let place = Place::new();
    let lines = many_lines(12 << 20);
    place.append("app.log", as_json_lines(&lines));
    let mut look = look(&place);
    let first = look.pass().expect("a pass");
    let other: Vec<String> = many_lines(12 << 20).into_iter().map(|line| format!("other {line}")).collect();
    let file = OpenOptions::new().write(true).open(place.path("app.log")).expect("open");
    file.set_len(0).expect("emptied");
    place.append("app.log", as_json_lines(&other));
    let ahead = look.read_ahead();
    assert_eq!(said(&ahead), Vec::<String>::new(), "nobody can say of which file it would be");
    look.settle_and_announce(&first.taken, &ahead.taken).expect("settled");
    look.settle(&ahead.taken).expect("settled");
    let mut found = Vec::new();
    while found.len() < other.len() {
        let batch = look.pass().expect("a pass");
        found.extend(said(&batch));
        look.settle(&batch.taken).expect("settled");
    }
    assert!(found == other, "all of it is read, and nothing of the first twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanishes_turns_binary_or_grows_a_huge_line_is_handled_and_counted() {
    let place = Place::new();
    let life = place.begin(place.entry("*.log"));
    place.append("app.log", b"INFO:a:one\n\x00\xff\xfe\x01\n".as_slice());
    let mut huge = vec![b'x'; 20 << 20];
    huge.extend_from_slice(b"\nINFO:a:after\n");
    place.append("app.log", &huge);
    eventually("the last line", || async {
        Ok(place.messages().last().is_some_and(|last| last == "after").then_some(()))
    })
    .await
    .expect("it is read");
    let records = place.records();
    assert_eq!(records.len(), 4);
    assert!(records[1].flaws.contains(Flaw::Binary));
    let cut = records[2].message.as_ref().map_or(0, String::len);
    assert!(records[2].flaws.contains(Flaw::Text) && cut <= MAX_LINE_BYTES, "{cut}");
    assert_eq!(life.counted("watchkeeper_tail_lines_binary_total"), 1);
    assert_eq!(life.counted("watchkeeper_tail_cut_total"), 1);
    fs::remove_file(place.path("app.log")).expect("removed");
    eventually("the loss", || async {
        Ok((life.counted("watchkeeper_tail_files_vanished_total") == 1).then_some(()))
    })
    .await
    .expect("it is counted");
    place.append("app.log", "INFO:a:again\n");
    eventually("the file that came after", || async {
        Ok(place.messages().last().is_some_and(|last| last == "again").then_some(()))
    })
    .await
    .expect("it is read");
    life.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_at_a_start_is_read_on_when_it_comes_back() {
    let place = Place::new();
    place.append("app.log", "INFO:a:one\nINFO:a:two\n");
    let life = place.begin(place.entry("app.log"));
    place.wait_for(&["one", "two"]).await;
    // What was stored is not written down: the store is asked, and the file is not there.
    life.kill().await;
    fs::rename(place.path("app.log"), place.path("away")).expect("renamed");
    for is_last in [false, true] {
        let life = place.begin(place.entry("app.log"));
        eventually("a start", || async { Ok(life.tails.look.with(|look| look.is_ready()).then_some(())) })
            .await
            .expect("it has begun");
        assert_eq!(life.counted("watchkeeper_tail_files_vanished_total"), u64::from(!is_last));
        if is_last {
            place.append("away", "INFO:a:three\n");
            fs::rename(place.path("away"), place.path("app.log")).expect("renamed");
            place.wait_for(&["one", "two", "three"]).await;
        }
        life.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_in_the_place_of_one_that_is_gone_is_read_whole() {
    let place = Place::new();
    place.append("app.log", "INFO:a:one\n");
    let life = place.begin(place.entry("app.log"));
    place.wait_for(&["one"]).await;
    life.stop().await;
    // Kept, so that its number is not given to the next one.
    fs::rename(place.path("app.log"), place.path("away")).expect("renamed");
    let life = place.begin(place.entry("app.log"));
    eventually("a start", || async { Ok(life.tails.look.with(|look| look.is_ready()).then_some(())) })
        .await
        .expect("it has begun");
    place.append("app.log", "INFO:a:one\nINFO:a:two\n");
    place.wait_for(&["one", "one", "two"]).await;
    life.stop().await;
}

#[test]
fn a_start_that_fails_is_tried_less_and_less_often_and_a_full_store_is_not_waited_for_longer() {
    let source = || Box::new(std::io::Error::other("no"));
    let start = CollectError::Read { what: "how far".to_owned(), source: source() };
    let full = CollectError::Change { what: "lines".to_owned(), source: source() };
    let seconds = [1, 2, 100].map(|failures| pause_after(&start, failures).as_secs());
    assert_eq!(seconds, [1, 2, 60]);
    assert_eq!(pause_after(&full, 100), WAIT_FOR_ROOM);
}

/// Writes numbered lines, and rotates as programs and `logrotate` do.
struct Writer {
    folder: PathBuf,
    file: File,
    now: Timestamp,
    next: u64,
    rotated: u64,
}

impl Writer {
    fn new(folder: PathBuf) -> Self {
        let file = Self::open(&folder);
        Self { folder, file, now: Timestamp::now(), next: 0, rotated: 0 }
    }

    fn open(folder: &std::path::Path) -> File {
        OpenOptions::new().create(true).append(true).open(folder.join("app.log")).expect("open")
    }

    fn write(&mut self, lines: u64) {
        let mut text = String::new();
        for _ in 0..lines {
            // Older lines than are kept would be refused.
            text.push_str(&format!("{} INFO worker: line {}\n", self.now, self.next));
            self.next += 1;
        }
        self.file.write_all(text.as_bytes()).expect("written");
    }

    /// Moves every rotated file on by one, as handlers do.
    fn make_room(&mut self) {
        for number in (1..=self.rotated).rev() {
            let name = |number: u64| self.folder.join(format!("app.log.{number}"));
            fs::rename(name(number), name(number + 1)).expect("renamed");
        }
        self.rotated += 1;
    }

    fn rename(&mut self) {
        self.make_room();
        fs::rename(self.folder.join("app.log"), self.folder.join("app.log.1")).expect("renamed");
        // The writer may notice late.
        self.write(3);
        self.file = Self::open(&self.folder);
    }

    fn copy_and_truncate(&mut self) {
        self.make_room();
        fs::copy(self.folder.join("app.log"), self.folder.join("app.log.1")).expect("copied");
        self.file.set_len(0).expect("emptied");
    }
}

async fn rotates_under_load(pattern: &str) {
    const LINES: u64 = 100_000;
    let place = Place::new();
    let mut writer = Writer::new(place.logs.path().to_owned());
    let mut life = place.begin(place.entry(pattern));
    // What was rotated away before anybody looked is nobody's.
    eventually("the first look", || async { Ok(life.tails.look.with(|look| look.is_ready()).then_some(())) })
        .await
        .expect("it is done");
    let writing = tokio::task::spawn_blocking(move || {
        let mut turn = 0u64;
        while writer.next < LINES {
            writer.write(37 + turn * 7 % 400);
            turn += 1;
            match turn % 23 {
                5 | 6 => writer.rename(),
                17 => writer.copy_and_truncate(),
                _ => {}
            }
            // Some of it is written faster than it is looked at, some slower.
            if turn.is_multiple_of(3) {
                std::thread::sleep(Duration::from_millis(turn % 12));
            }
        }
        writer.next
    });
    let mut lives = 0;
    while !writing.is_finished() {
        tokio::time::sleep(Duration::from_millis(60)).await;
        if lives % 2 == 0 {
            life.kill().await;
        } else {
            life.stop().await;
        }
        lives += 1;
        life = place.begin(place.entry(pattern));
    }
    let written = writing.await.expect("written");
    let numbers = || -> Vec<u64> {
        let messages = place.messages();
        messages.iter().filter_map(|message| message.strip_prefix("line ")?.parse().ok()).collect()
    };
    let all = eventually("every line", || async { Ok((numbers().len() as u64 >= written).then_some(())) });
    let is_all = all.await.is_ok();
    life.stop().await;
    let mut numbers = numbers();
    assert!(
        is_all,
        "{} of {written} lines after {lives} lives: {}",
        numbers.len(),
        told_of(&numbers, written)
    );
    if pattern == "app.log" {
        assert!(numbers.is_sorted(), "they come in their order");
    }
    numbers.sort_unstable();
    let is_each_once = numbers.iter().copied().eq(0..written);
    assert!(
        is_each_once,
        "each of {written} lines once, after {lives} lives: {}",
        told_of(&numbers, written)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_under_load_with_restarts_and_kills_loses_nothing_and_repeats_nothing() {
    rotates_under_load("app.log").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_holds_where_the_pattern_names_rotated_files_too() {
    rotates_under_load("app.log*").await;
}

/// Which numbers are missing, and which are there more than once, as ranges.
fn told_of(numbers: &[u64], written: u64) -> String {
    let mut counts = vec![0u32; usize::try_from(written).expect("lines fit into memory")];
    numbers.iter().for_each(|number| counts[*number as usize] += 1);
    let numbered: Vec<(usize, u32)> =
        counts.into_iter().enumerate().filter(|(_, count)| *count != 1).collect();
    let ranges = numbered.chunk_by(|(one, times), (next, also)| one + 1 == *next && times == also);
    let told =
        ranges.map(|range| format!("{}-{} {} times", range[0].0, range[range.len() - 1].0, range[0].1));
    told.collect::<Vec<_>>().join(", ")
}

#[test]
fn an_entry_that_nothing_could_be_read_by_is_refused() {
    let place = Place::new();
    let wrong = [
        (LogsConfig::default(), "`paths` names no file"),
        (LogsConfig { paths: vec!["logs/*.log".into()], ..LogsConfig::default() }, "is not absolute"),
        (LogsConfig { pattern: Some("(".into()), ..place.entry("a") }, "is not a regular expression"),
        (LogsConfig { format: LineFormat::Pattern, ..place.entry("a") }, "needs a `pattern`"),
        (
            LogsConfig { format: LineFormat::Json, pattern: Some("(?<a>b)".into()), ..place.entry("a") },
            "leave one of the two out",
        ),
        (
            LogsConfig { time_zone: Some("Mars/Base".into()), ..place.entry("a") },
            "is not the name of a time zone",
        ),
    ];
    for (entry, expected) in wrong {
        let error = entry.check().expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_private_key_in_a_file_nothing_is_stored_however_its_lines_are_written() {
    let place = Place::new();
    let (begin, end) = (concat!("-----BEGIN ", "PRIVATE KEY-----"), "-----END PRIVATE KEY-----");
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let gone = "[redacted:private_key]";
    let key = format!("key {gone}");
    place.append("app.log", format!("INFO:a:key {begin}\n{line}\n{line}\n{end}\nINFO:a:next\n"));
    let life = place.begin(place.entry("*.log"));
    place.wait_for(&[&key, "next"]).await;
    // Nobody waits for the rest of it as long as its writer does.
    place.append("app.log", format!("INFO:a:key {begin}\n{line}\n"));
    place.wait_for(&[&key, "next", &key]).await;
    place.append("app.log", format!("{line}\nINFO:a:{line}\n{end}\nINFO:a:last\n"));
    place.wait_for(&[&key, "next", &key, gone, gone, end, "last"]).await;
    life.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_that_is_written_while_its_file_is_rotated_is_known_in_the_next() {
    let place = Place::new();
    let (begin, end) = (concat!("-----BEGIN ", "PRIVATE KEY-----"), "-----END PRIVATE KEY-----");
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let gone = "[redacted:private_key]";
    let key = format!("key {gone}");
    place.append("app.log", format!("INFO:a:key {begin}\n{line}\n"));
    let life = place.begin(place.entry("*.log"));
    place.wait_for(&[&key]).await;
    fs::rename(place.path("app.log"), place.path("app.log.1")).expect("renamed");
    place.append("app.log", format!("{line}\n{line}\n{end}\nINFO:a:next\n"));
    let renamed = [key.as_str(), gone, gone, end, "next"];
    place.wait_for(&renamed).await;
    place.append("app.log", format!("INFO:a:key {begin}\n{line}\n"));
    place.wait_for(&[&renamed[..], &[key.as_str()]].concat()).await;
    let file = OpenOptions::new().write(true).open(place.path("app.log"));
    file.and_then(|file| file.set_len(0)).expect("emptied");
    place.append("app.log", format!("{line}\n{end}\nINFO:a:last\n"));
    place.wait_for(&[&renamed[..], &[key.as_str(), gone, end, "last"]].concat()).await;
    life.stop().await;
}
