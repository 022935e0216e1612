//! The service: what the rest of the house calls.

use std::sync::Arc;

use ingest::Ingest;
use pipeline::Pipeline;
use promql::Engine;
use state::{AlertFilter, AlertRecord, Delivery, DeliveryFilter, Page, State, StateError};
use tokio_util::sync::CancellationToken;

use crate::{ActionError, AlertDetail, AlertError, ChannelStatus, Channels, Config, RuleSet, RuleStatus};

/// What alerting works with.
pub struct Parts {
    /// Evaluates expressions.
    pub engine: Engine,
    /// Live state, for evidence.
    pub pipeline: Arc<Pipeline>,
    /// Where states and notifications are kept.
    pub state: State,
    /// Where recorded series and `ALERTS` go.
    pub ingest: Arc<Ingest>,
    /// Sends webhooks.
    pub http: reqwest::Client,
}

/// Alerting.
pub struct Alerts {
    state: State,
}

impl Alerts {
    /// Sets alerting up: reads stored states and checks channels. Nothing is evaluated before [`Alerts::run`].
    pub async fn new(
        _config: Config,
        _channels: &Channels,
        _rules: RuleSet,
        parts: Parts,
        _registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, AlertError> {
        Ok(Arc::new(Self { state: parts.state }))
    }

    /// Evaluates rules and sends notifications until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        stop.cancelled().await;
    }

    /// A page of alerts, the last changed first, and how many there are in all.
    pub async fn list(
        &self,
        filter: &AlertFilter,
        page: Page,
    ) -> Result<(Vec<AlertRecord>, u64), StateError> {
        self.state.alerts().list(filter, page).await
    }

    /// One alert with its history.
    pub async fn get(&self, id: &str) -> Result<Option<AlertDetail>, StateError> {
        let Some(alert) = self.state.alerts().get(id).await? else { return Ok(None) };
        let history = self.state.alerts().history(id, Page::default()).await?;
        Ok(Some(AlertDetail { alert, history }))
    }

    /// Takes a firing alert on: it fires on, and is not told again.
    pub async fn acknowledge(
        &self,
        _id: &str,
        _by: &str,
        _note: Option<&str>,
    ) -> Result<AlertRecord, ActionError> {
        Err(ActionError::Stopped)
    }

    /// Resolves an alert by hand: it stays resolved until its condition has cleared and come back.
    pub async fn resolve(
        &self,
        _id: &str,
        _by: &str,
        _note: Option<&str>,
    ) -> Result<AlertRecord, ActionError> {
        Err(ActionError::Stopped)
    }

    /// The rules, and how they do.
    pub fn rules(&self) -> Vec<RuleStatus> {
        Vec::new()
    }

    /// The channels, and how they do.
    pub async fn channels(&self) -> Result<Vec<ChannelStatus>, StateError> {
        Ok(Vec::new())
    }

    /// A page of notifications with their outcome, newest first, and how many there are in all.
    pub async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        page: Page,
    ) -> Result<(Vec<Delivery>, u64), StateError> {
        self.state.deliveries().list(filter, page).await
    }

    /// Queues a test notification over a channel; `false` when there is no such channel.
    pub async fn test_channel(&self, _name: &str, _by: &str) -> Result<bool, StateError> {
        Ok(false)
    }
}
