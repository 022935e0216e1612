use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// Texts of which many hold secrets, and pieces of them.
pub(super) fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "password",
            "Token",
            "api_key",
            "secret",
            "authorization",
            "Bearer ",
            "basic ",
            "--",
            "=",
            ": ",
            "\"",
            "'",
            "\\\"",
            "\\n",
            "\n",
            " ",
            "&",
            ";",
            ",",
            "@",
            "%40",
            "://",
            "example.org",
            "jane",
            ".",
            "-",
            "_",
            "(",
            ")",
            "+49",
            "00",
            "030",
            "Tel. ",
            "phone: ",
            "4111 1111 1111 1111",
            "4111",
            "2025-08-01",
            "21:30:00",
            "DE89",
            "DE89370400440532013000",
            "3704 0044 0532 0130 00",
            "eyJhbGciOiJub25lIn0",
            ".e30.",
            "sk-",
            "ghp_",
            "AKIA",
            "-----BEGIN ",
            "PRIVATE KEY-----",
            "-----END ",
            "[redacted:email]",
            "[redacted:",
            "]",
            "cookie",
            "a=b",
            "::1",
            "10.1.2.3",
            "hunter22",
            "ü",
            "⟦",
        ])
        .prop_map(str::to_owned),
        "[0-9]{1,12}",
        "[a-zA-Z0-9_]{1,24}",
        ".{0,4}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn redactor(settings: &Redaction) -> Redactor {
    Redactor::new(settings).expect("settings that can be used")
}

fn redact(text: &str) -> String {
    redactor(&Redaction::default()).redact(text, |_| ()).into_owned()
}

#[test]
fn secrets_are_replaced_and_what_is_around_them_stays() {
    let cases = [
        ("redis://user:hunter22@db:6379/0", "redis://user:[redacted:url_password]@db:6379/0"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer [redacted:bearer]"),
        ("call with sk-abcdefghijklmnop1234 failed", "call with [redacted:api_key] failed"),
        ("password=hunter22 host=a", "password=[redacted:assigned_secret] host=a"),
        ("mail jane.doe@example.org now", "mail [redacted:email] now"),
        ("card 4111 1111 1111 1111.", "card [redacted:card_number]."),
        ("job 4111111111111112 failed", "job 4111111111111112 failed"),
        ("from 203.0.113.7", "from 203.0.113.7"),
        ("nothing to hide at 2025-08-01T21:30:00", "nothing to hide at 2025-08-01T21:30:00"),
    ];
    for (text, expected) in cases {
        assert_eq!(redact(text), expected);
    }
}

#[test]
fn attributes_are_judged_by_name_and_by_what_they_hold() {
    let redactor = redactor(&Redaction::default());
    let at = |field| Location { table: "logs", field };
    let cleaned =
        |field, value| redactor.clean_value(at(field), value, |_, _| ()).map(|cleaned| cleaned.text);
    assert_eq!(cleaned("db.password", "x"), Some("[redacted:name]".to_owned()));
    assert_eq!(cleaned("db.password", ""), None);
    assert_eq!(cleaned("db.password", "[redacted:name]"), None);
    assert_eq!(cleaned("note", "to a@b.org"), Some("to [redacted:email]".to_owned()));
    assert_eq!(cleaned("note", "to all"), None);
    let labels = Location { table: METRICS, field: "secret" };
    let mut seen = Vec::new();
    assert_eq!(
        redactor.clean_value(labels, "db-credentials", |who, what| seen.push((who.to_owned(), what))),
        None
    );
    assert_eq!(seen, [("name".to_owned(), Action::Keep)], "Kubernetes calls a label so");
}

#[test]
fn what_is_hashed_can_be_told_apart_and_what_is_dropped_is_gone() {
    let rule = |detectors: &[&str], action| RedactionRule {
        detectors: detectors.iter().map(|name| (*name).to_owned()).collect(),
        action,
        ..RedactionRule::default()
    };
    let redactor = redactor(&Redaction {
        hash_key: "0123456789abcdef".to_owned(),
        rules: vec![
            rule(&["email"], Action::Hash),
            rule(&["phone"], Action::Drop),
            rule(&["iban"], Action::Keep),
        ],
        ..Redaction::default()
    });
    let clean = |text| redactor.clean(Location::LOG_MESSAGE, text, |_, _| ());
    let text = |text| clean(text).map(|cleaned| cleaned.text).unwrap_or_default();
    let (one, other) = (text("a@b.org"), text("A@B.ORG"));
    assert!(one.starts_with("[redacted:email:") && one.len() == "[redacted:email:]".len() + 16, "{one}");
    assert_eq!(one, other);
    assert_ne!(one, text("c@b.org"));
    assert_eq!(clean(&one), None, "a hash is not hashed again");
    let dropped = clean("call +49 30 23125 123 now").expect("found");
    assert_eq!((dropped.text.as_str(), dropped.dropped), ("call  now", true));
    assert_eq!(clean("DE89370400440532013000"), None);
}

#[test]
fn what_a_neighbour_hid_is_found_at_the_second_look() {
    // What is dropped leaves two digits beside each other that were apart.
    let settings = Redaction { action: Action::Drop, ..Redaction::default() };
    let redactor = redactor(&settings);
    let cleaned = redactor.clean(Location::LOG_MESSAGE, "411111111111jane@example.org1111", |_, _| ());
    let text = cleaned.map(|cleaned| cleaned.text).unwrap_or_default();
    assert_eq!(redactor.clean(Location::LOG_MESSAGE, &text, |_, _| ()), None, "{text}");
}

#[test]
fn own_patterns_and_names_are_used_and_wrong_ones_refused_with_their_place() {
    let mut settings = Redaction::default();
    settings.patterns.insert("case".into(), TextPattern::new(r"CASE-\d+").expect("a pattern"));
    settings.names.push("patient".into());
    let redactor = redactor(&settings);
    let mut hits = Vec::new();
    assert_eq!(redactor.redact("see CASE-12", |rule| hits.push(rule.to_owned())), "see [redacted:case]");
    assert_eq!(hits, ["case"]);
    assert_eq!(redactor.redact("patient=4711abc", |_| ()), "patient=[redacted:assigned_secret]");
    assert!(redactor.is_secret_name("visit.Patient"));

    let error = TextPattern::new("ab(c").expect_err("refused");
    assert!(error.contains("`ab(c` is no regular expression") && error.contains("at column 3"), "{error}");
    assert!(TextPattern::new(&"a".repeat(5000)).expect_err("refused").contains("at most 4096 bytes"));
    assert!(TextPattern::new(r"\w{1000}{1000}").expect_err("refused").contains("bytes when compiled"));
    let cases = [
        (
            Redaction { disabled: vec!["emails".into()], ..Redaction::default() },
            "disabled[0]`: there is no detector",
        ),
        (
            Redaction { names: vec!["pin".into(), "ä".into()], ..Redaction::default() },
            "names[1]`: `ä` is no name",
        ),
        (Redaction { action: Action::Hash, ..Redaction::default() }, "action`: `hash` needs"),
        (Redaction { hash_key: "short".into(), ..Redaction::default() }, "hash_key`: a key has at least 16"),
    ];
    for (settings, expected) in cases {
        let error = Redactor::new(&settings).err().expect("refused").to_string();
        assert!(error.starts_with("`ingest.redaction.") && error.contains(expected), "{error}");
    }
}

#[test]
fn redaction_and_each_detector_can_be_switched_off() {
    let off = redactor(&Redaction { enabled: false, ..Redaction::default() });
    assert_eq!(off.redact("password=hunter22", |_| ()), "password=hunter22");
    assert!(!off.is_secret_name("password"));
    let some = redactor(&Redaction {
        emails: false,
        ips: true,
        disabled: vec!["card_number".into(), "name".into()],
        ..Redaction::default()
    });
    assert_eq!(
        some.redact("a@b.org 4111111111111111 10.1.2.3", |_| ()),
        "a@b.org 4111111111111111 [redacted:ip]"
    );
    assert!(!some.is_secret_name("password"));
}

#[test]
fn secrets_that_are_known_by_heart_are_found_whatever_they_look_like() {
    let redactor = redactor(&Redaction::default());
    let redactor =
        redactor.knowing("configured", &["0pen s3same.*".to_owned(), String::new()]).expect("literals");
    assert_eq!(redactor.redact("say 0pen s3same.*!", |_| ()), "say [redacted:configured]!");
    assert_eq!(redactor.redact("[redacted:configured]", |_| ()), "[redacted:configured]");
}

#[test]
fn what_is_found_is_told_with_its_place_and_what_becomes_of_it() {
    let redactor = redactor(&Redaction::default());
    let found = redactor.find(Location::LOG_MESSAGE, "to a@b.org");
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.range.clone(), one.detector, one.action), (3..10, "email", Action::Mask));
    assert_eq!(one.replacement, "[redacted:email]");
}

static BY_ACTION: LazyLock<[Redactor; 3]> = LazyLock::new(|| {
    [Action::Mask, Action::Hash, Action::Drop].map(|action| {
        let hash_key = "0123456789abcdef".to_owned();
        redactor(&Redaction { action, ips: true, hash_key, ..Redaction::default() })
    })
});

proptest! {
    #[test]
    fn to_redact_twice_changes_nothing_more(text in texts()) {
        for redactor in &*BY_ACTION {
            if let Some(cleaned) = redactor.clean(Location::LOG_MESSAGE, &text, |_, _| ()) {
                prop_assert_eq!(redactor.clean(Location::LOG_MESSAGE, &cleaned.text, |_, _| ()), None, "{}", cleaned.text);
            }
        }
    }
}
