//! Classic histograms that become native ones.

use super::{Format, shown};
use crate::exposition::{Exposition, Options, decode};

fn converted(body: &str, classic_histograms: bool) -> Exposition {
    let options =
        Options { max_bytes: 1 << 20, native_histograms: true, classic_histograms, custom_histograms: true };
    decode(Format::OpenMetrics, body.as_bytes(), &options).expect("a body")
}

const BODY: &str = r#"# TYPE took histogram
took_bucket{path="/",le="0.5"} 1
took_bucket{path="/",le="1"} 3 # {trace_id="a"} 0.7
took_bucket{path="/",le="+Inf"} 4 # {trace_id="b"} 7.5
took_count{path="/"} 4
took_sum{path="/"} 9.5
took_bucket{path="/b",le="+Inf"} 0
took_count{path="/b"} 0
took_sum{path="/b"} 0
# TYPE hits counter
hits_total 5 # {trace_id="c"} 1
# TYPE odd gauge
odd_count 3
# EOF
"#;

#[test]
fn a_classic_histogram_becomes_one_sample_with_its_bounds_and_exemplars() {
    let exposition = converted(BODY, false);
    assert_eq!(
        shown(&exposition),
        [
            "hits_total 5",
            "odd_count 3",
            r#"took{path="/"} histogram of 4"#,
            r#"took{path="/b"} histogram of 0"#,
        ]
    );
    let values: Vec<f64> = exposition.samples().map(|sample| sample.value).collect();
    let native = exposition.histograms().of(values[2]).expect("a histogram").expect("our own encoding");
    assert_eq!((native.custom_bounds, native.sum), (vec![0.5, 1.0], 9.5));
    assert_eq!(native.positive.counts, [1.0, 2.0, 1.0]);
    let exemplars: Vec<(usize, f64)> =
        exposition.exemplars().iter().map(|exemplar| (exemplar.sample, exemplar.value)).collect();
    assert_eq!(exemplars, [(0, 1.0), (2, 0.7), (2, 7.5)], "each goes with its sample");
    assert!(exposition.left_out().is_none());
}

#[test]
fn classic_series_stay_beside_it_where_they_are_always_wanted() {
    let exposition = converted(BODY, true);
    let all = shown(&exposition);
    assert_eq!(all.len(), 12, "{all:?}");
    assert_eq!(all[0], r#"took_bucket{le="0.5", path="/"} 1"#);
    assert_eq!(all[10..], [r#"took{path="/"} histogram of 4"#, r#"took{path="/b"} histogram of 0"#]);
    let samples: Vec<usize> = exposition.exemplars().iter().map(|exemplar| exemplar.sample).collect();
    assert_eq!(samples, [1, 2, 8, 10, 10]);
}

#[test]
fn one_that_contradicts_itself_is_left_out_and_told() {
    let body = "# TYPE a histogram\na_bucket{le=\"1\"} 3\na_bucket{le=\"+Inf\"} 2\na_count 2\na_sum 1\n\
                # TYPE b histogram\nb_bucket{le=\"+Inf\"} 2\nb_count 2\nb_sum 1\n# EOF\n";
    let exposition = converted(body, false);
    assert_eq!(shown(&exposition), ["b histogram of 2"]);
    let (count, labels, error) = exposition.left_out().expect("one");
    assert_eq!((count, labels.to_string()), (1, "a".to_owned()));
    assert_eq!(error.to_string(), "a bucket of it holds fewer observations than one with a lower bound");
}
