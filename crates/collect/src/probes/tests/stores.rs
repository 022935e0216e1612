//! A real store that speaks like S3: without the bucket, with it, gone and back.

use serde_json::json;
use testkit::S3;

use super::stage::{Server, answer, watch};

#[tokio::test]
async fn a_bucket_is_seen_to_be_missing_there_gone_and_back() {
    let store = S3::start().await.unwrap();
    let settings = json!({
        "name": "papers", "url": store.url(), "bucket": "papers",
        "access_key_id": "AKIAEXAMPLE", "secret_access_key": "hunter2",
    });
    let mut signed = watch("s3", settings);
    let mut anonymous = watch("s3", json!({ "url": store.url(), "bucket": "papers" }));
    assert_eq!(signed.reason().await, "there is no bucket papers (status 404)");
    store.make_bucket("papers").await.unwrap();
    let seen = signed.look().await;
    assert_eq!(seen.error, None);
    assert_eq!(seen.value("probe_http_status_code", "s3"), Some(200.0));
    assert_eq!(seen.shown.target, format!("{}/papers", store.url()));
    assert_eq!(anonymous.look().await.error, None);
    let port = store.stop().await.unwrap();
    let down = signed.look().await;
    assert_eq!(down.shown.reason.as_deref(), Some("connection refused"));
    assert!(!down.told().contains("hunter2") && !down.told().contains("X-Amz"), "{}", down.told());
    let store = S3::start_on(port).await.unwrap();
    store.make_bucket("papers").await.unwrap();
    assert_eq!(signed.look().await.error, None);
}

#[tokio::test]
async fn a_key_is_signed_with_and_one_that_is_refused_is_told_so() {
    let store = Server::http(|_, stream| answer(stream, "403 Forbidden", "", "")).await;
    let keys = json!({
        "url": store.url(""), "bucket": "papers",
        "access_key_id": "AKIAEXAMPLE", "secret_access_key": "hunter2", "region": "eu-west-1",
    });
    let expected = "the key is not accepted, or may not see the bucket papers (status 403)";
    assert_eq!(watch("s3", keys).reason().await, expected);
    let head = store.heads.lock().join("");
    assert!(head.starts_with("HEAD /papers/?"), "{head}");
    for part in ["X-Amz-Signature=", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "AKIAEXAMPLE%2F", "eu-west-1%2Fs3"] {
        assert!(head.contains(part), "{part} is missing in {head}");
    }
    assert!(!head.contains("hunter2"), "{head}");
    let anonymous = json!({ "url": store.url(""), "bucket": "papers" });
    let expected = "nobody may see the bucket papers without a key (status 403)";
    assert_eq!(watch("s3", anonymous).reason().await, expected);
}
