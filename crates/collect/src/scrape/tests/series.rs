use std::path::Path;

use model::{Labels, MetricBatch, is_stale};
use protocol::exposition::{Exposition, Format, Options, decode};
use serde_json::{Value, json};

use crate::scrape::config::ScrapingConfig;
use crate::scrape::globals::Globals;
use crate::scrape::job::{Job, Surroundings};
use crate::scrape::series::Series;
use crate::trust::Authorities;

fn job(keys: Value) -> Job {
    let mut config = keys;
    config["job_name"] = json!("j");
    let config = serde_json::from_value(config).expect("a job");
    let scraping = ScrapingConfig::default();
    let authorities = Authorities::default();
    let around = Surroundings { scraping: &scraping, base: Path::new(""), authorities: &authorities };
    Job::new(&config, &Globals::default(), &around).expect("a job")
}

fn shown(text: &str) -> Exposition {
    let options = Options {
        max_bytes: 1 << 20,
        native_histograms: true,
        classic_histograms: false,
        custom_histograms: false,
    };
    decode(Format::OpenMetrics, format!("{text}# EOF\n").as_bytes(), &options).expect("a body")
}

/// A body with one family, of one short histogram.
fn shown_histogram(histogram: &[u8]) -> Exposition {
    let metric = [&[0x3a, histogram.len() as u8][..], histogram].concat();
    let family = [&[0x0a, 1, b'h', 0x18, 4, 0x22, metric.len() as u8][..], &metric].concat();
    let body = [&[family.len() as u8][..], &family].concat();
    let options = Options {
        max_bytes: 1 << 20,
        native_histograms: true,
        classic_histograms: false,
        custom_histograms: false,
    };
    decode(Format::Protobuf, &body, &options).expect("a body")
}

/// The samples of a batch, each as `name{labels} value @time`.
fn samples(batch: &MetricBatch) -> Vec<String> {
    let one = |labels: model::LabelsRef<'_>, sample: &model::Sample| {
        let value = if is_stale(sample.value) { "ends".to_owned() } else { sample.value.to_string() };
        format!("{labels} {value} @{}", sample.time_ms)
    };
    batch.iter().flat_map(|(labels, samples)| samples.iter().map(move |sample| one(labels, sample))).collect()
}

#[test]
fn what_is_new_in_a_scrape_is_told_once() {
    let (mut series, job) = (Series::default(), job(json!({})));
    let target = Labels::from_pairs([("instance", "i")]);
    let first = shown("# TYPE a counter\n# HELP a What it is.\na_total 1 # {t=\"x\"} 0.5 7.5\nb 2\n");
    let taken = series.take(&first, &job, &target, 1000).unwrap_or_else(|(error, _)| panic!("{error}"));
    assert_eq!(samples(&taken.batch), [r#"a_total{instance="i"} 1 @1000"#, r#"b{instance="i"} 2 @1000"#]);
    assert_eq!((taken.counts.shown, taken.counts.kept, taken.counts.added), (2, 2, 2));
    assert_eq!(taken.metadata.len(), 1);
    assert_eq!(taken.exemplars.len(), 1);
    let exemplar = &taken.exemplars[0];
    assert_eq!(exemplar.series.to_string(), r#"a_total{instance="i"}"#);
    assert_eq!((exemplar.labels.get("t"), exemplar.value, exemplar.time_ms), (Some("x"), 0.5, 7500));

    let second = shown("# TYPE a counter\n# HELP a Something else.\na_total 2 # {t=\"x\"} 0.5 7.5\nc 3\n");
    let taken = series.take(&second, &job, &target, 2000).unwrap_or_else(|(error, _)| panic!("{error}"));
    assert_eq!(
        samples(&taken.batch),
        [r#"a_total{instance="i"} 2 @2000"#, r#"c{instance="i"} 3 @2000"#, r#"b{instance="i"} ends @2000"#]
    );
    assert_eq!((taken.counts.added, taken.metadata.len(), taken.exemplars.len()), (1, 1, 0));
    assert_eq!(series.metadata()[0].help, "Something else.");
}

#[test]
fn a_scrape_over_a_limit_ends_what_was_stored_and_nothing_else() {
    let (mut series, job) = (Series::default(), job(json!({ "sample_limit": 2 })));
    let target = Labels::empty();
    let stored = series.take(&shown("a 1\nb 1\n"), &job, &target, 1000);
    assert!(stored.is_ok());
    let Err((error, counts)) = series.take(&shown("a 1\nc 1\nd 1\n"), &job, &target, 2000) else {
        panic!("the limit is passed over");
    };
    assert!(error.to_string().contains("sample_limit"), "{error}");
    assert_eq!((counts.shown, counts.kept, counts.added), (3, 3, 0), "how far it is over the limit is told");
    let mut batch = MetricBatch::new();
    series.end(2000, &mut batch);
    let mut ended = samples(&batch);
    ended.sort();
    assert_eq!(ended, ["a ends @2000", "b ends @2000"]);
}

#[test]
fn an_empty_label_keeps_that_of_the_target_away_where_labels_are_honoured() {
    let target = Labels::from_pairs([("instance", "i"), ("job", "j")]);
    let body = shown("a{instance=\"\",job=\"own\"} 1\n");
    let cases = [
        (true, r#"a{job="own"} 1 @1000"#),
        (false, r#"a{exported_job="own", instance="i", job="j"} 1 @1000"#),
    ];
    for (honor, expected) in cases {
        let job = job(json!({ "honor_labels": honor }));
        let taken = Series::default().take(&body, &job, &target, 1000);
        let taken = taken.unwrap_or_else(|(error, _)| panic!("{error}"));
        assert_eq!(samples(&taken.batch), [expected]);
    }
}

#[test]
fn another_job_of_the_same_name_relabels_anew() {
    let mut series = Series::default();
    let target = Labels::empty();
    let body = shown("a 1\nb 1\n");
    let before =
        series.take(&body, &job(json!({})), &target, 1000).unwrap_or_else(|(error, _)| panic!("{error}"));
    assert_eq!(samples(&before.batch).len(), 2);
    let drops = json!([{ "source_labels": ["__name__"], "regex": "b", "action": "drop" }]);
    let after = job(json!({ "metric_relabel_configs": drops }));
    let after = series.take(&body, &after, &target, 2000).unwrap_or_else(|(error, _)| panic!("{error}"));
    assert_eq!(samples(&after.batch), ["a 1 @2000", "b ends @2000"]);
}

#[test]
fn relabelling_that_takes_a_name_away_fails_the_scrape() {
    let drops = json!([{ "regex": "__name__", "action": "labeldrop" }]);
    let job = job(json!({ "metric_relabel_configs": drops }));
    let Err((error, _)) = Series::default().take(&shown("a{b=\"c\"} 1\n"), &job, &Labels::empty(), 1000)
    else {
        panic!("a series without a name is stored");
    };
    assert_eq!(error.to_string(), "relabelling leaves {b=\"c\"} without a name");
}

#[test]
fn a_native_histogram_moves_into_the_batch_with_no_more_buckets_than_the_limit() {
    // One family: a histogram of schema 1 with two positive buckets, of 1 and 2 observations.
    let histogram = [
        &[0x08, 3, 0x28, 2][..],
        &[0x31],
        &0.001f64.to_le_bytes(),
        &[0x62, 4, 0x08, 2, 0x10, 2],
        &[0x68, 2, 0x68, 2],
    ]
    .concat();
    let shown = shown_histogram(&histogram);
    let target = Labels::empty();
    let fine = job(json!({ "native_histogram_bucket_limit": 2 }));
    let stored = |job: &Job| {
        let taken = Series::default().take(&shown, job, &target, 1000);
        let taken = taken.unwrap_or_else(|(error, _)| panic!("{error}"));
        let (_, stored) = taken.batch.iter().next().expect("a series");
        let histogram = taken.batch.histograms().of(stored[0].value).expect("a histogram").expect("our own");
        (histogram.schema, histogram.positive.counts)
    };
    assert_eq!(stored(&fine), (1, vec![1.0, 2.0]));
    let coarse = job(json!({ "native_histogram_bucket_limit": 1 }));
    assert_eq!(stored(&coarse), (0, vec![3.0]));
    let wide = job(json!({ "native_histogram_min_bucket_factor": 1.5 }));
    assert_eq!(stored(&wide), (0, vec![3.0]));
}

#[test]
fn a_native_histogram_that_cannot_become_coarse_enough_fails_the_scrape() {
    // A bucket on either side of zero: no schema makes one of them.
    let histogram = [
        &[0x08, 2][..],
        &[0x31],
        &0.001f64.to_le_bytes(),
        &[0x4a, 4, 0x08, 2, 0x10, 1, 0x50, 2],
        &[0x62, 4, 0x08, 2, 0x10, 1, 0x68, 2],
    ]
    .concat();
    let shown = shown_histogram(&histogram);
    let strict = job(json!({ "native_histogram_bucket_limit": 1 }));
    let Err((error, _)) = Series::default().take(&shown, &strict, &Labels::empty(), 1000) else {
        panic!("the limit is passed over");
    };
    assert!(error.to_string().ends_with("the limit is 1 (native_histogram_bucket_limit)"), "{error}");
}

#[test]
fn samples_keep_the_start_that_their_target_tells() {
    let (mut series, job) = (Series::default(), job(json!({})));
    let target = Labels::from_pairs([("instance", "i")]);
    let body = shown("# TYPE a counter\na_total 1\na_created 7.5\n# TYPE b gauge\nb 2\n");
    let taken = series.take(&body, &job, &target, 9000).unwrap_or_else(|(error, _)| panic!("{error}"));
    let starts = |(labels, run): (model::LabelsRef<'_>, model::SampleRun<'_>)| {
        format!("{} {:?}", labels.metric_name(), run.iter().map(|(_, start)| start).collect::<Vec<_>>())
    };
    let told: Vec<String> = taken.batch.runs().map(starts).collect();
    assert_eq!(told, ["a_total [7500]", "a_created [0]", "b [0]"]);
}
