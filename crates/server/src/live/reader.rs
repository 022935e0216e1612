//! Who reads a stream: a sign of life for them now and then, and a look whether they are still let in.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use state::Scope;
use tokio::time::Interval;

use super::interval;
use crate::access;
use crate::context::Shared;

/// Who reads a stream.
pub(crate) struct Reader {
    app: Shared,
    /// What they have shown: looked up again at each heartbeat, since sessions end and keys are revoked.
    credentials: HeaderMap,
    heartbeat: Interval,
}

impl Reader {
    pub(crate) fn new(app: &Shared, credentials: HeaderMap) -> Self {
        let mut heartbeat = interval(app.config.live_heartbeat.0.max(Duration::from_millis(10)));
        heartbeat.reset();
        Self { app: Arc::clone(app), credentials, heartbeat }
    }

    /// Until the next heartbeat is due.
    pub(crate) async fn tick(&mut self) {
        self.heartbeat.tick().await;
    }

    /// The heartbeat; `None` when they are not let in any more.
    pub(crate) async fn beat(&self) -> Option<Bytes> {
        let is_let_in = access::may(&self.app, &self.credentials, Scope::Read).await;
        is_let_in.then(|| Bytes::from_static(b": heartbeat\n\n"))
    }
}
