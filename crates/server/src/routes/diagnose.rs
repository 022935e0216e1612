//! Diagnosis: runbook checks, run now.

use alert::Subject;
use axum::extract::State;
use axum::{Extension, Json};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::access::Caller;
use crate::access::record::Action;
use crate::context::{App, Shared};
use crate::guard::body::JsonBody;
use crate::params::{List, Name, Params, Window};
use crate::problem::{Kind, Problem, ProblemBody};
use crate::wire::diagnosis::{Check, Diagnosis, Wanted};

/// The most names of checks that are written into the audit log.
const MAX_AUDITED: usize = 50;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(checks)).routes(routes!(alert)).routes(routes!(diagnose))
}

#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

impl From<(&'static str, &'static str)> for Check {
    fn from((name, title): (&'static str, &'static str)) -> Self {
        Self { name, title }
    }
}

/// The checks that a runbook can name.
#[utoipa::path(get, path = "/api/v1/checks", tag = "alerts", params(ListParams),
    responses((status = 200, body = List<Check>), (status = "4XX", body = ProblemBody)))]
async fn checks(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<Check>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    Ok(Json(window.cut(app.context.alerts.checks())))
}

/// Runs the checks of an alert's rule now, for its labels. The evidence that the alert keeps stays what
/// was found when it fired.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/diagnose", tag = "alerts", params(("id" = String, Path)),
    responses((status = 200, body = Diagnosis), (status = "4XX", body = ProblemBody)))]
async fn alert(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Name(id): Name,
) -> Result<Json<Diagnosis>, Problem> {
    let action = Action::on("alert.diagnose", &id);
    diagnosed(&app, &caller, Subject::Alert(id.clone()), action).await
}

/// Runs the checks of a rule, some checks, or all, now.
#[utoipa::path(post, path = "/api/v1/diagnose", tag = "alerts", request_body = Wanted,
    responses((status = 200, body = Diagnosis), (status = "4XX", body = ProblemBody)))]
async fn diagnose(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    JsonBody(wanted): JsonBody<Wanted>,
) -> Result<Json<Diagnosis>, Problem> {
    let subject = match wanted {
        Wanted { rule: Some(_), checks } if !checks.is_empty() => {
            return Err(Problem::new(Kind::BadParameter, "Give either `rule` or `checks`, not both."));
        }
        Wanted { rule: Some(rule), .. } => Subject::Rule(rule),
        Wanted { rule: None, checks } => Subject::Checks(checks),
    };
    let (target, detail) = match &subject {
        Subject::Rule(rule) => (rule.clone(), json!(null)),
        Subject::Checks(checks) if checks.len() <= MAX_AUDITED => ("checks".to_owned(), json!(checks)),
        Subject::Alert(_) | Subject::Checks(_) => ("checks".to_owned(), json!("many")),
    };
    diagnosed(&app, &caller, subject, Action::on("alert.diagnose", &target).with(detail)).await
}

async fn diagnosed(
    app: &App,
    caller: &Caller,
    subject: Subject,
    action: Action<'_>,
) -> Result<Json<Diagnosis>, Problem> {
    let done = app.context.alerts.diagnose(&subject).await;
    Ok(Json(app.recorded(caller, action, done).await?.into()))
}
