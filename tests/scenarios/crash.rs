//! Killed without warning, again and again, while data comes in and files are written and merged: nothing
//! that was acknowledged is lost, nothing is there twice or was never sent, and alerts are as people left
//! them. `WATCHKEEPER_KILLS` says how often, `WATCHKEEPER_SEED` makes it kill at the moments of another run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use model::{TimeRange, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};
use store::{EventScan, Matcher, SelectRequest, SeriesBuffer, Table, TelemetryStore};
use testkit::{Smtp, Watchkeeper, remote_write, within};

use crate::stage::{alert, binary};

const KILLS: usize = 12;
const PATIENCE: Duration = Duration::from_secs(60);
/// Series of one sender of samples.
const SERIES: usize = 20;
/// Samples of each series in one request.
const SAMPLES: usize = 5;

/// What a sender has sent, and what of it it was told is stored.
#[derive(Default)]
struct Sent {
    /// Events by id; whether they were acknowledged.
    events: Mutex<BTreeMap<String, bool>>,
    /// For each sender of samples, samples of each series: sent, and acknowledged.
    samples: Mutex<BTreeMap<usize, (usize, usize)>>,
    requests: std::sync::atomic::AtomicUsize,
    stop: AtomicBool,
}

impl Sent {
    /// Sends a request again and again until it is answered with success, as a client does; `false` when it
    /// is time to stop before that.
    async fn until_acknowledged(&self, request: impl Fn() -> reqwest::RequestBuilder) -> Result<bool> {
        loop {
            if let Ok(answer) = request().send().await {
                let status = answer.status();
                if status.is_success() {
                    self.requests.fetch_add(1, Ordering::SeqCst);
                    return Ok(true);
                }
                // Memory is small here, and a store that ends says so.
                ensure!(
                    status == 503 || status == 429,
                    "{status}: {}",
                    answer.text().await.unwrap_or_default()
                );
            }
            if self.stop.load(Ordering::SeqCst) {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn client() -> Result<reqwest::Client> {
    reqwest::Client::builder().timeout(Duration::from_secs(5)).build().context("an HTTP client")
}

async fn send_events(url: String, sender: usize, sent: Arc<Sent>) -> Result<()> {
    let client = client()?;
    let mut next = 0;
    while !sent.stop.load(Ordering::SeqCst) {
        let ids: Vec<String> = (next..next + 5).map(|n| format!("event-{sender}-{n}")).collect();
        next += 5;
        sent.events.lock().extend(ids.iter().map(|id| (id.clone(), false)));
        let event = |id| json!({"type": "job.completed", "event_id": id, "job_id": format!("job-{id}"), "task_id": null});
        let events: Vec<Value> = ids.iter().map(event).collect();
        if sent.until_acknowledged(|| client.post(&url).json(&events)).await? {
            sent.events.lock().extend(ids.into_iter().map(|id| (id, true)));
        }
    }
    Ok(())
}

/// The value of a sample tells which one it is.
fn value(series: usize, step: usize) -> f64 {
    step as f64 + series as f64 / 64.0
}

async fn send_samples(url: String, sender: usize, begin_ms: i64, sent: Arc<Sent>) -> Result<()> {
    let client = client()?;
    let job = format!("sender-{sender}");
    let numbers: Vec<String> = (0..SERIES).map(|series| series.to_string()).collect();
    let mut step = 0;
    while !sent.stop.load(Ordering::SeqCst) {
        let steps = step..step + SAMPLES;
        step = steps.end;
        let samples: Vec<Vec<(i64, f64)>> = (0..SERIES)
            .map(|series| steps.clone().map(|step| (begin_ms + step as i64, value(series, step))).collect())
            .collect();
        let labels: Vec<_> = numbers
            .iter()
            .map(|number| [("__name__", "crash_test"), ("job", job.as_str()), ("number", number.as_str())])
            .collect();
        let series: Vec<testkit::Series<'_>> =
            labels.iter().zip(&samples).map(|(labels, samples)| (&labels[..], &samples[..])).collect();
        let body = remote_write(&series);
        sent.samples.lock().entry(sender).or_default().0 = step;
        let request = || {
            client
                .post(&url)
                .header("Content-Encoding", "snappy")
                .header("Content-Type", "application/x-protobuf")
                .header("X-Prometheus-Remote-Write-Version", "0.1.0")
                .body(body.clone())
        };
        if sent.until_acknowledged(request).await? {
            sent.samples.lock().entry(sender).or_default().1 = step;
        }
    }
    Ok(())
}

/// So little memory that files are written and merged all the time.
fn config(folder: &Path, smtp: &Smtp) -> Result<String> {
    let rules = folder.join("rules.yml");
    let text = "groups:\n- name: crash\n  rules:\n  - alert: AlwaysFiring\n    expr: vector(1)\n    labels: {severity: critical}\n    annotations: {summary: always}\n";
    std::fs::write(&rules, text).context("writing rules")?;
    Ok(format!(
        r#"
[store]
head_max_age = "1s"
head_max_bytes = "1MiB"
events_head_max_bytes = "256KiB"
wal_segment_bytes = "256KiB"
compaction_interval = "50ms"

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

/// What lies on the disk after the last end.
struct Stored {
    /// How often each event is there.
    events: BTreeMap<String, usize>,
    /// By sender and number of the series: times and values.
    samples: BTreeMap<(usize, usize), Vec<(i64, f64)>>,
}

fn stored(data_dir: &Path) -> Result<Stored> {
    let engine = engine::Engine::open(data_dir, engine::Config::default(), &prometheus::Registry::new())?;
    let mut stored = Stored { events: BTreeMap::new(), samples: BTreeMap::new() };
    for batch in engine.scan(&EventScan::new(Table::JobEvents, TimeRange::ALL, 10_000_000))? {
        for event in store::events_from_batch(Table::JobEvents, &batch)? {
            let id = event.event_id().context("an event without an id")?;
            *stored.events.entry(id.into_owned()).or_insert(0) += 1;
        }
    }
    let request = SelectRequest {
        matchers: vec![Matcher::equal("__name__", "crash_test")],
        range: TimeRange::new(Timestamp::from_millis(0), Timestamp::now().after(Duration::from_secs(3600))),
        values: None,
        max_samples: 100_000_000,
        cancel: store::Cancel::never(),
    };
    let mut cursor = engine.select(&request)?;
    let mut buffer = SeriesBuffer::default();
    while cursor.next_series(&mut buffer)? {
        let number = |label: &str, prefix: &str| {
            let text = buffer.labels.as_ref().get(label)?.strip_prefix(prefix)?;
            text.parse().ok()
        };
        let of = number("job", "sender-").zip(number("number", "")).context("a series that nobody sent")?;
        let samples = buffer.times_ms.iter().copied().zip(buffer.values.iter().copied()).collect();
        ensure!(stored.samples.insert(of, samples).is_none(), "series {of:?} is there twice");
    }
    drop(cursor);
    engine.shutdown();
    Ok(stored)
}

fn check_events(sent: &BTreeMap<String, bool>, stored: &BTreeMap<String, usize>) -> Result<()> {
    let acknowledged = sent.iter().filter(|(_, acknowledged)| **acknowledged).map(|(id, _)| id);
    let lost: Vec<&String> = acknowledged.filter(|id| !stored.contains_key(*id)).collect();
    ensure!(lost.is_empty(), "{} acknowledged events are lost: {lost:?}", lost.len());
    let doubled: Vec<_> = stored.iter().filter(|(_, count)| **count > 1).collect();
    ensure!(doubled.is_empty(), "events are stored twice: {doubled:?}");
    let unknown: Vec<&String> = stored.keys().filter(|id| !sent.contains_key(*id)).collect();
    ensure!(unknown.is_empty(), "events are stored that nobody sent: {unknown:?}");
    Ok(())
}

fn check_samples(
    sent: &BTreeMap<usize, (usize, usize)>,
    begin_ms: i64,
    stored: &BTreeMap<(usize, usize), Vec<(i64, f64)>>,
) -> Result<()> {
    for (sender, (sent, acknowledged)) in sent {
        for series in 0..SERIES {
            let found = stored.get(&(*sender, series)).map_or(&[][..], Vec::as_slice);
            let steps: BTreeSet<i64> = found.iter().map(|(time, _)| time - begin_ms).collect();
            ensure!(steps.len() == found.len(), "series {series} of {sender} has samples twice");
            let lost: Vec<_> = (0..*acknowledged as i64).filter(|step| !steps.contains(step)).collect();
            ensure!(lost.is_empty(), "series {series} of {sender} has lost {lost:?} of {acknowledged}");
            for (time, found) in found {
                let step = usize::try_from(time - begin_ms).context("a time that nobody sent")?;
                ensure!(step < *sent && *found == value(series, step), "nobody sent {found} at step {step}");
            }
        }
    }
    let series = sent.len() * SERIES;
    ensure!(stored.len() <= series, "{} series instead of {series}", stored.len());
    Ok(())
}

/// What the store has counted in all lives.
#[derive(Debug, Default)]
struct Counted {
    flushes: u64,
    compactions: u64,
    replayed_records: u64,
    torn_tails: u64,
    orphans: u64,
}

impl Counted {
    /// Adds what a life has counted before its end, which must have found nothing bad.
    async fn add(&mut self, watchkeeper: &Watchkeeper) -> Result<()> {
        let text = watchkeeper.text("/metrics").await?;
        let count = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|count| count.parse::<u64>().ok()).with_context(|| format!("no {name} in {text}"))
        };
        for bad in [
            "watchkeeper_wal_corrupt_records_total",
            "watchkeeper_store_quarantined_files",
            "watchkeeper_flush_errors_total",
            "watchkeeper_store_compaction_errors_total",
            "watchkeeper_wal_poisoned",
        ] {
            ensure!(count(bad)? == 0, "{bad} is {}", count(bad)?);
        }
        self.flushes += count("watchkeeper_flush_total")?;
        self.compactions += count("watchkeeper_store_compactions_total")?;
        self.replayed_records += count("watchkeeper_wal_replayed_records_total")?;
        self.torn_tails += count("watchkeeper_wal_torn_tails_total")?;
        self.orphans += count("watchkeeper_store_orphans_removed_total")?;
        Ok(())
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_nothing_acknowledged_is_lost_or_doubled_by_many_kills() -> Result<()> {
    let seed = number("WATCHKEEPER_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    let kills = number("WATCHKEEPER_KILLS").map_or(Ok(KILLS), usize::try_from)?;
    killed(kills, fastrand::Rng::with_seed(seed)).await.with_context(|| format!("the seed was {seed}"))
}

#[allow(clippy::print_stderr, reason = "a soak says how far it is")]
async fn killed(kills: usize, mut rng: fastrand::Rng) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let smtp = Smtp::start().await?;
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), &config(folder.path(), &smtp)?).await?;
    let sent = Arc::new(Sent::default());
    // A little in the past: what is further in the future than clocks differ is refused.
    let begin_ms = Timestamp::now().as_millis() - 300_000;
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..3 {
        senders.spawn(send_events(watchkeeper.url("/api/v1/events"), sender, Arc::clone(&sent)));
        let url = watchkeeper.url("/prometheus/api/v1/write");
        senders.spawn(send_samples(url, sender, begin_ms, Arc::clone(&sent)));
    }

    let firing = within(PATIENCE, "the alert to fire, and its mail", || async {
        let firing = alert(&watchkeeper, "AlwaysFiring").await?.filter(|alert| alert["state"] == "firing");
        Ok(firing.zip((!smtp.messages().await?.is_empty()).then_some(())))
    })
    .await?
    .0;
    let id = firing["id"].as_str().context("an alert has an id")?;
    let answer =
        watchkeeper.post(&format!("/api/v1/alerts/{id}/acknowledge"), &json!({"note": "known"})).await?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.body);

    let mut counted = Counted::default();
    for kill in 0..kills {
        let goal = sent.requests.load(Ordering::SeqCst) + rng.usize(1..150);
        within(PATIENCE, "more to be acknowledged", || async {
            Ok((sent.requests.load(Ordering::SeqCst) >= goal).then_some(()))
        })
        .await
        .with_context(|| watchkeeper.output())?;
        if kill == kills / 2 && counted.compactions == 0 {
            // The other half of the kills come when files are merged as well.
            within(PATIENCE, "files to be merged", || async {
                let mut now = Counted::default();
                now.add(&watchkeeper).await?;
                Ok((now.compactions > 0).then_some(()))
            })
            .await?;
        }
        counted.add(&watchkeeper).await?;
        tokio::time::sleep(Duration::from_millis(rng.u64(..60))).await;
        watchkeeper.kill().await?;
        while rng.u8(..3) == 0 {
            // Once more, while it reads back what there is.
            watchkeeper.launch()?;
            tokio::time::sleep(Duration::from_millis(rng.u64(..300))).await;
            watchkeeper.kill().await?;
        }
        watchkeeper.start_again().await?;
        let kept =
            alert(&watchkeeper, "AlwaysFiring").await?.context("the alert is known after a restart")?;
        ensure!(kept["state"] == "acknowledged" && kept["acknowledged"]["note"] == "known", "{kept}");
        ensure!(kept["fired_at"] == firing["fired_at"], "fired anew: {kept}");
        if kill % 20 == 19 {
            eprintln!("killed {} times of {kills}: {counted:?}", kill + 1);
        }
    }
    ensure!(counted.flushes > 0 && counted.compactions > 0 && counted.replayed_records > 0, "{counted:?}");
    watchkeeper.kill().await?;
    sent.stop.store(true, Ordering::SeqCst);
    while let Some(ended) = senders.join_next().await {
        ended??;
    }

    let stored = stored(&watchkeeper.data_dir())?;
    let events = sent.events.lock().clone();
    let samples = sent.samples.lock().clone();
    check_events(&events, &stored.events)?;
    check_samples(&samples, begin_ms, &stored.samples)?;
    let enough = events.values().filter(|acknowledged| **acknowledged).count() > 20 * kills
        && samples.values().map(|(_, acknowledged)| acknowledged).sum::<usize>() > 20 * kills;
    ensure!(enough, "too little was sent to tell");
    let verified = engine::inspect::verify(&watchkeeper.data_dir(), &mut |_, _, _| {})?;
    if let Some(bad) = verified.iter().find(|file| file.problem.is_some()) {
        bail!("{bad:?}");
    }
    let mails = smtp.messages().await?.len();
    ensure!(mails == 1, "the alert was announced {mails} times");
    eprintln!("killed {kills} times: {counted:?}");
    Ok(())
}
