//! `watchkeeper query`: a PromQL expression, now or over a range.

use std::time::Duration;

use anyhow::anyhow;
use comfy_table::{CellAlignment, Table, presets};
use model::{DurationText, Timestamp};
use serde_json::Value;

use crate::client::{Client, Connection};
use crate::exit::Failure;
use crate::show::{self, clean, number, sparkline};

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Query {
    /// The expression
    #[arg(value_name = "PROMQL")]
    expression: String,
    /// The time to evaluate at [default: now]
    #[arg(long, value_name = "TIME", conflicts_with_all = ["from", "to", "step"])]
    at: Option<String>,
    /// The start of a range
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The end of a range [default: now]
    #[arg(long, value_name = "TIME", requires = "from")]
    to: Option<String>,
    /// The step of a range [default: a sixtieth of it]
    #[arg(long, value_name = "DURATION", requires = "from")]
    step: Option<DurationText>,
    /// Draw each series of a range as a curve
    #[arg(long, requires = "from", conflicts_with = "json")]
    plot: bool,
    /// Show how it is evaluated instead of the answer: parts, series, samples, time
    #[arg(long, conflicts_with = "plot")]
    explain: bool,
    /// Print the data of the answer as JSON, as Prometheus has it; warnings and notes go to standard error
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// How many steps a range has when none is given.
const STEPS: u32 = 60;

pub(crate) async fn run(command: &Query) -> Result<(), Failure> {
    let now = Timestamp::now();
    let time = |name: &str, text: &str| moment(name, text, now);
    if command.step.is_some_and(|step| step.0.is_zero()) {
        return Err(Failure::Usage(anyhow!("--step 0s: give a duration above zero, like 15s")));
    }
    let client = Client::new(&command.connection)?;
    let [at_once, over_time] = match command.explain {
        false => ["/prometheus/api/v1/query", "/prometheus/api/v1/query_range"],
        true => ["/prometheus/api/v1/explain_query"; 2],
    };
    let answer = match &command.from {
        None => {
            let at = command.at.as_deref().map(|text| time("at", text)).transpose()?.unwrap_or(now);
            let at = seconds(at);
            client.get(at_once, &[("query", &command.expression), ("time", &at)]).await?
        }
        Some(from) => {
            let from = time("from", from)?;
            let to = command.to.as_deref().map(|text| time("to", text)).transpose()?.unwrap_or(now);
            if to < from {
                return Err(Failure::Usage(anyhow!("--from {from} is after --to {to}")));
            }
            let usual = (to.since(from) / STEPS).max(Duration::from_secs(1));
            let step = command.step.map_or(usual, |step| step.0).as_secs_f64().to_string();
            let (start, end) = (seconds(from), seconds(to));
            let parameters =
                [("query", command.expression.as_str()), ("start", &start), ("end", &end), ("step", &step)];
            client.get(over_time, &parameters).await?
        }
    };
    // Also beside JSON, whose document is the answer's data alone.
    for line in remarks(&answer) {
        eprintln!("{line}");
    }
    if command.json {
        println!("{}", answer["data"]);
    } else if command.explain {
        println!("{}", explained(&answer["data"]));
    } else if command.plot {
        let text = plotted(&answer["data"]);
        let ascii = !show::is_utf8(|name| std::env::var(name).ok());
        println!("{}", if ascii { text.chars().map(show::in_ascii).collect() } else { text });
    } else {
        println!("{}", shown(&answer["data"]));
    }
    Ok(())
}

/// What the answer says about itself: what it may lack, and what it was made of.
fn remarks(answer: &Value) -> Vec<String> {
    let of = |key: &str, mark: &str| -> Vec<String> {
        let texts = answer[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(|text| format!("{mark}: {}", clean(text))).collect()
    };
    [of("warnings", "warning"), of("infos", "note")].concat()
}

/// The point in time that the flag `name` was given.
pub(super) fn moment(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    time_of(text, now).ok_or_else(|| {
        Failure::Usage(anyhow!("--{name} `{text}`: give RFC 3339, a date, seconds since the epoch, `now`, or a duration before now like 1h"))
    })
}

/// A point in time as people write it.
fn time_of(text: &str, now: Timestamp) -> Option<Timestamp> {
    if text == "now" {
        return Some(now);
    }
    if let Ok(number) = text.parse::<f64>() {
        return Timestamp::from_epoch_number(number).ok();
    }
    match text.trim_start_matches('-').parse::<DurationText>() {
        Ok(ago) => Some(now.before(ago.0)),
        // A date is its beginning, in UTC.
        Err(_) => Timestamp::parse_rfc3339(text)
            .or_else(|_| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")))
            .ok(),
    }
}

fn seconds(time: Timestamp) -> String {
    format!("{:.3}", time.as_secs_f64())
}

fn shown(data: &Value) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let rows = data["result"].as_array().map(Vec::as_slice).unwrap_or_default();
    match data["resultType"].as_str() {
        Some("vector") => {
            table.set_header(["SERIES", "VALUE"]);
            for row in rows {
                let point = row.get("histogram").unwrap_or(&row["value"]);
                table.add_row([series(&row["metric"]), sample(point).1]);
            }
            align(&mut table, 1);
        }
        Some("matrix") => {
            table.set_header(["SERIES", "TIME", "VALUE"]);
            for row in rows {
                let points = |name: &str| row[name].as_array().map(Vec::as_slice).unwrap_or_default();
                let mut points: Vec<&Value> = points("values").iter().chain(points("histograms")).collect();
                let time = |point: &Value| point[0].as_f64().unwrap_or_default();
                points.sort_by(|a, b| time(a).total_cmp(&time(b)));
                for point in points {
                    let (time, value) = sample(point);
                    table.add_row([series(&row["metric"]), time, value]);
                }
            }
            align(&mut table, 2);
        }
        _ => return sample(&data["result"]).1,
    }
    if table.is_empty() { "no data".to_owned() } else { table.trim_fmt() }
}

/// A plan as an indented tree, a part a line, with what it cost beside it.
fn explained(data: &Value) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["PART", "SERIES", "SAMPLES", "READ", "TIME", ""]);
    let whole = |name: &str| data[name].as_u64().unwrap_or_default().to_string();
    let time = data["time_seconds"].as_f64().unwrap_or_default();
    let steps = data["steps"].as_u64().unwrap_or_default();
    let all = format!("the query, {steps} step{}", if steps == 1 { "" } else { "s" });
    table.add_row([
        all,
        whole("series"),
        whole("samples"),
        whole("samples_read"),
        short(time),
        String::new(),
    ]);
    parts(&data["plan"], 1, &mut table);
    for column in 1..=4 {
        align(&mut table, column);
    }
    table.trim_fmt()
}

/// As deep as the server reads queries, and a little more.
const MAX_LEVEL: usize = 256;

fn parts(plan: &Value, level: usize, table: &mut Table) {
    for part in plan.as_array().into_iter().flatten().filter(|_| level < MAX_LEVEL) {
        let whole = |name: &str| part[name].as_u64().unwrap_or_default().to_string();
        let text = format!("{}{}", "  ".repeat(level), clean(part["text"].as_str().unwrap_or_default()));
        let is = |name: &str| part[name].as_bool().unwrap_or_default();
        let note = match (is("shared"), is("once")) {
            (true, _) => "taken from the same part before",
            (false, true) => "evaluated once for all steps",
            (false, false) => "",
        };
        let time = short(part["time_seconds"].as_f64().unwrap_or_default());
        table.add_row([
            text,
            whole("series"),
            whole("samples"),
            whole("samples_read"),
            time,
            note.to_owned(),
        ]);
        parts(&part["children"], level + 1, table);
    }
}

/// A short time.
fn short(seconds: f64) -> String {
    match seconds {
        _ if seconds < 0.01 => format!("{:.0} µs", seconds * 1e6),
        _ if seconds < 10.0 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}

/// A curve for each series, from 0 to its largest value, between its bounds.
fn plotted(data: &Value) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["SERIES", "CURVE", "LEAST", "MOST", "LAST"]);
    for row in data["result"].as_array().into_iter().flatten() {
        let values: Vec<f64> = row["values"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|point| point[1].as_str()?.parse().ok())
            .collect();
        let bound = |pick: fn(f64, f64) -> f64| {
            values
                .iter()
                .copied()
                .filter(|value| value.is_finite())
                .reduce(pick)
                .map_or_else(String::new, number)
        };
        let last = values.last().map(|value| number(*value)).unwrap_or_default();
        let width = STEPS as usize + 1;
        let curve = sparkline(&values, width);
        table.add_row([clean(&series(&row["metric"])), curve, bound(f64::min), bound(f64::max), last]);
    }
    if table.is_empty() { "no data".to_owned() } else { table.trim_fmt() }
}

fn align(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// `name{label="value"}`
fn series(metric: &Value) -> String {
    let labels: Vec<String> = metric
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "__name__")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let name = metric["__name__"].as_str().unwrap_or("");
    if labels.is_empty() && !name.is_empty() {
        name.to_owned()
    } else {
        format!("{name}{{{}}}", labels.join(", "))
    }
}

/// A time and a value, as texts.
fn sample(point: &Value) -> (String, String) {
    let time = point[0]
        .as_f64()
        .map(|seconds| Timestamp::from_millis((seconds * 1000.0).round() as i64).to_string());
    (time.unwrap_or_default(), point[1].as_str().map_or_else(|| histogram(&point[1]), str::to_owned))
}

/// A histogram with its buckets, `[` and `]` where a bound belongs to a bucket: `{count:3, sum:4, (1,2]:3}`.
fn histogram(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut parts =
        vec![format!("count:{}", text(&object["count"])), format!("sum:{}", text(&object["sum"]))];
    for bucket in object["buckets"].as_array().into_iter().flatten() {
        let bounds = bucket[0].as_u64().unwrap_or_default();
        let (open, close) =
            (if bounds & 1 == 1 { '[' } else { '(' }, if bounds % 3 == 0 { ']' } else { ')' });
        let [lower, upper, count] = [1, 2, 3].map(|at| text(&bucket[at]));
        parts.push(format!("{open}{lower},{upper}{close}:{count}"));
    }
    format!("{{{}}}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = Timestamp::from_millis(1_754_083_800_000);
        let cases = [
            ("now", Some(1_754_083_800_000)),
            ("1h", Some(1_754_080_200_000)),
            ("-30m", Some(1_754_082_000_000)),
            ("1754083800", Some(1_754_083_800_000)),
            ("2025-08-01T21:30:00Z", Some(1_754_083_800_000)),
            ("soon", None),
        ];
        for (text, millis) in cases {
            assert_eq!(time_of(text, now).map(Timestamp::as_millis), millis, "{text}");
        }
    }

    #[test]
    fn warnings_and_notes_of_an_answer_are_told() {
        let answer =
            json!({ "data": {}, "warnings": ["it lacks a day"], "infos": ["read from rollups\u{1b}"] });
        assert_eq!(remarks(&answer), ["warning: it lacks a day", "note: read from rollups\u{fffd}"]);
        assert_eq!(remarks(&json!({ "data": {} })), [""; 0]);
    }

    #[test]
    fn answers_are_shown_as_tables() {
        let vector = json!({ "resultType": "vector", "result": [
            { "metric": { "__name__": "queue_depth", "queue": "llm" }, "value": [1754083800, "12"] },
            { "metric": {}, "value": [1754083800, "1"] } ] });
        let lines: Vec<String> = shown(&vector)
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(lines, ["SERIES VALUE", "queue_depth{queue=\"llm\"} 12", "{} 1"]);
        let matrix = json!({ "resultType": "matrix", "result": [
            { "metric": { "__name__": "up" }, "values": [[1754083800.5, "1"]] } ] });
        assert!(shown(&matrix).contains("2025-08-01T21:30:00.5Z"));
        let histogram =
            json!({ "count": "4", "sum": "5", "buckets": [[3, "-1", "1", "1"], [0, "1", "2", "3"]] });
        let mixed = json!({ "resultType": "matrix", "result": [
            { "metric": {}, "values": [[1, "7"], [3, "9"]], "histograms": [[2, histogram]] } ] });
        let shown_mixed = shown(&mixed);
        let ends = ["7", "{count:4, sum:5, [-1,1]:1, (1,2]:3}", "9"];
        assert!(
            shown_mixed.lines().skip(1).zip(ends).all(|(line, end)| line.ends_with(end)),
            "{shown_mixed}"
        );
        let plot = json!({ "resultType": "matrix", "result": [
            { "metric": { "__name__": "up\u{1b}[2J" }, "values": [[1, "0"], [2, "12.5"], [3, "NaN"], [4, "6"]] } ] });
        let curve =
            plotted(&plot).lines().nth(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(curve.as_deref(), Some("up\u{fffd}[2J ▁█ ▅ 0 12.5 6"));
        assert_eq!(plotted(&json!({ "result": [] })), "no data");
        assert_eq!(shown(&json!({ "resultType": "scalar", "result": [1, "4.5"] })), "4.5");
        assert_eq!(shown(&json!({ "resultType": "vector", "result": [] })), "no data");
    }

    #[test]
    fn a_plan_is_shown_as_a_tree() {
        let part = |text: &str, shared: bool, children: Value| {
            json!({ "text": text, "series": 1, "samples": 60, "samples_read": 720, "time_seconds": 0.0123,
                "once": false, "shared": shared, "children": children })
        };
        let inner = part("rate(a[5m])", false, json!([]));
        let data = json!({ "steps": 60, "series": 1, "samples": 60, "samples_read": 720, "time_seconds": 0.002,
            "plan": [part("… / …", false, json!([part("sum(…)", false, json!([inner])), part("b\u{1b}", true, json!([]))]))] });
        let lines: Vec<String> = explained(&data).lines().map(|line| line.trim_end().to_owned()).collect();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&lines[1]), "the query, 60 steps 1 60 720 2000 µs");
        assert_eq!(words(&lines[2]), "… / … 1 60 720 12.3 ms");
        assert!(
            lines[3].trim_start().starts_with("sum(…)") && lines[4].trim_start().starts_with("rate(a[5m])")
        );
        let indent = |line: &str| line.chars().take_while(|c| *c == ' ').count();
        assert!(
            indent(&lines[4]) == indent(&lines[3]) + 2 && indent(&lines[5]) == indent(&lines[3]),
            "{lines:?}"
        );
        assert!(lines[5].ends_with("taken from the same part before") && !lines[5].contains('\u{1b}'));
    }
}
