//! Databases and stores that go away and come back are seen, said, and alerted on.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testkit::{Postgres, S3, Watchkeeper, within};

use crate::stage::{alert, all, binary, impatient_rules};

const PATIENCE: Duration = Duration::from_secs(120);

/// The probe of this kind, once it is up or down as wanted.
async fn probe(watchkeeper: &Watchkeeper, kind: &str, up: bool) -> Result<Value> {
    within(PATIENCE, &format!("the probe {kind} with up = {up}"), || async {
        let probes = all(watchkeeper, "/api/v1/probes").await?;
        Ok(probes.into_iter().find(|probe| probe["kind"] == kind && probe["up"] == up))
    })
    .await
}

async fn wait_for_alert(watchkeeper: &Watchkeeper, name: &str, state: &str) -> Result<Value> {
    within(PATIENCE, &format!("{name} to be {state}"), || async {
        Ok(alert(watchkeeper, name).await?.filter(|alert| alert["state"] == state))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_database_and_a_store_are_seen_to_go_down_and_come_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut postgres = Postgres::start().await?;
    let store = S3::start().await?;
    store.make_bucket("papers").await?;
    let rules = impatient_rules(folder.path(), "1s")?;
    let config = format!(
        r#"
[alerts]
interval = "1s"
rules = ["{}"]

[probes]
discover = false

[[probes.postgresql]]
name = "main"
url = "{}"
interval = "1s"

[[probes.s3]]
name = "papers"
url = "{}"
bucket = "papers"
access_key_id = "AKIAEXAMPLE"
secret_access_key = "hunter2"
interval = "1s"
"#,
        rules.display(),
        postgres.url(),
        store.url()
    );
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    let database = probe(&watchkeeper, "postgresql", true).await?;
    ensure!(database["facts"]["connections limit"] == "20", "{database}");
    ensure!(database["reason"].is_null() && database["statements"].is_array(), "{database}");
    probe(&watchkeeper, "s3", true).await?;

    postgres.stop().await?;
    let port = store.stop().await?;
    let database = probe(&watchkeeper, "postgresql", false).await?;
    ensure!(database["reason"] == "connection refused", "{database}");
    let down = probe(&watchkeeper, "s3", false).await?;
    ensure!(down["reason"] == "connection refused", "{down}");
    let fired = wait_for_alert(&watchkeeper, "DatabaseDown", "firing").await?;
    ensure!(fired["labels"]["severity"] == "critical", "{fired}");
    let evidence = fired["evidence"].to_string();
    ensure!(evidence.contains("connection refused") && evidence.contains("main"), "{fired}");
    wait_for_alert(&watchkeeper, "StorageDown", "firing").await?;
    let shares = all(&watchkeeper, "/api/v1/probes").await?;
    let share = shares.first().context("no probe")?["availability"]["1h"].as_f64();
    ensure!(share.is_some_and(|share| share > 0.0 && share < 1.0), "{shares:?}");

    postgres.start_again().await?;
    let store = S3::start_on(port).await?;
    store.make_bucket("papers").await?;
    let database = probe(&watchkeeper, "postgresql", true).await?;
    ensure!(database["last_failure_reason"] == "connection refused", "{database}");
    probe(&watchkeeper, "s3", true).await?;
    wait_for_alert(&watchkeeper, "DatabaseDown", "resolved").await?;
    for secret in [postgres.password(), "hunter2"] {
        let told = format!("{:?} {}", all(&watchkeeper, "/api/v1/probes").await?, watchkeeper.output());
        ensure!(!told.contains(secret), "a secret is told: {told}");
    }
    Ok(())
}
