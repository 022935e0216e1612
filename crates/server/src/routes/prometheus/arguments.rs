//! The parameters of a request, wherever they stand.

use std::time::Duration;

use axum::Form;
use axum::extract::{FromRequest, Query as UrlQuery, Request};
use axum::http::{Method, header};
use model::{DurationText, TimeRange, Timestamp};
use promql::{Engine, Query};

use super::answer::Failure;
use super::stats::WantedStats;
use crate::context::Shared;

/// Pairs of names and values; a name may occur more than once.
pub(super) struct Arguments(Vec<(String, String)>);

impl FromRequest<Shared> for Arguments {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Failure> {
        let UrlQuery(mut pairs) = UrlQuery::<Vec<(String, String)>>::try_from_uri(request.uri())
            .map_err(|_| Failure::bad("the query parameters cannot be read"))?;
        // A POST without a body has its parameters in the address alone; Prometheus takes that too.
        if request.method() == Method::POST && request.headers().contains_key(header::CONTENT_TYPE) {
            let Form(more) = Form::<Vec<(String, String)>>::from_request(request, app).await.map_err(|_| {
                Failure::bad("send the parameters as application/x-www-form-urlencoded, within the limit of the body")
            })?;
            pairs.extend(more);
        }
        Ok(Self(pairs))
    }
}

impl Arguments {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A value that must be given.
    pub(super) fn needed(&self, name: &str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| Failure::bad(format!("the parameter `{name}` is missing")))
    }

    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The parameter `query`.
    pub(super) fn query(&self) -> Result<Query, Failure> {
        Query::parse(self.needed("query")?).map_err(|error| Failure::from(&error))
    }

    /// A time, if it is given.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let time = match text.parse::<f64>() {
            Ok(seconds) if seconds.is_finite() => {
                Some(Timestamp::from_millis((seconds * 1000.0).round() as i64))
            }
            Ok(_) => None,
            Err(_) => Timestamp::parse_rfc3339(text).ok(),
        };
        time.map(Some).ok_or_else(|| wrong(name, "RFC 3339 or seconds since the epoch"))
    }

    /// A time that must be given.
    pub(super) fn needed_time(&self, name: &str) -> Result<Timestamp, Failure> {
        self.needed(name)?;
        self.time(name)?.ok_or_else(|| wrong(name, "RFC 3339 or seconds since the epoch"))
    }

    /// The parameters `start` and `end`; all of time, without them.
    pub(super) fn range(&self) -> Result<TimeRange, Failure> {
        let start = self.time("start")?.unwrap_or(Timestamp::MIN);
        let end = self.time("end")?.unwrap_or(Timestamp::MAX);
        if end < start {
            return Err(Failure::bad("`end` lies before `start`"));
        }
        Ok(TimeRange::new(start, end))
    }

    /// The parameter `step`.
    pub(super) fn step(&self) -> Result<Duration, Failure> {
        self.needed("step")?;
        let step = self.duration("step")?;
        step.filter(|step| !step.is_zero()).ok_or_else(|| wrong("step", "a duration that is more than zero"))
    }

    /// The parameter `timeout`.
    pub(super) fn timeout(&self) -> Result<Option<Duration>, Failure> {
        self.duration("timeout")
    }

    /// The parameter `limit`; zero is none.
    pub(super) fn limit(&self) -> Result<Option<usize>, Failure> {
        Ok(self.number("limit")?.filter(|limit| *limit > 0))
    }

    /// A whole number, if it is given.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, Failure> {
        self.get(name).map(|text| text.parse().map_err(|_| wrong(name, "a whole number"))).transpose()
    }

    /// A text, if it is given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
    }

    /// The parameter `lookback_delta`.
    pub(super) fn lookback(&self) -> Result<Option<Duration>, Failure> {
        let lookback = self.duration("lookback_delta")?;
        match lookback {
            Some(lookback) if lookback.is_zero() => {
                Err(wrong("lookback_delta", "a duration that is more than zero"))
            }
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
        duration.map(Some).ok_or_else(|| wrong(name, "seconds, or a duration like 15s"))
    }
}

fn wrong(name: &str, expected: &str) -> Failure {
    Failure::bad(format!("the parameter `{name}` must be {expected}"))
}
