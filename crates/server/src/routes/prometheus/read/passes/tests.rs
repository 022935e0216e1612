//! Passes over a real store.

use std::sync::Arc;

use model::{ByteSize, MetricBatch, TimeRange, Timestamp};
use store::{Batch, Matcher};

use super::*;

/// A store with samples of the series, and where it lies.
async fn store(series: &[Labels]) -> (tempfile::TempDir, Arc<dyn TelemetryStore>) {
    let folder = tempfile::tempdir().expect("a folder");
    let none = ByteSize(0);
    let config =
        engine::Config { disk_reserve_bytes: none, retention_free_bytes: none, ..engine::Config::default() };
    let path = folder.path().to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        engine::Engine::open(&path, config, &prometheus::Registry::new())
    });
    let store: Arc<dyn TelemetryStore> = opened.await.expect("no panic").expect("a store");
    let mut batch = MetricBatch::new();
    let now = Timestamp::now().as_millis();
    for (place, labels) in series.iter().enumerate() {
        batch.push_one(labels, now - 1000, place as f64);
    }
    store.append(Batch::from(batch)).await.expect("stored");
    (folder, store)
}

fn selection() -> Selection {
    let now = Timestamp::now();
    let range = TimeRange::new(Timestamp::from_millis(now.as_millis() - 60_000), now);
    Selection { matchers: vec![Matcher::equal("__name__", "up")], range }
}

fn series() -> Vec<Labels> {
    // Names and values of all lengths: the store's order is another one.
    let names = ["a", "zz", "Upper", "long_name"];
    let labels = |name: &&str| {
        let values = ["z", "yy", "xxx", "wwww", "a"];
        values.map(|value| Labels::metric("up", &[(*name, value)])).to_vec()
    };
    names.iter().flat_map(labels).collect()
}

/// What all passes bring: where each begins, and the labels of all.
fn read(mut rest: Option<Rest>, store: &dyn TelemetryStore) -> (usize, Vec<(u64, Labels)>) {
    let (mut passes, mut all) = (0, Vec::new());
    while let Some(left) = rest {
        let pass = left.pass(store, &Limits::default(), &Cancel::never()).expect("within the limits");
        for frame in testkit::chunks::frames(&pass.pieces.concat()) {
            all.push((frame.query, Labels::from_pairs(frame.labels)));
        }
        passes += 1;
        rest = pass.rest;
    }
    (passes, all)
}

#[tokio::test(flavor = "multi_thread")]
async fn series_come_in_the_order_of_their_labels_however_many_passes_it_takes() {
    let mut sorted = series();
    let (_folder, store) = store(&sorted).await;
    sorted.sort();
    let expected: Vec<_> = [0, 1]
        .into_iter()
        .flat_map(|query| sorted.iter().map(move |labels| (query, labels.clone())))
        .collect();
    for (room, least, most) in [(usize::MAX, 2, 2), (1 << 10, 4, 20), (1, 40, 40)] {
        let rest = Rest::of(vec![selection(), selection()], External::default(), &Limits::default());
        let (passes, all) = read(Some(Rest { room, ..rest }), store.as_ref());
        assert_eq!(all, expected, "with room for {room}");
        assert!((least..=most).contains(&passes), "{passes} passes with room for {room}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn external_labels_are_added_and_count_in_the_order() {
    let (_folder, store) = store(&series()).await;
    let external =
        External([("b", "1"), ("zz", "0")].map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let mut expected: Vec<_> = series().iter().map(|labels| (0, external.added_to(labels))).collect();
    expected.sort_by(|(_, a), (_, b)| a.cmp(b));
    let rest = Rest::of(vec![selection()], external, &Limits::default());
    let (_, all) = read(Some(Rest { room: 500, ..rest }), store.as_ref());
    assert_eq!(all, expected);
    assert!(all.iter().all(|(_, labels)| labels.get("b") == Some("1") && labels.get("zz").is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_queries_hold() {
    let (_folder, store) = store(&series()).await;
    for (max_series, max_samples) in [(19, 1000), (1000, 19)] {
        let limits = Limits { max_series, max_samples, ..Limits::default() };
        let rest = Rest::of(vec![selection()], External::default(), &limits);
        assert!(rest.pass(store.as_ref(), &limits, &Cancel::never()).is_err(), "{max_series} {max_samples}");
    }
}
