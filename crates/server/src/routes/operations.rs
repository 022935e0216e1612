//! Operations on the tasks of a queue: looked at first, then done, and written into the audit log.

use axum::extract::State;
use axum::{Extension, Json};
use collect::{OperationError, QueueAction, QueueOperations, TaskSelection};
use pipeline::QueueState;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::access::Caller;
use crate::access::record::{Action, whole};
use crate::context::{App, Shared};
use crate::guard::body::JsonBody;
use crate::params::Name;
use crate::problem::{Kind, Problem, ProblemBody};
use crate::wire::operations::{Operation, OperationAnswer, Tasks};

/// The most ids written into one entry of the audit log; how many there were stands there too.
const MAX_AUDITED: usize = 100;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(operate))
}

/// Queues tasks again, or removes them. Without a digest nothing is done: the answer says which tasks
/// would be touched, and its digest then does it with these and no others. A task that a worker has
/// taken up meanwhile is left alone.
#[utoipa::path(post, path = "/api/v1/queues/{name}/operations", tag = "pipeline",
    params(("name" = String, Path)), request_body = Operation,
    responses((status = 200, body = OperationAnswer), (status = "4XX", body = ProblemBody)))]
async fn operate(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Name(queue): Name,
    JsonBody(operation): JsonBody<Operation>,
) -> Result<Json<OperationAnswer>, Problem> {
    let action = action(&operation.action)?;
    match (operation.digest, operation.tasks, operation.preview) {
        (None, Some(tasks), None | Some(true)) => {
            let operations = operations(&app, &queue)?;
            Ok(Json(operations.preview(&queue, action, selection(tasks)?).await?.into()))
        }
        (Some(digest), None, None | Some(false)) => {
            let done =
                whole(&app, move |app| async move { execute(&app, &caller, &queue, action, &digest).await });
            Ok(Json(done.await?))
        }
        (None, _, Some(false)) => {
            Err(bad("What is done is what was looked at: preview first, then send its `digest`."))
        }
        (Some(_), Some(_), _) => Err(bad("Send either `tasks`, to look, or the `digest` of what was shown.")),
        (Some(_), None, Some(true)) => Err(bad("A `digest` executes; leave `preview` out.")),
        (None, None, _) => Err(bad("Say which `tasks` are meant.")),
    }
}

async fn execute(
    app: &App,
    caller: &Caller,
    queue: &str,
    action: QueueAction,
    digest: &str,
) -> Result<OperationAnswer, Problem> {
    let operations = operations(app, queue)?;
    let meant = operations.previewed(queue, digest);
    if meant.is_some_and(|(previewed, ..)| previewed != action) {
        return Err(bad("The preview of this `digest` was of another `action`."));
    }
    let done = operations.execute(queue, digest).await;
    let named = |ids: &[String]| json!({ "count": ids.len(), "ids": &ids[..ids.len().min(MAX_AUDITED)] });
    let state = meant.map(|(_, state, _)| state.as_str());
    let detail = match &done {
        Ok(done) => json!({
            "state": state, "done": named(&done.done), "gone": named(&done.gone),
            "skipped": named(&done.skipped),
        }),
        Err(OperationError::BrokenOff { done, source }) => {
            json!({ "state": state, "done": named(done), "error": source.chain() })
        }
        Err(error) => json!({ "state": state, "error": error.to_string() }),
    };
    let name = match action {
        QueueAction::Requeue => "queue.requeue",
        QueueAction::Remove => "queue.remove",
    };
    Ok(app.recorded(caller, Action::on(name, queue).with(detail), done).await?.into())
}

fn operations<'a>(app: &'a App, queue: &str) -> Result<&'a QueueOperations, Problem> {
    app.context.collectors.operations().ok_or_else(|| Problem::not_found("mapped queue", queue))
}

fn action(text: &str) -> Result<QueueAction, Problem> {
    [QueueAction::Requeue, QueueAction::Remove]
        .into_iter()
        .find(|action| action.as_str() == text)
        .ok_or_else(|| bad("`action` is `requeue` or `remove`."))
}

fn selection(tasks: Tasks) -> Result<TaskSelection, Problem> {
    let state = match tasks.state.as_deref() {
        None => QueueState::Processing,
        Some(text) => QueueState::ALL
            .iter()
            .copied()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| bad("`state` is `pending`, `processing`, `delayed` or `dead`."))?,
    };
    let older_than = tasks.older_than();
    Ok(TaskSelection { state, older_than, ids: tasks.ids, no_owner: tasks.no_owner, all: tasks.all })
}

fn bad(text: &'static str) -> Problem {
    Problem::new(Kind::BadParameter, text)
}
