//! Sessions: passwords, links, cookies, CSRF, and how many wrong tries are borne.

use model::Timestamp;
use reqwest::Method;
use serde_json::json;
use state::Role;

use crate::stage::{PASSWORD, Stage, answer};

/// The cookie that an answer sets, as a browser sends it back.
fn cookie(set: &str) -> String {
    set.split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_reads_with_its_cookie_and_changes_with_its_csrf_token() {
    let stage = Stage::new().await;
    stage.user("anna", Role::Admin).await;
    let login = stage.log_in("anna", PASSWORD).await;
    assert_eq!(login.status, 200, "{login:?}");
    let set = login.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(attribute), "{set}");
    }
    assert!(!set.contains("Secure"), "plain HTTP would never send it back: {set}");
    let (cookie, csrf) = (cookie(set), login.body["csrf_token"].as_str().expect("a token"));

    let who = answer(stage.request(Method::GET, "/api/v1/session").header("Cookie", &cookie)).await;
    assert_eq!((who.body["name"].as_str(), who.body["csrf_token"].as_str()), (Some("anna"), Some(csrf)));
    let change = || {
        let body = json!({ "name": "k", "scopes": ["read"] });
        stage.request(Method::POST, "/api/v1/keys").header("Cookie", &cookie).json(&body)
    };
    assert!(answer(change()).await.problem(403).contains("X-CSRF-Token"));
    answer(change().header("X-CSRF-Token", "wrong")).await.problem(403);
    assert_eq!(answer(change().header("X-CSRF-Token", csrf)).await.status, 201);

    let out =
        stage.request(Method::POST, "/api/v1/logout").header("Cookie", &cookie).header("X-CSRF-Token", csrf);
    assert_eq!(answer(out).await.status, 204);
    answer(stage.request(Method::GET, "/api/v1/session").header("Cookie", &cookie)).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_looks_and_does_not_touch() {
    let stage = Stage::new().await;
    stage.user("vera", Role::Viewer).await;
    let login = stage.log_in("vera", PASSWORD).await;
    let (cookie, csrf) =
        (cookie(login.header("set-cookie")), login.body["csrf_token"].as_str().expect("a token"));
    let ask =
        |method, path| stage.request(method, path).header("Cookie", &cookie).header("X-CSRF-Token", csrf);
    assert_eq!(answer(ask(Method::GET, "/api/v1/alerts")).await.status, 200);
    answer(ask(Method::POST, "/api/v1/alerts/x/acknowledge").json(&json!({}))).await.problem(403);
    answer(ask(Method::GET, "/api/v1/users")).await.problem(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_with_https_the_cookie_is_secure() {
    let stage =
        Stage::with(|config| config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")]).await;
    stage.user("anna", Role::Admin).await;
    let body = json!({ "username": "anna", "password": PASSWORD });
    let login = stage.request(Method::POST, "/api/v1/login").json(&body).header("X-Forwarded-Proto", "https");
    let login = answer(login.header("X-Forwarded-For", "203.0.113.9")).await;
    assert!(login.header("set-cookie").contains("Secure"), "{login:?}");
    let log = stage.get("/api/v1/audit").await.body;
    assert_eq!(log["items"][0]["client_ip"], "203.0.113.9");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_logs_in_once() {
    let stage = Stage::new().await;
    stage.user("anna", Role::Admin).await;
    let user = stage.state.users().by_name("anna").await.expect("asked").expect("there");
    let link =
        stage.state.links().create(&user.id, std::time::Duration::from_secs(60), Timestamp::now()).await;
    let path = format!("/login?token={}", link.expect("a link").reveal());
    let looked = answer(stage.request(Method::HEAD, &path)).await;
    assert_eq!(
        (looked.status.as_u16(), looked.header("set-cookie")),
        (204, ""),
        "looking does not use it up"
    );
    let first = answer(stage.request(Method::GET, &path)).await;
    assert_eq!((first.status.as_u16(), first.header("location")), (303, "/"), "{first:?}");
    let who =
        stage.request(Method::GET, "/api/v1/session").header("Cookie", cookie(first.header("set-cookie")));
    assert_eq!(answer(who).await.body["name"], "anna");
    answer(stage.request(Method::GET, &path)).await.problem(401);
    // People get the login form instead, which tells them.
    let person = answer(stage.request(Method::GET, &path).header("Accept", "text/html,*/*;q=0.8")).await;
    assert_eq!((person.status.as_u16(), person.header("set-cookie")), (401, ""), "{person:?}");
    assert!(person.header("content-type").starts_with("text/html"), "{person:?}");
    let form = answer(stage.request(Method::GET, "/login")).await;
    assert_eq!((form.status.as_u16(), form.header("cache-control")), (200, "no-cache"), "{form:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_logins_tell_nothing_and_are_slowed_down() {
    let stage = Stage::new().await;
    stage.user("anna", Role::Admin).await;
    let wrong_password = stage.log_in("anna", "not the password").await;
    let wrong_name = stage.log_in("nobody", "not the password").await;
    assert_eq!(wrong_password.problem(401), wrong_name.problem(401));
    let mut last = wrong_name;
    for _ in 0..10 {
        last = stage.log_in("anna", "not the password").await;
        if last.status == 429 {
            break;
        }
    }
    last.problem(429);
    assert!(last.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{last:?}");
    stage.log_in("anna", PASSWORD).await.problem(429);
}
