//! The processes with the most memory, and how fast they grow.

use std::collections::HashMap;

use async_trait::async_trait;
use pipeline::ProcessSnapshot;
use promql::Query;

use super::table::{CheckVerdict, change};
use super::{Check, CheckError, Context, MAX_ROWS, Table, bytes, none, share, text};

/// What each process has gained within a window, by host and process id. A process that is younger
/// than the window has gained what it has gained since it was first seen.
const GAINED_10M: &str =
    "process_resident_memory_bytes - first_over_time(process_resident_memory_bytes[10m])";
const GAINED_1H: &str = "process_resident_memory_bytes - first_over_time(process_resident_memory_bytes[1h])";

pub(super) struct TopProcesses;

/// Bytes by host and process id.
type Gains = HashMap<(String, String), f64>;

#[async_trait]
impl Check for TopProcesses {
    fn name(&self) -> &'static str {
        "top_processes_by_memory"
    }

    fn title(&self) -> &'static str {
        "Processes with the most memory"
    }

    async fn run(&self, context: &Context) -> Result<Table, CheckError> {
        let top = listed(context);
        // What the processes hold now is worth showing also when the store cannot be asked.
        let (short, long) = futures::join!(gains(context, GAINED_10M), gains(context, GAINED_1H));
        let unknown = short.as_ref().err().or(long.as_ref().err()).map(ToString::to_string);
        let (short, long) = (short.unwrap_or_default(), long.unwrap_or_default());
        let key = |host: &str, process: &ProcessSnapshot| (host.to_owned(), process.pid.to_string());
        let rows = top.iter().map(|(host, process)| {
            let key = key(host, process);
            let gained = |gains: &Gains| gains.get(&key).copied().map_or_else(none, change);
            [
                host.clone(),
                process.pid.to_string(),
                process.name.clone(),
                bytes(process.rss_bytes),
                gained(&short),
                gained(&long),
                share(process.memory_ratio),
                share(process.cpu_ratio),
                text(process.group.as_deref()),
                process.command.clone(),
            ]
        });
        let columns =
            ["host", "pid", "name", "memory", "10 min", "1 h", "of host", "cpu", "group", "command"];
        let mut table = Table::new(columns, rows).or_else_note("no collector has reported processes");
        for (host, process) in &top {
            let key = key(host, process);
            table =
                judge(context, table, host, process, [&short, &long].map(|gains| gains.get(&key).copied()));
        }
        if let Some(error) = unknown {
            table = table.judged(CheckVerdict::Look, format!("how they grow is not known: {error}"));
        }
        if table.reason.is_empty() {
            let limit = context.config().growth_bytes;
            table = table.judged(CheckVerdict::Fine, format!("none has gained {limit} within an hour"));
        }
        Ok(table)
    }
}

/// How many processes are looked through for those that the alert is about.
const LOOKED_THROUGH: usize = 1_000;

/// Those that the alert is about first, then those with the most memory.
fn listed(context: &Context) -> Vec<(String, ProcessSnapshot)> {
    let mut processes = context.pipeline().hosts().top_processes_by_memory(LOOKED_THROUGH);
    let (pid, group) = (context.label("pid"), context.label("group"));
    let is_about = |(host, process): &(String, ProcessSnapshot)| {
        let here = context.label("host").is_none_or(|name| name == host);
        here && match (pid, group) {
            (Some(pid), _) => process.pid.to_string() == pid,
            (None, Some(group)) => process.group.as_deref() == Some(group),
            (None, None) => false,
        }
    };
    processes.sort_by_key(|process| !is_about(process));
    processes.truncate(MAX_ROWS);
    processes
}

/// Growth is worth a look above the configured limit, and bad when the host has no room for as much
/// again.
fn judge(
    context: &Context,
    table: Table,
    host: &str,
    process: &ProcessSnapshot,
    [short, long]: [Option<f64>; 2],
) -> Table {
    let gained = long.unwrap_or(0.0).max(short.unwrap_or(0.0));
    if gained < context.config().growth_bytes.0 as f64 {
        return table;
    }
    let free = context.pipeline().hosts().get(host).map(|view| view.host.memory_available_bytes);
    let within = if long >= short { "an hour" } else { "10 minutes" };
    let (name, pid, gain) = (&process.name, process.pid, change(gained));
    match free.filter(|free| *free > 0 && (*free as f64) < gained) {
        Some(free) => table.judged(
            CheckVerdict::Bad,
            format!("{name} ({pid}) has gained {gain} within {within}, and {host} has {} left", bytes(free)),
        ),
        None => table.judged(CheckVerdict::Look, format!("{name} ({pid}) has gained {gain} within {within}")),
    }
}

async fn gains(context: &Context, query: &str) -> Result<Gains, CheckError> {
    let query = Query::parse(query).map_err(crate::evaluate::EvaluateError::Query)?;
    let found = context.sources.evaluator.evaluate(&query, context.now).await?;
    let label = |finding: &crate::evaluate::Finding, name| finding.labels.get(name).unwrap_or("").to_owned();
    Ok(found
        .into_iter()
        .map(|finding| ((label(&finding, "host"), label(&finding, "pid")), finding.value))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_queries_are_promql() {
        for query in [GAINED_10M, GAINED_1H] {
            assert!(Query::parse(query).is_ok(), "{query}");
        }
    }
}
