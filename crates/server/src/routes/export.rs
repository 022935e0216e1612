//! Rows of the store as a file.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use model::{TimeRange, Timestamp};
use promql::Query;
use serde::Deserialize;
use store::Table;
use tabular::{Format, Selection};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::export;
use crate::params::{Params, between, named, time};
use crate::problem::{Kind, Problem, ProblemBody};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(download))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ExportParams {
    /// A table of events, as `requests`; or else give `match`.
    table: Option<String>,
    /// A selector of series, as `{__name__=~"http_.*",job="api"}`; or else give `table`.
    r#match: Option<String>,
    /// From this time (RFC 3339) on.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    since: Option<Timestamp>,
    /// Up to this time (RFC 3339); now if left out.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    until: Option<Timestamp>,
    /// `parquet`, `csv`, `ndjson`, or `arrow` (a stream of Arrow IPC); `parquet` if left out.
    format: Option<String>,
}

impl ExportParams {
    fn selection(&self) -> Result<Selection, Problem> {
        let wrong = |text: String| Problem::new(Kind::BadParameter, text);
        match (&self.table, &self.r#match) {
            (Some(name), None) => match Table::from_name(name) {
                Some(table) => Ok(Selection::Events(table)),
                None => {
                    let names: Vec<&str> = Table::ALL.iter().map(|table| table.name()).collect();
                    Err(wrong(format!("`table` must be one of {}.", names.join(", "))))
                }
            },
            (None, Some(text)) => {
                let query = Query::parse(text).map_err(|error| wrong(format!("`match`: {error}.")))?;
                let matchers = query.matchers().ok_or_else(|| {
                    wrong("`match` must be a selector alone, as `up{job=\"api\"}`.".to_owned())
                })?;
                Ok(Selection::Series(matchers.to_vec()))
            }
            _ => Err(wrong("Give either `table` or `match`.".to_owned())),
        }
    }
}

/// All rows of a table of events, or all points of the series that match, as one file, sent while it is
/// made, however large it is. Points are rows with `time`, `value`, `name` and a column for each label, or
/// one column `labels` when there are more than 128 of them. A file that ends early is not whole: the
/// connection breaks off then.
#[utoipa::path(get, path = "/api/v1/export", tag = "watching", params(ExportParams),
    responses((status = 200, body = Vec<u8>, content_type = "application/vnd.apache.parquet"),
        (status = 503, body = ProblemBody, description = "Too many exports run"), (status = "4XX", body = ProblemBody)))]
async fn download(
    State(app): State<Shared>,
    Params(params): Params<ExportParams>,
) -> Result<Response, Problem> {
    let selection = params.selection()?;
    let format = named("format", params.format.as_deref())?.unwrap_or(Format::Parquet);
    let until = params.until.unwrap_or_else(Timestamp::now);
    let TimeRange { start, end } = between(params.since, Some(until))?;
    let name = params.table.as_deref().filter(|_| matches!(selection, Selection::Events(_)));
    let disposition = format!("attachment; filename=\"{}.{}\"", name.unwrap_or("metrics"), format.name());
    let request = export::Request { selection, range: TimeRange::new(start, end), format };
    let body = export::body(&app, request).await?;
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}
