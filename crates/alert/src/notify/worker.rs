//! Sending what is queued: one worker for each channel, so that a slow one holds up no other.
//!
//! A delivery is marked as soon as the receiver has accepted it. A crash between the two sends it once
//! more, with the same message id. When the mark itself cannot be written, the worker remembers it, and
//! sends nothing further until it is.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use parking_lot::Mutex;
use state::{Deliveries, Delivery, StateError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::backoff::{chance, next_attempt};
use super::channel::{Channel, SendError};
use super::message::Notification;
use crate::DeliveryConfig;
use crate::metrics::Metrics;

/// How many deliveries are read at once.
const BATCH: u64 = 16;
/// How often the queue is looked at when nobody says that there is something: another process may
/// have queued it, or the clock may have been set.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long an attempt that is under way may still take at a shutdown: broken off, it might be made
/// again although the receiver has accepted it.
const LAST_ATTEMPT: Duration = Duration::from_secs(3);

/// How a channel did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    pub(crate) up: Option<bool>,
    pub(crate) last_success: Option<Timestamp>,
    pub(crate) last_failure: Option<Timestamp>,
    pub(crate) last_error: Option<String>,
}

/// Sends what is queued for one channel.
pub(crate) struct Worker {
    pub(crate) channel: Arc<Channel>,
    pub(crate) deliveries: Deliveries,
    pub(crate) config: DeliveryConfig,
    pub(crate) health: Arc<Mutex<Health>>,
    /// Rung when something was queued.
    pub(crate) bell: Arc<Notify>,
    pub(crate) metrics: Metrics,
    /// What was accepted and is not marked yet: its id, and what the receiver said. Nothing further is
    /// sent before the mark is written.
    pub(crate) unmarked: Mutex<Option<(String, String)>>,
}

impl Worker {
    /// Works until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            let rung = self.bell.notified();
            tokio::pin!(rung);
            // Rings from here on count, also those that come while the queue is read.
            rung.as_mut().enable();
            let work = self.work(&stop);
            tokio::pin!(work);
            let pause = tokio::select! {
                pause = &mut work => pause,
                () = stop.cancelled() => {
                    let _ = tokio::time::timeout(LAST_ATTEMPT, work).await;
                    return;
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = &mut rung => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends what is due; answers how long nothing is.
    async fn work(&self, stop: &CancellationToken) -> Duration {
        match self.send_due(stop).await {
            Ok(pause) => pause,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, channel = self.name(), "the queue of notifications could not be read");
                LOOK_EVERY
            }
        }
    }

    async fn send_due(&self, stop: &CancellationToken) -> Result<Duration, StateError> {
        loop {
            let due = self.deliveries.due(self.name(), Timestamp::now(), BATCH).await?;
            if due.is_empty() {
                break;
            }
            for delivery in due {
                if stop.is_cancelled() {
                    return Ok(LOOK_EVERY);
                }
                self.attempt(&delivery).await?;
            }
        }
        let next = self.deliveries.next_due(self.name()).await?;
        let pause = next.map_or(LOOK_EVERY, |next| next.since(Timestamp::now()));
        Ok(pause.clamp(Duration::from_millis(10), LOOK_EVERY))
    }

    async fn attempt(&self, delivery: &Delivery) -> Result<(), StateError> {
        let unmarked = self.unmarked.lock().clone();
        if let Some((id, said)) = unmarked {
            self.mark(&id, &said).await?;
            if id == delivery.id {
                return Ok(());
            }
        }
        let sent = match serde_json::from_value::<Notification>(delivery.payload.clone()) {
            Ok(notification) => self.channel.sender.send(delivery, &notification).await,
            Err(error) => {
                let outcome = format!("another version queued it: {error}");
                self.metrics.dead(self.name());
                return self.deliveries.dead(&delivery.id, &outcome, Timestamp::now()).await;
            }
        };
        let now = Timestamp::now();
        match sent {
            Ok(said) => {
                tracing::info!(
                    channel = self.name(),
                    subject = delivery.subject,
                    said,
                    "a notification was delivered"
                );
                *self.unmarked.lock() = Some((delivery.id.clone(), said.clone()));
                let was_down = self.succeeded(now);
                self.mark(&delivery.id, &said).await?;
                if was_down {
                    self.deliveries.hurry(self.name(), now).await?;
                }
                Ok(())
            }
            Err(error) => self.retry(delivery, &error, now).await,
        }
    }

    async fn mark(&self, id: &str, said: &str) -> Result<(), StateError> {
        self.deliveries.delivered(id, said, Timestamp::now()).await?;
        *self.unmarked.lock() = None;
        Ok(())
    }

    /// Answers whether the channel was down before.
    fn succeeded(&self, now: Timestamp) -> bool {
        self.metrics.delivered(self.name());
        let mut health = self.health.lock();
        health.last_success = Some(now);
        health.up.replace(true) == Some(false)
    }

    async fn retry(&self, delivery: &Delivery, error: &SendError, now: Timestamp) -> Result<(), StateError> {
        self.metrics.failed(self.name());
        {
            let mut health = self.health.lock();
            health.up = Some(false);
            health.last_failure = Some(now);
            health.last_error = Some(error.reason.clone());
        }
        let attempts = delivery.attempts + 1;
        tracing::warn!(
            channel = self.name(),
            subject = delivery.subject,
            attempts,
            reason = error.reason,
            "a notification could not be delivered"
        );
        match next_attempt(&self.config, delivery.created_at, attempts, now, chance()) {
            Some(next) => self.deliveries.failed(&delivery.id, &error.reason, next).await,
            None => {
                self.metrics.dead(self.name());
                let outcome = format!("given up after {attempts} attempts: {}", error.reason);
                self.deliveries.dead(&delivery.id, &outcome, now).await
            }
        }
    }

    fn name(&self) -> &str {
        &self.channel.route.channel
    }
}
