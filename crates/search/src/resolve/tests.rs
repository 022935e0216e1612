use std::ops::Bound;
use std::time::Duration;

use model::Timestamp;

use crate::limits::{MAX_PATTERNS, MAX_PHRASE_WORDS};
use crate::{
    CompareOp, Error, Filter, Kind, Level, Query, Schema, Scope, Target, Term, Test, Value, WordTest,
};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2025-08-01T12:00:00Z").expect("a time")
}

fn time(text: &str) -> Value {
    Value::Time(Timestamp::parse_rfc3339(text).expect("a time"))
}

fn schema() -> Schema {
    Schema::logs().with("cached", Kind::Bool)
}

fn filter(text: &str) -> Filter {
    match Query::parse(text, &schema(), now()) {
        Ok(query) => query.filter().clone(),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn refused(text: &str) -> Error {
    match Query::parse(text, &schema(), now()) {
        Ok(query) => panic!("{text} means {:?}", query.filter()),
        Err(error) => error,
    }
}

/// The test that a condition on one field becomes.
fn test_of(text: &str) -> Test {
    match filter(text) {
        Filter::Term(term) => term.test,
        other => panic!("{text} means {other:?}"),
    }
}

fn words(words: &[&str]) -> Test {
    Test::Words(words.iter().map(|word| WordTest::Is((*word).to_owned())).collect())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn equals(text: &str) -> Test {
    Test::Equals(text.to_owned())
}

#[test]
fn text_without_a_field_becomes_folded_words() {
    let cases = [
        ("Retry", words(&["retry"])),
        ("\"Timed OUT\"", words(&["timed", "out"])),
        ("user-service", words(&["user", "service"])),
        ("\"a, (b)\"", words(&["a", "b"])),
        ("\"time*\"", words(&["time"])),
        ("std::fmt", words(&["std", "fmt"])),
        ("F\u{dc}R", words(&["f\u{fc}r"])),
    ];
    for (query, test) in cases {
        assert_eq!(filter(query), Filter::Term(Term { target: Target::Any, test }), "{query}");
    }
}

#[test]
fn wildcards_are_for_words_in_text_and_for_whole_values_elsewhere() {
    let word = |test: &WordTest| match test {
        WordTest::Is(word) => word.clone(),
        WordTest::Like(glob) => glob.to_regex(),
    };
    let shown = |query: &str| -> Vec<String> {
        match test_of(query) {
            Test::Words(tests) => tests.iter().map(word).collect(),
            Test::Like(glob) => vec!["whole".to_owned(), glob.to_regex()],
            other => panic!("{query}: {other:?}"),
        }
    };
    let cases: [(&str, &[&str]); 7] = [
        ("Time*", &["^(?s:time.*)$"]),
        ("conn-*fail?d", &["conn", "^(?s:.*fail.d)$"]),
        ("message:Time*", &["^(?s:time.*)$"]),
        ("message=Time*", &["whole", "^(?s:Time.*)$"]),
        ("service:OCR-*", &["whole", "^(?s:OCR\\-.*)$"]),
        ("trace_id:4BF9*", &["whole", "^(?s:4bf9.*)$"]),
        ("team:a?", &["whole", "^(?s:a.)$"]),
    ];
    for (query, expected) in cases {
        assert_eq!(shown(query), expected, "{query}");
    }
}

#[test]
fn values_are_of_the_kind_that_the_field_has() {
    let seconds = |seconds| Value::Duration(Duration::from_secs(seconds));
    let cases = [
        ("service:ocr", equals("ocr")),
        ("service:\"ocr 2\"", equals("ocr 2")),
        ("message:\"Timed out\"", words(&["timed", "out"])),
        ("message=\"Timed out\"", equals("Timed out")),
        ("trace_id:4BF92F", equals("4bf92f")),
        ("job_id:Doc-7", equals("Doc-7")),
        ("level:WARNING", Test::Compare(CompareOp::Equal, Value::Level(Level::Warn))),
        ("level>=err", Test::Compare(CompareOp::AtLeast, Value::Level(Level::Error))),
        ("duration>5s", Test::Compare(CompareOp::Greater, seconds(5))),
        ("duration<\"1m30s\"", Test::Compare(CompareOp::Less, seconds(90))),
        ("http.response.status_code:503", Test::Compare(CompareOp::Equal, Value::Number(503.0))),
        ("http.request.body.size>=10MiB", Test::Compare(CompareOp::AtLeast, Value::Bytes(10 << 20))),
        ("cached:TRUE", Test::Compare(CompareOp::Equal, Value::Bool(true))),
        ("service>=b", Test::Compare(CompareOp::AtLeast, text("b"))),
        ("team:5", equals("5")),
        ("team>5", Test::Compare(CompareOp::Greater, Value::Number(5.0))),
        ("team>5s", Test::Compare(CompareOp::Greater, seconds(5))),
        ("team>5kb", Test::Compare(CompareOp::Greater, Value::Bytes(5_000))),
        ("team>\"5\"", Test::Compare(CompareOp::Greater, text("5"))),
        ("team<2025-08-01T00:00:00Z", Test::Compare(CompareOp::Less, time("2025-08-01T00:00:00Z"))),
        ("team<abc", Test::Compare(CompareOp::Less, text("abc"))),
        ("duration:*", Test::Exists),
        ("duration:1s..5s", Test::Between(Bound::Included(seconds(1)), Bound::Included(seconds(5)))),
        (
            "http.response.status_code:{499 TO *]",
            Test::Between(Bound::Excluded(Value::Number(499.0)), Bound::Unbounded),
        ),
        (
            "level:[warn TO fatal]",
            Test::Between(
                Bound::Included(Value::Level(Level::Warn)),
                Bound::Included(Value::Level(Level::Fatal)),
            ),
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(test_of(query), expected, "{query}");
    }
}

#[test]
fn times_count_from_now_and_days_are_whole() {
    let (midnight, last) = (time("2025-07-31T00:00:00Z"), time("2025-07-31T23:59:59.999999999Z"));
    let cases = [
        ("time>-15m", Test::Compare(CompareOp::Greater, time("2025-08-01T11:45:00Z"))),
        ("time<now-1h", Test::Compare(CompareOp::Less, time("2025-08-01T11:00:00Z"))),
        ("time:2025-08-01T09:00:00Z", Test::Compare(CompareOp::Equal, time("2025-08-01T09:00:00Z"))),
        ("time:2025-07-31", Test::Between(Bound::Included(midnight.clone()), Bound::Included(last.clone()))),
        ("time>2025-07-31", Test::Compare(CompareOp::Greater, last.clone())),
        ("time>=2025-07-31", Test::Compare(CompareOp::AtLeast, midnight.clone())),
        ("time<2025-07-31", Test::Compare(CompareOp::Less, midnight.clone())),
        ("time<=2025-07-31", Test::Compare(CompareOp::AtMost, last.clone())),
        ("time:[2025-07-31 TO *]", Test::Between(Bound::Included(midnight.clone()), Bound::Unbounded)),
        ("time:{2025-07-31 TO *]", Test::Between(Bound::Excluded(last.clone()), Bound::Unbounded)),
        ("time:[* TO 2025-07-31]", Test::Between(Bound::Unbounded, Bound::Included(last))),
        ("time:[* TO 2025-07-31}", Test::Between(Bound::Unbounded, Bound::Excluded(midnight))),
    ];
    for (query, expected) in cases {
        assert_eq!(test_of(query), expected, "{query}");
    }
}

#[test]
fn unequal_is_the_opposite_of_equal() {
    let service = Target::Field { name: "service".to_owned(), kind: Kind::Keyword };
    let expected = Filter::Not(Box::new(Filter::Term(Term { target: service, test: equals("ocr") })));
    assert_eq!(filter("service!=ocr"), expected);
    assert_eq!(filter("-service:ocr"), expected);
    assert_eq!(filter("svc:!=ocr"), expected);
}

#[test]
fn names_that_are_no_fields_are_attributes_and_like_ones_are_hinted_at() {
    let target = |query: &str| match filter(query) {
        Filter::Term(term) => term.target,
        other => panic!("{query} means {other:?}"),
    };
    let attribute = |scope, name: &str| Target::Attribute { scope, name: name.to_owned() };
    assert_eq!(target("team:a"), attribute(Scope::Any, "team"));
    assert_eq!(target("attributes.team:a"), attribute(Scope::Record, "team"));
    assert_eq!(target("resource.team:a"), attribute(Scope::Resource, "team"));

    let hints = |query: &str| -> Vec<(usize, String)> {
        let query = Query::parse(query, &schema(), now()).expect("read");
        query.hints().iter().map(|hint| (hint.span.start, hint.message.clone())).collect()
    };
    let said = "there is no field `servce`, so attributes of that name are searched; did you mean `service`?";
    assert_eq!(hints("a servce:(x OR y) servce:z"), [(2, said.to_owned())]);
    assert!(hints("team:a attributes.servce:b").is_empty());
    assert_eq!(hints("a and b")[0].0, 2);
    let many: Vec<String> = (0..100).map(|number| format!("servic{number}:x")).collect();
    assert_eq!(hints(&many.join(" ")).len(), crate::limits::MAX_HINTS);
}

/// The query, the part of it that is wrong, and what is said of it.
#[test]
fn values_that_do_not_fit_are_refused_at_their_place() {
    let cases = [
        ("a duration:abc", "abc", "`abc` is not a duration"),
        ("duration>5", "5", "`5` is not a duration"),
        ("duration>-5s", "-5s", "`-5s` is not a duration"),
        ("duration:5*", "5*", "`duration` holds a duration, and patterns are for text"),
        ("duration:/5/", "/5/", "`duration` holds a duration, and patterns are for text"),
        ("level:eror", "eror", "`eror` is not a level"),
        ("level:err*", "err*", "`level` holds a level, and patterns are for text"),
        ("http.response.status_code:5xx", "5xx", "`5xx` is not a number"),
        ("http.request.body.size>big", "big", "`big` is not a size"),
        ("trace_id:xyz", "xyz", "`xyz` is not an id of hexadecimal digits"),
        ("cached:yes", "yes", "`yes` is not true or false"),
        ("cached>false", "cached>false", "`cached` holds true or false, which has no order"),
        ("message>a", "message>a", "`message` holds text, which has no order"),
        ("time>15m", "15m", "`15m` is not a time"),
        ("time:-15m", "-15m", "`-15m` is a single instant"),
        ("service>a*", "a*", "nothing is more or less than a pattern"),
        ("team:[5 TO 5s]", "5 TO 5s", "the ends of the range are of different kinds"),
        ("duration:5s..1s", "5s..1s", "the range is empty, for its lower end is above its upper end"),
        ("x \"->\"", "\"->\"", "there is no word in it, and text is searched by words"),
        ("/(/", "/(/", "this is no regular expression: unclosed group"),
    ];
    for (query, part, message) in cases {
        let error = refused(query);
        assert_eq!(error.message, message, "{query}");
        assert_eq!(&query[error.span.start..error.span.end], part, "{query}");
    }
}

#[test]
fn a_value_that_does_not_fit_comes_with_one_that_does() {
    let cases = [
        ("duration>5", "say the unit, as in `5s` or `5ms`"),
        ("level:eror", "did you mean `error`?"),
        ("level:crtical", "did you mean `critical`?"),
        ("http.response.status_code:5xx", "all from 500 are `500..599`"),
        ("http.response.status_code:4*", "all from 400 are `400..499`"),
        ("http.response.status_code:4??", "all from 400 are `400..499`"),
        ("http.response.status_code:40*", "a range is written like `[1 TO 5]`"),
        ("time>15m", "that long ago is `-15m`"),
        ("time:-15m", "what came since then is `time>=-15m`"),
        ("duration:5s..1s", "exchange the two"),
    ];
    for (query, suggestion) in cases {
        assert_eq!(refused(query).suggestion.as_deref(), Some(suggestion), "{query}");
    }
    let error = refused("duration:abc");
    assert_eq!(error.expected.as_deref(), Some("a duration, such as `5s`, `250ms` or `1m30s`"));
    assert_eq!(
        error.to_string(),
        "line 1, column 10: `abc` is not a duration; expected a duration, such as `5s`, `250ms` or `1m30s`"
    );
}

#[test]
fn a_field_of_few_values_has_no_others() {
    let parsed = |query: &str| Query::parse(query, &Schema::spans(), now());
    let test = |query: &str| match parsed(query).map(|query| query.filter().clone()) {
        Ok(Filter::Term(term)) => term.test,
        other => panic!("{query}: {other:?}"),
    };
    for query in ["status:error", "status:ERROR", "status=\"Error\""] {
        assert_eq!(test(query), equals("error"), "{query}");
    }
    assert!(matches!(test("kind:CONSUM*"), Test::Like(glob) if glob.to_regex() == "^(?s:consum.*)$"));
    for (query, part, suggestion) in [
        ("status:eror", "eror", Some("did you mean `error`?")),
        ("kind:(server OR consum)", "consum", Some("did you mean `consumer`?")),
        ("status!=fail", "fail", None),
    ] {
        let error = parsed(query).expect_err(query);
        assert_eq!(&query[error.span.start..error.span.end], part, "{query}");
        assert_eq!(error.suggestion.as_deref(), suggestion, "{query}");
    }
    let error = parsed("status:fail").expect_err("no status");
    assert_eq!(error.message, "`fail` is no value of `status`");
    assert_eq!(error.expected.as_deref(), Some("`unset`, `ok` or `error`"));
    assert_eq!(
        parsed("kind>client").expect_err("no order").message,
        "`kind` holds one of a few values, which has no order"
    );
}

#[test]
fn a_field_that_is_to_have_two_values_at_once_is_told_of() {
    let hints = |query: &str| -> Vec<(usize, String)> {
        let query = Query::parse(query, &Schema::spans(), now()).expect("read");
        query.hints().iter().map(|hint| (hint.span.start, hint.message.clone())).collect()
    };
    let found = hints("service:gateway duration>1s service:ocr");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0 == 28 && found[0].1.starts_with("nothing has two values of `service`"), "{found:?}");
    for query in ["service:a OR service:b", "service:(a OR b)", "service:a -service:b", "service:a svc:a"] {
        assert!(hints(query).is_empty(), "{query}");
    }
}

#[test]
fn names_of_old_and_names_of_columns_are_known_without_a_hint() {
    for query in
        ["user_id:ada", "gen_ai.usage.prompt_tokens>130", "messaging.destination:ocr", "db_query:insert"]
    {
        let query = Query::parse(query, &Schema::spans(), now()).expect("read");
        assert!(query.hints().is_empty(), "{:?}", query.hints());
    }
}

#[test]
fn patterns_and_phrases_are_bounded() {
    let patterns = |count: usize| "a?b ".repeat(count);
    filter(&patterns(MAX_PATTERNS));
    assert!(refused(&patterns(MAX_PATTERNS + 1)).message.contains("more than 64 regular expressions"));
    assert!(refused("/a{1000}{1000}{1000}/").message.contains("too large"));
    assert!(refused(&format!("/{}/", "a".repeat(5_000))).message.contains("longer than 4096"));
    let phrase = |count: usize| format!("\"{}\"", "a ".repeat(count));
    filter(&phrase(MAX_PHRASE_WORDS));
    assert!(refused(&phrase(MAX_PHRASE_WORDS + 1)).message.contains("more than 256 words"));
    assert!(refused(&"a-".repeat(MAX_PHRASE_WORDS + 1)).message.contains("more than 256 words"));
}
