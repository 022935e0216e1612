use std::collections::BTreeMap;

use super::Template;

fn render(text: &str, value: f64) -> String {
    let labels = BTreeMap::from([
        ("queue".to_owned(), "llm_tasks".to_owned()),
        ("a-b".to_owned(), "dashed".to_owned()),
    ]);
    Template::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).render(&labels, value)
}

#[test]
fn templates_give_what_prometheus_gives() {
    let cases = [
        ("plain", 0.0, "plain"),
        ("{{ $labels.queue }} holds {{ $value }}", 150.0, "llm_tasks holds 150"),
        ("{{$value}}", 0.1 + 0.2, "0.30000000000000004"),
        ("{{ .Labels.queue }}/{{ .Value }}", 2.5, "llm_tasks/2.5"),
        ("[{{ $labels.missing }}]", 0.0, "[]"),
        (r#"{{ index $labels "a-b" }}"#, 0.0, "dashed"),
        ("{{ $value | humanize }}", 1_234_567.0, "1.235M"),
        ("{{ humanize $value }}", 0.005, "5m"),
        ("{{ $value | humanize }}", 0.0, "0"),
        ("{{ $value | humanize }}", 999.0, "999"),
        ("{{ $value | humanize1024 }}B", 4_831_838_208.0, "4.5GiB"),
        ("{{ $value | humanize1024 }}", 1.0, "1"),
        ("{{ $value | humanizePercentage }}", 0.9123, "91.23%"),
        ("{{ $value | humanizePercentage }}", 1.0, "100%"),
        ("{{ $value | humanizeDuration }}", 93_784.0, "1d 2h 3m 4s"),
        ("{{ $value | humanizeDuration }}", 3_600.0, "1h 0m 0s"),
        ("{{ $value | humanizeDuration }}", 61.5, "1m 1s"),
        ("{{ $value | humanizeDuration }}", 1.25, "1.25s"),
        ("{{ $value | humanizeDuration }}", 0.0015, "1.5ms"),
        ("{{ $value | humanizeDuration }}", -75.0, "-1m 15s"),
        ("{{ $value | humanizeTimestamp }}", 1_754_083_800.0, "2025-08-01T21:30:00Z"),
        (r#"{{ printf "%.2f" $value }}"#, 2.0_f64.sqrt(), "1.41"),
        (r#"{{ $value | printf "%5.1f|" }}"#, 2.0, "  2.0|"),
        (r#"{{ printf "%s: %d%% %q" $labels.queue 7 "x" }}"#, 0.0, "llm_tasks: 7% \"x\""),
        (r#"{{ printf "%.3g" $value }} {{ printf "%.1e" $value }}"#, 12_345.0, "1.23e+04 1.2e+04"),
        ("{{ $labels.queue | toUpper }}", 0.0, "LLM_TASKS"),
        ("{{ ($value | humanize) | title }}", 1500.0, "1.5k"),
        (r#"{{ "}}" }}"#, 0.0, "}}"),
        ("a {{- /* note */ -}} b", 0.0, "ab"),
        ("a  {{- $value -}}  b", 1.0, "a1b"),
        ("{{ $value | humanize }}", f64::NAN, "NaN"),
        ("{{ $value | humanizeDuration }}", f64::INFINITY, "+Inf"),
    ];
    for (text, value, expected) in cases {
        assert_eq!(render(text, value), expected, "{text} {value}");
    }
}

#[test]
fn what_is_not_understood_is_an_error_that_names_it() {
    let cases = [
        ("{{ $value | frobnicate }}", "frobnicate"),
        ("{{ range query \"up\" }}", "range"),
        ("{{ if $value }}x{{ end }}", "if"),
        ("{{ $value", "{{"),
        ("{{ }}", "empty"),
        ("{{ $externalLabels.x }}", "$externalLabels.x"),
        ("{{ $value | }}", "function"),
        ("{{ humanize }}", "given 0"),
        ("{{ printf \"%.2f\" }}", "1 places and 0 values"),
        ("{{ printf \"%x\" $value }}", "%x"),
        ("{{ printf $value }}", "format"),
        ("{{ ($value }}", ")"),
        ("{{ $value $value }}", "to its end"),
        ("{{ \"open }}", "}}"),
        ("{{ index $value 1 }}", "index"),
    ];
    for (text, named) in cases {
        let error = Template::parse(text).expect_err(text).to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn a_rendered_text_is_bounded() {
    let labels = BTreeMap::from([("long".to_owned(), "é".repeat(20_000))]);
    let text = Template::parse("{{ $labels.long }}").expect("valid").render(&labels, 0.0);
    assert!(text.len() <= 8 << 10 && text.len() > 8_000);
}
