//! How fast lines of a log become records, by one thread and without storing them; what it took is told as JSON.
//!
//! usage: log_speed FILE
#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::sync::Arc;
use std::time::Instant;

use model::Timestamp;
use protocol::logs::{Lines, LogOptions, LogReader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("which file?")?;
    let bytes = std::fs::read(file)?;
    let options = Arc::new(LogOptions::new(jiff::tz::TimeZone::UTC));
    let (mut lines, mut reader) = (Lines::default(), LogReader::new(options));
    reader.set_now(Timestamp::now());
    let begun = Instant::now();
    let mut texts = 0usize;
    // In pieces, as files are read.
    for piece in bytes.chunks(64 << 10) {
        lines.feed(piece, |line| {
            reader.line(line, &mut |record| texts += record.log.message.map_or(0, |message| message.len()));
        });
    }
    reader.flush(&mut |_| {});
    let (seconds, counts) = (begun.elapsed().as_secs_f64(), reader.take_counts());
    println!(
        "{{\"bytes\":{},\"seconds\":{seconds},\"lines\":{},\"records\":{},\"message_bytes\":{texts}}}",
        bytes.len(),
        counts.lines,
        counts.records
    );
    Ok(())
}
