//! A tree as text: one spelling for each tree, which is read as that tree.

use std::fmt::{self, Display, Formatter, Write};

use crate::lex::{EXISTS, KEYWORDS, is_plain_name};
use crate::{Check, End, Form, Literal, Name, Node, Part, Shape};

/// How strongly a part holds together, from the least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Single,
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_node(f, self, Binding::Or)
    }
}

fn write_node(f: &mut Formatter<'_>, node: &Node, at_least: Binding) -> fmt::Result {
    let binding = match node.shape {
        Shape::Or(_) => Binding::Or,
        Shape::And(_) => Binding::And,
        Shape::All | Shape::Not(_) | Shape::Text(_) | Shape::Field(..) => Binding::Single,
    };
    if binding < at_least {
        f.write_char('(')?;
        write_shape(f, &node.shape)?;
        return f.write_char(')');
    }
    write_shape(f, &node.shape)
}

fn write_shape(f: &mut Formatter<'_>, shape: &Shape) -> fmt::Result {
    match shape {
        Shape::All => f.write_char('*'),
        Shape::Or(parts) => write_joined(f, parts, " OR ", Binding::And),
        Shape::And(parts) => write_joined(f, parts, " ", Binding::Single),
        Shape::Not(part) => {
            f.write_char('-')?;
            write_node(f, part, Binding::Single)
        }
        Shape::Text(literal) => write_literal(f, literal, Plain::default()),
        Shape::Field(name, check) => write!(f, "{name}{check}"),
    }
}

fn write_joined(f: &mut Formatter<'_>, parts: &[Node], between: &str, at_least: Binding) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(between)?;
        }
        write_node(f, part, at_least)?;
    }
    Ok(())
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_plain_name(&self.text) && self.text != EXISTS {
            return f.write_str(&self.text);
        }
        write_quoted(f, &self.text)
    }
}

/// With what parts it from the field's name.
impl Display for Check {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let end = |end: &Option<End>| end.as_ref().map_or("*".to_owned(), |end| end.literal.to_string());
        let excludes = |end: &Option<End>| end.as_ref().is_some_and(|end| !end.is_included);
        match self {
            Self::Is(literal) => write!(f, ":{literal}"),
            Self::Compare(comparison, literal) => write!(f, "{}{literal}", comparison.symbol()),
            Self::Exists => f.write_str(":*"),
            Self::Range { low, high } => {
                let open = if excludes(low) { '{' } else { '[' };
                let close = if excludes(high) { '}' } else { ']' };
                write!(f, ":{open}{} TO {}{close}", end(low), end(high))
            }
        }
    }
}

/// As it stands behind a field's name.
impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_literal(f, self, Plain { is_value: true, ..Plain::default() })
    }
}

fn write_literal(f: &mut Formatter<'_>, literal: &Literal, mut plain: Plain) -> fmt::Result {
    match &literal.form {
        Form::Word(text) => {
            if KEYWORDS.contains(&text.as_str()) {
                f.write_char('\\')?;
            }
            plain.write(f, text)
        }
        Form::Glob(parts) => parts.iter().try_for_each(|part| plain.write_part(f, part)),
        Form::Quoted(text) => write_quoted(f, text),
        Form::Regex { pattern, ignores_case } => {
            write_pattern(f, pattern)?;
            f.write_str(if *ignores_case { "i" } else { "" })
        }
    }
}

/// Writes a word without quotes: what could mean something else there is escaped.
#[derive(Clone, Copy, Default)]
struct Plain {
    /// Whether it stands behind a field's name, where signs and colons mean nothing.
    is_value: bool,
    has_begun: bool,
    /// Two dots are a range.
    is_behind_dot: bool,
}

impl Plain {
    fn write_part(&mut self, f: &mut Formatter<'_>, part: &Part) -> fmt::Result {
        let wildcard = match part {
            Part::Text(text) => return self.write(f, text),
            Part::Any => '*',
            Part::One => '?',
        };
        *self = Self { has_begun: true, is_behind_dot: false, ..*self };
        f.write_char(wildcard)
    }

    fn write(&mut self, f: &mut Formatter<'_>, text: &str) -> fmt::Result {
        for character in text.chars() {
            let means_itself = match character {
                '-' | '+' => self.is_value || self.has_begun,
                '/' => self.has_begun,
                ':' => self.is_value && self.has_begun,
                '.' => !self.is_behind_dot,
                '_' | '@' | ',' | ';' | '%' | '#' | '$' | '~' | '^' | '\'' | '`' => true,
                other if other.is_ascii() => other.is_ascii_alphanumeric(),
                other => !other.is_whitespace(),
            };
            if !means_itself {
                f.write_char('\\')?;
            }
            f.write_char(character)?;
            *self = Self { has_begun: true, is_behind_dot: means_itself && character == '.', ..*self };
        }
        Ok(())
    }
}

/// A text in quotes: behind a field's name, what is just this.
///
/// ```
/// assert_eq!(format!("job_id:{}", search::Quoted(r#"a "b""#)), r#"job_id:"a \"b\"""#);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_quoted(f, self.0)
    }
}

fn write_quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_char('"')
}

fn write_pattern(f: &mut Formatter<'_>, pattern: &str) -> fmt::Result {
    f.write_char('/')?;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '/' => f.write_str("\\/")?,
            '\\' => {
                f.write_char('\\')?;
                characters.next().map_or(Ok(()), |escaped| f.write_char(escaped))?;
            }
            other => f.write_char(other)?,
        }
    }
    f.write_char('/')
}

#[cfg(test)]
mod tests;
