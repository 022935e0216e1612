//! Sends by OpenTelemetry's SDK for Rust, and prints as JSON what it sent: a known set of everything (`telemetry`), or
//! numbered spans and records of logs until its standard input ends (`numbered`).
//!
//! `otlp-rust telemetry grpc|http SERVICE` or `otlp-rust numbered grpc|http SERVICE`; everything else comes by the SDK's
//! own variables (`OTEL_EXPORTER_OTLP_…`, `OTEL_BSP_…`, `OTEL_BLRP_…`), but for the retries, which have none.

mod exporters;
mod numbered;
mod telemetry;

use anyhow::{Context, Result, bail};

use crate::exporters::Transport;

fn main() -> Result<()> {
    // Exporters over gRPC have their connections on the runtime in which they are made.
    let runtime = tokio::runtime::Runtime::new().context("starting a runtime")?;
    let _entered = runtime.enter();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, transport, service] = &arguments[..] else { bail!("what, over what, and as which service?") };
    let transport = Transport::named(transport)?;
    let sent = match what.as_str() {
        "telemetry" => telemetry::send(transport, service)?,
        "numbered" => numbered::send(transport, service)?,
        _ => bail!("`{what}` is neither `telemetry` nor `numbered`"),
    };
    println!("{sent}");
    Ok(())
}
