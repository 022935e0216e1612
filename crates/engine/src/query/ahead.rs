//! Reading ahead: the series of a large query are read and unpacked on a thread of their own, while the
//! caller works on those before. It reads a few batches ahead and then waits, and ends when the caller
//! goes away.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;

use store::{QueryError, SeriesBuffer, SeriesCursor};

/// From how many series on reading ahead is worth a thread.
pub(crate) const MIN_SERIES: usize = 128;
/// A batch goes to the caller when it has so many samples, 16 bytes each, or so many series.
const BATCH_SAMPLES: usize = 32 * 1024;
const BATCH_SERIES: usize = 256;
/// Batches that wait for the caller.
const BATCHES: usize = 2;

/// A batch; an empty one is the end.
type Read = Result<Vec<SeriesBuffer>, QueryError>;

/// The series of another cursor, read ahead of the caller.
pub(crate) struct Ahead {
    batches: Receiver<Read>,
    /// Buffers on their way back, to be used again.
    spent: Sender<Vec<SeriesBuffer>>,
    now: VecDeque<SeriesBuffer>,
    used: Vec<SeriesBuffer>,
    is_over: bool,
}

impl Ahead {
    /// Begins to read. When there is no thread for it, the cursor is given back.
    pub(crate) fn begin<C: SeriesCursor + 'static>(cursor: C) -> Result<Self, C> {
        let (send, batches) = mpsc::sync_channel(BATCHES);
        let (spent, free) = mpsc::channel();
        let (hand_over, taken) = mpsc::channel::<C>();
        let run = move || {
            if let Ok(cursor) = taken.recv() {
                read(cursor, &send, &free);
            }
        };
        if thread::Builder::new().name("store-read".to_owned()).spawn(run).is_err() {
            return Err(cursor);
        }
        hand_over.send(cursor).map_err(|error| error.0)?;
        Ok(Self { batches, spent, now: VecDeque::new(), used: Vec::new(), is_over: false })
    }
}

fn read(mut cursor: impl SeriesCursor, send: &SyncSender<Read>, free: &Receiver<Vec<SeriesBuffer>>) {
    loop {
        let mut unused = free.try_recv().unwrap_or_default();
        let mut batch = Vec::with_capacity(BATCH_SERIES);
        let mut samples = 0;
        let more = loop {
            if samples >= BATCH_SAMPLES || batch.len() == BATCH_SERIES {
                break Ok(true);
            }
            let mut buffer = unused.pop().unwrap_or_default();
            match cursor.next_series(&mut buffer) {
                Ok(true) => {
                    samples += buffer.times_ms.len();
                    batch.push(buffer);
                }
                other => break other,
            }
        };
        // What was read before an error goes first: the caller may have enough.
        let went = batch.is_empty() || send.send(Ok(batch)).is_ok();
        let last = match more {
            Ok(true) if went => continue,
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        // A caller that has gone away has no use for it.
        _ = send.send(last);
        return;
    }
}

impl SeriesCursor for Ahead {
    fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
        loop {
            if let Some(next) = self.now.pop_front() {
                self.used.push(std::mem::replace(into, next));
                return Ok(true);
            }
            if self.is_over {
                return Ok(false);
            }
            // A reader that is gone has no use for them.
            _ = self.spent.send(std::mem::take(&mut self.used));
            let batch = self.batches.recv().map_err(|_| QueryError::Stopped("its reader has failed"))??;
            self.is_over = batch.is_empty();
            self.now = batch.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Labels;

    /// Gives so many series, then an error or the end.
    struct Counting {
        next: i64,
        end: i64,
        fails: bool,
    }

    impl SeriesCursor for Counting {
        fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
            if self.next == self.end {
                return if self.fails { Err(QueryError::Invalid("the end".to_owned())) } else { Ok(false) };
            }
            into.labels = Labels::metric(&self.next.to_string(), &[]);
            into.times_ms.clear();
            into.times_ms.extend(0..self.next % 700);
            into.values.clear();
            into.values.resize(into.times_ms.len(), self.next as f64);
            self.next += 1;
            Ok(true)
        }
    }

    #[test]
    fn series_come_in_order_and_whole_and_an_error_comes_after_them() {
        for fails in [false, true] {
            let begun = Ahead::begin(Counting { next: 0, end: 3000, fails });
            let Ok(mut ahead) = begun else { panic!("there is a thread") };
            let mut buffer = SeriesBuffer::default();
            for number in 0..3000 {
                assert!(ahead.next_series(&mut buffer).expect("a series"));
                assert_eq!(buffer.labels.as_ref().metric_name(), number.to_string());
                assert_eq!(buffer.times_ms.len() as i64, number % 700);
                assert!(buffer.values.iter().all(|value| *value == number as f64));
            }
            assert_eq!(ahead.next_series(&mut buffer).is_err(), fails);
        }
    }

    #[test]
    fn a_caller_that_goes_away_ends_the_reading() {
        struct Telling(Counting, Sender<()>);
        impl SeriesCursor for Telling {
            fn next_series(&mut self, into: &mut SeriesBuffer) -> Result<bool, QueryError> {
                self.0.next_series(into)
            }
        }
        impl Drop for Telling {
            fn drop(&mut self) {
                _ = self.1.send(());
            }
        }
        let (ended, when_ended) = mpsc::channel();
        let cursor = Telling(Counting { next: 0, end: i64::MAX, fails: false }, ended);
        let Ok(mut ahead) = Ahead::begin(cursor) else { panic!("there is a thread") };
        assert!(ahead.next_series(&mut SeriesBuffer::default()).expect("a series"));
        drop(ahead);
        when_ended.recv_timeout(std::time::Duration::from_secs(20)).expect("the cursor is let go");
    }
}
