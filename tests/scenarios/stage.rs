//! The setting of a scenario: the binary, the example pipeline, the shipped rules.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use serde_json::Value;
use testkit::{Launched, Watchkeeper};
use tokio::process::Command;

/// The binary under test: the one that was built with the tests, or the one that `WATCHKEEPER_BINARY` names.
pub(crate) fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let named = std::env::var_os("WATCHKEEPER_BINARY").map(PathBuf::from);
        named.unwrap_or_else(|| env!("CARGO_BIN_EXE_watchkeeper").into())
    });
    &BINARY
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The shipped rules with every `for` cut to `hold`, so that a test sees a condition hold.
pub(crate) fn impatient_rules(folder: &Path, hold: &str) -> Result<PathBuf> {
    let shipped =
        std::fs::read_to_string(root().join("rules/pipeline.yml")).context("reading the shipped rules")?;
    let cut: String = shipped
        .lines()
        .map(|line| match line.split_once("for:") {
            Some((indent, _)) if indent.trim().is_empty() => format!("{indent}for: {hold}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let path = folder.join("rules.yml");
    std::fs::write(&path, cut).context("writing rules")?;
    Ok(path)
}

/// The configuration of the example pipeline, for this Redis, looking every second.
pub(crate) fn docpipe_config(redis_url: &str) -> Result<String> {
    let path = root().join("examples/docpipe/watchkeeper.toml");
    let text = std::fs::read_to_string(&path).context("reading the example's configuration")?;
    Ok(text.replace("redis://127.0.0.1:6379/0", redis_url))
}

/// Starts the example pipeline.
pub(crate) fn docpipe(
    folder: &Path,
    redis_url: &str,
    watchkeeper: &Watchkeeper,
    options: &[&str],
) -> Result<Launched> {
    let mut command = Command::new(testkit::python());
    command
        .current_dir(root().join("examples/docpipe"))
        .args([
            "-m",
            "docpipe",
            "--gateway-port",
            "0",
            "--redis",
            redis_url,
            "--watchkeeper",
            &watchkeeper.url(""),
        ])
        .arg("--log-dir")
        .arg(folder.join("logs"))
        .args(options);
    Launched::start(&mut command, &folder.join("docpipe.log"))
}

/// All items of a list of the API, page by page.
pub(crate) async fn all(watchkeeper: &Watchkeeper, path: &str) -> Result<Vec<Value>> {
    let mut items: Vec<Value> = Vec::new();
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let answer = watchkeeper.get(&format!("{path}{joint}limit=100&offset={}", items.len())).await?;
        anyhow::ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.body);
        let page = answer.body["items"].as_array().context("a list without items")?;
        let total = answer.body["total"].as_u64().context("a list without a total")?;
        items.extend(page.iter().cloned());
        if page.is_empty() || items.len() as u64 >= total {
            return Ok(items);
        }
    }
}

/// The alert with this name, if it is known.
pub(crate) async fn alert(watchkeeper: &Watchkeeper, name: &str) -> Result<Option<Value>> {
    Ok(all(watchkeeper, "/api/v1/alerts")
        .await?
        .into_iter()
        .find(|alert| alert["labels"]["alertname"] == name))
}
