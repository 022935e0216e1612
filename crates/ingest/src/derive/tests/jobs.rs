//! Jobs and stages.

use super::*;

const OCR: &str = "docs.ocr";

#[test]
fn a_task_of_celery_is_a_job_that_was_submitted_started_and_completed() {
    let sent = apply_async(OCR, ("p", "r"), 0.0);
    let ran = run(OCR, ("c", "p"), (2.0, 12.0), "SUCCESS");
    let events = derive(&derivation(), &[ran, sent]);
    let jobs = jobs(&events);
    let told: Vec<(JobAction, Timestamp)> = jobs.iter().map(|job| (job.action, job.time)).collect();
    let expected =
        [(JobAction::Started, at(2.0)), (JobAction::Completed, at(12.0)), (JobAction::Submitted, at(0.0))];
    assert_eq!(told, expected);
    for job in &jobs {
        assert_eq!((job.job_id.as_str(), job.kind.as_deref()), ("task-1", Some(OCR)));
        assert_eq!((job.queue.as_deref(), job.trace_id.as_deref()), (Some("documents"), Some(TRACE)));
    }
    assert_eq!((jobs[0].worker_id.as_deref(), jobs[0].retry_count), (Some("w1"), Some(0)));
    assert_eq!((jobs[1].started_at, jobs[1].service.as_deref()), (Some(at(2.0)), Some("worker")));
    assert_eq!((jobs[2].submitted_at, jobs[2].service.as_deref()), (Some(at(0.0)), Some("gateway")));
    let ids: Vec<&str> = jobs.iter().map(|job| job.event_id.as_str()).collect();
    let id = |span: &str, what: &str| format!("{TRACE}{span}-{what}");
    assert_eq!(
        ids,
        [id("c-consumer", "started"), id("c-consumer", "completed"), id("p-producer", "submitted")]
    );
}

#[test]
fn a_task_that_is_tried_again_is_one_job_with_two_attempts() {
    let first = saying(
        run(OCR, ("c1", "p1"), (1.0, 2.0), "RETRY"),
        [("celery.retry.reason", "Retry in 1s: ConnectionError('no model')")],
    );
    let again = apply_async(OCR, ("p2", "c1"), 1.9);
    let second = failed(
        saying(run(OCR, ("c2", "p2"), (3.0, 4.0), "FAILURE"), [("celery.retries", "1")]),
        "billiard.exceptions.SoftTimeLimitExceeded",
        "SoftTimeLimitExceeded()",
    );
    let derivation = derivation();
    let mut events = derive(&derivation, &[apply_async(OCR, ("p1", ""), 0.0)]);
    events.extend(derive(&derivation, &[again, first]));
    events.extend(derive(&derivation, &[second]));
    let jobs = jobs(&events);
    let actions: Vec<JobAction> = jobs.iter().map(|job| job.action).collect();
    let expected =
        [JobAction::Submitted, JobAction::Started, JobAction::Retried, JobAction::Started, JobAction::Failed];
    assert_eq!(actions, expected, "that it submits itself again is no submission");
    assert!(jobs[2].error_message.as_ref().is_some_and(|reason| reason.contains("no model")));
    assert_eq!((jobs[2].retry_count, jobs[4].retry_count), (Some(0), Some(1)));
    assert_eq!(jobs[4].error_type.as_deref(), Some("billiard.exceptions.SoftTimeLimitExceeded"));
    assert_eq!(
        (jobs[4].error_message.as_deref(), jobs[4].timed_out),
        (Some("SoftTimeLimitExceeded()"), Some(true))
    );
}

#[test]
fn a_job_that_another_submits_names_it_as_its_parent() {
    let mut child = apply_async("docs.embed", ("p2", "c"), 3.0);
    child.conventions.messaging_message_id = Some("task-2".to_owned());
    let events = derive(&derivation(), &[child, run(OCR, ("c", "p"), (2.0, 12.0), "SUCCESS")]);
    let submitted = jobs(&events).into_iter().find(|job| job.action == JobAction::Submitted);
    let submitted = submitted.expect("the other was submitted");
    assert_eq!((submitted.job_id.as_str(), submitted.parent_id.as_deref()), ("task-2", Some("task-1")));
}

fn message(kind: SpanKind, id: &str, operation: &str) -> SpanEvent {
    let mut span = span(kind, (id, ""), operation, (0.0, 1.0));
    span.conventions = Conventions {
        messaging_system: Some("rabbitmq".to_owned()),
        messaging_destination: Some("pages".to_owned()),
        messaging_operation: Some(operation.to_owned()),
        messaging_message_id: Some("m1".to_owned()),
        ..Conventions::default()
    };
    span
}

#[test]
fn messages_are_jobs_by_what_is_done_with_them() {
    let actions = |span: SpanEvent| -> Vec<JobAction> {
        let events = derive(&derivation(), &[span]);
        jobs(&events).iter().map(|job| job.action).collect()
    };
    let ran = [JobAction::Started, JobAction::Completed];
    assert_eq!(actions(message(SpanKind::Producer, "a", "publish")), [JobAction::Submitted]);
    assert_eq!(actions(message(SpanKind::Client, "a", "send")), [JobAction::Submitted]);
    assert_eq!(actions(message(SpanKind::Consumer, "a", "process")), ran);
    let named =
        saying(message(SpanKind::Consumer, "a", "consume"), [("messaging.operation.type", "process")]);
    assert_eq!(actions(named), ran);
    assert_eq!(actions(message(SpanKind::Consumer, "a", "basic.deliver")), ran, "as its kind says");
    assert!(
        actions(message(SpanKind::Consumer, "a", "receive")).is_empty(),
        "that it was fetched is no work"
    );
    assert!(actions(message(SpanKind::Client, "a", "settle")).is_empty());
    let mut nameless = message(SpanKind::Consumer, "a", "process");
    nameless.conventions.messaging_message_id = None;
    assert!(actions(nameless).is_empty(), "nothing would find it again");
    let error = failed(message(SpanKind::Consumer, "a", "process"), "ValueError", "no page");
    assert_eq!(actions(error), [JobAction::Started, JobAction::Failed]);
}

fn step(id: &str, parent: &str, name: &str, times: (f64, f64)) -> SpanEvent {
    span(SpanKind::Internal, (id, parent), name, times)
}

#[test]
fn steps_directly_below_a_job_are_its_stages_and_no_others_are() {
    let spans = [
        step("s1", "c", "extract", (2.0, 5.0)),
        step("s2", "s1", "render", (2.0, 3.0)),
        span(SpanKind::Client, ("s3", "c"), "SELECT", (5.0, 5.5)),
        failed(step("s4", "c", "embed", (6.0, 8.5)), "ValueError", "too long"),
        step("s5", "elsewhere", "other", (6.0, 7.0)),
        run(OCR, ("c", "p"), (2.0, 12.0), "SUCCESS"),
    ];
    let events = derive(&derivation(), &spans);
    let stages = stages(&events);
    let told: Vec<(&str, Option<StageStatus>, Option<f64>)> =
        stages.iter().map(|stage| (stage.stage.as_str(), stage.status, stage.duration_seconds)).collect();
    let expected = [
        ("extract", Some(StageStatus::Completed), Some(3.0)),
        ("embed", Some(StageStatus::Failed), Some(2.5)),
    ];
    assert_eq!(told, expected);
    assert_eq!((stages[0].job_id.as_str(), stages[0].time), ("task-1", at(5.0)));
    assert_eq!(
        (stages[1].error_type.as_deref(), stages[1].error_message.as_deref()),
        (Some("ValueError"), Some("too long"))
    );
}

#[test]
fn steps_that_come_before_their_job_or_after_it_are_its_stages_too() {
    let derivation = derivation();
    let early = derive(&derivation, &[step("s1", "c", "extract", (2.0, 5.0))]);
    assert!(early.is_empty(), "{early:?}");
    let again = derive(&derivation, &[step("s1", "c", "extract", (2.0, 5.0))]);
    assert!(again.is_empty(), "{again:?}");
    let ran = [run(OCR, ("c", "p"), (2.0, 12.0), "SUCCESS")];
    let first = derive(&derivation, &ran);
    assert_eq!(stages(&first).len(), 1);
    assert_eq!(derive(&derivation, &ran), first, "asked again, it says the same");
    let late = derive(&derivation, &[step("s2", "c", "embed", (5.0, 6.0))]);
    assert_eq!(stages(&late).iter().map(|stage| stage.stage.as_str()).collect::<Vec<_>>(), ["embed"]);
}

/// As Celery's instrumentation writes that a task ran where it was called.
fn in_place(task: &str, (id, parent): (&str, &str), times: (f64, f64), state: &str) -> SpanEvent {
    let mut span = run(task, (id, parent), times, state);
    span.conventions.messaging_message_id = Some(format!("own-of-{id}"));
    span.conventions.messaging_destination = None;
    let how = "{'is_eager': True, 'exchange': None, 'routing_key': None, 'priority': None}";
    saying(span, [("celery.delivery_info", how), ("celery.hostname", "worker-host")])
}

#[test]
fn tasks_that_another_runs_in_place_are_its_stages_and_no_jobs() {
    let derivation = derivation();
    let early = [in_place("docs.extract", ("s1", "c"), (2.0, 5.0), "SUCCESS")];
    assert!(derive(&derivation, &early).is_empty());
    let spans = [
        failed(in_place("docs.embed", ("s2", "c"), (5.0, 6.5), "FAILURE"), "ValueError", "too long"),
        in_place("docs.tokens", ("s3", "s2"), (5.0, 6.0), "SUCCESS"),
        failed(run(OCR, ("c", "p"), (2.0, 12.0), "FAILURE"), "ValueError", "too long"),
    ];
    let events = derive(&derivation, &spans);
    let told: Vec<(JobAction, &str)> =
        jobs(&events).iter().map(|job| (job.action, job.job_id.as_str())).collect();
    assert_eq!(told, [(JobAction::Started, "task-1"), (JobAction::Failed, "task-1")]);
    let stages = stages(&events);
    let told: Vec<(&str, Option<StageStatus>, Option<f64>)> =
        stages.iter().map(|stage| (stage.stage.as_str(), stage.status, stage.duration_seconds)).collect();
    let expected = [
        ("extract", Some(StageStatus::Completed), Some(3.0)),
        ("embed", Some(StageStatus::Failed), Some(1.5)),
    ];
    assert_eq!(told, expected);
    assert!(stages.iter().all(|stage| stage.job_id == "task-1"));
    assert_eq!(stages[1].error_message.as_deref(), Some("too long"));
    let alone = derive(&derivation, &[in_place(OCR, ("s4", ""), (13.0, 14.0), "SUCCESS")]);
    assert_eq!(jobs(&alone).len(), 2, "within nothing, it is a job of its own");
}

#[test]
fn work_in_the_trace_of_a_job_shows_that_it_runs_before_its_own_span_comes() {
    let derivation = derivation();
    derive(&derivation, &[apply_async(OCR, ("p", ""), 0.0)]);
    let mut own = step("g", "unknown", "respond", (0.1, 0.2));
    own.origin = process("gateway", "g1");
    assert!(derive(&derivation, &[own]).is_empty(), "who submitted it does not work on it");
    let steps = [step("s1", "c", "extract", (2.0, 5.0)), step("s2", "c", "embed", (5.0, 6.0))];
    let events = derive(&derivation, &steps);
    let told: Vec<(JobAction, &str, Timestamp)> =
        jobs(&events).iter().map(|job| (job.action, job.job_id.as_str(), job.time)).collect();
    assert_eq!(told, [(JobAction::Progress, "task-1", at(6.0))]);
    let mut other = apply_async(OCR, ("p2", ""), 1.0);
    other.conventions.messaging_message_id = Some("task-2".to_owned());
    derive(&derivation, &[other]);
    let events = derive(&derivation, &[step("s3", "c", "store", (6.0, 7.0))]);
    assert!(events.is_empty(), "of two jobs nobody can tell which: {events:?}");
}

#[test]
fn what_comes_after_the_end_of_a_job_is_no_sign_of_work() {
    let derivation = derivation();
    derive(&derivation, &[apply_async(OCR, ("p", ""), 0.0), run(OCR, ("c", "p"), (2.0, 12.0), "SUCCESS")]);
    let events = derive(&derivation, &[step("s3", "s2", "render", (3.0, 4.0))]);
    assert!(events.is_empty(), "{events:?}");
}

#[test]
fn of_a_job_that_others_tell_of_nothing_is_derived() {
    let spans = [step("s1", "c", "extract", (2.0, 5.0)), run(OCR, ("c", "p"), (2.0, 12.0), "SUCCESS")];
    let told = JobEvent::new(at(1.0), "e".to_owned(), JobAction::Started, "task-1".to_owned());
    let derivation = derivation();
    derivation.hear(&[Event::Job(Box::new(told.clone()))]);
    assert!(derive(&derivation, &spans).is_empty());
    let restarted = super::derivation();
    restarted.recall(vec![Event::Job(Box::new(told))]);
    assert!(derive(&restarted, &spans).is_empty());
}

#[test]
fn after_a_restart_steps_and_derived_events_are_known_for_what_they_are() {
    let ran = run(OCR, ("c", "p"), (2.0, 12.0), "SUCCESS");
    let before = derive(&derivation(), &[ran]);
    let restarted = derivation();
    let stored = [before, vec![Event::Span(Box::new(step("s1", "c2", "extract", (13.0, 14.0))))]].concat();
    restarted.recall(stored);
    let events = derive(&restarted, &[run(OCR, ("c2", "p"), (12.5, 15.0), "SUCCESS")]);
    assert_eq!((jobs(&events).len(), stages(&events).len()), (2, 1), "{events:?}");
}

#[test]
fn services_can_be_left_out() {
    let settings = DeriveSettings {
        services: vec![DeriveService {
            service: "worker".to_owned(),
            jobs: Some(false),
            ..DeriveService::default()
        }],
        ..DeriveSettings::default()
    };
    let derivation = with(settings);
    let sent = derive(&derivation, &[apply_async(OCR, ("p", ""), 0.0)]);
    let ran = derive(&derivation, &[run(OCR, ("c", "p"), (2.0, 12.0), "SUCCESS")]);
    assert_eq!((sent.len(), ran.len()), (1, 0));
}

#[test]
fn spans_that_are_parts_of_each_other_do_no_harm() {
    let spans =
        [step("a", "b", "x", (0.0, 1.0)), step("b", "a", "y", (0.0, 1.0)), step("c", "c", "z", (0.0, 1.0))];
    assert!(derive(&derivation(), &spans).is_empty());
}

#[test]
fn names_that_are_too_long_are_cut_where_a_character_ends() {
    let long = "ä".repeat(400);
    let spans = [step("s", "c", &long, (2.0, 3.0)), run(&long, ("c", ""), (2.0, 4.0), "SUCCESS")];
    let events = derive(&derivation(), &spans);
    let stages = stages(&events);
    assert_eq!(stages[0].stage, "ä".repeat(256));
    let kind = jobs(&events)[0].kind.clone();
    assert!(kind.is_some_and(|kind| kind.len() <= 512));
}
