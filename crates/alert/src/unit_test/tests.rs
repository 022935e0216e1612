use std::path::Path;

use super::*;

const RULES: &str = r#"groups:
  - name: first
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: InstanceDown
        expr: up == 0
        for: 2m
        keep_firing_for: 1m
        labels: { severity: page, zone: "{{ $externalLabels.zone }}" }
        annotations:
          summary: "{{ $labels.instance }} of {{ $labels.job }} is down ({{ $value }})"
          sum: '{{ with query (printf "job:up:sum{job=%q}" $labels.job) }}{{ . | first | value }}{{ end }}'
          link: "{{ $externalURL }}"
  - name: second
    rules:
      - record: firing
        expr: count by (alertname) (ALERTS{alertstate="firing"})
"#;

const TESTS: &str = r#"rule_files: ["rul*.yml"]
evaluation_interval: 1m
group_eval_order: [first, second]
tests:
  - name: an instance goes down and comes back
    external_labels: { zone: eu }
    external_url: http://x.org
    input_series:
      - series: up{job="a", instance="one"}
        values: 1 0x4 1x4
      - series: up{job="a", instance="two"}
        values: 1x10
    alert_rule_test:
      - { eval_time: 2m, alertname: InstanceDown }
      - eval_time: 3m30s
        alertname: InstanceDown
        exp_alerts:
          - exp_labels: { severity: page, zone: eu, job: a, instance: one }
            exp_annotations: { summary: "one of a is down (0)", sum: "1", link: "http://x.org" }
      - eval_time: 6m
        alertname: InstanceDown
        exp_alerts:
          - exp_labels: { severity: page, zone: eu, job: a, instance: one }
            exp_annotations: { summary: "one of a is down (0)", sum: "1", link: "http://x.org" }
      - { eval_time: 7m, alertname: InstanceDown }
    promql_expr_test:
      - expr: job:up:sum
        eval_time: 3m
        exp_samples: [{ labels: 'job:up:sum{job="a"}', value: 1 }]
      - expr: firing
        eval_time: 4m
        exp_samples: [{ labels: 'firing{alertname="InstanceDown"}', value: 1 }]
      - { expr: firing, eval_time: 8m }
      - { expr: ALERTS_FOR_STATE, eval_time: 8m }
      - { expr: "time()", eval_time: 90s, exp_samples: [{ labels: "{}", value: 90 }] }
"#;

fn written(rules: &str, tests: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("rules.yml"), rules).expect("written");
    let path = folder.path().join("tests.yml");
    std::fs::write(&path, tests).expect("written");
    (folder, path)
}

#[test]
fn rules_that_do_what_is_expected_pass() {
    let (_folder, path) = written(RULES, TESTS);
    let report = run_file(&path, None);
    assert!(report.passed(), "{report:#?}");
    assert_eq!(report.tests[0].passed, 9);
    let none = run_file(&path, Some(&Regex::new("other").expect("a pattern")));
    assert!(none.passed() && none.tests.is_empty());
}

#[test]
fn the_examples_of_the_documentation_pass() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/alerts.md");
    let page = std::fs::read_to_string(page).expect("the page of alerts");
    let example = |beginning: &str| {
        let mut blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        blocks.find(|block| block.starts_with(beginning)).expect(beginning)
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (rules, tests) = (folder.path().join("queues.yml"), folder.path().join("tests.yml"));
    std::fs::write(&rules, example("groups:")).expect("written");
    std::fs::write(&tests, example("rule_files:")).expect("written");
    let read = crate::RuleSet::read_whole(&rules).expect("the rules of the page");
    assert_eq!((read.rules().count(), read.warnings()), (2, Vec::new()));
    let report = run_file(&tests, None);
    assert!(report.passed() && report.tests[0].passed == 2, "{report:#?}");
}

#[test]
fn rules_record_native_histograms_and_alert_on_them() {
    let rules = r#"groups:
  - name: latencies
    rules:
      - { record: job:latency:sum, expr: sum by (job) (latency) }
      - { alert: Observed, expr: job:latency:sum }
"#;
    let tests = r#"rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - input_series:
      - series: latency{job="a", instance="one"}
        values: "{{schema:0 count:3 sum:4 buckets:[1 2]}}x5"
      - series: latency{job="a", instance="two"}
        values: "{{schema:0 count:1 sum:2 buckets:[0 1]}}x5"
    alert_rule_test:
      - { eval_time: 2m, alertname: Observed, exp_alerts: [{ exp_labels: { job: a } }] }
    promql_expr_test:
      - expr: job:latency:sum
        eval_time: 2m
        exp_samples:
          - labels: 'job:latency:sum{job="a"}'
            histogram: "{{schema:0 count:4 sum:6 buckets:[1 3]}}"
"#;
    let (_folder, path) = written(rules, tests);
    let report = run_file(&path, None);
    assert!(report.passed() && report.tests[0].passed == 2, "{report:#?}");
    for (from, to) in
        [("sum:6", "sum:7"), ("\"{{schema:0 count:4", "\"x}}"), ("\"{{schema:0 count:4", "\"}}")]
    {
        let (_folder, path) = written(rules, &tests.replacen(from, to, 1));
        assert!(!run_file(&path, None).passed(), "{to}");
    }
}

#[test]
fn what_is_not_as_expected_is_shown_beside_what_is() {
    let cases = [
        (
            "value: 1 }]\n      - expr: firing",
            "value: 2 }]\n      - expr: firing",
            "job:up:sum{job=\"a\"} 2",
            "job:up:sum{job=\"a\"} 1",
        ),
        (
            "{ eval_time: 2m, alertname: InstanceDown }",
            "{ eval_time: 3m, alertname: InstanceDown }",
            "",
            "is down (0)",
        ),
        ("(0)\", sum", "(1)\", sum", "is down (1)", "is down (0)"),
        ("{ expr: firing, eval_time: 8m }", "{ expr: firing, eval_time: 4m }", "", "firing{"),
    ];
    for (from, to, missing, unexpected) in cases {
        let (_folder, path) = written(RULES, &TESTS.replacen(from, to, 1));
        let report = run_file(&path, None);
        let failures = &report.tests[0].failures;
        assert_eq!(failures.len(), 1, "{to}: {report:#?}");
        assert!(missing.is_empty() == failures[0].missing.is_empty(), "{report:#?}");
        assert!(failures[0].missing.iter().all(|line| line.contains(missing)), "{report:#?}");
        assert!(failures[0].unexpected[0].contains(unexpected), "{report:#?}");
    }
}

#[test]
fn what_is_wrong_with_a_file_of_tests_is_said() {
    let cases = [
        (
            "evaluation_interval",
            "evaluation_intervall",
            "tests.yml:2:1: unknown field `evaluation_intervall`",
        ),
        (
            "values: 1 0x4",
            "values: 1 0y4",
            "tests.yml:10:17: input series `up{job=\\\"a\\\", instance=\\\"one\\\"}`: `0y4` is no point",
        ),
        (
            "series: up{job=\"a\", instance=\"one\"}",
            "series: up{",
            "tests.yml:9:17: input series `up{`: 1:4: parse error: unexpected end of input inside braces",
        ),
        ("alertname: InstanceDown }", "alertname: '' }", "misses required attribute alertname"),
        ("[first, second]", "[first, first]", "group name repeated"),
        ("expr: job:up:sum\n", "expr: job:up:sum[1m]\n", "not a vector or scalar"),
        ("series: up{", "series: up{job!=\"x\",", "with `=`"),
    ];
    for (from, to, named) in cases {
        let (_folder, path) = written(RULES, &TESTS.replacen(from, to, 1));
        let report = run_file(&path, None);
        let text = format!("{report:?}");
        assert!(!report.passed() && text.contains(named), "{to}: {text}");
        assert!(!text.contains(" at line "), "the place is said once: {text}");
    }
    let (_folder, path) = written(&RULES.replace("sum by (job) (up)", "sum by ("), TESTS);
    assert!(
        run_file(&path, None).error.expect("said").contains("rules.yml:5:23: could not parse expression")
    );
    let (_folder, path) = written(RULES, &TESTS.replace("rul*.yml", "none*.yml"));
    assert_eq!(run_file(&path, None).warnings, ["no file matches `none*.yml`"]);
    assert!(run_file(Path::new("/nonexistent.yml"), None).error.is_some());
}

#[test]
fn a_rule_that_fails_ends_its_test() {
    let rules = RULES.replace("name: first", "name: first\n    limit: 1");
    let (_folder, path) =
        written(&rules, TESTS.replace("1 0x4 1x4", "0x9").replace("values: 1x10", "values: 0x10").as_str());
    let report = run_file(&path, None);
    let failure = &report.tests[0].failures[0];
    assert_eq!(failure.error.as_deref(), Some("exceeded limit of 1 with 2 alerts"), "{report:#?}");
    assert_eq!((failure.subject.as_str(), failure.time.as_str()), ("the rule InstanceDown", "0s"));
}

#[test]
fn files_are_read_as_promtool_reads_them() {
    let rules = r#"groups:
  - name: twice
    rules:
      - { alert: A, expr: y == 2, labels: { alertname: other } }
      - { alert: A, expr: y == 2 }
"#;
    let tests = r#"rule_files: [rules.yml, rules.yml]
group_eval_order:
tests:
  - interval: 30s
    input_series:
      - { series: y, values: 7x9 }
      - { series: y, values: 0+1x9 }
      - { series: z, values: }
    external_labels: { none: }
    alert_rule_test:
      - eval_time: 1m
        alertname: A
        exp_alerts: [{ exp_annotations: }, { exp_labels: { alertname: that, empty: } }]
    promql_expr_test:
      - { expr: y, exp_samples: [{ labels: y, value: 0 }] }
      # What comes after the last evaluation is not there yet.
      - { expr: y, eval_time: 90s, exp_samples: [{ labels: y, value: 2 }] }
  -
    start_timestamp: "1700000000"
    promql_expr_test: [{ expr: "time()", exp_samples: [{ labels: "{}", value: 1700000000 }] }]
---
another: document
"#;
    // An expected label without a text is no label of an alert that fires.
    let (_folder, path) = written(rules, tests);
    let report = run_file(&path, None);
    assert_eq!(report.tests[0].failures.len(), 1, "{report:#?}");
    assert!(report.tests[0].failures[0].missing[0].contains("empty=\"\""), "{report:#?}");
    let (_folder, path) = written(rules, &tests.replace(", empty: ", ""));
    let report = run_file(&path, None);
    assert!(report.passed() && report.tests.len() == 2, "{report:#?}");
    let (_folder, path) = written(rules, &tests.replace("series: z", "series: '{}'"));
    assert!(format!("{:?}", run_file(&path, None)).contains("neither a name nor labels"));
}

#[test]
fn what_is_known_of_resets_counts_where_it_is_expected() {
    let tests = |hint: &str| {
        format!(
            r#"rule_files: [rules.yml]
tests:
  - input_series: [{{ series: h, values: "{{{{count:1}}}} {{{{count:2}}}}" }}]
    promql_expr_test:
      - {{ expr: h, eval_time: 1m, exp_samples: [{{ labels: h, histogram: "{{{{count:2{hint}}}}}" }}] }}
"#
        )
    };
    for (hint, passes) in
        [("", true), (" counter_reset_hint:not_reset", true), (" counter_reset_hint:gauge", false)]
    {
        let (_folder, path) = written("groups: []", &tests(hint));
        let report = run_file(&path, None);
        assert_eq!(report.passed(), passes, "{hint}: {report:#?}");
    }
}
