use model::TimeRange;
use serde_json::{Value, json};

use super::{at, open};
use crate::{
    AuditEntry, AuditFault, AuditFileError, AuditFormat, AuditHash, AuditStart, AuditVerdict, Outcome, State,
    StateError, verify_audit_file,
};

/// Texts that break what is not written with care.
const HOSTILE: [&str; 6] = [
    "a,b;c\td",
    "two\nlines\r\nthree\r",
    "\"quoted\" \\ back",
    "",
    "=SUM(A1:A9)",
    "žluťoučký 🐎 \u{202e}x\0",
];

async fn filled(state: &State) {
    for (second, text) in HOSTILE.iter().enumerate() {
        let entry = AuditEntry {
            time: at(second as i64),
            actor: (*text).to_owned(),
            action: "login".to_owned(),
            target: Some((*text).to_owned()).filter(|_| second != 0),
            detail: json!({ "text": text, "ratio": 0.1, "large": 1e300 }),
            client_ip: None,
            outcome: Outcome::Denied,
        };
        state.audit().append(&entry).await.expect("written");
    }
}

async fn export(state: &State, range: TimeRange, format: AuditFormat) -> Vec<u8> {
    let mut export = state.audit().export(range, format).await.expect("begun");
    let mut file = Vec::new();
    while let Some(part) = export.next_part().await.expect("read") {
        file.extend(part);
    }
    file
}

fn verify(file: &[u8], expected: Option<AuditHash>) -> AuditVerdict {
    verify_audit_file(file, expected, |_| {}).expect("an export")
}

#[tokio::test]
async fn what_was_exported_is_verified_without_the_log() {
    let (_folder, state) = open().await;
    filled(&state).await;
    let log = state.audit().verify(None).await.expect("read");
    for format in [AuditFormat::Ndjson, AuditFormat::Csv] {
        let file = export(&state, TimeRange::ALL, format).await;
        let mut read = 0;
        let verdict = verify_audit_file(&file[..], None, |bytes| read = bytes).expect("an export");
        assert_eq!(verdict, log, "{format}");
        assert_eq!(read, file.len() as u64);
        let head = log.head.expect("a head").hash;
        assert_eq!(verify(&file, Some(head)).expected_at, Some(6));
        // As an editor of Windows would leave it.
        if format == AuditFormat::Ndjson {
            let text = String::from_utf8(file).expect("text").replace('\n', "\r\n");
            assert!(verify(text.as_bytes(), None).is_intact());
        }
    }
}

#[tokio::test]
async fn an_object_has_what_the_api_shows_and_the_hash_before_it() {
    let (_folder, state) = open().await;
    filled(&state).await;
    let file = String::from_utf8(export(&state, TimeRange::ALL, AuditFormat::Ndjson).await).expect("text");
    let objects: Vec<Value> =
        file.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(objects.len(), 6);
    assert_eq!((&objects[0]["seq"], &objects[0]["target"]), (&json!(1), &Value::Null));
    assert_eq!(objects[0]["time"], "2025-08-01T21:30:00Z");
    assert_eq!(objects[1]["detail"]["text"], HOSTILE[1]);
    assert_eq!(objects[0]["previous_hash"], "0".repeat(64));
    assert_eq!(objects[1]["previous_hash"], objects[0]["hash"]);
}

#[tokio::test]
async fn a_part_of_the_log_is_verified_by_itself_and_begins_in_the_middle() {
    let (_folder, state) = open().await;
    filled(&state).await;
    for format in [AuditFormat::Ndjson, AuditFormat::Csv] {
        let file = export(&state, TimeRange::new(at(2), at(4)), format).await;
        let verdict = verify(&file, None);
        assert!(verdict.is_intact(), "{verdict:?}");
        assert_eq!((verdict.entries, verdict.first_seq), (3, Some(3)));
        assert_eq!(verdict.start, Some(AuditStart::Middle));
        let nothing = export(&state, TimeRange::new(at(100), at(200)), format).await;
        let verdict = verify(&nothing, None);
        assert_eq!((verdict.is_intact(), verdict.entries), (true, 0), "{verdict:?}");
    }
}

#[tokio::test]
async fn what_is_changed_missing_or_out_of_order_in_a_file_is_found() {
    let (_folder, state) = open().await;
    filled(&state).await;
    let file = String::from_utf8(export(&state, TimeRange::ALL, AuditFormat::Ndjson).await).expect("text");
    let lines: Vec<&str> = file.lines().collect();
    let of = |places: &[usize]| places.iter().map(|place| lines[*place]).collect::<Vec<_>>().join("\n");
    let cases = [
        (file.replace("\"denied\"", "\"ok\""), 1, AuditFault::Changed),
        (of(&[0, 1, 3, 4, 5]), 3, AuditFault::Missing),
        (of(&[0, 1, 3, 2, 4, 5]), 4, AuditFault::OutOfOrder),
        (of(&[1, 0, 2, 3]), 1, AuditFault::OutOfOrder),
        (of(&[0, 1, 1, 2]), 2, AuditFault::OutOfOrder),
        (of(&[0, 1]) + "\n{\"seq\":3}\n" + lines[3], 3, AuditFault::Changed),
        (file[..file.len() - 20].to_owned(), 6, AuditFault::Changed),
    ];
    for (text, seq, fault) in cases {
        let flaw = verify(text.as_bytes(), None).flaw.expect(&text);
        assert_eq!((flaw.seq, flaw.fault), (seq, fault), "{}", flaw.reason);
    }
    assert!(verify(of(&[0, 1, 2]).as_bytes(), None).is_intact(), "nothing in a file tells what came later");
    let head = state.audit().verify(None).await.expect("read").head.expect("a head");
    let verdict = verify(of(&[0, 1, 2]).as_bytes(), Some(head.hash));
    assert_eq!(verdict.flaw.map(|flaw| (flaw.seq, flaw.fault)), Some((4, AuditFault::Missing)));
}

#[tokio::test]
async fn a_csv_that_was_changed_is_found() {
    let (_folder, state) = open().await;
    filled(&state).await;
    let file = String::from_utf8(export(&state, TimeRange::ALL, AuditFormat::Csv).await).expect("text");
    let cases = [
        (file.replace(",denied,", ",ok,"), "entry 1 was changed: its hash"),
        (file.replacen("0.1", "0.10", 1), "entry 1 was changed: its hash"),
        (file.replacen(",login,", ",login,,", 1), "line 2 is no entry: it has 11 fields"),
        (file.replacen("2025-08-01T21:30:00Z", "someday", 1), "line 2 is no entry: time:"),
        (file.replacen("2025-08-01T21:30:00Z", "2025-08-01T21:30:00.0001Z", 1), "finer than a millisecond"),
        (file.trim_end().to_owned() + "\"", "it ends within quotes"),
    ];
    for (text, said) in cases {
        let reason = verify(text.as_bytes(), None).flaw.expect(said).reason;
        assert!(reason.contains(said), "{said}: {reason}");
    }
}

#[test]
fn a_file_that_is_something_else_is_refused_in_bounded_memory() {
    for foreign in [&b"hello"[..], b"\n{}", b"seq,time\n1,2\n", b"\xff\xfe", b"[1]"] {
        let error = verify_audit_file(foreign, None, |_| {}).expect_err("it is none");
        assert!(matches!(error, AuditFileError::Foreign), "{error:?}");
    }
    for line in ["{\"seq\":".to_owned() + &"1".repeat(3 << 20), "{".to_owned() + &"\"\n".repeat(2 << 20)] {
        let flaw = verify(line.as_bytes(), None).flaw.expect("it is no entry");
        assert_eq!((flaw.seq, flaw.fault), (1, AuditFault::Changed), "{}", flaw.reason);
    }
    let header = "seq,time,actor,action,target,detail,client_ip,outcome,previous_hash,hash\n";
    let open = header.to_owned() + "1,\"" + &"x\n".repeat(2 << 20);
    let flaw = verify(open.as_bytes(), None).flaw.expect("it is no entry");
    assert!(flaw.reason.contains("more than"), "{}", flaw.reason);
}

#[tokio::test]
async fn an_export_into_which_retention_comes_is_broken_off() {
    let (_folder, state) = open().await;
    let mut transaction = state.database.begin("a test").await.expect("begun");
    for second in 0..1_200 {
        let entry = AuditEntry {
            time: at(second),
            actor: "ann".to_owned(),
            action: "login".to_owned(),
            target: None,
            detail: json!({}),
            client_ip: None,
            outcome: Outcome::Ok,
        };
        crate::audit::append_within(&mut transaction, &entry).await.expect("written");
    }
    transaction.commit().await.expect("written");
    let audit = state.audit();
    let mut export = audit.export(TimeRange::ALL, AuditFormat::Ndjson).await.expect("begun");
    let first = export.next_part().await.expect("read").expect("a part");
    assert!(!first.is_empty() && export.entries() < 1_200);
    // What is exported already may go.
    audit.remove_old(std::time::Duration::MAX, 1_199, at(0)).await.expect("removed");
    export.next_part().await.expect("read").expect("a part");
    audit.remove_old(std::time::Duration::MAX, 10, at(0)).await.expect("removed");
    let error = export.next_part().await.expect_err("it is not whole");
    assert!(matches!(error, StateError::RemovedMeanwhile { .. }), "{error:?}");
}
