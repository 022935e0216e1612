use std::slice;

use arrow::array::{ArrayRef, BinaryArray, RecordBatch, StringArray};
use model::{Labels, TimeRange};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::block::held::{Full, Total};
use crate::block::write::BlockWriter;
use crate::catalog::{FileEntry, FileKind};
use crate::layout::Layout;
use crate::sums::{SummingWriter, Sums};
use crate::vfs::{Disk, Vfs};

/// The number of the block.
const BLOCK: u64 = 1;
/// More than are read for one of them, in two row groups.
const IDS: usize = 30_000;
/// Far less memory than all ids take.
const LITTLE: usize = 64 << 10;

/// An index, and the series that it is of.
struct Indexed {
    dir: TempDir,
    file: StoredFile,
    index: StoredIndex,
    sets: Vec<Labels>,
}

impl Indexed {
    /// The index of a block of some series, as it is written.
    fn of(mut sets: Vec<Labels>) -> Self {
        sets.sort_unstable_by(|a, b| a.as_ref().as_bytes().cmp(b.as_ref().as_bytes()));
        let (dir, layout) = empty();
        let mut block = BlockWriter::create(&Disk, |part| layout.block(BLOCK, part)).expect("created");
        for labels in &sets {
            let sample = store::SeriesBuffer {
                labels: labels.clone(),
                times_ms: vec![1],
                values: vec![1.0],
                ..Default::default()
            };
            block.push(&sample).expect("taken");
        }
        let written = block.finish().expect("written");
        Self::open(dir, &layout, written.parts, sets)
    }

    /// An index of one label without a page index, in which each value has the series with the number of its row.
    fn without_pages(values: &[Option<String>]) -> Self {
        let (dir, layout) = empty();
        let bitmap = |series: u32| {
            let mut bytes: Vec<u8> = Vec::new();
            RoaringBitmap::from_iter([series]).serialize_into(&mut bytes).expect("packed");
            bytes
        };
        let names = StringArray::from(vec!["id"; values.len()]);
        let texts = StringArray::from_iter(values.iter().map(Option::as_deref));
        let series = BinaryArray::from_iter_values((0..values.len() as u32).map(bitmap));
        let columns: [(&str, ArrayRef); 3] = [
            (index_column::NAME, Arc::new(names)),
            (index_column::VALUE, Arc::new(texts)),
            (index_column::SERIES, Arc::new(series)),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let properties = WriterProperties::builder()
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .set_dictionary_enabled(false)
            .set_data_page_size_limit(16 << 10)
            .build();
        let file = SummingWriter::new(Disk.create(&layout.block(BLOCK, Part::Index)).expect("created"));
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a schema");
        writer.write(&batch).expect("written");
        let sums = writer.into_inner().expect("ended").finish().expect("written");
        let sets = values.iter().flatten().map(|value| Labels::from_pairs([("id", value.as_str())]));
        Self::open(dir, &layout, vec![(Part::Index, sums)], sets.collect())
    }

    fn open(dir: TempDir, layout: &Layout, parts: Vec<(Part, Sums)>, sets: Vec<Labels>) -> Self {
        let entry = FileEntry {
            id: BLOCK,
            kind: FileKind::Metrics,
            level: 0,
            precedence: BLOCK,
            range: TimeRange::ALL,
            rows: sets.len() as u64,
            parts,
            quarantine_reason: None,
        };
        let disk: Arc<dyn Vfs> = Arc::new(Disk);
        let file = StoredFile::new(&disk, layout, entry);
        let index = StoredIndex::open(&file).expect("an index");
        Self { dir, file, index, sets }
    }

    /// Reads the index within so many bytes of memory.
    fn read<T>(
        &self,
        most: usize,
        read: impl FnOnce(&mut IndexReader<'_>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let held = Held::of(&Total::within(usize::MAX));
        let mut budget = Budget::of(most);
        let mut reader = IndexReader::new(&self.index, &self.file, &held, &mut budget);
        read(&mut reader)
    }

    /// The series that are found for a matcher within so many bytes of memory.
    fn select(&self, matcher: &Matcher, most: usize) -> Result<RoaringBitmap, ReadError> {
        let series = self.sets.len() as u32;
        self.read(most, |reader| {
            let with_value = |matcher: &Matcher, holds| reader.with_value(matcher, holds);
            crate::index::select(slice::from_ref(matcher), series, with_value)
        })
    }

    /// The series for which a matcher holds.
    fn matching(&self, matcher: &Matcher) -> RoaringBitmap {
        let all = (0u32..).zip(&self.sets);
        all.filter(|(_, labels)| matcher.matches(labels.as_ref())).map(|(series, _)| series).collect()
    }

    /// Checks that those are found for which it holds, within so many bytes of memory.
    fn check(&self, matcher: &Matcher, most: usize) {
        let found = self.select(matcher, most).expect("read");
        assert_eq!(found, self.matching(matcher), "{matcher:?}");
    }

    /// The labels whose values are kept.
    fn kept(&self) -> Vec<&str> {
        let names = &self.index.names;
        let mut kept: Vec<&str> = self.index.values.lock().keys().map(|place| &*names[*place].0).collect();
        kept.sort_unstable();
        kept
    }
}

fn empty() -> (TempDir, Layout) {
    let dir = tempfile::tempdir().expect("dir");
    let layout = Layout::new(dir.path());
    Disk.create_dir_all(&layout.metrics_dir()).expect("created");
    (dir, layout)
}

fn id(number: usize) -> String {
    format!("id-{number:06}")
}

/// Series with ids, all with even numbers, beside labels with few values.
fn with_many_ids() -> Indexed {
    let series = |number: usize| {
        let id = id(2 * number);
        let zone = ["a", "b", "c"][number % 3];
        Labels::metric("requests", &[("code", "200"), ("id", id.as_str()), ("zone", zone)])
    };
    Indexed::of((0..IDS).map(series).collect())
}

fn matcher(name: &str, op: MatchOp, value: &str) -> Matcher {
    Matcher::new(name, op, value).expect("valid")
}

#[test]
fn a_value_of_many_is_found_without_reading_all_of_them() {
    let indexed = with_many_ids();
    let present = [id(0), id(2), id(IDS), id(2 * IDS - 2)];
    let absent = [id(1), id(IDS + 1), id(2 * IDS - 1), "id".to_owned(), "a".to_owned(), "z".to_owned()];
    let lists = [present.join("|"), absent.join("|"), [id(4), id(4), id(1), id(0)].join("|")];
    for value in present.iter().chain(&absent) {
        indexed.check(&matcher("id", MatchOp::Equal, value), LITTLE);
        indexed.check(&matcher("id", MatchOp::NotEqual, value), LITTLE);
    }
    for value in &lists {
        indexed.check(&matcher("id", MatchOp::Regex, value), LITTLE);
        indexed.check(&matcher("id", MatchOp::NotRegex, value), LITTLE);
    }
    // So many that they are in nearly all pages.
    let many: Vec<String> = (0..2 * IDS).step_by(777).map(id).collect();
    indexed.check(&matcher("id", MatchOp::Regex, &many.join("|")), usize::MAX);
    assert!(indexed.kept().is_empty(), "no label's values were all read");
    let all = indexed.select(&matcher("id", MatchOp::Regex, "id-.*"), LITTLE);
    assert!(matches!(all, Err(ReadError::Full(Full::One))), "all of them take more memory: {all:?}");
}

#[test]
fn values_of_a_label_with_few_are_kept_and_kept_values_are_not_searched_in_the_file() {
    let indexed = with_many_ids();
    indexed.check(&matcher("zone", MatchOp::Equal, "b"), LITTLE);
    assert_eq!(indexed.kept(), ["zone"]);
    indexed.check(&matcher("id", MatchOp::Regex, "id-00000.*"), usize::MAX);
    assert_eq!(indexed.kept(), ["id", "zone"]);
    std::fs::remove_dir_all(Layout::new(indexed.dir.path()).metrics_dir()).expect("removed");
    indexed.check(&matcher("id", MatchOp::Equal, &id(4)), usize::MAX);
    indexed.check(&matcher("id", MatchOp::NotRegex, &[id(8), id(2), id(5)].join("|")), usize::MAX);
}

#[test]
fn a_file_without_a_page_index_is_searched_too() {
    let values: Vec<Option<String>> = (0..IDS).map(|number| Some(id(2 * number))).collect();
    let indexed = Indexed::without_pages(&values);
    for value in [id(0), id(1), id(IDS), id(IDS + 1), id(2 * IDS - 2), "z".to_owned()] {
        indexed.check(&matcher("id", MatchOp::Equal, &value), LITTLE);
    }
    indexed.check(&matcher("id", MatchOp::Regex, &[id(6), id(IDS), id(7)].join("|")), LITTLE);
    assert!(indexed.kept().is_empty());
}

#[test]
fn a_file_with_values_out_of_order_gives_no_wrong_series_and_one_without_values_is_an_error() {
    let values: Vec<Option<String>> = (0..IDS).rev().map(|number| Some(id(number))).collect();
    let indexed = Indexed::without_pages(&values);
    for value in [id(0), id(IDS / 2), [id(IDS - 1), id(7), id(0)].join("|")] {
        let matcher = matcher("id", MatchOp::Regex, &value);
        let found = indexed.select(&matcher, usize::MAX).expect("read");
        assert!(found.is_subset(&indexed.matching(&matcher)), "{value}");
    }
    let indexed = Indexed::without_pages(&vec![None; IDS]);
    let found = indexed.select(&matcher("id", MatchOp::Equal, "a"), usize::MAX);
    assert!(matches!(found, Err(ReadError::File(_))), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_search_finds_the_values_that_are_there_and_no_others(
        numbers in proptest::collection::btree_set(any::<u16>(), 1..2000),
        present in proptest::collection::vec(any::<proptest::sample::Index>(), 0..20),
        others in proptest::collection::vec(any::<u16>(), 0..20),
    ) {
        // Many begin with the same 40 or 80 bytes.
        let text = |number: &u16| format!("{}{number:x}", "p".repeat(usize::from(number % 3) * 40));
        let mut values: Vec<String> = numbers.iter().map(text).collect();
        values.sort_unstable();
        let present = present.iter().map(|place| place.get(&values).clone());
        let mut texts: Vec<String> = present.chain(others.iter().map(text)).collect();
        texts.sort_unstable();
        let series = values.iter().map(|value| Labels::metric("requests", &[("id", value.as_str())]));
        let indexed = Indexed::of(series.collect());
        let place = indexed.index.find("id").expect("a label");
        let rows = indexed.index.names[place].1.clone();
        let expected: Vec<usize> = rows
            .clone()
            .zip(&values)
            .filter(|(_, value)| texts.binary_search(value).is_ok())
            .map(|(row, _)| row)
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found = indexed.read(usize::MAX, |reader| reader.search(rows, &texts)).expect("read");
        prop_assert_eq!(found, expected);
    }
}
