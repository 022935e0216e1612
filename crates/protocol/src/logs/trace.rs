//! Stack traces: which lines belong to one, and what it says was thrown.
//!
//! A line is judged by itself and by what the trace is up to. Unindented lines belong to a trace only where the language
//! prints such (the last line of a traceback of Python, functions in a dump of Go), so that a trace ends where the next
//! record begins, whatever that looks like.

use super::severity::Severity;

/// Who prints the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Python: the exception follows the frames. Whether it was seen since the last frame.
    Python { is_told: bool },
    /// Go: `panic: …`, then goroutines.
    Go,
    /// Rust: `thread 'main' panicked at …`, the message on the next line.
    Rust { is_told: bool },
    /// Java, Kotlin, JavaScript: the exception, then indented frames.
    Frames,
}

/// A stack trace while its lines come.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    kind: Kind,
    exception: Option<(String, String)>,
}

/// The longest type of an exception.
const MAX_TYPE_BYTES: usize = 200;

impl Trace {
    /// A trace that begins with this line.
    pub(super) fn beginning(line: &str) -> Option<Self> {
        let of = |kind, exception| Some(Self { kind, exception });
        let first = line.as_bytes().first()?;
        if !matches!(first, b'T' | b'p' | b'f' | b't' | b'g' | b'+' | b' ') && !first.is_ascii_alphabetic() {
            return None;
        }
        let inner = line.trim_start_matches([' ', '+', '|']);
        if is_traceback(inner) {
            return of(Kind::Python { is_told: false }, None);
        }
        for (start, name) in [("panic: ", "panic"), ("fatal error: ", "fatal error")] {
            if let Some(message) = line.strip_prefix(start) {
                return of(Kind::Go, Some((name.to_owned(), message.to_owned())));
            }
        }
        if line.starts_with("goroutine ") && line.ends_with("]:") {
            return of(Kind::Go, None);
        }
        if line.starts_with("thread '") && line.contains(" panicked at ") {
            return of(Kind::Rust { is_told: false }, None);
        }
        thrown(line).map(|exception| Self { kind: Kind::Frames, exception: Some(exception) })
    }

    /// Whether a line that is not indented belongs to this trace.
    pub(super) fn takes(&mut self, line: &str) -> bool {
        if is_chained(line) {
            if let Kind::Python { is_told } = &mut self.kind {
                *is_told = true;
            }
            return true;
        }
        match &mut self.kind {
            Kind::Python { is_told } => {
                if is_traceback(line) {
                    *is_told = false;
                    return true;
                }
                if *is_told {
                    return false;
                }
                let Some(exception) = raised(line) else { return false };
                *is_told = true;
                self.exception = Some(exception);
                true
            }
            Kind::Go => is_of_go(line),
            Kind::Rust { is_told } => {
                let is_note = line.starts_with("note: ") || line.starts_with("stack backtrace:");
                if is_note || *is_told {
                    return is_note;
                }
                *is_told = true;
                self.exception = Some(("panic".to_owned(), line.to_owned()));
                true
            }
            Kind::Frames => false,
        }
    }

    /// Sees an indented line: of Python, the exception has not been told since.
    pub(super) fn sees_frame(&mut self) {
        if let Kind::Python { is_told } = &mut self.kind {
            *is_told = false;
        }
    }

    /// What was thrown: its type, and what it says.
    pub(super) fn exception(&self) -> Option<(&str, &str)> {
        self.exception.as_ref().map(|(kind, message)| (kind.as_str(), message.as_str()))
    }
}

/// What a whole stack trace says was thrown: its type, and what it says.
pub(super) fn exception_of(trace: &str) -> Option<(String, String)> {
    let mut lines = trace.lines();
    let mut seen = Trace::beginning(lines.next()?)?;
    for line in lines {
        if line.starts_with([' ', '\t']) {
            seen.sees_frame();
        } else if !seen.takes(line) {
            // What an exception says may have several lines; nothing of a trace follows it.
            continue;
        }
    }
    seen.exception
}

fn is_traceback(line: &str) -> bool {
    line.starts_with("Traceback (most recent call last)")
        || line.starts_with("Exception Group Traceback (most")
}

/// What stands between two traces that belong together.
pub(super) fn is_chained(line: &str) -> bool {
    const BETWEEN: &[&str] = &[
        "During handling of the above exception",
        "The above exception was the direct cause",
        "Caused by:",
        "Suppressed:",
        "... ",
    ];
    BETWEEN.iter().any(|start| line.starts_with(start))
}

fn is_of_go(line: &str) -> bool {
    let is_call =
        line.ends_with(')') && line.contains('(') && !line[..line.find('(').unwrap_or(0)].contains(' ');
    is_call
        || ["goroutine ", "created by ", "exit status ", "[signal ", "[recovered]", "runtime: "]
            .iter()
            .any(|start| line.starts_with(start))
}

/// The last line of a traceback of Python: `pkg.Error: message`, or the type alone.
fn raised(line: &str) -> Option<(String, String)> {
    let (kind, message) = line.split_once(':').unwrap_or((line, ""));
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    let starts = kind.as_bytes().first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let is_type = starts && kind.len() <= MAX_TYPE_BYTES && kind.bytes().all(is_path);
    (is_type && Severity::of_word(kind).is_none()).then(|| (kind.to_owned(), message.trim_start().to_owned()))
}

/// The first line of a trace of Java or JavaScript: `java.io.IOException: message`, `TypeError: message`.
fn thrown(line: &str) -> Option<(String, String)> {
    let line = line
        .strip_prefix("Exception in thread ")
        .map_or(line, |rest| rest.split_once("\" ").map_or(rest, |(_, rest)| rest));
    let line = line.strip_prefix("Uncaught ").unwrap_or(line);
    let (kind, message) = line.split_once(':').unwrap_or((line, ""));
    let ends = ["Exception", "Error", "Throwable"].iter().any(|end| kind.ends_with(end));
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$');
    let is_type = ends && kind.len() <= MAX_TYPE_BYTES && kind.bytes().all(is_path);
    is_type.then(|| (kind.to_owned(), message.trim_start().to_owned()))
}
