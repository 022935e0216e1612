//! Values of attributes and bodies.

mod text;

use std::borrow::Cow;

pub(in crate::otlp) use text::{Shallow, double};

/// A value of any kind (`AnyValue`).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AnyValue<'a> {
    /// Nothing was set.
    #[default]
    Empty,
    /// A text.
    Text(Cow<'a, str>),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// Several values.
    Array(Vec<AnyValue<'a>>),
    /// Values with keys, in the order in which they were sent. A key can occur twice, though nobody should send that.
    Map(Vec<KeyValue<'a>>),
}

impl AnyValue<'_> {
    /// What stands for an array or a map that was not read.
    pub(in crate::otlp) const fn passed_over() -> Self {
        Self::Text(Cow::Borrowed("…"))
    }
}

/// A value with its key: an attribute, or an entry of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyValue<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// The value.
    pub value: AnyValue<'a>,
}

/// The value of a key, if it is there; of a key that occurs twice, the first one.
pub fn attribute<'v, 'a>(attributes: &'v [KeyValue<'a>], key: &str) -> Option<&'v AnyValue<'a>> {
    attributes.iter().find(|attribute| attribute.key == key).map(|attribute| &attribute.value)
}
