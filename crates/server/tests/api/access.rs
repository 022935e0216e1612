//! Who may do what, route by route.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use state::Scope;

use crate::stage::{Answer, Stage, TOKEN, answer};

/// What a route demands; `None` is any login.
fn demanded(method: &Method, path: &str) -> Option<Scope> {
    match path {
        "/api/v1/session" | "/api/v1/logout" => None,
        "/prometheus/api/v1/write" => Some(Scope::Ingest),
        "/loki/api/v1/push" => Some(Scope::Ingest),
        path if is_otlp(path) => Some(Scope::Ingest),
        "/api/v1/events" if *method == Method::POST => Some(Scope::Ingest),
        path if path.starts_with(JAEGER) => Some(Scope::Read),
        _ if ["/acknowledge", "/resolve", "/operations"].iter().any(|end| path.ends_with(end)) => {
            Some(Scope::Operate)
        }
        _ if ["/api/v1/users", "/api/v1/keys", "/api/v1/audit"]
            .iter()
            .any(|prefix| path.starts_with(prefix)) =>
        {
            Some(Scope::Admin)
        }
        _ => Some(Scope::Read),
    }
}

/// Whether a route speaks OpenTelemetry's protocol, which has a form of its own for what is wrong.
fn is_otlp(path: &str) -> bool {
    ["/v1/logs", "/v1/traces", "/v1/metrics"].contains(&path)
}

/// What the routes begin with of Loki's shippers and of those who ask as they would ask it, who are told in plain text
/// what is wrong.
const LOKI: &str = "/loki/";
/// The same of those who ask as they would ask Jaeger, which has a form of its own.
const JAEGER: &str = "/jaeger/";

/// What is told of a request that was refused.
fn told(path: &str, refused: &Answer, status: u16) -> String {
    if path.starts_with(LOKI) {
        let content_type = refused.header("content-type");
        assert_eq!((refused.status.as_u16(), content_type), (status, "text/plain; charset=utf-8"), "{path}");
        return refused.text.clone();
    }
    if path.starts_with(JAEGER) {
        assert_eq!((refused.status.as_u16(), refused.header("content-type")), (status, "application/json"));
        return refused.body["errors"][0]["msg"].as_str().expect("a message").to_owned();
    }
    if !is_otlp(path) {
        return refused.problem(status).to_owned();
    }
    assert_eq!((refused.status.as_u16(), refused.header("content-type")), (status, "application/json"));
    assert!(refused.body["code"].is_u64(), "{refused:?}");
    refused.body["message"].as_str().expect("a message").to_owned()
}

/// Every route of the description, and those that are not in it.
async fn routes(stage: &Stage) -> Vec<(Method, String)> {
    let api = stage.get("/api/openapi.json").await.body;
    let mut routes = vec![(Method::GET, "/api/openapi.json".to_owned())];
    for (path, item) in api["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("an item").keys() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            if ["GET", "POST", "DELETE", "PUT", "PATCH"].contains(&method.as_str()) && path != "/api/v1/login"
            {
                routes.push((method, path.replace("{id}", "none").replace("{name}", "none")));
            }
        }
    }
    assert!(routes.len() > 35, "only {} routes are described", routes.len());
    routes
}

async fn ask(stage: &Stage, method: &Method, path: &str, key: Option<&str>) -> Answer {
    let request = stage.request(method.clone(), path);
    answer(match key {
        Some(key) => request.header("X-API-Key", key),
        None => request,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_answers_without_a_login_or_a_key() {
    let stage = Stage::with(|config| config.open_loopback_ingest = false).await;
    for (method, path) in routes(&stage).await {
        for key in [None, Some("wk_unknown"), Some(""), Some("wkl_")] {
            let refused = ask(&stage, &method, &path, key).await;
            assert_eq!(refused.status, 401, "{method} {path} with {key:?}: {refused:?}");
            told(&path, &refused, 401);
            assert!(refused.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_scope_opens_its_own_routes_and_no_other() {
    let stage = Stage::with(|config| config.open_loopback_ingest = false).await;
    let mut keys = Vec::new();
    for scope in Scope::ALL {
        keys.push((scope, stage.key(&[scope]).await));
    }
    for (method, path) in routes(&stage).await {
        let demanded = demanded(&method, &path);
        for (scope, key) in &keys {
            let given: state::Scopes = [*scope].into_iter().collect();
            let allowed = demanded.is_none_or(|demanded| given.allows(demanded));
            let answered = ask(&stage, &method, &path, Some(key)).await;
            if allowed {
                let status = answered.status.as_u16();
                assert!(!matches!(status, 401 | 403 | 405 | 500), "{method} {path} as {scope}: {answered:?}");
            } else {
                assert!(told(&path, &answered, 403).contains("scope"), "{method} {path} as {scope}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_probes_and_the_login_are_public_and_the_page_holds_no_data() {
    let stage = Stage::new().await;
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/", 200), ("/login?token=wrong", 401)] {
        assert_eq!(answer(stage.request(Method::GET, path)).await.status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_may_send_without_a_key_unless_that_is_closed_or_a_proxy_stands_between() {
    let open = Stage::new().await;
    let send = |stage: &Stage| stage.request(Method::POST, "/api/v1/events").json(&json!([]));
    assert_eq!(answer(send(&open)).await.status, 200);
    answer(send(&open).header("X-Forwarded-For", "203.0.113.9")).await.problem(401);
    // Sending is not reading.
    answer(open.request(Method::GET, "/api/v1/jobs")).await.problem(401);
    let closed = Stage::with(|config| config.open_loopback_ingest = false).await;
    answer(send(&closed)).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_taken_in_either_header_or_as_a_password_and_not_once_it_is_revoked() {
    let stage = Stage::new().await;
    let made = stage.post("/api/v1/keys", &json!({ "name": "grafana", "scopes": ["read"] })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let (secret, id) =
        (made.body["secret"].as_str().expect("a key"), made.body["id"].as_str().expect("an id"));
    let bearer = answer(stage.request(Method::GET, "/api/v1/session").bearer_auth(secret)).await;
    assert_eq!(bearer.body["name"], "key:grafana");
    assert_eq!(bearer.body["scopes"], json!(["read"]));
    let session = || stage.request(Method::GET, "/api/v1/session");
    let basic = answer(session().basic_auth("anybody", Some(secret))).await;
    assert_eq!(basic.body["name"], "key:grafana", "{basic:?}");
    answer(session().basic_auth(secret, Some("anything"))).await.problem(401);
    for nothing in ["Basic", "Basic ", "Basic !", "Basic bm9uZQ==", "Basic /w=="] {
        answer(session().header("Authorization", nothing)).await.problem(401);
    }
    assert_eq!(ask(&stage, &Method::GET, "/api/v1/jobs", Some(secret)).await.status, 200);
    let listed = stage.get("/api/v1/keys").await;
    assert_eq!(listed.body["items"][0]["name"], "grafana");
    assert!(!listed.text.contains(secret), "a key is shown once");
    let revoked = answer(stage.local(Method::DELETE, &format!("/api/v1/keys/{id}"))).await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
    ask(&stage, &Method::GET, "/api/v1/jobs", Some(secret)).await.problem(401);
    answer(session().basic_auth("anybody", Some(secret))).await.problem(401);
    for wrong in [
        json!({ "name": "x", "scopes": [] }),
        json!({ "name": "x", "scopes": ["root"] }),
        json!({ "name": "<x>", "scopes": ["read"] }),
    ] {
        stage.post("/api/v1/keys", &wrong).await.problem(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_administrative_action_is_in_the_audit_log() {
    let stage = Stage::new().await;
    let user = json!({ "name": "anna", "password": "a long enough password", "role": "operator" });
    assert_eq!(stage.post("/api/v1/users", &user).await.status, 201);
    stage.post("/api/v1/users", &user).await.problem(409);
    let another = json!({ "password": "another long password" });
    assert_eq!(stage.post("/api/v1/users/anna/password", &another).await.status, 204);
    assert_eq!(answer(stage.local(Method::DELETE, "/api/v1/users/anna")).await.status, 204);
    let key = stage.post("/api/v1/keys", &json!({ "name": "k", "scopes": ["read"] })).await.body;
    let id = key["id"].as_str().expect("an id");
    answer(stage.local(Method::DELETE, &format!("/api/v1/keys/{id}"))).await;
    stage.post("/api/v1/alerts/none/acknowledge", &json!({ "note": "mine" })).await;
    stage.log_in("nobody", "wrong").await.problem(401);
    let log = stage.get("/api/v1/audit").await.body;
    let entries: Vec<(&str, &str, &str)> = log["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|entry| {
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            (text("actor"), text("action"), text("outcome"))
        })
        .collect();
    let expected = [
        ("nobody", "login", "denied"),
        ("local", "alert.acknowledge", "failed"),
        ("local", "key.revoke", "ok"),
        ("local", "key.create", "ok"),
        ("local", "user.remove", "ok"),
        ("local", "user.password", "ok"),
        ("local", "user.create", "failed"),
        ("local", "user.create", "ok"),
    ];
    assert_eq!(entries, expected);
    let found = stage.get("/api/v1/audit?action=user&limit=1").await.body;
    assert_eq!(
        (found["total"].clone(), found["items"][0]["target"].clone()),
        (Value::from(4), Value::from("anna"))
    );
    assert!(!log.to_string().contains("password\":\""), "no secret is logged");
    assert!(!log.to_string().contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays() {
    let stage = Stage::new().await;
    stage.user("root", state::Role::Admin).await;
    assert!(answer(stage.local(Method::DELETE, "/api/v1/users/root")).await.problem(409).contains("last"));
    stage.user("second", state::Role::Admin).await;
    assert_eq!(answer(stage.local(Method::DELETE, "/api/v1/users/root")).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_and_its_audit_entry_happen_also_when_nobody_waits_for_them() {
    // Hashing the password takes longer than that.
    let stage = Stage::with(|config| config.request_timeout.0 = Duration::from_millis(15)).await;
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut tried = 0;
    loop {
        assert!(Instant::now() < deadline, "none of {tried} requests that timed out was carried out");
        let name = format!("anna{tried}");
        let user = json!({ "name": name, "password": "a long enough password", "role": "viewer" });
        let answer = stage.post("/api/v1/users", &user).await;
        tried += 1;
        if answer.status != 408 {
            continue;
        }
        let filter = state::AuditFilter { target: Some(name.clone()), ..state::AuditFilter::default() };
        for _ in 0..20 {
            let (entries, _) =
                stage.state.audit().list(&filter, state::Page::default()).await.expect("the log");
            if let Some(entry) = entries.first() {
                assert_eq!(entry.entry.outcome, state::Outcome::Ok);
                assert!(stage.state.users().by_name(&name).await.expect("asked").is_some());
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runbook_is_shown_to_who_may_read() {
    let stage = Stage::new().await;
    let page = stage.get("/docs/runbooks/queue-backlog.md").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert!(page.text.starts_with("# Queue backlog"), "{page:?}");
    for other in ["none.md", "..%2Falerts.md"] {
        stage.get(&format!("/docs/runbooks/{other}")).await.problem(404);
    }
    answer(stage.request(Method::GET, "/docs/runbooks/queue-backlog.md")).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_follow_a_link_to_a_page_are_led_to_the_login_and_to_no_other_server() {
    let stage = Stage::new().await;
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let ask = |method: Method, path: &str, accept: &str| {
        let url = format!("http://{}{path}", stage.address);
        answer(client.request(method, url).header("Accept", accept))
    };
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    for (path, next) in [
        ("/docs/runbooks/queue-backlog.md", "/docs/runbooks/queue-backlog.md"),
        (
            "/docs/runbooks/disk-full.md?next=//evil.example",
            "/docs/runbooks/disk-full.md%3Fnext%3D//evil.example",
        ),
        ("/api/docs", "/api/docs"),
    ] {
        let answered = ask(Method::GET, path, browser).await;
        assert_eq!(answered.status, 303, "{path}: {answered:?}");
        assert_eq!(answered.header("location"), format!("/login?next={next}"));
    }
    ask(Method::GET, "/docs/runbooks/queue-backlog.md", "*/*").await.problem(401);
    ask(Method::POST, "/docs/runbooks/queue-backlog.md", browser).await.problem(405);
    ask(Method::GET, "/api/v1/alerts", browser).await.problem(401);
}
