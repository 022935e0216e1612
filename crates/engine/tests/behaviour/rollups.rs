//! Rollups: they say what the samples say, whatever comes later, and stand in for samples that are gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::MetricRetention;
use model::histogram::histogram_place;
use model::{DurationText, STALE_NAN, TimeRange, Timestamp, is_stale};
use store::{Cancel, Matcher, QueryError, RollupBuffer, RollupPart, SelectRequest, TelemetryStore};

use crate::faults::BadSectors;
use crate::fixture::{Open, Place, expected};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Values at the ends of buckets, as bits, by series.
type Buckets = BTreeMap<String, Vec<(i64, u64)>>;

/// The first instant of a day so many days ago.
fn day(ago: i64) -> i64 {
    Timestamp::now().as_millis().div_euclid(DAY) * DAY - ago * DAY
}

fn place() -> Place {
    Place::with(|config| {
        config.retention = DurationText(Duration::from_secs(20 * 86_400));
        config.rollup_retention = DurationText(Duration::from_secs(30 * 86_400));
    })
}

/// Samples of a counter that is reset now and then, with gaps and staleness markers.
fn counter(from_ms: i64, to_ms: i64, seed: i64) -> Vec<(i64, f64)> {
    let mut samples = Vec::new();
    let (mut time_ms, mut value) = (from_ms + seed, 0.0);
    for number in 0i64.. {
        let gap = if number % 97 == 13 + seed { 25 * MINUTE } else { 47_001 + number % 7 };
        time_ms += gap;
        if time_ms > to_ms {
            break;
        }
        value = if number % 301 == 7 { 1.5 } else { value + ((number + seed) % 5) as f64 };
        samples.push((time_ms, if number % 89 == 3 { STALE_NAN } else { value }));
    }
    samples
}

fn buckets(store: &Open, range: TimeRange, bucket_ms: i64, part: RollupPart) -> Option<Buckets> {
    let request = SelectRequest {
        matchers: Vec::new(),
        range,
        values: None,
        max_samples: u64::MAX,
        cancel: Cancel::never(),
    };
    let bucket = Duration::from_millis(bucket_ms.unsigned_abs());
    let mut cursor = store.engine.rollups(&request, bucket, &[part]).expect("a query")?;
    let (mut found, mut series) = (Buckets::new(), RollupBuffer::default());
    while cursor.next_series(&mut series).expect("a series") {
        let values = series.times_ms.iter().copied().zip(series.parts[0].iter().map(|value| value.to_bits()));
        let known = found.insert(series.labels.to_string(), values.collect());
        assert!(known.is_none(), "{} comes twice", series.labels);
    }
    Some(found)
}

/// How many samples each series has in the days around a time, if there are rollups to read; of a series with
/// histograms that is not told.
pub(crate) fn counts(
    store: &Open,
    around_ms: i64,
) -> Result<Option<BTreeMap<String, Option<f64>>>, QueryError> {
    let range = between(around_ms - DAY, around_ms + 2 * DAY);
    let request = SelectRequest {
        matchers: Vec::new(),
        range,
        values: None,
        max_samples: u64::MAX,
        cancel: Cancel::never(),
    };
    let opened = store.engine.rollups(&request, Duration::from_secs(300), &[RollupPart::Count])?;
    let Some(mut cursor) = opened else { return Ok(None) };
    let (mut found, mut series) = (BTreeMap::new(), RollupBuffer::default());
    while cursor.next_series(&mut series)? {
        let counts = &series.parts[0];
        let is_told = counts.iter().all(|count| histogram_place(*count).is_none());
        found.insert(series.labels.to_string(), is_told.then(|| counts.iter().sum()));
    }
    Ok(Some(found))
}

/// The same from the samples that a query gives, bucket by bucket.
fn from_samples(store: &Open, range: TimeRange, bucket_ms: i64, part: RollupPart) -> Buckets {
    let (first_ms, last_ms) = (range.start.as_millis(), range.end.as_millis());
    let all = store.select(&[], TimeRange::ALL, u64::MAX).expect("a query");
    let mut found = Buckets::new();
    for (labels, samples) in all {
        let samples: Vec<(i64, f64)> =
            samples.into_iter().map(|(time, bits)| (time, f64::from_bits(bits))).collect();
        let mut values = Vec::new();
        let first_end = (first_ms + bucket_ms - 1).div_euclid(bucket_ms) * bucket_ms;
        for end in (first_end..=last_ms).step_by(bucket_ms as usize) {
            let within = |from: i64| samples.iter().filter(move |(time, _)| *time > from && *time <= end);
            let Some((_, last)) = within(end - bucket_ms).next_back() else { continue };
            let numbers: Vec<(i64, f64)> =
                within(end - bucket_ms).filter(|(_, value)| !is_stale(*value)).copied().collect();
            let values_only = || numbers.iter().map(|(_, value)| *value);
            let before = samples.iter().rfind(|(time, value)| {
                *time <= end - bucket_ms && *time > end - bucket_ms - HOUR && !is_stale(*value)
            });
            let increase = before.into_iter().chain(&numbers).map(|(_, value)| *value).collect::<Vec<_>>();
            let value = match part {
                RollupPart::Last => *last,
                _ if numbers.is_empty() => STALE_NAN,
                RollupPart::Count => numbers.len() as f64,
                RollupPart::Sum => values_only().sum(),
                RollupPart::Min => values_only().fold(f64::INFINITY, f64::min),
                RollupPart::Max => values_only().fold(f64::NEG_INFINITY, f64::max),
                RollupPart::Increase => increase
                    .windows(2)
                    .map(|pair| if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] })
                    .sum(),
            };
            values.push((end, value.to_bits()));
        }
        if !values.is_empty() {
            found.insert(labels, values);
        }
    }
    found
}

/// Compares every part, and says whether there were rollups to read.
fn agree(store: &Open, range: TimeRange) -> bool {
    let mut any = false;
    for bucket_ms in [5 * MINUTE, HOUR] {
        for part in RollupPart::ALL {
            if let Some(mut found) = buckets(store, range, bucket_ms, part) {
                any = true;
                let canonical = |bits: &mut u64| {
                    if !is_stale(f64::from_bits(*bits)) {
                        *bits = (f64::from_bits(*bits) + 0.0).to_bits();
                    }
                };
                found.values_mut().flatten().for_each(|(_, bits)| canonical(bits));
                let mut wanted = from_samples(store, range, bucket_ms, part);
                wanted.values_mut().flatten().for_each(|(_, bits)| canonical(bits));
                assert_eq!(found, wanted, "{part:?} of {bucket_ms} ms");
            }
        }
    }
    any
}

fn between(from_ms: i64, to_ms: i64) -> TimeRange {
    TimeRange::new(Timestamp::from_millis(from_ms), Timestamp::from_millis(to_ms))
}

fn roll_up(store: &Open) {
    store.engine.checkpoint().expect("written");
    store.engine.compact(Timestamp::now()).expect("merged");
}

#[test]
fn they_say_what_the_samples_say_before_and_after_more_came() {
    let place = place();
    let store = place.open();
    let (from, to) = (day(4), Timestamp::now().as_millis() - HOUR);
    store.push("a", &counter(from + 3 * HOUR, to, 1));
    store.push("b", &counter(from, to - 2 * DAY, 2));
    let range = between(from + 1, to);
    assert!(!agree(&store, range), "all is in memory");
    roll_up(&store);
    assert!(agree(&store, range));
    assert!(agree(&store, between(from + 5 * HOUR + 7, from + 5 * HOUR + 7 + DAY)), "a part of two days");
    // A series that nobody knew sends what is three days old.
    store.push("c", &counter(from + DAY + HOUR, from + DAY + 4 * HOUR, 3));
    store.push("a", &counter(to, to + 50 * MINUTE, 1));
    agree(&store, range);
    store.engine.checkpoint().expect("written");
    agree(&store, range);
    let files = place.files("metrics", ".chunks.parquet").len();
    store.engine.compact(Timestamp::now()).expect("merged");
    assert!(place.files("metrics", ".chunks.parquet").len() > files, "what was untrue is made anew");
    assert!(agree(&store, range));
    assert_eq!(buckets(&store, range, 5 * MINUTE, RollupPart::Count).expect("rollups").len(), 3);
    store.engine.shutdown();
    drop(store);
    let store = place.open();
    assert!(agree(&store, range), "after a start");
}

#[test]
fn days_without_samples_within_a_file_are_no_gap_between_rollups() {
    let place = place();
    let disk = BadSectors::default();
    let store = place.try_open_on(Arc::new(disk.clone())).expect("the store opens");
    store.push("a", &each_minute(day(6), day(5)));
    store.push("a", &each_minute(day(3), day(2)));
    store.engine.checkpoint().expect("written");
    let of_samples = place.files("metrics", ".parquet");
    store.engine.compact(Timestamp::now()).expect("rolled up");
    assert_eq!(store.metric("watchkeeper_store_rollups_total"), 4.0, "two days");
    // From here on, whoever reads samples fails.
    *disk.files.lock().expect("a lock") = of_samples;
    let found = buckets(&store, between(day(6) + 1, day(2)), HOUR, RollupPart::Count).expect("rollups");
    assert_eq!(found.values().map(Vec::len).sum::<usize>(), 48);
    store.engine.compact(Timestamp::now()).expect("nothing is read to roll up days that are empty");
}

#[test]
fn the_last_of_five_minutes_stands_in_for_samples_that_are_past_retention() {
    let mut place = place();
    let samples = counter(day(6), day(2) + 5 * HOUR, 1);
    let store = place.open();
    store.push("a", &samples);
    store.push("gone", &counter(day(6), day(5), 2));
    roll_up(&store);
    let last = buckets(&store, between(day(6) + 1, day(3)), 5 * MINUTE, RollupPart::Last).expect("rollups");
    let young: Vec<(i64, f64)> = samples.iter().copied().filter(|(time, _)| *time > day(2)).collect();
    store.engine.shutdown();
    drop(store);
    place.config.retention = DurationText(Duration::from_secs(3 * 86_400));
    let store = place.open();
    store.engine.drop_expired(Timestamp::now()).expect("dropped");
    let past = between(day(6) + 1, day(4));
    assert!(store.engine.rollups_stand_in(past));
    let found = store.select(&[], past, u64::MAX).expect("a query");
    let until = |all: &Buckets| -> Buckets {
        let cut =
            |values: &Vec<(i64, u64)>| values.iter().copied().filter(|(end, _)| *end <= day(4)).collect();
        all.iter().map(|(labels, values)| (labels.clone(), cut(values))).collect()
    };
    assert_eq!(found, until(&last));
    let (labels, expected) = expected("a", &young);
    let today = store.select(&[], between(day(2) + 1, day(0)), u64::MAX).expect("a query");
    assert_eq!(today[&labels], expected, "what is kept is as it came");
    assert!(!store.engine.rollups_stand_in(between(day(2) + 1, day(0))));
    let names = store.engine.label_values("__name__", &[], past, &Cancel::never()).expect("names");
    assert!(names.contains(&"gone".to_owned()), "{names:?}");
    assert_eq!(store.engine.series(&[], past, 10, &Cancel::never()).expect("series").len(), 2);
    assert_eq!(
        store.engine.series(&[], between(day(2) + 1, day(0)), 10, &Cancel::never()).expect("series").len(),
        1
    );
}

#[test]
fn of_histograms_rollups_tell_that_there_are_some_and_the_last_stands_in_for_those_that_are_gone() {
    let mut place = place();
    let mut samples = Vec::new();
    // None has a start, which rollups would not keep.
    let histogram = |number: i64| f64::from_bits((1.0f64.to_bits() + number as u64 * 32) & !31 | 5);
    for number in 0..3 * DAY / MINUTE {
        samples.push((day(6) + number * MINUTE, histogram(number)));
    }
    samples.extend([(day(1), 1.0), (day(1) + MINUTE, 2.0)]);
    let store = place.open();
    store.push("a", &samples);
    roll_up(&store);
    for part in RollupPart::ALL {
        let told = buckets(&store, between(day(6) + 1, day(3)), 5 * MINUTE, part).expect("rollups");
        let values = told.values().flatten().map(|(_, bits)| f64::from_bits(*bits));
        assert!(
            values.clone().count() > 500 && values.map(histogram_place).all(|it| it.is_some()),
            "{part:?}"
        );
    }
    drop(store);
    place.config.retention = DurationText(Duration::from_secs(3 * 86_400));
    let store = place.open();
    store.engine.drop_expired(Timestamp::now()).expect("dropped");
    let past = between(day(6) + 1, day(5));
    let lasts: Vec<(i64, f64)> = samples
        .iter()
        .copied()
        .filter(|(time, _)| *time > day(6) && *time <= day(5) && time % (5 * MINUTE) == 0)
        .collect();
    let found = store.select(&[], past, u64::MAX).expect("a query");
    assert_eq!(found, BTreeMap::from([expected("a", &lasts)]));
}

#[test]
fn a_series_that_is_kept_shorter_than_the_rest_is_not_kept_longer_as_a_rollup() {
    let mut place = place();
    place.config.retention_overrides.metrics = vec![MetricRetention {
        r#match: "as the matchers say".to_owned(),
        matchers: vec![Matcher::equal("parity", "even")],
        keep: DurationText(Duration::from_secs(2 * 86_400)),
    }];
    let store = place.open();
    store.push("a", &counter(day(5), day(0), 1));
    store.push("bb", &counter(day(5), day(0), 2));
    store.engine.checkpoint().expect("written");
    let horizon = Timestamp::now().as_millis() - 2 * DAY;
    store.engine.compact(Timestamp::now()).expect("merged");
    let found = buckets(&store, between(day(5) + 1, day(0)), HOUR, RollupPart::Count).expect("rollups");
    let oldest = |parity: &str| found.iter().find(|(labels, _)| labels.contains(parity)).expect("it").1[0].0;
    assert_eq!(oldest("odd"), day(5) + HOUR);
    assert!((horizon..horizon + 2 * HOUR).contains(&oldest("even")), "{} {horizon}", oldest("even"));
}

#[test]
fn rollups_are_dropped_when_they_are_past_their_retention_and_none_are_made_without_one() {
    let mut place = place();
    let store = place.open();
    store.push("a", &counter(day(6), day(1), 1));
    roll_up(&store);
    assert_eq!(
        store.metric("watchkeeper_store_rollups_total"),
        10.0,
        "five days, by five minutes and by an hour"
    );
    store.engine.shutdown();
    drop(store);
    place.config.rollup_retention = DurationText(Duration::from_secs(3 * 86_400));
    let store = place.open();
    let before = place.files("metrics", ".chunks.parquet").len();
    store.engine.drop_expired(Timestamp::now()).expect("dropped");
    let left = place.files("metrics", ".chunks.parquet").len();
    assert!((4..=6).contains(&(before - left)), "{before} {left}");
    let past = between(day(6) + 1, day(5));
    assert!(buckets(&store, past, HOUR, RollupPart::Max).is_none());
    store.engine.shutdown();
    drop(store);
    let place = Place::with(|config| {
        config.retention = DurationText(Duration::from_secs(20 * 86_400));
        config.rollup_retention = DurationText(Duration::ZERO);
    });
    let store = place.open();
    store.push("a", &counter(day(4), day(1), 1));
    roll_up(&store);
    assert_eq!(store.metric("watchkeeper_store_rollups_total"), 0.0);
}

/// The number of samples of every six hours of some days, of a series that has one every minute.
fn six_hours(found: &[(i64, u64)], from_ms: i64, to_ms: i64) -> Vec<usize> {
    let ends = (from_ms..to_ms).step_by(6 * HOUR as usize).map(|start| (start, start + 6 * HOUR));
    let count = |(start, end)| found.iter().filter(|(time, _)| (start + 1..=end).contains(time)).count();
    ends.map(count).collect()
}

/// A gauge with one sample every minute.
fn each_minute(from_ms: i64, to_ms: i64) -> Vec<(i64, f64)> {
    (from_ms + MINUTE..=to_ms).step_by(MINUTE as usize).map(|time| (time, (time / MINUTE) as f64)).collect()
}

fn of_all_time(store: &Open, name: &str) -> Vec<(i64, u64)> {
    let found = store.select(&[Matcher::equal("__name__", name)], TimeRange::ALL, u64::MAX).expect("a query");
    let (_, samples) = found.into_iter().next().expect("the series");
    assert!(samples.is_sorted_by(|a, b| a.0 < b.0), "in ascending time, each once");
    samples
}

#[test]
fn where_samples_are_kept_longer_than_rollups_these_do_not_hide_them() {
    let place = Place::with(|config| {
        config.retention = DurationText(Duration::from_secs(20 * 86_400));
        config.rollup_retention = DurationText(Duration::from_secs(3 * 86_400));
    });
    let store = place.open();
    store.push("a", &each_minute(day(6), day(0)));
    roll_up(&store);
    assert!(buckets(&store, between(day(5) + 1, day(0)), HOUR, RollupPart::Max).is_none());
    // Yesterday may still get late samples, in the first hours of a day.
    assert!(buckets(&store, between(day(2) + 1, day(1)), HOUR, RollupPart::Max).is_some());
}

#[test]
fn a_series_that_is_kept_longer_takes_no_stand_ins_away_from_the_rest() {
    let mut place = place();
    let store = place.open();
    store.push("a", &each_minute(day(6), day(0)));
    store.push("bb", &each_minute(day(6), day(0)));
    roll_up(&store);
    store.engine.shutdown();
    drop(store);
    place.config.retention = DurationText(Duration::from_secs(2 * 86_400));
    place.config.retention_overrides.metrics = vec![MetricRetention {
        r#match: "as the matchers say".to_owned(),
        matchers: vec![Matcher::equal("parity", "even")],
        keep: DurationText(Duration::from_secs(15 * 86_400)),
    }];
    let store = place.open();
    for _ in 0..2 {
        assert_eq!(six_hours(&of_all_time(&store, "bb"), day(6), day(0)), [360; 24], "it is kept as it came");
        assert_eq!(six_hours(&of_all_time(&store, "a"), day(6), day(3)), [72; 12], "every five minutes");
        assert_eq!(six_hours(&of_all_time(&store, "a"), day(1), day(0)), [360; 4]);
        assert!(store.engine.rollups_stand_in(between(day(6), day(5))));
        store.engine.drop_expired(Timestamp::now()).expect("dropped");
        store.engine.compact(Timestamp::now()).expect("merged");
    }
    // What comes late for the series that is kept longer takes nothing away that cannot be made again.
    store.push("dddd", &[(day(5) + HOUR, 1.0)]);
    let found = buckets(&store, between(day(6), day(0)), HOUR, RollupPart::Max).expect("rollups");
    let of_a = found.iter().find(|(labels, _)| labels.starts_with("a{")).expect("the series");
    assert_eq!(of_a.1.len(), 6 * 24, "nor where it is in memory still");
    roll_up(&store);
    assert_eq!(six_hours(&of_all_time(&store, "a"), day(6), day(3)), [72; 12]);
}

#[test]
fn a_block_that_is_lost_is_stood_in_for_between_those_that_are_left() {
    let place = place();
    let store = place.open();
    for ago in (1..=4).rev() {
        store.push("a", &each_minute(day(ago), day(ago - 1)));
        store.engine.checkpoint().expect("written");
    }
    roll_up(&store);
    let files = engine::inspect::files(place.dir.path()).expect("a store");
    let is_lost = |file: &&engine::inspect::StoreFile| {
        let is_of_the_day =
            |range: TimeRange| range.start.as_millis() == day(3) + MINUTE && range.end.as_millis() == day(2);
        file.path.to_string_lossy().ends_with(".chunks.parquet") && file.range.is_some_and(is_of_the_day)
    };
    let lost = files.iter().find(is_lost).expect("a block of the day before the day before yesterday");
    let path = place.dir.path().join(&lost.path);
    let mut bytes = std::fs::read(&path).expect("a file");
    bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
    std::fs::write(&path, bytes).expect("damaged");
    store.engine.shutdown();
    drop(store);
    let store = place.open();
    _ = store.all();
    assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 1.0);
    let found = of_all_time(&store, "a");
    let expected = [[360; 4], [72; 4], [360; 4], [360; 4]].concat();
    assert_eq!(six_hours(&found, day(4), day(0)), expected);
    assert!(store.engine.rollups_stand_in(between(day(3), day(2))));
    // Nothing can make those rollups again: what comes late does not take them away, but for the five minutes in which
    // it lies.
    store.push("new", &[(day(3) + HOUR, 1.0)]);
    roll_up(&store);
    let found = six_hours(&of_all_time(&store, "a"), day(4), day(0));
    assert_eq!((found[4], &found[5..]), (71, &expected[5..]));
}

#[test]
fn a_damaged_block_of_rollups_leaves_no_hole_in_an_answer() {
    for part in [".series.parquet", ".chunks.parquet", ".times.parquet"] {
        let place = place();
        let store = place.open();
        store.push("a", &each_minute(day(4), day(0)));
        roll_up(&store);
        let whole = counts(&store, day(3)).expect("a query").expect("rollups");
        assert_eq!(whole.values().copied().collect::<Vec<_>>(), [Some(3.0 * 1440.0)]);
        store.engine.shutdown();
        drop(store);
        let files = engine::inspect::files(place.dir.path()).expect("a store");
        let is_of_the_day = |range: TimeRange| range.end.as_millis() == day(2);
        let damaged: Vec<_> = files
            .iter()
            .filter(|file| {
                file.path.to_string_lossy().ends_with(part) && file.range.is_some_and(is_of_the_day)
            })
            .collect();
        assert_eq!(damaged.len(), 2, "five minutes, and an hour");
        for file in damaged {
            let path = place.dir.path().join(&file.path);
            let mut bytes = std::fs::read(&path).expect("a file");
            bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
            std::fs::write(&path, bytes).expect("damaged");
        }
        let store = place.open();
        let mut refused = 0;
        let found = loop {
            match counts(&store, day(3)) {
                Ok(found) => break found,
                Err(QueryError::Stopped(why)) if refused == 0 && why.contains("ask again") => refused += 1,
                Err(error) => panic!("{part}: {error}"),
            }
        };
        assert_eq!(found.expect("rollups, and samples from there on"), whole, "{part}");
        assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 1.0, "{part}");
    }
}
