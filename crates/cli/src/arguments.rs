//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::{
    audit, check, completion, config, diagnose, export, key, logs, man, query, queue, redact, rules, serve,
    snapshot, sql, store, top, user, version,
};

/// Watches pipelines that do long, heavy jobs, and says what waits, what is stuck and what will break.
#[derive(Debug, Parser)]
#[command(name = "watchkeeper", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Start with:\n  watchkeeper serve\n\n\
    Exit codes: 0 fine, 1 failed, 2 the command line or the configuration is wrong, 3 the server cannot be reached.\n\
    `check` has its own: see `watchkeeper check --help`.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch: collect, take events, evaluate rules, answer on HTTP
    #[command(
        after_help = "Without a configuration it watches this host, its processes, and a Redis on 127.0.0.1:6379 when there is one.\n\n\
        Examples:\n  watchkeeper serve\n  watchkeeper serve --config watchkeeper.toml --data-dir /srv/watchkeeper --listen 0.0.0.0:7654\n\n\
        Exit codes: 0 stopped by a signal, 1 failed, 2 the configuration is wrong, 4 the disk failed while data was written."
    )]
    Serve(serve::Serve),
    /// Print one line for each alert that fires
    #[command(
        after_help = "Exit codes: 0 fine, 1 something deserves a look (warning), 2 something is broken (error, critical), \
        3 the server cannot be reached.\nA wrong command line ends with 2 as well.\n\n\
        Examples:\n  watchkeeper check\n  watchkeeper check --severity warning --queue llm_tasks\n  \
        watchkeeper check --url http://watch.example.org:7654 --key \"$KEY\" --json\n\n\
        In cron, which mails what is printed:\n  */5 * * * * watchkeeper check --quiet --severity warning --unacknowledged"
    )]
    Check(check::Check),
    /// Show queues, workers, jobs, alerts, hosts and recent errors in the terminal, live
    #[command(
        after_help = "Keys: 1-6 or Tab go to a panel, arrows move, Enter opens details, a takes an alert on, / filters, s sorts, \
        z zooms, Space pauses, ? explains, q ends.\n\n\
        Examples:\n  watchkeeper top\n  watchkeeper top --url http://watch.example.org:7654 --key \"$KEY\"\n  COLUMNS=120 watchkeeper top --once\n\n\
        Exit codes: 0 ended, 1 the terminal cannot be used, 2 the command line is wrong or there is no terminal, \
        3 (--once) the server cannot be reached."
    )]
    Top(top::Top),
    /// Write resources and queues as one JSON object a line, once or at an interval
    #[command(
        after_help = "A line is {\"timestamp\", \"resources\": {\"memory_mb\", \"cpu_percent\", \"active_jobs\"}, \"queues\": {NAME: \
        {\"pending\", \"processing\", \"delayed\", \"dead\", \"completed\", \"failed\"}}}.\n\n\
        memory_mb (of 1024 * 1024 bytes) and cpu_percent (100 is one core) are the sums over the processes of the watched groups, \
        `[[processes.groups]]` in the configuration, without Watchkeeper itself. When no such process runs they are the host's: \
        the memory in use and the CPU of all its cores. With --group they are those of the groups named, and null when none of \
        their processes runs. active_jobs are the jobs that run. completed and failed count from the start of the server.\n\n\
        A server that does not answer is said on standard error and counted; the next interval tries again.\n\n\
        Examples:\n  watchkeeper snapshot\n  watchkeeper snapshot --every 60s --out metrics.jsonl\n\n\
        Exit codes: 0 written, or ended by a signal, 1 the file cannot be written, 2 the command line is wrong, \
        3 (without --every) the server cannot be reached."
    )]
    Snapshot(snapshot::Snapshot),
    /// Evaluate a PromQL expression
    #[command(
        after_help = "Times are RFC 3339, seconds since the epoch, `now`, or a duration before now: 1h.\n\n\
        Examples:\n  watchkeeper query 'queue_depth'\n  watchkeeper query 'rate(queue_completed_total[5m])' --from 6h --step 5m\n  \
        watchkeeper query 'queue_depth{state=\"pending\"}' --from 1h --plot\n\n\
        Exit codes: 0 answered, 1 the expression cannot be evaluated, 2 the command line is wrong, 3 the server cannot be reached."
    )]
    Query(query::Query),
    /// Answer a statement of SQL over everything that is stored
    #[command(
        after_help = "Tables are those of events, as requests, logs and spans, and samples; --schema lists them, --schema TABLE its columns. \
        A condition on `time` passes over what is older or newer; attributes are attributes['key'].\n\n\
        Rows come from the server; from the store itself when none runs, or when --data-dir names one that no server has open.\n\n\
        Examples:\n  watchkeeper sql 'SELECT service, count(*) FROM logs WHERE level = '\\''error'\\'' GROUP BY service'\n  \
        watchkeeper sql --schema spans\n  watchkeeper sql --file slow.sql --out slow.csv\n  \
        watchkeeper sql \"SELECT * FROM requests WHERE time > now() - interval '1 hour'\" --format ndjson | jq .path\n\n\
        Exit codes: 0 answered, 1 the statement cannot be answered, 2 the command line is wrong or the file is there already, \
        3 the server cannot be reached or broke off."
    )]
    Sql(sql::Sql),
    /// Write events or series to a file: Parquet, CSV or NDJSON
    #[command(
        after_help = "TABLE is one of job_events, stage_events, component_events, worker_events, requests, llm_calls, feedback, \
        deploys, process_exits, exemplars, logs, spans. SELECTOR is PromQL's. Series become a row for each point: time, value, name, and a column for each \
        label (more than 128 labels: one column `labels`). Times are RFC 3339, a date, seconds since the epoch, `now`, or a duration \
        before now: 7d.\n\n\
        The file appears when it is whole. Rows come from the server; from the store itself when none runs, or when --data-dir names \
        one that no server has open.\n\n\
        Examples:\n  watchkeeper export requests --from 2026-11-01 --to now --out requests.parquet\n  \
        watchkeeper export '{__name__=~\"http_.*\",job=\"api\"}' --out http.csv\n  \
        watchkeeper export job_events --from 1d --format ndjson | jq .job_id\n\n\
        Exit codes: 0 written, 1 it failed, 2 the command line is wrong or the file is there already, 3 the server cannot be reached \
        or broke off."
    )]
    Export(export::Export),
    /// Run the checks of a runbook now, with a verdict on each
    #[command(
        after_help = "Exit codes: 0 all fine, 1 something deserves a look, 2 something is broken, 3 the server cannot be reached.\n\
        A wrong command line ends with 2 as well.\n\n\
        Examples:\n  watchkeeper diagnose\n  watchkeeper diagnose QueueBacklog\n  watchkeeper diagnose --check stuck_tasks --json\n  watchkeeper diagnose --list"
    )]
    Diagnose(diagnose::Diagnose),
    /// List queues and their tasks, queue tasks again, remove them
    #[command(
        subcommand,
        after_help = "Nothing is changed without --yes: what would be done is shown. Every change is in the audit log.\n\n\
        Examples:\n  watchkeeper queue list\n  watchkeeper queue clear llm_tasks --no-owner\n  watchkeeper queue requeue extraction --older-than 30m --yes"
    )]
    Queue(queue::Queue),
    /// Check rule files, and run the unit tests of rules
    #[command(
        subcommand,
        after_help = "Examples:\n  watchkeeper rules check rules/*.yml\n  watchkeeper rules test tests/*.yml --run 'backlog'"
    )]
    Rules(rules::Rules),
    /// Print a file as redaction leaves it, or show what redaction would change
    #[command(
        after_help = "Each line is taken for the message of a record of a log, or for what --table and --field say; a private key \
        goes over several lines. The detectors, patterns and rules are those of the configuration. Without colours, what goes \
        stands in [-…-] and what comes in {+…+}. The summary counts by detector and action.\n\n\
        Examples:\n  watchkeeper redact --dry-run app.log\n  watchkeeper redact --dry-run --json app.log | jq -r 'select(.line).line'\n  \
        journalctl -u ocr | watchkeeper redact --config /etc/watchkeeper/watchkeeper.toml - > shareable.log\n  \
        watchkeeper redact --dry-run --table requests --field user_id users.txt\n\n\
        Exit codes: 0 done, whatever was found, 1 the file cannot be read, 2 the command line or the configuration is wrong."
    )]
    Redact(redact::Redact),
    /// Search and follow records of logs, and try how the lines of a log are read
    #[command(
        subcommand,
        after_help = "Examples:\n  watchkeeper logs search 'level:error service:ocr' --from 1h\n  watchkeeper logs tail 'level>=warn'\n  \
        watchkeeper logs parse app.log\n  journalctl -u ocr -o short-iso | watchkeeper logs parse -\n  \
        watchkeeper logs parse app.log --pattern '^(?<time>\\S+ \\S+) <(?<level>\\w+)> job=(?<job_id>\\d+) (?<message>.*)' --json"
    )]
    Logs(logs::Logs),
    /// Show what the store on this machine consists of, and check every byte of it
    #[command(
        subcommand,
        after_help = "Examples:\n  watchkeeper store status\n  watchkeeper store verify --data-dir /srv/watchkeeper"
    )]
    Store(store::Store),
    /// Check, show and write down the configuration
    #[command(subcommand)]
    Config(config::Config),
    /// Manage users
    #[command(
        subcommand,
        after_help = "Without --url the state database of this machine is changed, whether the server runs or not.\n\n\
        Examples:\n  watchkeeper user add anna --role operator\n  watchkeeper user passwd admin\n  watchkeeper user list --json"
    )]
    User(user::User),
    /// Manage API keys
    #[command(
        subcommand,
        after_help = "Without --url the state database of this machine is changed, whether the server runs or not.\n\n\
        Examples:\n  KEY=$(watchkeeper key create grafana --scope read | tail -n 1)\n  watchkeeper key revoke grafana"
    )]
    Key(key::Key),
    /// Verify the audit log, and write it to a file
    #[command(
        subcommand,
        after_help = "Without --url the state database of this machine is read, whether the server runs or not. Every verification and \
        every export is in the audit log.\n\n\
        Examples:\n  watchkeeper audit verify\n  watchkeeper audit export --out audit.ndjson\n  watchkeeper audit verify --file audit.ndjson"
    )]
    Audit(audit::Audit),
    /// Print the version
    #[command(after_help = "Example:\n  watchkeeper version --json")]
    Version(version::Version),
    /// Print a script that completes commands in a shell
    #[command(
        after_help = "Examples:\n  watchkeeper completion bash > /etc/bash_completion.d/watchkeeper\n  \
        watchkeeper completion zsh > /usr/local/share/zsh/site-functions/_watchkeeper\n  \
        watchkeeper completion fish > ~/.config/fish/completions/watchkeeper.fish"
    )]
    Completion(completion::Completion),
    /// Print manual pages, or write them all into a folder
    #[command(
        after_help = "Examples:\n  watchkeeper man | man -l -\n  watchkeeper man user add | man -l -\n  \
        watchkeeper man --out /usr/local/share/man/man1"
    )]
    Man(man::Man),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_shows_its_help() {
        for command in Arguments::command().get_subcommands_mut() {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Usage:"), "{help}");
        }
    }
}
