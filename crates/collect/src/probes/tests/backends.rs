//! Model backends: servers that speak the documented formats of Ollama and of OpenAI, since none of
//! the real ones can be installed for a test.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::collector::{CollectError, Collector};
use crate::probes::{OpenAiProbe, openai};
use crate::trust::Authorities;

use super::stage::{SHORT, Server, answer, hang, watch};

const TAGS: &str = r#"{"models":[
    {"name":"llama3:8b","model":"llama3:8b","size":4661224676,"digest":"365c","details":{"family":"llama"}},
    {"name":"nomic:latest","model":"nomic:latest","size":274302450,"digest":"0a10","details":{}}]}"#;
const PS: &str = r#"{"models":[{"name":"llama3:8b","model":"llama3:8b","size":6654289920,
    "size_vram":5000000000,"digest":"365c","details":{},"expires_at":"2026-06-04T14:38:31.83753-07:00"}]}"#;
const MODELS: &str = r#"{"object":"list","data":[{"id":"qwen3-30b","object":"model","owned_by":"vllm"}]}"#;

#[tokio::test]
async fn ollama_tells_its_models_and_what_they_hold_in_memory() {
    let server = Server::http(|line, stream| async move {
        let body = if line.contains("/api/ps") { PS } else { TAGS };
        answer(stream, "200 OK", "Content-Type: application/json\r\n", body).await
    })
    .await;
    let seen = watch("ollama", json!({ "name": "gpu", "url": server.url("/") })).look().await;
    assert_eq!(seen.error, None);
    assert_eq!(seen.value("llm_backend_models", "gpu"), Some(2.0));
    assert_eq!(seen.value("llm_backend_models_loaded", "gpu"), Some(1.0));
    assert_eq!(seen.value("llm_backend_model_vram_bytes", "llama3:8b"), Some(5_000_000_000.0));
    assert_eq!(seen.value("llm_backend_model_offloaded_bytes", "llama3:8b"), Some(1_654_289_920.0));
    let shown: Vec<_> = seen.shown.models.iter().map(|model| (model.name.as_str(), model.loaded)).collect();
    assert_eq!(shown, [("llama3:8b", Some(true)), ("nomic:latest", Some(false))]);
}

#[tokio::test]
async fn what_is_no_model_backend_is_told_apart() {
    let cases = [
        ("200 OK", "<html>", "the answer to /v1/models is not the JSON that it should be"),
        ("404 Not Found", "", "/v1/models was answered with status 404"),
        (
            "401 Unauthorized",
            "",
            "/v1/models was refused (status 401): the key is not accepted, or one is missing",
        ),
        (
            "503 Service Unavailable",
            "",
            "/v1/models was refused (status 503): it is overloaded, or not ready",
        ),
    ];
    for (status, body, expected) in cases {
        let server = Server::http(move |_, stream| answer(stream, status, "", body)).await;
        assert_eq!(watch("openai", json!({ "url": server.url("/v1") })).reason().await, expected);
    }
}

#[tokio::test]
async fn what_was_not_asked_for_and_is_something_else_is_left_alone() {
    let pipeline =
        pipeline::Pipeline::new(pipeline::Config::default(), &prometheus::Registry::new()).unwrap();
    let if_there = |url: String| {
        let probe: OpenAiProbe = serde_json::from_value(json!({ "url": url })).unwrap();
        openai::prober(&probe, &Authorities::default(), &pipeline).unwrap().if_there()
    };
    for (status, asked) in [("404 Not Found", 1), ("200 OK", 1), ("503 Service Unavailable", 3)] {
        let server = Server::http(move |_, stream| answer(stream, status, "", "<html>")).await;
        let mut probe = if_there(server.url(""));
        for _ in 0..3 {
            let absent = probe.collect(model::Timestamp::now()).await;
            assert!(matches!(absent, Err(CollectError::Absent(_))), "{absent:?}");
        }
        assert_eq!(server.heads.lock().len(), asked, "{status}");
    }
    // Where nobody listens, somebody may soon.
    let port = testkit::free_port().unwrap();
    let mut probe = if_there(format!("http://127.0.0.1:{port}"));
    assert!(probe.collect(model::Timestamp::now()).await.is_err());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let (absent, accepted) = tokio::join!(probe.collect(model::Timestamp::now()), async {
        let accepted = listener.accept().await.map(drop);
        drop(listener);
        accepted
    });
    assert!(absent.is_err() && accepted.is_ok(), "it is asked again");
}

/// A backend that serves one model, and answers completions with `events` and a pause before each.
async fn backend(events: Vec<String>, pause: Duration) -> Server {
    Server::http(move |line, stream| {
        let events = events.clone();
        async move {
            if line.contains("/v1/models") {
                return answer(stream, "200 OK", "", MODELS).await;
            }
            stream_events(stream, &events, pause).await
        }
    })
    .await
}

async fn stream_events(mut stream: TcpStream, events: &[String], pause: Duration) -> std::io::Result<()> {
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        .await?;
    for event in events {
        // The pause is what the server does, not what the test waits for.
        tokio::time::sleep(pause).await;
        stream.write_all(format!("data: {event}\n\n").as_bytes()).await?;
    }
    stream.shutdown().await
}

fn says(text: &str) -> String {
    json!({ "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": { "content": text } }] })
        .to_string()
}

fn ends(tokens: u64) -> Vec<String> {
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 9, "completion_tokens": tokens } });
    vec![usage.to_string(), "[DONE]".to_owned()]
}

#[tokio::test]
async fn a_small_completion_tells_the_first_token_and_the_speed() {
    let pause = Duration::from_millis(20);
    let mut events = vec![r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#.to_owned()];
    events.extend(["one", " two", " three"].map(says));
    events.extend(ends(6));
    let server = backend(events, pause).await;
    let settings =
        json!({ "name": "vllm", "url": server.url("/v1/"), "api_key": "hunter2", "completion": {} });
    let mut probe = watch("openai", settings);
    let seen = probe.look().await;
    assert_eq!(seen.error, None);
    // The first piece says nothing, so the first token comes after two pauses; never sooner.
    assert!(
        seen.value("llm_backend_time_to_first_token_seconds", "vllm") >= Some(0.04),
        "{:?}",
        seen.samples
    );
    // Five tokens after the first, in two pauses; a busy machine sees the first one late, and the pauses shorter.
    let speed = seen.value("llm_backend_tokens_per_second", "vllm").unwrap();
    assert!(speed > 0.0 && speed <= 5.0 / 0.01, "{speed}");
    assert_eq!(seen.value("llm_backend_completions_total", "vllm"), Some(1.0));
    assert!(!seen.told().contains("hunter2"), "{}", seen.told());
    let asked = server.heads.lock().join("");
    assert!(asked.contains("POST /v1/chat/completions ") && asked.contains("Bearer hunter2"), "{asked}");
    // Not due again: what was measured is told again, and nothing is asked.
    let again = probe.look().await;
    assert_eq!(again.value("llm_backend_completions_total", "vllm"), Some(1.0));
    assert_eq!(
        again.value("llm_backend_tokens_per_second", "vllm"),
        seen.value("llm_backend_tokens_per_second", "vllm")
    );
}

#[tokio::test]
async fn a_backend_that_answers_badly_is_down_though_it_lists_its_models() {
    let flood = vec![says(&"x".repeat(300_000)); 5];
    let cases = [
        (
            vec![says(""), says("  \n")].into_iter().chain(ends(0)).collect(),
            "the completion was empty: the model says nothing",
        ),
        (
            vec![r#"{"error":{"message":"engine is dead hunter2"}}"#.to_owned()],
            "the completion failed: the backend reports an error in its answer",
        ),
        (vec!["{broken".to_owned()], "the completion failed: the answer is not the JSON that it should be"),
        (flood, "the completion failed: the answer is too large: stopped after 1 MiB"),
    ];
    for (events, expected) in cases {
        let server = backend(events, Duration::ZERO).await;
        let settings = json!({ "name": "vllm", "url": server.url(""), "completion": { "timeout": "60s" } });
        let mut probe = watch("openai", settings);
        let seen = probe.look().await;
        assert_eq!(seen.shown.reason.as_deref(), Some(expected));
        assert_eq!(seen.value("llm_backend_models", "vllm"), Some(1.0), "what was seen before stays");
        let empty = f64::from(u8::from(expected.contains("empty")));
        assert_eq!(seen.value("llm_backend_empty_answers_total", "vllm"), Some(empty));
        // A failure is not waited out: the next look asks again.
        let again = probe.look().await;
        assert_eq!(again.value("llm_backend_completions_total", "vllm"), Some(2.0));
        assert!(!again.told().contains("hunter2"), "{}", again.told());
    }
}

#[tokio::test]
async fn a_completion_that_does_not_end_is_given_up_and_counted() {
    let server = Server::http(|line, stream| async move {
        if line.contains("/v1/models") {
            answer(stream, "200 OK", "", MODELS).await
        } else {
            hang(stream).await
        }
    })
    .await;
    let timeout = format!("{}ms", SHORT.as_millis());
    let settings = json!({ "name": "vllm", "url": server.url(""), "completion": { "timeout": timeout } });
    let seen = watch("openai", settings).look().await;
    assert_eq!(seen.shown.reason.as_deref(), Some("the completion was not done within 0.3 s"));
    assert_eq!(seen.value("llm_backend_completions_failed_total", "vllm"), Some(1.0));
}

#[tokio::test]
async fn an_answer_in_one_piece_counts_as_well() {
    let whole = r#"{"choices":[{"message":{"role":"assistant","content":"one two"}}],"usage":{"completion_tokens":2}}"#;
    let server = Server::http(move |line, stream| async move {
        let body = if line.contains("/v1/models") { MODELS } else { whole };
        answer(stream, "200 OK", "Content-Type: application/json\r\n", body).await
    })
    .await;
    let seen = watch("openai", json!({ "name": "x", "url": server.url(""), "completion": {} })).look().await;
    assert_eq!(seen.error, None);
    assert!(seen.value("llm_backend_tokens_per_second", "x") > Some(0.0), "{:?}", seen.samples);
}
