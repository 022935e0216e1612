//! Tokens of OAuth 2.0.

use serde_json::{Value, json};

use super::exporter::{Exporter, Reply};
use super::stage::{Stage, job};
use crate::scrape::Health;

fn answer(body: &Value) -> Reply {
    Reply::of("application/json", body.to_string())
}

fn client(server: &Exporter, more: &Value) -> Value {
    let url = format!("http://{}/token", server.address());
    let mut oauth2 = json!({ "client_id": "me & you", "client_secret": "hunter1", "token_url": url });
    oauth2.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "oauth2": oauth2, "every": "1s", "timeout": "1s" })
}

#[tokio::test]
async fn one_token_is_asked_for_all_targets_and_another_when_it_is_not_accepted() {
    let server = Exporter::start().await;
    server.reply(
        "/token",
        answer(&json!({ "access_token": "hunter2", "token_type": "bearer", "expires_in": 3600 })),
    );
    let (first, second) = (Exporter::saying("a 1\n").await, Exporter::saying("a 1\n").await);
    let more = json!({ "scopes": ["read", "write"], "endpoint_params": { "audience": "exporters" } });
    let stage = Stage::new(&[job("j", &[first.address(), second.address()], &client(&server, &more))]);
    for exporter in [&first, &second] {
        stage.target(&exporter.address(), |target| target.health == Health::Up).await;
        assert!(exporter.asked().contains("authorization: Bearer hunter2\r\n"), "{}", exporter.asked());
    }
    let asked = server.asked();
    assert_eq!(asked.matches("POST /token").count(), 1, "{asked}");
    // `me+%26+you:hunter1`: what is in the head is written as in a form.
    assert!(asked.contains("authorization: Basic bWUrJTI2K3lvdTpodW50ZXIx\r\n"), "{asked}");
    assert!(asked.contains("grant_type=client_credentials&scope=read+write&audience=exporters"), "{asked}");
    server.reply("/token", answer(&json!({ "access_token": "hunter3" })));
    first.reply("/metrics", Reply::status("401 Unauthorized"));
    stage.target(&first.address(), |target| target.health == Health::Down).await;
    first.say("a 1\n");
    stage.target(&first.address(), |target| target.health == Health::Up).await;
    assert!(first.asked().contains("authorization: Bearer hunter3\r\n"), "{}", first.asked());
    assert!(!format!("{:?}", stage.scrapes.targets()).contains("hunter"));
}

#[tokio::test]
async fn a_token_that_ends_is_asked_for_again() {
    let server = Exporter::start().await;
    server.reply("/token", answer(&json!({ "access_token": "hunter2", "expires_in": "5" })));
    let exporter = Exporter::saying("a 1\n").await;
    let stage = Stage::new(&[job("j", &[exporter.address()], &client(&server, &json!({})))]);
    let again = testkit::eventually("two tokens", || async {
        Ok(Some(server.asked().matches("POST /token").count()).filter(|count| *count >= 2))
    });
    again.await.unwrap();
    assert_eq!(stage.target("", |_| true).await.health, Health::Up);
}

#[tokio::test]
async fn a_target_is_down_with_the_reason_when_there_is_no_token() {
    let exporter = Exporter::saying("a 1\n").await;
    let refusal = json!({ "error": "invalid_client", "error_description": "who?" }).to_string();
    let cases = [
        (
            Reply::Whole(
                "401 Unauthorized\r\nContent-Type: application/json".to_owned(),
                refusal.into_bytes(),
            ),
            "it answers with status 401 (Unauthorized): invalid_client: who?",
        ),
        (answer(&json!({ "token_type": "bearer" })), "the answer has no `access_token`"),
        (Reply::text("no"), "the answer is no JSON with a token"),
        (Reply::Flood(vec![b' '; 10_000]), "the answer has more than 1 MiB"),
        (Reply::Close, "the connection was closed before there was an answer"),
        (Reply::status("302 Found\r\nLocation: /other"), "it answers with status 302 (Found)"),
        (
            Reply::Hang(Vec::new()),
            "no credentials within 1s: the server of `oauth2` does not answer, or a file cannot be read",
        ),
    ];
    for (reply, expected) in cases {
        let server = Exporter::start().await;
        server.reply("/token", reply);
        let stage = Stage::new(&[job("j", &[exporter.address()], &client(&server, &json!({})))]);
        let reason = stage.failure(&exporter.address()).await;
        assert!(reason.ends_with(expected), "{expected}: {reason}");
        if expected.contains("invalid_client") {
            let asked = server.asked();
            assert!(
                asked.contains("client_id=me+%26+you&client_secret=hunter1"),
                "the body is tried too: {asked}"
            );
        }
        assert!(!reason.contains("hunter1"), "{reason}");
    }
    assert_eq!(exporter.asked(), "", "nobody asks without credentials");
}
