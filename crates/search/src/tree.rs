//! What is written: the tree of a query, each part with its place in the text.
//!
//! It says nothing of what fields mean. Written out ([`std::fmt::Display`]) and read again, a tree is the
//! same but for the places.

use crate::Span;

/// A part of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub shape: Shape,
}

/// What a part of a query is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `*`, or nothing at all: everything.
    All,
    /// All of two or more parts, none of which is an `And` itself.
    And(Vec<Node>),
    /// Any of two or more parts, none of which is an `Or` itself.
    Or(Vec<Node>),
    /// The opposite.
    Not(Box<Node>),
    /// Text that is looked for wherever people look for text.
    Text(Literal),
    /// A condition on a field. Lists, `field:(a OR b)`, are conditions on the field one by one.
    Field(Name, Check),
}

/// The name of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Where it stands.
    pub span: Span,
    /// The name, without quotes.
    pub text: String,
}

/// A condition on a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// `field:value`
    Is(Literal),
    /// `field>value`
    Compare(Comparison, Literal),
    /// `field:[low TO high]`; at least one of the two is there.
    Range {
        /// The lower end, unless it is open.
        low: Option<End>,
        /// The upper end, unless it is open.
        high: Option<End>,
    },
    /// `field:*`
    Exists,
}

/// A comparison, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// How it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// An end of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// What stands there.
    pub literal: Literal,
    /// Whether it is part of the range: `[` and `]`, not `{` and `}`.
    pub is_included: bool,
}

/// A word, a quotation or a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub form: Form,
}

/// How a text is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is, without quotes.
    Word(String),
    /// With wildcards, at least one.
    Glob(Vec<Part>),
    /// In quotes.
    Quoted(String),
    /// `/pattern/`, or `/pattern/i`.
    Regex {
        /// The pattern, with `/` as itself.
        pattern: String,
        /// Whether upper and lower case are the same.
        ignores_case: bool,
    },
}

/// A part of a word with wildcards. No two texts, and no two `*`, follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Itself.
    Text(String),
    /// `*`: any characters, or none.
    Any,
    /// `?`: one character.
    One,
}

impl Node {
    /// All of the parts, of which there is at least one.
    pub(crate) fn and(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part.shape {
                Shape::And(inner) => flat.extend(inner),
                shape => flat.push(Self { span: part.span, shape }),
            }
        }
        Self::joined(flat, Shape::And)
    }

    /// Any of the parts, of which there is at least one.
    pub(crate) fn or(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part.shape {
                Shape::Or(inner) => flat.extend(inner),
                shape => flat.push(Self { span: part.span, shape }),
            }
        }
        Self::joined(flat, Shape::Or)
    }

    /// One part is itself.
    fn joined(mut parts: Vec<Self>, join: fn(Vec<Self>) -> Shape) -> Self {
        if let [first, .., last] = parts.as_slice() {
            return Self { span: first.span.up_to(last.span), shape: join(parts) };
        }
        parts.pop().unwrap_or(Self { span: Span::default(), shape: Shape::All })
    }
}

impl Literal {
    /// Whether this is `*` alone.
    pub(crate) fn is_any(&self) -> bool {
        matches!(&self.form, Form::Glob(parts) if *parts == [Part::Any])
    }
}

/// The same without places, to be compared with what was read from another text.
#[cfg(any(test, feature = "fuzzing"))]
impl Node {
    pub(crate) fn without_places(&self) -> Self {
        let all = |nodes: &[Self]| nodes.iter().map(Self::without_places).collect();
        let shape = match &self.shape {
            Shape::All => Shape::All,
            Shape::And(parts) => Shape::And(all(parts)),
            Shape::Or(parts) => Shape::Or(all(parts)),
            Shape::Not(part) => Shape::Not(Box::new(part.without_places())),
            Shape::Text(literal) => Shape::Text(literal.without_place()),
            Shape::Field(name, check) => {
                Shape::Field(Name { span: Span::default(), text: name.text.clone() }, check.without_places())
            }
        };
        Self { span: Span::default(), shape }
    }
}

#[cfg(any(test, feature = "fuzzing"))]
impl Check {
    fn without_places(&self) -> Self {
        let end = |end: &Option<End>| {
            end.as_ref().map(|end| End { literal: end.literal.without_place(), is_included: end.is_included })
        };
        match self {
            Self::Is(literal) => Self::Is(literal.without_place()),
            Self::Compare(comparison, literal) => Self::Compare(*comparison, literal.without_place()),
            Self::Range { low, high } => Self::Range { low: end(low), high: end(high) },
            Self::Exists => Self::Exists,
        }
    }
}

#[cfg(any(test, feature = "fuzzing"))]
impl Literal {
    fn without_place(&self) -> Self {
        Self { span: Span::default(), form: self.form.clone() }
    }
}
