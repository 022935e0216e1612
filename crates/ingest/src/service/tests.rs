//! The path in, over a store that remembers what it was given.

mod deltas;
mod names;
mod records;
mod room;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use model::event::DeployEvent;
use model::{Labels, Sample};
use store::{
    Appended, Cancel, Condition, EventPass, Matcher, Predicate, Reservation, Scalar, SelectRequest,
    SeriesCursor, StoreStats, Test,
};

use super::*;
use crate::{Action, Redaction, RedactionRule};

/// A store in memory that can be told to have no room, or to panic.
#[derive(Default)]
struct Memory {
    full: AtomicBool,
    /// How often it was given something, and after how often it has no more room; never, where that is 0.
    appends: AtomicUsize,
    full_after: AtomicUsize,
    /// Whether no room is to be taken in it, how much was taken so far, and how much of it went back.
    crowded: AtomicBool,
    reserved: Mutex<u64>,
    given_back: Arc<Mutex<u64>>,
    /// By what right batches came.
    intakes: Mutex<Vec<&'static str>>,
    /// Whether what it is given makes it panic.
    broken: AtomicBool,
    events: Mutex<Vec<Event>>,
    samples: Mutex<Vec<(Labels, Sample)>>,
}

#[async_trait]
impl TelemetryStore for Memory {
    async fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        let (times, most) =
            (self.appends.fetch_add(1, Ordering::SeqCst) + 1, self.full_after.load(Ordering::SeqCst));
        if self.full.load(Ordering::SeqCst) || (most > 0 && times > most) {
            return Err(AppendError::Overloaded { what: "test" });
        }
        tokio::task::yield_now().await;
        assert!(!self.broken.load(Ordering::SeqCst), "the store was told to panic");
        for part in &batch.events {
            let rows = store::events_from_batch(part.table, &part.rows).expect("rows of the table");
            self.events.lock().extend(rows);
        }
        let mut samples = self.samples.lock();
        for (labels, values) in batch.metrics.iter() {
            samples.extend(values.iter().map(|sample| (labels.to_owned(), *sample)));
        }
        Ok(Appended { samples: batch.metrics.sample_count() as u64, ..Appended::default() })
    }
    async fn append_by(&self, batch: Batch, intake: &Intake) -> Result<Appended, AppendError> {
        let intake = match intake {
            Intake::Usual => "usual",
            Intake::Spare => "spare",
            Intake::Reserved(_) => "reserved",
        };
        self.intakes.lock().push(intake);
        self.append(batch).await
    }
    fn reserve(&self, bytes: u64) -> Result<Reservation, AppendError> {
        if self.crowded.load(Ordering::SeqCst) {
            return Err(AppendError::Overloaded { what: "test" });
        }
        *self.reserved.lock() += bytes;
        let given_back = Arc::clone(&self.given_back);
        Ok(Reservation::new(bytes, move |bytes| *given_back.lock() += bytes))
    }
    fn select(&self, _: &SelectRequest) -> Result<Box<dyn SeriesCursor>, QueryError> {
        Err(QueryError::Stopped("not in this test"))
    }
    fn series(&self, _: &[Matcher], _: TimeRange, _: usize, _: &Cancel) -> Result<Vec<Labels>, QueryError> {
        Ok(Vec::new())
    }
    fn label_names(&self, _: &[Matcher], _: TimeRange, _: &Cancel) -> Result<Vec<String>, QueryError> {
        Ok(Vec::new())
    }
    fn label_values(
        &self,
        _: &str,
        _: &[Matcher],
        _: TimeRange,
        _: &Cancel,
    ) -> Result<Vec<String>, QueryError> {
        Ok(Vec::new())
    }
    fn scan(&self, scan: &EventScan) -> Result<Vec<RecordBatch>, QueryError> {
        let mut events = self.events.lock().clone();
        events.retain(|event| {
            store::table_of(event) == scan.table && scan.filters.iter().all(|filter| has_id(event, filter))
        });
        // What came last is the newest.
        let newest = events.split_off(events.len().saturating_sub(scan.limit));
        let batches = store::batches_from_events(&newest).expect("rows of the table");
        Ok(batches.into_iter().map(|batch| batch.rows).collect())
    }
    fn each_batch(
        &self,
        _: &EventPass,
        _: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        Err(QueryError::Invalid("not asked here".to_owned()))
    }
    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }
}

/// Whether an event has an id that satisfies conditions on ids.
fn has_id(event: &Event, filter: &Predicate) -> bool {
    let is = |condition: &Condition| {
        assert_eq!(condition.field.column(), "event_id", "only ids are asked for here");
        let Test::Compare(op, Scalar::Text(text)) = &condition.test else { panic!("{condition:?}") };
        event.event_id().is_some_and(|id| match op {
            FilterOp::NotEqual => *id != **text,
            FilterOp::Less => *id < **text,
            FilterOp::AtLeast => *id >= **text,
            _ => panic!("{condition:?}"),
        })
    };
    match filter {
        Predicate::All(parts) => parts.iter().all(|part| has_id(event, part)),
        Predicate::Any(parts) => parts.iter().any(|part| has_id(event, part)),
        Predicate::Is(condition) => is(condition),
        Predicate::Not(_) | Predicate::Own(_) => panic!("{filter:?}"),
    }
}

const DAY: Duration = Duration::from_secs(86_400);

fn open(store: &Arc<Memory>) -> (Arc<Ingest>, prometheus::Registry) {
    open_with(store, Retention::from(7 * DAY))
}

fn open_with(store: &Arc<Memory>, retention: Retention) -> (Arc<Ingest>, prometheus::Registry) {
    let registry = prometheus::Registry::new();
    let redactor = Redactor::new(&Redaction::default()).expect("shipped rules");
    let store: Arc<dyn TelemetryStore> = Arc::<Memory>::clone(store);
    let ingest = Ingest::new(store, Limits::default(), redactor, retention, &registry);
    (ingest.expect("a fresh registry"), registry)
}

fn deploy(id: &str) -> DeployEvent {
    DeployEvent {
        time: Timestamp::now(),
        event_id: id.into(),
        service: "api".into(),
        version: "1".into(),
        environment: None,
        description: None,
        url: None,
        attributes: Default::default(),
    }
}

fn refused(registry: &prometheus::Registry, reason: &str) -> f64 {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == "watchkeeper_ingest_refused_total");
    family.map_or(0.0, |family| {
        let counted = family
            .get_metric()
            .iter()
            .filter(|metric| metric.get_label().iter().any(|label| label.value() == reason));
        counted.map(|metric| metric.get_counter().get_value()).sum()
    })
}

#[tokio::test]
async fn an_event_that_is_sent_again_is_stored_once_even_after_a_restart() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let events = || {
        vec![
            Event::Deploy(Box::new(deploy("a"))),
            Event::Deploy(Box::new(deploy("a"))),
            Event::Deploy(Box::new(deploy("b"))),
        ]
    };
    let first = ingest.append_events(Source::EventsApi, events()).await.expect("stored");
    assert_eq!((first.accepted, first.duplicates), (2, 1));
    let second = ingest.append_events(Source::EventsApi, events()).await.expect("stored");
    assert_eq!((second.accepted, second.duplicates), (0, 3));
    assert!((refused(&registry, "duplicate") - 4.0).abs() < f64::EPSILON);

    let (restarted, _) = open(&store);
    assert_eq!(restarted.recall().expect("readable"), 2);
    let third = restarted.append_events(Source::EventsApi, events()).await.expect("stored");
    assert_eq!(third.accepted, 0);
    assert_eq!(store.events.lock().len(), 2);
}

#[tokio::test]
async fn an_event_that_is_on_its_way_is_not_acknowledged_to_another() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let send = || ingest.append_events(Source::EventsApi, vec![Event::Deploy(Box::new(deploy("a")))]);
    let (one, two) = tokio::join!(send(), send());
    assert_eq!([&one, &two].iter().filter(|result| result.is_ok()).count(), 1, "{one:?} {two:?}");
    assert!((refused(&registry, "overloaded") - 1.0).abs() < f64::EPSILON);
    assert_eq!(send().await.expect("stored").duplicates, 1);
    assert_eq!(store.events.lock().len(), 1);
}

#[tokio::test]
async fn an_event_that_found_no_room_can_be_sent_again() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    store.full.store(true, Ordering::SeqCst);
    let events = || vec![Event::Deploy(Box::new(deploy("a")))];
    assert!(matches!(
        ingest.append_events(Source::EventsApi, events()).await,
        Err(IngestError::Store(AppendError::Overloaded { .. }))
    ));
    assert!((refused(&registry, "overloaded") - 1.0).abs() < f64::EPSILON);
    store.full.store(false, Ordering::SeqCst);
    assert_eq!(ingest.append_events(Source::EventsApi, events()).await.expect("stored").accepted, 1);
}

#[tokio::test]
async fn an_event_whose_storing_has_panicked_is_told_as_a_fault_and_can_be_sent_again() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    store.broken.store(true, Ordering::SeqCst);
    let send = || ingest.append_events(Source::EventsApi, vec![Event::Deploy(Box::new(deploy("a")))]);
    let broken = send().await;
    assert!(matches!(broken, Err(IngestError::Broken(_))), "{broken:?}");
    assert!((refused(&registry, "overloaded") - 1.0).abs() < f64::EPSILON, "it is counted");
    store.broken.store(false, Ordering::SeqCst);
    assert_eq!(send().await.expect("stored").accepted, 1);
}

#[tokio::test]
async fn what_breaks_a_limit_is_rejected_by_index_and_the_rest_is_stored() {
    let store = Arc::new(Memory::default());
    let (ingest, _) = open(&store);
    let future = DeployEvent { time: Timestamp::now().after(Duration::from_secs(3600)), ..deploy("f") };
    let old = DeployEvent { time: Timestamp::from_millis(0), ..deploy("o") };
    let long = DeployEvent { service: "x".repeat(1000), ..deploy("l") };
    let many = (0..200).map(|n| (n.to_string(), String::new())).collect();
    let crowded = DeployEvent { attributes: many, ..deploy("m") };
    let events = [deploy("ok"), future, old, long, crowded].map(Box::new).map(Event::Deploy).to_vec();
    let outcome = ingest.append_events(Source::EventsApi, events).await.expect("stored");
    assert_eq!(outcome.accepted, 1);
    let reasons: Vec<(usize, &str)> = outcome.rejected.iter().map(|r| (r.index, r.reason.as_str())).collect();
    for (index, part) in [
        (1, "in the future"),
        (2, "older than the retention of 7d"),
        (3, "service has 1000"),
        (4, "200 attributes"),
    ] {
        assert!(
            reasons.iter().any(|(at, text)| *at == index && text.contains(part)),
            "{index} {part}: {reasons:?}"
        );
    }
}

#[tokio::test]
async fn secrets_are_gone_before_anything_is_stored() {
    let store = Arc::new(Memory::default());
    let (ingest, _) = open(&store);
    let attributes =
        [("password".to_owned(), "hunter22".to_owned()), ("note".to_owned(), "to a@b.org".to_owned())];
    let description = Some(format!("token=abcdef123 {}", "x".repeat(20_000)));
    let event = DeployEvent { description, attributes: attributes.into(), ..deploy("a") };
    ingest.append_events(Source::EventsApi, vec![Event::Deploy(Box::new(event))]).await.expect("stored");
    let stored = format!("{:?}", store.events.lock());
    for secret in ["hunter22", "abcdef123", "a@b.org"] {
        assert!(!stored.contains(secret), "{secret}");
    }
    assert!(stored.len() < 18_000, "an over-long text is cut");
}

/// How often something was redacted, by the values of two labels.
fn redacted(registry: &prometheus::Registry, detector: &str, action: &str) -> f64 {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == "watchkeeper_redactions_total");
    let is_it = |metric: &&prometheus::proto::Metric| {
        let has = |value: &str| metric.get_label().iter().any(|label| label.value() == value);
        has(detector) && has(action)
    };
    let metrics = family.map(prometheus::proto::MetricFamily::get_metric).unwrap_or_default();
    metrics.iter().filter(is_it).map(|metric| metric.get_counter().get_value()).sum()
}

/// A path in with rules of one's own.
fn open_ruled(store: &Arc<Memory>, rules: Vec<RedactionRule>) -> (Arc<Ingest>, prometheus::Registry) {
    let registry = prometheus::Registry::new();
    let redactor = Redactor::new(&Redaction { rules, ..Redaction::default() }).expect("rules");
    let store: Arc<dyn TelemetryStore> = Arc::<Memory>::clone(store);
    let ingest = Ingest::new(store, Limits::default(), redactor, Retention::from(7 * DAY), &registry);
    (ingest.expect("a fresh registry"), registry)
}

fn rule(detector: &str, fields: &[&str], action: Action) -> RedactionRule {
    RedactionRule {
        detectors: vec![detector.to_owned()],
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        action,
        ..RedactionRule::default()
    }
}

#[tokio::test]
async fn names_are_redacted_and_ids_only_where_a_rule_says_so() {
    let event = || DeployEvent { service: "a@b.org".into(), ..deploy("c@d.org") };
    let stored = async |rules| {
        let store = Arc::new(Memory::default());
        let (ingest, _) = open_ruled(&store, rules);
        ingest
            .append_events(Source::EventsApi, vec![Event::Deploy(Box::new(event()))])
            .await
            .expect("stored");
        let events = store.events.lock().clone();
        let [Event::Deploy(deploy)] = events.as_slice() else { panic!("{events:?}") };
        (deploy.event_id.clone(), deploy.service.clone())
    };
    let masked = || "[redacted:email]".to_owned();
    assert_eq!(stored(Vec::new()).await, ("c@d.org".to_owned(), masked()));
    let by_rule = vec![rule("email", &["*_id"], Action::Mask), rule("email", &["service"], Action::Drop)];
    assert_eq!(stored(by_rule).await, (masked(), "[redacted:text]".to_owned()), "a name must be one");
}

#[tokio::test]
async fn attributes_go_as_a_whole_and_their_names_are_looked_at_too() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open_ruled(&store, vec![rule("email", &["note"], Action::Drop)]);
    let pairs =
        [("note", "to a@b.org"), ("mail a@b.org", "1"), ("mail c@d.org", "2"), ("Api-Key", "x"), ("n", "y")];
    let attributes = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let event = DeployEvent { attributes, ..deploy("a") };
    ingest.append_events(Source::EventsApi, vec![Event::Deploy(Box::new(event))]).await.expect("stored");
    let events = store.events.lock().clone();
    let [Event::Deploy(deploy)] = events.as_slice() else { panic!("{events:?}") };
    let kept: Vec<(&str, &str)> = deploy.attributes.iter().map(|(name, value)| (&**name, &**value)).collect();
    let expected = [
        ("Api-Key", "[redacted:name]"),
        ("mail [redacted:email]", "1"),
        ("mail [redacted:email]_2", "2"),
        ("n", "y"),
    ];
    assert_eq!(kept, expected);
    for (detector, action, count) in [("email", "drop", 1.0), ("email", "mask", 2.0), ("name", "mask", 1.0)] {
        assert!((redacted(&registry, detector, action) - count).abs() < f64::EPSILON, "{detector} {action}");
    }
}

#[tokio::test]
async fn labels_of_series_are_redacted_each_time_they_come_and_others_are_left_alone() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open_ruled(&store, vec![rule("jwt", &["session"], Action::Drop)]);
    let token = concat!("ey", "JhbGciOiJub25lIn0.e30.c2ln");
    let dirty = [("mail", "a@b.org"), ("secret", "db-credentials"), ("session", token), ("password", "x")];
    for round in 1..=2 {
        let mut batch = MetricBatch::new();
        let now = Timestamp::now().as_millis();
        batch.push_one(&Labels::metric("up", &dirty), now, 1.0);
        batch.push_one(&Labels::metric("up", &[("job", "a")]), now, 2.0);
        let appended = ingest.append_metrics(Source::RemoteWrite, batch).await.expect("stored");
        assert_eq!(appended.stored, 2);
        let masked = f64::from(round);
        assert!((redacted(&registry, "email", "mask") - masked).abs() < f64::EPSILON);
        assert!((redacted(&registry, "name", "keep") - masked).abs() < f64::EPSILON, "of Kubernetes' secret");
    }
    let clean = [("mail", "[redacted:email]"), ("password", "[redacted:name]"), ("secret", "db-credentials")];
    let expected = [Labels::metric("up", &clean), Labels::metric("up", &[("job", "a")])];
    let stored: Vec<Labels> = store.samples.lock().iter().map(|(labels, _)| labels.clone()).collect();
    assert_eq!(stored, [&expected[..], &expected[..]].concat());
}

#[tokio::test]
async fn samples_outside_the_limits_are_left_out_and_counted() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let now = Timestamp::now().as_millis();
    let mut batch = MetricBatch::new();
    batch.push_one(&Labels::metric("a", &[]), now, 1.0);
    batch.push_one(&Labels::metric("b", &[("v", &"x".repeat(20_000))]), now, 1.0);
    let times = [0, now, now + 3_600_000].map(|time_ms| Sample { time_ms, value: 2.0 });
    batch.push(Labels::metric("c", &[]).as_ref(), &times);
    let appended = ingest.append_metrics(Source::RemoteWrite, batch).await.expect("stored");
    assert_eq!((appended.stored, appended.too_large, appended.too_old, appended.future), (2, 1, 1, 1));
    let said = appended.refusals().unwrap_or_default();
    assert!(said.contains("1 samples are out of order") && said.contains("ingest.max_future"), "{said}");
    for reason in ["too_large", "too_old", "future"] {
        assert!((refused(&registry, reason) - 1.0).abs() < f64::EPSILON, "{reason}");
    }
}

#[tokio::test]
async fn what_is_kept_longer_than_the_rest_is_taken_as_old_and_what_is_kept_shorter_is_not() {
    let store = Arc::new(Memory::default());
    let retention = Retention::from(7 * DAY)
        .with_table(Table::Deploys, 30 * DAY)
        .with_table(Table::Feedback, DAY)
        .with_series(vec![Matcher::equal("kept", "long")], 30 * DAY);
    let (ingest, registry) = open_with(&store, retention);
    let ago = |days: u32| Timestamp::now().before(days * DAY);
    let deploys = [20, 40].map(|days| DeployEvent { time: ago(days), ..deploy(&days.to_string()) });
    let outcome =
        ingest.append_events(Source::EventsApi, deploys.map(Box::new).map(Event::Deploy).to_vec()).await;
    let outcome = outcome.expect("stored");
    assert_eq!((outcome.accepted, outcome.rejected.len()), (1, 1));
    assert!(outcome.rejected[0].reason.contains("retention of 30d"), "{:?}", outcome.rejected);
    let mut batch = MetricBatch::new();
    for labels in [[("kept", "long")], [("kept", "as usual")]] {
        let samples = [40, 20, 1].map(|days| Sample { time_ms: ago(days).as_millis(), value: 1.0 });
        batch.push(Labels::metric("m", &labels).as_ref(), &samples);
    }
    let appended = ingest.append_metrics(Source::RemoteWrite, batch).await.expect("stored");
    assert_eq!(appended.stored, 3);
    assert!((refused(&registry, "too_old") - 4.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn an_exemplar_is_stored_once_however_often_it_is_repeated() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let now = Timestamp::now().as_millis();
    let exemplar = |labels: &[(&str, &str)], value| model::Exemplar {
        series: Labels::metric("up", labels),
        labels: Labels::from_pairs([("trace_id", "t")]),
        value,
        time_ms: now,
    };
    let all = || vec![exemplar(&[], 1.0), exemplar(&[], 2.0), exemplar(&[("v", &"x".repeat(20_000))], 1.0)];
    for _ in 0..2 {
        assert_eq!(ingest.append_exemplars(Source::RemoteWrite, all()).await.expect("stored"), 2);
    }
    let stored = store.events.lock().clone();
    assert_eq!(stored.len(), 2);
    let (again, _) = open(&store);
    again.recall().expect("ids");
    assert_eq!(again.append_exemplars(Source::RemoteWrite, all()).await.expect("known"), 2);
    assert_eq!(store.events.lock().len(), 2, "a restart changes nothing");
    assert!((refused(&registry, "too_large") - 2.0).abs() < f64::EPSILON, "one too large, twice");
}
