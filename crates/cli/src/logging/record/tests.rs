use std::io;

use parking_lot::Mutex;
use tracing::subscriber::with_default;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::logging::text::Fields;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `say` logs: as JSON and as text.
fn logged(say: impl FnOnce()) -> (Vec<Value>, String) {
    let cleaner = Arc::new(Cleaner::new(&["0pen s3same.*".to_owned(), "abc".to_owned()]).expect("patterns"));
    let (json, text) = (Kept::default(), Kept::default());
    let (to_json, to_text) = (json.clone(), text.clone());
    let subscriber =
        tracing_subscriber::registry().with(Records::new(&cleaner, move || to_json.clone())).with(
            fmt::layer()
                .fmt_fields(Fields::new(&cleaner))
                .with_ansi(false)
                .with_writer(move || to_text.clone()),
        );
    with_default(subscriber, say);
    let read = |kept: Kept| String::from_utf8(kept.0.lock().clone()).expect("UTF-8");
    let lines = read(json).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (lines, read(text))
}

#[test]
fn a_line_has_the_shape_of_the_seed() {
    let (lines, _) = logged(|| {
        let span = tracing::info_span!(
            "request",
            request_id = "req-1",
            user_id = tracing::field::Empty,
            method = "GET"
        );
        span.record("user_id", "anna");
        span.in_scope(|| tracing::warn!(status = 503, share = 0.5, full = true, "turned away"));
        tracing::info!("ready");
    });
    let [request, ready] = lines.as_slice() else { panic!("{lines:?}") };
    let time = request["timestamp"].as_str().expect("a time");
    assert_eq!((time.len(), &time[19..20], &time[23..]), (24, ".", "Z"), "{time}");
    assert_eq!(request["level"], "WARNING");
    assert_eq!(request["service"], "watchkeeper");
    assert_eq!(request["request_id"], "req-1");
    assert_eq!(request["user_id"], "anna");
    assert_eq!(request["message"], "turned away");
    let module = module_path!();
    let details =
        serde_json::json!({ "module": module, "method": "GET", "status": 503, "share": 0.5, "full": true });
    assert_eq!(request["details"], details);
    let keys: Vec<&String> = ready.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["details", "level", "message", "service", "timestamp"], "no request, no id");
}

#[test]
fn no_secret_is_in_either_form() {
    let (lines, text) = logged(|| {
        tracing::info!(
            password = "hunter2hunter2",
            url = "redis://me:h1dden@host/0",
            "login with 0pen s3same.*"
        );
        tracing::info!(error = ?Some("Authorization: Bearer abcdefghijklmnop"), "token=\"zzzzzzzz\" was refused");
        tracing::info_span!("call", api_key = "k3yk3yk3y").in_scope(|| tracing::info!("in a span: abc"));
    });
    let json = serde_json::to_string(&lines).expect("JSON");
    for secret in ["hunter2", "h1dden", "s3same", "abcdefghijklmnop", "zzzzzzzz", "k3yk3y"] {
        assert!(!json.contains(secret), "{secret} is in {json}");
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    assert!(text.contains("in a span: abc"), "what is short is no secret worth a blot: {text}");
}

#[test]
fn a_message_stays_on_its_line() {
    let (lines, text) = logged(|| tracing::info!(name = "a\nb", "one\n2025-08-01 ERROR forged \u{1b}[31m"));
    assert_eq!(lines.len(), 1);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn an_error_is_told_with_its_causes() {
    let full = anyhow::Error::from(io::Error::from_raw_os_error(28)).context("could not write x");
    let error: &dyn std::error::Error = full.as_ref();
    let (lines, text) = logged(|| tracing::error!(error, "files could not be merged"));
    let wanted = "could not write x: No space left on device (os error 28)";
    assert_eq!(lines[0]["details"]["error"], wanted);
    assert!(text.contains(wanted), "{text}");
}
