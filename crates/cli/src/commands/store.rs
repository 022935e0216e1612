//! `watchkeeper store`: what the store on this machine consists of, and whether all of it is sound.
//!
//! The files are looked at directly, whether the server runs or not.

use std::path::PathBuf;

use anyhow::anyhow;
use engine::inspect::{self, ArchiveStatus, StoreFile};
use model::Timestamp;
use serde_json::{Value, json};

use crate::client::Place;
use crate::exit::{self, Failure};
use crate::house::{holds_a_store, open_engine};
use crate::progress::Progress;
use crate::show::{bytes, clean, number};

/// What the command line says.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Store {
    /// Show what the store consists of: files, their sizes, and the times that they span
    #[command(after_help = "Example:\n  watchkeeper store status")]
    Status(Look),
    /// Read every byte of the store and check it
    #[command(
        after_help = "Checksums of the catalog and its file, of each record of the write-ahead log and of each 16 KiB of every file are compared. \
        Nothing is changed, and a server that runs goes on. A damaged file of telemetry is set aside by the server itself when it \
        reads it: the rest stays readable.\n\n\
        Two things are not covered. After a crash between a change of the catalog and the writing of its sum (catalog.sum), and in a store \
        that a version without sums wrote last, the parts of the catalog's file in which no row is, until the next start. And while the \
        catalog cannot be read, the contents of the files whose checksums it has.\n\n\
        Exit codes: 0 all is sound, 1 something is damaged, was set aside before or could not be read, 2 the command line is wrong.\n\n\
        Examples:\n  watchkeeper store verify\n  watchkeeper store verify --data-dir /srv/watchkeeper --json"
    )]
    Verify(Look),
    /// Merge files now, while no server runs
    #[command(
        after_help = "A server merges files by itself: those of days that are over, and where there are many. This merges the files of \
        each day, for a store that nobody serves.\n\n\
        Exit codes: 0 done, 1 failed, or a server has the store open, 2 the command line is wrong.\n\n\
        Example:\n  watchkeeper store compact --data-dir /srv/watchkeeper"
    )]
    Compact {
        #[command(flatten)]
        place: Place,
    },
}

/// Which store, and how it is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Look {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(command: &Store) -> Result<u8, Failure> {
    match command {
        Store::Status(look) => status(look).await,
        Store::Verify(look) => verify(look).await,
        Store::Compact { place } => compact(place).await,
    }
}

fn store_in(place: &Place) -> Result<PathBuf, Failure> {
    let data_dir = place.data_dir()?;
    if holds_a_store(&data_dir) {
        return Ok(data_dir);
    }
    Err(Failure::Usage(anyhow!(
        "there is no store in {}; --data-dir names another folder, and the first `watchkeeper serve` makes one",
        data_dir.display()
    )))
}

async fn status(look: &Look) -> Result<u8, Failure> {
    let data_dir = store_in(&look.place)?;
    let inspected = tokio::task::spawn_blocking(move || {
        inspect::files(&data_dir).and_then(|files| Ok((files, inspect::archive(&data_dir)?)))
    });
    let (files, archive) = inspected.await??;
    if look.json {
        let files: Vec<Value> = files.iter().map(as_json).collect();
        println!("{:#}", json!({ "files": files, "archive": archive.as_ref().map(archive_as_json) }));
        return Ok(exit::OK);
    }
    println!("{}", by_kind(&files, super::width()));
    set_aside(&files).iter().for_each(|text| println!("set aside: {text}"));
    if let Some(archive) = &archive {
        println!("{}", shown_archive(archive));
    }
    Ok(exit::OK)
}

/// A line for each kind of file, which fits into 80 columns.
fn by_kind(files: &[StoreFile], width: u16) -> String {
    let mut kinds: Vec<&str> = files.iter().map(|file| file.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut table = super::wrapped_table(width);
    table.set_header(["WHAT", "FILES", "SIZE", "ROWS", "B/ROW", "FROM (UTC)", "TO (UTC)"]);
    for kind in kinds {
        table.add_row(row(kind, files));
    }
    let last = table.column_count().saturating_sub(1);
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if place == last { 0 } else { 2 }));
    }
    table.trim_fmt()
}

/// The archive in a line, or two where it fails.
fn shown_archive(archive: &ArchiveStatus) -> String {
    let ArchiveStatus { url, days, rows, bytes: size, newest_day, changed_days, error } = archive;
    let mut text = format!(
        "archive: {}: {days} days of metrics and tables, {} rows, {}",
        clean(url),
        number(*rows as f64),
        bytes(*size as f64)
    );
    if let Some(newest) = newest_day.map(|day| day.to_string()) {
        text += &format!(", up to {}", newest.split('T').next().unwrap_or_default());
    }
    if *changed_days > 0 {
        text += &format!(", {changed_days} to be archived again");
    }
    if let Some((error, at)) = error {
        text += &format!("\narchive failed at {at}: {}", clean(error));
    }
    text
}

fn archive_as_json(archive: &ArchiveStatus) -> Value {
    json!({
        "url": archive.url, "days": archive.days, "rows": archive.rows, "bytes": archive.bytes,
        "newest_day": archive.newest_day, "changed_days": archive.changed_days,
        "error": archive.error.as_ref().map(|(text, _)| text), "failed_at": archive.error.as_ref().map(|(_, at)| at),
    })
}

/// The files of one kind as a line.
fn row(kind: &str, files: &[StoreFile]) -> [String; 7] {
    let of_kind = || files.iter().filter(|file| file.kind == kind && file.set_aside.is_none());
    let size: u64 = of_kind().map(|file| file.bytes).sum();
    let rows: u64 = of_kind().filter_map(|file| file.rows).sum();
    let time = |time: Option<Timestamp>| {
        let text =
            time.map(|time| time.to_string().chars().take("2026-01-01T00:00".len()).collect::<String>());
        text.map_or_else(|| "-".to_owned(), |text| text.replace('T', " "))
    };
    let has_rows = of_kind().any(|file| file.rows.is_some());
    [
        kind.to_owned(),
        of_kind().count().to_string(),
        bytes(size as f64),
        if has_rows { number(rows as f64) } else { "-".to_owned() },
        if rows > 0 { of_a_row(size as f64 / rows as f64) } else { "-".to_owned() },
        time(of_kind().filter_map(|file| file.range).map(|range| range.start).min()),
        time(of_kind().filter_map(|file| file.range).map(|range| range.end).max()),
    ]
}

/// Bytes of a row: `1.37`, `56.2`, `1.4K`.
fn of_a_row(size: f64) -> String {
    match size {
        ..10.0 => format!("{size:.2}"),
        ..999.5 => format!("{size:.1}"),
        _ => bytes(size),
    }
}

async fn verify(look: &Look) -> Result<u8, Failure> {
    let data_dir = store_in(&look.place)?;
    let mut progress = Progress::new(true);
    let files = tokio::task::spawn_blocking(move || {
        inspect::verify(&data_dir, &mut |read, total, path| {
            let share = if total == 0 { 1.0 } else { read as f64 / total as f64 };
            progress.show(Some(share), || format!("{} {}", bytes(total as f64), path.display()));
        })
    })
    .await??;
    let damaged = files.iter().filter(|file| file.problem.is_some()).count();
    let set_aside = set_aside(&files);
    if look.json {
        println!("{:#}", Value::Array(files.iter().map(as_json).collect()));
    } else {
        for file in &files {
            if let Some(problem) = &file.problem {
                println!("damaged: {}: {}", file.path.display(), clean(problem));
            }
            if let Some(note) = &file.note {
                println!("note: {}: {}", file.path.display(), clean(note));
            }
        }
        set_aside.iter().for_each(|text| println!("set aside: {text}"));
        let size: u64 = files.iter().map(|file| file.bytes).sum();
        let verdict = match (damaged, set_aside.len()) {
            (0, 0) => "all sound".to_owned(),
            (0, lost) => format!("all sound but {lost} set aside before, whose data is not answered"),
            (damaged, 0) => format!("{damaged} damaged"),
            (damaged, lost) => format!("{damaged} damaged, {lost} set aside before"),
        };
        println!("{} files, {}: {verdict}", files.len(), bytes(size as f64));
        if !set_aside.is_empty() {
            println!(
                "what was set aside lies in the folder quarantine and is answered no more: files until they are as old \
                 as the rest is kept, parts of the log until somebody removes them"
            );
        }
        if damaged > 0 {
            println!(
                "a server sets damaged files of telemetry aside when it reads them, cuts a damaged log where the damage \
                 begins, and refuses a damaged catalog, saying what to do; what was lost comes back only with a backup \
                 of the whole data folder"
            );
        }
    }
    Ok(if damaged == 0 && set_aside.is_empty() { exit::OK } else { exit::WARNING })
}

/// What was set aside: a block of several parts once, under the part that was damaged.
fn set_aside(files: &[StoreFile]) -> Vec<String> {
    let mut told: Vec<(String, &str)> = Vec::new();
    for file in files {
        let Some(reason) = &file.set_aside else { continue };
        let block = file.path.to_string_lossy().split('.').next().unwrap_or_default().to_owned();
        if !told.contains(&(block.clone(), reason)) {
            told.push((block, reason));
        }
    }
    told.into_iter().map(|(block, reason)| format!("{block}: {}", clean(reason))).collect()
}

async fn compact(place: &Place) -> Result<u8, Failure> {
    let (data_dir, loaded) = (store_in(place)?, place.configuration()?);
    let before = inspect::files(&data_dir)?;
    let engine = open_engine(loaded.settings.store, &data_dir, &prometheus::Registry::new()).await?;
    let merged = tokio::task::spawn_blocking(move || {
        let merged = engine.checkpoint().and_then(|()| engine.compact_days(Timestamp::now()));
        engine.shutdown();
        merged
    })
    .await??;
    let size = |files: &[StoreFile]| bytes(files.iter().map(|file| file.bytes).sum::<u64>() as f64);
    let after = inspect::files(&data_dir)?;
    let rollups = |files: &[StoreFile]| {
        files.iter().filter(|file| file.kind == "rollups" && file.rows.is_some()).count()
    };
    let made = rollups(&after).saturating_sub(rollups(&before));
    let verb = |count: usize| if count == 1 { "was" } else { "were" };
    println!(
        "{merged} {} merged and {made} {} of rollups {} made: {} before, {} now",
        if merged == 1 { "file was" } else { "files were" },
        if made == 1 { "file" } else { "files" },
        verb(made),
        size(&before),
        size(&after)
    );
    Ok(exit::OK)
}

fn as_json(file: &StoreFile) -> Value {
    json!({
        "path": file.path, "kind": file.kind, "bytes": file.bytes, "rows": file.rows,
        "from": file.range.map(|range| range.start), "to": file.range.map(|range| range.end),
        "set_aside": file.set_aside, "problem": file.problem, "note": file.note,
    })
}

#[cfg(test)]
mod tests {
    use model::TimeRange;

    use super::*;

    #[test]
    fn a_terminal_of_80_columns_has_a_line_for_each_kind() {
        let time = |text| Timestamp::parse_rfc3339(text).expect("a time");
        let range = TimeRange::new(time("2026-09-26T12:00:00.123456789Z"), time("2026-11-26T12:59:59.999Z"));
        let kinds = ["component_events", "metrics", "process_exits"];
        let file = |kind| StoreFile {
            path: "x".into(),
            kind,
            bytes: 99_000_000_000,
            rows: Some(654_000_000),
            range: Some(range),
            set_aside: None,
            problem: None,
            note: None,
        };
        let text = by_kind(&kinds.map(file), 80);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + kinds.len(), "{text}");
        assert_eq!(
            lines[1], "component_events  1      92G   654M  151.4  2026-09-26 12:00  2026-11-26 12:59",
            "{text}"
        );
    }
}
