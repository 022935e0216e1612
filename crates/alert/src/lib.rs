//! Alerts: rules are evaluated, states are kept, people are told, with the evidence attached.
//!
//! A rule's result goes through a small state machine (`machine`), whose steps one task, the clerk,
//! writes to the state database together with the notifications that follow. Workers, one for each
//! channel, send what is queued. Knows no HTTP server and no storage engine; it reads metrics through
//! PromQL and live state through `pipeline`.
//!
//! Start reading at [`Alerts`].

mod book;
mod clerk;
mod config;
mod diagnose;
mod error;
mod evaluate;
mod evidence;
mod group;
mod machine;
mod metrics;
mod notify;
mod reload;
mod results;
mod rules;
mod schedule;
mod series;
mod service;
mod severity;
mod status;
mod template;
pub mod unit_test;

pub use config::{
    Channels, Config, DeliveryConfig, DiagnosisConfig, EmailConfig, SecretText, Tls, WebhookConfig,
};
pub use diagnose::{DiagnoseError, Diagnosis, Subject};
pub use error::{ActionError, AlertError, RuleError};
pub use evidence::{CheckResult, CheckVerdict};
pub use reload::ReloadStatus;
pub use rules::{AlertRule, Group, RecordingRule, Rule, RuleFiles, RuleSet, RuleWarning};
pub use service::{Alerts, Parts};
pub use severity::{Severity, UnknownSeverity};
pub use state::{AlertFilter, AlertRecord, AlertState, Delivery, DeliveryFilter, DeliveryState, Transition};
pub use status::{AlertDetail, ChannelKind, ChannelStatus, GroupStatus, RuleHealth, RuleKind, RuleStatus};
pub use template::TemplateError;
