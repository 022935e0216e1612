//! The SDK for JavaScript, over gRPC and over HTTP as protobuf and as JSON.

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::{closed, everything, receiver, report};
use crate::stage::root;

/// What it sends over, with the port of the server and the name that the service has for it.
const PROTOCOLS: [(&str, &str, &str); 3] =
    [("grpc", "grpc", "grpc"), ("http/protobuf", "http", "proto"), ("http/json", "http", "http")];

#[tokio::test(flavor = "multi_thread")]
async fn scenario_the_javascript_sdk_reports_over_grpc_and_as_protobuf_and_json() -> Result<()> {
    let script = root().join("tests/otlp-js/telemetry.mjs");
    let packages = root().join("tests/otlp-js/node_modules");
    ensure!(packages.exists(), "{} is missing: run scripts/prepare.sh otlp-js", packages.display());
    let folder = tempfile::tempdir()?;
    let (watchkeeper, key) = closed(folder.path()).await?;
    for (protocol, transport, name) in PROTOCOLS {
        let endpoint = format!("http://{}", receiver(&watchkeeper, transport).await?);
        for (temporality, compression) in [("delta", "gzip"), ("cumulative", "none")] {
            let mut program = Command::new("node");
            program.arg(&script).args([protocol, temporality]);
            let sent = report(&mut program, &endpoint, Some(compression), &key).await?;
            let service = format!("js-{name}-{temporality}");
            everything::check(&watchkeeper, &service, &sent)
                .await
                .with_context(|| format!("{service} sent {sent}"))?;
        }
    }
    Ok(())
}
