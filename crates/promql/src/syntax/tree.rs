//! The tree of a query.

use crate::plan::Extension;
use crate::span::Span;

/// An expression, and where it stands in the text: the bytes from `start` to `end`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// How many expressions lie in each other at the most.
    pub(super) height: usize,
    pub(crate) node: Node,
}

/// What is written there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Number(f64),
    /// A duration, in seconds.
    Duration(f64),
    Text(String),
    /// A text that is not UTF-8, as it is written, quotes and escapes with it.
    NotUtf8(String),
    Selector(Box<Selector>),
    Subquery(Box<Subquery>),
    Paren(Box<Tree>),
    /// `-x`, or `+x`.
    Sign {
        negative: bool,
        input: Box<Tree>,
    },
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Call),
}

/// `name{matchers}[range]` with its modifiers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selector {
    /// The name before the braces.
    pub(crate) name: Option<String>,
    pub(crate) matchers: Vec<Matcher>,
    /// With a range it selects samples over time.
    pub(crate) range: Option<Span>,
    pub(crate) shift: Shift,
    pub(crate) extension: Option<Extension>,
}

/// `name="value"` between braces; a metric's name in quotes is one of `__name__`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matcher {
    pub(crate) start: usize,
    pub(crate) name: String,
    pub(crate) op: store::MatchOp,
    pub(crate) value: String,
}

/// `input[range:step]` with its modifiers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subquery {
    pub(crate) input: Tree,
    pub(crate) range: Span,
    pub(crate) step: Option<Span>,
    pub(crate) shift: Shift,
}

/// The modifiers `@` and `offset`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shift {
    pub(crate) at: Option<At>,
    pub(crate) offset: Option<Span>,
}

/// The modifier `@`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum At {
    /// Seconds since the epoch.
    Time(f64),
    Start,
    End,
}

/// `left operator right`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binary {
    pub(crate) operator: BinaryOperator,
    /// Where the operator stands.
    pub(crate) place: usize,
    pub(crate) matching: Matching,
    pub(crate) left: Tree,
    pub(crate) right: Tree,
}

/// The operators between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Or,
    And,
    Unless,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    TrimUpper,
    TrimLower,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Atan2,
    Power,
}

impl BinaryOperator {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Unless => "unless",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::TrimUpper => "</",
            Self::TrimLower => ">/",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Atan2 => "atan2",
            Self::Power => "^",
        }
    }

    /// How tightly it binds.
    pub(crate) const fn binding(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::TrimUpper
            | Self::TrimLower => 3,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide | Self::Modulo | Self::Atan2 => 5,
            Self::Power => 6,
        }
    }

    pub(crate) const fn is_set(self) -> bool {
        matches!(self, Self::Or | Self::And | Self::Unless)
    }

    pub(crate) const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }
}

/// What stands behind an operator: `bool on (a) group_left (b) fill (0)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Matching {
    pub(crate) returns_bool: bool,
    pub(crate) labels: Option<MatchLabels>,
    pub(crate) group: Option<Group>,
    pub(crate) fill: Fill,
}

/// `on (…)` or `ignoring (…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MatchLabels {
    On(Vec<String>),
    Ignoring(Vec<String>),
}

/// `group_left (…)` or `group_right (…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) is_left: bool,
    pub(crate) include: Vec<String>,
}

/// What stands in for a series that has no partner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Fill {
    pub(crate) left: Option<f64>,
    pub(crate) right: Option<f64>,
}

/// `sum by (a) (parameter, input)`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aggregate {
    pub(crate) aggregator: Aggregator,
    pub(crate) grouping: Option<Grouping>,
    pub(crate) arguments: Vec<Tree>,
}

/// `by (…)` or `without (…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}

/// The aggregations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregator {
    Sum,
    Average,
    Count,
    Minimum,
    Maximum,
    Group,
    StandardDeviation,
    Variance,
    Top,
    Bottom,
    CountValues,
    Quantile,
    LimitCount,
    LimitRatio,
}

impl Aggregator {
    /// All, with their names.
    const NAMES: [(&'static str, Self); 14] = [
        ("sum", Self::Sum),
        ("avg", Self::Average),
        ("count", Self::Count),
        ("min", Self::Minimum),
        ("max", Self::Maximum),
        ("group", Self::Group),
        ("stddev", Self::StandardDeviation),
        ("stdvar", Self::Variance),
        ("topk", Self::Top),
        ("bottomk", Self::Bottom),
        ("count_values", Self::CountValues),
        ("quantile", Self::Quantile),
        ("limitk", Self::LimitCount),
        ("limit_ratio", Self::LimitRatio),
    ];

    /// The one of a name, in whatever case.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(other, _)| name.eq_ignore_ascii_case(other))
            .map(|(_, aggregator)| *aggregator)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, other)| *other == self).map_or("", |(name, _)| *name)
    }

    pub(crate) const fn has_parameter(self) -> bool {
        matches!(
            self,
            Self::Top
                | Self::Bottom
                | Self::CountValues
                | Self::Quantile
                | Self::LimitCount
                | Self::LimitRatio
        )
    }
}

/// `name(arguments)`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Vec<Tree>,
}
