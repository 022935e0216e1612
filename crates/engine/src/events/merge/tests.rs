use arrow::array::StringArray;
use model::Timestamp;
use store::{EventScan, TelemetryStore};

use super::*;
use crate::testing::{Stored, deploys};

/// A store with a file for each list of times.
struct Files(Stored);

impl Files {
    fn new(files: &[Vec<i64>]) -> Self {
        let stored = Stored::new();
        for (file, times) in files.iter().enumerate() {
            stored.write(Table::Deploys, told_apart(times, file));
        }
        Self(stored)
    }

    fn merged(&self) -> RecordBatch {
        let mut merging = Merging::new(self.0.engine.core(), Table::Deploys, &self.0.files());
        let mut batches = Vec::new();
        loop {
            match merging.next().expect("read") {
                Next::Rows(rows) => batches.push(rows),
                Next::Damaged => panic!("nothing is damaged"),
                Next::End => break,
            }
        }
        arrow::compute::concat_batches(&store::schema(Table::Deploys), &batches).expect("one schema")
    }

    /// All rows by time, of the same time in the order in which they came.
    fn scanned(&self) -> RecordBatch {
        let scan = EventScan::new(Table::Deploys, TimeRange::ALL, usize::MAX);
        let batches = self.0.engine.scan(&scan).expect("scanned");
        arrow::compute::concat_batches(&store::schema(Table::Deploys), &batches).expect("one schema")
    }
}

/// Rows of which each has an id of its own, however many there are at one time.
fn told_apart(times: &[i64], file: usize) -> RecordBatch {
    let rows = deploys(times);
    let place = rows.schema().index_of("event_id").expect("a column of every table");
    let mut columns = rows.columns().to_vec();
    let ids = (0..times.len()).map(|row| Some(format!("{file} {row}")));
    columns[place] = Arc::new(ids.collect::<StringArray>());
    RecordBatch::try_new(rows.schema(), columns).expect("the same schema")
}

#[test]
fn files_are_merged_by_time_and_of_the_same_time_the_earlier_file_comes_first() {
    let mut chance = fastrand::Rng::with_seed(7);
    for (files, rows, span) in [(1, 10, 5), (5, 20_000, 100_000), (7, 300, 40), (3, 9_000, 2)] {
        let times: Vec<Vec<i64>> = (0..files)
            .map(|file| (0..rows).map(|_| file * span / 4 + chance.i64(0..span)).collect())
            .collect();
        let stored = Files::new(&times);
        assert_eq!(stored.0.files().len(), files as usize);
        assert_eq!(stored.merged(), stored.scanned(), "{files} files of {rows} rows");
    }
}

#[test]
fn files_that_follow_one_another_are_read_one_by_one() {
    let stored = Files::new(&[vec![5, 9], vec![1, 4], vec![10, 12]]);
    let mut merging = Merging::new(stored.0.engine.core(), Table::Deploys, &stored.0.files());
    assert!(merging.open_due().expect("opened"));
    assert_eq!((merging.open.len(), merging.waiting.len()), (1, 2));
    assert_eq!(merging.open[0].key(), (1_000_000, 1), "the file that begins first");
}

#[test]
fn no_more_files_are_merged_than_may_be_open_at_once() {
    let at = |range: &[i64]| range.to_vec();
    // Each reaches over its neighbour's beginning.
    let chain: Vec<Vec<i64>> = (0..40).map(|file| at(&[file * 10, file * 10 + 15])).collect();
    assert_eq!(within_open(&Files::new(&chain).0.files()).len(), 40);
    let pile: Vec<Vec<i64>> = (0..20).map(|file| at(&[file, 100])).collect();
    let stored = Files::new(&pile);
    assert_eq!(within_open(&stored.0.files()).len(), MAX_OPEN);
    let before = stored.scanned();
    let far = Timestamp::from_millis(3 * 86_400_000);
    // Sixteen become one, then that one and the four others.
    assert_eq!(stored.0.engine.compact(far).expect("merged"), MAX_OPEN + 5);
    assert_eq!(stored.0.files().len(), 1);
    assert_eq!(stored.scanned(), before);
}
