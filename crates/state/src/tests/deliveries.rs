use serde_json::json;

use super::{again, at, open};
use crate::{Commit, DeliveryFilter, DeliveryState, NewDelivery, Page, State};

fn new(channel: &str, thread: &str, subject: &str) -> NewDelivery {
    NewDelivery {
        channel: channel.to_owned(),
        thread: thread.to_owned(),
        subject: subject.to_owned(),
        payload: json!({ "of": subject }),
    }
}

async fn due(state: &State, channel: &str, seconds: i64) -> Vec<String> {
    let due = state.deliveries().due(channel, at(seconds), 100).await.expect("read");
    due.into_iter().map(|delivery| delivery.subject).collect()
}

async fn id_of(state: &State, subject: &str) -> String {
    let (all, _) = state.deliveries().list(&DeliveryFilter::default(), Page::default()).await.expect("read");
    all.into_iter().find(|delivery| delivery.subject == subject).expect("there").id
}

#[tokio::test]
async fn a_notification_waits_for_its_time_and_for_those_before_it_in_its_thread() {
    let (folder, state) = open().await;
    let queue = state.deliveries();
    for (thread, subject) in [("r1", "r1 begins"), ("r2", "r2 begins"), ("r1", "r1 ends")] {
        queue.enqueue(new("mail", thread, subject), at(0)).await.expect("queued");
    }
    queue.enqueue(new("hook", "r1", "elsewhere"), at(0)).await.expect("queued");
    assert_eq!(due(&state, "mail", 0).await, ["r1 begins", "r2 begins"]);
    queue.failed(&id_of(&state, "r1 begins").await, "refused", at(10)).await.expect("written");
    assert_eq!(due(&state, "mail", 5).await, ["r2 begins"]);
    queue.delivered(&id_of(&state, "r2 begins").await, "250 ok", at(5)).await.expect("written");
    assert_eq!(
        queue.next_due("mail").await.expect("read"),
        Some(at(10)),
        "what waits behind it does not count"
    );
    queue.hurry("mail", at(6)).await.expect("written");

    let state = again(&folder).await;
    assert_eq!(due(&state, "mail", 6).await, ["r1 begins"]);
    state.deliveries().dead(&id_of(&state, "r1 begins").await, "given up", at(7)).await.expect("written");
    assert_eq!(due(&state, "mail", 7).await, ["r1 ends"]);
    state.deliveries().delivered(&id_of(&state, "r1 ends").await, "250 ok", at(8)).await.expect("written");
    assert!(due(&state, "mail", 100).await.is_empty());
    assert_eq!(state.deliveries().next_due("mail").await.expect("read"), None);
    let counts = state.deliveries().counts().await.expect("counts");
    assert_eq!(counts["mail"], [(DeliveryState::Delivered, 2), (DeliveryState::Dead, 1)].into());
    let last = state.deliveries().last_tried("mail").await.expect("read").expect("one");
    assert_eq!(
        (last.subject.as_str(), last.outcome.as_deref(), last.attempts),
        ("r1 ends", Some("250 ok"), 1)
    );
}

#[tokio::test]
async fn notifications_are_listed_by_channel_and_state() {
    let (_folder, state) = open().await;
    for (channel, subject) in [("mail", "1"), ("hook", "2"), ("mail", "3")] {
        state.deliveries().enqueue(new(channel, "r", subject), at(0)).await.expect("queued");
    }
    state.deliveries().delivered(&id_of(&state, "1").await, "ok", at(1)).await.expect("written");
    let list = async |states: &[DeliveryState], channel: Option<&str>| -> Vec<String> {
        let filter = DeliveryFilter { states: states.to_vec(), channel: channel.map(str::to_owned) };
        let (found, total) = state.deliveries().list(&filter, Page::default()).await.expect("read");
        assert_eq!(found.len() as u64, total);
        found.into_iter().map(|delivery| delivery.subject).collect()
    };
    assert_eq!(list(&[], None).await, ["3", "2", "1"]);
    assert_eq!(list(&[], Some("mail")).await, ["3", "1"]);
    assert_eq!(list(&[DeliveryState::Delivered, DeliveryState::Dead], None).await, ["1"]);
    assert_eq!(state.deliveries().abandon("hook", "gone", at(2)).await.expect("written"), 1);
    assert_eq!(list(&[DeliveryState::Dead], None).await, ["2"]);
}

#[tokio::test]
async fn the_queue_is_bounded_and_gives_up_the_oldest() {
    let (_folder, state) = open().await;
    let deliveries = (0..10_003).map(|number| new("mail", "r", &number.to_string())).collect();
    let commit = Commit { deliveries, ..Commit::default() };
    assert_eq!(state.alerts().commit(&commit, at(0)).await.expect("queued"), 3);
    let filter = DeliveryFilter { states: vec![DeliveryState::Dead], channel: None };
    let (dead, _) = state.deliveries().list(&filter, Page::default()).await.expect("read");
    let subjects: Vec<&str> = dead.iter().map(|delivery| delivery.subject.as_str()).collect();
    assert_eq!(subjects, ["2", "1", "0"]);
    assert_eq!(dead[0].outcome.as_deref(), Some("the queue was full"));
}
