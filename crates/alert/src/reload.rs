//! Rules that are read again while alerting runs: the files are looked at, and what is new and whole is evaluated
//! from then on. What is broken is said, and the rules that were there go on.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use parking_lot::{Mutex, RwLock};
use serde_json::json;
use state::{AuditEntry, Outcome};
use tokio_util::sync::CancellationToken;

use crate::rules::{Change, Followed, RuleFiles, RuleSet};
use crate::{Alerts, RuleError};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How reading the rules again went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadStatus {
    /// Whether there are files that are followed.
    pub follows: bool,
    /// When the rules that are evaluated now were read.
    pub last_success: Timestamp,
    /// What is wrong with the files as they are now.
    pub error: Option<String>,
    /// When that was seen.
    pub last_failure: Option<Timestamp>,
}

/// The files that are followed, and how that goes.
pub(crate) struct Reloading {
    followed: Mutex<Option<Followed>>,
    status: RwLock<ReloadStatus>,
}

impl Reloading {
    pub(crate) fn new() -> Self {
        let status =
            ReloadStatus { follows: false, last_success: Timestamp::now(), error: None, last_failure: None };
        Self { followed: Mutex::default(), status: RwLock::new(status) }
    }
}

impl Alerts {
    /// Looks at these files while alerting runs, and evaluates what they say. To be called before [`Alerts::run`].
    pub fn follow_files(&self, files: RuleFiles) {
        *self.reloading.followed.lock() = Some(Followed::new(files));
        self.reloading.status.write().follows = true;
    }

    /// How reading the rules again went.
    pub fn reload_status(&self) -> ReloadStatus {
        self.reloading.status.read().clone()
    }

    pub(crate) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let Some(mut followed) = self.reloading.followed.lock().take() else { return };
        loop {
            let looked = tokio::task::spawn_blocking(move || {
                let change = followed.look();
                (followed, change)
            });
            let change = match looked.await {
                Ok((back, change)) => {
                    followed = back;
                    change
                }
                Err(error) => {
                    tracing::error!(%error, "looking at the rule files failed");
                    return;
                }
            };
            self.take(change).await;
            if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
                return;
            }
        }
    }

    async fn take(&self, change: Change) {
        match change {
            Change::None => {}
            Change::Rules(rules) => self.reload(&rules).await,
            Change::Broken(error) => self.refuse(&error),
        }
    }

    /// Evaluates other rules from now on.
    pub(crate) async fn reload(&self, rules: &RuleSet) {
        let before = self.groups();
        let now = Timestamp::now();
        let is_new = before.len() != rules.groups().len()
            || !before.iter().zip(rules.groups()).all(|(known, group)| known.group().says_the_same(group));
        self.tools.metrics.reloaded(true, now);
        let was_broken = {
            let mut status = self.reloading.status.write();
            status.last_success = now;
            status.error.take().is_some()
        };
        if !is_new {
            if was_broken {
                tracing::info!("the rule files can be used again, and say what is evaluated already");
            }
            return;
        }
        self.install(rules);
        let (groups, count) = (rules.groups().len(), rules.rules().count());
        tracing::info!(groups, rules = count, "the rules were read again");
        self.retire(now).await;
        let entry = AuditEntry {
            time: now,
            actor: "watchkeeper".to_owned(),
            action: "rules.reload".to_owned(),
            target: None,
            detail: json!({ "groups": groups, "rules": count }),
            client_ip: None,
            outcome: Outcome::Ok,
        };
        if let Err(error) = self.state().audit().append(&entry).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "that the rules were read again could not be noted");
        }
    }

    /// Says what is wrong; the rules that are there go on.
    fn refuse(&self, error: &RuleError) {
        let text = crate::group::chain(error);
        tracing::warn!(error = text, "the rule files cannot be used; the rules that were there go on");
        let mut status = self.reloading.status.write();
        status.error = Some(text);
        status.last_failure = Some(Timestamp::now());
        self.tools.metrics.reloaded(false, status.last_success);
    }
}
