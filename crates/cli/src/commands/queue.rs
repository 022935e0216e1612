//! `watchkeeper queue`: what waits and what is in work, and queueing tasks again or removing them.
//!
//! Nothing is done without `--yes`: what would be done is shown.

use std::fmt::Write as _;

use anyhow::anyhow;
use clap::{Subcommand, ValueEnum};
use model::DurationText;
use serde_json::{Value, json};

use crate::client::{Client, Connection, segment};
use crate::exit::Failure;

/// The commands of `queue`.
#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// List the queues
    #[command(after_help = "Example:\n  watchkeeper queue list")]
    List(List),
    /// List the oldest tasks of a queue, and those that are taken next
    #[command(after_help = "Example:\n  watchkeeper queue tasks llm_tasks --state processing")]
    Tasks(Tasks),
    /// Queue tasks again that were taken or given up
    #[command(
        after_help = "Without --yes it shows what it would do. What Redis no longer holds cannot be queued again.\n\n\
        Examples:\n  watchkeeper queue requeue extraction --no-owner\n  watchkeeper queue requeue extraction --no-owner --yes\n  \
        watchkeeper queue requeue extraction --state dead --id 7d1c --yes"
    )]
    Requeue(Operate),
    /// Remove tasks: those that are stuck, or that should not be done
    #[command(after_help = "Without --yes it shows what it would do. What is removed is gone.\n\n\
        Examples:\n  watchkeeper queue clear llm_tasks --no-owner\n  watchkeeper queue clear llm_tasks --older-than 30m --yes")]
    Clear(Operate),
}

/// The options of `queue list`.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// The options of `queue tasks`.
#[derive(Debug, clap::Args)]
pub(crate) struct Tasks {
    /// The queue
    name: String,
    /// Tasks in this state only
    #[arg(long)]
    state: Option<State>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// The options of `queue requeue` and `queue clear`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
pub(crate) struct Operate {
    /// The queue
    name: String,
    /// Where the tasks are
    #[arg(long, default_value = "processing", conflicts_with = "digest")]
    state: State,
    /// The task with this id; can be given several times
    #[arg(long = "id", value_name = "ID", group = "which")]
    ids: Vec<String>,
    /// Tasks that have been there for longer, like 10m
    #[arg(long, value_name = "TIME", group = "which")]
    older_than: Option<DurationText>,
    /// Tasks in work that no worker has any more
    #[arg(long, group = "which")]
    no_owner: bool,
    /// All of them
    #[arg(long, group = "which", conflicts_with_all = ["ids", "older_than", "no_owner"])]
    all: bool,
    /// Do what an earlier preview has shown, and nothing else
    #[arg(long, group = "which", conflicts_with_all = ["ids", "older_than", "no_owner", "all"], requires = "yes")]
    digest: Option<String>,
    /// Do it, instead of showing what would be done
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Where in a queue a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Pending,
    Processing,
    Delayed,
    Dead,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Delayed => "delayed",
            Self::Dead => "dead",
        }
    }
}

/// Runs the command.
pub(crate) async fn run(command: &Queue) -> Result<(), Failure> {
    match command {
        Queue::List(command) => list(command).await,
        Queue::Tasks(command) => tasks(command).await,
        Queue::Requeue(command) => operate(command, "requeue").await,
        Queue::Clear(command) => operate(command, "remove").await,
    }
}

async fn list(command: &List) -> Result<(), Failure> {
    let queues = Client::new(&command.connection)?.list("/api/v1/queues", &[]).await?;
    if command.json {
        println!("{:#}", Value::Array(queues));
        return Ok(());
    }
    let mut table = super::wrapped_table(super::width());
    table.set_header(["QUEUE", "PENDING", "PROCESSING", "DELAYED", "DEAD", "OLDEST PENDING"]);
    for queue in &queues {
        let depth = |state: &str| queue["depth"][state].as_u64().map_or_else(none, |depth| depth.to_string());
        let oldest = age(&queue["oldest_age_seconds"]["pending"]);
        let states = ["pending", "processing", "delayed", "dead"].map(depth);
        table.add_row([text(&queue["queue"])].into_iter().chain(states).chain([oldest]));
    }
    println!("{}", table.trim_fmt());
    Ok(())
}

async fn tasks(command: &Tasks) -> Result<(), Failure> {
    let client = Client::new(&command.connection)?;
    let mut queue = client.get(&format!("/api/v1/queues/{}", segment(&command.name)), &[]).await?;
    let mut tasks = queue["tasks"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let wanted = command.state.map(State::as_str);
    tasks.retain(|task| wanted.is_none_or(|state| task["state"] == state));
    if command.json {
        println!("{:#}", Value::Array(tasks));
        return Ok(());
    }
    let mut table = super::wrapped_table(super::width());
    table.set_header(["STATE", "PLACE", "TASK", "SCORE", "AGE", "KIND", "DOCUMENT"]);
    for task in &tasks {
        table.add_row([
            text(&task["state"]),
            task["position"].as_u64().map_or_else(none, |position| (position + 1).to_string()),
            text(&task["id"]),
            text(&task["score"]),
            age(&task["age_seconds"]),
            text(&task["kind"]),
            text(&task["document_id"]),
        ]);
    }
    println!("{}", table.trim_fmt());
    Ok(())
}

async fn operate(command: &Operate, action: &str) -> Result<(), Failure> {
    let client = Client::new(&command.connection)?;
    let path = format!("/api/v1/queues/{}/operations", segment(&command.name));
    if let Some(digest) = &command.digest {
        return done(command, &client.post(&path, &json!({ "action": action, "digest": digest })).await?);
    }
    let tasks = json!({
        "state": command.state.as_str(), "ids": command.ids, "no_owner": command.no_owner, "all": command.all,
        "older_than": command.older_than.map(|time| time.to_string()),
    });
    let preview = client.post(&path, &json!({ "action": action, "tasks": tasks, "preview": true })).await?;
    let count = preview["count"].as_u64().unwrap_or(0);
    if !command.yes || count == 0 {
        if command.json {
            println!("{preview:#}");
        } else {
            print!("{}", shown(&preview, super::width()));
        }
        return Ok(());
    }
    let digest = preview["digest"].as_str().ok_or_else(|| anyhow!("the preview has no digest"))?;
    if !command.json {
        print!("{}", listed(&preview, super::width()));
    }
    done(command, &client.post(&path, &json!({ "action": action, "digest": digest })).await?)
}

fn done(command: &Operate, answer: &Value) -> Result<(), Failure> {
    if command.json {
        println!("{answer:#}");
        return Ok(());
    }
    let ids = |key: &str| answer[key].as_array().map_or(0, Vec::len);
    let verb = verb(answer);
    println!("{} {verb}", tasks_of(ids("done")));
    if ids("gone") > 0 {
        println!("{} had moved on by then, and nothing was done with them", tasks_of(ids("gone")));
    }
    print!("{}", left_out(answer));
    Ok(())
}

/// The tasks of a preview.
fn listed(preview: &Value, width: u16) -> String {
    let mut table = super::wrapped_table(width);
    table.set_header(["TASK", "AGE", "KIND", "DOCUMENT", "OWNER", "NO OWNER, BECAUSE"]);
    for task in preview["tasks"].as_array().into_iter().flatten() {
        table.add_row([
            text(&task["id"]),
            age(&task["age_seconds"]),
            text(&task["kind"]),
            text(&task["document_id"]),
            text(&task["owner"]),
            text(&task["unowned"]),
        ]);
    }
    format!("{}\n", table.trim_fmt())
}

fn shown(preview: &Value, width: u16) -> String {
    let count = preview["count"].as_u64().unwrap_or(0);
    if count == 0 {
        return format!("no task of {} is meant\n{}", text(&preview["queue"]), left_out(preview));
    }
    let mut shown = listed(preview, width);
    let tasks = tasks_of(usize::try_from(count).unwrap_or(usize::MAX));
    let _ = writeln!(shown, "\n{tasks} would be {}; nothing was done.", verb(preview));
    if preview["more"] == true {
        let _ = writeln!(shown, "There are more than one operation touches: repeat it for the rest.");
    }
    shown.push_str(&left_out(preview));
    let _ = writeln!(
        shown,
        "To do just this, until {}: --digest {} --yes",
        text(&preview["expires_at"]),
        text(&preview["digest"])
    );
    shown
}

/// What of the tasks that are meant stays as it is, or was not looked at.
fn left_out(answer: &Value) -> String {
    let mut said = String::new();
    let skipped = answer["skipped"].as_array().map_or(0, Vec::len);
    if skipped > 0 {
        let _ =
            writeln!(said, "Skipped, because nothing in them can be queued again: {}.", tasks_of(skipped));
    }
    let unread = answer["unread"].as_u64().unwrap_or(0);
    if unread > 0 {
        let _ = writeln!(said, "Not looked at, because an operation reads the first 5,000: {unread} more.");
    }
    said
}

fn verb(answer: &Value) -> &'static str {
    if answer["action"] == "requeue" { "queued again" } else { "removed" }
}

fn tasks_of(count: usize) -> String {
    if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => none(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn age(seconds: &Value) -> String {
    seconds
        .as_f64()
        .filter(|seconds| *seconds >= 0.0)
        .map_or_else(none, |seconds| DurationText(std::time::Duration::from_secs(seconds as u64)).to_string())
}

fn none() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        command: Queue,
    }

    #[test]
    fn tasks_are_never_meant_by_accident() {
        let parsed = |line: &str| Line::try_parse_from(line.split(' ')).map_err(|error| error.to_string());
        for wrong in [
            "queue clear llm_tasks",
            "queue clear llm_tasks --yes",
            "queue clear llm_tasks --all --no-owner",
            "queue requeue llm_tasks --digest d",
            "queue requeue llm_tasks --digest d --id 1 --yes",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
        for right in [
            "queue clear llm_tasks --all",
            "queue clear llm_tasks --id 1 --id 2 --older-than 10m --no-owner --yes",
            "queue requeue llm_tasks --state dead --all",
            "queue requeue llm_tasks --digest d --yes",
        ] {
            assert!(parsed(right).is_ok(), "{right}: {:?}", parsed(right));
        }
    }

    #[test]
    fn a_preview_says_that_nothing_was_done_and_how_to_do_it() {
        let preview = json!({
            "queue": "llm_tasks", "action": "remove", "count": 1, "more": false, "digest": "abc",
            "expires_at": "2025-08-01T21:30:00Z",
            "tasks": [{ "id": "t-1", "age_seconds": 4000.5, "kind": "summary", "document_id": null,
                        "owner": "llm-worker-1", "unowned": "its worker llm-worker-1 is offline" }],
        });
        let text = shown(&preview, 80);
        for expected in
            ["t-1", "1h6m40s", "offline", "1 task would be removed; nothing was done", "--digest abc --yes"]
        {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        let nothing = json!({ "queue": "q", "count": 0, "skipped": ["b"], "unread": 10 });
        let text = shown(&nothing, 80);
        for expected in ["no task of q is meant", "can be queued again: 1 task.", "first 5,000: 10 more."] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
    }
}
