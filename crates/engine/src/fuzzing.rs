//! What is tried with hostile bytes: each function takes any, and panics where what must hold does not.
//!
//! `fuzz/` makes up the bytes; those that have shown a fault once lie in `fuzz/cases/` and are tried again
//! by every test run.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use model::histogram::histogram_place;
use model::{Histograms, LabelsRef, NO_START, SampleRun, is_stale};
use store::{SeriesBuffer, Table};

use crate::block::chunk::{self, histograms, times, values};
use crate::catalog::Catalog;
use crate::files::StoredFile;
use crate::head::Head;
use crate::head::metrics::Limits;
use crate::layout::Layout;
use crate::vfs::{Disk, Vfs};
use crate::wal::payload::{Decoder, Sink};
use crate::wal::record;
use crate::wal::replay::{End, IntoHead, walk};
use crate::wal::segment::{self, VERSION};

/// The number of the segment that the bytes stand for.
const SEGMENT: u64 = 1;

/// As a segment of the log, as what is in a record, and as records that were cut off.
pub fn wal(bytes: &[u8]) {
    let length = bytes.len() as u64;
    let head = head();
    let mut decoder = Decoder::default();
    let mut sink = Checked { into: IntoHead { head: &head }, put: BTreeMap::new() };
    let end = walk(&mut &*bytes, SEGMENT, length, |record| _ = decoder.decode(record.payload, &mut sink));
    end.expect("bytes in memory are read without an error");
    _ = Decoder::default().decode(bytes, &mut sink);
    sink.compare();
    records_that_were_cut_off(bytes);
}

/// A head that takes samples however late they are.
fn head() -> Head {
    Head::after(None, Limits { max_series: 1 << 20, out_of_order_ms: i64::MAX })
}

/// Puts what is decoded into a head, and knows what must be there.
struct Checked<'a> {
    into: IntoHead<'a>,
    put: BTreeMap<u32, BTreeMap<i64, (Vec<u8>, i64)>>,
}

/// What a value is, or the histogram that it stands for.
fn bytes_of(value: f64, histograms: &Histograms) -> Vec<u8> {
    match histogram_place(value) {
        Some(place) => histograms.get(place).unwrap_or(b"none").to_vec(),
        None => value.to_le_bytes().to_vec(),
    }
}

impl Sink for Checked<'_> {
    fn series(&mut self, labels: LabelsRef<'_>) -> u32 {
        self.into.series(labels)
    }

    fn samples<'a>(&mut self, all: impl Iterator<Item = (u32, SampleRun<'a>)>, histograms: &Histograms) {
        let all = all.inspect(|(series, run)| {
            let put = self.put.entry(*series).or_default();
            for (sample, start) in run.iter() {
                // Farther behind the newest than any window can be.
                let is_too_old = |newest: &i64| sample.time_ms < newest.saturating_sub(i64::MAX);
                if !put.keys().next_back().is_some_and(is_too_old) {
                    put.entry(sample.time_ms).or_insert_with(|| {
                        let start = if is_stale(sample.value) { NO_START } else { start };
                        (bytes_of(sample.value, histograms), start)
                    });
                }
            }
        });
        self.into.samples(all, histograms);
    }

    fn rows(&mut self, table: Table, rows: RecordBatch) {
        assert!(store::is_narrowed(&rows, &store::schema(table)), "rows are in their schema");
        self.into.rows(table, rows);
    }
}

impl Checked<'_> {
    /// What was put in is there: of samples at one time the first.
    fn compare(&self) {
        for (series, put) in &self.put {
            let mut read = SeriesBuffer::default();
            self.into.head.metrics.read(*series, (i64::MIN, i64::MAX), &mut read);
            let values = read.times_ms.iter().zip(&read.values).map(|(time, value)| {
                let start = if is_stale(*value) { NO_START } else { read.starts.at(*time) };
                (*time, (bytes_of(*value, &read.histograms), start))
            });
            let (read, put): (Vec<_>, Vec<_>) = (values.collect(), put.clone().into_iter().collect());
            assert_eq!(read, put, "series {series} is another");
        }
    }
}

/// Records of a log that ends somewhere are read up to there, and nothing else is.
fn records_that_were_cut_off(bytes: &[u8]) {
    let Some((sizes, content)) = bytes.split_first_chunk::<3>() else { return };
    let mut file = segment::header(SEGMENT, VERSION).to_vec();
    let mut ends = Vec::new();
    let pieces: Vec<&[u8]> = content.chunks(usize::from(sizes[0]) + 1).collect();
    for (number, piece) in pieces.iter().enumerate() {
        record::append(&mut file, SEGMENT, number as u64 + 7, |into| into.extend_from_slice(piece));
        ends.push(file.len());
    }
    let cut = file.len() * usize::from(u16::from_le_bytes([sizes[1], sizes[2]])) / usize::from(u16::MAX);
    let whole = ends.iter().filter(|end| **end <= cut).count();
    let mut read = Vec::new();
    let end = walk(&mut &file[..cut], SEGMENT, cut as u64, |record| read.push(record.payload.to_vec()));
    let end = end.expect("bytes in memory are read without an error");
    assert_eq!(read, pieces[..whole], "the records that are whole");
    let at_an_end = cut == segment::HEADER_BYTES || ends.contains(&cut);
    assert_eq!(matches!(end, End::Whole), at_an_end, "{end:?}");
    // What is cut off is no record of its own.
    let rest = &file[ends[..whole].last().copied().unwrap_or(segment::HEADER_BYTES).min(cut)..cut];
    assert!(!record::any_after(rest, SEGMENT, whole as u64 + 6) || at_an_end || holds_records(content));
}

/// Whether bytes that stand for a payload look like records themselves.
fn holds_records(content: &[u8]) -> bool {
    record::any_after(content, SEGMENT, 0)
}

/// As a packed column of a chunk, and as the numbers in it.
pub fn chunk(bytes: &[u8]) {
    let Some((count, packed)) = bytes.split_first_chunk::<2>() else { return };
    let count = usize::from(u16::from_le_bytes(*count)) % (chunk::MAX_SAMPLES + 2);
    let (mut times, mut values) = (Vec::new(), Vec::new());
    if times::unpack(packed, count, &mut times).is_ok() {
        assert_eq!(times.len(), count);
    }
    if values::unpack(packed, count, &mut values).is_ok() {
        assert_eq!(values.len(), count);
        let (mut part, places) = (Vec::new(), count / 3..count - count / 4);
        values::unpack_within(packed, count, places.clone(), &mut part).expect("all of them could be");
        let bits = |values: &[f64]| -> Vec<u64> { values.iter().map(|value| value.to_bits()).collect() };
        assert_eq!(bits(&part), bits(&values[places]));
        survives(&[], &values);
    }
    let (mut mixed, mut found) = (Vec::new(), Histograms::default());
    if histograms::unpack(packed, count, 0..count, &mut mixed, &mut found).is_ok() {
        assert_eq!(mixed.len(), count);
        let (mut packed, mut back, mut found_back) = (Vec::new(), Vec::new(), Histograms::default());
        histograms::pack(&mixed, &found, &mut packed);
        histograms::unpack(&packed, count, 0..count, &mut back, &mut found_back).expect("what was packed");
        let bytes = |values: &[f64], all: &Histograms| -> Vec<Vec<u8>> {
            values.iter().map(|value| bytes_of(*value, all)).collect()
        };
        assert_eq!(bytes(&mixed, &found), bytes(&back, &found_back));
    }
    let words = packed.as_chunks::<8>().0;
    let values: Vec<f64> = words.iter().map(|word| f64::from_le_bytes(*word)).collect();
    let mut time = 0i64;
    let times: Vec<i64> = words
        .iter()
        .map(|word| {
            // Steps of any size, most of them small.
            let step = i64::from_le_bytes(*word) & (i64::MAX >> (word[7] % 63));
            time = time.saturating_add(step.max(1));
            time
        })
        .collect();
    survives(&times, &values);
}

fn survives(times: &[i64], values: &[f64]) {
    for times in times.chunks(chunk::MAX_SAMPLES) {
        let (mut packed, mut back) = (Vec::new(), Vec::new());
        times::pack(times, &mut packed);
        times::unpack(&packed, times.len(), &mut back).expect("what was packed");
        assert_eq!(times, back);
    }
    for values in values.chunks(chunk::MAX_SAMPLES) {
        let (mut packed, mut back) = (Vec::new(), Vec::new());
        values::pack(values, &mut packed);
        values::unpack(&packed, values.len(), &mut back).expect("what was packed");
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(values), bits(&back));
    }
}

/// As the catalog's file. It is written into a directory for temporary files.
pub fn catalog(bytes: &[u8]) {
    let dir = std::env::temp_dir().join(format!("watchkeeper-fuzz-{}", std::process::id()));
    let layout = Layout::new(&dir);
    let path = layout.catalog();
    let make = || {
        std::fs::create_dir_all(&dir)?;
        std::fs::write(&path, bytes)
    };
    make().expect("the directory for temporary files can be written");
    if let Ok(catalog) = Catalog::open_to_read(&path) {
        _ = catalog.entries();
        _ = catalog.problem();
    }
    if let Ok(catalog) = Catalog::open(&path, std::sync::Arc::new(Disk)) {
        let disk: std::sync::Arc<dyn Vfs> = std::sync::Arc::new(Disk);
        for entry in catalog.entries().unwrap_or_default() {
            let file = StoredFile::new(&disk, &layout, entry);
            assert!(file.paths().all(|path| path.starts_with(&dir)), "it names files of others");
            _ = (file.bytes(), file.verify());
        }
        let (watermark, next) = (catalog.watermark(), catalog.next_file());
        let published = catalog.publish(&[], &[], 5);
        if let (Ok(watermark), Ok(_), Ok(())) = (watermark, next, published) {
            let now = catalog.watermark().expect("it was read before");
            assert!(now >= watermark.max(5) || now == watermark, "{now} after {watermark}");
        }
        _ = catalog.problem();
    }
    let remains = std::fs::read_dir(&dir).expect("it was made above");
    remains.flatten().for_each(|entry| _ = std::fs::remove_file(entry.path()));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Tries each case of a target again.
    fn each(target: &str, check: fn(&[u8])) {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/cases").join(target);
        let mut cases = 0;
        for entry in std::fs::read_dir(dir).expect("the cases of the target") {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).expect("a case");
            if std::panic::catch_unwind(|| check(&bytes)).is_err() {
                panic!("{}", path.display());
            }
            cases += 1;
        }
        assert!(cases > 0, "{target} has no cases");
    }

    #[test]
    fn what_fuzzing_the_log_has_found_stays_mended() {
        each("wal", super::wal);
    }

    #[test]
    fn what_fuzzing_chunks_has_found_stays_mended() {
        each("chunk", super::chunk);
    }

    #[test]
    fn what_fuzzing_the_catalog_has_found_stays_mended() {
        each("catalog", super::catalog);
    }
}
