//! The audit log on the command line: verified and exported, beside a server, through it and without one, and what
//! somebody does who may write to its database.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testkit::Watchkeeper;
use tokio::process::Command;

use crate::stage::binary;

/// Runs `watchkeeper audit` on the data of this machine.
async fn here(data: &Path, arguments: &[&str]) -> Result<(i32, String)> {
    let output = Command::new(binary())
        .arg("audit")
        .args(arguments)
        .arg("--data-dir")
        .arg(data)
        .env_remove("WATCHKEEPER_KEY")
        .env_remove("WATCHKEEPER_URL")
        .output()
        .await
        .context("starting a command")?;
    let printed =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ok((output.status.code().unwrap_or(-1), printed))
}

/// Changes the database as another program would.
async fn tamper(data: &Path, statements: &str) -> Result<()> {
    let program =
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.close()";
    let output = Command::new(testkit::python())
        .args(["-c", program])
        .arg(data.join("state.db"))
        .arg(statements)
        .output()
        .await
        .context("running Python")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn head(printed: &str) -> Result<&str> {
    printed.lines().find_map(|line| line.strip_prefix("head: ")).with_context(|| printed.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_the_audit_log_is_verified_and_exported_and_tampering_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    let data = watchkeeper.data_dir();
    for name in ["one", "two", "three"] {
        let (code, printed) = watchkeeper.run(&["key", "create", name, "--scope", "read"]).await?;
        ensure!(code == 0, "{printed}");
    }
    let (code, printed) = watchkeeper.run(&["audit", "verify"]).await?;
    ensure!(code == 0 && printed.starts_with("intact: "), "{code} {printed}");
    let noted = head(&printed)?.to_owned();
    // Beside the server, and with the head that was noted before: both commands leave an entry.
    let (code, printed) = here(&data, &["verify", "--expect-head", &noted]).await?;
    ensure!(code == 0 && printed.contains("the expected hash is that of entry"), "{code} {printed}");

    let (through, beside) = (folder.path().join("through.ndjson"), folder.path().join("beside.csv"));
    let (through, beside) = (through.display().to_string(), beside.display().to_string());
    let (code, printed) = watchkeeper.run(&["audit", "export", "--out", &through]).await?;
    ensure!(code == 0 && printed.contains(&through), "{code} {printed}");
    let (code, printed) = here(&data, &["export", "--out", &beside]).await?;
    ensure!(code == 0, "{code} {printed}");
    let (code, printed) = here(&data, &["export", "--out", &beside]).await?;
    ensure!(code == 2 && printed.contains("is there already"), "{code} {printed}");
    for file in [&through, &beside] {
        let (code, printed) = here(&data, &["verify", "--file", file, "--expect-head", &noted]).await?;
        ensure!(code == 0 && printed.contains("from the first that was ever written"), "{code} {printed}");
    }
    let text = std::fs::read_to_string(&through)?;
    std::fs::write(&through, text.replace("\"three\"", "\"seven\""))?;
    let (code, printed) = here(&data, &["verify", "--file", &through]).await?;
    ensure!(code == 2 && printed.contains("was changed"), "{code} {printed}");
    let (code, printed) = here(&data, &["verify", "--file", "/nonexistent"]).await?;
    ensure!(code == 1 && printed.contains("/nonexistent"), "{code} {printed}");

    watchkeeper.terminate().await?;
    let (code, printed) = here(&data, &["verify", "--json"]).await?;
    let verdict: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
    ensure!(code == 0 && verdict["intact"] == true && verdict["flaw"].is_null(), "{code} {printed}");
    let last = verdict["head"]["seq"].as_i64().context("a head")?;

    let triggers = "DROP TRIGGER audit_is_append_only; DROP TRIGGER audit_is_removed_by_retention_alone;";
    tamper(&data, &format!("{triggers} DELETE FROM audit WHERE seq = 3;")).await?;
    let (code, printed) = here(&data, &["verify"]).await?;
    ensure!(code == 2 && printed.starts_with("broken: entry 3 is missing"), "{code} {printed}");
    let (code, printed) = here(&data, &["verify", "--json"]).await?;
    let verdict: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
    ensure!(code == 2 && verdict["flaw"]["seq"] == 3 && verdict["flaw"]["fault"] == "missing", "{printed}");

    // The server starts all the same, goes on writing, and finds it too.
    watchkeeper.start_again().await?;
    let (code, printed) = watchkeeper.run(&["audit", "verify"]).await?;
    ensure!(code == 2 && printed.starts_with("broken: entry 3 is missing"), "{code} {printed}");
    let audited = watchkeeper.get("/api/v1/audit?action=audit").await?.body;
    let of = |action: &str| {
        let items = audited["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter(|item| item["action"] == action).count()
    };
    ensure!((of("audit.verify"), of("audit.export")) == (6, 2), "{audited}");
    ensure!(audited["items"][0]["seq"].as_i64() > Some(last), "{audited}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_mistyped_folder_or_hash_is_said_and_nothing_is_made() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let elsewhere = folder.path().join("mistyped");
    let (code, printed) = here(&elsewhere, &["verify"]).await?;
    ensure!(code == 2 && !elsewhere.exists(), "{code} {printed}");
    let (code, printed) = here(folder.path(), &["verify", "--expect-head", "5a0c"]).await?;
    ensure!(code == 2 && printed.contains("64 hexadecimal digits"), "{code} {printed}");
    let (code, printed) = here(folder.path(), &["export", "--out", "audit.parquet"]).await?;
    ensure!(code == 2 && printed.contains(".ndjson"), "{code} {printed}");
    Ok(())
}
