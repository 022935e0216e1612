//! The dashboards for Grafana: every query in them, asked as Grafana asks, against a server that watches
//! the example pipeline. What the files look like is seen in deploy/grafana/test_dashboards.py.

mod telemetry;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use model::Timestamp;
use reqwest::{Client, Url};
use serde_json::{Value, json};
use testkit::{Launched, Nvml, Postgres, Redis, Smtp, Watchkeeper, free_port, within};

use crate::stage::{binary, docpipe, docpipe_config, impatient_rules, root};

const PATIENCE: Duration = Duration::from_secs(150);

/// Queries that may find nothing here, by what is in them, and why.
const MAY_FIND_NOTHING: [(&str, &str); 10] = [
    ("llm_backend_", "no model backend runs on a test machine"),
    ("kind=~\"ollama|openai\"", "no model backend runs on a test machine"),
    ("probe_tls_", "no service with a certificate runs here; the probes' own tests have one"),
    ("host_network_", "a container may have no interface but the loopback"),
    ("host_pressure_", "kernels without pressure figures have no such series"),
    ("deriv(host_filesystem_available_bytes", "a disk that does not fill up is never full"),
    ("watchkeeper_log_metrics_", "the shipped rules have few labels, and read numbers only"),
    ("watchkeeper_syslog_dropped_total", "there is room for the few messages that come"),
    ("watchkeeper_syslog_cut_total", "no message is longer than is taken"),
    ("watchkeeper_pipeline_series_beyond_limit_total", "there are few operations"),
];

/// What is asked for, and of which data source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Metrics,
    /// Single spans beside a line.
    Exemplars,
    Logs,
    /// A search of traces.
    Traces,
    /// The graph of who calls whom.
    Calls,
}

impl Source {
    fn of(target: &Value) -> Result<Self> {
        match (target["datasource"]["type"].as_str(), target["queryType"].as_str()) {
            (None | Some("prometheus"), _) => Ok(Self::Metrics),
            (Some("loki"), _) => Ok(Self::Logs),
            (Some("jaeger"), Some("search")) => Ok(Self::Traces),
            (Some("jaeger"), Some("dependencyGraph")) => Ok(Self::Calls),
            _ => bail!("what does {target} ask?"),
        }
    }
}

/// A query of a dashboard.
#[derive(Clone, Debug)]
struct Query {
    /// The dashboard and the panel.
    place: String,
    source: Source,
    /// An expression; of a search of traces its tags.
    expr: String,
    /// Whether the panel shows the last value, and no line.
    instant: bool,
}

/// Grafana's side of the connection: a client with a key.
struct Grafana {
    client: Client,
    address: String,
    key: String,
}

impl Grafana {
    async fn connect(watchkeeper: &Watchkeeper) -> Result<Self> {
        let (code, printed) = watchkeeper.run(&["key", "create", "grafana", "--scope", "read"]).await?;
        ensure!(code == 0, "{printed}");
        let key = printed.lines().last().context("a key is printed")?.to_owned();
        let client = Client::builder().timeout(Duration::from_secs(30)).build().context("an HTTP client")?;
        Ok(Self { client, address: watchkeeper.url(""), key })
    }

    /// Grafana posts queries of metrics as forms, and gets everything else.
    async fn ask(&self, method: &str, path: &str, parameters: &[(&str, &str)]) -> Result<Vec<Value>> {
        let url = format!("{}/{path}", self.address);
        let with_query = Url::parse_with_params(&url, parameters).context("an address")?;
        let request = if method == "GET" {
            self.client.get(with_query)
        } else {
            let form = with_query.query().unwrap_or_default().to_owned();
            let request = self.client.post(&url).body(form);
            request.header("Content-Type", "application/x-www-form-urlencoded")
        };
        let answer = request.header("X-API-Key", &self.key).send().await.context("asking")?;
        let (status, body) = (answer.status(), answer.json::<Value>().await.context("reading the answer")?);
        // Jaeger names what is wrong instead of saying that all is well.
        let is_well = body["status"] == "success" || path.starts_with("jaeger/") && body["errors"].is_null();
        ensure!(status == 200 && is_well, "{path} {parameters:?}: {status} {body}");
        let found = body["data"].get("result").unwrap_or(&body["data"]);
        Ok(found.as_array().with_context(|| format!("{path} {parameters:?}: {body}"))?.clone())
    }

    /// How many series, streams, traces or calls a panel shows, over the last five minutes.
    async fn count(&self, query: &Query) -> Result<usize> {
        let found = self.found(query).await.with_context(|| query.place.clone())?;
        Ok(found.len())
    }

    async fn found(&self, query: &Query) -> Result<Vec<Value>> {
        let (start, end) = last_minutes();
        let asked = ("query", query.expr.as_str());
        let range = [asked, ("start", start.as_str()), ("end", end.as_str()), ("step", "15")];
        match query.source {
            Source::Metrics => {
                let lines = self.ask("POST", "prometheus/api/v1/query_range", &range).await?;
                if !query.instant {
                    return Ok(lines);
                }
                self.ask("POST", "prometheus/api/v1/query", &[asked, ("time", end.as_str())]).await
            }
            Source::Exemplars => self.ask("POST", "prometheus/api/v1/query_exemplars", &range[..3]).await,
            Source::Logs => self.ask("GET", "loki/api/v1/query_range", &range).await,
            Source::Traces => self.traces(&query.expr, &start, &end).await,
            Source::Calls => {
                let end = format!("{end}000");
                let lookback = [("endTs", end.as_str()), ("lookback", "300000")];
                self.ask("GET", "jaeger/api/dependencies", &lookback).await
            }
        }
    }

    /// The traces of every service that have these tags, `name=value`.
    async fn traces(&self, tags: &str, start: &str, end: &str) -> Result<Vec<Value>> {
        let tags: serde_json::Map<String, Value> = tags
            .split_whitespace()
            .filter_map(|tag| tag.split_once('='))
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        let tags = Value::Object(tags).to_string();
        let (start, end) = (format!("{start}000000"), format!("{end}000000"));
        let mut found = Vec::new();
        for service in self.ask("GET", "jaeger/api/services", &[]).await? {
            let search = [
                ("service", service.as_str().context("a service without a name")?),
                ("tags", tags.as_str()),
                ("start", start.as_str()),
                ("end", end.as_str()),
                ("limit", "20"),
            ];
            found.extend(self.ask("GET", "jaeger/api/traces", &search).await?);
        }
        Ok(found)
    }
}

fn last_minutes() -> (String, String) {
    let now = Timestamp::now().as_millis() / 1000;
    ((now - 300).to_string(), now.to_string())
}

/// All dashboards, by the names of their files.
fn dashboards() -> Result<Vec<(String, Value)>> {
    let folder = root().join("deploy/grafana");
    let mut boards = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry.context("reading a folder")?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).with_context(|| name.clone())?;
            boards.push((name.clone(), serde_json::from_str(&text).with_context(|| name)?));
        }
    }
    ensure!(!boards.is_empty(), "{} holds no dashboards", folder.display());
    Ok(boards)
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

/// What Grafana puts in place of its variables when everything is chosen.
fn filled_in(expr: &str, board: &Value) -> Result<String> {
    let mut filled =
        expr.replace("$__rate_interval", "1m").replace("$__interval", "15s").replace("$__range", "5m");
    for variable in items(&board["templating"], "list") {
        let name = variable["name"].as_str().context("a variable without a name")?;
        let all = variable["allValue"].as_str().unwrap_or(".*");
        filled = filled.replace(&format!("${{{name}}}"), all).replace(&format!("${name}"), all);
    }
    // `${1}` of label_replace is none of Grafana's.
    ensure!(!filled.replace("${1}", "").contains('$'), "an unknown variable is left: {filled}");
    Ok(filled)
}

/// Every query of a dashboard: those of its panels and of its marks.
fn queries(name: &str, board: &Value) -> Result<Vec<Query>> {
    let panels = items(board, "panels").flat_map(|panel| {
        items(panel, "targets").map(move |target| (panel["title"].as_str().unwrap_or_default(), target))
    });
    let marks = items(&board["annotations"], "list").map(|mark| ("marks", &mark["target"]));
    let mut found = Vec::new();
    for (title, target) in panels.chain(marks) {
        let place = format!("{name}, {title}");
        let source = Source::of(target).with_context(|| place.clone())?;
        let text = match source {
            Source::Traces => target["tags"].as_str(),
            Source::Calls => Some(""),
            Source::Metrics | Source::Exemplars | Source::Logs => target["expr"].as_str(),
        };
        let expr = filled_in(text.with_context(|| format!("{place}: no expression"))?, board)?;
        let query = Query { place, source, expr, instant: target["instant"] == true };
        if target["exemplar"] == true {
            found.push(Query { source: Source::Exemplars, ..query.clone() });
        }
        found.push(query);
    }
    Ok(found)
}

/// The label and the metric of `label_values(metric, label)`.
fn label_values(definition: &str) -> Option<(&str, &str)> {
    let (metric, label) = definition.strip_prefix("label_values(")?.strip_suffix(')')?.split_once(", ")?;
    Some((label, metric))
}

/// Asks for the values of every variable, in the two ways in which versions of Grafana do.
async fn choices(grafana: &Grafana, name: &str, board: &Value) -> Result<()> {
    let (start, end) = last_minutes();
    for variable in items(&board["templating"], "list").filter(|variable| variable["type"] == "query") {
        if variable["datasource"]["type"] == "loki" {
            let label = variable["query"]["label"].as_str().context("a choice of no label")?;
            let path = format!("loki/api/v1/label/{label}/values");
            let values =
                grafana.ask("GET", &path, &[("start", start.as_str()), ("end", end.as_str())]).await?;
            ensure!(!values.is_empty(), "{name}: {label} gives nothing to choose");
            continue;
        }
        let definition = variable["query"]["query"].as_str().unwrap_or_default();
        let (label, metric) =
            label_values(definition).with_context(|| format!("{name}: what is {definition}?"))?;
        let parameters = [("match[]", metric), ("start", start.as_str()), ("end", end.as_str())];
        let values =
            grafana.ask("GET", &format!("prometheus/api/v1/label/{label}/values"), &parameters).await?;
        let series = grafana.ask("POST", "prometheus/api/v1/series", &parameters).await?;
        let of_series: BTreeSet<_> = series.iter().filter_map(|series| series[label].as_str()).collect();
        let of_values: BTreeSet<_> = values.iter().filter_map(Value::as_str).collect();
        ensure!(!of_values.is_empty(), "{name}: {definition} gives nothing to choose");
        // A series may have come between the two.
        ensure!(of_values.is_subset(&of_series), "{name}: {of_values:?} {of_series:?}");
    }
    Ok(())
}

/// What the example pipeline does not have, and Watchkeeper is told of all the same: a worker with a
/// GPU, a process that was killed, something that is audited, and an event that is refused.
async fn tell_of_the_rest(watchkeeper: &Watchkeeper) -> Result<()> {
    let events = json!([
        {
            "type": "worker.heartbeat", "worker_id": "gpu-1", "capability": "gpu",
            "gpu_usage": 70, "gpu_memory_usage": 40
        },
        {
            "type": "process.exited", "name": "worker.py", "cause": "oom_kill",
            "host": "gpu-box", "group": "llm-workers"
        },
        {
            "type": "audit.recorded", "action": "document.delete", "outcome": "denied", "user_id": "ann",
            "target": "d-7", "service": "gateway"
        },
        {"type": "job.exploded", "job_id": "there is no such type"},
    ]);
    let answer = watchkeeper.post("/api/v1/events", &events).await?;
    ensure!(answer.status == 200 && answer.body["accepted"] == 3, "{} {}", answer.status, answer.body);
    Ok(())
}

/// Everything that the example pipeline is configured with, and what else the dashboards show: its logs,
/// GPUs, probed services, and channels of which one takes nothing.
fn config(folder: &Path, redis: &Redis, postgres: &Postgres, smtp: &Smtp, gateway: u16) -> Result<String> {
    let nvml = Nvml::build(folder)?;
    nvml.say(&format!("gpus 2\nprocess 0 {} 1073741824\n", std::process::id()))?;
    let rules = impatient_rules(folder, "1s")?;
    Ok(format!(
        r#"
{docpipe}
[[logs]]
paths = ["{logs}/*.log"]
from = "beginning"

[log_metrics]
interval = "1s"

[pipeline]
interval = "1s"

[own]
interval = "1s"

[gpus]
interval = "1s"
nvml_library = "{nvml}"

[probes]
discover = false

[[probes.http]]
name = "gateway"
url = "http://127.0.0.1:{gateway}/healthz"
interval = "1s"

[[probes.postgresql]]
name = "main"
url = "{postgres}"
interval = "1s"

[alerts]
interval = "1s"
rules = ["{rules}"]

[alerts.delivery]
first_retry = "1s"
max_attempts = 2

[[channels.email]]
name = "operators"
host = "127.0.0.1"
port = {smtp}
tls = "none"
from = "watchkeeper@example.org"
to = ["oncall@example.org"]
min_severity = "info"

[[channels.webhook]]
name = "gone"
url = "http://127.0.0.1:1/"
min_severity = "info"
"#,
        docpipe = docpipe_config(&redis.url())?,
        logs = folder.join("logs").display(),
        nvml = nvml.library().display(),
        postgres = postgres.url(),
        rules = rules.display(),
        smtp = smtp.port(),
    ))
}

fn pipeline(folder: &Path, redis: &Redis, watchkeeper: &Watchkeeper, gateway: u16) -> Result<Launched> {
    let gateway = gateway.to_string();
    let options = [
        ["--gateway-port", gateway.as_str()],
        ["--count", "0"],
        ["--rate", "5"],
        ["--fail-rate", "0.2"],
        ["--poison-every", "10"],
        ["--retry-delay", "0.2"],
        ["--llm-delay", "0.2"],
        ["--heartbeat", "1"],
    ];
    docpipe(folder, &redis.url(), watchkeeper, options.as_flattened())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_every_query_of_the_dashboards_is_answered_and_finds_what_the_pipeline_does() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (redis, postgres, smtp) = (Redis::start().await?, Postgres::start().await?, Smtp::start().await?);
    let gateway = free_port()?;
    let syslog = free_port()?;
    telemetry::write_broken_log(&folder.path().join("logs"))?;
    let config = config(folder.path(), &redis, &postgres, &smtp, gateway)? + &telemetry::config(syslog);
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    let mut pipeline = pipeline(folder.path(), &redis, &watchkeeper, gateway)?;
    tell_of_the_rest(&watchkeeper).await?;

    let grafana = Grafana::connect(&watchkeeper).await?;
    let boards = dashboards()?;
    let mut asked = Vec::new();
    for (name, board) in &boards {
        asked.extend(queries(name, board)?);
    }
    for (part, _) in MAY_FIND_NOTHING {
        ensure!(asked.iter().any(|query| query.expr.contains(part)), "no query has {part} any more");
    }
    // Each is answered at once, whether there is something to find or not.
    for query in &asked {
        grafana.count(query).await?;
    }

    asked.retain(|query| !MAY_FIND_NOTHING.iter().any(|(part, _)| query.expr.contains(part)));
    let silent = RefCell::new(asked);
    within(PATIENCE, "every query to find something", || async {
        telemetry::send(&watchkeeper, syslog).await?;
        let queries = silent.borrow().clone();
        let mut still = Vec::new();
        for query in queries {
            if grafana.count(&query).await? == 0 {
                still.push(query);
            }
        }
        let said = format!("nothing is found by {still:#?}");
        *silent.borrow_mut() = still;
        ensure!(silent.borrow().is_empty(), said);
        Ok(Some(()))
    })
    .await
    .with_context(|| pipeline.output())?;

    for (name, board) in &boards {
        choices(&grafana, name, board).await?;
    }
    pipeline.terminate().await?;
    Ok(())
}
