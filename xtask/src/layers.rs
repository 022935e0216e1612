//! A crate depends only on lower layers; inside a layer only where the plan says so.
//!
//! Certain libraries belong to one crate alone, so that what they do has one home.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Layer of each crate.
const LAYERS: &[(&str, u8)] = &[
    ("model", 0),
    ("store", 1),
    ("protocol", 1),
    ("search", 1),
    ("engine", 2),
    ("clickhouse", 2),
    ("state", 2),
    ("promql", 2),
    ("tabular", 2),
    ("ingest", 3),
    ("pipeline", 3),
    ("collect", 3),
    ("alert", 3),
    ("records", 3),
    ("report", 3),
    ("server", 4),
    ("cli", 5),
];

/// Who may depend on whom inside a layer.
const BESIDE: &[(&str, &str)] = &[
    ("engine", "tabular"),
    ("alert", "pipeline"),
    ("alert", "ingest"),
    ("report", "alert"),
    ("report", "pipeline"),
    ("collect", "ingest"),
    ("collect", "pipeline"),
    ("pipeline", "ingest"),
];

/// Libraries that only the named crates use.
const HOMES: &[(&str, &[&str])] = &[
    ("parquet", &["engine", "tabular"]),
    ("datafusion", &["engine"]),
    ("object_store", &["engine"]),
    ("rusqlite", &["engine"]),
    ("sqlx", &["state"]),
    ("axum", &["server"]),
    ("nvml-wrapper", &["collect"]),
    ("tonic", &["server"]),
    ("lettre", &["alert"]),
    ("redis", &["collect"]),
    ("tokio-postgres", &["collect"]),
    ("rusty-s3", &["collect"]),
    ("procfs", &["collect"]),
    ("clap", &["cli"]),
];

/// Crates that only tests may use.
const TESTS_ONLY: &[&str] = &["testkit"];

/// Every dependency that breaks a rule.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("running cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).context("reading cargo's metadata")?;
    let mut faults = Vec::new();
    for package in metadata["packages"].as_array().context("metadata without packages")? {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            faults.extend(fault(name, on, dependency["kind"].as_str() == Some("dev")));
        }
    }
    Ok(faults)
}

fn layer(name: &str) -> Option<u8> {
    LAYERS.iter().find(|(known, _)| *known == name).map(|(_, layer)| *layer)
}

/// What is wrong with `name` depending on `on`.
fn fault(name: &str, on: &str, for_tests: bool) -> Option<String> {
    if for_tests || name == "xtask" {
        return None;
    }
    if TESTS_ONLY.contains(&on) {
        return Some(format!("{name} depends on {on}, which is for tests: make it a dev-dependency"));
    }
    if let Some((_, homes)) = HOMES.iter().find(|(library, _)| *library == on)
        && !homes.contains(&name)
    {
        return Some(format!("{name} depends on {on}, which belongs to {} alone", homes.join(", ")));
    }
    let on_layer = layer(on)?;
    if name == "testkit" {
        return Some(format!("testkit depends on {on}: it speaks to the house from outside"));
    }
    match layer(name) {
        None => Some(format!("{name} has no layer: give it one in xtask/src/layers.rs and ARCHITECTURE.md")),
        Some(own) if own > on_layer || BESIDE.contains(&(name, on)) => None,
        Some(_) => Some(format!("{name} depends on {on}, which is not below it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_points_upwards_is_found() {
        assert_eq!(
            fault("model", "store", false).as_deref(),
            Some("model depends on store, which is not below it")
        );
        assert!(fault("collect", "alert", false).is_some(), "beside, and not allowed");
        assert!(fault("server", "parquet", false).is_some(), "a library away from home");
        assert!(fault("server", "testkit", false).is_some());
        assert!(fault("newcomer", "model", false).is_some(), "a crate without a layer");
    }

    #[test]
    fn what_the_plan_allows_is_no_fault() {
        for (name, on) in
            [("store", "model"), ("alert", "pipeline"), ("cli", "engine"), ("engine", "parquet")]
        {
            assert_eq!(fault(name, on, false), None, "{name} on {on}");
        }
        assert_eq!(fault("server", "testkit", true), None);
    }
}
