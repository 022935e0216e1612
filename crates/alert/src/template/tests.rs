use std::collections::BTreeMap;
use std::sync::Arc;

use model::histogram::{Buckets, Span};
use model::{Histogram, Labels};

use super::{Data, External, Querier, Template};
use crate::evaluate::Finding;

/// Answers `v` with two results, `none` with nothing, and fails otherwise.
struct Known;

impl Querier for Known {
    fn query(&self, expression: &str) -> Result<Vec<Finding>, String> {
        let finding = |job: &str, value| Finding::number(Labels::metric("v", &[("job", job)]), value);
        match expression {
            "v" => Ok(vec![finding("b", 2.5), finding("a", 5.0)]),
            "none" => Ok(Vec::new()),
            _ => Err("parse error".to_owned()),
        }
    }
}

fn tried(text: &str, value: f64) -> Result<String, super::TemplateError> {
    tried_with(text, value, None)
}

fn tried_with(
    text: &str,
    value: f64,
    histogram: Option<Arc<Histogram>>,
) -> Result<String, super::TemplateError> {
    let labels = [("queue", "llm_tasks"), ("a-b", "dashed"), ("__name__", "v"), ("instance", "a.b.c:80")];
    let texts = |pairs: &[(&str, &str)]| {
        Arc::new(
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        )
    };
    let external = External { labels: texts(&[("zone", "eu")]), url: "http://x.org:80/pre?q".to_owned() };
    let labels = texts(&labels);
    let data = Data { labels, value, histogram, external: &external, now: 60.0, querier: &Known };
    Template::parse(text).and_then(|template| template.render(&data))
}

#[test]
fn templates_give_what_go_and_prometheus_give() {
    let cases = [
        ("plain", 0.0, "plain"),
        ("{{ $labels.queue }} holds {{ $value }}", 150.0, "llm_tasks holds 150"),
        ("{{$value}}", 0.1 + 0.2, "0.30000000000000004"),
        ("{{ $value }}", 1_234_567.5, "1.2345675e+06"),
        ("{{ .Labels.queue }}/{{ .Value }}", 2.5, "llm_tasks/2.5"),
        ("[{{ $labels.missing }}]", 0.0, "[]"),
        (r#"{{ index $labels "a-b" }}"#, 0.0, "dashed"),
        ("{{ $value | humanize }}", 1_234_567.0, "1.235M"),
        ("{{ humanize $value }}", 0.005, "5m"),
        ("{{ $value | humanize }}", 0.0, "0"),
        ("{{ $value | humanize }}", f64::NAN, "NaN"),
        ("{{ $value | humanize1024 }}B", 4_831_838_208.0, "4.5GiB"),
        ("{{ $value | humanizePercentage }}", 0.9123, "91.23%"),
        ("{{ $value | humanizeDuration }}", 93_784.0, "1d 2h 3m 4s"),
        ("{{ $value | humanizeDuration }}", 61.5, "1m 1s"),
        ("{{ $value | humanizeDuration }}", 0.0015, "1.5ms"),
        ("{{ $value | humanizeDuration }}", f64::INFINITY, "+Inf"),
        ("{{ $value | humanizeTimestamp }}", 1_754_083_800.0, "2025-08-01 21:30:00 +0000 UTC"),
        ("{{ ($value | toTime).Year }} {{ (toTime $value).Weekday }}", 1_754_083_800.0, "2025 Friday"),
        (r#"{{ ($value | toTime).Format "2006-01-02" }}"#, 1_754_083_800.0, "2025-08-01"),
        (
            r#"{{ "15:04" | ($value | toTime).UTC.Format }} {{ (toTime $value).YearDay }}"#,
            1_754_083_800.0,
            "21:30 213",
        ),
        ("{{ $value | humanizeTimestamp }}", 0.0001, "1970-01-01 00:00:00 +0000 UTC"),
        ("{{ $value | humanizeTimestamp }}", f64::NAN, "NaN"),
        ("{{ humanize $value }} {{ humanizeDuration $value }}", -0.0, "-0 -0s"),
        ("{{ gt $value 1.0 }} {{ ge $value 1.0 }} {{ le $value 1.0 }}", f64::NAN, "true true false"),
        ("{{ 017 }} {{ 0 }} {{ 08 }}", 0.0, "15 0 8"),
        (r#"{{ printf "%.2f" $value }}"#, 2.0_f64.sqrt(), "1.41"),
        (r#"{{ $value | printf "%5.1f|" }}"#, 2.0, "  2.0|"),
        (r#"{{ printf "%.3g" $value }} {{ printf "%.1e" $value }}"#, 12_345.0, "1.23e+04 1.2e+04"),
        (
            r#"{{ printf "%d %x %08.3f %-6s| %t %v %5q" $value 255 $value "ab" true nil "z" }}"#,
            5.5,
            r#"%!d(float64=5.5) ff 0005.500 ab    | true <nil>   "z""#,
        ),
        (
            r#"{{ "a" | printf "%s-%s" "b" }} {{ printf "%s" 1 }} {{ printf "%d %d" 1 }} {{ printf "x" 5 }}"#,
            0.0,
            "b-a %!s(int=1) 1 %!d(MISSING) x%!(EXTRA int=5)",
        ),
        (r#"{{ printf "%[2]d %[1]d" 1 2 }} {{ printf "%[1]d %[1]v %v" 1 2 3 }}"#, 0.0, "2 1 1 1 2"),
        (r#"{{ printf "%*d|%-*d|%.*f" 5 6 -3 7 2 1.239 }}"#, 0.0, "    6|7  |1.24"),
        (r#"{{ printf "%[2]*[1]d|" 7 4 }}{{ printf "%.[2]*[1]f" 1.23456 2 }}"#, 0.0, "   7|1.23"),
        (
            r#"{{ printf "%[5]d %[x]d %[1 %d" 1 2 }}|{{ printf "%5[1]d|%[1]5d" 1 }}"#,
            0.0,
            "%!d(BADINDEX) %!d(BADINDEX) %! (BADINDEX)1|    1|%!d(BADINDEX)",
        ),
        (
            r#"{{ printf "%.*d|%*d" -1 3 "a" 4 }}|{{ printf "%*d" 5 }}"#,
            0.0,
            "%!(BADPREC)3|%!(BADWIDTH)4|%!d(MISSING)",
        ),
        ("{{ $labels.queue | toUpper }}", 0.0, "LLM_TASKS"),
        (r#"{{ title "ab-cd ef_gh" }}"#, 0.0, "Ab-Cd Ef_gh"),
        (r#"{{ reReplaceAll "(.)b" "${1}X" "abab" }} {{ match "^a" "ab" }}"#, 0.0, "aXaX true"),
        (r#"{{ reReplaceAll "\\W" "_" "é-a" }} {{ match "^\\Qa.b\\E$" "a.b" }}"#, 0.0, "__a true"),
        (r#"{{ match "a.b" "a\nb" }} {{ match "[a&&b]&" "&&" }}"#, 0.0, "false true"),
        (r#"{{ "}}" }}{{ `{{` }}{{ "\t\u00e9\"" }}"#, 0.0, "}}{{\té\""),
        ("a {{- /* note */ -}} b", 0.0, "ab"),
        ("a  {{- $value -}}  b", 1.0, "a1b"),
        ("{{ 3 -}} \n x {{- -3 }}", 0.0, "3x-3"),
        (
            "{{ 1000000.0 }} {{ 1e5 }} {{ 0.0001 }} {{ 0.00001 }} {{ 0x10 }} {{ 'a' }}",
            0.0,
            "1e+06 100000 0.0001 1e-05 16 97",
        ),
        (r#"{{ print 1 2 "a" 3 "b" "c" }}|{{ println "a" 1 }}"#, 0.0, "1 2a3bc|a 1\n"),
        ("{{ if gt $value 1.0 }}x{{ else if eq $labels.queue \"q\" }}y{{ else }}z{{ end }}", 0.5, "z"),
        ("{{ if and $value (lt $value 2.0) }}x{{ end }}", 1.5, "x"),
        (
            "{{ and 1 0 2 }} {{ or 0 \"\" \"x\" }} {{ not 0 }} {{ eq $labels.queue \"a\" \"llm_tasks\" }} {{ ne 1 2 }}",
            0.0,
            "0 x true true true",
        ),
        ("{{ with $x := 5 }}{{ $x }}{{ . }}{{ end }}{{ with \"\" }}a{{ else }}b{{ end }}", 0.0, "55b"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ end }}{{ $x }}", 0.0, "2"),
        (
            "{{ define \"T\" }}[{{ . }}]{{ end }}{{ template \"T\" 7 }}{{ block \"B\" \"z\" }}({{ . }}){{ end }}",
            0.0,
            "[7](z)",
        ),
        (
            "{{ range $i, $s := query \"v\" }}{{ $i }}={{ $s.Value }},{{ .Labels.job }} {{ end }}",
            0.0,
            "0=2.5,b 1=5,a ",
        ),
        ("{{ range query \"v\" | sortByLabel \"job\" }}{{ .Labels.job }}{{ end }}", 0.0, "ab"),
        ("{{ range query \"none\" }}x{{ else }}nothing{{ end }}", 0.0, "nothing"),
        (
            "{{ range query \"v\" }}{{ if eq .Value 2.5 }}{{ continue }}{{ end }}{{ .Value }}{{ break }}{{ end }}",
            0.0,
            "5",
        ),
        (
            "{{ query \"v\" | first | value | humanize }} {{ query \"v\" | first | label \"job\" }} {{ len (query \"v\") }}",
            0.0,
            "2.5 b 2",
        ),
        ("{{ first (query \"v\") }}", 0.0, "{map[__name__:v job:b] 2.5}"),
        (
            "{{ (args 1 \"a\").arg1 }} {{ args 1 \"a\" }} {{ (args 1).arg5 }}",
            0.0,
            "a map[arg0:1 arg1:a] <no value>",
        ),
        (
            r#"{{ len "é" }} {{ slice "hello" 1 3 }} {{ html "<a&\"'>" }} {{ urlquery "a b&c" }}"#,
            0.0,
            "2 el &lt;a&amp;&#34;&#39;&gt; a+b%26c",
        ),
        (r#"{{ js "it's <x>" }}"#, 0.0, r"it\'s \u003Cx\u003E"),
        (
            r#"{{ stripPort $labels.instance }} {{ stripDomain $labels.instance }} {{ stripPort "[::1]:9" }} {{ stripDomain "10.0.0.1:9" }}"#,
            0.0,
            "a.b.c a:80 ::1 10.0.0.1:9",
        ),
        (
            r#"{{ parseDuration "1h30m" }} {{ parseDurationTime "1h30m" }} {{ toDuration 0.0015 }}"#,
            0.0,
            "5400 1h30m0s 1.5ms",
        ),
        (
            r#"{{ graphLink "up{a=\"b\"}" }} {{ tableLink "up" }}"#,
            0.0,
            "/graph?g0.expr=up%7Ba%3D%22b%22%7D&g0.tab=0 /graph?g0.expr=up&g0.tab=1",
        ),
        (
            "{{ pathPrefix }} {{ externalURL }} {{ $externalLabels.zone }} {{ .ExternalURL }} {{ now }}",
            0.0,
            "/pre http://x.org:80/pre?q eu http://x.org:80/pre?q 60",
        ),
        ("{{ $labels }}", 0.0, "map[__name__:v a-b:dashed instance:a.b.c:80 queue:llm_tasks]"),
    ];
    for (text, value, expected) in cases {
        let given = tried(text, value).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(given, expected, "{text} {value}");
    }
}

#[test]
fn what_go_refuses_to_read_is_refused_with_its_place() {
    let cases = [
        ("{{ $value | frobnicate }}", "1:13: function \"frobnicate\" not defined"),
        ("a\nb {{ range query \"up\" }}", "2:6: unexpected end"),
        ("{{ if $value }}x", "an {{end}} is missing"),
        ("{{ end }}", "unexpected {{end}}"),
        ("{{ else }}", "unexpected {{else}}"),
        ("{{ $value", "unclosed action"),
        ("{{ }}", "missing value for command"),
        ("{{ $unknown }}", "undefined variable \"$unknown\""),
        ("{{ $x = 1 }}", "undefined variable \"$x\""),
        ("{{ if 1 }}{{ $y := 3 }}{{ end }}{{ $y }}", "undefined variable \"$y\""),
        ("{{ $value | }}", "missing value for command"),
        ("{{ ($value }}", "unclosed left paren"),
        ("{{ 1 | 2 }}", "non executable command in pipeline"),
        ("{{ \"open }}", "unterminated quoted string"),
        ("{{ 1x }}", "bad number syntax"),
        ("{{ break }}", "outside {{range}}"),
        ("{{ if 1 }}{{ define \"x\" }}{{ end }}{{ end }}", "unexpected {{define}}"),
        ("{{/* open }}", "unclosed comment"),
        ("{{ $value ? }}", "unexpected '?'"),
    ];
    for (text, named) in cases {
        let error = Template::parse(text).expect_err(text).to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
    let deep = format!("{}1{}", "{{ if 1 }}".repeat(100), "{{ end }}".repeat(100));
    assert!(Template::parse(&deep).expect_err("too deep").to_string().contains("64 deep"));
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(Template::parse(&deep).expect_err("too deep").to_string().contains("64 deep"));
}

#[test]
fn what_cannot_be_filled_in_says_why() {
    let cases = [
        ("{{ if gt $value 1 }}x{{ end }}", "error calling gt: incompatible types for comparison"),
        ("{{ $value $value }}", "can't give argument to non-function"),
        ("{{ ($value | toTime).Format }}", "can't evaluate field Format in type time.Time"),
        ("{{ ($value | toTime).Format 1 }}", "expected string; got int"),
        ("{{ $labels.queue.More 1 }}", "More has arguments but cannot be invoked as function"),
        ("{{ nil }}", "nil is not a command"),
        ("{{ toTime \"NaN\" }}", "value is NaN or Inf"),
        ("{{ toTime 1e20 }}", "1e+20 cannot be represented"),
        ("{{ $value | $value }}", "can't give argument to non-function"),
        ("{{ .Nope }}", "can't evaluate field Nope"),
        ("{{ humanize \"x\" }}", "parsing \"x\": invalid syntax"),
        ("{{ humanize }}", "want 1 got 0"),
        ("{{ index $labels \"x\" 1 }}", "index out of range: 1"),
        ("{{ first (query \"none\") }}", "first() called on vector with no elements"),
        ("{{ query \"v +\" }}", "error calling query: parse error"),
        ("{{ $labels.queue.x }}", "can't evaluate field x in type string"),
        ("{{ toUpper 5 }}", "expected string; got int"),
        ("{{ $value | value }}", "expected *template.sample; got float64"),
        ("{{ template \"T\" }}", "\"T\" not defined"),
        ("{{ match \"(\" \"a\" }}", "error parsing regexp: missing closing ): `(`"),
        ("{{ match \"a**\" \"a\" }}", "error parsing regexp: invalid nested repetition operator: `**`"),
        ("{{ range $value }}{{ end }}", "range can't iterate over 1"),
    ];
    for (text, named) in cases {
        let error = tried(text, 1.0).expect_err(text).to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn a_hostile_template_ends() {
    let long = tried(&format!("{{{{ range 100000 }}}}{}{{{{ end }}}}", "é".repeat(100)), 0.0).expect("cut");
    assert!(long.len() <= 8 << 10 && long.len() > 8_000);
    let cases = [
        ("{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}", "steps"),
        ("{{ define \"T\" }}{{ template \"T\" }}{{ end }}{{ template \"T\" }}", "deep"),
        ("{{ $x := \"0123456789\" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}", "bytes"),
        ("{{ range 60 }}{{ query \"none\" }}{{ end }}", "queries"),
    ];
    for (text, named) in cases {
        let error = tried(text, 0.0).expect_err(text).to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn the_value_may_be_a_histogram() {
    let positive = Buckets { spans: vec![Span { offset: 0, length: 2 }], counts: vec![1.0, 2.0] };
    let histogram = Histogram { count: 3.0, sum: 4.5, positive, ..Histogram::default() };
    let tried = |text: &str| tried_with(text, 0.0, Some(Arc::new(histogram.clone())));
    let shown = "{count:3, sum:4.5, (0.5,1]:1, (1,2]:2}";
    for (text, expected) in [
        ("{{ $value }}", shown),
        ("{{ .Value }}", shown),
        (r#"{{ printf "%v" $value }}"#, shown),
        (r#"{{ printf "%s" $value }}"#, shown),
        (r#"{{ printf "%T" $value }}"#, "*histogram.FloatHistogram"),
        ("{{ $value.Count }}/{{ $value.Sum | humanize }}", "3/4.5"),
        ("{{ if $value }}there{{ end }}", "there"),
    ] {
        assert_eq!(tried(text).as_deref(), Ok(expected), "{text}");
    }
    for (text, named) in [
        ("{{ humanize $value }}", "can't convert *histogram.FloatHistogram to float"),
        ("{{ gt $value 1.0 }}", "incompatible types"),
        ("{{ $value.Buckets }}", "can't evaluate field Buckets in type *histogram.FloatHistogram"),
    ] {
        let error = tried(text).expect_err(text).to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_reading_or_filling_in_panic(text in "(\\{\\{|\\}\\}|-| |range|if|end|else|define|\"a\"|\\$x|\\$value|:=|,|\\||\\(|\\)|\\.|printf|%|é|\n|1|'|`|\\\\){0,24}") {
        let _ = tried(&text, 1.5);
    }
}
