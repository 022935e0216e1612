//! Answers of the Prometheus API packed by gzip, for those who take it.

use std::io::Read;

use reqwest::Method;

use crate::prometheus::large;
use crate::stage::{Stage, answer, encoded};

/// The answer to a query as it is sent plainly, and as it is once it is unpacked. Both are whole, or the test fails.
async fn both(stage: &Stage, path: &str, parameters: &[(&str, &str)]) -> [String; 2] {
    let path = format!("/prometheus/api/v1/{path}?{}", encoded(parameters));
    let plain = answer(stage.local(Method::GET, &path).header("Accept-Encoding", "identity")).await;
    assert_eq!((plain.status.as_u16(), plain.header("content-encoding")), (200, ""), "{plain:?}");
    let request = stage.local(Method::GET, &path).header("Accept-Encoding", "gzip");
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["content-type"], "application/json");
    let packed = response.bytes().await.expect("all of it");
    assert!(packed.len() < plain.text.len(), "{} and {} bytes", packed.len(), plain.text.len());
    let mut unpacked = String::new();
    let mut reader = flate2::read::GzDecoder::new(&packed[..]);
    reader.read_to_string(&mut unpacked).expect("a text, packed to its end");
    [plain.text, unpacked]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_answer_is_the_same_when_it_is_packed() {
    let stage = Stage::new().await;
    // What repeats is shorter when it is packed, however little it is.
    let name = "ocr-and-layout, ".repeat(20);
    let query = format!(r#"label_replace(vector(1), "queue", "{name}", "", "")"#);
    let [plain, unpacked] = both(&stage, "query", &[("query", &query), ("time", "1000000")]).await;
    assert_eq!(unpacked, plain);
    assert!(plain.contains(&name) && plain.len() < 1 << 10, "{plain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_is_the_same_when_it_is_packed_while_it_is_written() {
    let stage = Stage::new().await;
    let parameters = large(8);
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, &**value)).collect();
    let [plain, unpacked] = both(&stage, "query_range", &parameters).await;
    assert!(plain.len() > 1 << 20, "{} bytes are not sent in parts", plain.len());
    // Texts of a mebibyte are no help in a message.
    assert!(unpacked == plain, "{} bytes are {} when they are unpacked", plain.len(), unpacked.len());
}
