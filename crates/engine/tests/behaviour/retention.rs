//! What is kept shorter or longer than the rest.

use arrow::array::RecordBatch;
use engine::{Config, MetricRetention};
use model::{ByteSize, DurationText, MetricBatch, Sample, TimeRange, Timestamp};
use store::{Batch, Cancel, EventScan, MatchOp, Matcher, Table, TelemetryStore};

use crate::fixture::{Place, audited, deploys, labels_of};

const DAY: i64 = 86_400_000;

fn days(days: u64) -> DurationText {
    DurationText(std::time::Duration::from_secs(days * 86_400))
}

fn metrics(matchers: &[Matcher], keep: u64) -> MetricRetention {
    MetricRetention {
        r#match: "as the matchers say".to_owned(),
        matchers: matchers.to_vec(),
        keep: days(keep),
    }
}

fn ago(days: i64) -> i64 {
    Timestamp::now().as_millis() - days * DAY
}

#[test]
fn rows_of_a_table_are_kept_as_long_as_it_says() {
    for (usual, own, seen) in [(1_000, 10, 1), (10, 1_000, 2), (1_000, 1_000, 2), (10, 10, 1)] {
        let place = Place::with(|config| {
            config.retention = days(usual);
            config.retention_overrides.tables.insert("deploys".to_owned(), days(own));
        });
        let store = place.open();
        store.push_rows(&[ago(20)]);
        store.push("up", &[(ago(20), 1.0)]);
        store.engine.checkpoint().expect("written");
        store.push_rows(&[ago(1)]);
        assert_eq!(store.rows().len(), seen, "{usual} {own}: at once, whether its file is there or not");
        store.engine.drop_expired(Timestamp::now()).expect("dropped");
        assert_eq!(store.rows().len(), seen, "{usual} {own}");
        assert_eq!(place.files("events", ".parquet").len(), seen - 1, "{usual} {own}");
        assert_eq!(store.all().len(), usize::from(usual > 20), "metrics are not concerned");
    }
}

#[test]
fn what_is_audited_is_kept_a_year_whatever_else_is_unless_it_is_said_otherwise() {
    let kept_for = |said: Option<u64>| {
        let place = Place::with(|config| {
            config.retention = days(7);
            let said = said.map(|keep| ("audit_events".to_owned(), days(keep)));
            config.retention_overrides.tables.extend(said);
        });
        let store = place.open();
        for age in [400, 364, 100] {
            store.append(Batch { events: vec![audited(&[ago(age)])], ..Batch::default() }).expect("appended");
            store.push_rows(&[ago(age)]);
            store.engine.checkpoint().expect("written");
        }
        store.engine.drop_expired(Timestamp::now()).expect("dropped");
        assert!(store.rows().is_empty(), "the rest goes as ever");
        let scan = EventScan::new(Table::AuditEvents, TimeRange::ALL, 10);
        store.engine.scan(&scan).expect("a scan").iter().map(RecordBatch::num_rows).sum::<usize>()
    };
    assert_eq!((kept_for(None), kept_for(Some(200)), kept_for(Some(1_000))), (2, 1, 3));
}

/// Files of audits and of other rows, as old as these days say and each of one row, when one byte less is there than they
/// take: the ages of those of which something is left.
fn left_of(audits: &[i64], others: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let place = Place::with(|config| config.retention = days(1_000));
    let store = place.open();
    let (now, mut times) = (Timestamp::now().as_millis(), Vec::new());
    for (table, ages) in [(Table::AuditEvents, audits), (Table::Deploys, others)] {
        for age in ages {
            let time = now - age * DAY;
            let rows = if table == Table::Deploys { deploys(&[time]) } else { audited(&[time]) };
            store.append(Batch { events: vec![rows], ..Batch::default() }).expect("appended");
            store.engine.checkpoint().expect("written");
            times.push((time, *age));
        }
    }
    drop(store);
    let files = place.files("events", ".parquet");
    let bytes: u64 = files.iter().map(|path| path.metadata().expect("it").len()).sum();
    let place =
        Place { config: Config { retention_bytes: ByteSize(bytes - 1), ..place.config.clone() }, ..place };
    let store = place.open();
    assert_eq!(store.engine.drop_expired(Timestamp::now()).expect("looked"), 1);
    let left = |table| {
        let batches = store.engine.scan(&EventScan::new(table, TimeRange::ALL, 1_000)).expect("a scan");
        let events = batches.iter().flat_map(|batch| store::events_from_batch(table, batch).expect("rows"));
        let age = |time: i64| times.iter().find(|(at, _)| *at == time).map(|(_, age)| *age);
        events.filter_map(|event| age(event.time().as_millis())).collect::<Vec<i64>>()
    };
    (left(Table::AuditEvents), left(Table::Deploys))
}

#[test]
fn for_want_of_room_what_is_audited_goes_last_while_it_is_little() {
    let others: Vec<i64> = (2..30).rev().collect();
    // It is a fifth at the most, though a row of it may take twice what another takes.
    assert_eq!(left_of(&[60, 50, 40], &others), (vec![60, 50, 40], others[1..].to_vec()));
}

#[test]
fn for_want_of_room_what_is_audited_goes_by_its_age_where_it_is_much() {
    assert_eq!(left_of(&[60, 50, 40], &[30, 20]), (vec![50, 40], vec![30, 20]));
    assert_eq!(left_of(&[50, 40, 30], &[60, 20]), (vec![50, 40, 30], vec![20]), "the older one goes");
    assert_eq!(left_of(&[50, 40], &[]), (vec![40], vec![]));
}

#[test]
fn series_are_kept_as_long_as_the_first_that_matches_says() {
    let even = || Matcher::equal("parity", "even");
    let named = |pattern: &str| Matcher::new("__name__", MatchOp::Regex, pattern).expect("a pattern");
    let change = |config: &mut Config| {
        config.retention = days(30);
        config.retention_overrides.metrics = vec![
            metrics(&[even(), named("aa|bb")], 1_000),
            metrics(&[even()], 10),
            metrics(&[named("x.*")], 50),
        ];
    };
    let place = Place::with(change);
    let store = place.open();
    for name in ["aa", "cc", "xxx", "yyy"] {
        let samples: Vec<Sample> =
            [100, 40, 20, 5].iter().map(|days| Sample { time_ms: ago(*days), value: *days as f64 }).collect();
        let mut batch = MetricBatch::new();
        batch.push(labels_of(name).as_ref(), &samples);
        store.append(batch).expect("appended");
    }
    let seen = |store: &crate::fixture::Open| {
        let all = store.all();
        ["aa", "cc", "xxx", "yyy"].map(|name| all.get(&labels_of(name).to_string()).map_or(0, Vec::len))
    };
    assert_eq!(seen(&store), [4, 1, 3, 2]);
    store.engine.checkpoint().expect("written");
    store.engine.drop_expired(Timestamp::now()).expect("looked");
    assert_eq!(seen(&store), [4, 1, 3, 2], "the block stays as long as what is kept longest");
    let mut passed = 0;
    let all = TimeRange::ALL;
    store
        .engine
        .each_series(&[], all, &mut |series| {
            passed += series.times_ms.len();
            Ok(())
        })
        .expect("gone over");
    assert_eq!(passed, 10, "whoever goes over everything sees the same");
    let later = Timestamp::from_millis(ago(-1_100));
    assert!(store.engine.drop_expired(later).expect("dropped") > 0);
    assert_eq!(seen(&store), [0; 4]);
}

#[test]
fn what_is_past_its_own_retention_goes_when_blocks_are_merged() {
    let place = Place::with(|config| {
        config.retention = days(1_000);
        config.retention_overrides.metrics = vec![metrics(&[Matcher::equal("parity", "even")], 10)];
    });
    let store = place.open();
    let half = DAY / 2;
    let start = ago(20) / DAY * DAY;
    for time in [start, start + half] {
        for name in ["even", "odd"] {
            store.push(name, &[(time, 1.0)]);
        }
        store.engine.checkpoint().expect("written");
    }
    let names = |store: &crate::fixture::Open| {
        let series = store.engine.series(&[], TimeRange::ALL, 10, &Cancel::never()).expect("listed");
        let mut names: Vec<String> = series.iter().map(|labels| labels.metric_name().to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&store), ["even", "odd"], "lists go by what is kept longest");
    assert_eq!(store.engine.compact(Timestamp::now()).expect("merged"), 2);
    assert_eq!(names(&store), ["odd"], "nothing of the other is left");
    assert_eq!(store.all().values().map(Vec::len).collect::<Vec<_>>(), [2]);
}

#[test]
fn blocks_of_which_nothing_is_left_go_when_they_would_be_merged() {
    let place = Place::with(|config| {
        config.retention = days(1_000);
        config.retention_overrides.metrics = vec![metrics(&[Matcher::equal("parity", "even")], 10)];
    });
    let store = place.open();
    let start = ago(20) / DAY * DAY;
    for time in [start, start + 1] {
        store.push("even", &[(time, 1.0)]);
        store.engine.checkpoint().expect("written");
    }
    store.push("odd", &[(ago(0), 1.0)]);
    store.engine.checkpoint().expect("written");
    assert_eq!(store.engine.compact(Timestamp::now()).expect("looked"), 2);
    assert_eq!(place.files("metrics", ".chunks.parquet").len(), 1, "that of the series which is kept");
    drop(store);
    let store = place.open();
    assert_eq!(store.all().len(), 1);
    assert_eq!(store.metric("watchkeeper_store_quarantined_files"), 0.0);
}

#[test]
fn an_override_that_means_nothing_is_refused_at_the_start() {
    let table = |config: &mut Config, name: &str, keep| {
        config.retention_overrides.tables.insert(name.to_owned(), days(keep));
    };
    let changes: [&dyn Fn(&mut Config); 3] =
        [&|config| table(config, "deploy", 1), &|config| table(config, "deploys", 0), &|config| {
            config.retention_overrides.metrics.push(metrics(&[], 1));
        }];
    for change in changes {
        let opened = Place::with(change).try_open_on(std::sync::Arc::new(engine::vfs::Disk));
        assert!(matches!(opened.err(), Some(engine::EngineError::BadRetention(_))));
    }
}
