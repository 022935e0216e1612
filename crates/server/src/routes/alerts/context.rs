//! What else there was when an alert began: log records, traces and jobs of what its labels name.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use model::{TimeRange, Timestamp};
use records::{Kind, Page, Search};
use search::Quoted;
use serde::Deserialize;
use state::AlertRecord;
use store::Order;
use utoipa::IntoParams;

use super::super::searching::{ask, limit};
use crate::context::Shared;
use crate::params::{Name, Params};
use crate::problem::{Problem, ProblemBody};
use crate::wire::alert_context::{AlertContext, AlertSubject, FailedJobs, LogsThen, TracesThen};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ContextParams {
    /// How many minutes before and after its beginning are looked at, 15 if left out, at most 1,440.
    minutes: Option<u32>,
    /// The most items of each kind, 20 if left out, at most 100.
    limit: Option<u32>,
}

/// Labels that name a service, a host, a queue. Of several the first counts.
const SERVICE: &[&str] = &["service", "service_name"];
const HOST: &[&str] = &["host", "host_name", "hostname"];
const QUEUE: &[&str] = &["queue"];

/// What there was around the beginning of an alert: warnings and errors in logs, traces with errors, jobs that failed,
/// of the service, host and queue that its labels name. Each comes with the query that finds the rest.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/context", tag = "alerts", params(("id" = String, Path), ContextParams),
    responses((status = 200, body = AlertContext), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
pub(super) async fn context(
    State(app): State<Shared>,
    Name(id): Name,
    Params(params): Params<ContextParams>,
) -> Result<Json<AlertContext>, Problem> {
    let minutes = limit("minutes", params.minutes, 15, 1_440)?;
    let most = limit("limit", params.limit, 20, 100)?;
    let detail = app.context.alerts.get(&id).await?.ok_or_else(|| Problem::not_found("alert", &id))?;
    let around = Duration::from_secs(minutes as u64 * 60);
    let subject = subject(&detail.alert);
    let range = around_start(&detail.alert, around);
    let searches = Searches::of(&subject, range)?;
    let found = ask(&app, move |store, cancel| {
        let page = Page { limit: most, order: Order::NewestFirst, after: None };
        let logs = records::logs(store, &searches.logs, &page, cancel)?;
        let mut traces = records::traces(store, &searches.traces, most + 1, cancel)?;
        let of_what = (subject.queue.as_deref(), subject.service.as_deref());
        let mut jobs = records::failed_jobs(store, range, of_what, most + 1, cancel)?;
        let more = (traces.len() > most, jobs.len() > most);
        traces.truncate(most);
        jobs.truncate(most);
        Ok(AlertContext {
            from: range.start,
            to: range.end,
            logs: LogsThen {
                q: searches.logs_text,
                items: logs.items.into_iter().map(Into::into).collect(),
                more: logs.next.is_some(),
            },
            traces: TracesThen {
                q: searches.traces_text,
                items: traces.into_iter().map(Into::into).collect(),
                more: more.0,
            },
            jobs: FailedJobs {
                sql: statement(&subject, range),
                items: jobs.into_iter().map(Into::into).collect(),
                more: more.1,
            },
            subject,
        })
    });
    Ok(Json(found.await?))
}

/// What the labels of an alert name.
fn subject(alert: &AlertRecord) -> AlertSubject {
    let named = |names: &[&str]| of_labels(&alert.labels, names);
    AlertSubject { service: named(SERVICE), host: named(HOST), queue: named(QUEUE) }
}

fn of_labels(labels: &BTreeMap<String, String>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| labels.get(*name)).filter(|value| !value.is_empty()).cloned()
}

/// The time around the beginning of an alert. What has not come yet is not looked for.
fn around_start(alert: &AlertRecord, around: Duration) -> TimeRange {
    let end = alert.active_at.after(around).min(Timestamp::now()).max(alert.active_at);
    TimeRange::new(alert.active_at.before(around), end)
}

/// What is looked for.
struct Searches {
    logs: Search,
    logs_text: String,
    traces: Search,
    traces_text: String,
}

impl Searches {
    fn of(subject: &AlertSubject, range: TimeRange) -> Result<Self, Problem> {
        let (mut logs_text, mut traces_text) = ("level>=warn".to_owned(), "status:error".to_owned());
        for (field, name) in [("service", &subject.service), ("host", &subject.host)] {
            if let Some(name) = name {
                let condition = format!(" {field}:{}", Quoted(name));
                logs_text.push_str(&condition);
                traces_text.push_str(&condition);
            }
        }
        // Records of logs do not say from which queue their job came.
        if let Some(queue) = &subject.queue {
            traces_text.push_str(&format!(" messaging.destination.name:{}", Quoted(queue)));
        }
        let now = Timestamp::now();
        Ok(Self {
            logs: Search::new(Kind::Logs, &logs_text, range, now)?,
            logs_text,
            traces: Search::new(Kind::Spans, &traces_text, range, now)?,
            traces_text,
        })
    }
}

/// The statement of SQL that lists all jobs that failed.
fn statement(subject: &AlertSubject, range: TimeRange) -> String {
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let (from, to) = (range.start.to_string(), range.end.to_string());
    let mut sql = format!(
        "SELECT time, job_id, queue, kind, worker_id, error_type, error_message, trace_id FROM job_events \
        WHERE action = 'job.failed' AND time >= {} AND time <= {}",
        text(&from),
        text(&to)
    );
    for (column, name) in [("queue", &subject.queue), ("service", &subject.service)] {
        if let Some(name) = name {
            sql.push_str(&format!(" AND {column} = {}", text(name)));
        }
    }
    sql + " ORDER BY time DESC"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(service: Option<&str>, host: Option<&str>, queue: Option<&str>) -> AlertSubject {
        let name = |name: Option<&str>| name.map(str::to_owned);
        AlertSubject { service: name(service), host: name(host), queue: name(queue) }
    }

    #[test]
    fn searches_name_what_the_labels_name_whatever_is_in_the_names() {
        let cases = [
            (named(None, None, None), "level>=warn", "status:error"),
            (
                named(Some("a \"b\""), None, Some("q OR 1")),
                "level>=warn service:\"a \\\"b\\\"\"",
                "status:error service:\"a \\\"b\\\"\" messaging.destination.name:\"q OR 1\"",
            ),
            (named(None, Some("h"), None), "level>=warn host:\"h\"", "status:error host:\"h\""),
        ];
        for (subject, logs, traces) in cases {
            let searches = Searches::of(&subject, TimeRange::ALL).expect("searches");
            assert_eq!((searches.logs_text.as_str(), searches.traces_text.as_str()), (logs, traces));
        }
    }

    #[test]
    fn a_name_stays_within_its_quotes_in_the_statement() {
        let sql = statement(&named(None, None, Some("it's")), TimeRange::ALL);
        assert!(sql.ends_with("AND queue = 'it''s' ORDER BY time DESC"), "{sql}");
    }

    #[test]
    fn the_first_label_that_names_something_counts() {
        let labels = [("hostname", "b"), ("host", "a"), ("queue", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(of_labels(&labels, HOST).as_deref(), Some("a"));
        assert_eq!((of_labels(&labels, QUEUE), of_labels(&labels, SERVICE)), (None, None));
    }
}
