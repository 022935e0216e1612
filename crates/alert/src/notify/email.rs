//! Mail over SMTP.

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as SmtpTls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use state::Delivery;

use super::channel::{SendError, Sender};
use super::links::Links;
use super::message::Notification;
use super::text;
use crate::config::secret;
use crate::{AlertError, EmailConfig, Tls};

/// A mail channel.
pub(super) struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    host: String,
    links: Links,
    timeout: Duration,
}

impl Email {
    pub(super) fn new(config: &EmailConfig, links: Links) -> Result<Self, AlertError> {
        let fail = |reason: String| AlertError::Channel { channel: config.name.clone(), reason };
        let mailbox = |text: &String| {
            text.parse::<Mailbox>().map_err(|error| fail(format!("`{text}` is not a mail address: {error}")))
        };
        let to = config.to.iter().map(mailbox).collect::<Result<Vec<_>, _>>()?;
        if to.is_empty() {
            return Err(fail("`to` names no receiver".to_owned()));
        }
        let port = config.port.unwrap_or(match config.tls {
            Tls::None => 25,
            Tls::Starttls => 587,
            Tls::Tls => 465,
        });
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(port)
            .timeout(Some(config.timeout.0))
            .tls(protection(config).map_err(fail)?);
        let password = secret(&config.name, config.password.as_ref(), config.password_file.as_deref())?;
        builder = match (&config.username, password) {
            (Some(username), Some(password)) => {
                builder.credentials(Credentials::new(username.clone(), password))
            }
            (None, None) => builder,
            _ => return Err(fail("`username` and a password go together".to_owned())),
        };
        Ok(Self {
            transport: builder.build(),
            from: mailbox(&config.from)?,
            to,
            host: format!("{}:{port}", config.host),
            links,
            timeout: config.timeout.0,
        })
    }

    pub(super) fn target(&self) -> String {
        let to: Vec<String> = self.to.iter().map(|mailbox| mailbox.email.to_string()).collect();
        format!("{} via {}", to.join(", "), self.host)
    }

    /// The same delivery gives the same message, so a receiver can tell one that was sent twice.
    fn message(&self, delivery: &Delivery, notification: &Notification) -> Result<Message, SendError> {
        let domain = self.from.email.domain();
        let thread = format!("<{}@{domain}>", notification.rule_id);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(notification.subject())
            .message_id(Some(format!("<{}@{domain}>", delivery.id)))
            // All mails of one rule are one thread.
            .in_reply_to(thread.clone())
            .references(thread)
            .date(std::time::UNIX_EPOCH + Duration::from_secs_f64(delivery.created_at.as_secs_f64().max(0.0)))
            .user_agent("watchkeeper".to_owned());
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let text = text::body(notification, &self.links).replace('\n', "\r\n");
        let body = Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable)
            .map_err(|_| SendError { reason: "the text cannot be encoded".to_owned() })?;
        builder.header(ContentType::TEXT_PLAIN).body(body).map_err(|error| SendError::of(&error))
    }
}

fn protection(config: &EmailConfig) -> Result<SmtpTls, String> {
    if config.tls == Tls::None {
        return Ok(SmtpTls::None);
    }
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(file) = &config.ca_file {
        let pem =
            std::fs::read(file).map_err(|error| format!("{} could not be read: {error}", file.display()))?;
        let certificate = Certificate::from_pem(&pem)
            .map_err(|error| format!("{} holds no certificate: {error}", file.display()))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    let parameters = parameters.build().map_err(|error| SendError::of(&error).reason)?;
    Ok(match config.tls {
        Tls::None => SmtpTls::None,
        Tls::Starttls => SmtpTls::Required(parameters),
        Tls::Tls => SmtpTls::Wrapper(parameters),
    })
}

#[async_trait]
impl Sender for Email {
    async fn send(&self, delivery: &Delivery, notification: &Notification) -> Result<String, SendError> {
        let message = self.message(delivery, notification)?;
        // The transport's own limit is for each step; this one is for the whole conversation.
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(response)) => {
                let said: Vec<&str> = response.message().collect();
                Ok(format!("{} {}", response.code(), said.join(" ")))
            }
            Ok(Err(error)) => Err(SendError::of(&error)),
            Err(_) => Err(SendError { reason: format!("the server took longer than {:?}", self.timeout) }),
        }
    }
}
