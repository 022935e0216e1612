//! The Prometheus API, as Prometheus' clients read it.

use std::time::Duration;

use model::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Stage, answer, encoded};

/// A server with one series of three samples, the last of them now; gives the time in whole seconds.
async fn stage() -> (Stage, i64) {
    let stage = Stage::new().await;
    let now = Timestamp::now().as_millis() / 1000;
    let samples: Vec<(i64, f64)> =
        (0..3).map(|n| ((now - 60 + n * 30) * 1000, 1.0 + n as f64 / 2.0)).collect();
    let body = testkit::remote_write(&[
        (&[("__name__", "queue_depth"), ("queue", "llm"), ("state", "pending")], &samples),
        (&[("__name__", "queue_depth"), ("queue", "ocr"), ("state", "pending")], &samples),
    ]);
    let write = stage.local(Method::POST, "/prometheus/api/v1/write").body(body);
    assert_eq!(answer(write.header("Content-Encoding", "snappy")).await.status, 204);
    (stage, now)
}

async fn get(stage: &Stage, path: &str, parameters: &[(&str, &str)]) -> Answer {
    let query = encoded(parameters);
    answer(stage.local(Method::GET, &format!("/prometheus/api/v1/{path}?{query}"))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_query_answers_a_vector_by_get_and_by_form() {
    let (stage, now) = stage().await;
    let (query, time) = ("queue_depth{queue=\"llm\"}", now.to_string());
    let expected = json!({
        "status": "success",
        "data": { "resultType": "vector", "result": [{
            "metric": { "__name__": "queue_depth", "queue": "llm", "state": "pending" }, "value": [now, "2"],
        }] },
    });
    let by_get = get(&stage, "query", &[("query", query), ("time", &time)]).await;
    assert_eq!(by_get.body, expected);
    let form = stage
        .local(Method::POST, "/prometheus/api/v1/query")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(encoded(&[("query", query), ("time", &time)]));
    assert_eq!(answer(form).await.body, expected);
    let scalar = get(&stage, "query", &[("query", "1 + 0.5"), ("time", &format!("{now}.25"))]).await;
    assert_eq!(scalar.body["data"], json!({ "resultType": "scalar", "result": [now as f64 + 0.25, "1.5"] }));
    let limited = get(&stage, "query", &[("query", "queue_depth"), ("limit", "1")]).await;
    assert_eq!(limited.body["data"]["result"].as_array().map(Vec::len), Some(1));
    assert_eq!(limited.body["warnings"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_query_answers_a_matrix() {
    let (stage, now) = stage().await;
    let (start, end) = ((now - 60).to_string(), now.to_string());
    let parameters = [("query", "sum(queue_depth)"), ("start", &start), ("end", &end), ("step", "30s")];
    let answered = get(&stage, "query_range", &parameters).await;
    let values = json!([[now - 60, "2"], [now - 30, "3"], [now, "4"]]);
    assert_eq!(
        answered.body["data"],
        json!({ "resultType": "matrix", "result": [{ "metric": {}, "values": values }] }),
        "{answered:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_prometheus_shape_and_status() {
    let (stage, _) = stage().await;
    let range = |start, end, step| [("query", "up"), ("start", start), ("end", end), ("step", step)];
    type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, u16, &'a str);
    let cases: Vec<Case<'_>> = vec![
        ("query", vec![], 400, "bad_data"),
        ("query", vec![("query", "sum(")], 400, "bad_data"),
        ("query", vec![("query", "up"), ("time", "noon")], 400, "bad_data"),
        ("query", vec![("query", "up"), ("time", "2026-01-01")], 400, "bad_data"),
        ("query", vec![("query", "up"), ("timeout", "soon")], 400, "bad_data"),
        ("query", vec![("query", "up"), ("timeout", "0")], 503, "timeout"),
        ("query", vec![("query", "up"), ("timeout", "-1")], 503, "timeout"),
        ("query", vec![("query", "up"), ("limit", "-1")], 400, "bad_data"),
        ("query_range", range("0", "11001", "1").into(), 400, "bad_data"),
        ("query_exemplars", vec![("query", "up"), ("start", "2"), ("end", "1")], 400, "bad_data"),
        ("labels", vec![("match[]", "{queue=\"\"}")], 400, "bad_data"),
        ("labels", vec![("start", "x")], 400, "bad_data"),
        ("query_range", range("0", "10", "0").into(), 400, "bad_data"),
        ("query_range", range("10", "0", "1").into(), 400, "bad_data"),
        ("query_range", range("0", "10", "x").into(), 400, "bad_data"),
        ("series", vec![], 400, "bad_data"),
        ("query", vec![("query", "queue_depth * on() queue_depth")], 422, "execution"),
        ("query", vec![("query", r#"label_replace(up, "a", "", "b", "(")"#)], 422, "execution"),
        ("query", vec![("query", r#"label_replace(up, "", "", "b", "c")"#)], 422, "execution"),
        ("query", vec![("query", r#"label_join(up, "", ",", "b")"#)], 422, "execution"),
        ("query", vec![("query", r#"count_values("", up)"#)], 422, "execution"),
        (
            "query_range",
            vec![("query", r#"count_values("", up)"#), ("start", "0"), ("end", "10"), ("step", "1")],
            422,
            "execution",
        ),
        ("query_range", range("NaN", "0", "1").into(), 400, "bad_data"),
    ];
    for (path, parameters, status, kind) in cases {
        let answered = get(&stage, path, &parameters).await;
        assert_eq!(answered.status, status, "{path} {parameters:?}: {answered:?}");
        assert_eq!(answered.header("content-type"), "application/json");
        assert_eq!((&answered.body["status"], &answered.body["errorType"]), (&json!("error"), &json!(kind)));
        assert!(answered.body["error"].as_str().is_some_and(|text| !text.is_empty()), "{answered:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_no_number_is_one_at_which_there_is_nothing() {
    let (stage, _) = stage().await;
    for query in ["queue_depth", "sum(rate(queue_depth[5m]))", "queue_depth offset 5m"] {
        let answered = get(&stage, "query", &[("query", query), ("time", "NaN")]).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        assert_eq!(answered.body["data"], json!({ "resultType": "vector", "result": [] }), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_too_slow_names_the_limit() {
    let (stage, now) = stage().await;
    let (start, end) = ((now - 7_200).to_string(), now.to_string());
    let long: Vec<String> = (0..8).map(|n| format!("max_over_time((queue_depth + {n})[1h:1s])")).collect();
    let long = long.join(" + ");
    let long = ("query", long.as_str());
    let parameters = [long, ("start", &start), ("end", &end), ("step", "1s"), ("timeout", "1ms")];
    let answered = get(&stage, "query_range", &parameters).await;
    assert_eq!(answered.body["errorType"], "timeout", "{answered:?}");
    let said = answered.body["error"].as_str().unwrap_or_default();
    for part in ["the parameter timeout", "server.max_concurrent_queries", "a larger step"] {
        assert!(said.contains(part), "{said}");
    }
}

/// The parameters of a query for so many series at 11,000 steps, the most there may be.
pub(crate) fn large(series: usize) -> Vec<(&'static str, String)> {
    let each = (0..series).map(|n| format!("label_replace(vector(time()), \"n\", \"{n}\", \"\", \"\")"));
    let query = each.collect::<Vec<_>>().join(" or ");
    let times = [("start", "1000000"), ("end", "1010999"), ("step", "1")];
    let times = times.map(|(name, value)| (name, value.to_owned()));
    [("query", query)].into_iter().chain(times).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_is_sent_while_it_is_written_and_is_whole() {
    let stage = Stage::new().await;
    let parameters = large(8);
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, &**value)).collect();
    let answered = get(&stage, "query_range", &parameters).await;
    assert!(answered.text.len() > 1 << 20 && answered.headers.get("Content-Length").is_none());
    let series = answered.body["data"]["result"].as_array().expect("a list");
    assert_eq!(series.len(), 8);
    for (n, series) in series.iter().enumerate() {
        assert_eq!(series["metric"], json!({ "n": n.to_string() }));
        let points: Vec<(i64, String)> = serde_json::from_value(series["values"].clone()).expect("points");
        let expected: Vec<(i64, String)> =
            (1_000_000..1_011_000).map(|time| (time, time.to_string())).collect();
        assert_eq!(points, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_answers_that_nobody_takes_hold_few_places_and_not_for_ever() {
    let stage = Stage::with(|config| {
        config.max_concurrent_queries = 2;
        config.request_timeout.0 = Duration::from_secs(3);
    })
    .await;
    // Of fourteen megabytes: more than the buffers of a connection take.
    let parameters = large(46);
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, &**value)).collect();
    let path = format!("/prometheus/api/v1/query_range?{}", encoded(&parameters));
    let ask = || stage.local(Method::GET, &path).header("Accept-Encoding", "identity");
    let mut untaken = Vec::new();
    for _ in 0..4 {
        let begun = ask().send().await.expect("an answer begins");
        assert_eq!(begun.status(), 200);
        untaken.push(begun);
    }
    let refused = answer(ask()).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    let said = refused.body["error"].as_str().unwrap_or_default();
    assert!(said.contains("too many large answers") && said.contains("ask again later"), "{said}");
    let small = get(&stage, "query", &[("query", "1 + 1")]).await;
    assert_eq!(small.body["data"]["result"][1], "2", "{small:?}");
    let answered = testkit::within(Duration::from_secs(30), "a place to be free", || async {
        let answered = answer(ask()).await;
        Ok((answered.status == 200).then_some(answered))
    })
    .await
    .expect("who takes nothing is not waited for");
    assert!(answered.text.ends_with("]]}]}}"));
    for begun in untaken {
        begun.bytes().await.expect_err("what is broken off is not taken for whole");
    }
    let metrics = stage.local(Method::GET, "/metrics");
    let metrics = answer(metrics).await.text;
    for told in ["{outcome=\"failed\"} 4", "{outcome=\"finished\"} 1"] {
        assert!(metrics.contains(&format!("watchkeeper_large_answers_total{told}")), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_when_its_client_goes_away() {
    // One place for queries over a range.
    let stage = Stage::with(|config| config.max_concurrent_queries = 2).await;
    let (start, end) = ("1000000", "1010999");
    let range = |query, timeout| {
        let parameters =
            [("query", query), ("start", start), ("end", end), ("step", "1"), ("timeout", timeout)];
        stage.local(Method::GET, &format!("/prometheus/api/v1/query_range?{}", encoded(&parameters)))
    };
    // Minutes of work: eleven thousand windows of six hours, each of which is sorted.
    let long = range("quantile_over_time(0.5, (vector(1) * time())[6h:1s])", "50s");
    let long = tokio::spawn(answer(long));
    let short = || range("vector(1)", "100ms");
    testkit::within(Duration::from_secs(10), "the long one to be at work", || async {
        Ok((answer(short()).await.status == 503).then_some(()))
    })
    .await
    .expect("it has the only place");
    assert!(!long.is_finished());
    long.abort();
    testkit::within(Duration::from_secs(10), "the place to be free", || async {
        Ok((answer(short()).await.status == 200).then_some(()))
    })
    .await
    .expect("nobody waits for the long one");
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_over_a_range_leave_a_place_to_the_others() {
    let (stage, now) = stage().await;
    let (start, end) = ((now - 7_200).to_string(), now.to_string());
    // Seven thousand windows of an hour, each of which is sorted.
    let long = ("query", "quantile_over_time(0.5, (vector(1) * time())[1h:1s])");
    let parameters = [long, ("start", &start), ("end", &end), ("step", "1s"), ("nocache", "1")];
    let path = format!("/prometheus/api/v1/query_range?{}", encoded(&parameters));
    let waiting: Vec<_> = (0..8).map(|_| tokio::spawn(answer(stage.local(Method::GET, &path)))).collect();
    // Until those that have a place are at work.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let short = get(&stage, "query", &[("query", "1 + 1")]).await;
    assert_eq!(short.body["data"]["result"][1], "2", "{short:?}");
    let unfinished = waiting.iter().filter(|long| !long.is_finished()).count();
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(unfinished > 4, "only {unfinished} were at work or waited: nothing has been shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_can_be_asked() {
    let (stage, _) = stage().await;
    let data = |answer: Answer| {
        assert_eq!(answer.body["status"], "success", "{answer:?}");
        answer.body["data"].clone()
    };
    assert_eq!(data(get(&stage, "labels", &[]).await), json!(["__name__", "queue", "state"]));
    assert_eq!(data(get(&stage, "label/queue/values", &[]).await), json!(["llm", "ocr"]));
    assert_eq!(data(get(&stage, "label/__name__/values", &[]).await), json!(["queue_depth"]));
    let matching = [("match[]", "queue_depth{queue=\"ocr\"}")];
    assert_eq!(data(get(&stage, "label/queue/values", &matching).await), json!(["ocr"]));
    let series = json!([{ "__name__": "queue_depth", "queue": "ocr", "state": "pending" }]);
    assert_eq!(data(get(&stage, "series", &matching).await), series);
    assert_eq!(data(get(&stage, "labels", &[("match[]", "nothing")]).await), json!([]));
    let both = [("match[]", "nothing"), ("match[]", "queue_depth{queue=\"llm\"}")];
    assert_eq!(data(get(&stage, "label/U__queue/values", &both).await), json!(["llm"]));
    for (path, all) in [("labels", 3), ("label/queue/values", 2), ("series", 2)] {
        let cut = get(&stage, path, &[("match[]", "queue_depth"), ("limit", "1")]).await;
        assert_eq!(cut.body["data"].as_array().map(Vec::len), Some(1), "{cut:?}");
        assert_eq!(cut.body["warnings"], json!(["results truncated due to limit"]));
        let whole = get(&stage, path, &[("match[]", "queue_depth"), ("limit", "3")]).await;
        assert_eq!(whole.body["data"].as_array().map(Vec::len), Some(all), "{whole:?}");
        assert_eq!(whole.body.get("warnings"), None);
    }
    for (start, end) in [("1000", "2000"), ("2000", "1000")] {
        let early = [("match[]", "queue_depth"), ("start", start), ("end", end)];
        for path in ["labels", "label/queue/values", "series"] {
            assert_eq!(data(get(&stage, path, &early).await), json!([]), "{path} from {start} to {end}");
        }
    }
    let always = [
        ("match[]", "queue_depth"),
        ("start", "-292273086-05-16T16:47:06Z"),
        ("end", "292277025-08-18T07:12:54.999999999Z"),
    ];
    assert_eq!(data(get(&stage, "label/queue/values", &always).await), json!(["llm", "ocr"]));
    let longest = [("query", "1"), ("start", "0"), ("end", "11000"), ("step", "1")];
    let values = data(get(&stage, "query_range", &longest).await)["result"][0]["values"].clone();
    assert_eq!(values.as_array().map(Vec::len), Some(11_001), "as many as Prometheus gives");
    let build = data(get(&stage, "status/buildinfo", &[]).await);
    assert_eq!((&build["version"], &build["applicationVersion"]), (&json!("3.5.0"), &json!("0.0.0-test")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_may_have_its_parameters_in_the_address_alone() {
    let (stage, _) = stage().await;
    let posted = answer(stage.local(Method::POST, "/prometheus/api/v1/query?query=1%2B1")).await;
    assert_eq!(posted.body["data"]["result"][1], "2", "{posted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_counts_before_the_address_and_bodies_of_other_kinds_are_passed_over() {
    let (stage, _) = stage().await;
    for (kind, answers) in [
        ("application/x-www-form-urlencoded; charset=UTF-8", json!([5, "2"])),
        ("application/json", json!([7, "1"])),
    ] {
        let post = stage.local(Method::POST, "/prometheus/api/v1/query?query=1&time=7");
        let posted = answer(post.header("Content-Type", kind).body("query=2&time=5")).await;
        assert_eq!(posted.body["data"]["result"], answers, "{kind}: {posted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_that_breaks_out_of_its_place_is_refused() {
    let (stage, _) = stage().await;
    let selector = "x[1m]) or last_over_time(queue_depth";
    let refused = get(&stage, "series", &[("match[]", selector)]).await;
    assert_eq!((refused.status.as_u16(), refused.body["errorType"].as_str()), (400, Some("bad_data")));
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_of_all_selectors_of_a_request_are_bounded_together() {
    let (stage, _) = stage().await;
    let selector = |queue: &str, patterns: usize| {
        format!("queue_depth{{queue=\"{queue}\",{}}}", r#"a=~"b?","#.repeat(patterns))
    };
    let selectors = [selector("llm", 100), selector("ocr", 100), selector("other", 1)];
    let of = |count: usize| -> Vec<(&str, &str)> {
        selectors.iter().take(count).map(|selector| ("match[]", selector.as_str())).collect()
    };
    for path in ["labels", "label/queue/values", "series", "rules"] {
        assert_eq!(get(&stage, path, &of(2)).await.status, 200, "{path}");
        let refused = get(&stage, path, &of(3)).await;
        assert_eq!((refused.status.as_u16(), refused.body["errorType"].as_str()), (400, Some("bad_data")));
        let said = refused.body["error"].as_str().unwrap_or_default();
        assert!(said.contains("200 patterns together"), "{path}: {refused:?}");
    }
    let federated = stage.get(&format!("/federate?{}", encoded(&of(3)))).await;
    assert_eq!(federated.status, 400, "{federated:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_would_use_up_the_stack_is_refused() {
    let (stage, _) = stage().await;
    for query in
        [format!("1{}", "+1".repeat(1_900)), format!("x{}", " or x".repeat(1_900)), "-".repeat(3_900)]
    {
        let refused = get(&stage, "query", &[("query", &query)]).await;
        assert_eq!((refused.status.as_u16(), refused.body["errorType"].as_str()), (400, Some("bad_data")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_query_took_is_told_to_who_asks() {
    let (stage, now) = stage().await;
    let now = now.to_string();
    let of = |stats: &'static str| [("query", "sum(queue_depth)"), ("time", now.as_str()), ("stats", stats)];
    let told = get(&stage, "query", &of("all")).await;
    let stats = &told.body["data"]["stats"];
    assert_eq!(told.body["data"]["result"][0]["value"][1], "4", "{told:?}");
    let total = stats["samples"]["totalQueryableSamples"].as_u64().unwrap_or_default();
    assert!(total >= 2, "{told:?}");
    assert_eq!(stats["samples"]["totalQueryableSamplesPerStep"][0][1], total);
    assert!(stats["samples"]["peakSamples"].is_u64());
    for name in [
        "evalTotalTime",
        "resultSortTime",
        "queryPreparationTime",
        "innerEvalTime",
        "execQueueTime",
        "execTotalTime",
    ] {
        assert!(stats["timings"][name].as_f64().is_some_and(|seconds| seconds >= 0.0), "{name}: {told:?}");
    }
    let sums = get(&stage, "query", &of("true")).await;
    assert_eq!(sums.body["data"]["stats"]["samples"].get("totalQueryableSamplesPerStep"), None);
    let silent = get(&stage, "query", &[("query", "sum(queue_depth)")]).await;
    assert_eq!(silent.body["data"].get("stats"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_back_a_sample_is_looked_for_can_be_asked_for() {
    let (stage, now) = stage().await;
    let later = (now + 240).to_string();
    let count = async |parameters: &[(&str, &str)]| {
        let asked = [&[("query", "count(queue_depth)"), ("time", later.as_str())], parameters].concat();
        get(&stage, "query", &asked).await.body["data"]["result"].as_array().map(Vec::len)
    };
    assert_eq!(count(&[]).await, Some(1));
    assert_eq!(count(&[("lookback_delta", "1m")]).await, Some(0));
    assert_eq!(count(&[("lookback_delta", "241")]).await, Some(1));
    let wrong = get(&stage, "query", &[("query", "up"), ("lookback_delta", "0")]).await;
    assert_eq!((wrong.status.as_u16(), wrong.body["errorType"].as_str()), (400, Some("bad_data")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_tells_of_itself_as_prometheus_does() {
    let (stage, now) = stage().await;
    let data = async |path: &str| {
        let answered = get(&stage, path, &[]).await;
        assert_eq!(answered.body["status"], "success", "{path}: {answered:?}");
        answered.body["data"].clone()
    };
    let runtime = data("status/runtimeinfo").await;
    assert_eq!(runtime["storageRetention"], "7d", "{runtime}");
    assert!(runtime["startTime"].as_str().is_some_and(|time| Timestamp::parse_rfc3339(time).is_ok()));
    let flags = data("status/flags").await;
    let mut features = flags["enable-feature"].as_str().unwrap_or_default().split(',');
    assert!(features.any(|feature| feature == "promql-experimental-functions"), "{flags}");
    assert_eq!(flags["query.lookback-delta"], "5m");
    assert!(flags.as_object().is_some_and(|flags| flags.values().all(Value::is_string)), "{flags}");
    assert!(data("status/config").await["yaml"].as_str().is_some_and(|yaml| yaml.contains("global")));
    assert_eq!(data("alertmanagers").await["activeAlertmanagers"], json!([]));
    assert_eq!(data("status/walreplay").await["current"], 0);
    let held = data("status/tsdb").await;
    assert_eq!(held["headStats"]["numSeries"], 2, "{held}");
    assert_eq!(held["headStats"]["maxTime"], now * 1000);
    assert_eq!(held["seriesCountByMetricName"], json!([{ "name": "queue_depth", "value": 2 }]));
    assert_eq!(held["labelValueCountByLabelName"][0], json!({ "name": "queue", "value": 2 }));
    assert_eq!(held["memoryInBytesByLabelName"][0], json!({ "name": "__name__", "value": 11 }));
    assert_eq!(held["seriesCountByLabelValuePair"][0], json!({ "name": "__name__=queue_depth", "value": 2 }));
    let one = get(&stage, "status/tsdb", &[("limit", "1")]).await;
    assert_eq!(one.body["data"]["seriesCountByLabelValuePair"].as_array().map(Vec::len), Some(1));
    assert_eq!(get(&stage, "status/tsdb", &[("limit", "0")]).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_find_prometheus_own_paths_without_credentials() {
    let stage = Stage::new().await;
    for path in ["/prometheus/-/healthy", "/prometheus/-/ready", "/-/healthy", "/-/ready"] {
        assert_eq!(answer(stage.request(Method::GET, path)).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_are_listed_by_state_and_none_is_in_a_wrong_one() {
    let stage = Stage::new().await;
    let all = get(&stage, "targets", &[]).await;
    let expected = json!({ "activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {} });
    assert_eq!(all.body, json!({ "status": "success", "data": expected }));
    let wrong = get(&stage, "targets", &[("state", "odd")]).await;
    let none = json!({ "activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {} });
    assert_eq!((wrong.status.as_u16(), &wrong.body["data"]), (200, &none), "{wrong:?}");
    let selector = get(&stage, "targets/metadata", &[("match_target", "rate(a[1m])")]).await;
    assert_eq!(selector.status.as_u16(), 400, "{selector:?}");
    let pools = get(&stage, "scrape_pools", &[]).await;
    assert_eq!(pools.body["data"], json!({ "scrapePools": [] }));
}
