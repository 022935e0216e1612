//! The functions of templates. What they give follows Prometheus' documentation of the same names.

use model::Timestamp;

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(f64),
}

impl Value {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => promql::format_value(number),
        }
    }

    /// As a number; a text that is none gives NaN.
    fn number(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().unwrap_or(f64::NAN),
        }
    }
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Humanize,
    Humanize1024,
    HumanizeDuration,
    HumanizePercentage,
    HumanizeTimestamp,
    Printf,
    ToLower,
    ToUpper,
    Title,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "humanize" => Self::Humanize,
            "humanize1024" => Self::Humanize1024,
            "humanizeDuration" => Self::HumanizeDuration,
            "humanizePercentage" => Self::HumanizePercentage,
            "humanizeTimestamp" => Self::HumanizeTimestamp,
            "printf" => Self::Printf,
            "toLower" => Self::ToLower,
            "toUpper" => Self::ToUpper,
            "title" => Self::Title,
            _ => return None,
        })
    }

    /// Whether a call can be made with these arguments; the text says what is wrong.
    pub(super) fn check(self, arguments: &[super::Expression]) -> Result<(), String> {
        match self {
            Self::Printf => match arguments.first() {
                Some(super::Expression::Literal(Value::Text(format))) => {
                    let verbs = verbs(format)?;
                    if verbs == arguments.len() - 1 {
                        Ok(())
                    } else {
                        Err(format!("printf has {verbs} places and {} values", arguments.len() - 1))
                    }
                }
                _ => Err("printf begins with a format in quotes".to_owned()),
            },
            _ if arguments.len() == 1 => Ok(()),
            _ => Err(format!("a function takes one value here, and is given {}", arguments.len())),
        }
    }

    pub(super) fn call(self, arguments: &[Value]) -> Value {
        let Some(first) = arguments.first() else { return Value::Text(String::new()) };
        Value::Text(match self {
            Self::Humanize => humanize(first.number()),
            Self::Humanize1024 => humanize_1024(first.number()),
            Self::HumanizeDuration => humanize_duration(first.number()),
            Self::HumanizePercentage => format!("{}%", significant(first.number() * 100.0)),
            Self::HumanizeTimestamp => Timestamp::from_secs_f64(first.number()).to_string(),
            Self::Printf => printf(&first.clone().into_text(), &arguments[1..]),
            Self::ToLower => first.clone().into_text().to_lowercase(),
            Self::ToUpper => first.clone().into_text().to_uppercase(),
            Self::Title => title(&first.clone().into_text()),
        })
    }
}

/// With an SI prefix: `1.234k`, `5m`.
fn humanize(value: f64) -> String {
    let mut value = value;
    let mut prefix = "";
    if value == 0.0 || !value.is_finite() {
        return significant(value);
    }
    if value.abs() >= 1.0 {
        for next in ["k", "M", "G", "T", "P", "E", "Z", "Y"] {
            if value.abs() < 1000.0 {
                break;
            }
            value /= 1000.0;
            prefix = next;
        }
    } else {
        (value, prefix) = small(value);
    }
    format!("{}{prefix}", significant(value))
}

/// With a binary prefix: `4.5Gi`.
pub(crate) fn humanize_1024(value: f64) -> String {
    let mut value = value;
    let mut prefix = "";
    if value.abs() > 1.0 && value.is_finite() {
        for next in ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"] {
            if value.abs() < 1024.0 {
                break;
            }
            value /= 1024.0;
            prefix = next;
        }
    }
    format!("{}{prefix}", significant(value))
}

/// Seconds as `1d 2h 3m 4s`, and less than a second with an SI prefix.
pub(crate) fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return significant(value);
    }
    if value == 0.0 {
        return "0s".to_owned();
    }
    if value.abs() < 1.0 {
        let (value, prefix) = small(value);
        return format!("{}{prefix}s", significant(value));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let whole = value.abs() as u64;
    let (days, hours, minutes, seconds) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    if days > 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours > 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        format!("{}s", significant(value))
    }
}

fn small(value: f64) -> (f64, &'static str) {
    let mut value = value;
    let mut prefix = "";
    for next in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        value *= 1000.0;
        prefix = next;
    }
    (value, prefix)
}

/// Four significant digits, as C's `%.4g`.
fn significant(value: f64) -> String {
    general(value, 4)
}

fn not_finite(value: f64) -> String {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
    .to_owned()
}

/// C's `%.Ng`: N significant digits, no trailing zeros, an exponent where it is very large or small.
fn general(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return not_finite(value);
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = digits.clamp(1, 17);
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let precision = i32::try_from(digits).unwrap_or(17);
    if exponent < -4 || exponent >= precision {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", shorten(mantissa), exponent.abs());
    }
    let decimals = usize::try_from(precision - 1 - exponent).unwrap_or(0);
    shorten(&format!("{value:.decimals$}")).to_owned()
}

fn shorten(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

fn title(text: &str) -> String {
    let mut begins = true;
    let mut titled = String::with_capacity(text.len());
    for c in text.chars() {
        if begins {
            titled.extend(c.to_uppercase());
        } else {
            titled.push(c);
        }
        begins = c.is_whitespace();
    }
    titled
}

/// One place of a format: `%5.2f` and the like.
struct Verb {
    width: usize,
    precision: Option<usize>,
    kind: char,
}

const MAX_WIDTH: usize = 100;

/// Splits a format at its places; `%%` is a text.
fn split(format: &str) -> Result<Vec<Result<Verb, String>>, String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut characters = format.chars().peekable();
    while let Some(c) = characters.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let number = |characters: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse().unwrap_or(0usize).min(MAX_WIDTH)
        };
        let width = number(&mut characters);
        let precision = characters.next_if_eq(&'.').map(|_| number(&mut characters));
        match characters.next() {
            Some('%') => text.push('%'),
            Some(kind @ ('s' | 'v' | 'd' | 'f' | 'e' | 'g' | 'q')) => {
                parts.push(Err(std::mem::take(&mut text)));
                parts.push(Ok(Verb { width, precision, kind }));
            }
            other => {
                let shown = other.map(String::from).unwrap_or_default();
                return Err(format!("printf does not know `%{shown}`: there are %s %v %d %f %e %g %q"));
            }
        }
    }
    parts.push(Err(text));
    Ok(parts)
}

fn verbs(format: &str) -> Result<usize, String> {
    Ok(split(format)?.iter().filter(|part| part.is_ok()).count())
}

fn printf(format: &str, values: &[Value]) -> String {
    let mut values = values.iter();
    let mut printed = String::new();
    for part in split(format).unwrap_or_default() {
        match part {
            Err(text) => printed.push_str(&text),
            Ok(verb) => {
                let value = values.next().cloned().unwrap_or(Value::Text(String::new()));
                let text = print_one(&verb, value);
                printed.push_str(&format!("{text:>width$}", width = verb.width));
            }
        }
    }
    printed
}

fn print_one(verb: &Verb, value: Value) -> String {
    let number = value.number();
    match verb.kind {
        'd' | 'f' | 'e' | 'g' if !number.is_finite() => not_finite(number),
        'd' => format!("{number:.0}"),
        'f' => format!("{number:.*}", verb.precision.unwrap_or(6)),
        'e' => {
            let text = format!("{number:.*e}", verb.precision.unwrap_or(6));
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
        }
        'g' => match verb.precision {
            Some(digits) => general(number, digits),
            None => promql::format_value(number),
        },
        'q' => format!("{:?}", value.into_text()),
        _ => {
            let text = value.into_text();
            verb.precision.map_or(text.clone(), |most| text.chars().take(most).collect())
        }
    }
}
