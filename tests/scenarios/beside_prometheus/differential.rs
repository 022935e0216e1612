//! The same series in Watchkeeper and in the Prometheus of Debian, the same made-up expressions asked of both: the
//! answers are equal.
//!
//! `WATCHKEEPER_SEED=7` asks other expressions, `WATCHKEEPER_EXPRESSIONS=20000` more of them. `expressions.rs` says
//! what is not asked, because Prometheus answers it otherwise today than the version of Debian does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use testkit::{Answer, Prometheus, Watchkeeper};
use tokio::task::JoinSet;

use super::Pair;
use super::answer::{self, Both};
use super::data::{self, BEGIN_MS};
use super::expressions::Grammar;
use crate::stage::binary;

/// How many expressions are asked, each at one moment and over a time.
const EXPRESSIONS: usize = 2_000;
/// How many must have an answer that says something: the others are refused or empty on both.
const LEAST_ANSWERED: usize = 500;
/// How many are asked at once.
const AT_ONCE: usize = 4;
/// Moments in seconds since the beginning of the data: at its edges and between.
const MOMENTS: [i64; 6] = [3_000, 1_507, 5_030, 6_907, 7_260, 45];
/// Begin, end and step in seconds.
const TIMES: [(i64, i64, i64); 4] =
    [(1_200, 6_000, 240), (2_990, 3_600, 21), (-300, 7_800, 450), (4_500, 4_530, 15)];
/// Everything is asked at this part of a second; samples lie at others.
const FRACTION_MS: i64 = 137;

/// What came of all expressions.
#[derive(Debug, Default)]
struct Outcome {
    refused: AtomicUsize,
    empty: AtomicUsize,
    answered: AtomicUsize,
    differences: parking_lot::Mutex<Vec<String>>,
}

async fn ask(pair: Arc<Pair>, number: usize, expression: String, outcome: Arc<Outcome>) -> Result<()> {
    let time = |seconds: i64| format!("{:.3}", (BEGIN_MS + seconds * 1_000 + FRACTION_MS) as f64 / 1_000.0);
    let moment = time(MOMENTS[number % MOMENTS.len()]);
    let (start, end, step) = TIMES[number % TIMES.len()];
    let (start, end, step) = (time(start), time(end), step.to_string());
    let at_once = [("query", expression.as_str()), ("time", moment.as_str())];
    let over_time = [
        ("query", expression.as_str()),
        ("start", start.as_str()),
        ("end", end.as_str()),
        ("step", step.as_str()),
    ];
    for (path, parameters) in [("query", &at_once[..]), ("query_range", &over_time[..])] {
        let (ours, theirs) = pair.ask(path, parameters).await?;
        let sorted = ["sort(", "sort_desc(", "topk(", "bottomk("];
        let ordered = path == "query" && sorted.iter().any(|sorted| expression.starts_with(sorted));
        match answer::compare(&ours, &theirs, ordered) {
            Ok(Both::Refused) => outcome.refused.fetch_add(1, Ordering::Relaxed),
            Ok(Both::Nothing) => outcome.empty.fetch_add(1, Ordering::Relaxed),
            Ok(Both::Something) => outcome.answered.fetch_add(1, Ordering::Relaxed),
            Err(difference) => {
                let short = |answer: &Answer| answer.body.to_string().chars().take(600).collect::<String>();
                outcome.differences.lock().push(format!(
                    "{path} {:?}\n  {difference}\n  ours:   {}\n  theirs: {}",
                    parameters,
                    short(&ours),
                    short(&theirs)
                ));
                0
            }
        };
    }
    Ok(())
}

fn from_environment(name: &str, usual: usize) -> Result<usize> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name}={text}")),
        Err(_) => Ok(usual),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_made_up_expressions_have_the_same_answers_as_in_prometheus() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let toml = "[store]\nretention = \"36500d\"\n";
    let pair = Pair {
        watchkeeper: Watchkeeper::start(binary(), folder.path(), toml).await?,
        prometheus: Prometheus::start("global: {}\n", &[]).await?,
    };
    pair.write(&data::series(1)).await?;
    let (pair, outcome) = (Arc::new(pair), Arc::new(Outcome::default()));
    let mut grammar = Grammar::new(from_environment("WATCHKEEPER_SEED", 1)? as u64);
    let mut running = JoinSet::new();
    for number in 0..from_environment("WATCHKEEPER_EXPRESSIONS", EXPRESSIONS)? {
        if running.len() == AT_ONCE
            && let Some(asked) = running.join_next().await
        {
            asked??;
        }
        running.spawn(ask(Arc::clone(&pair), number, grammar.expression(), Arc::clone(&outcome)));
    }
    while let Some(asked) = running.join_next().await {
        asked??;
    }
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let (refused, empty, answered) =
        (count(&outcome.refused), count(&outcome.empty), count(&outcome.answered));
    let differences = outcome.differences.lock();
    println!("{answered} with an answer, {empty} empty, {refused} refused, {} different", differences.len());
    ensure!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    ensure!(
        answered >= 2 * LEAST_ANSWERED,
        "only {answered} have an answer, {empty} none, {refused} are refused"
    );
    Ok(())
}
