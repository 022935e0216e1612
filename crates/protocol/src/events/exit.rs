//! `process.exited`: a process ended in a way that somebody should know of.

use std::collections::BTreeMap;

use model::event::{ExitCause, ExitEvent};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::envelope::Envelope;
use super::fields::{Amount, Count, Text, Whole, bytes, count, first_text, text};
use super::{EventType, attributes, required};

/// A process that ended.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["name"]))]
#[schemars(rename = "ExitFields")]
pub(super) struct WireExit {
    /// The program's name. Required.
    name: Option<Text>,
    /// What ended it. Left out, it follows from `signal` and `exit_code`; without those it is `unknown`.
    cause: Option<WireCause>,
    /// The signal that ended it: a name (`SIGKILL`, `KILL`) or a number.
    signal: Option<Text>,
    /// The exit code. A negative one is the signal of that number, as Python writes it.
    exit_code: Option<Whole>,
    /// The host that it ran on.
    host: Option<Text>,
    /// Another name of `host`.
    hostname: Option<Text>,
    /// Its process id on that host.
    pid: Option<Count>,
    /// Its command line. Secrets in it are masked.
    command: Option<Text>,
    /// The group of processes that it belonged to.
    group: Option<Text>,
    /// The unit of the service manager that it ran in.
    unit: Option<Text>,
    /// The control group that it ran in.
    cgroup: Option<Text>,
    /// The worker that it was.
    worker_id: Option<Text>,
    /// Resident memory at its end, in megabytes (1,048,576 bytes).
    memory_rss_mb: Option<Amount>,
    /// Resident memory at its end, in bytes.
    memory_rss_bytes: Option<Count>,
    /// The part of that which no file stands behind, in bytes.
    memory_anon_bytes: Option<Count>,
    /// Virtual memory at its end, in bytes.
    memory_vms_bytes: Option<Count>,
    /// What was said of it, in words.
    message: Option<Text>,
    /// Further facts, kept as text; unknown fields are added to them.
    attributes: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

/// What ended a process.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum WireCause {
    /// The kernel, or an out-of-memory daemon, for want of memory.
    OomKill,
    /// A signal that it did not handle.
    Signal,
    /// It ended by itself, with an exit code.
    Exit,
    /// Nobody can tell.
    Unknown,
}

pub(super) fn translate(
    wire: WireExit,
    mut envelope: Envelope,
    dropped: &mut usize,
) -> Result<ExitEvent, String> {
    let name = required(text(wire.name), EventType::Exit.as_str(), "`name`")?;
    let code = wire.exit_code.map(|code| code.0);
    // Python's way to say "by a signal".
    let by_code = code.filter(|code| *code < 0).map(i64::unsigned_abs).and_then(model::signal_name);
    let signal = match text(wire.signal) {
        Some(said) => Some(signal(&said)?),
        None => by_code,
    };
    let exit_code = code.filter(|code| *code >= 0);
    let cause = match wire.cause {
        Some(WireCause::OomKill) => ExitCause::OomKill,
        Some(WireCause::Signal) => ExitCause::Signal,
        Some(WireCause::Exit) => ExitCause::Exit,
        Some(WireCause::Unknown) => ExitCause::Unknown,
        None if signal.is_some() => ExitCause::Signal,
        None if exit_code.is_some() => ExitCause::Exit,
        None => ExitCause::Unknown,
    };
    Ok(ExitEvent {
        time: envelope.time(None),
        event_id: envelope.event_id(None),
        cause,
        name,
        host: first_text([wire.host, wire.hostname]),
        pid: count(wire.pid),
        command: text(wire.command),
        group: text(wire.group),
        unit: text(wire.unit),
        cgroup: text(wire.cgroup),
        worker_id: text(wire.worker_id),
        signal,
        exit_code,
        memory_rss_bytes: bytes(wire.memory_rss_bytes, wire.memory_rss_mb),
        memory_anon_bytes: count(wire.memory_anon_bytes),
        memory_vms_bytes: count(wire.memory_vms_bytes),
        message: text(wire.message),
        attributes: attributes::join(wire.attributes, wire.unknown, dropped),
    })
}

/// One spelling for each signal: `9`, `KILL`, `sigkill` and `SIGKILL` are all `SIGKILL`.
fn signal(said: &str) -> Result<String, String> {
    if let Ok(number) = said.parse::<u64>() {
        return model::signal_name(number)
            .ok_or_else(|| format!("`signal`: there is no signal {number}; they are 1 to 64"));
    }
    let upper = said.to_ascii_uppercase();
    let name = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    let is_name =
        name.len() <= 16 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-".contains(&byte));
    if is_name { Ok(name) } else { Err("`signal` is a name like SIGKILL, or a number".to_owned()) }
}
