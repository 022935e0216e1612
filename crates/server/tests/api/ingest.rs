//! Events and samples on their way in.

use model::{ByteSize, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Stage, answer};

/// `[{"type": "job.completed", "event_id": "gz", "job_id": "zipped"}]`, gzipped.
const ZIPPED: &str = "1f8b08000000000002038bae562aa92c4855b25250caca4fd24bcecf2dc8492d494d51d251504a2d4bcd2b89cf4c0149a6578144804aa0fcaacc8202a0aada58003378e68241000000";

/// 200 000 spaces, gzipped: 230 bytes.
fn bomb() -> Vec<u8> {
    let mut bytes = unhex("1f8b0800000000000203edc13101000000c2a02aeb9fd20cfe400100");
    bytes.resize(bytes.len() + 192, 0);
    bytes.extend(unhex("af0131616210400d0300"));
    bytes
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

type Headers<'a> = &'a [(&'a str, &'a str)];

async fn send(stage: &Stage, body: &[u8], headers: Headers<'_>) -> crate::stage::Answer {
    let mut request = stage.request(Method::POST, "/api/v1/events").body(body.to_vec());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_accepted_or_rejected_by_itself() {
    let stage = Stage::new().await;
    let far = Timestamp::now().after(std::time::Duration::from_secs(3600)).to_string();
    let events = json!([
        { "type": "job.submitted", "event_id": "a", "job_id": "j1", "queue": "q" },
        { "type": "job.exploded", "event_id": "b", "job_id": "j2" },
        { "type": "job.completed", "event_id": "c", "job_id": "j3", "time": far },
        { "type": "job.completed", "event_id": "d", "job_id": "j4" },
    ]);
    let answered = stage.post("/api/v1/events", &events).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(
        (answered.body["accepted"].as_u64(), answered.body["duplicates"].as_u64()),
        (Some(2), Some(0))
    );
    let places: Vec<&Value> =
        answered.body["rejected"].as_array().expect("a list").iter().map(|r| &r["index"]).collect();
    assert_eq!(places, [1, 2]);
    let again = stage.post("/api/v1/events", &events).await;
    assert_eq!((again.body["accepted"].as_u64(), again.body["duplicates"].as_u64()), (Some(0), Some(2)));
    let job = stage.get("/api/v1/jobs/j4").await;
    assert_eq!(job.body["status"], "completed", "{job:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_forms_of_a_body_are_taken() {
    let stage = Stage::new().await;
    let lines = b"{\"type\":\"job.started\",\"event_id\":\"1\",\"job_id\":\"a\"}\n\n{\"type\":\"job.started\",\"event_id\":\"2\",\"job_id\":\"b\"}\n";
    let packed =
        zstd::bulk::compress(br#"[{"type":"job.started","event_id":"4","job_id":"d"}]"#, 1).expect("packed");
    let cases: [(&[u8], Headers<'_>, u64); 5] = [
        (lines, &[("Content-Type", "application/x-ndjson")], 2),
        (
            br#"[{"type":"job.started","event_id":"3","job_id":"c"}]"#,
            &[("Content-Type", "application/json")],
            1,
        ),
        (&unhex(ZIPPED), &[("Content-Encoding", "gzip")], 1),
        (&packed, &[("Content-Encoding", "zstd")], 1),
        (b"[]", &[], 0),
    ];
    for (body, headers, accepted) in cases {
        let answered = send(&stage, body, headers).await;
        assert_eq!(
            (answered.status.as_u16(), answered.body["accepted"].as_u64()),
            (200, Some(accepted)),
            "{answered:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cannot_be_read_are_problems() {
    let stage = Stage::with(|config| config.max_decompressed_body = ByteSize(64 << 10)).await;
    let cases: [(&[u8], Headers<'_>, u16); 6] = [
        (b"", &[], 400),
        (b"[{", &[], 400),
        (b"\xff\xfe", &[], 400),
        (b"not gzip at all", &[("Content-Encoding", "gzip")], 400),
        (b"[]", &[("Content-Encoding", "br")], 415),
        (&bomb(), &[("Content-Encoding", "gzip")], 413),
    ];
    for (body, headers, status) in cases {
        send(&stage, body, headers).await.problem(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_taken_by_remote_write() {
    let stage = Stage::new().await;
    let now = Timestamp::now().as_millis();
    let good = testkit::remote_write(&[(&[("__name__", "up"), ("job", "a")], &[(now, 1.0)])]);
    let write_as = |body: Vec<u8>, content_type: &str| {
        let request = stage.request(Method::POST, "/prometheus/api/v1/write").body(body);
        request.header("Content-Encoding", "snappy").header("Content-Type", content_type)
    };
    let write = |body| write_as(body, "application/x-protobuf");
    assert_eq!(answer(write(good.clone())).await.status, 204);
    let nameless = testkit::remote_write(&[
        (&[("__name__", "fine")], &[(now, 1.0)]),
        (&[("__name__", "with space"), ("b", "1"), ("b", "2")], &[(now, 1.0)]),
    ]);
    let refused = answer(write(nameless)).await;
    let said = refused.problem(400);
    assert!(said.contains("Nothing was stored") && said.contains("`b` is given twice"), "{said}");
    answer(write(b"nonsense".to_vec())).await.problem(400);
    for wrong in ["application/json", "application/x-protobuf;proto=io.prometheus.write.v3.Request"] {
        assert!(
            answer(write_as(good.clone(), wrong))
                .await
                .problem(415)
                .contains("io.prometheus.write.v2.Request")
        );
    }
    let names = stage.get("/prometheus/api/v1/label/__name__/values").await;
    assert_eq!(names.body["data"], json!(["up"]), "nothing of the refused is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_of_events_is_published() {
    let stage = Stage::new().await;
    let schema = stage.get("/api/v1/events/schema").await;
    assert_eq!(schema.header("content-type"), "application/schema+json");
    assert!(schema.text.contains("job.completed"), "{}", schema.text);
}
