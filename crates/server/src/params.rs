//! Query parameters, read strictly: one that is unknown, twice there or out of range is an error that
//! names it, and never silently ignored.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use model::{TimeRange, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::problem::{Kind, Problem};

/// The query parameters of a request, as `T`.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                let text = rejection.body_text();
                let cause = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, cause)| cause);
                Err(Problem::new(Kind::BadParameter, format!("The query parameters do not fit: {cause}.")))
            }
        }
    }
}

/// No query parameters: any that is there is an error.
pub(crate) struct NoParams;

impl<S: Send + Sync> FromRequestParts<S> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        Params::<Nothing>::from_request_parts(parts, state).await.map(|_| Self)
    }
}

/// One segment of the path.
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(name) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| {
            Problem::new(Kind::BadParameter, "The path must be valid UTF-8 after percent-decoding.")
        })?;
        Ok(Self(name))
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    limit: u32,
    offset: u32,
}

/// The most items of one answer.
pub(crate) const MAX_LIMIT: u32 = 1_000;
const DEFAULT_LIMIT: u32 = 100;

impl Window {
    pub(crate) fn new(limit: Option<u32>, offset: Option<u32>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::new(
                Kind::BadParameter,
                format!("`limit` must lie between 1 and {MAX_LIMIT}; use `offset` to read on."),
            ));
        }
        Ok(Self { limit, offset: offset.unwrap_or(0) })
    }

    pub(crate) fn live(self) -> pipeline::Page {
        pipeline::Page { offset: self.offset as usize, limit: self.limit as usize }
    }

    pub(crate) fn stored(self) -> state::Page {
        state::Page { offset: self.offset.into(), limit: self.limit.into() }
    }

    /// The part of a list that is at hand as a whole.
    pub(crate) fn cut<T, U: From<T>>(self, all: Vec<T>) -> List<U> {
        let total = all.len() as u64;
        let items =
            all.into_iter().skip(self.offset as usize).take(self.limit as usize).map(U::from).collect();
        List { items, total, limit: self.limit, offset: self.offset }
    }

    /// The answer for a part that was cut out elsewhere.
    pub(crate) fn list<T, U: From<T>>(self, items: impl IntoIterator<Item = T>, total: u64) -> List<U> {
        let items = items.into_iter().map(U::from).collect();
        List { items, total, limit: self.limit, offset: self.offset }
    }
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The items of this part.
    pub items: Vec<T>,
    /// How many items the whole list has.
    pub total: u64,
    /// The most items that this answer could have.
    pub limit: u32,
    /// How many items were skipped.
    pub offset: u32,
}

/// One of an enum's names, as a parameter.
pub(crate) fn named<T: std::str::FromStr<Err: std::fmt::Display>>(
    parameter: &str,
    text: Option<&str>,
) -> Result<Option<T>, Problem> {
    text.map(str::parse)
        .transpose()
        .map_err(|error: T::Err| Problem::new(Kind::BadParameter, format!("`{parameter}`: {error}.")))
}

/// The range from `since` to `until`; without either, all of time.
pub(crate) fn between(since: Option<Timestamp>, until: Option<Timestamp>) -> Result<TimeRange, Problem> {
    let (since, until) = (since.unwrap_or(Timestamp::MIN), until.unwrap_or(Timestamp::MAX));
    if since > until {
        return Err(Problem::new(Kind::BadParameter, "`since` is later than `until`: nothing lies between."));
    }
    Ok(TimeRange::new(since, until))
}

/// A length of time in a parameter, in seconds.
pub(crate) fn seconds(parameter: &str, seconds: Option<f64>) -> Result<Option<f64>, Problem> {
    match seconds {
        Some(seconds) if !(seconds.is_finite() && seconds >= 0.0) => Err(Problem::new(
            Kind::BadParameter,
            format!("`{parameter}` must be a number of seconds, 0 or more."),
        )),
        seconds => Ok(seconds),
    }
}

/// A time in a parameter: RFC 3339, or seconds since the epoch.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let read = match text.parse::<f64>() {
        Ok(number) => Timestamp::from_epoch_number(number),
        Err(_) => Timestamp::parse_rfc3339(&text),
    };
    read.map(Some).map_err(serde::de::Error::custom)
}

/// Several of an enum's names, separated by commas; none asks for all.
pub(crate) fn each_named<T: std::str::FromStr>(
    parameter: &str,
    text: Option<&str>,
    expected: &str,
) -> Result<Vec<T>, Problem> {
    let names =
        text.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            name.parse().map_err(|_| {
                let name: String = name.chars().take(64).collect();
                Problem::new(Kind::BadParameter, format!("`{parameter}`: `{name}` is none of {expected}."))
            })
        })
        .collect()
}
