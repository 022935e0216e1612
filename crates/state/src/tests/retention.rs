use std::time::Duration;

use model::DurationText;
use serde_json::json;

use super::{at, open};
use crate::{AuditEntry, AuditFilter, Config, NewDelivery, Outcome, Page, Role, Swept};

#[tokio::test]
async fn what_is_over_is_removed_when_its_time_has_come() {
    let (_folder, state) = open().await;
    let day = 86_400;
    let ann = state.users().create("ann", "correct horse battery", Role::Viewer).await.expect("made");
    state.sessions().create(&ann.id, None, at(0)).await.expect("a session");
    state.attempts().failed("x", at(0)).await.expect("written");
    for subject in ["waits", "done"] {
        let delivery = NewDelivery {
            channel: "mail".to_owned(),
            thread: subject.to_owned(),
            subject: subject.to_owned(),
            payload: json!({}),
        };
        state.deliveries().enqueue(delivery, at(0)).await.expect("queued");
    }
    let due = state.deliveries().due("mail", at(0), 10).await.expect("read");
    let done = due.iter().find(|delivery| delivery.subject == "done").expect("there");
    state.deliveries().delivered(&done.id, "ok", at(1)).await.expect("written");
    for seconds in [0, 5 * day] {
        let entry = AuditEntry {
            time: at(seconds),
            actor: "ann".to_owned(),
            action: "login".to_owned(),
            target: None,
            detail: json!({}),
            client_ip: None,
            outcome: Outcome::Ok,
        };
        state.audit().append(&entry).await.expect("written");
    }
    let days = |days: u64| DurationText(Duration::from_secs(days * 86_400));
    let config = Config { alert_retention: days(3), delivery_retention: days(3), audit_retention: days(3) };
    assert_eq!(state.sweep(&config, at(1)).await.expect("swept"), Swept::default(), "all is young");
    let swept = state.sweep(&config, at(6 * day)).await.expect("swept");
    assert_eq!(swept, Swept { logins: 2, alerts: 0, deliveries: 1, audit: 1 });
    assert_eq!(
        state.deliveries().due("mail", at(6 * day), 10).await.expect("read").len(),
        1,
        "what waits stays"
    );
    let (left, _) = state.audit().list(&AuditFilter::default(), Page::default()).await.expect("read");
    let left: Vec<&str> = left.iter().map(|record| record.entry.action.as_str()).collect();
    assert_eq!(left, ["audit.checkpoint", "login"]);
}
