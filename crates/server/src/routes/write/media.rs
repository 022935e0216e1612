//! Which message a request of remote write is, by its headers.

use axum::http::{HeaderMap, header};
use protocol::remote_write::Version;

use crate::problem::{Kind, Problem};

/// The media type of all messages.
const PROTOBUF: &str = "application/x-protobuf";
/// The message of 1.0, as `proto` names it.
const FIRST: &str = "prometheus.WriteRequest";
/// The message of 2.0.
const SECOND: &str = "io.prometheus.write.v2.Request";

/// The version that the headers name. Without a type it is 1.0, which senders of old do not name; any other message or
/// compression is refused, so that a sender can fall back to one that is taken.
pub(super) fn version(headers: &HeaderMap) -> Result<Version, Problem> {
    let text = |name| headers.get(name).map_or(Some(""), |value| value.to_str().ok());
    let is_snappy = text(header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding.is_empty() || encoding.eq_ignore_ascii_case("snappy"));
    text(header::CONTENT_TYPE).and_then(of_type).filter(|_| is_snappy).ok_or_else(|| {
        Problem::new(
            Kind::UnsupportedMediaType,
            format!(
                "Send `Content-Encoding: snappy` and `Content-Type: {PROTOBUF};proto={FIRST}` (remote write 1.0) or \
                 `{PROTOBUF};proto={SECOND}` (2.0)."
            ),
        )
    })
}

fn of_type(content_type: &str) -> Option<Version> {
    let mut parts = content_type.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    if !media.is_empty() && !media.eq_ignore_ascii_case(PROTOBUF) {
        return None;
    }
    for part in parts.filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("proto") {
            return match value.trim().trim_matches('"') {
                FIRST => Some(Version::First),
                SECOND => Some(Version::Second),
                _ => None,
            };
        }
    }
    Some(Version::First)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_names_the_message() {
        let (first, second) = (Some(Version::First), Some(Version::Second));
        let cases = [
            ("", first),
            ("application/x-protobuf", first),
            ("application/x-protobuf;proto=prometheus.WriteRequest", first),
            ("Application/X-Protobuf; proto=io.prometheus.write.v2.Request", second),
            ("application/x-protobuf; charset=utf-8; proto=\"io.prometheus.write.v2.Request\"", second),
            ("application/x-protobuf;proto=io.prometheus.write.v3.Request", None),
            ("application/x-protobuf;proto", None),
            ("application/json", None),
            ("text/plain;proto=prometheus.WriteRequest", None),
        ];
        for (content_type, version) in cases {
            assert_eq!(of_type(content_type), version, "{content_type}");
        }
    }
}
