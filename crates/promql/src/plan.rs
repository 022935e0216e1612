//! The typed form of a query: what is evaluated, with every choice made.
//!
//! It knows nothing of the parser. An operand of the wrong type cannot be written down here, so the
//! evaluator checks none.

use std::ops::RangeInclusive;

use model::histogram::Keep;
use store::Matcher;

use crate::labelset::LabelFilter;
use crate::notes::Place;
use crate::template::Template;

/// A whole query.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Scalar(ScalarExpr),
    Vector(VectorExpr),
    Range(RangeExpr),
    Text(String),
}

/// An expression with one number at each step.
#[derive(Clone, Debug)]
pub(crate) enum ScalarExpr {
    Number(f64),
    /// The time of the step, in seconds.
    Time,
    /// The first step of the whole query.
    QueryStart,
    /// The last step of the whole query.
    QueryEnd,
    /// The distance of the whole query's steps.
    QueryStep,
    Negate(Box<ScalarExpr>),
    Arithmetic(Arithmetic, Box<ScalarExpr>, Box<ScalarExpr>),
    Compare(Comparison, Box<ScalarExpr>, Box<ScalarExpr>),
    /// The value of the one series that a vector has; NaN when it has none or many.
    FromVector(Box<VectorExpr>),
}

/// An expression with any number of series.
#[derive(Clone, Debug)]
pub(crate) enum VectorExpr {
    Selector(Selector),
    /// The time of each selected sample, in seconds.
    SampleTimes(Selector),
    /// Since when each selected sample counts, in seconds; zero, where nobody has told.
    SampleStarts(Selector),
    /// What is not known of an expression: no series.
    Nothing(Box<VectorExpr>),
    /// One series without labels.
    FromScalar(ScalarExpr),
    /// A function of each value alone; it drops the name.
    Map {
        function: Map,
        input: Box<VectorExpr>,
    },
    /// A function over a window of each series.
    OverTime(Box<OverTime>),
    AbsentOverTime {
        range: RangeExpr,
        labels: model::Labels,
    },
    Absent {
        input: Box<VectorExpr>,
        labels: model::Labels,
    },
    Aggregate(Box<Aggregate>),
    VectorScalar(Box<VectorScalar>),
    Join(Box<Join>),
    Set(Box<SetOperation>),
    Sort {
        order: SortOrder,
        input: Box<VectorExpr>,
        place: Place,
    },
    Relabel {
        relabel: Relabel,
        input: Box<VectorExpr>,
    },
    /// What is the same at every step.
    Fixed(Box<VectorExpr>),
    /// What the query has more than once.
    Shared(Box<Shared>),
    /// What is told about when the plan is shown.
    Watched(Box<Watched>),
    /// The function `info`.
    Info(Box<Info>),
    /// A number of each native histogram.
    OfHistograms {
        number: HistogramNumber,
        input: Box<VectorExpr>,
    },
    /// A number of each histogram, native or classic, that needs its buckets.
    OfBuckets(Box<BucketFunction>),
}

/// Numbers that a native histogram has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HistogramNumber {
    Average,
    Count,
    StandardDeviation,
    Sum,
    Variance,
}

/// A function of buckets, with its operands.
#[derive(Clone, Debug)]
pub(crate) struct BucketFunction {
    pub(crate) number: BucketNumber,
    pub(crate) input: VectorExpr,
    /// Where each parameter begins in the text.
    pub(crate) parameter_places: Vec<Place>,
    /// Where the input begins in the text.
    pub(crate) input_place: Place,
}

/// What is asked of buckets.
#[derive(Clone, Debug)]
pub(crate) enum BucketNumber {
    Quantile(ScalarExpr),
    /// Several quantiles, each with its own value of a label.
    Quantiles {
        label: String,
        phis: Vec<ScalarExpr>,
    },
    Fraction {
        lower: ScalarExpr,
        upper: ScalarExpr,
    },
}

/// An expression with a window of samples at each step.
#[derive(Clone, Debug)]
pub(crate) enum RangeExpr {
    Selector { selector: Selector, range_ms: i64 },
    Subquery { input: Box<VectorExpr>, range_ms: i64, step_ms: Option<i64>, shift: Shift },
}

impl RangeExpr {
    pub(crate) fn range_ms(&self) -> i64 {
        match self {
            Self::Selector { range_ms, .. } | Self::Subquery { range_ms, .. } => *range_ms,
        }
    }

    pub(crate) fn shift(&self) -> Shift {
        match self {
            Self::Selector { selector, .. } => selector.shift,
            Self::Subquery { shift, .. } => *shift,
        }
    }

    pub(crate) fn extension(&self) -> Option<Extension> {
        match self {
            Self::Selector { selector, .. } => selector.extension,
            Self::Subquery { .. } => None,
        }
    }
}

/// Which series to read, and at which time.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    pub(crate) place: Place,
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) shift: Shift,
    /// Values that can come through the filter above it; all of them, without one.
    pub(crate) values: Option<RangeInclusive<f64>>,
    /// Whether it is found out between which histograms counters began again, where that is not known: of numbers of
    /// histograms alone it could not be found out later.
    pub(crate) finds_resets: bool,
    pub(crate) extension: Option<Extension>,
}

/// The modifiers `anchored` and `smoothed`: samples beyond a window say what the values at its ends are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    /// The last sample before the window is its value at the start.
    Anchored,
    /// Values at the ends lie on the lines between samples.
    Smoothed,
}

impl Extension {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Anchored => "anchored",
            Self::Smoothed => "smoothed",
        }
    }
}

/// The modifiers `@` and `offset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) at: Option<At>,
    /// How far back; negative is forward.
    pub(crate) offset_ms: i64,
}

/// The modifier `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Time(i64),
    QueryStart,
    QueryEnd,
}

/// Functions of one value.
#[derive(Clone, Debug)]
pub(crate) enum Map {
    /// Of the value alone.
    Plain(fn(f64) -> f64),
    Negate,
    /// The time of the step: `timestamp` of anything but a selector.
    StepTime,
    Clamp {
        min: ScalarExpr,
        max: ScalarExpr,
    },
    ClampMin(ScalarExpr),
    ClampMax(ScalarExpr),
    Round(ScalarExpr),
}

/// A function over windows, with its operands.
#[derive(Clone, Debug)]
pub(crate) struct OverTime {
    pub(crate) function: WindowFunction,
    pub(crate) range: RangeExpr,
    pub(crate) parameters: Vec<ScalarExpr>,
    /// Where the range begins in the text.
    pub(crate) range_place: Place,
    /// Where the first parameter begins in the text.
    pub(crate) parameter_place: Place,
}

/// Functions over the samples of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WindowFunction {
    Rate,
    Increase,
    Delta,
    InstantRate,
    InstantDelta,
    Derivative,
    PredictLinear,
    DoubleExponentialSmoothing,
    Average,
    Minimum,
    Maximum,
    Sum,
    Count,
    First,
    Last,
    Present,
    Quantile,
    StandardDeviation,
    Variance,
    MedianAbsoluteDeviation,
    Changes,
    Resets,
    TimeOfFirst,
    TimeOfLast,
    TimeOfMinimum,
    TimeOfMaximum,
}

impl WindowFunction {
    /// Whether the result is the same kind of thing as the samples, so that the name stays.
    pub(crate) fn keeps_name(self) -> bool {
        matches!(self, Self::First | Self::Last)
    }
}

/// An aggregation over groups of series.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) operation: Aggregation,
    pub(crate) grouping: LabelFilter,
    pub(crate) input: VectorExpr,
    /// Where the parameter begins in the text.
    pub(crate) parameter_place: Place,
    /// Where the input begins in the text.
    pub(crate) input_place: Place,
}

/// Aggregations, with their parameters.
#[derive(Clone, Debug)]
pub(crate) enum Aggregation {
    Sum,
    Average,
    Minimum,
    Maximum,
    Count,
    Group,
    StandardDeviation,
    Variance,
    Quantile(ScalarExpr),
    CountValues(String),
    Top(ScalarExpr),
    Bottom(ScalarExpr),
    LimitCount(ScalarExpr),
    LimitRatio(ScalarExpr),
}

/// `+ - * / % ^ atan2`, and the smaller and larger of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Atan2,
    Smaller,
    Larger,
}

/// `== != > < >= <=`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

/// An operator between two numbers, as it acts on series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Arithmetic(Arithmetic),
    /// Keeps the left value where the comparison holds.
    Filter(Comparison),
    /// 1 where the comparison holds, else 0.
    Test(Comparison),
    /// Cuts histograms.
    Trim(Keep),
}

impl Operator {
    /// Whether the result is something else than the left operand, so that the name goes.
    pub(crate) fn drops_name(self) -> bool {
        !matches!(self, Self::Filter(_) | Self::Trim(_))
    }

    /// How it is written.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Arithmetic(arithmetic) => match arithmetic {
                Arithmetic::Add => "+",
                Arithmetic::Subtract => "-",
                Arithmetic::Multiply => "*",
                Arithmetic::Divide => "/",
                Arithmetic::Modulo => "%",
                Arithmetic::Power => "^",
                Arithmetic::Atan2 => "atan2",
                Arithmetic::Smaller => "min_of",
                Arithmetic::Larger => "max_of",
            },
            Self::Filter(comparison) | Self::Test(comparison) => match comparison {
                Comparison::Equal => "==",
                Comparison::NotEqual => "!=",
                Comparison::Greater => ">",
                Comparison::Less => "<",
                Comparison::GreaterOrEqual => ">=",
                Comparison::LessOrEqual => "<=",
            },
            Self::Trim(Keep::Below) => "</",
            Self::Trim(Keep::Above) => ">/",
        }
    }
}

/// An operator between a vector and a scalar.
#[derive(Clone, Debug)]
pub(crate) struct VectorScalar {
    pub(crate) operator: Operator,
    pub(crate) vector: VectorExpr,
    pub(crate) scalar: ScalarExpr,
    pub(crate) scalar_side: Side,
    /// Where it begins in the text.
    pub(crate) place: Place,
}

/// A side of a binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// An operator between two vectors, matched by labels.
#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) operator: Operator,
    pub(crate) left: VectorExpr,
    pub(crate) right: VectorExpr,
    pub(crate) matching: LabelFilter,
    pub(crate) cardinality: Cardinality,
    pub(crate) fill: Fill,
    /// Where it begins in the text.
    pub(crate) place: Place,
}

/// What stands in for a sample that has no partner on a side; without it the other has no result.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Fill {
    pub(crate) left: Option<f64>,
    pub(crate) right: Option<f64>,
}

/// How many series of each side may match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cardinality {
    OneToOne,
    /// `group_left` or `group_right`: the many side, and the labels that are copied from the other.
    Many {
        side: Side,
        include: Vec<String>,
    },
}

/// `and`, `or`, `unless`.
#[derive(Clone, Debug)]
pub(crate) struct SetOperation {
    pub(crate) operator: SetOperator,
    pub(crate) left: VectorExpr,
    pub(crate) right: VectorExpr,
    pub(crate) matching: LabelFilter,
}

/// Set operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetOperator {
    And,
    Or,
    Unless,
}

/// How an instant query's answer is sorted.
#[derive(Clone, Debug)]
pub(crate) enum SortOrder {
    Ascending,
    Descending,
    ByLabels { names: Vec<String>, descending: bool },
}

/// Functions that change labels.
#[derive(Clone, Debug)]
pub(crate) enum Relabel {
    Replace { target: String, replacement: Template, source: String, pattern: regex::Regex },
    Join { target: String, separator: String, sources: Vec<String> },
}

/// Labels of info metrics for the series of a vector.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    pub(crate) input: VectorExpr,
    /// Which metrics are info metrics.
    pub(crate) names: Vec<Matcher>,
    /// Which series of the input are info metrics themselves and stay as they are; none, without a matcher.
    pub(crate) left_alone: Vec<Matcher>,
    /// Which labels are taken, and what they must be; all labels, without a matcher.
    pub(crate) labels: Vec<Matcher>,
}

/// A part that a query has more than once.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// The same for all that are the same.
    pub(crate) id: usize,
    pub(crate) input: VectorExpr,
}

/// A part whose cost is measured.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// Its number among all.
    pub(crate) part: usize,
    pub(crate) input: VectorExpr,
}

impl VectorExpr {
    /// What it is, however often it is evaluated and whoever watches.
    pub(crate) fn bare(&self) -> &Self {
        match self {
            Self::Fixed(input) => input.bare(),
            Self::Shared(shared) => shared.input.bare(),
            Self::Watched(watched) => watched.input.bare(),
            other => other,
        }
    }

    /// The selector that it is; anything else as it is.
    pub(crate) fn into_bare_selector(self) -> Self {
        match self.bare() {
            Self::Selector(selector) => Self::Selector(selector.clone()),
            _ => self,
        }
    }
}
