//! The SDK for Rust, over gRPC and over HTTP as protobuf.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::{closed, everything, receiver, report};

/// The program of `tests/otlp-rust`, as `make test` has built it.
pub(super) fn program() -> Result<Command> {
    let folder = std::env::var_os("WATCHKEEPER_OTLP_RUST").map_or_else(
        || {
            let cache = std::env::var_os("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
                .unwrap_or_default();
            cache.join("watchkeeper/otlp-rust")
        },
        PathBuf::from,
    );
    let program = folder.join("debug/otlp-rust");
    ensure!(program.exists(), "{} is missing: run scripts/prepare.sh otlp-rust", program.display());
    Ok(Command::new(program))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_the_rust_sdk_reports_over_grpc_and_http() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (watchkeeper, key) = closed(folder.path()).await?;
    for transport in ["grpc", "http"] {
        let endpoint = format!("http://{}", receiver(&watchkeeper, transport).await?);
        for temporality in ["delta", "cumulative"] {
            let service = format!("rust-{transport}-{temporality}");
            let mut program = program()?;
            program
                .args(["telemetry", transport, &service])
                .env("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality);
            // Its exporters pack nothing unless they are compiled so.
            let sent = report(&mut program, &endpoint, None, &key).await?;
            everything::check(&watchkeeper, &service, &sent)
                .await
                .with_context(|| format!("{service} sent {sent}"))?;
        }
    }
    Ok(())
}
