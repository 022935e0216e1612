//! Points of metrics, and the series that they become.

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Point;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
};
use serde_json::json;

use super::requests::{metrics, now_ns, pair, text};
use super::{PROTOBUF, assert_all_stored, send_json, send_protobuf};
use crate::stage::Stage;

fn point(time: u64, start: u64, value: f64) -> NumberDataPoint {
    NumberDataPoint {
        attributes: vec![pair("queue.name", text("ocr"))],
        time_unix_nano: time,
        start_time_unix_nano: start,
        value: Some(Point::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

fn metric(name: &str, unit: &str, data: Data) -> Metric {
    Metric { name: name.to_owned(), unit: unit.to_owned(), data: Some(data), ..Metric::default() }
}

fn counter(temporality: i32, data_points: Vec<NumberDataPoint>) -> Metric {
    let sum = Sum { data_points, aggregation_temporality: temporality, is_monotonic: true };
    metric("jobs.done", "{job}", Data::Sum(sum))
}

const SECOND: u64 = 1_000_000_000;
const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;

/// The values that a query finds, with their labels.
async fn query(stage: &Stage, query: &str) -> serde_json::Value {
    let query = crate::stage::encoded(&[("query", query)]);
    let answered = stage.get(&format!("/prometheus/api/v1/query?{query}")).await;
    assert_eq!(answered.body["status"], "success", "{answered:?}");
    answered.body["data"]["result"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_become_series_with_the_names_that_prometheus_gives_them() {
    let stage = Stage::with(|config| {
        config.otlp.promote_resource_attributes = vec!["host.name".to_owned()];
        config.otlp.scope_labels = true;
    })
    .await;
    let now = now_ns();
    let histogram = HistogramDataPoint {
        time_unix_nano: now,
        count: 3,
        sum: Some(1.5),
        explicit_bounds: vec![1.0],
        bucket_counts: vec![2, 1],
        ..HistogramDataPoint::default()
    };
    let histogram = Histogram { data_points: vec![histogram], aggregation_temporality: CUMULATIVE };
    let nothing = NumberDataPoint { value: None, ..point(now, 0, 0.0) };
    let request = metrics(vec![
        metric("queue.depth", "1", Data::Gauge(Gauge { data_points: vec![point(now, 0, 7.0), nothing] })),
        counter(CUMULATIVE, vec![point(now, now - 60 * SECOND, 5.0)]),
        metric("job.duration", "s", Data::Histogram(histogram)),
    ]);
    let reply = send_json(&stage, "/v1/metrics", &request).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let said: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(said["partialSuccess"]["rejectedDataPoints"], "1", "{said}");
    let found = query(&stage, "queue_depth_ratio").await;
    let labels = json!({ "__name__": "queue_depth_ratio", "job": "docs/ocr", "instance": "i-1", "host_name": "gpu-1",
        "queue_name": "ocr", "otel_scope_name": "lib", "otel_scope_version": "0.1", "otel_scope_s": "t" });
    assert_eq!((&found[0]["metric"], &found[0]["value"][1]), (&labels, &json!("7")));
    assert_eq!(query(&stage, "jobs_done_total").await[0]["value"][1], "5");
    assert_eq!(query(&stage, "job_duration_seconds_bucket{le=\"1\"}").await[0]["value"][1], "2");
    assert_eq!(query(&stage, "job_duration_seconds_count").await[0]["value"][1], "3");
    assert_eq!(query(&stage, "target_info").await[0]["metric"]["os_type"], "linux");
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_added_up_and_what_is_sent_again_is_not_added_twice() {
    let (stage, now) = (Stage::new().await, now_ns());
    let at = |ago: u64| now - ago * SECOND;
    let parts = [point(at(30), at(40), 2.0), point(at(20), at(30), 3.0), point(at(10), at(20), 4.0)];
    for part in &parts {
        let request = metrics(vec![counter(DELTA, vec![part.clone()])]);
        for _ in 0..2 {
            assert_all_stored(&send_protobuf(&stage, "/v1/metrics", &request).await, PROTOBUF);
        }
    }
    let whole = metrics(vec![counter(DELTA, parts.to_vec())]);
    assert_all_stored(&send_protobuf(&stage, "/v1/metrics", &whole).await, PROTOBUF);
    let found = query(&stage, "jobs_done_total[1m]").await;
    let values: Vec<&str> = found[0]["values"]
        .as_array()
        .expect("values")
        .iter()
        .map(|pair| pair[1].as_str().expect("text"))
        .collect();
    assert_eq!(values, ["2", "5", "9"]);
    let late = metrics(vec![counter(DELTA, vec![point(at(25), at(30), 1.0)])]);
    let reply = send_json(&stage, "/v1/metrics", &late).await;
    let said: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(said["partialSuccess"]["rejectedDataPoints"], "1", "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_can_be_kept_as_they_are_sent_and_resources_need_not_be_described() {
    let stage = Stage::with(|config| {
        config.otlp.names = server::OtlpNames::Utf8;
        config.otlp.target_info = false;
    })
    .await;
    let gauge = Gauge { data_points: vec![point(now_ns(), 0, 7.0)] };
    let request = metrics(vec![metric("queue.depth", "", Data::Gauge(gauge))]);
    assert_all_stored(&send_protobuf(&stage, "/v1/metrics", &request).await, PROTOBUF);
    assert_eq!(query(&stage, "{\"queue.depth\"}").await[0]["metric"]["queue.name"], "ocr");
    assert_eq!(query(&stage, "target_info").await, json!([]));
}
