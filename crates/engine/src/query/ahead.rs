//! Reading ahead: the series of a large query are read and unpacked on a thread of their own, while the
//! caller works on those before. It reads a few batches ahead and then waits, and ends when the caller
//! goes away. The buffers of the samples are few enough to stay in a processor's cache, and the next query
//! takes those of the last one, whose pages are there.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TryRecvError, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use store::{QueryError, SeriesBuffer, SeriesCursor};

/// From how many series on reading ahead is worth a thread.
pub(crate) const MIN_SERIES: usize = 128;
/// A batch goes to the caller when it has so many samples, 16 bytes each, or so many series.
const BATCH_SAMPLES: usize = 8 * 1024;
const BATCH_SERIES: usize = 256;
/// Batches that wait for the caller.
const BATCHES: usize = 2;

/// How long the two wait for each other without going to sleep.
const AWAKE: Duration = Duration::from_micros(200);
/// The most samples that buffers which wait for the next query have room for, 16 bytes each.
const SPARE_SAMPLES: usize = 64 * 1024;

/// Buffers of queries that have ended.
#[derive(Default)]
pub(crate) struct Spare(Mutex<Vec<SeriesBuffer>>);

impl Spare {
    fn take(&self) -> Option<SeriesBuffer> {
        self.0.lock().pop()
    }

    /// Keeps those for which there is room.
    fn give(&self, buffers: impl IntoIterator<Item = SeriesBuffer>) {
        let room = |buffer: &SeriesBuffer| buffer.times_ms.capacity().max(buffer.values.capacity());
        let mut kept = self.0.lock();
        let mut samples: usize = kept.iter().map(room).sum();
        for SeriesBuffer { times_ms, values, .. } in buffers {
            let buffer = SeriesBuffer { times_ms, values, ..SeriesBuffer::default() };
            samples += room(&buffer);
            if samples > SPARE_SAMPLES {
                return;
            }
            if room(&buffer) > 0 {
                kept.push(buffer);
            }
        }
    }
}

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
    spare: Arc<Spare>,
}

impl Ahead {
    /// Begins to read. When there is no thread for it, the cursor is given back.
    pub(crate) fn begin<C: SeriesCursor + 'static>(cursor: C, spare: &Arc<Spare>) -> Result<Self, C> {
        let (send, batches) = mpsc::sync_channel(BATCHES);
        let (spent, free) = mpsc::channel();
        let (hand_over, taken) = mpsc::channel::<C>();
        let of_reader = Arc::clone(spare);
        let run = move || {
            if let Ok(cursor) = taken.recv() {
                read(cursor, &send, &free, &of_reader);
            }
        };
        if thread::Builder::new().name("store-read".to_owned()).spawn(run).is_err() {
            return Err(cursor);
        }
        hand_over.send(cursor).map_err(|error| error.0)?;
        let (now, used, spare) = (VecDeque::new(), Vec::new(), Arc::clone(spare));
        Ok(Self { batches, spent, now, used, is_over: false, spare })
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.spare.give(self.used.drain(..).chain(self.now.drain(..)));
    }
}

/// The next batch, when there is one; nothing, when its reader is gone.
fn receive(batches: &Receiver<Read>) -> Option<Read> {
    soon(|| match batches.try_recv() {
        Err(TryRecvError::Empty) => None,
        other => Some(other.ok()),
    })
    .unwrap_or_else(|| batches.recv().ok())
}

/// Hands a batch over once there is room for it, and says whether there is still somebody to take it.
fn hand_over(send: &SyncSender<Read>, batch: Vec<SeriesBuffer>) -> bool {
    let mut batch = Some(Ok(batch));
    let went = soon(|| match send.try_send(batch.take()?) {
        Err(TrySendError::Full(back)) => {
            batch = Some(back);
            None
        }
        other => Some(other.is_ok()),
    });
    went.unwrap_or_else(|| batch.is_some_and(|batch| send.send(batch).is_ok()))
}

/// Tries for a moment, while others may run: a thread that sleeps is waked later than a batch takes.
fn soon<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        let done = attempt();
        if done.is_some() || begun.elapsed() > AWAKE {
            return done;
        }
        thread::yield_now();
    }
}

fn read(
    mut cursor: impl SeriesCursor,
    send: &SyncSender<Read>,
    free: &Receiver<Vec<SeriesBuffer>>,
    spare: &Spare,
) {
    let mut unused = Vec::new();
    loop {
        unused.extend(free.try_iter().flatten());
        let mut batch = Vec::with_capacity(BATCH_SERIES);
        let mut samples = 0;
        let more = loop {
            if samples >= BATCH_SAMPLES || batch.len() == BATCH_SERIES {
                break Ok(true);
            }
            let mut buffer = unused.pop().or_else(|| spare.take()).unwrap_or_default();
            match cursor.next_series(&mut buffer) {
                Ok(true) => {
                    samples += buffer.times_ms.len();
                    batch.push(buffer);
                }
                other => break other,
            }
        };
        // What was read before an error goes first: the caller may have enough.
        let went = batch.is_empty() || hand_over(send, batch);
        let last = match more {
            Ok(true) if went => continue,
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        // A caller that has gone away has no use for it.
        _ = send.send(last);
        spare.give(unused);
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
            let batch = receive(&self.batches).ok_or(QueryError::Stopped("its reader has failed"))??;
            self.is_over = batch.is_empty();
            if !self.is_over {
                // A reader that is gone has no use for them.
                _ = self.spent.send(std::mem::take(&mut self.used));
            }
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
            let spare = Arc::default();
            let begun = Ahead::begin(Counting { next: 0, end: 3000, fails }, &spare);
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
    fn the_buffers_of_a_query_are_those_of_the_next_within_a_bound() {
        let spare = Arc::<Spare>::default();
        for _ in 0..3 {
            let begun = Ahead::begin(Counting { next: 600, end: 2000, fails: false }, &spare);
            let Ok(mut ahead) = begun else { panic!("there is a thread") };
            let mut buffer = SeriesBuffer::default();
            while ahead.next_series(&mut buffer).expect("a series") {}
            drop(ahead);
            let kept: usize = spare.0.lock().iter().map(|buffer| buffer.times_ms.capacity()).sum();
            assert!((1..=SPARE_SAMPLES).contains(&kept), "{kept}");
        }
        let (huge, none) = (Vec::with_capacity(SPARE_SAMPLES + 1), Vec::new());
        let before = spare.0.lock().len();
        spare.give([SeriesBuffer { times_ms: huge, values: none, ..SeriesBuffer::default() }]);
        assert_eq!(spare.0.lock().len(), before);
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
        let Ok(mut ahead) = Ahead::begin(cursor, &Arc::default()) else { panic!("there is a thread") };
        assert!(ahead.next_series(&mut SeriesBuffer::default()).expect("a series"));
        drop(ahead);
        when_ended.recv_timeout(std::time::Duration::from_secs(20)).expect("the cursor is let go");
    }
}
