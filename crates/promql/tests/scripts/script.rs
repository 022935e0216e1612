//! The commands of a script, read from its text.

use std::time::Duration;

use model::DurationText;
use promql::notation::{self, WrittenSeries};

use crate::classic;

/// One command, with the line on which it begins.
#[derive(Debug)]
pub(crate) enum Command {
    Clear,
    Load {
        line: usize,
        step_ms: i64,
        series: Vec<WrittenSeries>,
    },
    /// A load of what is not kept, and what that is.
    Unsupported {
        line: usize,
        what: &'static str,
    },
    Eval(Box<Eval>),
}

/// One evaluation and what is expected of it.
#[derive(Debug, Default)]
pub(crate) struct Eval {
    pub(crate) line: usize,
    pub(crate) query: String,
    pub(crate) times: Times,
    pub(crate) fail: Option<Message>,
    pub(crate) warn: Vec<Message>,
    pub(crate) info: Vec<Message>,
    pub(crate) no_warn: bool,
    pub(crate) no_info: bool,
    pub(crate) ordered: bool,
    pub(crate) text: Option<String>,
    pub(crate) scalar: Option<f64>,
    /// The times of the expected points where they are not the query's own.
    pub(crate) range_vector: Option<Times>,
    pub(crate) series: Vec<WrittenSeries>,
}

/// When a query is evaluated, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Times {
    Instant(i64),
    Range { start_ms: i64, end_ms: i64, step_ms: i64 },
}

impl Default for Times {
    fn default() -> Self {
        Self::Instant(0)
    }
}

/// What a message must be.
#[derive(Debug)]
pub(crate) enum Message {
    Any,
    Exactly(String),
    Pattern(regex::Regex),
}

impl Message {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(message) = text.strip_prefix("msg:") {
            return Ok(Self::Exactly(message.trim().to_owned()));
        }
        match text.strip_prefix("regex:") {
            Some(pattern) => {
                regex::Regex::new(pattern.trim()).map(Self::Pattern).map_err(|error| error.to_string())
            }
            None => Ok(Self::Any),
        }
    }

    pub(crate) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(expected) => text == expected,
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

/// Reads a script. Lines that begin with `#` are empty lines, and an empty line ends a command.
pub(crate) fn parse(text: &str) -> Result<Vec<Command>, String> {
    let lines: Vec<&str> =
        text.lines().map(str::trim).map(|line| if line.starts_with('#') { "" } else { line }).collect();
    let mut commands = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let number = at + 1;
        at += 1;
        if line.is_empty() {
            continue;
        }
        if line == "clear" {
            commands.push(Command::Clear);
            continue;
        }
        let end = (at..lines.len()).find(|&end| lines[end].is_empty()).unwrap_or(lines.len());
        let body = &lines[at..end];
        at = end;
        let command =
            if line.starts_with("load") { load(line, number, body) } else { eval(line, number, body) };
        commands.push(command.map_err(|error| format!("line {number}: {error}"))?);
    }
    Ok(commands)
}

fn load(line: &str, number: usize, body: &[&str]) -> Result<Command, String> {
    let (command, step) = line.split_once(char::is_whitespace).ok_or("a load needs a step")?;
    if body.iter().any(|line| has_start_timestamps(line)) {
        return Ok(Command::Unsupported { line: number, what: "start timestamps (`@st`)" });
    }
    let mut series: Vec<WrittenSeries> = Vec::with_capacity(body.len());
    for line in body {
        let one = notation::series(line)?;
        // As in Prometheus, of two lines about a series the last counts.
        match series.iter_mut().find(|other| other.labels == one.labels) {
            Some(other) => *other = one,
            None => series.push(one),
        }
    }
    if command == "load_with_nhcb" {
        series.extend(classic::histograms(&series));
    }
    Ok(Command::Load { line: number, step_ms: millis(step.trim())?, series })
}

/// Whether a line says when counters began, as `name{label="value"}@st -1m` does for the samples of the next line.
fn has_start_timestamps(line: &str) -> bool {
    notation::leading_labels(line).is_ok_and(|(_, rest)| rest.starts_with("@st"))
}

fn eval(line: &str, number: usize, body: &[&str]) -> Result<Command, String> {
    let (command, rest) = line.split_once(char::is_whitespace).ok_or("an unknown command")?;
    let mut eval = Eval { line: number, ..Eval::default() };
    match command {
        "eval" => {}
        "eval_fail" => eval.fail = Some(Message::Any),
        "eval_warn" => eval.warn.push(Message::Any),
        "eval_info" => eval.info.push(Message::Any),
        "eval_ordered" => eval.ordered = true,
        other => return Err(format!("`{other}` is an unknown command")),
    }
    let mut words = rest.trim();
    let kind = word(&mut words);
    eval.times = match kind {
        "instant" => {
            keyword(&mut words, "at")?;
            Times::Instant(millis(word(&mut words))?)
        }
        "range" => times(&mut words)?,
        other => return Err(format!("`{other}` is neither instant nor range")),
    };
    eval.query = words.to_owned();
    for line in body {
        expectation(&mut eval, line)?;
    }
    Ok(Command::Eval(Box::new(eval)))
}

fn times(words: &mut &str) -> Result<Times, String> {
    keyword(words, "from")?;
    let start_ms = millis(word(words))?;
    keyword(words, "to")?;
    let end_ms = millis(word(words))?;
    keyword(words, "step")?;
    Ok(Times::Range { start_ms, end_ms, step_ms: millis(word(words))? })
}

fn expectation(eval: &mut Eval, line: &str) -> Result<(), String> {
    let mut words = line;
    if let Some(message) = line.strip_prefix("expected_fail_message") {
        eval.fail = Some(Message::Exactly(message.trim().to_owned()));
    } else if let Some(pattern) = line.strip_prefix("expected_fail_regexp") {
        eval.fail = Some(Message::parse(&format!("regex:{pattern}"))?);
    } else if word(&mut words) == "expect" {
        match word(&mut words) {
            "fail" => eval.fail = Some(Message::parse(words)?),
            "warn" => eval.warn.push(Message::parse(words)?),
            "info" => eval.info.push(Message::parse(words)?),
            "no_warn" => eval.no_warn = true,
            "no_info" => eval.no_info = true,
            "ordered" => eval.ordered = true,
            "string" => eval.text = Some(notation::quoted(words)?),
            "range" => {
                keyword(&mut words, "vector")?;
                eval.range_vector = Some(times(&mut words)?);
            }
            other => return Err(format!("`{other}` is nothing to expect")),
        }
    } else if let Some(number) = notation::number(line) {
        eval.scalar = Some(number);
    } else {
        eval.series.push(notation::series(line)?);
    }
    Ok(())
}

fn word<'a>(words: &mut &'a str) -> &'a str {
    let (first, rest) = words.split_at(words.find(char::is_whitespace).unwrap_or(words.len()));
    *words = rest.trim_start();
    first
}

fn keyword(words: &mut &str, expected: &str) -> Result<(), String> {
    let found = word(words);
    if found == expected { Ok(()) } else { Err(format!("`{found}` stands where `{expected}` is expected")) }
}

fn millis(text: &str) -> Result<i64, String> {
    if let Some(seconds) = notation::number(text) {
        return Ok((seconds * 1000.0) as i64);
    }
    let DurationText(duration) = text.parse().map_err(|error| format!("{error}"))?;
    Ok(Duration::as_millis(&duration) as i64)
}
