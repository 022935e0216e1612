//! Notes in the audit log what is not as it was at the last start: the version, the configuration, the
//! rules. So "what changed" has an answer when something breaks.

use alert::RuleSet;
use anyhow::Context as _;
use model::Timestamp;
use serde_json::{Value, json};
use state::{AuditEntry, AuditFilter, Outcome, Page, State};

use crate::config::{self, Loaded};

const ACTION: &str = "configuration.change";

/// Compares with what the last start has noted, and notes what differs.
pub(crate) async fn note(state: &State, loaded: &Loaded, rules: &RuleSet) -> anyhow::Result<()> {
    let shown = config::shown(&loaded.settings).context("the configuration cannot be written down")?;
    let now = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "configuration": digest(&shown.to_string()),
        "rules": digest(&format!("{rules:?}")),
    });
    let filter = AuditFilter { action: Some(ACTION.to_owned()), ..AuditFilter::default() };
    let (last, _) = state.audit().list(&filter, Page { offset: 0, limit: 1 }).await?;
    let changed = changed(last.first().map(|record| &record.entry.detail), &now);
    if changed.is_empty() {
        return Ok(());
    }
    let entry = AuditEntry {
        time: Timestamp::now(),
        actor: "watchkeeper".to_owned(),
        action: ACTION.to_owned(),
        target: Some(changed.join(", ")),
        detail: now,
        client_ip: None,
        outcome: Outcome::Ok,
    };
    Ok(state.audit().append(&entry).await?)
}

/// Which parts differ; all of them at the first start.
fn changed(last: Option<&Value>, now: &Value) -> Vec<&'static str> {
    let differs = |part: &&str| last.is_none_or(|last| last[*part] != now[*part]);
    ["version", "configuration", "rules"].into_iter().filter(differs).collect()
}

/// Tells two texts apart; not a secret's protection: what is shown of the configuration has none.
fn digest(text: &str) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_counts_as_changed() {
        let last = json!({ "version": "1", "configuration": "a", "rules": "b" });
        let now = json!({ "version": "1", "configuration": "a", "rules": "c" });
        assert_eq!(changed(Some(&last), &now), ["rules"]);
        assert!(changed(Some(&now), &now).is_empty());
        assert_eq!(changed(None, &now).len(), 3);
    }
}
