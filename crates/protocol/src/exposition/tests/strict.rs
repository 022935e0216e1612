use super::{Format, described, fault, read, shown, starts};

#[test]
fn openmetrics_is_read_with_exemplars_units_infos_and_states() {
    let body = r#"# HELP acme_http_router_request_seconds Latency through all of "ACME"'s \"router\".
# TYPE acme_http_router_request_seconds summary
# UNIT acme_http_router_request_seconds seconds
acme_http_router_request_seconds_sum{path="/api/v1",method="GET"} 9036.32
acme_http_router_request_seconds_created{path="/api/v1",method="GET"} 1605281325.0
# TYPE hits counter
hits_total 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67 1520879607.123
hits_created 1520872607.123
# TYPE took histogram
took_bucket{le="1"} 8 # {} 0.5
took_bucket{le="+Inf"} 17
took_count 17
# TYPE build info
build_info{version="1"} 1
# TYPE feature stateset
feature{feature="a"} 1
feature{feature="b"} 0
# TYPE unknown unknown
unknown 1
unnamed 2
# EOF
"#;
    let exposition = read(Format::OpenMetrics, body).expect("a body");
    assert_eq!(
        shown(&exposition),
        [
            r#"acme_http_router_request_seconds_sum{method="GET", path="/api/v1"} 9036.32"#,
            r#"acme_http_router_request_seconds_created{method="GET", path="/api/v1"} 1605281325"#,
            "hits_total 17 @1520879607789",
            "hits_created 1520872607.123",
            r#"took_bucket{le="1.0"} 8"#,
            r#"took_bucket{le="+Inf"} 17"#,
            "took_count 17",
            r#"build_info{version="1"} 1"#,
            r#"feature{feature="a"} 1"#,
            r#"feature{feature="b"} 0"#,
            "unknown 1",
            "unnamed 2",
        ]
    );
    let exemplars: Vec<_> = exposition
        .exemplars()
        .iter()
        .map(|exemplar| (exemplar.sample, exemplar.labels.to_string(), exemplar.value, exemplar.time_ms))
        .collect();
    assert_eq!(
        exemplars,
        [
            (2, r#"{trace_id="KOO5S4vxi0o"}"#.to_owned(), 0.67, Some(1_520_879_607_123)),
            (4, "{}".to_owned(), 0.5, None),
        ]
    );
    let first = "acme_http_router_request_seconds: summary \"seconds\" \"Latency through all of \\\"ACME\\\"'s \\\"router\\\".\"";
    assert_eq!(described(&exposition)[0], first);
    assert_eq!(described(&exposition).len(), 6);
}

#[test]
fn exemplars_stand_anywhere_and_counters_are_of_any_value_as_prometheus_takes_them() {
    let body = "# TYPE a gauge\na 1 # {b=\"c\"} 2\n# TYPE d histogram\nd_count 1 # {} 3\n\
                # TYPE e counter\ne_total -1 # {} 4\ne_total{f=\"g\"} NaN\nunnamed 5 # {} 5\n# EOF\n";
    let exposition = read(Format::OpenMetrics, body).expect("a body");
    assert_eq!(shown(&exposition), ["a 1", "d_count 1", "e_total -1", r#"e_total{f="g"} NaN"#, "unnamed 5"]);
    let exemplars: Vec<_> = exposition.exemplars().iter().map(|one| (one.sample, one.value)).collect();
    assert_eq!(exemplars, [(0, 2.0), (1, 3.0), (2, 4.0), (4, 5.0)]);
}

#[test]
fn an_exemplar_that_is_too_long_is_passed_over_and_counted() {
    let long = "x".repeat(126);
    let body = format!(
        "# TYPE a counter\na_total 1 # {{id=\"{long}\"}} 1\na_total{{b=\"1\"}} 1 # {{idd=\"{long}\"}} 1\n# EOF\n"
    );
    let exposition = read(Format::OpenMetrics, body).expect("a body");
    assert_eq!((exposition.samples().len(), exposition.exemplars().len()), (2, 1));
    assert_eq!(exposition.dropped_exemplars(), 1);
}

#[test]
fn what_breaks_the_rules_is_told_with_its_line_and_what_was_expected() {
    let end = "`# EOF` as the last line, found the end of the body, which may have been cut off";
    let cases = [
        ("a 1\n", format!("line 2: expected {end}")),
        ("", format!("line 1: expected {end}")),
        ("a 1\n# EO", "line 2: expected `# HELP`, `# TYPE`, `# UNIT` or `# EOF`, found \"EO\"".to_owned()),
        ("# EOF\na 1\n", "line 2: expected nothing behind `# EOF`, found \"a 1\"".to_owned()),
        (
            "a 1\n\n# EOF\n",
            "line 2: expected a sample, or `# TYPE`, `# HELP`, `# UNIT` or `# EOF`, found the end of the line".to_owned(),
        ),
        ("a  1\n# EOF\n", "line 1: expected a number, found \"\"".to_owned()),
        ("a 1 \n# EOF\n", "line 1: expected a time in seconds, found \"\"".to_owned()),
        (
            "# TYPE a untyped\n# EOF\n",
            "line 1: expected counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown, found \"untyped\""
                .to_owned(),
        ),
        ("# a comment\n# EOF\n", "line 1: expected `# HELP`, `# TYPE`, `# UNIT` or `# EOF`, found \"a\"".to_owned()),
        (
            "# UNIT a_seconds bytes\n# EOF\n",
            "line 1: expected a unit that the name `a_seconds` ends with, found \"bytes\"".to_owned(),
        ),
        ("# UNIT seconds seconds\n# EOF\n", "line 1: expected a unit that the name `seconds` ends with, found \"seconds\"".to_owned()),
        ("# TYPE a info\na_info 2\n# EOF\n", "line 2: expected 1, for it is an info, found \"2\"".to_owned()),
        ("# TYPE a stateset\na{a=\"b\"} 0.5\n# EOF\n", "line 2: expected 0 or 1, for it is a state, found \"0.5\"".to_owned()),
        ("a 1 NaN\n# EOF\n", "line 1: expected a time in seconds, found \"NaN\"".to_owned()),
        (
            "# TYPE a counter\na_total 1 # {b=\"c\"}\n# EOF\n",
            "line 2: expected one space and the value of an exemplar, found the end of the line".to_owned(),
        ),
        (
            "# TYPE a counter\na_total 1 # {\"b\"} 1\n# EOF\n",
            "line 2: expected `=` behind the name of a label, found \"} 1\"".to_owned(),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(fault(Format::OpenMetrics, body), expected, "{body:?}");
    }
}

#[test]
fn what_was_created_gives_its_start_to_the_samples_of_its_metric_alone() {
    let body = "\
# TYPE hits counter
hits_total{path=\"/a\"} 17
hits_created{path=\"/a\"} 1520872607.123
hits_total{path=\"/b\"} 3
hits_total{path=\"/c\"} 4
hits_created{path=\"/c\"} 1520872608
# TYPE took histogram
took_bucket{le=\"1\"} 8
took_bucket{le=\"+Inf\"} 17
took_count 17
took_sum 3
took_created 5
# TYPE quick summary
quick{quantile=\"0.5\"} 1
quick_count 2
quick_created 6.5
# TYPE odd counter
odd_total 1
odd_created NaN
odd_created -1
odd_created 1e300
# TYPE depth gauge
depth 1
depth_created 7
# EOF
";
    let exposition = read(Format::OpenMetrics, body).expect("a body");
    assert_eq!(
        starts(&exposition),
        [
            r#"hits_total{path="/a"} 1520872607123"#,
            r#"hits_total{path="/c"} 1520872608000"#,
            r#"took_bucket{le="1.0"} 5000"#,
            r#"took_bucket{le="+Inf"} 5000"#,
            "took_count 5000",
            "took_sum 5000",
            r#"quick{quantile="0.5"} 6500"#,
            "quick_count 6500",
        ]
    );
    let created = shown(&exposition).into_iter().filter(|sample| sample.contains("_created"));
    assert_eq!(created.count(), 8, "they are series too");
}
