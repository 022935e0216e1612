//! The commands of a script, read from its text.

use std::time::Duration;

use model::DurationText;
use promql::notation::{self, WrittenSeries};

use crate::classic;
use crate::load::LoadedSeries;
use crate::start_text::StartText;

/// One command, with the line on which it begins.
#[derive(Debug)]
pub(crate) enum Command {
    Clear,
    Load { line: usize, step_ms: i64, series: Vec<LoadedSeries> },
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
            Some(pattern) => Self::pattern(pattern),
            None if text.is_empty() => Ok(Self::Any),
            None => Err(format!("`{text}` begins neither with `msg:` nor with `regex:`")),
        }
    }

    fn pattern(text: &str) -> Result<Self, String> {
        regex::Regex::new(text.trim()).map(Self::Pattern).map_err(|error| error.to_string())
    }

    pub(crate) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(expected) => text == expected,
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

/// A line that cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) line: usize,
    pub(crate) reason: String,
}

/// Says of what is wrong on which line it is.
fn on(line: usize) -> impl Fn(String) -> Unreadable {
    move |reason| Unreadable { line, reason }
}

/// Reads a script. Lines that begin with `#` are empty lines, and an empty line ends a command.
pub(crate) fn parse(text: &str) -> Result<Vec<Command>, Unreadable> {
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
        let mut words = line;
        commands.push(match word(&mut words) {
            command @ ("load" | "load_with_nhcb") => load(command, words, number, body)?,
            command => eval(command, words, number, body)?,
        });
    }
    Ok(commands)
}

fn load(command: &str, step: &str, number: usize, body: &[&str]) -> Result<Command, Unreadable> {
    if step.is_empty() {
        return Err(on(number)("a load needs a step".to_owned()));
    }
    let step_ms = millis(step).map_err(on(number))?;
    let mut series = loaded(number, body)?;
    if command == "load_with_nhcb" {
        let made = classic::histograms(series.iter().map(|one| &one.written)).map_err(on(number))?;
        series.extend(made.into_iter().map(|written| LoadedSeries { written, starts_ms: Vec::new() }));
    }
    Ok(Command::Load { line: number, step_ms, series })
}

/// The series of a load, which begins on the line before them.
fn loaded(number: usize, body: &[&str]) -> Result<Vec<LoadedSeries>, Unreadable> {
    let mut series: Vec<LoadedSeries> = Vec::new();
    let (mut default, mut own): (Vec<Option<i64>>, Option<StartText>) = (Vec::new(), None);
    for (line, place) in body.iter().zip(number + 1..) {
        if let Some(starts) = StartText::parse(line) {
            let starts = starts.map_err(on(place))?;
            match starts.labels {
                None => default = starts.offsets_ms,
                Some(_) if own.is_some() => return Err(without_samples(place - 1)),
                Some(_) => own = Some(starts),
            }
            continue;
        }
        let written = notation::series(line).map_err(on(place))?;
        let mut one = LoadedSeries { written, starts_ms: default.clone() };
        if let Some(own) = own.take() {
            if own.labels.as_ref() != Some(&one.written.labels)
                || own.offsets_ms.len() != one.written.points.len()
            {
                let reason = format!("starts (`@st`) are not those of the samples of {}", one.written.labels);
                return Err(on(place)(reason));
            }
            one.starts_ms = own.offsets_ms;
        }
        // As in Prometheus, of two lines about a series the last counts.
        match series.iter_mut().find(|other| other.written.labels == one.written.labels) {
            Some(other) => *other = one,
            None => series.push(one),
        }
    }
    if own.is_some() {
        return Err(without_samples(number + body.len()));
    }
    Ok(series)
}

fn without_samples(line: usize) -> Unreadable {
    on(line)("starts (`@st`) have no samples".to_owned())
}

fn eval(command: &str, words: &str, number: usize, body: &[&str]) -> Result<Command, Unreadable> {
    let mut eval = asked(command, words).map_err(on(number))?;
    eval.line = number;
    for (line, place) in body.iter().zip(number + 1..) {
        expectation(&mut eval, line).map_err(on(place))?;
    }
    Ok(Command::Eval(Box::new(eval)))
}

/// What is evaluated, and when.
fn asked(command: &str, mut words: &str) -> Result<Eval, String> {
    let mut eval = Eval::default();
    match command {
        "eval" => {}
        "eval_fail" => eval.fail = Some(Message::Any),
        "eval_warn" => eval.warn.push(Message::Any),
        "eval_info" => eval.info.push(Message::Any),
        "eval_ordered" => eval.ordered = true,
        other => return Err(format!("`{other}` is an unknown command")),
    }
    eval.times = match word(&mut words) {
        "instant" => {
            keyword(&mut words, "at")?;
            Times::Instant(millis(word(&mut words))?)
        }
        "range" => times(&mut words)?,
        other => return Err(format!("`{other}` is neither instant nor range")),
    };
    eval.query = words.to_owned();
    Ok(eval)
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
    match word(&mut words) {
        "expect" => return expect(eval, words),
        "expected_fail_message" => eval.fail = Some(Message::Exactly(words.to_owned())),
        "expected_fail_regexp" => eval.fail = Some(Message::pattern(words)?),
        _ => match notation::number(line) {
            Some(number) => eval.scalar = Some(number),
            None => eval.series.push(notation::series(line)?),
        },
    }
    Ok(())
}

fn expect(eval: &mut Eval, mut words: &str) -> Result<(), String> {
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
