use model::Labels;
use serde_json::{Value, json};

use super::{RelabelConfig, RelabelRules};

fn rules(rules: Value) -> RelabelRules {
    let rules: Vec<RelabelConfig> = serde_json::from_value(rules).expect("rules");
    RelabelRules::new(&rules).expect("rules that can be applied")
}

/// The labels after the rules; nothing when they are dropped.
fn relabelled(labels: &[(&str, &str)], written: Value) -> Option<String> {
    let mut builder = Labels::from_pairs(labels.iter().copied()).to_builder();
    rules(written).apply(&mut builder).then(|| builder.build().to_string())
}

#[test]
fn every_action_does_what_it_does_in_prometheus() {
    let labels = [("a", "foo"), ("b", "bar"), ("__meta_zone", "eu")];
    let kept = r#"{__meta_zone="eu", a="foo", b="bar""#;
    let cases = [
        (
            json!({ "source_labels": ["a"], "regex": "f(.*)", "target_label": "d", "replacement": "ch${1}-$1" }),
            Some(r#", d="choo-oo"}"#),
        ),
        // A pattern must match all of it, and nothing happens where it does not.
        (json!({ "source_labels": ["a"], "regex": "f", "target_label": "d" }), Some("}")),
        (json!({ "target_label": "d", "replacement": "fixed" }), Some(r#", d="fixed"}"#)),
        (
            json!({ "source_labels": ["a", "b"], "regex": "(f).*;(b).*", "target_label": "$1$2", "replacement": "x" }),
            Some(r#", fb="x"}"#),
        ),
        (
            json!({ "source_labels": ["a", "b"], "separator": "-", "regex": "foo-bar", "action": "Keep" }),
            Some("}"),
        ),
        (json!({ "source_labels": ["a"], "regex": "fo", "action": "keep" }), None),
        (json!({ "source_labels": ["a"], "regex": "fo.|x", "action": "drop" }), None),
        (json!({ "source_labels": ["missing"], "regex": ".+", "action": "drop" }), Some("}")),
        (json!({ "source_labels": ["a"], "target_label": "b", "action": "keepequal" }), None),
        (json!({ "source_labels": ["a"], "target_label": "a", "action": "keepequal" }), Some("}")),
        (json!({ "source_labels": ["a"], "target_label": "a", "action": "dropequal" }), None),
        (
            json!({ "source_labels": ["a"], "target_label": "d", "action": "uppercase" }),
            Some(r#", d="FOO"}"#),
        ),
        (
            json!({ "source_labels": ["a", "b"], "target_label": "d", "action": "lowercase" }),
            Some(r#", d="foo;bar"}"#),
        ),
        (
            json!({ "regex": "__meta_(.+)", "replacement": "z_$1", "action": "labelmap" }),
            Some(r#", z_zone="eu"}"#),
        ),
    ];
    for (rule, expected) in cases {
        let expected = expected.map(|end| format!("{kept}{end}"));
        assert_eq!(relabelled(&labels, json!([rule])), expected, "{rule}");
    }
}

#[test]
fn labels_are_dropped_and_kept_by_their_names() {
    let labels = [("a", "1"), ("b", "2"), ("ab", "3")];
    let cases = [("labeldrop", r#"{ab="3", b="2"}"#), ("labelkeep", r#"{a="1"}"#)];
    for (action, expected) in cases {
        let rule = json!([{ "regex": "a", "action": action }]);
        assert_eq!(relabelled(&labels, rule).as_deref(), Some(expected));
    }
    let emptied = json!([{ "source_labels": ["a"], "target_label": "b", "replacement": "" }]);
    assert_eq!(relabelled(&labels, emptied).as_deref(), Some(r#"{a="1", ab="3"}"#), "an empty value removes");
}

#[test]
fn targets_are_shared_out_by_the_hash_that_prometheus_takes() {
    // `printf foo | md5sum` says acbd18db4cc2f85cedef654fccc4a4d8.
    let expected = (0xedef_654f_ccc4_a4d8_u64 % 1000).to_string();
    let rule = json!([{ "source_labels": ["a"], "target_label": "d", "modulus": 1000, "action": "hashmod" }]);
    let relabelled = relabelled(&[("a", "foo")], rule);
    assert_eq!(relabelled, Some(format!(r#"{{a="foo", d="{expected}"}}"#)));
}

#[test]
fn rules_apply_one_after_the_other() {
    let written = json!([
        { "source_labels": ["__address__"], "regex": "(.*):.*", "target_label": "host" },
        { "source_labels": ["host"], "regex": "db-(\\d+)", "target_label": "shard" },
        { "source_labels": ["shard"], "regex": "7", "action": "keep" },
        { "regex": "host|__address__", "action": "labeldrop" },
    ]);
    let kept = relabelled(&[("__address__", "db-7:9100")], written.clone());
    assert_eq!(kept.as_deref(), Some(r#"{shard="7"}"#));
    assert_eq!(relabelled(&[("__address__", "db-8:9100")], written), None);
}

#[test]
fn patterns_are_those_of_prometheus() {
    let cases = [
        (r"\Q127.0.0.1\E:(\d+)", "127.0.0.1:80", "80"),
        ("x{foo(.*)", "x{foo1", "1"),
        ("[a-z&&]+(.*)", "a&b1", "1"),
        (r"(\w+).*", "aé", "a"),
        (r"\d(.*)", "٣", ""),
    ];
    for (pattern, value, expected) in cases {
        let rule = json!([{ "source_labels": ["a"], "regex": pattern, "target_label": "a" }]);
        let expected = if expected.is_empty() { value } else { expected };
        assert_eq!(relabelled(&[("a", value)], rule), Some(format!("{{a={expected:?}}}")), "{pattern}");
    }
}

#[test]
fn rules_that_cannot_be_applied_are_refused_with_the_reason() {
    let cases = [
        (json!({ "source_labels": ["a"] }), "relabelling rule 1 (`replace`): `target_label` is missing"),
        (json!({ "action": "hashmod", "target_label": "d" }), "`modulus` must be more than 0"),
        (
            json!({ "action": "labeldrop", "regex": "a", "target_label": "d" }),
            "takes `regex`, and nothing else",
        ),
        (
            json!({ "action": "keepequal", "source_labels": ["a"], "target_label": "d", "regex": "x" }),
            "takes `source_labels` and `target_label`, and nothing else",
        ),
        (
            json!({ "action": "lowercase", "target_label": "d", "replacement": "x" }),
            "does not take `replacement`",
        ),
    ];
    for (rule, expected) in cases {
        let rule: RelabelConfig = serde_json::from_value(rule).expect("a rule");
        let error = RelabelRules::new(&[rule]).expect_err(expected).to_string();
        assert!(error.ends_with(expected), "{error}");
    }
    let cases = [
        (json!({ "action": "reverse" }), "`reverse` is no action of relabelling"),
        (json!({ "regex": "(" }), "error parsing regexp: missing closing ): `(`"),
        (json!({ "regex": r"(\pL{30}){30}" }), "bytes when compiled"),
        (json!({ "regx": "a" }), "unknown field `regx`"),
    ];
    for (rule, expected) in cases {
        let error = serde_json::from_value::<RelabelConfig>(rule).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}
