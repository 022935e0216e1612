use model::Histogram;
use model::histogram::ResetHint;

use super::*;

#[test]
fn values_are_expanded_as_prometheus_expands_them() {
    let numbers = |values: &[f64]| values.iter().map(|value| Point::Value(*value)).collect::<Vec<_>>();
    let cases = [
        ("1 2 3", numbers(&[1.0, 2.0, 3.0])),
        ("-2+4x3", numbers(&[-2.0, 2.0, 6.0, 10.0])),
        (" 1-2x4", numbers(&[1.0, -1.0, -3.0, -5.0, -7.0])),
        ("1x2", numbers(&[1.0; 3])),
        ("1e3+1e-1x1 0x3 010", numbers(&[1000.0, 1000.1, 0.0, 0.0, 0.0, 0.0, 8.0])),
        ("0.1+0.1x2", numbers(&[0.1, 0.2, 0.1 + 0.1 + 0.1])),
        ("Inf -inf", numbers(&[f64::INFINITY, f64::NEG_INFINITY])),
        ("_ _x2", vec![Point::Absent; 3]),
    ];
    for (text, expected) in cases {
        assert_eq!(points(text).as_ref(), Ok(&expected), "{text}");
    }
    let bits = |text: &str| match points(text).expect("a point")[..] {
        [Point::Value(value)] => value.to_bits(),
        _ => 0,
    };
    assert_eq!(bits("stale"), STALE_NAN.to_bits());
    assert_eq!(bits("NaN"), f64::NAN.to_bits());
    for text in
        ["a", "1+", "1+2", "1x", "1x-1", "1xx2", "--1", "infinity", "1e999", "1x99999999999", "stalex2"]
    {
        assert!(points(text).is_err(), "{text}");
    }
}

#[test]
fn histograms_go_on_by_steps() {
    let text = "{{schema:1 sum:2 count:3 buckets:[1 2]}}+{{schema:1 sum:1 count:1 buckets:[1] offset:1}}x1 _";
    let read = points(text).expect("histograms");
    let Point::Histogram(last) = &read[1] else { panic!("a histogram") };
    let last = &last.histogram;
    assert_eq!((last.sum, last.count, last.positive.counts.as_slice()), (3.0, 4.0, [1.0, 3.0].as_slice()));
    assert_eq!(read[2], Point::Absent);
    let down = points("{{sum:5 count:5 buckets:[5]}}-{{sum:1 count:2 buckets:[2]}}x2").expect("histograms");
    let Some(Point::Histogram(last)) = down.last() else { panic!("a histogram") };
    assert_eq!((down.len(), last.histogram.sum, last.histogram.count), (3, 3.0, 1.0));
    assert!(!last.says_reset && histogram("{{counter_reset_hint:gauge}}").is_ok_and(|read| read.says_reset));
    let resets: Vec<ResetHint> =
        (points("{{count:2}} {{count:3}} {{count:1}} {{count:2 counter_reset_hint:gauge}}"))
            .expect("histograms")
            .iter()
            .scan(None, |before: &mut Option<Histogram>, point| {
                let Point::Histogram(written) = point else { return None };
                let stored = written.stored_after(before.as_ref());
                *before = Some(stored.clone());
                Some(stored.reset)
            })
            .collect();
    assert_eq!(resets, [ResetHint::Unknown, ResetHint::NotReset, ResetHint::Unknown, ResetHint::Gauge]);
    for text in [
        "{{",
        "{{sum:1}}y2",
        "{{none:1}}",
        "{{schema:9}}",
        "{{schema:300}}",
        "{{offset:2147483647 buckets:[1 1]}}",
        "{{buckets:1}}",
        "{{buckets:[1}}",
        "{{schema:1}}+{{schema:0}}x1",
        "{{schema:0}}+{{schema:-53}}x1",
        "{{counter_reset_hint:maybe}}",
    ] {
        assert!(points(text).is_err(), "{text}");
    }
}

#[test]
fn label_sets_are_read_in_every_form() {
    let expected = Labels::metric("up", &[("job", "a\"b")]);
    for text in [
        r#"up{job="a\"b"}"#,
        r#"{__name__="up", job="a\"b",}"#,
        r#"{"up", "job"='a"b'}"#,
        r#" up {job=`a"b`} "#,
        r#"{job="a\"b", "up", empty=""}"#,
    ] {
        assert_eq!(labels(text), Ok(expected.clone()), "{text}");
    }
    assert_eq!(labels(" {} "), Ok(Labels::empty()));
    assert_eq!(labels("sum"), Ok(Labels::metric("sum", &[])));
    for text in ["up offset 1m", "up[1m]", "up + up", "up{job!=\"a\"}", "up{job", "1"] {
        assert!(labels(text).is_err(), "{text}");
    }
}

#[test]
fn a_line_is_a_label_set_and_what_follows() {
    let cases = [
        ("up 1 2", "up", " 1 2"),
        (r#"up{a="}"} 1"#, r#"up{a="}"}"#, " 1"),
        (r#"up{a="\"}"}@st -1m"#, r#"up{a="\"}"}"#, "@st -1m"),
        ("{a=`\\`} _", r#"{a="\\"}"#, " _"),
        ("{} 5", "{}", " 5"),
        ("up{{sum:1}}", "up", "{{sum:1}}"),
    ];
    for (line, of, rest) in cases {
        assert_eq!(leading_labels(line), Ok((labels(of).expect("labels"), rest)), "{line}");
    }
    assert!(series("up{a=\"b 1 2").is_err());
    assert_eq!(series("up 1x1").map(|series| series.points.len()), Ok(2));
}

#[test]
fn texts_are_read_with_their_escapes() {
    assert_eq!(quoted(r#""a\tb""#).as_deref(), Ok("a\tb"));
    for text in ["", "\"", "a", "\"a'"] {
        assert!(quoted(text).is_err(), "{text}");
    }
}
