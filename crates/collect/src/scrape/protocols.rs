//! The formats of exporters: how they are asked for, and how they are told.

use protocol::exposition::Format;
use serde::{Deserialize, Serialize};

/// A format, named as Prometheus names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ScrapeProtocol {
    /// Protobuf, the only one with native histograms.
    PrometheusProto,
    /// OpenMetrics before 1.0.
    #[serde(rename = "OpenMetricsText0.0.1")]
    OpenMetricsText0_0_1,
    /// OpenMetrics 1.0.
    #[serde(rename = "OpenMetricsText1.0.0")]
    OpenMetricsText1_0_0,
    /// The text format.
    #[serde(rename = "PrometheusText0.0.4")]
    PrometheusText0_0_4,
    /// The text format with names in UTF-8.
    #[serde(rename = "PrometheusText1.0.0")]
    PrometheusText1_0_0,
}

/// How a target is to write names that are not of letters, digits and underscores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum EscapingScheme {
    /// As they are.
    #[default]
    #[serde(rename = "allow-utf-8")]
    AllowUtf8,
    /// With underscores.
    #[serde(rename = "underscores")]
    Underscores,
    /// With `_dot_` for dots, and underscores.
    #[serde(rename = "dots")]
    Dots,
    /// With the code of each character.
    #[serde(rename = "values")]
    Values,
}

impl EscapingScheme {
    const fn name(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }
}

use ScrapeProtocol as P;

/// What is asked for unless a job says otherwise.
const USUAL: [P; 4] =
    [P::OpenMetricsText1_0_0, P::OpenMetricsText0_0_1, P::PrometheusText1_0_0, P::PrometheusText0_0_4];

/// The formats of a job that does not name them.
pub(super) fn usual(native_histograms: bool) -> Vec<ScrapeProtocol> {
    native_histograms.then_some(P::PrometheusProto).into_iter().chain(USUAL).collect()
}

impl ScrapeProtocol {
    const fn media_type(self) -> &'static str {
        match self {
            P::PrometheusProto => {
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
            }
            P::OpenMetricsText0_0_1 => "application/openmetrics-text;version=0.0.1",
            P::OpenMetricsText1_0_0 => "application/openmetrics-text;version=1.0.0",
            P::PrometheusText0_0_4 => "text/plain;version=0.0.4",
            P::PrometheusText1_0_0 => "text/plain;version=1.0.0",
        }
    }

    const fn has_escaping(self) -> bool {
        matches!(self, P::PrometheusProto | P::OpenMetricsText1_0_0 | P::PrometheusText1_0_0)
    }

    /// How a body in it is read.
    pub(super) const fn format(self) -> Format {
        match self {
            P::PrometheusProto => Format::Protobuf,
            P::OpenMetricsText0_0_1 | P::OpenMetricsText1_0_0 => Format::OpenMetrics,
            P::PrometheusText0_0_4 | P::PrometheusText1_0_0 => Format::Text,
        }
    }
}

/// The header `Accept`: the formats with weights, the first with the most, and anything else with the least.
pub(super) fn accept(protocols: &[ScrapeProtocol], escaping: EscapingScheme) -> String {
    let mut header = String::new();
    for (place, protocol) in protocols.iter().enumerate() {
        header.push_str(protocol.media_type());
        if protocol.has_escaping() {
            header.push_str(&format!(";escaping={}", escaping.name()));
        }
        header.push_str(&format!(";q=0.{},", protocols.len() + 1 - place));
    }
    header + "*/*;q=0.1"
}

/// The format that a `Content-Type` names; nothing when it names none that is known.
pub(super) fn format_of(content_type: &str) -> Option<Format> {
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next()?.to_ascii_lowercase();
    match media_type.as_str() {
        "text/plain" => Some(Format::Text),
        "application/openmetrics-text" => Some(Format::OpenMetrics),
        "application/vnd.google.protobuf" => {
            let is_ours = |part: &str| match part.split_once('=') {
                Some(("proto", proto)) => proto == "io.prometheus.client.MetricFamily",
                Some(("encoding", encoding)) => encoding == "delimited",
                _ => true,
            };
            parts.all(is_ours).then_some(Format::Protobuf)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_asked_for_as_prometheus_asks() {
        let expected = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;\
                        escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;\
                        q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;\
                        escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(accept(&usual(true), EscapingScheme::AllowUtf8), expected);
        let one = accept(&[P::PrometheusText1_0_0], EscapingScheme::Underscores);
        assert_eq!(one, "text/plain;version=1.0.0;escaping=underscores;q=0.2,*/*;q=0.1");
    }

    #[test]
    fn a_format_is_told_by_the_type_of_the_body() {
        let cases = [
            ("text/plain; version=0.0.4; charset=utf-8", Some(Format::Text)),
            ("Application/OpenMetrics-Text; version=1.0.0", Some(Format::OpenMetrics)),
            (
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
                Some(Format::Protobuf),
            ),
            ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=text", None),
            ("text/html", None),
            ("", None),
        ];
        for (content_type, expected) in cases {
            assert_eq!(format_of(content_type), expected, "{content_type}");
        }
    }
}
