//! Samples of delta temporality on the path in.

use model::{STALE_NAN, SampleRun};

use super::*;
use crate::SamplesOutcome;

/// Whoever sends differences of one series, each ten seconds long.
struct Sender {
    ingest: Arc<Ingest>,
    /// One time for all requests: a repetition has the times of what it repeats.
    now_ms: i64,
}

impl Sender {
    fn new(ingest: Arc<Ingest>) -> Self {
        Self { ingest, now_ms: Timestamp::now().as_millis() }
    }

    /// Sends differences that ended so many seconds ago.
    async fn send(&self, all: &[(i64, f64)]) -> Result<SamplesOutcome, IngestError> {
        let mut batch = MetricBatch::new();
        for (seconds_ago, value) in all {
            let sample = Sample { time_ms: self.now_ms - seconds_ago * 1000, value: *value };
            let run = SampleRun { samples: &[sample], starts: &[sample.time_ms - 10_000] };
            batch.push_run(Labels::metric("jobs_total", &[]).as_ref(), run);
        }
        self.ingest.append_deltas(Source::OtlpMetrics, batch).await
    }
}

fn values(store: &Memory) -> Vec<f64> {
    store.samples.lock().iter().map(|(_, sample)| sample.value).collect()
}

#[tokio::test]
async fn differences_are_stored_as_sums_and_what_was_refused_for_want_of_room_is_added_once() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let sender = Sender::new(ingest);
    assert_eq!(sender.send(&[(20, 1.0)]).await.expect("stored").stored, 1);
    store.full.store(true, Ordering::SeqCst);
    let refusal = sender.send(&[(10, 1.0)]).await;
    assert!(matches!(refusal, Err(IngestError::Store(AppendError::Overloaded { .. }))));
    store.full.store(false, Ordering::SeqCst);
    assert_eq!(sender.send(&[(10, 1.0)]).await.expect("stored").stored, 1);
    let again = sender.send(&[(20, 1.0), (10, 1.0)]).await.expect("known");
    assert_eq!((again.stored, again.duplicate, again.held(), again.refused()), (0, 2, 2, 0));
    assert_eq!(sender.send(&[(30, 1.0)]).await.expect("late").too_old, 1);
    assert_eq!(values(&store), [1.0, 2.0]);
    for (reason, count) in [("duplicate", 2.0), ("overloaded", 1.0), ("too_old", 1.0)] {
        assert!((refused(&registry, reason) - count).abs() < f64::EPSILON, "{reason}");
    }
}

#[tokio::test]
async fn differences_that_are_on_their_way_are_not_acknowledged_to_another_and_that_is_counted() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let sender = Sender::new(ingest);
    let all = [(20, 1.0), (10, 1.0), (-7200, 1.0)];
    let (one, two) = tokio::join!(sender.send(&all), sender.send(&all));
    let told =
        [&one, &two].iter().filter_map(|result| result.as_ref().ok().map(|out| out.stored)).sum::<u64>();
    assert_eq!(told, 2, "{one:?} {two:?}");
    for (reason, count) in [("overloaded", 2.0), ("future", 2.0)] {
        assert!((refused(&registry, reason) - count).abs() < f64::EPSILON, "{reason}");
    }
    assert_eq!(values(&store), [1.0, 2.0]);
}

#[tokio::test]
async fn differences_whose_storing_has_panicked_are_added_once() {
    let store = Arc::new(Memory::default());
    let sender = Sender::new(open(&store).0);
    sender.send(&[(20, 1.0)]).await.expect("stored");
    store.broken.store(true, Ordering::SeqCst);
    assert!(matches!(sender.send(&[(10, 1.0)]).await, Err(IngestError::Broken(_))));
    store.broken.store(false, Ordering::SeqCst);
    assert_eq!(sender.send(&[(10, 1.0)]).await.expect("stored").stored, 1);
    assert_eq!(values(&store), [1.0, 2.0]);
}

#[tokio::test]
async fn a_marker_of_the_end_has_its_time_checked_like_all_samples() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let sender = Sender::new(ingest);
    let month = 30 * 86_400;
    let all = [(month, STALE_NAN), (20, 1.0), (25, STALE_NAN), (-7200, STALE_NAN), (10, 1.0)];
    let outcome = sender.send(&all).await.expect("stored");
    assert_eq!((outcome.stored, outcome.too_old, outcome.future), (2, 2, 1));
    assert_eq!(values(&store), [1.0, 2.0]);
    for (reason, count) in [("too_old", 2.0), ("future", 1.0)] {
        assert!((refused(&registry, reason) - count).abs() < f64::EPSILON, "{reason}");
    }
}
