//! Killed without warning, again and again, while data comes in: nothing that was acknowledged is
//! lost, nothing is there twice, and alerts are as people left them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use model::{TimeRange, Timestamp};
use serde_json::{Value, json};
use store::{EventScan, Matcher, SelectRequest, SeriesBuffer, Table, TelemetryStore};
use testkit::{Smtp, Watchkeeper, remote_write, within};

use crate::stage::{alert, binary};

const KILLS: usize = 30;

/// What a sender was told is stored.
#[derive(Default)]
struct Acknowledged {
    events: parking_lot::Mutex<BTreeSet<String>>,
    samples: parking_lot::Mutex<BTreeSet<i64>>,
}

/// Sends job events until told to stop; sends a list again until it is acknowledged, as a client does.
async fn send_events(
    url: String,
    sender: usize,
    told: Arc<Acknowledged>,
    stop: Arc<AtomicBool>,
) -> Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    let mut sequence = 0;
    while !stop.load(Ordering::SeqCst) {
        let ids: Vec<String> = (0..5).map(|n| format!("event-{sender}-{}", sequence + n)).collect();
        sequence += 5;
        let events: Vec<Value> = ids
            .iter()
            .map(|id| json!({"type": "job.completed", "event_id": id, "job_id": format!("job-{id}"), "task_id": null}))
            .collect();
        loop {
            let sent = client.post(&url).json(&events).send().await;
            if matches!(&sent, Ok(answer) if answer.status() == 200) {
                told.events.lock().extend(ids);
                break;
            }
            if stop.load(Ordering::SeqCst) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(())
}

/// Sends samples of one series, each at a time of its own, likewise.
async fn send_samples(
    url: String,
    clock: Arc<AtomicU64>,
    told: Arc<Acknowledged>,
    stop: Arc<AtomicBool>,
) -> Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    while !stop.load(Ordering::SeqCst) {
        let first = i64::try_from(clock.fetch_add(10, Ordering::SeqCst))?;
        let samples: Vec<(i64, f64)> = (first..first + 10).map(|time| (time, time as f64)).collect();
        let body = remote_write(&[(&[("__name__", "crash_test"), ("job", "sender")], &samples)]);
        loop {
            let sent = client
                .post(&url)
                .header("Content-Encoding", "snappy")
                .header("Content-Type", "application/x-protobuf")
                .header("X-Prometheus-Remote-Write-Version", "0.1.0")
                .body(body.clone())
                .send()
                .await;
            if matches!(&sent, Ok(answer) if answer.status().is_success()) {
                told.samples.lock().extend(samples.iter().map(|(time, _)| *time));
                break;
            }
            if stop.load(Ordering::SeqCst) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(())
}

fn config(folder: &Path, smtp: &Smtp) -> Result<String> {
    let rules = folder.join("rules.yml");
    let text = "groups:\n- name: crash\n  rules:\n  - alert: AlwaysFiring\n    expr: vector(1)\n    labels: {severity: critical}\n    annotations: {summary: always}\n";
    std::fs::write(&rules, text).context("writing rules")?;
    Ok(format!(
        r#"
[store]
head_max_age = "3s"

[alerts]
interval = "1s"
rules = ["{}"]

[[channels.email]]
name = "operators"
host = "127.0.0.1"
port = {}
tls = "none"
from = "watchkeeper@example.org"
to = ["oncall@example.org"]
"#,
        rules.display(),
        smtp.port()
    ))
}

/// What lies on the disk after the last end: how often each event and each sample is there.
fn stored(data_dir: &Path) -> Result<(BTreeMap<String, usize>, Vec<i64>)> {
    let engine = engine::Engine::open(data_dir, engine::Config::default(), &prometheus::Registry::new())?;
    let mut events = BTreeMap::new();
    for batch in engine.scan(&EventScan::new(Table::JobEvents, TimeRange::ALL, 10_000_000))? {
        for event in store::events_from_batch(Table::JobEvents, &batch)? {
            *events.entry(event.event_id().to_owned()).or_insert(0) += 1;
        }
    }
    let request = SelectRequest {
        matchers: vec![Matcher::equal("__name__", "crash_test")],
        range: TimeRange::new(Timestamp::from_millis(0), Timestamp::now().after(Duration::from_secs(3600))),
        max_samples: 100_000_000,
    };
    let mut cursor = engine.select(&request)?;
    let mut buffer = SeriesBuffer::default();
    let mut times = Vec::new();
    while cursor.next_series(&mut buffer)? {
        times.extend_from_slice(&buffer.times_ms);
    }
    drop(cursor);
    engine.shutdown();
    Ok((events, times))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_nothing_acknowledged_is_lost_or_doubled_by_thirty_kills() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let smtp = Smtp::start().await?;
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), &config(folder.path(), &smtp)?).await?;
    let told = Arc::new(Acknowledged::default());
    let stop = Arc::new(AtomicBool::new(false));
    // Times ascend over all senders and lie a little in the past.
    let clock = Arc::new(AtomicU64::new(u64::try_from(Timestamp::now().as_millis())? - 300_000));
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..3 {
        senders.spawn(send_events(
            watchkeeper.url("/api/v1/events"),
            sender,
            Arc::clone(&told),
            Arc::clone(&stop),
        ));
    }
    senders.spawn(send_samples(
        watchkeeper.url("/prometheus/api/v1/write"),
        Arc::clone(&clock),
        Arc::clone(&told),
        Arc::clone(&stop),
    ));

    let firing = within(Duration::from_secs(30), "the alert to fire, and its mail", || async {
        let firing = alert(&watchkeeper, "AlwaysFiring").await?.filter(|alert| alert["state"] == "firing");
        Ok(firing.filter(|_| true).zip((!smtp.messages().await?.is_empty()).then_some(())))
    })
    .await?
    .0;
    let id = firing["id"].as_str().context("an alert has an id")?;
    let answer =
        watchkeeper.post(&format!("/api/v1/alerts/{id}/acknowledge"), &json!({"note": "known"})).await?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);

    for kill in 0..KILLS {
        // A different moment each time: after so many more acknowledgements, and a little later.
        let goal = told.events.lock().len() + 5 + 37 * (kill % 7);
        within(Duration::from_secs(30), "more to be acknowledged", || async {
            Ok((told.events.lock().len() >= goal).then_some(()))
        })
        .await
        .with_context(|| watchkeeper.output())?;
        let later = Instant::now() + Duration::from_millis((kill as u64 * 13) % 40);
        tokio::time::sleep_until(later.into()).await;
        watchkeeper.kill().await?;
        watchkeeper.start_again().await?;
        let kept =
            alert(&watchkeeper, "AlwaysFiring").await?.context("the alert is known after a restart")?;
        ensure!(kept["state"] == "acknowledged" && kept["acknowledged"]["note"] == "known", "{kept}");
        ensure!(kept["fired_at"] == firing["fired_at"], "fired anew: {kept}");
    }
    stop.store(true, Ordering::SeqCst);
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    watchkeeper.terminate().await?;

    let (events, times) = stored(&watchkeeper.data_dir())?;
    let acknowledged = told.events.lock().clone();
    ensure!(
        acknowledged.len() > 50 * KILLS && told.samples.lock().len() > 50 * KILLS,
        "too little was sent to tell"
    );
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !events.contains_key(*id)).collect();
    ensure!(
        lost.is_empty(),
        "{} of {} acknowledged events are lost: {lost:?}",
        lost.len(),
        acknowledged.len()
    );
    let doubled: Vec<_> = events.iter().filter(|(_, count)| **count > 1).collect();
    ensure!(doubled.is_empty(), "events are stored twice: {doubled:?}");
    let distinct: BTreeSet<i64> = times.iter().copied().collect();
    ensure!(distinct.len() == times.len(), "samples are stored twice");
    let lost: Vec<i64> =
        told.samples.lock().iter().copied().filter(|time| !distinct.contains(time)).collect();
    ensure!(lost.is_empty(), "{} acknowledged samples are lost", lost.len());
    let mails = smtp.messages().await?.len();
    ensure!(mails == 1, "the alert was announced {mails} times");
    Ok(())
}
