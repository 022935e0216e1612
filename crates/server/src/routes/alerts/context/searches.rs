//! The searches of logs and of traces for what the labels of an alert name.

use model::{TimeRange, Timestamp};
use records::{Kind, OfJob, Search};
use search::Quoted;

use crate::problem::Problem;
use crate::wire::alert_context::AlertSubject;

/// What is looked for.
pub(super) struct Searches {
    pub(super) logs: Search,
    pub(super) logs_text: String,
    pub(super) traces: Search,
    pub(super) traces_text: String,
}

impl Searches {
    /// Of a subject; of its job with its traces, and of its worker as a process, if these are known.
    pub(super) fn of(
        subject: &AlertSubject,
        job: Option<&OfJob>,
        process: Option<&(String, u64)>,
        range: TimeRange,
    ) -> Result<Self, Problem> {
        let (mut logs, mut traces) = (vec!["level>=warn".to_owned()], vec!["status:error".to_owned()]);
        let mut both = |condition: String| {
            logs.push(condition.clone());
            traces.push(condition);
        };
        for (field, name) in [("service", &subject.service), ("host", &subject.host)] {
            if let Some(name) = name {
                both(format!("{field}:{}", Quoted(name)));
            }
        }
        if let Some(worker) = &subject.worker {
            both(of_worker(worker, process));
        }
        if let Some(job) = job {
            both(job.query());
        }
        // Records of logs do not say from which queue their job came, in which stage they were written, or for which
        // model.
        if let Some(queue) = &subject.queue {
            traces.push(format!("messaging.destination.name:{}", Quoted(queue)));
        }
        if let Some(stage) = &subject.stage {
            traces.push(format!("(stage:{0} OR name={0})", Quoted(stage)));
        }
        if let Some(model) = &subject.model {
            traces.push(format!("(gen_ai.request.model:{0} OR gen_ai.response.model:{0})", Quoted(model)));
        }
        let (logs_text, traces_text, now) = (logs.join(" "), traces.join(" "), Timestamp::now());
        Ok(Self {
            logs: Search::new(Kind::Logs, &logs_text, range, now)?,
            logs_text,
            traces: Search::new(Kind::Spans, &traces_text, range, now)?,
            traces_text,
        })
    }
}

/// Few records name their worker; most name its process, by one way or another.
fn of_worker(worker: &str, process: Option<&(String, u64)>) -> String {
    let worker = Quoted(worker);
    let mut ways = format!("worker_id:{worker} OR service.instance.id:{worker}");
    if let Some((host, pid)) = process {
        ways.push_str(&format!(" OR (host:{} process.pid:{pid})", Quoted(host)));
    }
    format!("({ways})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(
        subject: &AlertSubject,
        job: Option<&OfJob>,
        process: Option<&(String, u64)>,
    ) -> (String, String) {
        let searches = Searches::of(subject, job, process, TimeRange::ALL).expect("searches");
        (searches.logs_text, searches.traces_text)
    }

    #[test]
    fn searches_name_what_the_labels_name_whatever_is_in_the_names() {
        let some = |name: &str| Some(name.to_owned());
        let cases = [
            (AlertSubject::default(), "level>=warn", "status:error"),
            (
                AlertSubject { service: some("a \"b\""), queue: some("q OR 1"), ..AlertSubject::default() },
                "level>=warn service:\"a \\\"b\\\"\"",
                "status:error service:\"a \\\"b\\\"\" messaging.destination.name:\"q OR 1\"",
            ),
            (
                AlertSubject { host: some("h"), ..AlertSubject::default() },
                "level>=warn host:\"h\"",
                "status:error host:\"h\"",
            ),
            (
                AlertSubject { stage: some("ocr"), model: some("m"), ..AlertSubject::default() },
                "level>=warn",
                "status:error (stage:\"ocr\" OR name=\"ocr\") \
                    (gen_ai.request.model:\"m\" OR gen_ai.response.model:\"m\")",
            ),
        ];
        for (subject, logs, traces) in cases {
            assert_eq!(texts(&subject, None, None), (logs.to_owned(), traces.to_owned()));
        }
    }

    #[test]
    fn a_worker_is_found_by_its_process_and_a_job_by_its_traces() {
        let worker = AlertSubject { worker: Some("h:7".to_owned()), ..AlertSubject::default() };
        let (logs, _) = texts(&worker, None, Some(&("h".to_owned(), 7)));
        let of_worker = "(worker_id:\"h:7\" OR service.instance.id:\"h:7\" OR (host:\"h\" process.pid:7))";
        assert_eq!(logs, format!("level>=warn {of_worker}"));
        let job = OfJob::new("j", Some("AB"), TimeRange::ALL);
        let (_, traces) = texts(&AlertSubject::default(), Some(&job), None);
        assert_eq!(traces, "status:error (job_id:\"j\" OR trace_id:ab)");
    }
}
