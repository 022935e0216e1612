use super::*;
use crate::numbered::numbered;

fn counter() -> IntCounter {
    IntCounter::new("lost", "lost").expect("a name")
}

fn write(file: &RotatingFile, line: &str) {
    file.make_writer().write_all(format!("{line}\n").as_bytes()).expect("never fails");
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_full_file_gets_a_number_and_the_oldest_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("logs/own.log");
    let file = RotatingFile::open(&path, 10, 2, counter()).expect("opened");
    for line in ["one-1", "two-2", "three", "four4"] {
        write(&file, line);
    }
    assert_eq!(read(&path), "four4\n");
    assert_eq!(read(&numbered(&path, 1)), "three\n");
    assert_eq!(read(&numbered(&path, 2)), "two-2\n");
    assert!(!numbered(&path, 3).exists(), "two are kept");
}

#[test]
fn a_start_goes_on_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.log");
    for line in ["one", "two", "a longer one"] {
        write(&RotatingFile::open(&path, 10, 3, counter()).expect("opened"), line);
    }
    assert_eq!(read(&numbered(&path, 1)), "one\ntwo\n");
    assert_eq!(read(&path), "a longer one\n", "a line that is longer than the file has one of its own");
}

#[test]
fn a_file_that_is_taken_away_is_no_reason_to_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.log");
    let lost = counter();
    let file = RotatingFile::open(&path, 10, 2, lost.clone()).expect("opened");
    write(&file, "one-1");
    std::fs::remove_file(&path).expect("removed");
    write(&file, "two-2");
    write(&file, "three");
    assert_eq!(read(&path), "three\n");
    assert_eq!(lost.get(), 0);
}

#[test]
fn a_line_without_a_place_is_counted_and_the_next_one_tries_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.log");
    let lost = counter();
    let file = RotatingFile::open(&path, 10, 1, lost.clone()).expect("opened");
    write(&file, "one-1");
    // A folder in the way of the full file: it cannot be moved.
    std::fs::create_dir_all(numbered(&path, 1).join("in the way")).expect("made");
    write(&file, "two-2");
    write(&file, "three");
    assert_eq!(lost.get(), 2);
    assert_eq!(read(&path), "one-1\n", "the bound holds");
    std::fs::remove_dir_all(numbered(&path, 1)).expect("removed");
    write(&file, "four4");
    assert_eq!((read(&path).as_str(), read(&numbered(&path, 1)).as_str()), ("four4\n", "one-1\n"));
}

#[test]
fn the_log_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("logs/own.log");
    RotatingFile::open(&path, 10, 1, counter()).expect("opened");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&folder.path().join("logs"))), (0o600, 0o700));
}
