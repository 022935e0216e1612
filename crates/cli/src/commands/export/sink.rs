//! What takes rows: the writer of the format over the output, the progress, and what is told at the end.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit, TimestampMillisecondType, TimestampNanosecondType};
use model::{TimeRange, Timestamp};
use tabular::{Format, RowWriter};

use super::output::{Output, Target};
use crate::progress::Progress;
use crate::show;

/// Points of series come day by day; within a day their times say nothing of how far it is.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Takes rows and writes them.
pub(super) struct Sink {
    format: Format,
    target: Target,
    writer: Option<RowWriter<Output>>,
    range: TimeRange,
    rows: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    progress: Progress,
}

/// What was written.
pub(super) struct Written {
    pub(super) path: Option<PathBuf>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// Where the rows came from.
    pub(super) source: String,
}

impl Sink {
    pub(super) fn new(format: Format, target: Target, range: TimeRange, shows_progress: bool) -> Self {
        let progress = Progress::new(shows_progress && !target.is_terminal());
        Self { format, target, writer: None, range, rows: 0, first: None, last: None, progress }
    }

    /// Begins the file.
    pub(super) fn begin(&mut self, schema: &SchemaRef) -> anyhow::Result<()> {
        if self.writer.is_none() {
            let writer = RowWriter::new(self.format, schema, self.target.open()?);
            self.writer = Some(writer.context("the file could not be begun")?);
        }
        Ok(())
    }

    /// Writes rows.
    pub(super) fn write(&mut self, rows: &RecordBatch) -> anyhow::Result<()> {
        self.begin(&rows.schema())?;
        let writer = self.writer.as_mut().context("the file was begun")?;
        writer.write(rows).context("the rows could not be written")?;
        self.rows += rows.num_rows() as u64;
        if let Some((first, last)) = times(rows) {
            self.first = Some(self.first.map_or(first, |known| known.min(first)));
            self.last = Some(self.last.map_or(last, |known| known.max(last)));
        }
        let (share, count) = (self.share(), self.rows);
        self.progress.show(share, || format!("{} rows", show::number(count as f64)));
        Ok(())
    }

    /// How far it is, by the times of the rows; unknown where the times are too few.
    fn share(&self) -> Option<f64> {
        let (first, last) = (self.first?.max(self.range.start), self.last?);
        let all = self.range.end.since(first);
        if all < DAY * 2 {
            return None;
        }
        let day = DAY.as_nanos() as i64;
        let begun = Timestamp::from_nanos(last.as_nanos().div_euclid(day).saturating_mul(day));
        Some(begun.since(first).as_secs_f64() / all.as_secs_f64())
    }

    /// Ends the file and gives it its name.
    pub(super) fn finish(self, source: String) -> anyhow::Result<Written> {
        let writer = self.writer.context("the rows have no columns")?;
        let output = writer.finish().context("the file could not be ended")?;
        let bytes = output.publish()?;
        let path = self.target.path().map(PathBuf::from);
        Ok(Written { path, rows: self.rows, bytes, first: self.first, last: self.last, source })
    }
}

/// The least and the greatest time of rows.
fn times(rows: &RecordBatch) -> Option<(Timestamp, Timestamp)> {
    let column = rows.column_by_name("time")?;
    let (least, most, of): (_, _, fn(i64) -> Timestamp) = match column.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let times = column.as_primitive::<TimestampMillisecondType>();
            (times.values().iter().min()?, times.values().iter().max()?, Timestamp::from_millis)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let times = column.as_primitive::<TimestampNanosecondType>();
            (times.values().iter().min()?, times.values().iter().max()?, Timestamp::from_nanos)
        }
        _ => return None,
    };
    Some((of(*least), of(*most)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;

    use super::*;

    /// `/dev/full` takes nothing.
    #[test]
    fn a_disk_that_is_full_is_told_once_whatever_the_format() {
        // What cannot be made small, so that it does not wait in a buffer until the file is ended.
        let text = |row: u64| format!("{:x}", u128::from(row).pow(7).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let texts: Vec<String> = (1..8_000).map(text).collect();
        let column = Arc::new(StringArray::from(texts)) as _;
        let rows = RecordBatch::try_from_iter([("text", column)]).expect("rows");
        for format in [Format::Csv, Format::Ndjson, Format::Parquet] {
            let target = Target::new("/dev/full".as_ref(), false).expect("a target");
            let mut sink = Sink::new(format, target, TimeRange::ALL, false);
            let written = sink.write(&rows).and_then(|()| sink.finish(String::new()).map(|_| ()));
            let said = format!("{:#}", written.expect_err("it is full"));
            let full = "No space left on device (os error 28)";
            assert!(said.starts_with("the ") && said.ends_with(full), "{format:?}: {said}");
            assert_eq!(said.matches(full).count(), 1, "{format:?}: {said}");
        }
    }
}
