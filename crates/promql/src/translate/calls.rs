//! Function calls.

use super::functions::{self, Kind, Signature};
use super::{Translator, folded, selectors};
use crate::Error;
use crate::eval::{calendar, numbers};
use crate::notes::Place;
use crate::plan::{
    Arithmetic, BucketFunction, BucketNumber, Expr, Extension, HistogramNumber, Map, OverTime, RangeExpr,
    Relabel, ScalarExpr, SortOrder, VectorExpr, WindowFunction,
};
use crate::syntax::Call;
use crate::template::Template;

/// The arguments of one call, of which each has the type that the function asks for; taken in order.
struct Arguments {
    all: std::vec::IntoIter<Expr>,
    places: Vec<Place>,
    call: Place,
}

impl Arguments {
    /// Where an argument begins, or the call itself when it has no such argument.
    fn place(&self, index: usize) -> Place {
        self.places.get(index).copied().unwrap_or(self.call)
    }

    fn scalar(&mut self) -> Option<ScalarExpr> {
        match self.all.next()? {
            Expr::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    fn vector(&mut self) -> Option<VectorExpr> {
        match self.all.next()? {
            Expr::Vector(vector) => Some(vector),
            _ => None,
        }
    }

    fn range(&mut self) -> Option<RangeExpr> {
        match self.all.next()? {
            Expr::Range(range) => Some(range),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        match self.all.next()? {
            Expr::Text(text) => Some(text),
            _ => None,
        }
    }

    fn texts(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.text()).collect()
    }
}

/// Functions of each value alone.
fn plain_map(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "sqrt" => f64::sqrt,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sgn" => numbers::sign,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        "asinh" => f64::asinh,
        "acosh" => f64::acosh,
        "atanh" => f64::atanh,
        "deg" => f64::to_degrees,
        "rad" => f64::to_radians,
        _ => return None,
    })
}

/// Functions of each value as a time; without an argument they take the time of the step.
fn calendar_map(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "year" => calendar::year,
        "month" => calendar::month,
        "day_of_month" => calendar::day_of_month,
        "day_of_week" => calendar::day_of_week,
        "day_of_year" => calendar::day_of_year,
        "days_in_month" => calendar::days_in_month,
        "hour" => calendar::hour,
        "minute" => calendar::minute,
        _ => return None,
    })
}

fn window_function(name: &str) -> Option<WindowFunction> {
    use WindowFunction as F;
    Some(match name {
        "rate" => F::Rate,
        "increase" => F::Increase,
        "delta" => F::Delta,
        "irate" => F::InstantRate,
        "idelta" => F::InstantDelta,
        "deriv" => F::Derivative,
        "predict_linear" => F::PredictLinear,
        "double_exponential_smoothing" | "holt_winters" => F::DoubleExponentialSmoothing,
        "avg_over_time" => F::Average,
        "min_over_time" => F::Minimum,
        "max_over_time" => F::Maximum,
        "sum_over_time" => F::Sum,
        "count_over_time" => F::Count,
        "first_over_time" => F::First,
        "last_over_time" => F::Last,
        "present_over_time" => F::Present,
        "quantile_over_time" => F::Quantile,
        "stddev_over_time" => F::StandardDeviation,
        "stdvar_over_time" => F::Variance,
        "mad_over_time" => F::MedianAbsoluteDeviation,
        "changes" => F::Changes,
        "resets" => F::Resets,
        "ts_of_first_over_time" => F::TimeOfFirst,
        "ts_of_last_over_time" => F::TimeOfLast,
        "ts_of_min_over_time" => F::TimeOfMinimum,
        "ts_of_max_over_time" => F::TimeOfMaximum,
        _ => return None,
    })
}

impl Translator<'_> {
    pub(super) fn call(&mut self, start: usize, call: Call) -> Result<Expr, Error> {
        let name = call.name.clone();
        let signature = functions::signature(&name).ok_or_else(|| self.unknown(start, &name))?;
        if functions::is_experimental(&name) {
            self.note_experimental(start, &format!("function {name:?} is not enabled"));
        }
        if name == "info" && (1..=2).contains(&call.arguments.len()) {
            return self.info(start, call.arguments);
        }
        let mut arguments = self.arguments(start, call, &signature)?;
        let expr = self.function(start, &name, &mut arguments)?;
        expr.ok_or_else(|| self.unknown(start, &name))
    }

    fn unknown(&self, start: usize, name: &str) -> Error {
        self.error(start, &format!("unknown function with name {name:?}"))
    }

    fn arguments(&mut self, start: usize, call: Call, signature: &Signature) -> Result<Arguments, Error> {
        let (given, Signature { least, most, .. }) = (call.arguments.len(), *signature);
        if given < least || given > most {
            let bound = match (least == most, given < least) {
                (true, _) => "",
                (false, true) => "at least ",
                (false, false) => "at most ",
            };
            let wanted = if given < least { least } else { most };
            let message =
                format!("expected {bound}{wanted} argument(s) in call to {:?}, got {given}", call.name);
            return Err(self.error(start, &message));
        }
        let context = format!("call to function {:?}", call.name);
        let places = call.arguments.iter().map(|tree| self.place(tree.start)).collect();
        let mut all = Vec::with_capacity(given);
        for (number, tree) in call.arguments.into_iter().enumerate() {
            all.push(match signature.kind(number) {
                Some(Kind::Scalar) => Expr::Scalar(self.scalar(tree, &context)?),
                Some(Kind::Vector) => Expr::Vector(self.vector(tree, &context)?),
                Some(Kind::Range) => {
                    let range = self.range(tree, &context)?;
                    check_extension(&call.name, &range)?;
                    Expr::Range(range)
                }
                Some(Kind::Text) => Expr::Text(self.text(tree, &context)?),
                None => self.expr(tree)?,
            });
        }
        Ok(Arguments { all: all.into_iter(), places, call: self.place(start) })
    }

    /// The function of a name; nothing when it is not known here, or its arguments are not.
    fn function(
        &mut self,
        start: usize,
        name: &str,
        arguments: &mut Arguments,
    ) -> Result<Option<Expr>, Error> {
        if let Some(function) = window_function(name) {
            return Ok(over_time(function, arguments));
        }
        if let Some(function) = plain_map(name) {
            return Ok(arguments.vector().map(|input| map(Map::Plain(function), input)));
        }
        if let Some(function) = calendar_map(name) {
            let input = arguments.vector().unwrap_or(VectorExpr::FromScalar(ScalarExpr::Time));
            return Ok(Some(map(Map::Plain(function), input)));
        }
        match name {
            "time" | "pi" | "start" | "end" | "step" | "range" | "scalar" | "min_of" | "max_of" => {
                Ok(scalar_function(name, arguments).map(Expr::Scalar))
            }
            "clamp" | "clamp_min" | "clamp_max" | "round" | "timestamp" | "start_timestamp" => {
                Ok(mapping(name, arguments))
            }
            "sort" | "sort_desc" | "sort_by_label" | "sort_by_label_desc" => Ok(sort(name, arguments)),
            "label_replace" => self.label_replace(start, arguments),
            "label_join" => Self::label_join(arguments),
            _ => Ok(vector_function(name, arguments).map(Expr::Vector)),
        }
    }

    fn label_replace(&mut self, start: usize, arguments: &mut Arguments) -> Result<Option<Expr>, Error> {
        let Some(input) = arguments.vector() else { return Ok(None) };
        let [target, replacement, source, pattern] = [(); 4].map(|()| arguments.text().unwrap_or_default());
        check_label("label_replace", &target)?;
        self.count_pattern(start)?;
        // Prometheus makes the pattern when it evaluates, so that this is an error of class `execution`.
        let pattern = store::pattern::anchored(&pattern).map_err(|error| {
            Error::Execution(format!("invalid regular expression in label_replace(): {pattern}: {error}"))
        })?;
        let replacement = Template::parse(&replacement, &pattern);
        let relabel = Relabel::Replace { target, replacement, source, pattern };
        Ok(Some(Expr::Vector(VectorExpr::Relabel { relabel, input: Box::new(input) })))
    }

    fn label_join(arguments: &mut Arguments) -> Result<Option<Expr>, Error> {
        let Some(input) = arguments.vector() else { return Ok(None) };
        let [target, separator] = [(); 2].map(|()| arguments.text().unwrap_or_default());
        check_label("label_join", &target)?;
        let relabel = Relabel::Join { target, separator, sources: arguments.texts() };
        Ok(Some(Expr::Vector(VectorExpr::Relabel { relabel, input: Box::new(input) })))
    }
}

/// As with patterns, Prometheus looks at the name when it evaluates.
fn check_label(function: &str, name: &str) -> Result<(), Error> {
    match name.is_empty() {
        true => Err(Error::Execution(format!("invalid destination label name in {function}(): {name:?}"))),
        false => Ok(()),
    }
}

/// Whether a function knows what to do with a modifier of its window.
fn check_extension(function: &str, range: &RangeExpr) -> Result<(), Error> {
    let Some(extension) = range.extension() else { return Ok(()) };
    let known: &[&str] = match extension {
        Extension::Anchored => &["changes", "delta", "increase", "rate", "resets"],
        Extension::Smoothed => &["delta", "increase", "rate"],
    };
    if known.contains(&function) {
        return Ok(());
    }
    let (name, known) = (extension.name(), known.join(", "));
    Err(Error::Execution(format!("{name} modifier can only be used with: {known} - not with {function}")))
}

fn over_time(function: WindowFunction, arguments: &mut Arguments) -> Option<Expr> {
    let mut parameters = Vec::new();
    let parameter_first = function == WindowFunction::Quantile;
    if parameter_first {
        parameters.push(arguments.scalar()?);
    }
    let range = arguments.range()?;
    parameters.extend(std::iter::from_fn(|| arguments.scalar()));
    let (range_at, parameter_at) = if parameter_first { (1, 0) } else { (0, 1) };
    let (range_place, parameter_place) = (arguments.place(range_at), arguments.place(parameter_at));
    let over_time = OverTime { function, range, parameters, range_place, parameter_place };
    Some(Expr::Vector(VectorExpr::OverTime(Box::new(over_time))))
}

fn scalar_function(name: &str, arguments: &mut Arguments) -> Option<ScalarExpr> {
    let mut of_two = |arithmetic| {
        let (left, right) = (arguments.scalar()?, arguments.scalar()?);
        Some(folded(ScalarExpr::Arithmetic(arithmetic, Box::new(left), Box::new(right))))
    };
    match name {
        "min_of" => of_two(Arithmetic::Smaller),
        "max_of" => of_two(Arithmetic::Larger),
        "scalar" => Some(ScalarExpr::FromVector(Box::new(arguments.vector()?))),
        "pi" => Some(ScalarExpr::Number(std::f64::consts::PI)),
        "start" => Some(ScalarExpr::QueryStart),
        "end" => Some(ScalarExpr::QueryEnd),
        "step" => Some(ScalarExpr::QueryStep),
        "range" => Some(ScalarExpr::Arithmetic(
            Arithmetic::Subtract,
            Box::new(ScalarExpr::QueryEnd),
            Box::new(ScalarExpr::QueryStart),
        )),
        _ => Some(ScalarExpr::Time),
    }
}

fn mapping(name: &str, arguments: &mut Arguments) -> Option<Expr> {
    let input = arguments.vector()?;
    let function = match name {
        "timestamp" => match input.into_bare_selector() {
            VectorExpr::Selector(selector) => return Some(Expr::Vector(VectorExpr::SampleTimes(selector))),
            other => return Some(map(Map::StepTime, other)),
        },
        "start_timestamp" => {
            return Some(Expr::Vector(match input.into_bare_selector() {
                VectorExpr::Selector(selector) => VectorExpr::SampleStarts(selector),
                other => VectorExpr::Nothing(Box::new(other)),
            }));
        }
        "round" => Map::Round(arguments.scalar().unwrap_or(ScalarExpr::Number(1.0))),
        "clamp_min" => Map::ClampMin(arguments.scalar()?),
        "clamp_max" => Map::ClampMax(arguments.scalar()?),
        _ => Map::Clamp { min: arguments.scalar()?, max: arguments.scalar()? },
    };
    Some(map(function, input))
}

fn sort(name: &str, arguments: &mut Arguments) -> Option<Expr> {
    let input = Box::new(arguments.vector()?);
    let order = match name {
        "sort" => SortOrder::Ascending,
        "sort_desc" => SortOrder::Descending,
        _ => SortOrder::ByLabels { names: arguments.texts(), descending: name == "sort_by_label_desc" },
    };
    Some(Expr::Vector(VectorExpr::Sort { order, input, place: arguments.call }))
}

fn vector_function(name: &str, arguments: &mut Arguments) -> Option<VectorExpr> {
    match name {
        "vector" => Some(VectorExpr::FromScalar(arguments.scalar()?)),
        "absent" => {
            let input = arguments.vector()?;
            Some(VectorExpr::Absent { labels: selectors::labels_of_absent(&input), input: Box::new(input) })
        }
        "absent_over_time" => {
            let range = arguments.range()?;
            Some(VectorExpr::AbsentOverTime { labels: selectors::labels_of_absent_range(&range), range })
        }
        "histogram_avg" | "histogram_count" | "histogram_sum" | "histogram_stddev" | "histogram_stdvar" => {
            of_histograms(name, arguments)
        }
        "histogram_fraction" | "histogram_quantile" | "histogram_quantiles" => of_buckets(name, arguments),
        _ => None,
    }
}

fn of_histograms(name: &str, arguments: &mut Arguments) -> Option<VectorExpr> {
    let mut input = Box::new(arguments.vector()?);
    let number = match name {
        "histogram_avg" => HistogramNumber::Average,
        "histogram_count" => HistogramNumber::Count,
        "histogram_sum" => HistogramNumber::Sum,
        "histogram_stddev" => HistogramNumber::StandardDeviation,
        _ => HistogramNumber::Variance,
    };
    if matches!(number, HistogramNumber::Average | HistogramNumber::Count | HistogramNumber::Sum) {
        selectors::find_resets(&mut input);
    }
    Some(VectorExpr::OfHistograms { number, input })
}

fn of_buckets(name: &str, arguments: &mut Arguments) -> Option<VectorExpr> {
    let (number, input, input_at, parameters) = match name {
        "histogram_quantile" => {
            let phi = arguments.scalar()?;
            (BucketNumber::Quantile(phi), arguments.vector()?, 1, 0..1)
        }
        "histogram_fraction" => {
            let (lower, upper) = (arguments.scalar()?, arguments.scalar()?);
            (BucketNumber::Fraction { lower, upper }, arguments.vector()?, 2, 0..2)
        }
        _ => {
            let (input, label) = (arguments.vector()?, arguments.text()?);
            let phis: Vec<ScalarExpr> = std::iter::from_fn(|| arguments.scalar()).collect();
            let parameters = 2..2 + phis.len();
            (BucketNumber::Quantiles { label, phis }, input, 0, parameters)
        }
    };
    let parameter_places = parameters.map(|at| arguments.place(at)).collect();
    let input_place = arguments.place(input_at);
    let function = BucketFunction { number, input, parameter_places, input_place };
    Some(VectorExpr::OfBuckets(Box::new(function)))
}

fn map(function: Map, input: VectorExpr) -> Expr {
    Expr::Vector(VectorExpr::Map { function, input: Box::new(input) })
}
