//! A channel: one way out, and what goes over it.

use std::sync::Arc;

use async_trait::async_trait;
use state::Delivery;

use super::email::Email;
use super::links::Links;
use super::message::{Notification, Status};
use super::webhook::Webhook;
use crate::{AlertError, ChannelKind, Channels, Config, Severity};

/// Why an attempt failed, in one line: what the receiver said, or what came between.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct SendError {
    pub(crate) reason: String,
}

impl SendError {
    /// An error with its causes, in one line, without secrets.
    pub(crate) fn of(error: &dyn std::error::Error) -> Self {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !reason.contains(&text) {
                reason.push_str(": ");
                reason.push_str(&text);
            }
            source = cause.source();
        }
        Self { reason }
    }
}

/// Sends notifications.
#[async_trait]
pub(crate) trait Sender: Send + Sync {
    /// Sends one; the answer is what the receiver said.
    async fn send(&self, delivery: &Delivery, notification: &Notification) -> Result<String, SendError>;
}

/// What goes over a channel.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) channel: String,
    pub(crate) min_severity: Severity,
    pub(crate) send_resolved: bool,
}

impl Route {
    pub(crate) fn takes(&self, status: Status, severity: Severity) -> bool {
        severity >= self.min_severity && (status == Status::Firing || self.send_resolved)
    }
}

/// A channel.
pub(crate) struct Channel {
    pub(crate) route: Route,
    pub(crate) kind: ChannelKind,
    /// Where it leads, without secrets.
    pub(crate) target: String,
    pub(crate) sender: Box<dyn Sender>,
}

/// Makes the channels that are configured, and says which of them alerts go over.
pub(crate) fn open_all(
    config: &Config,
    channels: &Channels,
    http: &reqwest::Client,
) -> Result<(Vec<Arc<Channel>>, Vec<Route>), AlertError> {
    let links = Links::new(config.external_url.as_deref());
    let mut opened: Vec<Arc<Channel>> = Vec::new();
    for email in &channels.email {
        let sender = Email::new(email, links.clone())?;
        opened.push(Arc::new(Channel {
            route: route(&email.name, email.min_severity, email.send_resolved),
            kind: ChannelKind::Email,
            target: sender.target(),
            sender: Box::new(sender),
        }));
    }
    for webhook in &channels.webhook {
        let sender = Webhook::new(webhook, links.clone(), http.clone())?;
        opened.push(Arc::new(Channel {
            route: route(&webhook.name, webhook.min_severity, webhook.send_resolved),
            kind: ChannelKind::Webhook,
            target: sender.target(),
            sender: Box::new(sender),
        }));
    }
    for (index, channel) in opened.iter().enumerate() {
        let name = &channel.route.channel;
        let twice = opened[..index].iter().any(|other| other.route.channel == *name);
        if name.is_empty() || twice {
            return Err(AlertError::Channel {
                channel: name.clone(),
                reason: "every channel needs a name of its own".to_owned(),
            });
        }
    }
    for name in &config.channels {
        if !opened.iter().any(|channel| channel.route.channel == *name) {
            return Err(AlertError::UnknownChannel { name: name.clone() });
        }
    }
    let chosen = |name: &String| config.channels.is_empty() || config.channels.contains(name);
    let routes =
        opened.iter().map(|channel| channel.route.clone()).filter(|route| chosen(&route.channel)).collect();
    Ok((opened, routes))
}

fn route(name: &str, min_severity: Severity, send_resolved: bool) -> Route {
    Route { channel: name.to_owned(), min_severity, send_resolved }
}
