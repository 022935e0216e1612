//! The parameters of a request, wherever they stand.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use model::{DurationText, TimeRange, Timestamp};
use promql::{Engine, ErrorKind, Query};

use super::answer::Failure;
use super::stats::WantedStats;
use crate::context::Shared;
use crate::routes::given::Given;

/// Pairs of names and values; a name may occur more than once.
pub(super) struct Arguments(Vec<(String, String)>);

impl FromRequest<Shared> for Arguments {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Failure> {
        let given = Given::from_request(request, app).await;
        given.map(|given| Self(given.into_pairs())).map_err(|problem| Failure::bad(problem.detail()))
    }
}

/// The times that Prometheus' clients send for the beginning and the end of all time.
const BEGINNING: &str = "-292273086-05-16T16:47:06Z";
const END: &str = "292277025-08-18T07:12:54.999999999Z";

impl Arguments {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A value that must be given.
    pub(super) fn needed(&self, name: &str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| wrong(name, "it is missing"))
    }

    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The parameter `query`. What Prometheus looks at only when it evaluates, as patterns and names of labels in
    /// texts, keeps its class.
    pub(super) fn query(&self) -> Result<Query, Failure> {
        Query::parse(self.needed("query")?).map_err(|error| match error.kind() {
            ErrorKind::BadData => wrong("query", &error.to_string()),
            _ => Failure::from(&error),
        })
    }

    /// A time, if it is given.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        self.get(name).map(|text| time(text).ok_or_else(|| wrong(name, NO_TIME))).transpose()
    }

    /// A time that must be given.
    pub(super) fn needed_time(&self, name: &str) -> Result<Timestamp, Failure> {
        time(self.needed(name)?).ok_or_else(|| wrong(name, NO_TIME))
    }

    /// The parameters `start` and `end`; all of time, without them. Nothing when the end lies before the start.
    pub(super) fn range(&self) -> Result<Option<TimeRange>, Failure> {
        let start = self.time("start")?.unwrap_or(Timestamp::MIN);
        let end = self.time("end")?.unwrap_or(Timestamp::MAX);
        Ok((start <= end).then(|| TimeRange::new(start, end)))
    }

    /// The parameter `step`.
    pub(super) fn step(&self) -> Result<Duration, Failure> {
        self.needed("step")?;
        let step = self.duration("step")?;
        step.filter(|step| !step.is_zero()).ok_or_else(|| wrong("step", "expected more than zero"))
    }

    /// The parameter `timeout`. No time is left by one that is not more than zero.
    pub(super) fn timeout(&self) -> Result<Option<Duration>, Failure> {
        match self.get("timeout").map(str::parse::<f64>) {
            Some(Ok(seconds)) if seconds <= 0.0 => Ok(Some(Duration::ZERO)),
            _ => self.duration("timeout"),
        }
    }

    /// The parameter `limit`; zero is none.
    pub(super) fn limit(&self) -> Result<Option<usize>, Failure> {
        Ok(self.number("limit")?.filter(|limit| *limit > 0))
    }

    /// A whole number, if it is given.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, Failure> {
        let number = |text: &str| text.parse().map_err(|_| wrong(name, "expected a whole number"));
        self.get(name).map(number).transpose()
    }

    /// How many there may be at the most, if that is given: below zero is no limit, and zero is one.
    pub(super) fn most(&self, name: &str) -> Result<Option<usize>, Failure> {
        let number = |text: &str| text.parse::<i64>().map_err(|_| wrong(name, "expected a whole number"));
        Ok(self.get(name).map(number).transpose()?.and_then(|most| usize::try_from(most).ok()))
    }

    /// A text, if it is given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
    }

    /// The parameter `lookback_delta`.
    pub(super) fn lookback(&self) -> Result<Option<Duration>, Failure> {
        let lookback = self.duration("lookback_delta")?;
        match lookback {
            Some(lookback) if lookback.is_zero() => Err(wrong("lookback_delta", "expected more than zero")),
            lookback => Ok(lookback),
        }
    }

    /// The parameter `stats`: whether what the query took is wanted, and at each step.
    pub(super) fn wanted_stats(&self) -> Option<WantedStats> {
        self.get("stats").map(|wanted| if wanted == "all" { WantedStats::All } else { WantedStats::Sums })
    }

    /// The engine that evaluates the query as it is asked to.
    pub(super) fn engine(&self) -> Result<impl FnOnce(&Engine) -> Engine + Send + use<>, Failure> {
        let (lookback, cached) = (self.lookback()?, self.may_be_kept());
        Ok(move |engine: &Engine| match lookback {
            Some(lookback) => engine.with_lookback(lookback),
            None if cached => engine.clone(),
            None => engine.without_cache(),
        })
    }

    /// Whether an answer that was given before will do.
    fn may_be_kept(&self) -> bool {
        !matches!(self.get("nocache"), Some("1" | "true"))
    }

    fn duration(&self, name: &str) -> Result<Option<Duration>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let duration = match text.parse::<f64>() {
            Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            Err(_) => text.parse::<DurationText>().ok().map(|duration| duration.0),
        };
        duration.map(Some).ok_or_else(|| wrong(name, "expected seconds, or a duration like 15s"))
    }
}

const NO_TIME: &str = "expected RFC 3339 or seconds since the epoch";

fn time(text: &str) -> Option<Timestamp> {
    match text {
        BEGINNING => Some(Timestamp::MIN),
        END => Some(Timestamp::MAX),
        text => match text.parse::<f64>() {
            // As in Prometheus a time, and one at which there is nothing.
            Ok(seconds) if seconds.is_nan() => Some(Timestamp::MIN),
            Ok(seconds) => {
                let is_number = seconds.is_finite();
                is_number.then(|| Timestamp::from_millis((seconds * 1000.0).round() as i64))
            }
            // A date alone is no time.
            Err(_) if text.contains('T') => Timestamp::parse_rfc3339(text).ok(),
            Err(_) => None,
        },
    }
}

/// A parameter that cannot be taken, and why.
pub(super) fn wrong(name: &str, reason: &str) -> Failure {
    Failure::bad(format!("invalid parameter \"{name}\": {reason}"))
}
