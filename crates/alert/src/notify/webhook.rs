//! HTTP with Alertmanager's payload, version 4.
//!
//! The payload follows Prometheus' documentation of Alertmanager's webhook receiver; beyond it each
//! alert has `evidence`, `value`, `severity` and who acknowledged or resolved it. A `runbook_url` that is a
//! path on this server is told as a whole address where that is known: receivers make links of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use model::Timestamp;
use reqwest::{StatusCode, Url};
use serde::Serialize;
use state::Delivery;

use super::channel::{SendError, Sender};
use super::links::Links;
use super::message::{Notification, NotifiedAlert};
use crate::config::secret;
use crate::evidence::CheckResult;
use crate::{AlertError, WebhookConfig};

/// How Go writes a time that is not set: what Alertmanager sends for an alert that has not ended.
const NO_TIME: &str = "0001-01-01T00:00:00Z";
/// How much of an answer is kept.
const MAX_ANSWER_BYTES: usize = 300;

/// A webhook channel.
pub(super) struct Webhook {
    name: String,
    url: Url,
    bearer_token: Option<String>,
    timeout: Duration,
    links: Links,
    http: reqwest::Client,
}

type Texts<'a> = BTreeMap<&'a str, Cow<'a, str>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    version: &'static str,
    group_key: String,
    truncated_alerts: usize,
    status: &'static str,
    receiver: &'a str,
    group_labels: BTreeMap<&'a str, &'a str>,
    common_labels: Texts<'a>,
    common_annotations: Texts<'a>,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    alerts: Vec<AlertForm<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertForm<'a> {
    status: &'static str,
    labels: Texts<'a>,
    annotations: Texts<'a>,
    starts_at: Timestamp,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: &'a str,
    severity: &'static str,
    value: &'a str,
    acknowledged_by: Option<&'a str>,
    resolved_by: Option<&'a str>,
    note: Option<&'a str>,
    evidence: &'a [CheckResult],
}

impl Webhook {
    pub(super) fn new(
        config: &WebhookConfig,
        links: Links,
        http: reqwest::Client,
    ) -> Result<Self, AlertError> {
        let fail = |reason: String| AlertError::Channel { channel: config.name.clone(), reason };
        let url = secret(&config.name, config.url.as_ref(), config.url_file.as_deref())?
            .ok_or_else(|| fail("it needs `url` or `url_file`".to_owned()))?;
        let url = Url::parse(&url).map_err(|error| fail(format!("its url is not one: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(fail("its url must begin with http:// or https://".to_owned()));
        }
        let token = secret(&config.name, config.bearer_token.as_ref(), config.bearer_token_file.as_deref())?;
        Ok(Self {
            name: config.name.clone(),
            url,
            bearer_token: token,
            timeout: config.timeout.0,
            links,
            http,
        })
    }

    /// The host alone: path and query often are the secret.
    pub(super) fn target(&self) -> String {
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}", self.url.scheme(), self.url.host_str().unwrap_or("?"))
    }

    fn payload<'a>(&'a self, notification: &'a Notification) -> Payload<'a> {
        let alerts: Vec<AlertForm<'_>> =
            notification.alerts.iter().map(|alert| self.alert(notification, alert)).collect();
        Payload {
            version: "4",
            group_key: notification.group_key(),
            truncated_alerts: notification.more,
            status: notification.status.as_str(),
            receiver: &self.name,
            group_labels: BTreeMap::from([("alertname", notification.rule.as_str())]),
            common_labels: common(alerts.iter().map(|alert| &alert.labels)),
            common_annotations: common(alerts.iter().map(|alert| &alert.annotations)),
            external_url: self.links.base().unwrap_or_default(),
            alerts,
        }
    }

    fn alert<'a>(&'a self, notification: &'a Notification, alert: &'a NotifiedAlert) -> AlertForm<'a> {
        let annotations = alert.annotations.iter().map(|(name, text)| {
            let page = (name == "runbook_url").then(|| self.links.page(text)).flatten();
            (name.as_str(), page.map_or(Cow::Borrowed(text.as_str()), Cow::Owned))
        });
        AlertForm {
            status: notification.status.as_str(),
            labels: alert.labels.iter().map(|(name, text)| (name.as_str(), text.as_str().into())).collect(),
            annotations: annotations.collect(),
            starts_at: alert.active_at,
            ends_at: alert.resolved_at.map_or_else(|| NO_TIME.to_owned(), |at| at.to_string()),
            // No address is better than one that leads nowhere.
            generator_url: self.links.alert(&alert.id).unwrap_or_default(),
            fingerprint: &alert.id,
            severity: alert.severity.as_str(),
            value: &alert.value,
            acknowledged_by: alert.acknowledged_by.as_deref(),
            resolved_by: alert.resolved_by.as_deref(),
            note: alert.note.as_deref(),
            evidence: &alert.evidence,
        }
    }
}

/// What all alerts have in common.
fn common<'a, 'b>(mut each: impl Iterator<Item = &'b Texts<'a>>) -> Texts<'a>
where
    'a: 'b,
{
    let mut common = each.next().cloned().unwrap_or_default();
    for texts in each {
        common.retain(|name, text| texts.get(name) == Some(text));
    }
    common
}

#[async_trait]
impl Sender for Webhook {
    async fn send(&self, delivery: &Delivery, notification: &Notification) -> Result<String, SendError> {
        let mut request = self
            .http
            .post(self.url.clone())
            .timeout(self.timeout)
            // The same in every attempt: a receiver can tell one that was sent twice.
            .header("Idempotency-Key", &delivery.id)
            .json(&self.payload(notification));
        if let Some(token) = &self.bearer_token {
            request = request.bearer_auth(token);
        }
        // The error would show the address, which can hold a secret.
        let mut response = request.send().await.map_err(|error| SendError::of(&error.without_url()))?;
        let status = response.status();
        let mut answer = Vec::new();
        while answer.len() < MAX_ANSWER_BYTES {
            match response.chunk().await {
                Ok(Some(chunk)) => answer.extend_from_slice(&chunk),
                Ok(None) | Err(_) => break,
            }
        }
        answer.truncate(MAX_ANSWER_BYTES);
        outcome(status, &String::from_utf8_lossy(&answer))
    }
}

fn outcome(status: StatusCode, answer: &str) -> Result<String, SendError> {
    let line = format!("{status} {}", answer.split_whitespace().collect::<Vec<_>>().join(" "));
    let line = line.trim_end().to_owned();
    if status.is_success() { Ok(line) } else { Err(SendError { reason: line }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretText;
    use crate::notify::message::Status;
    use crate::notify::message::tests::backlog;

    fn webhook(url: &str) -> Result<Webhook, AlertError> {
        let config: WebhookConfig = serde_json::from_value(serde_json::json!({ "name": "hook", "url": url }))
            .expect("a valid section");
        Webhook::new(
            &config,
            Links::new(Some("https://watch.example.org/")),
            crate::service::tests::http_client(),
        )
    }

    #[test]
    fn the_payload_is_alertmanagers() {
        let webhook = webhook("https://hooks.example.org/T0/secret").expect("valid");
        let json = serde_json::to_value(webhook.payload(&backlog(Status::Firing))).expect("JSON");
        assert_eq!(json["version"], "4");
        assert_eq!(json["status"], "firing");
        assert_eq!(json["receiver"], "hook");
        assert_eq!(json["groupKey"], "watchkeeper/queues/QueueBacklog:00000000000000r1");
        assert_eq!(json["groupLabels"], serde_json::json!({ "alertname": "QueueBacklog" }));
        assert_eq!(json["commonLabels"]["queue"], "llm_tasks");
        assert_eq!(json["externalURL"], "https://watch.example.org");
        let alert = &json["alerts"][0];
        assert_eq!(alert["startsAt"], "1970-01-01T00:04:00Z");
        assert_eq!(alert["endsAt"], NO_TIME);
        assert_eq!(alert["fingerprint"], "00000000000000a1");
        assert_eq!(alert["generatorURL"], "https://watch.example.org/?alert=00000000000000a1");
        let runbook = "https://watch.example.org/docs/runbooks/queue-backlog.md";
        assert_eq!(alert["annotations"]["runbook_url"], runbook);
        assert_eq!(json["commonAnnotations"]["runbook_url"], runbook);
        assert_eq!(alert["evidence"][0]["rows"][0][1], "t-1");
        let json = serde_json::to_value(webhook.payload(&backlog(Status::Resolved))).expect("JSON");
        assert_eq!(json["alerts"][0]["endsAt"], "1970-01-01T00:10:00Z");
    }

    #[test]
    fn secrets_are_not_shown() {
        let webhook = webhook("https://hooks.example.org:8443/T0/secret?token=x").expect("valid");
        assert_eq!(webhook.target(), "https://hooks.example.org:8443");
        let secret = SecretText::from("hidden");
        assert_eq!((format!("{secret:?}"), serde_json::json!(secret)), ("***".to_owned(), "***".into()));
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for url in ["hooks.example.org", "ftp://example.org", ""] {
            assert!(webhook(url).is_err(), "{url}");
        }
    }
}
