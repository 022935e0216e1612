//! `watchkeeper redact`: what redaction makes of a file, by the configuration of the server. No server is asked.

mod look;
mod report;
mod texts;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use ingest::{Location, Redactor};

use crate::config;
use crate::exit::Failure;
use look::Look;
use report::{Colours, Report};
use texts::Texts;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Redact {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Show each line that would change and what would be replaced, and how often, instead of the redacted text
    #[arg(long)]
    dry_run: bool,
    /// Print JSON: an object for each text that would change, then one with the summary
    #[arg(long, requires = "dry_run")]
    json: bool,
    /// Take the file for one text, and not for a log whose lines are joined to records as those of tailed files are
    #[arg(long)]
    whole: bool,
    /// The table that the texts are taken to be for, as rules name it
    #[arg(long, value_name = "TABLE", default_value = "logs")]
    table: String,
    /// The field of it
    #[arg(long, value_name = "FIELD", default_value = "message")]
    field: String,
    /// The configuration [default: ./watchkeeper.toml, else /etc/watchkeeper/watchkeeper.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Why no more lines are looked at.
enum Stop {
    Read(io::Error),
    Write(io::Error),
}

pub(crate) fn run(command: &Redact) -> Result<(), Failure> {
    let loaded = config::read(command.config.as_deref()).map_err(Failure::usage)?;
    let settings = &loaded.settings.ingest.redaction;
    if !is_table(&command.table) {
        return Err(Failure::Usage(anyhow!("--table {}: there is no such table", command.table)));
    }
    if !settings.enabled {
        eprintln!("note: redaction is off (`ingest.redaction.enabled`)");
    }
    let redactor = Redactor::new(settings).map_err(Failure::usage)?;
    let input = open(&command.file)?;
    let out = io::stdout();
    let colours = Colours::of(out.is_terminal(), |name| std::env::var(name).ok());
    let mut out = BufWriter::new(out.lock());
    let at = Location { table: &command.table, field: &command.field };
    let texts = if command.whole { Texts::whole(input) } else { Texts::records(input)? };
    let look = Look::new(&redactor, at);
    let ended = if command.dry_run {
        dry_run(look, texts, &mut out, (!command.json).then_some(colours))
    } else {
        redact(look, texts, &mut out)
    };
    match ended.and_then(|()| out.flush().map_err(Stop::Write)) {
        // Who reads it has seen enough.
        Err(Stop::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Stop::Write(error)) => Err(Failure::from(anyhow!(error).context("writing"))),
        Err(Stop::Read(error)) => {
            Err(Failure::from(anyhow!(error).context(format!("cannot read {}", command.file.display()))))
        }
        Ok(()) => Ok(()),
    }
}

/// Whether rules can name it.
fn is_table(name: &str) -> bool {
    name == "metrics" || store::Table::from_name(name).is_some()
}

fn open(file: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Box::new(BufReader::with_capacity(1 << 16, opened)))
}

/// Prints the text as it would be stored. What does not change is printed byte for byte.
fn redact(mut look: Look<'_>, mut texts: Texts<impl BufRead>, out: &mut impl Write) -> Result<(), Stop> {
    while let Some(text) = texts.read().map_err(Stop::Read)? {
        let shown = text.shown();
        let written = match look.next(&shown, text.message(), |_, _| ()) {
            Some(changed) => out.write_all(changed.text.as_bytes()),
            None => out.write_all(text.bytes()),
        };
        written.and_then(|()| out.write_all(text.end())).map_err(Stop::Write)?;
    }
    Ok(())
}

/// Prints what would change: for people where there are colours or could be, else as JSON.
fn dry_run(
    mut look: Look<'_>,
    mut texts: Texts<impl BufRead>,
    out: &mut impl Write,
    colours: Option<Colours>,
) -> Result<(), Stop> {
    let mut report = Report::default();
    while let Some(text) = texts.read().map_err(Stop::Read)? {
        let shown = text.shown();
        let changed = look.next(&shown, text.message(), |detector, action| report.count(detector, action));
        report.text(changed.is_some());
        let Some(changed) = changed else { continue };
        let line = match colours {
            Some(colours) => report::for_people(text.line(), &shown, &changed.found, colours),
            None => report::as_json(text.line(), &shown, &changed.found, &changed.text),
        };
        writeln!(out, "{line}").map_err(Stop::Write)?;
    }
    let summary = if colours.is_some() { report.summary() } else { report.summary_as_json() };
    writeln!(out, "{summary}").map_err(Stop::Write)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingest::Redaction;

    fn printed(input: &[u8], colours: Option<Colours>) -> String {
        let redactor = Redactor::new(&Redaction::default()).expect("the shipped detectors");
        let mut out = Vec::new();
        let look = Look::new(&redactor, Location::LOG_MESSAGE);
        let ended = dry_run(look, Texts::records(input).expect("options"), &mut out, colours);
        assert!(ended.is_ok());
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn what_does_not_change_is_printed_byte_for_byte() {
        let input = b"one\r\nto a@b.org\nlast \xff";
        let redactor = Redactor::new(&Redaction::default()).expect("the shipped detectors");
        let mut out = Vec::new();
        let look = Look::new(&redactor, Location::LOG_MESSAGE);
        let ended = redact(look, Texts::records(&input[..]).expect("options"), &mut out);
        assert!(ended.is_ok());
        assert_eq!(out, b"one\r\nto [redacted:email]\nlast \xff");
    }

    #[test]
    fn a_dry_run_shows_lines_that_would_change_and_counts() {
        let input = b"one\nto a@b.org and c@d.org\npassword=abcd1\n";
        let shown = printed(input, Some(Colours::Without));
        let expected = [
            "2: to [-a@b.org-]{+[redacted:email]+} and [-c@d.org-]{+[redacted:email]+}",
            "3: password=[-abcd1-]{+[redacted:assigned_secret]+}",
        ];
        assert!(shown.starts_with(&expected.join("\n")), "{shown}");
        assert!(shown.ends_with("2 of 3 texts would change\n"), "{shown}");
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.lines().any(|line| words(line) == "email mask 2"), "{shown}");
        assert_eq!(printed(b"one\n", Some(Colours::Without)), "nothing was found in 1 text\n");
    }

    #[test]
    fn of_a_key_is_shown_where_it_begins_and_how_long_it_is_and_so_are_its_lines_that_come_one_by_one() {
        let (begin, end) = (concat!("-----BEGIN ", "PRIVATE KEY-----"), "-----END PRIVATE KEY-----");
        let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        let joined = printed(format!("a\nkey {begin}\n{line}\n{end}\n").as_bytes(), Some(Colours::Without));
        let expected = format!("2: key [-{begin} … 3 lines-]{{+[redacted:private_key]+}}\n");
        assert!(joined.starts_with(&expected), "{joined}");
        let head = "2026-11-30 08:00:00 INFO";
        let apart = format!("{head} {begin}\n{head} {line}\n{head} {end}\n");
        let apart = printed(apart.as_bytes(), Some(Colours::Without));
        let expected = format!("2: {head} [-{line}-]{{+[redacted:private_key]+}}\n");
        assert!(apart.starts_with(&expected), "{apart}");
        assert!(apart.ends_with("1 of 3 texts would change\n"), "{apart}");
    }

    #[test]
    fn of_a_key_a_line_of_a_log_of_any_form_nothing_is_printed() {
        let (begin, end) = (concat!("-----BEGIN ", "PRIVATE KEY-----"), "-----END PRIVATE KEY-----");
        let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt/Us8cKj";
        let narrow = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj/abc";
        let lower = "abcdefghijklmnopqrstuvwxyz/abcdefghijklmnopqrstuvwxyz";
        let frames = [
            ("{\"level\":\"info\",\"msg\":\"", "\",\"caller\":\"key.go:12\"}"),
            ("level=info msg=\"", "\" caller=key.go:12"),
            ("{\"log\":\"", "\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-30T08:00:00.1Z\"}"),
            ("", " (key.py:12)"),
        ];
        let redactor = Redactor::new(&Redaction::default()).expect("the shipped detectors");
        let printed = |input: &str| {
            let look = Look::new(&redactor, Location::LOG_MESSAGE);
            let mut out = Vec::new();
            let texts = Texts::records(input.as_bytes()).expect("options");
            assert!(redact(look, texts, &mut out).is_ok());
            String::from_utf8(out).expect("UTF-8")
        };
        for (before, after) in frames {
            let framed = |inner: &str| format!("{before}{inner}{after}");
            let input = [begin, line, narrow, "8Hw==", end, "done"].map(framed).join("\n");
            let shown = printed(&input);
            let gone = format!("{before}[redacted:private_key]{after}");
            assert_eq!(shown.lines().filter(|line| *line == gone).count(), 3, "{shown}");
            assert!(shown.lines().last().is_some_and(|line| line.contains("done")), "{shown}");
        }
        // What only reading it shows to be all of a message, and what stands in it otherwise than it is read.
        let read = |inner: &str| format!("{{\"msg\":\"{inner}\"}}\n");
        for hidden in [lower.to_owned(), line.replace('/', "\\/"), line.replace('S', "\\u0053")] {
            let shown = printed(&format!("{}{}", read(begin), read(&hidden)));
            assert!(!shown.contains(&hidden) && shown.contains("[redacted:private_key]"), "{shown}");
        }
    }

    #[test]
    fn of_a_record_with_many_lines_those_are_shown_that_would_change() {
        let input = b"one\n  two\n  to a@b.org and c@d.org\n  four\n  to e@f.org\nsix\n";
        let shown = printed(input, Some(Colours::Without));
        let expected = "3:   to [-a@b.org-]{+[redacted:email]+} and [-c@d.org-]{+[redacted:email]+}\n\
                        5:   to [-e@f.org-]{+[redacted:email]+}\n";
        assert!(shown.starts_with(expected), "{shown}");
        assert!(shown.ends_with("1 of 2 texts would change\n"), "{shown}");
    }

    #[test]
    fn json_has_a_line_for_each_that_would_change_and_one_for_the_summary() {
        let shown = printed(b"one\nto a@b.org\n", None);
        let lines: Vec<serde_json::Value> =
            shown.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let [changed, summary] = lines.as_slice() else { panic!("{shown}") };
        assert_eq!(changed["line"], 2);
        assert_eq!(changed["text"], "to [redacted:email]");
        let finding = &changed["findings"][0];
        let expected = serde_json::json!({
            "start": 3, "end": 10, "detector": "email", "action": "mask", "found": "a@b.org",
            "replacement": "[redacted:email]",
        });
        assert_eq!(*finding, expected);
        assert_eq!(summary["summary"]["changed"], 1);
        assert_eq!(summary["summary"]["findings"][0]["detector"], "email");
    }
}
