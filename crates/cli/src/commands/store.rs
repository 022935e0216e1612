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
        after_help = "Checksums of the catalog, of each record of the write-ahead log and of each 64 KiB of every file are compared. \
        Nothing is changed, and a server that runs goes on. A damaged file of telemetry is set aside by the server itself when it \
        reads it: the rest stays readable.\n\n\
        Exit codes: 0 all is sound, 1 something is damaged or could not be read, 2 the command line is wrong.\n\n\
        Examples:\n  watchkeeper store verify\n  watchkeeper store verify --data-dir /srv/watchkeeper --json"
    )]
    Verify(Look),
    /// Merge files now, while no server runs
    #[command(
        after_help = "A server merges files by itself each minute; this is for a store that nobody serves.\n\n\
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
    let mut kinds: Vec<&str> = files.iter().map(|file| file.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut table = super::wrapped_table(super::width());
    table.set_header(["WHAT", "FILES", "SIZE", "ROWS", "BYTES A ROW", "FROM", "TO"]);
    for kind in kinds {
        table.add_row(row(kind, &files));
    }
    println!("{}", table.trim_fmt());
    for file in files.iter().filter(|file| file.set_aside.is_some()) {
        println!(
            "set aside: {}: {}",
            file.path.display(),
            clean(file.set_aside.as_deref().unwrap_or_default())
        );
    }
    if let Some(archive) = &archive {
        println!("{}", shown_archive(archive));
    }
    Ok(exit::OK)
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
    let time = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let has_rows = of_kind().any(|file| file.rows.is_some());
    [
        kind.to_owned(),
        of_kind().count().to_string(),
        bytes(size as f64),
        if has_rows { number(rows as f64) } else { "-".to_owned() },
        if rows > 0 { format!("{:.2}", size as f64 / rows as f64) } else { "-".to_owned() },
        time(of_kind().filter_map(|file| file.range).map(|range| range.start).min()),
        time(of_kind().filter_map(|file| file.range).map(|range| range.end).max()),
    ]
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
    if look.json {
        println!("{:#}", Value::Array(files.iter().map(as_json).collect()));
    } else {
        for file in &files {
            if let Some(problem) = &file.problem {
                println!("damaged: {}: {}", file.path.display(), clean(problem));
            } else if let Some(reason) = &file.set_aside {
                println!("set aside before: {}: {}", file.path.display(), clean(reason));
            }
        }
        let size: u64 = files.iter().map(|file| file.bytes).sum();
        println!(
            "{} files, {}: {}",
            files.len(),
            bytes(size as f64),
            match damaged {
                0 => "all sound".to_owned(),
                damaged => format!("{damaged} damaged"),
            }
        );
    }
    Ok(if damaged == 0 { exit::OK } else { exit::WARNING })
}

async fn compact(place: &Place) -> Result<u8, Failure> {
    let (data_dir, loaded) = (store_in(place)?, place.configuration()?);
    let before = inspect::files(&data_dir)?;
    let engine = open_engine(loaded.settings.store, &data_dir, &prometheus::Registry::new()).await?;
    let merged = tokio::task::spawn_blocking(move || {
        let merged = engine.checkpoint().and_then(|()| engine.compact(Timestamp::now()));
        engine.shutdown();
        merged
    })
    .await??;
    let size = |files: &[StoreFile]| bytes(files.iter().map(|file| file.bytes).sum::<u64>() as f64);
    let after = inspect::files(&data_dir)?;
    println!("{merged} files were merged: {} before, {} now", size(&before), size(&after));
    Ok(exit::OK)
}

fn as_json(file: &StoreFile) -> Value {
    json!({
        "path": file.path, "kind": file.kind, "bytes": file.bytes, "rows": file.rows,
        "from": file.range.map(|range| range.start), "to": file.range.map(|range| range.end),
        "set_aside": file.set_aside, "problem": file.problem,
    })
}
