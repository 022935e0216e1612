//! What the labels of an alert name.

use std::collections::BTreeMap;

use crate::wire::alert_context::AlertSubject;

/// Labels that name something. Of several the first counts.
const SERVICE: &[&str] = &["service", "service_name"];
const HOST: &[&str] = &["host", "host_name", "hostname"];
const QUEUE: &[&str] = &["queue"];
const WORKER: &[&str] = &["worker", "worker_id"];
const MODEL: &[&str] = &["model", "gen_ai_request_model"];
const BACKEND: &[&str] = &["backend"];
const KIND: &[&str] = &["kind", "task"];
const STAGE: &[&str] = &["stage"];
const JOB: &[&str] = &["job_id"];

/// Labels beside which `kind` is no kind of job: what is probed, and what the host is short of.
const OTHER_KINDS: &[&str] = &["probe", "resource"];

/// What they name.
pub(super) fn of(labels: &BTreeMap<String, String>) -> AlertSubject {
    let named = |names: &[&str]| of_labels(labels, names);
    let is_of_jobs = !OTHER_KINDS.iter().any(|name| labels.contains_key(*name));
    AlertSubject {
        service: named(SERVICE),
        host: named(HOST),
        queue: named(QUEUE),
        worker: named(WORKER),
        model: named(MODEL),
        backend: named(BACKEND),
        kind: named(KIND).filter(|_| is_of_jobs),
        stage: named(STAGE),
        job_id: named(JOB),
    }
}

fn of_labels(labels: &BTreeMap<String, String>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| labels.get(*name)).filter(|value| !value.is_empty()).cloned()
}

/// The host and the process that the id of a worker says, as `HOST:PID`.
pub(super) fn process_of(worker: &str) -> Option<(String, u64)> {
    let (host, pid) = worker.rsplit_once(':')?;
    Some((host, pid.parse().ok()?))
        .filter(|(host, _)| !host.is_empty())
        .map(|(host, pid)| (host.to_owned(), pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject_of(labels: &[(&str, &str)]) -> AlertSubject {
        of(&labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn the_first_label_that_names_something_counts() {
        let subject = subject_of(&[("hostname", "b"), ("host", "a"), ("queue", ""), ("worker_id", "w")]);
        assert_eq!((subject.host.as_deref(), subject.worker.as_deref()), (Some("a"), Some("w")));
        assert_eq!((subject.queue, subject.service), (None, None));
    }

    #[test]
    fn kinds_of_other_things_are_no_kinds_of_jobs() {
        assert_eq!(subject_of(&[("kind", "scan")]).kind.as_deref(), Some("scan"));
        assert_eq!(subject_of(&[("kind", "http"), ("probe", "api")]).kind, None);
    }

    #[test]
    fn the_id_of_a_worker_may_say_its_process() {
        assert_eq!(process_of("gpu-1:70"), Some(("gpu-1".to_owned(), 70)));
        for worker in ["gpu-1", "celery@gpu-1", ":7", "gpu-1:x"] {
            assert_eq!(process_of(worker), None, "{worker}");
        }
    }
}
