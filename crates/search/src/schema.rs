//! The fields that records have, and what kind of value each holds.

use std::collections::BTreeMap;

use crate::Target;

mod shipped;

/// What a field holds, which says how it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Text in which words are searched: a message.
    Text,
    /// A name, which is compared as a whole: a service.
    Keyword,
    /// An id, which is compared as a whole and is another for almost each record.
    Id,
    /// An id of hexadecimal digits in lower case.
    HexId,
    /// A number.
    Number,
    /// How long something took.
    Duration,
    /// A size.
    Bytes,
    /// How grave a record is.
    Level,
    /// A time.
    Time,
    /// `true` or `false`.
    Bool,
    /// One of these, which are in lower case.
    OneOf(&'static [&'static str]),
}

impl Kind {
    /// What a value of it is, in a sentence, with an example.
    pub(crate) const fn described(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("text", "words, or a phrase in quotes"),
            Self::Keyword => ("a name", "a name"),
            Self::Id => ("an id", "an id"),
            Self::HexId => ("an id of hexadecimal digits", "hexadecimal digits, such as `4bf92f3577b34da6`"),
            Self::Number => ("a number", "a number, such as `5` or `0.25`"),
            Self::Duration => ("a duration", "a duration, such as `5s`, `250ms` or `1m30s`"),
            Self::Bytes => ("a size", "a size, such as `10MiB`, `2GB` or `512`"),
            Self::Level => ("a level", "`trace`, `debug`, `info`, `warn`, `error` or `fatal`"),
            Self::Time => ("a time", "a time, such as `2025-08-01T21:30:00Z`, `2025-08-01` or `-15m`"),
            Self::Bool => ("true or false", "`true` or `false`"),
            Self::OneOf(_) => ("one of a few values", "one of its values"),
        }
    }

    /// Whether its values are texts, so that patterns can match them.
    pub(crate) const fn is_textual(self) -> bool {
        matches!(self, Self::Text | Self::Keyword | Self::Id | Self::HexId | Self::OneOf(_))
    }

    /// Whether one of its values can be more than another.
    pub(crate) const fn is_ordered(self) -> bool {
        !matches!(self, Self::Text | Self::HexId | Self::Bool | Self::OneOf(_))
    }
}

/// Whose attribute it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The record's, or else its resource's.
    Any,
    /// The record's own: `attributes.foo`.
    Record,
    /// Of what the record comes from: `resource.foo`.
    Resource,
}

impl Scope {
    /// What a name that says whose attribute is meant begins with.
    const PREFIXES: [(&str, Self); 2] = [("attributes.", Self::Record), ("resource.", Self::Resource)];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    kind: Kind,
    /// Whose attribute it is, when it is one that has a column of its own.
    attribute_of: Option<Scope>,
}

/// The fields of one kind of record. Names that it does not know are names of attributes.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    fields: BTreeMap<String, Field>,
    aliases: BTreeMap<String, String>,
    searched: Vec<String>,
    clock: Option<String>,
}

impl Schema {
    /// Without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a field.
    #[must_use]
    pub fn with(mut self, name: &str, kind: Kind) -> Self {
        self.fields.insert(name.to_owned(), Field { kind, attribute_of: None });
        self
    }

    /// With a field that is an attribute of this name, which has a column of its own.
    #[must_use]
    pub fn with_attribute(mut self, scope: Scope, name: &str, kind: Kind) -> Self {
        self.fields.insert(name.to_owned(), Field { kind, attribute_of: Some(scope) });
        self
    }

    /// With another name of a field.
    #[must_use]
    pub fn alias(mut self, alias: &str, name: &str) -> Self {
        self.aliases.insert(alias.to_owned(), name.to_owned());
        self
    }

    /// Where text without a field's name is looked for, one field more.
    #[must_use]
    pub fn searching(mut self, name: &str) -> Self {
        self.searched.push(name.to_owned());
        self
    }

    /// The field that says when a record happened: what a query says of it bounds the search.
    #[must_use]
    pub fn timed_by(mut self, name: &str) -> Self {
        self.clock = Some(name.to_owned());
        self
    }

    /// The fields with their kinds, by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.fields.iter().map(|(name, field)| (name.as_str(), field.kind))
    }

    /// The other names of fields, each with the field's name.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases.iter().map(|(alias, name)| (alias.as_str(), name.as_str()))
    }

    /// The fields in which text without a field's name is looked for.
    pub fn searched(&self) -> &[String] {
        &self.searched
    }

    /// The field that says when a record happened.
    pub fn clock(&self) -> Option<&str> {
        self.clock.as_deref()
    }

    /// What a name in a query means.
    pub fn target(&self, name: &str) -> Target {
        let known = self.aliases.get(name).map_or(name, String::as_str);
        if let Some(field) = self.fields.get(known) {
            return Target::Field { name: known.to_owned(), kind: field.kind };
        }
        for (prefix, scope) in Scope::PREFIXES {
            let Some(name) = name.strip_prefix(prefix).filter(|name| !name.is_empty()) else { continue };
            return match self.fields.get(name) {
                Some(field) if field.attribute_of == Some(scope) => {
                    Target::Field { name: name.to_owned(), kind: field.kind }
                }
                _ => Target::Attribute { scope, name: name.to_owned() },
            };
        }
        Target::Attribute { scope: Scope::Any, name: name.to_owned() }
    }

    /// The field that may have been meant by a name that is none.
    pub(crate) fn nearest(&self, name: &str) -> Option<&str> {
        let names = self.fields.keys().chain(self.aliases.keys()).map(String::as_str);
        nearest(name, names)
    }
}

/// The name that is alike enough to be what was meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Names that are longer are not compared: that takes the product of both lengths.
    const MAX_BYTES: usize = 64;
    /// How alike names are that are taken for the same with a slip: 1 is the same.
    const ALIKE: f64 = 0.72;
    if name.len() > MAX_BYTES {
        return None;
    }
    let name = name.to_lowercase();
    known
        .map(|candidate| (strsim::normalized_damerau_levenshtein(&name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
