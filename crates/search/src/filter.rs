//! What a query means: conditions on fields of known kinds, with values of these kinds.

use std::cmp::Ordering;
use std::ops::Bound;
use std::time::Duration;

use model::Timestamp;

use crate::{Glob, Kind, Level, Pattern, Scope};

/// A condition on records.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every record satisfies it.
    All,
    /// All of these hold.
    And(Vec<Filter>),
    /// Any of these holds.
    Or(Vec<Filter>),
    /// This does not hold. So it holds for records that lack the field.
    Not(Box<Filter>),
    /// A test of one value.
    Term(Term),
}

/// A test of one value. A record without the value does not satisfy it.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Which value.
    pub target: Target,
    /// What it must be.
    pub test: Test,
}

/// Which value of a record is tested.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The text of any of the fields in which text is looked for ([`Schema::searched`](crate::Schema::searched)).
    Any,
    /// A field that the schema knows.
    Field {
        /// Its name, never an alias.
        name: String,
        /// What it holds.
        kind: Kind,
    },
    /// An attribute.
    Attribute {
        /// Whose it is.
        scope: Scope,
        /// Its name, without the scope.
        name: String,
    },
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// A text with these words, one at once behind the other, whatever their case.
    ///
    /// What words are is said by [`model::words`].
    Words(Vec<WordTest>),
    /// A text that is this one.
    Equals(String),
    /// A text that matches this as a whole.
    Like(Glob),
    /// A text in which this matches.
    Matches(Pattern),
    /// A value for which the comparison holds.
    Compare(CompareOp, Value),
    /// A value between these two, which are of one kind.
    Between(Bound<Value>, Bound<Value>),
    /// Any value.
    Exists,
}

/// What one word of a text must be. Words are compared [folded](model::words::folded).
#[derive(Clone, Debug, PartialEq)]
pub enum WordTest {
    /// This word, which is folded.
    Is(String),
    /// A word that matches this as a whole; its texts are folded.
    Like(Glob),
}

/// How a value is compared. What is written `!=` is the opposite of [`CompareOp::Equal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// The same.
    Equal,
    /// Less.
    Less,
    /// Less, or the same.
    AtMost,
    /// More.
    Greater,
    /// More, or the same.
    AtLeast,
}

impl CompareOp {
    /// Whether it holds between a value that lies so and the one that it is compared with.
    pub const fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

/// A value to compare with.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, which is finite.
    Number(f64),
    /// A duration.
    Duration(Duration),
    /// A size in bytes.
    Bytes(u64),
    /// A time.
    Time(Timestamp),
    /// A level.
    Level(Level),
    /// True or false.
    Bool(bool),
    /// A text, in the order of its bytes.
    Text(String),
}

impl Value {
    /// How this lies to another value; nothing when they are of different kinds.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::Level(a), Self::Level(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}
