//! The description of the API, for programs and for people.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::stage::{Stage, answer};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_whole_by_itself_and_for_those_who_may_read() {
    let stage = Stage::new().await;
    let kinds = [
        ("/api/docs", "text/html"),
        ("/api/docs/page.css", "text/css"),
        ("/api/docs/page.js", "text/javascript"),
    ];
    for (path, kind) in kinds {
        let file = stage.get(path).await;
        assert_eq!(file.status, 200);
        assert!(file.header("content-type").starts_with(kind), "{path}: {}", file.header("content-type"));
        assert!(!file.text.contains("://"), "{path} loads something from elsewhere");
        let policy = file.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        answer(stage.request(Method::GET, path)).await.problem(401);
    }
    let page = stage.get("/api/docs").await;
    assert!(page.header("content-security-policy").contains("script-src 'self'"), "{page:?}");
    // The policy lets nothing run that stands in the page itself.
    assert!(!page.text.contains("<style") && page.text.matches("<script").count() == 1, "{}", page.text);
    assert!(page.text.contains(r#"<script src="/api/docs/page.js">"#), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_described_where_they_are_read_from_and_errors_as_what_they_are() {
    let stage = Stage::new().await;
    let api = stage.get("/api/openapi.json").await.body;
    let paths = api["paths"].as_object().expect("paths");
    let (mut parameters, mut problems) = (0, 0);
    for (path, item) in paths {
        for operation in item.as_object().expect("operations").values() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name");
                let place = if path.contains(&format!("{{{name}}}")) { "path" } else { "query" };
                assert_eq!(parameter["in"], place, "{path} {name}");
                parameters += 1;
            }
            for (status, response) in operation["responses"].as_object().expect("responses") {
                if response.to_string().contains("ProblemBody") {
                    let kinds: Vec<&String> =
                        response["content"].as_object().expect("content").keys().collect();
                    assert_eq!(kinds, ["application/problem+json"], "{path} {status}");
                    problems += 1;
                }
            }
        }
    }
    assert!(parameters > 20 && problems > 20, "{parameters} {problems}");
    let period = &paths["/api/admin/stats/system"]["get"]["parameters"][0];
    assert_eq!((&period["name"], &period["required"]), (&"period".into(), &false.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_a_query_is_described_as_possibly_not_available() {
    let stage = Stage::new().await;
    let api = stage.get("/api/openapi.json").await.body;
    for endpoint in ["query", "query_range", "query_exemplars", "explain_query", "labels", "series"] {
        let item = api["paths"][format!("/prometheus/api/v1/{endpoint}")].as_object().expect(endpoint);
        assert_eq!(item.len(), 2, "{endpoint} is asked by GET and by POST");
        for (method, operation) in item {
            let described = &operation["responses"]["503"];
            assert!(described["content"]["application/json"].is_object(), "{method} {endpoint}: {operation}");
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().filter(|_| name == "$ref") {
                    Some(reference) => _ = found.insert(reference.to_owned()),
                    None => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_every_endpoint_of_the_seeds_and_all_that_it_refers_to() {
    let stage = Stage::new().await;
    let api = stage.get("/api/openapi.json").await.body;
    for path in [
        "/api/admin/stats/requests",
        "/api/admin/stats/system",
        "/api/admin/memory-stats",
        "/api/admin/memory-history",
        "/api/admin/dashboard",
        "/api/v1/requests",
        "/api/v1/requests/stats",
    ] {
        assert!(api["paths"][path]["get"].is_object(), "{path}");
    }
    let mut found = BTreeSet::new();
    references(&api, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let place = reference.strip_prefix('#').expect("a reference into the description itself");
        assert!(api.pointer(place).is_some(), "{reference} leads nowhere");
    }
    // Two shapes of one name would be shown as one of them.
    let alert = &api["components"]["schemas"]["Alert"]["properties"];
    assert!(alert["rule_id"].is_object() && alert["alert_id"].is_null(), "{alert}");
    assert!(api["components"]["schemas"]["SeedAlert"]["properties"]["alert_id"].is_object());
}
