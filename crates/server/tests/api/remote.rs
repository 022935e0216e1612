//! Remote write of both versions, what comes with samples, remote read and federation, as other Prometheus speak.

use model::{Histogram, Labels, MetricBatch, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::protobuf::{Field, Message, fields, unsnappy};

use crate::stage::{Answer, Stage, answer};

const SECOND: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

async fn write(stage: &Stage, content_type: &str, body: Vec<u8>) -> Answer {
    let request = stage.request(Method::POST, "/prometheus/api/v1/write").body(body);
    answer(request.header("Content-Encoding", "snappy").header("Content-Type", content_type)).await
}

/// `(samples, histograms, exemplars)` that headers say were written.
fn written(answer: &Answer) -> (&str, &str, &str) {
    let of = |what| answer.header(&format!("X-Prometheus-Remote-Write-{what}-Written"));
    (of("Samples"), of("Histograms"), of("Exemplars"))
}

async fn data(stage: &Stage, path: &str) -> serde_json::Value {
    let answered = stage.get(&format!("/prometheus/api/v1/{path}")).await;
    assert_eq!(answered.body["status"], "success", "{answered:?}");
    answered.body["data"].clone()
}

fn now_ms() -> u64 {
    Timestamp::now().as_millis().unsigned_abs()
}

fn sample(value: f64, time_ms: u64) -> Message {
    Message::new().double(1, value).number(2, time_ms)
}

fn histogram(count: u64, time_ms: u64) -> Message {
    let span = Message::new().number(1, 2).number(2, 1);
    // One positive bucket with all of them; schema 3, which is 6 in zigzag.
    let counted = Message::new().number(1, count).double(3, 2.5).number(4, 6).number(6, 0);
    counted.message(11, &span).numbers(12, &[count * 2]).number(15, time_ms)
}

const SYMBOLS: [&str; 10] =
    ["", "__name__", "requests_total", "job", "api", "latency", "trace_id", "t1", "How many.", "requests"];

/// A request of the second version: symbols, and series with them.
fn second(series: &[Message]) -> Vec<u8> {
    let symbols = SYMBOLS.iter().fold(Message::new(), |message, symbol| message.text(4, symbol));
    series.iter().fold(symbols, |message, series| message.message(5, series)).snappy()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_version_is_taken_whole_and_headers_count_it() {
    let (stage, now) = (Stage::new().await, now_ms());
    let exemplar = Message::new().numbers(1, &[6, 7]).double(2, 0.5).number(3, now - 5);
    let said = Message::new().number(1, 1).number(3, 8).number(4, 9);
    let counter = Message::new()
        .numbers(1, &[1, 2, 3, 4])
        .message(2, &sample(1.0, now - 1000))
        .message(2, &sample(2.0, now))
        .message(4, &exemplar)
        .message(5, &said);
    let latency = Message::new().numbers(1, &[1, 5]).message(3, &histogram(4, now));
    let body = second(&[counter, latency]);
    for _ in 0..2 {
        // Sent again, all of it is there already, which is as good.
        let answered = write(&stage, SECOND, body.clone()).await;
        assert_eq!((answered.status.as_u16(), written(&answered)), (204, ("2", "1", "1")), "{answered:?}");
    }
    let found = data(&stage, "query?query=requests_total%5B1m%5D").await;
    assert_eq!(found["result"][0]["values"].as_array().map(Vec::len), Some(2), "{found}");
    assert_eq!(data(&stage, "label/__name__/values").await, json!(["latency", "requests_total"]));
    let said = json!([{ "type": "counter", "help": "How many.", "unit": "requests" }]);
    assert_eq!(data(&stage, "metadata").await, json!({ "requests_total": said }));
    assert_eq!(data(&stage, "metadata?metric=nothing").await, json!({}));
    let exemplars =
        data(&stage, "query_exemplars?query=rate(requests_total%7Bjob=%22api%22%7D%5B5m%5D)").await;
    let expected = json!([{
        "seriesLabels": { "__name__": "requests_total", "job": "api" },
        "exemplars": [{ "labels": { "trace_id": "t1" }, "value": "0.5", "timestamp": (now - 5) as f64 / 1000.0 }],
    }]);
    assert_eq!(exemplars, expected);
    assert_eq!(data(&stage, "query_exemplars?query=other").await, json!([]));
    assert_eq!(data(&stage, "query_exemplars?query=requests_total&start=1&end=2").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_between_two_samples_is_seen_where_the_second_version_tells_since_when_they_count() {
    let (stage, now) = (Stage::new().await, now_ms());
    // A process that has done more since its restart than before.
    let samples = [(1.0, 180, 600), (4.0, 120, 600), (9.0, 60, 90), (16.0, 0, 90)];
    let series = |tells: bool| {
        let labels = Message::new().numbers(1, if tells { &[1, 2, 3, 4] } else { &[1, 2] });
        samples.iter().fold(labels, |series, (value, ago, started_ago)| {
            let sample = sample(*value, now - ago * 1000);
            let start = now - started_ago * 1000;
            series.message(2, &if tells { sample.number(3, start) } else { sample })
        })
    };
    let of_series = Message::new().numbers(1, &[1, 5]).message(3, &histogram(4, now)).number(6, now - 5000);
    let answered = write(&stage, SECOND, second(&[series(true), series(false), of_series])).await;
    assert_eq!(answered.status.as_u16(), 204, "{answered:?}");
    let value = async |query: &str| {
        let found = data(&stage, &format!("query?time={}&query={query}", now as f64 / 1000.0)).await;
        found["result"][0]["value"][1].as_str().map(str::to_owned)
    };
    assert_eq!(value("resets(requests_total%7Bjob=%22api%22%7D%5B5m%5D)").await.as_deref(), Some("1"));
    assert_eq!(value("resets(requests_total%7Bjob=%22%22%7D%5B5m%5D)").await.as_deref(), Some("0"));
    // From 1 to 4 before the restart and to 16 after it, in all of a window that begins with the first sample.
    let increase = value("round(increase(requests_total%7Bjob=%22api%22%7D%5B180001ms%5D))").await;
    assert_eq!(increase.as_deref(), Some("19"));
    let age = value("time()%20-%20start_timestamp(requests_total%7Bjob=%22api%22%7D)").await;
    assert_eq!(age.map(|age| age.parse::<f64>().expect("a number").round()), Some(90.0));
    let latency = value("histogram_count(increase(latency%5B1m%5D))").await;
    assert_eq!(latency.as_deref(), Some("4"), "one histogram is enough: it was empty in the window");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_second_version_the_good_is_stored_and_the_rest_is_said() {
    let (stage, now) = (Stage::new().await, now_ms());
    let good = Message::new().numbers(1, &[1, 2]).message(2, &sample(1.0, now));
    let odd = Message::new().numbers(1, &[1, 2, 3]).message(2, &sample(1.0, now));
    let beyond = Message::new().numbers(1, &[1, 77]).message(2, &sample(1.0, now));
    let broken = Message::new().numbers(1, &[1, 5]).message(3, &histogram(4, now).number(1, 5));
    let future = Message::new().numbers(1, &[1, 4]).message(2, &sample(1.0, now + 3_600_000));
    let answered = write(&stage, SECOND, second(&[odd, good, beyond, broken, future])).await;
    assert_eq!(written(&answered), ("1", "0", "0"), "{answered:?}");
    let said = answered.problem(400);
    for part in ["3 samples are wrong", "series 0", "3 references", "1 samples are too far in the future"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(data(&stage, "label/__name__/values").await, json!(["requests_total"]));
    let nonsense = write(&stage, SECOND, b"nonsense".to_vec()).await;
    assert_eq!(written(&nonsense), ("0", "0", "0"));
    nonsense.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_the_first_version_is_stored_whole_or_not_at_all() {
    let (stage, now) = (Stage::new().await, now_ms());
    let label = |name: &str, value: &str| Message::new().text(1, name).text(2, value);
    let exemplar = Message::new().message(1, &label("trace_id", "t1")).double(2, 0.5).number(3, now);
    let said = Message::new().number(1, 3).text(2, "latency").text(4, "How long.").text(5, "s");
    let request = |count_said: u64| {
        let series = Message::new()
            .message(1, &label("__name__", "latency"))
            .message(4, &histogram(4, now).number(1, count_said))
            .message(3, &exemplar);
        let other = Message::new().message(1, &label("__name__", "up")).message(2, &sample(1.0, now));
        Message::new().message(1, &other).message(1, &series).message(3, &said).snappy()
    };
    let refused = write(&stage, "application/x-protobuf", request(5)).await;
    let problem = refused.problem(400);
    assert!(problem.contains("Nothing was stored") && problem.contains("its count is 5"), "{problem}");
    assert_eq!(data(&stage, "label/__name__/values").await, json!([]));
    assert_eq!(data(&stage, "metadata").await, json!({}));
    assert_eq!(write(&stage, "", request(4)).await.status, 204);
    assert_eq!(data(&stage, "label/__name__/values").await, json!(["latency", "up"]));
    let metadata = json!({ "latency": [{ "type": "histogram", "help": "How long.", "unit": "s" }] });
    assert_eq!(data(&stage, "metadata?limit=1&limit_per_metric=1").await, metadata);
    assert_eq!(data(&stage, "query_exemplars?query=latency").await.as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_that_come_too_late_are_said_and_those_that_come_again_are_not() {
    let (stage, now) = (Stage::new().await, now_ms().cast_signed());
    let send = async |times: &[(i64, f64)]| {
        let body = testkit::remote_write(&[(&[("__name__", "up")], times)]);
        write(&stage, "application/x-protobuf", body).await
    };
    assert_eq!(send(&[(now, 1.0)]).await.status, 204);
    assert_eq!(send(&[(now, 1.0)]).await.status, 204);
    let other = send(&[(now, 2.0)]).await;
    assert!(other.problem(400).contains("duplicate sample for timestamp"), "{other:?}");
    assert_eq!(data(&stage, "query?query=up").await["result"][0]["value"][1], "1", "the first stays");
    let month = 30 * 86_400_000;
    assert!(
        send(&[(now - month, 1.0)]).await.problem(400).contains("out of order or older than what is kept")
    );
    assert!(send(&[(now + 1, 1.0), (now + 1, 2.0)]).await.problem(400).contains("at one time"));
}

async fn read(stage: &Stage, request: &Message) -> (StatusCode, Vec<u8>) {
    let post = stage.local(Method::POST, "/prometheus/api/v1/read").body(request.snappy());
    let response = post.header("Content-Encoding", "snappy").send().await.expect("an answer");
    let status = response.status();
    if status.is_success() {
        let header = |name| response.headers().get(name).cloned();
        assert_eq!(header("content-type").expect("a type"), "application/x-protobuf");
        assert_eq!(header("content-encoding").expect("an encoding"), "snappy");
    }
    (status, response.bytes().await.expect("a body").to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_read_answers_samples_and_histograms() {
    let (stage, now) = (Stage::new().await, Timestamp::now().as_millis());
    let mut batch = MetricBatch::new();
    for (name, job) in [("up", "b"), ("up", "a"), ("down", "a")] {
        let labels = Labels::metric(name, &[("job", job)]);
        batch.push_one(&labels, now - 2000, 1.5);
        batch.push_one(&labels, now - 1000, 2.5);
    }
    let value = batch.histogram(&Histogram { count: 3.0, zero_count: 3.0, ..Histogram::default() });
    batch.push_one(&Labels::metric("up", &[("job", "c")]), now - 1000, value);
    let stored = write(&stage, "application/x-protobuf", protocol::remote_write::encode(&batch)).await;
    assert_eq!(stored.status, 204, "{stored:?}");

    let time = |time_ms: i64| time_ms.cast_unsigned();
    let matcher = |kind, name, value| Message::new().number(1, kind).text(2, name).text(3, value);
    let query = |start, end| {
        let range = Message::new().number(1, time(start)).number(2, time(end));
        range.message(3, &matcher(0, "__name__", "up")).message(3, &matcher(2, "job", "a|b|c"))
    };
    let request = Message::new().message(1, &query(now - 1500, now)).message(1, &query(now - 100, now));
    let (status, body) = read(&stage, &request.number(2, 0).number(2, 1)).await;
    assert_eq!(status, 200);
    let bytes = |field: Field| match field {
        Field::Bytes(bytes) => bytes,
        other => panic!("{other:?} is no message"),
    };
    let results: Vec<_> =
        fields(&unsnappy(&body)).into_iter().map(|(_, result)| fields(&bytes(result))).collect();
    assert_eq!(results.iter().map(Vec::len).collect::<Vec<_>>(), [3, 0]);
    let mut found = Vec::new();
    for (_, series) in results[0].clone() {
        let series = fields(&bytes(series));
        let labels: Vec<Vec<(u64, Field)>> = series
            .iter()
            .filter(|(number, _)| *number == 1)
            .map(|(_, label)| fields(&bytes(label.clone())))
            .collect();
        let job = labels[1].iter().find(|(number, _)| *number == 2).expect("a value").1.clone();
        let rest: Vec<(u64, Vec<(u64, Field)>)> = series
            .into_iter()
            .filter(|(number, _)| *number != 1)
            .map(|(number, sample)| (number, fields(&bytes(sample))))
            .collect();
        found.push((String::from_utf8(bytes(job)).expect("a text"), rest));
    }
    let at = Field::Number(time(now - 1000));
    let sample = || vec![(2, vec![(1, Field::Double(2.5)), (2, at.clone())])];
    assert_eq!(found[0], ("a".to_owned(), sample()));
    assert_eq!(found[1], ("b".to_owned(), sample()));
    let [(4, histogram)] = found[2].1.as_slice() else { panic!("{found:?}") };
    assert!(histogram.contains(&(1, Field::Number(3))) && histogram.contains(&(15, at)), "{histogram:?}");

    let unknown = Message::new().message(1, &query(now - 1500, now)).number(2, 9);
    assert_eq!(read(&stage, &unknown).await.0, 400);
    let pattern = Message::new().message(1, &Message::new().message(3, &matcher(2, "job", "(")));
    assert_eq!(read(&stage, &pattern).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_read_streams_chunks_of_series_in_the_order_of_their_labels() {
    let (stage, now) = (Stage::new().await, Timestamp::now().as_millis());
    let mut batch = MetricBatch::new();
    // The store has them in the order of their lengths.
    for job in ["b", "aa", "ccc"] {
        let labels = Labels::metric("up", &[("job", job)]);
        (1..=130).rev().for_each(|ago| batch.push_one(&labels, now - ago * 1000, ago as f64));
    }
    let value = batch.histogram(&Histogram { count: 3.0, zero_count: 3.0, ..Histogram::default() });
    batch.push_one(&Labels::metric("up", &[("job", "aa")]), now, value);
    let stored = write(&stage, "application/x-protobuf", protocol::remote_write::encode(&batch)).await;
    assert_eq!(stored.status, 204, "{stored:?}");

    let query = |start: i64, end: i64| {
        let matcher = Message::new().text(2, "__name__").text(3, "up");
        let range = Message::new().number(1, start.cast_unsigned()).number(2, end.cast_unsigned());
        range.message(3, &matcher)
    };
    let request =
        Message::new().message(1, &query(now - 200_000, now)).message(1, &query(now - 5500, now - 1));
    let post = stage.local(Method::POST, "/prometheus/api/v1/read");
    let request = request.number(2, 1).number(2, 0).snappy();
    let response = post.header("Content-Encoding", "snappy").body(request).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    let kind = response.headers().get("content-type").expect("a type");
    assert_eq!(kind, "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse");
    let frames = testkit::chunks::frames(&response.bytes().await.expect("a body"));
    let shown: Vec<_> = frames
        .iter()
        .map(|frame| {
            let chunks: Vec<_> =
                frame.chunks.iter().map(|chunk| (chunk.encoding, chunk.samples().len())).collect();
            (frame.query, frame.labels[1].1.as_str(), chunks)
        })
        .collect();
    let (long, short) = (vec![(1, 120), (1, 10)], vec![(1, 5)]);
    let with_histogram = vec![(1, 120), (1, 10), (2, 1)];
    assert_eq!(
        shown,
        [
            (0, "aa", with_histogram),
            (0, "b", long.clone()),
            (0, "ccc", long),
            (1, "aa", short.clone()),
            (1, "b", short.clone()),
            (1, "ccc", short),
        ]
    );
    // What cannot be begun is an error as any other.
    let backwards = Message::new().message(1, &query(now, now - 1)).number(2, 1);
    assert_eq!(read(&stage, &backwards).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn federation_gives_the_newest_sample_of_what_has_not_ended() {
    let (stage, now) = (Stage::new().await, Timestamp::now().as_millis());
    let mut batch = MetricBatch::new();
    let mut put = |name: &str, job: &str, samples: &[(i64, f64)]| {
        for (ago, value) in samples {
            batch.push_one(&Labels::metric(name, &[("job", job)]), now - ago, *value);
        }
    };
    put("up", "b", &[(30_000, 1.0), (10_000, 0.5)]);
    put("up", "a", &[(10_000, 1.0)]);
    put("a_total", "a", &[(10_000, 7.0)]);
    put("ended", "a", &[(20_000, 1.0), (10_000, model::STALE_NAN)]);
    put("old", "a", &[(400_000, 1.0)]);
    let stored = write(&stage, "", protocol::remote_write::encode(&batch)).await;
    assert_eq!(stored.status, 204, "{stored:?}");
    let time = now - 10_000;
    let expected = format!(
        "# TYPE a_total untyped\na_total{{job=\"a\",instance=\"\"}} 7 {time}\n# TYPE up untyped\n\
         up{{job=\"a\",instance=\"\"}} 1 {time}\nup{{job=\"b\",instance=\"\"}} 0.5 {time}\n"
    );
    for path in ["/federate", "/prometheus/federate"] {
        let found = stage.get(&format!("{path}?match[]=up&match[]=%7Bjob=%22a%22%7D")).await;
        assert_eq!(found.text, expected, "{path}");
        assert_eq!(
            found.header("content-type"),
            "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
        );
        let nothing = stage.get(path).await;
        assert_eq!((nothing.status.as_u16(), nothing.text.as_str()), (200, ""), "nothing is asked for");
        assert_eq!(stage.get(&format!("{path}?match[]=rate(up%5B5m%5D)")).await.status, 400);
        assert_eq!(answer(stage.request(Method::GET, path)).await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn federation_has_histograms_in_protobuf_and_names_as_its_client_knows_them() {
    const PROTOBUF: &str =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let (stage, now) = (Stage::new().await, Timestamp::now().as_millis());
    let mut batch = MetricBatch::new();
    let sent = Histogram { count: 3.0, zero_count: 3.0, zero_threshold: 0.5, ..Histogram::default() };
    let value = batch.histogram(&sent);
    batch.push_one(&Labels::metric("latency", &[("job", "a")]), now, value);
    batch.push_one(&Labels::metric("http.status", &[("job", "a")]), now, 7.0);
    let stored = write(&stage, "", protocol::remote_write::encode(&batch)).await;
    assert_eq!(stored.status, 204, "{stored:?}");
    for (accept, name, kind) in [
        (format!("{PROTOBUF};escaping=allow-utf-8,text/plain;q=0.5"), "http.status", "allow-utf-8"),
        (PROTOBUF.to_owned(), "http_status", "underscores"),
    ] {
        let get = stage.local(Method::GET, "/federate?match[]=%7Bjob=%22a%22%7D").header("Accept", accept);
        let response = get.send().await.expect("an answer");
        let expected = format!("{}; escaping={kind}", PROTOBUF.replace(';', "; "));
        assert_eq!(response.headers().get("content-type").expect("a type"), expected.as_str());
        let body = response.bytes().await.expect("a body");
        let options = protocol::exposition::Options {
            max_bytes: 1 << 20,
            native_histograms: true,
            classic_histograms: false,
            custom_histograms: false,
        };
        let format = protocol::exposition::Format::Protobuf;
        let shown = protocol::exposition::decode(format, &body, &options).expect("families");
        let samples: Vec<_> = shown.samples().collect();
        let labels: Vec<_> = samples.iter().map(|sample| sample.labels.to_string()).collect();
        let expected = [name, "latency"].map(|name| format!("{name}{{instance=\"\", job=\"a\"}}"));
        assert_eq!(labels, expected, "whoever federates is not to add an instance of its own");
        assert_eq!((samples[0].value, samples[0].time_ms), (7.0, Some(now)));
        let histogram = shown.histograms().of(samples[1].value).expect("a histogram").expect("a good one");
        assert_eq!((histogram.count, histogram.zero_count, histogram.zero_threshold), (3.0, 3.0, 0.5));
    }
    let text = stage.get("/federate?match[]=%7Bjob=%22a%22%7D").await.text;
    assert!(text.contains("http_status{job=\"a\",instance=\"\"} 7 ") && !text.contains("latency"), "{text}");
}
