//! A line of text with a time, a level or both in front.
//!
//! There are as many forms as there are loggers, and most are the same few parts in some order: the time, the process,
//! the thread, the logger, the level, then the message. So the parts are looked for one by one, and what stands between
//! two of them may only be what parts them; the first word that is none of them begins the message. What precedes the
//! level without being anything is taken for no header at all: of a message with the word `ERROR` in it nothing is cut.

use model::Timestamp;
use model::event::{Flaw, LogEvent};

use super::clock::Clock;
use super::draft::{Finished, Whence, nowhere};
use super::severity::Severity;
use super::time;

/// What the front of a line says, and what follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said<'a> {
    pub(super) time: Option<Timestamp>,
    pub(super) severity: Option<Severity>,
    /// The level as it is written.
    pub(super) severity_text: Option<&'a str>,
    pub(super) logger: Option<&'a str>,
    pub(super) pid: Option<u64>,
    pub(super) thread: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    pub(super) message: &'a str,
}

impl Said<'_> {
    /// The record; without a time it is of now.
    pub(super) fn finish(&self, now: Timestamp) -> Finished {
        let mut log = Box::new(LogEvent::new(self.time.unwrap_or(now), nowhere()));
        if self.time.is_none() {
            log.flaws.insert(Flaw::NoTime);
        }
        log.level = self.severity.map(|severity| severity.level);
        log.severity_number = self.severity.map(|severity| severity.number);
        log.severity_text = self.severity_text.map(str::to_owned);
        log.message = Some(self.message.to_owned());
        log.attributes.extend(self.thread.map(|thread| ("thread.name".to_owned(), thread.to_owned())));
        let whence = Whence {
            service: None,
            logger: self.logger.map(str::to_owned),
            host: self.host.map(str::to_owned),
            pid: self.pid,
        };
        (log, whence.told())
    }
}

/// The most parts in front of a level.
const MAX_PARTS: usize = 6;
/// The longest text in brackets, and the longest name.
const MAX_PART_BYTES: usize = 128;

/// Reads a line; nothing when it begins with neither a time nor a level.
pub(super) fn read<'a>(line: &'a str, clock: &mut Clock) -> Option<Said<'a>> {
    let (is_bracketed, body) = line.strip_prefix('[').map_or((false, line), |body| (true, body));
    let Some((time, length)) = time::leading(body.as_bytes(), clock) else {
        return without_date(line, clock).or_else(|| without_time(line, clock));
    };
    let rest = &body[length..];
    let said = Said { time: Some(time), ..Said::default() };
    match rest.strip_prefix(']') {
        Some(rest) if is_bracketed => Some(parts(said, rest)),
        _ if is_bracketed => Some(in_brackets(&said, rest)),
        _ => {
            let is_syslog =
                body.as_bytes()[0].is_ascii_alphabetic() || body.as_bytes().get(10) == Some(&b'T');
            let syslog =
                if is_syslog { syslog(&said, rest, body.as_bytes()[0].is_ascii_alphabetic()) } else { None };
            Some(syslog.unwrap_or_else(|| parts(said, rest)))
        }
    }
}

/// `TIME [THREAD] LEVEL LOGGER - MESSAGE` with a time of day alone (Logback); a level is there, or it is none.
fn without_date<'a>(line: &'a str, clock: &mut Clock) -> Option<Said<'a>> {
    let (time, length) = time::of_day(line.as_bytes(), clock)?;
    let said = parts(Said { time: Some(time), ..Said::default() }, &line[length..]);
    said.severity.is_some().then_some(said)
}

/// `[TIME: LEVEL/PROCESS] MESSAGE` (Celery), `[TIME LEVEL LOGGER] MESSAGE` (env_logger).
fn in_brackets<'a>(said: &Said<'a>, rest: &'a str) -> Said<'a> {
    let whole = Said { message: rest.trim_start(), ..said.clone() };
    let Some(end) = rest.bytes().take(MAX_PART_BYTES).position(|byte| byte == b']') else { return whole };
    let mut said = Said { message: rest[end + 1..].trim_start(), ..said.clone() };
    for word in rest[..end].split_whitespace() {
        let word = word.trim_matches(':');
        let (level, process) = word.split_once('/').unwrap_or((word, ""));
        match Severity::of_word(level) {
            Some(severity) if said.severity.is_none() => {
                (said.severity, said.severity_text) = (Some(severity), Some(level));
                said.thread = Some(process).filter(|process| !process.is_empty());
            }
            _ if is_name(word) => said.logger = Some(word),
            _ => {}
        }
    }
    if said.severity.is_some() { said } else { whole }
}

/// `HOST TAG[PID]: MESSAGE`, after the time of syslog.
fn syslog<'a>(said: &Said<'a>, rest: &'a str, is_sure: bool) -> Option<Said<'a>> {
    let (host, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
    let (tag, message) = rest.split_once(':')?;
    if !is_name(host) && host.parse::<std::net::IpAddr>().is_err() || tag.len() > MAX_PART_BYTES {
        return None;
    }
    let (name, pid) = match tag.strip_suffix(']').and_then(|tag| tag.split_once('[')) {
        Some((name, pid)) => (name, Some(pid.parse().ok()?)),
        None => (tag, None),
    };
    // Any line of a log may go on so; a process id is more than chance.
    let is_it = is_sure || pid.is_some() || name == "kernel";
    let is_level = [host, name].iter().any(|word| Severity::of_word(word).is_some());
    (is_it && is_name(name) && !is_level).then(|| Said {
        host: Some(host),
        logger: Some(name),
        pid,
        message: message.strip_prefix(' ').unwrap_or(message),
        ..said.clone()
    })
}

/// Reads the parts up to the level and the logger after it.
fn parts<'a>(said: Said<'a>, rest: &'a str) -> Said<'a> {
    let whole = Said { message: without_separators(rest).0, ..said.clone() };
    let mut found = said;
    let mut rest = rest;
    for _ in 0..MAX_PARTS {
        let (after_separators, was_parted) = without_separators(rest);
        rest = after_separators;
        if let Some((inside, after)) = bracketed(rest) {
            rest = after;
            let word = inside.trim();
            let level = word.rsplit(':').next().unwrap_or(word);
            if let Some(severity) = Severity::of_word(level) {
                (found.severity, found.severity_text) = (Some(severity), Some(level));
                break;
            }
            match word.trim_start_matches("pid ").split(':').next().and_then(|pid| pid.parse().ok()) {
                Some(pid) => found.pid = Some(pid),
                None => found.thread = Some(word).filter(|word| !word.is_empty() && *word != "-"),
            }
            continue;
        }
        let (word, after) = word(rest);
        let name = word.trim_end_matches([':', ',']);
        let is_parted = was_parted || name.len() < word.len() || is_separator(after);
        if let Some(severity) = Severity::of_word(name)
            && (is_shouted(name) || is_parted)
        {
            (found.severity, found.severity_text) = (Some(severity), Some(name));
            rest = after;
            break;
        }
        let is_before_level = || is_shouted_level(after);
        if let Ok(pid) = name.parse::<u64>()
            && is_before_level()
        {
            found.pid = Some(pid);
        } else if is_name(name)
            && (is_parted || is_before_level() && !name.as_bytes()[0].is_ascii_uppercase() || has_marks(name))
        {
            found.logger = Some(name);
        } else {
            return whole;
        }
        rest = after;
    }
    if found.severity.is_none() {
        return whole;
    }
    after_level(found, rest)
}

/// Reads the logger that may follow the level, and takes the rest for the message.
fn after_level<'a>(mut said: Said<'a>, rest: &'a str) -> Said<'a> {
    let (mut rest, _) = without_separators(rest.strip_prefix(':').unwrap_or(rest));
    said.message = rest;
    // Spring: `PID --- [THREAD] LOGGER : MESSAGE`. It is not looked for in all of what begins with no number.
    if rest.as_bytes().first().is_some_and(|first| first.is_ascii_digit() || *first == b'+')
        && let Some((pid, after)) = rest.split_once(" --- ")
        && let Ok(pid) = pid.parse()
    {
        said.pid = Some(pid);
        rest = after.trim_start();
        while let Some((inside, after)) = bracketed(rest) {
            said.thread = Some(inside.trim());
            rest = after.trim_start();
        }
        said.message = rest;
    }
    // A name is not looked for where none can begin: a word is gone over to its end.
    if said.logger.is_some() || !begins_name(rest) {
        return said;
    }
    let (word, after) = word(rest);
    let name = word.strip_suffix(':').unwrap_or(word);
    let is_parted = is_separator(after) || without_blanks(after).starts_with(": ");
    let is_told = name.len() < word.len()
        && (has_marks(name) || name.as_bytes().first().is_some_and(u8::is_ascii_lowercase));
    if (is_told || is_parted) && is_name(name) {
        said.logger = Some(name);
        let after = after.trim_start();
        said.message = without_separators(after.strip_prefix(": ").unwrap_or(after)).0;
    }
    said
}

/// Lines that begin with a level or with something of their own before the time.
fn without_time<'a>(line: &'a str, clock: &mut Clock) -> Option<Said<'a>> {
    match line.as_bytes().first()? {
        b'[' => {
            let (inside, rest) = bracketed(line)?;
            let severity = Severity::of_word(inside).filter(|_| inside != "log")?;
            let said = Said { severity: Some(severity), severity_text: Some(inside), ..Said::default() };
            Some(after_level(said, rest))
        }
        b'0'..=b'9' => redis(line, clock),
        b'A'..=b'Z' => klog(line, clock).or_else(|| level_first(line)),
        _ => None,
    }
}

/// `LEVEL:LOGGER:MESSAGE` (Python), `LEVEL:    MESSAGE` (uvicorn), `LEVEL MESSAGE`.
fn level_first(line: &str) -> Option<Said<'_>> {
    let end = line.bytes().take(16).position(|byte| matches!(byte, b':' | b' ' | b'\t' | b'|'))?;
    let (level, rest) = line.split_at(end);
    let severity =
        Severity::of_word(level).filter(|_| is_shouted(level) && level != "LOG" && level != "SUCCESS")?;
    let said = Said { severity: Some(severity), severity_text: Some(level), ..Said::default() };
    let Some(rest) = rest.strip_prefix(':') else { return Some(after_level(said, rest)) };
    match rest.split_once(':') {
        Some((logger, message)) if is_name(logger) => Some(Said { logger: Some(logger), message, ..said }),
        _ => Some(Said { message: rest.trim_start(), ..said }),
    }
}

/// `I1130 08:00:00.123456 1234 file.go:12] MESSAGE` (klog, glog).
fn klog<'a>(line: &'a str, clock: &mut Clock) -> Option<Said<'a>> {
    let bytes = line.as_bytes();
    let severity = Severity::of_letter(bytes[0])?;
    let digits = bytes.get(1..5).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let number = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let (month, day) = (number(digits[0], digits[1]), number(digits[2], digits[3]));
    let year = if (1..=12).contains(&month) { clock.year_of(month, day) } else { return None };
    // The rest of the time is as in any other.
    let (time_of_day, _) = word(line.get(6..)?);
    let time = time::whole(&format!("{year:04}-{month:02}-{day:02} {time_of_day}"), clock)?;
    let rest = line[6 + time_of_day.len()..].trim_start();
    let (pid, rest) = word(rest);
    let (place, message) = rest.trim_start().split_once("] ")?;
    Some(Said {
        time: Some(time),
        severity: Some(severity),
        severity_text: Some(&line[..1]),
        pid: pid.parse().ok(),
        logger: Some(place).filter(|place| is_name(place)),
        message,
        ..Said::default()
    })
}

/// `1234:M 30 Nov 2026 08:00:00.123 * MESSAGE` (Redis).
fn redis<'a>(line: &'a str, clock: &mut Clock) -> Option<Said<'a>> {
    let (process, rest) = line.split_once(' ')?;
    let (pid, role) = process.split_once(':')?;
    let pid = pid.parse().ok().filter(|_| role.len() == 1)?;
    let (time, length) = time::leading(rest.as_bytes(), clock)?;
    let rest = rest[length..].strip_prefix(' ')?;
    let severity = Severity::of_letter(*rest.as_bytes().first()?)?;
    let message = rest.get(1..)?.trim_start();
    Some(Said { time: Some(time), severity: Some(severity), pid: Some(pid), message, ..Said::default() })
}

/// The text without what parts it from what was before, and whether that was more than a space.
fn without_separators(text: &str) -> (&str, bool) {
    let mut rest = without_blanks(text);
    // Most words are not parted so.
    if !matches!(rest.as_bytes().first(), Some(b'-' | b'|' | b':')) {
        return (rest, false);
    }
    let mut was_parted = false;
    for separator in ["--- ", "- ", "| ", ": ", "|"] {
        if let Some(after) = rest.strip_prefix(separator) {
            (rest, was_parted) = (without_blanks(after), true);
            break;
        }
    }
    (rest, was_parted)
}

fn is_separator(text: &str) -> bool {
    let text = without_blanks(text);
    text.starts_with("- ") || text.starts_with('|')
}

/// The text up to a space or a bar, and the rest.
fn word(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| matches!(byte, b' ' | b'\t' | b'|')).unwrap_or(text.len());
    text.split_at(end)
}

/// What is in brackets at the beginning, and the rest.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let end = inside.bytes().take(MAX_PART_BYTES).position(|byte| byte == b']')?;
    Some((&inside[..end], &inside[end + 1..]))
}

/// Whether it may be the name of a logger, a module, a host.
fn is_name(text: &str) -> bool {
    let is_mark =
        |byte: u8| matches!(byte, b'.' | b'_' | b'-' | b':' | b'/' | b'$' | b'@' | b'<' | b'>' | b'#');
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || is_mark(byte);
    text.len() <= MAX_PART_BYTES && begins_name(text) && text.bytes().all(is_part)
}

/// Whether a name may begin so.
fn begins_name(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'<'))
}

/// The text without the blanks in front. Most are spaces, few, and need no look at what Unicode says.
fn without_blanks(text: &str) -> &str {
    let spaces = text.bytes().take_while(|byte| *byte == b' ').count();
    let rest = &text[spaces..];
    match rest.as_bytes().first() {
        Some(b'!'..=b'~') => rest,
        _ => rest.trim_start(),
    }
}

/// Whether a name looks like one of a module more than like a word.
fn has_marks(name: &str) -> bool {
    let inner = name.trim_end_matches(['.', ':']);
    inner.bytes().any(|byte| matches!(byte, b'.' | b'_' | b':' | b'/' | b'$'))
}

fn is_shouted(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether a level in capitals comes next.
fn is_shouted_level(text: &str) -> bool {
    let (text, _) = without_separators(text);
    let (next, _) = match bracketed(text) {
        Some((inside, after)) => (inside, after),
        None => word(text),
    };
    let next = next.trim_end_matches(':');
    is_shouted(next) && Severity::of_word(next).is_some()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn blanks_are_those_of_unicode() {
        let blanks = ["", " ", "  ", "\t", " \t ", "\u{a0}", " \u{2003} ", "\u{1}", " \u{7f}", "\r\n "];
        for blank in blanks {
            for rest in ["", "a", "~ b", "! ", "ü c", "\u{feff}d"] {
                let text = format!("{blank}{rest}");
                assert_eq!(without_blanks(&text), text.trim_start(), "{text:?}");
            }
        }
    }

    #[test]
    fn a_logger_after_the_level_is_one_where_a_name_can_begin() {
        let mut clock = Clock::new(TimeZone::UTC, Timestamp::default());
        // What follows the level, the logger, and the message.
        let cases = [
            ("[pipeline.ocr] stage ocr completed", None, "[pipeline.ocr] stage ocr completed"),
            ("pipeline.ocr: done", Some("pipeline.ocr"), "done"),
            ("_private.x: done", Some("_private.x"), "done"),
            ("<frozen>.x: done", Some("<frozen>.x"), "done"),
            ("7zip.x: done", None, "7zip.x: done"),
            ("\"quoted\": done", None, "\"quoted\": done"),
            ("größe.x: done", None, "größe.x: done"),
            ("", None, ""),
        ];
        for (rest, logger, message) in cases {
            for level in ["INFO ", "INFO     ", "[INFO] "] {
                let line = format!("2026-11-30 12:00:00,123 {level}{rest}");
                let said = read(&line, &mut clock).expect("a line of a log");
                assert_eq!((said.logger, said.message), (logger, message), "{line}");
            }
        }
    }
}
