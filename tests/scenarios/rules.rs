//! Rules: checked and tested on the command line as Prometheus' promtool does it, and read again while the server runs.

use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Watchkeeper, eventually};
use tokio::process::Command;

use crate::stage::{binary, root};

async fn ours(arguments: &[&str]) -> Result<(i32, String, String)> {
    ended(Command::new(binary()).args(arguments).output().await.context("starting a command")?)
}

async fn promtool(arguments: &[&str]) -> Result<(i32, String, String)> {
    let output = Command::new("promtool").args(arguments).output().await;
    ended(output.context("starting promtool; `scripts/prepare.sh prometheus` installs it")?)
}

fn ended(output: Output) -> Result<(i32, String, String)> {
    let code = output.status.code().unwrap_or(-1);
    Ok((code, String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

/// A copy of the fixtures, to change.
fn fixtures(folder: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(root().join("tests/fixtures/rules"))? {
        let entry = entry?;
        std::fs::copy(entry.path(), folder.join(entry.file_name()))?;
    }
    Ok(folder.to_owned())
}

fn change(path: &Path, from: &str, to: &str) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    ensure!(text.contains(from), "{} has no `{from}`", path.display());
    Ok(std::fs::write(path, text.replacen(from, to, 1))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_unit_tests_of_rules_end_as_in_promtool() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = fixtures(folder.path())?;
    for name in ["states_test.yml", "templates_test.yml"] {
        let path = folder.join(name);
        let (code, said, more) = ours(&["rules", "test", text(&path)?]).await?;
        ensure!(code == 0 && said.contains("1 tests passed, 0 failed"), "{said}{more}");
        let (code, said, more) = promtool(&["test", "rules", text(&path)?]).await?;
        ensure!(code == 0, "promtool: {said}{more}");
    }
    let faults = [
        ("states_test.yml", "value: 180", "value: 181"),
        ("states_test.yml", "summary: one of a has been down", "summary: all is well"),
        (
            "states_test.yml",
            "{ eval_time: 4m, alertname: InstanceDown }",
            "{ eval_time: 5m, alertname: InstanceDown }",
        ),
        ("states_test.yml", "evaluation_interval", "evaluation_intervall"),
        ("states_test.yml", "1x2 0x3", "1x2 0y3"),
        ("templates_test.yml", "25m 0.025", "26m 0.025"),
        ("states.yml", "for: 2m", "for: 3m"),
    ];
    for (name, from, to) in faults {
        let changed = tempfile::tempdir()?;
        let changed = fixtures(changed.path())?;
        change(&changed.join(name), from, to)?;
        let path = changed.join(if name == "states.yml" { "states_test.yml" } else { name });
        let (code, said, _) = ours(&["rules", "test", text(&path)?]).await?;
        ensure!(code == 1 && said.contains("FAILED"), "{to}: {code} {said}");
        let (code, said, more) = promtool(&["test", "rules", text(&path)?]).await?;
        ensure!(code == 1, "promtool takes {to}: {said}{more}");
    }
    change(&folder.join("states_test.yml"), "value: 180", "value: 181")?;
    let path = folder.join("states_test.yml");
    let (code, said, _) = ours(&["rules", "test", text(&path)?, "--json"]).await?;
    let said: Value = serde_json::from_str(&said)?;
    let failure = &said["files"][0]["tests"][0]["failures"][0];
    ensure!(code == 1 && said["passed"] == false && failure["time"] == "5m", "{said}");
    ensure!(failure["missing"][0].as_str().is_some_and(|line| line.ends_with(" 181")), "{failure}");
    ensure!(failure["unexpected"][0].as_str().is_some_and(|line| line.ends_with(" 180")), "{failure}");
    let (code, said, _) = ours(&["rules", "test", text(&path)?, "--run", "^another$"]).await?;
    ensure!(code == 0 && said.contains("0 tests passed"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_rule_files_are_refused_where_promtool_refuses_them() -> Result<()> {
    let shipped = root().join("rules/pipeline.yml");
    let (code, said, more) = ours(&["rules", "check", text(&shipped)?]).await?;
    ensure!(code == 0 && said.contains("67 alerting rules, 0 recording rules"), "{said}{more}");
    let folder = tempfile::tempdir()?;
    let folder = fixtures(folder.path())?;
    // What is changed, and the line and column where it stands then.
    let faults = [
        ("for: 2m", "for: soon", "16:14"),
        ("for: 2m", "form: 2m", "16:9"),
        ("expr: sum by (job) (up)", "expr: sum by (job (up)", "6:27"),
        ("$labels.instance", "$labels.instance | frobnicate", "19:20"),
        ("record: only:down", "record: only:down\n        for: 2m", ""),
        ("record: only:down", "record: only{down}", "10:17"),
        ("  - name: alerts", "  - name: records", "12:11"),
        ("- alert: Kept", "- alert: Kept\n        record: kept", ""),
    ];
    for (from, to, place) in faults {
        let path = folder.join("broken.yml");
        std::fs::copy(folder.join("states.yml"), &path)?;
        change(&path, from, to)?;
        let (code, _, said) = ours(&["rules", "check", text(&path)?]).await?;
        ensure!(code == 1 && said.starts_with(&format!("{}:{place}", path.display())), "{to}: {said}");
        let (code, said, more) = promtool(&["check", "rules", text(&path)?]).await?;
        ensure!(code != 0, "promtool takes {to}: {said}{more}");
    }
    let path = folder.join("broken.yml");
    let (code, said, _) = ours(&["rules", "check", text(&path)?, text(&shipped)?, "--json"]).await?;
    let said: Value = serde_json::from_str(&said)?;
    ensure!(code == 1 && said["passed"] == false, "{said}");
    let error = &said["files"][0]["errors"][0];
    ensure!(error["line"].as_u64().is_some() && error["column"].as_u64().is_some(), "{said}");
    ensure!(said["files"][1]["errors"] == json!([]) && said["files"][1]["alerting_rules"] == 67, "{said}");
    Ok(())
}

/// The names of rules that the server evaluates.
async fn names(watchkeeper: &Watchkeeper) -> Result<Vec<String>> {
    let answer = watchkeeper.get("/prometheus/api/v1/rules").await?;
    let groups = answer.body["data"]["groups"].as_array().context("groups")?;
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().into_iter().flatten());
    Ok(rules.filter_map(|rule| rule["name"].as_str().map(str::to_owned)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_rules_are_read_again_and_a_broken_file_changes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("own.yml");
    let rules = "groups:\n- name: own\n  interval: 1s\n  rules:\n  - record: one\n    expr: vector(1)\n";
    std::fs::write(&path, rules)?;
    let config = format!("[alerts]\nrules = [\"{}\"]\n", path.display());
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    let value = |name: &'static str| {
        let watchkeeper = &watchkeeper;
        async move {
            let answer = watchkeeper.get(&format!("/prometheus/api/v1/query?query={name}")).await?;
            Ok::<_, anyhow::Error>(answer.body["data"]["result"][0]["value"][1].as_str().map(str::to_owned))
        }
    };
    eventually("the first rule is recorded", || async {
        Ok(value("one").await?.filter(|value| value == "1"))
    })
    .await?;

    // Another rule, which builds on one before it; what is recorded no more ends at once.
    std::fs::write(
        &path,
        rules.replace("record: one", "record: two") + "  - record: three\n    expr: two + 2\n",
    )?;
    eventually("the new rules are recorded", || async {
        Ok(value("three").await?.filter(|value| value == "3"))
    })
    .await?;
    eventually("the old series has ended", || async { Ok(value("one").await?.is_none().then_some(())) })
        .await?;
    ensure!(names(&watchkeeper).await? == ["two", "three"]);

    // A broken file: said with its place, and nothing changes.
    std::fs::write(&path, rules.replace("vector(1)", "vector(1"))?;
    let refused = eventually("the broken file is refused", || async {
        let answer = watchkeeper.get("/api/v1/rules/reload").await?;
        Ok(answer.body["error"].as_str().map(str::to_owned))
    })
    .await?;
    ensure!(
        refused.starts_with(&format!("{}:6:19: could not parse expression", path.display())),
        "{refused}"
    );
    ensure!(names(&watchkeeper).await? == ["two", "three"]);
    ensure!(value("three").await?.is_some(), "the old rules go on");
    let metrics = watchkeeper.text("/metrics").await?;
    ensure!(metrics.contains("watchkeeper_rules_last_reload_successful 0"), "{metrics}");

    std::fs::write(&path, rules)?;
    eventually("the mended file is taken", || async {
        Ok((names(&watchkeeper).await? == ["one"]).then_some(()))
    })
    .await?;
    let answer = watchkeeper.get("/api/v1/rules/reload").await?;
    ensure!(answer.body["error"].is_null() && answer.body["follows"] == true, "{}", answer.body);
    Ok(())
}
