//! The replacement of `label_replace`: text with references to groups of a pattern, as Go's regular expressions have
//! them: `$1`, `${1}`, `$name`, `${name}`, and `$$` for a dollar sign.

use std::collections::HashMap;

use regex::{Captures, Regex};

/// A replacement, taken apart once for all series.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    /// A group of the pattern, by its number.
    Group(usize),
}

impl Template {
    /// Reads a replacement for a pattern. References to groups that it does not have are left out.
    pub(crate) fn parse(text: &str, pattern: &Regex) -> Self {
        let names: HashMap<&str, usize> =
            pattern.capture_names().enumerate().filter_map(|(group, name)| Some((name?, group))).collect();
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            literal.push_str(before);
            let Some((name, behind)) = reference(after) else {
                // What begins no reference stands for itself.
                literal.push('$');
                rest = after.strip_prefix('$').unwrap_or(after);
                continue;
            };
            rest = behind;
            let group = number(name).or_else(|| names.get(name).copied());
            let Some(group) = group.filter(|group| *group < pattern.captures_len()) else { continue };
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Group(group));
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Self(pieces)
    }

    /// The text for what was captured; nothing when it would have more bytes than `most`.
    pub(crate) fn expand(&self, captures: &Captures<'_>, most: usize) -> Option<String> {
        bounded(
            self.0.iter().map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Group(group) => captures.get(*group).map_or("", |group| group.as_str()),
            }),
            most,
        )
    }
}

/// Puts texts together; nothing when they have more bytes than `most` together.
pub(crate) fn bounded<'a>(texts: impl Iterator<Item = &'a str>, most: usize) -> Option<String> {
    let mut whole = String::new();
    for text in texts {
        if whole.len() + text.len() > most {
            return None;
        }
        whole.push_str(text);
    }
    Some(whole)
}

/// The name that a reference begins with, and what follows the reference.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (is_braced, text) = match text.strip_prefix('{') {
        Some(inside) => (true, inside),
        None => (false, text),
    };
    let is_of_name = |c: char| c == '_' || c.is_alphanumeric();
    let (name, behind) = text.split_at(text.find(|c| !is_of_name(c)).unwrap_or(text.len()));
    if name.is_empty() {
        return None;
    }
    Some((name, if is_braced { behind.strip_prefix('}')? } else { behind }))
}

/// The number of a group. One with zeros before it is a name, as in Go.
fn number(name: &str) -> Option<usize> {
    let is_plain = name == "0" || !name.starts_with('0');
    name.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_those_of_go() {
        let pattern = Regex::new("^(?P<first>[a-z]+)-([0-9]+)(x)?$").expect("a pattern");
        let captures = pattern.captures("ab-12").expect("it matches");
        let cases = [
            ("$1/$2", "ab/12"),
            ("${first}s $first", "abs ab"),
            ("${1}x$1x", "abx"),
            ("$0", "ab-12"),
            ("[$3$4$other$01]", "[]"),
            ("$$1 $ ${ ${1 ${a b} $é$", "$1 $ ${ ${1 ${a b} $"),
        ];
        for (text, expected) in cases {
            let expanded = Template::parse(text, &pattern).expand(&captures, 1000);
            assert_eq!(expanded.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_expanded_is_bounded() {
        let pattern = Regex::new("^(.*)$").expect("a pattern");
        let captures = pattern.captures("abc").expect("it matches");
        let template = Template::parse("$1-$1", &pattern);
        assert_eq!(template.expand(&captures, 7).as_deref(), Some("abc-abc"));
        assert_eq!(template.expand(&captures, 6), None);
    }
}
