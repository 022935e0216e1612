//! The web page, or what stands in its place where it was not built.

use reqwest::Method;

use crate::stage::{Stage, answer};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_asked_for_anew_and_its_files_are_kept() {
    let stage = Stage::new().await;
    let page = answer(stage.request(Method::GET, "/")).await;
    assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-cache"), "{page:?}");
    assert!(page.text.contains("<title>Watchkeeper</title>"), "{}", page.text);
    let scripts = page.text.split('"').filter(|text| text.starts_with("/assets/") && text.ends_with(".js"));
    for script in scripts {
        let request = stage.request(Method::GET, script).header("Accept-Encoding", "gzip");
        let file = request.send().await.expect("an answer");
        assert_eq!(file.status(), 200, "{script}");
        assert_eq!(file.headers()["content-encoding"], "gzip", "{script}");
        assert_eq!(file.headers()["cache-control"], "public, max-age=31536000, immutable", "{script}");
        assert!(file.headers()["content-type"].to_str().expect("text").starts_with("text/javascript"));
        let plain = answer(stage.request(Method::GET, script).header("Accept-Encoding", "identity")).await;
        assert_eq!((plain.status.as_u16(), plain.header("content-encoding")), (200, ""), "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_the_page_does_not_know_are_not_found() {
    let stage = Stage::new().await;
    for path in ["/nowhere", "/assets/none.js", "/assets/..%2findex.html", "/index.html", "/api/v1/nowhere"] {
        let answered = answer(stage.request(Method::GET, path).header("Accept", "text/html")).await;
        assert!(answered.problem(404).contains("nothing at"), "{path}: {answered:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_is_the_page_without_a_login_too() {
    let stage = Stage::new().await;
    for path in ["/", "/explore?expr=up&range=6h", "/graph?g0.expr=up&g0.tab=1"] {
        let page = answer(stage.request(Method::GET, path)).await;
        assert_eq!(page.status.as_u16(), 200, "{path}: {page:?}");
        assert!(page.text.contains("<title>Watchkeeper</title>"), "{path}: {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_graph_of_a_prometheus_below_its_prefix_leads_to_ours_with_the_same_query() {
    let stage = Stage::new().await;
    for query in ["", "?g0.expr=up%7Ba%3D%22b%22%7D+%2F+2&g0.tab=0"] {
        let led = answer(stage.request(Method::GET, &format!("/prometheus/graph{query}"))).await;
        assert_eq!(led.status.as_u16(), 307, "{led:?}");
        assert_eq!(led.header("location"), format!("/graph{query}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_inline_and_nothing_from_elsewhere_is_allowed() {
    let stage = Stage::new().await;
    let page = answer(stage.request(Method::GET, "/")).await;
    let policy = page.header("content-security-policy");
    for forbidden in ["unsafe", "sha256-", "nonce-", "http", "*"] {
        assert!(!policy.contains(forbidden), "{forbidden} in {policy}");
    }
    assert!(!page.text.contains("<style") && !page.text.contains("<script>"), "{}", page.text);
}
