//! Records of logs as applications write them.

use model::Timestamp;
use model::event::Level;

use super::*;

fn attributes<const N: usize>(all: [(&str, &str); N]) -> Attributes {
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn log(event_name: &str, all: Attributes) -> Box<LogEvent> {
    let event_name = Some(event_name.to_owned()).filter(|name| !name.is_empty());
    let log = LogEvent::new(Timestamp::from_millis(1_754_083_800_000), Arc::default());
    Box::new(LogEvent { event_name, attributes: all, ..log })
}

/// A record by itself.
fn from_log(log: Box<LogEvent>, place: usize, limits: &Limits) -> Result<Box<AuditEvent>, Box<LogEvent>> {
    Audits::new(limits).take(log, place)
}

#[track_caller]
fn audit(log: Box<LogEvent>) -> AuditEvent {
    *from_log(log, 0, &Limits::default()).unwrap_or_else(|log| panic!("it stays a log: {log:?}"))
}

#[test]
fn records_are_audits_by_their_name_or_by_their_category() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<&'a str>);
    let cases: [Case<'_>; 17] = [
        ("audit.document.delete", &[], Some("document.delete")),
        ("audit.login", &[("action", "other")], Some("login")),
        ("audit.", &[("event.action", "login")], Some("login")),
        ("", &[("event.name", "audit.login")], Some("login")),
        ("", &[("log.category", "audit"), ("action", "login")], Some("login")),
        ("", &[("log_category", "audit"), ("event_action", "login")], Some("login")),
        ("login", &[("category", "audit")], Some("login")),
        ("audit.", &[], Some("unnamed")),
        ("", &[("category", "audit")], Some("unnamed")),
        ("login", &[("category", "security")], Some("login")),
        ("login", &[("log.category", "Security")], Some("login")),
        ("login", &[("event.category", "security")], Some("login")),
        ("", &[("event_category", "security"), ("action", "in")], Some("in")),
        ("audit", &[("action", "login")], None),
        ("auditor.came", &[("category", "auditors"), ("action", "login")], None),
        ("login", &[("event.category", "authentication"), ("action", "login")], None),
        ("login", &[("event.category", "audit"), ("action", "login")], None),
    ];
    for (name, said, action) in cases {
        let all: Attributes = said.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let sent = log(name, all);
        match from_log(sent.clone(), 0, &Limits::default()) {
            Ok(audit) => {
                assert_eq!(Some(audit.action.as_str()), action, "{name} {said:?}");
                let again = ["event.name", "event_name", "log.category", "log_category", "category"];
                assert!(again.iter().all(|name| !audit.attributes.contains_key(name)), "{audit:?}");
                let is_security = said.iter().any(|(_, value)| value.eq_ignore_ascii_case("security"));
                let kind = if is_security { AuditCategory::Security } else { AuditCategory::UserAction };
                assert_eq!(audit.category, kind, "{audit:?}");
            }
            Err(log) => {
                assert_eq!(action, None, "{name} {said:?}");
                assert_eq!(log, sent, "a log stays as it is");
            }
        }
    }
}

#[test]
fn what_marks_a_record_marks_no_other_of_the_same_request() {
    let limits = Limits::default();
    let mut audits = Audits::new(&limits);
    let of_origin = |all: &[(&str, &str)]| {
        let all = all.iter().map(|(name, said)| ((*name).to_owned(), (*said).to_owned()));
        Arc::new(Origin { scope_attributes: all.collect(), ..Origin::default() })
    };
    let (plain, marked) = (of_origin(&[]), of_origin(&[("category", "audit")]));
    let security = ("event.category", "security");
    let mut category = |origin: &Arc<Origin>, said: &[(&str, &str)]| {
        let mut sent = log("", said.iter().map(|(name, said)| ((*name).into(), (*said).into())).collect());
        sent.origin = Arc::clone(origin);
        audits.take(sent, 0).ok().map(|audit| audit.category)
    };
    for _ in 0..2 {
        assert_eq!(category(&plain, &[]), None);
        assert_eq!(category(&plain, &[security]), Some(AuditCategory::Security));
        assert_eq!(category(&plain, &[("event_name", "audit.in")]), Some(AuditCategory::UserAction));
        assert_eq!(category(&plain, &[("event_nome", "audit.in")]), None);
        assert_eq!(category(&marked, &[]), Some(AuditCategory::UserAction));
        assert_eq!(category(&marked, &[security]), Some(AuditCategory::Security));
        assert_eq!(category(&marked, &[("category", "audit")]), Some(AuditCategory::UserAction));
    }
}

#[test]
fn what_a_record_comes_from_structured_data_and_arrays_mark_it_too() {
    type Case<'a> = (&'a str, &'a str, Option<AuditCategory>);
    let security = Some(AuditCategory::Security);
    let of_record: [Case<'_>; 8] = [
        ("m.log.category", "audit", Some(AuditCategory::UserAction)),
        ("m@4711.log.category", "SECURITY", security),
        ("event.category", r#"["security"]"#, security),
        ("event.category", r#"["iam","Security",7]"#, security),
        ("category", r#"[ "audit" ]"#, Some(AuditCategory::UserAction)),
        ("event.category", r#"["iam","authentication"]"#, None),
        ("event.category", r#"["security""#, None),
        ("m.category", "audit", None),
    ];
    for (name, said, category) in of_record {
        let found = from_log(log("login", attributes([(name, said)])), 0, &Limits::default());
        assert_eq!(found.as_ref().ok().map(|audit| audit.category), category, "{name} {said}");
        if let Ok(audit) = found {
            let says_more = said.contains("iam");
            assert_eq!(audit.attributes.contains_key(name), says_more, "{name} {said}: {audit:?}");
        }
    }
    for (name, said, category) in [
        ("category", "audit", Some(AuditCategory::UserAction)),
        ("log.category", "security", security),
        ("event.category", r#"["security"]"#, security),
        ("category", "books", None),
    ] {
        let of_resource = Origin { resource_attributes: attributes([(name, said)]), ..Origin::default() };
        let of_scope = Origin { scope_attributes: attributes([(name, said)]), ..Origin::default() };
        for origin in [of_resource, of_scope] {
            let sent = LogEvent { origin: Arc::new(origin), ..*log("login", Attributes::new()) };
            let found = from_log(Box::new(sent), 0, &Limits::default()).ok();
            assert_eq!(found.as_ref().map(|audit| audit.category), category, "{name} {said}");
            let told = found.map(|audit| audit.attributes).unwrap_or_default();
            assert_eq!(told, Attributes::new(), "what marks it is told once");
        }
    }
}

#[test]
fn what_has_a_field_goes_there_and_the_rest_stays() {
    let origin = Origin {
        service: Some("gateway".to_owned()),
        host: Some("docs-1".to_owned()),
        environment: Some("production".to_owned()),
        pid: Some(4711),
        resource_attributes: attributes([("k8s.pod.name", "gateway-1"), ("colour", "of the resource")]),
        ..Origin::default()
    };
    let conventions = Conventions {
        job_id: Some("j-7".to_owned()),
        document_id: Some("d-7".to_owned()),
        tenant: Some("acme".to_owned()),
        user_id: Some("ann".to_owned()),
        request_id: Some("r-19".to_owned()),
        http_method: Some("DELETE".to_owned()),
        http_status_code: Some(403),
        ..Conventions::default()
    };
    let said = attributes([
        ("event.outcome", "denied"),
        ("event.category", "security"),
        ("target", "d-7"),
        ("client.address", "192.0.2.7"),
        ("colour", "red"),
        ("actor", "a second one"),
    ]);
    let found = audit(Box::new(LogEvent {
        event_id: Some("e18".to_owned()),
        message: Some("she may only read".to_owned()),
        trace_id: Some("0".repeat(31) + "1"),
        span_id: Some("0".repeat(15) + "1"),
        level: Some(Level::Warn),
        severity_text: Some("WARNING".to_owned()),
        origin: Arc::new(origin),
        conventions,
        ..*log("audit.document.delete", said)
    }));
    let text = |text: &str| Some(text.to_owned());
    let expected = AuditEvent {
        time: Timestamp::from_millis(1_754_083_800_000),
        event_id: "e18".to_owned(),
        action: "document.delete".to_owned(),
        category: AuditCategory::Security,
        outcome: Some(AuditOutcome::Denied),
        user_id: text("ann"),
        target: text("d-7"),
        message: text("she may only read"),
        client_ip: text("192.0.2.7"),
        tenant: text("acme"),
        service: text("gateway"),
        host: text("docs-1"),
        job_id: text("j-7"),
        document_id: text("d-7"),
        request_id: text("r-19"),
        trace_id: Some("0".repeat(31) + "1"),
        attributes: attributes([
            ("actor", "a second one"),
            ("colour", "red"),
            ("deployment.environment.name", "production"),
            ("dropped_attributes", "1"),
            ("http.request.method", "DELETE"),
            ("http.response.status_code", "403"),
            ("k8s.pod.name", "gateway-1"),
            ("level", "warn"),
            ("process.pid", "4711"),
            ("severity", "WARNING"),
            ("span_id", "0000000000000001"),
        ]),
    };
    assert_eq!(found, expected);
}

#[test]
fn words_that_are_no_category_and_no_outcome_stay_attributes() {
    let said = attributes([("event.category", "iam"), ("event.outcome", "unknown"), ("outcome", "failure")]);
    let found = audit(log("audit.login", said));
    assert_eq!((found.category, found.outcome), (AuditCategory::UserAction, Some(AuditOutcome::Failure)));
    assert_eq!(found.attributes, attributes([("event.category", "iam"), ("event.outcome", "unknown")]));
}

#[test]
fn what_is_too_much_is_left_out_and_counted_and_what_is_too_long_for_a_field_is_an_attribute() {
    let limits = Limits { max_attributes: 4, max_name_bytes: 10, ..Limits::default() };
    let long = "l".repeat(11);
    let mut sent =
        *log("audit.login", attributes([("a", "1"), ("b", "2"), ("c", "3"), ("target", long.as_str())]));
    sent.attributes.insert("n".repeat(11), String::new());
    sent.event_id = Some(long.clone());
    sent.dropped_attributes = Some(2);
    sent.origin = Arc::new(Origin {
        service: Some("api".to_owned()),
        resource_attributes: attributes([("d", "4"), ("e", "5")]),
        ..Origin::default()
    });
    let found = from_log(Box::new(sent), 0, &limits).expect("an audit");
    assert_eq!((found.target, found.service.as_deref()), (None, Some("api")));
    assert!(found.event_id.starts_with("auto-"), "{}", found.event_id);
    // Two of the sender's, the name that is too long, two of the resource, and one that makes room for their number.
    let all = attributes([("a", "1"), ("b", "2"), ("c", "3"), (DROPPED, "6")]);
    assert_eq!(found.attributes, all);
    let named = from_log(log(&format!("audit.{long}"), Attributes::new()), 0, &limits).expect("an audit");
    assert_eq!(named.action, "unnamed", "a name is never cut");
    assert_eq!(named.attributes, attributes([("event.name", format!("audit.{long}").as_str())]));
}

#[test]
fn what_was_done_is_said_by_the_message_where_nothing_else_says_it() {
    let (long, endless) = ("word ".repeat(40), "x".repeat(200));
    let cases = [
        ("user login\nfrom elsewhere", "user login"),
        ("  \n user login ", "user login"),
        (long.as_str(), &long[..124]),
        (endless.as_str(), "unnamed"),
        (" ", "unnamed"),
    ];
    for (message, action) in cases {
        let marked = log("", attributes([("log.category", "audit")]));
        let found = audit(Box::new(LogEvent { message: Some(message.to_owned()), ..*marked }));
        assert_eq!((found.action.as_str(), found.message.as_deref()), (action, Some(message)));
        assert_eq!(found.attributes, Attributes::new());
    }
}

#[test]
fn the_mark_of_security_has_the_last_word_on_the_category() {
    let said = attributes([("log.category", "security"), ("event.category", "system"), ("action", "login")]);
    let found = audit(log("", said));
    assert_eq!((found.category, found.action.as_str()), (AuditCategory::Security, "login"));
    assert_eq!(found.attributes, attributes([("event.category", "system")]));
}

#[test]
fn an_id_follows_from_what_is_said_and_when_and_from_the_place_only_where_nobody_said_when() {
    let id = |log: Box<LogEvent>, place| from_log(log, place, &Limits::default()).expect("an audit").event_id;
    let plain = || log("audit.login", attributes([("k", "v")]));
    assert_eq!(id(plain(), 0), id(plain(), 5), "sent again among others");
    let later = Box::new(LogEvent { time: Timestamp::from_millis(5), ..*plain() });
    let other = log("audit.login", attributes([("kv", "")]));
    let moved =
        Box::new(LogEvent { message: Some("v".to_owned()), ..*log("audit.login", attributes([("k", "")])) });
    for different in [later, other, moved, log("audit.logout", attributes([("k", "v")]))] {
        assert_ne!(id(different.clone(), 0), id(plain(), 0), "{different:?}");
    }
    let timeless = || Box::new(LogEvent { flaws: [Flaw::NoTime].into_iter().collect(), ..*plain() });
    assert_ne!(id(timeless(), 0), id(timeless(), 1));
    assert_eq!(id(timeless(), 1), id(timeless(), 1));
}
