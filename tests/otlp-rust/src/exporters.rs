//! The exporters over either transport, with the retries of a user who does not want to lose anything.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use opentelemetry_otlp::{
    LogExporter, MetricExporter, Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig,
    WithTonicConfig,
};

/// What carries the requests.
#[derive(Clone, Copy)]
pub enum Transport {
    Grpc,
    Http,
}

impl Transport {
    /// The one that a word of the command line means.
    pub fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "grpc" => Self::Grpc,
            "http" => Self::Http,
            _ => bail!("`{name}` is neither `grpc` nor `http`"),
        })
    }
}

/// Far more attempts than the three that are made otherwise: `OTEL_EXPORTER_OTLP_TIMEOUT` ends them.
fn retries() -> RetryPolicy {
    RetryPolicy::recommended().with_max_retries(1_000).with_max_delay(Duration::from_secs(1))
}

pub fn spans(transport: Transport) -> Result<SpanExporter> {
    let builder = SpanExporter::builder();
    let built = match transport {
        Transport::Grpc => {
            builder.with_tonic().with_protocol(Protocol::Grpc).with_retry_policy(retries()).build()
        }
        Transport::Http => {
            builder.with_http().with_protocol(Protocol::HttpBinary).with_retry_policy(retries()).build()
        }
    };
    built.context("building the exporter of spans")
}

pub fn logs(transport: Transport) -> Result<LogExporter> {
    let builder = LogExporter::builder();
    let built = match transport {
        Transport::Grpc => {
            builder.with_tonic().with_protocol(Protocol::Grpc).with_retry_policy(retries()).build()
        }
        Transport::Http => {
            builder.with_http().with_protocol(Protocol::HttpBinary).with_retry_policy(retries()).build()
        }
    };
    built.context("building the exporter of logs")
}

pub fn metrics(transport: Transport) -> Result<MetricExporter> {
    let builder = MetricExporter::builder();
    let built = match transport {
        Transport::Grpc => {
            builder.with_tonic().with_protocol(Protocol::Grpc).with_retry_policy(retries()).build()
        }
        Transport::Http => {
            builder.with_http().with_protocol(Protocol::HttpBinary).with_retry_policy(retries()).build()
        }
    };
    built.context("building the exporter of metrics")
}
