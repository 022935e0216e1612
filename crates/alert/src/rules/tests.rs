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
fn an_error_names_the_file_and_the_line() {
    let cases = [
        ("interval: 30s", "intervall: 30s", 3, "intervall"),
        ("for: 2m", "for: soon", 9, "soon"),
        ("$value", "$value | frobnicate", 14, "frobnicate"),
        ("[oldest_pending_tasks, workers]", "[ask_bob]", 15, "ask_bob"),
        ("record: queue:depth:sum", "record: 'queue depth'", 5, "queue depth"),
        ("severity: critical", "alertname: other", 12, "alertname"),
        ("        for: 2m\n", "        for: 2m\n        record: x\n", 7, "either"),
        ("- alert: QueueBacklog\n        expr", "- expr", 7, "needs a name"),
        ("groups:", "group:", 1, "group"),
        ("name: queues", "name: [queues", 2, ""),
    ];
    for (from, to, line, named) in cases {
        let error = RuleSet::parse("pack.yml", &BACKLOG.replace(from, to)).expect_err(to);
        let text = error.to_string();
        assert!(text.starts_with(&format!("pack.yml:{line}: ")), "{to}: {text}");
        assert!(text.contains(named), "{to}: {text}");
    }
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
fn two_rules_that_make_the_same_alerts_are_refused() {
    let mut rules = RuleSet::parse("one.yml", BACKLOG).expect("a valid file");
    let error = rules.extend(RuleSet::parse("two.yml", BACKLOG).expect("valid alone")).expect_err("twice");
    assert!(error.to_string().starts_with("two.yml:5: "), "{error}");
    let other =
        BACKLOG.replace("severity: critical", "severity: warning").replace("queue:depth:sum", "other");
    rules.extend(RuleSet::parse("three.yml", &other).expect("valid")).expect("other labels, other alerts");
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
