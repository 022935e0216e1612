//! The request log: its rows, and what they sum up to.

use std::collections::HashMap;
use std::str::FromStr;

use arrow::array::RecordBatch;
use model::TimeRange;
use model::event::RequestEvent;
use pipeline::{Listing, Page};
use promql::Cancel;
use store::{
    ColumnFilter, Entries, EventPass, EventScan, FilterOp, Predicate, Row, Scalar, Table, TelemetryStore,
};

use crate::columns::{Counts, Numbers, Texts};
use crate::{Quantiles, ReportError};

/// How far into the log a page may lie, its own rows included. Who wants to read on narrows the time.
pub const MAX_ROWS: usize = 10_000;
/// The most groups that are told apart; requests of further ones are counted together.
const MAX_GROUPS: usize = 1_000;
/// The first status that is an error, as seed 003 has it.
const FIRST_ERROR: u64 = 400;

/// Conditions on requests, all of which must hold; `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestFilter {
    /// The route that matched.
    pub route: Option<String>,
    /// The path as called.
    pub path: Option<String>,
    /// Text in the path.
    pub text: Option<String>,
    /// The method, in capitals.
    pub method: Option<String>,
    /// The status, or its class.
    pub status: Option<StatusFilter>,
    /// Who asked.
    pub user: Option<String>,
    /// The id of the API key.
    pub api_key: Option<String>,
    /// The address that asked.
    pub client: Option<String>,
    /// The application that answered.
    pub service: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// It took at least this long, in seconds.
    pub min_seconds: Option<f64>,
}

/// One status (`404`), or a class of them (`4xx`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusFilter {
    /// This one.
    Code(u16),
    /// Those that begin with this digit.
    Class(u16),
}

/// A text that is no status and no class of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a status is a number as 404, or a class as 4xx")]
pub struct UnknownStatus;

impl FromStr for StatusFilter {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        match text.strip_suffix("xx") {
            Some(class) => class.parse().ok().filter(|class| (1..=5).contains(class)).map(Self::Class),
            None => text.parse().ok().filter(|code| (100..=599).contains(code)).map(Self::Code),
        }
        .ok_or(UnknownStatus)
    }
}

impl RequestFilter {
    fn conditions(&self) -> Vec<Predicate> {
        let texts = [
            ("route", FilterOp::Equal, &self.route),
            ("path", FilterOp::Equal, &self.path),
            ("path", FilterOp::Contains, &self.text),
            ("method", FilterOp::Equal, &self.method),
            ("user_id", FilterOp::Equal, &self.user),
            ("api_key_id", FilterOp::Equal, &self.api_key),
            ("client_ip", FilterOp::Equal, &self.client),
            ("service", FilterOp::Equal, &self.service),
            ("request_id", FilterOp::Equal, &self.request_id),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(column, op, text)| Some((column, op, Scalar::Text(text.clone()?))));
        let mut conditions: Vec<Predicate> =
            texts.map(|(column, op, value)| ColumnFilter { column, op, value }.into()).collect();
        let mut number = |column, op, number| {
            conditions.push(ColumnFilter { column, op, value: Scalar::Number(number) }.into());
        };
        match self.status {
            Some(StatusFilter::Code(code)) => number("status_code", FilterOp::Equal, f64::from(code)),
            Some(StatusFilter::Class(class)) => {
                number("status_code", FilterOp::AtLeast, f64::from(class * 100));
                number("status_code", FilterOp::Less, f64::from(class * 100 + 100));
            }
            None => {}
        }
        if let Some(seconds) = self.min_seconds {
            number("duration_seconds", FilterOp::AtLeast, seconds);
        }
        conditions
    }
}

/// A page of the log, newest first, with how many requests there are in all. A page that lies further
/// in than [`MAX_ROWS`] is cut short.
pub fn requests(
    store: &dyn TelemetryStore,
    filter: &RequestFilter,
    range: TimeRange,
    page: Page,
    cancel: &Cancel,
) -> Result<Listing<RequestEvent>, ReportError> {
    let filters = filter.conditions();
    let limit = page.offset.saturating_add(page.limit).min(MAX_ROWS);
    let mut scan = EventScan::new(Table::Requests, range, limit).newest_first().stopped_by(cancel);
    scan.filters.clone_from(&filters);
    let mut rows = Vec::new();
    for batch in store.scan(&scan).map_err(ReportError::Events)? {
        rows.extend(RequestEvent::from_batch(&batch).map_err(ReportError::Rows)?);
    }
    let mut total = rows.len();
    if total == limit {
        total = 0;
        let columns = (&["time"]).into();
        let pass = EventPass {
            table: Table::Requests,
            range,
            filters,
            columns,
            entries: Entries::all(),
            cancel: cancel.clone(),
        };
        let mut count = |rows: &RecordBatch| {
            total += rows.num_rows();
            Ok(())
        };
        store.each_batch(&pass, &mut count).map_err(ReportError::Events)?;
    }
    Ok(Listing { items: rows.into_iter().skip(page.offset).collect(), total })
}

/// By what requests are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// By the route that matched, or else by the path as called.
    Route,
    /// By who asked.
    User,
    /// By the id of the API key.
    ApiKey,
    /// By the address that asked.
    Client,
    /// By the application that answered.
    Service,
}

/// A text that names nothing by which requests are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("requests are grouped by one of route, user, api_key, client, service")]
pub struct UnknownGroup;

impl GroupBy {
    /// All that requests are grouped by.
    pub const ALL: &[Self] = &[Self::Route, Self::User, Self::ApiKey, Self::Client, Self::Service];

    /// The name as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::Client => "client",
            Self::Service => "service",
        }
    }

    /// The column, and the one that stands in where it is null.
    const fn key(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Route => ("route", Some("path")),
            Self::User => ("user_id", None),
            Self::ApiKey => ("api_key_id", None),
            Self::Client => ("client_ip", None),
            Self::Service => ("service", None),
        }
    }

    /// The columns of the key and of what is summed up. Texts are most of the log's bytes, so that no
    /// other one is read.
    const fn columns(self) -> &'static [&'static str] {
        macro_rules! with {
            ($($key:literal),+) => {
                &[$($key),+, "status_code", "duration_seconds", "request_bytes", "response_bytes"]
            };
        }
        match self {
            Self::Route => with!("route", "path"),
            Self::User => with!("user_id"),
            Self::ApiKey => with!("api_key_id"),
            Self::Client => with!("client_ip"),
            Self::Service => with!("service"),
        }
    }
}

impl FromStr for GroupBy {
    type Err = UnknownGroup;

    fn from_str(text: &str) -> Result<Self, UnknownGroup> {
        Self::ALL.iter().copied().find(|by| by.as_str() == text).ok_or(UnknownGroup)
    }
}

/// What some requests sum up to.
#[derive(Clone, Debug, Default)]
pub struct RequestTally {
    /// How many they are.
    pub requests: u64,
    /// Those with a status of 400 or more.
    pub errors: u64,
    /// How long all of them took together, in seconds.
    pub seconds: f64,
    /// Body bytes received, as far as they are known.
    pub request_bytes: u64,
    /// Body bytes sent, as far as they are known.
    pub response_bytes: u64,
    /// How long they took.
    pub durations: Quantiles,
}

impl RequestTally {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.seconds += other.seconds;
        self.request_bytes += other.request_bytes;
        self.response_bytes += other.response_bytes;
        self.durations.merge(&other.durations);
    }

    /// Errors among the requests, 0 to 1; 0 without any.
    pub fn error_rate(&self) -> f64 {
        self.errors as f64 / self.requests.max(1) as f64
    }

    /// How long one took on average, in seconds; 0 without any.
    pub fn average_seconds(&self) -> f64 {
        self.seconds / self.requests.max(1) as f64
    }
}

/// The requests of one group.
#[derive(Clone, Debug)]
pub struct RequestGroup {
    /// What they have in common; `None` for those that do not say.
    pub key: Option<String>,
    /// What they sum up to.
    pub tally: RequestTally,
}

/// Requests of a period.
#[derive(Clone, Debug, Default)]
pub struct RequestStats {
    /// All of them.
    pub all: RequestTally,
    /// By group, those with the most requests first.
    pub groups: Vec<RequestGroup>,
    /// Requests of further groups, beyond the bound on how many are told apart.
    pub beyond: RequestTally,
}

/// Sums requests up, in one pass over the log.
pub fn request_stats(
    store: &dyn TelemetryStore,
    by: GroupBy,
    filter: &RequestFilter,
    range: TimeRange,
    cancel: &Cancel,
) -> Result<RequestStats, ReportError> {
    let (filters, columns) = (filter.conditions(), by.columns().into());
    let pass = EventPass {
        table: Table::Requests,
        range,
        filters,
        columns,
        entries: Entries::all(),
        cancel: cancel.clone(),
    };
    let mut sums = Sums { by, named: HashMap::new(), nameless: None, beyond: RequestTally::default() };
    let mut add = |rows: &RecordBatch| {
        sums.add(rows);
        Ok(())
    };
    store.each_batch(&pass, &mut add).map_err(ReportError::Events)?;
    Ok(sums.finish())
}

/// Sums in the making.
struct Sums {
    by: GroupBy,
    named: HashMap<String, RequestTally>,
    nameless: Option<RequestTally>,
    beyond: RequestTally,
}

impl Sums {
    fn add(&mut self, rows: &RecordBatch) {
        let (key, otherwise) = self.by.key();
        let (keys, others) = (Texts::of(rows, key), otherwise.map(|column| Texts::of(rows, column)));
        let statuses = Counts::of(rows, "status_code");
        let seconds = Numbers::of(rows, "duration_seconds");
        let received = Counts::of(rows, "request_bytes");
        let sent = Counts::of(rows, "response_bytes");
        for row in 0..rows.num_rows() {
            let key = keys.get(row).or_else(|| others.as_ref()?.get(row));
            let seconds = seconds.get(row).unwrap_or_default();
            let tally = group(&mut self.named, &mut self.nameless, &mut self.beyond, key);
            tally.requests += 1;
            tally.errors += u64::from(statuses.get(row).is_some_and(|status| status >= FIRST_ERROR));
            tally.seconds += seconds;
            tally.request_bytes += received.get(row).unwrap_or_default();
            tally.response_bytes += sent.get(row).unwrap_or_default();
            tally.durations.observe(seconds);
        }
    }

    fn finish(self) -> RequestStats {
        let mut all = self.beyond.clone();
        self.named.values().chain(&self.nameless).for_each(|tally| all.add(tally));
        let named = self.named.into_iter().map(|(key, tally)| RequestGroup { key: Some(key), tally });
        let nameless = self.nameless.map(|tally| RequestGroup { key: None, tally });
        let mut groups: Vec<RequestGroup> = named.chain(nameless).collect();
        groups.sort_by(|a, b| (b.tally.requests, &a.key).cmp(&(a.tally.requests, &b.key)));
        RequestStats { all, groups, beyond: self.beyond }
    }
}

fn group<'a>(
    named: &'a mut HashMap<String, RequestTally>,
    nameless: &'a mut Option<RequestTally>,
    beyond: &'a mut RequestTally,
    key: Option<&str>,
) -> &'a mut RequestTally {
    let Some(key) = key else { return nameless.get_or_insert_default() };
    if !named.contains_key(key) {
        if named.len() >= MAX_GROUPS {
            return beyond;
        }
        named.insert(key.to_owned(), RequestTally::default());
    }
    named.get_mut(key).expect("it was there, or has been put there just above")
}
