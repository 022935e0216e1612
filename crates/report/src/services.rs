//! Which services there are, how they do, and which asks which: from the metrics that follow from spans.

use std::collections::BTreeMap;

use model::{Labels, TimeRange};
use promql::{Cancel, Engine};

use crate::{ReportError, series};

/// The most services and the most edges of a map: those with the most requests.
pub const MAX_SERVICES: usize = 500;
/// See [`MAX_SERVICES`].
pub const MAX_EDGES: usize = 2_000;

/// Spans by which a service is asked something.
const ASKED: &str = r#"span_kind=~"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER""#;

/// The services of a time. Rates are per second, ratios 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceMap {
    /// Services and databases, those that are asked most first.
    pub nodes: Vec<ServiceNode>,
    /// Who asks whom, most first.
    pub edges: Vec<ServiceEdge>,
    /// How many nodes are left out.
    pub more_nodes: usize,
    /// How many edges are left out.
    pub more_edges: usize,
}

/// One that takes part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceNode {
    /// Its name.
    pub name: String,
    /// Whether it is a database, of which only those know who ask it.
    pub is_database: bool,
    /// How often it is asked, by requests and by messages; `None` of what sends no such spans.
    pub rate: Option<f64>,
    /// Which share of that failed.
    pub error_ratio: Option<f64>,
    /// How long half of that takes at the most, in seconds.
    pub p50_seconds: Option<f64>,
    /// How long 95 of 100 take at the most, in seconds.
    pub p95_seconds: Option<f64>,
    /// How many spans of any kind it sends.
    pub span_rate: Option<f64>,
}

/// One that asks another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceEdge {
    /// Who asks.
    pub client: String,
    /// Who is asked.
    pub server: String,
    /// How, if not by requests: `messaging_system` or `database`.
    pub connection: Option<String>,
    /// How often.
    pub rate: f64,
    /// Which share of that failed.
    pub failed_ratio: f64,
    /// How long 95 of 100 take at the most where they are answered, in seconds.
    pub p95_seconds: Option<f64>,
}

/// The map of a range of time.
pub fn service_map(engine: &Engine, range: TimeRange, cancel: &Cancel) -> Result<ServiceMap, ReportError> {
    let asker = Asker { engine, range, cancel };
    let edges = edges(&asker)?;
    let nodes = nodes(&asker, &edges)?;
    let (nodes, more_nodes) = cut(nodes, MAX_SERVICES);
    let (edges, more_edges) = cut(edges, MAX_EDGES);
    Ok(ServiceMap { nodes, edges, more_nodes, more_edges })
}

fn cut<T>(mut all: Vec<T>, most: usize) -> (Vec<T>, usize) {
    let more = all.len().saturating_sub(most);
    all.truncate(most);
    (all, more)
}

/// Asks for numbers over the range.
struct Asker<'a> {
    engine: &'a Engine,
    range: TimeRange,
    cancel: &'a Cancel,
}

impl Asker<'_> {
    /// The rates of a counter, by labels.
    fn rates(&self, counter: &str, matchers: &str, by: &[&str]) -> Result<Numbers, ReportError> {
        let (window, labels) = (self.window(), by.join(", "));
        self.numbers(&format!("sum by ({labels}) (rate({counter}{{{matchers}}}[{window}s]))"), by)
    }

    /// A quantile of a histogram, by labels.
    fn quantiles(
        &self,
        quantile: f64,
        histogram: &str,
        matchers: &str,
        by: &[&str],
    ) -> Result<Numbers, ReportError> {
        let (window, labels) = (self.window(), by.join(", "));
        let buckets = format!("rate({histogram}_bucket{{{matchers}}}[{window}s])");
        self.numbers(&format!("histogram_quantile({quantile}, sum by (le, {labels}) ({buckets}))"), by)
    }

    fn numbers(&self, expression: &str, by: &[&str]) -> Result<Numbers, ReportError> {
        let found = series::each_at(self.engine, expression, self.range.end, self.cancel)?;
        let key = |labels: &Labels| {
            by.iter().map(|name| labels.get(name).unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        Ok(found.into_iter().map(|(labels, number)| (key(&labels), number)).collect())
    }

    fn window(&self) -> u64 {
        self.range.end.since(self.range.start).as_secs().max(1)
    }
}

/// Numbers by the values of labels.
type Numbers = BTreeMap<Vec<String>, f64>;

fn edges(asker: &Asker<'_>) -> Result<Vec<ServiceEdge>, ReportError> {
    const BY: &[&str] = &["client", "server", "connection_type"];
    let rates = asker.rates("traces_service_graph_request_total", "", BY)?;
    let failed = asker.rates("traces_service_graph_request_failed_total", "", BY)?;
    let p95 = asker.quantiles(0.95, "traces_service_graph_request_server_seconds", "", BY)?;
    // What is known of from before, and was not asked for in this time, is no part of it.
    let asked = rates.into_iter().filter(|(_, rate)| *rate > 0.0);
    let mut edges: Vec<ServiceEdge> = asked
        .filter_map(|(key, rate)| {
            let failed_ratio = failed.get(&key).map_or(0.0, |failed| share(*failed, rate));
            let p95_seconds = p95.get(&key).copied();
            let [client, server, connection] = <[String; 3]>::try_from(key).ok()?;
            let connection = Some(connection).filter(|connection| !connection.is_empty());
            Some(ServiceEdge { client, server, connection, rate, failed_ratio, p95_seconds })
        })
        .collect();
    edges.sort_by(|a, b| {
        let names = |edge: &ServiceEdge| (edge.client.clone(), edge.server.clone(), edge.connection.clone());
        b.rate.total_cmp(&a.rate).then_with(|| names(a).cmp(&names(b)))
    });
    Ok(edges)
}

fn nodes(asker: &Asker<'_>, edges: &[ServiceEdge]) -> Result<Vec<ServiceNode>, ReportError> {
    const CALLS: &str = "traces_span_metrics_calls_total";
    const SECONDS: &str = "traces_span_metrics_duration_seconds";
    const BY: &[&str] = &["service_name"];
    let spans = asker.rates(CALLS, "", BY)?;
    let rates = asker.rates(CALLS, ASKED, BY)?;
    let failed = asker.rates(CALLS, &format!(r#"{ASKED},status_code="STATUS_CODE_ERROR""#), BY)?;
    let p50 = asker.quantiles(0.5, SECONDS, ASKED, BY)?;
    let p95 = asker.quantiles(0.95, SECONDS, ASKED, BY)?;
    let mut nodes: BTreeMap<String, ServiceNode> = BTreeMap::new();
    for (key, span_rate) in spans.into_iter().filter(|(_, rate)| *rate > 0.0) {
        let rate = rates.get(&key).copied().filter(|rate| *rate > 0.0);
        let node = ServiceNode {
            is_database: false,
            rate,
            error_ratio: rate.map(|rate| failed.get(&key).map_or(0.0, |failed| share(*failed, rate))),
            p50_seconds: p50.get(&key).copied(),
            p95_seconds: p95.get(&key).copied(),
            span_rate: Some(span_rate),
            name: key.into_iter().next().unwrap_or_default(),
        };
        nodes.insert(node.name.clone(), node);
    }
    // What sends no spans of its own, as a database, is known from those who ask it.
    for edge in edges {
        let is_database = edge.connection.as_deref() == Some("database");
        for (name, is_database) in [(&edge.client, false), (&edge.server, is_database)] {
            let unknown = || ServiceNode { name: name.clone(), is_database, ..ServiceNode::default() };
            nodes.entry(name.clone()).or_insert_with(unknown);
        }
    }
    let mut nodes: Vec<ServiceNode> = nodes.into_values().collect();
    // By name where they are asked as often: the sort is stable.
    nodes.sort_by(|a, b| b.rate.unwrap_or(0.0).total_cmp(&a.rate.unwrap_or(0.0)));
    Ok(nodes)
}

/// A part of a whole. Both are estimates, so that it could come out as a little more than all.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}
