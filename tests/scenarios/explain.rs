//! `watchkeeper query --explain`: what a query is made of and what each part of it cost, asked of a running server.

use anyhow::{Context, Result, ensure};
use model::Timestamp;
use serde_json::Value;
use testkit::Watchkeeper;

use crate::stage::binary;

const QUERY: &str = "sum by (queue) (rate(jobs_total[5m])) / on () group_left () sum(rate(jobs_total[5m]))";

/// Three series of two queues, each with a sample every 15 seconds in the ten minutes until `now`, forty in all.
async fn write(watchkeeper: &Watchkeeper, now: i64) -> Result<()> {
    let samples: Vec<(i64, f64)> = (0..40).map(|n| ((now - 585 + n * 15) * 1000, n as f64)).collect();
    let body = testkit::remote_write(&[
        (&[("__name__", "jobs_total"), ("queue", "llm"), ("worker", "1")], &samples),
        (&[("__name__", "jobs_total"), ("queue", "ocr"), ("worker", "2")], &samples),
        (&[("__name__", "jobs_total"), ("queue", "ocr"), ("worker", "3")], &samples),
    ]);
    let headers = [("content-encoding", "snappy"), ("content-type", "application/x-protobuf")];
    let answer = watchkeeper.post_bytes("/prometheus/api/v1/write", &headers, body).await?;
    ensure!(answer.status == 204, "{answer:?}");
    Ok(())
}

/// Series, samples, and samples that were read.
fn counts(part: &Value) -> [Option<u64>; 3] {
    ["series", "samples", "samples_read"].map(|name| part[name].as_u64())
}

fn children(part: &Value) -> &[Value] {
    part["children"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether every part took at least as long as those below it together.
fn times_nest(part: &Value) -> bool {
    let below: Option<f64> = children(part).iter().map(|child| child["time_seconds"].as_f64()).sum();
    let own = part["time_seconds"].as_f64();
    let is_enough = own.zip(below).is_some_and(|(own, below)| own + 1e-9 >= below);
    is_enough && children(part).iter().all(times_nest)
}

/// The lines of a table, its columns one space apart.
fn lines(printed: &str) -> Vec<String> {
    printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_query_is_explained_with_its_plan_and_what_each_part_of_it_cost() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    let now = Timestamp::now().as_millis() / 1000;
    write(&watchkeeper, now).await?;
    let (from, to) = ((now - 300).to_string(), now.to_string());
    let range = ["query", "--explain", "--from", &from, "--to", &to, "--step", "1m"];

    let (code, printed) = watchkeeper.run(&[&range[..], &["--json", QUERY]].concat()).await?;
    ensure!(code == 0, "{code} {printed}");
    let told: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
    ensure!(told["steps"] == 6 && counts(&told) == [Some(2), Some(12), Some(120)], "{told}");
    let [root] = &told["plan"].as_array().context("a plan")?[..] else { anyhow::bail!("{told}") };
    ensure!(
        root["text"] == "… / on () group_left () …" && counts(root) == [Some(2), Some(12), Some(0)],
        "{told}"
    );
    let [by_queue, all] = children(root) else { anyhow::bail!("{told}") };
    ensure!(
        by_queue["text"] == "sum by (queue) (…)" && counts(by_queue) == [Some(2), Some(12), Some(0)],
        "{told}"
    );
    ensure!(all["text"] == "sum(…)" && counts(all) == [Some(1), Some(6), Some(0)], "{told}");
    // One of the equal parts reads for both.
    let ([first], [second]) = (children(by_queue), children(all)) else { anyhow::bail!("{told}") };
    ensure!([first, second].iter().all(|part| part["text"] == "rate(jobs_total[5m])"), "{told}");
    let (taken, read): (Vec<&Value>, Vec<&Value>) =
        [first, second].into_iter().partition(|part| part["shared"] == true);
    ensure!(taken.len() == 1 && counts(taken[0]) == [Some(3), Some(18), Some(0)], "{told}");
    ensure!(read.len() == 1 && counts(read[0]) == [Some(3), Some(18), Some(120)], "{told}");
    let times = [&told, root].map(|part| part["time_seconds"].as_f64());
    ensure!(times_nest(root) && times[0] > Some(0.0) && times[0] >= times[1], "{told}");

    let (code, printed) = watchkeeper.run(&[&range[..], &[QUERY]].concat()).await?;
    let shown = lines(&printed);
    let begins = [
        "PART SERIES SAMPLES READ TIME",
        "the query, 6 steps 2 12 120 ",
        "… / on () group_left () … 2 12 0 ",
        "sum by (queue) (…) 2 12 0 ",
        "rate(jobs_total[5m]) 3 18 ",
        "sum(…) 1 6 0 ",
        "rate(jobs_total[5m]) 3 18 ",
    ];
    ensure!(code == 0 && shown.len() == begins.len(), "{code} {printed}");
    ensure!(shown.iter().zip(begins).all(|(line, begin)| line.starts_with(begin)), "{printed}");
    let indents: Vec<usize> =
        printed.lines().skip(1).map(|line| line.chars().take_while(|c| *c == ' ').count() / 2).collect();
    ensure!(indents == [0, 1, 2, 3, 2, 3], "{indents:?} {printed}");
    ensure!(printed.matches("taken from the same part before").count() == 1, "{printed}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_an_explained_query_may_have_one_time_or_parts_with_one_and_must_be_readable() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    let now = Timestamp::now().as_millis() / 1000;
    write(&watchkeeper, now).await?;
    let (from, to) = ((now - 300).to_string(), now.to_string());

    let (code, printed) = watchkeeper.run(&["query", "--explain", "--at", &to, "count(jobs_total)"]).await?;
    let shown = lines(&printed);
    ensure!(code == 0 && shown.len() == 4, "{code} {printed}");
    ensure!(shown[1].starts_with("the query, 1 step 1 1 "), "{printed}");
    ensure!(shown[2].starts_with("count(…) 1 1 0 ") && shown[3].starts_with("jobs_total 3 3 "), "{printed}");

    let query = format!("sum(jobs_total @ {to}) - sum(jobs_total)");
    let range = ["query", "--explain", "--from", &from, "--to", &to, "--step", "1m", &query];
    let (code, printed) = watchkeeper.run(&range).await?;
    let fixed: Vec<String> =
        lines(&printed).into_iter().filter(|line| line.ends_with("evaluated once for all steps")).collect();
    ensure!(code == 0 && fixed.len() == 1 && fixed[0].starts_with("sum(…) 1 6 0 "), "{code} {printed}");

    let (code, printed) = watchkeeper.run(&["query", "--explain", "sum("]).await?;
    ensure!(code == 1 && printed.contains("1:5: parse error"), "{code} {printed}");
    Ok(())
}
