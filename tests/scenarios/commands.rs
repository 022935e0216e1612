//! The command line, beside a running server and without one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::Watchkeeper;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::stage::binary;

/// Runs a command on the data of this machine; gives its exit code and what it printed.
async fn run_here(data: &Path, arguments: &[&str], input: &str) -> Result<(i32, String)> {
    let mut child = Command::new(binary())
        .args(arguments)
        .arg("--data-dir")
        .arg(data)
        .env_remove("WATCHKEEPER_KEY")
        .env_remove("WATCHKEEPER_URL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting a command")?;
    let mut stdin = child.stdin.take().context("standard input")?;
    stdin.write_all(input.as_bytes()).await?;
    drop(stdin);
    let output = child.wait_with_output().await?;
    Ok((output.status.code().unwrap_or(-1), String::from_utf8(output.stdout)?))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_keys_and_users_are_managed_beside_a_running_server_and_through_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    let data = watchkeeper.data_dir();
    let mode = std::fs::metadata(data.join("local.token"))?.permissions().mode();
    ensure!(mode & 0o777 == 0o600, "the local token has mode {mode:o}");
    ensure!(watchkeeper.output().contains("/login?token="), "{}", watchkeeper.output());

    let (code, printed) = run_here(&data, &["user", "remove", "admin"], "").await?;
    ensure!(code == 1, "the last administrator stays: {code} {printed}");
    let elsewhere = data.join("mistyped");
    let (code, printed) = run_here(&elsewhere, &["user", "list"], "").await?;
    ensure!(code == 2 && !elsewhere.exists(), "a mistyped folder is not made: {code} {printed}");

    // A key made in the database of this machine is known to the server at once.
    let (code, printed) = run_here(&data, &["key", "create", "grafana", "--scope", "read"], "").await?;
    let key = printed.lines().last().context("a key")?.to_owned();
    ensure!(code == 0 && key.starts_with("wk_"), "{code} {printed}");
    let (code, printed) = watchkeeper.run(&["query", "1 + 1", "--key", &key]).await?;
    ensure!(code == 0 && printed.trim() == "2", "{code} {printed}");
    let (code, printed) = watchkeeper.run(&["user", "list", "--key", &key]).await?;
    ensure!(code == 3 && printed.contains("admin"), "a reader manages no users: {code} {printed}");

    // And one made through the API is shown by both ways.
    let (code, printed) =
        watchkeeper.run(&["key", "create", "ci", "--scope", "ingest,read", "--expires", "1d"]).await?;
    ensure!(code == 0, "{code} {printed}");
    for printed in [
        run_here(&data, &["key", "list", "--json"], "").await?.1,
        watchkeeper.run(&["key", "list", "--json"]).await?.1,
    ] {
        let keys: Vec<Value> = serde_json::from_str(&printed)?;
        let names: Vec<&Value> = keys.iter().map(|key| &key["name"]).collect();
        ensure!(names == ["ci", "grafana"], "{printed}");
        ensure!(
            keys[0]["scopes"] == json!(["ingest", "read"]) && keys[0]["expires_at"].is_string(),
            "{printed}"
        );
    }
    ensure!(watchkeeper.run(&["key", "revoke", "grafana"]).await?.0 == 0);
    ensure!(watchkeeper.run(&["query", "1", "--key", &key]).await?.0 == 3);

    let password = "correct horse battery";
    let added =
        run_here(&data, &["user", "add", "anna", "--role", "operator", "--password-stdin"], password).await?;
    ensure!(added.0 == 0 && !added.1.contains(password), "{added:?}");
    let login = json!({ "username": "anna", "password": password });
    let answer = watchkeeper.post("/api/v1/login", &login).await?;
    ensure!(answer.status == 200 && answer.body["role"] == "operator", "{answer:?}");
    let (code, printed) = watchkeeper.run(&["user", "passwd", "anna"]).await?;
    ensure!(code == 0, "{printed}");
    ensure!(watchkeeper.post("/api/v1/login", &login).await?.status == 401, "the old password still works");
    ensure!(watchkeeper.run(&["user", "remove", "anna"]).await?.0 == 0);

    let audited = watchkeeper.get("/api/v1/audit?action=user&actor=local").await?.body;
    ensure!(audited["total"] == 4, "{audited}");

    watchkeeper.terminate().await?;
    watchkeeper.start_again().await?;
    let again = watchkeeper.output();
    ensure!(again.matches("password").count() <= 2, "the password is printed once: {again}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_exit_codes_tell_what_happened() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules.yml");
    let text = "groups:\n- name: g\n  rules:\n  - alert: Always\n    expr: vector(1)\n    labels: {severity: warning}\n    annotations: {summary: it is so}\n";
    std::fs::write(&rules, text)?;
    let config = format!("[alerts]\ninterval = \"1s\"\nrules = [{:?}]\n", rules.display().to_string());
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    let (code, printed) = testkit::eventually("a warning", || async {
        Ok(Some(watchkeeper.run(&["check"]).await?).filter(|(_, printed)| printed.contains("Always")))
    })
    .await?;
    ensure!(code == 1 && printed.starts_with("WARNING  Always") && printed.contains("it is so"), "{printed}");
    ensure!(watchkeeper.run(&["query", "sum("]).await?.0 == 1);
    ensure!(watchkeeper.run(&["query", "up", "--from", "someday"]).await?.0 == 2);
    ensure!(watchkeeper.run(&["check", "--key", "wk_unknown"]).await?.0 == 3);
    let data = watchkeeper.data_dir();
    let nobody = format!("http://127.0.0.1:{}", testkit::free_port()?);
    ensure!(run_here(&data, &["check", "--url", &nobody], "").await?.0 == 3);

    let bad = folder.path().join("bad.yml");
    std::fs::write(&bad, "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(\n")?;
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, "[alerts]\nrules = [\"bad.yml\"]\n")?;
    let output = Command::new(binary()).args(["config", "check", "--config"]).arg(&broken).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(2) && said.contains("bad.yml:"), "{:?} {said}", output.status);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_check_is_not_fine_before_every_rule_was_evaluated_and_is_soon_after() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules.yml");
    let text = "groups:\n- name: g\n  interval: 1h\n  rules:\n  - alert: Never\n    expr: vector(1) > 2\n    labels: {severity: critical}\n  - alert: Late\n    expr: process_exits_total > 0\n    labels: {severity: critical}\n";
    std::fs::write(&rules, text)?;
    let config =
        format!("[pipeline]\ninterval = \"1s\"\n[alerts]\nrules = [{:?}]\n", rules.display().to_string());
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    // Collectors are given 15 seconds to look before.
    let (code, printed) = watchkeeper.run(&["check", "--quiet", "--severity", "critical"]).await?;
    let health = watchkeeper.get("/api/v1/rules").await?.body["items"][0]["health"].clone();
    if health == "unknown" {
        ensure!(code == 1 && printed == "WARNING  not evaluated yet: 2 rules\n", "{code} {printed}");
    }
    let (_, json) = watchkeeper.run(&["check", "--json"]).await?;
    let json: Value = serde_json::from_str(&json).with_context(|| json.clone())?;
    ensure!(json["unevaluated_rules"].is_array(), "{json}");
    testkit::eventually("a rule with an interval of an hour to be evaluated", || async {
        let (code, printed) = watchkeeper.run(&["check"]).await?;
        Ok((code == 0 && printed.starts_with("OK")).then_some(()))
    })
    .await?;
    // What is written soon after the start does not wait for the hour.
    let event =
        json!([{ "type": "process.exited", "event_id": "x-1", "name": "w", "cause": "signal", "host": "h" }]);
    ensure!(watchkeeper.post("/api/v1/events", &event).await?.status == 200, "the event is not taken");
    testkit::eventually("the rule to be evaluated again", || async {
        let (code, printed) = watchkeeper.run(&["check", "--severity", "critical"]).await?;
        Ok((code == 2 && printed.contains("Late")).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_store_is_checked_beside_its_server_and_a_flipped_byte_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    let data = watchkeeper.data_dir();
    let event = json!({ "type": "job.submitted", "event_id": "e1", "job_id": "j1", "queue": "q" });
    ensure!(watchkeeper.post("/api/v1/events", &event).await?.status == 200);
    let (code, printed) = run_here(&data, &["store", "verify"], "").await?;
    ensure!(code == 0 && printed.contains("all sound"), "{code} {printed}");
    let (code, printed) = run_here(&data, &["store", "status", "--json"], "").await?;
    let status: Value = serde_json::from_str(&printed)?;
    let files = status["files"].as_array().context("files")?;
    ensure!(status["archive"].is_null(), "{printed}");
    ensure!(code == 0 && files.iter().any(|file| file["kind"] == "wal"), "{code} {printed}");

    let (code, _) = run_here(&data, &["store", "compact"], "").await?;
    ensure!(code == 1, "a server has it open");
    watchkeeper.kill().await?;
    let segment = files.iter().find(|file| file["kind"] == "wal").context("a segment")?;
    let name = segment["path"].as_str().context("its name")?;
    let mut bytes = std::fs::read(data.join(name))?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(data.join(name), bytes)?;
    let (code, printed) = run_here(&data, &["store", "verify"], "").await?;
    ensure!(code == 1 && printed.contains(&format!("damaged: {name}: ")), "{code} {printed}");
    let (code, printed) = run_here(&data, &["store", "compact"], "").await?;
    ensure!(code == 0 && printed.contains("files were merged"), "{code} {printed}");
    let (code, _) = run_here(&data.join("mistyped"), &["store", "status"], "").await?;
    ensure!(code == 2);
    Ok(())
}

#[tokio::test]
async fn scenario_a_file_is_redacted_by_the_configuration_and_a_dry_run_shows_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("watchkeeper.toml");
    std::fs::write(
        &config,
        "[ingest.redaction]\nemails = false\n[ingest.redaction.patterns]\ncase = 'CASE-\\d+'\n",
    )?;
    let redact = async |arguments: &[&str], input: &str| -> Result<(i32, String)> {
        let mut child = Command::new(binary())
            .arg("redact")
            .args(arguments)
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting a command")?;
        let mut stdin = child.stdin.take().context("standard input")?;
        stdin.write_all(input.as_bytes()).await?;
        drop(stdin);
        let output = child.wait_with_output().await?;
        Ok((output.status.code().unwrap_or(-1), String::from_utf8(output.stdout)?))
    };
    let input = "CASE-12 of a@b.org\nnothing\npassword=abcd1\n";
    let (code, printed) = redact(&["-"], input).await?;
    ensure!(
        code == 0 && printed == "[redacted:case] of a@b.org\nnothing\npassword=[redacted:assigned_secret]\n",
        "{code} {printed}"
    );
    let (code, printed) = redact(&["--dry-run", "-"], input).await?;
    ensure!(
        code == 0 && printed.contains("1: [-CASE-12-]{+[redacted:case]+} of a@b.org"),
        "{code} {printed}"
    );
    ensure!(printed.contains("2 of 3 texts would change") && !printed.contains("nothing"), "{printed}");
    let (code, printed) = redact(&["--dry-run", "--json", "-"], input).await?;
    let last: Value = serde_json::from_str(printed.lines().last().context("a summary")?)?;
    ensure!(code == 0 && last["summary"]["changed"] == 2, "{code} {printed}");
    ensure!(redact(&["/nonexistent"], "").await?.0 == 1);
    std::fs::write(&config, "[ingest.redaction.patterns]\ncase = 'CASE-('\n")?;
    ensure!(redact(&["-"], "").await?.0 == 2);
    Ok(())
}
