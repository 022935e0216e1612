//! Statements of SQL.

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use store::{Cancel, SqlQuery};
use tabular::{AnswerFormat, Format};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::guard::body::{JsonBody, media_type, read};
use crate::params::{NoParams, named};
use crate::problem::{Kind, Problem, ProblemBody};
use crate::sql;
use crate::wire::sql::{SqlAnswer, SqlRequest, SqlSchema};

/// Rows of an answer in JSON that names no limit.
const JSON_ROWS: usize = 10_000;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(schema))
}

/// A statement: JSON, or its text alone.
struct Asked(SqlRequest);

impl FromRequest<Shared> for Asked {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        match media_type(request.headers()).as_deref() {
            Some("text/plain" | "application/sql") => {
                let (head, body) = request.into_parts();
                let bytes = read(&head.headers, body, app.config.max_body).await?;
                let sql = String::from_utf8(bytes.into())
                    .map_err(|_| Problem::new(Kind::BadBody, "The statement must be UTF-8."))?;
                Ok(Self(SqlRequest { sql, format: None, limit: None, timeout: None }))
            }
            _ => JsonBody::from_request(request, app).await.map(|JsonBody(request)| Self(request)),
        }
    }
}

/// Answers a statement of SQL over everything that is stored: a table for each kind of event, and `samples`. Only what
/// reads is answered. An answer in JSON says whether its limit has cut rows off (`truncated`); other formats are rows
/// alone. An answer that ends early is not whole: the connection breaks off then. What is wrong with a statement has
/// its place in `fault`, and what may have been meant.
#[utoipa::path(post, path = "/api/v1/sql", tag = "watching", request_body = SqlRequest,
    responses((status = 200, body = SqlAnswer),
        (status = 422, body = ProblemBody, description = "A limit was reached; it is named"),
        (status = 503, body = ProblemBody, description = "It took too long, or too many queries run"),
        (status = "4XX", body = ProblemBody)))]
async fn ask(
    State(app): State<Shared>,
    _: NoParams,
    headers: HeaderMap,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let format = match named("format", asked.format.as_deref())? {
        Some(format) => format,
        None => accepted(&headers),
    };
    let limit = asked.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if limit == Some(0) {
        return Err(Problem::new(Kind::BadParameter, "`limit` must be 1 or more."));
    }
    let limit = limit.or((format == AnswerFormat::Json).then_some(JSON_ROWS));
    let timeout = asked.timeout.map(|timeout| timeout.0);
    let query = SqlQuery { statement: asked.sql, limit, timeout, cancel: Cancel::never() };
    let mut response = sql::body(&app, query, format).await?.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    Ok(response)
}

/// The format that is accepted first, of those that there are.
fn accepted(headers: &HeaderMap) -> AnswerFormat {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut known = accepted.split(',').filter_map(|kind| {
        let essence = kind.split(';').next()?.trim().to_ascii_lowercase();
        let is_it = |format: &&Format| format.media_type().split(';').next() == Some(essence.as_str());
        match essence.as_str() {
            "application/json" => Some(AnswerFormat::Json),
            _ => Format::ALL.iter().find(is_it).map(|format| AnswerFormat::Rows(*format)),
        }
    });
    known.next().unwrap_or(AnswerFormat::Json)
}

/// The tables that statements can read, with their columns.
#[utoipa::path(get, path = "/api/v1/sql/schema", tag = "watching",
    responses((status = 200, body = SqlSchema), (status = "4XX", body = ProblemBody)))]
async fn schema(_: NoParams) -> Json<SqlSchema> {
    Json(store::sql_tables().into())
}
