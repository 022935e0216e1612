//! Following logs: records that become durable from now on and that a search finds, as they come.
//!
//! What is audited is among them. The ingest tells [`Tails`] what has become durable. What a follower's search finds of
//! it goes into the follower's own queue ([`queue`]), which is bounded, so that nobody is waited for: what finds no room
//! is counted, and the follower is told. While nobody follows, that costs a look at one number.

mod queue;

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use futures::stream::{self, StreamExt as _};
use ingest::{EventListener, INLINE_BYTES, unhurried};
use model::event::{AuditEvent, Event, LogEvent};
use parking_lot::{Mutex, RwLock};
use prometheus::{IntCounter, IntGauge, Registry};
use records::{AuditRecord, Search, bytes_of_audit, bytes_of_log, log_of_audit};
use serde_json::json;
use tokio::sync::Notify;

use crate::context::Shared;
use crate::live::Reader;
use crate::problem::{Kind, Problem};
use crate::wire::records::{LogRecord, hints};
use queue::Queue;

/// Who follows logs.
pub(crate) struct Tails {
    followers: RwLock<Vec<Arc<Follower>>>,
    /// How many there are, for those who only want to know whether there are any.
    open: AtomicUsize,
    max: usize,
    following: IntGauge,
    dropped: IntCounter,
}

/// A record that has become durable: of a log, or of what is audited.
#[derive(Clone, Copy)]
enum Durable<'e> {
    Log(&'e LogEvent),
    Audit(&'e AuditEvent),
}

impl<'e> Durable<'e> {
    fn of(event: &'e Event) -> Option<Self> {
        match event {
            Event::Log(log) => Some(Self::Log(log)),
            Event::Audit(audit) => Some(Self::Audit(audit)),
            _ => None,
        }
    }

    fn is_found_by(self, search: &Search) -> bool {
        match self {
            Self::Log(log) => search.query().matches(&records::LogRecord(log)),
            Self::Audit(audit) => search.query().matches(&AuditRecord(audit)),
        }
    }

    fn to_record(self) -> LogEvent {
        match self {
            Self::Log(log) => log.clone(),
            Self::Audit(audit) => log_of_audit(audit.clone()),
        }
    }

    /// About how many bytes of texts it has.
    fn bytes(self) -> usize {
        match self {
            Self::Log(log) => bytes_of_log(log),
            Self::Audit(audit) => bytes_of_audit(audit),
        }
    }
}

/// One who follows.
struct Follower {
    search: Search,
    queue: Mutex<Queue>,
    /// Told when something came into the queue.
    came: Notify,
}

impl Tails {
    /// At most `max` followers at once.
    pub(crate) fn new(max: usize, registry: &Registry) -> Result<Arc<Self>, prometheus::Error> {
        let following = IntGauge::new("watchkeeper_log_tails", "Tails of logs that are open.")?;
        let dropped = IntCounter::new(
            "watchkeeper_log_tail_dropped_total",
            "Records of logs that tails did not get because their readers were too slow.",
        )?;
        registry.register(Box::new(following.clone()))?;
        registry.register(Box::new(dropped.clone()))?;
        let (followers, open) = (RwLock::default(), AtomicUsize::new(0));
        Ok(Arc::new(Self { followers, open, max, following, dropped }))
    }

    /// One more follower, if there is a place: from now on all that its search finds comes into its queue.
    fn enter(&self, search: Search) -> Option<Arc<Follower>> {
        let mut followers = self.followers.write();
        if followers.len() >= self.max {
            return None;
        }
        let follower = Arc::new(Follower { search, queue: Mutex::default(), came: Notify::new() });
        followers.push(Arc::clone(&follower));
        self.counted(followers.len());
        Some(follower)
    }

    fn leave(&self, follower: &Arc<Follower>) {
        let mut followers = self.followers.write();
        followers.retain(|other| !Arc::ptr_eq(other, follower));
        self.counted(followers.len());
    }

    fn counted(&self, followers: usize) {
        self.open.store(followers, Ordering::Release);
        self.following.set(i64::try_from(followers).unwrap_or(i64::MAX));
    }

    /// Puts a record into the queues of those whose searches find it.
    fn offer(&self, followers: &[Arc<Follower>], durable: Durable<'_>) {
        // All of them have the same one.
        let mut shared: Option<Arc<LogEvent>> = None;
        for follower in followers {
            if !durable.is_found_by(&follower.search) {
                continue;
            }
            let record = || Arc::clone(shared.get_or_insert_with(|| Arc::new(durable.to_record())));
            // Counted before its follower can be told.
            let mut queue = follower.queue.lock();
            if !queue.offer(durable.bytes(), record) {
                self.dropped.inc();
            }
            drop(queue);
            follower.came.notify_one();
        }
    }
}

impl EventListener for Tails {
    fn on_events(&self, events: &[Event]) {
        if self.open.load(Ordering::Acquire) == 0 {
            return;
        }
        // The list is let go of before searches are tried: who comes or goes waits for none of them.
        let followers = self.followers.read().clone();
        let durable = || events.iter().filter_map(Durable::of);
        let offer = || durable().for_each(|durable| self.offer(&followers, durable));
        if durable().map(Durable::bytes).sum::<usize>() > INLINE_BYTES {
            unhurried(offer);
        } else {
            offer();
        }
    }
}

/// An open tail. Its place is free again when it is dropped.
struct Tail {
    app: Shared,
    follower: Arc<Follower>,
    reader: Reader,
    greeted: bool,
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.app.tails.leave(&self.follower);
    }
}

/// The body of a tail of what a search finds, for whoever has shown `credentials`.
pub(crate) fn stream(app: &Shared, search: Search, credentials: HeaderMap) -> Result<Body, Problem> {
    let Some(follower) = app.tails.enter(search) else {
        app.turned_away.inc();
        return Err(Problem::new(
            Kind::Overloaded,
            "Too many tails of logs are open (server.max_log_tails); ask for /api/v1/logs.",
        )
        .retry_after(Duration::from_secs(10)));
    };
    let reader = Reader::new(app, credentials);
    let tail = Tail { app: Arc::clone(app), follower, reader, greeted: false };
    let sent = stream::unfold(tail, |mut tail| async move {
        let chunk = tail.next().await?;
        Some((Ok::<_, Infallible>(chunk), tail))
    });
    Ok(Body::from_stream(sent.fuse()))
}

impl Tail {
    /// What is to be sent next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.greeted {
            self.greeted = true;
            return Some(greeting(&self.follower.search).into());
        }
        loop {
            tokio::select! {
                biased;
                () = self.app.live.stop().cancelled() => return None,
                () = self.reader.tick() => return self.reader.beat().await,
                () = self.follower.came.notified() => {
                    let (records, dropped) = self.follower.queue.lock().take();
                    let text = events(records, dropped);
                    if !text.is_empty() {
                        return Some(text.into());
                    }
                }
            }
        }
    }
}

/// What a tail begins with: when to come again, and what to know of the search.
fn greeting(search: &Search) -> String {
    let mut text = "retry: 2000\n\n".to_owned();
    let hints = hints(search);
    if !hints.is_empty() {
        let _ = write!(text, "event: hints\ndata: {}\n\n", json!(hints));
    }
    text
}

/// Records as events, and behind them how many found no room.
fn events(records: Vec<Arc<LogEvent>>, dropped: u64) -> String {
    let mut text = String::new();
    for record in records {
        // JSON has no raw line breaks, so each is one line of data.
        let record = json!(LogRecord::from(Arc::unwrap_or_clone(record)));
        let _ = write!(text, "event: record\ndata: {record}\n\n");
    }
    if dropped > 0 {
        let _ = write!(text, "event: dropped\ndata: {}\n\n", json!({ "count": dropped }));
    }
    text
}

#[cfg(test)]
mod tests {
    use model::event::{Attributes, AuditCategory};
    use model::{TimeRange, Timestamp};

    use super::*;

    fn search(text: &str) -> Search {
        Search::new(records::Kind::Logs, text, TimeRange::ALL, Timestamp::now()).expect("a query")
    }

    fn log(message: &str) -> Event {
        let log = LogEvent::new(Timestamp::now(), Arc::default());
        Event::Log(Box::new(LogEvent { message: Some(message.to_owned()), ..log }))
    }

    fn audit(action: &str, category: AuditCategory) -> Event {
        Event::Audit(Box::new(AuditEvent {
            time: Timestamp::now(),
            event_id: action.to_owned(),
            action: action.to_owned(),
            category,
            outcome: None,
            user_id: None,
            target: None,
            message: None,
            client_ip: None,
            tenant: None,
            service: None,
            host: None,
            job_id: None,
            document_id: None,
            request_id: None,
            trace_id: None,
            attributes: Attributes::new(),
        }))
    }

    fn messages(follower: &Follower) -> Vec<String> {
        let (records, _) = follower.queue.lock().take();
        records.iter().filter_map(|record| record.message.clone()).collect()
    }

    #[test]
    fn each_follower_gets_what_its_search_finds_from_when_it_came_until_it_goes() {
        let tails = Tails::new(2, &Registry::new()).expect("metrics");
        tails.on_events(&[log("early error")]);
        let errors = tails.enter(search("error")).expect("a place");
        let all = tails.enter(search("")).expect("a place");
        assert!(tails.enter(search("")).is_none(), "two at most");
        tails.on_events(&[log("one error"), log("two"), log("three error")]);
        assert_eq!(messages(&errors), ["one error", "three error"]);
        assert_eq!(messages(&all), ["one error", "two", "three error"]);
        tails.leave(&errors);
        tails.on_events(&[log("late error")]);
        assert_eq!((messages(&errors), messages(&all)), (vec![], vec!["late error".to_owned()]));
        assert!(tails.enter(search("")).is_some(), "the place is free");
    }

    #[test]
    fn what_is_audited_comes_with_the_logs() {
        let tails = Tails::new(2, &Registry::new()).expect("metrics");
        let all = tails.enter(search("")).expect("a place");
        let security = tails.enter(search("category:security login")).expect("a place");
        tails.on_events(&[
            log("login"),
            audit("document.delete", AuditCategory::UserAction),
            audit("user.login", AuditCategory::Security),
        ]);
        assert_eq!(messages(&all), ["login", "document.delete", "user.login"]);
        let (records, _) = security.queue.lock().take();
        let text = events(records, 0);
        assert_eq!(text.matches("event: record\n").count(), 1, "{text}");
        assert!(text.contains(r#""category":"security""#) && text.contains("user.login"), "{text}");
    }

    #[test]
    fn what_finds_no_room_is_told_behind_what_did() {
        let tails = Tails::new(1, &Registry::new()).expect("metrics");
        let follower = tails.enter(search("")).expect("a place");
        let many: Vec<Event> = (0..queue::MAX_RECORDS + 7).map(|number| log(&format!("n{number}"))).collect();
        tails.on_events(&many);
        let (records, dropped) = follower.queue.lock().take();
        assert_eq!((records.len(), dropped, tails.dropped.get()), (queue::MAX_RECORDS, 7, 7));
        let text = events(records, dropped);
        assert_eq!(text.matches("event: record\n").count(), queue::MAX_RECORDS);
        assert!(text.ends_with("event: dropped\ndata: {\"count\":7}\n\n"), "{}", &text[text.len() - 100..]);
    }
}
