//! Notifications on their way: a real SMTP server, a real HTTP listener, and both of them failing.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use model::DurationText;
use testkit::{Smtp, eventually, free_port};

use super::listener::listen;
use super::stage::{BACKLOG, Stage, section, webhook};
use crate::{Channels, Config, DeliveryConfig, DeliveryState};

const QUERY: &str = "queue_depth > 100";

fn impatient(max_attempts: u64) -> Config {
    let millis = |millis| DurationText(Duration::from_millis(millis));
    Config {
        delivery: DeliveryConfig {
            first_retry: millis(20),
            longest_retry: millis(100),
            max_attempts,
            // The tests' alerts fired in 2025.
            max_age: DurationText(Duration::from_secs(100 * 365 * 86_400)),
        },
        external_url: Some("https://watch.example.org".to_owned()),
        ..Config::default()
    }
}

fn email(port: u16) -> Channels {
    section(serde_json::json!({ "email": [{
        "name": "mail",
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "from": "Watchkeeper <watchkeeper@example.org>",
        "to": ["ops@example.org"],
    }]}))
}

impl Stage {
    /// Starts the workers of the channels.
    fn send(&self) {
        for worker in self.alerts.workers() {
            tokio::spawn(worker.run(self.stop.clone()));
        }
    }

    async fn fire(&self) {
        self.answers.queues(QUERY, &[("llm_tasks", 150.0)]);
        self.evaluate(0).await;
        self.evaluate(30).await;
    }

    async fn resolve(&self) {
        self.answers.queues(QUERY, &[]);
        self.evaluate(45).await;
    }

    async fn until_all_are(&self, state: DeliveryState, count: usize) -> Result<()> {
        eventually("the notifications to be sent", || async {
            let deliveries = self.deliveries().await;
            ensure!(deliveries.iter().all(|delivery| delivery.state == state), "{deliveries:?}");
            Ok((deliveries.len() == count).then_some(()))
        })
        .await
    }

    fn metric(&self, name: &str) -> Option<f64> {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name)?;
        let metric = family.get_metric().first()?;
        Some(metric.get_gauge().get_value() + metric.get_counter().get_value())
    }
}

#[tokio::test]
async fn a_mail_brings_the_evidence_and_the_end_follows_the_beginning() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let smtp = Smtp::start().await?;
    let stage = Stage::open(folder.path(), impatient(50), &email(smtp.port()), BACKLOG).await;
    stage.send();
    stage.fire().await;
    stage.until_all_are(DeliveryState::Delivered, 1).await?;
    stage.resolve().await;
    stage.until_all_are(DeliveryState::Delivered, 2).await?;
    let mails = smtp.messages().await?;
    let [fired, resolved] = mails.as_slice() else { anyhow::bail!("{} mails", mails.len()) };
    ensure!(
        fired.header("Subject").as_deref()
            == Some("[FIRING] [critical] QueueBacklog llm_tasks: llm_tasks holds 150 tasks"),
        "{fired:?}"
    );
    ensure!(fired.header("To").is_some_and(|to| to.contains("ops@example.org")), "{fired:?}");
    let body = fired.body();
    for expected in
        ["Tasks that wait longest", "(no worker has reported itself)", "https://watch.example.org/?alert="]
    {
        ensure!(body.contains(expected), "{expected} is not in\n{body}");
    }
    ensure!(
        resolved.header("Subject").is_some_and(|subject| subject.starts_with("[RESOLVED]")),
        "{resolved:?}"
    );
    // One thread, two messages.
    ensure!(fired.header("References") == resolved.header("References"), "{fired:?} {resolved:?}");
    ensure!(fired.header("Message-ID") != resolved.header("Message-ID"), "{fired:?} {resolved:?}");
    let outcome = stage.deliveries().await[0].outcome.clone();
    ensure!(outcome.as_deref().is_some_and(|outcome| outcome.starts_with("250")), "{outcome:?}");

    // A new start sends nothing that was delivered.
    drop(stage);
    let stage = Stage::open(folder.path(), impatient(50), &email(smtp.port()), BACKLOG).await;
    stage.send();
    ensure!(stage.alerts.test_channel("mail", "ann").await?, "the channel is there");
    stage.until_all_are(DeliveryState::Delivered, 3).await?;
    ensure!(smtp.messages().await?.len() == 3, "a mail was sent twice");
    Ok(())
}

#[tokio::test]
async fn a_mail_waits_for_a_server_that_is_down_and_is_delivered_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let stage = Stage::open(folder.path(), impatient(5_000), &email(port), BACKLOG).await;
    stage.send();
    stage.fire().await;
    stage.resolve().await;
    eventually("some attempts to fail", || async {
        let deliveries = stage.deliveries().await;
        Ok((deliveries[0].attempts > 3 && deliveries[0].state == DeliveryState::Failed).then_some(()))
    })
    .await?;
    let channel = stage.alerts.channels().await?.remove(0);
    ensure!(channel.up == Some(false) && channel.last_error.is_some(), "{channel:?}");
    ensure!(stage.metric("watchkeeper_channel_up") == Some(0.0), "the metric says so too");
    ensure!(stage.deliveries().await[1].attempts == 0, "the end waits behind the beginning");
    let smtp = Smtp::start_on(port).await?;
    stage.until_all_are(DeliveryState::Delivered, 2).await?;
    let subjects: Vec<_> = smtp.messages().await?.iter().filter_map(|mail| mail.header("Subject")).collect();
    ensure!(subjects.len() == 2 && subjects[0].starts_with("[FIRING]"), "{subjects:?}");
    let channel = stage.alerts.channels().await?.remove(0);
    ensure!(channel.up == Some(true) && channel.last_success.is_some(), "{channel:?}");
    ensure!(stage.metric("watchkeeper_channel_up") == Some(1.0), "the metric says so too");
    Ok(())
}

#[tokio::test]
async fn a_webhook_is_tried_again_and_can_be_told_apart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (port, requests) =
        listen(&["500 Internal Server Error", "503 Service Unavailable", "200 OK"]).await?;
    let mut channels = webhook(&format!("http://127.0.0.1:{port}/hook?token=x"));
    channels.webhook[0].bearer_token = Some("secret".into());
    let stage = Stage::open(folder.path(), impatient(50), &channels, BACKLOG).await;
    stage.send();
    stage.fire().await;
    stage.until_all_are(DeliveryState::Delivered, 1).await?;
    let requests = requests.lock().clone();
    ensure!(requests.len() == 3, "{} requests", requests.len());
    let key = |head: &str| head.lines().find(|line| line.starts_with("idempotency-key: ")).map(str::to_owned);
    for (head, body) in &requests {
        ensure!(head.starts_with("post /hook?token=x http/1.1"), "{head}");
        ensure!(head.contains("authorization: bearer secret"), "{head}");
        ensure!(key(head).is_some() && key(head) == key(&requests[0].0), "{head}");
        ensure!(body["version"] == "4" && body["status"] == "firing", "{body}");
        ensure!(body["alerts"][0]["labels"]["queue"] == "llm_tasks", "{body}");
        ensure!(body["alerts"][0]["evidence"].as_array().is_some_and(|checks| checks.len() == 2), "{body}");
    }
    let delivery = stage.deliveries().await.remove(0);
    ensure!(delivery.attempts == 3 && delivery.outcome.as_deref() == Some("200 OK hi"), "{delivery:?}");
    Ok(())
}

#[tokio::test]
async fn a_notification_that_nobody_takes_is_given_up_and_counted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (port, requests) = listen(&["404 Not Found"]).await?;
    let channels = webhook(&format!("http://127.0.0.1:{port}/"));
    let stage = Stage::open(folder.path(), impatient(3), &channels, BACKLOG).await;
    stage.send();
    stage.fire().await;
    stage.until_all_are(DeliveryState::Dead, 1).await?;
    ensure!(requests.lock().len() == 3, "{} requests", requests.lock().len());
    let outcome = stage.deliveries().await.remove(0).outcome.unwrap_or_default();
    ensure!(outcome == "given up after 3 attempts: 404 Not Found hi", "{outcome}");
    ensure!(stage.metric("watchkeeper_notifications_dead_total") == Some(1.0), "it is counted");
    Ok(())
}

#[tokio::test]
async fn what_waits_for_a_removed_channel_is_given_up() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let stage = Stage::quiet(folder.path(), BACKLOG).await;
    stage.fire().await;
    drop(stage);
    let stage = Stage::open(folder.path(), Config::default(), &Channels::default(), BACKLOG).await;
    stage.until_all_are(DeliveryState::Dead, 1).await?;
    ensure!(
        stage.deliveries().await[0].outcome.as_deref() == Some("the channel is no longer configured"),
        "why"
    );
    Ok(())
}

#[tokio::test]
async fn channels_that_cannot_work_are_refused_at_the_start() -> Result<()> {
    let cases = [
        (
            serde_json::json!({ "name": "m", "host": "h", "from": "nobody", "to": ["a@b.org"] }),
            "mail address",
        ),
        (serde_json::json!({ "name": "m", "host": "h", "from": "a@b.org", "to": [] }), "no receiver"),
        (
            serde_json::json!({ "name": "m", "host": "h", "from": "a@b.org", "to": ["a@b.org"], "username": "u" }),
            "go together",
        ),
        (
            serde_json::json!({ "name": "m", "host": "h", "from": "a@b.org", "to": ["a@b.org"],
                "username": "u", "password_file": "/nowhere/password" }),
            "/nowhere/password",
        ),
        (
            serde_json::json!({ "name": "m", "host": "h", "from": "a@b.org", "to": ["a@b.org"],
                "ca_file": "/nowhere/ca.pem" }),
            "/nowhere/ca.pem",
        ),
    ];
    let http = super::stage::http_client();
    for (email, named) in cases {
        let channels = section(serde_json::json!({ "email": [email] }));
        let opened = crate::notify::open_all(&Config::default(), &channels, &http);
        let error = opened.err().with_context(|| format!("{named} is refused"))?.to_string();
        ensure!(error.contains(named) && error.contains("`m`"), "{error}");
    }
    let config = Config { channels: vec!["pager".to_owned()], ..Config::default() };
    let error = crate::notify::open_all(&config, &webhook("http://h/"), &http).err().context("refused")?;
    ensure!(error.to_string().contains("`pager`"), "{error}");
    Ok(())
}
