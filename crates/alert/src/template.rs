//! Templates in labels and annotations: the part of Prometheus' templates that rules use.
//!
//! `{{ $labels.queue }}`, `{{ $value | humanize }}`, `{{ printf "%.2f" $value }}`. Everything is read
//! and checked when a rule file is loaded; a function that is not known is an error there. There are
//! no conditions, no loops and no queries.

mod functions;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use functions::{Function, Value};
pub(crate) use functions::{humanize_1024, humanize_duration};

/// A text with places to fill in.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Action(Expression),
}

/// What stands between braces, with pipes already turned into calls.
#[derive(Clone, Debug, PartialEq)]
enum Expression {
    Value,
    Label(String),
    Literal(Value),
    Call(Function, Vec<Expression>),
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct TemplateError {
    reason: String,
}

impl TemplateError {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// A bound on what one template gives: labels come from outside.
const MAX_RENDERED_BYTES: usize = 8 << 10;

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { text: text.to_owned(), parts: parse::parts(text)? })
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text with everything filled in. A label that is not there is empty.
    pub fn render(&self, labels: &BTreeMap<String, String>, value: f64) -> String {
        let mut rendered = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => rendered.push_str(text),
                Part::Action(expression) => {
                    rendered.push_str(&evaluate(expression, labels, value).into_text());
                }
            }
        }
        rendered.truncate(rendered.floor_char_boundary(MAX_RENDERED_BYTES));
        rendered
    }
}

fn evaluate(expression: &Expression, labels: &BTreeMap<String, String>, value: f64) -> Value {
    match expression {
        Expression::Value => Value::Number(value),
        Expression::Label(name) => Value::Text(labels.get(name).cloned().unwrap_or_default()),
        Expression::Literal(literal) => literal.clone(),
        Expression::Call(function, arguments) => {
            let arguments: Vec<Value> =
                arguments.iter().map(|argument| evaluate(argument, labels, value)).collect();
            function.call(&arguments)
        }
    }
}
