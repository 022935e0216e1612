//! Conditions on rows of event tables, joined by and, or and not.
//!
//! A list of [`ColumnFilter`]s, all of which must hold, is what most callers write. Searches need more of them, and
//! join them: see [`Predicate`]. A condition holds for a row or it does not, and is never unknown, unlike in SQL: where
//! there is no value it does not hold, and so its opposite does.

mod text;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::error::ArrowError;
use model::Timestamp;

pub use text::{FoldedText, Hint, Phrase, TextPattern, WordTest};

/// What rows must satisfy.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// All of these; of none, every row.
    All(Vec<Predicate>),
    /// Any of these; of none, no row.
    Any(Vec<Predicate>),
    /// Not this. Rows without the value are among those that satisfy it.
    Not(Box<Predicate>),
    /// A condition on one value.
    Is(Condition),
    /// What only the caller can say of rows. It is looked at last, and nothing is passed over by it: whatever rows
    /// must have is better said beside it.
    Own(OwnTest),
}

impl Predicate {
    /// What every row satisfies.
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// What no row satisfies.
    pub const fn nothing() -> Self {
        Self::Any(Vec::new())
    }

    /// A condition on a column.
    pub const fn column(column: &'static str, test: Test) -> Self {
        Self::Is(Condition { field: Field::Column(Cow::Borrowed(column)), test })
    }

    /// A condition on the value of an attribute; `map` is the column that holds it.
    pub fn attribute(map: &'static str, key: impl Into<String>, test: Test) -> Self {
        Self::Is(Condition { field: Field::Attribute { map: Cow::Borrowed(map), key: key.into() }, test })
    }

    /// The opposite.
    #[must_use]
    pub fn opposite(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// The columns that it looks at.
    pub fn columns(&self) -> BTreeSet<&str> {
        let mut columns = BTreeSet::new();
        self.gather_columns(&mut columns);
        columns
    }

    fn gather_columns<'a>(&'a self, into: &mut BTreeSet<&'a str>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.gather_columns(into)),
            Self::Not(part) => part.gather_columns(into),
            Self::Is(condition) => {
                into.insert(condition.field.column());
            }
            Self::Own(test) => into.extend(test.0.columns()),
        }
    }
}

/// A condition on one value of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Which value.
    pub field: Field,
    /// What it must be.
    pub test: Test,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// That of a column, which must exist in the table.
    Column(Cow<'static, str>),
    /// That of an attribute, a text.
    Attribute {
        /// The column of attributes, which must exist in the table.
        map: Cow<'static, str>,
        /// The attribute's name.
        key: String,
    },
}

impl Field {
    /// The column that holds it.
    pub fn column(&self) -> &str {
        match self {
            Self::Column(name) | Self::Attribute { map: name, .. } => name,
        }
    }
}

/// What a value must be. Nothing but a value satisfies one.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Any value.
    Exists,
    /// A value that compares so.
    Compare(FilterOp, Scalar),
    /// Text that contains this text, upper and lower case not told apart.
    Contains(FoldedText),
    /// Text that has these words, upper and lower case not told apart.
    Words(Phrase),
    /// Text in which the pattern matches.
    Matches(TextPattern),
}

impl Test {
    /// A value that is this one.
    pub fn equal(value: impl Into<Scalar>) -> Self {
        Self::Compare(FilterOp::Equal, value.into())
    }
}

/// A test of rows that only the caller knows to make.
pub trait RowTest: fmt::Debug + Send + Sync {
    /// The columns that it looks at.
    fn columns(&self) -> Vec<&str>;

    /// The only attribute that it looks at in a column of attributes; `None` when it may look at any, or at whether
    /// there are attributes. Rows may come without the others.
    fn attribute(&self, _column: &str) -> Option<&str> {
        None
    }

    /// Which rows satisfy it, one truth value for each and none of them null. Rows have the columns that it looks at,
    /// or lack one, which then is null in all of them.
    fn mask(&self, rows: &RecordBatch) -> Result<BooleanArray, ArrowError>;
}

/// A test of the caller's own.
#[derive(Clone, Debug)]
pub struct OwnTest(pub Arc<dyn RowTest>);

impl PartialEq for OwnTest {
    /// Whether both are the same one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// One condition on one column. A row whose column is null never satisfies one.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnFilter {
    /// The column; it must exist in the table.
    pub column: &'static str,
    /// The comparison.
    pub op: FilterOp,
    /// What to compare with.
    pub value: Scalar,
}

impl From<ColumnFilter> for Predicate {
    fn from(filter: ColumnFilter) -> Self {
        Self::column(filter.column, Test::Compare(filter.op, filter.value))
    }
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterOp {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
    /// At least.
    AtLeast,
    /// More than.
    Greater,
    /// At most.
    AtMost,
    /// Less than.
    Less,
    /// Text that contains the value, upper and lower case told apart.
    Contains,
    /// Text in which the value stands as whole words, upper and lower case told apart: where it begins or
    /// ends with a part of a word, the word does too. Words are made of letters, digits and `_`. Searching
    /// for words passes over what a store knows not to have them.
    ContainsWords,
}

/// A value to compare a column with; its kind must be the column's.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A number; compared with integer and float columns alike.
    Number(f64),
    /// A whole number, compared exactly with a column of such.
    Count(u64),
    /// A time.
    Time(Timestamp),
    /// A truth value.
    Bool(bool),
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Scalar {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Scalar {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<Timestamp> for Scalar {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
