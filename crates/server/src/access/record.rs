//! Writing the audit log.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;
use state::{AuditEntry, Outcome};
use tracing::Instrument;

use super::Caller;
use crate::context::{App, Shared};
use crate::problem::Problem;

/// Something that was done, or tried.
pub(crate) struct Action<'a> {
    /// What: `user.create`.
    pub(crate) name: &'static str,
    /// To what.
    pub(crate) target: Option<&'a str>,
    /// Further facts; never a secret.
    pub(crate) detail: Value,
}

impl<'a> Action<'a> {
    pub(crate) fn on(name: &'static str, target: &'a str) -> Self {
        Self { name, target: Some(target), detail: Value::Null }
    }

    #[must_use]
    pub(crate) fn with(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }
}

/// Runs an action together with its entry in the log to the end, also when nobody waits for it any
/// more: neither a client that goes away nor a request that takes too long may come between the two.
pub(crate) async fn whole<T: Send + 'static, F>(
    app: &Shared,
    action: impl FnOnce(Shared) -> F,
) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>> + Send + 'static,
{
    let action = action(Arc::clone(app)).in_current_span();
    app.actions.spawn(action).await.map_err(|error| Problem::internal(&error))?
}

impl App {
    /// Writes that `caller` did `action`, and how it ended.
    pub(crate) async fn record(
        &self,
        caller: &Caller,
        action: Action<'_>,
        outcome: Outcome,
    ) -> Result<(), Problem> {
        self.record_of(&caller.actor(), caller.address, action, outcome).await
    }

    /// The same, of somebody who is not (yet) known.
    pub(crate) async fn record_of(
        &self,
        actor: &str,
        address: IpAddr,
        action: Action<'_>,
        outcome: Outcome,
    ) -> Result<(), Problem> {
        let entry = AuditEntry {
            time: Timestamp::now(),
            actor: actor.to_owned(),
            action: action.name.to_owned(),
            target: action.target.map(str::to_owned),
            detail: action.detail,
            client_ip: Some(address.to_string()),
            outcome,
        };
        Ok(self.context.state.audit().append(&entry).await?)
    }

    /// Writes that `caller` did `action` and what became of it, and hands that on.
    pub(crate) async fn recorded<T>(
        &self,
        caller: &Caller,
        action: Action<'_>,
        done: Result<T, impl Into<Problem>>,
    ) -> Result<T, Problem> {
        let outcome = if done.is_ok() { Outcome::Ok } else { Outcome::Failed };
        self.record(caller, action, outcome).await?;
        done.map_err(Into::into)
    }
}
