//! Go's `Sprintf` and `Sprint`, for the values that templates have.

use super::number::{general, not_finite, scientific, shortest};
use super::value::Value;

/// The widest field, and the most digits.
const MAX_WIDTH: usize = 256;

/// All values, with a space between two of which neither is a text.
pub(super) fn print(values: &[Value]) -> String {
    let mut printed = String::new();
    let mut after_text = true;
    for value in values {
        let is_text = matches!(value, Value::Text(_));
        if !printed.is_empty() && !is_text && !after_text {
            printed.push(' ');
        }
        printed.push_str(&value.printed());
        after_text = is_text;
    }
    printed
}

/// One place of a format: `%-8.3f`.
#[derive(Default)]
struct Verb {
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

/// The values that a format is filled in with.
struct Arguments<'a> {
    values: &'a [Value],
    /// The place of the next one.
    next: usize,
    /// Whether the format says places itself: `%[2]d`.
    says_places: bool,
    /// Whether the last place that it said is none.
    is_lost: bool,
}

impl<'a> Arguments<'a> {
    fn take(&mut self) -> Option<&'a Value> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        Some(value)
    }

    /// Goes to the place that the format says, if it does: `[2]`.
    fn go_to_place(&mut self, text: &str, at: &mut usize) {
        let Some(inner) = text[*at..].strip_prefix('[') else { return };
        self.says_places = true;
        let (place, length) = inner.split_once(']').map_or(("", 1), |(place, _)| (place, place.len() + 2));
        *at += length;
        match place.parse::<usize>() {
            Ok(place) if (1..=self.values.len()).contains(&place) => self.next = place - 1,
            _ => self.is_lost = true,
        }
    }

    /// A number that is a value: `*`.
    fn number(&mut self) -> Option<i64> {
        match self.take() {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// What no verb has used, as Go says it.
    fn extra(&self) -> Option<String> {
        let extra = self.values.get(self.next..).filter(|extra| !extra.is_empty() && !self.says_places)?;
        let extra: Vec<String> = extra.iter().map(typed).collect();
        Some(format!("%!(EXTRA {})", extra.join(", ")))
    }
}

/// Fills a format in. What does not fit is said in the text, as Go says it.
pub(super) fn printf(format: &str, values: &[Value]) -> String {
    let mut printed = String::new();
    let mut arguments = Arguments { values, next: 0, says_places: false, is_lost: false };
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        printed.push_str(&rest[..at]);
        arguments.is_lost = false;
        let (verb, length) = verb(&rest[at + 1..], &mut arguments, &mut printed);
        rest = &rest[at + 1 + length..];
        match verb.letter {
            '%' => printed.push('%'),
            '\0' => printed.push_str("%!(NOVERB)"),
            letter if arguments.is_lost => printed.push_str(&format!("%!{letter}(BADINDEX)")),
            letter => match arguments.take() {
                Some(value) => printed.push_str(&one(&verb, value)),
                None => printed.push_str(&format!("%!{letter}(MISSING)")),
            },
        }
    }
    printed.push_str(rest);
    printed.push_str(&arguments.extra().unwrap_or_default());
    printed
}

fn typed(value: &Value) -> String {
    match value {
        Value::Absent => "<nil>".to_owned(),
        _ => format!("{}={}", value.kind(), value.printed()),
    }
}

/// Reads what follows a `%`, and how long it is. Says in `printed` which widths and precisions are none.
fn verb(text: &str, arguments: &mut Arguments<'_>, printed: &mut String) -> (Verb, usize) {
    let mut verb = Verb::default();
    let mut at = 0;
    for c in text.chars() {
        match c {
            '-' => verb.minus = true,
            '+' => verb.plus = true,
            ' ' => verb.space = true,
            '0' => verb.zero = true,
            '#' => verb.sharp = true,
            _ => break,
        }
        at += 1;
    }
    match number(text, &mut at, arguments) {
        Some(width) => {
            verb.minus |= width < 0;
            verb.width = bounded(width);
        }
        None => printed.push_str("%!(BADWIDTH)"),
    }
    if text[at..].starts_with('.') {
        at += 1;
        verb.precision = number(text, &mut at, arguments).filter(|digits| *digits >= 0).map(bounded);
        if verb.precision.is_none() {
            printed.push_str("%!(BADPREC)");
        }
    }
    arguments.go_to_place(text, &mut at);
    verb.letter = text[at..].chars().next().unwrap_or('\0');
    let length = if verb.letter == '\0' { at } else { at + verb.letter.len_utf8() };
    (verb, length)
}

/// A width or a precision, which may be a value; 0 where none is written.
fn number(text: &str, at: &mut usize, arguments: &mut Arguments<'_>) -> Option<i64> {
    let begin = *at;
    arguments.go_to_place(text, at);
    let says_place = *at > begin;
    let rest = &text[*at..];
    if rest.starts_with('*') {
        *at += 1;
        return arguments.number();
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    *at += digits;
    // A place is that of the value, which stands behind its width.
    arguments.is_lost |= says_place && digits > 0;
    Some(rest[..digits].parse().unwrap_or(if digits == 0 { 0 } else { i64::MAX }))
}

fn bounded(number: i64) -> usize {
    usize::try_from(number.unsigned_abs()).unwrap_or(MAX_WIDTH).min(MAX_WIDTH)
}

fn one(verb: &Verb, value: &Value) -> String {
    let is_number = matches!(value, Value::Int(_) | Value::Float(_));
    let text = match (verb.letter, value) {
        ('v', Value::Absent) => "<nil>".to_owned(),
        ('v', Value::Float(number)) => match verb.precision {
            Some(digits) => signed(verb, *number, general(*number, digits)),
            None => signed(verb, *number, shortest(*number)),
        },
        ('v', Value::Int(number)) => signed(verb, *number as f64, number.to_string()),
        ('v', Value::Text(text)) if verb.sharp => format!("{text:?}"),
        ('v', other) => other.printed(),
        ('T', Value::Absent) => "<nil>".to_owned(),
        ('T', other) => other.kind().to_owned(),
        ('t', Value::Bool(yes)) => yes.to_string(),
        ('d', Value::Int(number)) => signed(verb, *number as f64, number.to_string()),
        ('x', Value::Int(number)) => based(verb, *number, "0x", |n| format!("{n:x}")),
        ('X', Value::Int(number)) => based(verb, *number, "0X", |n| format!("{n:X}")),
        ('o', Value::Int(number)) => based(verb, *number, "0", |n| format!("{n:o}")),
        ('b', Value::Int(number)) => based(verb, *number, "0b", |n| format!("{n:b}")),
        ('c', Value::Int(number)) => {
            u32::try_from(*number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string()
        }
        ('q', Value::Int(number)) => {
            format!("{:?}", u32::try_from(*number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}'))
        }
        ('e' | 'E' | 'f' | 'F' | 'g' | 'G', Value::Float(number)) => {
            signed(verb, *number, float(verb, *number))
        }
        ('s', Value::Text(text)) => match verb.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.as_ref().to_owned(),
        },
        ('q', Value::Text(text)) => format!("{text:?}"),
        ('x', Value::Text(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::Text(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        (
            's',
            Value::Labels(_)
            | Value::Map(_)
            | Value::List(_)
            | Value::Histogram(_)
            | Value::Time(_)
            | Value::Duration(_),
        ) => value.printed(),
        (letter, Value::Absent) => format!("%!{letter}(<nil>)"),
        (letter, other) => format!("%!{letter}({})", typed(other)),
    };
    padded(verb, text, is_number)
}

fn float(verb: &Verb, number: f64) -> String {
    if !number.is_finite() {
        return not_finite(number).trim_start_matches('+').to_owned();
    }
    let text = match verb.letter {
        'e' | 'E' => scientific(number, verb.precision.unwrap_or(6)),
        'f' | 'F' => format!("{number:.*}", verb.precision.unwrap_or(6)),
        _ => verb.precision.map_or_else(|| shortest(number), |digits| general(number, digits)),
    };
    if matches!(verb.letter, 'E' | 'G') { text.to_uppercase() } else { text }
}

/// With a sign where one is wanted.
fn signed(verb: &Verb, number: f64, text: String) -> String {
    if number.is_infinite() && number > 0.0 {
        return format!("+{}", text.trim_start_matches('+'));
    }
    if number.is_sign_negative() || number.is_nan() {
        return text;
    }
    if verb.plus {
        format!("+{text}")
    } else if verb.space {
        format!(" {text}")
    } else {
        text
    }
}

fn based(verb: &Verb, number: i64, prefix: &str, digits: impl Fn(u64) -> String) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let prefix = if verb.sharp { prefix } else { "" };
    format!("{sign}{prefix}{}", digits(number.unsigned_abs()))
}

fn padded(verb: &Verb, text: String, is_number: bool) -> String {
    let missing = verb.width.saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    if verb.minus {
        return format!("{text}{}", " ".repeat(missing));
    }
    if verb.zero && is_number && text.ends_with(|c: char| c.is_ascii_alphanumeric()) && !text.contains("Inf")
    {
        let (sign, digits) = match text.strip_prefix(['+', '-', ' ']) {
            Some(digits) => text.split_at(text.len() - digits.len()),
            None => ("", text.as_str()),
        };
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    format!("{}{text}", " ".repeat(missing))
}
