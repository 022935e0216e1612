//! Asking the server: a picture at each interval, and what else is wanted.
//!
//! A [`Source`] forgets its connection when an answer fails: the token of this machine is new at each
//! start of the server, so it is read again.

use std::time::Duration;

use model::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::grid::Subject;
use super::picture::{Past, Picture, Rule, Series, items};
use super::state::Answer;
use crate::client::{Client, Connection, segment};
use crate::exit::Failure;

/// How long a picture may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the past is asked for: metrics are written every 15 seconds.
const PAST_EVERY: Duration = Duration::from_secs(15);
/// How far back the past goes, and its step, in seconds.
const PAST_SECONDS: i64 = 900;
const PAST_STEP_SECONDS: i64 = 30;
/// The most curves of one kind.
const MAX_CURVES: usize = 500;

/// What is wanted.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Picture,
    Details(Subject),
    Acknowledge { id: String, note: String },
}

/// A server, asked again and again.
pub(crate) struct Source {
    connection: Connection,
    client: Option<Client>,
    past: Past,
    rules: Vec<Rule>,
    past_asked: Option<Instant>,
}

impl Source {
    /// Nothing is asked yet.
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, client: None, past: Past::default(), rules: Vec::new(), past_asked: None }
    }

    /// What there is now.
    pub(crate) async fn picture(&mut self) -> Result<Picture, Failure> {
        let asked = tokio::time::timeout(PATIENCE, self.ask()).await;
        let answer = asked.unwrap_or_else(|_| {
            Err(Failure::Unreachable(anyhow::anyhow!("no whole answer within {} s", PATIENCE.as_secs())))
        });
        if answer.is_err() {
            self.client = None;
        }
        answer
    }

    fn client(&mut self) -> Result<&Client, Failure> {
        if self.client.is_none() {
            self.client = Some(Client::new(&self.connection)?);
        }
        self.client.as_ref().ok_or_else(|| Failure::Other(anyhow::anyhow!("there is no client")))
    }

    async fn ask(&mut self) -> Result<Picture, Failure> {
        let renew = self.past_asked.is_none_or(|asked| asked.elapsed() >= PAST_EVERY);
        let client = self.client()?;
        let stats = client.get("/api/v1/stats", &[]).await?;
        let time = server_time(&stats);
        let jobs = |status, limit, offset| {
            list(client, "/api/v1/jobs", [("status", status), ("limit", limit), ("offset", offset)])
        };
        // The newest come first, and of those that wait the oldest matter.
        let waiting = stats["jobs"]["pending"].as_u64().unwrap_or(0).saturating_sub(100).to_string();
        let (queues, workers, hosts, collectors, alerts) = tokio::try_join!(
            list(client, "/api/v1/queues", [("limit", "500")]),
            list(client, "/api/v1/workers", [("limit", "500")]),
            list(client, "/api/v1/hosts", [("limit", "100")]),
            list(client, "/api/v1/collectors", [("limit", "500")]),
            list(client, "/api/v1/alerts", [("state", "firing,acknowledged,pending"), ("limit", "500")]),
        )?;
        let (running, pending, failed, completed) = tokio::try_join!(
            jobs("running", "200", "0"),
            jobs("pending", "100", &waiting),
            jobs("failed", "50", "0"),
            jobs("completed", "25", "0")
        )?;
        let renewed = if renew { Some(past(client, time).await) } else { None };
        if let Some((past, rules)) = renewed {
            self.past_asked = Some(Instant::now());
            self.past = past;
            self.rules = rules;
        }
        Ok(Picture {
            time,
            counts: serde_json::from_value(stats["jobs"].clone()).unwrap_or_default(),
            unread: queues.1
                + workers.1
                + hosts.1
                + collectors.1
                + alerts.1
                + running.1
                + pending.1
                + failed.1,
            queues: queues.0,
            workers: workers.0,
            hosts: hosts.0,
            collectors: collectors.0,
            alerts: alerts.0,
            jobs: [running.0, pending.0, failed.0, completed.0].concat(),
            rules: self.rules.clone(),
            past: self.past.clone(),
        })
    }

    async fn details(&mut self, subject: &Subject) -> Result<Value, Failure> {
        let path = match subject {
            Subject::Queue(name) => format!("/api/v1/queues/{}", segment(name)),
            Subject::Worker(id) => format!("/api/v1/workers/{}", segment(id)),
            Subject::Job(id) => format!("/api/v1/jobs/{}", segment(id)),
            Subject::Alert(id) => format!("/api/v1/alerts/{}", segment(id)),
            Subject::Host(name) => format!("/api/v1/hosts/{}", segment(name)),
            Subject::Told(_) => return Ok(Value::Null),
        };
        self.client()?.get(&path, &[]).await
    }

    async fn acknowledge(&mut self, id: &str, note: &str) -> Result<String, Failure> {
        let path = format!("/api/v1/alerts/{}/acknowledge", segment(id));
        let note = Some(note.trim()).filter(|note| !note.is_empty());
        let alert = self.client()?.post(&path, &json!({ "note": note })).await?;
        Ok(alert["rule"].as_str().unwrap_or("the alert").to_owned())
    }

    async fn carry_out(&mut self, order: Order) -> Answer {
        match order {
            Order::Picture => match self.picture().await {
                Ok(picture) => Answer::Picture(Box::new(picture)),
                Err(failure) => Answer::Away(failure.to_string()),
            },
            Order::Details(subject) => {
                let answer = tokio::time::timeout(PATIENCE, self.details(&subject)).await;
                Answer::Details(subject, told(answer))
            }
            Order::Acknowledge { id, note } => {
                let answer = tokio::time::timeout(PATIENCE, self.acknowledge(&id, &note)).await;
                Answer::Acknowledged(told(answer))
            }
        }
    }

    /// Asks at each interval and when told to, until nobody listens.
    pub(crate) async fn run(
        mut self,
        interval: Duration,
        mut orders: mpsc::Receiver<Order>,
        answers: mpsc::Sender<Answer>,
    ) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let order = tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => order,
                    None => return,
                },
                _ = ticks.tick() => Order::Picture,
            };
            let acknowledged = matches!(order, Order::Acknowledge { .. });
            if answers.send(self.carry_out(order).await).await.is_err() {
                return;
            }
            // What somebody just did is to be seen at once.
            if acknowledged && answers.send(self.carry_out(Order::Picture).await).await.is_err() {
                return;
            }
        }
    }
}

fn told<T>(answer: Result<Result<T, Failure>, tokio::time::error::Elapsed>) -> Result<T, String> {
    match answer {
        Ok(answer) => answer.map_err(|failure| failure.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

async fn list<T: DeserializeOwned, const N: usize>(
    client: &Client,
    path: &str,
    parameters: [(&str, &str); N],
) -> Result<(Vec<T>, usize), Failure> {
    Ok(items(client.get(path, &parameters).await?))
}

/// The server's own clock; ours where it does not say.
fn server_time(stats: &Value) -> Timestamp {
    let started = stats["started_at"].as_str().and_then(|text| Timestamp::parse_rfc3339(text).ok());
    let uptime = stats["uptime_seconds"].as_f64().filter(|uptime| (0.0..1e10).contains(uptime));
    match started.zip(uptime) {
        Some((started, uptime)) => started.after(Duration::from_secs_f64(uptime)),
        None => Timestamp::now(),
    }
}

/// The last minutes, and how the rules do. What cannot be had is empty: a curve less is no reason to
/// show nothing.
async fn past(client: &Client, now: Timestamp) -> (Past, Vec<Rule>) {
    let curve = |query, label| curves(client, query, label, now);
    let (pending, group_memory, group_cpu, group_count, host_cpu, worker_memory, rules) = tokio::join!(
        curve("sum by (queue) (queue_depth{state=\"pending\"})", "queue"),
        curve("sum by (group) (process_group_resident_memory_bytes)", "group"),
        curve("sum by (group) (process_group_cpu_ratio)", "group"),
        curve("sum by (group) (process_group_count) > 0", "group"),
        curve("max by (host) (host_cpu_usage_ratio)", "host"),
        curve("max by (worker) (worker_memory_bytes)", "worker"),
        list(client, "/api/v1/rules", [("limit", "1000")]),
    );
    let past = Past { pending, group_memory, group_cpu, group_count, host_cpu, worker_memory };
    (past, rules.map(|(rules, _)| rules).unwrap_or_default())
}

async fn curves(client: &Client, query: &str, label: &str, now: Timestamp) -> Series {
    // The last point is now, so that what is read as a present number is one.
    let end = now.as_millis() / 1000;
    let start = end - PAST_SECONDS;
    let (from, to, step) = (start.to_string(), end.to_string(), PAST_STEP_SECONDS.to_string());
    let parameters = [("query", query), ("start", &from), ("end", &to), ("step", &step)];
    match client.get("/prometheus/api/v1/query_range", &parameters).await {
        Ok(answer) => read_curves(&answer["data"]["result"], label, start),
        Err(_) => Series::new(),
    }
}

fn read_curves(result: &Value, label: &str, start: i64) -> Series {
    let points = usize::try_from(PAST_SECONDS / PAST_STEP_SECONDS + 1).unwrap_or(1);
    let mut series = Series::new();
    for row in result.as_array().into_iter().flatten().take(MAX_CURVES) {
        let Some(name) = row["metric"][label].as_str() else { continue };
        let mut values = vec![f64::NAN; points];
        for point in row["values"].as_array().into_iter().flatten() {
            let place = point[0].as_f64().map(|time| (time as i64 - start) / PAST_STEP_SECONDS);
            let value = point[1].as_str().and_then(|text| text.parse::<f64>().ok());
            let slot = place.and_then(|place| values.get_mut(usize::try_from(place).ok()?));
            if let (Some(slot), Some(value)) = (slot, value) {
                *slot = value;
            }
        }
        series.insert(name.to_owned(), values);
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_have_a_point_for_each_step_and_gaps_where_nothing_was_written() {
        let result = json!([
            { "metric": { "queue": "llm" }, "values": [[1000, "3"], [1900, "5"], [99_999, "7"], [0, "1"], ["x", 1]] },
            { "metric": {}, "values": [[1000, "1"]] },
        ]);
        let curves = read_curves(&result, "queue", 1000);
        let values = &curves["llm"];
        assert_eq!((values.len(), values[0], values[30]), (31, 3.0, 5.0));
        assert!(values[1..30].iter().all(|value| value.is_nan()));
        assert_eq!(curves.len(), 1);
        assert!(read_curves(&Value::Null, "queue", 0).is_empty());
    }

    #[test]
    fn ages_are_reckoned_by_the_servers_clock() {
        let stats = json!({ "started_at": "2025-08-01T21:30:00Z", "uptime_seconds": 60.5 });
        assert_eq!(server_time(&stats).to_string(), "2025-08-01T21:31:00.5Z");
        let odd = json!({ "started_at": "2025-08-01T21:30:00Z", "uptime_seconds": 1e300 });
        assert!(server_time(&odd) > Timestamp::default());
    }
}
