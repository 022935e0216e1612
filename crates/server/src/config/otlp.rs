//! The section `[server.otlp]`: where OpenTelemetry's telemetry comes in, and what it becomes.

use model::ByteSize;

use super::ReceiverAddress;

/// Where telemetry comes in by OpenTelemetry's protocol, beside the main port, and what it becomes.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpConfig {
    /// The address and port for OpenTelemetry over gRPC. `auto` is port 4317 at the address of `server.listen`, and
    /// no more than a warning where that port is taken; `off` is none. TLS is as on the main port.
    #[schemars(with = "String")]
    pub grpc_listen: ReceiverAddress,
    /// The same for OpenTelemetry over HTTP, where `auto` is port 4318. The main port takes it in any case.
    #[schemars(with = "String")]
    pub http_listen: ReceiverAddress,
    /// How names of metrics and labels are written: `underscores` as Prometheus has had them always
    /// (`http_server_request_duration_seconds`), or `utf8` as they were sent, with suffixes for unit and kind.
    pub names: OtlpNames,
    /// Attributes of resources that become labels of every series, beside `job` and `instance`:
    /// `k8s.namespace.name`.
    pub promote_resource_attributes: Vec<String>,
    /// Whether the library that reports becomes labels of every series (`otel_scope_name` and the like).
    pub scope_labels: bool,
    /// Whether a series `target_info` says for each resource what else is known of it.
    pub target_info: bool,
    /// The most memory that what becomes of one request may take, and of one to Loki's push API; records and points
    /// beyond are rejected.
    #[schemars(with = "String")]
    pub max_request_memory: ByteSize,
}

/// How names of metrics and labels are written.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum OtlpNames {
    /// In letters, digits and underscores.
    #[default]
    Underscores,
    /// As they were sent.
    Utf8,
}

impl Default for OtlpConfig {
    fn default() -> Self {
        Self {
            grpc_listen: ReceiverAddress::Auto,
            http_listen: ReceiverAddress::Auto,
            names: OtlpNames::default(),
            promote_resource_attributes: Vec::new(),
            scope_labels: false,
            target_info: true,
            max_request_memory: ByteSize(128 << 20),
        }
    }
}
