//! How queries are written, and that they stay the same queries.

use super::*;

#[test]
fn short_queries_stand_on_one_line_in_one_spelling() {
    let cases = [
        ("a  +b", "a + b"),
        ("sum(a)by(job , b)", "sum by (job, b) (a)"),
        ("sum by () (a)", "sum(a)"),
        ("sum without () (a)", "sum without () (a)"),
        ("topk( 3,a ) by (\"x.y\")", "topk by (\"x.y\") (3, a)"),
        ("a{c='d',b=~`e\\d`,}[300]offset 60", r#"a{b=~"e\\d",c="d"}[5m] offset 1m"#),
        (r#"{"a.b","c d"="é"}"#, r#"{"c d"="é",__name__="a.b"}"#),
        ("a@start()offset-90s", "a @ start() offset -1m30s"),
        ("a @ 1.5 offset 0s", "a @ 1.500"),
        ("rate(a[2m]@end() smoothed)", "rate(a[2m] smoothed @ end())"),
        ("a offset 5m anchored", "a anchored offset 5m"),
        ("rate(a[5m:30]offset 1w)", "rate(a[5m:30s] offset 1w)"),
        ("a[8d:]", "a[8d:]"),
        ("a[step()+5*2m:(1)]", "a[step() + 5 * 2m:(1)]"),
        ("a offset -(max_of(step(),5s))", "a offset -(max(step(), 5s))"),
        ("a==bool on()group_left b", "a == bool on () group_left () b"),
        ("a / ignoring (x) group_right(\"c d\") b", "a / ignoring (x) group_right (\"c d\") b"),
        ("a + fill(0)b", "a + fill (0) b"),
        ("a + fill_right(NaN) fill_left(-Inf) b", "a + fill_left (-Inf) fill_right (NaN) b"),
        ("1e3 * -0x1f + Inf - 1h30m", "1000 * -31 + +Inf - 1h30m"),
        ("-a ^ - 2", "-a ^ -2"),
        ("( (a) )", "((a))"),
        ("label_replace(a,'b',\"$1\\n\\x01\",`c`,'')", r#"label_replace(a, "b", "$1\n\x01", "c", "")"#),
        ("a # why", "a"),
    ];
    for (text, expected) in cases {
        let written = format(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(written, expected, "{text}");
        assert_eq!(format(&written).ok().as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn long_queries_have_a_line_for_each_part() {
    let name = "a_metric_whose_name_is_so_long_that_two_of_them_never_fit_on_a_line";
    let text = format!(
        "histogram_quantile(0.9, sum by (le) (rate({name}_bucket[5m])) / on (le) -({name} + {name}) > bool topk(3, max_over_time({name}[1h:])))"
    );
    let expected = format!(
        "histogram_quantile(
  0.9,
      sum by (le) (rate({name}_bucket[5m]))
    / on (le)
      -(
          {name}
        +
          {name}
      )
  > bool
    topk(3, max_over_time({name}[1h:]))
)"
    );
    let written = format(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(written, expected);
    assert_eq!(format(&written).ok(), Some(expected));
}

#[test]
fn what_is_no_query_is_not_written() {
    for text in ["a +", "sum(1)", "nothing_known(a)", "a{b=~\"(\"}"] {
        assert!(matches!(format(text), Err(Error::BadData(_))), "{text}");
    }
}
