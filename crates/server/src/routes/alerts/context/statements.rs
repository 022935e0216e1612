//! The statements of SQL that list all jobs that failed, and all calls of models.

use model::TimeRange;
use records::{BEGUN_BEFORE, OfWhat, WorkersOf};

/// The jobs that failed.
pub(super) fn failed_jobs(of: &OfWhat, range: TimeRange) -> String {
    let mut sql = format!(
        "SELECT time, job_id, queue, kind, worker_id, error_type, error_message, trace_id FROM job_events \
        WHERE action = 'job.failed' AND {}",
        between(range)
    );
    narrow(&mut sql, of, range);
    if let Some(job) = &of.job {
        and(&mut sql, &equal("job_id", job.job_id()));
    }
    sql + " ORDER BY time DESC"
}

/// The calls of models.
pub(super) fn llm_calls(of: &OfWhat, range: TimeRange) -> String {
    let mut sql = format!(
        "SELECT time, model, backend, job_id, stage, worker_id, duration_seconds, error_message, trace_id \
        FROM llm_calls WHERE {}",
        between(range)
    );
    for (column, name) in [("model", &of.model), ("backend", &of.backend)] {
        if let Some(name) = name {
            and(&mut sql, &equal(column, name));
        }
    }
    narrow(&mut sql, of, range);
    if let Some(job) = &of.job {
        let ways: Vec<String> = std::iter::once(equal("job_id", job.job_id()))
            .chain(job.traces().iter().map(|trace| equal("trace_id", trace)))
            .collect();
        and(&mut sql, &format!("({})", ways.join(" OR ")));
    }
    sql + " ORDER BY time DESC"
}

/// What both have in common. What jobs and calls need not say themselves is what another event of the job says.
fn narrow(sql: &mut String, of: &OfWhat, range: TimeRange) {
    if let Some(service) = &of.service {
        and(sql, &equal("service", service));
    }
    let told = [
        ("job_events", of.queue.as_deref().map(|queue| equal("queue", queue))),
        ("job_events", of.kind.as_deref().map(|kind| equal("kind", kind))),
        ("job_events", of.workers.as_ref().map(by_workers)),
        ("stage_events", of.stage.as_deref().map(|stage| equal("stage", stage))),
    ];
    let since = between(TimeRange::new(range.start.before(BEGUN_BEFORE), range.end));
    for (table, said) in told {
        if let Some(said) = said {
            and(sql, &format!("job_id IN (SELECT job_id FROM {table} WHERE {said} AND {since})"));
        }
    }
}

fn by_workers(workers: &WorkersOf) -> String {
    let mut ways: Vec<String> = workers.ids().map(|worker| equal("worker_id", worker)).collect();
    if let Some(host) = workers.host() {
        ways.push(format!("worker_id LIKE {}", text(&format!("{host}:%"))));
        ways.push(format!("worker_id LIKE {}", text(&format!("%@{host}"))));
    }
    format!("({})", ways.join(" OR "))
}

fn between(range: TimeRange) -> String {
    format!("time >= {} AND time <= {}", text(&range.start.to_string()), text(&range.end.to_string()))
}

fn and(sql: &mut String, condition: &str) {
    sql.push_str(" AND ");
    sql.push_str(condition);
}

fn equal(column: &str, value: &str) -> String {
    format!("{column} = {}", text(value))
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_within_its_quotes_in_the_statement() {
        let of = OfWhat { queue: Some("it's".to_owned()), ..OfWhat::default() };
        let sql = failed_jobs(&of, TimeRange::ALL);
        assert!(
            sql.contains("AND job_id IN (SELECT job_id FROM job_events WHERE queue = 'it''s' AND "),
            "{sql}"
        );
        assert!(sql.ends_with(") ORDER BY time DESC"), "{sql}");
    }

    #[test]
    fn workers_of_a_host_are_those_that_are_known_and_those_whose_ids_say_so() {
        let workers = Some(WorkersOf::on("h", ["w".to_owned()]));
        let sql = llm_calls(&OfWhat { workers, ..OfWhat::default() }, TimeRange::ALL);
        let expected = "(worker_id = 'w' OR worker_id LIKE 'h:%' OR worker_id LIKE '%@h')";
        assert!(sql.contains(expected), "{sql}");
    }
}
