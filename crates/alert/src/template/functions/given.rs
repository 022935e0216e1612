//! What a function is given, and how it is read.

use crate::template::value::{SampleValue, Value};

/// The arguments of a call.
pub(super) struct Given<'a> {
    pub(super) name: &'static str,
    pub(super) arguments: &'a [Value],
}

impl<'a> Given<'a> {
    /// That the function itself has failed.
    pub(super) fn failed(&self, reason: &str) -> String {
        format!("error calling {}: {reason}", self.name)
    }

    pub(super) fn count(&self, wanted: &str) -> String {
        format!("wrong number of args for {}: want {wanted} got {}", self.name, self.arguments.len())
    }

    pub(super) fn wrong(&self, wanted: &str, found: &Value) -> String {
        format!("wrong type for {}; expected {wanted}; got {}", self.name, found.kind())
    }

    fn at(&self, place: usize, of: usize) -> Result<&'a Value, String> {
        match self.arguments.get(place) {
            Some(value) if self.arguments.len() == of => Ok(value),
            _ => Err(self.count(&of.to_string())),
        }
    }

    pub(super) fn one(&self) -> Result<&'a Value, String> {
        self.at(0, 1)
    }

    /// The text at a place of so many.
    pub(super) fn text(&self, place: usize, of: usize) -> Result<&'a str, String> {
        match self.at(place, of)? {
            Value::Text(text) => Ok(text),
            other => Err(self.wrong("string", other)),
        }
    }

    pub(super) fn sample(&self, place: usize, of: usize) -> Result<&'a SampleValue, String> {
        match self.at(place, of)? {
            Value::Sample(sample) => Ok(sample),
            other => Err(self.wrong("*template.sample", other)),
        }
    }

    pub(super) fn list(&self, place: usize, of: usize) -> Result<&'a [Value], String> {
        match self.at(place, of)? {
            Value::List(list) => Ok(list),
            other => Err(self.wrong("template.queryResult", other)),
        }
    }
}
