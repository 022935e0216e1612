use super::*;

fn nanos(text: &str) -> Option<u128> {
    duration(text).map(|duration| duration.as_nanos())
}

#[test]
fn numbers_are_finite_and_decimal() {
    let cases = [
        ("5", Some(5.0)),
        ("-0.5", Some(-0.5)),
        ("+3", Some(3.0)),
        ("1e6", Some(1e6)),
        (".5", Some(0.5)),
        ("1e999", None),
        ("inf", None),
        ("nan", None),
        ("0x10", None),
        ("1_000", None),
        ("", None),
        ("-", None),
        ("5s", None),
        ("1.2.3", None),
    ];
    for (text, expected) in cases {
        assert_eq!(number(text), expected, "{text}");
    }
}

#[test]
fn durations_are_read_to_the_nanosecond() {
    let cases = [
        ("5s", Some(5_000_000_000)),
        ("1m30s", Some(90_000_000_000)),
        ("250ms", Some(250_000_000)),
        ("1.5h", Some(5_400_000_000_000)),
        ("1.5us", Some(1_500)),
        ("7\u{b5}s", Some(7_000)),
        ("7\u{3bc}s", Some(7_000)),
        ("3ns", Some(3)),
        ("1d2h", Some(93_600_000_000_000)),
        ("0", Some(0)),
        ("0.0000000019s", Some(1)),
        ("", None),
        ("s", None),
        ("5", None),
        ("1m1h", None),
        ("5 s", None),
        ("-5s", None),
        ("5x", None),
        (".5s", None),
        ("1.s", None),
        ("1..5s", None),
        ("600y", None),
        ("99999999999999999999s", None),
    ];
    for (text, expected) in cases {
        assert_eq!(nanos(text), expected, "{text}");
    }
}

#[test]
fn sizes_have_decimal_and_binary_units() {
    let cases = [
        ("2GB", Some(2_000_000_000)),
        ("10MiB", Some(10 << 20)),
        ("10mib", Some(10 << 20)),
        ("1.5kb", Some(1_500)),
        ("512", Some(512)),
        ("512B", Some(512)),
        ("1.5B", Some(1)),
        ("16777216TiB", None),
        ("GB", None),
        ("", None),
        ("-1B", None),
        ("5s", None),
        ("5\u{fc}", None),
    ];
    for (text, expected) in cases {
        assert_eq!(bytes(text), expected, "{text}");
    }
}

#[test]
fn times_are_absolute_relative_or_whole_days() {
    let now = Timestamp::parse_rfc3339("2025-08-01T12:00:00Z").expect("a time");
    let cases = [
        ("2025-08-01T21:30:00Z", "2025-08-01T21:30:00Z", "2025-08-01T21:30:00Z", false),
        ("2025-08-01T23:30:00+02:00", "2025-08-01T21:30:00Z", "2025-08-01T21:30:00Z", false),
        ("2025-08-01 21:30:00.5", "2025-08-01T21:30:00.5Z", "2025-08-01T21:30:00.5Z", false),
        ("2025-08-01", "2025-08-01T00:00:00Z", "2025-08-01T23:59:59.999999999Z", false),
        ("1754083800", "2025-08-01T21:30:00Z", "2025-08-01T21:30:00Z", false),
        ("1754083800000", "2025-08-01T21:30:00Z", "2025-08-01T21:30:00Z", false),
        ("now", "2025-08-01T12:00:00Z", "2025-08-01T12:00:00Z", true),
        ("-15m", "2025-08-01T11:45:00Z", "2025-08-01T11:45:00Z", true),
        ("now-1h30m", "2025-08-01T10:30:00Z", "2025-08-01T10:30:00Z", true),
        ("now+1h", "2025-08-01T13:00:00Z", "2025-08-01T13:00:00Z", true),
    ];
    for (text, first, last, is_relative) in cases {
        let found = moment(text, now)
            .map(|moment| (moment.first.to_string(), moment.last.to_string(), moment.is_relative));
        assert_eq!(found, Some((first.to_owned(), last.to_owned(), is_relative)), "{text}");
    }
    for text in [
        "",
        "15m",
        "nowhere",
        "-",
        "now-",
        "2025-13-01",
        "12",
        "yesterday",
        "--15m",
        "\u{fc}\u{fc}--\u{fc}xx",
    ] {
        assert_eq!(moment(text, now), None, "{text}");
    }
}
