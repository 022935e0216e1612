use std::time::Duration;

use super::*;

const BACKLOG: &str = r#"groups:
  - name: queues
    interval: 30s
    rules:
      - record: queue:depth:sum
        expr: sum by (queue) (queue_depth)
      - alert: QueueBacklog
        expr: queue_depth{state="pending"} > 100
        for: 2m
        keep_firing_for: 1m
        labels:
          severity: critical
        annotations:
          summary: "{{ $labels.queue }} holds {{ $value }} tasks"
        runbook: [oldest_pending_tasks, workers]
"#;

#[test]
fn a_rule_file_becomes_typed_rules() {
    let rules = RuleSet::parse("pack.yml", BACKLOG).expect("a valid file");
    let [group] = rules.groups() else { panic!("one group") };
    assert_eq!((group.name.as_str(), group.interval), ("queues", Some(Duration::from_secs(30))));
    let Rule::Record(record) = group.rules[0].as_ref() else { panic!("a recording rule") };
    assert_eq!((record.name.as_str(), record.line), ("queue:depth:sum", 5));
    let Rule::Alert(alert) = group.rules[1].as_ref() else { panic!("an alerting rule") };
    assert_eq!((alert.name.as_str(), alert.severity, alert.line), ("QueueBacklog", Severity::Critical, 7));
    assert_eq!((alert.hold, alert.keep_firing_for), (Duration::from_secs(120), Duration::from_secs(60)));
    assert_eq!(alert.runbook, ["oldest_pending_tasks", "workers"]);
    assert!(alert.warnings.is_empty());
}

#[test]
fn an_error_names_the_file_the_line_and_the_column() {
    let cases = [
        ("interval: 30s", "intervall: 30s", "3:5", "intervall"),
        ("for: 2m", "for: soon", "9:14", "soon"),
        ("$value", "$value | frobnicate", "14:20", "annotation \"summary\": 1:39: function \"frobnicate\""),
        ("[oldest_pending_tasks, workers]", "[ask_bob]", "15:19", "ask_bob"),
        ("record: queue:depth:sum", "record: 'queue{depth}'", "5:17", "braces present"),
        ("severity: critical", "__name__: other", "12:21", "__name__"),
        ("        for: 2m\n", "        for: 2m\n        record: x\n", "7:9", "only one of"),
        ("- alert: QueueBacklog\n        expr", "- expr", "7:9", "one of 'record' or 'alert' must be set"),
        ("        expr: queue_depth{state=\"pending\"} > 100\n", "", "7:9", "field 'expr' must be set"),
        (
            "sum by (queue) (queue_depth)",
            "sum by (queue (queue_depth)",
            "6:29",
            "could not parse expression: parse error",
        ),
        ("groups:", "group:", "1:1", "group"),
        ("name: queues", "name: [queues", "2:", ""),
        ("        runbook: [", "          watchkeeper_checks: ask_bob\n        no: [", "16:9", "no"),
        (
            "        runbook: [oldest_pending_tasks, workers]",
            "          watchkeeper_checks: ask_bob",
            "15:31",
            "ask_bob",
        ),
    ];
    for (from, to, place, named) in cases {
        let error = RuleSet::parse("pack.yml", &BACKLOG.replace(from, to)).expect_err(to);
        let text = error.to_string();
        assert!(text.starts_with(&format!("pack.yml:{place}")), "{to}: {text}");
        assert!(text.contains(named), "{to}: {text}");
    }
}

#[test]
fn an_error_in_an_expression_names_one_place_and_says_where_it_is_of_the_expression() {
    let cases = [
        (
            "|\n          sum by (queue) (\n            queue_depth))",
            "8:26: could not parse expression: parse error",
        ),
        (
            "|\n          sum by (queue) (\n            queue_depth",
            "8:24: could not parse expression: parse error",
        ),
        (
            "'sum by (queue (queue_depth)'",
            "6:15: could not parse expression: in its line 1, column 15: parse error",
        ),
    ];
    for (expression, expected) in cases {
        let text = BACKLOG.replace("sum by (queue) (queue_depth)", expression);
        let error = RuleSet::parse("pack.yml", &text).expect_err(expression).to_string();
        assert!(error.starts_with(&format!("pack.yml:{expected}")), "{error}");
    }
}

#[test]
fn all_that_is_wrong_with_a_file_is_said_at_once() {
    let text = BACKLOG.replace("for: 2m", "for: 2m\n        record: x").replace("sum by (queue)", "sum by");
    let errors = RuleSet::parse_whole("pack.yml", &text).expect_err("two faults");
    let lines: Vec<String> = errors.iter().map(|error| error.to_string()[..11].to_owned()).collect();
    assert_eq!(lines, ["pack.yml:6:", "pack.yml:7:"]);
}

#[test]
fn all_that_is_wrong_with_a_rule_is_said_at_once() {
    let text = r#"groups:
- name: a
  labels: { __name__: x }
  rules:
  - record: a{b}
    expr: sum(
    for: 5m
    annotations: { summary: x }
    labels: { '': x }
  - alert: A
    expr: up ==
    labels: { __name__: y, l: "{{ x }}" }
    annotations: { a: "{{ x }}", b: "{{", '': c }
    runbook: [ask_bob, workers, ask_eve]
  - record: c
    alert: C
    expr: )
  - labels: {}
  - record: good
    expr: up
"#;
    let errors = RuleSet::parse_whole("pack.yml", text).expect_err("faults");
    let mut told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    told.sort_by_key(|error| {
        let place = error.split(':').skip(1).take(2).map(|part| part.parse::<u64>().expect("a number"));
        place.collect::<Vec<_>>()
    });
    let expected = [
        ("3:", "invalid label name: `__name__`"),
        ("5:", "braces present"),
        ("6:", "could not parse expression"),
        ("7:", "invalid field 'for'"),
        ("8:", "invalid field 'annotations'"),
        ("9:", "invalid label name: ``"),
        ("11:", "could not parse expression"),
        ("12:", "invalid label name: `__name__`"),
        ("12:", "label \"l\""),
        ("13:", "annotation \"a\""),
        ("13:", "annotation \"b\""),
        ("13:", "invalid annotation name"),
        ("14:", "`ask_bob`"),
        ("14:", "`ask_eve`"),
        ("15:", "only one of"),
        ("17:", "could not parse expression"),
        ("18:", "one of 'record' or 'alert'"),
        ("18:", "field 'expr' must be set"),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (error, (line, named)) in told.iter().zip(expected) {
        assert!(error.starts_with(&format!("pack.yml:{line}")) && error.contains(named), "{named}: {error}");
    }
}

#[test]
fn what_prometheus_takes_is_taken() {
    let texts = [
        "",
        "# nothing\n",
        "groups:\n",
        "groups: []\n",
        "groups:\n- name: a\n  rules:\n",
        "groups:\n- name: a\n  interval: 0s\n  limit: -1\n  labels:\n  rules:\n  - record: 'ütf 8'\n    expr: 1\n    for: 0s\n    labels:\n      'a b': 'x'\n      number: 1\n",
        "groups:\n- name: a\n  rules:\n  -\n  - record: x\n    alert: ''\n    expr: 1\n    labels: { alertname: x, none: , n: ~ }\n  - alert: X\n    record:\n    expr: up\n    labels: { alertname: y }\n    annotations: { a: }\n",
        "groups:\n- name: a\n  labels: { team: x }\n  query_offset: 30s\n  rules:\n  - alert: A\n    expr: |\n      up\n        == 0\n    annotations:\n",
    ];
    for text in texts {
        RuleSet::parse("pack.yml", text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    let rules = RuleSet::parse("pack.yml", texts[5]).expect("valid");
    assert!(rules.warnings().is_empty());
    let Rule::Record(rule) = rules.groups()[0].rules[0].as_ref() else { panic!("a recording rule") };
    assert_eq!((rule.name.as_str(), rule.labels["number"].as_str()), ("ütf 8", "1"));
    assert_eq!((rules.groups()[0].interval, rules.groups()[0].limit), (None, None));
    let rules = RuleSet::parse("pack.yml", texts[7]).expect("valid");
    let Rule::Alert(rule) = rules.groups()[0].rules[0].as_ref() else { panic!("an alerting rule") };
    assert_eq!(rule.labels["team"].text(), "x");
    assert_eq!(rules.groups()[0].query_offset, Duration::from_secs(30));
}

#[test]
fn checks_are_named_in_an_annotation_where_prometheus_reads_the_file_too() {
    let text = BACKLOG.replace(
        "        runbook: [oldest_pending_tasks, workers]",
        "          watchkeeper_checks: oldest_pending_tasks, workers",
    );
    let rules = RuleSet::parse("pack.yml", &text).expect("valid");
    let Rule::Alert(rule) = rules.groups()[0].rules[1].as_ref() else { panic!("an alerting rule") };
    assert_eq!(rule.runbook, ["oldest_pending_tasks", "workers"]);
    assert_eq!(rule.annotations.keys().collect::<Vec<_>>(), ["summary"], "nobody is shown it");
}

#[test]
fn an_unknown_severity_is_a_warning_that_is_said() {
    for (severity, said) in [("severity: page", "`page`"), ("team: ocr", "no label")] {
        let text = BACKLOG.replace("severity: critical", severity);
        let rules = RuleSet::parse("pack.yml", &text).expect("a valid file");
        let Some(Rule::Alert(alert)) = rules.rules().nth(1).map(AsRef::as_ref) else { panic!("an alert") };
        assert_eq!(alert.severity, Severity::Warning);
        assert!(alert.warnings[0].contains(said), "{:?}", alert.warnings);
    }
}

#[test]
fn rules_that_are_there_twice_are_told_apart_and_said() {
    let mut rules = RuleSet::parse("one.yml", BACKLOG).expect("a valid file");
    let before: Vec<String> = rules.rules().map(|rule| rule.id().to_owned()).collect();
    let twice =
        BACKLOG.replace("- record: q", "- record: queue:depth:sum\n        expr: up\n      - record: q");
    rules.extend(RuleSet::parse("two.yml", &twice).expect("valid"));
    let ids: Vec<&str> = rules.rules().map(|rule| rule.id()).collect();
    assert_eq!(ids[..2], before, "the first ones are what they were");
    let different: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!((ids.len(), different.len()), (5, 5), "{ids:?}");
    let warned: Vec<String> = rules
        .warnings()
        .iter()
        .map(|warning| format!("{}:{} {}", warning.file, warning.line, warning.text))
        .collect();
    assert_eq!(warned.len(), 3, "{warned:?}");
    for (warning, named) in warned.iter().zip([
        "two.yml:5 queue:depth:sum: the rule at one.yml:5:17",
        "two.yml:7 ",
        "two.yml:9 QueueBacklog: the rule at one.yml:7:16",
    ]) {
        assert!(warning.starts_with(named), "{warning}");
    }
    let other =
        BACKLOG.replace("severity: critical", "severity: warning").replace("queue:depth:sum", "other");
    rules.extend(RuleSet::parse("three.yml", &other).expect("valid"));
    assert_eq!(rules.warnings().len(), 3, "other labels, other alerts");
}

#[test]
fn what_prometheus_takes_and_cannot_work_is_taken_with_a_warning() {
    let cases = [
        ("groups: [{ name: a, rules: [{ record: x, expr: 'up[5m]' }] }]", "ranges of samples"),
        (
            "groups: [{ name: a, rules: [{ alert: X, labels: { severity: info }, expr: '\"text\"' }] }]",
            "a text",
        ),
        ("groups: []\n---\ngroup: none\n", "pack.yml:2:1: another document"),
    ];
    for (text, named) in cases {
        let warnings = RuleSet::parse("pack.yml", text).expect(text).warnings();
        let said = warnings.iter().map(|w| format!("{}:{}:{}: {}", w.file, w.line, w.column, w.text));
        let said: Vec<String> = said.collect();
        assert!(said.len() == 1 && said[0].contains(named), "{text}: {said:?}");
    }
}

#[test]
fn a_rule_file_may_be_large() {
    let rule =
        "  - { alert: A, expr: up == 0, for: 5m, labels: { n: N }, annotations: { summary: down, b: c } }\n";
    let mut text = "groups:\n- name: a\n  rules:\n".to_owned();
    (0..20_000).for_each(|number| text.push_str(&rule.replace('N', &number.to_string())));
    assert_eq!(RuleSet::parse("large.yml", &text).expect("valid").rules().count(), 20_000);
}

#[test]
fn rule_files_are_found_by_path_folder_and_pattern() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.yml"), BACKLOG).expect("written");
    std::fs::write(folder.path().join("notes.txt"), "no rules").expect("written");
    for patterns in [vec!["a.yml"], vec!["*.yml"], vec![""], vec!["a.yml", "*.yml"]] {
        let patterns: Vec<String> = patterns.into_iter().map(str::to_owned).collect();
        let rules = RuleSet::load(&patterns, folder.path()).expect("found");
        assert_eq!(rules.rules().count(), 2, "{patterns:?}");
    }
    let error = RuleSet::load(&["b*.yml".to_owned()], folder.path()).expect_err("nothing there");
    assert!(matches!(error, RuleError::NoFile { .. }), "{error}");
}

#[test]
fn the_shipped_rules_are_valid_and_say_how_bad_each_alert_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let rules = RuleSet::load(&["pipeline.yml".to_owned()], &path).expect("valid rules");
    assert!(rules.rules().count() > 40);
    for rule in rules.rules() {
        let Rule::Alert(rule) = rule.as_ref() else { continue };
        assert!(rule.warnings.is_empty(), "{}: {:?}", rule.name, rule.warnings);
        assert!(rule.annotations.contains_key("summary"), "{}", rule.name);
    }
}
