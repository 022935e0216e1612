//! From Jaeger's parameters to a search of spans.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use records::MAX_TRACES;
use search::logql;

use crate::problem::Problem;
use crate::routes::given::{Given, wrong};

/// The most tags of a search.
const MAX_TAGS: usize = 32;

/// A search of all spans of a service.
pub(super) fn of_service(service: &str) -> String {
    format!("service={}", quoted(service))
}

/// The search that parameters mean.
pub(super) fn text(given: &Given) -> Result<String, Problem> {
    let mut text = of_service(given.needed("service")?);
    // Writing to a String does not fail.
    if let Some(operation) = given.get("operation") {
        _ = write!(text, " name={}", quoted(operation));
    }
    for (name, comparison) in [("minDuration", ">="), ("maxDuration", "<=")] {
        if let Some(duration) = given.read(name, "a duration as `100ms` or `1.5s`", logql::duration)? {
            _ = write!(text, " duration{comparison}{}ns", duration.as_nanos());
        }
    }
    if let Some(tags) = given.read("tags", "a JSON object of texts", tags)? {
        if tags.len() > MAX_TAGS {
            return Err(wrong("tags", &format!("there are more than {MAX_TAGS}")));
        }
        for (key, value) in &tags {
            _ = write!(text, " {}", tag(key, value));
        }
    }
    Ok(text)
}

fn tags(text: &str) -> Option<BTreeMap<String, String>> {
    serde_json::from_str(text).ok()
}

/// What a tag says. Some are fields of spans.
fn tag(key: &str, value: &str) -> String {
    let value_of = |field: &str| format!("{field}={}", quoted(value));
    match (key, value) {
        ("error", "true") => "status=error".to_owned(),
        ("error", "false") => "-status=error".to_owned(),
        ("span.kind", _) => value_of("kind"),
        ("otel.status_code", _) => format!("status={}", quoted(&value.to_ascii_lowercase())),
        ("otel.status_description", _) => value_of("status_message"),
        ("otel.scope.name" | "otel.library.name", _) => value_of("scope"),
        // By its own name, whatever fields spans have.
        _ => {
            let (record, resource) = (format!("attributes.{key}"), format!("resource.{key}"));
            format!("({}={value} OR {}={value})", quoted(&record), quoted(&resource), value = quoted(value))
        }
    }
}

/// A text as the language of searches has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

/// The ids of the traces that are asked for by them.
pub(super) fn trace_ids(given: &Given) -> Result<Vec<String>, Problem> {
    let ids = given.all("traceID").map(trace_id).take(MAX_TRACES + 1).collect::<Result<Vec<_>, _>>()?;
    if ids.len() > MAX_TRACES {
        return Err(wrong("traceID", &format!("there are more than {MAX_TRACES}")));
    }
    Ok(ids)
}

/// The id of a trace. Short ones lack zeros in front.
pub(super) fn trace_id(text: &str) -> Result<String, Problem> {
    let is_hex = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        return Err(wrong("trace_id", "expected up to 32 hexadecimal digits"));
    }
    Ok(format!("{:0>32}", text.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use model::{TimeRange, Timestamp};
    use records::{Kind, Search};

    use super::*;

    #[test]
    fn whatever_is_asked_is_a_search_that_can_be_read() {
        for (key, value, expected) in [
            ("error", "true", "status=error"),
            ("error", "false", "-status=error"),
            ("span.kind", "server", "kind=\"server\""),
            ("otel.status_code", "ERROR", "status=\"error\""),
            (
                "http.response.status_code",
                "500",
                "\"attributes.http.response.status_code\"=\"500\" OR \"resource.http.response.status_code\"=\"500\")",
            ),
            (
                "http.status_code",
                "500",
                "\"attributes.http.status_code\"=\"500\" OR \"resource.http.status_code\"=\"500\")",
            ),
            ("a \"b\\ *", "c\n\"\\ -/(x", "\"resource.a \\\"b\\\\ *\"=\"c\n\\\"\\\\ -/(x\")"),
        ] {
            let text = format!("{} {}", of_service("a \"b\\"), tag(key, value));
            assert!(text.ends_with(expected), "{text}");
            let search = Search::new(Kind::Spans, &text, TimeRange::ALL, Timestamp::now());
            assert!(search.is_ok(), "{text}: {search:?}");
        }
    }

    #[test]
    fn ids_are_of_one_length() {
        assert_eq!(trace_id("ABC").ok(), Some(format!("{}abc", "0".repeat(29))));
        for text in ["", "x", &"a".repeat(33)] {
            assert!(trace_id(text).is_err(), "{text}");
        }
    }
}
