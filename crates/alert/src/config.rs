//! What can be set: the sections `[alerts]` and `[[channels.*]]`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{ByteSize, DurationText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AlertError, Severity};

/// The section `[alerts]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Rule files: paths, folders (all `*.yml` and `*.yaml` in them), or paths whose last part has `*` or `?`.
    pub rules: Vec<String>,
    /// How often a group of rules that names no interval is evaluated.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// How long one expression may take.
    #[schemars(with = "String")]
    pub query_timeout: DurationText,
    /// How long all checks of a runbook may take together.
    #[schemars(with = "String")]
    pub evidence_timeout: DurationText,
    /// How often an alert that fires on, and that nobody has acknowledged, is told again.
    #[schemars(with = "String")]
    pub repeat_interval: DurationText,
    /// How long after a start a missing result resolves nothing; two intervals when not set.
    #[schemars(with = "Option<String>")]
    pub grace: Option<DurationText>,
    /// The most alerts of one rule; a rule that gives more fails.
    pub max_alerts_per_rule: usize,
    /// The names of the channels that alerts are told over; all that are configured when empty.
    pub channels: Vec<String>,
    /// The address under which people reach this Watchkeeper; notifications link to it.
    pub external_url: Option<String>,
    /// What `$externalLabels` says in templates of rules.
    pub external_labels: BTreeMap<String, String>,
    /// How notifications are tried again.
    pub delivery: DeliveryConfig,
    /// From when on a check calls what it sees worth a look.
    pub diagnosis: DiagnosisConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            interval: DurationText(Duration::from_secs(15)),
            query_timeout: DurationText(Duration::from_secs(10)),
            evidence_timeout: DurationText(Duration::from_secs(3)),
            repeat_interval: DurationText(Duration::from_secs(4 * 3600)),
            grace: None,
            max_alerts_per_rule: 1_000,
            channels: Vec::new(),
            external_url: None,
            external_labels: BTreeMap::new(),
            delivery: DeliveryConfig::default(),
            diagnosis: DiagnosisConfig::default(),
        }
    }
}

/// From when on a check calls what it sees worth a look: the section `[alerts.diagnosis]`. It colours
/// evidence; what fires is decided by rules alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DiagnosisConfig {
    /// A task that was taken longer ago is stuck.
    #[schemars(with = "String")]
    pub stuck_after: DurationText,
    /// A process that gains more than this within an hour grows.
    #[schemars(with = "String")]
    pub growth_bytes: ByteSize,
    /// A file system above this share, 0 to 1, is full.
    pub disk_ratio: f64,
    /// How far back errors are recent.
    #[schemars(with = "String")]
    pub errors_window: DurationText,
    /// How far back changes are recent.
    #[schemars(with = "String")]
    pub changes_window: DurationText,
}

impl Default for DiagnosisConfig {
    fn default() -> Self {
        Self {
            stuck_after: DurationText(Duration::from_secs(600)),
            growth_bytes: ByteSize(256 << 20),
            disk_ratio: 0.9,
            errors_window: DurationText(Duration::from_secs(3600)),
            changes_window: DurationText(Duration::from_secs(24 * 3600)),
        }
    }
}

/// How notifications are tried again: the section `[alerts.delivery]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// The wait after the first failure; it doubles with each further one.
    #[schemars(with = "String")]
    pub first_retry: DurationText,
    /// The longest wait between two attempts.
    #[schemars(with = "String")]
    pub longest_retry: DurationText,
    /// A notification older than this is given up.
    #[schemars(with = "String")]
    pub max_age: DurationText,
    /// A notification that failed this often is given up.
    pub max_attempts: u64,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            first_retry: DurationText(Duration::from_secs(5)),
            longest_retry: DurationText(Duration::from_secs(600)),
            max_age: DurationText(Duration::from_secs(86_400)),
            max_attempts: 200,
        }
    }
}

/// The ways out: `[[channels.email]]` and `[[channels.webhook]]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Channels {
    /// Mail over SMTP.
    pub email: Vec<EmailConfig>,
    /// HTTP with Alertmanager's payload.
    pub webhook: Vec<WebhookConfig>,
}

/// How the connection to an SMTP server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all: for a relay on the same machine.
    None,
    /// `STARTTLS`, required; usually port 587.
    #[default]
    Starttls,
    /// TLS from the first byte; usually port 465.
    Tls,
}

/// One SMTP channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailConfig {
    /// The channel's name.
    pub name: String,
    /// The server.
    pub host: String,
    /// Its port; 25, 587 or 465 by `tls` when not set.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: Tls,
    /// A file with the certificate (PEM) of an authority to trust beside the public ones.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The user to log in as; no login when not set.
    #[serde(default)]
    pub username: Option<String>,
    /// The password. Better kept in `password_file`.
    #[serde(default)]
    pub password: Option<SecretText>,
    /// A file with the password on its first line.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The sender: `Watchkeeper <watchkeeper@example.org>`.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
    /// How long one attempt may take.
    #[serde(default = "ten_seconds")]
    #[schemars(with = "String")]
    pub timeout: DurationText,
    /// Alerts less severe than this are not told.
    #[serde(default = "warning")]
    pub min_severity: Severity,
    /// Whether the end of an alert is told.
    #[serde(default = "yes")]
    pub send_resolved: bool,
}

/// One webhook channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// The channel's name.
    pub name: String,
    /// Where to post. May hold a secret: better kept in `url_file` then.
    #[serde(default)]
    pub url: Option<SecretText>,
    /// A file with the address on its first line.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// A token to send as `Authorization: Bearer`. Better kept in `bearer_token_file`.
    #[serde(default)]
    pub bearer_token: Option<SecretText>,
    /// A file with the token on its first line.
    #[serde(default)]
    pub bearer_token_file: Option<PathBuf>,
    /// How long one attempt may take.
    #[serde(default = "ten_seconds")]
    #[schemars(with = "String")]
    pub timeout: DurationText,
    /// Alerts less severe than this are not told.
    #[serde(default = "warning")]
    pub min_severity: Severity,
    /// Whether the end of an alert is told.
    #[serde(default = "yes")]
    pub send_resolved: bool,
}

fn ten_seconds() -> DurationText {
    DurationText(Duration::from_secs(10))
}

/// What is only good to know is there to be looked up; mail about it makes people stop reading mail.
fn warning() -> Severity {
    Severity::Warning
}

fn yes() -> bool {
    true
}

/// A text that is shown as `***`, in logs and in printed configuration.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for SecretText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// The secret that is given in place, or that stands on the first line of a file.
pub(crate) fn secret(
    channel: &str,
    given: Option<&SecretText>,
    file: Option<&Path>,
) -> Result<Option<String>, AlertError> {
    match (given, file) {
        (Some(_), Some(file)) => Err(AlertError::Channel {
            channel: channel.to_owned(),
            reason: format!("a secret is given twice, in place and in {}", file.display()),
        }),
        (Some(text), None) => Ok(Some(text.reveal().to_owned())),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file).map_err(|error| AlertError::Channel {
                channel: channel.to_owned(),
                reason: format!("{} could not be read: {error}", file.display()),
            })?;
            Ok(Some(text.lines().next().unwrap_or_default().trim().to_owned()))
        }
        (None, None) => Ok(None),
    }
}
