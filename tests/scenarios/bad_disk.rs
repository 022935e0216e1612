//! A disk that takes no more in the middle of a write: Watchkeeper says so and ends, and a start goes on.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::Watchkeeper;

use crate::stage::binary;

/// The binary, with no file allowed to grow beyond 2 MiB: the system refuses each write that would make it
/// larger, as a bad disk does. The signal that goes with it is ignored, and stays so after `exec`.
fn limited_binary(folder: &std::path::Path) -> Result<std::path::PathBuf> {
    let path = folder.join("watchkeeper-limited");
    let script = format!("#!/bin/sh\ntrap '' XFSZ\nulimit -f 4096\nexec '{}' \"$@\"\n", binary().display());
    std::fs::write(&path, script).context("writing a script")?;
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).context("making it executable")?;
    Ok(path)
}

fn deploys(round: usize) -> Value {
    let event = |n: usize| {
        json!({"type": "deploy.finished", "event_id": format!("{round}-{n}"), "service": "api", "version": "1",
               "description": "x".repeat(500)})
    };
    (0..100).map(event).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_log_that_cannot_be_written_ends_the_process_with_a_reason_and_a_start_goes_on()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let limited = limited_binary(folder.path())?;
    let mut watchkeeper = Watchkeeper::start(&limited, folder.path(), "").await?;
    let mut rounds = 0;
    let refused = loop {
        match watchkeeper.post("/api/v1/events", &deploys(rounds)).await {
            Ok(answer) if answer.status == 200 => rounds += 1,
            refused => break refused,
        }
        ensure!(rounds < 100, "nothing has stopped it");
    };
    ensure!(rounds > 5, "{rounds} rounds were taken");
    // It may have ended before it could answer.
    ensure!(refused.as_ref().map_or(true, |answer| answer.status == 503), "{refused:?}");
    let status = tokio::time::timeout(Duration::from_secs(30), watchkeeper.ended())
        .await
        .context("it does not end by itself")??;
    let output = std::fs::read_to_string(folder.path().join("watchkeeper.log"))?;
    ensure!(status.code() == Some(4), "{status}: {output}");
    let said = output.lines().rfind(|line| line.starts_with("error: ")).context("no reason was given")?;
    for word in
        ["could not write", "wal/0000000000000000000", "File too large", "is kept", "start watchkeeper again"]
    {
        ensure!(said.contains(word), "{word:?} is not in {said}");
    }

    // As systemd does.
    watchkeeper.start_again().await?;
    let metrics = watchkeeper.text("/metrics").await?;
    ensure!(metrics.contains("\nwatchkeeper_wal_torn_tails_total 1\n"), "{metrics}");
    ensure!(metrics.contains("\nwatchkeeper_wal_corrupt_records_total 0\n"), "{metrics}");
    for round in 0..rounds {
        let again = watchkeeper.post("/api/v1/events", &deploys(round)).await?;
        ensure!(again.body["duplicates"] == 100, "round {round} was acknowledged: {}", again.body);
    }
    let more = watchkeeper.post("/api/v1/events", &deploys(1_000)).await?;
    ensure!(more.status == 200 && more.body["accepted"] == 100, "{} {}", more.status, more.body);
    Ok(())
}
