//! Calls of models, and requests.

use super::*;

fn chat(id: &str, parent: &str, times: (f64, f64)) -> SpanEvent {
    let mut span = span(SpanKind::Client, (id, parent), "chat qwen3", times);
    span.conventions = Conventions {
        gen_ai_operation: Some("chat".to_owned()),
        gen_ai_provider: Some("openai".to_owned()),
        gen_ai_request_model: Some("qwen3".to_owned()),
        gen_ai_response_model: Some("qwen3-30b-2507".to_owned()),
        gen_ai_input_tokens: Some(1800),
        gen_ai_output_tokens: Some(220),
        gen_ai_finish_reason: Some("stop".to_owned()),
        ..Conventions::default()
    };
    let attributes = [
        ("server.address", "10.0.0.7"),
        ("server.port", "8000"),
        ("gen_ai.usage.cache_read.input_tokens", "1024"),
        ("gen_ai.response.time_to_first_chunk", "0.42"),
    ];
    saying(span, attributes)
}

#[test]
fn a_call_of_a_model_is_told_with_its_model_tokens_and_end() {
    let events = derive(&derivation(), &[chat("a", "", (1.0, 3.5))]);
    let [call] = calls(&events)[..] else { panic!("one call: {events:?}") };
    assert_eq!((call.model.as_str(), call.operation.as_deref()), ("qwen3", Some("chat")));
    assert_eq!((call.provider.as_deref(), call.backend.as_deref()), (Some("openai"), Some("10.0.0.7:8000")));
    assert_eq!((call.time, call.duration_seconds), (at(3.5), 2.5));
    assert_eq!(
        (call.input_tokens, call.output_tokens, call.cached_tokens),
        (Some(1800), Some(220), Some(1024))
    );
    assert_eq!((call.time_to_first_token_seconds, call.finish_reason.as_deref()), (Some(0.42), Some("stop")));
    assert_eq!((call.trace_id.as_deref(), call.job_id.as_deref()), (Some(TRACE), None));
    assert_eq!(call.attributes.get("gen_ai.response.model").map(String::as_str), Some("qwen3-30b-2507"));
    assert_eq!(call.error_message, None);
    let failed = failed(chat("a", "", (1.0, 3.5)), "openai.RateLimitError", "429");
    let events = derive(&derivation(), &[failed]);
    assert_eq!(calls(&events)[0].error_message.as_deref(), Some("429"));
}

#[test]
fn tools_agents_and_the_side_that_serves_are_no_calls_and_one_in_another_counts_once() {
    for operation in ["execute_tool", "invoke_agent", "create_agent", "retrieval"] {
        let mut span = chat("a", "", (0.0, 1.0));
        span.conventions.gen_ai_operation = Some(operation.to_owned());
        assert!(derive(&derivation(), &[span]).is_empty(), "{operation}");
    }
    let serving = SpanEvent { kind: SpanKind::Server, ..chat("a", "", (0.0, 1.0)) };
    assert!(derive(&derivation(), &[serving]).is_empty());
    let events = derive(&derivation(), &[chat("b", "a", (0.1, 0.9)), chat("a", "", (0.0, 1.0))]);
    assert_eq!(calls(&events).iter().map(|call| call.duration_seconds).collect::<Vec<_>>(), [1.0]);
}

#[test]
fn a_call_is_linked_to_its_job_by_what_it_says_or_by_the_spans_above_it_or_by_its_trace() {
    let derivation = derivation();
    let job_and_stage = |events: &[Event]| -> (Option<String>, Option<String>) {
        let call = calls(events)[0];
        (call.job_id.clone(), call.stage.clone())
    };
    let known = |job: &str| Some(job.to_owned());
    let mut said = chat("a", "unknown", (3.0, 4.0));
    said.conventions.job_id = known("j7");
    said.conventions.stage = known("insight");
    assert_eq!(job_and_stage(&derive(&derivation, &[said])), (known("j7"), known("insight")));
    assert_eq!(job_and_stage(&derive(&derivation, &[chat("a", "unknown", (3.0, 4.0))])), (None, None));

    derive(&derivation, &[apply_async("docs.ocr", ("p", ""), 0.0)]);
    let by_trace = derive(&derivation, &[chat("a", "unknown", (3.0, 4.0))]);
    assert_eq!(job_and_stage(&by_trace), (known("task-1"), None));
    let mut submitter = chat("a", "unknown", (3.0, 4.0));
    submitter.origin = process("gateway", "g1");
    assert_eq!(job_and_stage(&derive(&derivation, &[submitter])), (None, None));

    let whole = [
        chat("a", "s2", (3.0, 4.0)),
        span(SpanKind::Internal, ("s2", "s1"), "prompt", (2.5, 4.5)),
        span(SpanKind::Internal, ("s1", "c"), "summary", (2.0, 5.0)),
        run("docs.ocr", ("c", "p"), (2.0, 12.0), "SUCCESS"),
    ];
    assert_eq!(job_and_stage(&derive(&derivation, &whole)), (known("task-1"), known("summary")));
    let direct = derive(&derivation, &[chat("b", "c", (6.0, 7.0))]);
    assert_eq!(job_and_stage(&direct), (known("task-1"), None), "below a job that came before");
}

fn get(status: Option<u64>) -> SpanEvent {
    let mut span = span(SpanKind::Server, ("a", ""), "GET /documents/{id}", (1.0, 1.25));
    span.conventions = Conventions {
        http_method: Some("GET".to_owned()),
        http_route: Some("/documents/{id}".to_owned()),
        url_path: Some("/documents/7".to_owned()),
        http_status_code: status,
        user_id: Some("ann".to_owned()),
        ..Conventions::default()
    };
    saying(span, [("client.address", "10.0.0.9"), ("http.response.body.size", "2048")])
}

#[test]
fn a_request_that_was_answered_is_told() {
    let events = derive(&derivation(), &[get(Some(404))]);
    let [request] = requests(&events)[..] else { panic!("one request: {events:?}") };
    assert_eq!((request.path.as_str(), request.route.as_deref()), ("/documents/7", Some("/documents/{id}")));
    assert_eq!((request.method.as_str(), request.status_code), ("GET", 404));
    assert_eq!((request.time, request.duration_seconds), (at(1.25), 0.25));
    assert_eq!((request.trace_id.as_deref(), request.user_id.as_deref()), (Some(TRACE), Some("ann")));
    assert_eq!((request.response_bytes, request.client_ip.as_deref()), (Some(2048), None));
    let open = with(DeriveSettings { client_addresses: true, ..DeriveSettings::default() });
    assert_eq!(requests(&derive(&open, &[get(Some(200))]))[0].client_ip.as_deref(), Some("10.0.0.9"));
}

#[test]
fn a_request_without_an_answer_is_none_unless_it_failed_and_one_that_is_made_is_none() {
    assert!(derive(&derivation(), &[get(None)]).is_empty());
    let events = derive(&derivation(), &[failed(get(None), "KeyError", "'page'")]);
    let request = requests(&events)[0];
    assert_eq!((request.status_code, request.error_message.as_deref()), (500, Some("'page'")));
    let made = SpanEvent { kind: SpanKind::Client, ..get(Some(200)) };
    assert!(derive(&derivation(), &[made]).is_empty());
}
