//! What of a segment is decoded and not yet in the head: pieces, which one thread fills ahead of the one
//! that puts them into the head.
//!
//! Pieces are given on when they have a certain size, wherever in a record that is, and few wait: what is
//! decoded ahead takes some megabytes, whatever the log holds. Only the rows of one record come at once.

use std::ops::Range;
use std::sync::mpsc::SyncSender;

use arrow::array::RecordBatch;
use model::{Histograms, LabelsRef, Sample, SampleRun};
use store::Table;

use crate::wal::payload::Sink;

/// The size at which a piece is given on.
const PIECE_BYTES: usize = 1 << 20;
/// Pieces that wait.
pub(crate) const WAITING: usize = 2;

/// Decoded records, or a part of one.
#[derive(Default)]
pub(crate) struct Piece {
    labels: Vec<u8>,
    /// Where the labels of each series end that is defined here.
    label_ends: Vec<usize>,
    samples: Vec<Sample>,
    /// The starts of the samples, one for each from the first on; empty as long as none is told.
    starts: Vec<i64>,
    histograms: Histograms,
    /// Series by their number in the segment, each with the end of its samples.
    runs: Vec<(u32, usize)>,
    rows: Vec<(Table, RecordBatch)>,
    row_bytes: usize,
}

impl Piece {
    /// Gives what was decoded to `sink`. `ids` is what the sink calls the series of the segment, by number.
    pub(crate) fn give(self, ids: &mut Vec<u32>, sink: &mut impl Sink) {
        for labels in slices(&self.label_ends) {
            ids.push(sink.series(LabelsRef::from_canonical(&self.labels[labels])));
        }
        let ends: Vec<usize> = self.runs.iter().map(|(_, end)| *end).collect();
        let runs = self.runs.iter().zip(slices(&ends));
        let runs = runs.map(|((number, _), place)| {
            let starts = self.starts.get(place.clone()).unwrap_or_default();
            (ids[*number as usize], SampleRun { samples: &self.samples[place], starts })
        });
        sink.samples(runs, &self.histograms);
        for (table, rows) in self.rows {
            sink.rows(table, rows);
        }
    }

    fn bytes(&self) -> usize {
        let samples = self.samples.len() * size_of::<Sample>() + self.histograms.size_bytes();
        self.labels.len() + samples + self.starts.len() * size_of::<i64>() + self.row_bytes
    }

    fn is_empty(&self) -> bool {
        self.label_ends.is_empty() && self.runs.is_empty() && self.rows.is_empty()
    }
}

/// The slices between ends.
fn slices(ends: &[usize]) -> impl Iterator<Item = Range<usize>> {
    let starts = [0].into_iter().chain(ends.iter().copied());
    starts.zip(ends).map(|(start, end)| start..*end)
}

/// Fills pieces and sends them. When nobody receives them any more, they are let go.
pub(crate) struct Pieces {
    piece: Piece,
    next_series: u32,
    to: SyncSender<Piece>,
}

impl Pieces {
    pub(crate) fn new(to: SyncSender<Piece>) -> Self {
        Self { piece: Piece::default(), next_series: 0, to }
    }

    /// Sends what is there.
    pub(crate) fn send(&mut self) {
        if !self.piece.is_empty() {
            // A receiver that is gone has panicked, which its thread tells.
            _ = self.to.send(std::mem::take(&mut self.piece));
        }
    }

    fn send_if_full(&mut self) {
        if self.piece.bytes() >= PIECE_BYTES {
            self.send();
        }
    }
}

impl Sink for Pieces {
    fn series(&mut self, labels: LabelsRef<'_>) -> u32 {
        self.piece.labels.extend_from_slice(labels.as_bytes());
        self.piece.label_ends.push(self.piece.labels.len());
        let number = self.next_series;
        self.next_series += 1;
        number
    }

    fn samples<'a>(&mut self, all: impl Iterator<Item = (u32, SampleRun<'a>)>, histograms: &Histograms) {
        for (series, run) in all {
            let start = self.piece.samples.len();
            run.put_starts(start, &mut self.piece.starts);
            self.piece.samples.extend_from_slice(run.samples);
            if !histograms.is_empty() {
                for sample in &mut self.piece.samples[start..] {
                    self.piece.histograms.adopt(histograms, std::slice::from_mut(&mut sample.value));
                }
            }
            self.piece.runs.push((series, self.piece.samples.len()));
        }
        self.send_if_full();
    }

    fn rows(&mut self, table: Table, rows: RecordBatch) {
        self.piece.row_bytes += rows.get_array_memory_size();
        self.piece.rows.push((table, rows));
        self.send_if_full();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use model::Labels;

    use super::*;

    /// What came out, in order: labels as they are defined, then samples with what stands for their series.
    #[derive(Default)]
    struct Taken {
        labels: Vec<Labels>,
        samples: Vec<(u32, i64)>,
        starts: Vec<i64>,
    }

    impl Sink for Taken {
        fn series(&mut self, labels: LabelsRef<'_>) -> u32 {
            self.labels.push(labels.to_owned());
            100 + self.labels.len() as u32
        }
        fn samples<'a>(&mut self, all: impl Iterator<Item = (u32, SampleRun<'a>)>, _: &Histograms) {
            for (series, run) in all {
                self.samples.extend(run.samples.iter().map(|one| (series, one.time_ms)));
                self.starts.extend(run.iter().map(|(_, start)| start));
            }
        }
        fn rows(&mut self, _: Table, _: RecordBatch) {}
    }

    #[test]
    fn what_is_decoded_ahead_comes_out_whole_and_in_order_in_pieces_of_bounded_size() {
        let (to, pieces) = mpsc::sync_channel(1);
        let filling = std::thread::spawn(move || {
            let mut into = Pieces::new(to);
            for number in 0..200i64 {
                let series = into.series(Labels::metric("m", &[("n", &number.to_string())]).as_ref());
                let samples: Vec<Sample> =
                    (0..1000).map(|step| Sample { time_ms: number * 1000 + step, value: 0.0 }).collect();
                let told = vec![number; if number % 3 == 0 { 1000 } else { 0 }];
                let run = SampleRun { samples: &samples, starts: &told };
                let all = [(series, run), (0, SampleRun::plain(&samples[..1]))];
                into.samples(all.into_iter(), &Histograms::default());
            }
            into.send();
        });
        let (mut taken, mut ids) = (Taken::default(), Vec::new());
        for piece in pieces {
            assert!(piece.bytes() < PIECE_BYTES + (48 << 10), "{}", piece.bytes());
            piece.give(&mut ids, &mut taken);
        }
        filling.join().expect("filled");
        assert_eq!((taken.labels.len(), ids.len()), (200, 200));
        let wanted = (0..200i64).flat_map(|number| {
            let own = (0..1000).map(move |step| (101 + number as u32, number * 1000 + step));
            own.chain([(101, number * 1000)])
        });
        assert!(taken.samples.iter().copied().eq(wanted));
        let told = (0..200i64).flat_map(|number| {
            let start = if number % 3 == 0 { number } else { 0 };
            std::iter::repeat_n(start, 1000).chain([0])
        });
        assert!(taken.starts.iter().copied().eq(told));
    }
}
