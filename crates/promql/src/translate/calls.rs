//! Function calls.

use promql_parser::parser as ast;

use super::{Translator, selectors};
use crate::Error;
use crate::eval::{calendar, numbers};
use crate::plan::{
    Arithmetic, Expr, Map, OverTime, Relabel, ScalarExpr, SortOrder, VectorExpr, WindowFunction,
};
use crate::source::CallSite;

/// The arguments of one call, taken in order.
struct Arguments {
    function: &'static str,
    trees: std::vec::IntoIter<Box<ast::Expr>>,
}

impl Arguments {
    fn next(&mut self) -> Result<ast::Expr, Error> {
        let missing = || Error::BadData(format!("the function `{}` needs more arguments", self.function));
        self.trees.next().map(|tree| *tree).ok_or_else(missing)
    }

    fn next_if_given(&mut self) -> Option<ast::Expr> {
        self.trees.next().map(|tree| *tree)
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
        "double_exponential_smoothing" => F::DoubleExponentialSmoothing,
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

impl Translator {
    pub(super) fn call(&mut self, tree: ast::Call) -> Result<Expr, Error> {
        let name = tree.func.name;
        let site = self.source.next_call(name);
        let mut arguments = Arguments { function: name, trees: tree.args.args.into_iter() };
        if let Some(function) = window_function(name) {
            return self.over_time(function, arguments, &site);
        }
        if let Some(function) = plain_map(name) {
            let input = self.vector(arguments.next()?)?;
            return Ok(map(Map::Plain(function), input));
        }
        if let Some(function) = calendar_map(name) {
            let input = match arguments.next_if_given() {
                Some(tree) => self.vector(tree)?,
                None => VectorExpr::FromScalar(ScalarExpr::Time),
            };
            return Ok(map(Map::Plain(function), input));
        }
        match name {
            "time" | "pi" | "start" | "end" | "step" | "range" | "scalar" | "min_of" | "max_of" => {
                self.scalar_function(name, arguments).map(Expr::Scalar)
            }
            "clamp" | "clamp_min" | "clamp_max" | "round" | "timestamp" => self.mapping(name, arguments),
            "sort" | "sort_desc" | "sort_by_label" | "sort_by_label_desc" => {
                self.sort(name, arguments, &site)
            }
            "label_replace" => self.label_replace(arguments),
            "label_join" => self.label_join(arguments),
            _ => self.vector_function(name, arguments, &site).map(Expr::Vector),
        }
    }

    fn over_time(
        &mut self,
        function: WindowFunction,
        mut arguments: Arguments,
        site: &CallSite,
    ) -> Result<Expr, Error> {
        let mut parameters = Vec::new();
        let parameter_first = function == WindowFunction::Quantile;
        if parameter_first {
            parameters.push(self.scalar(arguments.next()?)?);
        }
        let range = self.range(arguments.next()?)?;
        while let Some(tree) = arguments.next_if_given() {
            parameters.push(self.scalar(tree)?);
        }
        let (range_place, parameter_place) = match parameter_first {
            true => (site.argument(1), site.argument(0)),
            false => (site.argument(0), site.argument(1)),
        };
        let over_time = OverTime { function, range, parameters, range_place, parameter_place };
        Ok(Expr::Vector(VectorExpr::OverTime(Box::new(over_time))))
    }

    fn scalar_function(&mut self, name: &str, mut arguments: Arguments) -> Result<ScalarExpr, Error> {
        let mut of_two = |arithmetic| {
            let (left, right) = (self.scalar(arguments.next()?)?, self.scalar(arguments.next()?)?);
            Ok(ScalarExpr::Arithmetic(arithmetic, Box::new(left), Box::new(right)))
        };
        match name {
            "min_of" => of_two(Arithmetic::Smaller),
            "max_of" => of_two(Arithmetic::Larger),
            "scalar" => Ok(ScalarExpr::FromVector(Box::new(self.vector(arguments.next()?)?))),
            "pi" => Ok(ScalarExpr::Number(std::f64::consts::PI)),
            "start" => Ok(ScalarExpr::QueryStart),
            "end" => Ok(ScalarExpr::QueryEnd),
            "step" => Ok(ScalarExpr::QueryStep),
            "range" => Ok(ScalarExpr::Arithmetic(
                Arithmetic::Subtract,
                Box::new(ScalarExpr::QueryEnd),
                Box::new(ScalarExpr::QueryStart),
            )),
            _ => Ok(ScalarExpr::Time),
        }
    }

    fn mapping(&mut self, name: &str, mut arguments: Arguments) -> Result<Expr, Error> {
        let input = self.vector(arguments.next()?)?;
        let function = match name {
            "timestamp" => match input {
                VectorExpr::Selector(selector) => return Ok(Expr::Vector(VectorExpr::SampleTimes(selector))),
                other => return Ok(map(Map::StepTime, other)),
            },
            "round" => match arguments.next_if_given() {
                Some(tree) => Map::Round(self.scalar(tree)?),
                None => Map::Round(ScalarExpr::Number(1.0)),
            },
            "clamp_min" => Map::ClampMin(self.scalar(arguments.next()?)?),
            "clamp_max" => Map::ClampMax(self.scalar(arguments.next()?)?),
            _ => Map::Clamp { min: self.scalar(arguments.next()?)?, max: self.scalar(arguments.next()?)? },
        };
        Ok(map(function, input))
    }

    fn sort(&mut self, name: &str, mut arguments: Arguments, site: &CallSite) -> Result<Expr, Error> {
        let input = Box::new(self.vector(arguments.next()?)?);
        let mut names = Vec::new();
        while let Some(tree) = arguments.next_if_given() {
            names.push(self.text(tree)?);
        }
        let order = match name {
            "sort" => SortOrder::Ascending,
            "sort_desc" => SortOrder::Descending,
            _ => SortOrder::ByLabels { names, descending: name == "sort_by_label_desc" },
        };
        Ok(Expr::Vector(VectorExpr::Sort { order, input, place: site.place }))
    }

    fn vector_function(
        &mut self,
        name: &str,
        mut arguments: Arguments,
        site: &CallSite,
    ) -> Result<VectorExpr, Error> {
        match name {
            "vector" => Ok(VectorExpr::FromScalar(self.scalar(arguments.next()?)?)),
            "absent" => {
                let input = self.vector(arguments.next()?)?;
                Ok(VectorExpr::Absent { labels: selectors::labels_of_absent(&input), input: Box::new(input) })
            }
            "absent_over_time" => {
                let range = self.range(arguments.next()?)?;
                Ok(VectorExpr::AbsentOverTime { labels: selectors::labels_of_absent_range(&range), range })
            }
            "histogram_quantile" => Ok(VectorExpr::HistogramQuantile {
                phi: self.scalar(arguments.next()?)?,
                input: Box::new(self.vector(arguments.next()?)?),
                phi_place: site.argument(0),
                input_place: site.argument(1),
            }),
            _ => Err(Error::Unsupported(format!("the function `{name}`"))),
        }
    }

    fn label_replace(&mut self, mut arguments: Arguments) -> Result<Expr, Error> {
        let input = Box::new(self.vector(arguments.next()?)?);
        let target = self.label_name("label_replace", &mut arguments)?;
        let replacement = self.text(arguments.next()?)?;
        let source = self.text(arguments.next()?)?;
        let pattern = self.text(arguments.next()?)?;
        let pattern =
            regex::RegexBuilder::new(&format!("^(?s:{pattern})$")).size_limit(1 << 20).build().map_err(
                |error| Error::BadData(format!("label_replace has no usable regular expression: {error}")),
            )?;
        let relabel = Relabel::Replace { target, replacement, source, pattern };
        Ok(Expr::Vector(VectorExpr::Relabel { relabel, input }))
    }

    fn label_join(&mut self, mut arguments: Arguments) -> Result<Expr, Error> {
        let input = Box::new(self.vector(arguments.next()?)?);
        let target = self.label_name("label_join", &mut arguments)?;
        let separator = self.text(arguments.next()?)?;
        let mut sources = Vec::new();
        while let Some(tree) = arguments.next_if_given() {
            sources.push(self.text(tree)?);
        }
        let relabel = Relabel::Join { target, separator, sources };
        Ok(Expr::Vector(VectorExpr::Relabel { relabel, input }))
    }

    fn label_name(&mut self, function: &str, arguments: &mut Arguments) -> Result<String, Error> {
        let name = self.text(arguments.next()?)?;
        if name.is_empty() {
            return Err(Error::BadData(format!("{function} needs a destination label that is not empty")));
        }
        Ok(name)
    }
}

fn map(function: Map, input: VectorExpr) -> Expr {
    Expr::Vector(VectorExpr::Map { function, input: Box::new(input) })
}
