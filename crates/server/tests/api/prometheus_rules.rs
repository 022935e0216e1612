//! Rules and alerts as Prometheus shows them.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn rules_have_the_shape_of_prometheus() {
    let stage = Stage::new().await;
    let answer = stage.get("/prometheus/api/v1/rules").await;
    assert_eq!((answer.status.as_u16(), &answer.body["status"]), (200, &json!("success")));
    let group = &answer.body["data"]["groups"][0];
    assert_eq!((&group["name"], &group["file"]), (&json!("g"), &json!("test.yml")));
    assert_eq!((&group["interval"], &group["limit"]), (&json!(15.0), &json!(0)));
    assert!(group["evaluationTime"].is_number() && group["lastEvaluation"].is_string(), "{group}");
    let rule = &group["rules"][0];
    for (key, value) in [
        ("name", json!("Backlog")),
        ("query", json!("queue_depth > 100")),
        ("type", json!("alerting")),
        ("state", json!("inactive")),
        ("duration", json!(0.0)),
        ("keepFiringFor", json!(0.0)),
        ("labels", json!({ "severity": "warning" })),
        ("annotations", json!({})),
        ("alerts", json!([])),
    ] {
        assert_eq!(rule[key], value, "{key}: {rule}");
    }
    let alerts = stage.get("/prometheus/api/v1/alerts").await;
    assert_eq!(alerts.body, json!({ "status": "success", "data": { "alerts": [] } }));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_found_by_what_is_asked_for() {
    let stage = Stage::new().await;
    let cases = [
        ("", 1),
        ("type=alert", 1),
        ("type=record", 0),
        ("rule_name[]=Backlog&rule_name[]=Other", 1),
        ("rule_name[]=Other", 0),
        ("rule_group[]=g", 1),
        ("rule_group[]=h", 0),
        ("file[]=test.yml&exclude_alerts=true", 1),
        ("file[]=other.yml", 0),
        ("match[]={severity=\"warning\"}", 1),
        ("match[]={severity=\"info\"}", 0),
        ("group_limit=1", 1),
    ];
    for (query, count) in cases {
        let answer = stage.get(&format!("/prometheus/api/v1/rules?{query}")).await;
        let groups = answer.body["data"]["groups"].as_array().map(Vec::len);
        assert_eq!(groups, Some(count), "{query}: {}", answer.text);
        assert!(answer.body["data"]["groupNextToken"].is_null(), "{query}: {}", answer.text);
    }
    let refused = [
        ("type=other", "not supported value"),
        ("exclude_alerts=maybe", "exclude_alerts"),
        ("group_limit=0", "group_limit needs to be"),
        ("group_next_token=abc", "group_limit needs to be present"),
        ("group_limit=1&group_next_token=abc", "invalid group_next_token"),
        ("match[]=1", "takes a selector alone"),
    ];
    for (query, named) in refused {
        let answer = stage.get(&format!("/prometheus/api/v1/rules?{query}")).await;
        assert_eq!((answer.status.as_u16(), &answer.body["errorType"]), (400, &json!("bad_data")), "{query}");
        assert!(
            answer.body["error"].as_str().is_some_and(|text| text.contains(named)),
            "{query}: {}",
            answer.text
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_reading_the_rules_again_went_is_shown() {
    let stage = Stage::new().await;
    let answer = stage.get("/api/v1/rules/reload").await;
    assert_eq!(
        (&answer.body["follows"], &answer.body["error"]),
        (&json!(false), &json!(null)),
        "{}",
        answer.text
    );
    assert!(answer.body["last_success"].is_string());
}
