//! Values of the kinds that fields have, and what is said where a value is of another kind.

use std::cmp::Ordering;
use std::ops::Bound;

use super::{Field, Resolver};
use crate::error::{Fault, shown};
use crate::schema::nearest;
use crate::{CompareOp, Comparison, End, Form, Kind, Level, Literal, Part, Span, Test, Value, quantity};

/// Which instant of a whole day is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Instant {
    First,
    Last,
}

impl Resolver<'_> {
    /// A value that is the one written.
    pub(super) fn equals(&mut self, field: Field<'_>, literal: &Literal) -> Result<Test, Fault> {
        let is_textual = field.kind.is_none_or(Kind::is_textual);
        match &literal.form {
            Form::Regex { pattern, ignores_case } if is_textual => {
                self.pattern(pattern, *ignores_case, literal.span)
            }
            Form::Glob(parts) if is_textual => {
                let parts: Vec<Part> = match field.kind {
                    Some(Kind::HexId | Kind::OneOf(_)) => parts.iter().map(in_lower_case).collect(),
                    _ => parts.clone(),
                };
                Ok(Test::Like(self.glob(parts, literal.span)?))
            }
            Form::Regex { .. } | Form::Glob(_) => Err(no_pattern(field, literal)),
            Form::Word(text) | Form::Quoted(text) => match field.kind {
                None | Some(Kind::Text | Kind::Keyword | Kind::Id) => Ok(Test::Equals(text.clone())),
                Some(Kind::HexId) => hex_id(text, literal.span),
                Some(Kind::OneOf(values)) => one_of(values, text, field, literal.span),
                Some(Kind::Time) => self.at_time(text, field, literal.span),
                Some(kind) => {
                    let value = read(kind, text).ok_or_else(|| misfit(kind, text, literal.span))?;
                    Ok(Test::Compare(CompareOp::Equal, value))
                }
            },
        }
    }

    /// A time that is written without a comparison: one instant, or a whole day.
    fn at_time(&self, text: &str, field: Field<'_>, span: Span) -> Result<Test, Fault> {
        let moment = quantity::moment(text, self.now).ok_or_else(|| misfit(Kind::Time, text, span))?;
        if moment.is_relative {
            return Err(Fault::new(span, format!("{} is a single instant", shown(text)))
                .expected("a comparison or a range")
                .suggest(format!("what came since then is `{}>={text}`", field.name.text)));
        }
        if moment.first == moment.last {
            return Ok(Test::Compare(CompareOp::Equal, Value::Time(moment.first)));
        }
        let included = |time| Bound::Included(Value::Time(time));
        Ok(Test::Between(included(moment.first), included(moment.last)))
    }

    /// A value that is more or less than the one written.
    pub(super) fn compare(
        &mut self,
        field: Field<'_>,
        comparison: Comparison,
        literal: &Literal,
    ) -> Result<Test, Fault> {
        let (op, instant) = match comparison {
            Comparison::Less => (CompareOp::Less, Instant::First),
            Comparison::AtMost => (CompareOp::AtMost, Instant::Last),
            Comparison::Greater => (CompareOp::Greater, Instant::Last),
            Comparison::AtLeast => (CompareOp::AtLeast, Instant::First),
            Comparison::Equal | Comparison::NotEqual => return self.equals(field, literal),
        };
        Ok(Test::Compare(op, self.ordered(field, literal, instant)?))
    }

    pub(super) fn between(
        &self,
        field: Field<'_>,
        low: Option<&End>,
        high: Option<&End>,
    ) -> Result<Test, Fault> {
        let bound = |end: Option<&End>, included: Instant, excluded: Instant| match end {
            None => Ok(Bound::Unbounded),
            Some(End { literal, is_included: true }) => {
                self.ordered(field, literal, included).map(Bound::Included)
            }
            Some(End { literal, is_included: false }) => {
                self.ordered(field, literal, excluded).map(Bound::Excluded)
            }
        };
        let below = bound(low, Instant::First, Instant::Last)?;
        let above = bound(high, Instant::Last, Instant::First)?;
        if let (Some(low), Some(high)) = (low, high)
            && let (Some(least), Some(greatest)) = (value_of(&below), value_of(&above))
        {
            let span = low.literal.span.up_to(high.literal.span);
            match least.order(greatest) {
                None => {
                    return Err(Fault::new(span, "the ends of the range are of different kinds")
                        .expected("two numbers, two durations, two sizes, two times or two texts"));
                }
                Some(Ordering::Greater) => {
                    return Err(Fault::new(
                        span,
                        "the range is empty, for its lower end is above its upper end",
                    )
                    .suggest("exchange the two"));
                }
                Some(Ordering::Less | Ordering::Equal) => {}
            }
        }
        Ok(Test::Between(below, above))
    }

    /// A value that others can be more or less than.
    fn ordered(&self, field: Field<'_>, literal: &Literal, instant: Instant) -> Result<Value, Fault> {
        let span = literal.span;
        let (text, is_quoted) = match &literal.form {
            Form::Word(text) => (text, false),
            Form::Quoted(text) => (text, true),
            Form::Glob(_) | Form::Regex { .. } => {
                return Err(Fault::new(span, "nothing is more or less than a pattern").expected("a value"));
            }
        };
        match field.kind {
            Some(kind) if !kind.is_ordered() => {
                let name = &field.name.text;
                let message = format!("{} holds {}, which has no order", shown(name), kind.described().0);
                let right = format!("`{name}:` and {}", kind.described().1);
                Err(Fault::new(field.name.span.up_to(span), message).expected(right))
            }
            None if is_quoted => Ok(Value::Text(text.clone())),
            None => Ok(guessed(text)),
            Some(Kind::Keyword | Kind::Id) => Ok(Value::Text(text.clone())),
            Some(Kind::Time) => {
                let moment =
                    quantity::moment(text, self.now).ok_or_else(|| misfit(Kind::Time, text, span))?;
                Ok(Value::Time(if instant == Instant::First { moment.first } else { moment.last }))
            }
            Some(kind) => read(kind, text).ok_or_else(|| misfit(kind, text, span)),
        }
    }
}

fn value_of(bound: &Bound<Value>) -> Option<&Value> {
    match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(value),
        Bound::Unbounded => None,
    }
}

fn in_lower_case(part: &Part) -> Part {
    match part {
        Part::Text(text) => Part::Text(text.to_ascii_lowercase()),
        Part::Any | Part::One => part.clone(),
    }
}

fn hex_id(text: &str, span: Span) -> Result<Test, Fault> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(misfit(Kind::HexId, text, span));
    }
    Ok(Test::Equals(text.to_ascii_lowercase()))
}

/// One of the values that a field can have, in any case.
fn one_of(values: &'static [&'static str], text: &str, field: Field<'_>, span: Span) -> Result<Test, Fault> {
    let lower = text.to_ascii_lowercase();
    if values.contains(&lower.as_str()) {
        return Ok(Test::Equals(lower));
    }
    let fault = Fault::new(span, format!("{} is no value of `{}`", shown(text), field.name.text))
        .expected(listed(values));
    Err(match nearest(text, values.iter().copied()) {
        Some(value) => fault.suggest(format!("did you mean `{value}`?")),
        None => fault,
    })
}

/// Values in a sentence: `a`, `b` or `c`.
fn listed(values: &[&str]) -> String {
    let mut text = String::new();
    for (place, value) in values.iter().enumerate() {
        text.push_str(match place {
            0 => "",
            _ if place + 1 == values.len() => " or ",
            _ => ", ",
        });
        text.push('`');
        text.push_str(value);
        text.push('`');
    }
    text
}

/// A value of a kind that does not need to know what time it is.
fn read(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Number => quantity::number(text).map(Value::Number),
        Kind::Duration => quantity::duration(text).map(Value::Duration),
        Kind::Bytes => quantity::bytes(text).map(Value::Bytes),
        Kind::Level => Level::parse(text).map(Value::Level),
        Kind::Bool => match text.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Text | Kind::Keyword | Kind::Id | Kind::HexId | Kind::OneOf(_) | Kind::Time => None,
    }
}

/// What an attribute is compared with, by how it is written: nobody knows what attributes hold.
fn guessed(text: &str) -> Value {
    let time = || model::Timestamp::parse_rfc3339(text).ok().map(Value::Time);
    quantity::number(text)
        .map(Value::Number)
        .or_else(|| quantity::duration(text).map(Value::Duration))
        .or_else(|| quantity::bytes(text).map(Value::Bytes))
        .or_else(time)
        .unwrap_or_else(|| Value::Text(text.to_owned()))
}

/// A text that is no value of its field's kind.
fn misfit(kind: Kind, text: &str, span: Span) -> Fault {
    let (what, right) = kind.described();
    let fault = Fault::new(span, format!("{} is not {what}", shown(text))).expected(right);
    match kind {
        Kind::Duration | Kind::Time if text.len() > 40 => fault,
        Kind::Duration if quantity::number(text).is_some_and(|number| number > 0.0) => {
            fault.suggest(format!("say the unit, as in `{text}s` or `{text}ms`"))
        }
        Kind::Time if quantity::duration(text).is_some() => {
            fault.suggest(format!("that long ago is `-{text}`"))
        }
        Kind::Level => {
            let names = ["trace", "debug", "info", "warn", "warning", "error", "fatal", "critical"];
            match nearest(text, names.into_iter()) {
                Some(name) => fault.suggest(format!("did you mean `{name}`?")),
                None => fault,
            }
        }
        Kind::Number => match hundreds(&Form::Word(text.to_owned())) {
            Some(digit) => fault.suggest(format!("all from {digit}00 are `{digit}00..{digit}99`")),
            None => fault,
        },
        _ => fault,
    }
}

/// A pattern for a field that holds no text.
fn no_pattern(field: Field<'_>, literal: &Literal) -> Fault {
    let kind = field.kind.unwrap_or(Kind::Text);
    let (what, right) = kind.described();
    let message = format!("{} holds {what}, and patterns are for text", shown(&field.name.text));
    let fault = Fault::new(literal.span, message).expected(right);
    match (kind, hundreds(&literal.form)) {
        (Kind::Number, Some(digit)) => {
            fault.suggest(format!("all from {digit}00 are `{digit}00..{digit}99`"))
        }
        _ => fault.suggest("a range is written like `[1 TO 5]`"),
    }
}

/// The digit of what people write for a class of status codes: `5xx`, `5*` or `5??`.
fn hundreds(form: &Form) -> Option<char> {
    let digit = match form {
        Form::Word(text) => text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"))?,
        Form::Glob(parts) => match parts.as_slice() {
            [Part::Text(text), Part::Any] | [Part::Text(text), Part::One, Part::One] => text.as_str(),
            _ => return None,
        },
        Form::Quoted(_) | Form::Regex { .. } => return None,
    };
    let mut characters = digit.chars();
    let first = characters.next().filter(|first| ('1'..='9').contains(first))?;
    characters.next().is_none().then_some(first)
}
