//! In which format federation answers, by what its client accepts.

use axum::http::{HeaderMap, header};

use super::super::escaping::Escaping;

/// A format, and how it has names that are not plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) format: Format,
    pub(super) escaping: Escaping,
}

/// What a body consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Lines of text, 0.0.4.
    Text,
    /// `io.prometheus.client.MetricFamily` messages, each behind its length.
    Protobuf,
}

const PROTO: &str = "io.prometheus.client.MetricFamily";

impl Form {
    /// The first that there is of those that are accepted, by their weights; text, where there is none: as Prometheus,
    /// which federates no OpenMetrics.
    pub(super) fn accepted_by(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut ranges: Vec<Range<'_>> = values.flat_map(|value| value.split(',')).map(Range::of).collect();
        // Of the same weight the first one counts.
        ranges.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let mut escaping = Escaping::Underscores;
        for range in ranges {
            let named = |scheme: &Escaping| range.get("escaping") == Some(scheme.name());
            escaping = Escaping::ALL.into_iter().find(named).unwrap_or(escaping);
            if let Some(format) = range.format() {
                return Self { format, escaping };
            }
        }
        Self { format: Format::Text, escaping }
    }

    pub(super) fn content_type(self) -> String {
        let media_type = match self.format {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8".to_owned(),
            Format::Protobuf => format!("application/vnd.google.protobuf; proto={PROTO}; encoding=delimited"),
        };
        format!("{media_type}; escaping={}", self.escaping.name())
    }
}

/// One of the ranges of media types that a client accepts.
struct Range<'a> {
    media_type: String,
    parameters: Vec<(&'a str, &'a str)>,
    weight: f64,
}

impl<'a> Range<'a> {
    fn of(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameters: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
        let mut range = Self { media_type, parameters, weight: 1.0 };
        if let Some(weight) = range.get("q") {
            range.weight = weight.parse().unwrap_or(1.0);
        }
        range
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"'))
    }

    fn format(&self) -> Option<Format> {
        match self.media_type.as_str() {
            "text/plain" => {
                matches!(self.get("version"), None | Some("0.0.4" | "1.0.0")).then_some(Format::Text)
            }
            "application/vnd.google.protobuf" => {
                let is_ours = self.get("proto") == Some(PROTO) && self.get("encoding") == Some("delimited");
                is_ours.then_some(Format::Protobuf)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_format_is_the_accepted_one_of_the_greatest_weight() {
        const PROTOBUF: &str =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
        let (text, protobuf) = (Format::Text, Format::Protobuf);
        let cases = [
            (String::new(), text, Escaping::Underscores),
            ("*/*".to_owned(), text, Escaping::Underscores),
            (
                format!(
                    "{PROTOBUF},application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
                ),
                protobuf,
                Escaping::Underscores,
            ),
            (
                format!(
                    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,{PROTOBUF};q=0.3"
                ),
                text,
                Escaping::AllowUtf8,
            ),
            (format!("text/plain; q=0.2, {PROTOBUF}; escaping=values; q=0.3"), protobuf, Escaping::Values),
            (
                "text/plain;version=9,application/vnd.google.protobuf;encoding=text".to_owned(),
                text,
                Escaping::Underscores,
            ),
        ];
        for (accept, format, escaping) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_str(&accept).expect("a header"));
            assert_eq!(Form::accepted_by(&headers), Form { format, escaping }, "{accept}");
        }
        let form = Form { format: Format::Text, escaping: Escaping::Dots };
        assert_eq!(form.content_type(), "text/plain; version=0.0.4; charset=utf-8; escaping=dots");
    }
}
