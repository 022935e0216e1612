//! Verifying the log of this machine, that of a server, or an exported file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use state::{AuditVerdict, Outcome, State, verify_audit_file};

use super::{Verify, note};
use crate::client::{Client, Opened};
use crate::commands::access::Access;
use crate::exit::{self, Failure};
use crate::progress::Progress;
use crate::show::{clean, number};

/// How long a server may say nothing.
const PATIENCE: Duration = Duration::from_secs(600);
/// The longest line of an answer: whoever answers may be anybody.
const MAX_LINE_BYTES: usize = 1 << 20;

pub(super) async fn run(command: &Verify) -> Result<u8, Failure> {
    let verdict = match &command.file {
        Some(path) => of_file(path, command).await?.to_json(),
        None => match Access::open(&command.connection).await? {
            Access::Here(state) => of_log(&state, command).await?.to_json(),
            Access::There(client) => of_server(&client, command).await?,
        },
    };
    if command.json {
        println!("{verdict:#}");
    } else {
        println!("{}", shown(&verdict));
    }
    Ok(if verdict["intact"] == true { exit::OK } else { exit::CRITICAL })
}

fn share(done: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| done as f64 / all as f64)
}

async fn of_file(path: &Path, command: &Verify) -> Result<AuditVerdict, Failure> {
    let (path, expected) = (path.to_owned(), command.expect_head);
    let mut progress = Progress::new(!command.quiet);
    let work = tokio::task::spawn_blocking(move || -> anyhow::Result<AuditVerdict> {
        let cannot = || format!("cannot verify {}", path.display());
        let file = File::open(&path).with_context(cannot)?;
        let bytes = file.metadata().with_context(cannot)?.len();
        let input = BufReader::with_capacity(1 << 16, file);
        let verdict = verify_audit_file(input, expected, |read| {
            progress.show(share(read, bytes), || path.display().to_string());
        });
        verdict.with_context(cannot)
    });
    Ok(work.await??)
}

async fn of_log(state: &State, command: &Verify) -> Result<AuditVerdict, Failure> {
    let mut progress = Progress::new(!command.quiet);
    let mut verification = state.audit().verification(command.expect_head).await?;
    while verification.go_on().await? {
        let (checked, entries) = (verification.checked(), verification.total());
        progress.show(share(checked, entries), || format!("{} entries", number(entries as f64)));
    }
    drop(progress);
    let verdict = verification.finish();
    let outcome = if verdict.is_intact() { Outcome::Ok } else { Outcome::Failed };
    if let Err(error) = note(state, "audit.verify", verdict.to_json(), outcome).await {
        // A log that cannot be written to is what was looked for: the verdict is told all the same.
        eprintln!("note: this verification is not in the audit log: {}", Failure::from(error));
    }
    Ok(verdict)
}

async fn of_server(client: &Client, command: &Verify) -> Result<Value, Failure> {
    let expected = command.expect_head.map(|hash| hash.to_string());
    let mut parameters = vec![("progress", "true")];
    parameters.extend(expected.as_deref().map(|hash| ("expect_head", hash)));
    let mut answer = match client.open("/api/v1/audit/verify", &parameters).await? {
        Opened::Answer(answer) => answer,
        Opened::Nobody(failure) => return Err(failure),
    };
    let broke_off = |error: anyhow::Error| {
        Failure::Unreachable(error.context(format!("{} broke off the verification", client.address())))
    };
    let mut progress = Progress::new(!command.quiet);
    let (mut unread, mut verdict): (Vec<u8>, Option<Value>) = (Vec::new(), None);
    loop {
        let chunk = tokio::time::timeout(PATIENCE, answer.chunk()).await;
        let chunk =
            chunk.map_err(|_| broke_off(anyhow!("nothing came for {} minutes", PATIENCE.as_secs() / 60)))?;
        let Some(chunk) = chunk.map_err(|error| broke_off(error.without_url().into()))? else { break };
        unread.extend_from_slice(&chunk);
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            let told: Value = serde_json::from_slice(&line).context("the answer is none of Watchkeeper")?;
            if told["intact"].is_boolean() {
                verdict = Some(told);
                continue;
            }
            let (checked, entries) = (told["checked"].as_u64(), told["entries"].as_u64().unwrap_or_default());
            let share = share(checked.unwrap_or_default(), entries);
            progress.show(share, || format!("{} entries", number(entries as f64)));
        }
        if unread.len() > MAX_LINE_BYTES {
            return Err(broke_off(anyhow!("it sends a line of more than {} KiB", MAX_LINE_BYTES >> 10)));
        }
    }
    verdict.ok_or_else(|| broke_off(anyhow!("it gave no verdict")))
}

/// A verdict as people read it.
fn shown(verdict: &Value) -> String {
    let (entries, head) = (verdict["entries"].as_u64().unwrap_or_default(), &verdict["head"]);
    if verdict["intact"] != true {
        let reason = verdict["flaw"]["reason"].as_str().unwrap_or("no reason was given");
        let sound = match entries {
            0 => "no entry before it is sound".to_owned(),
            1 => format!("1 entry before it is sound: entry {}", head["seq"]),
            _ => {
                format!("{entries} entries before it are sound: {} to {}", verdict["first_seq"], head["seq"])
            }
        };
        return format!("broken: {}\n{sound}", clean(reason));
    }
    if entries == 0 {
        return "intact: there are no entries".to_owned();
    }
    let start = match verdict["start"].as_str().unwrap_or_default() {
        "beginning" => "from the first that was ever written",
        "migration" => "from the first that was there when the log became a chain",
        "checkpoint" => "those before were removed by retention, as a checkpoint says",
        _ => "those before are not here",
    };
    let hash = head["hash"].as_str().unwrap_or_default();
    let mut text =
        format!("intact: {entries} entries, {} to {}; {start}\n", verdict["first_seq"], head["seq"]);
    if !verdict["expected_at"].is_null() {
        text += &format!("the expected hash is that of entry {}\n", verdict["expected_at"]);
    }
    text + &format!("head: {}", clean(hash))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_verdict_says_what_holds_and_where_it_breaks() {
        let head = json!({ "seq": 12, "hash": "5a0c" });
        let intact = json!({ "intact": true, "entries": 9, "first_seq": 4, "head": head, "start": "checkpoint",
                             "expected_at": 7, "flaw": null });
        let text = shown(&intact);
        assert!(text.starts_with("intact: 9 entries, 4 to 12; those before were removed"), "{text}");
        assert!(text.contains("that of entry 7\n") && text.ends_with("head: 5a0c"), "{text}");
        let flaw = json!({ "seq": 13, "fault": "missing", "reason": "entry 13 is missing\u{1b}[2J" });
        let broken = json!({ "intact": false, "entries": 9, "first_seq": 4, "head": head, "flaw": flaw });
        let text = shown(&broken);
        assert!(text.starts_with("broken: entry 13 is missing"), "{text}");
        assert!(
            text.ends_with("9 entries before it are sound: 4 to 12") && !text.contains('\u{1b}'),
            "{text}"
        );
        // What is no verdict is none that all is well.
        assert!(shown(&json!({})).starts_with("broken"));
    }
}
